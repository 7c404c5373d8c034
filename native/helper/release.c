#include "release.h"

#include "common/record.h"
#include "common/sys.h"
#include "workers.h"

/* A mapping of a file that is unmapped in a fraction of a millisecond goes before all larger ones. */
#define SMALL_FILE_BYTES ((uintptr_t)16 << 20)

/* Below, private memory is left to the exit: the kernel has freed it before we have begun. Mappings count as well,
 * as reading about one takes as long as freeing so much. */
#define LITTLE_BYTES ((uint64_t)16 << 20)
#define LITTLE_BYTES_A_MAPPING ((uint64_t)32 << 10)

/*
 * unshare(CLONE_VM) answers EINVAL while any other process has this address space, and otherwise
 * succeeds without doing anything (kernel/fork.c, current_is_single_threaded). Where a container's seccomp
 * filter forbids it we cannot know.
 */
int is_last_user(void)
{
	return sys_unshare(CLONE_VM) == 0;
}

/*
 * A lock, a busy mount or a page of a huge-page pool hangs off these, and somebody may be waiting for it. Returns
 * how many mappings of private memory there are.
 */
static uint64_t unmap_small_files(struct crew *crew, int maps)
{
	uint64_t private = 0;
	struct mapping mapping;

	start_maps(&crew->pieces.reader, maps);
	while (next_mapping(&crew->pieces.reader, &mapping)) {
		if (mapping.is_private_memory)
			private++;
		else if (mapping_bytes(&mapping) <= SMALL_FILE_BYTES && !is_own(&crew->own, &mapping))
			sys_munmap(mapping.start, mapping_bytes(&mapping));
	}
	return private;
}

void release_address_space(const struct release_options *options, const struct release_means *means)
{
	struct crew crew = {.workers = 1, .stacks = means->stacks, .record = means->record};
	struct proc_status status = read_proc_status(means->status, crew.pace.room);
	uint64_t now = milliseconds_since_boot();

	describe_release(&crew.told, status.bytes, now, now);
	describe_options(&crew.told, options);
	if (status.has_memory)
		tell_workers(&crew);
	/* The other user may be a child between vfork and exec, whose parent was killed: it still needs
	 * every page. The memory is then left to our own exit. */
	if (!is_last_user() || means->maps < 0) {
		set_priority(options->priority, means->priority);
		return;
	}
	crew.own.stacks = means->stacks;
	add_own_shadow_stack(&crew.own);

	crew.leaves_private = status.bytes < LITTLE_BYTES + LITTLE_BYTES_A_MAPPING * unmap_small_files(&crew, means->maps);
	set_priority(options->priority, means->priority);
	read_cpus(&crew.cpus);
	crew.most_workers = options->workers ? options->workers : count_cpus(&crew.cpus);
	if (crew.most_workers > MOST_WORKERS)
		crew.most_workers = MOST_WORKERS;
	crew.pace.rate = options->rate;
	crew.pace.status = means->status;
	start_pieces(&crew.pieces, means->maps, &crew.own);
	work(&crew);
}

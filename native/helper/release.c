#include "release.h"

#include "common/record.h"
#include "common/sys.h"
#include "files.h"
#include "numa.h"
#include "workers.h"

/* Below, all is left to the exit: the kernel has freed it before we have begun. Mappings count as well: where
 * each has less than so much, reading about them takes longer than more workers save. */
#define LITTLE_BYTES ((uint64_t)32 << 20)
#define LITTLE_BYTES_A_MAPPING ((uint64_t)96 << 10)

/*
 * unshare(CLONE_VM) answers EINVAL while any other process has this address space, and otherwise
 * succeeds without doing anything (kernel/fork.c, current_is_single_threaded). Where a container's seccomp
 * filter forbids it we cannot know.
 */
int is_last_user(void)
{
	return sys_unshare(CLONE_VM) == 0;
}

static int is_little(uint64_t bytes, const struct release_options *options, struct maps_reader *reader, int maps)
{
	uint64_t little = LITTLE_BYTES;
	struct mapping mapping;

	if (options->rate) /* which the exit does not know, however many mappings there are */
		return bytes < little;
	maps_start(reader, maps);
	for (; bytes >= little; little += LITTLE_BYTES_A_MAPPING)
		if (!maps_next(reader, &mapping))
			return 0;
	return 1;
}

static void release(struct crew *crew, const struct release_options *options, const struct release_means *means)
{
	crew->own.stacks = means->stacks;
	own_add_shadow_stack(&crew->own);
	crew->files.fd = means->file_maps;
	crew->pace.rate = options->rate;
	crew->pace.status = means->status;
	read_cpus(&crew->cpus);
	crew->cpus.may_move = !means->is_filtered;
	crew->most_workers = options->workers ? options->workers : count_cpus(&crew->cpus);
	if (crew->most_workers > MOST_WORKERS)
		crew->most_workers = MOST_WORKERS;

	files_start(crew);
	priority_set(options->priority, means->priority);
	crew->nodes.is_on = !means->is_filtered && numa_has_several_nodes();
	pieces_start(&crew->pieces, means->maps, means->pagemap, &crew->own);
	workers_run(crew);
}

void release_address_space(const struct release_options *options, const struct release_means *means)
{
	struct crew crew = {
		.workers = 1, .stacks = means->stacks, .record = means->record, .priority = options->priority};
	struct proc_status status = proc_status_read(means->status, crew.pace.room);
	uint64_t now = milliseconds_since_boot();

	record_add_release(&crew.told, means->started, status.bytes, now, now);
	record_add_options(&crew.told, options);
	if (status.has_memory)
		workers_tell(&crew);
	/* The other user may be a child between vfork and exec, whose parent was killed: it still needs
	 * every page. The memory is then left to our own exit. */
	if (is_last_user() && means->maps >= 0 &&
	    !is_little(status.bytes + status.swapped_bytes, options, &crew.pieces.reader, means->maps))
		release(&crew, options, means);
	else
		priority_set(options->priority, means->priority);
	/* Here, because the others still use the crew. */
	sys_exit_group(0);
}

#include "files.h"

#include "lock.h"
#include "common/sys.h"

/*
 * A thread of its own, because any of it can last for ever: the end of a mapping writes to its file, and the end of a
 * file tells its server (->close in remove_vma, mm/vma.c; ->release in __fput, fs/file_table.c). A server that hangs
 * then keeps this thread, which has the lock of the address space for reading. So nobody else unmaps meanwhile;
 * MADV_DONTNEED needs that lock for reading only.
 *
 * Small ones go first: a lock or a busy mount may hang off them, and somebody may be waiting for it. Of each size,
 * what has been written to goes last, because it is the likeliest to wait for its server.
 */
#define SMALL_BYTES ((uintptr_t)16 << 20)

enum pass {
	SMALL_READ,
	SMALL_WRITTEN,
	LARGE_READ,
	LARGE_WRITTEN,
	PASSES,
};

/* What the others wait at most, so that they do not get in the way of what takes a fraction of that. */
#define SMALL_FILES_NS (5 * NANOSECONDS_PER_MILLISECOND)

/* How long it may take until a worker begins with its next piece. The longest sleeps of a rate, and those of an idle
 * priority on a busy machine, are not to be taken for one that hangs. */
#define STUCK_SECONDS 3
#define GENTLE_STUCK_SECONDS 60

static enum pass pass_of(const struct mapping *mapping)
{
	if (mapping_bytes(mapping) <= SMALL_BYTES)
		return mapping->is_written_back ? SMALL_WRITTEN : SMALL_READ;
	return mapping->is_written_back ? LARGE_WRITTEN : LARGE_READ;
}

/*
 * Only unmapped: the pages are the file's, and others may have it as well. Large ones in two steps, because what takes
 * its time in munmap, taking out the pages, would keep the workers from theirs.
 */
static void unmap(const struct mapping *mapping, enum pass pass)
{
	if (pass >= LARGE_READ) /* where it cannot, munmap will */
		sys_madvise(mapping->start, mapping_bytes(mapping), MADV_DONTNEED);
	sys_munmap(mapping->start, mapping_bytes(mapping));
}

/* Unmaps those of a pass. Returns a bit for each pass that there is something for. */
static unsigned unmap_all(struct crew *crew, enum pass pass)
{
	struct mapping mapping;
	unsigned seen = 0;

	maps_start(&crew->files, crew->files.fd);
	while (maps_next(&crew->files, &mapping)) {
		if (mapping.is_private_memory || own_includes(&crew->own, &mapping))
			continue;
		seen |= 1U << pass_of(&mapping);
		if (pass_of(&mapping) == pass)
			unmap(&mapping, pass);
	}
	return seen;
}

static void tell_state(struct crew *crew, enum files_state state)
{
	store(&crew->files_state, state);
	sys_futex(&crew->files_state, FUTEX_WAKE, 1, 0);
}

/*
 * MADV_DONTNEED waits for the reader of a userfaultfd that wants to know of it (UFFD_EVENT_REMOVE). If that one hangs,
 * all workers do. The exit of the process ends these waits, and then frees all without asking.
 *
 * A second at a time: a sleep that SIGSTOP interrupted ends with SIGCONT, before anybody could get on.
 */
static void end_what_hangs(struct crew *crew)
{
	const int is_gentle = crew->pace.rate || crew->priority != PRIORITY_NORMAL;
	const int most = is_gentle ? GENTLE_STUCK_SECONDS : STUCK_SECONDS;
	uint32_t seen = load(&crew->progress);

	for (int seconds = 0; seconds < most; seconds++) {
		sys_sleep_for(1, 0);
		if (load(&crew->progress) == seen)
			continue;
		seen = load(&crew->progress);
		seconds = -1;
	}
	sys_exit_group(0);
}

static void files_main(void *argument)
{
	struct crew *crew = argument;

	own_add_shadow_stack(&crew->own);
	lock_free(&crew->lock);
	unsigned seen = unmap_all(crew, SMALL_READ);

	if (seen & 1U << SMALL_WRITTEN)
		unmap_all(crew, SMALL_WRITTEN);
	priority_set(crew->priority, -1);
	tell_state(crew, LARGE_FILES);
	for (enum pass pass = LARGE_READ; pass < PASSES; pass++)
		if (seen & 1U << pass)
			unmap_all(crew, pass);
	tell_state(crew, FILES_DONE);
	end_what_hangs(crew);
}

void files_start(struct crew *crew)
{
	const struct __kernel_timespec most = {.tv_sec = 0, .tv_nsec = SMALL_FILES_NS};
	long result;

	lock_take(&crew->lock);
	crew->files_state = SMALL_FILES;
	if (crew->files.fd < 0 || crew_start_thread(crew, THREAD_STACKS - 1, files_main) < 0) {
		crew->files_state = FILES_LEFT;
		lock_free(&crew->lock);
		return;
	}
	do
		result = sys_futex(&crew->files_state, FUTEX_WAIT, SMALL_FILES, &most);
	while ((result == 0 || result == -EINTR) && load(&crew->files_state) == SMALL_FILES);
}

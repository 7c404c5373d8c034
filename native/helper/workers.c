#include "workers.h"

#include "lock.h"
#include "common/sys.h"

/*
 * A call of madvise is to last about this long: short enough to be fair to the other workers at the end, long
 * enough that its own cost does not count. In 4 KiB pages that is 16 MiB; in huge pages, or where nothing is
 * resident, the most.
 */
#define FIRST_PIECE_BYTES ((size_t)2 << 20)
#define LARGEST_PIECE_BYTES ((size_t)4 << 30)
#define SHORT_CALL_NS 500000L
#define LONG_CALL_NS 2000000L

/* How long a worker is at it before it calls one more, whose start takes a tenth of that. So what is soon
 * done, of whatever pages, is done by one, and a hundred CPUs are at work after eight steps. */
#define ALONE_NS 500000L

static int64_t nanoseconds(void)
{
	struct __kernel_timespec now = {0, 0};

	sys_clock(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 * NANOSECONDS_PER_MILLISECOND + now.tv_nsec;
}

/* Whether all of it is gone. ENOMEM is said of gaps, which do not matter; madvise(2). */
static int is_released(const struct mapping *piece, int advice)
{
	long result = sys_madvise(piece->start, mapping_bytes(piece), advice);

	return result == 0 || result == -ENOMEM;
}

/*
 * MADV_DONTNEED rather than munmap: several workers can do it at once, and the size left can be watched. The
 * kernel takes locked memory for it from 5.18 on, by another name. Where it refuses (device pages),
 * munmap does it; should that fail too, the exit that follows will.
 */
static void release_private(const struct mapping *piece)
{
	if (!is_released(piece, MADV_DONTNEED_LOCKED) && !is_released(piece, MADV_DONTNEED))
		sys_munmap(piece->start, mapping_bytes(piece));
}

/*
 * Only unmapped: the pages are the file's, and others may have it as well. In two steps, because what takes its
 * time in munmap, taking out the pages, would keep the other workers from theirs (it begins with the lock of the
 * address space for itself alone). If we were the last, the file's own end is behind the second, and keeps nobody.
 */
static void release_file(const struct mapping *piece)
{
	sys_madvise(piece->start, mapping_bytes(piece), MADV_DONTNEED); /* where it cannot, munmap will */
	sys_munmap(piece->start, mapping_bytes(piece));
}

void tell_workers(struct crew *crew)
{
	size_t length = crew->told.length;

	text_add_number(&crew->told, crew->workers);
	/* Without a record, the release is as good. */
	sys_pwrite(crew->record, crew->told.text, crew->told.length, 0);
	crew->told.length = length;
}

/* The kernel often starts a thread where its maker runs, though another CPU is idle, and then takes some milliseconds
 * to move it: the whole release may be over by then.
 *
 * Begins with the lock, which who called it has left taken: nobody may read about mappings before it is known
 * which of them is this thread's shadow stack. */
static void worker_main(void *argument)
{
	struct crew *crew = argument;

	move_off(&crew->cpus, crew->caller_cpu);
	add_own_shadow_stack(&crew->own);
	crew->workers++;
	tell_workers(crew);
	free_lock(&crew->lock);
	work(crew);
	/* What others are still at, they finish on their way out. */
	sys_exit_group(0);
}

static void call_another(struct crew *crew)
{
	take_lock(&crew->lock);
	if (crew->workers < crew->most_workers) {
		crew->caller_cpu = current_cpu();

		char *top = crew->stacks + crew->workers * WORKER_STACK_BYTES;

		if (sys_clone_onto(WORKER_THREAD, top, 0, 0, worker_main, crew) >= 0)
			return;
		crew->most_workers = crew->workers; /* no more processes, or forbidden: without, then */
	}
	free_lock(&crew->lock);
}

/* Files first. With a rate, whoever comes here may have to wait, and those behind it with it. */
static int next_piece(struct crew *crew, size_t bytes, struct mapping *piece, int *waited)
{
	*waited = 0;
	if (next_file(&crew->pieces, piece))
		return 1;
	if (crew->leaves_private)
		return 0;
	if (crew->pace.rate) {
		*waited = keep_pace(&crew->pace);
		bytes = crew->pace.piece;
	}
	return next_private(&crew->pieces, bytes, piece);
}

static size_t next_size(size_t bytes, int64_t took)
{
	if (took < SHORT_CALL_NS && bytes < LARGEST_PIECE_BYTES)
		return bytes * 2;
	return took > LONG_CALL_NS && bytes > FIRST_PIECE_BYTES ? bytes / 2 : bytes;
}

void work(struct crew *crew)
{
	size_t bytes = FIRST_PIECE_BYTES;
	int64_t alone_since = nanoseconds();
	struct mapping piece;

	for (;;) {
		int waited, more;

		take_lock(&crew->lock);
		more = next_piece(crew, bytes, &piece, &waited);
		free_lock(&crew->lock);
		if (!more)
			return;

		int64_t start = nanoseconds();

		/* With a rate, more workers are of use only where one cannot keep up with it. */
		if (waited || (crew->pace.rate && !piece.is_private_memory))
			alone_since = start;
		if (piece.is_private_memory)
			release_private(&piece);
		else
			release_file(&piece);

		int64_t end = nanoseconds();

		bytes = next_size(bytes, end - start);
		if (end - alone_since > ALONE_NS) {
			call_another(crew);
			alone_since = end;
		}
	}
}

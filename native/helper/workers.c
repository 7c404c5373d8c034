#include "workers.h"

#include "idle.h"
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

/*
 * With an idle priority, pieces and times are a fraction of that: a kernel that is not preemptible frees 512 pages
 * before a neighbour that has just woken up may run. Whoever returns from a call gives way at once.
 */
#define IDLE_FRACTION 16

/* A shorter call has found a few pages at most. */
#define EMPTY_CALL_NS 5000L

/* How long a worker is at it before it calls one more, whose start takes a tenth of that. So what is soon
 * done, of whatever pages, is done by one, and a hundred CPUs are at work after eight steps. */
#define ALONE_NS 1000000L

/* Whether all of it is gone. ENOMEM is said of gaps, which do not matter; madvise(2). */
static int is_released(const struct mapping *piece, int advice)
{
	long result = sys_madvise(piece->start, mapping_bytes(piece), advice);

	return result == 0 || result == -ENOMEM;
}

/*
 * MADV_DONTNEED rather than munmap: several workers can do it at once, and the size left can be watched. The
 * kernel takes locked memory for it from 5.18 on, by another name. Where it refuses (device pages), munmap does it;
 * should that not be possible either, the exit that follows will.
 */
static void release_private(const struct crew *crew, const struct mapping *piece)
{
	if (!is_released(piece, MADV_DONTNEED_LOCKED) && !is_released(piece, MADV_DONTNEED) && crew_can_unmap(crew))
		sys_munmap(piece->start, mapping_bytes(piece));
}

void workers_tell(struct crew *crew)
{
	size_t length = crew->told.length;

	text_add_number(&crew->told, crew->workers);
	/* Without a record, the release is as good. */
	sys_pwrite(crew->record, crew->told.text, crew->told.length, 0);
	crew->told.length = length;
}

/* The kernel often starts a thread where its maker runs, though another CPU is idle, and then takes some milliseconds
 * to move it: the whole release may be over by then. */
static void worker_main(void *argument)
{
	struct crew *crew = argument;

	int caller_cpu = crew->caller_cpu;

	own_add_shadow_stack(&crew->own);
	crew->workers++;
	workers_tell(crew);
	lock_free(&crew->lock);
	move_off(&crew->cpus, caller_cpu); /* which may take milliseconds, where the other CPU is busy */
	workers_run(crew);
	/* What others are still at, they finish on their way out. */
	sys_exit_group(0);
}

/* The kernel maps a shadow stack for each new thread: that waits for the thread for files, as unmapping would. */
static int can_call_another(const struct crew *crew)
{
	return crew->workers < crew->most_workers && (crew->own.shadow_stack_count == 0 || crew_can_unmap(crew));
}

static void call_another(struct crew *crew)
{
	lock_take(&crew->lock);
	if (can_call_another(crew)) {
		crew->caller_cpu = current_cpu();
		if (crew_start_thread(crew, crew->workers - 1, worker_main) >= 0)
			return;
		crew->most_workers = crew->workers; /* no more processes, or forbidden: without, then */
	}
	lock_free(&crew->lock);
}

/*
 * With a rate, whoever comes here may have to wait, and those behind it with it. The caller's last call needed so many
 * nanoseconds. Returns whether there is a piece.
 */
static int take_piece(struct crew *crew, size_t bytes, int64_t took, struct mapping *piece, int *waited)
{
	int found;

	*waited = 0;
	lock_take(&crew->lock);
	if (took < EMPTY_CALL_NS)
		pieces_skip_hole(&crew->pieces);
	if (crew->pace.rate) {
		*waited = pace_keep(&crew->pace);
		bytes = crew->pace.piece;
	}
	while ((found = nodes_next(&crew->nodes, &crew->pieces, bytes, piece)) < 0) {
		/* Before a worker has come to its own node's memory, others may take theirs. */
		lock_free(&crew->lock);
		lock_take(&crew->lock);
	}
	store(&crew->progress, crew->progress + 1);
	lock_free(&crew->lock);
	return found;
}

/* Of a piece that was cut short, because its mapping ended, the time says nothing about larger ones. */
static size_t next_size(size_t bytes, unsigned fraction, const struct mapping *piece, int64_t took)
{
	if (took < SHORT_CALL_NS / fraction && bytes < LARGEST_PIECE_BYTES && mapping_bytes(piece) > bytes / 2)
		return bytes * 2;
	return took > LONG_CALL_NS / fraction && bytes > FIRST_PIECE_BYTES / fraction ? bytes / 2 : bytes;
}

void workers_run(struct crew *crew)
{
	const unsigned fraction = crew->priority == PRIORITY_IDLE ? IDLE_FRACTION : 1;
	size_t bytes = FIRST_PIECE_BYTES / fraction;
	int64_t alone_since = sys_nanoseconds(CLOCK_MONOTONIC), took = EMPTY_CALL_NS;
	struct idling idling = {.cpu = UNKNOWN};
	struct mapping piece;
	int waited;

	while (take_piece(crew, bytes, took, &piece, &waited)) {
		int64_t start = sys_nanoseconds(CLOCK_MONOTONIC);

		/* With a rate, more workers are of use only where one cannot keep up with it. */
		if (waited)
			alone_since = start;
		if (waited && crew->priority == PRIORITY_IDLE)
			idle_restart(&idling, start);
		release_private(crew, &piece);

		int64_t end = sys_nanoseconds(CLOCK_MONOTONIC);

		took = end - start;
		bytes = next_size(bytes, fraction, &piece, took);
		/* Where others want this CPU, another worker would be in their way. */
		if (crew->priority == PRIORITY_IDLE && !idle_give_way(&idling, load(&crew->workers), end))
			alone_since = end;
		if (end - alone_since > ALONE_NS) {
			call_another(crew);
			alone_since = end;
		}
	}
}

/* The threads that release an address space together, and what they share. */
#ifndef ASYNC_TEARDOWN_CREW_H
#define ASYNC_TEARDOWN_CREW_H

#include "cpus.h"
#include "common/sys.h"
#include "common/text.h"
#include "common/release_options.h"
#include "nodes.h"
#include "own.h"
#include "pace.h"
#include "pieces.h"

/* What a thread has on its stack is a few numbers. */
#define THREAD_STACK_BYTES ((size_t)1 << 10)
#define THREAD_STACKS (MOST_THREADS - 1) /* the first has the helper's own */
#define THREAD_STACKS_BYTES (THREAD_STACKS * THREAD_STACK_BYTES)

#define CREW_THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

/* How far the thread for files is. */
enum files_state {
	FILES_LEFT, /* to the exit: there is no such thread */
	SMALL_FILES,
	LARGE_FILES,
	FILES_DONE,
};

/* The pieces, the pace and the counts are for who has the lock. */
struct crew {
	uint32_t lock;
	uint32_t progress;    /* one more for each piece that was begun */
	uint32_t files_state; /* enum files_state; a futex */
	unsigned workers;     /* at work; the first is the helper's own thread */
	unsigned most_workers;
	struct cpus cpus;
	int caller_cpu; /* where the last worker was called from */
	char *stacks;	/* THREAD_STACKS_BYTES */
	struct own own;
	struct maps_reader files;
	struct pieces pieces;
	struct nodes nodes;
	struct pace pace;
	enum priority priority;
	int record; /* told anew when there is one worker more, in these words and the number */
	struct text told;
};

/*
 * Starts a thread on one of the stacks, below THREAD_STACKS. To be called with the lock, which the thread gives back
 * after own_add_shadow_stack: nobody may read about mappings before it is known which of them is its shadow stack.
 * Negative where there is no such thread; then the caller still has the lock.
 */
long crew_start_thread(struct crew *crew, unsigned stack, void (*entry)(void *));

/* Whether mappings can be unmapped without having to wait for the thread for files, which a file server may hold up. */
static inline int crew_can_unmap(const struct crew *crew)
{
	uint32_t state = load(&crew->files_state);

	return state == FILES_LEFT || state == FILES_DONE;
}

#endif

/* The threads that release an address space together. */
#ifndef ASYNC_TEARDOWN_WORKERS_H
#define ASYNC_TEARDOWN_WORKERS_H

#include "cpus.h"
#include "common/text.h"
#include "common/release_options.h"
#include "own.h"
#include "pace.h"
#include "pieces.h"

#define WORKER_THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

/* What a worker has on its stack is a few numbers. */
#define WORKER_STACK_BYTES ((size_t)1 << 10)
#define WORKER_STACKS_BYTES ((MOST_WORKERS - 1) * WORKER_STACK_BYTES)

/* What they share. The pieces, the pace and the count are for who has the lock. */
struct crew {
	uint32_t lock;
	unsigned workers; /* at work; the first is the helper's own thread */
	unsigned most_workers;
	struct cpus cpus;
	int caller_cpu; /* where the last one was called from */
	char *stacks; /* WORKER_STACKS_BYTES */
	struct own own;
	int leaves_private; /* to the exit: it is soon done */
	struct pieces pieces;
	struct pace pace;
	int record; /* told anew when there is one worker more, in these words and the number */
	struct text told;
};

/* Releases piece after piece, and calls others to it, until nothing is left that nobody has begun with. */
void work(struct crew *crew);

/* Tells those who watch how many workers there are. */
void tell_workers(struct crew *crew);

#endif

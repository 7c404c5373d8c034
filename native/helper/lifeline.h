/* How a helper hears of its target's end. */
#ifndef ASYNC_TEARDOWN_LIFELINE_H
#define ASYNC_TEARDOWN_LIFELINE_H

#include <stdint.h>

#include "common/failure.h"
#include "common/sys.h"

struct lifeline {
	uint32_t futex; /* that the target's main thread "owns"; see lifeline_wait */
	int target;	/* PID, as the target itself sees it */
	int death;	/* a pidfd of the target, or its /proc/<pid>/stat, or -1 */
	int death_is_pidfd;
	int stat; /* the target's /proc/<pid>/stat, or -1 */
	int cpu;  /* where its main thread ran last, once lifeline_wait has returned; negative: not known */
	struct __kernel_timespec until;
	uint64_t *mark; /* where the waiter's memory shows that it is still its own */
};

enum end {
	DEAD,	  /* the process is gone, and its parent has been told */
	REPLACED, /* it has exec'd, and does not need the old memory any more */
	UNKNOWN,  /* waiting failed; *failure says how */
};

/* Opens what tells of the death of `target`. The PID must be surely the target's still. */
void lifeline_open(struct lifeline *lifeline);

/* Opens what tells where it runs, if lifeline_open has not. */
void lifeline_open_stat(struct lifeline *lifeline);

/* Sleeps until the target's end. Should the memory at the mark be somebody else's by then, the caller ends. */
enum end lifeline_wait(struct lifeline *lifeline, struct failure *failure);

/*
 * Whether a helper is tied to the target's task. From then on the PID is no longer a number that could
 * come to mean another process.
 */
int lifeline_is_tied(const struct lifeline *lifeline);

#endif

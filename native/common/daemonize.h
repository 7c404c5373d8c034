/* What helper and holder have in common: their name, their place, and their manners. */
#ifndef ASYNC_TEARDOWN_DAEMONIZE_H
#define ASYNC_TEARDOWN_DAEMONIZE_H

#include "failure.h"

/*
 * Names the caller `cleanup/<target>`, and gives it a session of its own, "/" as its directory, and SCHED_BATCH, so that
 * waking it never preempts another task; who is SCHED_IDLE stays so. 0, or -1 and *failure.
 */
int daemonize(int target, struct failure *failure);

/* Gives the parent of a dead target time to hear of it. */
void let_parent_run(void);

#endif

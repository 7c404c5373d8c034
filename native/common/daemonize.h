/* What helper and holder have in common: their name, their place, and their manners. */
#ifndef ASYNC_TEARDOWN_DAEMONIZE_H
#define ASYNC_TEARDOWN_DAEMONIZE_H

#include "failure.h"

/*
 * Makes the caller `cleanup/<target>`, in a session and a place of its own, below every other task as far
 * as waking goes. 0, or -1 and *failure.
 */
int daemonize(int target, struct failure *failure);

/* Gives the parent of a dead target time to hear of it. */
void let_parent_run(void);

#endif

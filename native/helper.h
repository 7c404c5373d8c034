/* The helper: a second process in the target's address space, which outlives it. */
#ifndef ASYNC_TEARDOWN_HELPER_H
#define ASYNC_TEARDOWN_HELPER_H

#include "failure.h"

/*
 * Protects the calling process: when this returns 0, a helper is armed. Otherwise nothing has changed
 * but *failure.
 *
 * To be called by any thread of the process; returns within a fraction of a millisecond.
 */
int helper_start(struct failure *failure);

#endif

/* The helper: a second process in the target's address space, which outlives it. */
#ifndef ASYNC_TEARDOWN_HELPER_H
#define ASYNC_TEARDOWN_HELPER_H

#include "common/failure.h"
#include "common/release_options.h"

/*
 * Protects the calling process: when this returns 0, a helper is armed. Otherwise nothing has changed
 * but *failure. `options` are copied.
 *
 * To be called by any thread of the process; returns within a fraction of a millisecond.
 */
int helper_start(const struct release_options *options, struct failure *failure);

/* Whether a helper that helper_start() made for this very process lives: the kernel clears its state when it ends. */
int helper_lives(void);

#endif

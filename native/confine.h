/* Shuts the door behind the helper: what it shares writable memory with must not gain by it. */
#ifndef ASYNC_TEARDOWN_CONFINE_H
#define ASYNC_TEARDOWN_CONFINE_H

#include "failure.h"

/* Closes every descriptor but these two (a negative one is none). 0, or -1 and *failure. */
int close_all_but(int keep, int keep_too, struct failure *failure);

/*
 * Gives up all capabilities, the way to new ones, core dumps, and every system call that waiting and
 * releasing do not need. 0, or -1 and *failure.
 */
int drop_privileges(struct failure *failure);

#endif

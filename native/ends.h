/* Hears of the end of any process, not only of a child, without asking again and again; for Node.js. */
#ifndef ASYNC_TEARDOWN_ENDS_H
#define ASYNC_TEARDOWN_ENDS_H

#include <node_api.h>
#include <stdint.h>

struct ends;

/* Starts the thread that waits, and calls callback(id) for each end. 0 or an errno. */
int ends_start(napi_env env, napi_value callback, struct ends **ends);

/*
 * Waits for a process's end from now on, once. Returns a pidfd, or a negative errno: ESRCH, or ENOSYS
 * before Linux 5.3.
 */
int ends_add(const struct ends *ends, int pid, uint64_t id);

/* Closes that pidfd, which ends the waiting. */
void ends_remove(int pidfd);

#endif

/* Hears of the end of any process, not only of a child, without asking again and again; for Node.js. */
#ifndef ASYNC_TEARDOWN_EXIT_WATCHER_H
#define ASYNC_TEARDOWN_EXIT_WATCHER_H

#include <node_api.h>
#include <stdint.h>

struct exit_watcher;

/* Starts the thread that waits, and calls callback(id) for each end. 0 or an errno. */
int exit_watcher_start(napi_env env, napi_value callback, struct exit_watcher **started);

/*
 * Waits for a process's end from now on, once. Returns a pidfd, or a negative errno: ESRCH, or ENOSYS
 * before Linux 5.3.
 */
int exit_watcher_add(const struct exit_watcher *watcher, int pid, uint64_t id);

/* Closes that pidfd, which ends the waiting. */
void exit_watcher_remove(int pidfd);

#endif

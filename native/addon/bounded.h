/*
 * Calls that a stranger's process can make wait: the kernel takes locks of that process for them, which it may hold
 * as long as it likes (mmap_lock, by a mapping of a file of a server that hangs; exec_update_lock, by an exec that
 * gives much memory back). A thread of its own makes such a call, and is left behind when the time is over. It
 * sleeps so that the end of this process ends it (down_read_killable).
 */
#ifndef ASYNC_TEARDOWN_BOUNDED_H
#define ASYNC_TEARDOWN_BOUNDED_H

#include <stddef.h>

/* read(2). Bytes, or a negative errno; -ETIMEDOUT after so many milliseconds, or at once where too
 * many calls wait already. */
long bounded_read(int fd, void *buffer, size_t bytes, int milliseconds);

/*
 * openat(2) of a path below a directory, with O_PATH, which opens no file, but looks it up. `bytes` of the path, its NUL
 * included. A descriptor, or as bounded_read.
 */
long bounded_open_path(int directory, const char *path, size_t bytes, int milliseconds);

/* kcmp(2) of two address spaces: 0 to 3, or as bounded_read. */
long bounded_compare(int pid, int other, int milliseconds);

#endif

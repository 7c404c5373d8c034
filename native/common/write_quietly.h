/* A line on standard error that harms nobody. */
#ifndef ASYNC_TEARDOWN_WRITE_QUIETLY_H
#define ASYNC_TEARDOWN_WRITE_QUIETLY_H

#include <stddef.h>

/* Writes it at once, if stderr takes it. Where that is a pipe that nobody reads, or a file at its limit, the signal
 * for that must not end a target that is to run. */
void write_quietly(const char *text, size_t bytes);

#endif

/* One line of the launcher's on stderr. */
#ifndef ASYNC_TEARDOWN_COMPLAIN_H
#define ASYNC_TEARDOWN_COMPLAIN_H

/*
 * Says it on stderr, if that takes it: where it is a pipe that nobody reads, the signal for that must not
 * end a command that is to run.
 */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

#endif

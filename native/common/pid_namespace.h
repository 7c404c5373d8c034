/* PID namespaces, by what /proc says of this process; pid_namespaces(7). */
#ifndef ASYNC_TEARDOWN_PID_NAMESPACE_H
#define ASYNC_TEARDOWN_PID_NAMESPACE_H

#include <stdint.h>

/* The number of ours, or 0 where /proc does not tell. */
uint64_t own_pid_namespace(void);

/* Whether our next child would be in another one. */
int children_leave_pid_namespace(void);

#endif

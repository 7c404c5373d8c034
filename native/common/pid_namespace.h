/* Whether this process's next child would be in its own PID namespace. */
#ifndef ASYNC_TEARDOWN_PID_NAMESPACE_H
#define ASYNC_TEARDOWN_PID_NAMESPACE_H

int children_leave_pid_namespace(void);

#endif

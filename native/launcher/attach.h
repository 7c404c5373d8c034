/* A holder for this process, by `async-teardown attach` as a child. */
#ifndef ASYNC_TEARDOWN_ATTACH_H
#define ASYNC_TEARDOWN_ATTACH_H

#include "command/refusal.h"
#include "common/priority.h"
#include "start.h"

/* Attaches a holder, which follows the exec, and leaves no trace in this process. 0; or -1, with the reason, which
 * names no process, appended to the message. */
int attach_holder(const struct start *start, enum priority priority, struct message *reason);

#endif

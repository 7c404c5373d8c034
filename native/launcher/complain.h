/* One line of the launcher's on stderr. */
#ifndef ASYNC_TEARDOWN_COMPLAIN_H
#define ASYNC_TEARDOWN_COMPLAIN_H

#include "command/refusal.h"

/* Says these words, one behind the other; those that are null are none. */
void complain(const char *first, const char *second, const char *third);

/* Says why, and what to do. Returns the exit code for it. */
int complain_of(const struct refusal *refusal);

/* What an errno means, for people. */
const char *error_text(long result);

#endif

/* What a holder tells of itself, in its own arguments; the words are in the first comment of holder.c. */
#ifndef ASYNC_TEARDOWN_RECORD_H
#define ASYNC_TEARDOWN_RECORD_H

#include "hold.h"

uint64_t milliseconds_since_boot(void);

/* That it holds the target, or waits until it can. */
void record_state(const struct holder *holder);

/* That the target is dead, and how much it held. */
void record_releasing(struct holder *holder);

#endif

/* What a holder tells of itself, in its own arguments; the words are in the first comment of holder.c. */
#ifndef ASYNC_TEARDOWN_ARGV_RECORD_H
#define ASYNC_TEARDOWN_ARGV_RECORD_H

#include "hold.h"

/* That it holds the target, or waits until it can. */
void argv_record_show_state(const struct holder *holder);

/* That the target is dead, and how much it held. */
void argv_record_show_releasing(struct holder *holder);

#endif

/* What a holder knows, and what it does from its arming to its end. */
#ifndef ASYNC_TEARDOWN_HOLD_H
#define ASYNC_TEARDOWN_HOLD_H

#include <stdint.h>

#include "common/exec_event.h"
#include "reader.h"
#include "shared.h"

struct holder {
	int target;
	int death;   /* a pidfd of the target */
	int cmdline; /* in the target's /proc/<pid>, as are the next two */
	int status;
	int pagemap; /* or -1 */
	struct exec_event exec;
	struct readers readers;
	struct shared_objects shared;
	struct reader *current; /* the one that holds; null where none does */
	uint64_t started;	/* when it was cloned */
	uint64_t bytes, seen;	/* resident at the last look, and when that was */
	int next_look;		/* milliseconds until then, or 0: never */
	const char *priority;
	char *record;
};

int holder_sees_death(const struct holder *holder, int milliseconds);

/*
 * Takes a new hold on the target's current address space, then drops the old hold. The caller need not know whether the
 * target has exec'd. If it has not, both holds are on the same address space, and because the new one comes first it is
 * never without one (rule 1).
 *
 * In the middle of an exec the new image has no arguments yet, and there is nothing to read for a while. A target whose
 * main thread has ended shows nothing at all any more, but what is held is still its own. It stays held, unless the
 * reader that holds was interrupted: nobody could take over, and the reader would spin for ever.
 */
void holder_take(struct holder *holder, int interrupted);

/* Returns when the target is dead. */
void holder_keep(struct holder *holder);

/* Gives the memory back, and ends. */
__attribute__((noreturn)) void holder_release(struct holder *holder);

#endif

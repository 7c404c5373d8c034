/* How a worker with an idle priority leaves a busy CPU to the others. */
#ifndef ASYNC_TEARDOWN_IDLE_H
#define ASYNC_TEARDOWN_IDLE_H

#include <stdint.h>

/* Of one worker, in nanoseconds; zero at first. */
struct idling {
	int64_t since, cpu_since; /* when it was looked at last */
	int64_t used, waited;	  /* of the CPU, and for it, since it was judged last */
	int64_t debt;		  /* how long it has to leave the CPU alone for what it has used */
	enum {
		UNKNOWN,
		FREE_CPU, /* nobody else wants it */
		WANTED_CPU,
	} cpu;
};

/* What one of so many workers is to sleep after so much time, of which so much was on a CPU; 0 or less: nothing. */
int64_t idle_pause(struct idling *idling, unsigned workers, int64_t took, int64_t used);

/*
 * To be called by one of so many workers after each piece, with CLOCK_MONOTONIC. Sleeps where somebody else wants this CPU.
 * Returns whether it is known that nobody does.
 */
int idle_give_way(struct idling *idling, unsigned workers, int64_t now);

/* To be called after a sleep for another reason, which says nothing about the CPU. */
void idle_restart(struct idling *idling, int64_t now);

#endif

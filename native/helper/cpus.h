/* The CPUs that this thread, and those that it makes, may run on. */
#ifndef ASYNC_TEARDOWN_CPUS_H
#define ASYNC_TEARDOWN_CPUS_H

#include <stdint.h>

/* What a kernel can be built for. */
#define MOST_CPUS 8192

struct cpus {
	uint64_t set[MOST_CPUS / 64];
	uint64_t moving[MOST_CPUS / 64]; /* the same, without those that some thread is moving off just now */
	long bytes;			 /* of the sets that count; negative where nothing is known */
	int may_move;			 /* whether to choose among them; move_off does nothing otherwise */
};

void read_cpus(struct cpus *cpus);

/* At least one. */
unsigned count_cpus(const struct cpus *cpus);

/* The CPU that the caller runs on; negative where that cannot be known. */
int current_cpu(void);

/* Moves the caller to another of its CPUs if it runs on this one. Later, it may run on all of them as before. Several
 * threads may do so at once. */
void move_off(struct cpus *cpus, int cpu);

/* Moves the caller to this one, if it may run there. Later, it may run on all of them as before. Returns whether it
 * moved. */
int move_to(int cpu);

#endif

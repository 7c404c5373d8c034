/* What of an address space is the helper's own, and is not to be released before it has ended. */
#ifndef ASYNC_TEARDOWN_OWN_H
#define ASYNC_TEARDOWN_OWN_H

#include "common/maps.h"
#include "common/release_options.h"

/* The workers, and the thread for files. */
#define MOST_THREADS (MOST_WORKERS + 1)

struct own {
	const void *stacks; /* anywhere in the mapping that all stacks are in */
	uintptr_t shadow_stacks[MOST_THREADS];
	unsigned shadow_stack_count; /* 0 where the CPU or the target has none */
};

/* To be called by each thread, before anything is released that might be its shadow stack. */
void own_add_shadow_stack(struct own *own);

/* Whether a mapping has anything in it that is the helper's. */
int own_includes(const struct own *own, const struct mapping *mapping);

#endif

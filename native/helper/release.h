/* Gives an address space back once its target is dead. */
#ifndef ASYNC_TEARDOWN_RELEASE_H
#define ASYNC_TEARDOWN_RELEASE_H

#include "common/release_options.h"

/* What a release works with. Every descriptor may be negative: then it does without. */
struct release_means {
	int maps;	  /* /proc/self/maps */
	int file_maps;	  /* the same once more: two threads read it at once, each at its own place */
	int status;	  /* /proc/self/status */
	int pagemap;	  /* /proc/self/pagemap */
	int record;	  /* a memory file that tells of the release, for those who watch */
	int priority;	  /* what priority_open gave */
	int is_filtered;  /* as of confine.h, at the start: any call may kill */
	uint64_t started; /* by milliseconds_since_boot, when the helper was cloned */
	char *stacks;	  /* of its threads, THREAD_STACKS_BYTES, in the mapping that the caller's own stack is in */
};

/* Whether no other process is known to use this address space. */
int is_last_user(void);

/*
 * Releases all that this address space maps, but for the helper's own text and stacks, and ends the process: what is
 * left then, the kernel frees.
 *
 * Does no more than tell that it has begun, unless the caller is the address space's last user.
 */
__attribute__((noreturn)) void release_address_space(const struct release_options *options,
						     const struct release_means *means);

#endif

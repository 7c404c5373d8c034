/*
 * Shared memory objects: what a target has mapped that is neither its own nor a file's (a shared anonymous mapping,
 * memfd_create(2), shmget(2)). Whoever lets go of an object last pays for its pages, and that may be the target
 * while it lives: PostgreSQL's postmaster unmaps its shared buffers before it exits. A holder has a path to each,
 * opened with O_PATH, which keeps the object and can do nothing else with it. So it pays, after the target's death.
 *
 * An object that the target maps no more is let go of at the next look, about a minute later at most.
 */
#ifndef ASYNC_TEARDOWN_SHARED_H
#define ASYNC_TEARDOWN_SHARED_H

#include <stdint.h>

#include "common/failure.h"

#define MOST_SHARED_OBJECTS 8

struct shared_object {
	int fd; /* or -1: let go of */
	uint64_t device, inode;
};

struct shared_objects {
	struct shared_object each[MOST_SHARED_OBJECTS];
	int count;
	int maps;	    /* the target's, of the image that maps the objects */
	uint64_t next_look; /* milliseconds since boot */
};

/*
 * Takes over so many descriptors as `count` says, from `first` on; `maps` is an open /proc/<pid>/maps.
 * 0, or -1 and *failure.
 */
int shared_open(struct shared_objects *shared, int first, int maps, struct failure *failure);

/* Milliseconds until the next look; -1 where nothing is kept. */
int shared_wait(const struct shared_objects *shared);

/* Has the next look soon: the target may have exec'd. */
void shared_look_soon(struct shared_objects *shared);

/* Looks, where it is time, which objects the target still maps, and lets go of the others. */
void shared_look(struct shared_objects *shared);

/* The bytes that they have in memory or in swap. */
uint64_t shared_bytes(const struct shared_objects *shared);

/* Lets go of all of them. What nobody else has is freed by that, in this thread. */
void shared_let_go(struct shared_objects *shared);

#endif

/* The release options: how an address space is to be given back. src/protect/ decides them. */
#ifndef ASYNC_TEARDOWN_RELEASE_OPTIONS_H
#define ASYNC_TEARDOWN_RELEASE_OPTIONS_H

#include <stdint.h>

#include "priority.h"

/* The helper's first thread, and those that it starts for the release of private memory. */
#define MOST_WORKERS 64

struct release_options {
	unsigned workers; /* at most so many; 0: as many as there are CPUs for them */
	uint64_t rate;	  /* bytes a second, at most; 0: no limit */
	enum priority priority;
};

#endif

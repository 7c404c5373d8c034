/* The release options: how an address space is to be given back. src/protect/ decides them. */
#ifndef ASYNC_TEARDOWN_RELEASE_OPTIONS_H
#define ASYNC_TEARDOWN_RELEASE_OPTIONS_H

#include <stdint.h>

#include "priority.h"

/* The helper's first thread, and those that it starts for the release of private memory. */
#define MOST_WORKERS 64

/* Bytes a second. Less would be a page now and then; more than 8 TiB no machine reaches: it would be no limit. */
#define LEAST_RATE ((uint64_t)1 << 20)
#define MOST_RATE ((uint64_t)1 << 43) /* pace.c multiplies it by a million */

struct release_options {
	unsigned workers; /* at most so many; 0: as many as there are CPUs for them */
	uint64_t rate;	  /* bytes a second, at most; 0: no limit */
	enum priority priority;
};

#endif

/* Keeps a release within its rate. */
#ifndef ASYNC_TEARDOWN_PACE_H
#define ASYNC_TEARDOWN_PACE_H

#include <stddef.h>
#include <stdint.h>

#include "common/proc_status.h"

struct pace {
	uint64_t rate; /* bytes a second; 0: no limit */
	int status;
	uint64_t began;	 /* in microseconds, as if it had kept the rate ever since; 0: not yet */
	uint64_t before; /* anonymous bytes that were there then */
	uint64_t freed;	 /* of them, when it looked for the last time */
	size_t piece;	 /* bytes to be released next */
	char room[PROC_STATUS_BYTES];
};

/* Waits until a piece of pace->piece bytes may be released. Returns whether it had to. */
int pace_keep(struct pace *pace);

#endif

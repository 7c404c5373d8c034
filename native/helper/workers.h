/* The threads that release private memory. */
#ifndef ASYNC_TEARDOWN_WORKERS_H
#define ASYNC_TEARDOWN_WORKERS_H

#include "crew.h"

/* Releases piece after piece, and calls others to it, until nothing is left that nobody has begun with. */
void workers_run(struct crew *crew);

/* Tells those who watch how many workers there are. */
void workers_tell(struct crew *crew);

#endif

/* The threads that release private memory. */
#ifndef ASYNC_TEARDOWN_WORKERS_H
#define ASYNC_TEARDOWN_WORKERS_H

#include "crew.h"

/* Releases piece after piece, and calls others to it, until nothing is left that nobody has begun with. */
void work(struct crew *crew);

/* Tells those who watch how many workers there are. */
void tell_workers(struct crew *crew);

#endif

/* The thread that unmaps files and shared memory. */
#ifndef ASYNC_TEARDOWN_FILES_H
#define ASYNC_TEARDOWN_FILES_H

#include "crew.h"

/* Starts it, and waits until the small ones are unmapped, or until that has taken long enough. */
void files_start(struct crew *crew);

#endif

/* Environments for what is executed. */
#ifndef ASYNC_TEARDOWN_ENVIRONMENT_H
#define ASYNC_TEARDOWN_ENVIRONMENT_H

#include <stddef.h>

/* Memory for as long as this process is the launcher; null where there is none. */
void *take_memory(size_t bytes);

/* One with room for so many more entries; null where there is no memory. */
char **environment_copy(char **environment, size_t more);

/* Sets "NAME=VALUE". Further entries of the name go: who reads an environment does not agree on which counts. */
void environment_set(char **environment, char *variable);

/* Takes all out whose names begin so. */
void environment_drop(char **environment, const char *prefix);

#endif

/* `async-teardown run`. */
#ifndef ASYNC_TEARDOWN_RUN_H
#define ASYNC_TEARDOWN_RUN_H

#include "start.h"

/* Reads the words behind `run`, and becomes the command. Returns only an exit code. */
int run(const struct start *start, char **words);

int run_help(void);

/* The same by the second name: becomes the real QEMU, with the words as they are. Returns only an exit code. */
int run_emulator(const struct start *start);

#endif

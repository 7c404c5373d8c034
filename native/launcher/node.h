/* Node.js, which every subcommand but `run` is. */
#ifndef ASYNC_TEARDOWN_NODE_H
#define ASYNC_TEARDOWN_NODE_H

#include "start.h"

/* Becomes Node.js with these arguments behind the script's name. Returns only when it cannot, and has said so. */
void become_node(const struct start *start, char **arguments, char **environment);

#endif

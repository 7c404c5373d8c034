/* The planner: Node.js as a child of `run`, which decides what is to be executed. */
#ifndef ASYNC_TEARDOWN_PLANNER_H
#define ASYNC_TEARDOWN_PLANNER_H

#include <stddef.h>

/* A plan is a path and two variables long; Linux allows no longer strings (MAX_ARG_STRLEN). */
struct plan {
	char text[3 * 128 * 1024];
	size_t bytes;
};

/* Where there was no planner, or none that did its work. */
#define EXIT_NO_PLANNER 254

/* Runs the planner to its end, and returns its exit code and its plan, or EXIT_NO_PLANNER. */
int run_planner(char **argv, struct plan *result);

/* Becomes Node.js with these arguments behind the script's name. Returns only when it cannot, and has said so. */
void become_node(char **arguments, char **environment);

#endif

/* What the kernel gives a program at its start. */
#ifndef ASYNC_TEARDOWN_START_H
#define ASYNC_TEARDOWN_START_H

#include <stddef.h>

struct start {
	char **arguments;
	char **environment;
	const char *executed_name; /* what was given to execve(2); AT_EXECFN of getauxval(3) */
};

/* Reads the stack of a new process; elf(5). */
struct start start_parse(long *stack);

/* The value of a variable, or null. */
const char *start_variable(char **environment, const char *name);

#endif

/* What could not be done, and why. */
#ifndef ASYNC_TEARDOWN_FAILURE_H
#define ASYNC_TEARDOWN_FAILURE_H

#include "text.h"

struct failure {
	const char *step; /* as in "could not …"; null where all went well */
	const char *call; /* the system call that it needs, or null */
	int error;	  /* the kernel's errno, or 0 */
	int signal;	  /* that ended the helper in this step, or 0 */
};

/* Notes what is tried next: if it kills the caller, others find it there. */
static inline void try_step(struct failure *failure, const char *step, const char *call)
{
	failure->step = step;
	failure->call = call;
}

/* Notes that the step failed. `result` is a system call's. */
static inline int fail_step(struct failure *failure, long result)
{
	failure->error = (int)-result;
	return -1;
}

/* Notes a failure of a step that cannot kill. `result` is a system call's, or 0. */
static inline int fail(struct failure *failure, const char *step, long result)
{
	try_step(failure, step, 0);
	return fail_step(failure, result);
}

/* Adds "could not …", with the reason and, where one is known, the remedy. */
void text_add_failure(struct text *line, const struct failure *failure);

#endif

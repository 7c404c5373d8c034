/* What could not be done, and why. */
#ifndef ASYNC_TEARDOWN_FAILURE_H
#define ASYNC_TEARDOWN_FAILURE_H

struct failure {
	const char *step; /* as in "could not …"; null where all went well */
	int error;	  /* the kernel's errno, or 0 */
};

/* Notes a failure. `result` is a system call's. */
static inline int fail(struct failure *failure, const char *step, long result)
{
	failure->step = step;
	failure->error = (int)-result;
	return -1;
}

#endif

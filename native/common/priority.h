/* How gently a release is to treat those who want the same CPU. */
#ifndef ASYNC_TEARDOWN_PRIORITY_H
#define ASYNC_TEARDOWN_PRIORITY_H

/* The nice value of the least share of CPU; sched(7). */
#define LEAST_NICE 19

enum priority {
	PRIORITY_NORMAL,
	PRIORITY_LOW,  /* the least share of CPU */
	PRIORITY_IDLE, /* what nobody else wants */
};

/* What priority_set will need, to be opened before the door is shut: a descriptor, or negative. */
int priority_open(enum priority priority);

/* Sets the caller's priority, and that of all threads that it makes from now on. */
void priority_set(enum priority priority, int opened);

#endif

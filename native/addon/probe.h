/* Tries the system calls that helper and holder make. */
#ifndef ASYNC_TEARDOWN_PROBE_H
#define ASYNC_TEARDOWN_PROBE_H

/* Each leaves everything as it was, and answers 0 or a negative errno. */
struct probe {
	const char *name;
	long (*attempt)(void);
};

#define PROBE_COUNT 9

extern const struct probe probes[PROBE_COUNT];

#endif

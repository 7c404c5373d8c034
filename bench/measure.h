/* What the programs of the bench have in common. */
#ifndef ASYNC_TEARDOWN_MEASURE_H
#define ASYNC_TEARDOWN_MEASURE_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Seconds. */
static inline double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static inline void die(const char *what)
{
	perror(what);
	exit(125);
}

/* Runs "program attach <pid>...", silently, to its end. */
static inline void attach(const char *program, const pid_t *pids, int count)
{
	char **arguments = calloc((size_t)count + 4, sizeof(*arguments));
	int status, used = 0;

	if (!arguments)
		die("attach");
	arguments[used++] = (char *)program;
	arguments[used++] = "attach";
	arguments[used++] = "--json";
	for (int i = 0; i < count; i++)
		if (asprintf(&arguments[used++], "%d", pids[i]) < 0)
			die("attach");
	pid_t child = fork();

	if (child == 0) {
		if (!freopen("/dev/null", "w", stdout))
			die("attach: /dev/null");
		execvp(program, arguments);
		die(program);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		die("attach");
	free(arguments);
}

#endif

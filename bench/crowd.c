/*
 * Runs COUNT times the same COMMAND, waits until each writes something, kills all of them at once, and says how
 * long that took:
 *
 *   crowd COUNT COMMAND [ARG...]
 *
 *   {"half": 0.0102, "all": 0.0163, "back": 0.1633}
 *
 * With ATTACH in its environment, that program is run as "ATTACH attach <pid>..." before. All times are in
 * seconds from the first signal: until half of them are known to be dead, until all are, and until the last
 * process that came from them is gone, as in stopwatch.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>

#include "measure.h"

static pid_t start(char **command)
{
	int output[2];
	char byte;

	if (pipe(output) < 0)
		die("crowd: pipe");
	pid_t pid = fork();

	if (pid < 0)
		die("crowd: fork");
	if (pid == 0) {
		dup2(output[1], 1);
		close(output[0]);
		close(output[1]);
		execvp(command[0], command);
		die(command[0]);
	}
	close(output[1]);
	if (read(output[0], &byte, 1) != 1)
		die("crowd: the command ended before it was ready");
	close(output[0]);
	return pid;
}

int main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[1]) : 0, dead = 0;
	pid_t *pids = calloc((size_t)count, sizeof(*pids));
	double half = 0;

	if (count < 1 || !pids || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		die("usage: crowd COUNT COMMAND [ARG...]");
	for (int i = 0; i < count; i++)
		pids[i] = start(argv + 2);
	if (getenv("ATTACH"))
		attach(getenv("ATTACH"), pids, count);
	usleep(100000); /* what starting left to do */
	double begin = now();

	for (int i = 0; i < count; i++)
		kill(pids[i], SIGKILL);
	/* Holders may end in between: only those that were started here count. */
	for (int i = 0; i < count; i++) {
		if (waitpid(pids[i], NULL, 0) != pids[i])
			die("crowd: waitpid");
		if (++dead == count / 2)
			half = now() - begin;
	}
	double all = now() - begin;

	while (wait(NULL) > 0 || errno == EINTR)
		;
	printf("{\"half\": %.6f, \"all\": %.6f, \"back\": %.6f}\n", half, all, now() - begin);
	return 0;
}

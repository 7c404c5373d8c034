/*
 * Executes a command in the oddest circumstances that a process can be born with, each of which Node.js
 * would change before the first line of JavaScript: ignored and blocked signals, one of them pending,
 * no standard input, descriptors beyond 2, non-blocking ones, a low soft limit on descriptors, an
 * environment with NODE_OPTIONS and bytes that are no UTF-8.
 *
 *   odd-start COMMAND [ARG...]
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const int ignored[] = {SIGHUP, SIGINT, SIGPIPE, SIGCHLD, SIGXFSZ};
	struct rlimit descriptors;
	sigset_t blocked;
	int pipe_ends[2];

	if (argc < 2)
		return 99;
	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigaddset(&blocked, SIGCHLD);
	sigaddset(&blocked, SIGRTMIN);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	raise(SIGUSR1);

	if (pipe(pipe_ends) < 0 || dup2(pipe_ends[0], 7) < 0 || dup2(pipe_ends[1], 40) < 0)
		return 99;
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	fcntl(7, F_SETFL, O_NONBLOCK);
	close(0);

	getrlimit(RLIMIT_NOFILE, &descriptors);
	descriptors.rlim_cur = 64;
	setrlimit(RLIMIT_NOFILE, &descriptors);
	umask(0137);
	if (nice(3) < 0)
		return 99;
	putenv("NODE_OPTIONS=--inspect-brk=0");
	putenv("NODE_CHANNEL_FD=7");
	putenv("LATIN=\xe4\xff");
	putenv("EMPTY=");
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 99;
}

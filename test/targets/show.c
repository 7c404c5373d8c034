/*
 * Prints all that it was started with, a line each, so that two starts can be compared: arguments and
 * environment in hexadecimal, descriptors with their flags, signals, limits, terminal, directory,
 * children. To us it is the witness that `run` leaves no trace.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static FILE *out;

static void hexadecimal(const char *what, const char *text)
{
	fprintf(out, "%s ", what);
	for (; *text; text++)
		fprintf(out, "%02x", (unsigned char)*text);
	fprintf(out, "\n");
}

static void show_descriptors(void)
{
	for (int fd = 0; fd < 1024; fd++) {
		char path[64], name[PATH_MAX];

		if (fd == fileno(out) || fcntl(fd, F_GETFD) < 0)
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		ssize_t bytes = readlink(path, name, sizeof(name) - 1);

		name[bytes > 0 ? bytes : 0] = 0;
		if (!strncmp(name, "pipe:", 5) || !strncmp(name, "socket:", 7))
			strcpy(name, "pipe or socket"); /* its number differs from start to start */
		fprintf(out, "fd %d %s flags %x cloexec %d\n", fd, name, fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
	}
}

static void show_signals(void)
{
	sigset_t blocked, pending;

	sigprocmask(SIG_SETMASK, NULL, &blocked);
	sigpending(&pending);
	for (int signal = 1; signal < NSIG; signal++) {
		struct sigaction action;

		if (sigaction(signal, NULL, &action) < 0)
			continue;
		fprintf(out, "signal %d %s blocked %d pending %d\n", signal,
			action.sa_handler == SIG_IGN   ? "ignored"
			: action.sa_handler == SIG_DFL ? "default"
						       : "handled",
			sigismember(&blocked, signal), sigismember(&pending, signal));
	}
}

static void show_limits(void)
{
	for (int resource = 0; resource < RLIM_NLIMITS; resource++) {
		struct rlimit limit;

		if (getrlimit(resource, &limit) == 0)
			fprintf(out, "limit %d %llx %llx\n", resource, (unsigned long long)limit.rlim_cur,
				(unsigned long long)limit.rlim_max);
	}
}

static void show_terminal(void)
{
	struct termios terminal;

	for (int fd = 0; fd < 3; fd++)
		if (tcgetattr(fd, &terminal) == 0)
			fprintf(out, "terminal %d %s %x %x %x %x foreground %d\n", fd, ttyname(fd), terminal.c_iflag,
				terminal.c_oflag, terminal.c_cflag, terminal.c_lflag, tcgetpgrp(fd) == getpgrp());
}

int main(int argc, char **argv, char **environment)
{
	char directory[PATH_MAX];
	int death_signal;
	const char *file = getenv("SHOW_TO");

	out = file ? fopen(file, "we") : stdout;
	if (!out)
		return 99;
	for (int i = 0; i < argc; i++)
		hexadecimal("argument", argv[i]);
	for (char **entry = environment; *entry; entry++)
		hexadecimal("variable", *entry);
	show_descriptors();
	show_signals();
	show_limits();
	show_terminal();
	prctl(PR_GET_PDEATHSIG, &death_signal);
	umask(umask(0));
	fprintf(out, "directory %s\n", getcwd(directory, sizeof(directory)));
	fprintf(out, "parent %d leader %d group %d\n", getppid(), getsid(0) == getpid(), getpgrp() == getpid());
	fprintf(out, "nice %d policy %d death signal %d dumpable %d\n", getpriority(PRIO_PROCESS, 0),
		sched_getscheduler(0), death_signal, prctl(PR_GET_DUMPABLE));
	fprintf(out, "children %d\n", !(waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD));
	return 0;
}

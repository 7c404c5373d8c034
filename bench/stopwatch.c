/*
 * Runs COMMAND, waits until it writes something, ends it, and says how long that took:
 *
 *   stopwatch SIGNAL [NAME=VALUE...] COMMAND [ARG...]
 *
 *   {"pid": 12, "status": 9, "start": 0.000801, "exit": 0.000212, "back": 0.051034}
 *
 * SIGNAL 0 closes the command's standard input instead. The variables are set for the command only. In its own
 * environment, ATTACH names a program that is run as "ATTACH attach <pid>" before; SAY is what to write to
 * the command's standard input instead of closing it; RESIDENT is how many bytes the command must have in memory
 * to be ready; and with MRELEASE the kernel is asked, right after the signal, to free the memory in this
 * process's name: process_mrelease(2). All times are in seconds:
 *
 *   start   from fork to the command's first byte
 *   exit    from the signal to the return of the parent's waitpid; "status" is what that gave
 *   back    from the signal until the last process that came from the command is gone, and so the last
 *           that has its address space: as a subreaper, this process is the parent of all of them
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "measure.h"

static const char *const own_variables[] = {"ATTACH", "SAY", "RESIDENT", "MRELEASE"};

static void become(char **command, int input[2], int output[2])
{
	if (dup2(input[0], 0) < 0 || dup2(output[1], 1) < 0)
		die("stopwatch: dup2");
	for (size_t i = 0; i < sizeof(own_variables) / sizeof(*own_variables); i++)
		unsetenv(own_variables[i]);
	while (*command && strchr(*command, '='))
		putenv(*command++);
	if (!*command)
		die("stopwatch: no command");
	execvp(command[0], command);
	die(command[0]);
}

static void await_resident(pid_t pid, unsigned long long bytes)
{
	char name[32];
	unsigned long long pages = 0;

	snprintf(name, sizeof(name), "/proc/%d/statm", pid);
	while (pages * (unsigned long long)sysconf(_SC_PAGESIZE) < bytes) {
		FILE *file = fopen(name, "r");

		if (!file || fscanf(file, "%*u %llu", &pages) != 1)
			die("stopwatch: the command ended before it had its memory");
		fclose(file);
		usleep(5000);
	}
	usleep(200000); /* what is done with it first */
}

static void end(pid_t pid, int signal, int input, int pidfd)
{
	const char *words = getenv("SAY");

	if (signal)
		kill(pid, signal);
	else if (!words)
		close(input);
	else if (write(input, words, strlen(words)) < 0)
		die("stopwatch: write");
	if (pidfd >= 0 && syscall(__NR_process_mrelease, pidfd, 0) < 0 && errno != ESRCH)
		die("stopwatch: process_mrelease");
}

int main(int argc, char **argv)
{
	int input[2], output[2], status;
	char byte;

	if (argc < 3) {
		fputs("usage: stopwatch SIGNAL [NAME=VALUE...] COMMAND [ARG...]\n", stderr);
		return 125;
	}
	if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		die("stopwatch");
	double forked = now();
	pid_t pid = fork();

	if (pid < 0)
		die("stopwatch: fork");
	if (pid == 0)
		become(argv + 2, input, output);
	close(input[0]);
	close(output[1]);
	if (read(output[0], &byte, 1) != 1) {
		fputs("stopwatch: the command ended before it was ready\n", stderr);
		return 125;
	}

	double ready = now();

	if (getenv("RESIDENT"))
		await_resident(pid, strtoull(getenv("RESIDENT"), NULL, 10));
	if (getenv("ATTACH"))
		attach(getenv("ATTACH"), &pid, 1);
	/* What starting left to do (the helper's start, our own wake-up) is not to be measured. */
	usleep(20000);
	int pidfd = getenv("MRELEASE") ? (int)syscall(__NR_pidfd_open, pid, 0) : -1;
	double start = now();

	end(pid, atoi(argv[1]), input[1], pidfd);
	if (waitpid(pid, &status, 0) != pid)
		die("stopwatch: waitpid");
	double ended = now();

	while (wait(NULL) > 0 || errno == EINTR)
		;
	printf("{\"pid\": %d, \"status\": %d, \"start\": %.6f, \"exit\": %.6f, \"back\": %.6f}\n", pid, status,
	       ready - forked, ended - start, now() - start);
	return 0;
}

/*
 * Shares memory with a child, as PostgreSQL's postmaster does with its own: fills BYTES of a shared anonymous mapping,
 * starts a child that has it too, says "ready", and waits for signals:
 *
 *   sharer BYTES [COMMAND [ARG...]]
 *   SIGTERM   ends the child, unmaps the memory, and exits with 0
 *   SIGUSR1   calls itself "renamed", which its holder hears of
 *   SIGUSR2   ends the child, unmaps the memory, and calls itself "renamed"
 *   SIGHUP    executes COMMAND
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void give_up_memory(char *memory, size_t bytes, pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	munmap(memory, bytes);
}

int main(int argc, char **argv)
{
	size_t bytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sigset_t signals;
	int signal;

	if (memory == MAP_FAILED) {
		perror("sharer");
		return 99;
	}
	memset(memory, 'x', bytes);
	sigemptyset(&signals);
	for (const int *each = (const int[]){SIGTERM, SIGUSR1, SIGUSR2, SIGHUP, 0}; *each; each++)
		sigaddset(&signals, *each);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	puts("ready");
	fflush(stdout);
	while (sigwait(&signals, &signal) == 0) {
		if (signal == SIGUSR2 || signal == SIGTERM)
			give_up_memory(memory, bytes, child);
		if (signal == SIGTERM)
			return 0;
		if (signal == SIGHUP)
			execvp(argv[2], argv + 2);
		prctl(PR_SET_NAME, "renamed");
	}
	return 99;
}

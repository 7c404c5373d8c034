/*
 * Forks a child that forks a child, as a program that goes to the background does. Each writes its PID on a line
 * and stays until it is ended; with an argument, each has that many bytes of memory of its own in use, and the
 * eldest writes "done" once the others are gone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static __attribute__((noreturn)) void be(int generation, size_t bytes)
{
	char *memory = malloc(bytes + 1);

	if (!memory)
		exit(1);
	memset(memory, generation, bytes + 1);
	dprintf(STDOUT_FILENO, "%d\n", getpid());
	if (generation == 3)
		pause();
	if (fork() == 0)
		be(generation + 1, bytes);
	wait(NULL);
	if (generation == 1)
		dprintf(STDOUT_FILENO, "done\n");
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	be(1, argc > 1 ? strtoul(argv[1], NULL, 10) : 0);
}

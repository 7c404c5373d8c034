/*
 * Its child stands between vfork and exec, in this process's memory, until descriptor 3 ends; then it
 * says whether that memory is as it was. This process may be killed meanwhile: a release that did not
 * look for others would pull the memory away under the child.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BYTES (16 << 20)

static void say_what_memory_is(const char *memory)
{
	const char *verdict = "the memory is as it was\n";
	char byte;

	if (write(1, "ready\n", 6) != 6 || read(3, &byte, 1) != 0)
		_exit(99);
	for (int i = 0; i < BYTES; i++)
		if (memory[i] != 7)
			verdict = "the memory was pulled away\n";
	_exit(write(1, verdict, strlen(verdict)) < 0);
}

int main(void)
{
	char *memory = malloc(BYTES);

	if (!memory)
		return 98;
	memset(memory, 7, BYTES);
	if (vfork() == 0)
		say_what_memory_is(memory);
	return 0;
}

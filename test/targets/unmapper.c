/*
 * Takes the addresses of the helper's memory for its own data, as a checkpointer does with what it does not know, says
 * "ready", waits for the end of its standard input, and exits with 0 if the data are as they were:
 *
 *   unmapper BYTE
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A guard, and memory right behind it, of no file and without a name. */
static int find(char **start, size_t *bytes)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long from, to, inode, guard = 0, guard_end = 0;
	int found = 0;
	char line[512], access[8], name[256];

	while (maps && fgets(line, sizeof(line), maps)) {
		*name = 0;
		sscanf(line, "%lx-%lx %7s %*s %*s %lu %255s", &from, &to, access, &inode, name);
		found = guard != 0 && guard_end == from && !*name && inode == 0 && !strcmp(access, "rw-p");
		if (found) {
			*start = (char *)guard;
			*bytes = to - guard;
			break;
		}
		guard_end = 0;
		if (!*name && inode == 0 && !strcmp(access, "---p")) {
			guard = from;
			guard_end = to;
		}
	}
	return maps && fclose(maps) == 0 && found;
}

int main(int argc, char **argv)
{
	char *start, byte;
	size_t bytes;

	if (argc != 2 || !find(&start, &bytes))
		return 99;
	if (munmap(start, bytes) < 0 ||
	    mmap(start, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != start)
		return 98;
	memset(start, atoi(argv[1]), bytes);
	puts("ready");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	for (size_t i = 0; i < bytes; i++)
		if (start[i] != (char)atoi(argv[1]))
			return 66;
	return 0;
}

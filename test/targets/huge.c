/*
 * Maps COUNT huge pages of SIZE bytes, which reserves them, touches the first TOUCHED of them, says "ready",
 * and keeps them until its standard input ends.
 *
 *   huge SIZE COUNT TOUCHED
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	size_t size = argc == 4 ? strtoull(argv[1], NULL, 10) : 1;
	size_t count = argc == 4 ? strtoull(argv[2], NULL, 10) : 0;
	size_t touched = argc == 4 ? strtoull(argv[3], NULL, 10) : 0;
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | __builtin_ctzll(size) << MAP_HUGE_SHIFT;
	char byte, *memory = mmap(NULL, size * count, PROT_READ | PROT_WRITE, flags, -1, 0);

	if (memory == MAP_FAILED) {
		perror("mmap");
		return 99;
	}
	for (size_t page = 0; page < touched; page++)
		memory[page * size] = 1;
	if (write(1, "ready\n", 6) != 6)
		return 99;
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}

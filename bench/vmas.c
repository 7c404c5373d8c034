/*
 * Whether a process with 60,000 mappings of a page each ends sooner if it unmaps or empties them before:
 *
 *   vmas exit|munmap|replace|empty
 *
 * "replace" puts one mapping without rights in the place of all; "empty" is MADV_DONTNEED by two threads, half each.
 * Prints milliseconds until its parent knows of the end.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "measure.h"

#define MAPPINGS 60000UL
#define PAGE 4096UL
#define BYTES (MAPPINGS * PAGE)

static char *map(void *where, int rights, int flags)
{
	char *memory = mmap(where, BYTES, rights, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);

	if (memory == MAP_FAILED)
		die("vmas: mmap");
	return memory;
}

/* Neighbours with other rights are not merged. */
static char *fill(void)
{
	char *memory = map(NULL, PROT_READ | PROT_WRITE, 0);

	for (size_t at = 0; at < BYTES; at += PAGE) {
		memory[at] = 1;
		if (at % (2 * PAGE) && mprotect(memory + at, PAGE, PROT_READ) < 0)
			die("vmas: a mapping of one page (see vm.max_map_count)");
	}
	return memory;
}

static void *empty_half(void *half)
{
	if (madvise(half, BYTES / 2, MADV_DONTNEED) < 0)
		die("vmas: madvise");
	return NULL;
}

static void empty(char *memory)
{
	pthread_t other;

	if (pthread_create(&other, NULL, empty_half, memory + BYTES / 2))
		die("vmas: pthread_create");
	empty_half(memory);
	if (pthread_join(other, NULL))
		die("vmas: pthread_join");
}

static void run(const char *way, int ready, int go)
{
	char *memory = fill();
	char byte = 0;

	if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1)
		die("vmas: pipe");
	if (!strcmp(way, "munmap") && munmap(memory, BYTES) < 0)
		die("vmas: munmap");
	if (!strcmp(way, "replace"))
		map(memory, PROT_NONE, MAP_FIXED);
	if (!strcmp(way, "empty"))
		empty(memory);
	_exit(0);
}

int main(int argc, char **argv)
{
	int ready[2], go[2];
	char byte = 0;

	if (argc != 2 || pipe(ready) < 0 || pipe(go) < 0)
		die("usage: vmas exit|munmap|replace|empty");
	pid_t child = fork();

	if (child < 0)
		die("vmas: fork");
	if (child == 0)
		run(argv[1], ready[1], go[0]);
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		die("vmas: the child ended before it was ready");
	double start = now();

	if (write(go[1], &byte, 1) != 1 || waitpid(child, NULL, 0) != child)
		die("vmas: waitpid");
	printf("%s %.1f ms\n", argv[1], (now() - start) * 1000);
	return 0;
}

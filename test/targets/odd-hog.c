/*
 * As hog, a process with BYTES of memory that stays, but of an odd KIND:
 *
 *   odd-hog BYTES KIND
 *   KIND  threads   200 threads that sleep
 *         mappings  60,000 mappings, as many as a process may have, of one page each; BYTES is ignored
 *         strict    under a seccomp filter that allows read, write and exit only
 */
#define _GNU_SOURCE
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PAGE ((size_t)4096)
#define THREADS 200
#define MAPPINGS 60000

static void die(const char *what)
{
	perror(what);
	exit(99);
}

static void *sleep_for_ever(void *nothing)
{
	for (;;)
		pause();
	return nothing;
}

int main(int argc, char **argv)
{
	const char *kind = argc == 3 ? argv[2] : "";
	int many = !strcmp(kind, "mappings");
	size_t bytes = many ? MAPPINGS * PAGE : strtoull(argv[1], NULL, 10);
	char byte, *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t thread;

	if (memory == MAP_FAILED || madvise(memory, bytes, MADV_NOHUGEPAGE) < 0)
		die("mmap");
	for (size_t at = 0; at < bytes; at += PAGE)
		memory[at] = 1;
	for (size_t at = 0; many && at < bytes; at += 2 * PAGE) /* no two neighbours are alike */
		if (mprotect(memory + at, PAGE, PROT_READ) < 0)
			die("mprotect");
	for (int i = 0; !strcmp(kind, "threads") && i < THREADS; i++)
		if (pthread_create(&thread, NULL, sleep_for_ever, NULL))
			die("pthread_create");
	if (!strcmp(kind, "strict") && prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) < 0)
		die("prctl");
	if (write(1, "ready\n", 6) != 6)
		return 99;
	while (read(0, &byte, 1) > 0)
		;
	_exit(0);
}

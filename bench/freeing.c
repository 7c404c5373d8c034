/*
 * Frees memory in several ways, each in a process of its own, interleaved, and tells the medians in milliseconds:
 *
 *   freeing MEGABYTES small|huge ROUNDS
 *
 * By one thread, by two, by two processes that share the memory (CLONE_VM); in chunks by MADV_DONTNEED, each worker taking the
 * next one. "exit" is what the exit takes after that, from _exit to the parent's waitpid; of them, "munmap" unmaps
 * before. The first row is an exit alone. Filling and the start of the workers do not count;
 * they stay on the CPUs 0 and 1.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "measure.h"

#define MIB ((size_t)1 << 20)
#define MOST_ROUNDS 50

enum workers { NOBODY, ONE, TWO_THREADS, TWO_PROCESSES };
static const char *const workers_names[] = {"exit alone", "one thread", "two threads", "two processes"};

static const struct way {
	enum workers workers;
	size_t chunk; /* 0: all at once, or half each */
	int unmaps;
} ways[] = {
	{NOBODY, 0, 0},
	{ONE, 2 * MIB, 0},
	{ONE, 16 * MIB, 0},
	{ONE, 0, 0},
	{ONE, 16 * MIB, 1},
	{TWO_THREADS, 2 * MIB, 0},
	{TWO_THREADS, 16 * MIB, 0},
	{TWO_THREADS, 64 * MIB, 0},
	{TWO_THREADS, 256 * MIB, 0},
	{TWO_THREADS, 0, 0},
	{TWO_PROCESSES, 2 * MIB, 0},
	{TWO_PROCESSES, 16 * MIB, 0},
	{TWO_PROCESSES, 64 * MIB, 0},
	{TWO_PROCESSES, 256 * MIB, 0},
	{TWO_PROCESSES, 0, 0},
};
#define WAYS (sizeof(ways) / sizeof(*ways))

static char *memory;
static size_t bytes, chunk, next;
static int ready, go, done;

static void work(void)
{
	size_t at;

	while ((at = __atomic_fetch_add(&next, chunk, __ATOMIC_RELAXED)) < bytes)
		if (madvise(memory + at, bytes - at < chunk ? bytes - at : chunk, MADV_DONTNEED) < 0)
			die("freeing: madvise");
	__atomic_add_fetch(&done, 1, __ATOMIC_RELEASE);
}

/* The kernel often starts a thread where its maker runs, and moves it milliseconds later. */
static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		die("freeing: sched_setaffinity");
}

static int second(void *unused)
{
	stay_on(1);
	__atomic_store_n(&ready, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
		;
	work();
	return unused != NULL;
}

static void *second_thread(void *unused)
{
	second(unused);
	return NULL;
}

static void start_second(enum workers workers)
{
	static char stack[1 << 16];
	pthread_t thread;

	if (workers == TWO_THREADS ? pthread_create(&thread, NULL, second_thread, NULL) != 0
				   : clone(second, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL) < 0)
		die("freeing: clone");
	while (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE))
		;
}

/* In a process of its own. Writes the seconds of freeing, of munmap, and when it was through. */
static void run(const struct way *way, int huge, int output)
{
	double times[3];
	int count = way->workers >= TWO_THREADS ? 2 : 1;

	stay_on(0);
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || madvise(memory, bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) < 0)
		die("freeing: mmap");
	for (size_t at = 0; at < bytes; at += 4096)
		memory[at] = 1;
	chunk = way->chunk ? way->chunk : bytes / (size_t)count;
	if (count == 2)
		start_second(way->workers);
	double start = now();

	__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
	if (way->workers != NOBODY) {
		work();
		while (__atomic_load_n(&done, __ATOMIC_ACQUIRE) < count)
			;
	}
	times[0] = now() - start;
	start = now();
	if (way->unmaps && munmap(memory, bytes) < 0)
		die("freeing: munmap");
	times[1] = now() - start;
	if (way->workers == TWO_PROCESSES && wait(NULL) < 0)
		die("freeing: wait");
	times[2] = now();
	if (write(output, times, sizeof(times)) != sizeof(times))
		die("freeing: write");
	_exit(0);
}

static int compare(const void *one, const void *other)
{
	double difference = *(const double *)one - *(const double *)other;

	return (difference > 0) - (difference < 0);
}

static double median(double *times, int count)
{
	qsort(times, (size_t)count, sizeof(*times), compare);
	return times[count / 2] * 1000;
}

int main(int argc, char **argv)
{
	static double freeing[WAYS][MOST_ROUNDS], unmapping[WAYS][MOST_ROUNDS], ending[WAYS][MOST_ROUNDS];
	int rounds = argc == 4 ? atoi(argv[3]) : 0, channel[2];

	if (rounds < 1 || rounds > MOST_ROUNDS || pipe(channel) < 0)
		die("usage: freeing MEGABYTES small|huge ROUNDS");
	bytes = strtoull(argv[1], NULL, 10) * MIB;
	for (int round = 0; round < rounds; round++)
		for (size_t i = 0; i < WAYS; i++) {
			double times[3];
			pid_t child = fork();

			if (child == 0)
				run(&ways[i], !strcmp(argv[2], "huge"), channel[1]);
			if (child < 0 || waitpid(child, NULL, 0) != child ||
			    read(channel[0], times, sizeof(times)) != sizeof(times))
				die("freeing");
			ending[i][round] = now() - times[2];
			freeing[i][round] = times[0];
			unmapping[i][round] = times[1];
		}
	printf("| %s pages, %s MiB, %d rounds | chunk | freeing | munmap | exit | all |\n", argv[2], argv[1], rounds);
	for (size_t i = 0; i < WAYS; i++) {
		double free_ms = median(freeing[i], rounds), unmap = median(unmapping[i], rounds),
		       exit_ms = median(ending[i], rounds);

		printf("| %s | %zu MiB | %.1f | %.2f | %.2f | %.1f |\n", workers_names[ways[i].workers],
		       ways[i].chunk / MIB, free_ms, unmap, exit_ms, free_ms + unmap + exit_ms);
	}
	return 0;
}

/*
 * Holds BYTES of memory in 4 KiB pages, says "ready", and ends in the WAY asked for when a byte (or the
 * end) of its standard input comes. The plain case: a big process with a huge anonymous mapping.
 *
 *   hog BYTES WAY [ARG...]
 *   WAY  exit        return from main, code 7
 *        thread      exit_group from a second thread, code 8
 *        abort segv  die by that signal
 *        main-ends   the main thread ends at once; a second thread goes on, then exits with code 9
 *        late-main-ends   the same, but the main thread waits for one byte more before
 *        exec        exec ARG...
 *        thread-exec the same, from a second thread
 *        stay        wait for a signal for ever
 *
 * With HOG_LOCK=FILE in its environment it has a flock on that file for as long as its address space lives:
 * the lock hangs off a mapping, no descriptor is open.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

static char **arguments;

static void die(const char *what)
{
	perror(what);
	exit(99);
}

static void await_word(void)
{
	char byte;

	if (read(0, &byte, 1) < 0)
		die("read");
}

static void *end_in_thread(void *way)
{
	await_word();
	if (!strcmp(way, "thread-exec")) {
		execv(arguments[0], arguments);
		die("execv");
	}
	exit(!strcmp(way, "thread") ? 8 : 9);
}

static void lock(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED)
		die(path);
	close(fd);
	unsetenv("HOG_LOCK"); /* not for what it execs */
}

int main(int argc, char **argv)
{
	size_t bytes = strtoull(argv[1], NULL, 10);
	const char *way = argv[2];
	pthread_t thread;

	arguments = argv + 3;
	if (argc < 3)
		die("usage: hog BYTES WAY");
	if (getenv("HOG_LOCK"))
		lock(getenv("HOG_LOCK"));
	if (bytes) {
		char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (memory == MAP_FAILED || madvise(memory, bytes, MADV_NOHUGEPAGE) < 0)
			die("mmap");
		for (size_t at = 0; at < bytes; at += 4096)
			memory[at] = 1;
	}
	if (!strcmp(way, "late-main-ends") && write(1, "ready\n", 6) == 6)
		await_word();
	if (strstr(way, "thread") || strstr(way, "main-ends"))
		if (pthread_create(&thread, NULL, end_in_thread, (void *)way))
			die("pthread_create");
	if (write(1, "ready\n", 6) != 6)
		die("write");
	if (strstr(way, "main-ends"))
		pthread_exit(NULL);
	if (strstr(way, "thread") || !strcmp(way, "stay"))
		for (;;)
			pause();
	await_word();
	if (!strcmp(way, "abort"))
		abort();
	if (!strcmp(way, "segv"))
		raise(SIGSEGV);
	if (!strcmp(way, "exec")) {
		execv(arguments[0], arguments);
		die("execv");
	}
	return 7;
}

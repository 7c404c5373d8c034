/*
 * Holds BYTES of memory of a KIND, says "ready", and waits for a signal: every kind is released in its own way.
 *
 *   kinds KIND BYTES [FILE]
 *   KIND  small      private, in 4 KiB pages
 *         huge       the same in transparent huge pages
 *         hugetlb    the same in 2 MiB pages of the pool, which must have them
 *         locked     as small, and locked
 *         memfd      shared memory without a name
 *         hugememfd  the same in 2 MiB pages of the pool
 *         file       FILE, mapped shared and read
 *         copied     FILE, mapped privately and written to: its pages are copies
 *         deleted    FILE, made, mapped shared, and deleted: as on a tmpfs
 *         many       as small, in mappings of one page each
 *         apart      the same, with a gap behind each
 *         strips     as small, in mappings of 128 KiB each
 *         sparse     as small, in the midst of a mapping of 4 TiB
 *         beside     as small, beside a page of FILE that is mapped shared and written to
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096UL
#define STRIP (32 * PAGE)
#define SPARSE (1UL << 42)

static void die(const char *what)
{
	perror(what);
	exit(99);
}

static char *map(size_t bytes, int flags, int fd)
{
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (memory == MAP_FAILED)
		die("mmap");
	return memory;
}

static void fill(char *memory, size_t bytes)
{
	for (size_t at = 0; at < bytes; at += PAGE)
		memory[at] = 1;
}

static void fill_small(char *memory, size_t bytes)
{
	if (madvise(memory, bytes, MADV_NOHUGEPAGE) < 0)
		die("madvise");
	fill(memory, bytes);
}

static void fill_shared(int fd, size_t bytes)
{
	if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0)
		die("a file of that size");
	fill(map(bytes, MAP_SHARED, fd), bytes);
	close(fd);
}

/* Neighbours with other rights are not merged. */
static void fill_many(size_t bytes, size_t step)
{
	char *memory = map(bytes * step, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	for (size_t at = 0; at < bytes * step; at += step * PAGE) {
		memory[at] = 1;
		if (step > 1 ? munmap(memory + at + PAGE, (step - 1) * PAGE) < 0
			     : at % (2 * PAGE) && mprotect(memory + at, PAGE, PROT_READ) < 0)
			die("a mapping of one page (see vm.max_map_count)");
	}
}

static void fill_strips(size_t bytes)
{
	char *memory = map(bytes, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	fill_small(memory, bytes);
	for (size_t at = STRIP; at < bytes; at += 2 * STRIP)
		if (mprotect(memory + at, STRIP, PROT_READ) < 0)
			die("a mapping of 128 KiB (see vm.max_map_count)");
}

static void hold(const char *kind, size_t bytes, const char *file)
{
	const int private = MAP_PRIVATE | MAP_ANONYMOUS;

	if (!strcmp(kind, "small"))
		fill_small(map(bytes, private, -1), bytes);
	else if (!strcmp(kind, "huge")) {
		char *memory = map(bytes, private, -1);

		if (madvise(memory, bytes, MADV_HUGEPAGE) < 0)
			die("madvise");
		fill(memory, bytes);
	} else if (!strcmp(kind, "hugetlb"))
		fill(map(bytes, private | MAP_HUGETLB, -1), bytes);
	else if (!strcmp(kind, "locked")) {
		char *memory = map(bytes, private, -1);

		fill_small(memory, bytes);
		if (mlock(memory, bytes) < 0)
			die("mlock");
	} else if (!strcmp(kind, "memfd"))
		fill_shared(memfd_create("kinds", 0), bytes);
	else if (!strcmp(kind, "hugememfd"))
		fill_shared(memfd_create("kinds", MFD_HUGETLB), bytes);
	else if (!strcmp(kind, "deleted")) {
		fill_shared(open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), bytes);
		if (unlink(file) < 0)
			die(file);
	} else if (!strcmp(kind, "file") || !strcmp(kind, "copied")) {
		int fd = open(file, O_RDWR | O_CLOEXEC);
		int shared = !strcmp(kind, "file");
		char *memory = map(bytes, shared ? MAP_SHARED | MAP_POPULATE : MAP_PRIVATE, fd);

		if (!shared)
			fill(memory, bytes);
		close(fd);
	} else if (!strcmp(kind, "many"))
		fill_many(bytes, 1);
	else if (!strcmp(kind, "apart"))
		fill_many(bytes, 2);
	else if (!strcmp(kind, "strips"))
		fill_strips(bytes);
	else if (!strcmp(kind, "sparse"))
		fill_small(map(SPARSE, private | MAP_NORESERVE, -1) + SPARSE / 2, bytes);
	else if (!strcmp(kind, "beside")) {
		int fd = open(file, O_RDWR | O_CLOEXEC);

		char *shared = map(PAGE, MAP_SHARED, fd);

		close(fd); /* before there is something to write */
		fill_small(map(bytes, private, -1), bytes);
		fill(shared, PAGE);
	} else {
		fputs("kinds: no such kind\n", stderr);
		exit(99);
	}
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fputs("usage: kinds KIND BYTES [FILE]\n", stderr);
		return 99;
	}
	hold(argv[1], strtoull(argv[2], NULL, 10), argv[3]);
	if (write(1, "ready\n", 6) != 6)
		die("write");
	for (;;)
		pause();
}

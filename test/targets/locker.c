/*
 * Has what others may be waiting for in its memory only, with no descriptor left, among much else: a locked FILE, a
 * file on a MOUNT, and much shared memory; and BYTES of its own. Says "ready", and waits for a signal.
 *
 *   locker FILE MOUNTED_FILE BYTES
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096UL
#define SHARED_BYTES (512UL << 20)

static void die(const char *what)
{
	perror(what);
	exit(99);
}

static char *map(size_t bytes, int flags, int fd)
{
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (memory == MAP_FAILED || madvise(memory, bytes, MADV_NOHUGEPAGE) < 0)
		die("mmap");
	for (size_t at = 0; at < bytes; at += PAGE)
		memory[at] = 1;
	return memory;
}

static void map_file(const char *name, int operation)
{
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || flock(fd, operation) < 0 || ftruncate(fd, PAGE) < 0)
		die(name);
	map(PAGE, MAP_SHARED, fd);
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fputs("usage: locker FILE MOUNTED_FILE BYTES\n", stderr);
		return 99;
	}
	map(SHARED_BYTES, MAP_SHARED | MAP_ANONYMOUS, -1);
	map_file(argv[1], LOCK_EX);
	map_file(argv[2], LOCK_SH);
	map(strtoull(argv[3], NULL, 10), MAP_PRIVATE | MAP_ANONYMOUS, -1);
	if (write(1, "ready\n", 6) != 6)
		die("write");
	for (;;)
		pause();
}

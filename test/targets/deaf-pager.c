/*
 * Holds BYTES of memory that a userfaultfd watches, of which another process wants to know what is removed
 * (UFFD_FEATURE_EVENT_REMOVE), as the page servers of virtual machines do; but that process listens to nothing. Says
 * "ready PID", of that process, and waits for a signal.
 *
 *   deaf-pager BYTES
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096UL

static void die(const char *what)
{
	perror(what);
	exit(99);
}

int main(int argc, char **argv)
{
	size_t bytes = argc == 2 ? strtoull(argv[1], NULL, 10) : 0;
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_EVENT_REMOVE};
	struct uffdio_register watched = {.range = {(unsigned long)memory, bytes},
					  .mode = UFFDIO_REGISTER_MODE_MISSING};
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

	if (memory == MAP_FAILED || madvise(memory, bytes, MADV_NOHUGEPAGE) < 0)
		die("mmap");
	for (size_t at = 0; at < bytes; at += PAGE)
		memory[at] = 1;
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) < 0 || ioctl(fd, UFFDIO_REGISTER, &watched) < 0)
		die("userfaultfd");
	pid_t pager = fork();

	if (pager < 0)
		die("fork");
	if (pager == 0) {
		close(1);
		for (;;)
			pause();
	}
	close(fd);
	printf("ready %d\n", pager);
	fflush(stdout);
	for (;;)
		pause();
}

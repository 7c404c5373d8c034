/*
 * Kills PID, and then wants what that one had: the lock of FILE, and MOUNT unmounted. Says how many milliseconds after
 * the signal it got each, as it would without any protector, had that one been small.
 *
 *   successor PID FILE MOUNT      {"lock": 1.8, "mount": 2.4}
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#define LONGEST_MS 30000.0

static double milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void die(const char *what)
{
	perror(what);
	exit(99);
}

/* Whether it was had. What is in the way says so; everything else is a failure. */
static int had(const char *what, int result, int in_the_way)
{
	if (result < 0 && errno != in_the_way)
		die(what);
	return result == 0;
}

int main(int argc, char **argv)
{
	double lock = 0, mount = 0;

	if (argc != 4) {
		fputs("usage: successor PID FILE MOUNT\n", stderr);
		return 99;
	}
	int fd = open(argv[2], O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die(argv[2]);
	if (had(argv[2], flock(fd, LOCK_EX | LOCK_NB), EWOULDBLOCK) || had(argv[3], umount(argv[3]), EBUSY)) {
		fputs("successor: nothing was in the way\n", stderr);
		return 99;
	}
	double start = milliseconds();

	if (kill(atoi(argv[1]), SIGKILL) < 0)
		die("kill");
	while ((!lock || !mount) && milliseconds() - start < LONGEST_MS) {
		if (!lock && had(argv[2], flock(fd, LOCK_EX | LOCK_NB), EWOULDBLOCK))
			lock = milliseconds() - start;
		if (!mount && had(argv[3], umount(argv[3]), EBUSY))
			mount = milliseconds() - start;
		usleep(200);
	}
	printf("{\"lock\": %.1f, \"mount\": %.1f}\n", lock, mount);
	return lock && mount ? 0 : 1;
}

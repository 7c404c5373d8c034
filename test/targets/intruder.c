/*
 * Tries every door into other processes, and prints a line for each of them with the doors that opened:
 *
 *   intruder PID...
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *door, int is_open)
{
	if (is_open)
		printf(" %s", door);
}

static int can_open(int pid, const char *name, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, flags);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Whether any link in a directory shows where it goes: the names alone are no door. */
static int can_follow(int pid, const char *name)
{
	char path[64], target[4096];
	struct dirent *entry;
	int followed = 0;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	DIR *directory = opendir(path);

	while (directory && !followed && (entry = readdir(directory)))
		followed = readlinkat(dirfd(directory), entry->d_name, target, sizeof(target)) >= 0;
	if (directory)
		closedir(directory);
	return followed;
}

/* In a child: its end ends the tracing. */
static int can_trace(int pid)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(ptrace(PTRACE_SEIZE, pid, 0, 0) < 0);
	return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Address 0 is nobody's: EFAULT is said to who may read. */
static int can_read_memory(int pid)
{
	char byte;
	struct iovec local = {&byte, 1}, remote = {0, 1};

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) >= 0 || errno == EFAULT;
}

/* A descriptor that is not open: EBADF is said to who may take it. */
static int can_take_descriptors(int pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int open = syscall(SYS_pidfd_getfd, pidfd, 1000, 0) >= 0 || errno == EBADF;

	close(pidfd);
	return open;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int pid = atoi(argv[i]);

		printf("%d", pid);
		say("mem", can_open(pid, "mem", O_RDWR));
		say("environ", can_open(pid, "environ", O_RDONLY));
		say("maps", can_open(pid, "maps", O_RDONLY));
		say("pagemap", can_open(pid, "pagemap", O_RDONLY));
		say("map_files", can_follow(pid, "map_files"));
		say("fd", can_follow(pid, "fd"));
		say("cwd", can_open(pid, "cwd", O_PATH));
		say("root", can_open(pid, "root", O_PATH));
		say("exe", can_open(pid, "exe", O_PATH));
		say("namespace", can_open(pid, "ns/user", O_RDONLY));
		say("ptrace", can_trace(pid));
		say("process_vm_readv", can_read_memory(pid));
		say("pidfd_getfd", can_take_descriptors(pid));
		say("kcmp", syscall(SYS_kcmp, pid, pid, KCMP_VM, 0, 0) == 0);
		puts("");
	}
}

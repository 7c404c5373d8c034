/*
 * What any user can make look like the helper of a process that is dead: `impostor PID memfd MEBIBYTES` has a memory
 * file of that size open, `impostor PID fifo|FILE` what has a memory file's path and is a FIFO that nobody writes to,
 * or FILE, in a user namespace of its own. Writes its PID.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PATH "/memfd:async-teardown (deleted)"

static void must(const char *what, long result)
{
	if (result >= 0)
		return;
	perror(what);
	exit(1);
}

static void put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY);

	must(file, fd);
	must(file, write(fd, text, strlen(text)));
	close(fd);
}

/* A root directory of its own, with that path in it. */
static void open_as_memory_file(const char *what)
{
	char map[64];
	unsigned uid = getuid(), gid = getgid();

	must("unshare", unshare(CLONE_NEWUSER | CLONE_NEWNS));
	put("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", uid);
	put("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", gid);
	put("/proc/self/gid_map", map);
	must("private", mount("none", "/", 0, MS_REC | MS_PRIVATE, 0));
	must("tmpfs", mount("tmpfs", "/mnt", "tmpfs", 0, 0));
	must("chdir", chdir("/mnt"));
	must("old", mkdir("old", 0700));
	if (strcmp(what, "fifo") == 0) {
		must("mknod", mknod(PATH + 1, S_IFIFO | 0666, 0));
	} else {
		must("creat", close(creat(PATH + 1, 0600)));
		must("bind", mount(what, PATH + 1, 0, MS_BIND, 0));
	}
	must("pivot_root", syscall(SYS_pivot_root, ".", "old"));
	must("chdir", chdir("/"));
	must("open", open(PATH, O_PATH));
}

int main(int count, char **words)
{
	unsigned long long all = ~0ULL;
	char name[32];
	pid_t child;

	if (count < 3)
		return 1;
	if (strcmp(words[2], "memfd") == 0 && count == 4)
		must("ftruncate", ftruncate(memfd_create("async-teardown", 0), atol(words[3]) << 20));
	else
		open_as_memory_file(words[2]);
	child = fork();
	must("fork", child);
	if (child > 0) {
		printf("%d\n", child);
		fflush(stdout);
		pause();
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);		      /* no test leaves it behind */
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, 0, 8); /* all: libc keeps two */
	snprintf(name, sizeof(name), "cleanup/%s", words[1]);
	prctl(PR_SET_NAME, name);
	for (;;)
		pause();
}

/*
 * Executes a command under a seccomp filter that answers an errno to some system calls, as an old
 * kernel or a container would, or kills for them, as a unit of systemd does:
 *
 *   deny CALL:ERRNO|kill[,…] COMMAND [ARG...]      deny pidfd_open:38,capset:kill …
 *
 * "helper-stack" is not a call but the one mmap whose flags only the helper's stack has; "clone-vm" is
 * a clone that shares memory and makes no thread, "clone-thread" one that makes a thread; "mdwe" is the prctl that
 * Linux 6.3 brought; "filter" is the prctl that installs a seccomp filter.
 */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct sock_filter program[256];
static unsigned short length;

static void add(struct sock_filter instruction)
{
	program[length++] = instruction;
}

#define STATEMENT(code, k) add((struct sock_filter)BPF_STMT(code, k))
#define JUMP(code, k, yes, no) add((struct sock_filter)BPF_JUMP(code, k, yes, no))
#define LOAD(field) STATEMENT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))

/* The answer that is no errno. */
#define KILL (~0U)

static unsigned answer(unsigned errno_)
{
	return errno_ == KILL ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | errno_;
}

static void deny(int call, unsigned errno_)
{
	LOAD(nr);
	JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1);
	STATEMENT(BPF_RET | BPF_K, answer(errno_));
}

/* Where the call's argument, under the mask, is this value. */
static void deny_flags(int call, int argument, unsigned mask, unsigned value, unsigned errno_)
{
	LOAD(nr);
	JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4);
	LOAD(args[argument]);
	STATEMENT(BPF_ALU | BPF_AND | BPF_K, mask);
	JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	STATEMENT(BPF_RET | BPF_K, answer(errno_));
}

static void deny_by_name(const char *name, unsigned errno_)
{
	static const struct {
		const char *name;
		int call;
	} calls[] = {
		{"pidfd_open", SYS_pidfd_open},
		{"close_range", SYS_close_range},
		{"unshare", SYS_unshare},
		{"futex", SYS_futex},
		{"setsid", SYS_setsid},
		{"capset", SYS_capset},
		{"chdir", SYS_chdir},
		{"prctl", SYS_prctl},
		{"clone", SYS_clone},
		{"madvise", SYS_madvise},
		{"ppoll", SYS_ppoll},
		{"nanosleep", SYS_nanosleep},
		{"sched_setscheduler", SYS_sched_setscheduler},
		{"sched_getaffinity", SYS_sched_getaffinity},
		{"sched_setaffinity", SYS_sched_setaffinity},
		{"setpriority", SYS_setpriority},
		{"getcpu", SYS_getcpu},
		{"munmap", SYS_munmap},
		{"memfd_create", SYS_memfd_create},
		{"userfaultfd", SYS_userfaultfd},
		{"perf_event_open", SYS_perf_event_open},
		{"kcmp", SYS_kcmp},
		{"seccomp", SYS_seccomp},
		{"rt_sigtimedwait", SYS_rt_sigtimedwait},
		{"pidfd_send_signal", SYS_pidfd_send_signal},
		{"capget", SYS_capget},
		{"mseal", 462},
		{"prlimit64", SYS_prlimit64},
	};

	if (!strcmp(name, "helper-stack")) {
		deny_flags(SYS_mmap, 3, MAP_STACK | MAP_NORESERVE, MAP_STACK | MAP_NORESERVE, errno_);
		return;
	}
	if (!strcmp(name, "mdwe")) {
		deny_flags(SYS_prctl, 0, ~0U, 66, errno_); /* PR_GET_MDWE */
		return;
	}
	if (!strcmp(name, "filter")) {
		deny_flags(SYS_prctl, 0, ~0U, PR_SET_SECCOMP, errno_);
		return;
	}
	if (!strcmp(name, "clone-vm")) {
		deny_flags(SYS_clone, 0, CLONE_VM | CLONE_THREAD | CLONE_VFORK, CLONE_VM, errno_);
		return;
	}
	if (!strcmp(name, "clone-thread")) {
		deny_flags(SYS_clone, 0, CLONE_THREAD, CLONE_THREAD, errno_);
		return;
	}
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (!strcmp(name, calls[i].name)) {
			deny(calls[i].call, errno_);
			return;
		}
	fprintf(stderr, "deny: no call named %s\n", name);
	exit(99);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 99;
	for (char *rule = strtok(argv[1], ","); rule; rule = strtok(NULL, ",")) {
		char *colon = strchr(rule, ':');

		if (!colon)
			return 99;
		*colon = 0;
		deny_by_name(rule, strcmp(colon + 1, "kill") ? (unsigned)atoi(colon + 1) : KILL);
	}
	STATEMENT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog filter = {.len = length, .filter = program};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0) {
		perror("deny: seccomp");
		return 99;
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 99;
}

/* Raw system calls about processes and descriptors, as far as only the launcher makes them. */
#ifndef ASYNC_TEARDOWN_SYS_PROCESS_H
#define ASYNC_TEARDOWN_SYS_PROCESS_H

#include <asm/signal.h>

#include "common/sys.h"

static inline long sys_execve(const char *path, char *const *arguments, char *const *environment)
{
	return sys_call3(__NR_execve, path, arguments, environment);
}

/* A copy of this process. `signal` is what its parent gets when it ends, or 0 for none. */
static inline long sys_fork(unsigned long signal)
{
	return sys_call6(__NR_clone, (long)signal, 0, 0, 0, 0, 0);
}

static inline long sys_pipe(int ends[2], int flags)
{
	return sys_call2(__NR_pipe2, ends, flags);
}

static inline long sys_dup_to(int fd, int other)
{
	return sys_call3(__NR_dup3, fd, other, 0);
}

/* The lowest free descriptor from `least` on. */
static inline long sys_dup_above(int fd, int least)
{
	return sys_call3(__NR_fcntl, fd, F_DUPFD_CLOEXEC, least);
}

static inline long sys_kill(int pid, int signal)
{
	return sys_call2(__NR_kill, pid, signal);
}

static inline long sys_default_action(int signal)
{
	/* struct sigaction of the kernel: handler, flags, restorer, mask. All zero is SIG_DFL. */
	const unsigned long action[4] = {0};

	return sys_call4(__NR_rt_sigaction, signal, action, 0, SIGNAL_SET_BYTES);
}

/* Waits for a signal of the set, which is blocked. */
static inline long sys_await_signal(const signal_set *set, const struct __kernel_timespec *time)
{
	return sys_call4(__NR_rt_sigtimedwait, set, 0, time, SIGNAL_SET_BYTES);
}

#endif

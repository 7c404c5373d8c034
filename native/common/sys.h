/*
 * Raw system calls.
 *
 * The helper runs in the memory of a stranger's process. A libc there would share that process's
 * errno, malloc and thread-local storage, so nothing here touches any of them: every call returns the
 * kernel's own answer, a negative errno on failure.
 */
#ifndef ASYNC_TEARDOWN_SYS_H
#define ASYNC_TEARDOWN_SYS_H

#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/memfd.h>
#include <linux/mempolicy.h>
#include <linux/mman.h>
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/time.h>
#include <linux/time_types.h>
#include <linux/wait.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"

/* Younger than some kernel headers that this is built with; the numbers are the same everywhere. */
#ifndef __NR_pidfd_open
#define __NR_pidfd_open 434
#endif
#ifndef __NR_close_range
#define __NR_close_range 436
#endif
#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

#define NANOSECONDS_PER_MILLISECOND 1000000L
#define NANOSECONDS_PER_SECOND (1000 * NANOSECONDS_PER_MILLISECOND)
#define SIGNAL_SET_BYTES 8 /* the kernel's sigset_t, not libc's */

typedef uint64_t signal_set;

#define sys_call0(number) sys_call6(number, 0, 0, 0, 0, 0, 0)
#define sys_call1(number, a) sys_call6(number, (long)(a), 0, 0, 0, 0, 0)
#define sys_call2(number, a, b) sys_call6(number, (long)(a), (long)(b), 0, 0, 0, 0)
#define sys_call3(number, a, b, c) sys_call6(number, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define sys_call4(number, a, b, c, d) sys_call6(number, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

/* For words that the kernel or another process in this memory changes. */
static inline uint32_t load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void store(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline void *sys_mmap(size_t bytes, int protection, int flags)
{
	return (void *)sys_call6(__NR_mmap, 0, (long)bytes, protection, flags, -1, 0);
}

/* mmap(2) answers with an address or, in the last page of the number range, a negative errno. */
static inline int sys_failed(const void *address)
{
	return (uintptr_t)address > (uintptr_t)-4096;
}

static inline long sys_mprotect(void *address, size_t bytes, int protection)
{
	return sys_call3(__NR_mprotect, address, bytes, protection);
}

static inline long sys_munmap(uintptr_t address, size_t bytes)
{
	return sys_call2(__NR_munmap, address, bytes);
}

static inline long sys_madvise(uintptr_t address, size_t bytes, int advice)
{
	return sys_call3(__NR_madvise, address, bytes, advice);
}

static inline long sys_open_at(int directory, const char *path, int flags)
{
	return sys_call4(__NR_openat, directory, path, flags, 0);
}

static inline long sys_open(const char *path, int flags)
{
	return sys_open_at(AT_FDCWD, path, flags);
}

static inline long sys_close(int fd)
{
	return sys_call1(__NR_close, fd);
}

static inline long sys_close_range(unsigned first, unsigned last)
{
	return sys_call3(__NR_close_range, first, last, 0);
}

static inline long sys_pread(int fd, void *buffer, size_t bytes, long offset)
{
	return sys_call4(__NR_pread64, fd, buffer, bytes, offset);
}

static inline long sys_pwrite(int fd, const void *buffer, size_t bytes, long offset)
{
	return sys_call4(__NR_pwrite64, fd, buffer, bytes, offset);
}

/* A file in memory, never to be executed. Kernels before 6.3 cannot promise that. */
static inline long sys_memfd_create(const char *name)
{
	long fd = sys_call2(__NR_memfd_create, name, MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	return fd != -EINVAL ? fd : sys_call2(__NR_memfd_create, name, MFD_CLOEXEC);
}

static inline long sys_read(int fd, void *buffer, size_t bytes)
{
	return sys_call3(__NR_read, fd, buffer, bytes);
}

static inline long sys_write(int fd, const void *buffer, size_t bytes)
{
	return sys_call3(__NR_write, fd, buffer, bytes);
}

static inline long sys_ioctl(int fd, unsigned long request, void *argument)
{
	return sys_call3(__NR_ioctl, fd, request, argument);
}

static inline long sys_readlink(const char *path, char *buffer, size_t bytes)
{
	return sys_call4(__NR_readlinkat, AT_FDCWD, path, buffer, bytes);
}

static inline long sys_getdents(int fd, void *buffer, size_t bytes)
{
	return sys_call3(__NR_getdents64, fd, buffer, bytes);
}

static inline long sys_chdir(const char *path)
{
	return sys_call1(__NR_chdir, path);
}

static inline int sys_getpid(void)
{
	return (int)sys_call0(__NR_getpid);
}

static inline int sys_getppid(void)
{
	return (int)sys_call0(__NR_getppid);
}

static inline long sys_setsid(void)
{
	return sys_call0(__NR_setsid);
}

static inline long sys_pidfd_open(int pid)
{
	return sys_call2(__NR_pidfd_open, pid, 0);
}

static inline long sys_wait4(int pid, int *status, int options)
{
	return sys_call4(__NR_wait4, pid, status, options, 0);
}

static inline long sys_prctl(int option, unsigned long a, unsigned long b)
{
	return sys_call6(__NR_prctl, option, (long)a, (long)b, 0, 0, 0);
}

static inline long sys_signal_mask(int how, const signal_set *set, signal_set *old)
{
	return sys_call4(__NR_rt_sigprocmask, how, set, old, SIGNAL_SET_BYTES);
}

/* `until`: for FUTEX_LOCK_PI an absolute time of CLOCK_REALTIME; null for ever. */
static inline long sys_futex(uint32_t *word, int operation, uint32_t value, const struct __kernel_timespec *until)
{
	return sys_call4(__NR_futex, word, operation, value, until);
}

static inline long sys_clock(int clock, struct __kernel_timespec *time)
{
	return sys_call2(__NR_clock_gettime, clock, time);
}

/* 0 where there is no such clock. */
static inline int64_t sys_nanoseconds(int clock)
{
	struct __kernel_timespec now = {.tv_sec = 0, .tv_nsec = 0};

	sys_clock(clock, &now);
	return now.tv_sec * NANOSECONDS_PER_SECOND + now.tv_nsec;
}

/* Waits for one of the descriptors, at most so many milliseconds (negative: for ever). */
static inline long sys_poll(struct pollfd *each, unsigned count, int milliseconds)
{
	struct __kernel_timespec limit = {.tv_sec = milliseconds / 1000,
					  .tv_nsec = (milliseconds % 1000) * NANOSECONDS_PER_MILLISECOND};

	return sys_call4(__NR_ppoll, each, count, milliseconds < 0 ? 0 : &limit, 0);
}

static inline long sys_poll_one(int fd, int milliseconds)
{
	struct pollfd one = {.fd = fd, .events = POLLIN, .revents = 0};

	return sys_poll(&one, 1, milliseconds);
}

static inline long sys_sleep_for(uint64_t seconds, long nanoseconds)
{
	struct __kernel_timespec time = {.tv_sec = (long long)seconds, .tv_nsec = nanoseconds};

	return sys_call2(__NR_nanosleep, &time, 0);
}

/* Lets others run that wait for this CPU. */
static inline long sys_yield(void)
{
	return sys_call0(__NR_sched_yield);
}

static inline long sys_sleep(long nanoseconds)
{
	return sys_sleep_for(0, nanoseconds);
}

/* Takes one pending signal of the set, if there is one, and lets nobody hear of it. */
static inline long sys_take_signal(const signal_set *set)
{
	struct __kernel_timespec no_time = {.tv_sec = 0, .tv_nsec = 0};

	return sys_call4(__NR_rt_sigtimedwait, set, 0, &no_time, SIGNAL_SET_BYTES);
}

static inline long sys_pending_signals(signal_set *set)
{
	return sys_call2(__NR_rt_sigpending, set, SIGNAL_SET_BYTES);
}

static inline long sys_get_scheduler(void)
{
	return sys_call1(__NR_sched_getscheduler, 0);
}

static inline long sys_set_scheduler(int policy)
{
	int priority = 0;

	return sys_call3(__NR_sched_setscheduler, 0, policy, &priority);
}

/* Fills in the CPUs that this thread may run on; the answer is how many bytes of the set count. */
static inline long sys_get_affinity(void *set, size_t bytes)
{
	return sys_call3(__NR_sched_getaffinity, 0, bytes, set);
}

/* Of this thread alone. */
static inline long sys_set_affinity(const void *set, size_t bytes)
{
	return sys_call3(__NR_sched_setaffinity, 0, bytes, set);
}

/* Either may be null. */
static inline long sys_getcpu(unsigned *cpu, unsigned *node)
{
	return sys_call3(__NR_getcpu, cpu, node, 0);
}

/* Fills in the NUMA nodes that this process may have memory on, a bit each. */
static inline long sys_get_allowed_nodes(void *set, size_t bits)
{
	return sys_call6(__NR_get_mempolicy, 0, (long)set, (long)bits, 0, MPOL_F_MEMS_ALLOWED, 0);
}

/* Fills in the NUMA node of one page of the caller's memory, or a negative errno. Without target nodes, move_pages(2)
 * moves nothing. */
static inline long sys_page_node(uintptr_t address, int *node)
{
	return sys_call6(__NR_move_pages, 0, 1, (long)&address, 0, (long)node, 0);
}

static inline long sys_set_limit(int resource, const struct rlimit64 *limit)
{
	return sys_call4(__NR_prlimit64, 0, resource, limit, 0);
}

static inline long sys_get_limit(int resource, struct rlimit64 *limit)
{
	return sys_call4(__NR_prlimit64, 0, resource, 0, limit);
}

static inline long sys_capget(struct __user_cap_header_struct *header, struct __user_cap_data_struct *data)
{
	return sys_call2(__NR_capget, header, data);
}

static inline long sys_capset(struct __user_cap_header_struct *header, const struct __user_cap_data_struct *data)
{
	return sys_call2(__NR_capset, header, data);
}

static inline long sys_unshare(unsigned long flags)
{
	return sys_call1(__NR_unshare, flags);
}

static inline __attribute__((noreturn)) void sys_exit_group(int code)
{
	for (;;)
		sys_call1(__NR_exit_group, code);
}

#endif

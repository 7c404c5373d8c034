#include "probe.h"

#include <linux/kcmp.h>
#include <linux/seccomp.h>

#include "common/exec_event.h"
#include "common/sys.h"
#include "common/userfaultfd.h"

/* What a call answered that makes a descriptor, which is not kept. */
static long without_descriptor(long result)
{
	if (result >= 0)
		sys_close((int)result);
	return result < 0 ? result : 0;
}

static long try_pidfd_open(void)
{
	return without_descriptor(sys_pidfd_open(sys_getpid()));
}

/* To a directory of /proc, which it takes as a pidfd; signal 0 only asks. */
static long try_pidfd_send_signal(void)
{
	long directory = sys_open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long result;

	if (directory < 0)
		return directory;
	result = sys_call4(__NR_pidfd_send_signal, directory, 0, 0, 0);
	sys_close((int)directory);
	return result;
}

/* No descriptor has this number. */
static long try_close_range(void)
{
	return sys_close_range(~0U, ~0U);
}

/* Changes nothing where it is permitted: a process with several threads, as Node.js is one, gets EINVAL. */
static long try_unshare(void)
{
	long result = sys_unshare(CLONE_VM);

	return result == -EINVAL ? 0 : result;
}

static long try_kcmp(void)
{
	return sys_call3(__NR_kcmp, sys_getpid(), sys_getpid(), KCMP_VM);
}

/* By prctl, as helper and holder do. Without a filter, one that could be installed is EFAULT; seccomp(2) gives this as
 * the way to ask. */
static long try_seccomp(void)
{
	long result = sys_prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, 0);

	return result == -EFAULT ? 0 : result;
}

static long try_userfaultfd(void)
{
	return without_descriptor(userfaultfd_by_call());
}

static long try_userfaultfd_device(void)
{
	return without_descriptor(userfaultfd_by_device());
}

static long try_perf_event_open(void)
{
	return without_descriptor(exec_event_new(sys_getpid()));
}

const struct probe probes[PROBE_COUNT] = {
	{"pidfd_open", try_pidfd_open},
	{"pidfd_send_signal", try_pidfd_send_signal},
	{"close_range", try_close_range},
	{"unshare", try_unshare},
	{"kcmp", try_kcmp},
	{"seccomp", try_seccomp},
	{"userfaultfd", try_userfaultfd},
	{"/dev/userfaultfd", try_userfaultfd_device},
	{"perf_event_open", try_perf_event_open},
};

#include "helper.h"

#include <asm/signal.h>

#include "common/confine.h"
#include "lifeline.h"
#include "common/pagemap.h"
#include "common/pid_namespace.h"
#include "common/record.h"
#include "cpus.h"
#include "release.h"
#include "common/daemonize.h"
#include "common/sys.h"
#include "crew.h"

/*
 * What the helper has of its own is one mapping, below; everything else it shares with the target.
 * Pages are taken only when touched: three or four of them.
 *
 *   low                                                                              high
 *   +-----------------+---------------------+---------------------+---------------+--------+
 *   | guard           | stack of the helper | stacks of its       | stack of the  | struct |
 *   | PROT_NONE       |                     | other threads       | go-between    | helper |
 *   +-----------------+---------------------+---------------------+---------------+--------+
 *   |<- GUARD_BYTES ->|<------------------------ STACKS_BYTES -------------------------->|
 *                                           |<THREAD_STACKS_BYTES>|<- GO_BETWEEN_BYTES ->|
 *
 * 64 KiB is the largest page of either architecture, so both parts are whole pages everywhere.
 */
#define GUARD_BYTES ((size_t)64 << 10)
#define STACKS_BYTES ((size_t)128 << 10)
#define GO_BETWEEN_BYTES ((size_t)8 << 10)

enum helper_state {
	GONE = 0, /* written by the kernel when the helper ends (CLONE_CHILD_CLEARTID) */
	STARTING = 1,
	ARMED = 2,
};

struct helper {
	uint64_t mark; /* of lifeline.h */
	int pid;       /* of the helper; written by the kernel before the helper's first step */
	struct release_options options;
	struct release_means means;
	struct failure failure;
};

/*
 * What the kernel writes to while the helper sleeps, or at its end, is not in that mapping: a target that unmaps what
 * it does not know, and uses the addresses itself, would find it in its own data. There is one helper at most for each
 * copy of this code. A child by fork inherits these words, but no helper.
 */
static uint32_t state; /* enum helper_state; a futex */
static struct lifeline lifeline;

/* ---- the helper's life --------------------------------------------------------------------- */

/* What waiting (the first six) and releasing take, and no more. */
static const struct sock_filter allowed[] = {
	FILTER_START,
	ALLOW(futex),
	ALLOW(ppoll),
	ALLOW(nanosleep),
	ALLOW(clock_gettime),
	ALLOW(restart_syscall), /* a sleep that SIGSTOP and SIGCONT interrupted */
	ALLOW(pread64),
	/* Nothing that it has open can be written to but its record and its session's share of CPU. */
	ALLOW(pwrite64),
	ALLOW(write),
	ALLOW_IF(madvise, 2, MADV_DONTNEED),
	ALLOW_IF(madvise, 2, MADV_DONTNEED_LOCKED),
	ALLOW(munmap),
	ALLOW_IF(ioctl, 1, PAGEMAP_SCAN_REQUEST),
	ALLOW(sched_getaffinity),
	ALLOW(getcpu),
	ALLOW_IF(get_mempolicy, 4, MPOL_F_MEMS_ALLOWED),
	ALLOW_IF_2(move_pages, 0, 0, 3, 0), /* of its own memory, and to no node: it tells where a page is */
	ALLOW_IF(sched_setaffinity, 0, 0),  /* of the caller alone, as are the next ones */
	ALLOW_IF_2(sched_setscheduler, 0, 0, 1, SCHED_IDLE),
	ALLOW_IF_3(setpriority, 0, PRIO_PROCESS, 1, 0, 2, LEAST_NICE),
	ALLOW_IF(clone, 0, CREW_THREAD), /* which has this filter, too */
	ALLOW(exit_group),
	/* unshare(CLONE_VM) changes nothing; it only tells whether others use this address space. */
	ALLOW_IF(unshare, 0, CLONE_VM),
	FILTER_END,
};

static void helper_main(void *argument)
{
	struct helper *helper = argument;
	struct release_means *means = &helper->means;

	means->started = milliseconds_since_boot();
	forbid_core_dumps();
	if (daemonize(lifeline.target, &helper->failure) < 0)
		sys_exit_group(1);
	means->maps = (int)sys_open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	if (close_all_but(lifeline.death, means->maps, means->maps, &helper->failure) < 0)
		sys_exit_group(1);
	lifeline_open_stat(&lifeline);
	means->file_maps = (int)sys_open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	means->status = (int)sys_open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	try_step(&helper->failure, "make its record", "memfd_create");
	means->record = (int)sys_memfd_create("async-teardown");
	means->is_filtered = is_filtered();
	means->priority = priority_open(helper->options.priority);
	if (drop_privileges(&helper->failure) < 0)
		sys_exit_group(1);
	/* Now, so that it shows no physical addresses. Where some filter is in force, its ioctl may kill. */
	means->pagemap = means->is_filtered ? -1 : (int)sys_open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (allow_only(allowed, sizeof(allowed) / sizeof(*allowed), &helper->failure) < 0)
		sys_exit_group(1);

	store(&state, ARMED);
	sys_futex(&state, FUTEX_WAKE, 1, 0);

	if (lifeline_wait(&lifeline, &helper->failure) == DEAD) {
		let_parent_run();
		/* The kernel recycles pages fastest on the CPU that they came from. Waking up from a sleep there, the
		 * helper stays, unless somebody else has got that CPU. */
		if (!means->is_filtered && move_to(lifeline.cpu))
			sys_sleep(1);
		release_address_space(&helper->options, means);
	}
	sys_exit_group(0);
}

/* From ARMED to the lifeline the helper has two system calls to make: on the same CPU, it is let do so. A sleep of a few
 * microseconds lasts for a hundred. A filter may kill for this call, which is not needed. */
#define MOST_YIELDS 16

/* Returns once the helper is parked on the lifeline, or gone. */
static void await_armed(void)
{
	while (load(&state) == STARTING)
		sys_futex(&state, FUTEX_WAIT, STARTING, 0);
	int yields = is_filtered() ? 0 : MOST_YIELDS;

	while (load(&state) == ARMED && !lifeline_is_tied(&lifeline)) {
		if (yields > 0) {
			yields--;
			sys_yield();
		} else {
			sys_sleep(20000);
		}
	}
}

/* 0 where it was not a signal that ended a process; wait(2). */
static int deadly_signal(int status)
{
	return status & 0x7f;
}

/*
 * Between target and helper stands a go-between that ends at once, so that the helper is not the
 * target's child: no zombie when the helper is killed or has made way for a new image, nothing for a
 * wait(__WALL) of the target to find, and nothing for those who kill a process by its children.
 *
 * It opens the pidfd, because it alone can be sure: as long as the target is its parent, the PID is
 * the target's. It stays until the helper is armed, because it alone hears of what has ended it before.
 */
static void go_between_main(void *argument)
{
	struct helper *helper = argument;
	int status;
	long result;

	try_step(&helper->failure, "open a pidfd", "pidfd_open");
	lifeline_open(&lifeline);
	if (sys_getppid() != lifeline.target)
		sys_exit_group(1);
	try_step(&helper->failure, "clone the helper", "clone");
	result = sys_clone_onto(CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, helper->means.stacks,
				&helper->pid, (int *)&state, helper_main, helper);
	if (result < 0) {
		fail_step(&helper->failure, result);
		sys_exit_group(1);
	}
	await_armed();
	/* Only its parent can know what has ended it. */
	if (load(&state) == GONE && sys_wait4((int)result, &status, (int)__WALL) == result)
		helper->failure.signal = deadly_signal(status);
	sys_exit_group(0);
}

/* ---- the target's side --------------------------------------------------------------------- */

/* Where a helper would be in the wrong place. */
static const char *why_not_here(void)
{
	int adopts_orphans = 0;

	if (runs_on_valgrind()) /* its clone(CLONE_VM) is a fork */
		return "start a helper: valgrind runs it on a CPU of its own making";
	if (children_leave_pid_namespace())
		return "start a helper: this process's children go to another PID namespace";
	/* Its exit ends every process of its PID namespace, and waits for them; pid_namespaces(7). */
	if (sys_getpid() == 1)
		return "start a helper that outlives it: it is the init of its PID namespace";
	/* The orphaned helper would become its child: a wait() for all its children would never end. */
	if (sys_prctl(PR_GET_CHILD_SUBREAPER, (unsigned long)&adopts_orphans, 0) == 0 && adopts_orphans)
		return "start a helper out of its sight: it is a subreaper, which every orphan goes to";
	return 0;
}

static int start(struct helper *helper, struct failure *failure)
{
	int status = 0;

	/*
	 * CLONE_VFORK: when this returns, the go-between no longer runs in our memory. CLONE_UNTRACED: a debugger
	 * or tracer that follows the target's children would otherwise follow this one, or wait for the helper.
	 */
	try_step(&helper->failure, "start the helper", 0); /* it may be killed before its own first step */
	long go_between =
		sys_clone_onto(CLONE_VM | CLONE_VFORK | CLONE_UNTRACED, helper, 0, 0, go_between_main, helper);

	if (go_between < 0) {
		try_step(failure, "clone the helper", "clone");
		return fail_step(failure, go_between);
	}
	/* This fails only if another thread of the target, which waits for any child, has reaped the go-between first.
	 * That is just as good. */
	sys_wait4((int)go_between, &status, (int)__WCLONE);

	/* The go-between has seen it armed, or gone, unless it was killed itself. */
	if (helper->pid != 0)
		await_armed();
	else if (deadly_signal(status))
		helper->failure.signal = deadly_signal(status);
	if (helper->pid != 0 && load(&state) == ARMED)
		return 0;
	*failure = helper->failure;
	if (!failure->error && !failure->signal) /* nobody was there to see how it ended */
		fail(failure, "keep the helper alive: it was killed", 0);
	return -1;
}

int helper_start(const struct release_options *options, struct failure *failure)
{
	const size_t bytes = GUARD_BYTES + STACKS_BYTES;
	const char *reason = why_not_here();
	signal_set all = ~(signal_set)0, before;
	int started = -1;
	long result;

	if (reason)
		return fail(failure, reason, 0);
	char *mapping = sys_mmap(bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE);

	if (sys_failed(mapping))
		return fail(failure, "map the helper's stack", (long)mapping);
	/* Not in the target's children, and not in its core dumps. */
	if ((result = sys_mprotect(mapping + GUARD_BYTES, STACKS_BYTES, PROT_READ | PROT_WRITE)) < 0 ||
	    (result = sys_madvise((uintptr_t)mapping, bytes, MADV_DONTFORK)) < 0 ||
	    (result = sys_madvise((uintptr_t)mapping, bytes, MADV_DONTDUMP)) < 0) {
		fail(failure, "prepare the helper's stack", result);
		goto unmap;
	}
	struct helper *helper = (struct helper *)(mapping + bytes) - 1;

	state = STARTING;
	helper->options = *options;
	helper->means.stacks = mapping + bytes - GO_BETWEEN_BYTES - THREAD_STACKS_BYTES;
	lifeline = (struct lifeline){.target = sys_getpid(), .mark = &helper->mark};

	/* A signal handler of the target must never run in the helper. */
	if ((result = sys_signal_mask(SIG_SETMASK, &all, &before)) < 0) {
		fail(failure, "block signals", result);
		goto unmap;
	}
	started = start(helper, failure);
	sys_signal_mask(SIG_SETMASK, &before, 0);
	if (started == 0)
		return 0;
unmap:
	sys_munmap((uintptr_t)mapping, bytes);
	return -1;
}

int helper_lives(void)
{
	return load(&state) == ARMED && lifeline.target == sys_getpid();
}

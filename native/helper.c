#include "helper.h"

#include <asm/signal.h>

#include "confine.h"
#include "line.h"
#include "namespace.h"
#include "release.h"
#include "sys.h"

/*
 * What the helper has of its own is one mapping, below; everything else it shares with the target.
 * Pages are taken only when touched: three or four of them.
 *
 *   low                                                                         high
 *   +-----------------+---------------------------------+-----------------+--------+
 *   | guard           | stack of the helper             | stack of the    | struct |
 *   | PROT_NONE       |                                 | go-between      | helper |
 *   +-----------------+---------------------------------+-----------------+--------+
 *   |<- GUARD_BYTES ->|<------------------- STACKS_BYTES ------------------------->|
 *                                                       |<- GO_BETWEEN_BYTES ----->|
 *
 * 64 KiB is the largest page of either architecture, so both parts are whole pages everywhere.
 */
#define GUARD_BYTES ((size_t)64 << 10)
#define STACKS_BYTES ((size_t)64 << 10)
#define GO_BETWEEN_BYTES ((size_t)8 << 10)

enum helper_state {
	GONE = 0, /* written by the kernel when the helper ends (CLONE_CHILD_CLEARTID) */
	STARTING = 1,
	ARMED = 2,
};

struct helper {
	uint32_t state;    /* enum helper_state; a futex */
	uint32_t lifeline; /* a futex that the target's main thread "owns"; see wait_for_end */
	int target;        /* PID, as the target itself sees it */
	int pid;           /* of the helper; written by the kernel before the helper's first step */
	int death;         /* a pidfd of the target, or its /proc/<pid>/stat, or -1 */
	int death_is_pidfd;
	int maps; /* /proc/self/maps of the helper, or -1 */
	struct failure failure;
};

static uint32_t load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void store(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static void note(struct failure *failure, const char *step, long result)
{
	failure->step = step;
	failure->error = (int)-result;
}

/* ---- waiting ------------------------------------------------------------------------------- */

enum end { DEAD, REPLACED };

/*
 * Whether the PID is still a task that runs. ESRCH is the kernel's word for one that is past exit_mm
 * (its futex state is "dead") or is not there at all; every other answer needs a living owner.
 */
static int main_thread_is_gone(const struct helper *helper)
{
	uint32_t probe = (uint32_t)helper->target;

	return sys_futex(&probe, FUTEX_TRYLOCK_PI, 0, 0) == -ESRCH;
}

/* From proc_pid_stat(5): "pid (comm) state ppid …", num_threads the 20th field. A zombie with other
 * threads is a process whose main thread ended early. */
static int stat_says_dead(int stat)
{
	char text[512];
	long bytes = sys_pread(stat, text, sizeof(text), 0);
	long at = bytes - 1;
	char state;

	if (bytes <= 0)
		return 1; /* ESRCH: reaped */
	while (at > 0 && text[at] != ')') /* the name may hold anything; the fields behind it do not */
		at--;
	if (at + 2 >= bytes)
		return 1;
	state = text[at + 2];
	if (state != 'Z' && state != 'X')
		return 0;
	for (int field = 2; field < 20 && at < bytes; at++)
		if (text[at] == ' ')
			field++;
	return at < bytes && (text[at] == '0' || text[at] == '1') && text[at + 1] == ' ';
}

#define LONGEST_STEP_MS 16

static int is_dead_within(const struct helper *helper, int milliseconds)
{
	if (helper->death_is_pidfd)
		return sys_poll_one(helper->death, milliseconds) > 0;
	if (helper->death >= 0 && stat_says_dead(helper->death))
		return 1;
	/* Without even a sleep (a seccomp filter) waiting would be spinning: the release finds out for
	 * itself whether the target still needs the memory. */
	if (milliseconds > 0 && sys_sleep(milliseconds * NANOSECONDS_PER_MILLISECOND) < 0)
		return 1;
	/* So with neither a pidfd nor /proc, where nothing can be asked. */
	return helper->death < 0 && milliseconds == LONGEST_STEP_MS;
}

/* How long a wait on the lifeline may last, in seconds, before it is begun anew. */
#define LIFELINE_SECONDS 3600

/*
 * Waits until the lifeline is cut; 0 if the target was found dead otherwise.
 *
 * After a stop (SIGSTOP, a frozen cgroup) the kernel looks the owner up again, by its number. If the
 * target died meanwhile and the number is another's, only the pidfd knows: hence the limit.
 */
static int wait_on_lifeline(struct helper *helper)
{
	struct __kernel_timespec until;
	long result;

	for (;;) {
		if ((result = sys_clock(CLOCK_REALTIME, &until)) < 0)
			break;
		until.tv_sec += LIFELINE_SECONDS;
		store(&helper->lifeline, (uint32_t)helper->target);
		result = sys_futex(&helper->lifeline, FUTEX_LOCK_PI, 0, &until);
		if (result == 0 || result == -ESRCH)
			return 1;
		if (result != -EINTR && result != -EAGAIN && result != -ETIMEDOUT)
			break;
		if (is_dead_within(helper, 0))
			return 0;
	}
	note(&helper->failure, "wait on a priority-inheritance futex", result);
	sys_exit_group(1);
}

/*
 * The lifeline is a priority-inheritance futex that names the target's main thread as its owner, so
 * the kernel wakes us when that thread can never unlock it: it exits, or it execs
 * (futex_exit_release, futex_exec_release in kernel/futex/core.c). No signal, no descriptor in the
 * target, no word of its libc, no wake-up before. The target inherits no priority by it: the helper was
 * cloned with the target's own.
 *
 * Woken, one of three things is so:
 *   - the PID still runs: it has a new image (also when another thread did the exec: it took the PID);
 *   - the process is dead, or about to be: the pidfd tells;
 *   - only its main thread ended, and other threads go on. That, and only that, is waited for in steps,
 *     because an exec of one of them would wake nobody.
 */
static enum end wait_for_end(struct helper *helper)
{
	int step = 1;

	if (!wait_on_lifeline(helper))
		return DEAD;
	for (;;) {
		int gone = main_thread_is_gone(helper);

		/* Asked in this order: a PID that died and was reused in between is dead by its pidfd. */
		if (is_dead_within(helper, gone ? step : 0))
			return DEAD;
		if (!gone)
			return REPLACED;
		if (step < LONGEST_STEP_MS)
			step *= 2;
	}
}

/* ---- the helper's life --------------------------------------------------------------------- */

/*
 * What a parent is given to get from the death of its child to the end of its waitpid: on a machine
 * with few CPUs, a release that started at once would take the very one that the parent is woken on.
 */
#define HEAD_START_NS 1000000L

static void settle(struct helper *helper)
{
	struct line name = {.length = 0};
	long result;

	add(&name, "cleanup/");
	add_number(&name, (unsigned)helper->target);
	result = sys_prctl(PR_SET_NAME, (unsigned long)name.text, 0);
	if (result < 0)
		note(&helper->failure, "name the helper", result);
	if (result >= 0 && (result = sys_setsid()) < 0)
		note(&helper->failure, "give the helper a session", result);
	if (result >= 0 && (result = sys_chdir("/")) < 0)
		note(&helper->failure, "move the helper to /", result);
	if (result < 0)
		sys_exit_group(1);
	/* Below every other task as far as waking goes; the share of CPU stays. SCHED_IDLE would be
	 * lower, but without CAP_SYS_NICE there is no way back from it (sched(7)); so the helper of an
	 * idle target cannot leave it either, and need not. */
	sys_set_scheduler(SCHED_BATCH);
}

static void helper_main(void *argument)
{
	struct helper *helper = argument;

	settle(helper);
	helper->maps = (int)sys_open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	if (close_all_but(helper->death, helper->maps, &helper->failure) < 0)
		sys_exit_group(1);
	if (drop_privileges(&helper->failure) < 0)
		sys_exit_group(1);

	store(&helper->state, ARMED);
	sys_futex(&helper->state, FUTEX_WAKE, 1, 0);

	if (wait_for_end(helper) == DEAD) {
		sys_sleep(HEAD_START_NS);
		if (helper->maps >= 0)
			release_address_space(helper->maps, helper);
	}
	sys_exit_group(0);
}

/*
 * Between target and helper stands a go-between that ends at once, so that the helper is not the
 * target's child: no zombie when the helper is killed or has made way for a new image, nothing for a
 * wait(__WALL) of the target to find, and nothing for those who kill a process by its children.
 *
 * It opens the pidfd, because it alone can be sure: as long as the target is its parent, the PID is
 * the target's.
 */
static void go_between_main(void *argument)
{
	struct helper *helper = argument;
	char *helper_stack = (char *)helper + sizeof(*helper) - GO_BETWEEN_BYTES;
	struct line path = {.length = 0};
	long result;

	helper->death = (int)sys_pidfd_open(helper->target);
	helper->death_is_pidfd = helper->death >= 0 && sys_poll_one(helper->death, 0) >= 0;
	if (!helper->death_is_pidfd) {
		add(&path, "/proc/");
		add_number(&path, (unsigned)helper->target);
		add(&path, "/stat");
		helper->death = (int)sys_open(path.text, O_RDONLY | O_CLOEXEC);
	}
	if (sys_getppid() != helper->target)
		sys_exit_group(1);
	result = sys_clone_onto(CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, helper_stack,
				&helper->pid, (int *)&helper->state, helper_main, helper);
	if (result < 0)
		note(&helper->failure, "clone the helper", result);
	sys_exit_group(0);
}

/* ---- the target's side --------------------------------------------------------------------- */

/* Where a helper would be in the wrong place. */
static const char *why_not_here(void)
{
	int adopts_orphans = 0;

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

/* Returns once the helper is parked on the lifeline, or gone. */
static void await_armed(struct helper *helper)
{
	while (load(&helper->state) == STARTING)
		sys_futex(&helper->state, FUTEX_WAIT, STARTING, 0);
	/* The kernel sets this bit when it ties the waiting helper to the owner's task. From then on the
	 * PID in the lifeline is no longer a number that could come to mean another process. */
	while (load(&helper->state) == ARMED && !(load(&helper->lifeline) & FUTEX_WAITERS))
		sys_sleep(20000);
}

static int start(struct helper *helper, struct failure *failure)
{
	/* CLONE_VFORK: when this returns, the go-between no longer runs in our memory. */
	long go_between =
		sys_clone_onto(CLONE_VM | CLONE_VFORK, helper, 0, 0, go_between_main, helper);

	if (go_between < 0) {
		note(failure, "clone the helper", go_between);
		return -1;
	}
	/* Fails only where another thread, in a wait for any child at all, was faster: as good. */
	sys_wait4((int)go_between, 0, (int)__WCLONE);

	if (helper->pid != 0)
		await_armed(helper);
	if (helper->pid != 0 && load(&helper->state) == ARMED)
		return 0;
	*failure = helper->failure;
	if (!failure->step)
		note(failure, "keep the helper alive: it was killed", 0);
	return -1;
}

int helper_start(struct failure *failure)
{
	const size_t bytes = GUARD_BYTES + STACKS_BYTES;
	signal_set all = ~(signal_set)0, before;
	int started = -1;
	long result;

	const char *reason = why_not_here();

	if (reason) {
		note(failure, reason, 0);
		return -1;
	}
	char *mapping = sys_mmap(bytes, PROT_NONE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE);

	if (sys_failed(mapping)) {
		note(failure, "map the helper's stack", (long)mapping);
		return -1;
	}
	/* Not in the target's children, and not in its core dumps. */
	if ((result = sys_mprotect(mapping + GUARD_BYTES, STACKS_BYTES, PROT_READ | PROT_WRITE)) < 0 ||
	    (result = sys_madvise((uintptr_t)mapping, bytes, MADV_DONTFORK)) < 0 ||
	    (result = sys_madvise((uintptr_t)mapping, bytes, MADV_DONTDUMP)) < 0) {
		note(failure, "prepare the helper's stack", result);
		goto unmap;
	}
	struct helper *helper = (struct helper *)(mapping + bytes) - 1;

	helper->state = STARTING;
	helper->target = sys_getpid();

	/* A signal handler of the target must never run in the helper. */
	if ((result = sys_signal_mask(SIG_SETMASK, &all, &before)) < 0) {
		note(failure, "block signals", result);
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

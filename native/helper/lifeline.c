#include "lifeline.h"

#include "common/confine.h"
#include "common/text.h"
#include "proc_stat.h"
#include "release.h"
#include "common/sys.h"

static int open_stat(int target)
{
	struct text path = {.length = 0};

	text_add(&path, "/proc/");
	text_add_number(&path, (unsigned)target);
	text_add(&path, "/stat");
	return (int)sys_open(path.text, O_RDONLY | O_CLOEXEC);
}

void lifeline_open(struct lifeline *lifeline)
{
	lifeline->death = avoids_young_calls() ? -1 : (int)sys_pidfd_open(lifeline->target);
	lifeline->death_is_pidfd = lifeline->death >= 0 && sys_poll_one(lifeline->death, 0) >= 0;
	if (lifeline->death_is_pidfd)
		return;
	if (lifeline->death >= 0)
		sys_close(lifeline->death);
	lifeline->death = open_stat(lifeline->target);
}

void lifeline_open_stat(struct lifeline *lifeline)
{
	lifeline->stat = lifeline->death_is_pidfd ? open_stat(lifeline->target) : lifeline->death;
}

/* The kernel sets the bit when it ties a waiter to the owner's task. */
int lifeline_is_tied(const struct lifeline *lifeline)
{
	return (load(&lifeline->futex) & FUTEX_WAITERS) != 0;
}

/*
 * Whether the PID is still a task that runs. ESRCH is the kernel's word for one that is past exit_mm
 * (its futex state is "dead") or is not there at all; every other answer needs a living owner.
 */
static int main_thread_is_gone(const struct lifeline *lifeline)
{
	uint32_t probe = (uint32_t)lifeline->target;

	return sys_futex(&probe, FUTEX_TRYLOCK_PI, 0, 0) == -ESRCH;
}

/*
 * How long a step may last while only the main thread is gone. A pidfd tells of the death itself; then it is only an
 * exec by another thread that is noticed late, and the old memory given back as late.
 */
#define LONGEST_STEP_MS 65536
#define LONGEST_STEP_BY_STAT_MS 256
#define LONGEST_STEP_BLIND_MS 16

static int longest_step(const struct lifeline *lifeline)
{
	if (lifeline->death_is_pidfd)
		return LONGEST_STEP_MS;
	return lifeline->death >= 0 ? LONGEST_STEP_BY_STAT_MS : LONGEST_STEP_BLIND_MS;
}

static int is_dead_within(const struct lifeline *lifeline, int milliseconds)
{
	if (lifeline->death_is_pidfd)
		return sys_poll_one(lifeline->death, milliseconds) > 0;
	if (lifeline->death >= 0 && proc_stat_says_dead(lifeline->death))
		return 1;
	/* If even nanosleep is forbidden, waiting would be spinning. Report death: the release finds out by itself whether
	 * anybody still uses the memory. */
	if (milliseconds > 0 && sys_sleep(milliseconds * NANOSECONDS_PER_MILLISECOND) < 0)
		return 1;
	/* With neither a pidfd nor /proc there is nobody to ask: report death once the steps have reached their maximum. */
	return lifeline->death < 0 && milliseconds == LONGEST_STEP_BLIND_MS;
}

/*
 * A target may unmap what it does not know, and use the addresses for its own: checkpointers and emulators do. So whoever
 * wakes in this memory looks for its mark before it touches anything.
 */
#define MARK ((uint64_t)0x6173796e632d7464)

static long lock_at_home(struct lifeline *lifeline)
{
	uint64_t mark = MARK ^ (uintptr_t)lifeline->mark;

	*lifeline->mark = mark;
	return sys_call4_at_home(__NR_futex, (long)&lifeline->futex, FUTEX_LOCK_PI, 0, (long)&lifeline->until,
				 lifeline->mark, mark);
}

/* How long a wait on the lifeline may last, in seconds, before it is begun anew. */
#define LIFELINE_SECONDS 3600

/*
 * Waits until the futex is "unlocked", which only the kernel does. 1 if so, 0 if the target was found dead
 * otherwise, -1 and *failure if the kernel does not play along.
 *
 * After SIGSTOP or a freeze the kernel restarts the wait, and looks the owner up by its PID. If the target has exec'd
 * meanwhile, or has died and its PID is another's, the wait is on the wrong task and would never end. LIFELINE_SECONDS
 * bounds it.
 */
static int wait_on_futex(struct lifeline *lifeline, struct failure *failure)
{
	long result;

	try_step(failure, "wait on a priority-inheritance futex", "futex");
	for (;;) {
		if ((result = sys_clock(CLOCK_REALTIME, &lifeline->until)) < 0)
			break;
		lifeline->until.tv_sec += LIFELINE_SECONDS;
		store(&lifeline->futex, (uint32_t)lifeline->target);
		result = lock_at_home(lifeline);
		if (result == 0 || result == -ESRCH)
			return 1;
		if (result != -EINTR && result != -EAGAIN && result != -ETIMEDOUT)
			break;
		if (is_dead_within(lifeline, 0))
			return 0;
		if (is_last_user()) /* it exec'd meanwhile: the PID runs, but not in this memory */
			return 1;
	}
	return fail_step(failure, result);
}

/*
 * The futex is a priority-inheritance one that names the target's main thread as its owner, so
 * the kernel wakes us when that thread can never unlock it: it exits, or it execs
 * (futex_exit_release, futex_exec_release in kernel/futex/core.c). No signal, no descriptor in the
 * target, no word of its libc, no wake-up before. The target inherits no priority by it: the helper was
 * cloned with the target's own.
 *
 * Woken, one of three things is so:
 *   - the PID still runs: it has a new image (also when another thread did the exec: it took the PID);
 *   - the process is dead, or about to be: the pidfd tells;
 *   - only its main thread ended, and other threads go on. That, and only that, is waited for in steps,
 *     ever longer ones, because an exec of one of them would wake nobody.
 */
enum end lifeline_wait(struct lifeline *lifeline, struct failure *failure)
{
	int waited = wait_on_futex(lifeline, failure);
	int step = 1;

	/* Now, because its parent may reap it any moment. */
	lifeline->cpu = proc_stat_cpu(lifeline->stat);
	if (waited <= 0)
		return waited < 0 ? UNKNOWN : DEAD;
	for (;;) {
		int gone = main_thread_is_gone(lifeline);

		/* Asked in this order: a PID that died and was reused in between is dead by its pidfd. */
		if (is_dead_within(lifeline, gone ? step : 0))
			return DEAD;
		if (!gone)
			return REPLACED;
		if (step < longest_step(lifeline))
			step *= 2;
	}
}

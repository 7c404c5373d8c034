#include "priority.h"

#include "sys.h"

/*
 * With autogroup (sched(7)) a session competes with other sessions as one, and a task's own priority counts
 * only within it. Helpers and holders are alone in theirs, so it is the session that has to step back.
 */
#define LEAST_SHARE "19" /* LEAST_NICE, in digits */

/* For others than the superuser the kernel allows one such change in a tenth of a second, on all of the machine;
 * proc_sched_autogroup_set_nice in kernel/sched/autogroup.c. */
#define BETWEEN_TRIES_NS (30 * NANOSECONDS_PER_MILLISECOND)
#define MOST_TRIES 20

int priority_open(enum priority priority)
{
	return priority == PRIORITY_NORMAL ? -1 : (int)sys_open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
}

static void lower_session(int autogroup)
{
	for (int tries = 0; tries < MOST_TRIES; tries++) {
		if (sys_write(autogroup, LEAST_SHARE, sizeof(LEAST_SHARE) - 1) != -EAGAIN)
			return;
		sys_sleep(BETWEEN_TRIES_NS);
	}
}

void priority_set(enum priority priority, int opened)
{
	if (priority == PRIORITY_NORMAL)
		return;
	/* Lowering is always permitted. */
	if (priority == PRIORITY_LOW)
		sys_call3(__NR_setpriority, PRIO_PROCESS, 0, LEAST_NICE);
	else
		sys_set_scheduler(SCHED_IDLE);
	if (opened >= 0)
		lower_session(opened);
}

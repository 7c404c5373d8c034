#include "daemonize.h"

#include "confine.h"
#include "text.h"
#include "sys.h"

int daemonize(int target, struct failure *failure)
{
	struct text name = {.length = 0};
	long result;

	text_add(&name, "cleanup/");
	text_add_number(&name, (unsigned)target);
	try_step(failure, "set its name", "prctl");
	if ((result = sys_prctl(PR_SET_NAME, (unsigned long)name.text, 0)) < 0)
		return fail_step(failure, result);
	try_step(failure, "start a session", "setsid");
	if ((result = sys_setsid()) < 0)
		return fail_step(failure, result);
	try_step(failure, "move to /", "chdir");
	if ((result = sys_chdir("/")) < 0)
		return fail_step(failure, result);
	/* The share of CPU stays. SCHED_IDLE would be lower, but without CAP_SYS_NICE there is no way back
	 * from it (sched(7)). Whoever was started with it keeps it: the memory of an idle program has no hurry. */
	if (!is_filtered() && sys_get_scheduler() != SCHED_IDLE)
		sys_set_scheduler(SCHED_BATCH);
	return 0;
}

/*
 * What a parent is given to get from the death of its child to the end of its waitpid: on a machine
 * with few CPUs, a release that started at once would take the very one that the parent is woken on.
 */
#define HEAD_START_NS 400000L

void let_parent_run(void)
{
	sys_sleep(HEAD_START_NS);
}

/*
 * What a holder reports of its start, in one line:
 *
 *   armed <its PID>
 *   failed <stage> <errno> <what it could not do>
 *
 * Who reads it decides by the stage and the errno (0: there is none). What it could not do is for people.
 * src/linux/holder-report.ts is the twin; test/linux/holder-report.test.ts compares both lists of stages.
 */
#ifndef ASYNC_TEARDOWN_REPORT_H
#define ASYNC_TEARDOWN_REPORT_H

/* The parts of the start, in their order. */
#define HOLDER_STAGES(EACH)                                                                                            \
	EACH(STAGE_ARGUMENTS, "arguments") /* they make no sense */                                                    \
	EACH(STAGE_CGROUP, "cgroup")	   /* one cannot be entered */                                                 \
	EACH(STAGE_PROCESS, "process")	   /* the holder's own process, or a thread of it, cannot be made */           \
	EACH(STAGE_DAEMON, "daemon")	   /* it cannot leave what it was started from */                              \
	EACH(STAGE_ACCESS, "access")	   /* the target, or userfaultfd, cannot be opened: a matter of permissions */ \
	EACH(STAGE_CONFINE, "confine")	   /* it cannot give up its own rights */                                      \
	EACH(STAGE_HOLD, "hold")	   /* the target has ended, with ESRCH, or shows no memory */

#define HOLDER_STAGE_NAME(stage, name) stage,
enum holder_stage { HOLDER_STAGES(HOLDER_STAGE_NAME) HOLDER_STAGE_COUNT };
#undef HOLDER_STAGE_NAME

#endif

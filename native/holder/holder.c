/*
 * The holder: keeps the address space of one target alive from outside, and tears it down when the target
 * is dead. A static program without a libc; src/linux/start-holder.ts starts it.
 *
 *   async-teardown-holder PID PRIORITY CGROUPS RECORD OWNER SHARED
 *   PID       of the target
 *   PRIORITY  of the teardown: normal, low or idle
 *   CGROUPS   how many cgroup.procs it has to enter
 *   RECORD    room for what it saw, a blank string; overwritten where it stands, so that it shows in
 *             /proc/<holder>/cmdline:
 *
 *               holding
 *               waiting    (it could not hold the target's new image, and tries again)
 *               releasing bytes=8589934592 seen=34567 died=34570
 *
 *             `bytes` were resident when it looked for the last time, with all of the shared memory that it
 *             keeps; `seen` and `died` are milliseconds since the holder's start.
 *
 *   OWNER     the target's unit and container, for `ps` to read when the target is dead, and for people:
 *             "unit=redis-server.service container=0123abcd", or a part of it. The holder does not read it.
 *   SHARED    how many shared memory objects of the target's it keeps, 8 at most; shared.h
 *
 *   descriptor 1    takes its report, one line; report.h
 *   descriptor 3    the directory /proc/<PID>. It can never come to mean another process, as a number can.
 *   descriptors 4…  the shared memory objects, opened with O_PATH, then the cgroup.procs
 *
 * The process that is started ends at once; the holder is its child. It may be killed at any time: then the
 * target dies as if it had never been held.
 *
 * README.md has its states, the rules, the waiting times, and the reason for the order of arm().
 */
#include <asm/signal.h>

#include "common/chars.h"
#include "common/confine.h"
#include "hold.h"
#include "common/text.h"
#include "common/priority.h"
#include "common/record.h"
#include "argv_record.h"
#include "report.h"
#include "common/pagemap.h"
#include "resident.h"
#include "common/daemonize.h"
#include "common/sys.h"

#define REPORT 1
#define DIRECTORY 3
#define FIRST_SHARED 4

/* What a process needs at most, as a rule, from the loss of its memory to the word of its death. On a busy machine it may
 * have to wait for a CPU in between. W1 */
#define DYING_MS 2000

/* ---- its report ---------------------------------------------------------------------------- */

static const char *stage_name(enum holder_stage stage)
{
/* NOLINTNEXTLINE(bugprone-macro-parentheses): a text in parentheses initializes no array */
#define STAGE_NAME(number, name) [number] = name,
	static const char names[][12] = {HOLDER_STAGES(STAGE_NAME)};
#undef STAGE_NAME

	return names[stage];
}

static __attribute__((noreturn)) void give_up(enum holder_stage stage, const struct failure *failure)
{
	struct text line = {.length = 0};

	text_add(&line, "failed ");
	text_add(&line, stage_name(stage));
	text_add(&line, " ");
	text_add_number(&line, (unsigned)failure->error);
	text_add(&line, " ");
	text_add(&line, failure->step);
	text_add(&line, "\n");
	sys_write(REPORT, line.text, line.length);
	sys_exit_group(1);
}

/* Nobody who reads it means that nobody wants the holder. */
static void report_armed(void)
{
	struct text line = {.length = 0};

	text_add(&line, "armed ");
	text_add_number(&line, (unsigned long)sys_getpid());
	text_add(&line, "\n");
	if (sys_write(REPORT, line.text, line.length) < 0)
		sys_exit_group(1);
	sys_close(REPORT);
}

/* ---- the start ----------------------------------------------------------------------------- */

/* What waiting, holding and releasing take, and no more. */
static const struct sock_filter allowed[] = {
	FILTER_START,
	ALLOW(ppoll),
	ALLOW(futex),
	ALLOW(pread64),
	ALLOW(read),
	ALLOW(madvise),
	ALLOW(nanosleep),
	ALLOW(clock_gettime),
	ALLOW(restart_syscall),
	ALLOW(close),
	ALLOW(getpid),
	ALLOW(fstat),
	ALLOW(exit_group),
	ALLOW_IF(clone, 0, READER_THREAD), /* which has this filter, too */
	ALLOW_IF(write, 0, REPORT),
	ALLOW_IF(ioctl, 1, UFFDIO_ZEROPAGE),
	ALLOW_IF(ioctl, 1, PAGEMAP_SCAN_REQUEST),
	FILTER_END,
};

static int open_in_proc(const char *name, const char *step, struct failure *failure)
{
	long fd = sys_open_at(DIRECTORY, name, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? fail(failure, step, fd) : (int)fd;
}

/*
 * Opens all that it will need. What was opened stays usable without any capability; whether it may hold
 * the target at all is decided here, by the permission that its environment takes (ptrace(2), "read").
 */
static int open_all(struct holder *holder, struct failure *failure)
{
	int environment, maps = -1;
	long death = sys_pidfd_open(holder->target);

	if (death < 0)
		return fail(failure, "open a pidfd", death);
	holder->death = (int)death;
	if ((environment = open_in_proc("environ", "open the target's environ", failure)) < 0)
		return -1;
	sys_close(environment);
	if ((holder->cmdline = open_in_proc("cmdline", "open the target's cmdline", failure)) < 0 ||
	    (holder->status = open_in_proc("status", "open the target's status", failure)) < 0)
		return -1;
	if (holder->shared.count && (maps = open_in_proc("maps", "open the target's maps", failure)) < 0)
		return -1;
	if (shared_open(&holder->shared, FIRST_SHARED, maps, failure) < 0)
		return -1;
	holder->pagemap = (int)sys_open_at(DIRECTORY, "pagemap", O_RDONLY | O_CLOEXEC);
	/* Without it, an exec is looked for in steps. */
	if (!is_filtered())
		exec_event_open(&holder->exec, holder->target);
	return readers_open(&holder->readers, failure);
}

/* That of the teardown, and of the little that comes before. */
static void step_back(const char *word)
{
	enum priority priority = word[0] == 'i' ? PRIORITY_IDLE : word[0] == 'l' ? PRIORITY_LOW : PRIORITY_NORMAL;
	int opened = priority_open(priority);

	priority_set(priority, opened);
	if (opened >= 0)
		sys_close(opened);
}

/* Otherwise any process of the same user, even without capabilities, could reach the holder's descriptors and root
 * directory through /proc/<holder>; proc(5). */
static int forbid_inspection(struct failure *failure)
{
	long result = sys_prctl(PR_SET_DUMPABLE, 0, 0);

	return result < 0 ? fail(failure, "forbid that others look into it", result) : 0;
}

/* 0; or -1, with *failure, in *stage. */
static int arm(struct holder *holder, enum holder_stage *stage, struct failure *failure)
{
	forbid_core_dumps();
	*stage = STAGE_DAEMON;
	if (daemonize(holder->target, failure) < 0)
		return -1;
	if (close_all_but(REPORT, DIRECTORY, FIRST_SHARED + holder->shared.count - 1, failure) < 0)
		return -1;
	step_back(holder->priority);
	*stage = STAGE_ACCESS;
	if (open_all(holder, failure) < 0)
		return -1;
	*stage = STAGE_CONFINE;
	if (forbid_inspection(failure) < 0)
		return -1;
	if (drop_privileges(failure) < 0)
		return -1;
	if (allow_only(allowed, sizeof(allowed) / sizeof(*allowed), failure) < 0)
		return -1;
	*stage = STAGE_PROCESS;
	if (readers_start(&holder->readers, holder->cmdline, failure) < 0)
		return -1;
	sys_close(DIRECTORY);
	*stage = STAGE_HOLD;
	holder_take(holder, 0);
	/* Whether the target is dead is asked last (rule 9). DIRECTORY was the target's before the pidfd was opened by
	 * number. If the target lives now, its PID was not reused in between, so all that was opened by number is the
	 * target's as well. A target without an address space is probably exiting: it is given DYING_MS. */
	if (holder_sees_death(holder, holder->current ? 0 : DYING_MS))
		return fail(failure, "hold it before it ended", -ESRCH);
	if (!holder->current)
		return fail(failure, "take hold of its memory: its arguments cannot be read", 0);
	return 0;
}

/* Before anything is allocated, so that it is all accounted there. "0" is the writer; cgroups(7). */
static int enter_cgroups(int first, unsigned count, struct failure *failure)
{
	for (unsigned i = 0; i < count; i++) {
		long result = sys_write(first + (int)i, "0", 1);

		if (result < 0)
			return fail(failure, "enter a cgroup", result);
	}
	return 0;
}

static unsigned number(const char *digits)
{
	return (unsigned)chars_number(&digits, INT32_MAX);
}

__attribute__((noreturn, used)) static void start(const long *stack)
{
	char *const *arguments = (char *const *)(stack + 1);
	static struct holder holder = {.exec = {.fd = -1}};
	enum holder_stage stage = STAGE_ARGUMENTS;
	struct failure failure = {0};
	signal_set all = ~(signal_set)0;
	long result;

	if (stack[0] != 7 || number(arguments[6]) > MOST_SHARED_OBJECTS) {
		fail(&failure, "make sense of its arguments", 0);
		give_up(stage, &failure);
	}
	holder.target = (int)number(arguments[1]);
	holder.record = arguments[4];
	holder.priority = arguments[2];
	holder.shared.count = (int)number(arguments[6]);
	stage = STAGE_CGROUP;
	if (enter_cgroups(FIRST_SHARED + holder.shared.count, number(arguments[3]), &failure) < 0)
		give_up(stage, &failure);
	stage = STAGE_PROCESS;
	if ((result = sys_signal_mask(SIG_SETMASK, &all, 0)) < 0 || (result = sys_call2(__NR_clone, SIGCHLD, 0)) < 0) {
		fail(&failure, "start a process", result);
		give_up(stage, &failure);
	}
	if (result > 0)
		sys_exit_group(0);

	holder.started = milliseconds_since_boot();
	if (arm(&holder, &stage, &failure) < 0)
		give_up(stage, &failure);
	argv_record_show_state(&holder);
	report_armed();
	holder_keep(&holder);
	holder_release(&holder);
}

PROGRAM_STARTS_WITH(start);

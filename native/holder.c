/*
 * The holder: keeps the address space of one target alive from outside, and tears it down when the target
 * is dead. A static program without a libc; src/linux/holder.ts starts it.
 *
 *   async-teardown-holder PID PRIORITY CGROUPS RECORD
 *   PID       of the target
 *   PRIORITY  of the teardown: normal, low or idle
 *   CGROUPS   how many cgroup.procs it has to enter
 *   RECORD    room for what it saw, a blank string; overwritten where it stands, so that it shows in
 *             /proc/<holder>/cmdline:
 *
 *               holding
 *               waiting    (it could not hold the target's new image, and tries again)
 *               releasing bytes=8589934592 seen=1234567 died=1234570
 *
 *             `bytes` were resident when it looked for the last time; `seen` and `died` are milliseconds
 *             since the machine's boot.
 *
 *   descriptor 1    takes its report, one line: "armed <its PID>" or "failed <errno> <what it could not do>"
 *   descriptor 3    the directory /proc/<PID>. It can never come to mean another process, as a number can.
 *   descriptors 4…  the cgroup.procs
 *
 * The process that is started ends at once; the holder is its child. It may be killed at any time: then the
 * target dies as if it had never been held.
 */
#include <asm/signal.h>

#include "confine.h"
#include "exec_event.h"
#include "line.h"
#include "reader.h"
#include "resident.h"
#include "settle.h"
#include "sys.h"

#define REPORT 1
#define DIRECTORY 3
#define FIRST_CGROUP 4

/* How long a target may take to be held: it may be in the middle of an exec. */
#define LONGEST_PARKING_MS 1000

struct holder {
	int target;
	int death;   /* a pidfd of the target */
	int cmdline; /* in the target's /proc/<pid>, as are the next two */
	int status;
	int pagemap; /* or -1 */
	struct exec_event exec;
	struct readers readers;
	struct reader *current; /* the one that holds; null where none does */
	uint64_t bytes, seen;	/* resident at the last look, and when that was */
	const char *priority;
	char *record;
};

static __attribute__((noreturn)) void give_up(const struct failure *failure)
{
	struct line line = {.length = 0};

	add(&line, "failed ");
	add_number(&line, (unsigned)failure->error);
	add(&line, " ");
	add(&line, failure->step);
	add(&line, "\n");
	sys_write(REPORT, line.text, line.length);
	sys_exit_group(1);
}

static uint64_t milliseconds_since_boot(void)
{
	struct __kernel_timespec now = {0, 0};

	sys_clock(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)(now.tv_nsec / NANOSECONDS_PER_MILLISECOND);
}

/* ---- what it sees of the target ------------------------------------------------------------ */

static int is_dead_within(const struct holder *holder, int milliseconds)
{
	return sys_poll_one(holder->death, milliseconds) > 0;
}

/* Where a field's value begins in the text of /proc/<pid>/status, or null. */
static const char *field(const char *text, const char *name)
{
	for (const char *line = text; *line;) {
		const char *at = line, *expected = name;

		while (*expected && *at == *expected)
			at++, expected++;
		if (!*expected) {
			while (*at == '\t' || *at == ' ')
				at++;
			return at;
		}
		while (*line && *line++ != '\n')
			;
	}
	return 0;
}

/* Notes the target's size. Returns whether its main thread has ended; others may go on. */
static int look_at(struct holder *holder)
{
	char text[2048];
	long length = sys_pread(holder->status, text, sizeof(text) - 1, 0);
	uint64_t kilobytes = 0;

	if (length <= 0)
		return 1;
	text[length] = 0;
	const char *state = field(text, "State:"), *resident = field(text, "VmRSS:");

	if (resident) {
		while (*resident >= '0' && *resident <= '9')
			kilobytes = kilobytes * 10 + (uint64_t)(*resident++ - '0');
		holder->bytes = kilobytes * 1024;
		holder->seen = milliseconds_since_boot();
	}
	return state && (*state == 'Z' || *state == 'X');
}

/* ---- what it tells ------------------------------------------------------------------------- */

/* Overwrites the record in place; what is left of its room stays blank. */
static void write_record(const struct holder *holder, const struct line *line)
{
	size_t i = 0;

	for (; holder->record[i] && line->text[i]; i++)
		holder->record[i] = line->text[i];
	for (; holder->record[i]; i++)
		holder->record[i] = ' ';
}

static void record_state(const struct holder *holder)
{
	struct line line = {.length = 0};

	add(&line, holder->current ? "holding" : "waiting");
	write_record(holder, &line);
}

static void record_releasing(struct holder *holder)
{
	struct line line = {.length = 0};
	uint64_t died = milliseconds_since_boot();
	uint64_t bytes = holder->pagemap < 0 ? 0 : resident_bytes(holder->pagemap);

	if (bytes) {
		holder->bytes = bytes;
		holder->seen = died;
	}
	add(&line, "releasing bytes=");
	add_number(&line, holder->bytes);
	add(&line, " seen=");
	add_number(&line, holder->seen);
	add(&line, " died=");
	add_number(&line, died);
	write_record(holder, &line);
}

/* Nobody who reads it means that nobody wants the holder. */
static void report_armed(void)
{
	struct line line = {.length = 0};

	add(&line, "armed ");
	add_number(&line, (unsigned long)sys_getpid());
	add(&line, "\n");
	if (sys_write(REPORT, line.text, line.length) < 0)
		sys_exit_group(1);
	sys_close(REPORT);
}

/* ---- holding ------------------------------------------------------------------------------- */

static void let_go(struct holder *holder)
{
	if (holder->current)
		reader_let_go(&holder->readers, holder->current);
	holder->current = 0;
}

/*
 * Holds the address space that the target has now, then lets go of the one that it had. They are the same
 * if it has not exec'd: nothing is lost between the two, and no more has to be known.
 *
 * In the middle of an exec the new image has no arguments yet, and there is nothing to read for a while.
 * But a target whose main thread has ended shows nothing at all any more: what is held is still its own.
 */
static void hold_what_is_there(struct holder *holder)
{
	struct reader *each = holder->readers.each;
	struct reader *next = holder->current == &each[0] ? &each[1] : &each[0];

	/* It may be at the image before the last one, or on its way to it since then. */
	reader_let_go(&holder->readers, next);
	reader_join(next);
	for (int step = 1, waited = 0; waited < LONGEST_PARKING_MS; waited += step, step *= 2) {
		if (reader_park(&holder->readers, next, step) == PARKED) {
			let_go(holder);
			holder->current = next;
			look_at(holder);
			return;
		}
		if (look_at(holder) || is_dead_within(holder, step))
			return;
	}
	/* The old memory must not live on behind a new image that cannot be held. */
	let_go(holder);
}

/* Without an event that tells of an exec, the hold is taken anew once a second: a few microseconds. */
#define STEP_MS 1000

/* A target that renames itself without end makes as many events, and no more of our time than this. */
#define LEAST_PAUSE_MS 100

/*
 * Returns when the target is dead. Until then it wakes for three things:
 *
 *   - an exec, or a new name, of the target's main thread;
 *   - that thread's end. If the process is about to end as well, what is held must stay; if not, another
 *     thread may exec one day, which only the steps will find.
 *   - a second fault of the reader that holds: a stop, a freezer or a live patch has interrupted it. It
 *     would try again without sleep for ever, as it cannot see to the interruption before it has
 *     returned from the read (kernel-mode faults end for fatal signals only; fault_signal_pending in
 *     include/linux/sched/signal.h). So the other reader takes over.
 */
static void keep_holding(struct holder *holder)
{
	for (;;) {
		struct pollfd watched[] = {{.fd = holder->death, .events = POLLIN, .revents = 0},
					   {.fd = holder->exec.fd, .events = POLLIN, .revents = 0},
					   {.fd = holder->readers.faults, .events = POLLIN, .revents = 0}};
		int told = holder->exec.fd >= 0 && holder->current;

		sys_poll(watched, 3, told ? -1 : STEP_MS);
		if (watched[0].revents)
			return;
		if (watched[1].revents & POLLIN)
			exec_event_consume(&holder->exec);
		if (watched[1].revents & (POLLHUP | POLLERR))
			exec_event_close(&holder->exec);
		if ((watched[1].revents & POLLIN) || watched[2].revents || !told)
			hold_what_is_there(holder);
		record_state(holder);
		if (is_dead_within(holder, LEAST_PAUSE_MS))
			return;
	}
}

/* How long, in all but one millisecond, a parent that is slow to reap can put the release off. */
#define LONGEST_GRACE_MS 64

/*
 * Until its parent has reaped it, a dead target still has a status. Where many targets die at once, on few
 * CPUs, the first teardowns would else run before the last parent does: a kernel without preemption does
 * not interrupt them for it.
 */
static void let_parent_reap(const struct holder *holder)
{
	char byte;

	let_parent_run();
	for (long step = 2; step < LONGEST_GRACE_MS && sys_pread(holder->status, &byte, 1, 0) == 1; step *= 2)
		sys_sleep(step * NANOSECONDS_PER_MILLISECOND);
}

static __attribute__((noreturn)) void release(struct holder *holder)
{
	let_parent_reap(holder);
	record_releasing(holder);
	let_go(holder);
	reader_join(&holder->readers.each[0]);
	reader_join(&holder->readers.each[1]);
	sys_exit_group(0);
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
	ALLOW(exit_group),
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
	int environment;
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
	holder->pagemap = (int)sys_open_at(DIRECTORY, "pagemap", O_RDONLY | O_CLOEXEC);
	exec_event_open(&holder->exec, holder->target);
	return readers_open(&holder->readers, failure);
}

/* That of the teardown, and of the little that comes before; sched(7). Lowering it is always permitted. */
static void set_priority(const char *priority)
{
	if (priority[0] == 'l')
		sys_call3(__NR_setpriority, PRIO_PROCESS, 0, 19);
	if (priority[0] == 'i')
		sys_set_scheduler(SCHED_IDLE);
}

static int arm(struct holder *holder, struct failure *failure)
{
	if (settle(holder->target, failure) < 0)
		return -1;
	set_priority(holder->priority);
	if (close_all_but(REPORT, DIRECTORY, failure) < 0 || open_all(holder, failure) < 0 || drop_privileges(failure) < 0 ||
	    readers_start(&holder->readers, holder->cmdline, failure) < 0 ||
	    allow_only(allowed, sizeof(allowed) / sizeof(*allowed), SECCOMP_FILTER_FLAG_TSYNC, failure) < 0)
		return -1;
	sys_close(DIRECTORY);
	hold_what_is_there(holder);
	/* Asked last. The directory was the target's before the pidfd was opened: if the target lives now,
	 * every number that was used in between was its own. */
	if (is_dead_within(holder, 0))
		return fail(failure, "hold it before it ended", -ESRCH);
	if (!holder->current)
		return fail(failure, "read its arguments: it has none", 0);
	return 0;
}

/* Before anything is allocated, so that it is all accounted there. "0" is the writer; cgroups(7). */
static int enter_cgroups(unsigned count, struct failure *failure)
{
	for (unsigned i = 0; i < count; i++) {
		long result = sys_write((int)(FIRST_CGROUP + i), "0", 1);

		if (result < 0)
			return fail(failure, "enter a cgroup", result);
	}
	return 0;
}

static unsigned number(const char *digits)
{
	unsigned value = 0;

	for (; *digits >= '0' && *digits <= '9'; digits++)
		value = value * 10 + (unsigned)(*digits - '0');
	return value;
}

__attribute__((noreturn, used)) static void start(const long *stack)
{
	char *const *arguments = (char *const *)(stack + 1);
	static struct holder holder = {.exec = {.fd = -1}};
	struct failure failure = {0, 0};
	signal_set all = ~(signal_set)0;
	long result;

	if (stack[0] != 5) {
		fail(&failure, "make sense of its arguments", 0);
		give_up(&failure);
	}
	holder.target = (int)number(arguments[1]);
	holder.record = arguments[4];
	holder.priority = arguments[2];
	if (enter_cgroups(number(arguments[3]), &failure) < 0)
		give_up(&failure);
	if ((result = sys_signal_mask(SIG_SETMASK, &all, 0)) < 0 ||
	    (result = sys_call2(__NR_clone, SIGCHLD, 0)) < 0) {
		fail(&failure, "start a process", result);
		give_up(&failure);
	}
	if (result > 0)
		sys_exit_group(0);

	if (arm(&holder, &failure) < 0)
		give_up(&failure);
	record_state(&holder);
	report_armed();
	keep_holding(&holder);
	release(&holder);
}

PROGRAM_STARTS_WITH(start);

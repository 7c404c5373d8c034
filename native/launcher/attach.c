#include "attach.h"

#include "common/chars.h"
#include "common/pid_namespace.h"
#include "common/text.h"
#include "complain.h"
#include "environment.h"
#include "node.h"
#include "common/write_quietly.h"
#include "sys_process.h"

/*
 *   launcher, will be the target      waits for both; its signals and children stay as they were
 *     watcher                         no exec, so no exit signal; a session of its own
 *       async-teardown attach <pid>   Node.js
 *
 * A child that execs gets SIGCHLD as its exit signal, whatever it was made with: a target that starts with SIGCHLD
 * blocked would find one pending, and one that ignores it could not wait. The watcher does not exec, and has none.
 */

#define EXIT_OWN_FAILURE 125
#define LONGEST_ATTACH_SECONDS 30 /* a twentieth of a second is usual; without all of its threads Node.js may hang */
#define SIGNAL_BIT(number) ((signal_set)1 << ((number)-1))

static const char own_line[] = "async-teardown: ";

/* What the target is to be limited to may be too little for Node.js. A core of it helps nobody. */
static void set_limits(void)
{
	const int resources[] = {RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_NOFILE, RLIMIT_NPROC};
	struct rlimit64 limit;

	for (size_t i = 0; i < sizeof(resources) / sizeof(*resources); i++) {
		if (sys_get_limit(resources[i], &limit) < 0)
			continue;
		limit.rlim_cur = limit.rlim_max;
		sys_set_limit(resources[i], &limit); /* if not, Node.js may still do */
	}
	if (sys_get_limit(RLIMIT_CORE, &limit) == 0) {
		limit.rlim_cur = 0;
		sys_set_limit(RLIMIT_CORE, &limit);
	}
}

/* Nothing but the pipe is what the target has: a terminal, or a descriptor that it waits to see closed. */
static int set_descriptors(int report)
{
	int null = (int)sys_open("/dev/null", O_RDWR);
	int high = (int)sys_dup_above(report, 3);

	if (null < 0 || high < 0)
		return -1;
	if (null > 2)
		null = (int)sys_dup_above(null, 3);
	if (sys_dup_to(high, 2) < 0 || sys_dup_to(null, 0) < 0 || sys_dup_to(null, 1) < 0)
		return -1;
	sys_close_range(3, ~0U); /* before Linux 5.9, Node.js closes them on exec */
	return 0;
}

static void become_attach(const struct start *start, int launcher, enum priority priority, int report)
{
	static const char words[][8] = {"normal", "low", "idle"};
	static char attach[] = "attach", option[] = "--priority";
	struct text pid = {.length = 0};
	char *arguments[] = {attach, option, (char *)words[priority], pid.text, 0};
	char **environment = environment_copy(start->environment, 0);
	signal_set none = 0;

	text_add_number(&pid, (unsigned)launcher);
	if (set_descriptors(report) < 0 || !environment || sys_signal_mask(SIG_SETMASK, &none, 0) < 0) {
		complain("cannot prepare Node.js", 0, 0);
		return;
	}
	set_limits();
	/* Libraries that are meant for the target: Node.js may not start with them. */
	environment_drop(environment, "LD_");
	environment_drop(environment, "ASYNC_TEARDOWN=");
	become_node(start, arguments, environment);
}

/* The exit code of `attach`, or 125 where there was none; why is written for the launcher. */
static int watch(int child)
{
	const struct __kernel_timespec limit = {.tv_sec = LONGEST_ATTACH_SECONDS};
	signal_set ended = SIGNAL_BIT(SIGCHLD);
	struct text signal = {.length = 0};
	int is_hung, status = 0;
	long result;

	/* EINTR: stopped or frozen, and let go again; signal(7). */
	do
		result = sys_await_signal(&ended, &limit);
	while (result == -EINTR);
	is_hung = result == -EAGAIN;
	if (is_hung)
		sys_kill(child, SIGKILL);
	while (sys_wait4(child, &status, 0) == -EINTR)
		;
	if (is_hung) {
		complain("Node.js hung for 30 seconds and was ended; is the limit on processes (ulimit -u, pids.max) "
			 "too low for its threads?",
			 0, 0);
		return EXIT_OWN_FAILURE;
	}
	if ((status & 0x7f) == 0)
		return status >> 8 & 0xff;
	text_add_number(&signal, (unsigned)status & 0x7f);
	complain("Node.js was ended by signal ", signal.text, "; are the limits (ulimit -a) too low for it?");
	return EXIT_OWN_FAILURE;
}

/* Where the caller has closed its own, the pipe may be there already, and dup3(2) answers EINVAL. */
static int set_error_output(int report)
{
	return report == 2 ? 0 : (int)sys_dup_to(report, 2);
}

/* Never returns. What it complains of goes to the launcher. */
static void be_watcher(const struct start *start, int launcher, enum priority priority, int report)
{
	signal_set ended = SIGNAL_BIT(SIGCHLD);
	int watcher = sys_getpid();
	long child;

	/* A session of its own: a Ctrl-C that the target is meant to ignore must not end it. And nothing may outlive
	 * the launcher, which may have died already. */
	if (sys_setsid() < 0 || sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0) < 0 || sys_getppid() != launcher ||
	    sys_default_action(SIGCHLD) < 0 || sys_signal_mask(SIG_SETMASK, &ended, 0) < 0 ||
	    set_error_output(report) < 0)
		sys_exit_group(EXIT_OWN_FAILURE);
	child = sys_fork(SIGCHLD);
	if (child < 0) {
		complain("Node.js cannot be started: ", error_text(child), 0);
		sys_exit_group(EXIT_OWN_FAILURE);
	}
	if (child == 0) {
		if (sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0) == 0 && sys_getppid() == watcher)
			become_attach(start, launcher, priority, report);
		sys_exit_group(EXIT_OWN_FAILURE);
	}
	sys_exit_group(watch((int)child));
}

/* Reads to the end; what is too long for the message is not kept. */
static void read_report(int fd, struct message *report)
{
	char piece[256];

	for (;;) {
		long bytes = sys_read(fd, piece, sizeof(piece) - 1);

		if (bytes == -EINTR)
			continue;
		if (bytes <= 0)
			return;
		piece[bytes] = 0;
		message_add(report, piece);
	}
}

/* The last of our own lines is the reason; a crash of Node.js writes a page of others before. */
static void take_reason(struct message *report, struct message *reason)
{
	char *found = 0;

	for (char *line = report->text; *line;) {
		char *end = line + (chars_find(line, '\n') - line);

		if (chars_after(line, own_line))
			found = line + sizeof(own_line) - 1;
		line = *end ? end + 1 : end;
	}
	if (!found) {
		message_add(reason, "Node.js ended without a word");
		return;
	}
	found[chars_find(found, '\n') - found] = 0;
	message_add(reason, found);
}

static int start_watcher(const struct start *start, enum priority priority, int *report, struct message *reason)
{
	int ends[2], launcher = sys_getpid();
	long result = sys_pipe(ends, O_CLOEXEC), child;

	if (result < 0) {
		message_add(reason, "no pipe can be made: ");
		message_add(reason, error_text(result));
		return -1;
	}
	child = sys_fork(0);
	if (child == 0)
		be_watcher(start, launcher, priority, ends[1]);
	sys_close(ends[1]);
	*report = ends[0];
	if (child > 0)
		return (int)child;
	sys_close(ends[0]);
	message_add(reason, "no process can be made: ");
	message_add(reason, error_text(child));
	return -1;
}

int attach_holder(const struct start *start, enum priority priority, struct message *reason)
{
	static struct message report;
	int fd, status = 0, watcher;
	long result;

	if (children_leave_pid_namespace()) {
		message_add(reason, "children of this process go to another PID namespace, as after 'unshare --pid'; "
				    "with --fork as well it works");
		return -1;
	}
	report.length = 0;
	report.text[0] = 0;
	if ((watcher = start_watcher(start, priority, &fd, reason)) < 0)
		return -1;
	read_report(fd, &report);
	sys_close(fd);
	while ((result = sys_wait4(watcher, &status, (int)__WALL)) == -EINTR)
		;
	if (result >= 0 && status == 0) {
		if (report.length)
			write_quietly(report.text, report.length); /* what is not as it should be */
		return 0;
	}
	take_reason(&report, reason);
	return -1;
}

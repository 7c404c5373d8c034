/*
 * Entry for LD_PRELOAD: protects the process that ASYNC_TEARDOWN names, before its main.
 *
 *   ASYNC_TEARDOWN=pid=0000001234,ns=4026531836[,best-effort][,workers=2][,rate=1048576][,priority=idle]
 *
 * The PID is followed by its namespace (the number in /proc/self/ns/pid), because a container inside
 * the target may have a process with the same number. Both are ten digits, so that where they are all
 * zero, "whoever comes first", they can be claimed in place: the environment that the process hands on
 * then names it, and none of its children.
 *
 * Anything else is not for us, and the process starts as if we were not there.
 */
#include <asm/signal.h>

#include "helper/helper.h"
#include "common/text.h"
#include "common/sys.h"

#define DIGITS 10
#define SIGNAL_BIT(number) ((signal_set)1 << ((number) - 1))

struct protection {
	char *pid;
	char *namespace;
	int best_effort;
	struct release_options options;
};

/* Passes over a prefix; null where the text is another. */
static char *after(char *text, const char *prefix)
{
	while (text && *prefix)
		text = *text == *prefix++ ? text + 1 : 0;
	return text;
}

/* Passes over a word that need not be there. */
static int passed(char **text, const char *word)
{
	char *rest = after(*text, word);

	if (rest)
		*text = rest;
	return rest != 0;
}

/* Passes over digits. */
static uint64_t leading_number(char **text)
{
	uint64_t value = 0;

	for (; **text >= '0' && **text <= '9'; (*text)++)
		value = value * 10 + (uint64_t)(**text - '0');
	return value;
}

static int is_number(const char *digits)
{
	for (int i = 0; i < DIGITS; i++)
		if (digits[i] < '0' || digits[i] > '9')
			return 0;
	return 1;
}

static int read_protection(char *value, struct protection *protection)
{
	protection->pid = after(value, "pid=");
	if (!protection->pid || !is_number(protection->pid))
		return 0;
	protection->namespace = after(protection->pid + DIGITS, ",ns=");
	if (!protection->namespace || !is_number(protection->namespace))
		return 0;
	char *rest = protection->namespace + DIGITS;

	protection->best_effort = passed(&rest, ",best-effort");
	protection->options = (struct release_options){.workers = 0, .rate = 0, .priority = PRIORITY_NORMAL};
	if (passed(&rest, ",workers="))
		protection->options.workers = (unsigned)leading_number(&rest);
	if (passed(&rest, ",rate="))
		protection->options.rate = leading_number(&rest);
	if (passed(&rest, ",priority=low"))
		protection->options.priority = PRIORITY_LOW;
	else if (passed(&rest, ",priority=idle"))
		protection->options.priority = PRIORITY_IDLE;
	return !*rest;
}

static uint64_t number(const char *digits)
{
	uint64_t value = 0;

	for (int i = 0; i < DIGITS; i++)
		value = value * 10 + (uint64_t)(digits[i] - '0');
	return value;
}

static void write_digits(char *digits, uint64_t value)
{
	for (int i = DIGITS - 1; i >= 0; i--, value /= 10)
		digits[i] = (char)('0' + value % 10);
}

/* The number of our PID namespace, or 0 without /proc. */
static uint64_t pid_namespace(void)
{
	char link[64]; /* pid:[4026531836] */
	long bytes = sys_readlink("/proc/self/ns/pid", link, sizeof(link));
	uint64_t value = 0;

	for (long i = 0; i < bytes; i++)
		if (link[i] >= '0' && link[i] <= '9')
			value = value * 10 + (uint64_t)(link[i] - '0');
	return value;
}

static int is_for_us(struct protection *protection)
{
	uint64_t pid = (uint64_t)sys_getpid();

	if (number(protection->pid) == 0) {
		write_digits(protection->pid, pid);
		write_digits(protection->namespace, pid_namespace());
		return 1;
	}
	if (number(protection->pid) != pid)
		return 0;
	return number(protection->namespace) == 0 ||
	       number(protection->namespace) == pid_namespace();
}

/* ---- the one line that says why not -------------------------------------------------------- */

static const char *meaning(int error)
{
	switch (error) {
	case EAGAIN:
		return "EAGAIN: the limit on processes is reached, see 'ulimit -u' and pids.max of the cgroup";
	case ENOMEM:
		return "ENOMEM: no memory, or a limit on it is reached, see 'ulimit -v'";
	case EPERM:
		return "EPERM: forbidden, most likely by a seccomp filter";
	case ENOSYS:
		return "ENOSYS: the kernel does not have it, or a seccomp filter hides it";
	case EINVAL:
		return "EINVAL: this kernel does not know it";
	default:
		return 0;
	}
}

/* On stderr, if it takes it. Where it is a pipe that nobody reads, or a file at its limit, the signal for
 * that must not end a target that is to run. */
static void write_quietly(const struct text *line)
{
	signal_set all = ~(signal_set)0, before, pending = 0;
	signal_set caused = SIGNAL_BIT(SIGPIPE) | SIGNAL_BIT(SIGXFSZ);

	sys_signal_mask(SIG_SETMASK, &all, &before);
	sys_pending_signals(&pending);
	sys_write(2, line->text, line->length);
	caused &= ~pending;
	if (caused)
		sys_take_signal(&caused);
	sys_signal_mask(SIG_SETMASK, &before, 0);
}

static void report(const struct failure *failure, int best_effort)
{
	struct text line = {.length = 0};

	text_add(&line, "async-teardown: process ");
	text_add_number(&line, (unsigned)sys_getpid());
	text_add(&line, best_effort ? " runs unprotected" : " was not started, as it cannot be protected");
	text_add(&line, ": could not ");
	text_add(&line, failure->step);
	if (failure->error) {
		text_add(&line, " (");
		if (meaning(failure->error)) {
			text_add(&line, meaning(failure->error));
		} else {
			text_add(&line, "errno ");
			text_add_number(&line, (unsigned)failure->error);
		}
		text_add(&line, ")");
	}
	text_add(&line, best_effort ? "\n" : "; --best-effort would run it unprotected\n");
	write_quietly(&line);
}

/* ---- the entry ----------------------------------------------------------------------------- */

#define EXIT_OWN_FAILURE 125

/* glibc and musl both have it, but only musl is sure to have set it by now; glibc hands constructors
 * the environment, musl does not. */
extern char **__environ __attribute__((weak));

__attribute__((constructor)) static void protect_this_process(int argc, char **argv, char **envp)
{
	struct protection protection;
	struct failure failure = {0, 0};
	char *value = 0;

	(void)argc;
	(void)argv;
	for (char **entry = &__environ && __environ ? __environ : envp; *entry && !value; entry++)
		value = after(*entry, "ASYNC_TEARDOWN=");
	if (!value || !read_protection(value, &protection) || !is_for_us(&protection))
		return;
	if (helper_start(&protection.options, &failure) == 0)
		return;
	report(&failure, protection.best_effort);
	if (!protection.best_effort)
		sys_exit_group(EXIT_OWN_FAILURE);
}

/*
 * Entry for LD_PRELOAD: protects the process that ASYNC_TEARDOWN names, before its main. What the variable
 * says is in common/protection.h; a process that it does not name starts as if we were not there.
 */
#include "common/chars.h"
#include "common/protection.h"
#include "common/text.h"
#include "common/sys.h"
#include "common/write_quietly.h"
#include "helper/helper.h"

/* ---- the one line that says why not -------------------------------------------------------- */

static void report(const struct text *reason, int is_fatal)
{
	struct text line = {.length = 0};

	text_add(&line, "async-teardown: process ");
	text_add_number(&line, (unsigned)sys_getpid());
	text_add(&line, is_fatal ? " was not started, as it cannot be protected: " : " runs unprotected: ");
	text_add(&line, reason->text);
	text_add(&line, is_fatal ? "; --best-effort would run it unprotected\n" : "\n");
	write_quietly(line.text, line.length);
}

static void describe_unknown(struct text *reason, const char *field)
{
	char name[64];
	size_t length = 0;

	while (field[length] && field[length] != '/' && length < sizeof(name) - 1) {
		name[length] = field[length];
		length++;
	}
	name[length] = 0;
	text_add(reason, "could not understand '");
	text_add(reason, name);
	text_add(reason, "' in " PROTECTION_VARIABLE ", which another version may have written");
}

/* ---- the entry ----------------------------------------------------------------------------- */

#define EXIT_OWN_FAILURE 125

/* For the addon, which is another copy of the helper's code: whether this one has made a helper, and it lives. */
__attribute__((visibility("default"))) int async_teardown_helper_lives(void)
{
	return helper_lives();
}

/* ---- children by fork, where that is asked for ----------------------------------------------- */

/* What glibc and musl have for it; the one that is not there is null. No other call of a libc is made here. */
extern int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *library)
	__attribute__((weak));
extern int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void)) __attribute__((weak));

static struct release_options options_of_children;

/*
 * In the child, which has one thread and its parent's handlers, before fork() returns. It runs on in any case: it is
 * somebody's worker. If it dies in here, its helper may not be armed yet, and it ends as it would without us.
 */
static void protect_child(void)
{
	struct failure failure = {0};
	struct text reason = {.length = 0};

	if (helper_start(&options_of_children, &failure) == 0)
		return;
	text_add_failure(&reason, &failure);
	report(&reason, 0);
}

static void follow_forks(const struct release_options *options)
{
	struct text reason = {.length = 0};
	int failed = 1;

	options_of_children = *options;
	if (__register_atfork)
		failed = __register_atfork(0, 0, protect_child, &options_of_children);
	else if (pthread_atfork)
		failed = pthread_atfork(0, 0, protect_child);
	if (!failed)
		return;
	text_add(&reason, "its libc did not let its children by fork be followed; they are not protected");
	report(&reason, 0);
}

/* ---- this process -------------------------------------------------------------------------------- */

/* Out of line: its room is on the target's stack, which may be small, only where it is needed. */
static __attribute__((noinline)) void give_up(const struct protection *protection, const struct failure *failure)
{
	struct text reason = {.length = 0};

	if (protection->unknown)
		describe_unknown(&reason, protection->unknown);
	else
		text_add_failure(&reason, failure);
	report(&reason, protection->strict);
	if (protection->strict)
		sys_exit_group(EXIT_OWN_FAILURE);
}

static void protect(char *value)
{
	struct protection protection;
	struct failure failure = {0};

	protection_read(value, &protection);
	if (!protection_names_us(&protection))
		return;
	protection_claim(&protection);
	if (protection.unknown || helper_start(&protection.options, &failure) < 0)
		give_up(&protection, &failure);
	if (protection.follow_forks)
		follow_forks(&protection.options);
}

/* glibc and musl both have it, but only musl is sure to have set it by now; glibc hands constructors
 * the environment, musl does not. */
extern char **__environ __attribute__((weak));

__attribute__((constructor)) static void protect_this_process(int argc, char **argv, char **envp)
{
	(void)argc;
	(void)argv;
	for (char **entry = &__environ && __environ ? __environ : envp; *entry; entry++) {
		const char *value = chars_after(*entry, PROTECTION_VARIABLE "=");

		if (value) {
			protect(*entry + (value - *entry));
			return;
		}
	}
}

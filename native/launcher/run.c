/*
 * This process becomes the command without a trace of itself: same PID, descriptors, signals, limits. Nothing here
 * depends on the environment that is meant for the command, on /proc, or on Node.js; only a holder needs that.
 */
#include "run.h"

#include "attach.h"
#include "command/find.h"
#include "command/library.h"
#include "command/protectable.h"
#include "command/variables.h"
#include "common/chars.h"
#include "common/pid_namespace.h"
#include "common/protection.h"
#include "complain.h"
#include "emulator.h"
#include "environment.h"
#include "execute.h"
#include "options.h"
#include "package.h"
#include "qemu.h"

#define MOST_VARIABLES 3
#define NO_RATE "a holder gives all back in one go, at no rate"

struct plan {
	const struct start *start;
	struct run_options options;
	struct surroundings surroundings;
	char file[LONGEST_PATH];
	char **environment; /* of the command */
	int is_protected;
	struct refusal refusal;
};

/* ---- by a helper ---------------------------------------------------------------------------- */

/* "NAME=" and room for a value. */
static char *take_variable(const char *name, size_t bytes, char **value)
{
	size_t length = chars_length(name);
	char *variable = take_memory(length + 1 + bytes);

	if (!variable)
		return 0;
	for (size_t i = 0; i < length; i++)
		variable[i] = name[i];
	variable[length] = '=';
	*value = variable + length + 1;
	return variable;
}

static int set_preload(struct plan *plan, const char *library)
{
	const char *inherited = start_variable(plan->environment, "LD_PRELOAD");
	char *value, *variable = take_variable("LD_PRELOAD", preload_value(0, inherited, library), &value);

	if (!variable)
		return -1;
	preload_value(value, inherited, library);
	environment_set(plan->environment, variable);
	return 0;
}

static int set_asan_options(struct plan *plan)
{
	const char *inherited = start_variable(plan->environment, "ASAN_OPTIONS");
	char *value, *variable = take_variable("ASAN_OPTIONS", asan_options_value(0, inherited), &value);

	if (!variable)
		return -1;
	asan_options_value(value, inherited);
	environment_set(plan->environment, variable);
	return 0;
}

static void set_protection(struct plan *plan)
{
	static struct text variable = {.length = 0};
	const struct protection protection = {
		.pid = (uint64_t)sys_getpid(),
		.namespace = own_pid_namespace(),
		.strict = !plan->options.best_effort,
		.follow_forks = plan->options.follow_forks,
		.options = plan->options.release,
	};

	text_add(&variable, PROTECTION_VARIABLE "=");
	protection_write(&variable, &protection);
	environment_set(plan->environment, variable.text);
}

static int no_memory(struct plan *plan)
{
	return refuse_helper(&plan->refusal, ERR_LIBRARY, plan->file, "no memory can be had");
}

static int is_same_file(const char *file, const char *folder, const char *name)
{
	static char path[LONGEST_PATH];
	struct stat one, other;

	return package_path(path, folder, 0, name) == 0 && sys_stat_at(AT_FDCWD, path, &one) == 0 &&
	       sys_stat_at(AT_FDCWD, file, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* The launcher is static, but becomes something else, and knows what can protect that. */
static int is_launcher(const char *file, const char *folder)
{
	return is_same_file(file, folder, "/async-teardown") || is_same_file(file, folder, "/qemu-async-teardown");
}

static int by_helper(struct plan *plan)
{
	static char folder[LONGEST_PATH], library[LONGEST_PATH];
	static struct walk walk;
	int is_asan = 0;

	if (package_find(plan->start, folder) < 0 || package_path(library, folder, 0, "/libasync-teardown.so") < 0)
		return refuse_helper(&plan->refusal, ERR_NOT_BUILT, plan->file,
				     "async-teardown cannot find its own library; is /proc mounted?");
	if (check_protectable(plan->file, &plan->surroundings, &walk, &is_asan, &plan->refusal) < 0 &&
	    !is_launcher(plan->file, folder))
		return -1;
	if (library_check(library, &plan->surroundings, &plan->refusal) < 0)
		return -1;
	if (set_preload(plan, library) < 0 || (is_asan && set_asan_options(plan) < 0))
		return no_memory(plan);
	set_protection(plan);
	return 0;
}

/* ---- by a holder ---------------------------------------------------------------------------- */

static int by_holder(struct plan *plan)
{
	refuse_with(&plan->refusal, ERR_HOLDER, "", "", "");
	return attach_holder(plan->start, plan->options.release.priority, &plan->refusal.message);
}

static int by_either(struct plan *plan)
{
	struct message *message = &plan->refusal.message;

	if (by_helper(plan) == 0)
		return 0;
	if (refusal_exit_code(plan->refusal.code) != 125)
		return -1;
	message_add(message, "; nor by a holder: ");
	if (plan->options.release.rate == 0)
		return attach_holder(plan->start, plan->options.release.priority, message);
	message_add(message, NO_RATE);
	return -1;
}

/* ---- by the way that is asked for --------------------------------------------------------------- */

/* By one way; with best effort, one that fails is left out with a word. */
static int attempt(struct plan *plan, int (*protect)(struct plan *), const char *without)
{
	if (protect(plan) == 0) {
		plan->is_protected = 1;
		return 0;
	}
	if (!plan->options.best_effort)
		return -1;
	complain(plan->refusal.message.text, "; it runs ", without);
	return 0;
}

static int protect(struct plan *plan)
{
	switch (plan->options.mechanism) {
	case MECHANISM_AUTO:
		return attempt(plan, by_either, "unprotected");
	case MECHANISM_HELPER:
		return attempt(plan, by_helper, "unprotected");
	case MECHANISM_HOLDER:
		return attempt(plan, by_holder, "unprotected");
	case MECHANISM_BOTH:
		break;
	}
	return attempt(plan, by_helper, "without that") < 0 ? -1 : attempt(plan, by_holder, "without that");
}

static int check_usage(struct plan *plan)
{
	struct run_options *options = &plan->options;

	if (options->mechanism == MECHANISM_HOLDER && options->release.rate)
		return refuse_with(&plan->refusal, ERR_USAGE, "--rate needs a helper: ", NO_RATE, "");
	if (!options->follow_forks)
		return 0;
	if (options->mechanism == MECHANISM_AUTO) /* a holder instead would hold one that soon ends */
		options->mechanism = MECHANISM_HELPER;
	if (options->mechanism == MECHANISM_HELPER)
		return 0;
	return refuse_with(&plan->refusal, ERR_USAGE, "what forks to stay (--follow-forks, QEMU's -daemonize) needs ",
			   "--mechanism helper: a holder holds one process", "");
}

/* ---- QEMU, which can do so itself -------------------------------------------------------------- */

/* Our protection takes the place of QEMU's own, which older and newer ones do not have, or call otherwise. */
static int protect_qemu(struct plan *plan, const struct qemu_options *qemu)
{
	if (!qemu->off && protect(plan) < 0)
		return -1;
	if (qemu->on ? !plan->is_protected : !qemu->off)
		return 0;
	return qemu_take_off(plan->options.command) < 0 ? no_memory(plan) : 0;
}

/* It would start itself for ever. */
static int refuse_itself(struct plan *plan)
{
	static char folder[LONGEST_PATH];

	if (package_find(plan->start, folder) < 0 || !is_launcher(plan->file, folder))
		return 0;
	refuse(&plan->refusal, ERR_NOT_EXECUTABLE, plan->file, " is async-teardown itself, and no QEMU");
	plan->refusal.advice = "name the real one in the variable " EMULATOR_VARIABLE;
	return -1;
}

/* ---- all of it -------------------------------------------------------------------------------------- */

int run_help(void)
{
	long result = options_print_help();

	if (result == 0)
		return 0;
	complain("standard output cannot be written: ", error_text(result), 0);
	return 125;
}

static void warn_of_config(char **command)
{
	const char *file = qemu_unheeded_file(command);

	if (file)
		complain(file, ": QEMU does not heed async-teardown in a file of -readconfig",
			 "; say -run-with async-teardown=on or =off on its command line");
}

/* Becomes the command of the plan, whose options are known. Returns only an exit code. */
static int become(struct plan *plan, const struct qemu_options *qemu)
{
	plan->options.follow_forks |= qemu->daemonize;
	if (check_usage(plan) < 0)
		return complain_of(&plan->refusal);
	if (!(plan->environment = environment_copy(plan->start->environment, MOST_VARIABLES))) {
		complain("no memory can be had", 0, 0);
		return 125;
	}
	if (protect_qemu(plan, qemu) < 0)
		return complain_of(&plan->refusal);
	return execute(plan->file, plan->options.command, plan->environment);
}

int run(const struct start *start, char **words)
{
	static struct plan plan;
	struct refusal *refusal = &plan.refusal;

	plan.start = start;
	plan.surroundings = own_surroundings(start_variable(start->environment, "PATH"));
	if (options_parse(words, &plan.options, refusal) < 0)
		return complain_of(refusal);
	if (plan.options.wants_help)
		return run_help();
	char **command = plan.options.command;

	if (find_command(command[0], &plan.surroundings, plan.file, refusal) < 0)
		return complain_of(refusal);
	struct qemu_options qemu = {0};

	if (qemu_is(plan.file)) {
		qemu = qemu_read(command);
		warn_of_config(command);
	}
	return become(&plan, &qemu);
}

int run_emulator(const struct start *start)
{
	static struct plan plan;
	static char *no_words[] = {0, 0};
	char **command = start->arguments[0] ? start->arguments : no_words;

	plan.start = start;
	plan.surroundings = own_surroundings(start_variable(start->environment, "PATH"));
	/* A machine that ran before is not kept from starting: what is wrong is in its log. */
	plan.options = (struct run_options){.mechanism = MECHANISM_HELPER, .best_effort = 1, .command = command};
	if (emulator_find(start, &plan.surroundings, plan.file, &plan.refusal) < 0 || refuse_itself(&plan) < 0)
		return complain_of(&plan.refusal);
	command[0] = plan.file; /* so that its messages are its own */
	struct qemu_options qemu = qemu_read(command);

	if (qemu.only_answers)
		return execute(plan.file, command, start->environment);
	warn_of_config(command);
	return become(&plan, &qemu);
}

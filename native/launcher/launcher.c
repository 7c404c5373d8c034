/*
 * The command `async-teardown`: starts its JavaScript, and execs the target of `run`.
 *
 * `run` has to become the command without a trace of itself: same PID, same descriptors, signals,
 * limits. A process that has been Node.js cannot: before the first line of JavaScript, Node.js resets
 * every signal disposition and the mask, raises RLIMIT_NOFILE, sets close-on-exec on all it inherited
 * and opens /dev/null where 0, 1 or 2 was closed. So for `run` this process stays what it was, and a
 * child, the planner, is Node.js: it decides everything and writes what is to be executed, the plan,
 * to a pipe:
 *
 *   path \0 index of COMMAND in our argv \0 { NAME=VALUE \0 } \0
 *
 * Where there is nothing to execute, the path is empty and the planner's exit code is ours. A planner
 * that writes no plan at all was none.
 *
 * Every other subcommand simply is Node.js.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "complain.h"
#include "planner.h"

#define EXIT_OWN_FAILURE 125
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127

static int same_name(const char *variable, const char *other)
{
	size_t length = strcspn(variable, "=");

	return strncmp(variable, other, length + 1) == 0;
}

/* Puts `variable` in place of the first of its name, or behind all others. Further ones of the name go:
 * who reads an environment does not agree on which of them counts. */
static void set_variable(char **environment, char *variable)
{
	char **kept = environment;
	int placed = 0;

	for (char **entry = environment; *entry; entry++) {
		int same = same_name(variable, *entry);

		if (!same)
			*kept++ = *entry;
		else if (!placed++)
			*kept++ = variable;
	}
	if (!placed)
		*kept++ = variable;
	*kept = NULL;
}

/* As a shell and execvp(3) do, a file that is in no format the kernel knows is a script for sh. */
static void exec_as_script(const char *path, char **arguments, char **environment)
{
	size_t count = 0;

	while (arguments[count])
		count++;
	char **all = calloc(count + 2, sizeof(*all));

	if (!all)
		return;
	all[0] = "sh";
	all[1] = (char *)path;
	memcpy(all + 2, arguments + 1, (count - 1) * sizeof(*all));
	execve("/bin/sh", all, environment);
}

static int exec_target(const char *path, char **arguments, char **environment)
{
	execve(path, arguments, environment);
	if (errno == ENOEXEC)
		exec_as_script(path, arguments, environment);
	int error = errno;

	complain("cannot execute '%s': %s", path, strerror(error));
	return error == ENOENT || error == ENOTDIR ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

static int carry_out(const struct plan *plan, int argc, char **argv)
{
	const char *at = plan->text, *end = plan->text + plan->bytes;
	const char *path = at;
	size_t variables = 0, count = 0;

	at += strlen(at) + 1;
	int command = atoi(at);

	for (const char *scan = at; scan < end; scan += strlen(scan) + 1)
		variables++;
	while (environ[count])
		count++;
	char **environment = calloc(count + variables + 1, sizeof(*environment));

	if (!environment || command < 2 || command >= argc) {
		complain("got a plan that it cannot carry out");
		return EXIT_OWN_FAILURE;
	}
	memcpy(environment, environ, count * sizeof(*environment));
	for (at += strlen(at) + 1; at < end && *at; at += strlen(at) + 1)
		set_variable(environment, (char *)at);
	return exec_target(path, argv + command, environment);
}

static int is_complete(const struct plan *plan)
{
	return plan->bytes >= 2 && plan->text[plan->bytes - 1] == 0 && plan->text[plan->bytes - 2] == 0;
}

static int takes_value(const char *option)
{
	static const char *const names[] = {"--mechanism", "--workers", "--rate", "--priority"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(option, names[i]) == 0)
			return 1;
	return 0;
}

/* With --best-effort a command runs even where Node.js cannot: no memory, no processes left, not in
 * the PATH of a service. The options of `run` stand before the first word without a dash, or "--". */
static int run_without_planner(int argc, char **argv)
{
	int best_effort = 0, at = 2;

	for (; at < argc && argv[at][0] == '-' && strcmp(argv[at], "--") != 0; at++) {
		best_effort |= strcmp(argv[at], "--best-effort") == 0;
		if (takes_value(argv[at]))
			at++; /* its value is a word of its own */
	}
	if (at < argc && strcmp(argv[at], "--") == 0)
		at++;
	if (!best_effort || at >= argc)
		return EXIT_OWN_FAILURE;
	complain("runs '%s' unprotected", argv[at]);
	execvp(argv[at], argv + at);
	int error = errno;

	complain("cannot execute '%s': %s", argv[at], strerror(error));
	return error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

static int run(int argc, char **argv)
{
	static struct plan result;
	int code = run_planner(argv, &result);

	if (code == EXIT_NO_PLANNER)
		return run_without_planner(argc, argv);
	if (!is_complete(&result)) {
		complain("its planner (Node.js) failed with exit code %d and made no plan", code);
		return run_without_planner(argc, argv);
	}
	return result.text[0] == 0 ? code : carry_out(&result, argc, argv);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "run") == 0)
		return run(argc, argv);
	become_node(argc > 0 ? argv + 1 : argv, environ);
	return EXIT_OWN_FAILURE;
}

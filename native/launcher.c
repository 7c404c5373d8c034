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
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "namespace.h"

#define EXIT_OWN_FAILURE 125
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127

/* What the child says where it could not become Node.js. */
#define EXIT_NO_PLANNER 254

#ifndef NODE_OF_BUILD
#error "NODE_OF_BUILD is the Node.js to take where PATH has none"
#endif

extern char **environ;

/* Says it on stderr, if that takes it: where it is a pipe that nobody reads, the signal for that must not
 * end a command that is to run. */
__attribute__((format(printf, 1, 2))) static void complain(const char *format, ...)
{
	const struct timespec no_time = {0, 0};
	sigset_t broken_pipe, pending, before;
	va_list arguments;

	sigemptyset(&broken_pipe);
	sigaddset(&broken_pipe, SIGPIPE);
	sigpending(&pending);
	sigprocmask(SIG_BLOCK, &broken_pipe, &before);

	va_start(arguments, format);
	fputs("async-teardown: ", stderr);
	vfprintf(stderr, format, arguments);
	fputs("\n", stderr);
	va_end(arguments);

	if (!sigismember(&pending, SIGPIPE))
		sigtimedwait(&broken_pipe, NULL, &no_time);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

/* <package>/build/async-teardown -> <package>/dist/cli/main.js */
static int find_main(char *path)
{
	char own[PATH_MAX];
	ssize_t bytes = readlink("/proc/self/exe", own, sizeof(own) - 1);

	if (bytes < 0) {
		complain("cannot find its own files, as /proc/self/exe is not readable (%s); is /proc mounted?",
			 strerror(errno));
		return -1;
	}
	own[bytes] = 0;
	if (snprintf(path, PATH_MAX, "%s/dist/cli/main.js", dirname(dirname(own))) >= PATH_MAX) {
		complain("is installed under a path that is too long");
		return -1;
	}
	return 0;
}

/* Returns only when there is no Node.js. */
static void become_node(char **arguments, char **environment)
{
	char main[PATH_MAX];
	int count = 0;

	if (find_main(main) < 0)
		return;
	while (arguments[count])
		count++;
	char **all = calloc((size_t)count + 3, sizeof(*all));

	if (!all) {
		complain("out of memory");
		return;
	}
	all[0] = "node";
	all[1] = main;
	memcpy(all + 2, arguments, (size_t)count * sizeof(*all));
	execvpe("node", all, environment);
	execve(NODE_OF_BUILD, all, environment);
	complain("cannot start Node.js (%s): neither 'node' in PATH nor " NODE_OF_BUILD, strerror(errno));
}

/* ---- the planner --------------------------------------------------------------------------- */

static int starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/*
 * The environment of the planner: ours, but for what is meant for another Node.js, the target. With
 * NODE_OPTIONS=--inspect-brk the planner would wait for a debugger, with NODE_CHANNEL_FD it would
 * take over the target's IPC channel.
 */
static char **planner_environment(char *plan_variable)
{
	size_t count = 0, kept = 0;

	while (environ[count])
		count++;
	char **environment = calloc(count + 2, sizeof(*environment));

	if (!environment)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (!starts_with(environ[i], "NODE_"))
			environment[kept++] = environ[i];
	environment[kept] = plan_variable;
	return environment;
}

/* What the target is to be limited to may be too little for Node.js. */
static void lift_limits(void)
{
	const int resources[] = {RLIMIT_AS, RLIMIT_DATA, RLIMIT_NOFILE, RLIMIT_NPROC};
	struct rlimit limit;

	for (size_t i = 0; i < sizeof(resources) / sizeof(*resources); i++) {
		if (getrlimit(resources[i], &limit) < 0)
			continue;
		limit.rlim_cur = limit.rlim_max;
		setrlimit(resources[i], &limit); /* if not, Node.js may still do */
	}
}

static void become_planner(char **argv, int plan_fd, pid_t launcher)
{
	char variable[64];
	int above_stdio = fcntl(plan_fd, F_DUPFD, 3);
	int null = open("/dev/null", O_RDONLY);

	snprintf(variable, sizeof(variable), "ASYNC_TEARDOWN_PLAN=%d,%d", above_stdio, launcher);
	char **environment = planner_environment(variable);

	lift_limits();
	if (above_stdio < 0 || null < 0 || dup2(null, 0) < 0 || !environment ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) {
		complain("cannot prepare its planner: %s", strerror(errno));
		return;
	}
	become_node(argv + 1, environment);
}

/*
 * Runs the planner to its end, in a process between it and us. A child that execs gets SIGCHLD as its
 * exit signal, whatever it was made with: a target that starts with SIGCHLD blocked would find one
 * pending, and one that ignores it could not wait. This process does not exec, and has none.
 */
static int watch_planner(char **argv, int plan_fd, pid_t launcher)
{
	sigset_t none;
	int status;

	/* A session of its own: a Ctrl-C that the target is meant to ignore must not end the planner. And
	 * nothing may outlive the launcher. */
	sigemptyset(&none);
	if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
	    signal(SIGCHLD, SIG_DFL) == SIG_ERR || sigprocmask(SIG_SETMASK, &none, NULL) < 0) {
		complain("cannot prepare its planner: %s", strerror(errno));
		return EXIT_NO_PLANNER;
	}
	pid_t child = fork();

	if (child < 0) {
		complain("cannot start its planner (Node.js): %s", strerror(errno));
		return EXIT_NO_PLANNER;
	}
	if (child == 0) {
		become_planner(argv, plan_fd, launcher);
		_exit(EXIT_NO_PLANNER);
	}
	close(plan_fd);
	while (waitpid(child, &status, 0) < 0) {
		if (errno == EINTR)
			continue;
		complain("lost its planner (Node.js): %s", strerror(errno));
		return EXIT_NO_PLANNER;
	}
	if (WIFSIGNALED(status)) {
		complain("its planner (Node.js) was ended by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
		return EXIT_NO_PLANNER;
	}
	return WEXITSTATUS(status);
}

/* A plan is a path and two variables long; Linux allows no longer strings (MAX_ARG_STRLEN). */
struct plan {
	char text[3 * 128 * 1024];
	size_t bytes;
};

static int read_plan(int fd, struct plan *plan)
{
	for (;;) {
		ssize_t bytes = read(fd, plan->text + plan->bytes, sizeof(plan->text) - plan->bytes);

		if (bytes < 0 && errno == EINTR)
			continue;
		if (bytes < 0)
			return -1;
		if (bytes == 0)
			return 0;
		plan->bytes += (size_t)bytes;
	}
}

/* Returns the planner's exit code and its plan, or EXIT_NO_PLANNER where it did not do its work. */
static int run_planner(char **argv, struct plan *result)
{
	pid_t launcher = getpid();
	int pipe_fds[2], status, failed = 0;

	if (children_leave_pid_namespace()) {
		complain("cannot start its planner (Node.js): children of this process go to another PID "
			 "namespace, as after 'unshare --pid'; with --fork as well it works");
		return EXIT_NO_PLANNER;
	}
	if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
		complain("cannot make a pipe: %s", strerror(errno));
		return EXIT_NO_PLANNER;
	}
	pid_t child = (pid_t)syscall(SYS_clone, 0UL, NULL, NULL, NULL, 0UL); /* no exit signal */

	if (child == 0) {
		close(pipe_fds[0]);
		_exit(watch_planner(argv, pipe_fds[1], launcher));
	}
	if (child < 0)
		failed = errno;
	close(pipe_fds[1]);
	if (!failed && read_plan(pipe_fds[0], result) < 0)
		failed = errno;
	close(pipe_fds[0]);
	while (child > 0 && waitpid(child, &status, __WALL) < 0) {
		if (errno == EINTR)
			continue;
		failed = errno;
		break;
	}
	if (failed) {
		complain("cannot start its planner (Node.js): %s", strerror(failed));
		return EXIT_NO_PLANNER;
	}
	return WIFSIGNALED(status) ? EXIT_NO_PLANNER : WEXITSTATUS(status);
}

/* ---- the target ---------------------------------------------------------------------------- */

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

/* With --best-effort a command runs even where Node.js cannot: no memory, no processes left, not in
 * the PATH of a service. The options of `run` stand before the first word without a dash, or "--". */
static int run_without_planner(int argc, char **argv)
{
	int best_effort = 0, at = 2;

	for (; at < argc && argv[at][0] == '-' && strcmp(argv[at], "--") != 0; at++)
		best_effort |= strcmp(argv[at], "--best-effort") == 0;
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

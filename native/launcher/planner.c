#define _GNU_SOURCE
#include "planner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "complain.h"
#include "common/pid_namespace.h"

static const char script[] = "/dist/cli/main.js";
static const char node_of_build[] = "/build/node";
static const char npm_folder[] = "/lib/node_modules/async-teardown";
static const char node_of_npm[] = "/bin/node";

/* Finds the package by its launcher, <package>/build/<architecture>/async-teardown. */
static int find_package(char *path)
{
	ssize_t bytes = readlink("/proc/self/exe", path, PATH_MAX - 1);

	if (bytes < 0) {
		complain("cannot find its own files, as /proc/self/exe is not readable (%s); is /proc mounted?",
			 strerror(errno));
		return -1;
	}
	path[bytes] = 0;
	for (int depth = 0; depth < 3; depth++) {
		char *last = strrchr(path, '/');

		if (last)
			*last = 0;
	}
	return 0;
}

/* Appends a path inside the package. */
static int append(char *path, const char *package, const char *suffix)
{
	if (snprintf(path, PATH_MAX, "%s%s", package, suffix) < PATH_MAX)
		return 0;
	complain("is installed under a path that is too long");
	return -1;
}

/*
 * Where PATH has no Node.js, as in a service or under sudo, there is the one that built this package, or the
 * one beside the npm that installed it: <prefix>/bin/node of <prefix>/lib/node_modules/async-teardown.
 */
static void exec_other_node(char *package, char **arguments, char **environment)
{
	size_t length = strlen(package), suffix = sizeof(npm_folder) - 1;
	char node[PATH_MAX];

	if (append(node, package, node_of_build) < 0)
		return;
	execve(node, arguments, environment);
	if (length < suffix || strcmp(package + length - suffix, npm_folder) != 0)
		return;
	package[length - suffix] = 0;
	if (append(node, package, node_of_npm) < 0)
		return;
	execve(node, arguments, environment);
}

void become_node(char **arguments, char **environment)
{
	char package[PATH_MAX], main[PATH_MAX];
	int count = 0;

	if (find_package(package) < 0 || append(main, package, script) < 0)
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
	int error = errno;

	exec_other_node(package, all, environment);
	complain("cannot start Node.js (%s): there is no 'node' in PATH", strerror(error));
}

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
	environment[kept++] = plan_variable; /* before any other of its name */
	for (size_t i = 0; i < count; i++)
		if (!starts_with(environ[i], "NODE_"))
			environment[kept++] = environ[i];
	return environment;
}

/* A planner takes a twentieth of a second. One that cannot make all of its threads may hang for ever. */
#define LONGEST_PLANNING_SECONDS 30

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
	alarm(LONGEST_PLANNING_SECONDS); /* outlasts the exec, and ends Node.js, which does not catch it */
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
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
		complain("its planner (Node.js) hung for %d seconds and was ended; is the limit on processes "
			 "(ulimit -u) too low for its threads?",
			 LONGEST_PLANNING_SECONDS);
		return EXIT_NO_PLANNER;
	}
	if (WIFSIGNALED(status)) {
		complain("its planner (Node.js) was ended by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
		return EXIT_NO_PLANNER;
	}
	return WEXITSTATUS(status);
}

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

int run_planner(char **argv, struct plan *result)
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

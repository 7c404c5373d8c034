#include "node.h"

#include "command/find.h"
#include "common/chars.h"
#include "complain.h"
#include "environment.h"
#include "package.h"
#include "sys_process.h"

#define LEVELS_TO_PACKAGE 2 /* build/<architecture> */

/* <prefix>/lib/node_modules/async-teardown/build/<architecture>: npm's Node.js is in <prefix>/bin. */
#define LEVELS_TO_PREFIX 5
static const char npm_folder[] = "/lib/node_modules/async-teardown";

/*
 * The Node.js beside the npm that installed this package globally. Five levels above any other place is not to be
 * trusted: above /tmp/project/node_modules/async-teardown/build/x86_64 it is /tmp, where everybody may write. 0, or -1.
 */
static int find_node_of_npm(char file[LONGEST_PATH], const char *folder)
{
	size_t suffix = sizeof(npm_folder) - 1, length;

	if (package_path(file, folder, LEVELS_TO_PACKAGE, "") < 0)
		return -1;
	length = chars_length(file);
	if (length < suffix || !chars_equal(file + length - suffix, npm_folder))
		return -1;
	return package_path(file, folder, LEVELS_TO_PREFIX, "/bin/node");
}

/*
 * Executes the first Node.js that is there: the one in PATH; the one that built this package; the one beside the npm
 * that installed it; those where distributions and others put it, as PATH is short in a service or under sudo.
 */
static void exec_node(const char *folder, char **arguments, char **environment)
{
	static const char places[][24] = {"/usr/local/bin/node", "/usr/bin/node", "/usr/bin/nodejs"};
	struct surroundings surroundings = own_surroundings(start_variable(environment, "PATH"));
	static struct refusal ignored;
	static char file[LONGEST_PATH];

	if (find_command("node", &surroundings, file, &ignored) == 0)
		sys_execve(file, arguments, environment);
	if (package_path(file, folder, LEVELS_TO_PACKAGE, "/build/node") == 0)
		sys_execve(file, arguments, environment);
	if (find_node_of_npm(file, folder) == 0)
		sys_execve(file, arguments, environment);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		sys_execve(places[i], arguments, environment);
}

void become_node(const struct start *start, char **arguments, char **environment)
{
	static char folder[LONGEST_PATH], script[LONGEST_PATH];
	size_t count = 0;

	if (package_find(start, folder) < 0 ||
	    package_path(script, folder, LEVELS_TO_PACKAGE, "/dist/cli/main.js") < 0) {
		complain("cannot find its own files; is /proc mounted?", 0, 0);
		return;
	}
	while (arguments[count])
		count++;
	char **all = take_memory((count + 3) * sizeof(*all));
	char **own = environment_copy(environment, 0);

	if (!all || !own) {
		complain("cannot start Node.js: no memory", 0, 0);
		return;
	}
	all[0] = "node";
	all[1] = script;
	for (size_t i = 0; i < count; i++)
		all[i + 2] = arguments[i];
	/* What is meant for another Node.js: with NODE_OPTIONS=--inspect-brk ours would wait for a debugger, with
	 * NODE_CHANNEL_FD it would take over somebody's channel. */
	environment_drop(own, "NODE_");
	exec_node(folder, all, own);
	complain("cannot start Node.js: there is none in PATH, beside this package, or in /usr", 0, 0);
}

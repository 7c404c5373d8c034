/*
 * The command `async-teardown`. `run` is all here, and becomes the target; every other subcommand becomes Node.js.
 * By its second name, `qemu-async-teardown`, it becomes a QEMU.
 * A static program without a libc, so that it starts wherever and under whatever limits the target would.
 */
#include "common/chars.h"
#include "common/sys.h"
#include "emulator.h"
#include "node.h"
#include "run.h"

#define EXIT_OWN_FAILURE 125

static int is_word(const char *word, const char *expected)
{
	return word && chars_equal(word, expected);
}

__attribute__((noreturn, used)) static void launch(long *stack)
{
	struct start start = start_parse(stack);
	char **words = stack[0] > 0 ? start.arguments + 1 : start.arguments;

	if (emulator_is_meant(&start))
		sys_exit_group(run_emulator(&start));
	if (is_word(words[0], "run"))
		sys_exit_group(run(&start, words + 1));
	if (is_word(words[0], "help") && is_word(words[1], "run"))
		sys_exit_group(run_help());
	become_node(&start, words, start.environment);
	sys_exit_group(EXIT_OWN_FAILURE);
}

PROGRAM_STARTS_WITH(launch);

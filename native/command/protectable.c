#include "protectable.h"

#include "common/chars.h"

#define DEEPEST_SCRIPT 5 /* interpreters that are scripts themselves; execve(2) */
#define MOST_COMMANDS 8	 /* scripts of env that start scripts of env; then it is a ring, perhaps */

#define SHELL_OF_OTHERS "/bin/sh" /* execvp(3) */

enum step { REFUSED, NEXT_INTERPRETER, NEXT_COMMAND };

static int find(struct walk *walk, const char *command)
{
	return find_command(command, walk->surroundings, walk->file, walk->refusal);
}

/* The kernel takes an interpreter without a slash from the working directory, not from PATH. */
static int find_interpreter(struct walk *walk, const char *interpreter)
{
	char name[SHEBANG_BYTES + 2] = "./";
	char *at = name + 2;

	if (*chars_find(interpreter, '/'))
		return find(walk, interpreter);
	while ((*at++ = *interpreter++))
		;
	return find(walk, name);
}

static enum step follow(struct walk *walk)
{
	const struct shebang *shebang = &walk->executable.shebang;
	char command[SHEBANG_BYTES];

	if (find_interpreter(walk, shebang->interpreter) < 0)
		return REFUSED;
	if (!chars_equal(chars_base_name(shebang->interpreter), "env") || !*shebang->argument)
		return NEXT_INTERPRETER;
	if (env_argument_parse(shebang->argument, command) < 0)
		return NEXT_INTERPRETER; /* env itself is protected, and what it executes, if that can be */
	return find(walk, command) < 0 ? REFUSED : NEXT_COMMAND;
}

static int walk_on(struct walk *walk, int *is_asan)
{
	for (int depth = 0, commands = 0; commands < MOST_COMMANDS;) {
		executable_examine(walk->file, walk->surroundings, &walk->executable, walk->refusal);
		switch (walk->executable.kind) {
		case EXECUTABLE_UNKNOWN:
			return 0;
		case EXECUTABLE_REFUSED:
			return -1;
		case EXECUTABLE_PROGRAM:
			*is_asan = walk->executable.is_asan;
			return 0;
		case EXECUTABLE_OTHER:
		case EXECUTABLE_SCRIPT:
			break;
		}
		if (depth++ == DEEPEST_SCRIPT)
			return refuse(walk->refusal, ERR_NOT_EXECUTABLE, walk->file,
				      ": too many levels of script interpreters");
		if (walk->executable.kind == EXECUTABLE_OTHER) {
			if (find(walk, SHELL_OF_OTHERS) < 0)
				return -1;
			continue;
		}
		switch (follow(walk)) {
		case REFUSED:
			return -1;
		case NEXT_COMMAND:
			depth = 0;
			commands++;
			break;
		case NEXT_INTERPRETER:
			break;
		}
	}
	return 0;
}

int check_protectable(const char *file, const struct surroundings *surroundings, struct walk *walk, int *is_asan,
		      struct refusal *refusal)
{
	static const char why[] = "valgrind runs a program on a CPU of its own making, which can start no helper";

	walk->surroundings = surroundings;
	walk->refusal = refusal;
	*is_asan = 0;
	if (chars_equal(chars_base_name(file), "valgrind"))
		return refuse_helper(refusal, ERR_INSTRUMENTED, file, why);
	for (size_t i = 0; i < sizeof(walk->file); i++)
		if (!(walk->file[i] = file[i]))
			return walk_on(walk, is_asan);
	return 0; /* too long: execve(2) will say so */
}

/* What a script starts, by its first line. Nothing here reads a file. */
#ifndef ASYNC_TEARDOWN_SCRIPT_H
#define ASYNC_TEARDOWN_SCRIPT_H

#include <stddef.h>

/* The kernel looks no further into a script; BINPRM_BUF_SIZE. */
#define SHEBANG_BYTES 256

struct shebang {
	char interpreter[SHEBANG_BYTES];
	/* All that follows, as one argument: Linux does not split it. Empty where there is none. */
	char argument[SHEBANG_BYTES];
};

/* Reads `#!interpreter [argument]` as load_script() in fs/binfmt_script.c does. Whether it is one. */
int shebang_parse(const char *start, size_t bytes, struct shebang *shebang);

/*
 * The command that env(1) starts for this one argument. 0, and the command; or -1 where that is not certain: env
 * changes PATH or the loader's variables first, has options, or -S comes with quotes, escapes or ${NAME}.
 */
int env_argument_parse(const char *argument, char command[SHEBANG_BYTES]);

#endif

/* The options of `run`: one table, from which they are read and the help is printed. */
#ifndef ASYNC_TEARDOWN_OPTIONS_H
#define ASYNC_TEARDOWN_OPTIONS_H

#include "command/refusal.h"
#include "common/release_options.h"

enum mechanism { MECHANISM_AUTO, MECHANISM_HELPER, MECHANISM_HOLDER, MECHANISM_BOTH };

struct run_options {
	enum mechanism mechanism;
	int best_effort;
	int follow_forks;
	struct release_options release;
	int wants_help;
	char **command; /* and its arguments */
};

/* Reads the words behind `run`, up to the first that is no option. 0, or -1 with ERR_USAGE. */
int options_parse(char **words, struct run_options *options, struct refusal *refusal);

/* Prints `run --help`. 0, or a negative errno. */
long options_print_help(void);

#endif

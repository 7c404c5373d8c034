/* What one file is that is to be executed, and what a helper could do for it. */
#ifndef ASYNC_TEARDOWN_EXECUTABLE_H
#define ASYNC_TEARDOWN_EXECUTABLE_H

#include "find.h"
#include "script.h"

enum executable_kind {
	EXECUTABLE_UNKNOWN, /* it cannot be opened now, for no fault of its own */
	EXECUTABLE_PROGRAM, /* ELF; a helper can protect it */
	EXECUTABLE_SCRIPT,  /* what its first line names is next */
	EXECUTABLE_OTHER,   /* a shell's, where no binfmt_misc(5) takes it */
	EXECUTABLE_REFUSED,
};

struct executable {
	enum executable_kind kind;
	int is_asan; /* a program linked with AddressSanitizer's runtime */
	struct shebang shebang;
};

/* Looks at a file. Where a helper cannot protect it, says why in *refusal. */
void executable_examine(const char *name, const struct surroundings *surroundings, struct executable *executable,
			struct refusal *refusal);

#endif

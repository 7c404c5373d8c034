/* Whether a helper can protect what a command starts. Serves the launcher, and spawn() by the addon. */
#ifndef ASYNC_TEARDOWN_PROTECTABLE_H
#define ASYNC_TEARDOWN_PROTECTABLE_H

#include "executable.h"
#include "find.h"

/* Room for the walk from file to file: too much for a small stack. */
struct walk {
	char file[LONGEST_PATH];
	struct executable executable;
	const struct surroundings *surroundings;
	struct refusal *refusal;
};

/*
 * Follows `file` from script to interpreter, as the kernel does, and through `#!/usr/bin/env`. What cannot be
 * followed for certain is not refused. 0, and whether the program is linked with AddressSanitizer; or -1.
 */
int check_protectable(const char *file, const struct surroundings *surroundings, struct walk *walk, int *is_asan,
		      struct refusal *refusal);

#endif

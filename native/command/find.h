/* Where a command is, as a shell and execvp(3) look for it. */
#ifndef ASYNC_TEARDOWN_FIND_H
#define ASYNC_TEARDOWN_FIND_H

#include "common/sys_files.h"
#include "refusal.h"

/* What a process is when it executes a command. */
struct surroundings {
	const char *path; /* the value of its PATH; null where that is not set */
	int directory;	  /* where relative names start: AT_FDCWD, or a descriptor */
	unsigned real_user, effective_user;
	unsigned real_group, effective_group;
};

/* Those of this process. */
struct surroundings own_surroundings(const char *path);

/* Finds the file for a command: as it stands where it has a slash, otherwise the first executable one in PATH.
 * Refuses by ERR_NOT_FOUND or ERR_NOT_EXECUTABLE. 0, or -1. */
int find_command(const char *command, const struct surroundings *surroundings, char file[LONGEST_PATH],
		 struct refusal *refusal);

#endif

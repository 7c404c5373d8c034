#include "find.h"

#include "common/chars.h"

#define PATH_WHERE_NONE_IS_SET "/bin:/usr/bin" /* execvp(3) */

enum verdict { ABSENT, EXECUTABLE, OUT_OF_REACH, FORBIDDEN, DIRECTORY, BEHIND_FILE, LOOP, TOO_LONG };

struct surroundings own_surroundings(const char *path)
{
	return (struct surroundings){
		.path = path,
		.directory = AT_FDCWD,
		.real_user = sys_getuid(),
		.effective_user = sys_geteuid(),
		.real_group = sys_getgid(),
		.effective_group = sys_getegid(),
	};
}

static enum verdict why_not_there(long result)
{
	switch (result) {
	case -EACCES:
		return OUT_OF_REACH;
	case -ENOTDIR:
		return BEHIND_FILE;
	case -ELOOP:
		return LOOP;
	case -ENAMETOOLONG:
		return TOO_LONG;
	default:
		return ABSENT;
	}
}

static enum verdict judge(const char *file, const struct surroundings *surroundings)
{
	struct stat status;
	long result = sys_stat_at(surroundings->directory, file, &status);

	if (result < 0)
		return why_not_there(result);
	if (S_ISDIR(status.st_mode))
		return DIRECTORY;
	if (!S_ISREG(status.st_mode)) /* a FIFO would have us wait for a writer */
		return FORBIDDEN;
	return sys_access_at(surroundings->directory, file, MAY_EXECUTE) < 0 ? FORBIDDEN : EXECUTABLE;
}

/* Puts "directory/name" together, or the name alone for an empty directory. -1 where that is too long. */
static int join(char file[LONGEST_PATH], const char *directory, size_t length, const char *name)
{
	size_t bytes = chars_length(name) + 1, slash = length > 0;

	if (length + slash + bytes > LONGEST_PATH)
		return -1;
	for (size_t i = 0; i < length; i++)
		file[i] = directory[i];
	if (slash)
		file[length] = '/';
	for (size_t i = 0; i < bytes; i++)
		file[length + slash + i] = name[i];
	return 0;
}

static enum verdict search(const char *command, const struct surroundings *surroundings, char file[LONGEST_PATH])
{
	enum verdict found = ABSENT;
	const char *at = surroundings->path ? surroundings->path : PATH_WHERE_NONE_IS_SET;

	for (;; at++) {
		const char *end = chars_find(at, ':');

		if (join(file, at, (size_t)(end - at), command) == 0) {
			enum verdict verdict = judge(file, surroundings);

			/* As execvp(3): these two end the search. */
			if (verdict == EXECUTABLE || verdict == LOOP || verdict == TOO_LONG)
				return verdict;
			/* A directory that may not be searched is one without the command, and so is a file. */
			if (verdict == FORBIDDEN || verdict == DIRECTORY)
				found = verdict;
		}
		at = end;
		if (!*at)
			return found;
	}
}

static enum verdict look(const char *command, const struct surroundings *surroundings, char file[LONGEST_PATH])
{
	if (!*command)
		return ABSENT;
	if (join(file, "", 0, command) < 0)
		return TOO_LONG;
	return *chars_find(command, '/') ? judge(file, surroundings) : search(command, surroundings, file);
}

int find_command(const char *command, const struct surroundings *surroundings, char file[LONGEST_PATH],
		 struct refusal *refusal)
{
	switch (look(command, surroundings, file)) {
	case EXECUTABLE:
		return 0;
	case ABSENT:
		return refuse(refusal, ERR_NOT_FOUND, command, ": command not found");
	case DIRECTORY:
		return refuse(refusal, ERR_NOT_EXECUTABLE, command, " is a directory");
	case BEHIND_FILE:
		return refuse(refusal, ERR_NOT_EXECUTABLE, command, ": not a directory");
	case LOOP:
		return refuse(refusal, ERR_NOT_EXECUTABLE, command, ": too many levels of symbolic links");
	case TOO_LONG:
		return refuse(refusal, ERR_NOT_EXECUTABLE, command, ": file name too long");
	case OUT_OF_REACH:
	case FORBIDDEN:
		break;
	}
	return refuse(refusal, ERR_NOT_EXECUTABLE, command, ": permission denied");
}

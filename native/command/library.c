#include "library.h"

#include "common/chars.h"

/* Whether a user who is not this process's gets these permissions; path_resolution(7). Access control lists
 * are not looked at: what they add is unknown. */
static int has_mode(const struct stat *status, const struct surroundings *surroundings, unsigned bits)
{
	if (surroundings->effective_user == 0)
		return 1;
	if (status->st_uid == surroundings->effective_user)
		bits <<= 6;
	else if (status->st_gid == surroundings->effective_group)
		bits <<= 3;
	return (status->st_mode & bits) == bits;
}

/* For another user, who is not the one that this process is. */
static int may_other_read(const char *library, const struct surroundings *surroundings)
{
	char path[LONGEST_PATH];
	struct stat status;

	for (size_t i = 0; i < sizeof(path); i++) {
		int is_end = !library[i];

		if (i > 0 && (is_end || library[i] == '/')) {
			path[i] = 0;
			if (sys_stat_at(AT_FDCWD, path, &status) == 0 &&
			    !has_mode(&status, surroundings, is_end ? S_IROTH : S_IXOTH))
				return 0;
		}
		if (is_end)
			return 1;
		path[i] = library[i];
	}
	return 1;
}

/* The loader splits LD_PRELOAD at both, expands the last, and knows no way to quote them; ld.so(8). */
static int can_be_named(const char *library)
{
	for (const char *at = library; *at; at++)
		if (*at == ' ' || *at == ':' || *at == '$')
			return 0;
	return 1;
}

int library_check(const char *library, const struct surroundings *surroundings, struct refusal *refusal)
{
	int is_own = surroundings->effective_user == sys_geteuid() && surroundings->effective_group == sys_getegid();
	struct statfs mount;
	int is_noexec;
	long fd;

	if (!can_be_named(library)) {
		refuse_with(refusal, ERR_INSTALL_PATH,
			    "is installed under a path that LD_PRELOAD cannot name: ", library, "");
		refusal->advice = "install it where the path has no space, colon or dollar sign";
		return -1;
	}
	fd = sys_open(library, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -ENOENT) {
		refuse_with(refusal, ERR_NOT_BUILT, "its native part is not built: ", library, " is missing");
		refusal->advice = "install the package anew; in a clone, run 'npm run build' with a C compiler at hand";
		return -1;
	}
	is_noexec = fd >= 0 && sys_fstatfs((int)fd, &mount) == 0 && (mount.f_flags & MOUNT_NOEXEC);
	if (fd >= 0)
		sys_close((int)fd);
	if (is_noexec)
		refuse(refusal, ERR_LIBRARY, library, " is on a mount with noexec, and no program can load it");
	else if (fd == -EACCES || (!is_own && !may_other_read(library, surroundings)))
		refuse(refusal, ERR_LIBRARY, library, " cannot be read by the user that the program runs as");
	else
		return 0;
	refusal->advice = "install the package where every user may read and execute, as below /usr/lib";
	return -1;
}

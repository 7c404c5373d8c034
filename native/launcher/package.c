#include "package.h"

#include "common/chars.h"

#define MOST_LINKS 40 /* as the kernel follows; path_resolution(7) */

static size_t last_slash(const char *path)
{
	return (size_t)(chars_base_name(path) - path) - (*chars_find(path, '/') ? 1 : 0);
}

/* Puts `second` behind the first `length` bytes of `path`. */
static int replace_end(char path[LONGEST_PATH], size_t length, const char *second)
{
	if (length + chars_length(second) >= LONGEST_PATH)
		return -1;
	do
		path[length++] = *second;
	while (*second++);
	return 0;
}

/* By what was executed, relative to the working directory, link by link. */
static int find_by_name(const char *name, char path[LONGEST_PATH])
{
	char link[LONGEST_PATH];
	long bytes = 0;

	if (!name)
		return -1;
	if (name[0] != '/') {
		if (sys_getcwd(path, LONGEST_PATH) < 0 || path[0] != '/')
			return -1;
		bytes = (long)chars_length(path);
		path[bytes++] = '/';
	}
	if (replace_end(path, (size_t)bytes, name) < 0)
		return -1;
	for (int i = 0; i < MOST_LINKS; i++) {
		bytes = sys_readlink(path, link, sizeof(link) - 1);
		if (bytes < 0)
			return 0; /* no link */
		link[bytes] = 0;
		if (replace_end(path, link[0] == '/' ? 0 : last_slash(path) + 1, link) < 0)
			return -1;
	}
	return -1;
}

int package_find(const struct start *start, char folder[LONGEST_PATH])
{
	long bytes = sys_readlink("/proc/self/exe", folder, LONGEST_PATH - 1);

	if (bytes > 0 && folder[0] == '/')
		folder[bytes] = 0;
	else if (find_by_name(start->executed_name, folder) < 0)
		return -1;
	folder[last_slash(folder)] = 0;
	return 0;
}

int package_path(char path[LONGEST_PATH], const char *folder, int levels, const char *behind)
{
	if (replace_end(path, 0, folder) < 0)
		return -1;
	while (levels--)
		path[last_slash(path)] = 0;
	return replace_end(path, chars_length(path), behind);
}

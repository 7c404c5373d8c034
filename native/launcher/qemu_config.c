#include "qemu_config.h"

#include "common/sys_files.h" /* first: a libc's headers would hide S_ISREG of the kernel's */

#include "common/chars.h"

#define MOST_BYTES 65536 /* such files have a kilobyte or two */

static const char *skip_blanks(const char *at)
{
	while (*at == ' ' || *at == '\t')
		at++;
	return at;
}

/* A line of QEMU's is: blanks, a name, blanks, "=", a value in quotes; util/qemu-config.c. */
static int is_setting(const char *line)
{
	const char *behind = chars_after(skip_blanks(line), "async-teardown");

	return behind && *skip_blanks(behind) == '=';
}

/* What is read of it, with a NUL behind; empty where it is none to be read. A pipe is read only once. */
static const char *read_file(const char *file)
{
	static char text[MOST_BYTES + 1];
	struct stat status;
	long fd = sys_open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), bytes = 0, more;

	if (fd < 0)
		return text;
	if (sys_fstat((int)fd, &status) == 0 && S_ISREG(status.st_mode))
		while (bytes < MOST_BYTES && (more = sys_read((int)fd, text + bytes, (size_t)(MOST_BYTES - bytes))) > 0)
			bytes += more;
	text[bytes] = 0;
	sys_close((int)fd);
	return text;
}

int qemu_config_sets_teardown(const char *file)
{
	const char *line = read_file(file);

	while (*line) {
		if (is_setting(line))
			return 1;
		line = chars_find(line, '\n');
		line += *line != 0;
	}
	return 0;
}

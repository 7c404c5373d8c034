#include "status.h"

#include "sys.h"

/* Where a field's value begins in the text, or null. */
static const char *field(const char *text, const char *name)
{
	for (const char *line = text; *line;) {
		const char *at = line, *expected = name;

		while (*expected && *at == *expected)
			at++, expected++;
		if (!*expected) {
			while (*at == '\t' || *at == ' ')
				at++;
			return at;
		}
		while (*line && *line++ != '\n')
			;
	}
	return 0;
}

static uint64_t kilobytes(const char *digits)
{
	uint64_t number = 0;

	while (digits && *digits >= '0' && *digits <= '9')
		number = number * 10 + (uint64_t)(*digits++ - '0');
	return number * 1024;
}

struct status read_status(int fd)
{
	struct status status = {0, 0, 0};
	char text[4096]; /* with as many groups as anybody has */
	long length = sys_pread(fd, text, sizeof(text) - 1, 0);

	if (length <= 0)
		return status;
	text[length] = 0;
	const char *state = field(text, "State:"), *resident = field(text, "VmRSS:");

	status.state = state ? *state : 0;
	status.has_memory = resident != 0;
	/* Huge pages of a pool are not among the resident ones; fs/proc/task_mmu.c. */
	status.bytes = kilobytes(resident) + kilobytes(field(text, "HugetlbPages:"));
	return status;
}

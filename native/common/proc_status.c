#include "proc_status.h"

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

struct proc_status read_proc_status(int fd, char *room)
{
	struct proc_status status = {0, 0, 0, 0, 0};
	long length = sys_pread(fd, room, PROC_STATUS_BYTES - 1, 0);

	if (length <= 0)
		return status;
	room[length] = 0;
	const char *state = field(room, "State:"), *resident = field(room, "VmRSS:");

	if (state)
		status.state = *state;
	status.has_memory = resident != 0;
	/* Huge pages of a pool are not among the resident ones; fs/proc/task_mmu.c. */
	status.bytes = kilobytes(resident) + kilobytes(field(room, "HugetlbPages:"));
	status.anonymous_bytes = kilobytes(field(room, "RssAnon:"));
	status.swapped_bytes = kilobytes(field(room, "VmSwap:"));
	return status;
}

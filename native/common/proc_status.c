#include "proc_status.h"

#include "chars.h"
#include "sys.h"

#define MOST_KILOBYTES (((uint64_t)1 << 53) - 1)

/* Where a field's value begins in the text, or null. */
static const char *field(const char *text, const char *name)
{
	for (const char *line = text; *line;) {
		const char *value = chars_after(line, name);

		if (value) {
			while (*value == '\t' || *value == ' ')
				value++;
			return value;
		}
		line = chars_find(line, '\n');
		if (*line)
			line++;
	}
	return 0;
}

/* Bytes from "1234 kB"; 0 where there is no such field. */
static uint64_t kilobytes(const char *digits)
{
	return digits ? chars_number(&digits, MOST_KILOBYTES) * 1024 : 0;
}

struct proc_status proc_status_read(int fd, char *room)
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

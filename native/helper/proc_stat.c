#include "proc_stat.h"

#include "common/chars.h"
#include "common/sys.h"

/* "pid (name) state ppid …": the state is the third field. */
#define THREADS_FIELD 20

int proc_stat_says_dead(int fd)
{
	char text[512];
	long bytes = sys_pread(fd, text, sizeof(text) - 1, 0);

	if (bytes <= 0)
		return 1; /* ESRCH: reaped */
	text[bytes] = 0;

	const char *at = text + bytes;

	while (at > text && *at != ')') /* the name may hold anything; the fields behind it do not */
		at--;
	if (!at[1] || !at[2])
		return 1;
	if (at[2] != 'Z' && at[2] != 'X')
		return 0;
	for (int field = 2; field < THREADS_FIELD && *at; at++)
		if (*at == ' ')
			field++;
	return chars_is_digit(*at) && chars_number(&at, 2) <= 1 && *at == ' ';
}

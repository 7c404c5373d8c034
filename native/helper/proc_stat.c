#include "proc_stat.h"

#include "common/chars.h"
#include "common/sys.h"

/* "pid (name) state ppid …" */
#define NAME_FIELD 2
#define STATE_FIELD 3
#define THREADS_FIELD 20
#define CPU_FIELD 39

#define STAT_BYTES 1024

/* Where the last of the name is; the name may hold anything, the fields behind it do not. Null where it is reaped. */
static const char *read_stat(int fd, char *text)
{
	long bytes = sys_pread(fd, text, STAT_BYTES - 1, 0);

	if (bytes <= 0)
		return 0;
	text[bytes] = 0;
	while (bytes > 0 && text[bytes] != ')')
		bytes--;
	return text + bytes;
}

/* A field behind the name; the end of the text where there is none. */
static const char *find_field(const char *name_end, int wanted)
{
	const char *at = name_end;

	for (int field = NAME_FIELD; field < wanted && *at; at++)
		if (*at == ' ')
			field++;
	return at;
}

int proc_stat_says_dead(int fd)
{
	char text[STAT_BYTES];
	const char *name_end = read_stat(fd, text);

	if (!name_end)
		return 1;

	const char *state = find_field(name_end, STATE_FIELD), *threads = find_field(name_end, THREADS_FIELD);

	if (*state != 'Z' && *state != 'X')
		return *state == 0;
	return chars_is_digit(*threads) && chars_number(&threads, 2) <= 1 && *threads == ' ';
}

int proc_stat_cpu(int fd)
{
	char text[STAT_BYTES];
	const char *name_end = read_stat(fd, text), *cpu = name_end ? find_field(name_end, CPU_FIELD) : "";

	return chars_is_digit(*cpu) ? (int)chars_number(&cpu, 65536) : -1;
}

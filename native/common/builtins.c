/*
 * What a compiler may call even in freestanding code (gcc.gnu.org, "Standards"). The helper must find
 * it in its own text: libc's is unmapped while the helper still runs.
 */
#include <stddef.h>

void *memset(void *to, int byte, size_t bytes)
{
	char *at = to;

	while (bytes--)
		*at++ = (char)byte;
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
	char *at = to;
	const char *source = from;

	while (bytes--)
		*at++ = *source++;
	return to;
}

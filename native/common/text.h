/* A short text put together piece by piece, without a libc. */
#ifndef ASYNC_TEARDOWN_TEXT_H
#define ASYNC_TEARDOWN_TEXT_H

#include <stddef.h>

struct text {
	char text[512]; /* ends with a NUL; what is too long is cut */
	size_t length;
};

static inline void text_add(struct text *line, const char *text)
{
	while (*text && line->length < sizeof(line->text) - 1)
		line->text[line->length++] = *text++;
	line->text[line->length] = 0;
}

static inline void text_add_number(struct text *line, unsigned long value)
{
	char digits[21];
	char *first = digits + sizeof(digits) - 1;

	*first = 0;
	do {
		*--first = (char)('0' + value % 10);
	} while ((value /= 10) != 0);
	text_add(line, first);
}

#endif

/* Strings that end with a NUL, without a libc. */
#ifndef ASYNC_TEARDOWN_CHARS_H
#define ASYNC_TEARDOWN_CHARS_H

#include <stddef.h>
#include <stdint.h>

static inline size_t chars_length(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

static inline int chars_equal(const char *text, const char *other)
{
	while (*text && *text == *other)
		text++, other++;
	return *text == *other;
}

/* What follows a prefix; null where the text begins otherwise, or is null itself. */
static inline const char *chars_after(const char *text, const char *prefix)
{
	while (text && *prefix)
		text = *text == *prefix++ ? text + 1 : 0;
	return text;
}

/* The first place of a character, or that of the NUL. */
static inline const char *chars_find(const char *text, char character)
{
	while (*text && *text != character)
		text++;
	return text;
}

/* What follows the last slash. */
static inline const char *chars_base_name(const char *path)
{
	const char *name = path;

	for (; *path; path++)
		if (*path == '/')
			name = path + 1;
	return name;
}

static inline int chars_is_digit(char character)
{
	return character >= '0' && character <= '9';
}

/* Reads decimal digits, and passes over them. A number above `most`, which is at most 2^63, is `most` + 1. */
static inline uint64_t chars_number(const char **text, uint64_t most)
{
	uint64_t value = 0;

	for (; chars_is_digit(**text); (*text)++) {
		unsigned digit = (unsigned)(**text - '0');

		value = value > most / 10 || value * 10 + digit > most ? most + 1 : value * 10 + digit;
	}
	return value;
}

#endif

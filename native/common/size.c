#include "size.h"

#include "chars.h"

#define MOST (((uint64_t)1 << 53) - 1)

static uint64_t unit_of(char letter)
{
	switch (letter) {
	case 'k':
	case 'K':
		return (uint64_t)1 << 10;
	case 'm':
	case 'M':
		return (uint64_t)1 << 20;
	case 'g':
	case 'G':
		return (uint64_t)1 << 30;
	case 't':
	case 'T':
		return (uint64_t)1 << 40;
	default:
		return 0;
	}
}

uint64_t size_parse(const char *word)
{
	uint64_t fraction = 0, scale = 1, unit = 1, whole;
	const char *at = word;
	int has_point;

	if (!chars_is_digit(*at))
		return 0;
	whole = chars_number(&at, MOST);
	has_point = at[0] == '.' && chars_is_digit(at[1]);
	if (has_point)
		for (at++; chars_is_digit(*at); at++)
			if (scale < 1000000) /* further ones are less than a millionth of the unit */ {
				fraction = fraction * 10 + (uint64_t)(*at - '0');
				scale *= 10;
			}
	if (*at)
		unit = unit_of(*at++);
	else if (has_point)
		return 0; /* a part of a byte */
	if (unit == 0 || *at || whole > MOST / unit)
		return 0;
	uint64_t bytes = whole * unit + (fraction * unit + scale / 2) / scale;

	return bytes > MOST ? 0 : bytes;
}

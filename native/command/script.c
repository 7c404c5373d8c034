#include "script.h"

#include "common/chars.h"

static int is_blank(char character)
{
	return character == ' ' || character == '\t';
}

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && is_blank(*at))
		at++;
	return at;
}

/* The next blank, NUL, or the end. */
static const char *skip_word(const char *at, const char *end)
{
	while (at < end && *at && !is_blank(*at))
		at++;
	return at;
}

static void copy(char *to, const char *from, const char *end)
{
	while (from < end)
		*to++ = *from++;
	*to = 0;
}

int shebang_parse(const char *start, size_t bytes, struct shebang *shebang)
{
	const char *limit = start + (bytes < SHEBANG_BYTES ? bytes : SHEBANG_BYTES), *end = start, *word;

	if (bytes < 2 || start[0] != '#' || start[1] != '!')
		return 0;
	while (end < limit && *end != '\n')
		end++;
	word = skip_blanks(start + 2, end);
	/* Without the line's end, a name that fills the room may be cut short: the kernel executes none of it. */
	if (end == start + SHEBANG_BYTES && skip_word(word, end) == end)
		return 0;
	while (end > word && is_blank(end[-1]))
		end--;

	const char *behind = skip_word(word, end);

	if (behind == word)
		return 0;
	copy(shebang->interpreter, word, behind);
	word = behind < end && *behind ? skip_blanks(behind, end) : end;
	for (behind = word; behind < end && *behind;)
		behind++;
	while (behind > word && is_blank(behind[-1])) /* before a NUL */
		behind--;
	copy(shebang->argument, word, behind);
	return 1;
}

/* What follows -S and its like, or null. */
static const char *after_split(const char *argument)
{
	static const char options[][16] = {"-S", "-vS", "--split-string="};

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		const char *rest = chars_after(argument, options[i]);

		if (rest)
			return rest;
	}
	return 0;
}

static int decides_where_to_look(const char *assignment)
{
	return chars_after(assignment, "PATH=") || chars_after(assignment, "LD_") ||
	       chars_after(assignment, "ASYNC_TEARDOWN=");
}

int env_argument_parse(const char *argument, char command[SHEBANG_BYTES])
{
	const char *words = after_split(argument), *end = argument + chars_length(argument);

	if (!words) {
		if (argument[0] == '-' || *chars_find(argument, '='))
			return -1;
		copy(command, argument, end);
		return 0;
	}
	for (const char *at = words; *at; at++)
		if (*at == '\\' || *at == '\'' || *at == '"' || *at == '$' || *at == '#' || (*at < ' ' && *at != '\t'))
			return -1;
	for (const char *word = skip_blanks(words, end); word < end; word = skip_blanks(word, end)) {
		const char *behind = skip_word(word, end);

		copy(command, word, behind);
		if (command[0] == '-' || decides_where_to_look(command))
			return -1;
		if (!*chars_find(command, '='))
			return 0;
		word = behind;
	}
	return -1; /* variables alone: env would start the script again */
}

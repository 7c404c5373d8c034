#include "variables.h"

#include "common/chars.h"

#define ASAN_FLAG "verify_asan_link_order"

struct writer {
	char *to; /* null where bytes are only counted */
	size_t bytes;
};

static void write_one(struct writer *writer, char character)
{
	if (writer->to)
		writer->to[writer->bytes] = character;
	writer->bytes++;
}

static void write_text(struct writer *writer, const char *text, size_t length)
{
	while (length--)
		write_one(writer, *text++);
}

static int is_separator(char character)
{
	return character == ':' || character == ' ';
}

static const char *entry_end(const char *at)
{
	while (*at && !is_separator(*at))
		at++;
	return at;
}

/* Whether the entry is a copy of our library, perhaps another version's: two would make two helpers. */
static int is_ours(const char *entry, const char *end, const char *library)
{
	const char *name = chars_base_name(library);
	size_t length = chars_length(name), bytes = (size_t)(end - entry);

	if (bytes < length || (bytes > length && end[-(long)length - 1] != '/'))
		return 0;
	for (size_t i = 0; i < length; i++)
		if (end[(long)i - (long)length] != name[i])
			return 0;
	return 1;
}

size_t preload_value(char *to, const char *inherited, const char *library)
{
	struct writer writer = {.to = to, .bytes = 0};

	for (const char *at = inherited ? inherited : ""; *at;) {
		const char *end = entry_end(at);

		if (end > at && !is_ours(at, end, library)) {
			write_text(&writer, at, (size_t)(end - at));
			write_one(&writer, ':');
		}
		at = *end ? end + 1 : end;
	}
	write_text(&writer, library, chars_length(library) + 1);
	return writer.bytes;
}

static int has_flag(const char *options)
{
	for (; *options; options++)
		if (chars_after(options, ASAN_FLAG "="))
			return 1;
	return 0;
}

size_t asan_options_value(char *to, const char *inherited)
{
	static const char flag[] = ASAN_FLAG "=0";
	struct writer writer = {.to = to, .bytes = 0};
	const char *options = inherited ? inherited : "";

	write_text(&writer, options, chars_length(options));
	if (!has_flag(options)) {
		if (writer.bytes)
			write_one(&writer, ':');
		write_text(&writer, flag, sizeof(flag) - 1);
	}
	write_one(&writer, 0);
	return writer.bytes;
}

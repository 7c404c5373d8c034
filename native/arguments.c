#include "arguments.h"

#include "line.h"
#include "record.h"
#include "resident.h"

/* Overwrites the record in place; what is left of its room stays blank. */
static void write_record(const struct holder *holder, const struct line *line)
{
	size_t i = 0;

	for (; holder->record[i] && line->text[i]; i++)
		holder->record[i] = line->text[i];
	for (; holder->record[i]; i++)
		holder->record[i] = ' ';
}

void show_state(const struct holder *holder)
{
	struct line line = {.length = 0};

	add(&line, holder->current ? "holding" : "waiting");
	write_record(holder, &line);
}

void show_releasing(struct holder *holder)
{
	struct line line = {.length = 0};
	uint64_t died = milliseconds_since_boot();
	uint64_t bytes = resident_bytes(holder->pagemap);

	if (bytes) {
		holder->bytes = bytes;
		holder->seen = died;
	}
	describe_release(&line, holder->bytes, holder->seen, died);
	write_record(holder, &line);
}

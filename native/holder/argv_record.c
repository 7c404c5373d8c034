#include "argv_record.h"

#include "common/text.h"
#include "common/record.h"
#include "resident.h"

/* Overwrites the record in place; what is left of its room stays blank. */
static void write_record(const struct holder *holder, const struct text *line)
{
	size_t i = 0;

	for (; holder->record[i] && line->text[i]; i++)
		holder->record[i] = line->text[i];
	for (; holder->record[i]; i++)
		holder->record[i] = ' ';
}

void argv_record_show_state(const struct holder *holder)
{
	struct text line = {.length = 0};

	text_add(&line, holder->current ? "holding" : "waiting");
	write_record(holder, &line);
}

void argv_record_show_releasing(struct holder *holder)
{
	struct text line = {.length = 0};
	uint64_t died = milliseconds_since_boot();
	uint64_t bytes = resident_bytes(holder->pagemap);

	if (bytes) {
		holder->bytes = bytes;
		holder->seen = died;
	}
	record_add_release(&line, holder->started, holder->bytes + shared_bytes(&holder->shared), holder->seen, died);
	write_record(holder, &line);
}

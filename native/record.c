#include "record.h"

#include "line.h"
#include "resident.h"
#include "sys.h"

uint64_t milliseconds_since_boot(void)
{
	struct __kernel_timespec now = {0, 0};

	sys_clock(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)(now.tv_nsec / NANOSECONDS_PER_MILLISECOND);
}

/* Overwrites the record in place; what is left of its room stays blank. */
static void write_record(const struct holder *holder, const struct line *line)
{
	size_t i = 0;

	for (; holder->record[i] && line->text[i]; i++)
		holder->record[i] = line->text[i];
	for (; holder->record[i]; i++)
		holder->record[i] = ' ';
}

void record_state(const struct holder *holder)
{
	struct line line = {.length = 0};

	add(&line, holder->current ? "holding" : "waiting");
	write_record(holder, &line);
}

void record_releasing(struct holder *holder)
{
	struct line line = {.length = 0};
	uint64_t died = milliseconds_since_boot();
	uint64_t bytes = resident_bytes(holder->pagemap);

	if (bytes) {
		holder->bytes = bytes;
		holder->seen = died;
	}
	add(&line, "releasing bytes=");
	add_number(&line, holder->bytes);
	add(&line, " seen=");
	add_number(&line, holder->seen);
	add(&line, " died=");
	add_number(&line, died);
	write_record(holder, &line);
}

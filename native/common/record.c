#include "record.h"

#include "sys.h"

uint64_t milliseconds_since_boot(void)
{
	struct __kernel_timespec now = {0, 0};

	sys_clock(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)(now.tv_nsec / NANOSECONDS_PER_MILLISECOND);
}

void record_add_release(struct text *line, uint64_t started, uint64_t bytes, uint64_t seen, uint64_t died)
{
	text_add(line, "releasing bytes=");
	text_add_number(line, bytes);
	text_add(line, " seen=");
	text_add_number(line, seen - started);
	text_add(line, " died=");
	text_add_number(line, died - started);
}

void record_add_options(struct text *line, const struct release_options *options)
{
	if (options->rate) {
		text_add(line, " rate=");
		text_add_number(line, options->rate);
	}
	if (options->priority != PRIORITY_NORMAL)
		text_add(line, options->priority == PRIORITY_LOW ? " priority=low" : " priority=idle");
	text_add(line, " workers=");
}

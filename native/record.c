#include "record.h"

#include "sys.h"

uint64_t milliseconds_since_boot(void)
{
	struct __kernel_timespec now = {0, 0};

	sys_clock(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)(now.tv_nsec / NANOSECONDS_PER_MILLISECOND);
}

void describe_release(struct line *line, uint64_t bytes, uint64_t seen, uint64_t died)
{
	add(line, "releasing bytes=");
	add_number(line, bytes);
	add(line, " seen=");
	add_number(line, seen);
	add(line, " died=");
	add_number(line, died);
}

void describe_options(struct line *line, const struct release_options *options)
{
	if (options->rate) {
		add(line, " rate=");
		add_number(line, options->rate);
	}
	if (options->priority != PRIORITY_NORMAL)
		add(line, options->priority == PRIORITY_LOW ? " priority=low" : " priority=idle");
	add(line, " workers=");
}

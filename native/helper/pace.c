#include "pace.h"

#include "common/sys.h"

#define MICROSECONDS 1000000UL

/* So many pieces a second. A large page, of any kind that is not a huge one, is the least of them. */
#define PIECES_A_SECOND 100
#define LARGE_PAGE_BYTES ((size_t)64 << 10)

/* Where nothing is resident, the next pieces are larger: up to so many times. */
#define MOST_LARGER 8

/* What it has been late may be made good for, but no more than this: it would be a burst. */
#define MOST_LATE_US (MICROSECONDS / 20)

static uint64_t microseconds(void)
{
	struct __kernel_timespec now = {0, 0};

	sys_clock(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * MICROSECONDS + (uint64_t)now.tv_nsec / 1000;
}

static size_t usual_piece(const struct pace *pace)
{
	size_t bytes = (size_t)(pace->rate / PIECES_A_SECOND);

	return bytes < LARGE_PAGE_BYTES ? LARGE_PAGE_BYTES : bytes - bytes % LARGE_PAGE_BYTES;
}

static void begin(struct pace *pace)
{
	pace->before = proc_status_read(pace->status, pace->room).anonymous_bytes;
	pace->piece = usual_piece(pace);
	pace->began = microseconds();
}

/* When what is freed by now should have been freed. */
static uint64_t time_due(const struct pace *pace)
{
	return pace->began + pace->freed / pace->rate * MICROSECONDS +
	       pace->freed % pace->rate * MICROSECONDS / pace->rate;
}

int pace_keep(struct pace *pace)
{
	uint64_t freed_before = pace->freed;

	if (!pace->began) {
		begin(pace);
		return 0;
	}
	uint64_t left = proc_status_read(pace->status, pace->room).anonymous_bytes;

	pace->freed = left < pace->before ? pace->before - left : 0;
	if (pace->freed != freed_before)
		pace->piece = usual_piece(pace);
	else if (pace->piece < MOST_LARGER * usual_piece(pace))
		pace->piece *= 2;

	uint64_t now = microseconds(), due = time_due(pace);

	if (now > due + MOST_LATE_US)
		pace->began += now - due - MOST_LATE_US;
	if (now >= due)
		return 0;
	sys_sleep_for((due - now) / MICROSECONDS, (long)((due - now) % MICROSECONDS) * 1000);
	return 1;
}

#include "exec_event.h"

#include <linux/perf_event.h>

#include "sys.h"

/* A page for the header and one for records. Only the size that fits the kernel's own page is taken:
 * another one would hold a number of records pages that is not a power of two, which it refuses. */
static void map_ring(struct exec_event *event)
{
	const size_t page_bytes[] = {(size_t)64 << 10, (size_t)16 << 10, (size_t)4 << 10};

	for (size_t i = 0; i < sizeof(page_bytes) / sizeof(*page_bytes); i++) {
		event->ring = (void *)sys_call6(__NR_mmap, 0, (long)(2 * page_bytes[i]), PROT_READ | PROT_WRITE,
						MAP_SHARED, event->fd, 0);
		if (!sys_failed(event->ring))
			return;
	}
	exec_event_close(event); /* without a ring, it never becomes readable */
}

long exec_event_new(int pid)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_SOFTWARE,
		.size = PERF_ATTR_SIZE_VER0, /* what every kernel knows */
		.config = PERF_COUNT_SW_DUMMY,
		.comm = 1,
		.comm_exec = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.watermark = 1, /* wakeup_events would count samples only */
		.wakeup_watermark = 1,
	};
	const long every_cpu = -1, no_group = -1;

	return sys_call6(__NR_perf_event_open, (long)&attributes, pid, every_cpu, no_group, PERF_FLAG_FD_CLOEXEC, 0);
}

void exec_event_open(struct exec_event *event, int pid)
{
	event->fd = (int)exec_event_new(pid);
	if (event->fd >= 0)
		map_ring(event);
}

void exec_event_consume(struct exec_event *event)
{
	uint64_t head = __atomic_load_n(&event->ring->data_head, __ATOMIC_ACQUIRE);

	__atomic_store_n(&event->ring->data_tail, head, __ATOMIC_RELEASE);
}

void exec_event_close(struct exec_event *event)
{
	sys_close(event->fd);
	event->fd = -1;
}

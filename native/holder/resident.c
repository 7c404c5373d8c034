#include "resident.h"

#include "common/pagemap.h"
#include "common/sys.h"

#define LARGEST_PAGE ((uint64_t)64 << 10)
#define REGIONS 32

uint64_t resident_bytes(int pagemap)
{
	struct page_region regions[REGIONS];
	struct pagemap_scan scan = {
		.size = sizeof(scan),
		.end = ((uint64_t)1 << 56) - LARGEST_PAGE,
		.vec = (uintptr_t)regions,
		.vec_len = REGIONS,
		.category_inverted = PAGE_IS_ZERO_PAGE,
		.category_mask = PAGE_IS_IN_MEMORY | PAGE_IS_ZERO_PAGE,
		.return_mask = PAGE_IS_IN_MEMORY,
	};
	uint64_t bytes = 0;

	while (scan.start < scan.end) {
		long count = sys_ioctl(pagemap, PAGEMAP_SCAN_REQUEST, &scan);

		/* User space ends at a power of two, more or less, which depends on the machine. */
		if (count == -EFAULT && scan.start == 0) {
			scan.end = (scan.end + LARGEST_PAGE) / 2 - LARGEST_PAGE;
			continue;
		}
		if (count < 0 || scan.walk_end <= scan.start)
			return 0;
		for (long i = 0; i < count; i++)
			bytes += regions[i].end - regions[i].start;
		scan.start = scan.walk_end;
	}
	return bytes;
}

/* PAGEMAP_SCAN of linux/fs.h, which is younger than many kernel headers: Linux 6.7. */
#ifndef ASYNC_TEARDOWN_PAGEMAP_H
#define ASYNC_TEARDOWN_PAGEMAP_H

#include <linux/ioctl.h>
#include <stdint.h>

struct pagemap_scan {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

struct page_region {
	uint64_t start, end, categories;
};

#define PAGEMAP_SCAN_REQUEST _IOWR('f', 16, struct pagemap_scan)

#define PAGE_IS_IN_MEMORY ((uint64_t)1 << 3)
#define PAGE_IS_IN_SWAP ((uint64_t)1 << 4)
#define PAGE_IS_ZERO_PAGE ((uint64_t)1 << 5)

#endif

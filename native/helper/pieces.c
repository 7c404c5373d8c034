#include "pieces.h"

#include "common/pagemap.h"
#include "common/sys.h"

/* A cut within a huge page would split it. 2 MiB is the usual one. */
#define HUGE_PAGE_BYTES ((uintptr_t)2 << 20)
#define LARGEST_GAP_BYTES HUGE_PAGE_BYTES

void pieces_start(struct pieces *pieces, int maps, int pagemap, const struct own *own)
{
	pieces->pagemap = pagemap;
	maps_start(&pieces->reader, maps);
	pieces->own = own;
	pieces->run = pieces->ahead = (struct mapping){.start = 0, .end = 0, .is_private_memory = 1};
}

/* Whether there is a mapping ahead; -1 where it is not for us. */
static int look_ahead(struct pieces *pieces)
{
	if (!pieces->ahead.start && !maps_next(&pieces->reader, &pieces->ahead))
		return 0;
	return pieces->ahead.is_private_memory && !own_includes(pieces->own, &pieces->ahead) ? 1 : -1;
}

/*
 * Gaps do not matter to madvise(2); but a run that crossed the empty half of an address space would be millions of
 * calls. And where there are shadow stacks, one may have been put into a gap since we read of it.
 */
static int is_crossed(const struct pieces *pieces, uintptr_t gap)
{
	return gap == 0 || (gap <= LARGEST_GAP_BYTES && pieces->own->shadow_stack_count == 0);
}

/* Takes in what follows: a target may have tens of thousands of small mappings. What is not for us stays ahead of a run
 * until that is handed out: otherwise, the next call would lengthen the same run across it. */
static void lengthen(struct pieces *pieces, size_t bytes)
{
	struct mapping *run = &pieces->run, *ahead = &pieces->ahead;
	int found;

	while (mapping_bytes(run) < bytes && (found = look_ahead(pieces)) != 0) {
		if (mapping_bytes(run) == 0) {
			if (found > 0)
				*run = *ahead;
		} else if (found > 0 && is_crossed(pieces, ahead->start - run->end)) {
			run->end = ahead->end;
		} else {
			return;
		}
		ahead->start = 0;
	}
}

void piece_cut(struct mapping *run, size_t bytes, struct mapping *piece)
{
	*piece = *run;
	if (mapping_bytes(run) > bytes) {
		piece->end = run->start + bytes;
		if (bytes >= HUGE_PAGE_BYTES)
			piece->end -= piece->end % HUGE_PAGE_BYTES;
	}
	run->start = piece->end;
}

int pieces_next(struct pieces *pieces, size_t bytes, struct mapping *piece)
{
	lengthen(pieces, bytes);
	piece_cut(&pieces->run, bytes, piece);
	return mapping_bytes(piece) > 0;
}

void pieces_return(struct pieces *pieces, const struct mapping *piece)
{
	pieces->run.start = piece->start;
}

/* Where the first page of a range is, or its end; its start where the kernel cannot tell (before Linux 6.7). */
static uintptr_t first_page(int pagemap, uintptr_t start, uintptr_t end)
{
	struct page_region region;
	struct pagemap_scan scan = {
		.size = sizeof(scan),
		.start = start,
		.end = end,
		.vec = (uintptr_t)&region,
		.vec_len = 1,
		.max_pages = 1,
		.category_anyof_mask = PAGE_IS_IN_MEMORY | PAGE_IS_IN_SWAP,
		.return_mask = PAGE_IS_IN_MEMORY | PAGE_IS_IN_SWAP,
	};
	long found = sys_ioctl(pagemap, PAGEMAP_SCAN_REQUEST, &scan);

	if (found == 0)
		return end;
	return found > 0 ? (uintptr_t)region.start : start;
}

void pieces_skip_hole(struct pieces *pieces)
{
	struct mapping *run = &pieces->run;

	if (pieces->pagemap < 0)
		return;
	lengthen(pieces, HUGE_PAGE_BYTES);
	if (mapping_bytes(run) > 0)
		run->start = first_page(pieces->pagemap, run->start, run->end);
}

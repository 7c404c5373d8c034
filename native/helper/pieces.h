/* What private memory is released in: one piece after the other, in the order of their addresses. */
#ifndef ASYNC_TEARDOWN_PIECES_H
#define ASYNC_TEARDOWN_PIECES_H

#include <stddef.h>

#include "common/maps.h"
#include "own.h"

struct pieces {
	struct maps_reader reader;
	const struct own *own;
	int pagemap;	      /* /proc/self/pagemap; negative: nothing is known of holes */
	struct mapping run;   /* private mappings, and gaps between them, that are still to be handed out */
	struct mapping ahead; /* the one behind them; its start is 0 where none has been read */
};

/* Begins anew at the first mapping. */
void pieces_start(struct pieces *pieces, int maps, int pagemap, const struct own *own);

/* The next so many bytes that are private memory or gaps, or fewer. 0 where there is none. */
int pieces_next(struct pieces *pieces, size_t bytes, struct mapping *piece);

/* Takes back the last piece, as if it had not been handed out. */
void pieces_return(struct pieces *pieces, const struct mapping *piece);

/* Cuts so many bytes off the start of a run, or fewer. */
void piece_cut(struct mapping *run, size_t bytes, struct mapping *piece);

/*
 * Skips what holds no page, up to the end of a run of mappings at most. As cheap as to free a page or two, so only to be
 * called where the last piece held hardly any.
 */
void pieces_skip_hole(struct pieces *pieces);

#endif

/* What an address space is released in: one piece after the other, in the order in which they are to go. */
#ifndef ASYNC_TEARDOWN_PIECES_H
#define ASYNC_TEARDOWN_PIECES_H

#include <stddef.h>

#include "maps.h"
#include "own.h"

struct pieces {
	struct maps_reader reader;
	const struct own *own;
	int are_files_done;
	struct mapping run;   /* private mappings, and gaps between them, that are still to be handed out */
	struct mapping ahead; /* the one behind them; its start is 0 where none has been read */
};

/* Begins anew at the first mapping. */
void start_pieces(struct pieces *pieces, int maps, const struct own *own);

/* The next mapping of a file or of shared memory. 0 where there is none; then the others begin. */
int next_file(struct pieces *pieces, struct mapping *piece);

/* The next so many bytes that are private memory or gaps, or fewer. 0 where there is none. */
int next_private(struct pieces *pieces, size_t bytes, struct mapping *piece);

#endif

#include "nodes.h"

#include "numa.h"

#define ANY_NODE (-1)

/*
 * One page tells for the whole piece. With one look for each 2 MiB, a worker would have half a million of them behind
 * it before it came to its own part of a terabyte. So it looks less and less often; what it takes for another node's
 * by mistake is at most such a part of what it has passed.
 */
#define PASSED_PART 8

static size_t look_bytes(const struct nodes *nodes, size_t bytes)
{
	size_t part = nodes->last ? mapping_bytes(&nodes->last->run) / PASSED_PART : 0;

	return part > bytes ? part : bytes;
}

static int take_set_aside(struct nodes *nodes, int node, size_t bytes, struct mapping *piece)
{
	for (int i = 0; i < MOST_SET_ASIDE; i++) {
		struct set_aside *each = &nodes->set_aside[i];

		if ((node == ANY_NODE || each->node == node) && mapping_bytes(&each->run) > 0) {
			piece_cut(&each->run, bytes, piece);
			return 1;
		}
	}
	return 0;
}

static struct set_aside *find_room(struct nodes *nodes)
{
	for (int i = 0; i < MOST_SET_ASIDE; i++)
		if (mapping_bytes(&nodes->set_aside[i].run) == 0)
			return &nodes->set_aside[i];
	return 0;
}

/* Returns whether there was room. */
static int set_aside(struct nodes *nodes, int node, const struct mapping *piece)
{
	struct set_aside *last = nodes->last;

	if (last && last->node == node && last->run.end == piece->start) {
		last->run.end = piece->end;
		return 1;
	}
	last = find_room(nodes);
	if (!last)
		return 0;
	last->run = *piece;
	last->node = node;
	nodes->last = last;
	return 1;
}

int nodes_next(struct nodes *nodes, struct pieces *pieces, size_t bytes, struct mapping *piece)
{
	if (!nodes->is_on)
		return pieces_next(pieces, bytes, piece);

	int here = numa_node_of_caller();

	if (take_set_aside(nodes, here, bytes, piece))
		return 1;
	if (!pieces_next(pieces, look_bytes(nodes, bytes), piece))
		return take_set_aside(nodes, ANY_NODE, bytes, piece);

	int there = numa_node_of_page(piece->start);

	/* A negative one is nobody's: there may be little in it, which is soon released. */
	if (there >= 0 && there != here && set_aside(nodes, there, piece))
		return -1;
	pieces_return(pieces, piece);
	return pieces_next(pieces, bytes, piece);
}

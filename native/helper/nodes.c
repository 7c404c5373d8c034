#include "nodes.h"

#define ANY_NODE (-1)
#define NODE_WITHOUT_WORKER (-2)

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

static int is_of(const struct nodes *nodes, const struct set_aside *each, int node)
{
	if (node == NODE_WITHOUT_WORKER)
		return !nodes->has_worker[each->node];
	return node == ANY_NODE || node == each->node;
}

static int take_set_aside(struct nodes *nodes, int node, size_t bytes, struct mapping *piece)
{
	for (int i = 0; i < MOST_SET_ASIDE; i++) {
		struct set_aside *each = &nodes->set_aside[i];

		if (mapping_bytes(&each->run) > 0 && is_of(nodes, each, node)) {
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

	if (here >= 0)
		nodes->has_worker[here] = 1;
	if (take_set_aside(nodes, here, bytes, piece))
		return 1;
	if (!pieces_next(pieces, look_bytes(nodes, bytes), piece))
		return take_set_aside(nodes, NODE_WITHOUT_WORKER, bytes, piece) ||
		       take_set_aside(nodes, ANY_NODE, bytes, piece);

	int there = numa_node_of_page(piece->start);
	/* A negative one is nobody's: there may be little in it, which is soon released. */
	int is_for_others = there >= 0 && there != here;

	if (is_for_others && set_aside(nodes, there, piece))
		return -1;
	pieces_return(pieces, piece);
	/* Otherwise the pieces of a node without a worker would end up in all places, and stay there. */
	if (is_for_others && take_set_aside(nodes, NODE_WITHOUT_WORKER, bytes, piece))
		return 1;
	return pieces_next(pieces, bytes, piece);
}

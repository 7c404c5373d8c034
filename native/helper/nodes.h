/*
 * Who gets which piece on a machine with several NUMA nodes: a worker gets memory of the node it runs on, as long as
 * there is any. On other machines, pieces in their order.
 */
#ifndef ASYNC_TEARDOWN_NODES_H
#define ASYNC_TEARDOWN_NODES_H

#include "numa.h"
#include "pieces.h"

/* Where there is no room to set aside more, a worker releases other nodes' memory as well. It begins with nodes that no
 * worker has been on: they have no CPU, or none that the target may use, or their worker is not called yet. */
#define MOST_SET_ASIDE 64

struct nodes {
	int is_on;		     /* 0: pieces in their order */
	char has_worker[MOST_NODES]; /* or had one */
	struct set_aside {
		struct mapping run; /* empty: free for another */
		int node;
	} set_aside[MOST_SET_ASIDE];
	struct set_aside *last; /* the one that was lengthened last; null where none was */
};

/*
 * Hands out the next so many bytes, or fewer; each byte once. 0 where there is none, for nobody. -1 where something was
 * set aside for others: to be called again.
 */
int nodes_next(struct nodes *nodes, struct pieces *pieces, size_t bytes, struct mapping *piece);

#endif

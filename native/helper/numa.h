/* What the kernel knows of NUMA nodes; numa(7). */
#ifndef ASYNC_TEARDOWN_NUMA_H
#define ASYNC_TEARDOWN_NUMA_H

#include <stdint.h>

/* What a kernel can be built for. */
#define MOST_NODES 1024

/* Whether this process may have memory on more than one node. */
int numa_has_several_nodes(void);

/* The node of the CPU that the caller runs on now; negative where that cannot be known. */
int numa_node_of_caller(void);

/* The node that a page is on; negative where it is not in memory, which it then does not become. */
int numa_node_of_page(uintptr_t address);

#endif

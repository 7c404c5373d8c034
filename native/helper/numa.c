#include "numa.h"

#include "common/sys.h"

int numa_has_several_nodes(void)
{
	uint64_t set[MOST_NODES / 64] = {0};
	int count = 0;

	/* Fails where the kernel knows no nodes (ENOSYS), or has room for more of them (EINVAL). */
	if (sys_get_allowed_nodes(set, MOST_NODES) < 0)
		return 0;
	for (int word = 0; word < MOST_NODES / 64; word++)
		for (uint64_t rest = set[word]; rest; rest &= rest - 1)
			count++;
	return count > 1;
}

int numa_node_of_caller(void)
{
	unsigned node;
	long result = sys_getcpu(0, &node);

	return result < 0 ? (int)result : (int)node;
}

int numa_node_of_page(uintptr_t address)
{
	int node;
	long result = sys_page_node(address, &node);

	return result < 0 ? (int)result : node;
}

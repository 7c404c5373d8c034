#include "cpus.h"

#include "common/sys.h"

#define BITS 64

void read_cpus(struct cpus *cpus)
{
	cpus->bytes = sys_get_affinity(cpus->set, sizeof(cpus->set));
}

unsigned count_cpus(const struct cpus *cpus)
{
	unsigned count = 0;

	for (long word = 0; word < cpus->bytes / (long)sizeof(*cpus->set); word++)
		for (uint64_t rest = cpus->set[word]; rest; rest &= rest - 1)
			count++;
	return count ? count : 1;
}

int current_cpu(void)
{
	unsigned cpu;
	long result = sys_getcpu(&cpu);

	return result < 0 ? (int)result : (int)cpu;
}

/* Moving is worth a try, no more: where it is refused, the scheduler will do it in its own time. */
void move_off(struct cpus *cpus, int cpu)
{
	if (!cpus->may_move || cpu < 0 || cpus->bytes <= 0 || count_cpus(cpus) < 2 || current_cpu() != cpu)
		return;
	cpus->set[cpu / BITS] &= ~((uint64_t)1 << cpu % BITS);
	sys_set_affinity(cpus->set, (size_t)cpus->bytes);
	cpus->set[cpu / BITS] |= (uint64_t)1 << cpu % BITS;
	sys_set_affinity(cpus->set, (size_t)cpus->bytes);
}

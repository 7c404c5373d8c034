#include "cpus.h"

#include "common/sys.h"

#define BITS 64

void read_cpus(struct cpus *cpus)
{
	cpus->bytes = sys_get_affinity(cpus->set, sizeof(cpus->set));
	for (long word = 0; word < cpus->bytes / (long)sizeof(*cpus->set); word++)
		cpus->moving[word] = cpus->set[word];
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
	long result = sys_getcpu(&cpu, 0);

	return result < 0 ? (int)result : (int)cpu;
}

static uint64_t bit_of(int cpu)
{
	return (uint64_t)1 << cpu % BITS;
}

static int has_cpu(const struct cpus *cpus, int cpu)
{
	return cpu >= 0 && cpu < cpus->bytes * 8 && (cpus->set[cpu / BITS] & bit_of(cpu)) != 0;
}

/*
 * Moving is worth a try, no more: where it is refused, the scheduler will do it in its own time. It may last for
 * milliseconds, in which another thread moves off its CPU: so the set to go back to is one that nobody changes.
 */
void move_off(struct cpus *cpus, int cpu)
{
	if (!cpus->may_move || !has_cpu(cpus, cpu) || count_cpus(cpus) < 2 || current_cpu() != cpu)
		return;
	__atomic_fetch_and(&cpus->moving[cpu / BITS], ~bit_of(cpu), __ATOMIC_RELAXED);
	sys_set_affinity(cpus->moving, (size_t)cpus->bytes);
	__atomic_fetch_or(&cpus->moving[cpu / BITS], bit_of(cpu), __ATOMIC_RELAXED);
	sys_set_affinity(cpus->set, (size_t)cpus->bytes);
}

int move_to(int cpu)
{
	struct cpus all, one = {.bytes = 0};

	read_cpus(&all);
	if (!has_cpu(&all, cpu) || current_cpu() == cpu)
		return 0;
	one.set[cpu / BITS] = bit_of(cpu);
	sys_set_affinity(one.set, (size_t)all.bytes);
	return sys_set_affinity(all.set, (size_t)all.bytes) == 0;
}

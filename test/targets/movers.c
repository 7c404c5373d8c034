/*
 * Two processes, which share what new workers share, move off their CPUs, TIMES. Both say after how many of them they
 * were left with fewer CPUs than before.
 *
 *   movers TIMES
 */
#define _POSIX_C_SOURCE 200809L /* no more: the kernel's headers have some of the libc's types as well */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "helper/cpus.c"

int main(int count, char **words)
{
	static struct cpus left;
	long fewer = 0;
	struct cpus *cpus = sys_mmap(sizeof(*cpus), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS);
	long times = count > 1 ? atol(words[1]) : 0;

	if (sys_failed(cpus))
		return 1;
	read_cpus(cpus);
	cpus->may_move = 1;

	unsigned all = count_cpus(cpus);
	pid_t child = fork();

	for (long i = 0; i < times; i++) {
		move_off(cpus, current_cpu());
		read_cpus(&left);
		fewer += count_cpus(&left) < all;
	}
	printf("%ld\n", fewer);
	if (child == 0)
		return 0;
	fflush(stdout);
	if (child < 0 || sys_wait4(child, NULL, 0) != child)
		return 1;
	return 0;
}

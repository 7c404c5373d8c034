/*
 * What one of WORKERS with an idle priority sleeps. Reads lines of "TOOK USED", microseconds, and answers each with how many
 * of them it would sleep then, and whether it knows that it has its CPU for itself.
 *
 *   idling WORKERS
 */
#include <stdio.h>

#include "helper/idle.c"

#define NANOSECONDS 1000L

int main(int count, char **words)
{
	struct idling idling = {.cpu = UNKNOWN};
	unsigned workers;
	long took, used;

	if (count < 2 || sscanf(words[1], "%u", &workers) != 1)
		return 2;
	while (scanf("%ld %ld", &took, &used) == 2) {
		long pause = idle_pause(&idling, workers, took * NANOSECONDS, used * NANOSECONDS);

		printf("%ld %d\n", pause > 0 ? pause / NANOSECONDS : 0, idling.cpu == FREE_CPU);
	}
	return 0;
}

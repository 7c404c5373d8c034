/*
 * What a worker with an idle priority sleeps. Reads lines of "TOOK USED", microseconds, and answers each with how many of
 * them it would sleep then, and whether it knows that it has its CPU for itself.
 */
#include <stdio.h>

#include "helper/idle.c"

#define NANOSECONDS 1000L

int main(void)
{
	struct idling idling = {.cpu = UNKNOWN};
	long took, used;

	while (scanf("%ld %ld", &took, &used) == 2) {
		long pause = idle_pause(&idling, took * NANOSECONDS, used * NANOSECONDS);

		printf("%ld %d\n", pause > 0 ? pause / NANOSECONDS : 0, idling.cpu == FREE_CPU);
	}
	return 0;
}

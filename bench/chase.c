/*
 * A loop that does nothing but wait for memory: it follows a chain of STEPS links through BYTES in 4 KiB pages, in an
 * order that no cache foresees.
 *
 *   chase BYTES STEPS        {"seconds": 1.204113}
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <sys/mman.h>

#include "measure.h"

static uint64_t random_state = 88172645463325252U;

/* Numbers from xorshift: the same ones in each run. */
static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* One cycle through all places, by Sattolo's algorithm. */
static void link_all(uint32_t *next, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		next[i] = i;
	for (uint32_t i = count - 1; i > 0; i--) {
		uint32_t other = (uint32_t)(next_random() % i), kept = next[i];

		next[i] = next[other];
		next[other] = kept;
	}
}

int main(int argc, char **argv)
{
	if (argc != 3)
		die("usage: chase BYTES STEPS");
	size_t bytes = strtoull(argv[1], NULL, 10);
	uint64_t steps = strtoull(argv[2], NULL, 10);
	uint32_t *next = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile uint32_t at = 0;

	if (next == MAP_FAILED || madvise(next, bytes, MADV_NOHUGEPAGE) < 0)
		die("chase: mmap");
	link_all(next, (uint32_t)(bytes / sizeof(*next)));
	double start = now();

	for (uint64_t step = 0; step < steps; step++)
		at = next[at];
	printf("{\"seconds\": %.6f}\n", now() - start);
	return 0;
}

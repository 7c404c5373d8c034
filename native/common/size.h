/* Sizes as a user writes them. src/cli/units.ts reads the same. */
#ifndef ASYNC_TEARDOWN_SIZE_H
#define ASYNC_TEARDOWN_SIZE_H

#include <stdint.h>

/* Reads a number with K, M, G or T (powers of 1024) behind, as 1.5G, or of bytes; 0 where it is none, 0, or 2^53 or
 * more. */
uint64_t size_parse(const char *word);

#endif

/* How much memory an address space holds, read from outside. */
#ifndef ASYNC_TEARDOWN_RESIDENT_H
#define ASYNC_TEARDOWN_RESIDENT_H

#include <stdint.h>

/*
 * The bytes that are resident, of which `pagemap`, an open /proc/<pid>/pagemap, tells also when the process
 * is dead, as long as the address space is held. Takes about a sixtieth of the time that freeing them takes.
 * 0 where the kernel cannot tell (before Linux 6.7).
 */
uint64_t resident_bytes(int pagemap);

#endif

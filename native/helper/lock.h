/* A lock between threads that sleep while they wait for it. Any of them may give it back. */
#ifndef ASYNC_TEARDOWN_LOCK_H
#define ASYNC_TEARDOWN_LOCK_H

#include "common/sys.h"

enum lock_state {
	FREE,
	TAKEN,
	AWAITED, /* taken, and somebody may sleep until it is free */
};

/* Falling asleep and waking takes as long as this, and the lock is mostly held for less. */
#define LOCK_TRIES 500

static inline void lock_take(uint32_t *lock)
{
	for (int tries = 0; tries < LOCK_TRIES; tries++) {
		uint32_t expected = FREE;

		if (load(lock) == FREE &&
		    __atomic_compare_exchange_n(lock, &expected, TAKEN, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return;
		relax();
	}
	while (__atomic_exchange_n(lock, AWAITED, __ATOMIC_ACQUIRE) != FREE)
		sys_futex(lock, FUTEX_WAIT, AWAITED, 0);
}

static inline void lock_free(uint32_t *lock)
{
	if (__atomic_exchange_n(lock, FREE, __ATOMIC_RELEASE) == AWAITED)
		sys_futex(lock, FUTEX_WAKE, 1, 0);
}

#endif

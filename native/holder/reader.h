/*
 * Reads that do not return: how a holder holds an address space.
 *
 * read(2) of /proc/<pid>/cmdline takes a reference to the address space that <pid> has, for as long as the
 * call lasts (proc_pid_cmdline_read in fs/proc/base.c). Here the byte goes to a page that userfaultfd
 * watches: the read sleeps in the page fault until the fault is answered. Then it returns, and if the
 * target is dead, giving the reference back is the whole teardown, done by the reader.
 *
 * There are two readers, so that a new image can be held before the old one is let go.
 */
#ifndef ASYNC_TEARDOWN_READER_H
#define ASYNC_TEARDOWN_READER_H

#include <linux/ioctl.h>
#include <linux/userfaultfd.h>
#include <stdint.h>

#include "common/failure.h"

#define READER_THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

enum command {
	WAIT = 0, /* it has nothing to do, or has done it */
	HOLD = 1,
	LET_GO = 2,
};

struct reader {
	uint32_t command; /* enum command; a futex */
	int source;	  /* what it reads */
	char *page;
};

struct readers {
	int faults; /* the userfaultfd */
	struct reader each[2];
};

enum parked {
	PARKED,	 /* it holds an address space */
	NOTHING, /* there was nothing to read: no address space, or one without arguments */
	NOT_YET, /* it is on its way, but did not get there in the time given */
};

/* Makes the userfaultfd, and the pages that it watches. 0, or -1 and *failure. */
int readers_open(struct readers *readers, struct failure *failure);

/* Starts the two threads, with the caller's capabilities, priority and seccomp filter. 0, or -1 and *failure. */
int readers_start(struct readers *readers, int source, struct failure *failure);

/* Lets a reader take hold of what its source shows now; waits until it has, at most so long. */
enum parked reader_park(struct readers *readers, struct reader *reader, int milliseconds);

/* Ends the hold. The teardown that this may start goes on in the reader. */
void reader_let_go(struct readers *readers, struct reader *reader);

/* Whether the reader has let go, and a teardown of its is over; waits for that, at most so long. */
int reader_join(struct reader *reader, int milliseconds);

#endif

/* The second name of this program, qemu-async-teardown[-<arch>]: a QEMU to whoever starts it, as libvirt. */
#ifndef ASYNC_TEARDOWN_EMULATOR_H
#define ASYNC_TEARDOWN_EMULATOR_H

#include "command/find.h"
#include "start.h"

/* What names the real QEMU, where its own name and the usual places do not. */
#define EMULATOR_VARIABLE "ASYNC_TEARDOWN_QEMU"

/* Whether this program was started by its second name. */
int emulator_is_meant(const struct start *start);

/*
 * Finds the real QEMU: the one that the variable names; otherwise qemu-system-<arch> beside this name, in PATH and in
 * /usr/bin; otherwise, for this machine's own architecture, the qemu-kvm of distributions that have no other.
 * Refuses by ERR_NOT_FOUND or ERR_NOT_EXECUTABLE. 0, or -1.
 */
int emulator_find(const struct start *start, const struct surroundings *surroundings, char file[LONGEST_PATH],
		  struct refusal *refusal);

#endif

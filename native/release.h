/* Gives an address space back once its target is dead. */
#ifndef ASYNC_TEARDOWN_RELEASE_H
#define ASYNC_TEARDOWN_RELEASE_H

/* Whether no other process is known to use this address space. */
int is_last_user(void);

/*
 * Releases all that this address space maps, but for the helper's own text and the mapping that
 * `own_stack` points into. `maps` is an open, unread descriptor of /proc/self/maps.
 *
 * Does nothing unless the caller is the address space's last user; what it leaves, the kernel frees
 * when the caller exits.
 */
void release_address_space(int maps, const void *own_stack);

#endif

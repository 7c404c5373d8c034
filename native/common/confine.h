/* Shuts the door behind a helper or holder: what is so near to a target must be no way into it. */
#ifndef ASYNC_TEARDOWN_CONFINE_H
#define ASYNC_TEARDOWN_CONFINE_H

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "failure.h"
#include "sys.h"

/*
 * Whether a seccomp filter is in force already. It may kill for any call that it does not know or like, so under
 * one only what is needed is tried.
 */
int is_filtered(void);

/*
 * Whether the filter may be from a time that did not know pidfd_open (Linux 5.3) or close_range (5.9): systemd's
 * kill for what they do not know, up to systemd 246.
 */
int avoids_young_calls(void);

/*
 * Closes every descriptor but one, and a row of others from `first` to `last`, which it is not in. A negative one is
 * none. 0, or -1 and *failure.
 */
int close_all_but(int one, int first, int last, struct failure *failure);

/* The most that a core dump of this process may have: 1 byte or, where not even that is permitted, 0. A limit
 * of 0 does not keep it from a core_pattern that is a pipe; 1 does (core(5), fs/coredump.c). The limit, or a
 * negative errno. One of a helper would be one of the target's whole memory. */
long forbid_core_dumps(void);

/*
 * Gives up the use of all capabilities, and the way to new ones. Nobody gets at the caller by that who could not
 * before. 0, or -1 and *failure.
 */
int drop_privileges(struct failure *failure);

/*
 * Forbids every system call but those that the filter allows, to the caller and the threads that it starts from now
 * on. To be called behind drop_privileges. 0, or -1 and *failure.
 */
int allow_only(const struct sock_filter *calls, unsigned short count, struct failure *failure);

/*
 * What such a filter is made of. First, a way into the kernel that has other numbers is shut.
 *
 * The first argument is loaded for nothing: the kernel tries a new filter for every system call that there is, to know
 * which ones it always allows, and gives that up at an argument (seccomp_cache_prepare in kernel/seccomp.c).
 */
#define FILTER_START                                                                                                   \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),                                       \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SECCOMP_ARCHITECTURE, 1, 0),                                       \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),                                                   \
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),                            \
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))

#define ALLOW(name) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##name, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* The call, if the low half of an argument is this value; of two, or three, if each is. */
#define ALLOW_IF(name, argument, value) IS_CALL(name, 4), IS_VALUE(argument, value, 1), ALLOWED
#define ALLOW_IF_2(name, argument1, value1, argument2, value2)                                                         \
	IS_CALL(name, 6), IS_VALUE(argument1, value1, 3), IS_VALUE(argument2, value2, 1), ALLOWED
#define ALLOW_IF_3(name, argument1, value1, argument2, value2, argument3, value3)                                      \
	IS_CALL(name, 8), IS_VALUE(argument1, value1, 5), IS_VALUE(argument2, value2, 3),                              \
		IS_VALUE(argument3, value3, 1), ALLOWED

/* `otherwise`: how many instructions to pass over, as far as behind ALLOWED, or to its second one. */
#define IS_CALL(name, otherwise) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##name, 0, otherwise)
#define IS_VALUE(argument, value, otherwise)                                                                           \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[argument])),                             \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, otherwise)
#define ALLOWED                                                                                                        \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),                                                                  \
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))

#define FILTER_END BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

#endif

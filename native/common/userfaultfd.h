/* The two ways to a userfaultfd that also sees the kernel's own faults; userfaultfd(2). */
#ifndef ASYNC_TEARDOWN_USERFAULTFD_H
#define ASYNC_TEARDOWN_USERFAULTFD_H

/* For a process that has CAP_SYS_PTRACE, or where vm.unprivileged_userfaultfd is 1. A descriptor or a
 * negative errno. */
long userfaultfd_by_call(void);

/* Through the device, whose permissions are the administrator's way to grant it. A descriptor or a negative
 * errno. */
long userfaultfd_by_device(void);

#endif

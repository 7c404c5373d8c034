/*
 * What a CPU is. All that differs between the two is in these files:
 *
 *   sys_call6               a system call
 *   sys_call4_at_home       one after which it is looked whether the stack is still the caller's
 *   sys_clone_onto          clone(2) onto a stack of the child's own
 *   shadow_stack_pointer    where the kernel keeps this task's return addresses
 *   PROGRAM_STARTS_WITH     the entry of a program without a libc
 *   runs_on_valgrind        whether the instructions are valgrind's, which cannot clone as the CPU does
 *   relax                   what a spinning CPU does in between
 *   SECCOMP_ARCHITECTURE    how a seccomp filter names the system call table
 *   ELF_MACHINE             how an ELF file names the CPU; elf(5)
 */
#ifndef ASYNC_TEARDOWN_ARCH_H
#define ASYNC_TEARDOWN_ARCH_H

#define VALGRIND_QUESTION 0x1001 /* RUNNING_ON_VALGRIND */

#if defined(__x86_64__)
#include "x86_64.h"
#elif defined(__aarch64__)
#include "aarch64.h"
#else
#error "async-teardown serves x86-64 and aarch64 only"
#endif

/* clang's analyzer sees no system call write, where it sees the instruction; a function that it does not know may. */
#ifdef __clang_analyzer__
long unknown_call6(long number, long a, long b, long c, long d, long e, long f);
#define sys_call6 unknown_call6
#endif

#endif

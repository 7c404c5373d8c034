/* aarch64, as arch.h says. */
#include <asm/unistd.h>
#include <linux/audit.h>
#include <stdint.h>

static inline long sys_call6(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}

/* As on x86-64. */
static inline long sys_call4_at_home(long number, long a, long b, long c, long d, const uint64_t *mark,
				     uint64_t expected)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;

	__asm__ volatile("svc #0\n\t"
			 "ldr x9, [%[mark]]\n\t"
			 "cmp x9, %[expected]\n\t"
			 "b.eq 1f\n\t"
			 "mov x0, #0\n\t"
			 "mov x8, %[exit]\n\t"
			 "svc #0\n\t"
			 "brk #1\n"
			 "1:"
			 : "+r"(x0), "+r"(x8)
			 : "r"(x1), "r"(x2),
			   "r"(x3), [mark] "r"(mark), [expected] "r"(expected), [exit] "i"(__NR_exit_group)
			 : "x9", "cc", "memory");
	return x0;
}

/* As on x86-64; aarch64 takes the child's TID word last and the thread pointer before it. */
static inline long sys_clone_onto(unsigned long flags, void *stack_top, int *parent_tid, int *child_tid,
				  void (*entry)(void *), void *argument)
{
	void **stack = (void **)((uintptr_t)stack_top & ~(uintptr_t)15);

	*--stack = argument;
	*--stack = (void *)entry;

	register long x8 __asm__("x8") = __NR_clone;
	register long x0 __asm__("x0") = (long)flags;
	register long x1 __asm__("x1") = (long)stack;
	register long x2 __asm__("x2") = (long)parent_tid;
	register long x3 __asm__("x3") = 0;
	register long x4 __asm__("x4") = (long)child_tid;

	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, xzr\n\t"
			 "mov x30, xzr\n\t"
			 "ldp x1, x0, [sp], #16\n\t"
			 "blr x1\n\t"
			 "brk #1\n"
			 "1:"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory");
	return x0;
}

/* Guarded control stacks are not asked for: the build does not mark this library for them, so the loader
 * leaves them off. */
static inline uintptr_t shadow_stack_pointer(void)
{
	return 0;
}

#define PROGRAM_STARTS_WITH(function)                                                                                  \
	__asm__(".globl _start\n_start:\n\t"                                                                           \
		"mov x29, xzr\n\t"                                                                                     \
		"mov x30, xzr\n\t"                                                                                     \
		"mov x0, sp\n\t"                                                                                       \
		"bl " #function "\n\t"                                                                                 \
		"brk #1\n")

/* Whether valgrind runs this program: as on x86-64, with the question in x4, and the answer in x3; valgrind.h. */
static inline int runs_on_valgrind(void)
{
	const uint64_t question[6] = {VALGRIND_QUESTION};
	register uint64_t answer __asm__("x3") = 0;
	register const uint64_t *asked __asm__("x4") = question;

	__asm__ volatile("ror x12, x12, #3\n\t"
			 "ror x12, x12, #13\n\t"
			 "ror x12, x12, #51\n\t"
			 "ror x12, x12, #61\n\t"
			 "orr x10, x10, x10"
			 : "+r"(answer)
			 : "r"(asked)
			 : "cc", "memory");
	return answer != 0;
}

static inline void relax(void)
{
	__asm__ volatile("yield" ::: "memory");
}

#define SECCOMP_ARCHITECTURE AUDIT_ARCH_AARCH64
#define ELF_MACHINE 183		    /* EM_AARCH64 */
#define ARCHITECTURE_NAME "aarch64" /* uname(1) */

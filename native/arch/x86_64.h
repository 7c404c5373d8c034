/* x86-64, as arch.h says. */
#include <asm/unistd.h>
#include <linux/audit.h>
#include <stdint.h>

static inline long sys_call6(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

/*
 * A system call that may last for months. Afterwards, should *mark not be what is expected, the memory that the stack is
 * in has become somebody else's: the caller ends, and writes nothing.
 */
static inline long sys_call4_at_home(long number, long a, long b, long c, long d, const uint64_t *mark,
				     uint64_t expected)
{
	register long r10 __asm__("r10") = d;

	__asm__ volatile("syscall\n\t"
			 "cmpq %[expected], (%[mark])\n\t"
			 "je 1f\n\t"
			 "movl %[exit], %%eax\n\t"
			 "xorl %%edi, %%edi\n\t"
			 "syscall\n\t"
			 "hlt\n"
			 "1:"
			 : "+a"(number), "+D"(a)
			 : "S"(b), "d"(c),
			   "r"(r10), [mark] "r"(mark), [expected] "r"(expected), [exit] "i"(__NR_exit_group)
			 : "rcx", "r11", "cc", "memory");
	return number;
}

/*
 * clone(2) whose child calls entry(argument) on a stack of its own. The child must not return: it has
 * no frame to return to.
 */
static inline long sys_clone_onto(unsigned long flags, void *stack_top, int *parent_tid, int *child_tid,
				  void (*entry)(void *), void *argument)
{
	void **stack = (void **)((uintptr_t)stack_top & ~(uintptr_t)15);
	register int *r10 __asm__("r10") = child_tid;
	register long r8 __asm__("r8") = 0;
	long result;

	*--stack = argument;
	*--stack = (void *)entry;
	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "pop %%rax\n\t"
			 "pop %%rdi\n\t"
			 "call *%%rax\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(result)
			 : "a"(__NR_clone), "D"(flags), "S"(stack), "d"(parent_tid), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}

/* Where the kernel keeps this task's return addresses, or 0 where shadow stacks are off (the
 * instruction is then a no-op that leaves the register alone). */
static inline uintptr_t shadow_stack_pointer(void)
{
	uintptr_t pointer = 0;

	__asm__ volatile("rdsspq %0" : "+r"(pointer));
	return pointer;
}

/* Where a program without a libc begins: hands its stack, as the kernel laid it out, to a function. */
#define PROGRAM_STARTS_WITH(function)                                                                                  \
	__asm__(".globl _start\n_start:\n\t"                                                                           \
		"xor %ebp, %ebp\n\t"                                                                                   \
		"mov %rsp, %rdi\n\t"                                                                                   \
		"and $-16, %rsp\n\t"                                                                                   \
		"call " #function "\n\t"                                                                               \
		"hlt\n")

/*
 * Whether valgrind runs this program. It knows the rotations, which change nothing, and the exchange behind them as
 * a question to itself, and puts the answer into rdx; valgrind.h. Elsewhere the answer stays as it is: no.
 */
static inline int runs_on_valgrind(void)
{
	const uint64_t question[6] = {VALGRIND_QUESTION};
	uint64_t answer = 0;

	__asm__ volatile("rolq $3, %%rdi\n\t"
			 "rolq $13, %%rdi\n\t"
			 "rolq $61, %%rdi\n\t"
			 "rolq $51, %%rdi\n\t"
			 "xchgq %%rbx, %%rbx"
			 : "+d"(answer)
			 : "a"(question)
			 : "cc", "memory");
	return answer != 0;
}

/* To be done between two looks at a word that another CPU may change. */
static inline void relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

#define SECCOMP_ARCHITECTURE AUDIT_ARCH_X86_64
#define ELF_MACHINE 62		   /* EM_X86_64 */
#define ARCHITECTURE_NAME "x86_64" /* uname(1) */

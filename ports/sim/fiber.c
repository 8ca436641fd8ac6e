/* SPDX-License-Identifier: BSD-2-Clause */
/* Fibers: a switch saves what a called function has to keep, and changes the stack. */
#define _GNU_SOURCE
#include "fiber.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <smmuv3/atomic.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#endif

#ifdef FIBER_ASAN
#include <sanitizer/common_interface_defs.h>

static void fiber_leave(struct fiber *from, struct fiber *to, bool for_ever)
{
	/* NULL in place of the fake stack lets AddressSanitizer free it. */
	__sanitizer_start_switch_fiber(for_ever ? NULL : &from->fake_stack, to->stack,
				       to->stack_size);
}

static void fiber_arrive(struct fiber *self)
{
	const void *stack;
	size_t size;

	__sanitizer_finish_switch_fiber(self->fake_stack, &stack, &size);
	/* The only way to learn where a thread's own stack is. */
	self->from->stack = stack;
	self->from->stack_size = size;
}
#else
static void fiber_leave(struct fiber *from, struct fiber *to, bool for_ever)
{
}

static void fiber_arrive(struct fiber *self)
{
}
#endif

#ifdef SMMU_UNDER_TSAN
#include <sanitizer/tsan_interface.h>

static void fiber_tell_tsan(struct fiber *from, struct fiber *to)
{
	if (!from->tsan)
		from->tsan = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(to->tsan, 0);
}

static void fiber_make_tsan(struct fiber *f)
{
	f->tsan = __tsan_create_fiber(0);
}

static void fiber_drop_tsan(struct fiber *f)
{
	if (f->tsan)
		__tsan_destroy_fiber(f->tsan);
	f->tsan = NULL;
}
#else
static void fiber_tell_tsan(struct fiber *from, struct fiber *to)
{
}

static void fiber_make_tsan(struct fiber *f)
{
}

static void fiber_drop_tsan(struct fiber *f)
{
}
#endif

_Noreturn static void fiber_run(struct fiber *self)
{
	fiber_arrive(self);
	self->fn(self->arg);
	abort();
}

#ifdef FIBER_BY_HAND

/*
 * fiber_swap(&from->sp, to->sp): push the registers that a callee keeps, note the stack, take the other, pop, return.
 * fiber_start is where a new fiber "returns" to: its struct fiber lies in a register that was popped. Neither the rounding
 * mode nor the signal mask is part of a fiber: nothing here changes them.
 */
void fiber_swap(void **from, void *to);
void fiber_start(void);
__attribute__((used)) _Noreturn void fiber_entry(struct fiber *self);

_Noreturn void fiber_entry(struct fiber *self)
{
	fiber_run(self);
}

#if defined(__x86_64__)
__asm__(".text\n"
	".p2align 4\n"
	".globl fiber_swap\n"
	".hidden fiber_swap\n"
	".type fiber_swap, @function\n"
	"fiber_swap:\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	".size fiber_swap, . - fiber_swap\n"
	".globl fiber_start\n"
	".hidden fiber_start\n"
	".type fiber_start, @function\n"
	"fiber_start:\n"
	"	.cfi_startproc\n"
	"	.cfi_undefined rip\n"
	"	movq %r12, %rdi\n"
	"	call fiber_entry\n"
	"	ud2\n"
	"	.cfi_endproc\n"
	".size fiber_start, . - fiber_start\n");

/* r15, r14, r13, r12, rbx, rbp and the address to return to; at fiber_start the stack is aligned to 16. */
enum { SAVED_WORDS = 9, SAVED_SELF = 3, SAVED_RETURN = 6 };
#else
__asm__(".text\n"
	".p2align 4\n"
	".globl fiber_swap\n"
	".hidden fiber_swap\n"
	".type fiber_swap, %function\n"
	"fiber_swap:\n"
	"	sub sp, sp, #160\n"
	"	stp x19, x20, [sp, #0]\n"
	"	stp x21, x22, [sp, #16]\n"
	"	stp x23, x24, [sp, #32]\n"
	"	stp x25, x26, [sp, #48]\n"
	"	stp x27, x28, [sp, #64]\n"
	"	stp x29, x30, [sp, #80]\n"
	"	stp d8, d9, [sp, #96]\n"
	"	stp d10, d11, [sp, #112]\n"
	"	stp d12, d13, [sp, #128]\n"
	"	stp d14, d15, [sp, #144]\n"
	"	mov x9, sp\n"
	"	str x9, [x0]\n"
	"	mov sp, x1\n"
	"	ldp x19, x20, [sp, #0]\n"
	"	ldp x21, x22, [sp, #16]\n"
	"	ldp x23, x24, [sp, #32]\n"
	"	ldp x25, x26, [sp, #48]\n"
	"	ldp x27, x28, [sp, #64]\n"
	"	ldp x29, x30, [sp, #80]\n"
	"	ldp d8, d9, [sp, #96]\n"
	"	ldp d10, d11, [sp, #112]\n"
	"	ldp d12, d13, [sp, #128]\n"
	"	ldp d14, d15, [sp, #144]\n"
	"	add sp, sp, #160\n"
	"	ret\n"
	".size fiber_swap, . - fiber_swap\n"
	".globl fiber_start\n"
	".hidden fiber_start\n"
	".type fiber_start, %function\n"
	"fiber_start:\n"
	"	.cfi_startproc\n"
	"	.cfi_undefined x30\n"
	"	mov x0, x19\n"
	"	bl fiber_entry\n"
	"	brk #1\n"
	"	.cfi_endproc\n"
	".size fiber_start, . - fiber_start\n");

/* x19 … x30, then d8 … d15. */
enum { SAVED_WORDS = 20, SAVED_SELF = 0, SAVED_RETURN = 11 };
#endif

static int fiber_prepare(struct fiber *f)
{
	void **sp = (void **)((char *)f->map + f->map_size) - SAVED_WORDS;

	sp[SAVED_SELF] = f;
	sp[SAVED_RETURN] = (void *)(uintptr_t)fiber_start;
	f->sp = sp;
	return 0;
}

static void fiber_go(struct fiber *from, struct fiber *to)
{
	fiber_swap(&from->sp, to->sp);
}

#else

static void fiber_main(unsigned hi, unsigned lo)
{
	fiber_run((struct fiber *)(uintptr_t)((uint64_t)hi << 32 | lo));
}

static int fiber_prepare(struct fiber *f)
{
	uint64_t self = (uintptr_t)f;

	if (getcontext(&f->context))
		return -1;
	f->context.uc_stack.ss_sp = (void *)(uintptr_t)f->stack;
	f->context.uc_stack.ss_size = f->stack_size;
	f->context.uc_link = NULL;
	makecontext(&f->context, (void (*)(void))fiber_main, 2, (unsigned)(self >> 32),
		    (unsigned)self);
	return 0;
}

static void fiber_go(struct fiber *from, struct fiber *to)
{
	swapcontext(&from->context, &to->context);
}

#endif

int fiber_init(struct fiber *f, size_t stack_size, void (*fn)(void *arg), void *arg)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	stack_size = (stack_size + page - 1) & ~(page - 1);
	*f = (struct fiber){.fn = fn, .arg = arg, .map_size = stack_size + page};
	f->map = mmap(NULL, f->map_size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (f->map == MAP_FAILED) {
		f->map = NULL;
		return -1;
	}
	f->stack = (char *)f->map + page;
	f->stack_size = stack_size;
	fiber_make_tsan(f);
	/* Stacks grow down: the lowest page catches an overflow. */
	if (mprotect(f->map, page, PROT_NONE) || fiber_prepare(f)) {
		fiber_fini(f);
		return -1;
	}
	return 0;
}

void fiber_fini(struct fiber *f)
{
	fiber_drop_tsan(f);
	if (f->map)
		munmap(f->map, f->map_size);
	f->map = NULL;
}

void fiber_switch(struct fiber *from, struct fiber *to)
{
	to->from = from;
	fiber_leave(from, to, false);
	fiber_tell_tsan(from, to);
	fiber_go(from, to);
	fiber_arrive(from);
}

_Noreturn void fiber_exit(struct fiber *from, struct fiber *to)
{
	to->from = from;
	fiber_leave(from, to, true);
	fiber_tell_tsan(from, to);
	fiber_go(from, to);
	abort();
}

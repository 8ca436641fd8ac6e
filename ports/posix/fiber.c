/* SPDX-License-Identifier: BSD-2-Clause */
/* Fibers on ucontext. */
#define _GNU_SOURCE
#include "fiber.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

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

static void fiber_main(unsigned hi, unsigned lo)
{
	struct fiber *self = (struct fiber *)(uintptr_t)((uint64_t)hi << 32 | lo);

	fiber_arrive(self);
	self->fn(self->arg);
	abort();
}

int fiber_init(struct fiber *f, size_t stack_size, void (*fn)(void *arg), void *arg)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint64_t self = (uintptr_t)f;

	stack_size = (stack_size + page - 1) & ~(page - 1);
	*f = (struct fiber){.fn = fn, .arg = arg, .map_size = stack_size + page};
	f->map = mmap(NULL, f->map_size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (f->map == MAP_FAILED) {
		f->map = NULL;
		return -1;
	}
	/* Stacks grow down: the lowest page catches an overflow. */
	if (mprotect(f->map, page, PROT_NONE) || getcontext(&f->context)) {
		fiber_fini(f);
		return -1;
	}
	f->stack = (char *)f->map + page;
	f->stack_size = stack_size;
	f->context.uc_stack.ss_sp = (char *)f->map + page;
	f->context.uc_stack.ss_size = stack_size;
	f->context.uc_link = NULL;
	makecontext(&f->context, (void (*)(void))fiber_main, 2, (unsigned)(self >> 32),
		    (unsigned)self);
	return 0;
}

void fiber_fini(struct fiber *f)
{
	if (f->map)
		munmap(f->map, f->map_size);
	f->map = NULL;
}

void fiber_switch(struct fiber *from, struct fiber *to)
{
	to->from = from;
	fiber_leave(from, to, false);
	swapcontext(&from->context, &to->context);
	fiber_arrive(from);
}

_Noreturn void fiber_exit(struct fiber *from, struct fiber *to)
{
	to->from = from;
	fiber_leave(from, to, true);
	setcontext(&to->context);
	abort();
}

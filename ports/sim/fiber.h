/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file fiber.h
 * A stack of its own to run a function on, switched to and from by hand. AddressSanitizer and
 * ThreadSanitizer are told of each switch.
 */
#ifndef SMMU_SIM_FIBER_H
#define SMMU_SIM_FIBER_H

#include <stdbool.h>
#include <stddef.h>

/* A switch is a dozen instructions where they are known here; ucontext, with its system calls, everywhere else. */
#if (defined(__x86_64__) && !defined(__ILP32__)) || defined(__aarch64__)
#define FIBER_BY_HAND 1
#else
#include <ucontext.h>
#endif

/** Zero-initialised stands for the thread's own stack, as something to switch away from and back to. */
struct fiber {
#ifdef FIBER_BY_HAND
	void *sp; /**< where it goes on: saved registers, lowest first */
#else
	ucontext_t context;
#endif
	void (*fn)(void *arg);
	void *arg;
	void *map; /**< the stack with its guard page; NULL for a thread's own */
	size_t map_size;
	const void *stack; /**< lowest byte and size, as AddressSanitizer wants them */
	size_t stack_size;
	void *fake_stack;
	void *tsan;         /**< what ThreadSanitizer knows it by */
	struct fiber *from; /**< who switched here last */
};

/** Prepare @p f to run @p fn(@p arg) on @p stack_size bytes. fn must not return: it ends by fiber_exit. 0 or -1. */
int fiber_init(struct fiber *f, size_t stack_size, void (*fn)(void *arg), void *arg);

/** Give the stack back; nothing runs on it any more. */
void fiber_fini(struct fiber *f);

/** Go on in @p to; returns when somebody switches back to @p from, the one that runs now. */
void fiber_switch(struct fiber *from, struct fiber *to);

/** The same for the last time: @p from never runs again. */
_Noreturn void fiber_exit(struct fiber *from, struct fiber *to);

#endif

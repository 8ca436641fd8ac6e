/* SPDX-License-Identifier: BSD-2-Clause */
/** @file steps.h
 * Instructions, counted by single steps. The program has one thread, and defines _GNU_SOURCE before its first include. STEPS is
 * defined where it can be done. */
#ifndef SMMU_TEST_QUEUE_STEPS_H
#define SMMU_TEST_QUEUE_STEPS_H

#include <signal.h>
#include <stdint.h>

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#if !defined(__has_feature)
#define STEPS 1
#elif !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
#define STEPS 1
#endif
#endif

#ifdef STEPS
#define STEPS_TRAP_FLAG 0x100

static volatile uint64_t steps;

static void steps_count(int sig, siginfo_t *info, void *context)
{
	steps++;
}

/** Once, before all. 0 or -1. */
static inline int steps_init(void)
{
	struct sigaction action = {.sa_sigaction = steps_count, .sa_flags = SA_SIGINFO};

	return sigaction(SIGTRAP, &action, NULL);
}

/** The trap flag makes each instruction from here on end in a SIGTRAP. Below the stack pointer there may be something. */
#define STEPS_FLAGS(op, mask)                                                          \
	__asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; " op " %0, (%%rsp); popfq; " \
			 "lea 128(%%rsp), %%rsp"                                       \
			 :                                                             \
			 : "i"(mask)                                                   \
			 : "cc", "memory")

static inline void steps_begin(void)
{
	steps = 0;
	STEPS_FLAGS("orq", STEPS_TRAP_FLAG);
}

/** Instructions since steps_begin. */
static inline uint64_t steps_end(void)
{
	STEPS_FLAGS("andq", ~STEPS_TRAP_FLAG);
	return steps;
}
#endif

#endif

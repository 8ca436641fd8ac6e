/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting, and signals as interrupts: calls that a masked section keeps back. */
#include <sched.h>

#include <smmuv3/port.h>

#include "ram.h"

struct irq_line {
	void (*fn)(void *arg); /* NULL: not complete yet */
	void *arg;
};

__thread struct smmu_posix_irq smmu_posix_irq;
static __thread struct irq_line line[SMMU_POSIX_IRQ_LINES];
static __thread unsigned lines;

void smmu_posix_spin(void)
{
	static __thread unsigned turns;

#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
	if (++turns % 16 == 0)
		sched_yield();
}

/*
 * Everything here is the thread's own. What comes in between is a signal handler of this thread, which runs to its end
 * between two instructions; so `masked` needs no atomic access, and `pending` only single ones.
 */
void smmu_posix_irq_catch_up(void)
{
	unsigned bits, i;

	while ((bits = __atomic_exchange_n(&smmu_posix_irq.pending, 0, __ATOMIC_RELAXED))) {
		smmu_posix_irq.masked++;
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		for (i = 0; i < SMMU_POSIX_IRQ_LINES; i++) {
			if (bits & 1u << i)
				line[i].fn(line[i].arg);
		}
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		smmu_posix_irq.masked--;
	}
}

/* The line of @p fn and @p arg, a new one if need be; SMMU_POSIX_IRQ_LINES: none is left. */
static unsigned line_of(void (*fn)(void *arg), void *arg)
{
	unsigned i;

	for (i = 0; i < SMMU_POSIX_IRQ_LINES; i++) {
		if (line[i].fn == fn && line[i].arg == arg)
			return i;
	}
	/* A handler that comes here in between gets the next one. */
	i = __atomic_fetch_add(&lines, 1, __ATOMIC_RELAXED);
	if (i >= SMMU_POSIX_IRQ_LINES) {
		__atomic_fetch_sub(&lines, 1, __ATOMIC_RELAXED);
		return SMMU_POSIX_IRQ_LINES;
	}
	line[i].arg = arg;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	line[i].fn = fn;
	return i;
}

bool smmu_posix_interrupt(void (*fn)(void *arg), void *arg)
{
	unsigned i = line_of(fn, arg);

	if (i == SMMU_POSIX_IRQ_LINES)
		return false;
	__atomic_fetch_or(&smmu_posix_irq.pending, 1u << i, __ATOMIC_RELAXED);
	if (!smmu_posix_irq.masked)
		smmu_posix_irq_catch_up();
	return true;
}

smmu_irqflags smmu_heap_mask(void)
{
	return smmu_irq_save();
}

void smmu_heap_unmask(smmu_irqflags flags)
{
	smmu_irq_restore(flags);
}

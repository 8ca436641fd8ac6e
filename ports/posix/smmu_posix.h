/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file smmu_posix.h
 * The hot path of the hosted port (SMMU_PORT_HEADER of port.h): threads of a process, registers through a bus, C11
 * barriers, locks that spin and then yield, liburcu or the built-in epoch, and signals in the place of interrupts.
 */
#ifndef SMMU_POSIX_PORT_H
#define SMMU_POSIX_PORT_H

#include <smmuv3/atomic.h>
#include <smmuv3/types.h>

#include "bus.h"
#include "posix_rcu.h"

#define SMMU_PORT_TAG posix
#define SMMU_STATS 1

/* ---- registers ---- */

struct smmu_mmio {
	const struct smmu_bus *bus;
};

static inline uint32_t smmu_mmio_read32(const struct smmu_mmio *m, uint32_t offset)
{
	return m->bus->ops->read32(m->bus->ctx, offset);
}

static inline uint64_t smmu_mmio_read64(const struct smmu_mmio *m, uint32_t offset)
{
	return m->bus->ops->read64(m->bus->ctx, offset);
}

static inline void smmu_mmio_write32(const struct smmu_mmio *m, uint32_t offset, uint32_t value)
{
	m->bus->ops->write32(m->bus->ctx, offset, value);
}

static inline void smmu_mmio_write64(const struct smmu_mmio *m, uint32_t offset, uint64_t value)
{
	m->bus->ops->write64(m->bus->ctx, offset, value);
}

/* ---- barriers ---- */

/*
 * Devices here are other threads of this process, or another process on the same processors: C11 fences order what they
 * see. ThreadSanitizer accepts only the full one, in its own form.
 */
static inline void smmu_dma_wmb(void)
{
#ifdef SMMU_UNDER_TSAN
	smmu_fence();
#else
	__atomic_thread_fence(__ATOMIC_RELEASE);
#endif
}

static inline void smmu_dma_rmb(void)
{
#ifdef SMMU_UNDER_TSAN
	smmu_fence();
#else
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
#endif
}

static inline void smmu_mb(void)
{
	smmu_fence();
}

/** Wait politely: give up the processor now and then. */
void smmu_posix_spin(void);

static inline void smmu_relax(const struct smmu_mmio *m)
{
	if (m)
		m->bus->ops->relax(m->bus->ctx);
	smmu_posix_spin();
}

/** A thread that spins gives up the processor now and then anyway. */
static inline void smmu_wait_pause(const struct smmu_mmio *m, bool may_sleep)
{
	(void)may_sleep;
	smmu_relax(m);
}

/* ---- interrupts, which are signals ---- */

/*
 * Masking counts in the thread and leaves the signal mask alone: two system calls around each submission would cost more
 * than the submission. So a signal still arrives in a masked section, and its handler hands what it has to do with the
 * library to smmu_posix_interrupt(), which keeps it until the section ends, as an interrupt controller does.
 */
struct smmu_posix_irq {
	unsigned masked;  /**< depth of masked sections */
	unsigned pending; /**< a bit for each line that has been raised */
};
extern __thread struct smmu_posix_irq smmu_posix_irq;

/** Serve the lines that have been raised. */
void smmu_posix_irq_catch_up(void);

/**
 * From a signal handler, on the thread that it interrupted: call @p fn(@p arg) as an interrupt handler, which may call
 * whatever the library allows in any context. At once if nothing is masked; else when the masked section ends, once for
 * all the calls with the same @p fn and @p arg that came meanwhile. Handlers do not interrupt each other. Each different
 * pair of @p fn and @p arg is one interrupt line of the thread; false if all its SMMU_POSIX_IRQ_LINES are in use by
 * others, and then nothing is called.
 */
#define SMMU_POSIX_IRQ_LINES 8u
bool smmu_posix_interrupt(void (*fn)(void *arg), void *arg);

typedef uint8_t smmu_irqflags;

static inline smmu_irqflags smmu_irq_save(void)
{
	smmu_posix_irq.masked++;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return 0;
}

static inline void smmu_irq_restore(smmu_irqflags flags)
{
	(void)flags;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	smmu_posix_irq.masked--;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (!smmu_posix_irq.masked && smmu_posix_irq.pending)
		smmu_posix_irq_catch_up();
}

/* ---- locks ---- */

struct smmu_spinlock {
	uint32_t held;
};

static inline void smmu_spin_init(struct smmu_spinlock *l)
{
	__atomic_store_n(&l->held, 0, __ATOMIC_RELAXED);
}

static inline smmu_irqflags smmu_spin_lock(struct smmu_spinlock *l)
{
	smmu_irqflags flags = smmu_irq_save();

	while (__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE))
		smmu_posix_spin();
	return flags;
}

static inline void smmu_spin_unlock(struct smmu_spinlock *l, smmu_irqflags flags)
{
	__atomic_store_n(&l->held, 0, __ATOMIC_RELEASE);
	smmu_irq_restore(flags);
}

/** Spins as well, with interrupts on: nothing here is held for long. */
struct smmu_mutex {
	uint32_t held;
};

static inline void smmu_mutex_init(struct smmu_mutex *l)
{
	__atomic_store_n(&l->held, 0, __ATOMIC_RELAXED);
}

static inline void smmu_mutex_lock(struct smmu_mutex *l)
{
	while (__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE))
		smmu_posix_spin();
}

static inline void smmu_mutex_unlock(struct smmu_mutex *l)
{
	__atomic_store_n(&l->held, 0, __ATOMIC_RELEASE);
}

/* ---- quiescence ---- */

#define smmu_rcu_publish(pp, v) __atomic_store_n((pp), (v), __ATOMIC_RELEASE)
#define smmu_rcu_dereference(pp) __atomic_load_n((pp), __ATOMIC_ACQUIRE)

static inline unsigned smmu_rcu_enter(struct smmu_rcu *rcu)
{
	return smmu_posix_rcu_enter(rcu);
}

static inline void smmu_rcu_exit(struct smmu_rcu *rcu, unsigned cookie)
{
	smmu_posix_rcu_exit(rcu, cookie);
}

static inline void smmu_rcu_synchronize(struct smmu_rcu *rcu)
{
	smmu_posix_rcu_synchronize(rcu, smmu_posix_spin);
}

static inline void smmu_rcu_retire(struct smmu_rcu *rcu, struct smmu_rcu_head *head,
				   void (*fn)(struct smmu_rcu_head *head))
{
	smmu_posix_rcu_retire(rcu, head, fn);
}

#endif

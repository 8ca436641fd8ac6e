/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file smmu_sim.h
 * The port for judging the library (SMMU_PORT_HEADER of port.h): every place where another processor, a device or an
 * interrupt could come in between is a point of a simulation (sim.h), stores linger in a store buffer, and each barrier
 * can be left out by its name (sim_access.h). Where no simulation exists all is as in the hosted port, with real threads.
 *
 * Code compiled with SMMU_SIM_ACCESSES, the library that is, has its atomic accesses simulated as well. The harness around
 * it is compiled without: its own accesses are the compiler's, reach memory at once and take no time.
 */
#ifndef SMMU_SIM_PORT_H
#define SMMU_SIM_PORT_H

#include <smmuv3/types.h>

#define SMMU_PORT_TAG sim
#define SMMU_STATS 1

#include "bus.h"
#include "sim_access.h"
#include "sim_point.h"

/* ---- signals as the interrupts of real threads ---- */

/** The thread's own; what comes in between is a signal handler of this thread. */
struct sim_thread_irq {
	unsigned masked; /**< depth */
	unsigned pending;
};
extern __thread struct sim_thread_irq sim_thread_irq;

/** Do what signals have asked for meanwhile. */
void sim_thread_catch_up(void);

/** For signal handlers: call @p fn(@p arg) in this thread, now or where it no longer keeps signals out. One pair a program. */
void sim_thread_interrupt(void (*fn)(void *arg), void *arg);

static inline void sim_thread_keep_out(void)
{
	sim_thread_irq.masked++;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void sim_thread_let_in(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	sim_thread_irq.masked--;
	if (!sim_thread_irq.masked && __atomic_load_n(&sim_thread_irq.pending, __ATOMIC_RELAXED))
		sim_thread_catch_up();
}

/* ---- registers ---- */

struct smmu_mmio {
	const struct smmu_bus *bus;
};

/* No signal's work is done in the middle of an access: a device has locks of its own. */
static inline uint32_t smmu_mmio_read32(const struct smmu_mmio *m, uint32_t offset)
{
	uint32_t value;

	sim_point_at(SIM_POINT_MMIO_READ);
	sim_thread_keep_out();
	value = m->bus->ops->read32(m->bus->ctx, offset);
	sim_thread_let_in();
	return value;
}

static inline uint64_t smmu_mmio_read64(const struct smmu_mmio *m, uint32_t offset)
{
	uint64_t value;

	sim_point_at(SIM_POINT_MMIO_READ);
	sim_thread_keep_out();
	value = m->bus->ops->read64(m->bus->ctx, offset);
	sim_thread_let_in();
	return value;
}

static inline void smmu_mmio_write32(const struct smmu_mmio *m, uint32_t offset, uint32_t value)
{
	if (sim_on)
		sim_do_mmio_write();
	sim_thread_keep_out();
	m->bus->ops->write32(m->bus->ctx, offset, value);
	sim_thread_let_in();
}

static inline void smmu_mmio_write64(const struct smmu_mmio *m, uint32_t offset, uint64_t value)
{
	if (sim_on)
		sim_do_mmio_write();
	sim_thread_keep_out();
	m->bus->ops->write64(m->bus->ctx, offset, value);
	sim_thread_let_in();
}

static inline void sim_relax_bus(const struct smmu_mmio *m)
{
	sim_thread_keep_out();
	m->bus->ops->relax(m->bus->ctx);
	sim_thread_let_in();
}

static inline void smmu_relax(const struct smmu_mmio *m)
{
	if (m)
		sim_relax_bus(m);
	sim_spin();
}

static inline void smmu_wait_pause(const struct smmu_mmio *m, bool may_sleep)
{
	if (m)
		sim_relax_bus(m);
	if (may_sleep)
		sim_spin_asleep();
	else
		sim_spin();
}

/* ---- interrupts and locks ---- */

/** A fiber's interrupts are handlers between two points (sim_set_interrupt), a real thread's signals. */
typedef uint8_t smmu_irqflags;

static inline smmu_irqflags smmu_irq_save(void)
{
	if (sim_on)
		sim_do_irq_save(__builtin_return_address(0));
	else
		sim_thread_keep_out();
	return 0;
}

static inline void smmu_irq_restore(smmu_irqflags flags)
{
	(void)flags;
	if (sim_on)
		sim_do_irq_restore();
	else
		sim_thread_let_in();
}

static inline void sim_take(uint32_t *held, bool sleeps)
{
	sim_point_at(SIM_POINT_LOCK);
	while (__atomic_exchange_n(held, 1, __ATOMIC_ACQUIRE)) {
		/* A processor sees its own stores: what it has given back it may have again. */
		if (sim_on && sim_do_retake(held))
			break;
		if (sleeps)
			sim_spin_asleep();
		else
			sim_spin();
	}
}

static inline void sim_give(uint32_t *held)
{
	if (!__atomic_load_n(held, __ATOMIC_RELAXED))
		sim_not_held();
	if (sim_on)
		sim_do_give(held);
	else
		__atomic_store_n(held, 0, __ATOMIC_RELEASE);
	sim_point_at(SIM_POINT_UNLOCK);
}

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

	sim_take(&l->held, false);
	return flags;
}

static inline void smmu_spin_unlock(struct smmu_spinlock *l, smmu_irqflags flags)
{
	sim_give(&l->held);
	smmu_irq_restore(flags);
}

struct smmu_mutex {
	uint32_t held;
};

static inline void smmu_mutex_init(struct smmu_mutex *l)
{
	__atomic_store_n(&l->held, 0, __ATOMIC_RELAXED);
}

static inline void smmu_mutex_lock(struct smmu_mutex *l)
{
	sim_take(&l->held, true);
}

static inline void smmu_mutex_unlock(struct smmu_mutex *l)
{
	sim_give(&l->held);
}

/* ---- quiescence ---- */

#include "posix_rcu.h"

/*
 * Read it back with smmu_rcu_dereference also on the side that published it: a plain load would miss a store that lingers.
 */
#define smmu_rcu_publish(pp, v) SIM_PUBLISH(pp, v, true)
#define smmu_rcu_dereference(pp) SIM_FOLLOW(pp, true)

/**
 * In a simulation the read section orders nothing but what port.h says: the epoch's own fences would hide barriers that
 * the library lacks. liburcu is for real threads: its waits do not let another fiber run.
 */
unsigned smmu_rcu_enter(struct smmu_rcu *rcu);
void smmu_rcu_exit(struct smmu_rcu *rcu, unsigned cookie);
void smmu_rcu_synchronize(struct smmu_rcu *rcu);
void smmu_rcu_retire(struct smmu_rcu *rcu, struct smmu_rcu_head *head,
		     void (*fn)(struct smmu_rcu_head *head));

#endif

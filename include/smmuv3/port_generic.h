/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file port_generic.h
 * The hot path for bare metal: registers are memory, barriers are the architecture's, locks spin,
 * quiescence is the built-in epoch. See port.h for what each name promises.
 *
 * With SMMU_PORT_SINGLE_THREAD defined the quiescence is none: the embedder promises that nothing
 * attaches, detaches or removes while a fence is open.
 */
#ifndef SMMUV3_PORT_GENERIC_H
#define SMMUV3_PORT_GENERIC_H

#include <smmuv3/atomic.h>
#include <smmuv3/port_barriers.h>
#include <smmuv3/rcu_epoch.h>
#include <smmuv3/types.h>

SMMU_BEGIN_DECLS

#ifdef SMMU_PORT_SINGLE_THREAD
#define SMMU_PORT_TAG generic_single_thread
#else
#define SMMU_PORT_TAG generic
#endif

struct smmu_mmio {
	volatile uint8_t *base;
};

static inline uint32_t smmu_mmio_read32(const struct smmu_mmio *m, uint32_t offset)
{
	return *(const volatile uint32_t *)(m->base + offset);
}

static inline uint64_t smmu_mmio_read64(const struct smmu_mmio *m, uint32_t offset)
{
	return *(const volatile uint64_t *)(m->base + offset);
}

static inline void smmu_mmio_write32(const struct smmu_mmio *m, uint32_t offset, uint32_t value)
{
	*(volatile uint32_t *)(m->base + offset) = value;
}

static inline void smmu_mmio_write64(const struct smmu_mmio *m, uint32_t offset, uint64_t value)
{
	*(volatile uint64_t *)(m->base + offset) = value;
}

static inline void smmu_relax(const struct smmu_mmio *m)
{
	(void)m;
	smmu_cpu_relax();
}

/* There is nobody to give the processor to. */
static inline void smmu_wait_pause(const struct smmu_mmio *m, bool may_sleep)
{
	(void)may_sleep;
	smmu_relax(m);
}

/*
 * An embedding that calls the library from interrupt handlers needs a port of its own, whose save
 * masks them.
 */
typedef uint8_t smmu_irqflags;

static inline smmu_irqflags smmu_irq_save(void)
{
	return 0;
}

static inline void smmu_irq_restore(smmu_irqflags flags)
{
	(void)flags;
}

struct smmu_spinlock {
	uint32_t held;
};

static inline void smmu_spin_init(struct smmu_spinlock *l)
{
	l->held = 0;
}

static inline smmu_irqflags smmu_spin_lock(struct smmu_spinlock *l)
{
	smmu_irqflags flags = smmu_irq_save();

	while (__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE))
		smmu_cpu_relax();
	return flags;
}

static inline void smmu_spin_unlock(struct smmu_spinlock *l, smmu_irqflags flags)
{
	__atomic_store_n(&l->held, 0, __ATOMIC_RELEASE);
	smmu_irq_restore(flags);
}

struct smmu_mutex {
	struct smmu_spinlock spin;
};

static inline void smmu_mutex_init(struct smmu_mutex *l)
{
	smmu_spin_init(&l->spin);
}

static inline void smmu_mutex_lock(struct smmu_mutex *l)
{
	while (__atomic_exchange_n(&l->spin.held, 1, __ATOMIC_ACQUIRE))
		smmu_cpu_relax();
}

static inline void smmu_mutex_unlock(struct smmu_mutex *l)
{
	__atomic_store_n(&l->spin.held, 0, __ATOMIC_RELEASE);
}

#define smmu_rcu_publish(pp, v) __atomic_store_n((pp), (v), __ATOMIC_RELEASE)
#define smmu_rcu_dereference(pp) __atomic_load_n((pp), __ATOMIC_ACQUIRE)

struct smmu_rcu {
	struct smmu_epoch epoch;
};

#ifdef SMMU_PORT_SINGLE_THREAD
static inline unsigned smmu_rcu_enter(struct smmu_rcu *rcu)
{
	(void)rcu;
	return 0;
}

static inline void smmu_rcu_exit(struct smmu_rcu *rcu, unsigned cookie)
{
	(void)rcu;
	(void)cookie;
}

static inline void smmu_rcu_synchronize(struct smmu_rcu *rcu)
{
	(void)rcu;
}

static inline void smmu_rcu_retire(struct smmu_rcu *rcu, struct smmu_rcu_head *head,
				   void (*fn)(struct smmu_rcu_head *head))
{
	(void)rcu;
	fn(head);
}
#else
static inline unsigned smmu_rcu_enter(struct smmu_rcu *rcu)
{
	/*
	 * The stack's address tells processors apart well enough to keep them off each other's
	 * stripe.
	 */
	return smmu_epoch_enter(&rcu->epoch,
				(unsigned)((uintptr_t)__builtin_frame_address(0) >> 14));
}

static inline void smmu_rcu_exit(struct smmu_rcu *rcu, unsigned cookie)
{
	smmu_epoch_exit(&rcu->epoch, cookie);
}

static inline void smmu_rcu_synchronize(struct smmu_rcu *rcu)
{
	smmu_epoch_synchronize(&rcu->epoch, smmu_cpu_relax);
}

static inline void smmu_rcu_retire(struct smmu_rcu *rcu, struct smmu_rcu_head *head,
				   void (*fn)(struct smmu_rcu_head *head))
{
	smmu_epoch_retire(&rcu->epoch, head, fn);
}
#endif

SMMU_END_DECLS

#endif

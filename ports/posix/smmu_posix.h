/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file smmu_posix.h
 * The hot path of the hosted port (SMMU_PORT_HEADER of port.h): registers through a bus, C11 barriers, pthread
 * locks, and one of two quiescences: liburcu for real threads, the built-in epoch for simulated ones.
 *
 * Simulated threads (sim.h) are fibers of one thread. Every place where another processor could come in between is a
 * call of smmu_posix_point(), which is a no-op outside a simulation and a seeded scheduling point inside one.
 */
#ifndef SMMU_POSIX_PORT_H
#define SMMU_POSIX_PORT_H

#include <pthread.h>
#include <smmuv3/atomic.h>
#include <smmuv3/rcu_epoch.h>
#include <smmuv3/types.h>

#include "bus.h"

/** What a simulation hangs into the port; all NULL outside one. Set before any thread starts. */
struct smmu_posix_hooks {
	void (*point)(void);                     /**< another processor may run here */
	void (*spin)(void);                      /**< the caller cannot go on until another one has */
	void (*mb)(void);                        /**< a full barrier: drains the store buffer */
	void (*publish)(void **slot, void *v);   /**< a store that may linger in the store buffer */
	void *(*dereference)(void **slot);       /**< a load that sees this processor's own buffer */
};
extern struct smmu_posix_hooks smmu_posix_hooks;

static inline void smmu_posix_point(void)
{
	if (smmu_posix_hooks.point)
		smmu_posix_hooks.point();
}

struct smmu_mmio {
	const struct smmu_bus *bus;
};

static inline uint32_t smmu_mmio_read32(const struct smmu_mmio *m, uint32_t offset)
{
	smmu_posix_point();
	return m->bus->ops->read32(m->bus->ctx, offset);
}

static inline uint64_t smmu_mmio_read64(const struct smmu_mmio *m, uint32_t offset)
{
	smmu_posix_point();
	return m->bus->ops->read64(m->bus->ctx, offset);
}

static inline void smmu_mmio_write32(const struct smmu_mmio *m, uint32_t offset, uint32_t value)
{
	smmu_posix_point();
	m->bus->ops->write32(m->bus->ctx, offset, value);
}

static inline void smmu_mmio_write64(const struct smmu_mmio *m, uint32_t offset, uint64_t value)
{
	smmu_posix_point();
	m->bus->ops->write64(m->bus->ctx, offset, value);
}

static inline void smmu_dma_wmb(void)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static inline void smmu_dma_rmb(void)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}

static inline void smmu_mb(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (smmu_posix_hooks.mb)
		smmu_posix_hooks.mb();
	smmu_posix_point();
}

/** Wait politely: a fiber lets the others run, a thread gives up the processor now and then. */
void smmu_posix_spin(void);

static inline void smmu_relax(const struct smmu_mmio *m)
{
	if (m)
		m->bus->ops->relax(m->bus->ctx);
	smmu_posix_spin();
}

struct smmu_spinlock {
	uint32_t held;
};

static inline void smmu_spin_init(struct smmu_spinlock *l)
{
	__atomic_store_n(&l->held, 0, __ATOMIC_RELAXED);
}

static inline void smmu_spin_lock(struct smmu_spinlock *l)
{
	while (__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE))
		smmu_posix_spin();
}

static inline void smmu_spin_unlock(struct smmu_spinlock *l)
{
	__atomic_store_n(&l->held, 0, __ATOMIC_RELEASE);
}

/** The same as the spin lock: fibers cannot sleep in a pthread mutex, and nothing here is held for long. */
struct smmu_mutex {
	struct smmu_spinlock spin;
};

static inline void smmu_mutex_init(struct smmu_mutex *l)
{
	smmu_spin_init(&l->spin);
}

static inline void smmu_mutex_lock(struct smmu_mutex *l)
{
	smmu_spin_lock(&l->spin);
}

static inline void smmu_mutex_unlock(struct smmu_mutex *l)
{
	smmu_spin_unlock(&l->spin);
}

static inline void smmu_posix_publish(void **slot, void *v)
{
	if (smmu_posix_hooks.publish)
		smmu_posix_hooks.publish(slot, v);
	else
		__atomic_store_n(slot, v, __ATOMIC_RELEASE);
}

static inline void *smmu_posix_dereference(void **slot)
{
	if (smmu_posix_hooks.dereference)
		return smmu_posix_hooks.dereference(slot);
	return __atomic_load_n(slot, __ATOMIC_ACQUIRE);
}

#define smmu_rcu_publish(pp, v) smmu_posix_publish((void **)(pp), (void *)(v))
#define smmu_rcu_dereference(pp) ((__typeof__(*(pp)))smmu_posix_dereference((void **)(pp)))

enum smmu_posix_rcu_kind { SMMU_POSIX_RCU_EPOCH, SMMU_POSIX_RCU_LIBURCU };

struct smmu_rcu {
	enum smmu_posix_rcu_kind kind;
	struct smmu_epoch epoch;
};

/**
 * With SMMU_POSIX_RCU_LIBURCU a thread registers itself before its first call into the library and unregisters
 * before it ends; a fence is then polled and waited for on the thread that submitted it.
 */
void smmu_posix_thread_register(void);
void smmu_posix_thread_unregister(void);

unsigned smmu_rcu_enter(struct smmu_rcu *rcu);
void smmu_rcu_exit(struct smmu_rcu *rcu, unsigned cookie);
void smmu_rcu_synchronize(struct smmu_rcu *rcu);
void smmu_rcu_retire(struct smmu_rcu *rcu, struct smmu_rcu_head *head,
		     void (*fn)(struct smmu_rcu_head *head));

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file smmu_posix.h
 * The hot path of the hosted port (SMMU_PORT_HEADER of port.h): registers through a bus, C11 barriers, locks that
 * spin and yield, and one of two quiescences: liburcu for real threads, the built-in epoch for simulated ones too.
 *
 * Simulated threads (sim.h) are fibers of one thread. Every place where another processor could come in between is a
 * call of smmu_posix_point_at(), which is a no-op outside a simulation and a seeded scheduling point inside one.
 */
#ifndef SMMU_POSIX_PORT_H
#define SMMU_POSIX_PORT_H

#include <smmuv3/atomic.h>
#include <smmuv3/rcu_epoch.h>
#include <smmuv3/types.h>

#include "bus.h"

/** What happens at a scheduling point; a simulation can give each its own cost. */
enum smmu_posix_point_kind {
	SMMU_POSIX_POINT_MMIO_READ,
	SMMU_POSIX_POINT_MMIO_WRITE,
	SMMU_POSIX_POINT_BARRIER,      /**< smmu_mb, smmu_dma_wmb */
	SMMU_POSIX_POINT_READ_BARRIER, /**< smmu_dma_rmb */
	SMMU_POSIX_POINT_LOCK,         /**< before a lock is taken */
	SMMU_POSIX_POINT_UNLOCK,       /**< after a lock was given back */
	SMMU_POSIX_POINT_RCU,          /**< enter and exit of a read section, following a pointer */
	SMMU_POSIX_POINT_PUBLISH,      /**< after a pointer was published */
	SMMU_POSIX_POINT_OTHER,        /**< smmu_posix_point(): a harness got on with its work */
	SMMU_POSIX_POINT_KINDS,
};

struct smmu_rcu;

/**
 * What a simulation, or a fault with real threads, hangs into the port; all NULL otherwise. Set before any thread
 * starts.
 */
struct smmu_posix_hooks {
	void (*point)(enum smmu_posix_point_kind kind); /**< another processor may run here */
	/** The caller, at @p site of the code, cannot go on until another has. */
	void (*spin)(const void *site);
	void (*mb)(void);    /**< a barrier that drains the store buffer, unless broken */
	void (*drain)(void); /**< empty the store buffer whatever is broken */
	/** Drain it if it has a store to these bytes, which are about to be freed. */
	void (*freeing)(const void *p, size_t size);
	void (*publish)(void **slot, void *v); /**< a store that may linger in the store buffer */
	void *(*dereference)(void **slot);     /**< a load that sees this processor's own buffer */
	bool (*retake)(uint32_t *word);        /**< take back an own release that still lingers */
	void (*release)(uint32_t *word);       /**< store 0, after everything in the store buffer */
	/** smmu_posix_retire, after everything in the store buffer */
	void (*retire)(struct smmu_rcu *rcu, struct smmu_rcu_head *head,
		       void (*fn)(struct smmu_rcu_head *head));
};
extern struct smmu_posix_hooks smmu_posix_hooks;

static inline void smmu_posix_point_at(enum smmu_posix_point_kind kind)
{
	if (smmu_posix_hooks.point)
		smmu_posix_hooks.point(kind);
}

static inline void smmu_posix_point(void)
{
	smmu_posix_point_at(SMMU_POSIX_POINT_OTHER);
}

struct smmu_mmio {
	const struct smmu_bus *bus;
};

static inline uint32_t smmu_mmio_read32(const struct smmu_mmio *m, uint32_t offset)
{
	smmu_posix_point_at(SMMU_POSIX_POINT_MMIO_READ);
	return m->bus->ops->read32(m->bus->ctx, offset);
}

static inline uint64_t smmu_mmio_read64(const struct smmu_mmio *m, uint32_t offset)
{
	smmu_posix_point_at(SMMU_POSIX_POINT_MMIO_READ);
	return m->bus->ops->read64(m->bus->ctx, offset);
}

static inline void smmu_mmio_write32(const struct smmu_mmio *m, uint32_t offset, uint32_t value)
{
	smmu_posix_point_at(SMMU_POSIX_POINT_MMIO_WRITE);
	m->bus->ops->write32(m->bus->ctx, offset, value);
}

static inline void smmu_mmio_write64(const struct smmu_mmio *m, uint32_t offset, uint64_t value)
{
	smmu_posix_point_at(SMMU_POSIX_POINT_MMIO_WRITE);
	m->bus->ops->write64(m->bus->ctx, offset, value);
}

/*
 * Devices here are other threads of this process, or another process on the same processors: C11 fences order
 * what they see. (smmu_epoch_fence is the full one, in a form that ThreadSanitizer builds accept.)
 */
static inline void smmu_dma_wmb(void)
{
#ifdef SMMU_EPOCH_UNDER_TSAN
	smmu_epoch_fence();
#else
	__atomic_thread_fence(__ATOMIC_RELEASE);
#endif
	/* Published pointers are earlier stores as well: they are visible before any later one. */
	if (smmu_posix_hooks.mb)
		smmu_posix_hooks.mb();
	smmu_posix_point_at(SMMU_POSIX_POINT_BARRIER);
}

static inline void smmu_dma_rmb(void)
{
#ifdef SMMU_EPOCH_UNDER_TSAN
	smmu_epoch_fence();
#else
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
#endif
	smmu_posix_point_at(SMMU_POSIX_POINT_READ_BARRIER);
}

static inline void smmu_mb(void)
{
	smmu_epoch_fence();
	if (smmu_posix_hooks.mb)
		smmu_posix_hooks.mb();
	smmu_posix_point_at(SMMU_POSIX_POINT_BARRIER);
}

/** Wait politely: a fiber lets the others run, a thread gives up the processor now and then. */
void smmu_posix_spin(void);

static inline void smmu_relax(const struct smmu_mmio *m)
{
	if (m)
		m->bus->ops->relax(m->bus->ctx);
	smmu_posix_spin();
}

/** A thread that spins gives up the processor now and then anyway, and a fiber at each turn. */
static inline void smmu_wait_pause(const struct smmu_mmio *m, bool may_sleep)
{
	(void)may_sleep;
	smmu_relax(m);
}

struct smmu_spinlock {
	uint32_t held;
};

static inline void smmu_spin_init(struct smmu_spinlock *l)
{
	__atomic_store_n(&l->held, 0, __ATOMIC_RELAXED);
}

static inline void smmu_posix_take(uint32_t *held)
{
	smmu_posix_point_at(SMMU_POSIX_POINT_LOCK);
	while (__atomic_exchange_n(held, 1, __ATOMIC_ACQUIRE)) {
		/* A processor sees its own stores: what it has given back it may have again. */
		if (smmu_posix_hooks.retake && smmu_posix_hooks.retake(held))
			break;
		smmu_posix_spin();
	}
}

static inline void smmu_posix_give(uint32_t *held)
{
	if (smmu_posix_hooks.release)
		smmu_posix_hooks.release(held);
	else
		__atomic_store_n(held, 0, __ATOMIC_RELEASE);
	smmu_posix_point_at(SMMU_POSIX_POINT_UNLOCK);
}

/** A processor's interrupts are signals or, in a simulation, handlers between two points. */
typedef uint8_t smmu_irqflags;

static inline smmu_irqflags smmu_irq_save(void)
{
	return 0;
}

static inline void smmu_irq_restore(smmu_irqflags flags)
{
	(void)flags;
}

static inline smmu_irqflags smmu_spin_lock(struct smmu_spinlock *l)
{
	smmu_irqflags flags = smmu_irq_save();

	smmu_posix_take(&l->held);
	return flags;
}

static inline void smmu_spin_unlock(struct smmu_spinlock *l, smmu_irqflags flags)
{
	smmu_posix_give(&l->held);
	smmu_irq_restore(flags);
}

/** Spins as well: fibers cannot sleep in a pthread mutex, and nothing here is held for long. */
struct smmu_mutex {
	uint32_t held;
};

static inline void smmu_mutex_init(struct smmu_mutex *l)
{
	__atomic_store_n(&l->held, 0, __ATOMIC_RELAXED);
}

static inline void smmu_mutex_lock(struct smmu_mutex *l)
{
	smmu_posix_take(&l->held);
}

static inline void smmu_mutex_unlock(struct smmu_mutex *l)
{
	smmu_posix_give(&l->held);
}

/*
 * With a simulated store buffer a published pointer may not have reached memory yet: read it back with
 * smmu_rcu_dereference also on the side that published it, as a plain load would miss the own store.
 */
static inline void smmu_posix_publish(void **slot, void *v)
{
	if (smmu_posix_hooks.publish)
		smmu_posix_hooks.publish(slot, v);
	else
		__atomic_store_n(slot, v, __ATOMIC_RELEASE);
	smmu_posix_point_at(SMMU_POSIX_POINT_PUBLISH);
}

static inline void *smmu_posix_dereference(void **slot)
{
	smmu_posix_point_at(SMMU_POSIX_POINT_RCU);
	if (smmu_posix_hooks.dereference)
		return smmu_posix_hooks.dereference(slot);
	return __atomic_load_n(slot, __ATOMIC_ACQUIRE);
}

#define smmu_rcu_publish(pp, v) smmu_posix_publish((void **)(pp), (void *)(v))
#define smmu_rcu_dereference(pp) ((__typeof__(*(pp)))smmu_posix_dereference((void **)(pp)))

enum smmu_posix_rcu_kind { SMMU_POSIX_RCU_EPOCH, SMMU_POSIX_RCU_LIBURCU };

/** Zero-initialised is the built-in epoch; set kind before the first use for liburcu. */
struct smmu_rcu {
	enum smmu_posix_rcu_kind kind;
	struct smmu_epoch epoch;
	/* liburcu: heads retired since its grace period under way began, those that wait for it, and its own head */
	struct smmu_rcu_head *heap, *waiting;
	uint32_t busy; /**< 1 while call_rcu has the head */
	void *urcu_head[2];
};

/**
 * With SMMU_POSIX_RCU_LIBURCU a thread registers itself before its first call into the library and unregisters
 * before it ends; a fence is then polled and waited for on the thread that submitted it. liburcu is not for
 * simulated threads: its waits do not let another fiber run.
 */
void smmu_posix_thread_register(void);
void smmu_posix_thread_unregister(void);

unsigned smmu_rcu_enter(struct smmu_rcu *rcu);
void smmu_rcu_exit(struct smmu_rcu *rcu, unsigned cookie);
void smmu_rcu_synchronize(struct smmu_rcu *rcu);
void smmu_rcu_retire(struct smmu_rcu *rcu, struct smmu_rcu_head *head,
		     void (*fn)(struct smmu_rcu_head *head));

/** smmu_rcu_retire without the simulated store buffer. */
void smmu_posix_retire(struct smmu_rcu *rcu, struct smmu_rcu_head *head,
		       void (*fn)(struct smmu_rcu_head *head));

/** Wait until everything that was retired has been called; nobody retires meanwhile. For the end of a run. */
void smmu_posix_rcu_drain(struct smmu_rcu *rcu);

#endif

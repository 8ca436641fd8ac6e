/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file smmu_linux.h
 * The hot path inside a Linux kernel on AArch64. include/smmuv3/port.h has what each name promises.
 *
 * **Quiescence is SRCU.** A sweep is a reader until its fence is done, which may take as long as an ATC may (100 s): under plain
 * RCU every grace period of the system would wait for our slowest device, and a reader could not be pre-empted or would be
 * reported as stalled. A fence is finished by the task or handler that submitted it, so its read section has one owner.
 *
 * **Atomics are the kernel's**, which it patches at boot to LSE where processors have that; the compiler's would be calls out of
 * line, or LL/SC everywhere.
 */
#ifndef SMMU_LINUX_PORT_H
#define SMMU_LINUX_PORT_H

#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/irqflags.h>
#include <linux/jump_label.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/tracepoint-defs.h>
#include <smmuv3/types.h>

#define SMMU_PORT_TAG linux_kernel

/* ---- registers ---- */

struct smmu_mmio {
	void __iomem *base;
};

static inline uint32_t smmu_mmio_read32(const struct smmu_mmio *m, uint32_t offset)
{
	return readl_relaxed(m->base + offset);
}

static inline uint64_t smmu_mmio_read64(const struct smmu_mmio *m, uint32_t offset)
{
	return readq_relaxed(m->base + offset);
}

static inline void smmu_mmio_write32(const struct smmu_mmio *m, uint32_t offset, uint32_t value)
{
	writel_relaxed(value, m->base + offset);
}

static inline void smmu_mmio_write64(const struct smmu_mmio *m, uint32_t offset, uint64_t value)
{
	writeq_relaxed(value, m->base + offset);
}

/* ---- barriers: the outer shareable domain, as for the kernel's own readl and writel ---- */

static inline void smmu_dma_wmb(void)
{
	dma_wmb();
}

static inline void smmu_dma_rmb(void)
{
	dma_rmb();
}

static inline void smmu_mb(void)
{
	dma_mb();
}

/* ---- atomics: loads and stores are the compiler's, which needs no calls for them ---- */

#define smmu_linux_rmw(op, p, v)                                                                  \
	({                                                                                        \
		__auto_type rmw_p_ = (p);                                                         \
		(typeof(*rmw_p_))(sizeof(*rmw_p_) == 8                                            \
					  ? (u64)atomic64_##op((s64)(v), (atomic64_t *)rmw_p_)    \
					  : (u64)(u32)atomic_##op((int)(v), (atomic_t *)rmw_p_)); \
	})
#define smmu_fetch_add(p, v) smmu_linux_rmw(fetch_add, p, v)
#define smmu_fetch_sub(p, v) smmu_linux_rmw(fetch_sub, p, v)
#define smmu_exchange(p, v) ({ xchg((p), (v)); })
#define smmu_compare_exchange(p, expected, v) try_cmpxchg((p), (expected), (v))
#define smmu_count(p, n) atomic64_add((s64)(n), (atomic64_t *)(p))
#define smmu_count_raise(p, seen, v) try_cmpxchg_relaxed((p), (seen), (v))
#define smmu_fence() smp_mb()

/* ---- waiting ---- */

static inline void smmu_relax(const struct smmu_mmio *m)
{
	cpu_relax();
}

static inline void smmu_wait_pause(const struct smmu_mmio *m, bool may_sleep)
{
	if (may_sleep)
		usleep_range(50, 1000);
	else
		cpu_relax();
}

/* ---- exclusion. The inits are macros, so that lockdep tells locks apart by where they are made ---- */

typedef unsigned long smmu_irqflags;

static inline smmu_irqflags smmu_irq_save(void)
{
	unsigned long flags;

	local_irq_save(flags);
	return flags;
}

static inline void smmu_irq_restore(smmu_irqflags flags)
{
	local_irq_restore(flags);
}

struct smmu_spinlock {
	raw_spinlock_t lock;
};

#define smmu_spin_init(l) raw_spin_lock_init(&(l)->lock)

static inline smmu_irqflags smmu_spin_lock(struct smmu_spinlock *l)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&l->lock, flags);
	return flags;
}

static inline void smmu_spin_unlock(struct smmu_spinlock *l, smmu_irqflags flags)
{
	raw_spin_unlock_irqrestore(&l->lock, flags);
}

struct smmu_mutex {
	struct mutex mutex;
};

#define smmu_mutex_init(l) mutex_init(&(l)->mutex)

static inline void smmu_mutex_lock(struct smmu_mutex *l)
{
	mutex_lock(&l->mutex);
}

/* For lockdep, which tells no more of a kind from each other than eight. */
#define smmu_mutex_lock_nested(l, depth) \
	mutex_lock_nested(&(l)->mutex, min_t(u32, depth, MAX_LOCKDEP_SUBCLASSES - 1))

static inline void smmu_mutex_unlock(struct smmu_mutex *l)
{
	mutex_unlock(&l->mutex);
}

/* ---- quiescence ---- */

#define smmu_rcu_publish(pp, v) smp_store_release((pp), (v))
#define smmu_rcu_dereference(pp) READ_ONCE(*(pp))

struct smmu_rcu {
	struct srcu_struct srcu;
};

struct smmu_rcu_head {
	struct rcu_head rcu;
	void (*fn)(struct smmu_rcu_head *head);
};

static inline unsigned smmu_rcu_enter(struct smmu_rcu *rcu)
{
	return (unsigned)srcu_read_lock(&rcu->srcu);
}

static inline void smmu_rcu_exit(struct smmu_rcu *rcu, unsigned cookie)
{
	srcu_read_unlock(&rcu->srcu, (int)cookie);
}

static inline void smmu_rcu_synchronize(struct smmu_rcu *rcu)
{
	synchronize_srcu_expedited(&rcu->srcu);
}

void smmu_linux_retired(struct rcu_head *head);

static inline void smmu_rcu_retire(struct smmu_rcu *rcu, struct smmu_rcu_head *head,
				   void (*fn)(struct smmu_rcu_head *head))
{
	head->fn = fn;
	call_srcu(&rcu->srcu, &head->rcu, smmu_linux_retired);
}

/* ---- what port.h leaves open ---- */

/* The kernel zeroes automatic variables: of a fence, 872 bytes in each sweep. */
#define SMMU_UNINIT __attribute__((__uninitialized__))
/* Instances in flight at once: a fence is on a stack of 16 KiB. */
#define SMMU_FENCE_FLIGHTS 32

/* Counters cost what a no-operation costs until the parameter `stats` turns them on, when the module is loaded. */
DECLARE_STATIC_KEY_FALSE(smmu_linux_stats);
#define SMMU_STATS static_branch_unlikely(&smmu_linux_stats)

/* ---- trace hooks: a no-operation each, until somebody listens to the tracepoint of that name (trace.h, trace.c) ---- */

struct smmu_cmdq;
struct smmu_cmdq_token;
struct smmu_device;
struct smmu_domain;
struct smmu_fence;
struct smmu_instance;
struct smmu_streams;

DECLARE_TRACEPOINT(smmuv3_sweep_begin);
DECLARE_TRACEPOINT(smmuv3_sweep_end);
DECLARE_TRACEPOINT(smmuv3_sync);
DECLARE_TRACEPOINT(smmuv3_cmdq_error);
DECLARE_TRACEPOINT(smmuv3_gerror);
DECLARE_TRACEPOINT(smmuv3_quarantine);
DECLARE_TRACEPOINT(smmuv3_attach);
DECLARE_TRACEPOINT(smmuv3_detach);

void smmu_linux_trace_sweep_begin(const struct smmu_fence *f);
void smmu_linux_trace_sweep_end(const struct smmu_fence *f);
void smmu_linux_trace_sync(const struct smmu_cmdq *q, const struct smmu_cmdq_token *token,
			   unsigned int status);
void smmu_linux_trace_cmdq_error(const struct smmu_cmdq *q, uint64_t position, uint32_t code);
void smmu_linux_trace_gerror(const struct smmu_instance *inst, uint32_t bits);
void smmu_linux_trace_quarantine(const struct smmu_streams *s);
void smmu_linux_trace_attach(const struct smmu_device *dev, uint32_t ssid,
			     const struct smmu_domain *domain, int error);
void smmu_linux_trace_detach(const struct smmu_device *dev, uint32_t ssid);

#define smmu_linux_hook(event, ...)                            \
	do {                                                   \
		if (tracepoint_enabled(smmuv3_##event))        \
			smmu_linux_trace_##event(__VA_ARGS__); \
	} while (0)
#define SMMU_TRACE_SWEEP_BEGIN(fence) smmu_linux_hook(sweep_begin, fence)
#define SMMU_TRACE_SWEEP_END(fence) smmu_linux_hook(sweep_end, fence)
#define SMMU_TRACE_SYNC(queue, token, status) smmu_linux_hook(sync, queue, token, status)
#define SMMU_TRACE_CMDQ_ERROR(queue, position, code) \
	smmu_linux_hook(cmdq_error, queue, position, code)
#define SMMU_TRACE_GERROR(instance, bits) smmu_linux_hook(gerror, instance, bits)
#define SMMU_TRACE_QUARANTINE(streams) smmu_linux_hook(quarantine, streams)
#define SMMU_TRACE_ATTACH(device, ssid, domain, error) \
	smmu_linux_hook(attach, device, ssid, domain, error)
#define SMMU_TRACE_DETACH(device, ssid) smmu_linux_hook(detach, device, ssid)

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file timing_port.h
 * The port for measurements in real time: threads of a process on registers that are memory, without liburcu and without
 * interrupts. CONS of the command queue is that of an SMMU which takes its time (fake.h); the rest answers at once.
 */
#ifndef SMMU_TIMING_PORT_H
#define SMMU_TIMING_PORT_H

#include <sched.h>
#include <smmuv3/atomic.h>
#include <smmuv3/rcu_epoch.h>
#include <smmuv3/types.h>

#define SMMU_PORT_TAG timing

struct smmu_mmio {
	volatile uint8_t *base;
};

/** PROD is written, CONS is read. */
void fake_prod(volatile uint8_t *base, uint32_t prod);
uint32_t fake_cons(volatile uint8_t *base);
/** Commands take time: else CONS is PROD, and both stay in line. */
extern bool fake_takes_time;

/* Registers are memory that threads share; what a slot was reused for comes after the CONS that said so. */
static inline uint32_t timing_load32(const struct smmu_mmio *m, uint32_t offset)
{
	return __atomic_load_n((const volatile uint32_t *)(m->base + offset), __ATOMIC_ACQUIRE);
}

static inline uint32_t smmu_mmio_read32(const struct smmu_mmio *m, uint32_t offset)
{
	switch (offset) {
	case 0x24: /* CR0ACK: CR0 */
		return timing_load32(m, 0x20);
	case 0x44: /* GBPA: Update is clear */
		return timing_load32(m, 0x44) & ~0x80000000u;
	case 0x54: /* IRQ_CTRLACK: IRQ_CTRL */
		return timing_load32(m, 0x50);
	case 0x9c: /* CMDQ_CONS */
		return fake_takes_time ? fake_cons(m->base) : timing_load32(m, 0x98);
	default:
		return timing_load32(m, offset);
	}
}

static inline uint64_t smmu_mmio_read64(const struct smmu_mmio *m, uint32_t offset)
{
	return *(const volatile uint64_t *)(m->base + offset);
}

static inline void smmu_mmio_write32(const struct smmu_mmio *m, uint32_t offset, uint32_t value)
{
	if (offset == 0x98 && fake_takes_time)
		fake_prod(m->base, value);
	else
		__atomic_store_n((volatile uint32_t *)(m->base + offset), value, __ATOMIC_RELEASE);
}

static inline void smmu_mmio_write64(const struct smmu_mmio *m, uint32_t offset, uint64_t value)
{
	*(volatile uint64_t *)(m->base + offset) = value;
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
}

/** Wait politely: other threads may need this processor. The same for all who are measured. */
static inline void timing_relax(void)
{
	static __thread unsigned turns;

#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield" ::: "memory");
#endif
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (++turns % 64 == 0)
		sched_yield();
}

static inline void smmu_relax(const struct smmu_mmio *m)
{
	(void)m;
	timing_relax();
}

static inline void smmu_wait_pause(const struct smmu_mmio *m, bool may_sleep)
{
	(void)may_sleep;
	smmu_relax(m);
}

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
	while (__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE))
		timing_relax();
	return 0;
}

static inline void smmu_spin_unlock(struct smmu_spinlock *l, smmu_irqflags flags)
{
	(void)flags;
	__atomic_store_n(&l->held, 0, __ATOMIC_RELEASE);
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
	smmu_spin_lock(&l->spin);
}

static inline void smmu_mutex_unlock(struct smmu_mutex *l)
{
	smmu_spin_unlock(&l->spin, 0);
}

#define smmu_rcu_publish(pp, v) __atomic_store_n((pp), (v), __ATOMIC_RELEASE)
#define smmu_rcu_dereference(pp) __atomic_load_n((pp), __ATOMIC_ACQUIRE)

struct smmu_rcu {
	struct smmu_epoch epoch;
};

/** Each thread its own stripe of the epoch's counters. */
extern __thread unsigned timing_thread;

static inline unsigned smmu_rcu_enter(struct smmu_rcu *rcu)
{
	return smmu_epoch_enter(&rcu->epoch, timing_thread);
}

static inline void smmu_rcu_exit(struct smmu_rcu *rcu, unsigned cookie)
{
	smmu_epoch_exit(&rcu->epoch, cookie);
}

static inline void smmu_rcu_synchronize(struct smmu_rcu *rcu)
{
	smmu_epoch_synchronize(&rcu->epoch, timing_relax);
}

static inline void smmu_rcu_retire(struct smmu_rcu *rcu, struct smmu_rcu_head *head,
				   void (*fn)(struct smmu_rcu_head *head))
{
	smmu_epoch_retire(&rcu->epoch, head, fn);
}

#endif

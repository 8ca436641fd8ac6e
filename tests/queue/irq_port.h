/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file irq_port.h
 * A port with one processor and its interrupts: a hook is called wherever one may come, and when they are masked and
 * unmasked. Another one is called before each atomic access, where another processor may be at the queue, interrupts or
 * not. The tests that include it build the command queue once more, with this port.
 */
#ifndef SMMU_TEST_QUEUE_IRQ_PORT_H
#define SMMU_TEST_QUEUE_IRQ_PORT_H

#include <smmuv3/types.h>

#define SMMU_PORT_TAG test_irq

/** The device and the processor, as a test plays them. */
struct irq_machine {
	uint32_t (*read32)(uint32_t offset);
	void (*write32)(uint32_t offset, uint32_t value);
	void (*relax)(void);
	void (*point)(void);         /**< an interrupt may come here, if none is masked */
	void (*masked)(bool masked); /**< the outermost mask begins or ends */
	void (*other)(
		void); /**< before an atomic access or one to a register: another processor runs */
	void (*pause)(bool may_sleep); /**< smmu_wait_pause was called */
	unsigned masks;
};
extern struct irq_machine irq;

static inline void irq_other(void)
{
	if (irq.other)
		irq.other();
}

#define smmu_load(p) (irq_other(), __atomic_load_n((p), __ATOMIC_RELAXED))
#define smmu_load_acquire(p) (irq_other(), __atomic_load_n((p), __ATOMIC_ACQUIRE))
#define smmu_load_sc(p) (irq_other(), __atomic_load_n((p), __ATOMIC_SEQ_CST))
#define smmu_store(p, v) (irq_other(), __atomic_store_n((p), (v), __ATOMIC_RELAXED))
#define smmu_store_release(p, v) (irq_other(), __atomic_store_n((p), (v), __ATOMIC_RELEASE))
#define smmu_fetch_add(p, v) (irq_other(), __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST))
#define smmu_fetch_sub(p, v) (irq_other(), __atomic_fetch_sub((p), (v), __ATOMIC_SEQ_CST))
#define smmu_exchange(p, v) (irq_other(), __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST))
#define smmu_compare_exchange(p, expected, v)                                                    \
	(irq_other(), __atomic_compare_exchange_n((p), (expected), (v), false, __ATOMIC_SEQ_CST, \
						  __ATOMIC_SEQ_CST))

#include <smmuv3/atomic.h>

struct smmu_mmio {
	char unused;
};

static inline void irq_point(void)
{
	if (!irq.masks && irq.point)
		irq.point();
}

static inline uint32_t smmu_mmio_read32(const struct smmu_mmio *m, uint32_t offset)
{
	(void)m;
	irq_point();
	return irq.read32(offset);
}

static inline void smmu_mmio_write32(const struct smmu_mmio *m, uint32_t offset, uint32_t value)
{
	(void)m;
	irq_point();
	irq_other();
	irq.write32(offset, value);
}

static inline uint64_t smmu_mmio_read64(const struct smmu_mmio *m, uint32_t offset)
{
	return smmu_mmio_read32(m, offset) | (uint64_t)smmu_mmio_read32(m, offset + 4) << 32;
}

static inline void smmu_mmio_write64(const struct smmu_mmio *m, uint32_t offset, uint64_t value)
{
	smmu_mmio_write32(m, offset, (uint32_t)value);
	smmu_mmio_write32(m, offset + 4, (uint32_t)(value >> 32));
}

static inline void smmu_dma_wmb(void)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
	irq_point();
}

static inline void smmu_dma_rmb(void)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	irq_point();
}

static inline void smmu_mb(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	irq_point();
}

static inline void smmu_relax(const struct smmu_mmio *m)
{
	(void)m;
	irq.relax();
	irq_point();
}

static inline void smmu_wait_pause(const struct smmu_mmio *m, bool may_sleep)
{
	if (irq.pause)
		irq.pause(may_sleep);
	smmu_relax(m);
}

typedef uint8_t smmu_irqflags;

static inline smmu_irqflags smmu_irq_save(void)
{
	irq_point();
	if (!irq.masks++ && irq.masked)
		irq.masked(true);
	return 0;
}

static inline void smmu_irq_restore(smmu_irqflags flags)
{
	(void)flags;
	if (irq.masks == 1 && irq.masked)
		irq.masked(false);
	irq.masks--;
	irq_point();
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

	/* On one processor nobody else can give it back. */
	if (l->held++)
		__builtin_trap();
	return flags;
}

static inline void smmu_spin_unlock(struct smmu_spinlock *l, smmu_irqflags flags)
{
	l->held = 0;
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
	l->spin.held = 1;
}

static inline void smmu_mutex_unlock(struct smmu_mutex *l)
{
	l->spin.held = 0;
}

/* The queue has no read sections. */
struct smmu_rcu {
	char unused;
};

#define smmu_rcu_publish(pp, v) __atomic_store_n((pp), (v), __ATOMIC_RELEASE)
#define smmu_rcu_dereference(pp) __atomic_load_n((pp), __ATOMIC_ACQUIRE)

#endif

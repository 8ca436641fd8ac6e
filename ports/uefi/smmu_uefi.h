/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file smmu_uefi.h
 * The hot path under UEFI boot services: one processor, no interrupts but the timer's, whose events run at task priority
 * levels. Every entry into this driver raises the level to TPL_NOTIFY (system.h), so the library has one thread that nobody
 * interrupts: locks only note that they are held, and there are no read sections. include/smmuv3/port.h has what each name
 * promises.
 *
 * Two more things happen where registers are accessed. Commands are counted, where they become the SMMU's: by how far
 * CMDQ_PROD moves. And while an SMMU is *held back*, nothing changes for its traffic: writes of GBPA and of CR0.SMMUEN wait, and
 * read back as if they had taken effect, so that the library sets everything up behind an SMMU that still lets traffic through as
 * its former owner did. uefi_smmu_let_go() in machine.c ends that.
 */
#ifndef SMMU_UEFI_PORT_H
#define SMMU_UEFI_PORT_H

#include <smmuv3/atomic.h>
#include <smmuv3/port_barriers.h>
#include <smmuv3/rcu_epoch.h>
#include <smmuv3/types.h>

SMMU_BEGIN_DECLS

#define SMMU_PORT_TAG uefi

/** One SMMU beside its registers. Outlives its instance. */
struct smmu_uefi_side {
	uint64_t commands;  /**< entries of the command queue that the SMMU was told of */
	uint64_t batches;   /**< writes of CMDQ_PROD */
	uint32_t prod;      /**< the last value of CMDQ_PROD */
	uint32_t log2size;  /**< from CMDQ_BASE */
	bool fresh;         /**< BASE was written, and PROD not yet */
	bool held;          /**< held back */
	uint32_t held_gbpa; /**< what GBPA is to read as meanwhile */
	uint32_t held_cr0;  /**< SMMUEN as it was written */
};

struct smmu_mmio {
	volatile uint8_t *base;
	struct smmu_uefi_side *side; /**< NULL: registers alone */
};

#define SMMU_UEFI_CR0 0x20u
#define SMMU_UEFI_CR0ACK 0x24u
#define SMMU_UEFI_CR0_SMMUEN 1u
#define SMMU_UEFI_GBPA 0x44u
#define SMMU_UEFI_GBPA_ABORT (1u << 20)
#define SMMU_UEFI_GBPA_UPDATE (1u << 31)
#define SMMU_UEFI_CMDQ_BASE 0x90u
#define SMMU_UEFI_CMDQ_PROD 0x98u

static inline void smmu_uefi_count_prod(struct smmu_uefi_side *c, uint32_t prod)
{
	uint32_t mask = (2u << c->log2size) - 1, moved = (prod - c->prod) & mask;

	c->prod = prod & mask;
	/* The first value after BASE is where the queue begins: no command. */
	if (!c->fresh) {
		c->commands += moved;
		c->batches += moved != 0;
	}
	c->fresh = false;
}

static inline uint32_t smmu_mmio_read32(const struct smmu_mmio *m, uint32_t offset)
{
	uint32_t value;

	if (m->side && m->side->held && offset == SMMU_UEFI_GBPA)
		return m->side->held_gbpa;
	value = *(const volatile uint32_t *)(m->base + offset);
	if (m->side && m->side->held && (offset == SMMU_UEFI_CR0 || offset == SMMU_UEFI_CR0ACK))
		value |= m->side->held_cr0;
	return value;
}

static inline uint64_t smmu_mmio_read64(const struct smmu_mmio *m, uint32_t offset)
{
	return *(const volatile uint64_t *)(m->base + offset);
}

static inline void smmu_mmio_write32(const struct smmu_mmio *m, uint32_t offset, uint32_t value)
{
	if (m->side && m->side->held && offset == SMMU_UEFI_GBPA) {
		m->side->held_gbpa = value & ~SMMU_UEFI_GBPA_UPDATE;
		return;
	}
	if (m->side && m->side->held && offset == SMMU_UEFI_CR0) {
		m->side->held_cr0 = value & SMMU_UEFI_CR0_SMMUEN;
		value &= ~SMMU_UEFI_CR0_SMMUEN;
	}
	if (m->side && offset == SMMU_UEFI_CMDQ_PROD)
		smmu_uefi_count_prod(m->side, value);
	*(volatile uint32_t *)(m->base + offset) = value;
}

static inline void smmu_mmio_write64(const struct smmu_mmio *m, uint32_t offset, uint64_t value)
{
	if (m->side && offset == SMMU_UEFI_CMDQ_BASE) {
		m->side->log2size = value & 0x1f;
		m->side->fresh = true;
	}
	*(volatile uint64_t *)(m->base + offset) = value;
}

static inline void smmu_relax(const struct smmu_mmio *m)
{
	(void)m;
	smmu_cpu_relax();
}

/* Nobody else may run meanwhile: the level is TPL_NOTIFY. */
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
	l->held++;
	return 0;
}

static inline void smmu_spin_unlock(struct smmu_spinlock *l, smmu_irqflags flags)
{
	(void)flags;
	l->held--;
}

struct smmu_mutex {
	uint32_t held;
};

static inline void smmu_mutex_init(struct smmu_mutex *l)
{
	l->held = 0;
}

static inline void smmu_mutex_lock(struct smmu_mutex *l)
{
	l->held++;
}

static inline void smmu_mutex_unlock(struct smmu_mutex *l)
{
	l->held--;
}

#define smmu_rcu_publish(pp, v) __atomic_store_n((pp), (v), __ATOMIC_RELEASE)
#define smmu_rcu_dereference(pp) __atomic_load_n((pp), __ATOMIC_ACQUIRE)

struct smmu_rcu {
	uint32_t unused;
};

/* A fence is finished by the call that submitted it, at TPL_NOTIFY, so no reader is ever there when somebody asks. */
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

SMMU_END_DECLS

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file smmu_sim.h
 * The port for judging the library (SMMU_PORT_HEADER of port.h): every place where another processor, a device or an
 * interrupt could come in between is a point of a simulation (sim.h), stores linger in a store buffer, and each barrier
 * can be left out by its name. Where no simulation exists all is as in the hosted port, with real threads.
 *
 * Code compiled with SMMU_SIM_ACCESSES, the library that is, has its atomic accesses simulated as well. The harness around
 * it is compiled without: its own accesses are the compiler's, reach memory at once and take no time.
 */
#ifndef SMMU_SIM_PORT_H
#define SMMU_SIM_PORT_H

#include <smmuv3/types.h>

#include "bus.h"

#define SMMU_PORT_TAG sim
#define SMMU_STATS 1

/** What happens at a scheduling point; a simulation can give each its own cost. */
enum sim_point_kind {
	SIM_POINT_LOAD,         /**< before an atomic load, or a read-modify-write */
	SIM_POINT_STORE,        /**< before an atomic store */
	SIM_POINT_MMIO_READ,    /**< before a register is read */
	SIM_POINT_MMIO_WRITE,   /**< before a register is written */
	SIM_POINT_BARRIER,      /**< smmu_mb, smmu_dma_wmb, smmu_fence */
	SIM_POINT_READ_BARRIER, /**< smmu_dma_rmb */
	SIM_POINT_LOCK,         /**< before a lock is taken */
	SIM_POINT_UNLOCK,       /**< after a lock was given back */
	SIM_POINT_RCU,          /**< enter and exit of a read section, following a pointer */
	SIM_POINT_PUBLISH,      /**< after a pointer was published */
	SIM_POINT_OTHER,        /**< sim_point(): a harness got on with its work */
	SIM_POINT_KINDS,
};

/* ---- what sim.c does; to be called while sim_on alone ---- */

/** True while a simulation exists. */
extern bool sim_on;

void sim_do_point(enum sim_point_kind kind);
/** Pass the point before a load of @p p. True: it is memory's, and no more is to be done. Else sim_do_load() does it all. */
bool sim_load_quietly(const volatile void *p);
uint64_t sim_do_load(const volatile void *p, unsigned size);
/** Before a load that takes part in the order of the read-modify-writes (@p kept). */
void sim_do_load_sc(bool kept);
void sim_do_store(volatile void *p, unsigned size, uint64_t value, bool release);
/** True: done, in two pieces, as these processors do it; false: the caller stores both halves now. */
bool sim_do_store_pair(uint64_t *p, uint64_t lo, uint64_t hi);
void sim_do_publish(void *p, uint64_t value, bool release);
/** Around a read-modify-write of @p p; @p changed: it stored something. */
void sim_do_rmw(volatile void *p, unsigned size);
void sim_did_rmw(bool changed);
/** Let all earlier stores land (@p full), or keep them before all later ones. */
void sim_do_barrier(bool full);
/** Before a register is written: what a barrier has put before it lands. */
void sim_do_mmio_write(void);
/** A lock is given back that nobody holds: the end of the program. */
void sim_not_held(void);
/** Give a lock back; take back an own one whose giving back still lingers. */
void sim_do_give(uint32_t *word);
bool sim_do_retake(uint32_t *word);
void sim_do_irq_save(const void *site);
void sim_do_irq_restore(void);

/** Wait for another processor: a fiber lets the others run, a thread gives up its processor now and then. */
void sim_spin(void);
/** The same where the caller sleeps, so that whatever it has pre-empted may run. */
void sim_spin_asleep(void);

static inline void sim_point_at(enum sim_point_kind kind)
{
	if (sim_on)
		sim_do_point(kind);
}

static inline void sim_point(void)
{
	sim_point_at(SIM_POINT_OTHER);
}

/* ---- barriers by name ---- */

#include <smmuv3/barriers.h>

enum sim_barrier {
	SIM_BARRIER_NONE,
#define SIM_BARRIER_ID(name, text) SIM_BARRIER_##name,
	SMMU_BARRIERS(SIM_BARRIER_ID)
#undef SIM_BARRIER_ID
		SIM_BARRIERS,
};

/** The names in barriers.h, and NULL; what each keeps apart. */
extern const char *const sim_barrier_names[];
extern const char *const sim_barrier_texts[];

/** Leave the barrier called @p name out from now on, everywhere: a fault to be found. 0, or -1: there is none. */
int sim_drop_barrier(const char *name);
/** Put all barriers back. */
void sim_keep_barriers(void);

extern bool sim_dropped[SIM_BARRIERS];

/* The first name of @op is made that of its form here, which looks at sim_barrier_id. */
#define SMMU_BARRIER(name, op)                                \
	__extension__({                                       \
		enum { sim_barrier_id = SIM_BARRIER_##name }; \
		sim_named_##op;                               \
	})
#define SIM_KEPT (!sim_dropped[sim_barrier_id])
#define sim_named_smmu_mb() sim_barrier(true, SIM_KEPT)
#define sim_named_smmu_fence() sim_barrier(true, SIM_KEPT)
#define sim_named_smmu_dma_wmb() sim_barrier(false, SIM_KEPT)
#define sim_named_smmu_dma_rmb() sim_read_barrier(SIM_KEPT)
#define sim_named_smmu_load_acquire(p) SIM_LOAD(p, SIM_KEPT)
#define sim_named_smmu_load_sc(p) SIM_LOAD_SC(p, SIM_KEPT)
#define sim_named_smmu_store_release(p, v) SIM_STORE(p, v, SIM_KEPT)
#define sim_named_smmu_rcu_publish(p, v) SIM_PUBLISH(p, v, SIM_KEPT)
#define sim_named_smmu_rcu_dereference(p) SIM_FOLLOW(p, SIM_KEPT)

/* ---- atomic accesses ---- */

typedef uint8_t __attribute__((may_alias)) sim_u8;
typedef uint16_t __attribute__((may_alias)) sim_u16;
typedef uint32_t __attribute__((may_alias)) sim_u32;
typedef uint64_t __attribute__((may_alias)) sim_u64;

/* NOLINTBEGIN(bugprone-macro-parentheses): a type cannot stand in parentheses. */
static inline uint64_t sim_raw_load(const volatile void *p, unsigned size, bool acquire)
{
	int order = acquire ? __ATOMIC_ACQUIRE : __ATOMIC_RELAXED;

#define SIM_RAW_LOAD(type)                                                                       \
	(order == __ATOMIC_ACQUIRE ? __atomic_load_n((const volatile type *)p, __ATOMIC_ACQUIRE) \
				   : __atomic_load_n((const volatile type *)p, __ATOMIC_RELAXED))
	switch (size) {
	case 1:
		return SIM_RAW_LOAD(sim_u8);
	case 2:
		return SIM_RAW_LOAD(sim_u16);
	case 4:
		return SIM_RAW_LOAD(sim_u32);
	default:
		return SIM_RAW_LOAD(sim_u64);
	}
#undef SIM_RAW_LOAD
}

static inline void sim_raw_store(volatile void *p, unsigned size, uint64_t value, bool release)
{
#define SIM_RAW_STORE(type)                                                                  \
	do {                                                                                 \
		if (release)                                                                 \
			__atomic_store_n((volatile type *)p, (type)value, __ATOMIC_RELEASE); \
		else                                                                         \
			__atomic_store_n((volatile type *)p, (type)value, __ATOMIC_RELAXED); \
	} while (0)
	switch (size) {
	case 1:
		SIM_RAW_STORE(sim_u8);
		break;
	case 2:
		SIM_RAW_STORE(sim_u16);
		break;
	case 4:
		SIM_RAW_STORE(sim_u32);
		break;
	default:
		SIM_RAW_STORE(sim_u64);
		break;
	}
#undef SIM_RAW_STORE
}
/* NOLINTEND(bugprone-macro-parentheses) */

static inline uint64_t sim_load(const volatile void *p, unsigned size, bool acquire)
{
	if (sim_on && !sim_load_quietly(p))
		return sim_do_load(p, size);
	return sim_raw_load(p, size, acquire);
}

static inline void sim_store(volatile void *p, unsigned size, uint64_t value, bool release)
{
	if (sim_on)
		sim_do_store(p, size, value, release);
	else
		sim_raw_store(p, size, value, release);
}

/** In one piece, as processors with FEAT_LSE2 do it, or in two (sim_set_torn_pairs). */
static inline void sim_store_pair(uint64_t *p, uint64_t lo, uint64_t hi)
{
	if (sim_on && sim_do_store_pair(p, lo, hi))
		return;
	sim_raw_store(p, sizeof(*p), lo, false);
	sim_raw_store(p + 1, sizeof(*p), hi, false);
}

#define SIM_LOAD(p, acquire) ((__typeof__(*(p)))(uintptr_t)sim_load((p), sizeof(*(p)), (acquire)))
#define SIM_LOAD_SC(p, kept)                                                    \
	(sim_on ? (sim_do_load_sc(kept),                                        \
		   (__typeof__(*(p)))(uintptr_t)sim_do_load((p), sizeof(*(p)))) \
		: ((kept) ? __atomic_load_n((p), __ATOMIC_SEQ_CST)              \
			  : __atomic_load_n((p), __ATOMIC_RELAXED)))
#define SIM_STORE(p, v, release) \
	sim_store((p), sizeof(*(p)), (uint64_t)(uintptr_t)(__typeof__(*(p)))(v), (release))
static inline void sim_publish(void *p, uint64_t value, bool release)
{
	if (sim_on)
		sim_do_publish(p, value, release);
	else
		sim_raw_store(p, sizeof(void *), value, release);
}

#define SIM_PUBLISH(p, v, release) \
	sim_publish((p), (uint64_t)(uintptr_t)(__typeof__(*(p)))(v), (release))
#define SIM_FOLLOW(p, acquire)               \
	__extension__({                      \
		sim_point_at(SIM_POINT_RCU); \
		SIM_LOAD(p, acquire);        \
	})
#define SIM_RMW(p, op)                                 \
	__extension__({                                \
		if (sim_on)                            \
			sim_do_rmw((p), sizeof(*(p))); \
		__auto_type sim_was = op;              \
		if (sim_on)                            \
			sim_did_rmw(true);             \
		sim_was;                               \
	})

#ifdef SMMU_SIM_ACCESSES
#define smmu_load(p) SIM_LOAD(p, false)
#define smmu_load_acquire(p) SIM_LOAD(p, true)
#define smmu_load_sc(p) SIM_LOAD_SC(p, true)
#define smmu_store(p, v) SIM_STORE(p, v, false)
#define smmu_store_release(p, v) SIM_STORE(p, v, true)
#define smmu_store_pair(p, lo, hi) sim_store_pair((uint64_t *)(p), (lo), (hi))
#define smmu_fetch_add(p, v) SIM_RMW(p, __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST))
#define smmu_fetch_sub(p, v) SIM_RMW(p, __atomic_fetch_sub((p), (v), __ATOMIC_SEQ_CST))
#define smmu_exchange(p, v) SIM_RMW(p, __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST))
#define smmu_compare_exchange(p, expected, v)                                             \
	__extension__({                                                                   \
		if (sim_on)                                                               \
			sim_do_rmw((p), sizeof(*(p)));                                    \
		bool sim_swapped = __atomic_compare_exchange_n(                           \
			(p), (expected), (v), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
		if (sim_on)                                                               \
			sim_did_rmw(sim_swapped);                                         \
		sim_swapped;                                                              \
	})
#endif

#include <smmuv3/atomic.h>

/* ---- barriers ---- */

/** The real one for threads, unless it is left out, then the simulated one. */
static inline void sim_barrier(bool full, bool kept)
{
	if (sim_on) {
		if (kept)
			sim_do_barrier(full);
		sim_do_point(SIM_POINT_BARRIER);
		return;
	}
	if (!kept)
		return;
#ifdef SMMU_UNDER_TSAN
	smmu_fence();
#else
	if (full)
		smmu_fence();
	else
		__atomic_thread_fence(__ATOMIC_RELEASE);
#endif
}

static inline void sim_read_barrier(bool kept)
{
	if (sim_on) {
		sim_do_point(SIM_POINT_READ_BARRIER);
		return;
	}
	if (!kept)
		return;
#ifdef SMMU_UNDER_TSAN
	smmu_fence();
#else
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
#endif
}

static inline void smmu_mb(void)
{
	sim_barrier(true, true);
}

static inline void smmu_dma_wmb(void)
{
	sim_barrier(false, true);
}

static inline void smmu_dma_rmb(void)
{
	sim_read_barrier(true);
}

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

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file sim_access.h
 * Atomic accesses and barriers of the port for judging (smmu_sim.h): points of a simulation where there is one, and the
 * compiler's own for real threads. Each barrier can be left out by its name.
 */
#ifndef SMMU_SIM_ACCESS_H
#define SMMU_SIM_ACCESS_H

#include <smmuv3/barriers.h>

#include "sim_point.h"

/* ---- barriers by name ---- */

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

#endif

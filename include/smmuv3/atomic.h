/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file atomic.h
 * The atomic accesses of the library, by the names of the C11 memory model. All are lock-free on objects of
 * 1, 2, 4 and 8 bytes, in any context.
 */
#ifndef SMMUV3_ATOMIC_H
#define SMMUV3_ATOMIC_H

#include <stdint.h>

#define smmu_load(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define smmu_load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define smmu_store(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define smmu_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)

/**
 * Store @p lo at @p p and @p hi behind it, @p p aligned to 16 bytes: in one piece for all observers where processors have
 * FEAT_LSE2, in two elsewhere. Used in place of two stores where struct smmu_port promises the former (SMMU_PORT_LSE2).
 */
#ifndef smmu_store_pair
#define smmu_store_pair(p, lo, hi) smmu_store_pair_64((uint64_t *)(p), (lo), (hi))
static inline void smmu_store_pair_64(uint64_t *p, uint64_t lo, uint64_t hi)
{
#if defined(__aarch64__)
	__asm__ volatile("stp %1, %2, %0" : "=Q"(*(unsigned __int128 *)p) : "r"(lo), "r"(hi));
#else
	smmu_store(p, lo);
	smmu_store(p + 1, hi);
#endif
}
#endif

/** Read-modify-write, sequentially consistent; each returns the value before. */
#define smmu_fetch_add(p, v) __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST)
#define smmu_fetch_sub(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_SEQ_CST)
#define smmu_fetch_or(p, v) __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)
#define smmu_fetch_and(p, v) __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST)
#define smmu_exchange(p, v) __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)

/** Compare with *@p expected and store @p v; false, and *@p expected updated, if another value was there. */
#define smmu_compare_exchange(p, expected, v) \
	__atomic_compare_exchange_n((p), (expected), (v), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

#endif

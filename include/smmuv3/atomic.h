/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file atomic.h
 * The atomic accesses of the library, by the names of the C11 memory model. All are lock-free on objects of
 * 1, 2, 4 and 8 bytes, in any context.
 */
#ifndef SMMUV3_ATOMIC_H
#define SMMUV3_ATOMIC_H

#define smmu_load(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define smmu_load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define smmu_store(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define smmu_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)

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

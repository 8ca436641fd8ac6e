/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file atomic.h
 * The atomic accesses of the library, by the names of the C11 memory model. All are lock-free on
 * objects of 1, 2, 4 and 8 bytes, in any context.
 *
 * These are the compiler's. A port whose system has forms of its own (a kernel's READ_ONCE, a
 * simulator's points) defines any of the names as macros in its header, before it includes another
 * header of the library; the rest stay.
 */
#ifndef SMMUV3_ATOMIC_H
#define SMMUV3_ATOMIC_H

#include <smmuv3/types.h>

#ifndef smmu_load
#define smmu_load(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#endif
#ifndef smmu_load_acquire
#define smmu_load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#endif
/**
 * Takes part in the one order of the read-modify-writes: not before one of its own processor,
 * whatever it is of.
 */
#ifndef smmu_load_sc
#define smmu_load_sc(p) __atomic_load_n((p), __ATOMIC_SEQ_CST)
#endif
#ifndef smmu_store
#define smmu_store(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#endif
#ifndef smmu_store_release
#define smmu_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#endif

/**
 * Store @p lo at @p p and @p hi behind it, @p p aligned to 16 bytes: in one piece for all observers
 * where processors have FEAT_LSE2, in two elsewhere. Used in place of two stores where struct
 * smmu_port promises the former (SMMU_PORT_LSE2).
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

/* Read-modify-write, sequentially consistent; each returns the value before. */
#ifndef smmu_fetch_add
#define smmu_fetch_add(p, v) __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST)
#endif
#ifndef smmu_fetch_sub
#define smmu_fetch_sub(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_SEQ_CST)
#endif
#ifndef smmu_exchange
#define smmu_exchange(p, v) __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#endif

/*
 * Add to a counter, and read one. Nothing is ordered by them, and nobody decides by them: no
 * simulation has to see them.
 */
#ifndef smmu_count
#define smmu_count(p, n) ((void)__atomic_fetch_add((p), (n), __ATOMIC_RELAXED))
#endif
/**
 * Raise what was read as *@p seen to @p v; false, and *@p seen read anew, if somebody else has
 * changed it.
 */
#ifndef smmu_count_raise
#define smmu_count_raise(p, seen, v) \
	__atomic_compare_exchange_n((p), (seen), (v), true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#endif
#ifndef smmu_counted
#define smmu_counted(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#endif
/**
 * Store what one at a time changes, and others only look at, with smmu_counted: nothing is ordered
 * by it either.
 */
#ifndef smmu_show
#define smmu_show(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#endif

/**
 * Compare with *@p expected and store @p v; false, and *@p expected updated, if another value was
 * there.
 */
#ifndef smmu_compare_exchange
#define smmu_compare_exchange(p, expected, v) \
	__atomic_compare_exchange_n((p), (expected), (v), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#endif

#if defined(__SANITIZE_THREAD__)
#define SMMU_UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SMMU_UNDER_TSAN 1
#endif
#endif

/**
 * smmu_fence(): no access of this processor passes it, as other processors see it (for devices
 * there is smmu_mb). ThreadSanitizer has no model of fences (and gcc refuses them there), so it
 * gets the instruction: what it checks then rests on the acquire and release accesses alone.
 */
#ifndef smmu_fence
#if defined(SMMU_UNDER_TSAN) && defined(__x86_64__)
#define smmu_fence() __asm__ volatile("mfence" ::: "memory")
#elif defined(SMMU_UNDER_TSAN) && defined(__aarch64__)
#define smmu_fence() __asm__ volatile("dmb ish" ::: "memory")
#else
#define smmu_fence() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif
#endif

/**
 * SMMU_BARRIER(name, op): the barrier, or the access that orders, @p op, under its name in
 * barriers.h. It is @p op and nothing else, except in a port that wants to leave single ones out to
 * show that each is needed.
 */
#ifndef SMMU_BARRIER
#define SMMU_BARRIER(name, op) op
#endif

#endif

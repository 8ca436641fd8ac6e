/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file rcu_epoch.h
 * The built-in quiescence: read sections counted on two alternating phases, spread over stripes so
 * that processors do not share a cache line. A cookie may be given back on another thread than the
 * one that took it, which is what lets an asynchronous fence stay a reader.
 *
 * Used by port_generic.h and by ports that have no RCU of their own. src/util/rcu_epoch.c has the
 * argument.
 */
#ifndef SMMUV3_RCU_EPOCH_H
#define SMMUV3_RCU_EPOCH_H

#include <smmuv3/atomic.h>
#include <smmuv3/types.h>

SMMU_BEGIN_DECLS

#define SMMU_EPOCH_STRIPES 16u

/** Read sections that counted in one phase of one stripe. */
struct smmu_epoch_count {
	uint64_t entered, left;
};

/** No other stripe is on its cache line. */
struct smmu_epoch_stripe {
	struct smmu_epoch_count phase[2];
} __attribute__((aligned(64)));

/** Embedded in what is retired; belongs to the epoch from retire until fn is called. */
struct smmu_rcu_head {
	struct smmu_rcu_head *next;
	void (*fn)(struct smmu_rcu_head *head);
};

/** Zero-initialised is ready for use. */
struct smmu_epoch {
	struct smmu_epoch_stripe stripe[SMMU_EPOCH_STRIPES];
	uint32_t phase;  /**< its lowest bit says where new readers count */
	uint32_t writer; /**< 1 while one caller drives a grace period; protects step and waiting */
	uint32_t step;   /**< how far the grace period of `waiting` has come */
	struct smmu_rcu_head *waiting; /**< retired before that grace period began, oldest first */
	struct smmu_rcu_head *heap;    /**< retired since, newest first; pushed without a lock */
};

/**
 * The cookie of a section that counts in @p phase (0 or 1): it is a place in bytes, so that exit
 * has nothing to calculate.
 */
static inline unsigned smmu_epoch_cookie(unsigned stripe_hint, unsigned phase)
{
	return stripe_hint % SMMU_EPOCH_STRIPES * (unsigned)sizeof(struct smmu_epoch_stripe) +
	       phase * (unsigned)sizeof(struct smmu_epoch_count);
}

/** Where the section of @p cookie is counted. */
static inline struct smmu_epoch_count *smmu_epoch_count(struct smmu_epoch *e, unsigned cookie)
{
	return (struct smmu_epoch_count *)((char *)e->stripe + cookie);
}

/**
 * Enter a read section; @p stripe_hint is any number, best the processor's. Returns the cookie for
 * exit. Sections nest. Lock-free, any context.
 */
static inline unsigned smmu_epoch_enter(struct smmu_epoch *e, unsigned stripe_hint)
{
	unsigned cookie = smmu_epoch_cookie(stripe_hint, smmu_load(&e->phase) & 1);

	smmu_fetch_add(&smmu_epoch_count(e, cookie)->entered, 1);
	/*
	 * Fact 2 of rcu_epoch.c: a read-modify-write alone does not hold back the loads that follow
	 * it.
	 */
	SMMU_BARRIER(epoch_entered, smmu_fence());
	return cookie;
}

/** Leave the read section that returned @p cookie, on any thread. Lock-free, any context. */
static inline void smmu_epoch_exit(struct smmu_epoch *e, unsigned cookie)
{
	smmu_fetch_add(&smmu_epoch_count(e, cookie)->left, 1);
}

/**
 * Wait for all read sections that are open at the call, then call every fn that was retired before
 * the call. @p relax is called in each turn of the wait; may be NULL. Callers may come at the same
 * time and are served in turn. Never from inside a read section or from a retired fn: both would
 * wait for themselves.
 */
void smmu_epoch_synchronize(struct smmu_epoch *e, void (*relax)(void));

/**
 * Do what of a grace period can be done without waiting, and call what has become due. True when
 * nothing that was retired is left to be called. Any context in which the retired fns may run.
 */
bool smmu_epoch_poll(struct smmu_epoch *e);

/**
 * Call @p fn(@p head) once every read section that is open now has been left. Lock-free, never
 * fails, never waits; may be called inside a read section. Each call also polls, so that retiring
 * alone keeps memory bounded by what the slowest reader holds back: fn of this or of an earlier
 * head may run before the call returns, and has to be allowed in the caller's context (it takes no
 * lock that a caller of retire holds).
 */
void smmu_epoch_retire(struct smmu_epoch *e, struct smmu_rcu_head *head,
		       void (*fn)(struct smmu_rcu_head *head));

SMMU_END_DECLS

#endif

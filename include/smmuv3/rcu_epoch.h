/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file rcu_epoch.h
 * The built-in quiescence: read sections counted on two alternating phases, spread over stripes so that
 * processors do not share a cache line. A cookie may be given back on another thread than the one that took it,
 * which is what lets an asynchronous fence stay a reader.
 *
 * Used by port_generic.h and by ports that have no RCU of their own. src/util/rcu_epoch.c has the argument.
 */
#ifndef SMMUV3_RCU_EPOCH_H
#define SMMUV3_RCU_EPOCH_H

#include <smmuv3/atomic.h>
#include <smmuv3/types.h>

#define SMMU_EPOCH_STRIPES 16u

struct smmu_epoch_stripe {
	uint64_t entered[2];
	uint64_t left[2];
} __attribute__((aligned(64)));

struct smmu_rcu_head {
	struct smmu_rcu_head *next;
	void (*fn)(struct smmu_rcu_head *head);
};

/** Zero-initialised is ready for use. */
struct smmu_epoch {
	struct smmu_epoch_stripe stripe[SMMU_EPOCH_STRIPES];
	uint32_t phase;             /**< its lowest bit says where new readers count */
	uint32_t writer;            /**< 1 while one caller drives synchronize */
	struct smmu_rcu_head *heap; /**< retired, not yet called */
};

/** Enter a read section; @p stripe_hint is any number, best the processor's. Returns the cookie for exit. */
static inline unsigned smmu_epoch_enter(struct smmu_epoch *e, unsigned stripe_hint)
{
	unsigned stripe = stripe_hint % SMMU_EPOCH_STRIPES;
	unsigned phase = smmu_load(&e->phase) & 1;

	/* A full barrier by itself: pairs with the ones between the two sums in smmu_epoch_synchronize. */
	smmu_fetch_add(&e->stripe[stripe].entered[phase], 1);
	return stripe * 2 + phase;
}

/** Leave the read section that returned @p cookie, on any thread. */
static inline void smmu_epoch_exit(struct smmu_epoch *e, unsigned cookie)
{
	smmu_fetch_add(&e->stripe[cookie / 2].left[cookie & 1], 1);
}

/** Wait for all read sections open at the call. @p relax is called in each turn of the wait; may be NULL. */
void smmu_epoch_synchronize(struct smmu_epoch *e, void (*relax)(void));

/** Call @p fn(@p head) after a later synchronize; that call runs it. Lock-free, any context. */
void smmu_epoch_retire(struct smmu_epoch *e, struct smmu_rcu_head *head,
		       void (*fn)(struct smmu_rcu_head *head));

#endif

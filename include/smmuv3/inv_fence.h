/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file inv_fence.h
 * The sweep over a domain's array, and the fence that tells when it is done (inv.h).
 */
#ifndef SMMUV3_INV_FENCE_H
#define SMMUV3_INV_FENCE_H

#include <smmuv3/gather.h>
#include <smmuv3/inv_array.h>

SMMU_BEGIN_DECLS

/**
 * What sweeps of one domain could not confirm. One beside each array slot, zeroed at first. A sweep
 * that ends with an error leaves a debt: until a sweep of everything has been confirmed by all
 * instances, each sweep is one of everything, whatever its range. src/inv/sweep.c, fact 7.
 */
struct smmu_inv_debt {
	uint32_t failed;  /**< sweeps that ended with an error */
	uint32_t settled; /**< so many of them were made good */
};

/** True while something that a sweep should have cleared may still be cached. Any context. */
static inline bool smmu_inv_owes(const struct smmu_inv_debt *debt)
{
	return smmu_load(&debt->failed) != smmu_load(&debt->settled);
}

/** @name The sweep and its fence
 *  @{ */

#ifndef SMMU_FENCE_FLIGHTS
/**
 * Instances that one fence has in flight at a time; with more, the sweep goes in waves. Each costs
 * 24 bytes of the fence.
 */
#define SMMU_FENCE_FLIGHTS 64
#endif

/** One instance's part of a fence. */
struct smmu_inv_flight {
	struct smmu_cmdq_token token;
	uint8_t phase;    /**< of the program that is under way; 0: none is */
	uint8_t asked;    /**< enum smmu_inv_asked: whose ATC_INV it has */
	uint8_t suspects; /**< after a time-out: those that are asked again; 0: none are */
	uint8_t tries;
	/**
	 * Counted from the first ATS operation: the one that was asked, if the ATC_INV of the
	 * program were one device's. Among those that are asked again it tells which: the
	 * 2^(suspects - 1) from a multiple of that on, that it is one of.
	 */
	uint32_t place;
};

/**
 * A sweep under way. It is a reader from submit until poll or wait says that it is finished: attach
 * and detach go on meanwhile, but no device that it names and no instance goes away. Fields are
 * private. 1,616 bytes, written as far as they are used: with one instance 104 of them.
 */
struct smmu_fence {
	struct smmu_rcu *rcu; /**< NULL: the fence is finished */
	unsigned cookie;
	int error;
	struct smmu_inv_debt *debt;
	struct smmu_inv_array *array;
	const struct smmu_inv_group *wave; /**< of flight[0] */
	uint32_t flights;
	uint32_t left;   /**< groups behind them, not in flight yet */
	uint32_t failed; /**< debt->failed before anything was submitted */
	bool whole;      /**< everything, whatever the range */
	struct smmu_gather range;
	struct smmu_inv_flight flight[SMMU_FENCE_FLIGHTS];
};

/**
 * Start the invalidation of @p range for the domain whose array is published at @p slot. The caller
 * has already changed the page table; this function has the barrier that orders that change before
 * the look at the array. The fence must then be polled or waited for until it is finished.
 *
 * @param slot   where the array is published; may hold NULL
 * @param debt   the domain's; see there
 * @param range  what changed, copied; NULL: everything
 *
 * Any context; does not sleep, takes no lock, allocates nothing. It waits for room in a full queue,
 * and when the array names more than SMMU_FENCE_FLIGHTS instances; and it waits for the SMMU where
 * it meets a device whose cut-off was not confirmed.
 */
void smmu_inv_submit(struct smmu_fence *f, struct smmu_rcu *rcu, struct smmu_inv_array *const *slot,
		     struct smmu_inv_debt *debt, const struct smmu_gather *range);

/**
 * Start a CMD_SYNC on each instance of the array: what transactions that are complete have done to
 * translation tables is visible when the fence is finished (IHI 0070 G.b, 3.13.4). Nothing is
 * invalidated, but the page at 0 where it has to ask again or the instances are more than
 * SMMU_FENCE_FLIGHTS, and everything where sweeps of before are owed. Parameters and contexts are
 * those of smmu_inv_submit.
 */
void smmu_inv_settle(struct smmu_fence *f, struct smmu_rcu *rcu, struct smmu_inv_array *const *slot,
		     struct smmu_inv_debt *debt);

/**
 * See how a fence stands. Any context; does not sleep. Waits in error recovery only.
 *
 * @return
 *   0            finished: no cache holds anything of the range, nor of any range that a sweep of
 *                this domain owed
 *   -SMMU_EAGAIN not yet
 *   -SMMU_EIO    finished, but an instance does not answer, or a device could not be cut off: what
 *                was unmapped may still be used, and its memory must not be. The domain keeps the
 *                debt (struct smmu_inv_debt)
 */
int smmu_fence_poll(struct smmu_fence *f);

/**
 * Wait for a fence, without sleeping.
 *
 * @return 0 or -SMMU_EIO, as smmu_fence_poll; never -SMMU_EAGAIN
 *
 * Any context; does not sleep. Bounded by the queues' time-outs.
 */
int smmu_fence_wait(struct smmu_fence *f);

/**
 * Submit and wait.
 *
 * @return 0 or -SMMU_EIO, as smmu_fence_poll
 *
 * Any context; does not sleep. Parameters are those of smmu_inv_submit.
 */
int smmu_inv_sync(struct smmu_rcu *rcu, struct smmu_inv_array *const *slot,
		  struct smmu_inv_debt *debt, const struct smmu_gather *range);
/** @} */

SMMU_END_DECLS

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file inv_target.h
 * What the invalidation core (inv.h) knows of an SMMU, and of a device behind it that may have to
 * be cut off.
 */
#ifndef SMMUV3_INV_TARGET_H
#define SMMUV3_INV_TARGET_H

#include <smmuv3/port.h>
#include <smmuv3/token.h>

SMMU_BEGIN_DECLS

/** Properties of a target: bits of smmu_inv_target.flags. */
enum {
	SMMU_INV_RANGE = 1, /**< range commands (IDR3.RIL) may be used */
	/** Quirk: wait for the TLB operations before the ATC ones are submitted. */
	SMMU_INV_SPLIT_ATC = 2,
	SMMU_INV_TLBI_TWICE = 4, /**< quirk: issue each TLBI, SYNC, and the same again */
};

struct smmu_inv_target;
struct smmu_inv_program;
struct smmu_inv_owner;

struct smmu_inv_target_ops {
	/**
	 * Append the smmu_inv_program_count(p) commands of @p p and a CMD_SYNC as one unit: no
	 * other commands in between. Get them from smmu_inv_program_next. Called inside a read
	 * section, maybe where sleeping is forbidden.
	 *
	 * @return 0 and a token; a negative error if the queue is dead.
	 */
	int (*submit)(struct smmu_inv_target *t, struct smmu_inv_program *p,
		      struct smmu_cmdq_token *token);
	/** How the program stands now. Never waits. */
	enum smmu_cmdq_status (*poll)(struct smmu_inv_target *t,
				      const struct smmu_cmdq_token *token);
	/**
	 * Wait until the program stands at anything but SMMU_CMDQ_PENDING; bounded by the queue's
	 * time-out.
	 */
	enum smmu_cmdq_status (*wait)(struct smmu_inv_target *t,
				      const struct smmu_cmdq_token *token);
	/**
	 * The device @p owner does not answer: cut it off, so that what its ATC holds cannot be
	 * used, and wait until that took effect. Calls smmu_inv_cut_begin before it does anything
	 * else, and sets owner->cut to SMMU_CUT_DONE when no access of the device reaches memory
	 * any more. Several threads may call it at once, also for one device.
	 *
	 * @return 0: it took effect. Negative: not confirmed; owner->cut stays at SMMU_CUT_BEGUN,
	 * this sweep ends with an error, and every later one that meets the device calls again.
	 */
	int (*quarantine)(struct smmu_inv_target *t, struct smmu_inv_owner *owner);
};

/**
 * An SMMU instance as the sweep sees it. Outlives every array that names it, until readers have
 * left.
 */
struct smmu_inv_target {
	const struct smmu_inv_target_ops *ops;
	uint32_t index; /**< the sort key; no two targets share one */
	uint32_t flags; /**< SMMU_INV_RANGE … */
	/** An id that would need more commands than this is invalidated whole; 0: 512. */
	uint32_t tlbi_max;
	/** An ATC gets at most this many spans, covering more if need be; 0: exact always. */
	uint32_t atc_max;
	/** Devices that are cut off: while it is 0, sweeps ask all of them; 0 at first. */
	uint32_t cuts;
	uint32_t era; /**< counts those that came back; 0 at first */
};

/** How far a device has been cut off. It rises, until the device is let back. */
enum smmu_cut {
	SMMU_CUT_NO,
	/** Decided, and not confirmed by the SMMU yet: sweeps that meet it see to that first. */
	SMMU_CUT_BEGUN,
	SMMU_CUT_DONE, /**< nothing of it reaches memory: sweeps skip its operations */
	/** The same, but programs of a later era ask it; the era stands in the bits above. */
	SMMU_CUT_LIFTED,
};
#define SMMU_CUT_ERA_SHIFT 2

/**
 * The device behind ATS operations: one for all its streams, substreams and domains, so that what
 * is found out about it through one operation is known at once to every sweep. Zeroed at first. It
 * stays as long as a sweep may name it.
 */
struct smmu_inv_owner {
	uint32_t cut; /**< enum smmu_cut; lifted: and the era from which on it is asked */
};

/**
 * The device @p owner behind @p t is being cut off: from here on sweeps look at what became of each
 * device of @p t. Once for each device; more often does no harm. Any context.
 */
static inline void smmu_inv_cut_begin(struct smmu_inv_target *t, struct smmu_inv_owner *owner)
{
	smmu_fetch_add(&t->cuts, 1);
	smmu_store(&owner->cut, SMMU_CUT_BEGUN);
}

/**
 * @p owner, which is cut off (SMMU_CUT_DONE), is to come back: sweeps that begin from here on ask
 * it, while its accesses go on aborting. Then wait for the readers (smmu_rcu_synchronize): sweeps
 * that left it out are done, and with them the TLB is clean of all that they did not tell it. Then
 * smmu_inv_cut_end, and only then may its accesses reach memory. One at a time for a target. Any
 * context.
 */
void smmu_inv_cut_lift(struct smmu_inv_target *t, struct smmu_inv_owner *owner);

/** The end of it; or its owner goes away. Any context. */
static inline void smmu_inv_cut_end(struct smmu_inv_target *t, struct smmu_inv_owner *owner)
{
	smmu_store(&owner->cut, SMMU_CUT_NO);
	smmu_fetch_sub(&t->cuts, 1);
}

SMMU_END_DECLS

#endif

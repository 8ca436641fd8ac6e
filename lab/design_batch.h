/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file design_batch.h
 * What the designs that serve one instance after the other have in common: some operations of one instance, written as
 * one batch, and a wait for it.
 */
#ifndef SMMU_LAB_DESIGN_BATCH_H
#define SMMU_LAB_DESIGN_BATCH_H

#include <smmuv3/instance.h>

static inline bool design_is_ats(const struct smmu_inv *e)
{
	return e->kind >= SMMU_INV_ATS;
}

/** No attachment uses the operation any more, or its device was cut off. */
bool design_gone(const struct smmu_inv *e);

/** True if @p a has an operation of an ATC that is to be told. */
bool design_has_ats(const struct smmu_inv_array *a);

/**
 * Submit the operations @p first … @p end-1 of @p inst for range @p g (NULL: everything) and wait for them; again while
 * command errors hit them. @p lock (may be NULL) is held while they are read and written, not while they are waited for.
 * 0 or -SMMU_EIO.
 */
int design_batch_run(struct smmu_instance *inst, const struct smmu_inv *first,
		     const struct smmu_inv *end, const struct smmu_gather *g,
		     struct smmu_spinlock *lock);

/**
 * Follow @p a, one instance and in it one kind (TLB, then ATC) after the other, with a wait for each. @p lock is held
 * while ATC operations are written. 0 or -SMMU_EIO.
 */
int design_walk(const struct smmu_inv_array *a, const struct smmu_gather *g,
		struct smmu_spinlock *lock);

#endif

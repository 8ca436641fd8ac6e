/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the parts of the sweep. */
#ifndef SMMU_SRC_INV_SWEEP_H
#define SMMU_SRC_INV_SWEEP_H

#include <smmuv3/inv.h>

/** Which operations a program takes. */
enum { SMMU_PHASE_TLB = 1, SMMU_PHASE_ATC = 2, SMMU_PHASE_ALL = 3 };

/** Values of smmu_inv_program.mode. */
enum {
	SMMU_INV_ONE,     /**< one TLBI */
	SMMU_INV_AT_ONCE, /**< all operations alike, one command each, not written yet */
	SMMU_INV_ALL,     /**< all alike */
	SMMU_INV_CAREFUL, /**< some may be gone, or devices cut off, or they are not alike */
};

/** The next commands of a plan that differ by their address only; false: there are none. */
bool smmu_inv_tlbi_step(struct smmu_tlbi_plan *p, struct smmu_inv_step *step);
bool smmu_inv_atc_step(struct smmu_atc_plan *p, struct smmu_inv_step *step);

/** Make @p plan for instances like @p t; and its part for ATCs. */
void smmu_inv_plan_tlbi(struct smmu_inv_plan *plan, const struct smmu_inv_target *t,
			const struct smmu_gather *range);
void smmu_inv_plan_atc(struct smmu_inv_plan *plan, const struct smmu_gather *range);

/** Make @p plan, which is made for other instances, what @p range means to group @p g, if that is not the same. */
static inline void smmu_inv_plan_for(struct smmu_inv_plan *plan, const struct smmu_inv_group *g,
				     const struct smmu_gather *range)
{
	const struct smmu_inv_target *t = g->target;

	if (plan->flags != t->flags || plan->tlbi_max != t->tlbi_max || plan->atc_max != t->atc_max)
		smmu_inv_plan_tlbi(plan, t, range);
	if (g->by_range && !plan->atc_made)
		smmu_inv_plan_atc(plan, range);
}

/** Make @p plan for group @p g and @p range; NULL: everything. */
static inline void smmu_inv_plan_make(struct smmu_inv_plan *plan, const struct smmu_inv_group *g,
				      const struct smmu_gather *range)
{
	if (!range) {
		plan->all = true;
		return;
	}
	smmu_inv_plan_tlbi(plan, g->target, range);
	if (g->by_range)
		smmu_inv_plan_atc(plan, range);
}

/** The program of group @p g, some operation of which was live in this read section. All stay until it is written. */
void smmu_inv_program_init(struct smmu_inv_program *p, const struct smmu_inv_array *array,
			   const struct smmu_inv_group *g, const struct smmu_inv_plan *plan,
			   unsigned phase);

/** The same for the ATS operations at the places @p first … @p end - 1 alone. */
void smmu_inv_program_again(struct smmu_inv_program *p, const struct smmu_inv_array *array,
			    const struct smmu_inv_group *g, const struct smmu_inv_plan *plan,
			    uint32_t first, uint32_t end);

#endif

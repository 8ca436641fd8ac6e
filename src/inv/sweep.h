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

/** The part of @p plan for TLBs, where it is not one granule by a range command; and the part for ATCs. */
void smmu_inv_plan_many(struct smmu_inv_plan *plan, const struct smmu_gather *range);
void smmu_inv_plan_atc(struct smmu_inv_plan *plan, const struct smmu_gather *range);

/** Make @p plan for instances like @p t, but for its part for ATCs. Inlined: most sweeps make one. */
static inline void smmu_inv_plan_tlbi(struct smmu_inv_plan *plan, const struct smmu_inv_target *t,
				      const struct smmu_gather *range)
{
	unsigned granule = range->granule_shift;
	uint64_t w1 = range->start >> granule << granule;

	plan->flags = t->flags;
	plan->tlbi_max = t->tlbi_max;
	plan->atc_max = t->atc_max;
	plan->atc_made = plan->all = plan->tlbi.whole = false;
	/* Quirks have programs of their own. */
	plan->single = !(t->flags & (SMMU_INV_SPLIT_ATC | SMMU_INV_TLBI_TWICE));
	if (!(t->flags & SMMU_INV_RANGE) || (range->start ^ range->last) >> granule) {
		smmu_inv_plan_many(plan, range);
		return;
	}
	/* One granule: without TG if there is no hint, as in smmu_tlbi_plan_next. */
	if (!range->tables)
		w1 |= SMMU_CMD_TLBI_W1_LEAF;
	if (range->level)
		w1 |= smmu_field_prep(SMMU_CMD_TLBI_W1_TTL, range->level) |
		      smmu_field_prep(SMMU_CMD_TLBI_W1_TG, smmu_cmd_tlbi_tg(granule));
	plan->tlbi.left = 0;
	plan->tlbi.count = 1;
	plan->tlbi_step = (struct smmu_inv_step){.w1 = w1, .count = 1};
}

/** The same, for the less common ways. */
void smmu_inv_plan_again(struct smmu_inv_plan *plan, const struct smmu_inv_target *t,
			 const struct smmu_gather *range);

/** True if @p plan is one for instances like @p t, too. */
static inline bool smmu_inv_plan_fits(const struct smmu_inv_plan *plan,
				      const struct smmu_inv_target *t)
{
	return plan->flags == t->flags && plan->tlbi_max == t->tlbi_max &&
	       plan->atc_max == t->atc_max;
}

/** Make @p plan for group @p g and @p range; NULL: everything. */
static inline void smmu_inv_plan_make(struct smmu_inv_plan *plan, const struct smmu_inv_group *g,
				      const struct smmu_gather *range)
{
	if (!range) {
		plan->all = true;
		return;
	}
	smmu_inv_plan_again(plan, g->target, range);
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

/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the parts of the sweep. */
#ifndef SMMU_SRC_INV_SWEEP_H
#define SMMU_SRC_INV_SWEEP_H

#include <smmuv3/inv.h>

#define SMMU_ATC_PAGE_SHIFT 12u

/** Flags of a target on which the commands depend. */
#define SMMU_INV_FLAGS (SMMU_INV_RANGE | SMMU_INV_SPLIT_ATC | SMMU_INV_TLBI_TWICE)

/** The order of its kind within an instance: both ATS kinds of a stream stand together. */
static inline uint32_t smmu_inv_order(const struct smmu_inv *e)
{
	return e->kind < SMMU_INV_ATS ? e->kind : SMMU_INV_ATS;
}

/** Its place: of the first operation from @p low on and before @p high that is not before @p e. */
uint32_t smmu_inv_place(const struct smmu_inv_array *array, uint32_t low, uint32_t high,
			const struct smmu_inv *e);

/** Which operations a program takes. */
enum { SMMU_PHASE_TLB = 1, SMMU_PHASE_ATC = 2, SMMU_PHASE_ALL = 3 };

/** The next commands of a plan that differ by their address only; false: there are none. */
bool smmu_inv_tlbi_step(struct smmu_tlbi_plan *p, struct smmu_inv_step *step);
bool smmu_inv_atc_step(struct smmu_atc_plan *p, struct smmu_inv_step *step);

/** The part of @p plan for TLBs, where it is not one granule by a range command; and the part for ATCs. */
void smmu_inv_plan_many(struct smmu_inv_plan *plan, const struct smmu_gather *range);
void smmu_inv_plan_spans(struct smmu_inv_plan *plan, const struct smmu_gather *range);

/** Make @p plan for instances like @p t, but for its part for ATCs. Inlined: most sweeps make one. */
static inline void smmu_inv_plan_tlbi(struct smmu_inv_plan *plan, const struct smmu_inv_target *t,
				      const struct smmu_gather *range)
{
	unsigned granule = range->granule_shift;
	uint64_t w1 = range->start >> granule << granule;

	plan->target = t;
	plan->all = plan->atc_made = false;
	if ((t->flags & SMMU_INV_FLAGS) != SMMU_INV_RANGE ||
	    (range->start ^ range->last) >> granule) {
		smmu_inv_plan_many(plan, range);
		return;
	}
	/* One granule: without TG if there is no hint, as in smmu_tlbi_plan_next. */
	if (!range->tables)
		w1 |= SMMU_CMD_TLBI_W1_LEAF;
	if (range->level)
		w1 |= smmu_field_prep(SMMU_CMD_TLBI_W1_TTL, range->level) |
		      smmu_field_prep(SMMU_CMD_TLBI_W1_TG, smmu_cmd_tlbi_tg(granule));
	plan->single = true;
	plan->tlbi_step.w0 = 0;
	plan->tlbi_step.w1 = w1;
}

/** Its part for ATCs. */
static inline void smmu_inv_plan_atc(struct smmu_inv_plan *plan, const struct smmu_gather *range)
{
	plan->atc_made = true;
	if (plan->single && (range->start ^ range->last) >> SMMU_ATC_PAGE_SHIFT == 0)
		plan->atc_step.w1 = range->start & SMMU_CMD_ATC_INV_W1_ADDR;
	else
		smmu_inv_plan_spans(plan, range);
}

/** True if @p plan is one for instances like @p t, too. */
static inline bool smmu_inv_plan_fits(const struct smmu_inv_plan *plan,
				      const struct smmu_inv_target *t)
{
	const struct smmu_inv_target *like = plan->target;

	return like->flags == t->flags && like->tlbi_max == t->tlbi_max &&
	       like->atc_max == t->atc_max;
}

/** Make @p plan for group @p g and @p range; NULL: everything. */
void smmu_inv_plan_make(struct smmu_inv_plan *plan, const struct smmu_inv_group *g,
			const struct smmu_gather *range);

/** Commands of one TLB operation, and of one ATC operation. */
static inline uint32_t smmu_inv_plan_tlbis(const struct smmu_inv_plan *plan)
{
	return plan->single ? 1 : plan->tlbi.count;
}
static inline uint32_t smmu_inv_plan_atcs(const struct smmu_inv_plan *plan)
{
	return plan->single ? 1 : plan->atc.count;
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

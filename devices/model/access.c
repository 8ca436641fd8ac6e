/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One access of a device, and "who said so": it is walked a second time through memory alone, and what differs is laid at the door of
 * the level that supplied it.
 */
#include <string.h>

#include "internal.h"

static bool same_config(const struct xlate *x, const struct xlate *truth)
{
	if (x->have_ste != truth->have_ste || x->have_cd != truth->have_cd)
		return false;
	if (x->have_ste && memcmp(x->ste.w, truth->ste.w, sizeof(x->ste.w)))
		return false;
	return !x->have_cd || !memcmp(x->cd.w, truth->cd.w, sizeof(x->cd.w));
}

static enum smmu_model_held blame(const struct instance *in, const struct xlate *x,
				  const struct xlate *truth, bool atc_hit)
{
	if (atc_hit)
		return SMMU_HELD_ATC;
	if ((x->ste_hit || x->cd_hit) && !same_config(x, truth))
		return SMMU_HELD_CONFIG;
	if (x->tlb_hit)
		return SMMU_HELD_TLB;
	if (x->walk_hit)
		return SMMU_HELD_WALK;
	/* Nothing was cached: the memory that the instance sees is another than the processors'. */
	return in->behind.va != in->model->ram.va ? SMMU_HELD_UNCLEANED : SMMU_HELD_MEMORY;
}

bool model_truth(struct instance *in, const struct smmu_dma *dma, struct xlate *x)
{
	model_begin(x, dma, ASK_TRUTH, false, false);
	return dma->kind == SMMU_DMA_TRANSLATED ? model_ats_translated(in, x, dma->iova)
						: model_translate(in, x);
}

static bool by_kind(struct instance *in, struct smmu_model_device *dev, struct xlate *x,
		    struct smmu_dma_result *res)
{
	if (x->in.kind == SMMU_DMA_TRANSLATED)
		return model_ats_translated(in, x, x->in.iova);
	if (x->in.kind == SMMU_DMA_ORDINARY && dev && dev->ats_on)
		return model_ats_access(in, dev, x, res);
	return model_translate(in, x);
}

/** Walk memory beside the access @p x, which was to be @p as, and say what differs. */
static void account(struct instance *in, const struct xlate *x, const struct smmu_dma *as,
		    struct smmu_dma_result *res)
{
	struct xlate truth;

	res->truth_ok = model_truth(in, as, &truth);
	res->unasked = false;
	res->truth_pa = res->truth_ok ? truth.pa : 0;
	res->differs = res->ok != res->truth_ok || (res->ok && res->pa != res->truth_pa);
	res->held_by = res->differs ? blame(in, x, &truth, res->atc_hit) : SMMU_HELD_MEMORY;
}

void smmu_model_account(struct smmu_model *model, struct smmu_dma_result *res)
{
	struct instance *in = &model->in[res->dma.instance];

	if (res->unasked)
		account(in, &in->last, &in->last_as, res);
}

void model_access(struct instance *in, const struct smmu_dma *dma, bool effects,
		  struct smmu_dma_result *res)
{
	bool brief = effects && dma->brief && in->model->clock == SMMU_MODEL_VIRTUAL;
	struct xlate local, *x = brief ? &in->last : &local;
	struct smmu_model_device *dev = model_find_device(in, dma->stream);

	*res = (struct smmu_dma_result){.dma = *dma};
	model_begin(x, dma, effects ? ASK_DMA : ASK_PROBE, true, effects);
	x->in.fetch &= !dma->write;
	/* Without a PASID there is nothing in a PCIe access that could say so (13.7). */
	if (dev && dev->has_atc && !dma->ssid_valid)
		x->in.fetch = x->in.privileged = false;
	if (!(dev && dev->dead)) {
		struct smmu_dma as = x->in;
		bool ok = by_kind(in, dev, x, res);

		res->ok = ok;
		res->event = ok ? 0 : x->fault.type;
		res->stalled = !ok && effects && x->fault.stall;
		res->pa = ok ? x->pa : 0;
		res->raz_wi = !ok && x->have_cd && !x->fault.s2 && x->fault.type >= F_TRANSLATION &&
			      x->fault.type <= F_PERMISSION && !(x->cd.w[0] & BIT(46)) &&
			      !x->fault.stall && !(dev && dev->ats_on);
		if (!ok && effects) {
			model_event_record(in, x);
			res->stag = in->stag_given;
		}
		res->recorded = x->recorded;
		res->record_pnu = x->record & BIT(33);
		res->record_ind = x->record & BIT(34);
		res->unasked = brief;
		if (brief)
			in->last_as = as;
		else
			account(in, x, &as, res);
	}
	res->tlb_hit = x->tlb_hit;
	res->walk_hit = x->walk_hit;
	res->ste_hit = x->ste_hit;
	res->cd_hit = x->cd_hit;
	res->walk_table = x->walk_table;
	if (x->have_hit) {
		res->tag = model_tlb_tag(&x->hit, x->hit.atc    ? SMMU_HELD_ATC
						  : x->hit.walk ? SMMU_HELD_WALK
								: SMMU_HELD_TLB);
		res->entry_base = x->hit.base;
		res->entry_size = pow2(x->hit.log2);
		res->entry_born_ns = x->hit.born;
		res->refilled = res->atc_hit && x->hit.refilled;
	}
}

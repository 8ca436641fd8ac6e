/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses of devices, and the answers to "who said so": every access is walked a second time through memory
 * alone, and what differs is laid at the door of the level that supplied it.
 */
#include <inttypes.h>
#include <stdio.h>
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

static void remember(struct instance *in, const struct smmu_dma *dma)
{
	in->recent[in->nrecent++ % RECENT] = (struct recent){.stream = dma->stream,
							     .ssid = dma->ssid,
							     .ssid_valid = dma->ssid_valid,
							     .iova = dma->iova};
	if (in->nrecent == 2 * RECENT)
		in->nrecent = RECENT;
}

static struct xlate truth_of(struct instance *in, const struct smmu_dma *dma, bool *ok)
{
	struct xlate truth = {.in = *dma, .ask = ASK_TRUTH};

	*ok = dma->kind == SMMU_DMA_TRANSLATED ? model_ats_translated(in, &truth, dma->iova)
					       : model_translate(in, &truth);
	return truth;
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

/** One access through the caches; @p effects: fill them, record events. */
static struct smmu_dma_result access_now(struct instance *in, const struct smmu_dma *dma,
					 bool effects)
{
	struct smmu_dma_result res = {.dma = *dma};
	struct xlate x = {
		.in = *dma, .ask = effects ? ASK_DMA : ASK_PROBE, .look = true, .fill = effects};
	struct smmu_model_device *dev = model_find_device(in, dma->stream);

	x.in.fetch &= !dma->write;
	/* Without a PASID there is nothing in a PCIe access that could say so (13.7). */
	if (dev && dev->has_atc && !dma->ssid_valid)
		x.in.fetch = x.in.privileged = false;
	if (!(dev && dev->dead)) {
		struct smmu_dma as = x.in;
		bool ok = by_kind(in, dev, &x, &res);
		struct xlate truth;

		res.ok = ok;
		res.event = ok ? 0 : x.fault.type;
		res.pa = ok ? x.pa : 0;
		res.raz_wi = !ok && x.have_cd && !x.fault.s2 && x.fault.type >= F_TRANSLATION &&
			     x.fault.type <= F_PERMISSION && !(x.cd.w[0] & BIT(46)) &&
			     !x.fault.stall && !(dev && dev->ats_on);
		if (!ok && effects)
			model_event_record(in, &x);
		res.recorded = x.recorded;
		res.record_pnu = x.record & BIT(33);
		res.record_ind = x.record & BIT(34);
		truth = truth_of(in, &as, &res.truth_ok);
		res.truth_pa = res.truth_ok ? truth.pa : 0;
		res.differs = ok != res.truth_ok || (ok && res.pa != res.truth_pa);
		res.held_by = res.differs ? blame(in, &x, &truth, res.atc_hit) : SMMU_HELD_MEMORY;
	}
	res.tlb_hit = x.tlb_hit;
	res.walk_hit = x.walk_hit;
	res.ste_hit = x.ste_hit;
	res.cd_hit = x.cd_hit;
	res.walk_table = x.walk_table;
	if (x.have_hit) {
		res.tag = model_tlb_tag(&x.hit, x.hit.atc    ? SMMU_HELD_ATC
						: x.hit.walk ? SMMU_HELD_WALK
							     : SMMU_HELD_TLB);
		res.entry_base = x.hit.base;
		res.entry_size = pow2(x.hit.log2);
		res.entry_born_ns = x.hit.born;
		res.refilled = res.atc_hit && x.hit.refilled;
	}
	return res;
}

struct smmu_dma_result smmu_model_dma(struct smmu_model *model, const struct smmu_dma *dma)
{
	struct smmu_dma_result res = {.dma = *dma};
	struct instance *in;

	if (dma->instance >= model->count)
		return res;
	in = &model->in[dma->instance];
	model_enter(in);
	model_wake(in);
	if (model_chance(in, in->cfg.evict_permille))
		model_tlb_evict(in);
	if (model_chance(in, in->cfg.cfg_evict_permille))
		model_cfg_evict(in);
	res = access_now(in, dma, true);
	in->count.dmas++;
	in->count.faults += !res.ok;
	if (res.tlb_hit)
		in->count.tlb_hits++;
	else if (!res.atc_hit)
		in->count.tlb_misses++;
	if (model->hooks.access)
		model->hooks.access(model->hooks.ctx, &res);
	remember(in, dma);
	if (model_chance(in, in->cfg.prefetch_permille))
		model_speculate_some(in, 1);
	if (model_chance(in, in->cfg.reach_permille))
		model_reach(in);
	model_leave(in);
	return res;
}

/* A probe may not move time: what is due stays due. */
struct smmu_dma_result smmu_model_probe(struct smmu_model *model, const struct smmu_dma *dma)
{
	struct smmu_dma_result res = {.dma = *dma};
	struct instance *in;
	struct smmu_model_counters before;
	uint64_t seq;

	if (dma->instance >= model->count)
		return res;
	in = &model->in[dma->instance];
	if (model->clock == SMMU_MODEL_REAL)
		pthread_mutex_lock(&in->lock);
	before = in->count;
	seq = in->seq;
	res = access_now(in, dma, false);
	in->count = before;
	in->seq = seq;
	if (model->clock == SMMU_MODEL_REAL)
		pthread_mutex_unlock(&in->lock);
	return res;
}

bool smmu_model_truth(struct smmu_model *model, const struct smmu_dma *dma, uint64_t *pa)
{
	struct instance *in;
	struct xlate x;
	bool ok;

	if (dma->instance >= model->count)
		return false;
	in = &model->in[dma->instance];
	if (model->clock == SMMU_MODEL_REAL)
		pthread_mutex_lock(&in->lock);
	x = truth_of(in, dma, &ok);
	if (model->clock == SMMU_MODEL_REAL)
		pthread_mutex_unlock(&in->lock);
	if (ok && pa)
		*pa = x.pa;
	return ok;
}

void smmu_model_prefetch(struct smmu_model *model, const struct smmu_dma *dma)
{
	struct recent what = {.stream = dma->stream,
			      .ssid = dma->ssid,
			      .ssid_valid = dma->ssid_valid,
			      .iova = dma->iova};

	if (dma->instance >= model->count)
		return;
	model_enter(&model->in[dma->instance]);
	model_speculate(&model->in[dma->instance], &what);
	model_leave(&model->in[dma->instance]);
}

void smmu_model_speculate(struct smmu_model *model, unsigned i)
{
	if (i >= model->count)
		return;
	model_enter(&model->in[i]);
	model_stir(&model->in[i]);
	model_leave(&model->in[i]);
}

const char *smmu_model_held_name(enum smmu_model_held held)
{
	static const char *const names[] = {"memory",       "walk-cache", "tlb",
					    "config-cache", "atc",        "uncleaned memory"};

	return (unsigned)held < sizeof(names) / sizeof(names[0]) ? names[held] : "?";
}

const char *smmu_model_missing(const struct smmu_dma_result *res)
{
	switch (res->held_by) {
	case SMMU_HELD_ATC:
		/* Taken and filled again out of a stale TLB: the TLBI came too late, not the ATC_INV. */
		return res->refilled ? "tlbi before atc_inv" : "atc_inv";
	case SMMU_HELD_CONFIG:
		return "cfgi";
	case SMMU_HELD_TLB:
		return "tlbi";
	case SMMU_HELD_WALK:
		return "tlbi (non-leaf)";
	case SMMU_HELD_UNCLEANED:
		return "clean";
	default:
		return "none";
	}
}

static void append(char *text, size_t size, const char *more)
{
	size_t used = strlen(text);

	if (used + 1 < size)
		snprintf(text + used, size - used, "%s", more);
}

char *smmu_model_explain(const struct smmu_dma_result *res, char *text, size_t size)
{
	const struct smmu_dma *d = &res->dma;
	char part[160];

	if (!size)
		return text;
	text[0] = 0;
	snprintf(part, sizeof(part), "smmu %u stream %#" PRIx32, d->instance, d->stream);
	append(text, size, part);
	if (d->ssid_valid) {
		snprintf(part, sizeof(part), " ssid %#" PRIx32, d->ssid);
		append(text, size, part);
	}
	snprintf(part, sizeof(part), " %s %#" PRIx64,
		 d->write   ? "write"
		 : d->fetch ? "fetch"
			    : "read",
		 d->iova);
	append(text, size, part);
	if (res->ok)
		snprintf(part, sizeof(part), " -> %#" PRIx64, res->pa);
	else
		snprintf(part, sizeof(part), " refused, event %#x", res->event);
	append(text, size, part);
	if (res->differs) {
		if (res->truth_ok)
			snprintf(part, sizeof(part), ", memory says %#" PRIx64, res->truth_pa);
		else
			snprintf(part, sizeof(part), ", memory says no");
		append(text, size, part);
		snprintf(part, sizeof(part), ", held by %s", smmu_model_held_name(res->held_by));
		append(text, size, part);
	}
	if (!(res->tlb_hit || res->walk_hit || res->atc_hit))
		return text;
	snprintf(part, sizeof(part), " (%s entry %#" PRIx64 "+%#" PRIx64 " stage %u",
		 smmu_model_held_name(res->tag.where), res->entry_base, res->entry_size,
		 res->tag.stage);
	append(text, size, part);
	snprintf(part, sizeof(part), "%s asid %u vmid %u%s, filled at %" PRIu64 " ns",
		 res->tag.el2 ? " EL2" : "", res->tag.asid, res->tag.vmid,
		 res->tag.global ? " global" : "", res->entry_born_ns);
	append(text, size, part);
	if (res->walk_hit) {
		snprintf(part, sizeof(part), ", by the table at %#" PRIx64, res->walk_table);
		append(text, size, part);
	}
	append(text, size, res->refilled ? ", refilled from the TLB after an ATC_INV)" : ")");
	return text;
}

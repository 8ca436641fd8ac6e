/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a harness asks for: accesses of devices, what became of those that stalled, and questions that have no effect.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

static void remember(struct instance *in, const struct smmu_dma *dma)
{
	in->recent[in->nrecent++ % RECENT] = (struct recent){.stream = dma->stream,
							     .ssid = dma->ssid,
							     .ssid_valid = dma->ssid_valid,
							     .iova = dma->iova};
	if (in->nrecent == 2 * RECENT)
		in->nrecent = RECENT;
}

struct smmu_dma_result smmu_model_dma(struct smmu_model *model, const struct smmu_dma *dma)
{
	struct smmu_dma_result res;
	struct instance *in;

	if (dma->instance >= model->count)
		return (struct smmu_dma_result){.dma = *dma};
	in = &model->in[dma->instance];
	model_enter(in);
	model_wake(in);
	if (model_chance(in, in->cfg.evict_permille))
		model_tlb_evict(in);
	if (model_chance(in, in->cfg.cfg_evict_permille))
		model_cfg_evict(in);
	if (in->nmarks && !(model_rnd(in) & 7))
		model_htt_show(in);
	model_access(in, dma, true, &res);
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
	model_access(in, dma, false, &res);
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
	ok = model_truth(in, dma, &x);
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

bool smmu_model_stall(struct smmu_model *model, unsigned instance, uint16_t stag,
		      struct smmu_dma_result *result)
{
	struct instance *in = &model->in[instance];
	const struct stall *s = &in->stall[stag % STALLS];
	bool done;

	model_enter(in);
	done = s->tag != stag || (s->state != STALL_WAITS && s->state != STALL_MUTE);
	*result = done && s->tag == stag ? s->result : (struct smmu_dma_result){.ok = false};
	model_leave(in);
	return done;
}

unsigned smmu_model_unanswered(struct smmu_model *model, unsigned instance)
{
	struct instance *in = &model->in[instance];
	unsigned n;

	model_enter(in);
	n = in->stalled;
	for (const struct smmu_model_device *dev = in->devices; dev; dev = dev->next)
		n += dev->open;
	model_leave(in);
	return n;
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

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices with an address translation cache (PCIe ATS), and page requests (PRI).
 *
 * A device asks its ATC first. A miss becomes a translation request, which the SMMU answers out of its own caches,
 * stale or not: the reason why an ATC is invalidated after the TLB that refills it.
 */
#include "internal.h"

#define REFILL_MAX 8

/**
 * What the answer to a request grants (13.7.1): to the privilege that it is taken for, and execution only if it asked for that
 * and the page may be read as well.
 */
static uint16_t granted(const struct xlate *x)
{
	bool priv = model_is_privileged(x), r, w, e;
	uint16_t p = x->perms;

	r = p & (priv ? PERM_PR : PERM_UR) && p & PERM_S2R;
	/* What stayed clean has no write (3.13.7). */
	w = p & (priv ? PERM_PW : PERM_UW) && p & PERM_S2W && !(p & PERM_CLEAN);
	e = p & (priv ? PERM_PX : PERM_UX) && p & (priv ? PERM_S2PX : PERM_S2UX);
	if (x->ste.instcfg == INSTCFG_INST)
		r = e;
	else if (x->ste.instcfg == INSTCFG_DATA)
		e = r;
	return (uint16_t)((r ? PERM_UR : 0) | (w ? PERM_UW : 0) |
			  (r && e && x->in.fetch ? PERM_UX : 0));
}

/** Ask the SMMU for a translation and keep the answer. False: refused, or nothing is mapped; see @p x. */
static bool request(struct instance *in, struct smmu_model_device *dev, const struct smmu_dma *dma,
		    bool fill, struct xlate *x, struct tlb_entry *answer)
{
	model_begin(x, dma, ASK_ATS, true, fill);
	x->nw0 = in->cfg.httu > 1 && fill && model_chance(in, in->cfg.nw0_permille);
	if (!model_translate(in, x))
		return false;

	uint64_t size = pow2(x->log2);

	*answer = (struct tlb_entry){
		.span_base = dma->iova & ~(size - 1),
		.base = dma->iova & ~(size - 1),
		.span_log2 = x->log2,
		.log2 = x->log2,
		.stage = x->ste.config >= STE_S2 ? (x->have_cd ? 3 : 2) : 1,
		.atc = true,
		.refilled = x->tlb_hit,
		.perms = granted(x),
		.exe = dma->fetch,
		.priv = dma->privileged,
		.asid = x->asid,
		.vmid = x->vmid,
		.pa = x->pa & ~(size - 1),
		.seq = ++in->seq,
		.born = in->now,
		.stream = dma->stream,
		.ssid = dma->ssid,
		.ssid_valid = dma->ssid_valid,
	};
	return true;
}

/** Does an entry of the ATC allow the access? */
static bool permits(const struct smmu_dma *dma, uint16_t perms)
{
	return perms & (dma->write ? PERM_UW : dma->fetch ? PERM_UX : PERM_UR);
}

/** The answer to a request that failed: Unsupported Request, Completer Abort, or no permissions (3.9.1.2). */
static void count_refusal(struct instance *in, const struct smmu_model_device *dev,
			  const struct xlate *x)
{
	bool ur = x->fault.type == F_BAD_ATS_TREQ || !x->fault.type;
	bool ca = !ur && (x->fault.type < F_TRANSLATION);

	if (!x->fill || (!ur && !ca))
		return;
	in->count.ats_ur += ur;
	in->count.ats_ca += ca;
	if (in->cfg.strict & SMMU_STRICT_ATS_ANSWER)
		model_misuse(in, "a request of stream %#x is answered with %s", dev->stream,
			     ur ? "UR" : "CA");
}

/** Is this configuration error recorded for ATS (3.9.1.2, 3.9.1.3)? */
static bool ats_recorded(const struct instance *in, uint8_t type)
{
	return (in->r.cr2 & CR2_REC_CFG_ATS) && type && type < F_TRANSLATION;
}

/** A translated access to @p out arrives. False: x->fault says why it goes no further. */
bool model_ats_translated(struct instance *in, struct xlate *x, uint64_t out)
{
	struct xlate check;
	bool ok;

	model_begin(&check, &x->in, x->ask, x->look, x->fill);
	check.translated = true;
	check.in.iova = out;
	/* A translated access has no PASID, and so nothing that goes with one (13.7). */
	check.in.ssid_valid = check.in.privileged = check.in.fetch = false;
	x->pa = out;
	if ((in->r.cr0.eff & CR0_SMMUEN) && !(in->r.cr0.eff & CR0_ATSCHK) && !in->gone)
		ok = model_output_fits(in, &check);
	else
		ok = model_translate(in, &check);
	x->pa = check.pa;
	if (ok)
		return true;
	x->fault = check.fault;
	if (check.fault.type != F_TRANSL_FORBIDDEN && check.fault.type < F_TRANSLATION)
		x->fault.record &= ats_recorded(in, check.fault.type);
	if (check.have_ste)
		x->ste = check.ste;
	x->have_ste = check.have_ste;
	x->ste_hit = check.ste_hit;
	return false;
}

/** The access of a device with ATS on. Answers in @p x; res->atc_hit when the ATC knew. */
bool model_ats_access(struct instance *in, struct smmu_model_device *dev, struct xlate *x,
		      struct smmu_dma_result *res)
{
	struct tlb_entry e, *held = model_tlb_find_atc(dev, &x->in);
	struct smmu_dma dma = x->in;

	if (held && permits(&dma, held->perms)) {
		in->count.atc_hits++;
		e = *held;
		res->atc_hit = true;
		x->hit = e;
		x->have_hit = true;
	} else {
		bool answered = request(in, dev, &dma, x->fill, x, &e);

		in->count.atc_misses++;
		x->ask = ASK_DMA;
		if (!answered) {
			count_refusal(in, dev, x);
			/* Only a request that must not be made is an event; the device sees all others (3.9.1.2). */
			if (x->fault.type != F_BAD_ATS_TREQ)
				x->fault.record &= ats_recorded(in, x->fault.type);
			return false;
		}
		if (!permits(&dma, e.perms)) {
			model_fail(x, F_PERMISSION, CLASS_IN, false, 0, 0);
			x->fault.record = false; /* the device's own affair */
			return false;
		}
		e.refilled = false;
		if (x->fill && !held)
			model_tlb_insert(in, &dev->atc, &e);
		else if (x->fill && held->pa == e.pa && held->log2 == e.log2)
			held->perms |= e.perms;
	}

	x->in = dma;
	return model_ats_translated(in, x, e.pa + (dma.iova - e.base));
}

/** Does anybody answer an invalidation sent to @p stream, by completion or by UR? */
bool model_ats_answers(struct instance *in, uint32_t stream)
{
	const struct smmu_model_device *dev = model_find_device(in, stream);

	if (dev && (dev->muted || dev->dead))
		return false;
	return (dev && dev->ats_on) || in->cfg.atc_ur;
}

/** CMD_ATC_INV arrives at its device. */
void model_ats_invalidate(struct instance *in, const uint64_t cmd[2])
{
	struct smmu_model_device *dev = model_find_device(in, (uint32_t)bits(cmd[0], 63, 32));
	unsigned log2 = 12 + (unsigned)bits(cmd[1], 5, 0);
	uint64_t base = log2 < 64 ? cmd[1] >> log2 << log2 : 0;
	uint64_t len = log2 < 64 ? BIT(log2) : 0; /* 0: everything */
	bool ssv = cmd[0] & BIT(11), global = ssv && (cmd[0] & BIT(9));
	struct recent taken[REFILL_MAX];
	size_t n;

	if (!dev || !dev->ats_on || log2 < dev->stu)
		return; /* the answer was UR */
	n = model_tlb_drop_atc(dev, global, ssv, (uint32_t)bits(cmd[0], 31, 12), base, len, taken,
			       REFILL_MAX);
	while (n--) {
		struct smmu_dma dma = {.instance = in->index,
				       .stream = dev->stream,
				       .ssid_valid = taken[n].ssid_valid,
				       .ssid = taken[n].ssid,
				       .iova = taken[n].iova};
		struct tlb_entry e;
		struct xlate x;

		if (!model_chance(in, in->cfg.refill_permille))
			continue;
		if (request(in, dev, &dma, true, &x, &e))
			model_tlb_insert(in, &dev->atc, &e);
	}
}

/** CMD_PRI_RESP arrives at its device. */
void model_pri_response(struct instance *in, const uint64_t cmd[2])
{
	struct smmu_model_device *dev = model_find_device(in, (uint32_t)bits(cmd[0], 63, 32));

	if (!dev)
		return;
	in->count.stray_answers += !dev->asked[bits(cmd[1], 8, 0)] && !dev->dead;
	dev->open -= dev->asked[bits(cmd[1], 8, 0)];
	dev->asked[bits(cmd[1], 8, 0)] = false;
	dev->response[bits(cmd[1], 8, 0)] = (int8_t)bits(cmd[1], 13, 12);
}

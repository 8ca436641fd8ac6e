/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One access from StreamID to output address: global bypass, STE, CD, tables.
 */
#include "internal.h"

/** Without stage 1 its output is the input, which has to fit the address size all the same (3.4 Address sizes). */
static bool s1_bypass_fits(const struct instance *in, struct xlate *x)
{
	return !(x->in.iova >> in->cfg.oas) || model_fail(x, F_ADDR_SIZE, CLASS_IN, false, 0, 0);
}

static bool pass_through(struct instance *in, struct xlate *x)
{
	if (!s1_bypass_fits(in, x))
		return false;
	x->pa = x->in.iova;
	x->log2 = 12;
	x->perms = PERM_S1_ALL | PERM_S2_ALL;
	return true;
}

static bool stage2_only(struct instance *in, struct xlate *x)
{
	uint64_t base;

	if (!s1_bypass_fits(in, x))
		return false;
	if (!model_walk_s2(in, x, x->in.iova, x->in.write || x->nw0, CLASS_IN, &x->pa, &base,
			   &x->log2, &x->perms))
		return false;
	x->perms |= PERM_S1_ALL;
	return true;
}

/** The output address of a translated access is aborted without a word if it is too large, or cut (3.9.1.1). */
bool model_output_fits(const struct instance *in, struct xlate *x)
{
	if ((x->in.iova & ~oas_mask(in)) && !in->cfg.oas_truncate)
		return model_fail(x, 0, CLASS_IN, false, 0, 0);
	x->pa = x->in.iova & oas_mask(in);
	x->log2 = 12;
	return true;
}

/** An ATS translated access brings an output address of its own; what is it worth? */
static bool translated_access(struct instance *in, struct xlate *x)
{
	/* Bypass has no ATS, whatever EATS says; split-stage needs ATSCHK. */
	if (x->ste.config != STE_BYPASS && x->ste.eats == EATS_FULL)
		return model_output_fits(in, x);
	if (x->ste.config != STE_BYPASS && x->ste.eats == EATS_SPLIT &&
	    (in->r.cr0.eff & CR0_ATSCHK))
		return stage2_only(in, x);
	return model_fail(x, F_TRANSL_FORBIDDEN, CLASS_IN, false, 0, 0);
}

/** Which CD serves the access; *@p index. *@p bypass: none, stage 1 is skipped. */
static bool select_cd(struct xlate *x, uint32_t *index, bool *bypass)
{
	const struct ste *ste = &x->ste;

	*index = 0;
	*bypass = false;
	if (!ste->s1cdmax)
		return !x->in.ssid_valid || model_fail(x, C_BAD_SUBSTREAMID, CLASS_IN, false, 0, 0);
	if (x->in.ssid_valid) {
		if (x->in.ssid >> ste->s1cdmax)
			return model_fail(x, C_BAD_SUBSTREAMID, CLASS_IN, false, 0, 0);
		if (!x->in.ssid && ste->s1dss == S1DSS_SSID0)
			return model_fail(x, F_STREAM_DISABLED, CLASS_IN, false, 0, 0);
		*index = x->in.ssid;
		return true;
	}
	if (ste->s1dss == S1DSS_TERMINATE)
		return model_fail(x, F_STREAM_DISABLED, CLASS_IN, false, 0, 0);
	*bypass = ste->s1dss == S1DSS_BYPASS;
	return true;
}

static bool by_config(struct instance *in, struct xlate *x)
{
	uint32_t index;
	bool s1_bypass;

	switch (x->ste.config) {
	case STE_BYPASS:
	case STE_S2:
		if (x->in.ssid_valid)
			return model_fail(x, C_BAD_SUBSTREAMID, CLASS_IN, false, 0, 0);
		return x->ste.config == STE_S2 ? stage2_only(in, x) : pass_through(in, x);
	case STE_S1:
	case STE_NESTED:
		if (!select_cd(x, &index, &s1_bypass))
			return false;
		if (s1_bypass)
			return x->ste.config == STE_NESTED ? stage2_only(in, x)
							   : pass_through(in, x);
		if (!model_cfg_cd(in, x, index))
			return false;
		x->el2 = x->ste.config == STE_S1 && x->ste.strw == STRW_EL2;
		x->asid = x->el2 && !(in->r.cr2 & CR2_E2H) ? 0 : x->cd.asid;
		return model_walk_s1(in, x);
	}
	return false;
}

/** What is legal, and yet a mistake of the driver: judged where a device's access meets it. */
static void judge(struct instance *in, const struct xlate *x)
{
	const struct ste *s = &x->ste;
	const struct smmu_model_device *dev;
	uint64_t w;

	if (x->ask != ASK_DMA && x->ask != ASK_ATS)
		return;
	if ((in->cfg.strict & SMMU_STRICT_ATTRIBUTES) && in->cfg.coherent) {
		w = s->w[1];
		if (x->have_cd && !model_snoops((unsigned)bits(w, 7, 6), (unsigned)bits(w, 5, 4),
						(unsigned)bits(w, 3, 2)))
			model_misuse(in, "S1CIR, S1COR, S1CSH of stream %#x are not coherent",
				     x->in.stream);
	}
	/* A PCIe function cannot bear a stall (5.2, S1STALLD). */
	if (in->cfg.stall_model == 0 && (s->config & 1) && !s->s1stalld) {
		dev = model_find_device(in, x->in.stream);
		if (dev && dev->has_atc)
			model_misuse(in, "S1STALLD is 0 for stream %#x, a PCIe function",
				     x->in.stream);
	}
}

/** Translate x->in. False: x->fault says why. */
bool model_translate(struct instance *in, struct xlate *x)
{
	bool ok;

	if (in->gone || in->sfm)
		return model_fail(x, 0, CLASS_IN, false, 0, 0);
	if (!(in->r.cr0.eff & CR0_SMMUEN)) {
		if (x->ask == ASK_ATS)
			return model_fail(x, F_BAD_ATS_TREQ, CLASS_IN, false, 0, 0);
		if (x->translated)
			return model_fail(x, F_TRANSL_FORBIDDEN, CLASS_IN, false, 0, 0);
		if ((in->r.gbpa_eff & GBPA_ABORT) || (x->in.iova & ~oas_mask(in)))
			return model_fail(x, 0, CLASS_IN, false, 0, 0);
		x->pa = x->in.iova;
		x->log2 = 12;
		x->perms = PERM_S1_ALL | PERM_S2_ALL;
		return true;
	}
	if (x->in.ssid_valid && x->in.ssid >> in->cfg.ssid_bits)
		return model_fail(x, C_BAD_SUBSTREAMID, CLASS_IN, false, 0, 0);
	if (!model_cfg_ste(in, x))
		return false;
	x->vmid = in->cfg.s2 ? x->ste.vmid : 0;
	if (x->ste.config == STE_ABORT)
		return model_fail(x, 0, CLASS_IN, false, 0, 0);
	if (x->translated)
		return translated_access(in, x);
	if (x->ask == ASK_ATS && (x->ste.eats == EATS_OFF || x->ste.config == STE_BYPASS ||
				  (x->ste.eats == EATS_SPLIT && !(in->r.cr0.eff & CR0_ATSCHK))))
		return model_fail(x, F_BAD_ATS_TREQ, CLASS_IN, false, 0, 0);
	ok = by_config(in, x);
	judge(in, x);
	return ok;
}

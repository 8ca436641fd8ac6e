/* SPDX-License-Identifier: BSD-2-Clause */
/* Walking AArch64 translation tables: stage 1, whose tables may lie behind stage 2. */
#include "walk.h"

static bool s1_allows(const struct xlate *x, uint16_t perms)
{
	bool priv = model_is_privileged(x);

	if (model_is_fetch(x))
		return perms & (priv ? PERM_PX : PERM_UX);
	if (priv)
		return perms & (x->in.write ? PERM_PW : PERM_PR);
	return perms & (x->in.write ? PERM_UW : PERM_UR);
}

/** Stage-1 permissions of a leaf under what the tables above leave. */
static uint16_t leaf_perms(const struct walk *w, bool wxn)
{
	bool clean = w->clean_is_dirty && w->desc & BIT(HTT_DIRTY) && w->desc & BIT(HTT_DBM);
	uint16_t perms = PERM_PR | PERM_PW | PERM_UX | PERM_PX;

	if ((w->desc & BIT(6)) || w->one_privilege)
		perms |= PERM_UR | PERM_UW;
	if (w->desc & BIT(HTT_DIRTY) && !clean)
		perms &= (uint16_t) ~(PERM_PW | PERM_UW);
	/* UXN and PXN, or XN where there is one privilege. */
	if (w->desc & BIT(54))
		perms &= (uint16_t) ~(w->one_privilege ? PERM_UX | PERM_PX : PERM_UX);
	if ((w->desc & BIT(53)) && !w->one_privilege)
		perms &= (uint16_t)~PERM_PX;
	perms &= w->perms;
	/* What the unprivileged may write the privileged do not execute, whatever PXN says. */
	if ((perms & PERM_UW) && !w->one_privilege)
		perms &= (uint16_t)~PERM_PX;
	if (wxn && perms & PERM_UW)
		perms &= (uint16_t)~PERM_UX;
	if (wxn && perms & PERM_PW)
		perms &= (uint16_t)~PERM_PX;
	if (clean && perms & (PERM_UW | PERM_PW))
		perms |= PERM_S1_CLEAN;
	return perms;
}

/** Refuse what the permissions of an entry do not allow; an ATS request is answered with them instead. */
static bool check_perms(struct xlate *x, uint16_t perms, uint8_t stage, uint64_t ipa)
{
	x->perms = perms;
	if (x->ask == ASK_ATS)
		return true;
	if (stage != 2 && !s1_allows(x, perms))
		return model_fail(x, F_PERMISSION, CLASS_IN, false, 0, 0);
	if (stage == 3 && !model_walk_s2_allows(x, perms, x->in.write, CLASS_IN))
		return model_fail(x, F_PERMISSION, CLASS_IN, true, ipa, 0);
	return true;
}

/** Which half of the address space, and the address as it is looked up. */
static bool select_half(struct xlate *x, uint64_t *addr, const struct cd_half **half)
{
	uint64_t va = x->in.iova;
	bool high = va & BIT(55);
	const struct cd_half *h = &x->cd.half[high];

	if (h->tbi)
		va = high ? va | ~LOW56 : va & LOW56;
	if (!h->off && (high ? ~va : va) >> (64 - h->tsz))
		return model_fail(x, F_TRANSLATION, CLASS_IN, false, 0, 0);
	*addr = va & LOW56;
	*half = h;
	return true;
}

/** Would a write of the access be allowed by stage 1, once the page is dirty? */
static bool s1_may_write(const struct xlate *x, uint16_t perms)
{
	return perms & (model_is_privileged(x) ? PERM_PW : PERM_UW);
}

/** Does the access make a page dirty that an entry with @p perms, of @p stage, has as clean? */
static bool marks(const struct xlate *x, uint16_t perms, uint8_t stage)
{
	return perms & PERM_CLEAN && model_htt_writes(x) && s1_may_write(x, perms) &&
	       (stage != 3 || perms & PERM_S2W);
}

/** By a walk, for a hit of the TLB did not do. */
static enum again walk_s1(struct instance *in, struct xlate *x, uint64_t addr,
			  const struct cd_half *h, bool from_root)
{
	bool nested = x->ste.config == STE_NESTED;
	bool split = nested && x->ask == ASK_ATS && x->ste.eats == EATS_SPLIT;
	unsigned ia = 64 - h->tsz, stride = h->granule - 3, span;
	struct walk w = {
		.stage = 1,
		.granule = h->granule,
		.start = 4 - (ia - h->granule + stride - 1) / stride,
		.ia_bits = ia,
		.oa_bits = x->cd.oa,
		.cls = CLASS_IN,
		.addr = addr,
		.table_is_ipa = nested,
		.had = h->had,
		.ds = x->cd.ds && h->granule != 16,
		.from_root = from_root,
		.clean_is_dirty = x->cd.hd,
		.one_privilege = x->el2 && !(in->r.cr2 & CR2_E2H),
		.perms = PERM_S1_ALL,
	};
	struct tlb_entry e;
	bool dirty, to_s2;
	enum again r;
	uint64_t out;

	w.table = h->ttb & ~(pow2(ia - model_walk_level_shift(w.granule, w.start) + 3) - 1);
	if (!model_walk_tables(in, x, &w))
		return WALK_FAILED;
	model_walk_leaf_range(in, &w, &out, &span);
	if (out >> x->cd.oa)
		return model_walk_over(x, &w, F_ADDR_SIZE);
	if (!(w.desc & BIT(HTT_AF)) && !x->cd.ha && !x->cd.affd)
		return model_walk_over(x, &w, F_ACCESS);
	e = (struct tlb_entry){
		.span_base = addr >> span << span,
		.span_log2 = (uint8_t)span,
		.log2 = model_walk_piece_log2(in, span, w.granule, x->fill),
		.stage = nested ? 3 : 1,
		.el2 = x->el2,
		.global = !(w.desc & BIT(11)),
		.level = (int8_t)w.level,
		.granule = (uint8_t)w.granule,
		.perms = leaf_perms(&w, x->cd.wxn) | PERM_S2_ALL,
		.asid = x->asid,
		.vmid = x->vmid,
		.stream = x->in.stream,
		.ssid = x->in.ssid,
		.ssid_valid = x->in.ssid_valid,
	};
	e.base = addr >> e.log2 << e.log2;
	e.pa = out + (e.base - e.span_base);
	if (nested && !split) {
		uint64_t ipa = e.pa + (addr - e.base), pa, ipa_base;
		uint16_t perms;
		uint8_t log2;

		if (!check_perms(x, e.perms, 1, 0))
			return WALK_FAILED;
		/* What stage 1 forbids makes nothing dirty in stage 2 (3.13.7.1). */
		to_s2 = x->in.write || x->nw0;
		if (x->ask == ASK_ATS)
			to_s2 &= s1_may_write(x, e.perms);
		if (!model_walk_s2(in, x, ipa, to_s2, CLASS_IN, &pa, &ipa_base, &log2, &perms))
			return WALK_FAILED;
		if (log2 < e.log2)
			e.log2 = log2;
		e.base = addr >> e.log2 << e.log2;
		e.pa = pa - (addr - e.base);
		e.ipa = ipa - (addr - e.base);
		e.level2 = x->s2_level;
		e.perms = (uint16_t)((e.perms & (PERM_S1_ALL | PERM_S1_CLEAN)) | perms);
	}
	dirty = e.perms & PERM_S1_CLEAN && marks(x, e.perms, split ? 1 : e.stage);
	r = model_walk_update_leaf(in, x, &w, x->cd.ha, dirty);
	if (r != WALK_DONE)
		return r;
	if (dirty)
		e.perms &= (uint16_t)~PERM_S1_CLEAN;
	x->pa = e.pa + (addr - e.base);
	x->log2 = e.log2;
	if (x->fill && !split && !x->nt && !model_walk_leaves_no_trace(in, &w))
		model_tlb_insert(in, &in->tlb, &e);
	return check_perms(x, e.perms, split ? 1 : e.stage, e.ipa + (addr - e.base)) ? WALK_DONE
										     : WALK_FAILED;
}

/** Stage 1, and stage 2 after it if the stream has both. Answers in x. */
bool model_walk_s1(struct instance *in, struct xlate *x)
{
	/* With split-stage ATS a request is answered with an IPA, which no entry of both stages may supply. */
	bool split = x->ste.config == STE_NESTED && x->ask == ASK_ATS && x->ste.eats == EATS_SPLIT;
	const struct cd_half *h = &x->cd.half[0];
	const struct tlb_entry *hit;
	unsigned tries = 0;
	uint64_t addr = 0;
	enum again r;

	if (!select_half(x, &addr, &h))
		return false;
	hit = x->look && !split ? model_tlb_find(in, x, 1u << 1 | 1u << 3, addr) : NULL;
	if (hit && model_tlb_conflict(in, x, 1u << hit->stage, addr, hit))
		return model_fail(x, F_TLB_CONFLICT, CLASS_IN, false, 0, 0);
	/* Where memory has to be updated, what is cached is not relied on. */
	if (hit && !marks(x, hit->perms, hit->stage)) {
		model_walk_note_hit(x, hit);
		x->pa = hit->pa + (addr - hit->base);
		x->log2 = hit->log2;
		return check_perms(x, hit->perms, hit->stage, hit->ipa + (addr - hit->base));
	}
	/* What the TLB has it answers for; only the walk is not made (5.4, EPD0). */
	if (h->off)
		return model_fail(x, F_TRANSLATION, CLASS_IN, false, 0, 0);
	do
		r = walk_s1(in, x, addr, h, tries);
	while (r == WALK_AGAIN && ++tries < MOST_TRIES);
	if (r == WALK_AGAIN)
		return model_fail(x, F_WALK_EABT, CLASS_TT, false, 0, 0);
	return r == WALK_DONE;
}

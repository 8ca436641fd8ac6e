/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walking AArch64 translation tables: what both stages have in common, and stage 2.
 */
#include "walk.h"

/** Note why an access fails; always false. */
bool model_fail(struct xlate *x, uint8_t type, unsigned cls, bool s2, uint64_t ipa, uint64_t fetch)
{
	x->fault = (struct fault){.type = type,
				  .cls = (uint8_t)cls,
				  .s2 = s2,
				  .record = true,
				  .ipa = ipa,
				  .fetch = fetch};
	if (type >= F_TRANSLATION && type <= F_PERMISSION) {
		x->fault.stall = s2 ? x->ste.s2s : x->have_cd && x->cd.s;
		x->fault.record = x->fault.stall || (s2 ? x->ste.s2r : !x->have_cd || x->cd.r);
	}
	return false;
}

static bool walk_fail(struct xlate *x, const struct walk *w, uint8_t type)
{
	return model_fail(x, type, w->cls, w->stage == 2, w->stage == 2 ? w->addr : 0, 0);
}

enum again model_walk_over(struct xlate *x, const struct walk *w, uint8_t type)
{
	walk_fail(x, w, type);
	return WALK_FAILED;
}

void model_walk_note_hit(struct xlate *x, const struct tlb_entry *e)
{
	if (e->walk) {
		x->walk_hit = true;
		x->walk_table = e->pa;
		if (x->tlb_hit)
			return;
	} else {
		if (x->tlb_hit && x->hit.seq < e->seq)
			return;
		x->tlb_hit = true;
	}
	x->hit = *e;
	x->have_hit = true;
}

unsigned model_walk_level_shift(unsigned granule, unsigned level)
{
	return granule + (3 - level) * (granule - 3);
}

/** The output address of a descriptor whose address field ends at bit @p low. */
static uint64_t desc_address(const struct instance *in, uint64_t desc, const struct walk *w,
			     unsigned low)
{
	uint64_t pa = desc & 0x0000fffffffff000ULL;

	if (w->granule == 16 && in->cfg.oas == 52)
		pa |= bits(desc, 15, 12) << 48;
	else if (w->ds)
		pa |= bits(desc, 49, 48) << 48 | bits(desc, 9, 8) << 50;
	return pa >> low << low;
}

static bool block_allowed(const struct instance *in, const struct walk *w, unsigned level)
{
	if (level == 2)
		return true;
	if (level == 0)
		return w->ds && w->granule == 12;
	return level == 1 && (w->granule == 12 || (w->granule == 16 ? in->cfg.oas == 52 : w->ds));
}

static void keep_pointer(struct instance *in, const struct xlate *x, const struct walk *w,
			 unsigned level, uint64_t table, bool table_is_ipa, uint16_t perms)
{
	unsigned log2 = model_walk_level_shift(w->granule, level);
	struct tlb_entry e = {
		.span_base = w->addr >> log2 << log2,
		.base = w->addr >> log2 << log2,
		.span_log2 = (uint8_t)log2,
		.log2 = (uint8_t)log2,
		.stage = (uint8_t)w->stage,
		.walk = true,
		.table_is_ipa = table_is_ipa,
		.el2 = x->el2,
		.level = (int8_t)level,
		.granule = (uint8_t)w->granule,
		.perms = perms,
		.asid = w->stage == 2 ? 0 : x->asid,
		.vmid = x->vmid,
		.pa = table,
		.stream = x->in.stream,
		.ssid = x->in.ssid,
		.ssid_valid = x->in.ssid_valid,
	};

	model_tlb_insert(in, &in->walks, &e);
}

/** Follow the tables to the leaf: w->desc, w->level, w->shift. */
bool model_walk_tables(struct instance *in, struct xlate *x, struct walk *w)
{
	const struct smmu_model_hooks *hooks = &in->model->hooks;
	bool table_is_ipa = w->table_is_ipa, pending = false;
	unsigned level = w->start;
	uint64_t table = w->table;

	if (x->look && !w->from_root) {
		const struct tlb_entry *e = model_tlb_find_walk(
			in, x, w->stage == 2 ? 1u << 2 : 1u << 1 | 1u << 3, w->addr, w->granule);

		/* There may be a level -1. */
		if (e && e->level >= (int)level) {
			model_walk_note_hit(x, e);
			level = e->level + 1u;
			table = e->pa;
			table_is_ipa = e->table_is_ipa;
			w->perms = e->perms;
		}
	}
	for (;; level++) {
		unsigned shift = model_walk_level_shift(w->granule, level);
		unsigned width = level == w->start ? w->ia_bits - shift : w->granule - 3;
		uint64_t offset = (w->addr >> shift & (pow2(width) - 1)) * 8;
		uint64_t at = table + offset, desc;

		w->at_ipa = table_is_ipa ? at : NO_IPA;
		if (table_is_ipa) {
			uint64_t base;
			uint16_t perms;
			uint8_t log2;

			if (!model_walk_s2(in, x, at, false, CLASS_TT, &at, &base, &log2, &perms))
				return false;
			if (pending && x->fill) {
				/* Keep where the table is, if stage 2 maps all of it in one piece. */
				bool whole = log2 >= w->granule;

				keep_pointer(in, x, w, level - 1, whole ? at - offset : table,
					     !whole, w->perms);
			}
		} else if (pending && x->fill) {
			keep_pointer(in, x, w, level - 1, table, false, w->perms);
		}
		if (hooks->table_load && x->ask != ASK_TRUTH && x->ask != ASK_PROBE)
			hooks->table_load(hooks->ctx, in->index, at);
		if (!model_load(in, x, w->stage == 2 ? SMMU_USE_TABLE_S2 : SMMU_USE_TABLE, at,
				&desc))
			return model_fail(x, F_WALK_EABT, w->stage == 2 ? w->cls : CLASS_TT,
					  w->stage == 2, 0, at);
		if (!(desc & 1) || (level == 3 && !(desc & 2)))
			return walk_fail(x, w, F_TRANSLATION);
		if (level == 3 || !(desc & 2)) {
			if (level != 3 && !block_allowed(in, w, level))
				return walk_fail(x, w, F_TRANSLATION);
			w->desc = desc;
			w->at = at;
			w->level = level;
			w->shift = shift;
			return true;
		}
		table = desc_address(in, desc, w, w->granule);
		if (table >> w->oa_bits)
			return walk_fail(x, w, F_ADDR_SIZE);
		table_is_ipa = w->table_is_ipa;
		pending = true;
		if (w->stage == 1 && !w->had) {
			if ((desc & BIT(61)) && !w->one_privilege)
				w->perms &= (uint16_t) ~(PERM_UR | PERM_UW);
			if (desc & BIT(62))
				w->perms &= (uint16_t) ~(PERM_UW | PERM_PW);
			/* UXNTable, or XNTable where there is one privilege; PXNTable. */
			if (desc & BIT(60))
				w->perms &= (uint16_t) ~(w->one_privilege ? PERM_UX | PERM_PX
									  : PERM_UX);
			if ((desc & BIT(59)) && !w->one_privilege)
				w->perms &= (uint16_t)~PERM_PX;
		}
	}
}

/** With level 1 of BBML a block with nT is used, and not kept. */
bool model_walk_leaves_no_trace(const struct instance *in, const struct walk *w)
{
	return in->cfg.bbml == 1 && w->level < 3 && w->desc & LEAF_NT;
}

/** How many descriptors the Contiguous bit joins, log2. */
static unsigned contiguous_log2(unsigned granule, unsigned level)
{
	if (granule == 12)
		return 4;
	if (granule == 14)
		return level == 3 ? 7 : 5;
	return 5;
}

/** Where the leaf leads, and how much around the input it maps. */
void model_walk_leaf_range(struct instance *in, const struct walk *w, uint64_t *out,
			   unsigned *span_log2)
{
	unsigned log2 = w->shift;

	*out = desc_address(in, w->desc, w, log2);
	if ((w->desc & BIT(52)) && in->cfg.contiguous) {
		unsigned run = log2 + contiguous_log2(w->granule, w->level);
		uint64_t first = (w->addr >> log2 & (pow2(run - log2) - 1)) << log2;

		/* Only if this descriptor is where a proper run has it. */
		if (run < 56 && (*out & (pow2(run) - 1)) == first) {
			*out -= first;
			log2 = run;
		}
	}
	*span_log2 = log2;
}

/** A block may be held whole or in pieces of a 512th. */
uint8_t model_walk_piece_log2(struct instance *in, unsigned span_log2, unsigned granule, bool fill)
{
	if (fill && span_log2 > granule && model_chance(in, in->cfg.split_permille))
		return (uint8_t)(span_log2 - 9 > granule ? span_log2 - 9 : granule);
	return (uint8_t)span_log2;
}

/** The privilege of an access, after what the STE makes of it. */
bool model_is_privileged(const struct xlate *x)
{
	unsigned privcfg = x->have_ste ? x->ste.privcfg : 0;

	return privcfg == 3 || (privcfg != 2 && x->in.privileged);
}

/** Whether it is an instruction fetch, after what the STE makes of it. Writes are data always (13.1.2). */
bool model_is_fetch(const struct xlate *x)
{
	unsigned instcfg = x->have_ste ? x->ste.instcfg : 0;

	return !x->in.write &&
	       (instcfg == INSTCFG_INST || (instcfg != INSTCFG_DATA && x->in.fetch));
}

/** @p cls: the access itself (CLASS_IN), or one of the SMMU's own, which are data. */
bool model_walk_s2_allows(const struct xlate *x, uint16_t perms, bool write, unsigned cls)
{
	/* Neither tables nor CDs are looked for in Device memory (5.2, S2PTW). */
	if (cls != CLASS_IN && x->ste.s2ptw && perms & PERM_S2_DEVICE)
		return false;
	if (cls == CLASS_IN && !write && model_is_fetch(x))
		return perms & (model_is_privileged(x) ? PERM_S2PX : PERM_S2UX);
	return perms & (write ? PERM_S2W : PERM_S2R);
}

/** Stage-2 permissions of a leaf; XN[1:0] tells privileges only with XNX, else XN[1] alone says it for both. */
static uint16_t s2_perms(const struct instance *in, uint64_t desc, bool hd)
{
	static const uint16_t execute[4] = {PERM_S2UX | PERM_S2PX, PERM_S2UX, 0, PERM_S2PX};
	unsigned xn = (unsigned)bits(desc, 54, 53);
	bool clean;

	if (!in->cfg.xnx)
		xn &= 2;
	clean = hd && desc & BIT(HTT_DBM) && !(desc & BIT(HTT_DIRTY));
	return (uint16_t)((desc & BIT(6) ? PERM_S2R : 0) |
			  (clean || desc & BIT(HTT_DIRTY) ? PERM_S2W : 0) |
			  (clean ? PERM_S2_CLEAN : 0) | execute[xn] |
			  (bits(desc, 5, 4) ? 0 : PERM_S2_DEVICE));
}

/**
 * Update the flags of the leaf of @p w, whose stage sets AF (@p ha) and is to be marked dirty (@p dirty), or not. AGAIN: the
 * descriptor is another by now, or where it is has to be found out by a whole walk.
 */
enum again model_walk_update_leaf(struct instance *in, struct xlate *x, struct walk *w, bool ha,
				  bool dirty)
{
	struct htt_update u = {.at = w->at, .seen = w->desc, .level = w->level};
	bool abort;

	if (ha && !(w->desc & BIT(HTT_AF))) {
		if (model_htt_accesses(in, x))
			u.set = BIT(HTT_AF);
		else if (x->fill)
			return WALK_FAILED; /* without it nothing is cached */
	}
	if (dirty && w->stage == 2)
		u.set |= BIT(HTT_AF) | BIT(HTT_DIRTY);
	else if (dirty) {
		u.set |= BIT(HTT_AF);
		u.clear = BIT(HTT_DIRTY);
	}
	if (!(u.set | u.clear))
		return WALK_DONE;
	if (w->stage == 1 && w->table_is_ipa) {
		uint64_t at, base;
		uint16_t perms;
		uint8_t log2;

		/* It is a write to the table, which stage 2 has to allow. */
		if (w->at_ipa == NO_IPA)
			return WALK_AGAIN;
		if (!model_walk_s2(in, x, w->at_ipa, true, CLASS_TT, &at, &base, &log2, &perms)) {
			x->fault.tt_write = true;
			return WALK_FAILED;
		}
		u.at = at;
	}
	if (model_htt_update(in, x, w->stage == 2 ? SMMU_USE_TABLE_S2 : SMMU_USE_TABLE, &u, &abort))
		return WALK_DONE;
	if (!abort)
		return WALK_AGAIN;
	model_fail(x, F_WALK_EABT, w->stage == 2 ? w->cls : CLASS_TT, w->stage == 2, 0, u.at);
	return WALK_FAILED;
}

/** An entry for @p ipa, by a walk. @p write: and, if the page may be written, it is about to be. */
static enum again walk_s2(struct instance *in, struct xlate *x, uint64_t ipa, bool write,
			  unsigned cls, struct tlb_entry *made)
{
	const struct ste *ste = &x->ste;
	struct walk w = {
		.stage = 2,
		.granule = ste->s2granule,
		.start = ste->s2start,
		.ia_bits = ste->s2ia,
		.oa_bits = ste->s2oa,
		.cls = cls,
		.addr = ipa,
		.table = ste->s2ttb,
		.ds = ste->s2ds,
	};
	enum again r;
	struct tlb_entry e;
	unsigned span;
	uint64_t out;
	bool dirty;

	if (!model_walk_tables(in, x, &w))
		return WALK_FAILED;
	model_walk_leaf_range(in, &w, &out, &span);
	if (out >> ste->s2oa)
		return model_walk_over(x, &w, F_ADDR_SIZE);
	if (!(w.desc & BIT(HTT_AF)) && !ste->s2ha && !ste->s2affd)
		return model_walk_over(x, &w, F_ACCESS);
	e = (struct tlb_entry){
		.span_base = ipa >> span << span,
		.span_log2 = (uint8_t)span,
		.log2 = model_walk_piece_log2(in, span, w.granule, x->fill),
		.stage = 2,
		.level = (int8_t)w.level,
		.granule = (uint8_t)w.granule,
		.vmid = x->vmid,
		.stream = x->in.stream,
		.ssid = x->in.ssid,
		.ssid_valid = x->in.ssid_valid,
	};
	e.perms = s2_perms(in, w.desc, ste->s2hd);
	e.base = ipa >> e.log2 << e.log2;
	e.pa = out + (e.base - e.span_base);
	dirty = write && e.perms & PERM_S2_CLEAN;
	r = model_walk_update_leaf(in, x, &w, ste->s2ha, dirty);
	if (r != WALK_DONE)
		return r;
	if (dirty)
		e.perms &= (uint16_t)~PERM_S2_CLEAN;
	if (model_walk_leaves_no_trace(in, &w))
		x->nt = true;
	else if (x->fill)
		model_tlb_insert(in, &in->tlb, &e);
	*made = e;
	return WALK_DONE;
}

/**
 * Stage 2 of @p ipa for @p write. Answers the address, the range of IPAs that goes along with it (*@p base,
 * *@p log2) and the permissions. ATS requests are not refused for lack of permission: the answer says which.
 */
bool model_walk_s2(struct instance *in, struct xlate *x, uint64_t ipa, bool write, unsigned cls,
		   uint64_t *pa, uint64_t *base, uint8_t *log2, uint16_t *perms)
{
	/* A write by the SMMU itself, of a descriptor, is one whatever the access is. */
	bool marks = write && (cls == CLASS_TT || model_htt_writes(x));
	struct tlb_entry e = {0};
	unsigned tries = 0;
	enum again r;

	if (ipa >> x->ste.s2ia)
		return model_fail(x, F_TRANSLATION, cls, true, ipa, 0);

	const struct tlb_entry *hit = x->look ? model_tlb_find(in, x, 1u << 2, ipa) : NULL;

	if (hit && model_tlb_conflict(in, x, 1u << 2, ipa, hit))
		return model_fail(x, F_TLB_CONFLICT, cls, true, ipa, 0);
	if (hit && !(marks && hit->perms & PERM_S2_CLEAN)) {
		model_walk_note_hit(x, hit);
		e = *hit;
	} else {
		do
			r = walk_s2(in, x, ipa, marks, cls, &e);
		while (r == WALK_AGAIN && ++tries < MOST_TRIES);
		if (r == WALK_AGAIN)
			model_fail(x, F_WALK_EABT, cls, true, 0, 0);
		if (r != WALK_DONE)
			return false;
	}
	x->s2_level = e.level;
	*pa = e.pa + (ipa - e.base);
	*base = e.base;
	*log2 = e.log2;
	*perms = e.perms;
	if (!(cls == CLASS_IN && x->ask == ASK_ATS) &&
	    !model_walk_s2_allows(x, e.perms, write, cls))
		return model_fail(x, F_PERMISSION, cls, true, ipa, 0);
	return true;
}

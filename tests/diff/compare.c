/* SPDX-License-Identifier: BSD-2-Clause */
/* When two outcomes are the same, and what QEMU is known to do otherwise. */
#include "compare.h"

static const char *text_of(char *text, size_t size, const struct outcome *o, bool known)
{
	int n = o->ok ? (known ? snprintf(text, size, "-> %#llx", (unsigned long long)o->pa)
			       : snprintf(text, size, "let through"))
		      : snprintf(text, size, "refused");

	for (unsigned k = 0; k < o->nevents && k < EVENTS && n > 0 && (size_t)n < size; k++) {
		const struct smmu_event *e = &o->event[k];
		const char *name = smmu_event_name(e->type);

		n += snprintf(text + n, size - (size_t)n,
			      ", %s sid %#x%s%s class %u addr %#llx ipa %#llx fetch %#llx pnu %d "
			      "ind %d ttrnw %d ssv %d",
			      name ? name : "?", e->sid, e->rnw ? " read" : " write",
			      e->s2 ? " s2" : " s1", e->fault_class, (unsigned long long)e->addr,
			      (unsigned long long)e->ipa, (unsigned long long)e->fetch, e->pnu,
			      e->ind, e->ttrnw, e->ssv);
	}
	return text;
}

static bool same_event(const struct smmu_event *a, const struct smmu_event *b)
{
	bool ttrnw = a->type == SMMU_F_PERMISSION && a->fault_class == SMMU_EVENT_CLASS_TT;

	/* IPA is UNKNOWN in faults of stage 1, TTRnW where no descriptor was refused. */
	return a->type == b->type && a->sid == b->sid && a->ssv == b->ssv && a->ssid == b->ssid &&
	       a->rnw == b->rnw && a->ind == b->ind && a->pnu == b->pnu && a->s2 == b->s2 &&
	       a->nsipa == b->nsipa && a->fault_class == b->fault_class &&
	       (!ttrnw || a->ttrnw == b->ttrnw) && a->stall == b->stall && a->stag == b->stag &&
	       a->addr == b->addr && (!a->s2 || a->ipa == b->ipa) && a->fetch == b->fetch;
}

static bool same_outcome(const struct outcome *a, const struct outcome *b, bool known)
{
	if (a->ok != b->ok || (a->ok && known && a->pa != b->pa) || a->nevents != b->nevents)
		return false;
	for (unsigned k = 0; k < a->nevents && k < EVENTS; k++)
		if (!same_event(&a->event[k], &b->event[k]))
			return false;
	return true;
}

/* What QEMU is known to do otherwise, each with its reason in docs/model.md. */

/** Words 0 and 2 of the STE of an added device. */
static uint64_t ste_word(struct world *w, unsigned dev, unsigned n)
{
	return peek(w,
		    w->side[MODEL].ram->base +
			    (uint64_t)((uint8_t *)&w->side[MODEL].dev[dev].streams->ste[0]->w[n] -
				       w->side[MODEL].ram->va));
}

static unsigned config_of(struct world *w, unsigned dev)
{
	return w->unit[dev].added
		       ? (unsigned)smmu_field_get(SMMU_STE_W0_CONFIG, ste_word(w, dev, 0))
		       : SMMU_STE_CONFIG_ABORT;
}

bool beyond_first_table(struct world *w, unsigned dev, uint64_t iova)
{
	static const uint8_t granule[] = {12, 16, 14, 12};
	unsigned g, start, ia, span, config = config_of(w, dev);
	uint64_t w2;

	if (!(config & 2))
		return false;
	w2 = ste_word(w, dev, 2);
	g = granule[smmu_field_get(SMMU_STE_W2_S2TG, w2)];
	start = (g == 12 ? 2 : 3) - (unsigned)smmu_field_get(SMMU_STE_W2_S2SL0, w2);
	ia = 64 - (unsigned)smmu_field_get(SMMU_STE_W2_S2T0SZ, w2);
	span = g + (4 - start) * (g - 3);
	if (start > 3 || span >= ia)
		return false;
	if (config == SMMU_STE_CONFIG_S2)
		return iova >> span && !(iova >> ia);
	return span < 31;
}

static bool one_event(const struct outcome *o, unsigned type)
{
	return !o->ok && o->nevents == 1 && o->event[0].type == type;
}

/** The page of TTB0 of a nested stream. */
static uint64_t first_table(struct world *w, unsigned dev)
{
	uint64_t cd = ste_word(w, dev, 0) & SMMU_STE_W0_S1CONTEXTPTR;

	return word_at(w, MODEL, cd) ? peek(w, cd + 8) & SMMU_EVENT_W3_IPA : 0;
}

/** Log2 of the granule of stage 1 of a stream that has it: the size of its tables. */
static unsigned stage1_granule(struct world *w, unsigned dev)
{
	static const uint8_t granule[] = {12, 16, 14, 12};
	uint64_t cd = ste_word(w, dev, 0) & SMMU_STE_W0_S1CONTEXTPTR;

	return word_at(w, MODEL, cd) ? granule[smmu_field_get(SMMU_CD_W0_TG0, peek(w, cd))] : 12;
}

/**
 * Does the way of @p iova through tables from @p ttb on end at a block of a level at which its granule has none? All addresses have 48
 * bits or less here, so that is all above level 2, but level 1 of 4K.
 */
static bool at_forbidden_block(struct world *w, uint64_t ttb, unsigned granule, unsigned ia,
			       unsigned start, uint64_t iova)
{
	unsigned first = granule == 12 ? 1 : 2, level;
	uint64_t table = 0, desc;

	for (level = start; level < first; level++) {
		unsigned shift = granule + (3 - level) * (granule - 3);
		unsigned bits = level == start ? ia - shift : granule - 3;
		uint64_t mask = level == start ? (8ull << bits) - 1 : (1ull << granule) - 1;

		table = (level == start ? ttb : table) & SMMU_MASK(47, 4) & ~mask;
		table += (iova >> shift & (SMMU_BIT(bits) - 1)) * 8;
		if (!word_at(w, MODEL, table))
			return false;
		desc = peek(w, table);
		if ((desc & 3) != 3)
			return (desc & 3) == 1;
		table = desc;
	}
	return false;
}

/** The same through the tables that the STE of @p dev names: stage 1, the lower half, or stage 2 alone. */
static bool meets_forbidden_block(struct world *w, unsigned dev, uint64_t iova)
{
	static const uint8_t granule[] = {12, 16, 14, 12};
	uint64_t w2, cd = ste_word(w, dev, 0) & SMMU_STE_W0_S1CONTEXTPTR;
	unsigned g, ia, config = config_of(w, dev);

	if (config == SMMU_STE_CONFIG_S2) {
		w2 = ste_word(w, dev, 2);
		g = granule[smmu_field_get(SMMU_STE_W2_S2TG, w2)];
		ia = 64 - (unsigned)smmu_field_get(SMMU_STE_W2_S2T0SZ, w2);
		return at_forbidden_block(
			w, ste_word(w, dev, 3), g, ia,
			(g == 12 ? 2 : 3) - (unsigned)smmu_field_get(SMMU_STE_W2_S2SL0, w2), iova);
	}
	if (!(config & 1) || !word_at(w, MODEL, cd))
		return false;
	g = granule[smmu_field_get(SMMU_CD_W0_TG0, peek(w, cd))];
	ia = 64 - (unsigned)smmu_field_get(SMMU_CD_W0_T0SZ, peek(w, cd));
	return at_forbidden_block(w, peek(w, cd + 8), g, ia, 4 - (ia - g + g - 4) / (g - 3), iova);
}

static bool known_difference(struct world *w, unsigned dev, const struct outcome *model,
			     const struct outcome *qemu)
{
	const struct smmu_event *e = &model->event[0];
	unsigned config = config_of(w, dev);
	bool nested = config == SMMU_STE_CONFIG_NESTED, stage1 = config & 1;
	struct smmu_event as;

	/* A block that is none: it translates, and what lies there decides. */
	if (one_event(model, SMMU_F_TRANSLATION) && !e->s2 == stage1 &&
	    e->fault_class == SMMU_EVENT_CLASS_IN && meets_forbidden_block(w, dev, e->addr))
		return true;
	/* APTable refuses before the walk goes on, but is forgotten by the TLB. */
	if (w->aptable && one_event(qemu, SMMU_F_PERMISSION) && !qemu->event[0].s2)
		return !model->ok;
	if (w->aptable && one_event(model, SMMU_F_PERMISSION) && !e->s2)
		return !qemu->nevents;
	/* A read that an entry in the TLB does not allow: refused without a record. */
	if (one_event(model, SMMU_F_PERMISSION) && e->s2 && e->rnw && !qemu->nevents)
		return !qemu->ok;
	/* Without stage 1 an address beyond OAS: not recorded with stage 2 alone, not looked for in bypass. */
	if (one_event(model, SMMU_F_ADDR_SIZE) && !stage1 && !e->s2 && e->addr >> 44)
		return !qemu->nevents;
	/* Stage 2 alone, found in the TLB: not recorded. */
	if (one_event(model, SMMU_F_PERMISSION) && !stage1 && e->s2 && !qemu->nevents)
		return !qemu->ok;
	/* With both stages, found in the TLB: the IPA is missing. */
	if (nested && one_event(model, SMMU_F_PERMISSION) && one_event(qemu, SMMU_F_PERMISSION) &&
	    e->s2 && !qemu->event[0].ipa) {
		as = qemu->event[0];
		as.ipa = e->ipa;
		if (same_event(e, &as))
			return true;
	}
	/* The order of the checks of a leaf. */
	if (one_event(model, SMMU_F_ADDR_SIZE) &&
	    (one_event(qemu, SMMU_F_PERMISSION) || one_event(qemu, SMMU_F_ACCESS))) {
		as = qemu->event[0];
		as.type = SMMU_F_ADDR_SIZE;
		return same_event(e, &as);
	}
	/* The address of a next-level table is not checked. */
	if (one_event(model, SMMU_F_ADDR_SIZE) && one_event(qemu, SMMU_F_WALK_EABT))
		return e->sid == qemu->event[0].sid && e->addr == qemu->event[0].addr;
	/* With both stages: a next-level table beyond IPS has the wrong class. */
	if (nested && one_event(model, SMMU_F_ADDR_SIZE) && one_event(qemu, SMMU_F_ADDR_SIZE) &&
	    !e->s2) {
		as = qemu->event[0];
		as.fault_class = e->fault_class;
		return same_event(e, &as);
	}
	/* With both stages QEMU looks up TTB0 and TTB1 in stage 2 when it reads the CD, whether they are needed or not. */
	if (nested && qemu->nevents == 1 && qemu->event[0].s2 &&
	    qemu->event[0].fault_class == SMMU_EVENT_CLASS_TT &&
	    qemu->event[0].ipa == first_table(w, dev))
		return !qemu->ok;
	/*
	 * A stage-1 table larger than a stage-2 page is looked up as one piece: where the pages do not lie side by side, the
	 * descriptor is read from elsewhere.
	 */
	if (nested && stage1_granule(w, dev) > w->parent_granule &&
	    one_event(qemu, SMMU_F_WALK_EABT))
		return !model->ok;
	/*
	 * A fault on the way to a CD or a table: RnW is always a read, but should be the transaction's. Of tables below the
	 * first S2 is not set, and IPA is where the table begins, not where the descriptor is.
	 */
	if (model->nevents == 1 && qemu->nevents == 1 && e->fault_class != SMMU_EVENT_CLASS_IN) {
		as = qemu->event[0];
		as.rnw = e->rnw;
		if (e->fault_class == SMMU_EVENT_CLASS_TT && nested) {
			as.s2 = e->s2;
			as.ipa = e->ipa;
			as.ttrnw = e->ttrnw;
		}
		if (same_event(e, &as))
			return true;
	}
	/* The address of the CD lies in another word of the record. */
	if (one_event(model, SMMU_F_CD_FETCH) && one_event(qemu, SMMU_F_CD_FETCH)) {
		as = qemu->event[0];
		as.fetch = e->fetch;
		return same_event(e, &as);
	}
	return false;
}

/** May a stale cache have said this? */
static bool allowed(const struct taint *t, const struct smmu_dma_result *now, uint64_t iova,
		    const struct outcome *o, bool known)
{
	if (o->ok == now->truth_ok && (!o->ok || !known || o->pa == now->truth_pa))
		return true;
	for (unsigned k = 0; k < t->npasts; k++)
		if (o->ok == t->past[k].ok &&
		    (!o->ok || !known || o->pa == iova + t->past[k].delta))
			return true;
	return false;
}

void judge(struct world *w, unsigned dev, const struct taint *t, const struct smmu_dma_result *res,
	   struct outcome *o, uint64_t iova, bool known)
{
	const struct unit *u = &w->unit[dev];
	char a[600], b[600];

	say(w, "smmu %u stream %#x %s %#llx%s: model %s; QEMU %s", u->smmu, u->stream,
	    res->dma.write ? "writes" : "reads", (unsigned long long)iova,
	    t ? " (may be stale)" : "", text_of(a, sizeof(a), &o[MODEL], true),
	    text_of(b, sizeof(b), &o[QEMU], known));
	if (!t) {
		if (res->differs)
			differ(w, "the model is stale though it was told: %s",
			       smmu_model_explain(res, a, sizeof(a)));
		else if (same_outcome(&o[MODEL], &o[QEMU], known))
			;
		else if (known_difference(w, dev, &o[MODEL], &o[QEMU]))
			w->tally.known++;
		else
			differ(w, "%s at %#llx: model %s; QEMU %s",
			       res->dma.write ? "write" : "read", (unsigned long long)iova,
			       text_of(a, sizeof(a), &o[MODEL], true),
			       text_of(b, sizeof(b), &o[QEMU], known));
		return;
	}
	for (unsigned s = 0; s < SIDES; s++) {
		if (!allowed(t, res, iova, &o[s], s == MODEL || known))
			differ(w, "%#llx may be stale, but not as the %s has it: %s",
			       (unsigned long long)iova, s == MODEL ? "model" : "QEMU",
			       text_of(a, sizeof(a), &o[s], s == MODEL || known));
		w->tally.stale[s] += o[s].ok != res->truth_ok ||
				     (o[s].ok && (s == MODEL || known) && o[s].pa != res->truth_pa);
	}
}

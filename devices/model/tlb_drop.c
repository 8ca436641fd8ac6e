/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a command drops from the caches of translations: exactly what it has to take. It is found by tag where that says
 * enough, else among all entries, or all of a span.
 */
#include "tlb.h"

static void count_over(struct instance *in, const struct tlb_entry *e, enum smmu_model_held where)
{
	const struct smmu_model_hooks *hooks = &in->model->hooks;
	struct smmu_model_tag tag = model_tlb_tag(e, where);

	if (hooks->still_mapped &&
	    hooks->still_mapped(hooks->ctx, in->index, &tag, e->base, pow2(e->log2)))
		in->count.over++;
}

/** Whether @p op has to take @p e. Whatever it does not have to take stays. */
static bool takes(const struct tlb_op *op, const struct tlb_entry *e)
{
	bool stage2 = e->stage == 2;

	if (!op->all_regimes) {
		if (stage2 ? !op->s2 : !op->s1)
			return false;
		if (e->el2 != op->el2)
			return false;
	} else if (e->el2) {
		return false; /* NSNH_ALL: everything but EL2 */
	}
	if (op->by_vmid && !e->el2 && e->vmid != op->vmid)
		return false;
	if (op->by_asid && e->asid != op->asid) {
		/* A global entry belongs to every ASID for an address, and to none for a whole ASID. */
		if (!op->by_addr || !e->global)
			return false;
	} else if (op->by_asid && !op->by_addr && e->global) {
		return false;
	}
	if (!op->by_addr)
		return true;
	if (e->walk && op->leaf)
		return false;
	if (op->granule && e->granule != op->granule)
		return false;
	if (op->level) {
		/* The hint names the level of the leaf. A table pointer above it has to go, one below does not. */
		if (e->walk ? e->level >= (int)op->level : e->level != (int)op->level)
			return false;
		/* A base that is not aligned to what that level maps obliges to nothing. */
		if (op->granule) {
			unsigned size = op->granule + (3 - op->level) * (op->granule - 3);

			if (size < 64 && (op->base & (BIT(size) - 1)))
				return false;
		}
	}
	return e->span_base < op->base + op->len &&
	       (op->base <= e->span_base || op->base - e->span_base < pow2(e->span_log2));
}

/** The part overlooks an entry, once. */
static bool spare(struct instance *in, struct tlb_entry *e)
{
	if (!(in->cfg.errata & SMMU_ERRATUM_TWICE) || e->spared || !(model_rnd(in) & 1))
		return false;
	e->spared = true;
	return true;
}

static void drop_entry(struct instance *in, struct tlb *t, struct tlb_entry *e, bool walk)
{
	if (walk) {
		in->count.dropped_walk++;
	} else {
		in->count.dropped_tlb++;
		count_over(in, e, SMMU_HELD_TLB);
	}
	model_tlb_unlink(t, e);
}

static void drop_bucket(struct instance *in, struct tlb *t, size_t b, const struct tlb_op *op,
			bool walk)
{
	struct tlb_entry **at = &t->buckets[b];

	while (*at) {
		if (!takes(op, *at) || spare(in, *at))
			at = &(*at)->next;
		else
			drop_entry(in, t, *at, walk);
	}
}

/** The tags of all that @p op can take, if these are few and chance has no say. 0: they are not. */
static unsigned tags_of(const struct instance *in, const struct tlb *t, const struct tlb_op *op,
			uint64_t tag[2])
{
	unsigned n = 0;

	if (in->cfg.errata & SMMU_ERRATUM_TWICE || op->all_regimes || op->el2 || !op->by_vmid)
		return 0;
	if (op->s2 && !op->s1)
		tag[n++] = tlb_tag_of(true, false, op->vmid, 0);
	if (!op->s2 && op->s1 && op->by_asid) {
		tag[n++] = tlb_tag_of(false, false, op->vmid, op->asid);
		if (t->nglobal)
			tag[n++] = tlb_tag_of(false, false, op->vmid, ANY_ASID);
	}
	return n;
}

/**
 * The tag of all that @p op, which names no address, can take: a whole ASID, or a VMID of which no entry of stage 1 is there.
 * False: there are more.
 */
static bool one_tag(const struct instance *in, const struct tlb *t, const struct tlb_op *op,
		    uint64_t *tag)
{
	if (in->cfg.errata & SMMU_ERRATUM_TWICE || op->all_regimes || op->el2 || !op->by_vmid)
		return false;
	if (op->s1 && !op->s2 && op->by_asid)
		*tag = tlb_tag_of(false, false, op->vmid, op->asid);
	else if (op->s2 && (!op->s1 || !t->stage1[op->vmid % TLB_TAGS]))
		*tag = tlb_tag_of(true, false, op->vmid, 0);
	else
		return false;
	return true;
}

static void drop_alike(struct instance *in, struct tlb *t, uint64_t tag, const struct tlb_op *op,
		       bool walk)
{
	struct tlb_entry *e, *next;

	for (e = t->alike[tlb_tag_place(tag)]; e; e = next) {
		next = e->next_alike;
		if (takes(op, e))
			drop_entry(in, t, e, walk);
	}
}

static void drop_tagged(struct instance *in, struct tlb *t, size_t b, const struct tlb_op *op,
			bool walk)
{
	struct tlb_entry **at = &t->tagged[b];

	while (*at) {
		if (!takes(op, *at))
			at = &(*at)->next_tagged;
		else
			drop_entry(in, t, *at, walk);
	}
}

static void drop_from(struct instance *in, struct tlb *t, const struct tlb_op *op, bool walk)
{
	uint64_t probes = 0, most, tag[2];
	unsigned n;

	/* For the leaf alone no table pointer goes. */
	if (!t->count || (walk && op->by_addr && op->leaf))
		return;
	/* Where chance decides about each entry they are asked in the order of their addresses while that is no longer way. */
	most = in->cfg.errata & SMMU_ERRATUM_TWICE ? t->nbuckets : t->nbuckets / 64 + t->count;
	if (op->by_addr)
		for (uint64_t c = t->classes; c; c &= c - 1)
			probes += (op->len >> __builtin_ctzll(c)) + 2;
	if (!op->by_addr && one_tag(in, t, op, tag)) {
		drop_alike(in, t, tag[0], op, walk);
		return;
	}
	if (!op->by_addr || probes > most) {
		for (size_t b = tlb_next_full(t, 0); b < t->nbuckets; b = tlb_next_full(t, b + 1))
			drop_bucket(in, t, b, op, walk);
		return;
	}
	n = tags_of(in, t, op, tag);
	for (uint64_t c = t->classes; c; c &= c - 1) {
		unsigned log2 = (unsigned)__builtin_ctzll(c);

		for (uint64_t s = round_down(op->base, log2); s < op->base + op->len;
		     s += pow2(log2)) {
			for (unsigned i = 0; i < n; i++)
				drop_tagged(in, t, tlb_tag_hash(t, s, log2, tag[i]), op, walk);
			if (n)
				continue;

			size_t b = tlb_hash(t, s, log2);

			if (t->buckets[b])
				drop_bucket(in, t, b, op, walk);
		}
	}
}

void model_tlb_drop(struct instance *in, const struct tlb_op *op)
{
	drop_from(in, &in->tlb, op, false);
	drop_from(in, &in->walks, op, true);
}

struct atc_op {
	bool all_ssids, ssid_valid;
	uint32_t ssid;
	uint64_t base, len; /* len 0: everything */
};

static bool atc_takes(const struct atc_op *op, const struct tlb_entry *e)
{
	if (op->all_ssids
		    ? !e->ssid_valid
		    : e->ssid_valid != op->ssid_valid || (op->ssid_valid && e->ssid != op->ssid))
		return false;
	return e->base >= op->base ? e->base - op->base <= op->len - 1
				   : op->base - e->base < pow2(e->log2);
}

static size_t drop_atc_bucket(struct smmu_model_device *dev, size_t b, const struct atc_op *op,
			      struct recent *taken, size_t n, size_t max)
{
	struct tlb_entry **at = &dev->atc.buckets[b];

	while (*at) {
		struct tlb_entry *e = *at;

		if (!atc_takes(op, e)) {
			at = &e->next;
			continue;
		}
		if (n < max)
			taken[n++] = (struct recent){.stream = dev->stream,
						     .ssid = e->ssid,
						     .ssid_valid = e->ssid_valid,
						     .iova = e->base};
		dev->in->count.dropped_atc++;
		count_over(dev->in, e, SMMU_HELD_ATC);
		model_tlb_unlink(&dev->atc, e);
	}
	return n;
}

/**
 * Drop from an ATC (@p all_ssids: with any PASID, but with one; @p len 0: everything). Up to @p max of the addresses that
 * went are left in @p taken.
 */
size_t model_tlb_drop_atc(struct smmu_model_device *dev, bool all_ssids, bool ssid_valid,
			  uint32_t ssid, uint64_t base, uint64_t len, struct recent *taken,
			  size_t max)
{
	const struct atc_op op = {all_ssids, ssid_valid, ssid, base, len};
	struct tlb *t = &dev->atc;
	uint64_t probes = 0;
	size_t n = 0;

	if (!t->count)
		return 0;
	for (uint64_t c = t->classes; c; c &= c - 1)
		probes += (len >> __builtin_ctzll(c)) + 1;
	if (!len || probes > t->nbuckets || base + len < base) {
		for (size_t b = tlb_next_full(t, 0); b < t->nbuckets; b = tlb_next_full(t, b + 1))
			n = drop_atc_bucket(dev, b, &op, taken, n, max);
		return n;
	}
	for (uint64_t c = t->classes; c; c &= c - 1) {
		unsigned log2 = (unsigned)__builtin_ctzll(c);

		for (uint64_t s = round_down(base, log2);; s += pow2(log2)) {
			size_t b = tlb_hash(t, s, log2);

			if (t->buckets[b])
				n = drop_atc_bucket(dev, b, &op, taken, n, max);
			if (base + len - s <= pow2(log2))
				break; /* not past the end of all addresses */
		}
	}
	return n;
}

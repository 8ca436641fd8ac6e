/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The caches of translations: TLB, walk cache, and each device's ATC.
 *
 * All three are hash tables without a bound, by the span of input addresses that one descriptor covers. A block
 * may be held in pieces; its pieces have the block's span, because an invalidation of any address of the block has
 * to take all of them. When several entries answer, the oldest does: it is the one most likely to be stale.
 */
#include <stdlib.h>

#include "internal.h"

static size_t hash(const struct tlb *t, uint64_t span_base, unsigned log2)
{
	uint64_t h = (log2 < 64 ? span_base >> log2 : 0) * 0x9e3779b97f4a7c15ULL +
		     log2 * 0xff51afd7ed558ccdULL;

	return (h ^ h >> 29) & (t->nbuckets - 1);
}

static uint64_t round_down(uint64_t addr, unsigned log2)
{
	return log2 < 64 ? addr >> log2 << log2 : 0;
}

void model_tlb_init(struct tlb *t)
{
	*t = (struct tlb){0};
}

void model_tlb_clear(struct tlb *t)
{
	for (size_t i = 0; i < t->nbuckets; i++) {
		struct tlb_entry *e = t->buckets[i];

		while (e) {
			struct tlb_entry *next = e->next;

			free(e);
			e = next;
		}
	}
	free(t->buckets);
	free(t->full);
	model_tlb_init(t);
}

/** The first bucket from @p b on that has something; nbuckets: none. */
static size_t next_full(const struct tlb *t, size_t b)
{
	while (b < t->nbuckets) {
		uint64_t rest = t->full[b / 64] >> b % 64;

		if (rest)
			return b + (size_t)__builtin_ctzll(rest);
		b = (b | 63) + 1;
	}
	return t->nbuckets;
}

static bool grow(struct tlb *t)
{
	struct tlb bigger = *t;
	size_t n = t->nbuckets ? t->nbuckets * 4 : 64;

	bigger.buckets = calloc(n, sizeof(*bigger.buckets));
	bigger.full = calloc(n / 64, sizeof(*bigger.full));
	if (!bigger.buckets || !bigger.full) {
		free(bigger.buckets);
		free(bigger.full);
		return false;
	}
	bigger.nbuckets = n;
	for (size_t i = 0; i < t->nbuckets; i++) {
		struct tlb_entry *e = t->buckets[i];

		while (e) {
			struct tlb_entry *next = e->next;
			size_t b = hash(&bigger, e->span_base, e->span_log2);

			e->next = bigger.buckets[b];
			bigger.buckets[b] = e;
			bigger.full[b / 64] |= BIT(b % 64);
			e = next;
		}
	}
	free(t->buckets);
	free(t->full);
	t->buckets = bigger.buckets;
	t->full = bigger.full;
	t->nbuckets = n;
	return true;
}

static void unlink_entry(struct tlb *t, size_t b, struct tlb_entry **at)
{
	struct tlb_entry *e = *at;

	*at = e->next;
	if (!t->buckets[b])
		t->full[b / 64] &= ~BIT(b % 64);
	t->count--;
	if (--t->class_count[e->span_log2 & 63] == 0)
		t->classes &= ~BIT(e->span_log2 & 63);
	free(e);
}

static void evict_one(struct instance *in, struct tlb *t)
{
	if (!t->count)
		return;

	size_t b = next_full(t, model_rnd(in) & (t->nbuckets - 1));

	if (b == t->nbuckets)
		b = next_full(t, 0);
	unlink_entry(t, b, &t->buckets[b]);
	in->count.evictions++;
}

static bool same_key(const struct tlb_entry *a, const struct tlb_entry *b)
{
	return a->span_base == b->span_base && a->span_log2 == b->span_log2 && a->base == b->base &&
	       a->log2 == b->log2 && a->stage == b->stage && a->walk == b->walk &&
	       a->el2 == b->el2 && a->global == b->global && a->vmid == b->vmid &&
	       (a->global || a->asid == b->asid) && a->granule == b->granule &&
	       a->level == b->level &&
	       (!a->atc || (a->ssid_valid == b->ssid_valid && a->ssid == b->ssid &&
			    a->exe == b->exe && a->priv == b->priv));
}

/**
 * A copy of @p e in @p t. If an entry with the same key is there, that one stays and is returned: nothing obliges
 * a cache to notice that memory has changed. NULL: no memory, which a cache may always treat as a full cache.
 */
struct tlb_entry *model_tlb_insert(struct instance *in, struct tlb *t, const struct tlb_entry *e)
{
	if (t->count >= t->nbuckets * 2 && !grow(t) && !t->nbuckets)
		return NULL;

	size_t b = hash(t, e->span_base, e->span_log2);

	for (struct tlb_entry *old = t->buckets[b]; old; old = old->next) {
		if (!same_key(old, e))
			continue;
		/* It was looked at in memory, as the page was clean, and is no more. */
		if (old->perms & ~e->perms & PERM_CLEAN && old->pa == e->pa)
			old->perms = e->perms;
		return old;
	}

	if (in->cfg.tlb_max && !e->atc && t->count >= in->cfg.tlb_max)
		evict_one(in, t);

	struct tlb_entry *new = malloc(sizeof(*new));

	if (!new)
		return NULL;
	*new = *e;
	new->seq = ++in->seq;
	new->born = in->now;
	new->next = t->buckets[b];
	t->buckets[b] = new;
	t->full[b / 64] |= BIT(b % 64);
	t->count++;
	t->class_count[e->span_log2 & 63]++;
	t->classes |= BIT(e->span_log2 & 63);
	return new;
}

static inline bool answers(const struct tlb_entry *e, const struct xlate *x, unsigned stages)
{
	if (!(stages & 1u << e->stage) || e->el2 != x->el2)
		return false;
	if (!e->el2 && e->vmid != x->vmid)
		return false;
	return e->stage == 2 || e->global || e->asid == x->asid;
}

static bool covers(const struct tlb_entry *e, uint64_t addr)
{
	return addr >= e->base && addr - e->base < pow2(e->log2);
}

/** The oldest translation of @p addr in one of @p stages (bit n: stage n) under the tags of @p x. */
struct tlb_entry *model_tlb_find(struct instance *in, const struct xlate *x, unsigned stages,
				 uint64_t addr)
{
	const struct tlb *t = &in->tlb;
	struct tlb_entry *found = NULL;

	for (uint64_t classes = t->classes; classes; classes &= classes - 1) {
		unsigned log2 = (unsigned)__builtin_ctzll(classes);
		uint64_t span = round_down(addr, log2);

		for (struct tlb_entry *e = t->buckets[hash(t, span, log2)]; e; e = e->next)
			if (e->span_base == span && e->span_log2 == log2 && covers(e, addr) &&
			    answers(e, x, stages) && (!found || e->seq < found->seq))
				found = e;
	}
	return found;
}

/**
 * Does another entry answer beside @p found, of a descriptor of another size, and the part tell? Of entries of both stages nobody can
 * say here whether they differ by their descriptors or by how they are kept.
 */
bool model_tlb_conflict(struct instance *in, const struct xlate *x, unsigned stages, uint64_t addr,
			const struct tlb_entry *found)
{
	const struct tlb *t = &in->tlb;

	if (!in->cfg.conflict_permille || in->cfg.bbml == 2 || found->stage == 3)
		return false;
	for (uint64_t classes = t->classes; classes; classes &= classes - 1) {
		unsigned log2 = (unsigned)__builtin_ctzll(classes);
		uint64_t span = round_down(addr, log2);

		if (log2 == found->span_log2)
			continue;
		for (struct tlb_entry *e = t->buckets[hash(t, span, log2)]; e; e = e->next)
			if (e->span_base == span && e->span_log2 == log2 && covers(e, addr) &&
			    answers(e, x, stages) && e->level != found->level)
				return model_chance(in, in->cfg.conflict_permille);
	}
	return false;
}

/** The table pointer nearest to the leaf; the oldest of those. */
struct tlb_entry *model_tlb_find_walk(struct instance *in, const struct xlate *x, unsigned stages,
				      uint64_t addr, unsigned granule)
{
	const struct tlb *t = &in->walks;

	for (uint64_t classes = t->classes; classes; classes &= classes - 1) {
		unsigned log2 = (unsigned)__builtin_ctzll(classes);
		uint64_t span = round_down(addr, log2);
		struct tlb_entry *found = NULL;

		for (struct tlb_entry *e = t->buckets[hash(t, span, log2)]; e; e = e->next)
			if (e->span_base == span && e->span_log2 == log2 && e->granule == granule &&
			    answers(e, x, stages) && (!found || e->seq < found->seq))
				found = e;
		if (found)
			return found;
	}
	return NULL;
}

/** A fetch wants an entry whose request asked for it; any will do for data. */
static bool atc_answers(const struct tlb_entry *e, const struct smmu_dma *dma)
{
	return e->ssid_valid == dma->ssid_valid && (!dma->ssid_valid || e->ssid == dma->ssid) &&
	       e->priv == dma->privileged && (e->exe || !dma->fetch);
}

struct tlb_entry *model_tlb_find_atc(struct smmu_model_device *dev, const struct smmu_dma *dma)
{
	const struct tlb *t = &dev->atc;
	struct tlb_entry *found = NULL;
	uint64_t addr = dma->iova;

	for (uint64_t classes = t->classes; classes; classes &= classes - 1) {
		unsigned log2 = (unsigned)__builtin_ctzll(classes);
		uint64_t span = round_down(addr, log2);

		for (struct tlb_entry *e = t->buckets[hash(t, span, log2)]; e; e = e->next)
			if (e->span_base == span && e->span_log2 == log2 && atc_answers(e, dma) &&
			    (!found || e->seq < found->seq))
				found = e;
	}
	return found;
}

struct smmu_model_tag model_tlb_tag(const struct tlb_entry *e, enum smmu_model_held where)
{
	return (struct smmu_model_tag){
		.where = where,
		.stage = e->stage,
		.el2 = e->el2,
		.global = e->global,
		.asid = e->asid,
		.vmid = e->vmid,
		.stream = e->stream,
		.ssid = e->ssid,
		.ssid_valid = e->ssid_valid,
	};
}

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
		if (e->walk ? e->level >= op->level : e->level != op->level)
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

static void drop_bucket(struct instance *in, struct tlb *t, size_t b, const struct tlb_op *op,
			bool walk)
{
	struct tlb_entry **at = &t->buckets[b];

	while (*at) {
		if (!takes(op, *at) || spare(in, *at)) {
			at = &(*at)->next;
			continue;
		}
		if (walk) {
			in->count.dropped_walk++;
		} else {
			in->count.dropped_tlb++;
			count_over(in, *at, SMMU_HELD_TLB);
		}
		unlink_entry(t, b, at);
	}
}

static void drop_from(struct instance *in, struct tlb *t, const struct tlb_op *op, bool walk)
{
	uint64_t probes = 0, most;

	/* For the leaf alone no table pointer goes. */
	if (!t->count || (walk && op->by_addr && op->leaf))
		return;
	/* Where chance decides about each entry they are asked in the order of their addresses while that is no longer way. */
	most = in->cfg.errata & SMMU_ERRATUM_TWICE ? t->nbuckets : t->nbuckets / 64 + t->count;
	if (op->by_addr)
		for (uint64_t c = t->classes; c; c &= c - 1)
			probes += (op->len >> __builtin_ctzll(c)) + 2;
	if (!op->by_addr || probes > most) {
		for (size_t b = next_full(t, 0); b < t->nbuckets; b = next_full(t, b + 1))
			drop_bucket(in, t, b, op, walk);
		return;
	}
	for (uint64_t c = t->classes; c; c &= c - 1) {
		unsigned log2 = (unsigned)__builtin_ctzll(c);

		for (uint64_t s = round_down(op->base, log2); s < op->base + op->len;
		     s += pow2(log2)) {
			size_t b = hash(t, s, log2);

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
		unlink_entry(&dev->atc, b, at);
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
		for (size_t b = next_full(t, 0); b < t->nbuckets; b = next_full(t, b + 1))
			n = drop_atc_bucket(dev, b, &op, taken, n, max);
		return n;
	}
	for (uint64_t c = t->classes; c; c &= c - 1) {
		unsigned log2 = (unsigned)__builtin_ctzll(c);

		for (uint64_t s = round_down(base, log2);; s += pow2(log2)) {
			size_t b = hash(t, s, log2);

			if (t->buckets[b])
				n = drop_atc_bucket(dev, b, &op, taken, n, max);
			if (base + len - s <= pow2(log2))
				break; /* not past the end of all addresses */
		}
	}
	return n;
}

/** Lose one entry at random, as a real cache does when it needs room. */
void model_tlb_evict(struct instance *in)
{
	evict_one(in, model_rnd(in) & 1 ? &in->tlb : &in->walks);
}

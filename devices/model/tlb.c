/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The caches of translations: TLB, walk cache, and each device's ATC.
 *
 * All three are hash tables without a bound, by the span of input addresses that one descriptor covers: in that order entries
 * are lost by chance. As many domains use the same addresses, a second hash has the tag in it as well: ASID, VMID and the
 * like, by which translations are looked up and dropped. A block
 * may be held in pieces; its pieces have the block's span, because an invalidation of any address of the block has
 * to take all of them. When several entries answer, the oldest does: it is the one most likely to be stale.
 */
#include <stdlib.h>

#include "tlb.h"

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
	free(t->tagged);
	free(t->full);
	model_tlb_init(t);
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
			size_t b = tlb_hash(&bigger, e->span_base, e->span_log2);

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

/** The same of those by span and tag, which stay so few that they are near. */
static bool grow_tagged(struct tlb *t)
{
	struct tlb bigger = *t;
	struct tlb_entry **at;

	bigger.ntagged = t->ntagged ? t->ntagged * 2 : 64;
	bigger.tagged = calloc(bigger.ntagged, sizeof(*bigger.tagged));
	if (!bigger.tagged)
		return false;
	for (size_t i = 0; i < t->ntagged; i++) {
		struct tlb_entry *e = t->tagged[i];

		while (e) {
			struct tlb_entry *next = e->next_tagged;

			at = tlb_tagged(&bigger, e);
			e->next_tagged = *at;
			*at = e;
			e = next;
		}
	}
	free(t->tagged);
	t->tagged = bigger.tagged;
	t->ntagged = bigger.ntagged;
	return true;
}

void model_tlb_unlink(struct tlb *t, struct tlb_entry *e)
{
	size_t b = tlb_hash(t, e->span_base, e->span_log2);
	struct tlb_entry **at;

	for (at = &t->buckets[b]; *at != e; at = &(*at)->next)
		;
	*at = e->next;
	for (at = tlb_tagged(t, e); *at != e; at = &(*at)->next_tagged)
		;
	*at = e->next_tagged;
	*e->alike = e->next_alike;
	if (e->next_alike)
		e->next_alike->alike = e->alike;
	t->stage1[e->vmid % TLB_TAGS] -= tlb_is_stage1(e);
	if (!t->buckets[b])
		t->full[b / 64] &= ~BIT(b % 64);
	t->count--;
	t->nglobal -= e->global;
	if (--t->class_count[e->span_log2 & 63] == 0)
		t->classes &= ~BIT(e->span_log2 & 63);
	free(e);
}

static void evict_one(struct instance *in, struct tlb *t)
{
	if (!t->count)
		return;

	size_t b = tlb_next_full(t, model_rnd(in) & (t->nbuckets - 1));

	if (b == t->nbuckets)
		b = tlb_next_full(t, 0);
	model_tlb_unlink(t, t->buckets[b]);
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

	if (t->count >= t->ntagged && !grow_tagged(t) && !t->ntagged)
		return NULL;

	uint64_t tag =
		e->atc ? 0
		       : tlb_tag_of(e->stage == 2, e->el2, e->vmid, e->global ? ANY_ASID : e->asid);
	size_t b = tlb_hash(t, e->span_base, e->span_log2);
	struct tlb_entry **at = &t->tagged[tlb_tag_hash(t, e->span_base, e->span_log2, tag)];

	for (struct tlb_entry *old = *at; old; old = old->next_tagged) {
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
	new->tag = tag;
	new->next_tagged = *at;
	*at = new;
	at = &t->alike[tlb_tag_place(tag)];
	new->next_alike = *at;
	new->alike = at;
	if (*at)
		(*at)->alike = &new->next_alike;
	*at = new;
	t->stage1[e->vmid % TLB_TAGS] += tlb_is_stage1(new);
	t->full[b / 64] |= BIT(b % 64);
	t->count++;
	t->nglobal += e->global;
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

/** The tags of the entries that answer @p x in one of @p stages (bit n: stage n). Returns how many. */
static unsigned tags_for(const struct tlb *t, const struct xlate *x, unsigned stages,
			 uint64_t tag[3])
{
	unsigned n = 0;

	if (stages & 1u << 2)
		tag[n++] = tlb_tag_of(true, x->el2, x->vmid, 0);
	if (stages & (1u << 1 | 1u << 3)) {
		tag[n++] = tlb_tag_of(false, x->el2, x->vmid, x->asid);
		if (t->nglobal)
			tag[n++] = tlb_tag_of(false, x->el2, x->vmid, ANY_ASID);
	}
	return n;
}

/** The oldest translation of @p addr in one of @p stages under the tags of @p x. */
struct tlb_entry *model_tlb_find(struct instance *in, const struct xlate *x, unsigned stages,
				 uint64_t addr)
{
	const struct tlb *t = &in->tlb;
	struct tlb_entry *found = NULL;
	uint64_t tag[3];
	unsigned n = tags_for(t, x, stages, tag);

	for (uint64_t classes = t->classes; classes; classes &= classes - 1) {
		unsigned log2 = (unsigned)__builtin_ctzll(classes);
		uint64_t span = round_down(addr, log2);

		for (unsigned i = 0; i < n; i++)
			for (struct tlb_entry *e = t->tagged[tlb_tag_hash(t, span, log2, tag[i])];
			     e; e = e->next_tagged)
				if (e->span_base == span && e->span_log2 == log2 &&
				    covers(e, addr) && answers(e, x, stages) &&
				    (!found || e->seq < found->seq))
					found = e;
	}
	return found;
}

/**
 * Does another entry answer beside @p found, of a descriptor of another size, and the part tell? Of entries of both stages either stage
 * may be the one that changed; pieces of one block have the levels of their descriptors.
 */
bool model_tlb_conflict(struct instance *in, const struct xlate *x, unsigned stages, uint64_t addr,
			const struct tlb_entry *found)
{
	const struct tlb *t = &in->tlb;
	uint64_t tag[3];
	unsigned n = tags_for(t, x, stages, tag);

	if (!in->cfg.conflict_permille || in->cfg.bbml == 2)
		return false;
	for (uint64_t classes = t->classes; classes; classes &= classes - 1) {
		unsigned log2 = (unsigned)__builtin_ctzll(classes);
		uint64_t span = round_down(addr, log2);

		if (log2 == found->span_log2 && found->stage != 3)
			continue;
		for (unsigned i = 0; i < n; i++)
			for (struct tlb_entry *e = t->tagged[tlb_tag_hash(t, span, log2, tag[i])];
			     e; e = e->next_tagged)
				if (e->span_base == span && e->span_log2 == log2 &&
				    covers(e, addr) && answers(e, x, stages) &&
				    (e->level != found->level || e->level2 != found->level2))
					return model_chance(in, in->cfg.conflict_permille);
	}
	return false;
}

/** The table pointer nearest to the leaf; the oldest of those. */
struct tlb_entry *model_tlb_find_walk(struct instance *in, const struct xlate *x, unsigned stages,
				      uint64_t addr, unsigned granule)
{
	const struct tlb *t = &in->walks;
	uint64_t tag[3];
	unsigned n = tags_for(t, x, stages, tag);

	for (uint64_t classes = t->classes; classes; classes &= classes - 1) {
		unsigned log2 = (unsigned)__builtin_ctzll(classes);
		uint64_t span = round_down(addr, log2);
		struct tlb_entry *found = NULL;

		for (unsigned i = 0; i < n; i++)
			for (struct tlb_entry *e = t->tagged[tlb_tag_hash(t, span, log2, tag[i])];
			     e; e = e->next_tagged)
				if (e->span_base == span && e->span_log2 == log2 &&
				    e->granule == granule && answers(e, x, stages) &&
				    (!found || e->seq < found->seq))
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

		for (struct tlb_entry *e = t->buckets[tlb_hash(t, span, log2)]; e; e = e->next)
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

/** Lose one entry at random, as a real cache does when it needs room. */
void model_tlb_evict(struct instance *in)
{
	evict_one(in, model_rnd(in) & 1 ? &in->tlb : &in->walks);
}

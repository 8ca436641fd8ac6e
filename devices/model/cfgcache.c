/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The caches of configuration: STEs, CDs and their level-1 descriptors, what CFGI commands drop of them, and what is lost
 * by chance.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static size_t hash(enum cfg_kind kind, uint32_t stream, uint32_t index)
{
	uint64_t h = ((uint64_t)stream << 32 | index) * 0x9e3779b97f4a7c15ULL + kind;

	return (h ^ h >> 31) % CFG_BUCKETS;
}

/** Bucket @p b has something, or nothing any more. */
static void mark(struct cfg_cache *c, size_t b)
{
	uint64_t bit = BIT(b % 64);

	c->full[b / 64] = c->buckets[b] ? c->full[b / 64] | bit : c->full[b / 64] & ~bit;
}

/** The first bucket from @p b on that has something; CFG_BUCKETS: none. */
static size_t next_full(const struct cfg_cache *c, size_t b)
{
	while (b < CFG_BUCKETS) {
		uint64_t rest = c->full[b / 64] >> b % 64;

		if (rest)
			return b + (size_t)__builtin_ctzll(rest);
		b = (b | 63) + 1;
	}
	return CFG_BUCKETS;
}

struct cfg_entry *model_cfg_find(struct instance *in, enum cfg_kind kind, uint32_t stream,
				 uint32_t index)
{
	for (struct cfg_entry *e = in->cfgs.buckets[hash(kind, stream, index)]; e; e = e->next)
		if (e->kind == kind && e->stream == stream && e->index == index)
			return e;
	return NULL;
}

void model_cfg_put(struct instance *in, enum cfg_kind kind, uint32_t stream, uint32_t index,
		   const uint64_t *w, unsigned words, uint64_t addr)
{
	struct cfg_entry **bucket = &in->cfgs.buckets[hash(kind, stream, index)];
	struct cfg_entry *e = malloc(sizeof(*e));

	if (!e)
		return;
	*e = (struct cfg_entry){
		.next = *bucket, .kind = kind, .stream = stream, .index = index, .addr = addr};
	memcpy(e->w, w, words * sizeof(*w));
	*bucket = e;
	mark(&in->cfgs, (size_t)(bucket - in->cfgs.buckets));
	in->cfgs.count++;
}

/** The part overlooks an entry, once (SMMU_ERRATUM_TWICE). */
static bool spare(struct instance *in, struct cfg_entry *e)
{
	if (!(in->cfg.errata & SMMU_ERRATUM_TWICE) || e->spared || !(model_rnd(in) & 1))
		return false;
	e->spared = true;
	return true;
}

/** Drop what @p match says; it gets @p arg. */
static void drop(struct instance *in, bool (*match)(const struct cfg_entry *, const void *),
		 const void *arg)
{
	struct cfg_cache *c = &in->cfgs;

	for (size_t b = next_full(c, 0); b < CFG_BUCKETS; b = next_full(c, b + 1)) {
		struct cfg_entry **at = &c->buckets[b];

		while (*at) {
			struct cfg_entry *e = *at;

			if (!match(e, arg) || spare(in, e)) {
				at = &e->next;
				continue;
			}
			*at = e->next;
			free(e);
			c->count--;
			in->count.dropped_cfg++;
		}
		mark(c, b);
	}
}

/** Lose one entry at random. */
void model_cfg_evict(struct instance *in)
{
	size_t start = model_rnd(in) % CFG_BUCKETS;

	struct cfg_entry *e;
	size_t b;

	if (!in->cfgs.count)
		return;
	b = next_full(&in->cfgs, start);
	if (b == CFG_BUCKETS)
		b = next_full(&in->cfgs, 0);
	e = in->cfgs.buckets[b];
	in->cfgs.buckets[b] = e->next;
	mark(&in->cfgs, b);
	free(e);
	in->cfgs.count--;
	in->count.evictions++;
}

void model_cfg_clear(struct instance *in)
{
	/* Not drop(), of which a part with an erratum spares some. */
	for (size_t b = 0; b < CFG_BUCKETS; b++) {
		struct cfg_entry *e = in->cfgs.buckets[b];

		while (e) {
			struct cfg_entry *next = e->next;

			free(e);
			e = next;
		}
		in->cfgs.buckets[b] = NULL;
	}
	memset(in->cfgs.full, 0, sizeof(in->cfgs.full));
	in->cfgs.count = 0;
}

struct ste_range {
	uint64_t first, last;
	unsigned split;
	bool leaf;
};

static bool match_ste(const struct cfg_entry *e, const void *arg)
{
	const struct ste_range *r = arg;

	switch (e->kind) {
	case CFG_STE:
		return e->stream >= r->first && e->stream <= r->last;
	case CFG_L1STE:
		return !r->leaf && e->index >= r->first >> r->split &&
		       e->index <= r->last >> r->split;
	case CFG_CD:
	case CFG_L1CD:
		/* With its STE a stream loses all CDs that were fetched through it (4.3.1, 4.3.2). */
		return e->stream >= r->first && e->stream <= r->last;
	}
	return false;
}

/** CFGI_STE (@p count 1) and CFGI_STE_RANGE. */
void model_cfg_drop_ste(struct instance *in, uint32_t first, uint64_t count, bool leaf)
{
	struct ste_range r = {
		.first = first,
		.last = first + count - 1,
		.split = strtab_split(in),
		.leaf = leaf,
	};

	drop(in, match_ste, &r);
}

struct cd_key {
	uint32_t stream, ssid;
	bool leaf, all;
};

static bool match_cd(const struct cfg_entry *e, const void *arg)
{
	const struct cd_key *k = arg;

	if ((e->kind != CFG_CD && e->kind != CFG_L1CD) || e->stream != k->stream)
		return false;
	if (k->all)
		return true;
	if (e->kind == CFG_CD)
		return e->index == k->ssid;
	return !k->leaf && e->index == k->ssid >> e->w[1]; /* how many CDs each depends on S1Fmt */
}

void model_cfg_drop_cd(struct instance *in, uint32_t stream, uint32_t ssid, bool leaf)
{
	struct cd_key k = {.stream = stream, .ssid = ssid, .leaf = leaf};

	drop(in, match_cd, &k);
}

void model_cfg_drop_cds(struct instance *in, uint32_t stream)
{
	struct cd_key k = {.stream = stream, .all = true};

	drop(in, match_cd, &k);
}

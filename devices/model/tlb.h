/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file tlb.h
 * How the caches of translations are hashed: what their store and what drops from it share.
 */
#ifndef SMMU_MODEL_TLB_H
#define SMMU_MODEL_TLB_H

#include "internal.h"

static inline size_t tlb_hash(const struct tlb *t, uint64_t span_base, unsigned log2)
{
	uint64_t h = (log2 < 64 ? span_base >> log2 : 0) * 0x9e3779b97f4a7c15ULL +
		     log2 * 0xff51afd7ed558ccdULL;

	return (h ^ h >> 29) & (t->nbuckets - 1);
}

/* Of a regime and a stage, one for all ASIDs: global entries. */
#define ANY_ASID 0x10000u

/** What tells entries of one span apart: of stage 2, or of stage 1 alone or combined, under @p asid or ANY_ASID. */
static inline uint64_t tlb_tag_of(bool stage2, bool el2, uint16_t vmid, uint32_t asid)
{
	if (stage2)
		return 1ULL << 40 | vmid;
	return el2 ? 2ULL << 40 | asid : (uint64_t)vmid << 20 | asid;
}

static inline size_t tlb_tag_hash(const struct tlb *t, uint64_t span_base, unsigned log2,
				  uint64_t tag)
{
	uint64_t h = (log2 < 64 ? span_base >> log2 : 0) * 0x9e3779b97f4a7c15ULL +
		     log2 * 0xff51afd7ed558ccdULL + tag * 0xd6e8feb86659fd93ULL;

	return (h ^ h >> 29) & (t->ntagged - 1);
}

static inline struct tlb_entry **tlb_tagged(const struct tlb *t, const struct tlb_entry *e)
{
	return &t->tagged[tlb_tag_hash(t, e->span_base, e->span_log2, e->tag)];
}

/** The place of the entries of a tag in `alike`. */
static inline unsigned tlb_tag_place(uint64_t tag)
{
	return (unsigned)(tag * 0x9e3779b97f4a7c15ULL >> 58);
}

/** Is @p e one of those that a TLBI of its whole VMID takes, and not of stage 2? */
static inline bool tlb_is_stage1(const struct tlb_entry *e)
{
	return !e->atc && !e->el2 && e->stage != 2;
}

static inline uint64_t round_down(uint64_t addr, unsigned log2)
{
	return log2 < 64 ? addr >> log2 << log2 : 0;
}

/** The first bucket from @p b on that has something; nbuckets: none. */
static inline size_t tlb_next_full(const struct tlb *t, size_t b)
{
	while (b < t->nbuckets) {
		uint64_t rest = t->full[b / 64] >> b % 64;

		if (rest)
			return b + (size_t)__builtin_ctzll(rest);
		b = (b | 63) + 1;
	}
	return t->nbuckets;
}

/** Take @p e out of its lists, and free it. */
void model_tlb_unlink(struct tlb *t, struct tlb_entry *e);

#endif

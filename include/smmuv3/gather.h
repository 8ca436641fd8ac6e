/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file gather.h
 * What an unmap leaves to be invalidated: one contiguous range of input addresses, what kind of descriptors went
 * away in it, and the tables that may be freed once no walk can be in them.
 *
 * Page tables fill a gather, the invalidation core reads it. A gather belongs to one thread.
 */
#ifndef SMMUV3_GATHER_H
#define SMMUV3_GATHER_H

#include <smmuv3/types.h>

SMMU_BEGIN_DECLS

struct smmu_gather {
	uint64_t start; /**< first input address (IOVA or IPA) */
	uint64_t last; /**< last input address, inclusive; the gather is empty while last < start */
	uint8_t granule_shift; /**< 12, 14 or 16: the translation granule */
	uint8_t leaf_shift;    /**< log2 of the smallest leaf that was removed; 0 while unknown */
	uint8_t level; /**< 1–3: every removed leaf was at this level; 0: mixed or unknown */
	bool tables; /**< a table went away: intermediate-walk caches have to be cleaned as well */
	void *freelist; /**< removed tables, chained by the page table's own means */
};

static inline void smmu_gather_init(struct smmu_gather *g, unsigned granule_shift)
{
	*g = (struct smmu_gather){.start = UINT64_MAX, .granule_shift = (uint8_t)granule_shift};
}

static inline bool smmu_gather_empty(const struct smmu_gather *g)
{
	return g->last < g->start;
}

/**
 * Add a removed leaf of 2^@p shift bytes at @p iova, at @p level of the table. A disjoint leaf widens the range
 * over the hole: whoever gathers disjoint ranges pays with over-invalidation, never with a stale entry.
 */
static inline void smmu_gather_leaf(struct smmu_gather *g, uint64_t iova, unsigned shift,
				    unsigned level)
{
	uint64_t last = iova + (SMMU_BIT(shift) - 1);

	if (g->leaf_shift == 0) {
		g->leaf_shift = (uint8_t)shift;
		g->level = (uint8_t)level;
	} else {
		if (shift < g->leaf_shift)
			g->leaf_shift = (uint8_t)shift;
		if (level != g->level)
			g->level = 0;
	}
	g->start = smmu_min64(g->start, iova);
	g->last = smmu_max64(g->last, last);
}

/** Note that the table covering 2^@p shift bytes at @p iova was unhooked. */
static inline void smmu_gather_table(struct smmu_gather *g, uint64_t iova, unsigned shift)
{
	g->start = smmu_min64(g->start, iova);
	g->last = smmu_max64(g->last, iova + (SMMU_BIT(shift) - 1));
	g->leaf_shift = g->granule_shift;
	g->level = 0;
	g->tables = true;
}

SMMU_END_DECLS

#endif

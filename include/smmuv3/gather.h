/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file gather.h
 * What an unmap leaves behind, as two things that go different ways: a range of input addresses to
 * invalidate (struct smmu_gather), which the sweep reads, and tables to free after it (struct
 * smmu_freelist), which it never sees.
 *
 * Page tables fill both. Each belongs to one thread at a time. No function here sleeps or takes a
 * lock.
 */
#ifndef SMMUV3_GATHER_H
#define SMMUV3_GATHER_H

#include <smmuv3/types.h>

SMMU_BEGIN_DECLS

/** One contiguous range, and what kind of descriptors went away in it. */
struct smmu_gather {
	/** First input address (IOVA or IPA). */
	uint64_t start;
	/** Last input address, inclusive; the gather is empty while last < start. */
	uint64_t last;
	/** Log2 of the translation granule: 12, 14 or 16; 0 until the first unmap says. */
	uint8_t granule_shift;
	/** Log2 of the smallest leaf that was removed; 0 while nothing was. */
	uint8_t leaf_shift;
	/**
	 * 1–3: every removed leaf was at this level, and every removed table at this level or
	 * above; 0: mixed or unknown.
	 */
	uint8_t level;
	/**
	 * A table went away: cached table descriptors have to go as well (Leaf = 0, IHI 0070 G.b,
	 * 4.4).
	 */
	bool tables;
};

/**
 * Tables that are no longer hooked, but that walks may still be in: chained by the page table's own
 * means. `{NULL}` is the empty list. Whoever has it owns the tables: they go back with
 * smmu_pgtable_free_tables, or for a domain smmu_unmap_release, and only after the fence of a sweep
 * that began after the unmap is finished. A list may collect those of any number of unmaps of one
 * page table.
 */
struct smmu_freelist {
	void *first;
};

/**
 * An empty gather. @p granule_shift is 12, 14 or 16, or 0: that of the first table that adds to it.
 */
static inline void smmu_gather_init(struct smmu_gather *g, unsigned granule_shift)
{
	/* Each of them by name: some compilers for C++ take the rest for forgotten. */
	*g = (struct smmu_gather){.start = UINT64_MAX,
				  .last = 0,
				  .granule_shift = (uint8_t)granule_shift,
				  .leaf_shift = 0,
				  .level = 0,
				  .tables = false};
}

/** True while nothing has been added to @p g. */
static inline bool smmu_gather_empty(const struct smmu_gather *g)
{
	return g->last < g->start;
}

/**
 * Add removed leaves of 2^@p shift bytes each, at @p level of the table, that fill @p start to
 * @p last (inclusive). A disjoint range widens the gather over the hole: whoever gathers disjoint
 * ranges pays with over-invalidation, never with a stale entry.
 */
static inline void smmu_gather_leaves(struct smmu_gather *g, uint64_t start, uint64_t last,
				      unsigned shift, unsigned level)
{
	if (g->leaf_shift == 0) {
		g->leaf_shift = (uint8_t)shift;
		g->level = (uint8_t)level;
	} else {
		if (shift < g->leaf_shift)
			g->leaf_shift = (uint8_t)shift;
		if (level != g->level)
			g->level = 0;
	}
	g->start = smmu_min64(g->start, start);
	g->last = smmu_max64(g->last, last);
}

/** Add one removed leaf of 2^@p shift bytes at @p iova, at @p level of the table. */
static inline void smmu_gather_leaf(struct smmu_gather *g, uint64_t iova, unsigned shift,
				    unsigned level)
{
	smmu_gather_leaves(g, iova, iova + (SMMU_BIT(shift) - 1), shift, level);
}

/**
 * Add a table that was unhooked, with all below it: it covered @p start to @p last, the smallest
 * leaves in it have (or, where it was empty, would have) 2^@p leaf_shift bytes, and @p level is
 * that of all of them, or 0 if they differ.
 *
 * Invalidation by a level hint of n drops cached table descriptors of the levels above n only (IHI
 * 0070 G.b, 4.4.1.1), and the descriptor of a table of level n is one of level n - 1. So the level
 * of the leaves is a sound hint for every table that leads to them, and for an empty table its own
 * level counts.
 */
static inline void smmu_gather_table(struct smmu_gather *g, uint64_t start, uint64_t last,
				     unsigned leaf_shift, unsigned level)
{
	smmu_gather_leaves(g, start, last, leaf_shift, level);
	g->tables = true;
}

/**
 * For embedders with a gather of their own: set *@p g to the range @p start … @p last (inclusive).
 *
 * @param granule_shift 12, 14 or 16
 * @param leaf_shift log2 of the size of *all* leaves that went away, or 0: mixed or unknown. A size
 *        that no level of the granule has (a contiguous run) counts as unknown. The range is
 *        widened to whole leaves.
 * @param tables whether a table went away in it, which held no leaves but those
 */
static inline void smmu_gather_range(struct smmu_gather *g, unsigned granule_shift, uint64_t start,
				     uint64_t last, unsigned leaf_shift, bool tables)
{
	unsigned bits = granule_shift - 3, level = 3;

	while (level && leaf_shift != granule_shift + bits * (3 - level))
		level--;
	if (!level)
		leaf_shift = granule_shift;
	*g = (struct smmu_gather){
		.start = start & ~(SMMU_BIT(leaf_shift) - 1),
		.last = last | (SMMU_BIT(leaf_shift) - 1),
		.granule_shift = (uint8_t)granule_shift,
		.leaf_shift = (uint8_t)leaf_shift,
		.level = (uint8_t)level,
		.tables = tables,
	};
}

SMMU_END_DECLS

#endif

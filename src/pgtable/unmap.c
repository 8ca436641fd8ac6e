/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file unmap.c
 * Removing translations: check the whole range, then clear it, and say what has to be invalidated.
 *
 * Like a map, an unmap goes over its range twice, and only the first pass can fail. A table that the range covers
 * whole is unhooked by one store, with all that is below it; a table that is covered in part stays, even if it is empty
 * then, because other threads may be in it.
 */
#include "pgtable_internal.h"

/** Set @p run to the leaves that follow, in one table, from index @p index on: at most @p left bytes of them. */
static void leaf_run(const struct smmu_pgtable *pt, struct pt_run *run, uint64_t *table,
		     uint64_t index, unsigned level, uint64_t left)
{
	uint64_t max;

	run->slot = &table[index];
	run->level = level;
	run->shift = pt_shift(pt->cfg.granule_shift, level);
	max = smmu_min64(pt_entries(pt, level) - index, left >> run->shift);
	for (run->count = 1; run->count < max; run->count++)
		if (!pt_is_leaf(level, smmu_load(&run->slot[run->count])))
			break;
}

/** Find the run of leaves that starts at @p iova, of which @p left bytes are to go. */
static int find_leaves(const struct smmu_pgtable *pt, uint64_t iova, uint64_t left, unsigned flags,
		       struct pt_run *run)
{
	uint64_t *table = pt->root;

	for (unsigned level = pt->start_level;; level++) {
		uint64_t span = SMMU_BIT(pt_shift(pt->cfg.granule_shift, level));
		uint64_t index = pt_index(pt, level, iova);
		uint64_t desc = smmu_load_acquire(&table[index]);

		if (!pt_is_valid(desc))
			return -SMMU_ENOENT;
		if (pt_is_table(level, desc)) {
			if (flags & SMMU_UNMAP_KNOWN && left >= span && !(iova & (span - 1))) {
				*run = (struct pt_run){
					.count = 1,
					.shift = pt_shift(pt->cfg.granule_shift, level)};
				return 0;
			}
			table = pt_table(pt, desc);
			continue;
		}
		if (left < span || (iova & (span - 1)))
			return -SMMU_EINVAL;
		leaf_run(pt, run, table, index, level, left);
		return 0;
	}
}

static void clear_leaves(const struct smmu_pgtable *pt, const struct pt_run *run, uint64_t iova,
			 struct smmu_gather *gather)
{
	gather->granule_shift = pt->cfg.granule_shift;
	for (uint64_t i = 0; i < run->count; i++)
		smmu_store(&run->slot[i], (uint64_t)0);
	pt_clean(pt, run->slot, run->count);
	smmu_gather_leaves(gather, iova, iova + ((run->count << run->shift) - 1), run->shift,
			   run->level);
}

/** Add the tables that covered @p span bytes at @p iova, with leaves at the @p levels (bit n: level n). */
static void gather_table(const struct smmu_pgtable *pt, struct smmu_gather *gather, uint64_t iova,
			 uint64_t span, unsigned levels)
{
	unsigned deepest = 31 - (unsigned)__builtin_clz(levels);
	bool one = levels == 1u << deepest;

	gather->granule_shift = pt->cfg.granule_shift;
	smmu_gather_table(gather, iova, iova + (span - 1), pt_shift(pt->cfg.granule_shift, deepest),
			  one ? deepest : 0);
}

/**
 * Clear the first table or run of leaves of the @p left bytes at @p iova, all known to be mapped; returns its bytes.
 */
static uint64_t clear_first(const struct smmu_pgtable *pt, uint64_t iova, uint64_t left,
			    struct smmu_gather *gather, struct smmu_freelist *freelist)
{
	uint64_t *table = pt->root;

	for (unsigned level = pt->start_level;; level++) {
		unsigned shift = pt_shift(pt->cfg.granule_shift, level);
		uint64_t span = SMMU_BIT(shift);
		uint64_t index = pt_index(pt, level, iova);
		uint64_t *slot = &table[index];
		uint64_t desc = smmu_load_acquire(slot);
		struct pt_run run;

		if (!pt_is_table(level, desc)) {
			leaf_run(pt, &run, table, index, level, left);
			clear_leaves(pt, &run, iova, gather);
			return run.count << run.shift;
		}
		table = pt_table(pt, desc);
		if (left >= span && !(iova & (span - 1))) {
			smmu_store(slot, (uint64_t)0);
			pt_clean(pt, slot, 1);
			gather_table(pt, gather, iova, span,
				     smmu_pgtable_collect(pt, table, level + 1, freelist));
			return span;
		}
	}
}

int smmu_pgtable_do_unmap(struct smmu_pgtable *pt, uint64_t iova, uint64_t size, unsigned flags,
			  struct smmu_gather *gather, struct smmu_freelist *freelist)
{
	struct pt_run run = {0};
	int err = pt_check_range(pt, iova, size);

	if (err)
		return err;
	if (flags & ~(unsigned)SMMU_UNMAP_KNOWN ||
	    (gather->granule_shift && gather->granule_shift != pt->cfg.granule_shift))
		return -SMMU_EINVAL;
	for (uint64_t done = 0; done < size; done += run.count << run.shift) {
		err = find_leaves(pt, iova + done, size - done, flags, &run);
		if (err)
			return err;
	}
	if (run.slot && run.count << run.shift == size && run.count < pt_entries(pt, run.level)) {
		/* One run that leaves its table hooked, as in most calls: no need to find it again. */
		clear_leaves(pt, &run, iova, gather);
		return 0;
	}
	for (uint64_t done = 0; done < size;)
		done += clear_first(pt, iova + done, size - done, gather, freelist);
	return 0;
}

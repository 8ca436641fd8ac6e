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
static int find_leaves(const struct smmu_pgtable *pt, uint64_t iova, uint64_t left,
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
	for (uint64_t i = 0; i < run->count; i++)
		smmu_store(&run->slot[i], (uint64_t)0);
	pt_clean(pt, run->slot, run->count);
	/* The ends of a run of equal leaves say as much as all of them. */
	smmu_gather_leaf(gather, iova, run->shift, run->level);
	smmu_gather_leaf(gather, iova + ((run->count - 1) << run->shift), run->shift, run->level);
}

/**
 * Clear the first table or run of leaves of the @p left bytes at @p iova, all known to be mapped; returns its bytes.
 */
static uint64_t clear_first(const struct smmu_pgtable *pt, uint64_t iova, uint64_t left,
			    struct smmu_gather *gather)
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
			smmu_gather_table(gather, iova, shift);
			smmu_pgtable_collect(pt, table, level + 1, &gather->freelist);
			return span;
		}
	}
}

int smmu_pgtable_do_unmap(struct smmu_pgtable *pt, uint64_t iova, uint64_t size,
			  struct smmu_gather *gather)
{
	struct pt_run run = {0};
	int err = pt_check_range(pt, iova, size);

	if (err)
		return err;
	for (uint64_t done = 0; done < size; done += run.count << run.shift) {
		err = find_leaves(pt, iova + done, size - done, &run);
		if (err)
			return err;
	}
	if (run.count << run.shift == size && run.count < pt_entries(pt, run.level)) {
		/* One run that leaves its table hooked, as in most calls: no need to find it again. */
		clear_leaves(pt, &run, iova, gather);
		return 0;
	}
	for (uint64_t done = 0; done < size;)
		done += clear_first(pt, iova + done, size - done, gather);
	return 0;
}

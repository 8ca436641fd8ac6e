/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file unmap.c
 * Removing translations: check the whole range, then clear it, and say what has to be invalidated.
 *
 * Like a map, an unmap goes over its range twice, and only the first pass can fail. A table that the range covers
 * whole is unhooked by one store, with all that is below it; a table that is covered in part stays, even if it is empty
 * then, because other threads may be in it. What the first pass has found mapped, the second knows to be mapped; so it
 * has no need to look into tables that it unhooks, and a caller who knows by himself saves the first pass that too.
 */
#include "pgtable_internal.h"

/** How many descriptors of @p run are leaves, before anything else? The first one is. */
PT_COLD uint64_t count_leaves(struct pt_run run)
{
	struct pt_bits bits = pt_scan(run.slot, run.count);
	uint64_t count = 1;

	if (pt_is_valid(bits.all) && !pt_is_table(run.level, bits.any))
		return run.count;
	for (; count < run.count; count++) {
		uint64_t desc = smmu_load(&run.slot[count]);

		if (!pt_is_valid(desc) || pt_is_table(run.level, desc))
			break;
	}
	return count;
}

/** The highest level at which one descriptor translates nothing but what goes: @p left bytes at @p iova. */
static unsigned whole_level(const struct smmu_pgtable *pt, uint64_t iova, uint64_t left)
{
	unsigned level = PT_LAST_LEVEL;

	while (level > pt->start_level && pt_covers(pt, level - 1, iova, left))
		level--;
	return level;
}

/**
 * Find what comes first of the @p left bytes at @p iova that are to go: a run of leaves; or, if all is @p known to be
 * mapped, a table of which nothing stays.
 */
PT_HOT int find_mapped(const struct smmu_pgtable *pt, uint64_t iova, uint64_t left, bool known,
		       struct pt_run *run)
{
	unsigned lowest = known ? whole_level(pt, iova, left) : PT_LAST_LEVEL;
	struct pt_at at = pt_descend(pt, pt_first(pt, iova), iova, PT_TYPE, lowest);

	if (!pt_is_valid(at.desc))
		return -SMMU_ENOENT;
	if (pt_is_table(at.level, at.desc)) {
		*run = (struct pt_run){.slot = &at.table[at.index],
				       .count = 1,
				       .level = at.level,
				       .table = pt_table(pt, at.desc)};
		return 0;
	}
	if (at.level < PT_LAST_LEVEL && !pt_covers(pt, at.level, iova, left))
		return -SMMU_EINVAL;
	*run = pt_longest_run(pt, at, left);
	if (run->count > 1)
		run->count = count_leaves(*run);
	return 0;
}

PT_HOT void clear_leaves(const struct smmu_pgtable *pt, struct pt_run run, uint64_t iova,
			 struct smmu_gather *gather)
{
	for (uint64_t *slot = run.slot, *end = slot + run.count; slot < end; slot++)
		smmu_store(slot, (uint64_t)0);
	pt_clean(pt, run.slot, run.count);
	smmu_gather_leaves(gather, iova, iova + (pt_run_bytes(pt, &run) - 1),
			   pt_shift(pt, run.level), run.level);
}

PT_COLD void unhook_table(const struct smmu_pgtable *pt, struct pt_run run, uint64_t iova,
			  struct smmu_gather *gather, struct smmu_freelist *freelist)
{
	unsigned levels, deepest;

	smmu_store(run.slot, (uint64_t)0);
	pt_clean(pt, run.slot, 1);
	levels = smmu_pgtable_collect(pt, run.table, run.level + 1, freelist);
	deepest = 31 - (unsigned)__builtin_clz(levels);
	smmu_gather_table(gather, iova, iova + (pt_run_bytes(pt, &run) - 1), pt_shift(pt, deepest),
			  levels == 1u << deepest ? deepest : 0);
}

/** Clear what find_mapped found at @p iova. */
PT_HOT void clear(const struct smmu_pgtable *pt, struct pt_run run, uint64_t iova,
		  struct smmu_gather *gather, struct smmu_freelist *freelist)
{
	gather->granule_shift = pt->cfg.granule_shift;
	if (run.table)
		unhook_table(pt, run, iova, gather, freelist);
	else
		clear_leaves(pt, run, iova, gather);
}

/** Unmap what takes more than one step, the first of which is @p done bytes long and was found mapped. */
PT_COLD int unmap_in_runs(const struct smmu_pgtable *pt, uint64_t iova, uint64_t size, bool known,
			  uint64_t done, struct smmu_gather *gather, struct smmu_freelist *freelist)
{
	struct pt_run run = {0};

	for (; done < size; done += pt_run_bytes(pt, &run)) {
		int err = find_mapped(pt, iova + done, size - done, known, &run);

		if (err)
			return err;
	}
	for (done = 0; done < size; done += pt_run_bytes(pt, &run)) {
		find_mapped(pt, iova + done, size - done, true, &run);
		clear(pt, run, iova + done, gather, freelist);
	}
	return 0;
}

int smmu_pgtable_do_unmap(struct smmu_pgtable *pt, uint64_t iova, uint64_t size, unsigned flags,
			  struct smmu_gather *gather, struct smmu_freelist *freelist)
{
	bool known = flags & SMMU_UNMAP_KNOWN;
	struct pt_run run;
	uint64_t first;
	int err = pt_check_range(pt, iova, size);

	if (err)
		return err;
	if (flags & ~(unsigned)SMMU_UNMAP_KNOWN ||
	    (gather->granule_shift && gather->granule_shift != pt->cfg.granule_shift))
		return -SMMU_EINVAL;
	err = find_mapped(pt, iova, size, known, &run);
	if (err)
		return err;
	first = pt_run_bytes(pt, &run);
	/* Most unmaps take one run of leaves and leave something in its table, or a whole table that is known. */
	if (first < size || (!run.table && run.count == pt_entries(pt, run.level)))
		return unmap_in_runs(pt, iova, size, known, first, gather, freelist);
	clear(pt, run, iova, gather, freelist);
	return 0;
}

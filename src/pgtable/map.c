/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file map.c
 * Setting up translations: everything that can fail first, then the leaves.
 *
 * A map goes over its range twice. The first pass hooks the tables that are missing and looks that every slot
 * for a leaf is free; it may fail, and has made nothing translate then, so that a walker cannot have cached
 * anything that would need an invalidation. The second pass finds the same slots again and writes them; it cannot fail.
 * Both passes see the same slots because the range belongs to this call: a slot that is covered whole
 * cannot change in between, and one that is covered in part holds a table since the first pass, which stays.
 */
#include "pgtable_internal.h"

/** The attribute bits of a leaf for @p prot, or 0 if the stage cannot express it. */
static uint64_t leaf_attributes(const struct smmu_pgtable *pt, unsigned prot)
{
	const unsigned known = SMMU_PROT_READ | SMMU_PROT_WRITE | SMMU_PROT_NOEXEC |
			       SMMU_PROT_PRIV | SMMU_PROT_NONCACHEABLE | SMMU_PROT_DEVICE;
	const unsigned types = SMMU_PROT_NONCACHEABLE | SMMU_PROT_DEVICE;
	uint64_t bits = PT_VALID | PT_AF;

	if ((prot & ~known) || (prot & types) == types)
		return 0;
	if (!(prot & (SMMU_PROT_READ | SMMU_PROT_WRITE)))
		return 0;
	/* The architecture treats all but cacheable memory as outer shareable. */
	bits |= prot & types ? PT_SH_OUTER : PT_SH_INNER;
	if (pt->cfg.stage == 1) {
		unsigned attr = prot & SMMU_PROT_NONCACHEABLE ? SMMU_PGTABLE_ATTR_NC
				: prot & SMMU_PROT_DEVICE     ? SMMU_PGTABLE_ATTR_DEVICE
							      : SMMU_PGTABLE_ATTR_WB;

		bits |= PT_S1_NG | smmu_field_prep(PT_S1_ATTR, attr);
		if (!(prot & SMMU_PROT_WRITE))
			bits |= PT_S1_AP_RDONLY;
		if (!(prot & SMMU_PROT_PRIV))
			bits |= PT_S1_AP_UNPRIV;
		/* AP[1] = 0 takes reads and writes from the unprivileged, and leaves them execution. */
		if (prot & (SMMU_PROT_NOEXEC | SMMU_PROT_PRIV))
			bits |= PT_XN;
		if (prot & SMMU_PROT_NOEXEC)
			bits |= PT_S1_PXN;
	} else {
		uint64_t attr = prot & SMMU_PROT_NONCACHEABLE ? PT_S2_MEMATTR_NC
				: prot & SMMU_PROT_DEVICE     ? PT_S2_MEMATTR_DEVICE
							      : PT_S2_MEMATTR_WB;

		if (prot & SMMU_PROT_PRIV)
			return 0;
		bits |= smmu_field_prep(PT_S2_MEMATTR, attr);
		if (prot & SMMU_PROT_READ)
			bits |= PT_S2_AP_READ;
		if (prot & SMMU_PROT_WRITE)
			bits |= PT_S2_AP_WRITE;
		/* Execution needs no read permission here, and a fetch reads. */
		if (prot & SMMU_PROT_NOEXEC || !(prot & SMMU_PROT_READ))
			bits |= PT_XN;
	}
	/* With dirty state: that it may become dirty, and whether it begins so. */
	if (prot & SMMU_PROT_WRITE)
		bits ^= smmu_load(&pt->writable);
	return bits & pt->leaf_bits;
}

/** Hook a new table into the free @p slot, or find that another thread did. */
static int hook_table(struct smmu_pgtable *pt, uint64_t *slot, unsigned flags)
{
	const struct smmu_port *port = pt->cfg.port;
	unsigned how = flags & SMMU_MAP_ATOMIC ? SMMU_ALLOC_ATOMIC : 0;
	uint64_t bus, desc, found = 0, *table;
	int err = smmu_pgtable_alloc_table(pt, pt_table_size(pt), how, &table, &bus);

	if (err)
		return err;
	desc = pt_encode_address(pt, bus) | PT_TYPE;
	/*
	 * The empty table before the way to it. Pairs with the order of a walk, which fetches a table after the descriptor
	 * that leads there; threads that find the table pair their acquire with the compare-exchange.
	 */
	SMMU_BARRIER(map_table_filled, smmu_dma_wmb());
	if (!smmu_compare_exchange(slot, &found, desc)) {
		port->ops->dma_free(port->ctx, table, (size_t)pt_table_size(pt));
	} else if (!pt->cfg.coherent) {
		pt_clean(pt, slot, 1);
		SMMU_BARRIER(map_slot_cleaned, smmu_store_release(slot, desc | PT_SW_CLEANED));
	}
	return 0;
}

/** May a leaf of @p level be the first of what is left: @p left bytes from @p iova to @p pa? */
static bool leaf_fits(const struct smmu_pgtable *pt, unsigned level, uint64_t iova, uint64_t pa,
		      uint64_t left)
{
	if (level == PT_LAST_LEVEL)
		return true;
	return level >= pt->block_level && pt_covers(pt, level, iova | pa, left);
}

/** Are all slots of @p run free? The first one is. */
static inline bool all_free(const struct pt_run *run)
{
	return run->count == 1 || !pt_is_valid(pt_scan(run->slot, run->count).any);
}

/** Cut @p run, whose first slot is free, to the slots before the first table. */
static int cut_to_free(struct pt_run *run)
{
	for (uint64_t i = 1; i < run->count; i++) {
		uint64_t desc = smmu_load(&run->slot[i]);

		if (pt_is_table(run->level, desc))
			run->count = i;
		else if (pt_is_valid(desc))
			return -SMMU_EEXIST;
	}
	return 0;
}

/** What a descriptor has at least that leads to a table and need not be cleaned. */
static uint64_t hooked_bits(const struct smmu_pgtable *pt)
{
	return pt->cfg.coherent ? PT_TYPE : PT_TYPE | PT_SW_CLEANED;
}

/**
 * Find, and hook tables down to, the run of free slots where the leaves for the start of what is left go. In a range that
 * was @p checked only a table could end the run early, and in the last level there are none.
 */
static int find_free(struct smmu_pgtable *pt, uint64_t iova, uint64_t pa, uint64_t left,
		     unsigned flags, bool checked, struct pt_run *run)
{
	struct pt_at at = pt_first(pt, iova);

	for (;;) {
		uint64_t *slot;

		at = pt_descend(pt, at, iova, hooked_bits(pt), PT_LAST_LEVEL);
		slot = &at.table[at.index];
		if (!pt_is_valid(at.desc)) {
			int err;

			if (leaf_fits(pt, at.level, iova, pa, left)) {
				*run = pt_longest_run(pt, at, left);
				if ((checked && at.level == PT_LAST_LEVEL) || all_free(run))
					return 0;
				return cut_to_free(run);
			}
			err = hook_table(pt, slot, flags);
			if (err)
				return err;
			at.desc = SMMU_BARRIER(pgtable_followed, smmu_load_acquire(slot));
		} else if (pt_is_table(at.level, at.desc)) {
			/* Whoever hooked it has not come to its clean yet. */
			pt_clean(pt, slot, 1);
			at = pt_enter(pt, at, iova);
		} else {
			return -SMMU_EEXIST;
		}
	}
}

/** Write the leaves of @p run, each complete in one store: a walk at any time sees nothing or the whole of it. */
static inline void write_leaves(const struct smmu_pgtable *pt, const struct pt_run *run,
				uint64_t pa, uint64_t attributes)
{
	uint64_t span = SMMU_BIT(pt_shift(pt, run->level));
	uint64_t *slot = run->slot, *end = slot + run->count;

	if (run->level == PT_LAST_LEVEL)
		attributes |= PT_TABLE_OR_PAGE;
	if (pt->high_bits) {
		/* The address is in two pieces: a sum would not carry from one to the other. */
		for (; slot < end; slot++, pa += span)
			smmu_store(slot, attributes | pt_encode_address(pt, pa));
	} else {
		for (uint64_t desc = attributes | pa; slot < end; slot++, desc += span)
			smmu_store(slot, desc);
	}
	pt_clean(pt, run->slot, run->count);
}

/** Map what takes more than one run, or new tables. */
PT_COLD int map_in_runs(struct smmu_pgtable *pt, uint64_t iova, uint64_t pa, uint64_t size,
			uint64_t attributes, unsigned flags)
{
	struct pt_run run = {0};
	uint64_t done;

	for (done = 0; done < size; done += pt_run_bytes(pt, &run)) {
		int err = find_free(pt, iova + done, pa + done, size - done, flags, false, &run);

		if (err)
			return err;
	}
	if (pt_run_bytes(pt, &run) == size) {
		write_leaves(pt, &run, pa, attributes);
		return 0;
	}
	for (done = 0; done < size; done += pt_run_bytes(pt, &run)) {
		find_free(pt, iova + done, pa + done, size - done, flags, true, &run);
		write_leaves(pt, &run, pa + done, attributes);
	}
	return 0;
}

int smmu_pgtable_do_map(struct smmu_pgtable *pt, uint64_t iova, uint64_t pa, uint64_t size,
			unsigned prot, unsigned flags)
{
	uint64_t attributes = leaf_attributes(pt, prot);
	struct pt_at at;
	int err = pt_check_range(pt, iova, size);

	if (err)
		return err;
	if (!attributes || flags & ~(unsigned)SMMU_MAP_ATOMIC || pa & pt->page_mask)
		return -SMMU_EINVAL;
	if (pa >= pt->output_size || size > pt->output_size - pa)
		return -SMMU_ERANGE;

	/* Most maps find their tables, and one run of slots there takes all. */
	at = pt_descend(pt, pt_first(pt, iova), iova, hooked_bits(pt), PT_LAST_LEVEL);
	if (!pt_is_valid(at.desc) && leaf_fits(pt, at.level, iova, pa, size)) {
		struct pt_run run = pt_longest_run(pt, at, size);

		if (pt_run_bytes(pt, &run) == size && all_free(&run)) {
			write_leaves(pt, &run, pa, attributes);
			/* Before whatever store or register write of the caller lets a device use it. */
			SMMU_BARRIER(map_leaves_visible, smmu_dma_wmb());
			return 0;
		}
	}
	err = map_in_runs(pt, iova, pa, size, attributes, flags);
	/* As above. */
	SMMU_BARRIER(map_leaves_visible, smmu_dma_wmb());
	return err;
}

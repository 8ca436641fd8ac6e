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
	if (prot & SMMU_PROT_NOEXEC)
		bits |= PT_XN;

	if (pt->cfg.stage == 1) {
		unsigned attr = prot & SMMU_PROT_NONCACHEABLE ? SMMU_PGTABLE_ATTR_NC
				: prot & SMMU_PROT_DEVICE     ? SMMU_PGTABLE_ATTR_DEVICE
							      : SMMU_PGTABLE_ATTR_WB;

		bits |= PT_S1_NG | smmu_field_prep(PT_S1_ATTR, attr);
		if (!(prot & SMMU_PROT_WRITE))
			bits |= PT_S1_AP_RDONLY;
		if (!(prot & SMMU_PROT_PRIV))
			bits |= PT_S1_AP_UNPRIV;
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
	}
	return bits;
}

/**
 * Hook a new table into the free @p slot, or find that another thread did. Stores in *@p desc what the slot holds then.
 */
static int hook_table(struct smmu_pgtable *pt, uint64_t *slot, unsigned flags, uint64_t *desc)
{
	const struct smmu_port *port = pt->cfg.port;
	uint64_t bus, new_desc;
	unsigned how = flags & SMMU_MAP_ATOMIC ? SMMU_ALLOC_ATOMIC : 0;
	uint64_t *table = smmu_pgtable_alloc_table(pt, pt_table_size(pt), how, &bus);

	if (!table)
		return -SMMU_ENOMEM;
	new_desc = pt_encode_address(bus) | PT_VALID | PT_TABLE_OR_PAGE;
	*desc = 0;
	/* The empty table before the way to it, for walkers as for the threads that find it. */
	smmu_dma_wmb();
	if (!smmu_compare_exchange(slot, desc, new_desc)) {
		port->ops->dma_free(port->ctx, table, (size_t)pt_table_size(pt));
		return 0;
	}
	*desc = new_desc;
	if (!pt->cfg.coherent) {
		pt_clean(pt, slot, 1);
		*desc |= PT_SW_CLEANED;
		smmu_store_release(slot, *desc);
	}
	return 0;
}

/** May a leaf of @p level be the first of what is left: @p left bytes from @p iova to @p pa? */
static bool leaf_fits(const struct smmu_pgtable *pt, unsigned level, uint64_t iova, uint64_t pa,
		      uint64_t left)
{
	uint64_t span = SMMU_BIT(pt_shift(pt->cfg.granule_shift, level));

	if (level == PT_LAST_LEVEL)
		return true;
	return level >= pt->block_level && left >= span && !((iova | pa) & (span - 1));
}

/** How many of at most @p max slots from run->slot, the first of them free, take leaves. */
static int count_free(struct pt_run *run, uint64_t max)
{
	for (run->count = 1; run->count < max; run->count++) {
		uint64_t desc = smmu_load(&run->slot[run->count]);

		if (pt_is_table(run->level, desc))
			break;
		if (pt_is_valid(desc))
			return -SMMU_EEXIST;
	}
	return 0;
}

/** Find, and hook tables down to, the run of free slots where the leaves for the start of what is left go. */
static int find_free(struct smmu_pgtable *pt, uint64_t iova, uint64_t pa, uint64_t left,
		     unsigned flags, struct pt_run *run)
{
	uint64_t *table = pt->root;
	int err;

	for (unsigned level = pt->start_level;; level++) {
		uint64_t index = pt_index(pt, level, iova);
		uint64_t *slot = &table[index];
		uint64_t desc = smmu_load_acquire(slot);

		if (!pt_is_valid(desc)) {
			if (leaf_fits(pt, level, iova, pa, left)) {
				run->slot = slot;
				run->level = level;
				run->shift = pt_shift(pt->cfg.granule_shift, level);
				return count_free(run, smmu_min64(pt_entries(pt, level) - index,
								  left >> run->shift));
			}
			err = hook_table(pt, slot, flags, &desc);
			if (err)
				return err;
		}
		if (!pt_is_table(level, desc))
			return -SMMU_EEXIST;
		if (!(desc & PT_SW_CLEANED))
			pt_clean(pt, slot, 1);
		table = pt_table(pt, desc);
	}
}

static void write_leaves(const struct smmu_pgtable *pt, const struct pt_run *run, uint64_t pa,
			 uint64_t attributes)
{
	if (run->level == PT_LAST_LEVEL)
		attributes |= PT_TABLE_OR_PAGE;
	for (uint64_t i = 0; i < run->count; i++)
		smmu_store(&run->slot[i], attributes | pt_encode_address(pa + (i << run->shift)));
	pt_clean(pt, run->slot, run->count);
}

int smmu_pgtable_do_map(struct smmu_pgtable *pt, uint64_t iova, uint64_t pa, uint64_t size,
			unsigned prot, unsigned flags)
{
	uint64_t attributes = leaf_attributes(pt, prot);
	struct pt_run run = {0};
	int err = pt_check_range(pt, iova, size);

	if (err)
		return err;
	if (flags & ~(unsigned)SMMU_MAP_ATOMIC)
		return -SMMU_EINVAL;
	if (!attributes || (pa & (pt_table_size(pt) - 1)))
		return -SMMU_EINVAL;
	if (pa >> pt->cfg.oas || size > SMMU_BIT(pt->cfg.oas) - pa)
		return -SMMU_ERANGE;

	for (uint64_t done = 0; done < size; done += run.count << run.shift) {
		err = find_free(pt, iova + done, pa + done, size - done, flags, &run);
		if (err)
			return err;
	}
	if (run.count << run.shift == size) {
		/* One run is all, as in most calls: no need to find it again. */
		write_leaves(pt, &run, pa, attributes);
	} else {
		for (uint64_t done = 0; done < size; done += run.count << run.shift) {
			find_free(pt, iova + done, pa + done, size - done, flags, &run);
			write_leaves(pt, &run, pa + done, attributes);
		}
	}
	smmu_dma_wmb();
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file lookup.c
 * Where an input address leads: the walk that hardware does, over what processors see.
 */
#include "pgtable_internal.h"

static unsigned decode_prot(const struct smmu_pgtable *pt, uint64_t desc)
{
	unsigned prot = desc & PT_DBM ? SMMU_PROT_WRITE : 0;

	if (desc & (pt->cfg.stage == 1 ? PT_S1_PXN : PT_XN))
		prot |= SMMU_PROT_NOEXEC;
	if (pt->cfg.stage == 1) {
		uint64_t attr = smmu_field_get(PT_S1_ATTR, desc);

		prot |= SMMU_PROT_READ;
		if (!(desc & PT_S1_AP_RDONLY))
			prot |= SMMU_PROT_WRITE;
		if (!(desc & PT_S1_AP_UNPRIV))
			prot |= SMMU_PROT_PRIV;
		if (attr == SMMU_PGTABLE_ATTR_NC)
			prot |= SMMU_PROT_NONCACHEABLE;
		else if (attr == SMMU_PGTABLE_ATTR_DEVICE)
			prot |= SMMU_PROT_DEVICE;
	} else {
		uint64_t attr = smmu_field_get(PT_S2_MEMATTR, desc);

		if (desc & PT_S2_AP_READ)
			prot |= SMMU_PROT_READ;
		if (desc & PT_S2_AP_WRITE)
			prot |= SMMU_PROT_WRITE;
		if (attr == PT_S2_MEMATTR_NC)
			prot |= SMMU_PROT_NONCACHEABLE;
		else if (attr == PT_S2_MEMATTR_DEVICE)
			prot |= SMMU_PROT_DEVICE;
	}
	return prot;
}

struct pt_at smmu_pgtable_descend(const struct smmu_pgtable *pt, struct pt_at at, uint64_t iova,
				  uint64_t bits, unsigned lowest)
{
	while (at.level < lowest && (at.desc & bits) == bits)
		at = pt_enter(pt, at, iova);
	return at;
}

/** What the walk for @p iova says that ended at @p desc, which translates 2^@p shift bytes. */
static inline int found(const struct smmu_pgtable *pt, uint64_t desc, unsigned shift, uint64_t iova,
			uint64_t *pa, unsigned *prot)
{
	if (!pt_is_valid(desc))
		return -SMMU_EFAULT;
	/* Of a block nT lies below its address. */
	*pa = (pt_decode_address(pt, desc) & -SMMU_BIT(shift)) | (iova & (SMMU_BIT(shift) - 1));
	if (prot)
		*prot = decode_prot(pt, desc);
	return 0;
}

int smmu_pgtable_do_iova_to_phys(struct smmu_pgtable *pt, uint64_t iova, uint64_t *pa,
				 unsigned *prot)
{
	struct pt_at at;

	if (iova >= pt->input_size)
		return -SMMU_ERANGE;
	at = pt_descend(pt, pt_first(pt, iova), iova, PT_TYPE, PT_LAST_LEVEL);
	return found(pt, at.desc, pt_shift(pt, at.level), iova, pa, prot);
}

/*
 * Some ask for each page of a large range, so the walk of the most common tables is written out: 4K, found by adding an
 * offset, coherent. There the descriptor of a table is its address and PT_TYPE and nothing else; so with the offset added, less
 * PT_TYPE, it is where the table is, and the bits of PT_TYPE are clear if, and only if, it is one.
 */

PT_HOT bool is_table_4k(uint64_t at)
{
	return !(at & PT_TYPE);
}

PT_HOT uint64_t desc_4k(const uint64_t *table, uint64_t index)
{
	return SMMU_BARRIER(pgtable_followed, smmu_load_acquire(&table[index]));
}

/** The descriptor of 2^@p shift bytes for @p iova in the table @p at. */
PT_HOT uint64_t next_4k(uint64_t at, uint64_t iova, unsigned shift)
{
	return desc_4k((const uint64_t *)(uintptr_t)at, iova >> shift & 511);
}

/** The walk ended at @p desc, the descriptor of 2^@p shift bytes. */
PT_HOT int found_4k(const struct smmu_pgtable *pt, uint64_t desc, unsigned shift, uint64_t iova,
		    uint64_t *pa)
{
	if (!pt_is_valid(desc))
		return -SMMU_EFAULT;
	/* Some bits come from the descriptor, all others from iova, which has none above them. */
	desc = (desc ^ iova) & pt->address_mask;
	*pa = (shift > 12 ? desc & -SMMU_BIT(shift) : desc) ^ iova;
	return 0;
}

PT_HOT int walk_4k(struct smmu_pgtable *pt, uint64_t iova, uint64_t *pa, unsigned *prot,
		   unsigned start_level)
{
	const uint64_t to_table = pt->virt_offset - PT_TYPE;
	uint64_t desc, at;

	if (iova >= pt->input_size)
		return -SMMU_ERANGE;
	if (prot)
		return smmu_pgtable_do_iova_to_phys(pt, iova, pa, prot);
	desc = desc_4k(pt->root, iova >> (start_level ? 30 : 39));
	at = desc + to_table;
	if (!start_level) {
		if (!is_table_4k(at))
			return -SMMU_EFAULT;
		desc = next_4k(at, iova, 30);
		at = desc + to_table;
	}
	if (!is_table_4k(at))
		return found_4k(pt, desc, 30, iova, pa);
	desc = next_4k(at, iova, 21);
	at = desc + to_table;
	if (!is_table_4k(at))
		return found_4k(pt, desc, 21, iova, pa);
	return found_4k(pt, next_4k(at, iova, 12), 12, iova, pa);
}

int smmu_pgtable_do_iova_to_phys_4k0(struct smmu_pgtable *pt, uint64_t iova, uint64_t *pa,
				     unsigned *prot)
{
	return walk_4k(pt, iova, pa, prot, 0);
}

int smmu_pgtable_do_iova_to_phys_4k1(struct smmu_pgtable *pt, uint64_t iova, uint64_t *pa,
				     unsigned *prot)
{
	return walk_4k(pt, iova, pa, prot, 1);
}

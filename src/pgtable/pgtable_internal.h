/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file pgtable_internal.h
 * Descriptors of the VMSAv8-64 translation tables and the geometry of the levels, for the files of this folder.
 *
 * A level is numbered as the architecture does: 3 is the last, whose leaves are pages of one granule. A table
 * has granule / 8 descriptors, so that each level resolves granule_shift - 3 bits of the input address.
 */
#ifndef SMMUV3_PGTABLE_INTERNAL_H
#define SMMUV3_PGTABLE_INTERNAL_H

#include <smmuv3/pgtable.h>

#define PT_LAST_LEVEL 3u
#define PT_LEVELS 4u

/* Bits of every descriptor. TABLE_OR_PAGE is 1 for a table at levels 0–2 and for a page at level 3, 0 for a block. */
#define PT_VALID SMMU_BIT(0)
#define PT_TABLE_OR_PAGE SMMU_BIT(1)

/* Bits of a block or page that both stages share. */
#define PT_SH_OUTER (2ULL << 8)
#define PT_SH_INNER (3ULL << 8)
#define PT_AF SMMU_BIT(10)
#define PT_XN SMMU_BIT(54) /* stage 1: UXN; stage 2: XN[1], no execution at any level */

/* Stage 1 alone. */
#define PT_S1_ATTR SMMU_MASK(4, 2)
#define PT_S1_AP_UNPRIV SMMU_BIT(6)
#define PT_S1_AP_RDONLY SMMU_BIT(7)
#define PT_S1_NG SMMU_BIT(11)
#define PT_S1_PXN SMMU_BIT(53)

/* Stage 2 alone. */
#define PT_S2_MEMATTR SMMU_MASK(5, 2)
#define PT_S2_MEMATTR_WB 0xfULL
#define PT_S2_MEMATTR_NC 0x5ULL
#define PT_S2_MEMATTR_DEVICE 0x1ULL
#define PT_S2_AP_READ SMMU_BIT(6)
#define PT_S2_AP_WRITE SMMU_BIT(7)

/*
 * For tables that the walker does not snoop: set, by software, in a table descriptor that has been cleaned to memory.
 * Whoever meets a descriptor without it cleans it as well, so that no map returns before the path to its leaves is
 * visible, even if the thread that hooked a table of that path has not got to its clean yet. Walkers ignore the bit.
 */
#define PT_SW_CLEANED SMMU_BIT(55)

/** log2 of the bytes that one descriptor of @p level translates. */
static inline unsigned pt_shift(unsigned granule_shift, unsigned level)
{
	return granule_shift + (granule_shift - 3) * (PT_LAST_LEVEL - level);
}

static inline uint64_t pt_table_size(const struct smmu_pgtable *pt)
{
	return SMMU_BIT(pt->cfg.granule_shift);
}

/** Number of descriptors in a table of @p level; the first may be shorter or, when concatenated, longer. */
static inline uint64_t pt_entries(const struct smmu_pgtable *pt, unsigned level)
{
	if (level == pt->start_level)
		return SMMU_BIT(pt->cfg.ias - pt_shift(pt->cfg.granule_shift, level));
	return SMMU_BIT(pt->cfg.granule_shift - 3);
}

/** Position in the table of @p level of the descriptor for @p iova. */
static inline uint64_t pt_index(const struct smmu_pgtable *pt, unsigned level, uint64_t iova)
{
	return (iova >> pt_shift(pt->cfg.granule_shift, level)) & (pt_entries(pt, level) - 1);
}

static inline bool pt_is_valid(uint64_t desc)
{
	return desc & PT_VALID;
}

static inline bool pt_is_table(unsigned level, uint64_t desc)
{
	return level < PT_LAST_LEVEL && (desc & PT_VALID) && (desc & PT_TABLE_OR_PAGE);
}

static inline bool pt_is_leaf(unsigned level, uint64_t desc)
{
	return pt_is_valid(desc) && !pt_is_table(level, desc);
}

/**
 * The address bits of a descriptor. Bits [51:48] of the address exist with 64K granules only and lie in bits [15:12],
 * which are free there; with smaller granules an address that was let in has none.
 */
static inline uint64_t pt_encode_address(uint64_t address)
{
	return (address & SMMU_MASK(47, 12)) | ((address >> 36) & SMMU_MASK(15, 12));
}

static inline uint64_t pt_decode_address(const struct smmu_pgtable *pt, uint64_t desc)
{
	uint64_t low = desc & SMMU_MASK(47, 0) & ~(SMMU_BIT(pt->cfg.granule_shift) - 1);

	if (pt->cfg.granule_shift == 16)
		low |= (desc & SMMU_MASK(15, 12)) << 36;
	return low;
}

/** The table that the table descriptor @p desc points to. */
static inline uint64_t *pt_table(const struct smmu_pgtable *pt, uint64_t desc)
{
	const struct smmu_port *port = pt->cfg.port;

	return port->ops->dma_to_virt(port->ctx, pt_decode_address(pt, desc));
}

/** Make @p count descriptors from @p slot on visible to a walker that does not snoop. */
static inline void pt_clean(const struct smmu_pgtable *pt, const uint64_t *slot, uint64_t count)
{
	if (!pt->cfg.coherent)
		smmu_port_clean(pt->cfg.port, slot, (size_t)count * sizeof(*slot));
}

/** The checks on a range that map and unmap share. */
static inline int pt_check_range(const struct smmu_pgtable *pt, uint64_t iova, uint64_t size)
{
	if (size == 0 || ((iova | size) & (pt_table_size(pt) - 1)))
		return -SMMU_EINVAL;
	if (iova >> pt->cfg.ias || size > SMMU_BIT(pt->cfg.ias) - iova)
		return -SMMU_ERANGE;
	return 0;
}

/**
 * A run of neighbouring descriptors in one table. map.c looks for runs of free ones, unmap.c for runs of leaves.
 */
struct pt_run {
	uint64_t *slot; /**< the first of them */
	uint64_t count; /**< at least 1 */
	unsigned level;
	unsigned shift; /**< log2 of the bytes that each translates */
};

/* Allocate a zeroed table of @p size bytes that the walker can address, visible to it; NULL if there is none. */
uint64_t *smmu_pgtable_alloc_table(const struct smmu_pgtable *pt, uint64_t size, unsigned flags,
				   uint64_t *bus);
/**
 * Put @p table, at @p level, and every table below it on @p freelist. Returns the levels (bit n: level n) of the leaves
 * in them, where a table that holds nothing counts as if it held a leaf.
 */
unsigned smmu_pgtable_collect(const struct smmu_pgtable *pt, uint64_t *table, unsigned level,
			      struct smmu_freelist *freelist);
int smmu_pgtable_do_map(struct smmu_pgtable *pt, uint64_t iova, uint64_t pa, uint64_t size,
			unsigned prot, unsigned flags);
int smmu_pgtable_do_unmap(struct smmu_pgtable *pt, uint64_t iova, uint64_t size, unsigned flags,
			  struct smmu_gather *gather, struct smmu_freelist *freelist);

#endif

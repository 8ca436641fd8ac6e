/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file pgtable_internal.h
 * Descriptors of the VMSAv8-64 translation tables and the steps of a walk, for the files of this folder.
 *
 * A level is numbered as the architecture does: 3 is the last, whose leaves are pages of one granule. A table
 * has granule / 8 descriptors, so that each level resolves granule_shift - 3 bits of the input address.
 */
#ifndef SMMUV3_PGTABLE_INTERNAL_H
#define SMMUV3_PGTABLE_INTERNAL_H

#include <smmuv3/pgtable.h>

/** For the steps of a map or unmap that finds its tables: they are one function, and a walk stays in registers. */
#define PT_HOT static inline __attribute__((__always_inline__))
/** For the rest, so that it does not take the registers. */
#define PT_COLD static __attribute__((__noinline__))

#define PT_LAST_LEVEL 3u
#define PT_LEVELS SMMU_PGTABLE_LEVELS

/* Bits of every descriptor. TABLE_OR_PAGE is 1 for a table at levels 0–2 and for a page at level 3, 0 for a block. */
#define PT_VALID SMMU_BIT(0)
#define PT_TABLE_OR_PAGE SMMU_BIT(1)
#define PT_TYPE (PT_VALID | PT_TABLE_OR_PAGE)

/* Bits of a block or page that both stages share. */
#define PT_SH_OUTER (2ULL << 8)
#define PT_SH_INNER (3ULL << 8)
#define PT_AF SMMU_BIT(10)
/* Where walkers mark what is written: those with DBM may be written, and PT_AP_DIRTY says whether they were. */
#define PT_DBM SMMU_BIT(51)
/* Of a block: it is not cached in a way that conflicts with entries of other sizes (IHI 0070 G.b, 3.21.1.2). */
#define PT_NT SMMU_BIT(16)
#define PT_AP_DIRTY SMMU_BIT(7) /* stage 1: 0 dirty, as AP[2]; stage 2: 1 dirty, as S2AP[1] */
#define PT_XN     \
	SMMU_BIT( \
		54) /* stage 1: UXN; stage 2: XN[1], which with XN[0] = 0 forbids execution to all */

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

/** Log2 of the bytes that one descriptor of @p level translates. */
static inline unsigned pt_shift(const struct smmu_pgtable *pt, unsigned level)
{
	return pt->shift[level];
}

static inline uint64_t pt_table_size(const struct smmu_pgtable *pt)
{
	return SMMU_BIT(pt->cfg.granule_shift);
}

/** Number of descriptors in a table of @p level; the first may be shorter or, when concatenated, longer. */
static inline uint64_t pt_entries(const struct smmu_pgtable *pt, unsigned level)
{
	return level == pt->start_level ? pt->root_entries : pt->index_mask + 1u;
}

static inline bool pt_is_valid(uint64_t desc)
{
	return desc & PT_VALID;
}

static inline bool pt_is_table(unsigned level, uint64_t desc)
{
	return level < PT_LAST_LEVEL && (desc & PT_TYPE) == PT_TYPE;
}

/**
 * The address bits of a descriptor. Bits [51:48] of the address lie in bits [15:12] with 64K granules; with smaller ones and
 * descriptors of 52 bits (DS) [51:50] lie in [9:8], where else the shareability is, which then the CD or STE has.
 */
static inline uint64_t pt_encode_address(const struct smmu_pgtable *pt, uint64_t address)
{
	return (address & pt->address_mask) | ((address >> pt->high_shift) & pt->high_bits);
}

static inline uint64_t pt_decode_address(const struct smmu_pgtable *pt, uint64_t desc)
{
	return (desc & pt->address_mask) | (desc & pt->high_bits) << pt->high_shift;
}

/** The table that the table descriptor @p desc points to. */
static inline uint64_t *pt_table(const struct smmu_pgtable *pt, uint64_t desc)
{
	return smmu_port_dma_to_virt(pt->cfg.port, pt_decode_address(pt, desc));
}

/** Where a walk stands: at one descriptor of one table. */
struct pt_at {
	uint64_t *table;
	uint64_t index;
	uint64_t desc;
	unsigned level;
};

/** At the first table's descriptor for @p iova, which is inside the input size. */
static inline struct pt_at pt_first(const struct smmu_pgtable *pt, uint64_t iova)
{
	uint64_t index = iova >> pt_shift(pt, pt->start_level);

	return (struct pt_at){pt->root, index,
			      SMMU_BARRIER(pgtable_followed, smmu_load_acquire(&pt->root[index])),
			      pt->start_level};
}

/** One level down from the table descriptor at which @p at stands. */
static inline struct pt_at pt_enter(const struct smmu_pgtable *pt, struct pt_at at, uint64_t iova)
{
	at.table = pt_table(pt, at.desc);
	at.level++;
	at.index = (iova >> pt_shift(pt, at.level)) & pt->index_mask;
	at.desc = SMMU_BARRIER(pgtable_followed, smmu_load_acquire(&at.table[at.index]));
	return at;
}

/**
 * Walk down for @p iova, as far as level @p lowest, as long as descriptors have all of @p bits, among them PT_TYPE.
 * For tables that are found by adding an offset: a loop without calls, which stays in registers.
 */
PT_HOT struct pt_at pt_descend_plain(const struct smmu_pgtable *pt, struct pt_at at, uint64_t iova,
				     uint64_t bits, unsigned lowest)
{
	while (at.level < lowest && (at.desc & bits) == bits) {
		at.table = (uint64_t *)(uintptr_t)((at.desc & pt->address_mask) + pt->virt_offset);
		at.level++;
		at.index = (iova >> pt_shift(pt, at.level)) & pt->index_mask;
		at.desc = SMMU_BARRIER(pgtable_followed, smmu_load_acquire(&at.table[at.index]));
	}
	return at;
}

/** The same where a port function, or a second piece of the address, says where a table is. */
struct pt_at smmu_pgtable_descend(const struct smmu_pgtable *pt, struct pt_at at, uint64_t iova,
				  uint64_t bits, unsigned lowest);

/** The same for any tables: every call on them begins with this. */
PT_HOT struct pt_at pt_descend(const struct smmu_pgtable *pt, struct pt_at at, uint64_t iova,
			       uint64_t bits, unsigned lowest)
{
	return pt->plain ? pt_descend_plain(pt, at, iova, bits, lowest)
			 : smmu_pgtable_descend(pt, at, iova, bits, lowest);
}

/** Make @p count descriptors from @p slot on visible to a walker that does not snoop. */
static inline void pt_clean(const struct smmu_pgtable *pt, const uint64_t *slot, uint64_t count)
{
	if (!pt->cfg.coherent)
		smmu_port_clean(pt->cfg.port, slot, (size_t)count * sizeof(*slot));
}

/** Does the range of @p left bytes at @p iova begin with all that one descriptor of @p level translates? */
static inline bool pt_covers(const struct smmu_pgtable *pt, unsigned level, uint64_t iova,
			     uint64_t left)
{
	uint64_t span = SMMU_BIT(pt_shift(pt, level));

	return left >= span && !(iova & (span - 1));
}

/** The checks on a range that map and unmap share. */
static inline int pt_check_range(const struct smmu_pgtable *pt, uint64_t iova, uint64_t size)
{
	if (!((iova | size) & pt->page_mask) && iova < pt->input_size &&
	    size - 1 < pt->input_size - iova)
		return 0;
	return size == 0 || (iova | size) & pt->page_mask ? -SMMU_EINVAL : -SMMU_ERANGE;
}

/** What a scan of neighbouring descriptors found: the bits that any of them has, and those that all have. */
struct pt_bits {
	uint64_t any, all;
};

static inline void pt_look(struct pt_bits *bits, const uint64_t *slot)
{
	uint64_t desc = smmu_load(slot);

	bits->any |= desc;
	bits->all &= desc;
}

/** Scan @p count descriptors: all that a call on a large range does with most of them, so it is unrolled. */
static inline struct pt_bits pt_scan(const uint64_t *slot, uint64_t count)
{
	struct pt_bits bits = {0, ~0ULL};
	const uint64_t *end = slot + count;

	for (; end - slot >= 8; slot += 8) {
		pt_look(&bits, slot);
		pt_look(&bits, slot + 1);
		pt_look(&bits, slot + 2);
		pt_look(&bits, slot + 3);
		pt_look(&bits, slot + 4);
		pt_look(&bits, slot + 5);
		pt_look(&bits, slot + 6);
		pt_look(&bits, slot + 7);
	}
	for (; slot < end; slot++)
		pt_look(&bits, slot);
	return bits;
}

/**
 * A run of neighbouring descriptors in one table. map.c looks for runs of free ones, unmap.c for runs of leaves.
 */
struct pt_run {
	uint64_t *slot; /**< the first of them */
	uint64_t count; /**< at least 1 */
	unsigned level;
	uint64_t *table; /**< unmap: the table that the one slot leads to; NULL for leaves */
};

/** From where @p at stands to the end of the table or of the @p left bytes, whichever comes first. */
static inline struct pt_run pt_longest_run(const struct smmu_pgtable *pt, struct pt_at at,
					   uint64_t left)
{
	return (struct pt_run){
		.slot = &at.table[at.index],
		.count = smmu_min64(pt_entries(pt, at.level) - at.index,
				    left >> pt_shift(pt, at.level)),
		.level = at.level,
	};
}

/** The bytes that @p run translates. */
static inline uint64_t pt_run_bytes(const struct smmu_pgtable *pt, const struct pt_run *run)
{
	return run->count << pt_shift(pt, run->level);
}

/**
 * Allocate a zeroed table of @p size bytes, visible to the walker. Sleeps as dma_alloc does with @p flags.
 * @return 0, -SMMU_ENOMEM, or -SMMU_ERANGE: what there is the walker cannot address
 */
int smmu_pgtable_alloc_table(const struct smmu_pgtable *pt, uint64_t size, unsigned flags,
			     uint64_t **table, uint64_t *bus);
/**
 * Put @p table, at @p level, and every table below it on @p freelist. Returns the levels (bit n: level n) of the leaves
 * in them, where a table that holds nothing counts as if it held a leaf.
 */
unsigned smmu_pgtable_collect(const struct smmu_pgtable *pt, uint64_t *table, unsigned level,
			      struct smmu_freelist *freelist);
/** Free the tables on @p freelist, after the fence. */
void smmu_pgtable_do_free_tables(struct smmu_pgtable *pt, struct smmu_freelist *freelist);
int smmu_pgtable_do_iova_to_phys(struct smmu_pgtable *pt, uint64_t iova, uint64_t *pa,
				 unsigned *prot);
/** The same for plain and coherent tables of 4K that start at level 0; at level 1. */
int smmu_pgtable_do_iova_to_phys_4k0(struct smmu_pgtable *pt, uint64_t iova, uint64_t *pa,
				     unsigned *prot);
int smmu_pgtable_do_iova_to_phys_4k1(struct smmu_pgtable *pt, uint64_t iova, uint64_t *pa,
				     unsigned *prot);
int smmu_pgtable_do_map(struct smmu_pgtable *pt, uint64_t iova, uint64_t pa, uint64_t size,
			unsigned prot, unsigned flags);
int smmu_pgtable_do_dirty(struct smmu_pgtable *pt, uint64_t iova, uint64_t size,
			  enum smmu_dirty_step step, const struct smmu_dirty_bitmap *bitmap,
			  struct smmu_gather *gather);
int smmu_pgtable_do_split(struct smmu_pgtable *pt, uint64_t iova, unsigned bbml,
			  struct smmu_gather *gather);
void smmu_pgtable_do_split_not_swept(struct smmu_pgtable *pt, uint64_t iova);
int smmu_pgtable_do_join(struct smmu_pgtable *pt, uint64_t iova, uint64_t size, unsigned bbml,
			 struct smmu_resized *done, struct smmu_gather *gather);
int smmu_pgtable_do_reclaim(struct smmu_pgtable *pt, uint64_t iova, uint64_t size,
			    struct smmu_resized *done, struct smmu_gather *gather);
void smmu_pgtable_do_resized_swept(struct smmu_pgtable *pt, const struct smmu_resized *done,
				   bool confirmed, struct smmu_gather *gather);
int smmu_pgtable_do_unmap(struct smmu_pgtable *pt, uint64_t iova, uint64_t size, unsigned flags,
			  struct smmu_gather *gather, struct smmu_freelist *freelist);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file pgtable.h
 * Translation tables in the AArch64 format (VMSAv8-64, Arm ARM DDI 0487, chapter D8; IHI 0070 G.b,
 * 3.4): stage 1 through TTB0, and stage 2.
 *
 * | granule | levels that hold blocks | input size | output size |
 * |---|---|---|---|
 * | 4K | 1 (1G), 2 (2M) | stage 1: 25–52, stage 2: 32–52 | 32–48, 52 |
 * | 16K | 2 (32M) | stage 1: 25–48, 52, stage 2: 32–48 | 32–48, 52 |
 * | 64K | 2 (512M) | stage 1: 25–52, stage 2: 32–52 | 32–48, 52 |
 *
 * With 4K and 16K, 52 bits take descriptors of their own (LPA2), which CD.DS and STE.S2DS
 * announce, and walkers that know them (IDR5.DS). Stage 1 of 4K with more than 48 bits has a level
 * -1, over as many tables of level 0 as there can be: 68 KiB at most, from the beginning.
 *
 * **Threads and contexts.** No function takes a lock. Calls on one table may run at the same time
 * on any number of threads, each in any context that the port's dma_alloc and dma_free allow, as
 * long as the input ranges of calls that overlap in time are disjoint: whoever hands out input
 * addresses has decided that already. A lookup counts as a range of one byte. A table is unhooked
 * only by a call whose range covers all that the table translates, so no other call can be inside
 * it. What sleeps says so; the rest does not.
 *
 * **Order towards the SMMU**, which walks at any time:
 *
 * 1. A descriptor is stored complete, by one store of 64 bits. A walk sees what was there before or
 *    what is there then.
 * 2. A table is hooked after it has been written, and for an SMMU that does not snoop cleaned, with
 *    a write barrier in between. So a walk that finds the way to a table finds it empty or filled
 *    by later stores, by 1.
 * 3. When map returns, the new translations are visible to the SMMU before any later store or
 *    register write of the caller: the leaves are cleaned where that is needed, and a write barrier
 *    is behind them.
 * 4. No translation exists, not even for an instant, in a map that fails: nothing has to be
 *    invalidated after one.
 * 5. When unmap returns, the old translations are gone from the tables but not from any cache, and
 *    walks may still be in tables that were removed: the caller sweeps what the gather says, waits
 *    for the fence, and then frees the freelist.
 *
 * An embedder that owns its page tables fills in a struct smmu_pgtable itself: `ops`, `cfg` and
 * `regs`.
 */
#ifndef SMMUV3_PGTABLE_H
#define SMMUV3_PGTABLE_H

#include <smmuv3/gather.h>
#include <smmuv3/port.h>
#include <smmuv3/types.h>

SMMU_BEGIN_DECLS

/**
 * What a mapping allows, and the type of the memory behind it: normal write-back unless one of the
 * last two.
 */
enum smmu_prot {
	SMMU_PROT_READ = 1,
	/** Stage 1 has no write-only: it allows reads as well. */
	SMMU_PROT_WRITE = 2,
	/**
	 * No instruction fetch. What may not be read may not be fetched either: without READ,
	 * stage 2 adds this. At stage 1 the privileged fetch nothing that the unprivileged may
	 * write, with or without it (VMSAv8-64).
	 */
	SMMU_PROT_NOEXEC = 4,
	/** Stage 1 only: privileged accesses alone, fetches included. */
	SMMU_PROT_PRIV = 8,
	/** Normal memory, not cached. */
	SMMU_PROT_NONCACHEABLE = 16,
	/** Device-nGnRE: registers, a doorbell. */
	SMMU_PROT_DEVICE = 32,
};

/** What MAIR holds, by index (stage 1). */
enum smmu_pgtable_attr {
	SMMU_PGTABLE_ATTR_WB = 0,     /**< normal, inner and outer write-back, allocating */
	SMMU_PGTABLE_ATTR_NC = 1,     /**< normal, inner and outer non-cacheable */
	SMMU_PGTABLE_ATTR_DEVICE = 2, /**< Device-nGnRE */
};

/**
 * MAIR of the library's own tables: inner and outer write-back allocating, inner and outer
 * non-cacheable, Device-nGnRE.
 */
#define SMMU_PGTABLE_MAIR                                                                \
	(0xffULL << (8 * SMMU_PGTABLE_ATTR_WB) | 0x44ULL << (8 * SMMU_PGTABLE_ATTR_NC) | \
	 0x04ULL << (8 * SMMU_PGTABLE_ATTR_DEVICE))

/** Tables that were replaced, by blocks or by nothing, and are dealt with once that is swept. */
#define SMMU_RESIZED_MAX 8
struct smmu_resized {
	uint32_t count;
	/** Of each: the descriptor, what it was, the table, and what it translates. */
	uint64_t *slot[SMMU_RESIZED_MAX], was[SMMU_RESIZED_MAX], *table[SMMU_RESIZED_MAX];
	uint64_t iova[SMMU_RESIZED_MAX];
	uint8_t level[SMMU_RESIZED_MAX];
};

/** Bits of the flags of map. */
enum smmu_map_flags {
	SMMU_MAP_ATOMIC = 1, /**< must not sleep: tables are allocated with SMMU_ALLOC_ATOMIC */
};

/** Bits of the flags of unmap. */
enum smmu_unmap_flags {
	/**
	 * The caller knows that all of the range is mapped: leaves of tables that the range covers
	 * whole are not looked at, and holes among them go unnoticed. What the range covers of
	 * other tables is checked as ever.
	 */
	SMMU_UNMAP_KNOWN = 1,
};

/** The levels of a walk, 0 to 3. */
#define SMMU_PGTABLE_LEVELS 4

struct smmu_pgtable_config {
	/** Memory for tables; outlives the table. */
	const struct smmu_port *port;
	/** 1 or 2. */
	uint8_t stage;
	/** 12, 14 or 16. */
	uint8_t granule_shift;
	/** Input address size in bits; see the table above. */
	uint8_t ias;
	/**
	 * Output address size in bits: 32, 36, 40, 42, 44, 48 or 52. Tables have to be below it
	 * too.
	 */
	uint8_t oas;
	/** All walkers snoop processor caches, and port->ops->clean is not called. */
	bool coherent;
	/**
	 * Walkers mark what is written: HA and HD are set where they are pointed to it (IHI 0070
	 * G.b, 3.13). Needs @p coherent, as a mark has to be atomic for processors too.
	 */
	bool dirty;
};

/** What is done with leaves that walkers may mark dirty. */
enum smmu_dirty_step {
	SMMU_DIRTY_LOOK,      /**< note those that are dirty */
	SMMU_DIRTY_TAKE,      /**< and make them clean, which has to be swept */
	SMMU_DIRTY_GIVE_BACK, /**< make those dirty again that are noted */
};

/** Pages of 2^@p shift bytes from @p base on, a bit for each: bit n % 64 of word n / 64. */
struct smmu_dirty_bitmap {
	uint64_t *word;
	uint64_t base; /**< a multiple of the page */
	uint64_t bits; /**< pages */
	uint8_t shift; /**< at least 12 */
};

/**
 * What the configuration structures point a walker with, in their own encodings. Stage 1 goes into
 * the Context Descriptor (IHI 0070 G.b, 5.4) as TTB0, T0SZ, TG0, IPS, IR0, OR0, SH0, MAIR, with
 * EPD0 = 0 and EPD1 = 1; stage 2 into the Stream Table Entry (5.2) as S2TTB, S2T0SZ, S2TG, S2PS,
 * S2IR0, S2OR0, S2SH0, S2SL0.
 */
struct smmu_pgtable_regs {
	uint64_t ttb;  /**< bus address of the first table */
	uint64_t mair; /**< stage 1: memory attributes by index; else 0 */
	uint8_t t0sz;  /**< 64 - ias */
	uint8_t tg;    /**< 0: 4K, 1: 64K, 2: 16K */
	uint8_t ps;    /**< output address size: 0 … 6 for 32, 36, 40, 42, 44, 48, 52 bits */
	uint8_t ir0;   /**< inner cacheability of walks: 1 write-back, 0 non-cacheable */
	uint8_t or0;   /**< outer cacheability of walks, coded alike */
	uint8_t sh0;   /**< shareability of walks: 3 inner, 2 outer */
	uint8_t sl0;   /**< stage 2: code of the level at which a walk starts; else 0 */
	uint8_t ds;    /**< 1: descriptors of 52 bits with a granule below 64K */
	uint8_t epd1;  /**< stage 1: 1, no walk through TTB1; else 0 */
};

struct smmu_pgtable;

/**
 * The operations. Addresses and sizes are bytes. None recurses; none but map allocates.
 */
struct smmu_pgtable_ops {
	/**
	 * Translate @p size bytes (a multiple of the granule, not 0) from @p iova to @p pa (both
	 * aligned to the granule), with SMMU_PROT_… bits, in the largest blocks that the alignment
	 * of both and the size allow. Where a table is hooked already, even an empty one, its
	 * entries are used: a block would need an invalidation first. Sleeps only if dma_alloc
	 * does, and not with SMMU_MAP_ATOMIC in @p flags.
	 *
	 * @return 0, or an error after which every translation is as before; tables that the call
	 * hooked stay, empty, as another thread or a walker may be in them already. A later map
	 * uses them.
	 *   -SMMU_EINVAL misaligned, size 0, neither READ nor WRITE, permissions that the stage
	 *     cannot express, or an unknown flag
	 *   -SMMU_ERANGE beyond the input or the output size, or the memory for a table is
	 *   -SMMU_EEXIST something in the range is mapped
	 *   -SMMU_ENOMEM no memory for a table
	 */
	int (*map)(struct smmu_pgtable *pt, uint64_t iova, uint64_t pa, uint64_t size,
		   unsigned prot, unsigned flags);
	/**
	 * Remove the translation of @p size bytes at @p iova, in the same units; one call may take
	 * away what several maps set up, and the other way round. @p flags: SMMU_UNMAP_…. Adds what
	 * went away to @p gather and @p freelist, which the caller initialised and uses for this
	 * table alone. Never sleeps.
	 *
	 * @return 0, or an error after which neither a translation nor @p gather nor @p freelist
	 *         has changed:
	 *   -SMMU_EINVAL misaligned, size 0, the range ends inside a block, the gather is one of
	 *     another granule, or an unknown flag
	 *   -SMMU_ERANGE beyond the input size
	 *   -SMMU_ENOENT a page of the range is not mapped
	 */
	int (*unmap)(struct smmu_pgtable *pt, uint64_t iova, uint64_t size, unsigned flags,
		     struct smmu_gather *gather, struct smmu_freelist *freelist);
	/**
	 * Where @p iova leads: *@p pa, and in *@p prot what the descriptor allows; NULL for who
	 * does not ask, which is faster. Any context; never sleeps.
	 *
	 * @return 0, or an error after which nothing is stored:
	 *   -SMMU_EFAULT not mapped
	 *   -SMMU_ERANGE beyond the input size
	 */
	int (*iova_to_phys)(struct smmu_pgtable *pt, uint64_t iova, uint64_t *pa, unsigned *prot);
	/**
	 * Go over the leaves of @p size bytes at @p iova, in the same units, that may be written,
	 * and do @p step. What is dirty sets its bits in @p bitmap, which has all of the range, or
	 * is NULL: nobody wants to know, and all of them are given back. No bit is ever cleared.
	 * What was taken is added to @p gather: until it is swept, writes may go unnoticed. Holes
	 * are passed over. A walker may mark leaves meanwhile. Never sleeps. NULL where tables have
	 * no dirty state.
	 *
	 * @return 0, or an error after which nothing has changed:
	 *   -SMMU_EINVAL misaligned, size 0, the bitmap does not have all of the range, the range
	 *     begins or ends inside a block, or cfg.dirty is not set
	 *   -SMMU_ERANGE beyond the input size
	 */
	int (*dirty)(struct smmu_pgtable *pt, uint64_t iova, uint64_t size,
		     enum smmu_dirty_step step, const struct smmu_dirty_bitmap *bitmap,
		     struct smmu_gather *gather);
	/**
	 * One step on the way to tables in which no block has @p iova in its middle: what the
	 * largest such block translates becomes a table of the next level, which translates the
	 * same. @p bbml: what of it walkers bear (IHI 0070 G.b, 3.21.1.1): 2: block to table at
	 * once; 1: nT is set first; 0: nothing. What changed is added to @p gather, and has to be
	 * swept before the next step and before anything else is done to the range of that block;
	 * if that is not confirmed, split_not_swept comes before the next step.
	 * Splits and joins of a table are serialised by the caller; other calls may run at the same
	 * time as ever. A call that ends in the block finds it as it was, or split. Sleeps if
	 * dma_alloc does.
	 *
	 * @return 1: a step was made; 0: no block has it in its middle; or an error after which
	 * nothing has changed, and the block is not nT:
	 *   -SMMU_EINVAL misaligned
	 *   -SMMU_ERANGE beyond the input size, or the memory for a table is beyond the output size
	 *   -SMMU_EOPNOTSUPP there is one, and @p bbml is 0
	 *   -SMMU_ENOMEM no memory for a table
	 */
	int (*split)(struct smmu_pgtable *pt, uint64_t iova, unsigned bbml,
		     struct smmu_gather *gather);
	/**
	 * The sweep after a step of split at @p iova was not confirmed: a block that became nT is
	 * not any more, since the next step would take an nT block for one that is in no cache.
	 * What became a table stays one. Needs no sweep; never sleeps.
	 */
	void (*split_not_swept)(struct smmu_pgtable *pt, uint64_t iova);
	/**
	 * Tables of which all is in @p size bytes at @p iova, and whose leaves lead to one run of
	 * memory alike, become blocks, up to SMMU_RESIZED_MAX of them, in @p done; with @p bbml 1
	 * by way of nT. The range is this call's; and splits and joins are serialised by the
	 * caller. What changed is added to @p gather and has to be swept; then resized_swept. Never
	 * sleeps.
	 *
	 * @return how many; or an error after which nothing has changed:
	 *   -SMMU_EINVAL misaligned, size 0
	 *   -SMMU_ERANGE beyond the input size
	 *   -SMMU_EOPNOTSUPP there is one, and @p bbml is 0
	 */
	int (*join)(struct smmu_pgtable *pt, uint64_t iova, uint64_t size, unsigned bbml,
		    struct smmu_resized *done, struct smmu_gather *gather);
	/**
	 * The same for tables in which nothing is mapped: nothing takes their place. The range is
	 * this call's, also while it is swept.
	 *
	 * @return how many; or -SMMU_EINVAL, -SMMU_ERANGE as for join
	 */
	int (*reclaim)(struct smmu_pgtable *pt, uint64_t iova, uint64_t size,
		       struct smmu_resized *done, struct smmu_gather *gather);
	/**
	 * The sweep after a join or reclaim is finished. @p confirmed: with 0; then its tables are
	 * freed, else they come back. Where nT of a block goes, it adds to @p gather, which then
	 * has to be swept. Never sleeps.
	 */
	void (*resized_swept)(struct smmu_pgtable *pt, const struct smmu_resized *done,
			      bool confirmed, struct smmu_gather *gather);
	/**
	 * Free the tables that unmap put on @p freelist and empty the list. Call it once the fence
	 * of a sweep that began after the unmap is finished with 0: before, a walk may still be in
	 * them. Calls dma_free in the caller's context; does not sleep.
	 */
	void (*free_tables)(struct smmu_pgtable *pt, struct smmu_freelist *freelist);
	/**
	 * Free every table that is hooked, and the first. No SMMU may use the table any more, no
	 * other call be in it, and freelists have to be freed before. What was mapped needs no
	 * unmap. Does not sleep.
	 */
	void (*destroy)(struct smmu_pgtable *pt);
};

/** One set of translation tables. Embed it by value; do not move it while it is in use. */
struct smmu_pgtable {
	const struct smmu_pgtable_ops *ops;
	struct smmu_pgtable_config cfg;
	struct smmu_pgtable_regs regs; /**< constant from init to destroy */
	/* The rest belongs to src/pgtable. */
	uint64_t *root;
	uint64_t root_size;
	/** Address bits of a descriptor from granule_shift up, where they are what they are in the
	 * address; and those that stand elsewhere, high_shift lower. */
	uint64_t address_mask, high_bits;
	/** The bits that a leaf may have. */
	uint64_t leaf_bits;
	/**
	 * Where a table is: the address bits of its descriptor plus virt_offset, if plain; or the
	 * port has to say.
	 */
	uint64_t virt_offset;
	bool plain;
	uint8_t high_shift;
	/** Bits in which a new leaf that may be written differs from one without dirty state. */
	uint64_t writable;
	/** 2^ias, 2^oas and a granule less 1. */
	uint64_t input_size, output_size;
	uint32_t page_mask;
	/** Descriptors of the first table. */
	uint32_t root_entries;
	/** Descriptors of any other, less 1. */
	uint16_t index_mask;
	uint8_t start_level;
	/** Blocks are allowed from this level down. */
	uint8_t block_level;
	/** By level: log2 of the bytes that a descriptor translates. */
	uint8_t shift[SMMU_PGTABLE_LEVELS];
	/** The table of level -1; NULL: none. */
	uint64_t *top;
};

/** Sizes for an embedder that hands out memory from a pool of its own. */
struct smmu_pgtable_sizes {
	/** Bytes of the first table (up to 16 in a row), aligned to its size. */
	uint64_t root;
	/** Bytes of a table above it, aligned to its size; 0: there is none. */
	uint64_t top;
	/** Bytes of any other table, aligned to its size: one granule. */
	uint64_t table;
	/** Upper bound for other tables that mapping one range needs. */
	uint64_t tables;
};

/**
 * Set up an empty table: validates @p cfg, allocates the first table, fills in *@p pt. At stage 2,
 * first tables are concatenated where that saves a level and no block size. May sleep.
 *
 * @return 0, or an error after which nothing is allocated and *@p pt must not be used:
 *   -SMMU_EINVAL a value of @p cfg is not allowed (see there)
 *   -SMMU_ENOMEM no memory for the first table
 *   -SMMU_ERANGE the memory for it is beyond the output size
 */
int smmu_pgtable_init(struct smmu_pgtable *pt, const struct smmu_pgtable_config *cfg);

/**
 * The memory that tables of @p cfg need (cfg->port is not looked at), with `tables` for @p size
 * bytes mapped at @p iova in pages; 0 tables for @p size 0. Any context; does not sleep.
 *
 * @return 0, or an error after which *@p sizes is unchanged:
 *   -SMMU_EINVAL as for init
 *   -SMMU_ERANGE the range is beyond the input size
 */
int smmu_pgtable_query(const struct smmu_pgtable_config *cfg, uint64_t iova, uint64_t size,
		       struct smmu_pgtable_sizes *sizes);

/* The calls below do what the operation of the same name says. */

/**
 * Call the operation map of the table.
 *
 * @return as struct smmu_pgtable_ops says, with contexts and the state after an error
 */
static inline int smmu_pgtable_map(struct smmu_pgtable *pt, uint64_t iova, uint64_t pa,
				   uint64_t size, unsigned prot, unsigned flags)
{
	return pt->ops->map(pt, iova, pa, size, prot, flags);
}

/**
 * Call the operation unmap of the table.
 *
 * @return as struct smmu_pgtable_ops says, with contexts and the state after an error
 */
static inline int smmu_pgtable_unmap(struct smmu_pgtable *pt, uint64_t iova, uint64_t size,
				     unsigned flags, struct smmu_gather *gather,
				     struct smmu_freelist *freelist)
{
	return pt->ops->unmap(pt, iova, size, flags, gather, freelist);
}

/**
 * Call the operation iova_to_phys of the table.
 *
 * @return as struct smmu_pgtable_ops says, with contexts and the state after an error
 */
static inline int smmu_pgtable_iova_to_phys(struct smmu_pgtable *pt, uint64_t iova, uint64_t *pa,
					    unsigned *prot)
{
	return pt->ops->iova_to_phys(pt, iova, pa, prot);
}

/**
 * From now on leaves that are mapped and may be written begin clean, or (@p clean false, as at
 * first) dirty. Calls of map that are under way may do either. The table has cfg.dirty. Any
 * context.
 */
void smmu_pgtable_begin_clean(struct smmu_pgtable *pt, bool clean);

/** Call the operation free_tables of the table, whose contract is in struct smmu_pgtable_ops. */
static inline void smmu_pgtable_free_tables(struct smmu_pgtable *pt, struct smmu_freelist *freelist)
{
	pt->ops->free_tables(pt, freelist);
}

/** Call the operation destroy of the table, whose contract is in struct smmu_pgtable_ops. */
static inline void smmu_pgtable_destroy(struct smmu_pgtable *pt)
{
	pt->ops->destroy(pt);
}

SMMU_END_DECLS

#endif

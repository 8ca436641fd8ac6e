/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file pool.h
 * Memory handed over up front, for embedders that have no allocator: one region that processors and
 * SMMUs see, cut into blocks of 2^n bytes by a buddy allocator. Its functions go straight into
 * struct smmu_port_ops, with the pool as the context pointer.
 */
#ifndef SMMUV3_POOL_H
#define SMMUV3_POOL_H

#include <smmuv3/port.h>

SMMU_BEGIN_DECLS

#define SMMU_POOL_MIN_SHIFT 6u /**< the smallest block has 64 bytes */
#define SMMU_POOL_ORDERS 42u   /**< block sizes 2^6 … 2^47 */

struct smmu_pool_block {
	struct smmu_pool_block *next, *prev;
};

/**
 * The embedder owns it and its region; neither moves while a block is in use. Fields are private.
 */
struct smmu_pool {
	/**
	 * Protects the lists, the map and the counters; taken by each call for O(orders) steps, in
	 * any context.
	 */
	struct smmu_spinlock lock;
	uint8_t *va;
	uint64_t bus;
	uint64_t size;
	uint64_t *map; /**< one bit for each pair of buddies, at the region's start */
	uint64_t map_first[SMMU_POOL_ORDERS];           /**< number of the first bit of an order */
	struct smmu_pool_block *free[SMMU_POOL_ORDERS]; /**< free blocks of each order */
	uint64_t used;                                  /**< bytes in blocks that are handed out */
};

/**
 * Make a pool of a region. About 1/512 of it goes to the pool's own map.
 *
 * Blocks are aligned to their size on the bus. A block's virtual address has the same alignment
 * only as far as @p va and @p bus agree: best give both the alignment of the largest structure (a
 * linear stream table is aligned to its size). Blocks share no cache line of up to 64 bytes.
 *
 * @param pool private to these functions from now on; nothing has to be undone when it is dropped
 * @param va first byte of the region, a multiple of 64, not NULL. The region is the pool's as long
 *           as blocks are in use
 * @param bus the same byte's address as SMMUs put it out, a multiple of 64. The last byte, @p bus +
 *        @p size - 1, has to be below 2^IDR5.OAS of each SMMU that uses the pool: what lies beyond
 *        is refused by who asked for it (IHI 0070 G.b, 3.4.3)
 * @param size bytes, at least 128, at most 2^47
 * @return 0, or -SMMU_EINVAL: an argument is out of its range, or the region too small for the map
 *         and one block; the pool is unusable then. Does not sleep. One caller at a time.
 */
int smmu_pool_init(struct smmu_pool *pool, void *va, uint64_t bus, uint64_t size);

/**
 * Bytes in blocks that are handed out, each counted as the power of two that it takes. Any context.
 */
uint64_t smmu_pool_used(struct smmu_pool *pool);

/** @name For struct smmu_port_ops
 * The members of struct smmu_port_ops of the same names, under their contracts; @p ctx is the pool.
 * Any context, any number at a time. Allocation is O(orders) plus zeroing, freeing O(orders), with
 * interrupts masked for the former. None sleeps, so that SMMU_ALLOC_ATOMIC changes nothing. A pool
 * that is empty, and an alignment that is no power of two or that its addresses cannot have, are
 * answered with NULL; nothing changes then.
 *
 * A port whose only memory is one pool needs no dma_to_virt: its dma_offset is `(uintptr_t)va -
 * bus`, which makes every walk through translation tables shorter.
 * @{ */
void *smmu_pool_ops_dma_alloc(void *ctx, size_t size, size_t align, unsigned flags, uint64_t *bus);
void smmu_pool_ops_dma_free(void *ctx, void *va, size_t size);
void *smmu_pool_ops_dma_to_virt(void *ctx, uint64_t bus);
void *smmu_pool_ops_alloc(void *ctx, size_t size);
void smmu_pool_ops_free(void *ctx, void *p, size_t size);
/** @} */

SMMU_END_DECLS

#endif

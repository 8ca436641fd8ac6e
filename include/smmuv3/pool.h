/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file pool.h
 * Memory handed over up front, for embedders that have no allocator: one region that processors and SMMUs see, cut
 * into blocks of 2^n bytes by a buddy allocator. Its functions go straight into struct smmu_port_ops, with the
 * pool as the context pointer.
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

/** The embedder owns it and its region; neither moves while a block is in use. Fields are private. */
struct smmu_pool {
	/** Protects the lists, the map and the counters; taken by each call for O(orders) steps, in any context. */
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
 * Make a pool of the @p size bytes at @p va, which SMMUs see at bus address @p bus. About 1/512 of the region goes
 * to the pool's own map. @p va and @p bus have to be multiples of 64.
 *
 * Blocks are aligned to their size on the bus. A block's virtual address has the same alignment only as far as
 * @p va and @p bus agree: best give both the alignment of the largest structure (a linear stream table is aligned
 * to its size).
 *
 * -SMMU_EINVAL, and the pool is unusable, if an argument is out of its range or the region too small for a block.
 */
int smmu_pool_init(struct smmu_pool *pool, void *va, uint64_t bus, uint64_t size);

/** Bytes in blocks that are handed out, each counted as the power of two that it takes. */
uint64_t smmu_pool_used(struct smmu_pool *pool);

/*
 * The members of struct smmu_port_ops of the same names, under their contracts; @p ctx is the pool. Allocation is
 * O(orders) plus zeroing, freeing O(orders); none sleeps; an empty pool answers NULL and is unchanged.
 */
void *smmu_pool_ops_dma_alloc(void *ctx, size_t size, size_t align, unsigned flags, uint64_t *bus);
void smmu_pool_ops_dma_free(void *ctx, void *va, size_t size);
void *smmu_pool_ops_dma_to_virt(void *ctx, uint64_t bus);
void *smmu_pool_ops_alloc(void *ctx, size_t size);
void smmu_pool_ops_free(void *ctx, void *p, size_t size);

SMMU_END_DECLS

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pool: a buddy allocator over one region.
 *
 * A block of order k has 2^(k+6) bytes and a bus address that is a multiple of that; its buddy is the block with
 * which it makes up one of order k+1. The map has one bit for each pair of buddies: whether exactly one of the two
 * is on the free list of their order. A bit is turned whenever one of its two joins or leaves the list, so after a
 * block has been put back a 0 says that its buddy is there too, and both join.
 * Blocks outside the region are never free, so a buddy that is not there is never joined with.
 */
#include <smmuv3/pool.h>

static uint64_t pool_bytes(unsigned order)
{
	return SMMU_BIT(order + SMMU_POOL_MIN_SHIFT);
}

static uint64_t pool_bus_of(const struct smmu_pool *pool, const void *va)
{
	return pool->bus + (uint64_t)((const uint8_t *)va - pool->va);
}

static void *pool_va_of(const struct smmu_pool *pool, uint64_t bus)
{
	return pool->va + (bus - pool->bus);
}

/* Turn the bit of the pair that the block at @bus belongs to; returns the new value. */
static bool pool_turn(struct smmu_pool *pool, uint64_t bus, unsigned order)
{
	unsigned pair = order + SMMU_POOL_MIN_SHIFT + 1;
	uint64_t bit = pool->map_first[order] + ((bus >> pair) - (pool->bus >> pair));

	pool->map[bit / 64] ^= SMMU_BIT(bit % 64);
	return pool->map[bit / 64] & SMMU_BIT(bit % 64);
}

static void pool_link(struct smmu_pool *pool, uint64_t bus, unsigned order)
{
	struct smmu_pool_block *block = pool_va_of(pool, bus);

	block->next = pool->free[order];
	block->prev = NULL;
	if (block->next)
		block->next->prev = block;
	pool->free[order] = block;
}

static void pool_unlink(struct smmu_pool *pool, struct smmu_pool_block *block, unsigned order)
{
	if (block->prev)
		block->prev->next = block->next;
	else
		pool->free[order] = block->next;
	if (block->next)
		block->next->prev = block->prev;
}

static void pool_put(struct smmu_pool *pool, uint64_t bus, unsigned order)
{
	while (!pool_turn(pool, bus, order)) {
		pool_unlink(pool, pool_va_of(pool, bus ^ pool_bytes(order)), order);
		bus &= ~pool_bytes(order);
		order++;
	}
	pool_link(pool, bus, order);
}

/* A block of @order at a multiple of the size of @align_order, cut from the smallest free one that will do. */
static void *pool_get(struct smmu_pool *pool, unsigned order, unsigned align_order)
{
	unsigned from = order > align_order ? order : align_order;
	struct smmu_pool_block *block;
	uint64_t bus;

	while (from < SMMU_POOL_ORDERS && !pool->free[from])
		from++;
	if (from >= SMMU_POOL_ORDERS)
		return NULL;
	block = pool->free[from];
	bus = pool_bus_of(pool, block);
	pool_unlink(pool, block, from);
	pool_turn(pool, bus, from);
	/* Keep the lower half each time: it has the alignment of the whole. */
	while (from > order) {
		from--;
		pool_turn(pool, bus, from);
		pool_link(pool, bus + pool_bytes(from), from);
	}
	return block;
}

static unsigned pool_order(uint64_t size)
{
	unsigned shift = smmu_order_up(size);

	return shift < SMMU_POOL_MIN_SHIFT ? 0 : shift - SMMU_POOL_MIN_SHIFT;
}

int smmu_pool_init(struct smmu_pool *pool, void *va, uint64_t bus, uint64_t size)
{
	uint64_t end = bus + size, bits = 0, words, i;
	unsigned order;

	if (!pool || !va || ((uintptr_t)va | bus) & (pool_bytes(0) - 1) ||
	    size < 2 * pool_bytes(0) || end < bus || size > pool_bytes(SMMU_POOL_ORDERS - 1))
		return -SMMU_EINVAL;
	*pool = (struct smmu_pool){.va = va, .bus = bus, .size = size, .map = va};
	smmu_spin_init(&pool->lock);
	for (order = 0; order < SMMU_POOL_ORDERS; order++) {
		unsigned pair = order + SMMU_POOL_MIN_SHIFT + 1;

		pool->map_first[order] = bits;
		bits += ((end - 1) >> pair) - (bus >> pair) + 1;
	}
	words = smmu_align_up(bits, pool_bytes(0) * 8) / 64;
	if (words * 8 + pool_bytes(0) > size)
		return -SMMU_EINVAL;
	for (i = 0; i < words; i++)
		pool->map[i] = 0;

	/* What the map leaves over, in blocks as large as its alignment and the end allow. */
	bus += words * 8;
	while (end - bus >= pool_bytes(0)) {
		for (order = SMMU_POOL_ORDERS - 1;
		     bus & (pool_bytes(order) - 1) || pool_bytes(order) > end - bus;)
			order--;
		pool_turn(pool, bus, order);
		pool_link(pool, bus, order);
		bus += pool_bytes(order);
	}
	return 0;
}

uint64_t smmu_pool_used(struct smmu_pool *pool)
{
	uint64_t used;
	smmu_irqflags flags;

	flags = smmu_spin_lock(&pool->lock);
	used = pool->used;
	smmu_spin_unlock(&pool->lock, flags);
	return used;
}

static void *pool_alloc(struct smmu_pool *pool, uint64_t size, uint64_t align)
{
	unsigned order = pool_order(size);
	uint64_t *word, i;
	void *va;
	smmu_irqflags flags;

	/* Blocks are aligned on the bus; the virtual address follows as far as the region's two addresses agree. */
	if (size == 0 || size > pool->size || align == 0 || align & (align - 1) ||
	    align > pool->size || (((uintptr_t)pool->va ^ pool->bus) & (align - 1)))
		return NULL;
	flags = smmu_spin_lock(&pool->lock);
	va = pool_get(pool, order, pool_order(align));
	if (va)
		pool->used += pool_bytes(order);
	smmu_spin_unlock(&pool->lock, flags);
	if (!va)
		return NULL;
	word = va;
	for (i = 0; i < (size + 7) / 8; i++)
		word[i] = 0;
	return va;
}

static void pool_free(struct smmu_pool *pool, void *va, uint64_t size)
{
	unsigned order = pool_order(size);
	smmu_irqflags flags;

	if (!va)
		return;
	flags = smmu_spin_lock(&pool->lock);
	pool_put(pool, pool_bus_of(pool, va), order);
	pool->used -= pool_bytes(order);
	smmu_spin_unlock(&pool->lock, flags);
}

void *smmu_pool_ops_dma_alloc(void *ctx, size_t size, size_t align, unsigned flags, uint64_t *bus)
{
	struct smmu_pool *pool = ctx;
	void *va = pool_alloc(pool, size, align);

	if (va)
		*bus = pool_bus_of(pool, va);
	return va;
}

void smmu_pool_ops_dma_free(void *ctx, void *va, size_t size)
{
	pool_free(ctx, va, size);
}

void *smmu_pool_ops_dma_to_virt(void *ctx, uint64_t bus)
{
	const struct smmu_pool *pool = ctx;

	return bus - pool->bus < pool->size ? pool_va_of(pool, bus) : NULL;
}

void *smmu_pool_ops_alloc(void *ctx, size_t size)
{
	return pool_alloc(ctx, size, 16);
}

void smmu_pool_ops_free(void *ctx, void *p, size_t size)
{
	pool_free(ctx, p, size);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory of guests, and the port by which their page tables are written in it. */
#include "guest_inside.h"

#include <string.h>

/*
 * The guest's memory: one table or more at the start, and tables of one granule that come and go.
 */
static void *get(void *ctx, size_t size, size_t align, unsigned flags, uint64_t *bus)
{
	struct guest *g = ctx;
	smmu_irqflags irq = smmu_spin_lock(&g->lock);
	uint64_t at = smmu_align_up(g->used, align);
	uint8_t *va = NULL;

	if (g->freed && size == 1ull << g->table[0].cfg.granule_shift) {
		va = (uint8_t *)g->freed;
		g->freed = *(uint64_t **)g->freed;
	} else if (at + size <= GUEST_BYTES) {
		va = (uint8_t *)g->memory + at;
		__atomic_store_n(&g->used, at + size, __ATOMIC_RELAXED);
	}
	smmu_spin_unlock(&g->lock, irq);
	if (!va)
		return NULL;
	memset(va, 0, size);
	*bus = g->bus + (uint64_t)(va - (uint8_t *)g->memory);
	return va;
}

static void give(void *ctx, void *va, size_t size)
{
	struct guest *g = ctx;
	smmu_irqflags irq = smmu_spin_lock(&g->lock);

	*(uint64_t **)va = g->freed;
	g->freed = va;
	smmu_spin_unlock(&g->lock, irq);
}

void *guest_memory(struct guest *g, size_t size, size_t align, uint64_t *bus)
{
	return get(g, size, align, 0, bus);
}

void *guest_at(const struct guest *g, uint64_t bus)
{
	return (uint8_t *)g->memory + (bus - g->bus);
}

void guest_clean(const struct guest *g, const void *va, size_t size)
{
	smmu_port_clean(&g->m->port, va, size);
}

static void *at(void *ctx, uint64_t bus)
{
	return guest_at(ctx, bus);
}

static void clean(void *ctx, const void *va, size_t size)
{
	guest_clean(ctx, va, size);
}

void guest_memory_init(struct guest *g)
{
	g->ops = (struct smmu_port_ops){
		.dma_alloc = get,
		.dma_free = give,
		.dma_to_virt = at,
		.clean = g->m->port.ops->clean ? clean : NULL,
	};
	g->port = (struct smmu_port){.ops = &g->ops, .ctx = g, .rcu = g->m->port.rcu};
	smmu_spin_init(&g->lock);
}

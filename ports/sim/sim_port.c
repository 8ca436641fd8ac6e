/* SPDX-License-Identifier: BSD-2-Clause */
/* The cold path of the port for judging. */
#include "sim_port.h"

#include "sim.h"

static struct smmu_port_ops ops;
static const struct smmu_port_ops *hosted;

static void shadow_clean(void *ctx, const void *va, size_t size)
{
	sim_point(); /* what was stored is not clean yet */
	sim_cleaning(va, size);
	smmu_shadow_clean(ctx, va, size);
}

/* The zeroes are stores. */
static void *dma_alloc(void *ctx, size_t size, size_t align, unsigned flags, uint64_t *bus)
{
	const struct smmu_posix *posix = ctx;
	void *va = hosted->dma_alloc(ctx, size, align, flags, bus);

	if (va && posix->clean == shadow_clean)
		smmu_shadow_store(posix->cache_ctx, va, size);
	return va;
}

static void dma_free(void *ctx, void *va, size_t size)
{
	sim_freeing(va, size);
	hosted->dma_free(ctx, va, size);
}

static void cpu_free(void *ctx, void *p, size_t size)
{
	sim_freeing(p, size);
	hosted->free(ctx, p, size);
}

static void shadow_invalidate(void *ctx, const void *va, size_t size)
{
	smmu_shadow_invalidate(ctx, va, size);
	sim_point();
}

void sim_port_shadow(struct smmu_posix *posix, struct smmu_shadow *shadow)
{
	posix->cache_ctx = shadow;
	posix->clean = shadow_clean;
	posix->invalidate = shadow_invalidate;
}

void sim_port_init(struct smmu_port *port, struct smmu_posix *posix)
{
	smmu_posix_port_init(port, posix);
	hosted = port->ops;
	ops = *hosted;
	ops.dma_alloc = dma_alloc;
	ops.dma_free = dma_free;
	ops.free = cpu_free;
	port->ops = &ops;
}

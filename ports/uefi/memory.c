/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of the library: chunks of pages, divided by the library's pool. While boot services run a chunk is added when all
 * are full; a small one is kept back for the time after, when nothing may be asked of the firmware any more.
 */
#include "system.h"

#include <smmuv3/pool.h>

#define CHUNKS 32u
#define CHUNK_BYTES 0x100000u
#define LAST_BYTES 0x20000u

static struct {
	struct chunk {
		struct smmu_pool pool;
		uint64_t at, size;
	} chunk[CHUNKS], last;
	unsigned n;
	uint32_t type;
	uint64_t below;
	bool frozen;
} memory;

static bool add(struct chunk *c, uint64_t size)
{
	/* Twice as much is taken for as long as it takes to cut an aligned piece out of it. */
	uint64_t at = memory.below - 1, first, pages = size / SMMU_EFI_PAGE;

	if (efi_failed(uefi_system->boot->allocate_pages(SMMU_EFI_ALLOCATE_BELOW, memory.type,
							 2 * pages, &at)))
		return false;
	first = smmu_align_up(at, size);
	if (first > at)
		uefi_system->boot->free_pages(at, (first - at) / SMMU_EFI_PAGE);
	if (first + size < at + 2 * size)
		uefi_system->boot->free_pages(first + size, (at + size - first) / SMMU_EFI_PAGE);
	c->at = first;
	c->size = size;
	return !smmu_pool_init(&c->pool, (void *)(uintptr_t)first, first, size);
}

bool uefi_memory_start(uint32_t type, uint64_t below)
{
	memory.type = type;
	memory.below = below;
	memory.n = 0;
	memory.frozen = false;
	if (!add(&memory.last, LAST_BYTES))
		return false;
	if (add(&memory.chunk[0], CHUNK_BYTES)) {
		memory.n = 1;
		return true;
	}
	uefi_memory_stop();
	return false;
}

static void drop(struct chunk *c)
{
	if (c->size)
		uefi_system->boot->free_pages(c->at, c->size / SMMU_EFI_PAGE);
	c->size = 0;
}

void uefi_memory_stop(void)
{
	while (memory.n)
		drop(&memory.chunk[--memory.n]);
	drop(&memory.last);
}

void uefi_memory_freeze(void)
{
	memory.frozen = true;
}

void uefi_memory_state(uint64_t *all, uint64_t *used)
{
	*all = memory.last.size;
	*used = smmu_pool_used(&memory.last.pool);
	for (unsigned i = 0; i < memory.n; i++) {
		*all += memory.chunk[i].size;
		*used += smmu_pool_used(&memory.chunk[i].pool);
	}
}

void *uefi_port_dma_alloc(void *ctx, size_t size, size_t align, unsigned flags, uint64_t *bus)
{
	uint64_t chunk = CHUNK_BYTES;
	void *p;

	(void)ctx;
	/* The fullest chunks are in front, but a boot has few of them. */
	for (unsigned i = 0; i < memory.n; i++) {
		p = smmu_pool_ops_dma_alloc(&memory.chunk[i].pool, size, align, flags, bus);
		if (p)
			return p;
	}
	if (memory.frozen)
		return smmu_pool_ops_dma_alloc(&memory.last.pool, size, align, flags, bus);
	/* A block takes its size up to a power of two; the pool's map needs some room beside it. */
	while (chunk < 2ull << smmu_order_up(smmu_max64(size, align)))
		chunk *= 2;
	if (memory.n == CHUNKS || chunk > UINT32_MAX || !add(&memory.chunk[memory.n], chunk))
		return NULL;
	memory.n++;
	return smmu_pool_ops_dma_alloc(&memory.chunk[memory.n - 1].pool, size, align, flags, bus);
}

static struct smmu_pool *pool_of(const void *p)
{
	uint64_t at = (uintptr_t)p;

	for (unsigned i = 0; i < memory.n; i++)
		if (at - memory.chunk[i].at < memory.chunk[i].size)
			return &memory.chunk[i].pool;
	return &memory.last.pool;
}

void uefi_port_dma_free(void *ctx, void *va, size_t size)
{
	(void)ctx;
	smmu_pool_ops_dma_free(pool_of(va), va, size);
}

void *uefi_port_alloc(void *ctx, size_t size)
{
	uint64_t bus;

	return uefi_port_dma_alloc(ctx, size, 16, 0, &bus);
}

void uefi_port_free(void *ctx, void *p, size_t size)
{
	uefi_port_dma_free(ctx, p, size);
}

void *uefi_alloc(size_t size)
{
	void *p;

	if (uefi_exited ||
	    efi_failed(uefi_system->boot->allocate_pool(SMMU_EFI_BOOT_DATA, size, &p)))
		return NULL;
	__builtin_memset(p, 0, size);
	return p;
}

void uefi_free(void *p)
{
	if (p && !uefi_exited)
		uefi_system->boot->free_pool(p);
}

/* The reader of firmware tables allocates with these. */
void *topology_alloc(size_t n, size_t element);
void topology_release(void *p);

void *topology_alloc(size_t n, size_t element)
{
	size_t size;

	return __builtin_mul_overflow(n, element, &size) ? NULL : uefi_alloc(size ? size : 1);
}

void topology_release(void *p)
{
	uefi_free(p);
}

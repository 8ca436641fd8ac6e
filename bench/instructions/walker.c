/* SPDX-License-Identifier: BSD-2-Clause */
/** @file walker.c See walker.h. */
#include "walker.h"

#include "bench.h"

#define LEAF 0x0040000000000f43ull /* XN, nG, AF, inner shareable, read-write */
#define TABLE 3ull
#define ADDRESS 0xfffffffff000ull

static uint64_t *last_table(uint64_t *table, uint64_t iova)
{
	for (unsigned shift = 39; shift > 12; shift -= 9) {
		uint64_t *slot = &table[iova >> shift & 511], desc = smmu_load(slot);

		if (!desc) {
			bench_port.ops->dma_alloc(NULL, 4096, 4096, 0, &desc);
			desc |= TABLE;
			smmu_store_release(slot, desc);
		}
		table = (uint64_t *)(uintptr_t)(desc & ADDRESS);
	}
	return table;
}

void walker_map(uint64_t *root, uint64_t iova, uint64_t pa, uint64_t size)
{
	uint64_t end = iova + size;

	while (iova < end) {
		uint64_t *slot = &last_table(root, iova)[iova >> 12 & 511];
		uint64_t next = smmu_min64(end, (iova | 0x1fffff) + 1);

		for (; iova < next; iova += 4096, pa += 4096)
			smmu_store(slot++, pa | LEAF);
	}
	smmu_dma_wmb();
}

void walker_unmap(uint64_t *root, uint64_t iova, uint64_t size)
{
	uint64_t end = iova + size;

	while (iova < end) {
		uint64_t *slot = &last_table(root, iova)[iova >> 12 & 511];
		uint64_t next = smmu_min64(end, (iova | 0x1fffff) + 1);

		for (; iova < next; iova += 4096)
			smmu_store(slot++, 0);
	}
}

int walker_lookup(const uint64_t *root, uint64_t iova, uint64_t *pa)
{
	const uint64_t *table = root;
	uint64_t desc;

	for (unsigned shift = 39;; shift -= 9) {
		desc = smmu_load_acquire(&table[iova >> shift & 511]);
		if (!desc)
			return -1;
		if (shift == 12)
			break;
		table = (const uint64_t *)(uintptr_t)(desc & ADDRESS);
	}
	*pa = (desc & ADDRESS) | (iova & 4095);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/** @file pgtable.c Page tables: ours beside the least that one can do. */
#include "bench.h"
#include "walker.h"

#define RW (SMMU_PROT_READ | SMMU_PROT_WRITE)
#define K 1024ull
#define M (K * K)
#define G (M * K)
#define BASE (5 * G)

static struct smmu_pgtable pt;

static inline void map(uint64_t iova, uint64_t pa, uint64_t size)
{
	MUST(!smmu_pgtable_map(&pt, iova, pa, size, RW, 0));
}

static inline void unmap(uint64_t iova, uint64_t size, unsigned flags)
{
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g;

	smmu_gather_init(&g, 12);
	MUST(!smmu_pgtable_unmap(&pt, iova, size, flags, &g, &tables));
	if (tables.first)
		smmu_pgtable_free_tables(&pt, &tables);
}

/** Map and unmap @p size bytes, in pages if @p off is a page, in blocks if it is 0. */
static void pair(const char *what, uint64_t size, uint64_t off)
{
	char row[64];

	snprintf(row, sizeof(row), "map %s", what);
	BENCH(row, "smmuv3", map(BASE, 16 * G + off, size));
	snprintf(row, sizeof(row), "unmap %s", what);
	BENCH(row, "smmuv3", unmap(BASE, size, 0));
	map(BASE, 16 * G + off, size);
	snprintf(row, sizeof(row), "unmap %s, known to be mapped", what);
	BENCH(row, "smmuv3", unmap(BASE, size, SMMU_UNMAP_KNOWN));
}

static void ours(void)
{
	const struct smmu_pgtable_config cfg = {.port = &bench_port,
						.stage = 1,
						.granule_shift = 12,
						.ias = 48,
						.oas = 48,
						.coherent = true};
	uint64_t pa;
	unsigned prot;

	MUST(!smmu_pgtable_init(&pt, &cfg));
	/* A neighbour keeps the tables of every level but the last: what is counted is not their allocation. */
	map(BASE + 2 * M - 4 * K, G, 4 * K);
	map(BASE + G, G, 4 * K);
	pair("4K", 4 * K, 4 * K);
	pair("64K of pages", 64 * K, 4 * K);
	pair("1M of pages", M, 4 * K);
	unmap(BASE + 2 * M - 4 * K, 4 * K, 0);
	BENCH("iova_to_phys", "smmuv3",
	      MUST(!smmu_pgtable_iova_to_phys(&pt, BASE + G + 5, &pa, NULL)));
	MUST(pa == G + 5);
	BENCH("iova_to_phys with permissions", "smmuv3",
	      MUST(!smmu_pgtable_iova_to_phys(&pt, BASE + G + 5, &pa, &prot)));
	/* A fresh table: the empty one that a neighbour left would be in the way of a block. */
	smmu_pgtable_destroy(&pt);
	MUST(!smmu_pgtable_init(&pt, &cfg));
	map(BASE + 4 * M, G, 4 * K);
	pair("2M of pages", 2 * M, 4 * K);
	pair("2M block", 2 * M, 0);
	smmu_pgtable_destroy(&pt);
	MUST(!smmu_pgtable_init(&pt, &cfg));
	map(BASE + G, G, 4 * K);
	pair("1G of pages", G, 4 * K);
	pair("1G block", G, 0);
	smmu_pgtable_destroy(&pt);
}

static void minimal_lookup(void)
{
	uint64_t bus, *root = bench_port.ops->dma_alloc(NULL, 4096, 4096, 0, &bus), pa;

	walker_map(root, BASE, G, 4 * K);
	BENCH("iova_to_phys", "minimal", MUST(!walker_lookup(root, BASE + 5, &pa)));
	MUST(pa == G + 5);
}

static void minimal(const char *what, uint64_t size)
{
	uint64_t bus, *root = bench_port.ops->dma_alloc(NULL, 4096, 4096, 0, &bus);
	char row[64];

	walker_map(root, BASE, G, 4 * K);
	snprintf(row, sizeof(row), "map %s", what);
	BENCH(row, "minimal", walker_map(root, BASE, G, size));
	snprintf(row, sizeof(row), "unmap %s", what);
	BENCH(row, "minimal", walker_unmap(root, BASE, size));
}

void bench_pgtable(void)
{
	ours();
	minimal_lookup();
	minimal("4K", 4 * K);
	minimal("64K of pages", 64 * K);
	minimal("2M of pages", 2 * M);
	minimal("1G of pages", G);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file walker.h
 * The least that page tables can do, to stand beside ours: 4K, four levels, stage 1, pages only, no checks of arguments
 * or of what is mapped, no attributes to choose, no tables freed. What it saves is what it does not promise.
 */
#ifndef SMMU_BENCH_WALKER_H
#define SMMU_BENCH_WALKER_H

#include <stdint.h>

void walker_map(uint64_t *root, uint64_t iova, uint64_t pa, uint64_t size);
void walker_unmap(uint64_t *root, uint64_t iova, uint64_t size);
/** Where @p iova leads, in *@p pa; not 0: nowhere. */
int walker_lookup(const uint64_t *root, uint64_t iova, uint64_t *pa);

#endif

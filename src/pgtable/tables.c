/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file tables.c
 * Single tables: how one is allocated, how those that were removed wait for the fence, and how they are freed after it.
 */
#include "pgtable_internal.h"

int smmu_pgtable_alloc_table(const struct smmu_pgtable *pt, uint64_t size, unsigned flags,
			     uint64_t **table, uint64_t *bus)
{
	const struct smmu_port *port = pt->cfg.port;

	*table = port->ops->dma_alloc(port->ctx, (size_t)size, (size_t)size, flags, bus);
	if (!*table)
		return -SMMU_ENOMEM;
	if (*bus >= pt->output_size) {
		port->ops->dma_free(port->ctx, *table, (size_t)size);
		return -SMMU_ERANGE;
	}
	pt_clean(pt, *table, size / sizeof(**table));
	return 0;
}

/**
 * A walk may be in a removed table until the fence, so the link to the next one goes into descriptor 0 as the
 * address of a table: its low bits are 0, and so is the valid bit. The other descriptors stay as they are: what they
 * map is being invalidated, and they vanish when the table is freed after the fence.
 */
static void push_table(struct smmu_freelist *freelist, uint64_t *table)
{
	smmu_store(&table[0], (uint64_t)(uintptr_t)freelist->first);
	freelist->first = table;
}

static uint64_t *pop_table(struct smmu_freelist *freelist)
{
	uint64_t *table = freelist->first;

	if (table)
		freelist->first = (void *)(uintptr_t)smmu_load(&table[0]);
	return table;
}

/** A table of level 2 and its children, before it: the link overwrites descriptor 0. */
static unsigned collect_level2(const struct smmu_pgtable *pt, uint64_t *table,
			       struct smmu_freelist *freelist)
{
	unsigned levels = 0;

	for (unsigned i = 0; i <= pt->index_mask; i++) {
		uint64_t desc = smmu_load(&table[i]);

		if (pt_is_table(2, desc)) {
			push_table(freelist, pt_table(pt, desc));
			levels |= 1u << 3;
		} else if (pt_is_valid(desc)) {
			levels |= 1u << 2;
		}
	}
	push_table(freelist, table);
	return levels ? levels : 1u << 2;
}

static unsigned collect_level1(const struct smmu_pgtable *pt, uint64_t *table,
			       struct smmu_freelist *freelist)
{
	unsigned levels = 0;

	for (unsigned i = 0; i <= pt->index_mask; i++) {
		uint64_t desc = smmu_load(&table[i]);

		if (pt_is_table(1, desc))
			levels |= collect_level2(pt, pt_table(pt, desc), freelist);
		else if (pt_is_valid(desc))
			levels |= 1u << 1;
	}
	push_table(freelist, table);
	return levels ? levels : 1u << 1;
}

unsigned smmu_pgtable_collect(const struct smmu_pgtable *pt, uint64_t *table, unsigned level,
			      struct smmu_freelist *freelist)
{
	if (level == 1)
		return collect_level1(pt, table, freelist);
	if (level == 2)
		return collect_level2(pt, table, freelist);
	/* What a table of the last level holds, nobody looks at: it can be nothing but pages. */
	push_table(freelist, table);
	return 1u << PT_LAST_LEVEL;
}

void smmu_pgtable_do_free_tables(struct smmu_pgtable *pt, struct smmu_freelist *freelist)
{
	const struct smmu_port *port = pt->cfg.port;
	uint64_t *table;

	while ((table = pop_table(freelist)))
		port->ops->dma_free(port->ctx, table, (size_t)pt_table_size(pt));
}

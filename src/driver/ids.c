/* SPDX-License-Identifier: BSD-2-Clause */
/* ASIDs and VMIDs of one instance: a bitmap of those taken, and one of those that nobody has but the TLB. */
#include "driver.h"

size_t smmu_ids_size(unsigned bits)
{
	return 2 * (((size_t)1 << bits) / 8);
}

int smmu_ids_init(struct smmu_ids *ids, const struct smmu_port *port, unsigned bits)
{
	ids->count = 1u << bits;
	ids->hint = 1;
	ids->bitmap = port->ops->alloc(port->ctx, smmu_ids_size(bits));
	if (!ids->bitmap)
		return -SMMU_ENOMEM;
	ids->abandoned = ids->bitmap + ids->count / 64;
	ids->nr_abandoned = 0;
	ids->bitmap[0] = 1;
	return 0;
}

void smmu_ids_fini(struct smmu_ids *ids, const struct smmu_port *port)
{
	if (ids->bitmap)
		port->ops->free(port->ctx, ids->bitmap, 2 * (ids->count / 8));
	ids->bitmap = NULL;
}

int smmu_ids_take(struct smmu_ids *ids)
{
	uint32_t words = ids->count / 64, at = ids->hint / 64;

	/* The word of the hint is looked at first above the hint, and last below it. */
	for (uint32_t i = 0; i <= words; i++, at = (at + 1) % words) {
		uint64_t free = ~ids->bitmap[at];
		uint32_t id;

		if (i == 0)
			free &= ~0ULL << (ids->hint % 64);
		if (!free)
			continue;
		id = at * 64 + (uint32_t)__builtin_ctzll(free);
		ids->bitmap[at] |= SMMU_BIT(id % 64);
		ids->hint = (id + 1) % ids->count;
		return (int)id;
	}
	return -SMMU_ENOSPC;
}

void smmu_ids_give(struct smmu_ids *ids, uint32_t id)
{
	ids->bitmap[id / 64] &= ~SMMU_BIT(id % 64);
}

void smmu_ids_abandon(struct smmu_ids *ids, uint32_t id)
{
	ids->abandoned[id / 64] |= SMMU_BIT(id % 64);
	ids->nr_abandoned++;
}

void smmu_ids_reclaim(struct smmu_ids *ids)
{
	for (uint32_t i = 0; i < ids->count / 64; i++) {
		ids->bitmap[i] &= ~ids->abandoned[i];
		ids->abandoned[i] = 0;
	}
	ids->nr_abandoned = 0;
}

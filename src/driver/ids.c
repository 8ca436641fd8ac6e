/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ASIDs and VMIDs of one instance: a bitmap of those taken, and one of those among them that nobody has any more, but of which
 * the TLB may hold something. A third has those that are handed out by name alone, taken or not.
 * Their users have a lock; a dump looks at the first, and at how many the second has, without.
 */
#include "driver.h"

size_t smmu_ids_size(unsigned bits)
{
	return 3 * (((size_t)1 << bits) / 8);
}

int smmu_ids_init(struct smmu_ids *ids, const struct smmu_port *port, unsigned bits)
{
	ids->count = 1u << bits;
	ids->hint = 1;
	ids->bitmap = port->ops->alloc(port->ctx, smmu_ids_size(bits));
	if (!ids->bitmap)
		return -SMMU_ENOMEM;
	ids->retired = ids->bitmap + ids->count / 64;
	ids->foreign = ids->retired + ids->count / 64;
	ids->nr_retired = 0;
	ids->bitmap[0] = 1;
	return 0;
}

void smmu_ids_fini(struct smmu_ids *ids, const struct smmu_port *port)
{
	if (ids->bitmap)
		port->ops->free(port->ctx, ids->bitmap, 3 * (ids->count / 8));
	ids->bitmap = NULL;
}

int smmu_ids_take(struct smmu_ids *ids)
{
	uint32_t words = ids->count / 64, at = ids->hint / 64;

	/* The word of the hint is looked at first above the hint, and last below it. */
	for (uint32_t i = 0; i <= words; i++, at = (at + 1) % words) {
		uint64_t free = ~(ids->bitmap[at] | ids->foreign[at]);
		uint32_t id;

		if (i == 0)
			free &= ~0ULL << (ids->hint % 64);
		if (!free)
			continue;
		id = at * 64 + (uint32_t)__builtin_ctzll(free);
		smmu_show(&ids->bitmap[at], ids->bitmap[at] | SMMU_BIT(id % 64));
		ids->hint = (id + 1) % ids->count;
		return (int)id;
	}
	return -SMMU_ENOSPC;
}

bool smmu_ids_is_retired(const struct smmu_ids *ids, uint32_t id)
{
	return ids->retired[id / 64] & SMMU_BIT(id % 64);
}

int smmu_ids_claim(struct smmu_ids *ids, uint32_t id)
{
	if (ids->bitmap[id / 64] & SMMU_BIT(id % 64))
		return -SMMU_EBUSY;
	smmu_show(&ids->bitmap[id / 64], ids->bitmap[id / 64] | SMMU_BIT(id % 64));
	return 0;
}

int smmu_ids_reserve(struct smmu_ids *ids, uint32_t first, uint32_t last)
{
	uint32_t end = last < ids->count ? last + 1 : ids->count;

	for (uint32_t id = first; id < end; id++) {
		uint64_t bit = SMMU_BIT(id % 64);

		if (ids->bitmap[id / 64] & bit & ~(ids->retired[id / 64] | ids->foreign[id / 64]))
			return -SMMU_EBUSY;
	}
	for (uint32_t id = first; id < end; id++)
		ids->foreign[id / 64] |= SMMU_BIT(id % 64);
	return 0;
}

void smmu_ids_give(struct smmu_ids *ids, uint32_t id)
{
	smmu_show(&ids->bitmap[id / 64], ids->bitmap[id / 64] & ~SMMU_BIT(id % 64));
}

void smmu_ids_retire(struct smmu_ids *ids, uint32_t id)
{
	ids->retired[id / 64] |= SMMU_BIT(id % 64);
	smmu_show(&ids->nr_retired, ids->nr_retired + 1);
}

uint32_t smmu_ids_retired(const struct smmu_ids *ids, uint32_t *list, uint32_t max)
{
	uint32_t words = ids->count / 64, at = ids->hint / 64, n = 0;
	uint64_t above = ~0ULL << (ids->hint % 64);

	/* In the order in which they will be taken. */
	for (uint32_t i = 0; i <= words && n < max; i++, at = (at + 1) % words) {
		uint64_t w = ids->retired[at];

		if (i == 0)
			w &= above;
		else if (i == words)
			w &= ~above;
		for (; w && n < max; w &= w - 1)
			list[n++] = at * 64 + (uint32_t)__builtin_ctzll(w);
	}
	return n;
}

void smmu_ids_cleaned(struct smmu_ids *ids, uint32_t id)
{
	ids->retired[id / 64] &= ~SMMU_BIT(id % 64);
	smmu_show(&ids->nr_retired, ids->nr_retired - 1);
	smmu_ids_give(ids, id);
}

void smmu_adoption_free(struct smmu_instance *inst)
{
	const struct smmu_port *port = inst->port;
	struct smmu_adoption *a = inst->adoption;

	if (!a)
		return;
	if (a->asids)
		port->ops->free(port->ctx, a->asids, a->asid_bytes);
	if (a->vmids)
		port->ops->free(port->ctx, a->vmids, a->vmid_bytes);
	port->ops->free(port->ctx, a, sizeof(*a));
	inst->adoption = NULL;
}

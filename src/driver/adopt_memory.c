/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a former owner's tables may lie, where its translations may lead, and how many tables are looked at. */
#include "adopt_check.h"

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	/* Neither wraps: addresses are below 2^56, sizes of ranges are the caller's. */
	return a < b ? b - a < a_size : a - b < b_size;
}

const void *smmu_adopt_at(const struct smmu_adopt_check *c, uint64_t bus, uint64_t size)
{
	if (overlap(bus, size, c->strtab.bus, c->strtab.size))
		return NULL;
	for (uint32_t i = 0; i < c->cfg->nr_memory; i++) {
		const struct smmu_adopt_memory *m = &c->cfg->memory[i];

		if (bus >= m->bus && bus - m->bus <= m->size && size <= m->size - (bus - m->bus))
			return (const char *)m->va + (bus - m->bus);
	}
	return NULL;
}

bool smmu_adopt_target_ok(const struct smmu_adopt_check *c, uint64_t bus, uint64_t size)
{
	if (overlap(bus, size, c->strtab.bus, c->strtab.size))
		return false;
	for (uint32_t i = 0; i < c->cfg->nr_keep_out; i++)
		if (overlap(bus, size, c->cfg->keep_out[i].bus, c->cfg->keep_out[i].size))
			return false;
	return true;
}

bool smmu_adopt_spend(struct smmu_adopt_check *c)
{
	if (!c->budget)
		return false;
	c->budget--;
	return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A former owner's translation tables, from a first table down to each leaf (VMSAv8-64, Arm ARM DDI 0487, chapter D8): every table
 * lies in trusted memory, every leaf is one that the format has, and none leads out of the output size or to where nothing may. What an
 * SMMU would fault on counts as damage, since whoever wrote it meant something else.
 *
 * The depth is that of the format, kept in an array; the width is bounded by the budget of tables, which tables that lead back to
 * themselves, or to each other, use up.
 */
#include "adopt_check.h"

#define LEVELS 4

struct at {
	const uint64_t *table;
	uint32_t next, n;
};

static unsigned shift_of(const struct smmu_adopt_root *r, unsigned level)
{
	return r->granule + (3 - level) * (r->granule - 3u);
}

/** The address in a descriptor, from bit @p low up; false: one that this output size does not have. */
static bool address_of(const struct smmu_adopt_root *r, uint64_t desc, unsigned low,
		       uint64_t *address)
{
	uint64_t top = r->granule == 16 ? desc >> 12 & 0xf : 0;

	if (top && r->out < 52)
		return false;
	*address = (desc & SMMU_MASK(47, 0) & ~(SMMU_BIT(low) - 1)) | top << 48;
	return *address >> r->out == 0;
}

static bool is_block_level(const struct smmu_adopt_root *r, unsigned level)
{
	return level == 3 || level == 2 ||
	       (level == 1 && (r->granule == 12 || (r->granule == 16 && r->out == 52)));
}

/** A leaf: NULL if it is good. */
static const char *leaf(const struct smmu_adopt_check *c, const struct smmu_adopt_root *r,
			unsigned level, uint64_t desc)
{
	unsigned shift = shift_of(r, level);
	uint64_t address;

	if (!is_block_level(r, level) || (level == 3 && !(desc & 2)))
		return "a block or page descriptor of a level that has none";
	if (!address_of(r, desc, shift, &address))
		return "a translation beyond the output size";
	if (!smmu_adopt_target_ok(c, address, SMMU_BIT(shift)))
		return "a translation into memory that is kept out";
	return NULL;
}

/** Go into a table of @p n descriptors. NULL if it is one. */
static const char *enter(struct smmu_adopt_check *c, struct at *at, uint64_t bus, uint32_t n)
{
	*at = (struct at){smmu_adopt_at(c, bus, (uint64_t)n * 8), 0, n};
	if (!at->table)
		return "a translation table outside of trusted memory";
	return smmu_adopt_spend(c) ? NULL : "more translation tables than fit";
}

static bool same(const struct smmu_adopt_root *a, const struct smmu_adopt_root *b)
{
	return a->table == b->table && a->entries == b->entries && a->granule == b->granule &&
	       a->level == b->level && a->out == b->out;
}

static bool seen(const struct smmu_adopt_check *c, const struct smmu_adopt_root *r)
{
	uint32_t n = c->n_seen < SMMU_ADOPT_SEEN ? c->n_seen : SMMU_ADOPT_SEEN;

	for (uint32_t i = 0; i < n; i++)
		if (same(&c->seen[i], r))
			return true;
	return false;
}

static const char *walk(struct smmu_adopt_check *c, const struct smmu_adopt_root *r)
{
	struct at at[LEVELS];
	unsigned depth = 0;
	const char *why = enter(c, &at[0], r->table, r->entries);

	while (!why) {
		struct at *now = &at[depth];
		uint64_t desc, address;

		if (now->next == now->n) {
			if (!depth)
				return NULL;
			depth--;
			continue;
		}
		desc = smmu_load(&now->table[now->next++]);
		if (!(desc & 1))
			continue;
		if (r->level + depth == 3 || !(desc & 2)) {
			why = leaf(c, r, r->level + depth, desc);
			continue;
		}
		if (!address_of(r, desc, r->granule, &address))
			return "a translation table beyond the output size";
		why = enter(c, &at[++depth], address, 1u << (r->granule - 3));
	}
	return why;
}

const char *smmu_adopt_walk(struct smmu_adopt_check *c, const struct smmu_adopt_root *root)
{
	const char *why;

	if (root->table & (smmu_max64((uint64_t)root->entries * 8, 64) - 1))
		return "a first translation table that is not aligned";
	if (seen(c, root))
		return NULL;
	why = walk(c, root);
	if (!why)
		c->seen[c->n_seen++ % SMMU_ADOPT_SEEN] = *root;
	return why;
}

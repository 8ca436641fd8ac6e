/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file dirty.c
 * The dirty state of leaves: what walkers have marked, read and cleared.
 *
 * A leaf with DBM may be written. While it is clean the first write marks it, in memory, by an atomic read-modify-write of the
 * SMMU (IHI 0070 G.b, 3.13.3). So it is changed here by compare-exchange alone: a mark comes before, and is seen, or after,
 * and stays. (The text asks for that wherever an SMMU marks, 3.13. As no walker changes what is dirty and accessed, stores to
 * such leaves would do.) Nobody else changes leaves of the range: it is this call's, as that of a map is.
 */
#include "pgtable_internal.h"

static bool may_be_marked(uint64_t desc)
{
	return (desc & (PT_VALID | PT_DBM)) == (PT_VALID | PT_DBM);
}

static bool is_dirty(const struct smmu_pgtable *pt, uint64_t desc)
{
	return !(desc & PT_AP_DIRTY) == (pt->cfg.stage == 1);
}

/** The bits of what @p first to @p last (inclusive) translate. */
struct bits {
	uint64_t first, last;
};

static struct bits bits_of(const struct smmu_dirty_bitmap *b, uint64_t first, uint64_t last)
{
	return (struct bits){(first - b->base) >> b->shift, (last - b->base) >> b->shift};
}

/** Those of the bits that are in word @p i. */
static uint64_t mask_in(struct bits bits, uint64_t i)
{
	uint64_t mask = ~0ULL;

	if (i == bits.first / 64)
		mask &= ~0ULL << bits.first % 64;
	if (i == bits.last / 64)
		mask &= ~0ULL >> (63 - bits.last % 64);
	return mask;
}

static void note(const struct smmu_dirty_bitmap *b, uint64_t first, uint64_t last)
{
	struct bits bits;

	if (!b)
		return;
	bits = bits_of(b, first, last);
	for (uint64_t i = bits.first / 64; i <= bits.last / 64; i++)
		b->word[i] |= mask_in(bits, i);
}

static bool is_noted(const struct smmu_dirty_bitmap *b, uint64_t first, uint64_t last)
{
	struct bits bits;
	bool noted = !b;

	if (noted)
		return true;
	bits = bits_of(b, first, last);
	for (uint64_t i = bits.first / 64; i <= bits.last / 64; i++)
		noted |= (b->word[i] & mask_in(bits, i)) != 0;
	return noted;
}

/** Make the leaf at @p slot, which was @p desc, dirty or clean. True: it was not yet. */
static bool turn(const struct smmu_pgtable *pt, uint64_t *slot, uint64_t desc, bool dirty)
{
	while (may_be_marked(desc) && is_dirty(pt, desc) != dirty)
		if (smmu_compare_exchange(slot, &desc, desc ^ PT_AP_DIRTY))
			return true;
	return false;
}

struct dirty_walk {
	struct smmu_pgtable *pt;
	enum smmu_dirty_step step;
	const struct smmu_dirty_bitmap *bitmap;
	struct smmu_gather *gather;
};

/** One leaf, @p desc at @p slot of @p level, which translates @p first to @p last. */
static void visit(const struct dirty_walk *d, uint64_t *slot, uint64_t desc, unsigned level,
		  uint64_t first, uint64_t last)
{
	const struct smmu_pgtable *pt = d->pt;

	if (!may_be_marked(desc))
		return;
	if (d->step == SMMU_DIRTY_GIVE_BACK) {
		if (is_noted(d->bitmap, first, last))
			turn(pt, slot, desc, true);
		return;
	}
	if (!is_dirty(pt, desc))
		return;
	if (d->step == SMMU_DIRTY_TAKE && turn(pt, slot, desc, false))
		smmu_gather_leaves(d->gather, first, last, pt_shift(pt, level), level);
	note(d->bitmap, first, last);
}

/** Does the range up to @p at end inside a block? */
static bool cuts_block(const struct smmu_pgtable *pt, uint64_t at)
{
	struct pt_at w;

	if (at >= pt->input_size)
		return false;
	w = pt_descend(pt, pt_first(pt, at), at, PT_TYPE, PT_LAST_LEVEL);
	return pt_is_valid(w.desc) && at & (SMMU_BIT(pt_shift(pt, w.level)) - 1);
}

static bool has_all(const struct smmu_dirty_bitmap *b, uint64_t iova, uint64_t size)
{
	return !b || (b->shift >= 12 && b->shift < 64 && iova >= b->base &&
		      (iova - b->base + size - 1) >> b->shift < b->bits);
}

int smmu_pgtable_do_dirty(struct smmu_pgtable *pt, uint64_t iova, uint64_t size,
			  enum smmu_dirty_step step, const struct smmu_dirty_bitmap *bitmap,
			  struct smmu_gather *gather)
{
	const struct dirty_walk d = {pt, step, bitmap, gather};
	uint64_t at = iova, last = iova + size - 1;
	int error = pt_check_range(pt, iova, size);

	if (error)
		return error;
	if (!pt->cfg.dirty || !has_all(bitmap, iova, size) || cuts_block(pt, iova) ||
	    cuts_block(pt, last + 1))
		return -SMMU_EINVAL;
	gather->granule_shift = pt->cfg.granule_shift;
	do {
		struct pt_at w = pt_descend(pt, pt_first(pt, at), at, PT_TYPE, PT_LAST_LEVEL);
		uint64_t span = SMMU_BIT(pt_shift(pt, w.level));
		uint64_t entries = pt_entries(pt, w.level);

		/* To the end of its table, or to where it goes down again. */
		for (at &= ~(span - 1); at <= last && w.index < entries; w.index++, at += span) {
			uint64_t desc = smmu_load(&w.table[w.index]);

			if (pt_is_table(w.level, desc))
				break;
			visit(&d, &w.table[w.index], desc, w.level, at, at + (span - 1));
		}
	} while (at <= last);
	return 0;
}

void smmu_pgtable_begin_clean(struct smmu_pgtable *pt, bool clean)
{
	smmu_store(&pt->writable, clean ? PT_DBM | PT_AP_DIRTY : PT_DBM);
}

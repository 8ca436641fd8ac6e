/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file resize.c
 * Tables that change their size while they are used: a block becomes a table, a table a block, and an empty one goes.
 *
 * What is translated stays what it was, at each moment: a walk finds the block or the table, each complete. What may go wrong is
 * in the caches alone, where entries of both sizes may stand side by side. Level 2 of BBML bears that; with level 1 a
 * block is marked nT first, and last, so that none of it is cached beside pages (IHI 0070 G.b, 3.21.1.2); a part of
 * level 0 does not, and is not asked to. In between the caller sweeps.
 *
 * A table that was replaced stays as it is until the sweep is confirmed: walks may be in it. If it is not, it takes its place again, so
 * that nothing is lost but the time. Where walkers mark leaves (dirty.c) they may still do so in the table that a block has replaced; what was marked in it
 * meanwhile is taken over by the block.
 */
#include "pgtable_internal.h"

/* What of a leaf may differ from its neighbours': where it leads, and its dirty state. */
static uint64_t alike(const struct smmu_pgtable *pt, uint64_t desc)
{
	desc &= ~(pt->address_mask | pt->high_bits);
	return desc & PT_DBM ? desc & ~PT_AP_DIRTY : desc;
}

static bool is_dirty(const struct smmu_pgtable *pt, uint64_t desc)
{
	return desc & PT_DBM && !(desc & PT_AP_DIRTY) == (pt->cfg.stage == 1);
}

/* ---- Split ---- */

/** The leaves of a table in place of block @p desc of @p level: the same, in smaller pieces. */
static void fill_from(const struct smmu_pgtable *pt, uint64_t *table, uint64_t desc, unsigned level)
{
	uint64_t pa = pt_decode_address(pt, desc & ~PT_NT);
	uint64_t bits = desc & ~(pt_encode_address(pt, pa) | PT_NT);
	uint64_t span = SMMU_BIT(pt_shift(pt, level + 1));

	if (level + 1 == PT_LAST_LEVEL)
		bits |= PT_TABLE_OR_PAGE;
	for (uint64_t i = 0; i <= pt->index_mask; i++)
		smmu_store(&table[i], bits | pt_encode_address(pt, pa + i * span));
	pt_clean(pt, table, pt->index_mask + 1u);
}

/** Put a table where @p at has a block; a mark that comes in between is taken along. */
static int make_table(struct smmu_pgtable *pt, struct pt_at at)
{
	uint64_t *table, bus, desc, *slot = &at.table[at.index];
	int error = smmu_pgtable_alloc_table(pt, pt_table_size(pt), 0, &table, &bus);

	if (error)
		return error;
	desc = pt_encode_address(pt, bus) | PT_TYPE;
	do {
		fill_from(pt, table, at.desc, at.level);
		/* As for a new table (map.c): its contents before the way to it. */
		SMMU_BARRIER(map_table_filled, smmu_dma_wmb());
	} while (!smmu_compare_exchange(slot, &at.desc, desc));
	if (!pt->cfg.coherent) {
		pt_clean(pt, slot, 1);
		SMMU_BARRIER(map_slot_cleaned, smmu_store_release(slot, desc | PT_SW_CLEANED));
	}
	return 0;
}

/** Set or clear nT of the block at @p slot. */
static void turn_nt(const struct smmu_pgtable *pt, uint64_t *slot, bool on)
{
	uint64_t desc = smmu_load(slot);

	while (!smmu_compare_exchange(slot, &desc, on ? desc | PT_NT : desc & ~PT_NT))
		;
	pt_clean(pt, slot, 1);
}

int smmu_pgtable_do_split(struct smmu_pgtable *pt, uint64_t iova, unsigned bbml,
			  struct smmu_gather *gather)
{
	struct pt_at at;
	uint64_t span;
	int error;

	if (iova & pt->page_mask)
		return -SMMU_EINVAL;
	/* Behind the last there is no block. */
	if (iova >= pt->input_size)
		return iova == pt->input_size ? 0 : -SMMU_ERANGE;
	at = pt_descend(pt, pt_first(pt, iova), iova, PT_TYPE, PT_LAST_LEVEL);
	span = SMMU_BIT(pt_shift(pt, at.level));
	if (!pt_is_valid(at.desc) || !(iova & (span - 1)))
		return 0;
	if (!bbml)
		return -SMMU_EOPNOTSUPP;
	if (bbml == 1 && !(at.desc & PT_NT)) {
		turn_nt(pt, &at.table[at.index], true);
	} else {
		error = make_table(pt, at);
		if (error) {
			if (at.desc & PT_NT)
				turn_nt(pt, &at.table[at.index], false);
			return error;
		}
	}
	gather->granule_shift = pt->cfg.granule_shift;
	iova &= ~(span - 1);
	/* Entries of the block go, whatever there is of the table may. */
	smmu_gather_table(gather, iova, iova + (span - 1), pt_shift(pt, PT_LAST_LEVEL), 0);
	return 1;
}

void smmu_pgtable_do_split_not_swept(struct smmu_pgtable *pt, uint64_t iova)
{
	struct pt_at at = pt_descend(pt, pt_first(pt, iova), iova, PT_TYPE, PT_LAST_LEVEL);

	if (pt_is_valid(at.desc) && at.level < PT_LAST_LEVEL && at.desc & PT_NT)
		turn_nt(pt, &at.table[at.index], false);
}

/* ---- Join ---- */

/** The block of @p level that is the same as @p table, but for its marks, which come later; 0: there is none. */
static uint64_t block_like(const struct smmu_pgtable *pt, const uint64_t *table, unsigned level)
{
	const unsigned below = level + 1;
	const uint64_t nt = below < PT_LAST_LEVEL ? PT_NT : 0, span = SMMU_BIT(pt_shift(pt, below));
	uint64_t first = smmu_load(&table[0]), pa;

	if (!pt_is_valid(first) || pt_is_table(below, first))
		return 0;
	pa = pt_decode_address(pt, first);
	if (pa & (SMMU_BIT(pt_shift(pt, level)) - 1))
		return 0;
	for (uint64_t i = 0; i <= pt->index_mask; i++) {
		uint64_t desc = smmu_load(&table[i]);

		if (!pt_is_valid(desc) || pt_is_table(below, desc) || desc & nt ||
		    alike(pt, desc) != alike(pt, first) ||
		    pt_decode_address(pt, desc) != pa + i * span)
			return 0;
	}
	return first & ~PT_TABLE_OR_PAGE;
}

/** Store @p desc in place of the table at which @p w stands, for @p at. */
static void replace(const struct smmu_pgtable *pt, struct pt_at w, uint64_t at, uint64_t desc,
		    struct smmu_resized *done)
{
	uint32_t n = done->count++;

	done->slot[n] = &w.table[w.index];
	done->was[n] = w.desc;
	done->table[n] = pt_table(pt, w.desc);
	done->iova[n] = at;
	done->level[n] = (uint8_t)w.level;
	smmu_store(done->slot[n], desc);
	pt_clean(pt, done->slot[n], 1);
}

/** From *@p at on the next descriptor of @p level of which the range has all, and that is a table. */
static bool next_table(const struct smmu_pgtable *pt, unsigned level, uint64_t *at, uint64_t end,
		       struct pt_at *w)
{
	uint64_t span = SMMU_BIT(pt_shift(pt, level));

	while (*at < end && end - *at >= span) {
		uint64_t skip;

		*w = pt_descend(pt, pt_first(pt, *at), *at, PT_TYPE, level);
		if (w->level == level && pt_is_table(level, w->desc))
			return true;
		skip = SMMU_BIT(pt_shift(pt, w->level));
		*at = (*at & ~(skip - 1)) + skip;
	}
	return false;
}

/** The first address of the range at which a descriptor of @p level begins. */
static uint64_t first_of(const struct smmu_pgtable *pt, unsigned level, uint64_t iova)
{
	uint64_t span = SMMU_BIT(pt_shift(pt, level));

	return (iova + span - 1) & ~(span - 1);
}

int smmu_pgtable_do_join(struct smmu_pgtable *pt, uint64_t iova, uint64_t size, unsigned bbml,
			 struct smmu_resized *done, struct smmu_gather *gather)
{
	unsigned top = pt->block_level > pt->start_level ? pt->block_level : pt->start_level;
	int error = pt_check_range(pt, iova, size);

	done->count = 0;
	/* From the smallest up: what they become may make a larger one the next time. */
	for (unsigned level = PT_LAST_LEVEL - 1; !error && level >= top && !done->count; level--) {
		uint64_t at = first_of(pt, level, iova), span = SMMU_BIT(pt_shift(pt, level));
		struct pt_at w;

		for (;
		     done->count < SMMU_RESIZED_MAX && next_table(pt, level, &at, iova + size, &w);
		     at += span) {
			uint64_t block = block_like(pt, pt_table(pt, w.desc), level);

			if (!block)
				continue;
			if (!bbml)
				return -SMMU_EOPNOTSUPP;
			replace(pt, w, at, bbml == 1 ? block | PT_NT : block, done);
			gather->granule_shift = pt->cfg.granule_shift;
			smmu_gather_table(gather, at, at + (span - 1), pt_shift(pt, PT_LAST_LEVEL),
					  0);
		}
	}
	return error ? error : (int)done->count;
}

/* ---- Tables in which there is nothing ---- */

int smmu_pgtable_do_reclaim(struct smmu_pgtable *pt, uint64_t iova, uint64_t size,
			    struct smmu_resized *done, struct smmu_gather *gather)
{
	int error = pt_check_range(pt, iova, size);

	done->count = 0;
	/* From the smallest up: a table of empty tables is one, the next time. */
	for (unsigned level = PT_LAST_LEVEL; !error && !done->count && level-- > pt->start_level;) {
		uint64_t at = first_of(pt, level, iova), span = SMMU_BIT(pt_shift(pt, level));
		struct pt_at w;

		for (;
		     done->count < SMMU_RESIZED_MAX && next_table(pt, level, &at, iova + size, &w);
		     at += span) {
			if (pt_is_valid(pt_scan(pt_table(pt, w.desc), pt->index_mask + 1u).any))
				continue;
			replace(pt, w, at, 0, done);
			gather->granule_shift = pt->cfg.granule_shift;
			smmu_gather_table(gather, at, at + (span - 1), pt_shift(pt, level + 1),
					  level + 1);
		}
	}
	return error ? error : (int)done->count;
}

/* ---- After the sweep ---- */

/** Make all of a table dirty. */
static void soil(const struct smmu_pgtable *pt, uint64_t *table)
{
	for (uint64_t i = 0; i <= pt->index_mask; i++) {
		uint64_t desc = smmu_load(&table[i]);

		while (desc & PT_DBM && !is_dirty(pt, desc) &&
		       !smmu_compare_exchange(&table[i], &desc, desc ^ PT_AP_DIRTY))
			;
	}
}

/** The table @p n comes back: it was walked all the time, by pointers that are cached. */
static void restore(const struct smmu_pgtable *pt, const struct smmu_resized *done, uint32_t n)
{
	uint64_t desc = smmu_load(done->slot[n]);

	/* With what was marked in the block. */
	do {
		if (is_dirty(pt, desc))
			soil(pt, done->table[n]);
	} while (!smmu_compare_exchange(done->slot[n], &desc, done->was[n]));
	pt_clean(pt, done->slot[n], 1);
}

/** Nothing leads to the table @p n any more: take its marks, and let it go. */
static void let_go(const struct smmu_pgtable *pt, const struct smmu_resized *done, uint32_t n,
		   struct smmu_gather *gather)
{
	const struct smmu_port *port = pt->cfg.port;
	unsigned shift = pt_shift(pt, done->level[n]);
	uint64_t desc = smmu_load(done->slot[n]);
	bool dirty = false;

	for (uint64_t i = 0; pt->cfg.dirty && i <= pt->index_mask; i++)
		dirty |= is_dirty(pt, smmu_load(&done->table[n][i]));
	while (dirty && desc & PT_DBM && !is_dirty(pt, desc) &&
	       !smmu_compare_exchange(done->slot[n], &desc, desc ^ PT_AP_DIRTY))
		;
	if (pt_is_valid(desc) && desc & PT_NT) {
		turn_nt(pt, done->slot[n], false);
		gather->granule_shift = pt->cfg.granule_shift;
		smmu_gather_leaves(gather, done->iova[n], done->iova[n] + (SMMU_BIT(shift) - 1),
				   shift, done->level[n]);
	}
	port->ops->dma_free(port->ctx, done->table[n], (size_t)pt_table_size(pt));
}

void smmu_pgtable_do_resized_swept(struct smmu_pgtable *pt, const struct smmu_resized *done,
				   bool confirmed, struct smmu_gather *gather)
{
	for (uint32_t n = 0; n < done->count; n++) {
		if (confirmed)
			let_go(pt, done, n, gather);
		else
			restore(pt, done, n);
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plans: the exact cover of a range by the fewest commands.
 *
 * A TLBI with a range covers (NUM + 1) * 2^SCALE granules from its address on, NUM + 1 being 1 to 32. The number of
 * granules is cut into such terms from its lowest set bit upward: each term takes the five bits that begin there,
 * so it leaves a number with those five bits clear, and no sum of fewer terms has the same value
 * (tests/inv/test_plan.c holds this against exhaustive search).
 *
 * An ATC_INV covers an aligned power of two of 4 KiB pages. The fewest aligned blocks that cover a range exactly are
 * found by always taking the largest that begins at the current page and still fits.
 */
#include "sweep.h"

#define TLBI_MAX_DEFAULT 512u
#define SCALE_MAX 31u
#define TERM_MAX 32u

/** The next term of @p left granules: its scale, and how many units of 2^scale it takes. */
static uint64_t range_term(uint64_t left, unsigned *scale)
{
	unsigned s = (unsigned)__builtin_ctzll(left);
	uint64_t units;

	if (s >= SCALE_MAX) {
		s = SCALE_MAX;
		units = smmu_min64(left >> s, TERM_MAX);
	} else {
		units = (left >> s) & (TERM_MAX - 1);
	}
	*scale = s;
	return units;
}

static uint64_t range_terms(uint64_t left)
{
	uint64_t n = 0;
	unsigned scale;

	while (left) {
		uint64_t units = range_term(left, &scale);

		left -= units << scale;
		n++;
	}
	return n;
}

void smmu_tlbi_plan_init(struct smmu_tlbi_plan *p, const struct smmu_gather *g, bool range,
			 uint32_t max)
{
	unsigned granule = g->granule_shift;
	/* Without range commands one command reaches one leaf, wherever in it the address is. */
	unsigned unit = range || !g->leaf_shift ? granule : g->leaf_shift;
	uint64_t units, count;

	*p = (struct smmu_tlbi_plan){.shift = (uint8_t)unit, .range = range};
	if (smmu_gather_empty(g))
		return;
	p->addr = g->start >> unit << unit;
	units = ((g->last - p->addr) >> unit) + 1;
	p->left = units;
	p->w1 = g->tables ? 0 : SMMU_CMD_TLBI_W1_LEAF;
	if (range) {
		/*
		 * A wrong level hint would miss: the gather has one only if it holds for the whole range. With Leaf = 0 it is
		 * that of the leaves, and table descriptors of all levels above go too (IHI 0070 G.b, 4.4.1.1).
		 */
		p->w1 |= smmu_field_prep(SMMU_CMD_TLBI_W1_TTL, g->level);
		p->w1 |= smmu_field_prep(SMMU_CMD_TLBI_W1_TG, smmu_cmd_tlbi_tg(granule));
	}
	count = range ? range_terms(units) : units;
	p->whole = count > (max ? max : TLBI_MAX_DEFAULT);
	p->count = p->whole ? 1 : (uint32_t)count;
}

bool smmu_tlbi_plan_next(struct smmu_tlbi_plan *p, uint64_t *w0, uint64_t *w1)
{
	unsigned scale = 0;
	uint64_t units = 1, term;

	if (!p->left)
		return false;
	*w0 = 0;
	*w1 = p->w1;
	if (p->range) {
		units = range_term(p->left, &scale);
		if (units == 1 && scale == 0 && !(p->w1 & SMMU_CMD_TLBI_W1_TTL)) {
			/* NUM, SCALE and TTL all 0 under a TG is reserved: name the one address without TG. */
			*w1 &= ~SMMU_CMD_TLBI_W1_TG;
		} else {
			*w0 = smmu_field_prep(SMMU_CMD_TLBI_W0_NUM, units - 1) |
			      smmu_field_prep(SMMU_CMD_TLBI_W0_SCALE, scale);
		}
	}
	*w1 |= p->addr & SMMU_CMD_TLBI_W1_ADDR;
	term = units << scale;
	p->left -= term;
	p->addr += term << p->shift;
	return true;
}

/** log2 of the pages of the largest aligned block at @p page that does not pass @p last. */
static unsigned atc_block(uint64_t page, uint64_t last)
{
	uint64_t pages = last - page + 1; /* pages are 52-bit numbers: no overflow */
	unsigned fits = 63 - (unsigned)__builtin_clzll(pages);
	unsigned aligned = page ? (unsigned)__builtin_ctzll(page) : 63;

	return fits < aligned ? fits : aligned;
}

static uint32_t atc_count(uint64_t page, uint64_t last)
{
	uint32_t n = 0;

	for (;;) {
		uint64_t end = page + (SMMU_BIT(atc_block(page, last)) - 1);

		n++;
		if (end == last)
			return n;
		page = end + 1;
	}
}

void smmu_atc_plan_init(struct smmu_atc_plan *p, uint64_t start, uint64_t last, uint32_t max)
{
	uint64_t mask;

	*p = (struct smmu_atc_plan){.page = start >> SMMU_ATC_PAGE_SHIFT,
				    .last = last >> SMMU_ATC_PAGE_SHIFT};
	if (last < start) {
		p->done = true;
		return;
	}
	p->count = atc_count(p->page, p->last);
	/*
	 * Over the bound: round both ends out, a bit more each time, until the blocks are few enough. One block is always
	 * reached: at the latest the one of all 2^52 pages.
	 */
	for (mask = 1; max && p->count > max; mask = mask << 1 | 1) {
		p->page &= ~mask;
		p->last |= mask;
		p->count = atc_count(p->page, p->last);
	}
}

bool smmu_atc_plan_next(struct smmu_atc_plan *p, uint64_t *w1)
{
	unsigned order;
	uint64_t end;

	if (p->done)
		return false;
	order = atc_block(p->page, p->last);
	end = p->page + (SMMU_BIT(order) - 1);
	*w1 = p->page << SMMU_ATC_PAGE_SHIFT | smmu_field_prep(SMMU_CMD_ATC_INV_W1_SIZE, order);
	p->done = end == p->last;
	p->page = end + 1;
	return true;
}

/* ---- For sweeps: runs of commands that differ by the address only ---- */

bool smmu_inv_tlbi_step(struct smmu_tlbi_plan *p, struct smmu_inv_step *step)
{
	if (p->range) {
		step->add = 0;
		step->count = smmu_tlbi_plan_next(p, &step->w0, &step->w1);
		return step->count;
	}
	/* Units are of 4096 bytes at least: their sum stays clear of the fields below the address. */
	*step = (struct smmu_inv_step){
		.w1 = p->w1 | p->addr, .add = SMMU_BIT(p->shift), .count = (uint32_t)p->left};
	p->left = 0;
	return step->count != 0;
}

bool smmu_inv_atc_step(struct smmu_atc_plan *p, struct smmu_inv_step *step)
{
	step->w0 = step->add = 0;
	step->count = smmu_atc_plan_next(p, &step->w1);
	return step->count;
}

void smmu_inv_plan_many(struct smmu_inv_plan *plan, const struct smmu_gather *range)
{
	const struct smmu_inv_target *t = plan->target;

	smmu_tlbi_plan_init(&plan->tlbi, range, t->flags & SMMU_INV_RANGE, t->tlbi_max);
	smmu_inv_tlbi_step(&plan->tlbi, &plan->tlbi_step);
	/* Quirks have programs of their own. */
	plan->single = !(t->flags & (SMMU_INV_SPLIT_ATC | SMMU_INV_TLBI_TWICE)) &&
		       plan->tlbi.count == 1 && !plan->tlbi.whole;
}

void smmu_inv_plan_spans(struct smmu_inv_plan *plan, const struct smmu_gather *range)
{
	smmu_atc_plan_init(&plan->atc, range->start, range->last, plan->target->atc_max);
	smmu_inv_atc_step(&plan->atc, &plan->atc_step);
	if (!plan->single || plan->atc.count == 1)
		return;
	/* The part for TLBs may have been left at the one command. */
	smmu_inv_plan_many(plan, range);
	plan->single = false;
}

void smmu_inv_plan_make(struct smmu_inv_plan *plan, const struct smmu_inv_group *g,
			const struct smmu_gather *range)
{
	if (!range) {
		plan->all = true;
		plan->single = false;
		return;
	}
	smmu_inv_plan_tlbi(plan, g->target, range);
	if (g->by_range)
		smmu_inv_plan_atc(plan, range);
}

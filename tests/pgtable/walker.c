/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file walker.c
 * See walker.h. Numbers are written out from the architecture's tables where the library computes them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "walker.h"

/* Which input address bits a level resolves: from the top to the given one. */
static const uint8_t shifts[3][4] = {
	{39, 30, 21, 12}, /* 4K */
	{55, 42, 29, 16}, /* 64K */
	{47, 36, 25, 14}, /* 16K */
};

static const uint8_t granules[3] = {12, 16, 14};

static unsigned tg_of(unsigned granule_shift)
{
	return granule_shift == 12 ? 0 : granule_shift == 16 ? 1 : 2;
}

unsigned walk_shift(unsigned granule_shift, unsigned level)
{
	return shifts[tg_of(granule_shift)][level];
}

bool walk_block_allowed(unsigned granule_shift, unsigned level)
{
	return level == 2 || (level == 1 && granule_shift == 12);
}

unsigned walk_granule(const struct walker *w)
{
	return granules[w->regs.tg];
}

struct walker walker_of(struct testport *tp, const struct smmu_pgtable *pt)
{
	struct walker w = {
		.tp = tp, .regs = pt->regs, .stage = pt->cfg.stage, .dirty = pt->cfg.dirty};

	return w;
}

static unsigned stage1_start(unsigned tg, unsigned t0sz)
{
	/* The largest T0SZ with which a walk starts at level 0, 1, 2. */
	static const uint8_t most[3][3] = {{24, 33, 42}, {0, 21, 34}, {16, 27, 38}};

	for (unsigned level = 0; level < 3; level++)
		if (t0sz <= most[tg][level])
			return level;
	return 3;
}

static unsigned stage2_start(unsigned tg, unsigned sl0)
{
	assert_true(sl0 <= 2);
	return tg == 0 ? 2 - sl0 : 3 - sl0;
}

static unsigned start_level(const struct walker *w)
{
	unsigned tg = w->regs.tg, input = 64u - w->regs.t0sz, level, alone;

	assert_true(tg <= 2);
	assert_in_range(w->regs.t0sz, 12, 39);
	/* Levels of the lower granules know no more, but with such descriptors; and 64K. */
	if (w->regs.t0sz < 16)
		assert_true(tg == 1 || w->regs.ds);
	if (w->stage == 1)
		return stage1_start(tg, w->regs.t0sz);
	level = stage2_start(tg, w->regs.sl0);
	/* The start level has to fit: at least two descriptors, at most 16 tables in a row. */
	alone = shifts[tg][level] + granules[tg] - 3;
	assert_true(input > shifts[tg][level]);
	assert_true(input <= alone + 4);
	/* Sizes for which the architecture knows no start without concatenation on a small output size. */
	if (tg == 0 && input <= 42)
		assert_int_not_equal(level, 0);
	if ((tg == 2 && input <= 40) || (tg == 1 && input <= 42))
		assert_true(level >= 2);
	return level;
}

/** Stage 1 of 4K with more than 48 bits begins at a level of its own. */
static bool has_level_minus_1(const struct walker *w)
{
	return w->stage == 1 && w->regs.tg == 0 && w->regs.t0sz < 16;
}

static uint64_t address_of(const struct walker *w, uint64_t desc)
{
	uint64_t address = desc & 0xfffffffff000ULL;

	if (w->regs.ds) /* OA[51:50] is in bits [9:8] */
		address = (desc & 0x3fffffffff000ULL) | (desc & 0x300ULL) << 42;
	else if (w->regs.tg == 1) /* 64K: OA[51:48] is in bits [15:12] */
		address = (desc & 0xffffffff0000ULL) | (desc & 0xf000ULL) << 36;
	if (w->regs.tg == 2)
		assert_int_equal(desc & 0x3000, 0);
	return address;
}

static unsigned decode_stage1(const struct walker *w, uint64_t desc)
{
	unsigned mair = (w->regs.mair >> (8 * ((desc >> 2) & 7))) & 0xff;
	unsigned ap = (desc >> 6) & 3, sh = (desc >> 8) & 3, prot = SMMU_PROT_READ;

	assert_int_equal(desc & 1ULL << 5, 0);      /* NS */
	assert_int_not_equal(desc & 1ULL << 11, 0); /* nG */
	/* UXN with PXN, and where the unprivileged have no other access. */
	assert_int_equal(desc >> 54 & 1, (desc >> 53 & 1) | !(ap & 1));
	if (desc >> 53 & 1)
		prot |= SMMU_PROT_NOEXEC;
	if (mair == 0x44)
		prot |= SMMU_PROT_NONCACHEABLE;
	else if (mair == 0x04)
		prot |= SMMU_PROT_DEVICE;
	else
		assert_int_equal(mair, 0xff);
	if (!w->regs.ds)
		assert_int_equal(sh, mair == 0xff ? 3 : 2);
	if (!(ap & 1))
		prot |= SMMU_PROT_PRIV;
	if (!(ap & 2))
		prot |= SMMU_PROT_WRITE;
	return prot;
}

static unsigned decode_stage2(const struct walker *w, uint64_t desc)
{
	unsigned attr = (desc >> 2) & 15, ap = (desc >> 6) & 3, sh = (desc >> 8) & 3, prot = 0;

	assert_int_equal(desc & 1ULL << 11, 0); /* FnXS / RES0 */
	assert_int_equal(desc >> 53 & 1, 0);    /* XN[0] */
	if (attr == 5)
		prot |= SMMU_PROT_NONCACHEABLE;
	else if (attr == 1)
		prot |= SMMU_PROT_DEVICE;
	else
		assert_int_equal(attr, 15);
	if (!w->regs.ds)
		assert_int_equal(sh, attr == 15 ? 3 : 2);
	if (ap & 1)
		prot |= SMMU_PROT_READ;
	else
		assert_int_equal(desc >> 54 & 1, 1); /* else it is executed, which reads */
	if (ap & 2)
		prot |= SMMU_PROT_WRITE;
	if (desc >> 54 & 1)
		prot |= SMMU_PROT_NOEXEC;
	assert_int_not_equal(ap, 0);
	return prot;
}

struct walk walk_at(const struct walker *w, uint64_t iova)
{
	static const uint8_t output_bits[7] = {32, 36, 40, 42, 44, 48, 52};
	unsigned tg = w->regs.tg, input = 64u - w->regs.t0sz, granule = granules[tg];
	unsigned level = start_level(w), output = output_bits[w->regs.ps];
	uint64_t entries = 1ULL << (input - shifts[tg][level]);
	uint64_t table = w->regs.ttb;
	struct walk found = {0};

	assert_int_equal(iova >> input, 0);
	/* The first table is aligned to its size, and at least to 64 bytes. */
	if (has_level_minus_1(w)) {
		uint64_t desc = testport_read(w->tp, table + (iova >> 48) * 8, w->shadow);

		assert_int_equal(table & 127, 0);
		assert_int_equal(table >> output, 0);
		/* A table; there are no blocks. */
		assert_int_equal(desc & 3, 3);
		assert_int_equal(desc >> 59, 0);
		assert_int_equal(desc & 0xcfc, 0);
		table = address_of(w, desc);
		entries = 512;
	}
	assert_int_equal(table & (entries * 8 - 1), 0);
	assert_int_equal(table & 63, 0);
	for (;; level++) {
		unsigned shift = shifts[tg][level];
		uint64_t index = (iova >> shift) % entries;
		uint64_t desc = testport_read(w->tp, table + index * 8, w->shadow);

		assert_int_equal(table >> output, 0);
		found.level = level;
		found.shift = shift;
		found.iova = iova >> shift << shift;
		if (!(desc & 1))
			return found;
		if (level < 3 && (desc & 2)) {
			/* No hierarchical attributes; 58:51 are the software's. */
			assert_int_equal(desc >> 59, 0);
			assert_int_equal(desc & (w->regs.ds ? 0xcfc : 0xffc), 0);
			table = address_of(w, desc);
			entries = 1ULL << (granule - 3);
			continue;
		}
		if (level < 3) {
			assert_true(walk_block_allowed(granule, level));
			desc &= ~(1ULL << 16); /* nT */
		} else {
			assert_int_equal(desc & 3, 3);
		}
		/* 63:55, 52, 50 and 49:48 but where they are of the address */
		assert_int_equal(
			desc & (w->regs.ds ? 0xff94000000000000ULL : 0xff97000000000000ULL), 0);
		/* DBM: it may be written, dirty or not. Without, nothing marks it. */
		assert_true(w->dirty || !(desc & 1ULL << 51));
		if (desc & 1ULL << 51)
			desc = w->stage == 1 ? desc & ~0x80ULL : desc | 0x80;
		else if (w->dirty)
			assert_int_equal(!(desc & 0x80), w->stage == 2);
		assert_int_not_equal(desc & 1ULL << 10, 0); /* AF */
		found.mapped = true;
		found.pa = address_of(w, desc);
		assert_int_equal(found.pa & ((1ULL << shift) - 1), 0);
		assert_int_equal(found.pa >> output, 0);
		found.prot = w->stage == 1 ? decode_stage1(w, desc) : decode_stage2(w, desc);
		return found;
	}
}

static unsigned count_below(const struct walker *w, uint64_t table, unsigned level, uint64_t base,
			    uint64_t entries, uint64_t first, uint64_t last)
{
	uint64_t span = 1ULL << shifts[w->regs.tg][level];
	unsigned count = 0;

	for (uint64_t i = 0; i < entries; i++) {
		uint64_t from = base + i * span, to = from + span - 1;
		uint64_t desc;

		if (to < first || from > last)
			continue;
		desc = testport_read(w->tp, table + i * 8, w->shadow);
		if ((desc & 3) != 3)
			continue;
		count += from >= first && to <= last;
		if (level < 2)
			count += count_below(w, address_of(w, desc), level + 1, from,
					     1ULL << (walk_granule(w) - 3), first, last);
	}
	return count;
}

unsigned walk_count_tables(const struct walker *w, uint64_t first, uint64_t last)
{
	unsigned level = start_level(w);
	unsigned input = 64u - w->regs.t0sz;

	if (level == 3)
		return 0;
	/* Those of level 0 belong to the first. */
	if (has_level_minus_1(w)) {
		unsigned count = 0;

		for (uint64_t i = 0; i < 1ULL << (input - 48); i++)
			count += count_below(
				w,
				address_of(w, testport_read(w->tp, w->regs.ttb + i * 8, w->shadow)),
				0, i << 48, 512, first, last);
		return count;
	}
	return count_below(w, w->regs.ttb, level, 0, 1ULL << (input - shifts[w->regs.tg][level]),
			   first, last);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file test_small.c
 * All of a small space: for a few geometries, each range between two of the places where something changes (the ends,
 * the boundaries of tables and blocks, one page to either side), mapped on top of a fixed background, and then each such
 * range unmapped, with and without SMMU_UNMAP_KNOWN. After each call the whole space is held against an array of pages,
 * by the architecture's walk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "walker.h"

#define RW (SMMU_PROT_READ | SMMU_PROT_WRITE)
#define PLACES 11u

/** The space: the first tables of the input addresses, as many pages as three blocks and a bit. */
static struct {
	struct testport tp;
	struct smmu_pgtable pt;
	unsigned granule;
	uint64_t pages;   /**< of the space */
	uint64_t *at;     /**< by page: output address | 1, or 0 */
	uint64_t *before; /**< the same, kept over a call */
	uint64_t place[PLACES];
} s;

static uint64_t bytes(uint64_t pages)
{
	return pages << s.granule;
}

static void check_space(void)
{
	struct walker w = walker_of(&s.tp, &s.pt);

	for (uint64_t p = 0; p < s.pages;) {
		struct walk walk = walk_at(&w, bytes(p));
		uint64_t stop = (walk.iova >> s.granule) + (SMMU_BIT(walk.shift) >> s.granule);

		for (; p < stop && p < s.pages; p++) {
			uint64_t want = s.at[p];
			uint64_t got = walk.mapped ? (walk.pa + (bytes(p) - walk.iova)) | 1 : 0;

			if (got != want)
				fail_msg("page %llx leads to %llx, not to %llx",
					 (unsigned long long)p, (unsigned long long)got,
					 (unsigned long long)want);
		}
	}
}

/** What a map of pages a … b - 1 to @p pa should do, by the array; returns what it should return. */
static int oracle_map(uint64_t a, uint64_t b, uint64_t pa)
{
	for (uint64_t p = a; p < b; p++)
		if (s.at[p])
			return -SMMU_EEXIST;
	for (uint64_t p = a; p < b; p++)
		s.at[p] = (pa + bytes(p - a)) | 1;
	return 0;
}

static int map(uint64_t a, uint64_t b, uint64_t pa)
{
	int want = oracle_map(a, b, pa);

	assert_int_equal(smmu_pgtable_map(&s.pt, bytes(a), pa, bytes(b - a), RW, 0), want);
	return want;
}

/** Are all pages from a to b - 1 mapped, and do no blocks reach over the ends? */
static bool whole_leaves(uint64_t a, uint64_t b)
{
	struct walker w = walker_of(&s.tp, &s.pt);
	struct walk last = walk_at(&w, bytes(b) - 1);

	for (uint64_t p = a; p < b; p++)
		if (!s.at[p])
			return false;
	return walk_at(&w, bytes(a)).iova == bytes(a) &&
	       last.iova + SMMU_BIT(last.shift) == bytes(b);
}

static void unmap(uint64_t a, uint64_t b, unsigned flags)
{
	struct smmu_freelist tables = {NULL};
	bool whole = whole_leaves(a, b);
	struct smmu_gather g;
	int err;

	smmu_gather_init(&g, 0);
	err = smmu_pgtable_unmap(&s.pt, bytes(a), bytes(b - a), flags, &g, &tables);
	if (whole)
		assert_int_equal(err, 0);
	else if (!flags)
		assert_true(err == -SMMU_ENOENT || err == -SMMU_EINVAL);
	if (err) {
		assert_true(smmu_gather_empty(&g));
		assert_null(tables.first);
		return;
	}
	assert_int_equal(g.start, bytes(a));
	assert_int_equal(g.last, bytes(b) - 1);
	assert_int_equal(g.tables, tables.first != NULL);
	memset(&s.at[a], 0, (size_t)(b - a) * sizeof(*s.at));
	smmu_pgtable_free_tables(&s.pt, &tables);
}

/** All pairs of places. */
static void each_range(void (*fn)(uint64_t a, uint64_t b, uint64_t arg), uint64_t arg)
{
	for (unsigned i = 0; i < PLACES; i++)
		for (unsigned j = i + 1; j < PLACES; j++)
			if (s.place[i] < s.place[j])
				fn(s.place[i], s.place[j], arg);
}

/** Remove all that the space holds. */
static void clear_space(void)
{
	struct walker w = walker_of(&s.tp, &s.pt);
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g;

	smmu_gather_init(&g, 0);
	for (uint64_t p = 0; p < s.pages;) {
		struct walk walk = walk_at(&w, bytes(p));

		if (walk.mapped)
			assert_int_equal(smmu_pgtable_unmap(&s.pt, walk.iova, SMMU_BIT(walk.shift),
							    0, &g, &tables),
					 0);
		p = (walk.iova + SMMU_BIT(walk.shift)) >> s.granule;
	}
	smmu_pgtable_free_tables(&s.pt, &tables);
	memset(s.at, 0, (size_t)s.pages * sizeof(*s.at));
}

/** The range a … b is unmapped from what the map that is under test left. */
static void unmap_one(uint64_t a, uint64_t b, uint64_t flags)
{
	struct walker w = walker_of(&s.tp, &s.pt);

	memcpy(s.before, s.at, (size_t)s.pages * sizeof(*s.at));
	unmap(a, b, (unsigned)flags);
	check_space();
	/* Put back what went, a run at a time. */
	for (uint64_t p = a; p < b;) {
		uint64_t from = p;

		if (s.at[p] || !s.before[p]) {
			p++;
			continue;
		}
		while (p < b && !s.at[p] && s.before[p] == s.before[from] + bytes(p - from))
			p++;
		assert_int_equal(smmu_pgtable_map(&s.pt, bytes(from), s.before[from] & ~1ULL,
						  bytes(p - from), RW, 0),
				 0);
		memcpy(&s.at[from], &s.before[from], (size_t)(p - from) * sizeof(*s.at));
	}
	assert_true(!s.at[a] || walk_at(&w, bytes(a)).mapped);
}

/** A fresh space with a background of a page and a block, the range a … b on top, and each range unmapped from it. */
static void map_one(uint64_t a, uint64_t b, uint64_t pa)
{
	uint64_t block = SMMU_BIT(walk_shift(s.granule, 2)) >> s.granule;

	map(block / 2, block / 2 + 1, 1 << 16);
	map(2 * block, 3 * block, bytes(16 * block));
	map(a, b, pa + bytes(a));
	check_space();
	each_range(unmap_one, 0);
	each_range(unmap_one, SMMU_UNMAP_KNOWN);
	clear_space();
	check_space();
}

static void all_of(unsigned stage, unsigned granule, unsigned ias)
{
	struct smmu_pgtable_config cfg = {.port = &s.tp.port,
					  .stage = (uint8_t)stage,
					  .granule_shift = (uint8_t)granule,
					  .ias = (uint8_t)ias,
					  .oas = 48,
					  .coherent = true};
	uint64_t block = SMMU_BIT(walk_shift(granule, 2)) >> granule;
	const uint64_t place[PLACES] = {0,         1,         block / 2,     block - 1,
					block,     block + 1, 2 * block - 1, 2 * block,
					3 * block, 3 * block, 3 * block + 9};

	memset(&s, 0, sizeof(s));
	s.granule = granule;
	s.pages = 3 * block + 16;
	memcpy(s.place, place, sizeof(place));
	s.at = calloc((size_t)s.pages, sizeof(*s.at));
	s.before = calloc((size_t)s.pages, sizeof(*s.before));
	testport_init(&s.tp, 48);
	assert_int_equal(smmu_pgtable_init(&s.pt, &cfg), 0);
	each_range(map_one, bytes(32 * block));     /* blocks where they fit */
	each_range(map_one, bytes(32 * block + 1)); /* pages alone */
	smmu_pgtable_destroy(&s.pt);
	testport_fini(&s.tp);
	free(s.at);
	free(s.before);
}

static void test_start_at_level_2(void **state)
{
	all_of(1, 12, 25);
}

static void test_four_levels(void **state)
{
	all_of(2, 12, 48);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_start_at_level_2),
	cmocka_unit_test(test_four_levels),
};

TESTPORT_MAIN(tests)

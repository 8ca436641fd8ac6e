/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How tables go away, and what a gather says of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "table.h"

static void test_tables_out_of_reach(void **state)
{
	struct smmu_pgtable_config cfg = table_config(1, 12, 48, 40, true);
	struct smmu_pgtable pt;
	uint64_t base;

	/* Moves a table to another bus address. */
	if (testport_linear)
		skip();
	testport_init(&tp, 44);
	assert_int_equal(smmu_pgtable_init(&pt, &cfg), -SMMU_ERANGE);
	assert_int_equal(tp.live, 0);
	base = tp.base;
	tp.base = 0;
	assert_int_equal(smmu_pgtable_init(&pt, &cfg), 0);
	tp.slot[tp.hint].bus += base;
	pt.regs.ttb += base;
	tp.base = base;
	assert_int_equal(smmu_pgtable_map(&pt, 0, 0, 4 * K, RW, 0), -SMMU_ERANGE);
	table_done(&pt);
}

static void test_whole_tables_go(void **state)
{
	struct smmu_pgtable pt = table_make(1, 12, 48, 48, true);
	struct walker w = walker_of(&tp, &pt);
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g;

	/* 512G: 1G blocks, one 1G of 2M blocks, and in the last 1G one 2M of pages. */
	assert_int_equal(smmu_pgtable_map(&pt, 512 * G, 0, 10 * G, RW, 0), 0);
	assert_int_equal(smmu_pgtable_map(&pt, 522 * G, 2 * M, G, RW, 0), 0);
	assert_int_equal(smmu_pgtable_map(&pt, 523 * G, 11 * G, 500 * G, RW, 0), 0);
	assert_int_equal(smmu_pgtable_map(&pt, 1023 * G, 11 * G, 6 * M, RW, 0), 0);
	assert_int_equal(smmu_pgtable_map(&pt, 1023 * G + 6 * M, 4 * K, 2 * M, RW, 0), 0);
	assert_int_equal(smmu_pgtable_map(&pt, 1023 * G + 8 * M, 16 * M, G - 8 * M, RW, 0), 0);
	assert_int_equal(tp.live, 5); /* the first; one of level 1, two of level 2, one of 3 */
	assert_int_equal(walk_count_tables(&w, 512 * G, 1024 * G - 1), 4);

	smmu_gather_init(&g, 12);
	assert_int_equal(smmu_pgtable_unmap(&pt, 512 * G, 512 * G, 0, &g, &tables), 0);
	assert_int_equal(g.start, 512 * G);
	assert_int_equal(g.last, 1024 * G - 1);
	assert_true(g.tables);
	assert_int_equal(g.leaf_shift, 12);
	assert_int_equal(g.level, 0);
	assert_int_equal(table_freelist_length(&tables), 4);
	assert_int_equal(tp.live, 5); /* until the fence */
	assert_false(walk_at(&w, 512 * G).mapped);
	assert_int_equal(walk_at(&w, 512 * G).level, 0);
	smmu_pgtable_free_tables(&pt, &tables);
	assert_int_equal(tp.live, 1);
	smmu_pgtable_free_tables(&pt, &tables);
	table_done(&pt);
}

static void test_partly_covered_tables_stay(void **state)
{
	struct smmu_pgtable pt = table_make(1, 12, 39, 48, true);
	struct walker w = walker_of(&tp, &pt);
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g;

	assert_int_equal(smmu_pgtable_map(&pt, 2 * M, 4 * K, 2 * M, RW, 0), 0);
	smmu_gather_init(&g, 12);
	assert_int_equal(smmu_pgtable_unmap(&pt, 2 * M, M, 0, &g, &tables), 0);
	assert_int_equal(smmu_pgtable_unmap(&pt, 3 * M, M, 0, &g, &tables), 0);
	assert_false(g.tables);
	assert_int_equal(g.level, 3);
	assert_int_equal(g.leaf_shift, 12);
	assert_int_equal(tp.live, 3);
	assert_int_equal(walk_at(&w, 2 * M).level, 3);

	/* The empty table is used by the next map: no block may replace it unfenced. */
	assert_int_equal(smmu_pgtable_map(&pt, 0, 0, 6 * M, RW, 0), 0);
	assert_int_equal(walk_at(&w, 0).shift, 21);
	assert_int_equal(walk_at(&w, 2 * M).shift, 12);
	assert_int_equal(walk_at(&w, 4 * M).shift, 21);
	assert_int_equal(tp.live, 3);

	/* It goes with an unmap of all that it covers; one gather collects several. */
	assert_int_equal(smmu_pgtable_map(&pt, 8 * M, 4 * K, 2 * M, RW, 0), 0);
	assert_int_equal(tp.live, 4);
	smmu_gather_init(&g, 12);
	assert_int_equal(smmu_pgtable_unmap(&pt, 0, 6 * M, 0, &g, &tables), 0);
	assert_int_equal(table_freelist_length(&tables), 1);
	assert_int_equal(smmu_pgtable_unmap(&pt, 8 * M, 2 * M, 0, &g, &tables), 0);
	assert_int_equal(table_freelist_length(&tables), 2);
	assert_int_equal(g.start, 0);
	assert_int_equal(g.last, 10 * M - 1);
	assert_true(g.tables);
	smmu_pgtable_free_tables(&pt, &tables);
	assert_int_equal(tp.live, 2);
	assert_int_equal(smmu_pgtable_map(&pt, 0, 0, 2 * M, RW, 0), 0);
	assert_int_equal(walk_at(&w, 0).shift, 21);
	table_done(&pt);
}

/** For a caller who knows: whole tables go unread, holes in them unnoticed; all else is checked as ever. */
static void test_unmap_known(void **state)
{
	struct smmu_pgtable pt = table_make(1, 12, 48, 48, true);
	struct walker w = walker_of(&tp, &pt);
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g, empty;

	smmu_gather_init(&g, 0);
	empty = g;
	assert_int_equal(smmu_pgtable_map(&pt, 2 * M, 4 * K, M, RW, 0), 0);
	/* Not whole: the hole is found, and nothing goes. */
	assert_int_equal(
		smmu_pgtable_unmap(&pt, 2 * M, 2 * M - 4 * K, SMMU_UNMAP_KNOWN, &g, &tables),
		-SMMU_ENOENT);
	assert_int_equal(
		smmu_pgtable_unmap(&pt, 2 * M, 2 * M + 4 * K, SMMU_UNMAP_KNOWN, &g, &tables),
		-SMMU_ENOENT);
	assert_int_equal(smmu_pgtable_unmap(&pt, 6 * M, 2 * M, SMMU_UNMAP_KNOWN, &g, &tables),
			 -SMMU_ENOENT);
	assert_int_equal(smmu_pgtable_unmap(&pt, 2 * M, 2 * M, 0, &g, &tables), -SMMU_ENOENT);
	assert_int_equal(smmu_pgtable_unmap(&pt, 2 * M, 4 * K, 2, &g, &tables), -SMMU_EINVAL);
	assert_memory_equal(&g, &empty, sizeof(g));
	assert_null(tables.first);
	assert_true(walk_at(&w, 2 * M).mapped);
	/* Whole. */
	assert_int_equal(smmu_pgtable_unmap(&pt, 2 * M, 2 * M, SMMU_UNMAP_KNOWN, &g, &tables), 0);
	assert_int_equal(walk_at(&w, 2 * M).level, 2);
	assert_int_equal(table_freelist_length(&tables), 1);
	assert_int_equal(g.start, 2 * M);
	assert_int_equal(g.last, 4 * M - 1);
	assert_int_equal(g.level, 3);
	assert_int_equal(g.leaf_shift, 12);
	assert_int_equal(g.granule_shift, 12);
	assert_true(g.tables);
	/* A block that is cut stays. */
	assert_int_equal(smmu_pgtable_map(&pt, 2 * M, 2 * M, 2 * M, RW, 0), 0);
	assert_int_equal(smmu_pgtable_unmap(&pt, 2 * M, M, SMMU_UNMAP_KNOWN, &g, &tables),
			 -SMMU_EINVAL);
	assert_true(walk_at(&w, 2 * M).mapped);
	smmu_pgtable_free_tables(&pt, &tables);
	table_done(&pt);
}

/** One page mapped and unmapped leaves an empty table, which then counts as if it held a page. */
static void leave_empty_table(struct smmu_pgtable *pt, uint64_t iova)
{
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g;

	smmu_gather_init(&g, 0);
	assert_int_equal(smmu_pgtable_map(pt, iova, 0, 4 * K, RW, 0), 0);
	assert_int_equal(smmu_pgtable_unmap(pt, iova, 4 * K, 0, &g, &tables), 0);
	assert_null(tables.first);
}

/** The level hint holds for all leaves, and for the descriptors of all tables that went with them. */
static void test_level_of_tables(void **state)
{
	static const struct {
		uint64_t pages, blocks, empty; /* sizes mapped from 512G, 513G and left at 514G */
		uint64_t empty1;               /* the same, then a table of level 2 left */
		unsigned level, leaf_shift, tables;
	} want[] = {
		{4 * K, 0, 0, 0, 3, 12, 3},
		{0, 4 * M, 0, 0, 2, 21, 2},
		{0, 2 * G, 0, 0, 1, 30, 1},
		{4 * K, 4 * M, 0, 0, 0, 12, 4},
		{0, G + 2 * M, 0, 0, 0, 21, 2},
		{0, 4 * M, 1, 0, 0, 12, 4},
		{4 * K, 0, 1, 0, 3, 12, 5},
		{0, G, 0, 1, 0, 21, 2},
		{0, 4 * M, 0, 1, 2, 21, 3},
		/* Pages, and a block in the table that leads to them. */
		{2 * M + 4 * K, 0, 0, 0, 0, 12, 3},
	};

	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(want); i++) {
		struct smmu_pgtable pt = table_make(1, 12, 48, 48, true);
		struct smmu_freelist tables = {NULL};
		struct smmu_gather g;

		if (want[i].pages)
			assert_int_equal(smmu_pgtable_map(&pt, 512 * G, 0, want[i].pages, RW, 0),
					 0);
		if (want[i].blocks)
			assert_int_equal(smmu_pgtable_map(&pt, 513 * G, 0, want[i].blocks, RW, 0),
					 0);
		if (want[i].empty)
			leave_empty_table(&pt, 516 * G);
		if (want[i].empty1) {
			leave_empty_table(&pt, 517 * G);
			/* With the one of level 3 gone, that of level 2 is empty too. */
			smmu_gather_init(&g, 0);
			assert_int_equal(smmu_pgtable_unmap(&pt, 517 * G, 2 * M, SMMU_UNMAP_KNOWN,
							    &g, &tables),
					 0);
			smmu_pgtable_free_tables(&pt, &tables);
		}
		smmu_gather_init(&g, 0);
		assert_int_equal(
			smmu_pgtable_unmap(&pt, 512 * G, 512 * G, SMMU_UNMAP_KNOWN, &g, &tables),
			0);
		assert_true(g.tables);
		assert_int_equal(g.level, want[i].level);
		assert_int_equal(g.leaf_shift, want[i].leaf_shift);
		assert_int_equal(table_freelist_length(&tables), want[i].tables);
		smmu_pgtable_free_tables(&pt, &tables);
		table_done(&pt);
	}
}

/** A gather goes on over any number of unmaps of tables of one granule. */
static void test_gather_adds_up(void **state)
{
	struct smmu_pgtable pt = table_make(2, 14, 40, 48, true);
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g;

	assert_int_equal(smmu_pgtable_map(&pt, 0, 0, 64 * K, RW, 0), 0);
	smmu_gather_init(&g, 12);
	assert_int_equal(smmu_pgtable_unmap(&pt, 0, 16 * K, 0, &g, &tables), -SMMU_EINVAL);
	smmu_gather_init(&g, 0);
	assert_true(smmu_gather_empty(&g));
	assert_int_equal(smmu_pgtable_unmap(&pt, 48 * K, 16 * K, 0, &g, &tables), 0);
	assert_int_equal(smmu_pgtable_unmap(&pt, 0, 16 * K, 0, &g, &tables), 0);
	assert_int_equal(g.granule_shift, 14);
	assert_int_equal(g.start, 0);
	assert_int_equal(g.last, 64 * K - 1);
	assert_int_equal(g.level, 3);
	assert_int_equal(g.leaf_shift, 14);
	/* A block beside the pages: the hint goes, and the smallest leaf stays. */
	assert_int_equal(smmu_pgtable_map(&pt, 64 * M, 0, 32 * M, RW, 0), 0);
	assert_int_equal(smmu_pgtable_unmap(&pt, 64 * M, 32 * M, 0, &g, &tables), 0);
	assert_int_equal(g.level, 0);
	assert_int_equal(g.leaf_shift, 14);
	assert_int_equal(g.last, 96 * M - 1);
	table_done(&pt);
}

/** What an embedder's own gather says, in the words of this one. */
static void test_range_of_an_embedder(void **state)
{
	struct smmu_gather g;

	smmu_gather_range(&g, 12, 0x5000, 0x8fff, 12, false);
	assert_int_equal(g.start, 0x5000);
	assert_int_equal(g.last, 0x8fff);
	assert_int_equal(g.granule_shift, 12);
	assert_int_equal(g.level, 3);
	assert_int_equal(g.leaf_shift, 12);
	assert_false(g.tables);
	/* Blocks: to their ends, as a level hint demands. */
	smmu_gather_range(&g, 12, 2 * M, 6 * M - 4097, 21, true);
	assert_int_equal(g.start, 2 * M);
	assert_int_equal(g.last, 6 * M - 1);
	assert_int_equal(g.level, 2);
	assert_true(g.tables);
	smmu_gather_range(&g, 12, G, 2 * G - 1, 30, false);
	assert_int_equal(g.level, 1);
	smmu_gather_range(&g, 16, 512 * M, G - 1, 29, false);
	assert_int_equal(g.level, 2);
	smmu_gather_range(&g, 14, 32 * M, 64 * M - 1, 25, false);
	assert_int_equal(g.level, 2);
	/* Unknown, and a size that is no leaf's: a contiguous run may be held as single pages. */
	for (unsigned i = 0; i < 2; i++) {
		smmu_gather_range(&g, 12, 0x13000, 0x22fff, i ? 16 : 0, false);
		assert_int_equal(g.start, 0x13000);
		assert_int_equal(g.last, 0x22fff);
		assert_int_equal(g.level, 0);
		assert_int_equal(g.leaf_shift, 12);
	}
	/* To the end of the address space, and bytes rounded to the granule. */
	smmu_gather_range(&g, 16, 0x12345, UINT64_MAX, 0, true);
	assert_int_equal(g.start, 0x10000);
	assert_true(g.last == UINT64_MAX);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_tables_out_of_reach),
	cmocka_unit_test(test_whole_tables_go),
	cmocka_unit_test(test_partly_covered_tables_stay),
	cmocka_unit_test(test_unmap_known),
	cmocka_unit_test(test_level_of_tables),
	cmocka_unit_test(test_gather_adds_up),
	cmocka_unit_test(test_range_of_an_embedder),
};

TESTPORT_MAIN(tests)

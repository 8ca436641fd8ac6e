/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walkers that do not snoop, and the races for a table that can be forced on one thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "table.h"

static struct smmu_pgtable *racing;

/** Another processor maps the neighbour while the table for both is being allocated. */
static void map_neighbour(struct testport *port)
{
	assert_int_equal(smmu_pgtable_map(racing, 4 * K, 2 * M, 4 * K, RW, 0), 0);
	port->on_alloc = NULL;
	racing = NULL;
}

static void test_lost_race_for_a_table(void **state)
{
	for (unsigned coherent = 0; coherent < 2; coherent++) {
		struct smmu_pgtable pt = table_make(1, 12, 48, 48, coherent);
		struct walker w = walker_of(&tp, &pt);

		racing = &pt;
		tp.on_alloc = map_neighbour;
		assert_int_equal(smmu_pgtable_map(&pt, 0, M, 4 * K, RW, 0), 0);
		tp.on_alloc = NULL;
		assert_int_equal(walk_at(&w, 0).pa, M);
		assert_int_equal(walk_at(&w, 4 * K).pa, 2 * M);
		assert_int_equal(tp.live, 4);
		assert_int_equal(tp.allocs, 5); /* one for nothing */
		table_done(&pt);
	}
}

/** A walker that does not snoop follows what is cleaned: each table before the way to it. */
static void check_order(struct testport *port, const void *va, size_t size)
{
	for (const uint64_t *d = va; size; d++, size -= 8)
		if ((*d & 3) == 3 && (*d & SMMU_BIT(10)) == 0)
			assert_int_equal(testport_read(port, *d & 0xfffffffff000ULL, true), 0);
}

static unsigned hooked, race_at;

/**
 * Another processor maps the neighbour after the table number race_at was hooked and before its descriptor was
 * cleaned. When that map returns, its page has to be visible, though the one who hooked the table has not gone on.
 */
static void map_before_clean(struct testport *port, const void *va, size_t size)
{
	struct walker w = walker_of(port, racing);
	uint64_t iova = 512 * G + 4 * K;

	if (size != 8 || (*(const uint64_t *)va & (SMMU_BIT(10) | 3)) != 3)
		return; /* not the descriptor of a table */
	if (++hooked != race_at)
		return;
	assert_int_equal(smmu_pgtable_map(racing, iova, iova, 4 * K, RW, 0), 0);
	w.shadow = true;
	assert_true(walk_at(&w, iova).mapped);
}

static void test_walker_that_does_not_snoop(void **state)
{
	for (unsigned stage = 1; stage <= 2; stage++) {
		struct smmu_pgtable pt = table_make(stage, 12, 48, 48, false);
		struct walker w = walker_of(&tp, &pt);
		struct smmu_freelist tables = {NULL};
		struct smmu_gather g;

		w.shadow = true;
		assert_false(walk_at(&w, 0).mapped); /* the first table as well */
		tp.on_clean = check_order;
		assert_int_equal(smmu_pgtable_map(&pt, 6 * M, 6 * M, 2 * M + 4 * K, RW, 0), 0);
		assert_true(walk_at(&w, 6 * M).mapped && walk_at(&w, 8 * M).mapped);
		smmu_gather_init(&g, 12);
		assert_int_equal(smmu_pgtable_unmap(&pt, 6 * M, 2 * M, 0, &g, &tables), 0);
		assert_false(walk_at(&w, 6 * M).mapped);
		assert_int_equal(smmu_pgtable_unmap(&pt, 8 * M, 4 * K, 0, &g, &tables), 0);
		assert_false(walk_at(&w, 8 * M).mapped);
		assert_int_equal(smmu_pgtable_map(&pt, G, 4 * K, 2 * M, RW, 0), 0);
		assert_int_equal(smmu_pgtable_unmap(&pt, G, 2 * M, 0, &g, &tables), 0);
		assert_int_equal(walk_at(&w, G).level, 2);
		smmu_pgtable_free_tables(&pt, &tables);

		table_done(&pt);
	}
}

/* The mark that a table's descriptor carries there is no part of its address. */
static void test_lookup_where_tables_are_marked(void **state)
{
	for (unsigned ias = 39; ias <= 48; ias += 9) {
		struct smmu_pgtable pt = table_make(1, 12, ias, 48, false);
		uint64_t pa;

		assert_int_equal(smmu_pgtable_map(&pt, 5 * G, 7 * G + 4 * K, 4 * K, RW, 0), 0);
		assert_int_equal(smmu_pgtable_map(&pt, 5 * G + 2 * M, 8 * G, 2 * M, RW, 0), 0);
		assert_int_equal(smmu_pgtable_iova_to_phys(&pt, 5 * G + 5, &pa, NULL), 0);
		assert_int_equal(pa, 7 * G + 4 * K + 5);
		assert_int_equal(smmu_pgtable_iova_to_phys(&pt, 5 * G + 3 * M, &pa, NULL), 0);
		assert_int_equal(pa, 8 * G + M);
		assert_int_equal(smmu_pgtable_iova_to_phys(&pt, 5 * G + 4 * K, &pa, NULL),
				 -SMMU_EFAULT);
		table_done(&pt);
	}
}

static void test_neighbour_before_the_clean(void **state)
{
	for (unsigned stage = 1; stage <= 2; stage++)
		for (race_at = 1; race_at <= 3; race_at++) {
			struct smmu_pgtable pt = table_make(stage, 12, 48, 48, false);

			racing = &pt;
			hooked = 0;
			tp.on_clean = map_before_clean;
			assert_int_equal(smmu_pgtable_map(&pt, 512 * G, 0, 4 * K, RW, 0), 0);
			assert_in_range(hooked, race_at, 3);
			tp.on_clean = NULL;
			table_done(&pt);
		}
}

static void test_coherent_walker_needs_no_cleaning(void **state)
{
	struct smmu_pgtable pt = table_make(1, 14, 48, 48, true);
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g;

	assert_int_equal(smmu_pgtable_map(&pt, 0, 0, 64 * M + 16 * K, RW, 0), 0);
	smmu_gather_init(&g, 14);
	assert_int_equal(smmu_pgtable_unmap(&pt, 0, 64 * M + 16 * K, 0, &g, &tables), 0);
	assert_int_equal(tp.cleans, 0);
	smmu_pgtable_free_tables(&pt, &tables);
	table_done(&pt);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_lost_race_for_a_table),
	cmocka_unit_test(test_walker_that_does_not_snoop),
	cmocka_unit_test(test_lookup_where_tables_are_marked),
	cmocka_unit_test(test_neighbour_before_the_clean),
	cmocka_unit_test(test_coherent_walker_needs_no_cleaning),
};

TESTPORT_MAIN(tests)

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of pgtable.h, clause by clause: register values, block sizes, permissions, every error and what it leaves as
 * it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "table.h"

static void test_registers(void **state)
{
	static const struct {
		uint8_t stage, granule, ias, oas, tg, ps, sl0;
		uint32_t root;
	} want[] = {
		{1, 12, 48, 48, 0, 5, 0, 4096},       {1, 12, 25, 32, 0, 0, 0, 4096},
		{1, 14, 48, 36, 2, 1, 0, 16384},      {1, 16, 48, 52, 1, 6, 0, 65536},
		{2, 12, 32, 32, 0, 0, 1, 4096},       {2, 12, 39, 40, 0, 2, 1, 4096},
		{2, 12, 40, 40, 0, 2, 1, 2 * 4096},   {2, 12, 42, 42, 0, 3, 1, 8 * 4096},
		{2, 12, 43, 44, 0, 4, 1, 16 * 4096},  {2, 12, 44, 44, 0, 4, 2, 4096},
		{2, 12, 48, 48, 0, 5, 2, 4096},       {2, 14, 36, 40, 2, 2, 1, 16384},
		{2, 14, 40, 40, 2, 2, 1, 16 * 16384}, {2, 14, 41, 44, 2, 4, 2, 16384},
		{2, 14, 48, 48, 2, 5, 2, 2 * 16384},  {2, 16, 32, 32, 1, 0, 1, 65536},
		{2, 16, 42, 42, 1, 3, 1, 65536},      {2, 16, 46, 48, 1, 5, 1, 16 * 65536},
		{2, 16, 47, 52, 1, 6, 2, 65536},      {1, 16, 52, 48, 1, 5, 0, 65536},
		{2, 16, 52, 52, 1, 6, 2, 65536},      {1, 12, 48, 52, 0, 6, 0, 4096},
		{2, 12, 48, 52, 0, 6, 2, 4096},       {1, 14, 52, 52, 2, 6, 0, 16384},
		{1, 14, 52, 44, 2, 4, 0, 16384},      {2, 14, 48, 52, 2, 6, 2, 2 * 16384},
		{1, 12, 49, 48, 0, 5, 0, 2 * 4096},   {1, 12, 51, 52, 0, 6, 0, 8 * 4096},
		{1, 12, 52, 44, 0, 4, 0, 16 * 4096},  {2, 12, 49, 52, 0, 6, 2, 2 * 4096},
		{2, 12, 52, 52, 0, 6, 2, 16 * 4096},
	};

	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(want); i++) {
		struct smmu_pgtable pt =
			table_make(want[i].stage, want[i].granule, want[i].ias, want[i].oas, i & 1);
		/* A level -1 has 2 to 16 descriptors. */
		uint32_t top =
			want[i].stage == 1 && want[i].granule == 12 && want[i].ias > 48 ? 4096 : 0;
		struct smmu_pgtable_sizes sizes;

		assert_int_equal(pt.regs.t0sz, 64 - want[i].ias);
		assert_int_equal(pt.regs.tg, want[i].tg);
		assert_int_equal(pt.regs.ps, want[i].ps);
		assert_int_equal(pt.regs.sl0, want[i].sl0);
		assert_int_equal(pt.regs.ds,
				 want[i].granule < 16 && (want[i].oas == 52 || want[i].ias > 48));
		assert_int_equal(pt.regs.epd1, want[i].stage == 1);
		assert_int_equal(pt.regs.mair, want[i].stage == 1 ? 0x0444ff : 0);
		assert_int_equal(pt.regs.ir0, i & 1);
		assert_int_equal(pt.regs.or0, i & 1);
		assert_int_equal(pt.regs.sh0, i & 1 ? 3 : 2);
		assert_int_equal(smmu_pgtable_query(&pt.cfg, 0, 0, &sizes), 0);
		assert_int_equal(sizes.root, want[i].root);
		assert_int_equal(sizes.top, top);
		assert_int_equal(sizes.table, 1 << want[i].granule);
		assert_int_equal(sizes.tables, 0);
		assert_int_equal(pt.regs.ttb % (top ? top : want[i].root), 0);
		table_done(&pt);
	}
}

static void test_bad_configs(void **state)
{
	static const uint8_t bad[][4] = {
		{0, 12, 48, 48}, {3, 12, 48, 48}, {1, 13, 48, 48}, {1, 0, 48, 48},  {1, 18, 48, 48},
		{1, 12, 53, 48}, {1, 16, 53, 52}, {1, 12, 24, 48}, {2, 12, 31, 48}, {1, 12, 64, 52},
		{2, 14, 52, 52}, {1, 12, 48, 39}, {1, 12, 48, 0},  {1, 12, 48, 64}, {1, 12, 0, 48},
		{1, 14, 49, 52}, {1, 14, 51, 48}, {1, 14, 53, 52}, {2, 12, 53, 52}, {2, 16, 53, 52},
	};
	struct smmu_pgtable_sizes sizes;
	struct smmu_pgtable pt;

	testport_init(&tp, 48);
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(bad); i++) {
		struct smmu_pgtable_config cfg =
			table_config(bad[i][0], bad[i][1], bad[i][2], bad[i][3], true);

		assert_int_equal(smmu_pgtable_init(&pt, &cfg), -SMMU_EINVAL);
		assert_int_equal(smmu_pgtable_query(&cfg, 0, 0, &sizes), -SMMU_EINVAL);
	}
	assert_int_equal(tp.allocs, 0);
	testport_fini(&tp);
}

static void test_bad_arguments(void **state)
{
	static const struct {
		uint64_t iova, pa, size;
		unsigned prot;
		int err;
	} bad[] = {
		{0, 0, 0, RW, -SMMU_EINVAL},
		{0x800, 0, 4 * K, RW, -SMMU_EINVAL},
		{0, 0x800, 4 * K, RW, -SMMU_EINVAL},
		{0, 0, 6 * K, RW, -SMMU_EINVAL},
		{0, 0, 4 * K, 0, -SMMU_EINVAL},
		{0, 0, 4 * K, SMMU_PROT_NOEXEC | SMMU_PROT_DEVICE, -SMMU_EINVAL},
		{0, 0, 4 * K, RW | SMMU_PROT_NONCACHEABLE | SMMU_PROT_DEVICE, -SMMU_EINVAL},
		{0, 0, 4 * K, RW | 64, -SMMU_EINVAL},
		{1ULL << 40, 0, 4 * K, RW, -SMMU_ERANGE},
		{(1ULL << 40) - 4 * K, 0, 8 * K, RW, -SMMU_ERANGE},
		{0, 1ULL << 44, 4 * K, RW, -SMMU_ERANGE},
		{0, (1ULL << 44) - 4 * K, 8 * K, RW, -SMMU_ERANGE},
		{~0ULL << 12, 0, 8 * K, RW, -SMMU_ERANGE},
		{0, ~0ULL << 12, 8 * K, RW, -SMMU_ERANGE},
		{4 * K, 0, ~0ULL << 12, RW, -SMMU_ERANGE},
	};

	for (unsigned stage = 1; stage <= 2; stage++) {
		struct smmu_pgtable pt = table_make(stage, 12, 40, 44, true);
		struct smmu_freelist tables = {NULL};
		struct smmu_gather g, empty;
		uint64_t pa = 1;
		struct smmu_pgtable_sizes sizes;

		smmu_gather_init(&g, 12);
		empty = g;
		for (unsigned i = 0; i < SMMU_ARRAY_SIZE(bad); i++)
			assert_int_equal(smmu_pgtable_map(&pt, bad[i].iova, bad[i].pa, bad[i].size,
							  bad[i].prot, 0),
					 bad[i].err);
		if (stage == 2)
			assert_int_equal(smmu_pgtable_map(&pt, 0, 0, 4 * K, RW | SMMU_PROT_PRIV, 0),
					 -SMMU_EINVAL);
		assert_int_equal(tp.allocs, 1);
		assert_int_equal(smmu_pgtable_unmap(&pt, 0, 0, 0, &g, &tables), -SMMU_EINVAL);
		assert_int_equal(smmu_pgtable_unmap(&pt, 0x800, 4 * K, 0, &g, &tables),
				 -SMMU_EINVAL);
		assert_int_equal(smmu_pgtable_unmap(&pt, 0, 6 * K, 0, &g, &tables), -SMMU_EINVAL);
		assert_int_equal(smmu_pgtable_unmap(&pt, 1ULL << 40, 4 * K, 0, &g, &tables),
				 -SMMU_ERANGE);
		assert_int_equal(
			smmu_pgtable_unmap(&pt, (1ULL << 40) - 4 * K, 8 * K, 0, &g, &tables),
			-SMMU_ERANGE);
		assert_memory_equal(&g, &empty, sizeof(g));
		assert_int_equal(smmu_pgtable_iova_to_phys(&pt, 1ULL << 40, &pa, NULL),
				 -SMMU_ERANGE);
		assert_int_equal(smmu_pgtable_iova_to_phys(&pt, 5, &pa, NULL), -SMMU_EFAULT);
		assert_int_equal(pa, 1);
		assert_int_equal(smmu_pgtable_query(&pt.cfg, 1ULL << 40, 0, &sizes), -SMMU_ERANGE);
		assert_int_equal(smmu_pgtable_query(&pt.cfg, 4 * K, 1ULL << 40, &sizes),
				 -SMMU_ERANGE);
		/* The very last pages of both sides are fine. */
		assert_int_equal(smmu_pgtable_map(&pt, (1ULL << 40) - 4 * K, (1ULL << 44) - 4 * K,
						  4 * K, RW, 0),
				 0);
		table_done(&pt);
	}
}

/** One map, and how many tables and which leaf it takes. */
static void check_blocks(unsigned stage, unsigned granule, unsigned oas, uint64_t iova, uint64_t pa,
			 uint64_t size, unsigned shift, unsigned tables)
{
	struct smmu_pgtable pt = table_make(stage, granule, 48, oas, true);
	struct walker w = walker_of(&tp, &pt);
	uint64_t out;
	unsigned prot;

	assert_int_equal(smmu_pgtable_map(&pt, iova, pa, size, RW, 0), 0);
	assert_int_equal(walk_at(&w, iova).shift, shift);
	assert_int_equal(walk_at(&w, iova + size - 1).shift, shift);
	assert_int_equal(walk_at(&w, iova + size - 1).pa, pa + size - (1ULL << shift));
	assert_int_equal(tp.allocs - 1, tables);
	assert_int_equal(smmu_pgtable_iova_to_phys(&pt, iova + size - 1, &out, &prot), 0);
	assert_int_equal(out, pa + size - 1);
	assert_int_equal(prot, RW);
	table_done(&pt);
}

static void test_block_sizes(void **state)
{
	for (unsigned stage = 1; stage <= 2; stage++) {
		check_blocks(stage, 12, 48, 4 * G, 8 * G, 3 * G, 30, 1);
		check_blocks(stage, 12, 48, 4 * G, 8 * G + 2 * M, 3 * G, 21, 4);
		check_blocks(stage, 12, 48, 4 * M, 8 * M + 4 * K, 2 * M, 12, 3);
		/* No blocks at level 0, however large. */
		check_blocks(stage, 12, 48, 512 * G, 0, 1024 * G, 30, 2);
		check_blocks(stage, 14, 48, 128 * G, 64 * G, 128 * G, 25, stage == 1 ? 3 : 2);
		check_blocks(stage, 14, 48, 32 * M, 16 * M, 32 * M, 14, stage == 1 ? 3 : 2);
		check_blocks(stage, 16, 48, 8192 * G, 4096 * G, 4096 * G, 29, 1);
		/* Over the top of what descriptors held before there were 52 bits. */
		check_blocks(stage, 16, 52, 4096 * G, (1ULL << 48) - G, 4 * G, 29, 1);
		check_blocks(stage, 16, 52, 0, (1ULL << 52) - 512 * M, 512 * M, 29, 1);
		check_blocks(stage, 16, 52, 0, (1ULL << 51) - 64 * K, 128 * K, 16, 2);
	}
}

static void test_mixed_leaves(void **state)
{
	struct smmu_pgtable pt = table_make(1, 12, 40, 48, true);
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g;
	char text[200];

	/* From 4K below a 2M boundary that is 2M below 1G, to 4K above 2M + 1G. */
	assert_int_equal(smmu_pgtable_map(&pt, G - 2 * M - 4 * K, 5 * G - 2 * M - 4 * K,
					  G + 4 * M + 8 * K, RW, 0),
			 0);
	table_snapshot(&pt, 4 * G, text, sizeof(text));
	assert_string_equal(text, "3fdff000>13fdff000:12:3 3fe00000>13fe00000:21:3 "
				  "40000000>140000000:30:3 80000000>180000000:21:3 "
				  "80200000>180200000:12:3 ");
	smmu_gather_init(&g, 12);
	assert_int_equal(smmu_pgtable_unmap(&pt, G - 2 * M, G + 2 * M, 0, &g, &tables), 0);
	assert_int_equal(g.start, G - 2 * M);
	assert_int_equal(g.last, 2 * G - 1);
	assert_int_equal(g.leaf_shift, 21);
	assert_int_equal(g.level, 0);
	assert_false(g.tables);
	assert_null(tables.first);
	table_done(&pt);
}

static void test_permissions(void **state)
{
	for (unsigned stage = 1; stage <= 2; stage++)
		for (unsigned prot = 1; prot < 64; prot++) {
			struct smmu_pgtable pt = table_make(stage, 12, 40, 40, true);
			struct walker w = walker_of(&tp, &pt);
			unsigned want = stage == 1 ? prot | SMMU_PROT_READ : prot, got;
			int err = smmu_pgtable_map(&pt, 2 * M, 4 * M, 2 * M + 4 * K, prot, 0);
			uint64_t pa;

			/* A fetch reads, so what is not read is not executed. */
			if (!(want & SMMU_PROT_READ))
				want |= SMMU_PROT_NOEXEC;
			if (!(prot & RW) || (prot & 48) == 48 ||
			    (stage == 2 && prot & SMMU_PROT_PRIV)) {
				assert_int_equal(err, -SMMU_EINVAL);
			} else {
				assert_int_equal(err, 0);
				for (unsigned i = 0; i < 2; i++) {
					uint64_t at = 2 * M * (1 + i);

					assert_int_equal(walk_at(&w, at).prot, want);
					assert_int_equal(
						smmu_pgtable_iova_to_phys(&pt, at, &pa, &got), 0);
					assert_int_equal(got, want);
				}
			}
			table_done(&pt);
		}
}

/** A map that must not sleep says so to the allocator, and one that may does not. */
static void test_map_flags(void **state)
{
	struct smmu_pgtable pt = table_make(1, 12, 48, 48, true);

	assert_int_equal(smmu_pgtable_map(&pt, 0, 0, 4 * K, RW, 0), 0);
	assert_int_equal(tp.last_flags, 0);
	assert_int_equal(smmu_pgtable_map(&pt, G, 0, 4 * K, RW, SMMU_MAP_ATOMIC), 0);
	assert_int_equal(tp.last_flags, SMMU_ALLOC_ATOMIC);
	assert_int_equal(smmu_pgtable_map(&pt, 2 * G, 0, 4 * K, RW, 2), -SMMU_EINVAL);
	assert_int_equal(smmu_pgtable_map(&pt, 2 * G, 0, 4 * K, RW, 1u << 31), -SMMU_EINVAL);
	table_done(&pt);
}

/** 4K, 2M and 1G leaves with holes, for the tests of failing calls. */
static void fill(struct smmu_pgtable *pt)
{
	assert_int_equal(smmu_pgtable_map(pt, 0, G, 12 * K, RW, 0), 0);
	assert_int_equal(smmu_pgtable_map(pt, 4 * M, 4 * M, 4 * M, SMMU_PROT_READ, 0), 0);
	assert_int_equal(smmu_pgtable_map(pt, 2 * G, 4 * G, G, RW, 0), 0);
	assert_int_equal(smmu_pgtable_map(pt, 3 * G, 7 * G, 8 * K, RW, 0), 0);
}

static void test_failed_calls_change_nothing(void **state)
{
	struct smmu_pgtable pt = table_make(2, 12, 40, 44, true);
	static const uint64_t maps[][2] = {
		{0, 4 * K},
		{4 * K, 4 * K},
		{8 * K, 64 * K},
		{4 * M, 2 * M},
		{4 * M + 8 * K, 4 * K},
		{2 * M, 4 * M},
		{12 * K, 4 * M},
		{G, 2 * G},
		{G, 4 * G},
		{0, 4 * G},
		{2 * G + M, 4 * K},
		{4 * K, 40 * G},
		{3 * G - 4 * K, 4 * K},
	};
	static const struct {
		uint64_t iova, size;
		int err;
	} unmaps[] = {
		{0, 16 * K, -SMMU_ENOENT},        {12 * K, 4 * K, -SMMU_ENOENT},
		{G, 4 * K, -SMMU_ENOENT},         {8 * G, 8 * G, -SMMU_ENOENT},
		{4 * K, 2 * M, -SMMU_ENOENT},     {4 * M, 6 * M, -SMMU_ENOENT},
		{4 * M, 4 * K, -SMMU_EINVAL},     {4 * M + 4 * K, 4 * K, -SMMU_EINVAL},
		{4 * M, 3 * M, -SMMU_EINVAL},     {5 * M, 3 * M, -SMMU_EINVAL},
		{2 * G, G - 4 * K, -SMMU_EINVAL}, {2 * G + 4 * K, G - 4 * K, -SMMU_EINVAL},
		{2 * G + 2 * M, G, -SMMU_EINVAL}, {2 * G, G + 12 * K, -SMMU_ENOENT},
		{2 * G, 2 * G, -SMMU_ENOENT},
	};
	static char before[500], after[500];
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g, empty;

	fill(&pt);
	table_snapshot(&pt, 64 * G, before, sizeof(before));
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(maps); i++) {
		assert_int_equal(
			smmu_pgtable_map(&pt, maps[i][0], 16 * G + maps[i][0], maps[i][1], RW, 0),
			-SMMU_EEXIST);
		table_snapshot(&pt, 64 * G, after, sizeof(after));
		assert_string_equal(before, after);
	}
	smmu_gather_init(&g, 12);
	empty = g;
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(unmaps); i++) {
		unsigned live = tp.live;

		assert_int_equal(
			smmu_pgtable_unmap(&pt, unmaps[i].iova, unmaps[i].size, 0, &g, &tables),
			unmaps[i].err);
		table_snapshot(&pt, 64 * G, after, sizeof(after));
		assert_string_equal(before, after);
		assert_memory_equal(&g, &empty, sizeof(g));
		assert_int_equal(tp.live, live);
	}
	table_done(&pt);
}

static void test_every_allocation_fails(void **state)
{
	static char before[500], after[500];
	unsigned failures;

	for (failures = 1;; failures++) {
		/* Pages over the ends of three tables: new ones at levels 2 and 3. */
		struct smmu_pgtable pt = table_make(1, 12, 48, 44, false);
		int err;

		fill(&pt);
		table_snapshot(&pt, 64 * G, before, sizeof(before));
		tp.fail_at = failures;
		err = smmu_pgtable_map(&pt, 5 * G - 8 * M - 4 * K, G, 16 * M + 4 * K, RW, 0);
		if (!err) {
			tp.fail_at = 0;
			table_done(&pt);
			break;
		}
		assert_int_equal(err, -SMMU_ENOMEM);
		table_snapshot(&pt, 64 * G, after, sizeof(after));
		assert_string_equal(before, after);
		/* The tables that it left are of use to the next. */
		if (failures & 1) {
			assert_int_equal(smmu_pgtable_map(&pt, 5 * G - 8 * M - 4 * K, G,
							  16 * M + 4 * K, RW, 0),
					 0);
		}
		table_done(&pt);
	}
	/* Two tables of level 2, and of level 3 those for 9 times 2M. */
	assert_int_equal(failures - 1, 11);

	struct smmu_pgtable_config cfg = table_config(1, 12, 48, 44, true);
	struct smmu_pgtable pt;

	testport_init(&tp, 44);
	tp.fail_at = 1;
	assert_int_equal(smmu_pgtable_init(&pt, &cfg), -SMMU_ENOMEM);
	testport_fini(&tp);
}

static void test_query(void **state)
{
	struct smmu_pgtable_config cfg = table_config(1, 12, 48, 48, true);
	struct smmu_pgtable_sizes sizes;

	assert_int_equal(smmu_pgtable_query(&cfg, 0, 4 * K, &sizes), 0);
	assert_int_equal(sizes.tables, 3);
	assert_int_equal(smmu_pgtable_query(&cfg, 512 * G - 4 * K, 8 * K, &sizes), 0);
	assert_int_equal(sizes.tables, 6);
	assert_int_equal(smmu_pgtable_query(&cfg, 0, G, &sizes), 0);
	assert_int_equal(sizes.tables, 1 + 1 + 512);
	assert_int_equal(sizes.table, 4 * K);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_registers),
	cmocka_unit_test(test_bad_configs),
	cmocka_unit_test(test_bad_arguments),
	cmocka_unit_test(test_block_sizes),
	cmocka_unit_test(test_mixed_leaves),
	cmocka_unit_test(test_permissions),
	cmocka_unit_test(test_map_flags),
	cmocka_unit_test(test_failed_calls_change_nothing),
	cmocka_unit_test(test_every_allocation_fails),
	cmocka_unit_test(test_query),
};

TESTPORT_MAIN(tests)

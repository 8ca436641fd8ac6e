/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file test_rules.c
 * The contract of pgtable.h, clause by clause: register values, block sizes, every error and what it leaves as it was,
 * how tables go away, and the races that can be forced on one thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "walker.h"

#define K 1024ULL
#define M (K * K)
#define G (M * K)
#define RW (SMMU_PROT_READ | SMMU_PROT_WRITE)

static struct testport tp;

static struct smmu_pgtable_config config(unsigned stage, unsigned granule, unsigned ias,
					 unsigned oas, bool coherent)
{
	return (struct smmu_pgtable_config){.port = &tp.port,
					    .stage = (uint8_t)stage,
					    .granule_shift = (uint8_t)granule,
					    .ias = (uint8_t)ias,
					    .oas = (uint8_t)oas,
					    .coherent = coherent};
}

static struct smmu_pgtable make(unsigned stage, unsigned granule, unsigned ias, unsigned oas,
				bool coherent)
{
	struct smmu_pgtable_config cfg = config(stage, granule, ias, oas, coherent);
	struct smmu_pgtable pt;

	testport_init(&tp, oas);
	assert_int_equal(smmu_pgtable_init(&pt, &cfg), 0);
	return pt;
}

static void done(struct smmu_pgtable *pt)
{
	smmu_pgtable_destroy(pt);
	testport_fini(&tp);
}

/** All leaves of the first @p bytes, as text to compare. */
static void snapshot(struct smmu_pgtable *pt, uint64_t bytes, char *out, size_t room)
{
	struct walker w = walker_of(&tp, pt);
	size_t used = 0;

	out[0] = 0;
	for (uint64_t at = 0; at < bytes;) {
		struct walk leaf = walk_at(&w, at);

		if (leaf.mapped)
			used += (size_t)snprintf(out + used, room - used, "%llx>%llx:%u:%x ",
						 (unsigned long long)leaf.iova,
						 (unsigned long long)leaf.pa, leaf.shift,
						 leaf.prot);
		assert_true(used < room - 1);
		at = leaf.iova + SMMU_BIT(leaf.shift);
	}
}

static unsigned freelist_length(const struct smmu_freelist *tables)
{
	unsigned count = 0;

	for (const uint64_t *t = tables->first; t; t = (const uint64_t *)(uintptr_t)t[0], count++)
		assert_int_equal(t[0] & 1, 0);
	return count;
}

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
		{2, 16, 47, 52, 1, 6, 2, 65536},
	};

	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(want); i++) {
		struct smmu_pgtable pt =
			make(want[i].stage, want[i].granule, want[i].ias, want[i].oas, i & 1);
		struct smmu_pgtable_sizes sizes;

		assert_int_equal(pt.regs.t0sz, 64 - want[i].ias);
		assert_int_equal(pt.regs.tg, want[i].tg);
		assert_int_equal(pt.regs.ps, want[i].ps);
		assert_int_equal(pt.regs.sl0, want[i].sl0);
		assert_int_equal(pt.regs.epd1, want[i].stage == 1);
		assert_int_equal(pt.regs.mair, want[i].stage == 1 ? 0x0444ff : 0);
		assert_int_equal(pt.regs.ir0, i & 1);
		assert_int_equal(pt.regs.or0, i & 1);
		assert_int_equal(pt.regs.sh0, i & 1 ? 3 : 2);
		assert_int_equal(smmu_pgtable_query(&pt.cfg, 0, 0, &sizes), 0);
		assert_int_equal(sizes.root, want[i].root);
		assert_int_equal(sizes.table, 1 << want[i].granule);
		assert_int_equal(sizes.tables, 0);
		assert_int_equal(pt.regs.ttb % want[i].root, 0);
		done(&pt);
	}
}

static void test_bad_configs(void **state)
{
	static const uint8_t bad[][4] = {
		{0, 12, 48, 48}, {3, 12, 48, 48}, {1, 13, 48, 48}, {1, 0, 48, 48},  {1, 18, 48, 48},
		{1, 12, 49, 48}, {1, 16, 52, 52}, {1, 12, 24, 48}, {2, 12, 31, 48}, {1, 12, 48, 52},
		{2, 14, 48, 52}, {1, 12, 48, 39}, {1, 12, 48, 0},  {1, 12, 48, 64}, {1, 12, 0, 48},
	};
	struct smmu_pgtable_sizes sizes;
	struct smmu_pgtable pt;

	testport_init(&tp, 48);
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(bad); i++) {
		struct smmu_pgtable_config cfg =
			config(bad[i][0], bad[i][1], bad[i][2], bad[i][3], true);

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
		struct smmu_pgtable pt = make(stage, 12, 40, 44, true);
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
		done(&pt);
	}
}

/** One map, and how many tables and which leaf it takes. */
static void check_blocks(unsigned stage, unsigned granule, unsigned oas, uint64_t iova, uint64_t pa,
			 uint64_t size, unsigned shift, unsigned tables)
{
	struct smmu_pgtable pt = make(stage, granule, 48, oas, true);
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
	done(&pt);
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
	struct smmu_pgtable pt = make(1, 12, 40, 48, true);
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g;
	char text[200];

	/* From 4K below a 2M boundary that is 2M below 1G, to 4K above 2M + 1G. */
	assert_int_equal(smmu_pgtable_map(&pt, G - 2 * M - 4 * K, 5 * G - 2 * M - 4 * K,
					  G + 4 * M + 8 * K, RW, 0),
			 0);
	snapshot(&pt, 4 * G, text, sizeof(text));
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
	done(&pt);
}

static void test_permissions(void **state)
{
	for (unsigned stage = 1; stage <= 2; stage++)
		for (unsigned prot = 1; prot < 64; prot++) {
			struct smmu_pgtable pt = make(stage, 12, 40, 40, true);
			struct walker w = walker_of(&tp, &pt);
			unsigned want = stage == 1 ? prot | SMMU_PROT_READ : prot, got;
			int err = smmu_pgtable_map(&pt, 2 * M, 4 * M, 2 * M + 4 * K, prot, 0);
			uint64_t pa;

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
			done(&pt);
		}
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
	struct smmu_pgtable pt = make(2, 12, 40, 44, true);
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
	snapshot(&pt, 64 * G, before, sizeof(before));
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(maps); i++) {
		assert_int_equal(
			smmu_pgtable_map(&pt, maps[i][0], 16 * G + maps[i][0], maps[i][1], RW, 0),
			-SMMU_EEXIST);
		snapshot(&pt, 64 * G, after, sizeof(after));
		assert_string_equal(before, after);
	}
	smmu_gather_init(&g, 12);
	empty = g;
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(unmaps); i++) {
		unsigned live = tp.live;

		assert_int_equal(
			smmu_pgtable_unmap(&pt, unmaps[i].iova, unmaps[i].size, 0, &g, &tables),
			unmaps[i].err);
		snapshot(&pt, 64 * G, after, sizeof(after));
		assert_string_equal(before, after);
		assert_memory_equal(&g, &empty, sizeof(g));
		assert_int_equal(tp.live, live);
	}
	done(&pt);
}

static void test_every_allocation_fails(void **state)
{
	static char before[500], after[500];
	unsigned failures;

	for (failures = 1;; failures++) {
		/* Pages over the ends of three tables: new ones at levels 2 and 3. */
		struct smmu_pgtable pt = make(1, 12, 48, 44, false);
		int err;

		fill(&pt);
		snapshot(&pt, 64 * G, before, sizeof(before));
		tp.fail_at = failures;
		err = smmu_pgtable_map(&pt, 5 * G - 8 * M - 4 * K, G, 16 * M + 4 * K, RW, 0);
		if (!err) {
			tp.fail_at = 0;
			done(&pt);
			break;
		}
		assert_int_equal(err, -SMMU_ENOMEM);
		snapshot(&pt, 64 * G, after, sizeof(after));
		assert_string_equal(before, after);
		/* The tables that it left are of use to the next. */
		if (failures & 1) {
			assert_int_equal(smmu_pgtable_map(&pt, 5 * G - 8 * M - 4 * K, G,
							  16 * M + 4 * K, RW, 0),
					 0);
		}
		done(&pt);
	}
	/* Two tables of level 2, and of level 3 those for 9 times 2M. */
	assert_int_equal(failures - 1, 11);

	struct smmu_pgtable_config cfg = config(1, 12, 48, 44, true);
	struct smmu_pgtable pt;

	testport_init(&tp, 44);
	tp.fail_at = 1;
	assert_int_equal(smmu_pgtable_init(&pt, &cfg), -SMMU_ENOMEM);
	testport_fini(&tp);
}

static void test_tables_out_of_reach(void **state)
{
	struct smmu_pgtable_config cfg = config(1, 12, 48, 40, true);
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
	done(&pt);
}

static void test_whole_tables_go(void **state)
{
	struct smmu_pgtable pt = make(1, 12, 48, 48, true);
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
	assert_int_equal(freelist_length(&tables), 4);
	assert_int_equal(tp.live, 5); /* until the fence */
	assert_false(walk_at(&w, 512 * G).mapped);
	assert_int_equal(walk_at(&w, 512 * G).level, 0);
	smmu_pgtable_free_tables(&pt, &tables);
	assert_int_equal(tp.live, 1);
	smmu_pgtable_free_tables(&pt, &tables);
	done(&pt);
}

static void test_partly_covered_tables_stay(void **state)
{
	struct smmu_pgtable pt = make(1, 12, 39, 48, true);
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
	assert_int_equal(freelist_length(&tables), 1);
	assert_int_equal(smmu_pgtable_unmap(&pt, 8 * M, 2 * M, 0, &g, &tables), 0);
	assert_int_equal(freelist_length(&tables), 2);
	assert_int_equal(g.start, 0);
	assert_int_equal(g.last, 10 * M - 1);
	assert_true(g.tables);
	smmu_pgtable_free_tables(&pt, &tables);
	assert_int_equal(tp.live, 2);
	assert_int_equal(smmu_pgtable_map(&pt, 0, 0, 2 * M, RW, 0), 0);
	assert_int_equal(walk_at(&w, 0).shift, 21);
	done(&pt);
}

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
		struct smmu_pgtable pt = make(1, 12, 48, 48, coherent);
		struct walker w = walker_of(&tp, &pt);

		racing = &pt;
		tp.on_alloc = map_neighbour;
		assert_int_equal(smmu_pgtable_map(&pt, 0, M, 4 * K, RW, 0), 0);
		tp.on_alloc = NULL;
		assert_int_equal(walk_at(&w, 0).pa, M);
		assert_int_equal(walk_at(&w, 4 * K).pa, 2 * M);
		assert_int_equal(tp.live, 4);
		assert_int_equal(tp.allocs, 5); /* one for nothing */
		done(&pt);
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
		struct smmu_pgtable pt = make(stage, 12, 48, 48, false);
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

		done(&pt);
	}
}

static void test_neighbour_before_the_clean(void **state)
{
	for (unsigned stage = 1; stage <= 2; stage++)
		for (race_at = 1; race_at <= 3; race_at++) {
			struct smmu_pgtable pt = make(stage, 12, 48, 48, false);

			racing = &pt;
			hooked = 0;
			tp.on_clean = map_before_clean;
			assert_int_equal(smmu_pgtable_map(&pt, 512 * G, 0, 4 * K, RW, 0), 0);
			assert_in_range(hooked, race_at, 3);
			tp.on_clean = NULL;
			done(&pt);
		}
}

static void test_coherent_walker_needs_no_cleaning(void **state)
{
	struct smmu_pgtable pt = make(1, 14, 48, 48, true);
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g;

	assert_int_equal(smmu_pgtable_map(&pt, 0, 0, 64 * M + 16 * K, RW, 0), 0);
	smmu_gather_init(&g, 14);
	assert_int_equal(smmu_pgtable_unmap(&pt, 0, 64 * M + 16 * K, 0, &g, &tables), 0);
	assert_int_equal(tp.cleans, 0);
	smmu_pgtable_free_tables(&pt, &tables);
	done(&pt);
}

/** A map that must not sleep says so to the allocator, and one that may does not. */
static void test_map_flags(void **state)
{
	struct smmu_pgtable pt = make(1, 12, 48, 48, true);

	assert_int_equal(smmu_pgtable_map(&pt, 0, 0, 4 * K, RW, 0), 0);
	assert_int_equal(tp.last_flags, 0);
	assert_int_equal(smmu_pgtable_map(&pt, G, 0, 4 * K, RW, SMMU_MAP_ATOMIC), 0);
	assert_int_equal(tp.last_flags, SMMU_ALLOC_ATOMIC);
	assert_int_equal(smmu_pgtable_map(&pt, 2 * G, 0, 4 * K, RW, 2), -SMMU_EINVAL);
	assert_int_equal(smmu_pgtable_map(&pt, 2 * G, 0, 4 * K, RW, 1u << 31), -SMMU_EINVAL);
	done(&pt);
}

/** For a caller who knows: whole tables go unread, holes in them unnoticed; all else is checked as ever. */
static void test_unmap_known(void **state)
{
	struct smmu_pgtable pt = make(1, 12, 48, 48, true);
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
	assert_int_equal(freelist_length(&tables), 1);
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
	done(&pt);
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
		struct smmu_pgtable pt = make(1, 12, 48, 48, true);
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
		assert_int_equal(freelist_length(&tables), want[i].tables);
		smmu_pgtable_free_tables(&pt, &tables);
		done(&pt);
	}
}

/** A gather goes on over any number of unmaps of tables of one granule. */
static void test_gather_adds_up(void **state)
{
	struct smmu_pgtable pt = make(2, 14, 40, 48, true);
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
	done(&pt);
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

static void test_query(void **state)
{
	struct smmu_pgtable_config cfg = config(1, 12, 48, 48, true);
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
	cmocka_unit_test(test_failed_calls_change_nothing),
	cmocka_unit_test(test_every_allocation_fails),
	cmocka_unit_test(test_tables_out_of_reach),
	cmocka_unit_test(test_whole_tables_go),
	cmocka_unit_test(test_partly_covered_tables_stay),
	cmocka_unit_test(test_lost_race_for_a_table),
	cmocka_unit_test(test_walker_that_does_not_snoop),
	cmocka_unit_test(test_neighbour_before_the_clean),
	cmocka_unit_test(test_coherent_walker_needs_no_cleaning),
	cmocka_unit_test(test_map_flags),
	cmocka_unit_test(test_unmap_known),
	cmocka_unit_test(test_level_of_tables),
	cmocka_unit_test(test_gather_adds_up),
	cmocka_unit_test(test_range_of_an_embedder),
	cmocka_unit_test(test_query),
};

TESTPORT_MAIN(tests)

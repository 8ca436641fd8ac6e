/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks that become tables and tables that become blocks, step by step: at each the same is translated, and walkers may mark
 * what they like meanwhile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "table.h"

#define NT (1ULL << 16)
#define BIT7 (1ULL << 7)

static const struct {
	uint8_t granule;
	uint64_t block;
} sizes[] = {{12, 2 * M}, {14, 32 * M}, {16, 512 * M}};

static struct smmu_pgtable make(unsigned stage, unsigned granule, bool coherent, bool dirty)
{
	struct smmu_pgtable_config cfg = table_config(stage, granule, 40, 48, coherent);
	struct smmu_pgtable pt;

	cfg.dirty = dirty;
	testport_init(&tp, 48);
	assert_int_equal(smmu_pgtable_init(&pt, &cfg), 0);
	return pt;
}

/** Where the descriptor is that translates @p iova, and its level. */
static uint64_t *slot_of(struct smmu_pgtable *pt, uint64_t iova, unsigned *level)
{
	unsigned granule = pt->cfg.granule_shift;
	uint64_t *table = pt->root, *slot;

	for (*level = pt->start_level;; ++*level) {
		uint64_t mask = *level == pt->start_level ? ~0ULL : (1ULL << (granule - 3)) - 1;

		slot = &table[(iova >> walk_shift(granule, *level)) & mask];
		if (*level == 3 || (*slot & 3) != 3)
			return slot;
		table = smmu_port_dma_to_virt(&tp.port,
					      *slot & 0xfffffffff000ULL & -(1ULL << granule));
	}
}

static void expect_lookup(struct smmu_pgtable *pt, uint64_t iova, uint64_t want)
{
	uint64_t pa;
	unsigned prot;

	assert_int_equal(smmu_pgtable_iova_to_phys(pt, iova, &pa, &prot), 0);
	assert_int_equal(pa, want);
	assert_int_equal(prot, RW);
	assert_int_equal(smmu_pgtable_iova_to_phys(pt, iova, &pa, NULL), 0);
	assert_int_equal(pa, want);
}

static void test_steps(void **state)
{
	for (unsigned n = 0; n < 3 * 2 * 2 * 2; n++) {
		uint64_t block = sizes[n % 3].block, page = 1ULL << sizes[n % 3].granule;
		unsigned bbml = 1 + (n / 3 & 1), stage = 1 + (n / 6 & 1), level, live;
		bool coherent = n / 12;
		struct smmu_pgtable pt = make(stage, sizes[n % 3].granule, coherent, false);
		struct walker w = walker_of(&tp, &pt);
		uint64_t at = 3 * block, pa = 5 * block, *slot;
		struct smmu_resized joined;
		struct smmu_gather g;

		w.shadow = !coherent;
		assert_int_equal(smmu_pgtable_map(&pt, at, pa, block, RW, 0), 0);
		live = tp.live;
		slot = slot_of(&pt, at, &level);
		assert_int_equal(level, 2);
		for (unsigned step = 0; step <= 2; step++) {
			int did;

			smmu_gather_init(&g, 0);
			did = pt.ops->split(&pt, at + 7 * page, bbml, &g);
			assert_int_equal(did, step < (bbml == 1 ? 2u : 1u));
			expect_lookup(&pt, at + 7 * page + 8, pa + 7 * page + 8);
			if (did) {
				assert_int_equal(g.start, at);
				assert_int_equal(g.last, at + block - 1);
				assert_int_equal(g.level, 0);
			}
			if (step == 0 && bbml == 1)
				assert_true(*slot & NT);
			if (*slot & NT && (*slot & 3) == 1)
				continue;
			/* Now it is a table. */
			for (uint64_t off = 0; off < block; off += page) {
				struct walk leaf = walk_at(&w, at + off);

				assert_int_equal(leaf.level, 3);
				assert_int_equal(leaf.pa, pa + off);
				assert_int_equal(leaf.prot, RW);
			}
		}
		assert_int_equal(tp.live, live + 1);
		smmu_gather_init(&g, 0);
		assert_int_equal(pt.ops->join(&pt, at, block - page, bbml, &joined, &g), 0);
		assert_int_equal(pt.ops->join(&pt, at, block, 0, &joined, &g), -SMMU_EOPNOTSUPP);
		assert_int_equal(pt.ops->join(&pt, at, block, bbml, &joined, &g), 1);
		assert_int_equal(g.start, at);
		assert_int_equal(g.last, at + block - 1);
		assert_true(g.tables);
		assert_int_equal(g.level, 0);
		assert_int_equal(!!(*slot & NT), bbml == 1);
		expect_lookup(&pt, at + 7 * page + 8, pa + 7 * page + 8);
		assert_int_equal(tp.live, live + 1);
		smmu_gather_init(&g, 0);
		pt.ops->resized_swept(&pt, &joined, true, &g);
		assert_int_equal(smmu_gather_empty(&g), bbml == 2);
		assert_false(*slot & NT);
		assert_int_equal(tp.live, live);
		assert_int_equal(walk_at(&w, at + page).level, 2);
		assert_int_equal(walk_at(&w, at + page).pa, pa);
		table_done(&pt);
	}
}

/** What does not get to its end leaves no nT: the next step would take such a block for one that is in no cache. */
static void test_no_nt_left(void **state)
{
	for (unsigned n = 0; n < 3 * 2; n++) {
		uint64_t block = sizes[n / 2].block, page = 1ULL << sizes[n / 2].granule, *slot;
		struct smmu_pgtable pt = make(1, sizes[n / 2].granule, n % 2, false);
		struct walker w = walker_of(&tp, &pt);
		struct smmu_gather g;
		unsigned level;

		w.shadow = !(n % 2);
		smmu_gather_init(&g, 0);
		assert_int_equal(smmu_pgtable_map(&pt, block, block, block, RW, 0), 0);
		slot = slot_of(&pt, block, &level);
		/* Not swept. */
		assert_int_equal(pt.ops->split(&pt, block + page, 1, &g), 1);
		assert_true(*slot & NT);
		pt.ops->split_not_swept(&pt, block + page);
		assert_false(*slot & NT);
		assert_int_equal(walk_at(&w, block + page).level, 2);
		pt.ops->split_not_swept(&pt, block + page);
		pt.ops->split_not_swept(&pt, 2 * block);
		assert_false(*slot & NT);
		/* Swept, and no memory. */
		assert_int_equal(pt.ops->split(&pt, block + page, 1, &g), 1);
		tp.fail_at = 1;
		assert_int_equal(pt.ops->split(&pt, block + page, 1, &g), -SMMU_ENOMEM);
		tp.fail_at = 0;
		assert_false(*slot & NT);
		/* A table is one, and its pages have an address where blocks have nT. */
		for (unsigned step = 0; step < 2; step++)
			assert_int_equal(pt.ops->split(&pt, block + 16 * page, 1, &g), 1);
		for (unsigned i = 0; i < 32; i++)
			pt.ops->split_not_swept(&pt, block + i * page);
		for (unsigned i = 0; i < 32; i++) {
			assert_int_equal(walk_at(&w, block + i * page).level, 3);
			assert_int_equal(walk_at(&w, block + i * page).pa, block + i * page);
		}
		table_done(&pt);
	}
}

/** Memory that begins at another place than a block does is none. */
static void test_not_aligned(void **state)
{
	struct smmu_pgtable pt = make(1, 12, true, false);
	struct smmu_resized joined;
	struct smmu_gather g;

	smmu_gather_init(&g, 0);
	assert_int_equal(smmu_pgtable_map(&pt, 2 * M, 2 * M + 4 * K, 2 * M, RW, 0), 0);
	assert_int_equal(pt.ops->join(&pt, 2 * M, 2 * M, 2, &joined, &g), 0);
	table_done(&pt);
}

/** What is marked before, while and after a table becomes a block makes it dirty; and each page of a dirty block is. */
static void test_marks(void **state)
{
	for (unsigned n = 0; n < 2 * 4; n++) {
		unsigned stage = 1 + n / 4, when = n % 4, level;
		struct smmu_pgtable pt = make(stage, 12, true, true);
		struct smmu_resized joined;
		struct smmu_gather g;
		uint64_t *page, *slot;

		smmu_pgtable_begin_clean(&pt, true);
		assert_int_equal(smmu_pgtable_map(&pt, 2 * M, 2 * M, M, RW, 0), 0);
		assert_int_equal(smmu_pgtable_map(&pt, 3 * M, 3 * M, M, RW, 0), 0);
		page = slot_of(&pt, 3 * M, &level);
		if (when == 1)
			*page ^= BIT7;
		smmu_gather_init(&g, 0);
		assert_int_equal(pt.ops->join(&pt, 2 * M, 2 * M, 2, &joined, &g), 1);
		slot = slot_of(&pt, 3 * M, &level);
		assert_int_equal(level, 2);
		if (when == 2)
			*page ^= BIT7; /* by a pointer that is cached */
		pt.ops->resized_swept(&pt, &joined, true, &g);
		if (when == 3)
			*slot ^= BIT7;
		assert_int_equal(!(*slot & BIT7) == (stage == 1), when != 0);
		assert_int_equal(pt.ops->split(&pt, 3 * M, 2, &g), 1);
		slot = slot_of(&pt, 2 * M + 4 * K, &level);
		assert_int_equal(level, 3);
		assert_int_equal(!(*slot & BIT7) == (stage == 1), when != 0);
		table_done(&pt);
	}
}

/** Empty tables go, with those that only held them; what is in use, or not wholly in the range, stays. */
static void test_reclaim(void **state)
{
	struct smmu_pgtable pt = make(1, 12, true, false);
	struct smmu_freelist tables = {NULL};
	struct smmu_resized done;
	struct smmu_gather g;
	int n, all = 0;

	smmu_gather_init(&g, 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(smmu_pgtable_map(&pt, G + i * 2 * M, 4 * K, 4 * K, RW, 0), 0);
	assert_int_equal(tp.live, 7);
	assert_int_equal(smmu_pgtable_unmap(&pt, G, 4 * K, 0, &g, &tables), 0);
	assert_int_equal(smmu_pgtable_unmap(&pt, G + 2 * M, 4 * K, 0, &g, &tables), 0);
	for (unsigned confirmed = 0; confirmed < 2; confirmed++) {
		smmu_gather_init(&g, 0);
		assert_int_equal(pt.ops->reclaim(&pt, G, 4 * M - 4 * K, &done, &g), 1);
		assert_true(g.tables);
		assert_int_equal(g.start, G);
		assert_int_equal(g.last, G + 2 * M - 1);
		assert_int_equal(tp.live, 7);
		pt.ops->resized_swept(&pt, &done, confirmed, &g);
		assert_int_equal(tp.live, 7 - confirmed);
	}
	for (unsigned i = 2; i < 4; i++)
		assert_int_equal(smmu_pgtable_unmap(&pt, G + i * 2 * M, 4 * K, 0, &g, &tables), 0);
	do {
		n = pt.ops->reclaim(&pt, 0, 1ULL << 40, &done, &g);
		pt.ops->resized_swept(&pt, &done, true, &g);
		all += n;
	} while (n);
	assert_int_equal(all, 5);
	assert_int_equal(tp.live, 1);
	table_done(&pt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),       cmocka_unit_test(test_no_nt_left),
		cmocka_unit_test(test_not_aligned), cmocka_unit_test(test_marks),
		cmocka_unit_test(test_reclaim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dirty state of leaves: what walkers mark is noted, once, at every size of leaf; what is not asked for stays; and a
 * mark that comes between any two steps is noted then or the next time.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "table.h"

#define DBM (1ULL << 51)
#define BIT7 (1ULL << 7)

static struct smmu_pgtable make(unsigned stage, unsigned granule)
{
	struct smmu_pgtable_config cfg = table_config(stage, granule, 40, 48, true);
	struct smmu_pgtable pt;

	cfg.dirty = true;
	testport_init(&tp, 48);
	assert_int_equal(smmu_pgtable_init(&pt, &cfg), 0);
	return pt;
}

/** The descriptor of @p iova, found through the library's own table in memory. */
static uint64_t *leaf_of(struct smmu_pgtable *pt, uint64_t iova, unsigned *shift)
{
	struct walker w = walker_of(&tp, pt);
	unsigned level = pt->start_level, granule = pt->cfg.granule_shift;
	struct walk found = walk_at(&w, iova);
	uint64_t *table = pt->root;

	for (;; level++) {
		uint64_t *slot =
			&table[level == pt->start_level ? iova >> walk_shift(granule, level)
							: iova >> walk_shift(granule, level) &
								  ((1u << (granule - 3)) - 1)];

		if (level == found.level) {
			*shift = found.shift;
			return slot;
		}
		table = smmu_port_dma_to_virt(&tp.port,
					      *slot & 0xfffffffff000ULL & -(1ULL << granule));
	}
}

static bool is_clean(unsigned stage, uint64_t desc)
{
	return (desc & DBM) && (stage == 1) == !!(desc & BIT7);
}

/** As a walker does for a write. True: it was clean. */
static bool mark(unsigned stage, uint64_t *slot)
{
	uint64_t desc = __atomic_load_n(slot, __ATOMIC_SEQ_CST);

	while (is_clean(stage, desc))
		if (__atomic_compare_exchange_n(slot, &desc, desc ^ BIT7, false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			return true;
	return false;
}

static void set_bit(const struct smmu_dirty_bitmap *map, uint64_t iova)
{
	uint64_t bit = iova >> map->shift;

	map->word[bit / 64] |= 1ULL << bit % 64;
}

static const struct {
	uint8_t granule;
	uint64_t block;
} sizes[] = {{12, 2 * M}, {14, 32 * M}, {16, 512 * M}};

/**
 * Eight leaves: four pages (one of them for reading alone), a hole of a page, and two blocks. A look and a take note what was
 * marked; a take leaves it clean, in the gather what it has cleared, and everything else as it was.
 */
static void test_leaves(void **state)
{
	for (unsigned n = 0; n < 6 * 64; n++) {
		unsigned stage = 1 + n / 192, granule = sizes[n / 64 % 3].granule, marks = n % 64;
		uint64_t page = 1ULL << granule, block = sizes[n / 64 % 3].block;
		struct smmu_pgtable pt = make(stage, granule);
		uint64_t iova[6] = {block - 4 * page, block - 3 * page, block - page, block,
				    2 * block,        3 * block};
		uint64_t *slot[6], words[3 * 512 * M / (1ULL << 12) / 64 + 1024] = {0}, want[6];
		struct smmu_dirty_bitmap map = {words, 0, 3 * 512 * M >> 12, 12};
		struct smmu_gather g;
		unsigned shift[6];

		smmu_pgtable_begin_clean(&pt, true);
		map.shift = (uint8_t)granule;
		map.bits = (3 * block + page) >> granule;
		for (unsigned i = 0; i < 6; i++) {
			unsigned prot = i == 1 ? SMMU_PROT_READ : RW;
			uint64_t size = i == 3 || i == 4 ? block : page;

			assert_int_equal(smmu_pgtable_map(&pt, iova[i], iova[i], size, prot, 0), 0);
			slot[i] = leaf_of(&pt, iova[i], &shift[i]);
			assert_int_equal(1ULL << shift[i], size);
			assert_int_equal(is_clean(stage, *slot[i]), i != 1);
			want[i] = *slot[i];
			if (marks >> i & 1)
				assert_int_equal(mark(stage, slot[i]), i != 1);
		}
		for (unsigned step = 0; step < 3; step++) {
			bool take = step == 1;

			memset(words, 0, sizeof(words));
			smmu_gather_init(&g, 0);
			assert_int_equal(pt.ops->dirty(&pt, iova[0], 3 * block + page - iova[0],
						       take ? SMMU_DIRTY_TAKE : SMMU_DIRTY_LOOK,
						       &map, &g),
					 0);
			assert_int_equal(smmu_gather_empty(&g), !(take && marks & ~2u));
			for (unsigned i = 0; i < 6; i++) {
				bool dirty = step < 2 && i != 1 && marks >> i & 1;
				uint64_t first = iova[i] >> granule;
				uint64_t last = (iova[i] + (1ULL << shift[i]) - 1) >> granule;

				for (uint64_t b = first; b <= last; b++)
					assert_int_equal(words[b / 64] >> b % 64 & 1, dirty);
				if (take && dirty) {
					assert_true(g.start <= iova[i]);
					assert_true(g.last >= iova[i] + (1ULL << shift[i]) - 1);
					assert_true(!g.level ||
						    shift[i] == walk_shift(granule, g.level));
					assert_true(g.leaf_shift <= shift[i]);
				}
				if (step)
					assert_int_equal(*slot[i], want[i]);
			}
			assert_int_equal(words[(block - 2 * page) >> granule >> 6] >>
							 ((block - 2 * page) >> granule) % 64 &
						 1,
					 0);
			assert_false(take && g.tables);
		}
		/* Given back: what the bitmap has, and no other, nor what may not be written. */
		set_bit(&map, iova[0]);
		set_bit(&map, iova[1]);
		set_bit(&map, 2 * block + page);
		assert_int_equal(pt.ops->dirty(&pt, iova[0], 3 * block + page - iova[0],
					       SMMU_DIRTY_GIVE_BACK, &map, &g),
				 0);
		for (unsigned i = 0; i < 6; i++)
			assert_int_equal(*slot[i], i == 0 || i == 4 ? want[i] ^ BIT7 : want[i]);
		table_done(&pt);
	}
}

static void test_refused(void **state)
{
	struct smmu_pgtable plain = table_make(1, 12, 40, 48, true), pt;
	struct smmu_pgtable_config cfg = plain.cfg;
	uint64_t words[2] = {0};
	struct smmu_dirty_bitmap map = {words, 2 * M, 128, 12};
	struct smmu_gather g;

	smmu_gather_init(&g, 0);
	assert_int_equal(plain.ops->dirty(&plain, 2 * M, 4 * K, SMMU_DIRTY_TAKE, &map, &g),
			 -SMMU_EINVAL);
	cfg.dirty = true;
	cfg.coherent = false;
	assert_int_equal(smmu_pgtable_init(&pt, &cfg), -SMMU_EINVAL);
	table_done(&plain);
	pt = make(2, 12);
	smmu_gather_init(&g, 0);
#define DIRTY(iova, size) pt.ops->dirty(&pt, iova, size, SMMU_DIRTY_TAKE, &map, &g)
	assert_int_equal(smmu_pgtable_map(&pt, 2 * M, 0, 2 * M, RW, 0), 0);
	assert_int_equal(DIRTY(2 * M + 1, 4 * K), -SMMU_EINVAL);
	assert_int_equal(DIRTY(2 * M, 0), -SMMU_EINVAL);
	assert_int_equal(DIRTY(2 * M - 4 * K, 4 * K), -SMMU_EINVAL);
	assert_int_equal(DIRTY(2 * M, 4 * K), -SMMU_EINVAL);
	assert_int_equal(DIRTY(2 * M + 4 * K, 2 * M - 4 * K), -SMMU_EINVAL);
	assert_int_equal(DIRTY(1ULL << 40, 4 * K), -SMMU_ERANGE);
	assert_true(smmu_gather_empty(&g));
	assert_int_equal(words[0] | words[1], 0);
	/* Beside it there is nothing to cut. */
	assert_int_equal(DIRTY(4 * M, 4 * K), -SMMU_EINVAL); /* behind the bitmap */
	map.bits = 1024;
	assert_int_equal(DIRTY(4 * M, 4 * K), 0);
	table_done(&pt);
}

/* ---- Marks at any time ---- */

#define RACERS 64u
#define ENOUGH 20000u /* marks */

static uint64_t *race_slot[RACERS];
static unsigned race_stage;
static uint64_t made[RACERS];
static int stop;

static void *marker(void *arg)
{
	uint64_t seed = 1;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		unsigned i = (seed = seed * 6364136223846793005ull + 1) >> 58;

		made[i] += mark(race_stage, race_slot[i]);
	}
	return NULL;
}

/** As many marks as a walker made are taken. */
static void test_race(void **state)
{
	for (race_stage = 1; race_stage <= 2; race_stage++) {
		struct smmu_pgtable pt = make(race_stage, 12);
		uint64_t words[1], taken[RACERS] = {0};
		struct smmu_dirty_bitmap map = {words, 0, RACERS, 12};
		struct smmu_gather g;
		pthread_t thread;
		unsigned shift;

		smmu_pgtable_begin_clean(&pt, true);
		assert_int_equal(smmu_pgtable_map(&pt, 0, 4 * K, RACERS * 4 * K, RW, 0), 0);
		for (unsigned i = 0; i < RACERS; i++) {
			race_slot[i] = leaf_of(&pt, i * 4 * K, &shift);
			made[i] = 0;
		}
		stop = 0;
		assert_int_equal(pthread_create(&thread, NULL, marker, NULL), 0);
		for (unsigned all = 0, last = 0; !last;) {
			last = all >= ENOUGH;
			if (last) {
				__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
				pthread_join(thread, NULL);
			}
			words[0] = 0;
			smmu_gather_init(&g, 0);
			assert_int_equal(
				pt.ops->dirty(&pt, 0, RACERS * 4 * K, SMMU_DIRTY_TAKE, &map, &g),
				0);
			all += (unsigned)__builtin_popcountll(words[0]);
			for (unsigned i = 0; i < RACERS; i++)
				taken[i] += words[0] >> i & 1;
		}
		for (unsigned i = 0; i < RACERS; i++)
			assert_int_equal(taken[i], made[i]);
		table_done(&pt);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaves),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file test_threads.c
 * Four threads map and unmap disjoint ranges of one table at the same time: neighbouring pages of the same last-level
 * tables, and whole tables that come and go beside them. Meant to be run under ThreadSanitizer as well.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "walker.h"

#define THREADS 4u
#define PAGES 64u /* each thread has so many single pages */
#define CHUNKS 4u /* and so many ranges that cover whole tables */
#define ROUNDS 4000u
#define RW (SMMU_PROT_READ | SMMU_PROT_WRITE)

static struct testport tp;
static struct smmu_pgtable pt;
static pthread_barrier_t
	start; /* threads begin together, or they would be done one after the other */

struct worker {
	pthread_t thread;
	unsigned index;
	uint64_t seed;
	uint64_t page[PAGES]; /* where each leads, plus 1; 0 if it is not mapped */
	bool chunk[CHUNKS];
	unsigned wrong;
};

/** The pages of all threads are interleaved, and spread over four tables of one level-2 table. */
static uint64_t page_iova(unsigned thread, unsigned i)
{
	uint64_t span = SMMU_BIT(walk_shift(pt.cfg.granule_shift, 2));

	return (i % 4) * span +
	       ((uint64_t)(i / 4) * THREADS + thread) * SMMU_BIT(pt.cfg.granule_shift);
}

/** The chunks of all threads are interleaved too, in the level-2 table that has the pages. */
static uint64_t chunk_iova(unsigned thread, unsigned i)
{
	uint64_t span = SMMU_BIT(walk_shift(pt.cfg.granule_shift, 2));

	return (4 + i * THREADS + thread) * span;
}

static void expect(struct worker *w, bool right)
{
	if (!right)
		__atomic_fetch_add(&w->wrong, 1, __ATOMIC_RELAXED);
}

static void check(struct worker *w, uint64_t iova, bool mapped, uint64_t want)
{
	struct walker walker = walker_of(&tp, &pt);
	uint64_t pa = 0;
	int err = smmu_pgtable_iova_to_phys(&pt, iova, &pa, NULL);
	struct walk walk;

	expect(w, mapped ? err == 0 && pa == want : err == -SMMU_EFAULT);
	/* The walker that does not snoop sees it too, whoever hooked the tables on the way. */
	walker.shadow = !pt.cfg.coherent;
	walk = walk_at(&walker, iova);
	expect(w, walk.mapped == mapped && (!mapped || walk.pa == want));
}

static void turn_page(struct worker *w, unsigned i)
{
	uint64_t iova = page_iova(w->index, i), page = SMMU_BIT(pt.cfg.granule_shift);
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g;

	smmu_gather_init(&g, pt.cfg.granule_shift);
	if (w->page[i]) {
		check(w, iova, true, w->page[i] - 1);
		expect(w, smmu_pgtable_map(&pt, iova, 0, page, RW, 0) == -SMMU_EEXIST);
		expect(w, smmu_pgtable_unmap(&pt, iova, page, 0, &g, &tables) == 0);
		expect(w, g.start == iova && g.last == iova + page - 1 && !tables.first);
		check(w, iova, false, 0);
		w->page[i] = 0;
	} else {
		uint64_t pa = test_random(&w->seed) % 1000000 * page;

		expect(w, smmu_pgtable_unmap(&pt, iova, page, 0, &g, &tables) == -SMMU_ENOENT);
		expect(w, smmu_pgtable_map(&pt, iova, pa, page, RW, 0) == 0);
		check(w, iova, true, pa);
		w->page[i] = pa + 1;
	}
}

static void turn_chunk(struct worker *w, unsigned i)
{
	uint64_t iova = chunk_iova(w->index, i), page = SMMU_BIT(pt.cfg.granule_shift);
	uint64_t span = SMMU_BIT(walk_shift(pt.cfg.granule_shift, 2));
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g;

	if (!w->chunk[i]) {
		/* Off by a page, so that it takes a table. */
		expect(w, smmu_pgtable_map(&pt, iova, page, span, RW, 0) == 0);
		check(w, iova + span - page, true, span);
	} else {
		smmu_gather_init(&g, pt.cfg.granule_shift);
		expect(w, smmu_pgtable_unmap(&pt, iova, span, 0, &g, &tables) == 0);
		expect(w, g.tables && tables.first);
		check(w, iova, false, 0);
		smmu_pgtable_free_tables(&pt, &tables);
	}
	w->chunk[i] = !w->chunk[i];
}

static void *work(void *arg)
{
	struct worker *w = arg;

	pthread_barrier_wait(&start);
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t r = test_random(&w->seed);

		if (r % 16 == 0)
			turn_chunk(w, (unsigned)(r >> 8) % CHUNKS);
		else
			turn_page(w, (unsigned)(r >> 8) % PAGES);
	}
	return NULL;
}

static void run(unsigned stage, unsigned granule, bool coherent, uint64_t seed)
{
	static struct worker workers[THREADS];
	struct smmu_pgtable_config cfg = {.stage = (uint8_t)stage,
					  .granule_shift = (uint8_t)granule,
					  .ias = 40,
					  .oas = 44,
					  .coherent = coherent};

	testport_init(&tp, 44);
	cfg.port = &tp.port;
	assert_int_equal(smmu_pgtable_init(&pt, &cfg), 0);
	memset(workers, 0, sizeof(workers));
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i].index = i;
		workers[i].seed = seed + i;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	for (unsigned i = 0; i < THREADS; i++) {
		for (unsigned p = 0; p < PAGES; p++)
			check(&workers[i], page_iova(i, p), workers[i].page[p],
			      workers[i].page[p] - 1);
		assert_int_equal(workers[i].wrong, 0);
	}
	smmu_pgtable_destroy(&pt);
	testport_fini(&tp);
}

static void test_disjoint_ranges(void **state)
{
	uint64_t seed = test_seed();

	pthread_barrier_init(&start, NULL, THREADS);
	run(1, 12, true, seed);
	run(1, 12, false, seed + 10);
	run(2, 12, false, seed + 20);
	run(2, 14, true, seed + 30);
	pthread_barrier_destroy(&start);
}

/** All threads go for the same missing tables at once, again and again. */
static void *first_page(void *arg)
{
	struct worker *w = arg;
	uint64_t iova = page_iova(w->index, 0), page = SMMU_BIT(pt.cfg.granule_shift);

	pthread_barrier_wait(&start);
	expect(w, smmu_pgtable_map(&pt, iova, iova, page, RW, 0) == 0);
	check(w, iova, true, iova);
	return NULL;
}

static void test_same_tables(void **state)
{
	unsigned lost = 0;

	pthread_barrier_init(&start, NULL, THREADS);
	for (unsigned round = 0; round < 300; round++) {
		struct worker workers[THREADS];
		struct smmu_pgtable_config cfg = {.port = &tp.port,
						  .stage = 1,
						  .granule_shift = 12,
						  .ias = 48,
						  .oas = 44,
						  .coherent = round & 1};

		testport_init(&tp, 44);
		assert_int_equal(smmu_pgtable_init(&pt, &cfg), 0);
		memset(workers, 0, sizeof(workers));
		for (unsigned i = 0; i < THREADS; i++) {
			workers[i].index = i;
			assert_int_equal(
				pthread_create(&workers[i].thread, NULL, first_page, &workers[i]),
				0);
		}
		for (unsigned i = 0; i < THREADS; i++) {
			pthread_join(workers[i].thread, NULL);
			assert_int_equal(workers[i].wrong, 0);
		}
		assert_int_equal(tp.live, 4);
		lost += tp.allocs - 4;
		smmu_pgtable_destroy(&pt);
		testport_fini(&tp);
	}
	print_message("%u tables allocated in vain\n", lost);
	pthread_barrier_destroy(&start);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_disjoint_ranges),
	cmocka_unit_test(test_same_tables),
};

TESTPORT_MAIN(tests)

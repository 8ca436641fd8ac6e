/* SPDX-License-Identifier: BSD-2-Clause */
/* Plans: exact cover, fewest commands (against exhaustive search), bounds. */
#include "inv_test.h"

#define N 4096

/** Fewest terms m * 2^s, 1 <= m <= 32, that add up to each number. */
static unsigned fewest[N + 1];

static int setup(void **state)
{
	for (unsigned n = 1; n <= N; n++) {
		fewest[n] = n;
		for (unsigned s = 0; 1u << s <= n; s++)
			for (unsigned m = 1; m <= 32 && m << s <= n; m++)
				if (fewest[n - (m << s)] + 1 < fewest[n])
					fewest[n] = fewest[n - (m << s)] + 1;
	}
	return 0;
}

static struct smmu_gather range_of(uint64_t start, uint64_t pages, unsigned granule)
{
	struct smmu_gather g;

	smmu_gather_init(&g, granule);
	g.start = start;
	g.last = start + (pages << granule) - 1;
	g.leaf_shift = (uint8_t)granule;
	return g;
}

/** Run the plan and check that its commands lie end to end from start to last; returns how many there were. */
static unsigned cover(const struct smmu_gather *g, bool range)
{
	struct smmu_tlbi_plan p;
	uint64_t w0, w1, at = g->start;
	unsigned n = 0, count;

	smmu_tlbi_plan_init(&p, g, range, UINT32_MAX);
	count = p.count;
	while (smmu_tlbi_plan_next(&p, &w0, &w1)) {
		uint64_t units = 1, tg = smmu_field_get(SMMU_CMD_TLBI_W1_TG, w1);
		uint64_t num = smmu_field_get(SMMU_CMD_TLBI_W0_NUM, w0);
		uint64_t scale = smmu_field_get(SMMU_CMD_TLBI_W0_SCALE, w0);
		uint64_t ttl = smmu_field_get(SMMU_CMD_TLBI_W1_TTL, w1);

		assert_int_equal(w0 & ~(SMMU_CMD_TLBI_W0_NUM | SMMU_CMD_TLBI_W0_SCALE), 0);
		assert_int_equal(w1 & SMMU_CMD_TLBI_W1_ADDR, at);
		if (tg) {
			assert_true(range);
			assert_int_equal(tg, smmu_cmd_tlbi_tg(g->granule_shift));
			assert_true(num || scale || ttl); /* all 0 is reserved */
			units = (num + 1) << scale;
			at += units << g->granule_shift;
		} else {
			assert_int_equal(num | scale | ttl, 0);
			at += SMMU_BIT(range ? g->granule_shift : g->leaf_shift);
		}
		n++;
	}
	assert_int_equal(at, g->last + 1);
	assert_int_equal(n, count);
	return n;
}

static void test_exact_and_fewest(void **state)
{
	for (unsigned pages = 1; pages <= N; pages++) {
		struct smmu_gather g = range_of(0x7f000ULL << 12, pages, 12);

		assert_int_equal(cover(&g, true), fewest[pages]);
		if (pages < 64)
			assert_int_equal(cover(&g, false), pages);
	}
}

static void test_granules_and_sizes(void **state)
{
	uint64_t rng = test_seed();

	for (int i = 0; i < 20000; i++) {
		unsigned granule = 12 + 2 * (unsigned)(test_random(&rng) % 3);
		uint64_t pages = 1 + (test_random(&rng) >> (28 + test_random(&rng) % 36));
		uint64_t start = (test_random(&rng) >> 20) >> granule << granule;
		struct smmu_gather g;

		if (pages >> (48 - granule))
			continue;
		g = range_of(start, pages, granule);
		assert_true(cover(&g, true) <= 10);
	}
	/* All of a 48-bit space. */
	struct smmu_gather g = range_of(0, 1ULL << 36, 12);
	assert_int_equal(cover(&g, true), 1);
}

/* Leaf and level hints: given when they hold for the whole range, and for the tables that went away with it. */
static void test_hints(void **state)
{
	struct smmu_tlbi_plan p;
	struct smmu_gather g;
	uint64_t w0, w1;

	smmu_gather_init(&g, 12);
	smmu_gather_leaf(&g, 0x40000000, 21, 2);
	smmu_gather_leaf(&g, 0x40200000, 21, 2);
	smmu_tlbi_plan_init(&p, &g, true, 0);
	assert_true(smmu_tlbi_plan_next(&p, &w0, &w1));
	assert_int_equal(w1, 0x40000000 | 1 | 2 << 8 | 1 << 10);
	assert_int_equal(w0, 10u << 20); /* 1 * 2^10 granules */
	assert_false(smmu_tlbi_plan_next(&p, &w0, &w1));
	smmu_tlbi_plan_init(&p, &g, false, 0);
	assert_int_equal(p.count, 2); /* one for each block */
	smmu_gather_leaf(&g, 0x40400000, 12, 3);
	smmu_tlbi_plan_init(&p, &g, true, 0);
	assert_true(smmu_tlbi_plan_next(&p, &w0, &w1));
	assert_int_equal(w1 & SMMU_CMD_TLBI_W1_TTL, 0); /* mixed levels */
	assert_true(w1 & SMMU_CMD_TLBI_W1_LEAF);
	smmu_gather_table(&g, 0x40400000, 0x405fffff, 12, 3);
	smmu_tlbi_plan_init(&p, &g, true, 0);
	assert_true(smmu_tlbi_plan_next(&p, &w0, &w1));
	assert_false(w1 & (SMMU_CMD_TLBI_W1_TTL | SMMU_CMD_TLBI_W1_LEAF));
	/* A table with pages alone: descriptors of tables above the level of the hint go as well. */
	smmu_gather_init(&g, 12);
	smmu_gather_leaf(&g, 0x40000000, 12, 3);
	smmu_gather_table(&g, 0x40000000, 0x401fffff, 12, 3);
	smmu_tlbi_plan_init(&p, &g, true, 0);
	assert_true(smmu_tlbi_plan_next(&p, &w0, &w1));
	assert_int_equal(w1, 0x40000000 | 3 << 8 | 1 << 10);
	smmu_tlbi_plan_init(&p, &g, false, 0);
	assert_int_equal(p.count, 512);
	/* A table of 2M blocks: one command for each of them reaches the table's descriptor too. */
	smmu_gather_init(&g, 12);
	smmu_gather_table(&g, 0x40000000, 0x7fffffff, 21, 2);
	smmu_tlbi_plan_init(&p, &g, false, 0);
	assert_int_equal(p.count, 512);
	assert_int_equal(p.w1, 0);
}

static void test_whole_when_cheaper(void **state)
{
	struct smmu_gather g = range_of(0, 512, 12);
	struct smmu_tlbi_plan p;

	smmu_tlbi_plan_init(&p, &g, false, 0);
	assert_false(p.whole);
	assert_int_equal(p.count, 512);
	g = range_of(0, 513, 12);
	smmu_tlbi_plan_init(&p, &g, false, 0);
	assert_true(p.whole);
	assert_int_equal(p.count, 1);
	smmu_tlbi_plan_init(&p, &g, false, 600);
	assert_false(p.whole);
}

/** Fewest aligned blocks that cover [page, last] exactly, by the recursion on halves; top is their log2 bound. */
static unsigned fewest_blocks(uint64_t base, unsigned order, uint64_t page, uint64_t last)
{
	uint64_t end = base + SMMU_BIT(order) - 1;

	if (last < base || page > end)
		return 0;
	if (page <= base && end <= last)
		return 1;
	return fewest_blocks(base, order - 1, page, last) +
	       fewest_blocks(base + SMMU_BIT(order - 1), order - 1, page, last);
}

static void test_atc_exact(void **state)
{
	uint64_t rng = test_seed();

	for (int i = 0; i < 50000; i++) {
		uint64_t page = test_random(&rng) % 4096, last = page + test_random(&rng) % 4096;
		struct smmu_atc_plan p;
		uint64_t w1, at = page;
		unsigned n = 0;

		smmu_atc_plan_init(&p, page << 12, (last << 12) + 4095, 0);
		assert_int_equal(p.count, fewest_blocks(0, 13, page, last));
		while (smmu_atc_plan_next(&p, &w1)) {
			unsigned order = (unsigned)smmu_field_get(SMMU_CMD_ATC_INV_W1_SIZE, w1);

			assert_int_equal(w1 >> 12, at);
			assert_int_equal(at & (SMMU_BIT(order) - 1), 0);
			at += SMMU_BIT(order);
			n++;
		}
		assert_int_equal(at, last + 1);
		assert_true(n && n <= 24);
	}
}

/* With a bound the spans are at most so many, still cover everything, and are aligned. */
static void test_atc_bound(void **state)
{
	uint64_t rng = test_seed();

	for (int i = 0; i < 50000; i++) {
		uint64_t page = test_random(&rng) % 100000,
			 last = page + test_random(&rng) % 100000;
		uint32_t max = 1 + (uint32_t)(test_random(&rng) % 8);
		struct smmu_atc_plan p;
		uint64_t w1, at = 0, first = UINT64_MAX;
		unsigned n = 0;

		smmu_atc_plan_init(&p, page << 12, (last << 12) + 4095, max);
		while (smmu_atc_plan_next(&p, &w1)) {
			unsigned order = (unsigned)smmu_field_get(SMMU_CMD_ATC_INV_W1_SIZE, w1);

			if (first == UINT64_MAX)
				first = at = w1 >> 12;
			assert_int_equal(w1 >> 12, at);
			assert_int_equal(at & (SMMU_BIT(order) - 1), 0);
			at += SMMU_BIT(order);
			n++;
		}
		assert_true(first <= page && at > last);
		assert_true(n <= max);
	}
	/* The extremes of the address space. */
	struct smmu_atc_plan p;
	uint64_t w1;
	smmu_atc_plan_init(&p, 0, UINT64_MAX, 0);
	assert_true(smmu_atc_plan_next(&p, &w1));
	assert_int_equal(smmu_field_get(SMMU_CMD_ATC_INV_W1_SIZE, w1), 52);
	assert_false(smmu_atc_plan_next(&p, &w1));
	smmu_atc_plan_init(&p, 4096, UINT64_MAX - 4096, 1);
	assert_int_equal(p.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact_and_fewest),
		cmocka_unit_test(test_granules_and_sizes),
		cmocka_unit_test(test_hints),
		cmocka_unit_test(test_whole_when_cheaper),
		cmocka_unit_test(test_atc_exact),
		cmocka_unit_test(test_atc_bound),
	};

	return cmocka_run_group_tests_name("inv plans", tests, setup, NULL);
}

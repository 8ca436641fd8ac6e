/* SPDX-License-Identifier: BSD-2-Clause */
/* The judge: each promise, kept and broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "oracle.h"
#include "random.h"

#define IOVA 0x40000000ull
#define PA 0x80000000ull
#define REFUSED UINT64_MAX

static struct oracle *o;

static int setup(void **state)
{
	o = oracle_create(2, 4);
	return !o || oracle_window(o, 0, IOVA, 4u << 20) || oracle_window(o, 1, IOVA, 4u << 20);
}

static int teardown(void **state)
{
	oracle_destroy(o);
	return 0;
}

/* The verdict on an access of stream 0 that landed at @pa. */
static enum oracle_verdict judge_access(uint64_t iova, unsigned access, uint64_t pa)
{
	struct oracle_ticket t = oracle_before(o, 0, iova, access);
	char why[160];

	return oracle_after(o, &t, pa != REFUSED, pa, why, sizeof(why));
}

static enum oracle_verdict judge(uint64_t iova, bool write, uint64_t pa)
{
	return judge_access(iova, write ? ORACLE_WRITE : ORACLE_READ, pa);
}

static void attach(unsigned to)
{
	oracle_attach_begin(o, 0, to, false);
	oracle_attach_end(o, 0, true);
}

static void map(unsigned domain, uint64_t iova, uint64_t size, uint64_t pa, unsigned prot)
{
	oracle_map_begin(o, domain, iova, size, pa, prot);
	oracle_map_end(o, domain, iova, size, true);
}

static void test_pages(void **state)
{
	attach(0);
	assert_int_equal(judge(IOVA, false, REFUSED), ORACLE_REFUSED);
	assert_int_equal(judge(IOVA, false, PA), ORACLE_STALE);

	oracle_map_begin(o, 0, IOVA, 8192, PA, ORACLE_READ | ORACLE_WRITE);
	assert_int_equal(judge(IOVA, true, REFUSED), ORACLE_REFUSED);
	assert_int_equal(judge(IOVA, true, PA), ORACLE_LANDED);
	assert_int_equal(judge(IOVA, true, PA + 4096), ORACLE_STALE);
	oracle_map_end(o, 0, IOVA, 8192, true);
	assert_int_equal(judge(IOVA + 4097, true, PA + 4097), ORACLE_LANDED);
	assert_int_equal(judge(IOVA + 4097, true, PA + 1), ORACLE_STALE);
	assert_int_equal(judge(IOVA, true, REFUSED), ORACLE_LOST);
	assert_int_equal(judge(IOVA + 8192, true, REFUSED), ORACLE_REFUSED);
	assert_int_equal(oracle_live_pages(o, 0), 2);

	oracle_unmap_begin(o, 0, IOVA, 4096);
	assert_int_equal(judge(IOVA, false, REFUSED), ORACLE_REFUSED);
	assert_int_equal(judge(IOVA, false, PA), ORACLE_LANDED);
	assert_int_equal(judge(IOVA, false, PA + 4096), ORACLE_STALE);
	assert_int_equal(judge(IOVA + 4096, false, REFUSED), ORACLE_LOST);
	oracle_unmap_end(o, 0, IOVA, 4096, true);
	assert_int_equal(judge(IOVA, false, PA), ORACLE_STALE);
	assert_int_equal(judge(IOVA, false, REFUSED), ORACLE_REFUSED);
	assert_int_equal(oracle_live_pages(o, 0), 1);
}

static void test_failed_calls_promise_nothing(void **state)
{
	uint64_t pa;

	attach(0);
	oracle_map_begin(o, 0, IOVA, 4096, PA, ORACLE_READ);
	oracle_map_end(o, 0, IOVA, 4096, false);
	assert_int_equal(judge(IOVA, false, PA), ORACLE_STALE);
	assert_false(oracle_mapped(o, 0, IOVA, &pa));

	map(0, IOVA, 4096, PA, ORACLE_READ);
	/* Over what is mapped: the old mapping stays, the free page beside it stays free. */
	oracle_map_begin(o, 0, IOVA, 8192, PA + 65536, ORACLE_READ);
	assert_int_equal(judge(IOVA, false, PA), ORACLE_LANDED);
	oracle_map_end(o, 0, IOVA, 8192, false);
	assert_true(oracle_mapped(o, 0, IOVA + 5, &pa));
	assert_int_equal(pa, PA + 5);
	assert_int_equal(judge(IOVA + 4096, false, REFUSED), ORACLE_REFUSED);

	oracle_unmap_begin(o, 0, IOVA, 4096);
	oracle_unmap_end(o, 0, IOVA, 4096, false);
	assert_int_equal(judge(IOVA, false, REFUSED), ORACLE_LOST);
}

static void test_permissions(void **state)
{
	attach(0);
	map(0, IOVA, 4096, PA, ORACLE_READ);
	assert_int_equal(judge(IOVA, false, PA), ORACLE_LANDED);
	assert_int_equal(judge(IOVA, true, REFUSED), ORACLE_REFUSED);
	assert_int_equal(judge(IOVA, true, PA), ORACLE_STALE);

	map(0, IOVA + 4096, 4096, PA, ORACLE_WRITE);
	assert_int_equal(judge(IOVA + 4096, true, PA), ORACLE_LANDED);
	assert_int_equal(judge(IOVA + 4096, true, REFUSED), ORACLE_LOST);
	assert_int_equal(judge(IOVA + 4096, false, PA), ORACLE_STALE);
	assert_int_equal(judge(IOVA + 4096, false, REFUSED), ORACLE_REFUSED);

	map(0, IOVA + 8192, 4096, PA, ORACLE_READ | ORACLE_PRIVILEGED | ORACLE_NOEXEC);
	assert_int_equal(judge(IOVA + 8192, false, PA), ORACLE_STALE);
	assert_int_equal(judge(IOVA + 8192, false, REFUSED), ORACLE_REFUSED);
	assert_int_equal(judge_access(IOVA + 8192, ORACLE_READ | ORACLE_PRIVILEGED, PA),
			 ORACLE_LANDED);
	assert_int_equal(judge_access(IOVA + 8192, ORACLE_READ | ORACLE_PRIVILEGED, REFUSED),
			 ORACLE_LOST);
	assert_int_equal(
		judge_access(IOVA + 8192, ORACLE_READ | ORACLE_PRIVILEGED | ORACLE_FETCH, PA),
		ORACLE_STALE);
	assert_int_equal(judge_access(IOVA, ORACLE_READ | ORACLE_FETCH, PA), ORACLE_LANDED);
	assert_int_equal(judge_access(IOVA, ORACLE_READ | ORACLE_FETCH, REFUSED), ORACLE_LOST);
	assert_int_equal(judge_access(IOVA, ORACLE_READ | ORACLE_FETCH, PA + 4096), ORACLE_STALE);
	/* What cannot be read cannot be fetched. */
	assert_int_equal(judge_access(IOVA + 4096, ORACLE_READ | ORACLE_FETCH, PA), ORACLE_STALE);
	assert_int_equal(judge_access(IOVA + 4096, ORACLE_READ | ORACLE_FETCH, REFUSED),
			 ORACLE_REFUSED);
}

/* What the privileged may execute, by the rule of the domain; it says nothing about the unprivileged, nor about data. */
static void test_rules(void **state)
{
	static const struct {
		enum oracle_rule rule;
		unsigned prot;
		bool may;
	} cases[] = {
		{ORACLE_PRIVILEGED_EXECUTES, ORACLE_READ | ORACLE_WRITE, true},
		{ORACLE_NOT_WRITABLE, ORACLE_READ | ORACLE_WRITE, false},
		{ORACLE_NOT_WRITABLE, ORACLE_READ, true},
		{ORACLE_NOT_WRITABLE, ORACLE_READ | ORACLE_WRITE | ORACLE_PRIVILEGED, true},
		{ORACLE_NOT_PRIVILEGED, ORACLE_READ, false},
	};
	unsigned n, priv = ORACLE_READ | ORACLE_PRIVILEGED;

	attach(1);
	for (n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		uint64_t at = IOVA + n * 4096;

		oracle_rule(o, 1, cases[n].rule);
		map(1, at, 4096, PA, cases[n].prot);
		assert_int_equal(judge_access(at, priv, REFUSED), ORACLE_LOST);
		assert_int_equal(judge_access(at, priv | ORACLE_FETCH, PA),
				 cases[n].may ? ORACLE_LANDED : ORACLE_STALE);
		assert_int_equal(judge_access(at, priv | ORACLE_FETCH, REFUSED),
				 cases[n].may ? ORACLE_LOST : ORACLE_REFUSED);
		if (!(cases[n].prot & ORACLE_PRIVILEGED))
			assert_int_equal(judge_access(at, ORACLE_READ | ORACLE_FETCH, REFUSED),
					 ORACLE_LOST);
	}
}

/* A change that was not confirmed: the old is possible beside the new, and nothing else. */
static void test_doubt(void **state)
{
	map(0, IOVA, 8192, PA, ORACLE_READ);
	map(1, IOVA, 4096, PA + 65536, ORACLE_READ);
	attach(0);
	oracle_attach_begin(o, 0, 1, false);
	oracle_doubt(o, 0, 0);
	oracle_doubt(o, 0, 1);
	oracle_attach_end(o, 0, true);
	assert_true(oracle_in_doubt(o, 0));
	assert_false(oracle_in_doubt(o, 1));
	assert_int_equal(judge(IOVA, false, PA), ORACLE_LANDED);
	assert_int_equal(judge(IOVA, false, PA + 65536), ORACLE_LANDED);
	assert_int_equal(judge(IOVA, false, REFUSED), ORACLE_REFUSED);
	assert_int_equal(judge(IOVA, false, PA + 4096), ORACLE_STALE);
	assert_int_equal(judge(IOVA, true, PA), ORACLE_STALE);
	/* What a confirmed unmap took away is gone there as well. */
	oracle_unmap_begin(o, 0, IOVA, 4096);
	assert_int_equal(judge(IOVA, false, PA), ORACLE_LANDED);
	oracle_unmap_end(o, 0, IOVA, 4096, true);
	assert_int_equal(judge(IOVA, false, PA), ORACLE_STALE);
	assert_int_equal(judge(IOVA + 4096, false, PA + 4096), ORACLE_LANDED);

	oracle_attach_begin(o, 0, ORACLE_BLOCKED, false);
	oracle_certain(o, 0);
	oracle_attach_end(o, 0, true);
	assert_int_equal(judge(IOVA + 4096, false, PA + 4096), ORACLE_STALE);
}

/* Ranges over the bounds of chunks, and what lies outside the windows. */
static void test_ranges(void **state)
{
	const uint64_t at = IOVA + (2u << 20) - 8192;

	attach(0);
	map(0, at, 16384, PA, ORACLE_READ);
	assert_true(oracle_still_mapped(o, 0, at, 16384));
	assert_false(oracle_still_mapped(o, 0, at, 20480));
	assert_false(oracle_still_mapped(o, 0, at - 4096, 8192));
	assert_int_equal(judge(at + 12288, false, PA + 12288), ORACLE_LANDED);
	oracle_unmap_begin(o, 0, at + 4096, 8192);
	assert_false(oracle_still_mapped(o, 0, at, 16384));
	oracle_unmap_end(o, 0, at + 4096, 8192, true);
	assert_int_equal(judge(at + 8192, false, PA + 8192), ORACLE_STALE);
	assert_int_equal(judge(at + 12288, false, REFUSED), ORACLE_LOST);
	assert_int_equal(oracle_live_pages(o, 0), 2);
	map(0, IOVA + (4u << 20) - 4096, 8192, PA, ORACLE_READ);
	assert_int_equal(oracle_live_pages(o, 0), 3);
	assert_false(oracle_still_mapped(o, 0, IOVA + (4u << 20) - 4096, 8192));
}

/* What is unmapped goes in all views of it; one maps by itself, the other with the domain, at higher addresses. */
static void test_views(void **state)
{
	const uint64_t up = 16u << 20;

	oracle_destroy(o);
	o = oracle_create(4, 1);
	assert_non_null(o);
	oracle_view(o, 1, 0, 0, false);
	oracle_view(o, 2, 0, up, true);
	for (unsigned d = 0; d < 4; d++)
		assert_int_equal(oracle_window(o, d, IOVA + (d == 2 ? up : 0), 4u << 20), 0);
	map(0, IOVA, 16384, PA, ORACLE_READ);
	attach(1);
	assert_int_equal(judge(IOVA, false, PA), ORACLE_STALE);
	map(1, IOVA, 8192, PA, ORACLE_READ);
	map(3, IOVA, 8192, PA, ORACLE_READ);
	assert_int_equal(judge(IOVA, false, REFUSED), ORACLE_LOST);
	attach(2);
	assert_int_equal(judge(IOVA + up, false, REFUSED), ORACLE_LOST);
	assert_int_equal(judge(IOVA + up + 8192, false, PA + 8192), ORACLE_LANDED);
	assert_int_equal(judge(IOVA, false, PA), ORACLE_STALE);
	/* Alone. */
	oracle_unmap_alone_begin(o, 0, IOVA, 4096);
	oracle_unmap_alone_end(o, 0, IOVA, 4096, true);
	assert_int_equal(judge(IOVA + up, false, REFUSED), ORACLE_LOST);
	oracle_map_alone_begin(o, 0, IOVA, 4096, PA, ORACLE_READ);
	oracle_map_alone_end(o, 0, IOVA, 4096, true);
	/* While it goes both are right; what is not confirmed is as it was. */
	oracle_unmap_begin(o, 0, IOVA, 16384);
	assert_int_equal(judge(IOVA + up, false, PA), ORACLE_LANDED);
	assert_int_equal(judge(IOVA + up, false, REFUSED), ORACLE_REFUSED);
	oracle_unmap_end(o, 0, IOVA, 16384, false);
	assert_int_equal(judge(IOVA + up, false, REFUSED), ORACLE_LOST);
	oracle_unmap_begin(o, 0, IOVA, 4096);
	oracle_unmap_end(o, 0, IOVA, 4096, true);
	assert_int_equal(judge(IOVA + up, false, PA), ORACLE_STALE);
	attach(1);
	assert_int_equal(judge(IOVA, false, PA), ORACLE_STALE);
	assert_int_equal(judge(IOVA + 4096, false, REFUSED), ORACLE_LOST);
	attach(3);
	assert_int_equal(judge(IOVA, false, REFUSED), ORACLE_LOST);
}

static void test_attachments(void **state)
{
	bool changing;

	map(0, IOVA, 4096, PA, ORACLE_READ);
	map(1, IOVA, 4096, PA + 65536, ORACLE_READ);
	assert_int_equal(judge(IOVA, false, PA), ORACLE_STALE); /* blocked at first */
	assert_int_equal(judge(IOVA, false, REFUSED), ORACLE_REFUSED);

	oracle_attach_begin(o, 0, 0, false);
	assert_int_equal(judge(IOVA, false, PA), ORACLE_LANDED);
	assert_int_equal(judge(IOVA, false, REFUSED), ORACLE_REFUSED);
	oracle_attach_end(o, 0, false);
	assert_int_equal(oracle_attached(o, 0, &changing), ORACLE_BLOCKED);
	assert_false(changing);
	assert_int_equal(judge(IOVA, false, PA), ORACLE_STALE);

	attach(0);
	oracle_attach_begin(o, 0, 1, false);
	assert_int_equal(judge(IOVA, false, PA), ORACLE_LANDED);
	assert_int_equal(judge(IOVA, false, PA + 65536), ORACLE_LANDED);
	assert_int_equal(judge(IOVA, false, REFUSED), ORACLE_REFUSED);
	assert_int_equal(judge(IOVA, false, PA + 4096), ORACLE_STALE);
	oracle_attach_end(o, 0, true);
	assert_int_equal(judge(IOVA, false, PA), ORACLE_STALE);
	assert_int_equal(judge(IOVA, false, PA + 65536), ORACLE_LANDED);

	/* Without a moment of refusal, where both map the page. */
	oracle_attach_begin(o, 0, 0, true);
	assert_int_equal(judge(IOVA, false, REFUSED), ORACLE_LOST);
	assert_int_equal(judge(IOVA + 4096, false, REFUSED), ORACLE_REFUSED);
	oracle_unmap_begin(o, 0, IOVA, 4096);
	assert_int_equal(judge(IOVA, false, REFUSED), ORACLE_REFUSED);
	oracle_unmap_end(o, 0, IOVA, 4096, true);
	/* What is gone is gone while the stream is on its way as well. */
	assert_int_equal(judge(IOVA, false, PA), ORACLE_STALE);
	oracle_attach_end(o, 0, true);

	attach(ORACLE_IDENTITY);
	assert_int_equal(judge(IOVA, true, IOVA), ORACLE_LANDED);
	assert_int_equal(judge(IOVA, true, PA), ORACLE_STALE);
	attach(ORACLE_BLOCKED);
	assert_int_equal(judge(IOVA, true, IOVA), ORACLE_STALE);
}

/* What moves during an access is not judged, whatever came of it. */
static void test_moving(void **state)
{
	struct oracle_ticket t;
	char why[160];

	attach(0);
	map(0, IOVA, 4096, PA, ORACLE_READ);
	t = oracle_before(o, 0, IOVA, ORACLE_READ);
	oracle_unmap_begin(o, 0, IOVA, 4096);
	assert_int_equal(oracle_after(o, &t, true, PA + 1, why, sizeof(why)), ORACLE_UNJUDGED);
	oracle_unmap_end(o, 0, IOVA, 4096, true);
	/* Away and back again is a change, too. */
	t = oracle_before(o, 0, IOVA, ORACLE_READ);
	map(0, IOVA, 4096, PA, ORACLE_READ);
	oracle_unmap_begin(o, 0, IOVA, 4096);
	oracle_unmap_end(o, 0, IOVA, 4096, true);
	assert_int_equal(oracle_after(o, &t, true, PA, why, sizeof(why)), ORACLE_UNJUDGED);
	t = oracle_before(o, 0, IOVA, ORACLE_READ);
	attach(1);
	attach(0);
	assert_int_equal(oracle_after(o, &t, true, PA, why, sizeof(why)), ORACLE_UNJUDGED);
}

/* Large mappings and small ones in the same place, piece by piece, against a plain array. */
static void test_large(void **state)
{
	enum { PAGES = 4 * 512 };
	static uint64_t pfn[PAGES]; /* 0: not mapped */
	const uint64_t base = 1ull << 40;
	struct smmu_random r;
	unsigned i, k;

	smmu_random_seed(&r, 7);
	assert_int_equal(oracle_window(o, 0, base, (uint64_t)PAGES << 12), 0);
	attach(0);
	for (i = 0; i < 2000; i++) {
		uint64_t unit = smmu_random_chance(&r, 1, 2) ? 512 : 1, first, n, pa, word;
		struct oracle_ticket t;

		first = smmu_random_below(&r, PAGES / unit) * unit;
		n = (1 + smmu_random_below(&r, (PAGES - first) / unit)) * unit;
		pa = (1 + smmu_random_below(&r, 1000)) << 21;
		t = oracle_before(o, 0, base + (first << 12), ORACLE_READ);
		word = t.page[0];
		if (smmu_random_chance(&r, 1, 2)) {
			oracle_map_begin(o, 0, base + (first << 12), n << 12, pa, ORACLE_READ);
			oracle_map_end(o, 0, base + (first << 12), n << 12, true);
			for (k = 0; k < n; k++)
				pfn[first + k] = pfn[first + k] ? pfn[first + k] : (pa >> 12) + k;
		} else {
			oracle_unmap_begin(o, 0, base + (first << 12), n << 12);
			oracle_unmap_end(o, 0, base + (first << 12), n << 12, true);
			for (k = 0; k < n; k++)
				pfn[first + k] = 0;
		}
		t = oracle_before(o, 0, base + (first << 12), ORACLE_READ);
		/* Nothing changes without another version. */
		if (t.page[0] != word)
			assert_true(t.page[0] >> 46 != word >> 46);
		for (k = 0; k < PAGES; k += 1 + (unsigned)smmu_random_below(&r, 100)) {
			uint64_t at = 0;

			assert_int_equal(oracle_mapped(o, 0, base + ((uint64_t)k << 12), &at),
					 pfn[k] != 0);
			assert_int_equal(at, pfn[k] << 12);
		}
		for (k = 0; k < n && pfn[first + k]; k++)
			;
		assert_int_equal(oracle_still_mapped(o, 0, base + (first << 12), n << 12), k == n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed_calls_promise_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_permissions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rules, setup, teardown),
		cmocka_unit_test_setup_teardown(test_doubt, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ranges, setup, teardown),
		cmocka_unit_test_setup_teardown(test_views, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attachments, setup, teardown),
		cmocka_unit_test_setup_teardown(test_moving, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants that lie on each other, against tables that are an array: after each change every unit has the access of all the grants
 * that cover it, no change is told that is none, and a change that fails leaves all as it was. And shadows, whose
 * life is made of grants.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "efi.h"
#include "grants.h"
#include "shadow.h"

#define UNITS 64u
#define UNIT 0x1000ull
#define GRANTS 12u

struct tables {
	uint32_t access[UNITS];
	uint64_t last_end; /* of the walk under way */
	unsigned calls;
	unsigned fail_at; /* the call that fails, counted from 1; 0: none */
};

static int change(void *ctx, uint64_t first, uint64_t end, uint32_t from, uint32_t to)
{
	struct tables *t = ctx;

	assert_true(first < end && first % UNIT == 0 && end % UNIT == 0);
	assert_int_not_equal(from, to);
	if (++t->calls == t->fail_at)
		return -1;
	for (uint64_t u = first / UNIT; u < end / UNIT; u++) {
		assert_int_equal(t->access[u], from);
		t->access[u] = to;
	}
	return 0;
}

static void expect_union(const struct uefi_grant *g, const bool *in, const struct tables *t)
{
	for (uint64_t u = 0; u < UNITS; u++) {
		uint32_t want = 0;

		for (unsigned i = 0; i < GRANTS; i++)
			if (in[i] && g[i].first <= u * UNIT && g[i].end > u * UNIT)
				want |= g[i].access;
		assert_int_equal(t->access[u], want);
	}
}

static void test_random(void **state)
{
	const char *given = getenv("SMMU_TEST_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 0) : (unsigned)time(NULL);
	struct uefi_grants grants = {NULL};
	struct uefi_grant g[GRANTS];
	bool in[GRANTS] = {false};
	struct tables t = {.calls = 0};
	(void)state;

	print_message("SMMU_TEST_SEED=%u\n", seed);
	srand(seed);
	for (unsigned step = 0; step < 20000; step++) {
		unsigned i = (unsigned)rand() % GRANTS;
		struct tables before = t;
		int error;

		t.calls = 0;
		t.fail_at = rand() % 4 ? 0 : 1 + (unsigned)rand() % 4;
		if (in[i]) {
			/* Going away cannot be refused; here it is not. */
			t.fail_at = 0;
			assert_int_equal(uefi_grant_remove(&grants, &g[i], change, &t), 0);
			in[i] = false;
		} else {
			uint64_t from = (unsigned)rand() % UNITS;
			uint64_t n = 1 + (unsigned)rand() % (UNITS - from);

			g[i] = (struct uefi_grant){.first = from * UNIT,
						   .end = (from + n) * UNIT,
						   .access = 1 + (unsigned)rand() % 3};
			error = uefi_grant_add(&grants, &g[i], change, &t);
			in[i] = !error;
			if (error)
				assert_memory_equal(t.access, before.access, sizeof(t.access));
		}
		expect_union(g, in, &t);
	}
}

static void test_fewest(void **state)
{
	struct uefi_grants grants = {NULL};
	struct uefi_grant whole = {.first = 0, .end = 16 * UNIT, .access = 1};
	struct uefi_grant left = {.first = 0, .end = 4 * UNIT, .access = 2};
	struct uefi_grant right = {.first = 4 * UNIT, .end = 8 * UNIT, .access = 2};
	struct uefi_grant over = {.first = 0, .end = 8 * UNIT, .access = 2};
	struct tables t = {.calls = 0};
	(void)state;

	assert_int_equal(uefi_grant_add(&grants, &whole, change, &t), 0);
	assert_int_equal(t.calls, 1);
	assert_int_equal(uefi_grant_add(&grants, &left, change, &t), 0);
	assert_int_equal(uefi_grant_add(&grants, &right, change, &t), 0);
	assert_int_equal(t.calls, 3);
	/* Two neighbours below give the same: nothing changes, and nothing is told. */
	assert_int_equal(uefi_grant_add(&grants, &over, change, &t), 0);
	assert_int_equal(uefi_grant_remove(&grants, &left, change, &t), 0);
	assert_int_equal(uefi_grant_remove(&grants, &right, change, &t), 0);
	assert_int_equal(t.calls, 3);
	assert_int_equal(uefi_grant_remove(&grants, &over, change, &t), 0);
	assert_int_equal(t.calls, 4);
	/* One that is not there any more. */
	assert_int_equal(uefi_grant_remove(&grants, &over, change, &t), 0);
	assert_int_equal(t.calls, 4);
}

/* ---- Shadows ---- */

struct source {
	uint64_t next;
	unsigned out, withdrawn;
	int withdraw_error;
};

static struct uefi_shadow *allocate(void *ctx, uint64_t size, uint64_t below)
{
	struct source *s = ctx;
	struct uefi_shadow *shadow;

	if (s->next + size > below)
		return NULL;
	shadow = calloc(1, sizeof(*shadow));
	shadow->at = s->next;
	shadow->size = size;
	s->next += size;
	s->out++;
	return shadow;
}

static void release(void *ctx, struct uefi_shadow *shadow)
{
	struct source *s = ctx;

	assert_null(shadow->space);
	s->out--;
	free(shadow);
}

static int withdraw(void *ctx, struct uefi_shadow *shadow)
{
	struct source *s = ctx;

	s->withdrawn++;
	shadow->space = NULL;
	return s->withdraw_error;
}

static const struct uefi_shadow_ops ops = {allocate, release, withdraw};

static void test_shadows(void **state)
{
	struct source source = {.next = 0x100000};
	struct uefi_shadows s = {
		.ops = &ops, .ctx = &source, .granule = UNIT, .keep_max = 8 * UNIT};
	struct uefi_space *space = (struct uefi_space *)&source;
	struct uefi_shadow *a, *b, *c, *large;
	(void)state;

	a = uefi_shadow_take(&s, 3 * UNIT, EDKII_IOMMU_READ, ~0ull);
	b = uefi_shadow_take(&s, 4 * UNIT, EDKII_IOMMU_READ, ~0ull);
	assert_int_equal(a->size, 4 * UNIT);
	assert_null(a->space);
	a->space = b->space = space;
	assert_int_equal(uefi_shadow_release(&s, a, true), 0);
	assert_int_equal(uefi_shadow_release(&s, b, true), 0);
	assert_int_equal(s.kept, 8 * UNIT);
	/* The last one used comes first, still its space's; another access has none. */
	assert_ptr_equal(uefi_shadow_take(&s, 4 * UNIT, EDKII_IOMMU_READ, ~0ull), b);
	assert_ptr_equal(b->space, space);
	c = uefi_shadow_take(&s, 4 * UNIT, EDKII_IOMMU_WRITE, ~0ull);
	assert_ptr_not_equal(c, a);
	/* One that lies too high is passed over. */
	assert_null(uefi_shadow_take(&s, 4 * UNIT, EDKII_IOMMU_READ, a->at));
	assert_ptr_equal(uefi_shadow_take(&s, 4 * UNIT, EDKII_IOMMU_READ, a->at + a->size), a);
	assert_int_equal(s.kept, 0);
	/* What is too much to keep is shut out and given back. */
	c->space = space;
	uefi_shadow_release(&s, a, true);
	uefi_shadow_release(&s, b, true);
	assert_int_equal(source.withdrawn, 0);
	assert_int_equal(uefi_shadow_release(&s, c, true), 0);
	assert_int_equal(source.withdrawn, 1);
	assert_int_equal(source.out, 2);
	large = uefi_shadow_take(&s, UNIT << UEFI_SHADOW_CLASSES, EDKII_IOMMU_READ, ~0ull);
	assert_int_equal(large->size, UNIT << UEFI_SHADOW_CLASSES);
	assert_int_equal(uefi_shadow_release(&s, large, true), 0);
	assert_int_equal(source.out, 2);
	assert_int_equal(s.kept, 8 * UNIT);
	/* One that the SMMU does not let go of is never used again. */
	a = uefi_shadow_take(&s, 4 * UNIT, EDKII_IOMMU_READ, ~0ull);
	source.withdraw_error = -5;
	assert_int_equal(uefi_shadow_release(&s, a, false), -5);
	assert_int_equal(s.lost, 4 * UNIT);
	assert_int_equal(source.out, 2);
	free(a);
	source.withdraw_error = 0;
	b = uefi_shadow_take(&s, 4 * UNIT, EDKII_IOMMU_READ, ~0ull);
	assert_int_equal(uefi_shadow_release(&s, b, false), 0);
	assert_int_equal(source.out, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_fewest),
		cmocka_unit_test(test_shadows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

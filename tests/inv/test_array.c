/* SPDX-License-Identifier: BSD-2-Clause */
/* The array: order, merge, removal, users, failing memory; and a random run against a plain list. */
#include "inv_test.h"

static struct test_port tp;
static struct smmu_inv_owner owner;
static struct smmu_inv_target smmu[4] = {{.index = 0}, {.index = 1}, {.index = 2}, {.index = 3}};

static int setup(void **state)
{
	test_port_init(&tp);
	return 0;
}

static struct smmu_inv vmid(unsigned s, uint32_t id)
{
	struct smmu_inv e;

	smmu_inv_make_vmid(&e, &smmu[s], id);
	return e;
}

static struct smmu_inv asid(unsigned s, uint32_t id)
{
	struct smmu_inv e;

	smmu_inv_make_asid(&e, &smmu[s], id);
	return e;
}

static struct smmu_inv s1_clear(unsigned s, uint32_t id)
{
	struct smmu_inv e;

	smmu_inv_make_s1_clear(&e, &smmu[s], id);
	return e;
}

static struct smmu_inv ats(unsigned s, uint32_t stream, int32_t ssid, bool full)
{
	struct smmu_inv e;

	smmu_inv_make_ats(&e, &smmu[s], stream, ssid, full, &owner);
	return e;
}

static struct smmu_inv_array *merged(struct smmu_inv_array *old, struct smmu_inv *set, uint32_t n)
{
	struct smmu_inv_array *a;

	smmu_inv_sort(set, n);
	a = smmu_inv_merge(&tp.port, old, set, n);
	assert_non_null(a);
	smmu_inv_array_free(old);
	return a;
}

/** Take @p set off again and check that what is left of it is reported. */
static void removed(struct smmu_inv_array *a, struct smmu_inv *set, uint32_t n)
{
	smmu_inv_sort(set, n);
	smmu_inv_unref(a, set, n);
}

static void check_live(const struct smmu_inv_array *a, uint32_t n, const uint32_t *ids,
		       const uint32_t *users)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < a->count; i++) {
		if (i)
			assert_true(smmu_inv_compare(&a->entry[i - 1], &a->entry[i]) <= 0);
		if (!a->entry[i].users)
			continue;
		assert_true(at < n);
		assert_int_equal(a->entry[i].id, ids[at]);
		if (users)
			assert_int_equal(a->entry[i].users, users[at]);
		at++;
	}
	assert_int_equal(at, n);
}

#define LIVE(a, ...) \
	check_live(a, SMMU_ARRAY_SIZE(((uint32_t[]){__VA_ARGS__})), (uint32_t[]){__VA_ARGS__}, NULL)

/* The steps of the mailing list's proposal: a nesting parent and devices that come and go. */
static void test_steps(void **state)
{
	struct smmu_inv one[] = {vmid(0, 1), s1_clear(0, 1), ats(0, 3, -1, false)};
	struct smmu_inv two[] = {vmid(0, 1), ats(0, 4, -1, false), ats(0, 5, -1, false)};
	struct smmu_inv three[] = {vmid(0, 1), ats(0, 5, -1, false), ats(0, 6, -1, false)};
	struct smmu_inv one_again[] = {vmid(0, 1), s1_clear(0, 1), ats(0, 3, -1, false)};
	struct smmu_inv two_again[] = {vmid(0, 1), ats(0, 4, -1, false), ats(0, 5, -1, false)};
	struct smmu_inv three_again[] = {vmid(0, 1), ats(0, 5, -1, false), ats(0, 6, -1, false)};
	struct smmu_inv_array *a = merged(NULL, one, 3);

	check_live(a, 3, (uint32_t[]){1, 1, 3}, (uint32_t[]){1, 1, 1});
	a = merged(a, two, 3);
	check_live(a, 5, (uint32_t[]){1, 1, 3, 4, 5}, (uint32_t[]){2, 1, 1, 1, 1});
	removed(a, two_again, 3);
	check_live(a, 3, (uint32_t[]){1, 1, 3}, (uint32_t[]){1, 1, 1});
	assert_int_equal(two_again[0].users, 1); /* the VMID is still in use … */
	assert_int_equal(two_again[1].users, 0); /* … the streams are not */
	assert_true(smmu_inv_has_gone(a));
	a = merged(a, three, 3);
	assert_false(smmu_inv_has_gone(a));
	assert_int_equal(a->count, 5);
	removed(a, one_again, 3);
	LIVE(a, 1, 5, 6);
	removed(a, three_again, 3);
	check_live(a, 0, NULL, NULL);
	a = merged(a, NULL, 0);
	assert_int_equal(a->count, 0);
	smmu_inv_array_free(a);
	assert_int_equal(tp.live, 0);
}

/* By instance, then TLB kinds, then S1-clear, then ATS of either kind by stream and substream. */
static void test_order(void **state)
{
	struct smmu_inv set[] = {
		ats(1, 2, -1, false), ats(0, 9, 4, false),
		ats(0, 9, -1, false), ats(0, 9, 0, false),
		ats(0, 8, 7, true),   ats(0, 10, -1, true),
		s1_clear(0, 3),       vmid(0, 70000 & 0xffff),
		vmid(0, 2),           asid(0, 99),
		asid(0, 5),           asid(1, 1),
		s1_clear(1, 1),
	};
	static const uint32_t want[][4] = {
		{0, SMMU_INV_S1_ASID, 5, 0},
		{0, SMMU_INV_S1_ASID, 99, 0},
		{0, SMMU_INV_S2_VMID, 2, 0},
		{0, SMMU_INV_S2_VMID, 70000 & 0xffff, 0},
		{0, SMMU_INV_S2_VMID_S1_CLEAR, 3, 0},
		{0, SMMU_INV_ATS_FULL, 8, 8},
		{0, SMMU_INV_ATS, 9, 0},
		{0, SMMU_INV_ATS, 9, 1},
		{0, SMMU_INV_ATS, 9, 5},
		{0, SMMU_INV_ATS_FULL, 10, 0},
		{1, SMMU_INV_S1_ASID, 1, 0},
		{1, SMMU_INV_S2_VMID_S1_CLEAR, 1, 0},
		{1, SMMU_INV_ATS, 2, 0},
	};
	struct smmu_inv_array *a = merged(NULL, set, SMMU_ARRAY_SIZE(set));

	assert_int_equal(a->count, SMMU_ARRAY_SIZE(want));
	for (uint32_t i = 0; i < a->count; i++) {
		assert_int_equal(a->entry[i].target->index, want[i][0]);
		assert_int_equal(a->entry[i].kind, want[i][1]);
		assert_int_equal(a->entry[i].id, want[i][2]);
		assert_int_equal(a->entry[i].substream, want[i][3]);
	}
	smmu_inv_array_free(a);
}

/* Commands are half built: opcode, tag, stream and substream are in place. */
static void test_half_built(void **state)
{
	struct smmu_inv e = asid(0, 0xbeef);

	assert_int_equal(e.by_range, 0xbeef000000000012ULL); /* TLBI_NH_VA, ASID [63:48] */
	assert_int_equal(e.whole, 0xbeef000000000011ULL);    /* TLBI_NH_ASID */
	e = vmid(0, 0x1234);
	assert_int_equal(e.by_range, 0x000012340000002aULL); /* TLBI_S2_IPA, VMID [47:32] */
	assert_int_equal(e.whole, 0x0000123400000028ULL);    /* TLBI_S12_VMALL */
	e = s1_clear(0, 7);
	assert_int_equal(e.whole, 0x0000000700000010ULL); /* TLBI_NH_ALL */
	e = ats(0, 0xabcd1234, -1, false);
	assert_int_equal(e.by_range, 0xabcd123400000040ULL);
	e = ats(0, 0x900, 0x12345, false);
	assert_int_equal(e.by_range, 0x0000090012345840ULL); /* SSV [11], SSID [31:12] */
}

/* A failed merge leaves everything as it was, for each allocation there is. */
static void test_failing_memory(void **state)
{
	struct smmu_inv one[] = {asid(0, 1), ats(0, 2, -1, false)};
	struct smmu_inv two[] = {asid(1, 1), ats(1, 2, -1, false)};
	struct smmu_inv_array *a = merged(NULL, one, 2);
	unsigned n;

	for (n = 1;; n++) {
		struct smmu_inv_array *b;
		long live = tp.live;

		tp.allocs = 0;
		tp.fail_at = n;
		b = smmu_inv_merge(&tp.port, a, two, 2);
		if (b) {
			smmu_inv_array_free(b);
			break;
		}
		assert_int_equal(tp.live, live);
		check_live(a, 2, (uint32_t[]){1, 2}, (uint32_t[]){1, 1});
	}
	assert_true(n > 1);
	/* And removal asks for none. */
	tp.allocs = 0;
	tp.fail_at = 1;
	removed(a, one, 2);
	check_live(a, 0, NULL, NULL);
	assert_int_equal(tp.allocs, 0);
	smmu_inv_array_free(a);
}

/* Taking off what is not there changes nothing. */
static void test_unref_unknown(void **state)
{
	struct smmu_inv one[] = {asid(0, 5), ats(0, 2, -1, false)};
	struct smmu_inv other[] = {asid(0, 4), asid(0, 6), ats(0, 1, -1, false),
				   ats(0, 3, -1, false)};
	struct smmu_inv_array *a = merged(NULL, one, 2);

	removed(a, other, 4);
	check_live(a, 2, (uint32_t[]){5, 2}, (uint32_t[]){1, 1});
	for (int i = 0; i < 4; i++)
		assert_int_equal(other[i].users, 0);
	smmu_inv_unref(NULL, other, 4);
	smmu_inv_array_free(a);
}

static void test_find(void **state)
{
	struct smmu_inv set[] = {asid(0, 5), asid(1, 6), vmid(1, 7), ats(0, 6, -1, false),
				 asid(3, 9)};
	struct smmu_inv gone[] = {asid(1, 6)};
	struct smmu_inv_array *a = merged(NULL, set, SMMU_ARRAY_SIZE(set));

	assert_int_equal(smmu_inv_find(a, &smmu[0], SMMU_INV_S1_ASID)->id, 5);
	assert_int_equal(smmu_inv_find(a, &smmu[1], SMMU_INV_S1_ASID)->id, 6);
	assert_int_equal(smmu_inv_find(a, &smmu[1], SMMU_INV_S2_VMID)->id, 7);
	assert_int_equal(smmu_inv_find(a, &smmu[3], SMMU_INV_S1_ASID)->id, 9);
	assert_null(smmu_inv_find(a, &smmu[2], SMMU_INV_S1_ASID));
	assert_null(smmu_inv_find(a, &smmu[0], SMMU_INV_S2_VMID));
	assert_null(smmu_inv_find(NULL, &smmu[0], SMMU_INV_S2_VMID));
	removed(a, gone, 1);
	assert_null(smmu_inv_find(a, &smmu[1], SMMU_INV_S1_ASID));
	smmu_inv_array_free(a);
}

/* Random attachments against a table that counts each operation by itself. */
static void test_random_run(void **state)
{
	enum { IDS = 6, SETS = 40 };
	static uint32_t want[4][3][IDS];
	static struct smmu_inv live[SETS][4];
	uint32_t live_n[SETS] = {0};
	uint64_t seed = test_seed(), rng = seed;
	struct smmu_inv_array *a = NULL;

	memset(want, 0, sizeof(want));
	for (int step = 0; step < 20000; step++) {
		unsigned s = test_random(&rng) % SETS;

		if (!live_n[s]) {
			live_n[s] = 1 + test_random(&rng) % 4;
			for (uint32_t i = 0; i < live_n[s]; i++) {
				unsigned m = test_random(&rng) % 4, k = test_random(&rng) % 3;
				uint32_t id = 1 + test_random(&rng) % IDS;

				live[s][i] = k == 0   ? asid(m, id)
					     : k == 1 ? vmid(m, id)
						      : ats(m, id, -1, false);
				want[m][k][id - 1]++;
			}
			a = merged(a, live[s], live_n[s]);
		} else {
			struct smmu_inv set[4];

			memcpy(set, live[s], sizeof(set));
			for (uint32_t i = 0; i < live_n[s]; i++) {
				unsigned k = set[i].kind == SMMU_INV_ATS ? 2 : set[i].kind;

				want[set[i].index][k][set[i].id - 1]--;
			}
			/* One at a time: the same operation may stand in a set twice. */
			for (uint32_t i = 0; i < live_n[s]; i++) {
				smmu_inv_unref(a, &set[i], 1);
				assert_int_equal(set[i].users != 0,
						 want[set[i].index]
						     [set[i].kind == SMMU_INV_ATS ? 2 : set[i].kind]
						     [set[i].id - 1] != 0 ||
							 (i + 1 < live_n[s] &&
							  !smmu_inv_compare(&set[i], &set[i + 1])));
			}
			live_n[s] = 0;
		}
		for (uint32_t i = 0, total = 0; i <= a->count; i++) {
			if (i == a->count) {
				for (int m = 0; m < 4; m++)
					for (int k = 0; k < 3; k++)
						for (int id = 0; id < IDS; id++)
							total -= want[m][k][id];
				if (total)
					fail_msg("users do not add up, SMMU_TEST_SEED=%llu",
						 (unsigned long long)seed);
				break;
			}
			total += a->entry[i].users;
			assert_int_equal(
				a->entry[i].users
					? want[a->entry[i].index]
					      [a->entry[i].kind == SMMU_INV_ATS ? 2
										: a->entry[i].kind]
					      [a->entry[i].id - 1]
					: 0,
				a->entry[i].users);
		}
	}
	smmu_inv_array_free(a);
	assert_int_equal(tp.live, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_steps, setup),
		cmocka_unit_test_setup(test_order, setup),
		cmocka_unit_test_setup(test_half_built, setup),
		cmocka_unit_test_setup(test_failing_memory, setup),
		cmocka_unit_test_setup(test_unref_unknown, setup),
		cmocka_unit_test_setup(test_find, setup),
		cmocka_unit_test_setup(test_random_run, setup),
	};

	return cmocka_run_group_tests_name("inv array", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What readers use in place of a C library, held against the C library: formats, sorting, growing. */
#include "topology_test.h"

#include "build.h"

#define SAME(...)                                                                   \
	do {                                                                        \
		char ours[64], theirs[64];                                          \
		size_t n = topology_format(ours, sizeof(ours), __VA_ARGS__);        \
                                                                                    \
		assert_int_equal(n, snprintf(theirs, sizeof(theirs), __VA_ARGS__)); \
		assert_string_equal(ours, theirs);                                  \
	} while (0)

static void test_numbers(void **state)
{
	static const uint64_t value[] = {
		0,          1,           9,          10,         15,         16,        255,
		0x7fffffff, 0x80000000u, UINT32_MAX, 1ull << 32, 1ull << 63, UINT64_MAX};
	(void)state;

	for (size_t i = 0; i < SMMU_ARRAY_SIZE(value); i++) {
		uint64_t v = value[i];

		SAME("%u %x %d", (unsigned)v, (unsigned)v, (int)v);
		SAME("%02x|%04x|%3u|%5d|%05d", (unsigned)(v & 0xff), (unsigned)v, (unsigned)v,
		     (int)v, (int)v);
		SAME("%" PRIx64 " %" PRIx32 " %" PRIu32, v, (uint32_t)v, (uint32_t)v);
		SAME("%zu %zx", (size_t)v, (size_t)v);
		SAME("%lu %llu %ld %lld", (unsigned long)v, (unsigned long long)v, (long)v,
		     (long long)v);
	}
}

static void test_strings(void **state)
{
	static const char bytes[4] = {'I', 'O', 'R', 'T'}; /* no NUL */
	(void)state;

	SAME("%s", "");
	SAME("a %s b", "text");
	SAME("%.4s.", bytes);
	SAME("%.*s.", 2, bytes);
	SAME("%.9s.", "short");
	SAME("100%% of %s", "it");
}

/* What does not fit is cut, and how long it would have been is told. */
static void test_cut(void **state)
{
	(void)state;

	for (size_t cap = 0; cap < 14; cap++) {
		char ours[16], theirs[16];

		memset(ours, '#', sizeof(ours));
		memset(theirs, '#', sizeof(theirs));
		assert_int_equal(topology_format(ours, cap, "ab%ucd%s", 12345u, "ef"), 11);
		snprintf(theirs, cap, "ab%ucd%s", 12345u, "ef");
		assert_memory_equal(ours, theirs, sizeof(ours));
	}
}

struct pair {
	uint16_t key, rest;
	uint8_t odd;
};

static int by_key(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

static int by_all(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int d = by_key(a, b);

	return d ? d : (x->rest > y->rest) - (x->rest < y->rest);
}

static void test_sort(void **state)
{
	(void)state;
	srand((unsigned)test_seed());
	for (size_t n = 0; n < 200; n++) {
		struct pair ours[200], theirs[200];

		memset(ours, 0, sizeof(ours));
		for (size_t i = 0; i < n; i++)
			ours[i] = (struct pair){(uint16_t)(rand() % 50), (uint16_t)i, (uint8_t)i};
		memcpy(theirs, ours, sizeof(ours));
		topology_sort(ours, n, sizeof(*ours), by_key);
		for (size_t i = 1; i < n; i++)
			assert_true(ours[i - 1].key <= ours[i].key);
		/* Nothing was lost or made up. */
		topology_sort(ours, n, sizeof(*ours), by_all);
		qsort(theirs, n, sizeof(*theirs), by_all);
		assert_memory_equal(ours, theirs, sizeof(ours));
	}
}

static void test_grow(void **state)
{
	uint32_t *array = NULL;
	(void)state;

	for (uint32_t n = 0; n < 1000; n++) {
		array = topology_grow(array, n, sizeof(*array));
		assert_non_null(array);
		array[n] = n * 3;
	}
	for (uint32_t n = 0; n < 1000; n++)
		assert_int_equal(array[n], n * 3);
	assert_null(topology_alloc(SIZE_MAX / 2, 16));
	topology_release(array);
	topology_release(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers), cmocka_unit_test(test_strings),
		cmocka_unit_test(test_cut),     cmocka_unit_test(test_sort),
		cmocka_unit_test(test_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

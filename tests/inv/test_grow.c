/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arrays that grow in the memory of those before them: what it costs, and that whoever still reads an older one notices
 * nothing.
 */
#include "inv_test.h"

#define SMMUS 3u

static struct test_port tp;
static struct smmu_inv_owner owner[64];
static struct smmu_inv_target smmu[SMMUS] = {{.index = 0}, {.index = 1}, {.index = 2}};

static int setup(void **state)
{
	test_port_init(&tp);
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(tp.live, 0);
	return 0;
}

/** The operations of a device with @p streams streams from @p first on, behind @p s: its tag, and an ATC each. */
static uint32_t device(struct smmu_inv *set, unsigned s, uint32_t first, unsigned streams)
{
	uint32_t n = 0;

	smmu_inv_make_asid(&set[n++], &smmu[s], 7);
	for (unsigned i = 0; i < streams; i++)
		smmu_inv_make_ats(&set[n++], &smmu[s], first + i, -1, false, &owner[first % 64]);
	return n;
}

static struct smmu_inv_array *joined(struct smmu_inv_array *old, const struct smmu_inv *set,
				     uint32_t n)
{
	struct smmu_inv_array *a = smmu_inv_merge(&tp.port, old, set, n);

	assert_non_null(a);
	smmu_inv_array_free(old);
	return a;
}

/** Both say the same, wherever it stands. */
static void same(const struct smmu_inv_array *a, const struct smmu_inv_array *b)
{
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->groups, b->groups);
	for (uint32_t i = 0; i < a->count; i++) {
		const struct smmu_inv *x = &a->entry[i], *y = &b->entry[i];

		assert_int_equal(smmu_inv_compare(x, y), 0);
		assert_ptr_equal(x->target, y->target);
		assert_ptr_equal(x->owner, y->owner);
		assert_int_equal(x->kind, y->kind);
		assert_int_equal(x->users, y->users);
		assert_int_equal(x->by_range, y->by_range);
		assert_int_equal(x->whole, y->whole);
	}
	assert_memory_equal(a->word, b->word, a->count * sizeof(*a->word));
	for (uint32_t i = 0; i < a->groups; i++) {
		struct smmu_inv_group x = a->group[i], y = b->group[i];

		assert_ptr_equal(x.word, &a->word[x.first]);
		x.word = y.word;
		assert_memory_equal(&x, &y, sizeof(x));
	}
}

/* Devices that join one by one, each behind those before, cost what they bring, and a few copies in all. */
static void test_cost(void **state)
{
	enum { DEVICES = 2048, STREAMS = 8 };
	static struct smmu_inv set[1 + DEVICES * STREAMS], one[1 + STREAMS];
	struct smmu_inv_array *a = NULL, *all;
	uint32_t n = device(set, 0, 0, DEVICES * STREAMS);
	size_t each = smmu_inv_array_size(0, 1) + 4096 / 8;

	for (uint32_t i = 0; i < DEVICES * STREAMS; i++)
		set[1 + i].owner = &owner[i / STREAMS * STREAMS % 64];
	set[0].users = DEVICES;
	all = smmu_inv_merge(&tp.port, NULL, set, n);
	assert_non_null(all);
	tp.bytes = 0;
	for (uint32_t i = 0; i < DEVICES; i++)
		a = joined(a, one, device(one, 0, i * STREAMS, STREAMS));
	same(a, all);
	assert_in_range(tp.bytes, smmu_inv_array_size(n, 1),
			DEVICES * each + 5 * smmu_inv_array_size(n, 1));
	smmu_inv_array_free(a);
	smmu_inv_array_free(all);
}

/* Devices without ATS share their tags: none of them costs more with more of them, on however many instances. */
static void test_tags(void **state)
{
	struct smmu_inv one[SMMUS];
	struct smmu_inv_array *a = NULL;

	for (unsigned s = 0; s < SMMUS; s++)
		device(&one[s], s, 0, 0);
	a = joined(a, one, SMMUS);
	for (unsigned i = 0; i < 100; i++) {
		const struct smmu_inv *entry = a->entry;

		a = joined(a, &one[i % SMMUS], 1);
		assert_ptr_equal(a->entry, entry);
		assert_int_equal(a->count, SMMUS);
		assert_int_equal(a->entry[i % SMMUS].users, 2 + i / SMMUS);
	}
	smmu_inv_array_free(a);
}

/* Who is alone takes no room for others, nor does what was squeezed. */
static void test_room(void **state)
{
	struct smmu_inv first[9], second[9], third[9], gone[9], tag;
	struct smmu_inv_array *a = joined(NULL, first, device(first, 0, 0, 8));

	assert_int_equal(tp.live, smmu_inv_array_size(9, 1));
	/* Who brings nothing but a user is behind nobody. */
	a = joined(a, &tag, device(&tag, 0, 0, 0));
	assert_int_equal(tp.live, smmu_inv_array_size(9, 1));
	a = joined(a, second, device(second, 0, 8, 8));
	assert_int_equal(tp.live, smmu_inv_array_size(18, 1));
	a = joined(a, third, device(third, 0, 16, 8));
	assert_in_range(tp.live, smmu_inv_array_size(25 + 8, 1),
			smmu_inv_array_size(27 * 3 / 2, 1));
	memcpy(gone, second, sizeof(gone));
	smmu_inv_unref(a, gone, 9);
	a = joined(a, NULL, 0);
	assert_int_equal(a->count, 17);
	assert_int_equal(tp.live, smmu_inv_array_size(17, 1));
	smmu_inv_array_free(a);
}

/* Without memory nothing has changed: the users neither. */
static void test_failing(void **state)
{
	struct smmu_inv one[9];
	struct smmu_inv_array *a = NULL, *b;
	long live;

	for (uint32_t i = 0; i < 3; i++)
		a = joined(a, one, device(one, 0, i * 8, 8));
	device(one, 0, 24, 8);
	live = tp.live;
	tp.allocs = 0;
	tp.fail_at = 1;
	assert_null(smmu_inv_merge(&tp.port, a, one, 9));
	assert_int_equal(tp.live, live);
	assert_int_equal(a->entry[0].users, 3);
	assert_int_equal(a->count, 25);
	/* One allocation is all that it takes: the headers. */
	tp.allocs = 0;
	tp.fail_at = 2;
	b = joined(a, one, 9);
	assert_int_equal(b->entry[0].users, 4);
	smmu_inv_array_free(b);
}

/* Two that grow out of the same one do not get in each other's way. */
static void test_fork(void **state)
{
	struct smmu_inv one[9], two[9];
	struct smmu_inv_array *a = NULL, *b, *c;

	for (uint32_t i = 0; i < 3; i++)
		a = joined(a, one, device(one, 0, i * 8, 8));
	device(one, 0, 100, 8);
	device(two, 0, 200, 8);
	b = smmu_inv_merge(&tp.port, a, &one[1], 8);
	c = smmu_inv_merge(&tp.port, a, &two[1], 8);
	assert_non_null(b);
	assert_non_null(c);
	assert_ptr_equal(b->entry, a->entry);
	for (uint32_t i = 0; i < 8; i++) {
		assert_int_equal(b->entry[25 + i].id, 100 + i);
		assert_int_equal(c->entry[25 + i].id, 200 + i);
	}
	assert_int_equal(a->count, 25);
	smmu_inv_array_free(a);
	assert_int_equal(b->entry[0].id, 7);
	smmu_inv_array_free(b);
	smmu_inv_array_free(c);
}

/* ---- Readers that lag behind ---- */

/** An array that somebody still reads, and how it looked. */
struct reader {
	struct smmu_inv_array *array;
	struct smmu_inv *entry;
	uint64_t *word;
	struct smmu_inv_group group[SMMUS];
	uint32_t groups;
};

static void *copied(const void *from, size_t size)
{
	void *to = malloc(size + 1);

	assert_non_null(to);
	memcpy(to, from, size);
	return to;
}

static struct reader look(struct smmu_inv_array *a)
{
	struct reader r = {.array = a, .groups = a->groups};

	r.entry = copied(a->entry, a->count * sizeof(*a->entry));
	r.word = copied(a->word, a->count * sizeof(*a->word));
	memcpy(r.group, a->group, a->groups * sizeof(*a->group));
	return r;
}

/** Nothing has changed but users, and those of whoever was seen gone stay so. */
static void look_again(struct reader *r)
{
	struct smmu_inv_array *a = r->array;

	assert_int_equal(a->groups, r->groups);
	assert_memory_equal(a->group, r->group, r->groups * sizeof(*r->group));
	assert_memory_equal(a->word, r->word, a->count * sizeof(*r->word));
	for (uint32_t i = 0; i < a->count; i++) {
		struct smmu_inv e = a->entry[i];

		assert_true(!e.users || r->entry[i].users);
		r->entry[i].users = e.users;
		assert_memory_equal(&e, &r->entry[i], sizeof(e));
	}
}

static void leave(struct reader *r)
{
	if (!r->array)
		return;
	look_again(r);
	smmu_inv_array_free(r->array);
	free(r->entry);
	free(r->word);
	*r = (struct reader){.array = NULL};
}

/** An array of those devices that are attached, made at once. */
static struct smmu_inv_array *from_scratch(const bool *attached, unsigned devices)
{
	static struct smmu_inv set[4096];
	uint32_t n = 0;

	for (unsigned i = 0; i < devices; i++)
		if (attached[i])
			n += device(&set[n], i * SMMUS / devices, i * 4, i % 4);
	smmu_inv_sort(set, n);
	return smmu_inv_merge(&tp.port, NULL, set, n);
}

/* Devices join and leave, mostly in order; readers leave the arrays that they found long after those were replaced. */
static void test_readers(void **state)
{
	enum { DEVICES = 96, READERS = 12, STEPS = 6000 };
	static bool attached[DEVICES];
	struct reader reader[READERS] = {{.array = NULL}};
	struct smmu_inv_array *a = NULL, *want;
	unsigned grown = 0, at = 0, lap = 0;
	uint64_t rng = test_seed();

	memset(attached, 0, sizeof(attached));
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned place = (unsigned)(test_random(&rng) % READERS);
		unsigned d = test_random(&rng) % 8 ? at : (unsigned)(test_random(&rng) % DEVICES);
		struct smmu_inv set[4];
		uint32_t n = device(set, d * SMMUS / DEVICES, d * 4, d % 4);
		struct smmu_inv_array *old = a;

		/* Round and round: all join, then some leave. */
		at = (at + 1) % DEVICES;
		lap += !at;
		if (attached[d] && (lap % 2 || test_random(&rng) % 4)) {
			smmu_inv_unref(a, set, n);
			attached[d] = false;
			if (test_random(&rng) % 2)
				continue; /* no memory for a smaller one */
			a = smmu_inv_merge(&tp.port, old, NULL, 0);
		} else if (!attached[d] && (lap % 2 == 0 || test_random(&rng) % 8 == 0)) {
			a = smmu_inv_merge(&tp.port, old, set, n);
			attached[d] = true;
			grown += old && a && a->entry == old->entry;
		} else {
			continue;
		}
		assert_non_null(a);
		if (old) {
			leave(&reader[place]);
			reader[place] = look(old);
		}
		for (unsigned i = 0; i < READERS; i++)
			if (reader[i].array)
				look_again(&reader[i]);
		want = from_scratch(attached, DEVICES);
		assert_non_null(want);
		if (!smmu_inv_has_gone(a))
			same(a, want);
		smmu_inv_array_free(want);
	}
	/* Else this shows nothing. */
	assert_true(grown > STEPS / 20);
	for (unsigned i = 0; i < READERS; i++)
		leave(&reader[i]);
	smmu_inv_array_free(a);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {T(test_cost),    T(test_tags), T(test_room),
					   T(test_failing), T(test_fork), T(test_readers)};

	return cmocka_run_group_tests_name("inv grow", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file test_random.c
 * Random maps, unmaps and lookups, for each stage, granule, input and output size, against two witnesses: an array
 * with one word for each page of a few windows, and the architecture's walk (walker.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "walker.h"

#define WINDOWS 3u
#define MAX_LEAVES 20000u
#define ORACLE_MAPPED 0x800u /* beside the SMMU_PROT_ bits, below the smallest page */

/** What the table should hold in one stretch of input addresses. */
struct window {
	uint64_t start;
	uint64_t pages;
	uint64_t *page; /**< output address | ORACLE_MAPPED | prot, or 0 */
};

struct run {
	struct testport tp;
	struct smmu_pgtable pt;
	struct walker walker;
	struct window window[WINDOWS];
	unsigned windows;
	unsigned granule;
	uint64_t seed;
};

static uint64_t leaf_shifts[MAX_LEAVES];

static uint64_t rnd(struct run *r, uint64_t below)
{
	return test_random(&r->seed) % below;
}

static uint64_t *oracle_at(const struct run *r, const struct window *win, uint64_t iova)
{
	return &win->page[(iova - win->start) >> r->granule];
}

/** The permissions that hardware can express for @p prot. */
static unsigned effective_prot(const struct run *r, unsigned prot)
{
	if (r->pt.cfg.stage == 1)
		return prot | SMMU_PROT_READ;
	return prot & SMMU_PROT_READ ? prot : prot | SMMU_PROT_NOEXEC;
}

static unsigned random_prot(struct run *r)
{
	static const unsigned type[] = {0, SMMU_PROT_NONCACHEABLE, SMMU_PROT_DEVICE};
	unsigned prot = 1 + (unsigned)rnd(r, 3); /* READ, WRITE or both */

	prot |= type[rnd(r, 3)];
	if (rnd(r, 2))
		prot |= SMMU_PROT_NOEXEC;
	if (r->pt.cfg.stage == 1 && rnd(r, 2))
		prot |= SMMU_PROT_PRIV;
	return prot;
}

/** Compare one page with both the walk and the lookup. */
static void check_page(struct run *r, const struct window *win, uint64_t iova)
{
	uint64_t want = *oracle_at(r, win, iova), mask = SMMU_BIT(r->granule) - 1;
	uint64_t pa = 0, pa_alone = 0, offset = test_random(&r->seed) & mask;
	unsigned prot = 0;
	struct walk walk = walk_at(&r->walker, iova + offset);
	int err = smmu_pgtable_iova_to_phys(&r->pt, iova + offset, &pa, &prot);

	assert_int_equal(smmu_pgtable_iova_to_phys(&r->pt, iova + offset, &pa_alone, NULL), err);
	assert_int_equal(pa_alone, pa);
	if (!want) {
		assert_false(walk.mapped);
		assert_int_equal(err, -SMMU_EFAULT);
		return;
	}
	assert_true(walk.mapped);
	assert_int_equal(err, 0);
	assert_int_equal(walk.pa + (iova - walk.iova), want & ~mask);
	assert_int_equal(pa, (want & ~mask) + offset);
	assert_int_equal(walk.prot | ORACLE_MAPPED, want & mask);
	assert_int_equal(prot | ORACLE_MAPPED, want & mask);
}

/** Compare all pages of @p win with the walk. */
static void check_window(struct run *r, const struct window *win)
{
	uint64_t mask = SMMU_BIT(r->granule) - 1, end = win->start + (win->pages << r->granule);

	for (uint64_t iova = win->start; iova < end;) {
		struct walk walk = walk_at(&r->walker, iova);
		uint64_t stop = smmu_min64(walk.iova + SMMU_BIT(walk.shift), end);

		for (; iova < stop; iova += mask + 1) {
			uint64_t want = *oracle_at(r, win, iova);
			uint64_t got = !walk.mapped ? 0
						    : (walk.pa + (iova - walk.iova)) | walk.prot |
							      ORACLE_MAPPED;

			if (got != want)
				fail_msg("%llx holds %llx, not %llx", (unsigned long long)iova,
					 (unsigned long long)got, (unsigned long long)want);
		}
	}
}

/** Random pages of the range and the ones on either side of it. */
static void check_around(struct run *r, const struct window *win, uint64_t iova, uint64_t size)
{
	uint64_t page = SMMU_BIT(r->granule), end = win->start + win->pages * page;

	for (unsigned i = 0; i < 8; i++)
		check_page(r, win, iova + rnd(r, size / page) * page);
	check_page(r, win, iova);
	check_page(r, win, iova + size - page);
	if (iova > win->start)
		check_page(r, win, iova - page);
	if (iova + size < end)
		check_page(r, win, iova + size);
}

/** A random range in the window: pages, often near block edges, or whole blocks. */
static void random_range(struct run *r, const struct window *win, uint64_t *iova, uint64_t *size)
{
	unsigned block = walk_shift(r->granule, 2), big = walk_shift(r->granule, 1);
	uint64_t page = SMMU_BIT(r->granule), bytes = win->pages * page;
	unsigned unit = r->granule, kind = (unsigned)rnd(r, 10);
	uint64_t most = 8;

	if (kind >= 5 && SMMU_BIT(block) < bytes) {
		unit = block;
		most = 6;
	}
	if (kind == 9 && walk_block_allowed(r->granule, 1) && SMMU_BIT(big) < bytes) {
		unit = big;
		most = 2;
	}
	if (kind == 4)
		most = 1500;
	*iova = rnd(r, bytes >> unit) << unit;
	*size = (1 + rnd(r, most)) << unit;
	/* Off the edges by a few pages. */
	if (unit != r->granule && rnd(r, 3) == 0) {
		*iova += rnd(r, 4) * page;
		*size += rnd(r, 4) * page;
	}
	if (*size > bytes - *iova)
		*size = bytes - *iova;
	*iova += win->start;
}

/** An output address, which half of the time allows the blocks that @p iova does, or only the smaller of them. */
static uint64_t random_pa(struct run *r, uint64_t iova, uint64_t size)
{
	uint64_t page = SMMU_BIT(r->granule), top = SMMU_BIT(r->pt.cfg.oas) - size;
	bool largest = r->granule == 12 && rnd(r, 2);
	uint64_t big = SMMU_BIT(largest ? 30 : walk_shift(r->granule, 2));
	uint64_t pa = test_random(&r->seed) % (top + 1) & ~(page - 1);

	if (rnd(r, 2)) {
		pa = (pa & ~(big - 1)) | (iova & (big - 1));
		if (pa > top)
			pa = iova & (big - 1) & ~(page - 1);
	}
	return pa <= top ? pa : 0;
}

/**
 * The leaves that a map should make, by what is there before: the largest block that both addresses, the size and the
 * depth of the tables so far allow.
 */
static unsigned predict_leaves(struct run *r, uint64_t iova, uint64_t pa, uint64_t size)
{
	unsigned count = 0;

	while (size && count < MAX_LEAVES) {
		struct walk hole = walk_at(&r->walker, iova);
		unsigned shift = r->granule;

		for (unsigned level = 1; level < 3; level++) {
			unsigned s = walk_shift(r->granule, level);

			if (walk_block_allowed(r->granule, level) && s <= hole.shift && size >> s &&
			    !((iova | pa) & (SMMU_BIT(s) - 1))) {
				shift = s;
				break;
			}
		}
		leaf_shifts[count++] = shift;
		iova += SMMU_BIT(shift);
		pa += SMMU_BIT(shift);
		size -= SMMU_BIT(shift);
	}
	return count;
}

static void do_map(struct run *r, struct window *win)
{
	uint64_t iova, size, pa, page = SMMU_BIT(r->granule);
	unsigned prot = random_prot(r), leaves, before = r->tp.allocs;
	struct smmu_pgtable_sizes sizes;
	bool taken = false;
	int err;

	random_range(r, win, &iova, &size);
	pa = random_pa(r, iova, size);
	if (((iova ^ pa) & (SMMU_BIT(walk_shift(r->granule, 2)) - 1)) && size > 8000 * page)
		size = 8000 * page; /* only pages fit: do not take all day */
	for (uint64_t at = 0; at < size && !taken; at += page)
		taken = *oracle_at(r, win, iova + at);
	leaves = taken ? 0 : predict_leaves(r, iova, pa, size);
	assert_int_equal(smmu_pgtable_query(&r->pt.cfg, iova, size, &sizes), 0);

	err = smmu_pgtable_map(&r->pt, iova, pa, size, prot, 0);
	assert_in_range(r->tp.allocs - before, 0, sizes.tables);
	if (taken) {
		assert_int_equal(err, -SMMU_EEXIST);
	} else {
		assert_int_equal(err, 0);
		for (uint64_t at = 0; at < size; at += page)
			*oracle_at(r, win, iova + at) =
				(pa + at) | effective_prot(r, prot) | ORACLE_MAPPED;
		for (uint64_t at = iova, i = 0; i < leaves; at += SMMU_BIT(leaf_shifts[i++]))
			assert_int_equal(walk_at(&r->walker, at).shift, leaf_shifts[i]);
	}
	check_around(r, win, iova, size);
}

/** What the gather should say, from a walk before the unmap. */
static struct smmu_gather expected_gather(struct run *r, uint64_t iova, uint64_t size)
{
	struct smmu_gather want;
	unsigned level = 0;
	bool mixed = false;

	smmu_gather_init(&want, r->granule);
	want.start = iova;
	want.last = iova + size - 1;
	for (uint64_t at = iova; at < iova + size;) {
		struct walk leaf = walk_at(&r->walker, at);

		mixed |= level && level != leaf.level;
		level = leaf.level;
		if (!want.leaf_shift || leaf.shift < want.leaf_shift)
			want.leaf_shift = (uint8_t)leaf.shift;
		at = leaf.iova + SMMU_BIT(leaf.shift);
	}
	want.level = mixed ? 0 : (uint8_t)level;
	if (walk_count_tables(&r->walker, iova, iova + size - 1)) {
		want.tables = true;
	}
	return want;
}

static unsigned check_freelist(struct run *r, const struct smmu_freelist *tables)
{
	unsigned count = 0;

	for (const uint64_t *table = tables->first; table; count++) {
		/* A stale walk must find nothing usable there. */
		assert_int_equal(table[0] & 1, 0);
		table = (const uint64_t *)(uintptr_t)table[0];
	}
	return count;
}

static void do_unmap(struct run *r, struct window *win)
{
	uint64_t iova, size, page = SMMU_BIT(r->granule), end = win->start + win->pages * page;
	bool missing = false, cut;
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g, want, empty;
	unsigned count, live = r->tp.live;
	int err;

	random_range(r, win, &iova, &size);
	if (rnd(r, 4)) {
		/* Aim: from some mapped page over whole leaves, to where the mapping ends at most. */
		uint64_t stop = iova;
		unsigned whole = (unsigned)rnd(r, 4);

		for (unsigned i = 0; i < 30 && !*oracle_at(r, win, iova); i++)
			random_range(r, win, &iova, &size);
		if (whole) {
			iova = walk_at(&r->walker, iova).iova;
			iova = iova < win->start ? win->start : iova;
		}
		for (stop = iova; stop < end && stop - iova < size;) {
			struct walk leaf = walk_at(&r->walker, stop);

			if (!leaf.mapped)
				break;
			stop = leaf.iova + SMMU_BIT(leaf.shift);
		}
		if (stop > iova && stop <= end && whole)
			size = stop - iova;
	}
	for (uint64_t at = 0; at < size && !missing; at += page)
		missing = !*oracle_at(r, win, iova + at);
	want = (struct smmu_gather){.start = 0};
	if (!missing)
		want = expected_gather(r, iova, size);
	{
		struct walk first = walk_at(&r->walker, iova);
		struct walk last = walk_at(&r->walker, iova + size - 1);

		cut = (first.mapped && first.iova < iova) ||
		      (last.mapped && last.iova + SMMU_BIT(last.shift) > iova + size);
	}
	count = walk_count_tables(&r->walker, iova, iova + size - 1);

	smmu_gather_init(&g, r->granule);
	empty = g;
	err = smmu_pgtable_unmap(&r->pt, iova, size, 0, &g, &tables);
	if (missing || cut) {
		assert_true((missing && err == -SMMU_ENOENT) || (cut && err == -SMMU_EINVAL));
		assert_memory_equal(&g, &empty, sizeof(g));
		check_around(r, win, iova, size);
		return;
	}
	assert_int_equal(err, 0);
	memset(oracle_at(r, win, iova), 0, (size_t)(size / page * sizeof(uint64_t)));
	assert_int_equal(g.start, want.start);
	assert_int_equal(g.last, want.last);
	assert_int_equal(g.leaf_shift, want.leaf_shift);
	assert_int_equal(g.level, want.level);
	assert_int_equal(g.tables, want.tables);
	assert_int_equal(g.granule_shift, r->granule);
	assert_int_equal(check_freelist(r, &tables), count);
	assert_int_equal(r->tp.live, live);
	check_around(r, win, iova, size);
	smmu_pgtable_free_tables(&r->pt, &tables);
	assert_null(tables.first);
	assert_int_equal(r->tp.live, live - count);
}

static void add_window(struct run *r, uint64_t start, uint64_t bytes)
{
	struct window *win = &r->window[r->windows++];

	win->start = start;
	win->pages = bytes >> r->granule;
	win->page = calloc((size_t)win->pages, sizeof(*win->page));
}

static void run_config(unsigned stage, unsigned granule, unsigned ias, unsigned oas, bool coherent,
		       uint64_t seed)
{
	static struct run r;
	struct smmu_pgtable_config cfg = {.stage = (uint8_t)stage,
					  .granule_shift = (uint8_t)granule,
					  .ias = (uint8_t)ias,
					  .oas = (uint8_t)oas,
					  .coherent = coherent};
	uint64_t bytes = SMMU_BIT(granule == 12 ? 31 : walk_shift(granule, 2) + 3);

	memset(&r, 0, sizeof(r));
	testport_init(&r.tp, oas);
	cfg.port = &r.tp.port;
	r.granule = granule;
	r.seed = r.tp.seed = seed;
	assert_int_equal(smmu_pgtable_init(&r.pt, &cfg), 0);
	r.walker = walker_of(&r.tp, &r.pt);
	r.walker.shadow = !coherent;

	if (bytes * WINDOWS > SMMU_BIT(ias)) {
		add_window(&r, 0, smmu_min64(SMMU_BIT(ias), bytes));
	} else {
		/* The bottom, the top, and in between off the largest alignment. */
		uint64_t room = SMMU_BIT(ias) - 3 * bytes;

		add_window(&r, 0, bytes);
		add_window(&r, SMMU_BIT(ias) - bytes, bytes);
		add_window(&r, bytes + (rnd(&r, room / bytes + 1) * bytes), bytes);
	}
	for (unsigned op = 0; op < 90; op++) {
		struct window *win = &r.window[rnd(&r, r.windows)];

		if (rnd(&r, 5) < 3)
			do_map(&r, win);
		else
			do_unmap(&r, win);
	}
	for (unsigned i = 0; i < r.windows; i++) {
		check_window(&r, &r.window[i]);
		free(r.window[i].page);
	}
	smmu_pgtable_destroy(&r.pt);
	testport_fini(&r.tp);
}

static void test_all_configs(void **state)
{
	static const uint8_t granules[] = {12, 14, 16};
	/* Around every change of the start level and of concatenation. */
	static const uint8_t inputs[] = {25, 30, 31, 32, 36, 39, 40, 42, 43, 44, 46, 47, 48};
	static const uint8_t outputs[] = {32, 36, 40, 42, 44, 48, 52};
	uint64_t seed = test_seed();
	unsigned turn = (unsigned)seed;

	for (unsigned stage = 1; stage <= 2; stage++)
		for (unsigned g = 0; g < SMMU_ARRAY_SIZE(granules); g++)
			for (unsigned i = 0; i < SMMU_ARRAY_SIZE(inputs); i++) {
				unsigned oas = outputs[turn++ % SMMU_ARRAY_SIZE(outputs)];

				if (stage == 2 && inputs[i] < 32)
					continue;
				/* Where an assertion fails, the last line says where. */
				print_message("stage %u granule %u ias %u oas %u\n", stage,
					      granules[g], inputs[i], oas);
				run_config(stage, granules[g], inputs[i], oas, turn & 1,
					   seed + turn);
			}
	/* Output addresses above 48 bits, whatever the seed was. */
	run_config(1, 16, 48, 52, true, seed);
	run_config(2, 16, 46, 52, false, seed);
	/* And input addresses. */
	for (unsigned i = 0; i < 2; i++) {
		run_config(1, 16, 52, i ? 52 : 44, i, seed + 1 + i);
		run_config(1, 14, 52, i ? 52 : 44, i, seed + 3 + i);
		run_config(1, 12, 52, i ? 52 : 44, i, seed + 11 + i);
		run_config(1, 12, 49 + i, 48, !i, seed + 13 + i);
		run_config(2, 12, 50 + 2 * i, 52, i, seed + 15 + i);
		run_config(2, 16, 50 + 2 * i, 52, i, seed + 5 + i);
		run_config(1 + i, 12, 48, 52, i, seed + 7 + i);
		run_config(1 + i, 14, 48, 52, i, seed + 9 + i);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_all_configs),
};

TESTPORT_MAIN(tests)

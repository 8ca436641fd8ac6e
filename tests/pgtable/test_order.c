/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file test_order.c
 * Walks at any time: between any two stores, cleans and barriers of a map or unmap, a walk of any page of the range ends
 * as it would have before the call or as it will after it, and a page outside is as ever.
 *
 * What is held, at each store and each clean:
 *  - the walker's own checks: each descriptor that it reads is one that the architecture allows, complete;
 *  - each page leads where it led before, or where the call leads it, with those permissions, or nowhere in an unmap;
 *  - a walker that does not snoop finds the same in what has been cleaned;
 *  - when a table is hooked, no word of it was stored after the last write barrier, nor, without snooping, after it was
 *    last cleaned: then no order of the stores that hardware may choose shows the way into it before what it holds.
 * And at the return of a map: a barrier stands behind its last store, and all of it has been cleaned.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "order_hook.h"
#include "walker.h"

#define RW (SMMU_PROT_READ | SMMU_PROT_WRITE)
#define PROBES 40u

/** Where a page leads, or that it leads nowhere. */
struct view {
	bool mapped;
	uint64_t pa;
	unsigned prot;
};

static struct testport tp;
static struct smmu_pgtable pt;
static struct walker walker;
static struct {
	uint64_t iova[PROBES];
	struct view before[PROBES], after[PROBES];
	unsigned count;
	bool watching;
	unsigned looks;
} probe;

static struct view view_at(struct walker *w, uint64_t iova)
{
	struct walk walk = walk_at(w, iova);
	struct view v = {walk.mapped, walk.pa + (iova - walk.iova), walk.prot};

	return v.mapped ? v : (struct view){0};
}

static bool same(struct view a, struct view b)
{
	return a.mapped == b.mapped && a.pa == b.pa && a.prot == b.prot;
}

/** Walk all probes, as a walker that snoops does and as one that does not. */
static void look(void)
{
	if (!probe.watching)
		return;
	probe.looks++;
	for (unsigned shadow = 0; shadow <= !pt.cfg.coherent; shadow++) {
		walker.shadow = shadow;
		for (unsigned i = 0; i < probe.count; i++) {
			struct view v = view_at(&walker, probe.iova[i]);

			if (!same(v, probe.before[i]) && !same(v, probe.after[i]))
				fail_msg("%llx leads to %llx (%x) in between",
					 (unsigned long long)probe.iova[i],
					 (unsigned long long)v.pa, v.prot);
		}
	}
}

/** The bus address of the table that @p desc leads to, if it is one. */
static bool leads_to_table(uint64_t desc, uint64_t *bus)
{
	/* A leaf has AF set; in a table's descriptor the bit is ignored and left 0. */
	*bus = desc & 0xfffffffff000ULL & ~(SMMU_BIT(pt.cfg.granule_shift) - 1);
	if (pt.cfg.granule_shift == 16)
		*bus |= (desc & 0xf000) << 36;
	else if (pt.regs.ds)
		*bus |= (desc & SMMU_MASK(49, 48)) | (desc & SMMU_MASK(9, 8)) << 42;
	return (desc & 3) == 3 && !(desc & SMMU_BIT(10));
}

static void check_hook(uint64_t desc)
{
	uint64_t bus;
	unsigned state;

	if (!leads_to_table(desc, &bus))
		return;
	state = testport_state(&tp, bus);
	assert_false(state & TESTPORT_LOOSE);
	if (!pt.cfg.coherent)
		assert_false(state & TESTPORT_DIRTY);
}

void order_store(uint64_t *slot, uint64_t value)
{
	/* The second store of a descriptor that is hooked already, which notes that it was cleaned, hooks nothing. */
	if ((*slot ^ value) & ~SMMU_BIT(55))
		check_hook(value);
	__atomic_store_n(slot, value, __ATOMIC_RELEASE);
	testport_stored(&tp, slot);
	look();
}

/** A walker marks the leaf that is about to be changed: so many times. */
static unsigned marks;

bool order_compare_exchange(uint64_t *slot, uint64_t *expected, uint64_t value)
{
	bool done;

	check_hook(value);
	if (marks && *slot & SMMU_BIT(51)) {
		*slot ^= SMMU_BIT(7);
		marks--;
	}
	done = __atomic_compare_exchange_n(slot, expected, value, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
	if (done)
		testport_stored(&tp, slot);
	look();
	return done;
}

void order_barrier(void)
{
	testport_barrier(&tp);
}

static void at_clean(struct testport *port, const void *va, size_t size)
{
	look();
}

static void make(unsigned stage, unsigned granule, unsigned oas, bool coherent)
{
	const struct smmu_pgtable_config cfg = {.port = &tp.port,
						.stage = (uint8_t)stage,
						.granule_shift = (uint8_t)granule,
						.ias = stage == 1 ? 39 : 40,
						.oas = (uint8_t)oas,
						.coherent = coherent};

	testport_init(&tp, oas);
	assert_int_equal(smmu_pgtable_init(&pt, &cfg), 0);
	walker = walker_of(&tp, &pt);
	tp.on_clean = at_clean;
	/* The first table is visible before anybody is told where it is. */
	assert_int_equal(testport_state(&tp, pt.regs.ttb) & TESTPORT_LOOSE, 0);
	assert_int_equal(!coherent && testport_state(&tp, pt.regs.ttb) & TESTPORT_DIRTY, 0);
}

static void done(void)
{
	smmu_pgtable_destroy(&pt);
	testport_fini(&tp);
}

static void add_probe(uint64_t iova)
{
	if (probe.count < PROBES && iova < SMMU_BIT(pt.cfg.ias))
		probe.iova[probe.count++] = iova;
}

/** Watch the pages in and around @p size bytes at @p iova; nothing changes outside. */
static void watch(uint64_t iova, uint64_t size)
{
	uint64_t page = SMMU_BIT(pt.cfg.granule_shift);
	uint64_t block = SMMU_BIT(walk_shift(pt.cfg.granule_shift, 2));

	probe.count = 0;
	for (unsigned i = 0; i < 3; i++) {
		add_probe(iova - (1 + i) * page);
		add_probe(iova + i * page);
		add_probe(iova + i * block);
		add_probe(iova + size - (1 + i) * page);
		add_probe(iova + size + i * page);
		add_probe(iova + size + i * block);
		add_probe(iova + size / 4 * (i + 1));
	}
	walker.shadow = false;
	for (unsigned i = 0; i < probe.count; i++)
		probe.before[i] = probe.after[i] = view_at(&walker, probe.iova[i]);
	probe.watching = true;
	probe.looks = 0;
}

static void expect(unsigned i, uint64_t iova, uint64_t size, struct view v)
{
	if (probe.iova[i] >= iova && probe.iova[i] - iova < size)
		probe.after[i] = v;
}

/** All that hangs in the tables has been cleaned, but for the note that it was. */
static void check_cleaned(void)
{
	for (unsigned i = 0; i < TESTPORT_SLOTS; i++)
		for (uint64_t at = 0; tp.slot[i].va && at < tp.slot[i].size; at += 8) {
			uint64_t bus = tp.slot[i].bus + at;
			uint64_t differ =
				testport_read(&tp, bus, false) ^ testport_read(&tp, bus, true);

			assert_int_equal(differ & ~SMMU_BIT(55), 0);
		}
}

static void map(uint64_t iova, uint64_t pa, uint64_t size, unsigned prot)
{
	unsigned loose = 0;

	watch(iova, size);
	for (unsigned i = 0; i < probe.count; i++)
		expect(i, iova, size,
		       (struct view){true, pa + (probe.iova[i] - iova),
				     pt.cfg.stage == 1 ? prot | SMMU_PROT_READ : prot});
	assert_int_equal(smmu_pgtable_map(&pt, iova, pa, size, prot, 0), 0);
	probe.watching = false;
	assert_true(probe.looks > 0);
	/* New translations are visible to the SMMU before any later store of the caller. */
	for (unsigned i = 0; i < TESTPORT_SLOTS; i++)
		if (tp.slot[i].va)
			loose |= testport_state(&tp, tp.slot[i].bus);
	assert_false(loose & TESTPORT_LOOSE);
	if (!pt.cfg.coherent)
		check_cleaned();
	walker.shadow = !pt.cfg.coherent;
	for (unsigned i = 0; i < probe.count; i++)
		assert_true(same(view_at(&walker, probe.iova[i]), probe.after[i]));
}

static void unmap(uint64_t iova, uint64_t size, unsigned flags)
{
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g;

	smmu_gather_init(&g, 0);
	watch(iova, size);
	for (unsigned i = 0; i < probe.count; i++)
		expect(i, iova, size, (struct view){0});
	assert_int_equal(smmu_pgtable_unmap(&pt, iova, size, flags, &g, &tables), 0);
	probe.watching = false;
	assert_true(probe.looks > 0);
	walker.shadow = !pt.cfg.coherent;
	for (unsigned i = 0; i < probe.count; i++)
		assert_true(same(view_at(&walker, probe.iova[i]), probe.after[i]));
	smmu_pgtable_free_tables(&pt, &tables);
	if (!pt.cfg.coherent)
		check_cleaned();
}

/** Each kind of map and unmap, next to neighbours that stay. */
static void all_kinds(unsigned stage, unsigned granule, unsigned oas, bool coherent)
{
	uint64_t page = SMMU_BIT(granule), block = SMMU_BIT(walk_shift(granule, 2));
	uint64_t base = 8 * block;

	make(stage, granule, oas, coherent);
	/* Into no tables, into tables that are there, over the end of one, and a read-only page beside a writable. */
	map(base, 7 * page, 3 * page, RW);
	map(base + 5 * page, 64 * page, 2 * page, SMMU_PROT_READ);
	map(base + block - 4 * page, block, 9 * page, SMMU_PROT_READ | SMMU_PROT_NOEXEC);
	/* Blocks, and pages on either side of them in one call. */
	map(base + 4 * block - 2 * page, 16 * block - 2 * page, 2 * block + 4 * page,
	    SMMU_PROT_READ | SMMU_PROT_WRITE);
	/* A whole table of pages; then again into the place that a table left. */
	map(base + 8 * block, page, block, RW);
	unmap(base + 8 * block, block, 0);
	map(base + 8 * block, page, block, SMMU_PROT_READ);
	unmap(base + 8 * block, block, SMMU_UNMAP_KNOWN);
	map(base + 8 * block, 2 * block, block, RW);
	/* Parts, both ends of the mixed one, and what is left of all. */
	unmap(base + page, page, 0);
	unmap(base + 4 * block - 2 * page, 2 * block + 4 * page, 0);
	unmap(base + block - page, 3 * page, SMMU_UNMAP_KNOWN);
	unmap(base + 8 * block, block, 0);
	assert_int_equal(tp.idle_cleans, 0);
	if (coherent)
		assert_int_equal(tp.cleans, 0);
	done();
}

static void test_walks_between_stores(void **state)
{
	static const uint8_t granules[] = {12, 14, 16};

	for (unsigned stage = 1; stage <= 2; stage++)
		for (unsigned g = 0; g < SMMU_ARRAY_SIZE(granules); g++)
			for (unsigned coherent = 0; coherent < 2; coherent++) {
				all_kinds(stage, granules[g], 44, coherent);
				all_kinds(stage, granules[g], 52, coherent);
			}
}

/** A range that fails shows nothing either: what the first pass hooks is empty. */
static void test_walks_in_a_map_that_fails(void **state)
{
	for (unsigned coherent = 0; coherent < 2; coherent++) {
		uint64_t page = SMMU_BIT(12), block = SMMU_BIT(21);

		make(1, 12, 44, coherent);
		map(6 * block, 0, page, RW);
		watch(block - page, 6 * block);
		assert_int_equal(
			smmu_pgtable_map(&pt, block - page, page, 5 * block + 4 * page, RW, 0),
			-SMMU_EEXIST);
		tp.fail_at = 2;
		assert_int_equal(smmu_pgtable_map(&pt, 9 * block, page, 4 * block, RW, 0),
				 -SMMU_ENOMEM);
		tp.fail_at = 0;
		probe.watching = false;
		assert_true(probe.looks > 0);
		done();
	}
}

/** While a block becomes a table, and a table a block or nothing, all leads where it did. */
static void resize(unsigned granule, unsigned oas, bool coherent, unsigned bbml)
{
	uint64_t page = SMMU_BIT(granule), block = SMMU_BIT(walk_shift(granule, 2));
	struct smmu_resized resized;
	struct smmu_gather g;

	make(1, granule, oas, coherent);
	map(2 * block, 4 * block, block, RW);
	map(3 * block, 64 * page, page, RW);
	watch(2 * block, block);
	smmu_gather_init(&g, 0);
	if (bbml == 1) {
		assert_int_equal(pt.ops->split(&pt, 2 * block + page, bbml, &g), 1);
		pt.ops->split_not_swept(&pt, 2 * block + page);
		if (!coherent)
			check_cleaned();
	}
	while (pt.ops->split(&pt, 2 * block + page, bbml, &g))
		;
	if (!coherent)
		check_cleaned();
	for (unsigned confirmed = 0; confirmed < 2; confirmed++) {
		assert_int_equal(pt.ops->join(&pt, 2 * block, block, bbml, &resized, &g), 1);
		pt.ops->resized_swept(&pt, &resized, confirmed, &g);
		if (!coherent)
			check_cleaned();
	}
	assert_true(probe.looks > block / page);
	unmap(3 * block, page, 0);
	watch(2 * block, 2 * block);
	assert_int_equal(pt.ops->reclaim(&pt, 2 * block, 2 * block, &resized, &g), 1);
	pt.ops->resized_swept(&pt, &resized, true, &g);
	probe.watching = false;
	if (!coherent)
		check_cleaned();
	done();
}

static void test_walks_in_resizes(void **state)
{
	for (unsigned n = 0; n < 12; n++)
		resize(12 + n % 3 * 2, n % 2 ? 44 : 52, n / 3 & 1, 1 + n / 6);
}

/** A mark that comes while a table is made of the block is in each page. */
static void test_mark_in_a_split(void **state)
{
	for (unsigned n = 0; n < 4; n++) {
		struct smmu_pgtable_config cfg = {.port = &tp.port,
						  .stage = (uint8_t)(1 + n % 2),
						  .granule_shift = 12,
						  .ias = 40,
						  .oas = 44,
						  .coherent = true,
						  .dirty = true};
		uint64_t word = 0;
		struct smmu_dirty_bitmap map = {&word, 0x200000, 64, 12};
		struct smmu_gather g;

		testport_init(&tp, 44);
		assert_int_equal(smmu_pgtable_init(&pt, &cfg), 0);
		/* What smmu_pgtable_begin_clean does, by a store that is none to a table. */
		pt.writable ^= SMMU_BIT(7);
		assert_int_equal(smmu_pgtable_map(&pt, 0x200000, 0, 0x200000, RW, 0), 0);
		marks = n / 2;
		assert_int_equal(pt.ops->split(&pt, 0x300000, 2, &g), 1);
		assert_int_equal(marks, 0);
		assert_int_equal(pt.ops->dirty(&pt, 0x200000, 0x40000, SMMU_DIRTY_LOOK, &map, &g),
				 0);
		assert_int_equal(word, n / 2 ? UINT64_MAX : 0);
		done();
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_walks_between_stores),
	cmocka_unit_test(test_walks_in_a_map_that_fails),
	cmocka_unit_test(test_walks_in_resizes),
	cmocka_unit_test(test_mark_in_a_split),
};

TESTPORT_MAIN(tests)

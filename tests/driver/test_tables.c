/* SPDX-License-Identifier: BSD-2-Clause */
/* Splitting and joining blocks under DMA that must not fault, and empty tables that go. */
#include <smmuv3/dirty.h>
#include <smmuv3/tables.h>

#include "rig.h"

static struct rig rig;

#define M 0x100000ull
#define BLOCK (2 * M)
#define BASE 0x40000000ull
#define PA 0x80000000ull
#define RW (SMMU_PROT_READ | SMMU_PROT_WRITE)

static struct smmu_domain domain;
static struct rig_device dev[2];
static uint64_t first, last; /* what has to be translated */
static unsigned accesses;
static bool inside;

/** At each access of a register every device accesses some of what is mapped, by whatever it has cached. */
static void access_all(struct rig_smmu *s, bool write, uint32_t offset)
{
	static uint64_t seed = 1;

	if (inside || last <= first)
		return;
	inside = true;
	for (unsigned i = 0; i < rig.count; i++)
		for (unsigned n = 0; n < 4; n++) {
			uint64_t iova;
			struct smmu_dma_result r;

			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			iova = first + (seed >> 11) % (last - first);
			r = smmu_model_dma(rig.model, &(struct smmu_dma){.instance = i,
									 .stream = 5,
									 .iova = iova,
									 .write = seed >> 63});
			CHECK(r.ok);
			CHECK(r.pa == PA + (iova - BASE));
			accesses++;
		}
	inside = false;
}

static void set_up(unsigned bbml, unsigned stage, bool ats, bool dirty, unsigned count)
{
	struct smmu_model_config c = rig_config();
	struct smmu_domain_config cfg = {.port = &rig.port, .dirty = dirty};

	c.bbml = bbml;
	c.conflict_permille = 1000;
	c.httu = 2;
	c.mark_late_permille = 300;
	rig_open(&rig, &c, count);
	cfg.kind = stage == 1 ? SMMU_DOMAIN_STAGE1 : SMMU_DOMAIN_STAGE2;
	assert_int_equal(smmu_domain_init(&domain, &cfg), 0);
	if (dirty)
		assert_int_equal(smmu_domain_set_dirty_tracking(&domain, true), 0);
	for (unsigned i = 0; i < count; i++) {
		rig_up(&rig, i, 0);
		rig_device(&rig, &dev[i], i, 5, 1, ats, 0);
		assert_int_equal(smmu_attach(&dev[i].dev, &domain), 0);
	}
	first = last = accesses = 0;
	rig.on_access = access_all;
}

static void tear_down(void)
{
	last = 0;
	rig.on_access = NULL;
	for (unsigned i = 0; i < rig.count; i++)
		smmu_device_fini(&dev[i].dev);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	rig_close(&rig);
}

static void watch(uint64_t from, uint64_t to)
{
	first = from;
	last = to;
	/* Into the caches. */
	for (unsigned n = 0; n < 40; n++)
		access_all(NULL, false, 0);
}

static void expect_refused(uint64_t iova)
{
	for (unsigned i = 0; i < rig.count; i++)
		rig_refused(&dev[i], iova);
}

#define MAP(iova, size) \
	assert_int_equal(smmu_map(&domain, iova, PA + ((iova)-BASE), size, RW, 0), 0)

/** Out of the middle of a block and of one of a gigabyte, with the rest in use; and back again. */
static void test_split_and_join(void **state)
{
	for (unsigned n = 0; n < 2 * 2 * 2 * 2; n++) {
		unsigned bbml = 1 + (n & 1), stage = 1 + (n >> 1 & 1);
		uint64_t hole;

		set_up(bbml, stage, n & 4, n & 8, 2);
		MAP(BASE, 2 * BLOCK);
		watch(BASE, BASE + 2 * BLOCK);
		assert_int_equal(smmu_unmap(&domain, BASE + M, 0x1000, 0), -SMMU_EINVAL);
		assert_int_equal(smmu_tables_split(&domain, BASE + M), 0);
		assert_int_equal(smmu_tables_split(&domain, BASE + M), 0);
		watch(BASE + BLOCK, BASE + 2 * BLOCK);
		/* The upper half of the second goes, and what is next to it stays. */
		hole = BASE + BLOCK + M;
		watch(BASE, hole);
		assert_int_equal(smmu_unmap_split(&domain, hole, M, 0), 0);
		expect_refused(hole);
		expect_refused(hole + M - 0x1000);
		MAP(hole, M);
		watch(BASE, BASE + 2 * BLOCK);
		assert_int_equal(smmu_tables_join(&domain, BASE, 2 * BLOCK), 2);
		assert_int_equal(smmu_unmap(&domain, BASE, 0x1000, 0), -SMMU_EINVAL);
		assert_int_equal(smmu_tables_join(&domain, BASE, 2 * BLOCK), 0);
		watch(BASE, BASE + BLOCK);
		assert_int_equal(smmu_unmap(&domain, BASE + BLOCK, BLOCK, 0), 0);
		expect_refused(BASE + BLOCK);
		assert_true(accesses > 1000);
		tear_down();
	}
}

/** Two levels at once. */
static void test_gigabyte(void **state)
{
	for (unsigned bbml = 1; bbml <= 2; bbml++) {
		set_up(bbml, 1, false, false, 1);
		MAP(BASE, 1024 * M);
		watch(BASE, BASE + 700 * M);
		rig_log_reset(&rig);
		assert_int_equal(smmu_unmap_split(&domain, BASE + 701 * M, M, 0), 0);
		/* To two megabytes, and one of those to pages: each a sweep, or two by way of nT; and that of the unmap. */
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_TLBI_NH_VA), bbml == 2 ? 3 : 5);
		expect_refused(BASE + 701 * M);
		MAP(BASE + 701 * M, M);
		watch(BASE, BASE + 1024 * M);
		assert_int_equal(smmu_tables_join(&domain, BASE, 1024 * M), 2);
		rig_log_reset(&rig);
		assert_int_equal(smmu_unmap(&domain, BASE + 0x1000, 0x1000, 0), -SMMU_EINVAL);
		watch(0, 0);
		assert_int_equal(smmu_unmap(&domain, BASE, 1024 * M, 0), 0);
		assert_string_equal(rig_log(&rig), "TLBI_NH_VA(1,40000000*262144) SYNC");
		tear_down();
	}
}

/** What would have to be broken first is refused while a device is behind a part of level 0; without one it is done. */
static void test_level_0(void **state)
{
	set_up(0, 1, false, false, 1);
	MAP(BASE, BLOCK);
	watch(BASE, BASE + BLOCK);
	assert_int_equal(smmu_tables_split(&domain, BASE + M), -SMMU_EOPNOTSUPP);
	assert_int_equal(smmu_tables_split(&domain, BASE), 0);
	assert_int_equal(smmu_unmap_split(&domain, BASE, M, 0), -SMMU_EOPNOTSUPP);
	assert_int_equal(smmu_tables_join(&domain, BASE, BLOCK), 0);
	watch(0, 0);
	smmu_detach(&dev[0].dev);
	assert_int_equal(smmu_tables_split(&domain, BASE + M), 0);
	assert_int_equal(smmu_attach(&dev[0].dev, &domain), 0);
	watch(BASE, BASE + BLOCK);
	assert_int_equal(smmu_tables_join(&domain, BASE, BLOCK), -SMMU_EOPNOTSUPP);
	tear_down();
}

/** The part says so where a size changes under it and nobody sweeps: what the library avoids does happen. */
static void test_conflict(void **state)
{
	for (unsigned bbml = 0; bbml <= 2; bbml++) {
		struct smmu_dma dma = {.stream = 5, .iova = BASE + 0x5000};
		struct smmu_resized joined;
		struct smmu_gather g;

		set_up(bbml, 1, false, false, 1);
		rig.on_access = NULL;
		for (uint64_t at = 0; at < BLOCK; at += M)
			MAP(BASE + at, M);
		assert_true(smmu_model_dma(rig.model, &dma).ok);
		smmu_gather_init(&g, 0);
		/* As if it had level 2. */
		assert_int_equal(domain.table->ops->join(domain.table, BASE, BLOCK, 2, &joined, &g),
				 1);
		/* The way to the pages is forgotten, but not the page. */
		dma.iova += 0x1000;
		smmu_gather_init(&g, 12);
		smmu_gather_table(&g, dma.iova, dma.iova + 0xfff, 12, 0);
		assert_int_equal(smmu_inv_sync(domain.port->rcu, &domain.inv, &domain.debt, &g), 0);
		assert_true(smmu_model_dma(rig.model, &dma).ok);
		dma.iova -= 0x1000;
		assert_int_equal(smmu_model_dma(rig.model, &dma).event,
				 bbml == 2 ? 0 : SMMU_F_TLB_CONFLICT);
		assert_int_equal(smmu_flush_all(&domain), 0);
		assert_true(smmu_model_dma(rig.model, &dma).ok);
		domain.table->ops->resized_swept(domain.table, &joined, true, &g);
		tear_down();
	}
}

/** Marks of before, of meanwhile and of after a change of size: none is lost. */
static void test_dirty(void **state)
{
	for (unsigned n = 0; n < 2 * 2 * 2; n++) {
		unsigned bbml = 1 + (n & 1), stage = 1 + (n >> 1 & 1);
		uint64_t words[16];
		struct smmu_dirty_bitmap map = {words, BASE, 1024, 12};

		set_up(bbml, stage, n & 4, true, 1);
		MAP(BASE, BLOCK);
		for (unsigned round = 0; round < 30; round++) {
			struct smmu_dma dma = {
				.stream = 5, .iova = BASE + round * 0x5000 % BLOCK, .write = true};
			uint64_t page = (dma.iova - BASE) >> 12;

			assert_true(smmu_model_dma(rig.model, &dma).ok);
			if (round % 2)
				assert_int_equal(smmu_tables_join(&domain, BASE, BLOCK), 1);
			else
				assert_int_equal(smmu_tables_split(&domain, BASE + M), 0);
			memset(words, 0, sizeof(words));
			assert_int_equal(smmu_domain_read_dirty(&domain, BASE, BLOCK, 0, &map), 0);
			assert_true(words[page / 64] >> page % 64 & 1);
			memset(words, 0, sizeof(words));
			assert_int_equal(smmu_domain_read_dirty(&domain, BASE, BLOCK, 0, &map), 0);
			assert_int_equal(words[page / 64] >> page % 64 & 1, 0);
		}
		tear_down();
	}
}

static unsigned live_blocks(void)
{
	return (unsigned)rig.heap.dma_blocks;
}

/** Tables that became empty piece by piece go when they are asked to, and not those that are not, or not wholly in the range. */
static void test_reclaim(void **state)
{
	for (unsigned stage = 1; stage <= 2; stage++) {
		unsigned before;

		set_up(2, stage, true, false, 2);
		MAP(BASE + 512 * M, 0x1000); /* tables of all levels but one last */
		before = live_blocks();
		for (unsigned n = 0; n < 512; n++)
			MAP(BASE + n * 0x1000, 0x1000);
		MAP(BASE + BLOCK, 0x1000);
		assert_int_equal(live_blocks(), before + 2);
		for (unsigned n = 0; n < 512; n++)
			assert_int_equal(smmu_unmap(&domain, BASE + n * 0x1000, 0x1000, 0), 0);
		assert_int_equal(live_blocks(), before + 2);
		watch(BASE + BLOCK, BASE + BLOCK + 0x1000);
		assert_int_equal(smmu_tables_reclaim(&domain, BASE + 0x1000, BLOCK), 0);
		assert_int_equal(smmu_tables_reclaim(&domain, BASE, 2 * BLOCK), 1);
		assert_int_equal(live_blocks(), before + 1);
		MAP(BASE, BLOCK);
		watch(BASE, BASE + BLOCK + 0x1000);
		assert_int_equal(smmu_tables_reclaim(&domain, 0, 1ull << 40), 0);
		watch(0, 0);
		assert_int_equal(smmu_unmap(&domain, BASE, BLOCK, 0), 0);
		assert_int_equal(smmu_unmap(&domain, BASE + BLOCK, 0x1000, 0), 0);
		assert_int_equal(smmu_unmap(&domain, BASE + 512 * M, 0x1000, 0), 0);
		/* Tables of tables, too, up to the first. */
		assert_true(smmu_tables_reclaim(&domain, 0, 1ull << 48) >= 3);
		assert_int_equal(smmu_tables_reclaim(&domain, 0, 1ull << 48), 0);
		tear_down();
	}
}

static void test_refused(void **state)
{
	struct smmu_domain identity;

	set_up(2, 1, false, false, 1);
	rig_domain(&rig, &identity, SMMU_DOMAIN_IDENTITY);
	assert_int_equal(smmu_tables_split(&identity, 0), -SMMU_EOPNOTSUPP);
	assert_int_equal(smmu_tables_join(&identity, 0, BLOCK), -SMMU_EOPNOTSUPP);
	assert_int_equal(smmu_tables_reclaim(&identity, 0, BLOCK), -SMMU_EOPNOTSUPP);
	assert_int_equal(smmu_domain_fini(&identity), 0);
	assert_int_equal(smmu_tables_split(&domain, 1), -SMMU_EINVAL);
	assert_int_equal(smmu_tables_split(&domain, 1ull << 48), 0);
	assert_int_equal(smmu_tables_split(&domain, (1ull << 48) + 0x1000), -SMMU_ERANGE);
	assert_int_equal(smmu_tables_join(&domain, BASE, 0), -SMMU_EINVAL);
	assert_int_equal(smmu_tables_join(&domain, 1ull << 48, BLOCK), -SMMU_ERANGE);
	assert_int_equal(smmu_tables_reclaim(&domain, BASE + 1, BLOCK), -SMMU_EINVAL);
	/* Memory is short: all is as it was. */
	MAP(BASE, BLOCK);
	watch(BASE, BASE + BLOCK);
	rig.fail_from = 1;
	rig.fail_count = 1;
	assert_int_equal(smmu_unmap_split(&domain, BASE + M, M, 0), -SMMU_ENOMEM);
	assert_int_equal(smmu_unmap(&domain, BASE, M, 0), -SMMU_EINVAL);
	/* Not alike: nothing to join. */
	rig.fail_count = 0;
	assert_int_equal(smmu_tables_split(&domain, BASE + M), 0);
	watch(BASE + 0x1000, BASE + BLOCK);
	assert_int_equal(smmu_unmap(&domain, BASE, 0x1000, 0), 0);
	assert_int_equal(smmu_tables_join(&domain, BASE, BLOCK), 0);
	assert_int_equal(smmu_map(&domain, BASE, PA, 0x1000, SMMU_PROT_READ, 0), 0);
	assert_int_equal(smmu_tables_join(&domain, BASE, BLOCK), 0);
	assert_int_equal(smmu_unmap(&domain, BASE, 0x1000, 0), 0);
	for (unsigned n = 0; n < 2; n++) {
		MAP(BASE, 0x1000);
		watch(BASE + 0x2000, BASE + BLOCK);
		assert_int_equal(smmu_unmap(&domain, BASE + n * 0x1000, 0x1000, 0), 0);
		assert_int_equal(smmu_map(&domain, BASE + n * 0x1000, PA + BLOCK, 0x1000, RW, 0),
				 0);
		assert_int_equal(smmu_tables_join(&domain, BASE, BLOCK), 0);
		assert_int_equal(smmu_unmap(&domain, BASE + n * 0x1000, 0x1000, 0), 0);
	}
	tear_down();
}

/** Not confirmed: the same is translated as before, and the tables are not used for anything else. */
static void test_not_confirmed(void **state)
{
	set_up(1, 1, false, false, 1);
	MAP(BASE, BLOCK);
	watch(BASE, BASE + BLOCK);
	smmu_model_kill_queue(rig.model, 0, 1, false);
	assert_int_equal(smmu_tables_split(&domain, BASE + M), -SMMU_EIO);
	watch(BASE, BASE + BLOCK);
	smmu_model_kill_queue(rig.model, 0, 0, false);
	rig.on_access = NULL;
	assert_int_equal(smmu_instance_revive(&rig.smmu[0].inst), 0);
	rig.on_access = access_all;
	assert_int_equal(smmu_tables_split(&domain, BASE + M), 0);
	watch(BASE, BASE + BLOCK);
	smmu_model_kill_queue(rig.model, 0, 1, false);
	assert_int_equal(smmu_tables_join(&domain, BASE, BLOCK), -SMMU_EIO);
	watch(BASE, BASE + BLOCK);
	smmu_model_kill_queue(rig.model, 0, 0, false);
	rig.on_access = NULL;
	assert_int_equal(smmu_instance_revive(&rig.smmu[0].inst), 0);
	rig.on_access = access_all;
	watch(BASE, BASE + BLOCK);
	assert_int_equal(smmu_tables_join(&domain, BASE, BLOCK), 1);
	/* An empty table that is not confirmed to be gone: what is mapped in it then is found. */
	MAP(BASE + BLOCK, 0x1000);
	watch(BASE, BASE + BLOCK + 0x1000);
	last = BASE + BLOCK;
	assert_int_equal(smmu_unmap(&domain, BASE + BLOCK, 0x1000, 0), 0);
	smmu_model_kill_queue(rig.model, 0, 1, false);
	assert_int_equal(smmu_tables_reclaim(&domain, BASE, 2 * BLOCK), -SMMU_EIO);
	MAP(BASE + BLOCK, 0x2000);
	watch(BASE, BASE + BLOCK + 0x2000);
	smmu_model_kill_queue(rig.model, 0, 0, false);
	rig.on_access = NULL;
	assert_int_equal(smmu_instance_revive(&rig.smmu[0].inst), 0);
	tear_down();
}

/**
 * A block that could not be swept is in a cache still, so a table must not take its place, however often that is tried. That it was
 * read makes it clean there, so a write walks, and finds pages if there are any.
 */
static void test_split_not_confirmed(void **state)
{
	for (unsigned n = 0; n < 2 * 2; n++) {
		unsigned bbml = 1 + n % 2;

		set_up(bbml, 1 + n / 2, false, true, 1);
		rig.on_access = NULL;
		MAP(BASE, BLOCK);
		assert_true(smmu_model_dma(rig.model, &(struct smmu_dma){.stream = 5, .iova = BASE})
				    .ok);
		smmu_model_kill_queue(rig.model, 0, 1, false);
		/* With level 2 the first makes the table, and there is nothing left to do. */
		for (unsigned i = 0; i < 2; i++)
			assert_int_equal(smmu_tables_split(&domain, BASE + M),
					 bbml == 1 || !i ? -SMMU_EIO : 0);
		watch(BASE, BASE + BLOCK);
		smmu_model_kill_queue(rig.model, 0, 0, false);
		assert_int_equal(smmu_instance_revive(&rig.smmu[0].inst), 0);
		rig.on_access = access_all;
		watch(BASE, BASE + BLOCK);
		rig_log_reset(&rig);
		assert_int_equal(smmu_tables_split(&domain, BASE + M), 0);
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_SYNC), bbml == 1 ? 2 : 0);
		watch(BASE, BASE + BLOCK);
		tear_down();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split_and_join),
		cmocka_unit_test(test_gigabyte),
		cmocka_unit_test(test_level_0),
		cmocka_unit_test(test_conflict),
		cmocka_unit_test(test_dirty),
		cmocka_unit_test(test_reclaim),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_not_confirmed),
		cmocka_unit_test(test_split_not_confirmed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

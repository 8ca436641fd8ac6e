/* SPDX-License-Identifier: BSD-2-Clause */
/* Dirty tracking: what devices write is reported, once, and nothing that they write is missed. */
#include <smmuv3/dirty.h>

#include "guest.h"
#include "rig.h"

static struct rig rig;

#define PAGES 32u
#define BASE 0x40000000ull
#define RW (SMMU_PROT_READ | SMMU_PROT_WRITE)
#define IOVA(n) (BASE + (n)*0x1000ull)

static struct smmu_domain domain;
static struct rig_device dev[4];
static uint64_t words[16];
static struct smmu_dirty_bitmap bitmap = {words, BASE, 1024, 12};

static struct smmu_model_config config(void)
{
	struct smmu_model_config c = rig_config();

	c.httu = 2;
	return c;
}

static void make_domain(enum smmu_domain_kind kind)
{
	struct smmu_domain_config cfg = {.port = &rig.port, .kind = kind, .dirty = true};

	assert_int_equal(smmu_domain_init(&domain, &cfg), 0);
	assert_int_equal(smmu_domain_set_dirty_tracking(&domain, true), 0);
}

/** @p count SMMUs with a device each, attached; pages 0 to PAGES - 1 mapped, every fourth for reading alone. */
static void set_up(const struct smmu_model_config *c, unsigned count, unsigned stage, bool ats)
{
	rig_open(&rig, c, count);
	make_domain(stage == 1 ? SMMU_DOMAIN_STAGE1 : SMMU_DOMAIN_STAGE2);
	for (unsigned i = 0; i < count; i++) {
		rig_up(&rig, i, 0);
		rig_device(&rig, &dev[i], i, 5, 1, ats, 0);
		assert_int_equal(smmu_attach(&dev[i].dev, &domain), 0);
	}
	for (unsigned n = 0; n < PAGES; n++)
		assert_int_equal(smmu_map(&domain, IOVA(n), RIG_PA(n), 0x1000,
					  n % 4 == 3 ? SMMU_PROT_READ : RW, 0),
				 0);
	memset(words, 0, sizeof(words));
	rig_log_reset(&rig);
}

static void tear_down(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		smmu_device_fini(&dev[i].dev);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	rig_close(&rig);
}

static bool dma(unsigned i, unsigned n, bool write)
{
	struct smmu_dma d = {.instance = i, .stream = 5, .iova = IOVA(n), .write = write};
	struct smmu_dma_result r = smmu_model_dma(rig.model, &d);

	if (r.ok)
		assert_int_equal(r.pa, RIG_PA(n));
	return r.ok;
}

/** Read all; exactly @p want was written. */
#define expect_dirty(want)                                                                     \
	do {                                                                                   \
		words[0] = 0;                                                                  \
		assert_int_equal(                                                              \
			smmu_domain_read_dirty(&domain, BASE, PAGES * 0x1000, 0, &bitmap), 0); \
		assert_int_equal(words[0], (uint64_t)(want));                                  \
	} while (0)

static void test_exact(void **state)
{
	for (unsigned n = 0; n < 2 * 2 * 3; n++) {
		unsigned stage = 1 + n % 2, count = 1 + n / 4;
		bool ats = n & 2;
		struct smmu_model_config c = config();
		uint64_t seed = n;

		set_up(&c, count, stage, ats);
		expect_dirty(0);
		for (unsigned round = 0; round < 20; round++) {
			uint64_t written = 0;

			for (unsigned k = 0; k < 24; k++) {
				unsigned page = (seed = seed * 6364136223846793005ull + 1) >> 33 &
						(PAGES - 1);
				bool write = seed >> 60 & 1;

				assert_int_equal(dma(seed >> 50 & 0xff & (count - 1), page, write),
						 !write || page % 4 != 3);
				if (write && page % 4 != 3)
					written |= 1ull << page;
			}
			/* Looking takes nothing away. */
			words[0] = 0;
			assert_int_equal(smmu_domain_read_dirty(&domain, BASE, PAGES * 0x1000,
								SMMU_DIRTY_KEEP, &bitmap),
					 0);
			assert_int_equal(words[0], written);
			expect_dirty(written);
			expect_dirty(0);
		}
		tear_down(count);
	}
}

/** What goes into the queues: a CMD_SYNC before, and one sweep of what was dirty. */
static void test_commands(void **state)
{
	struct smmu_model_config c = config();

	set_up(&c, 1, 1, true);
	assert_true(dma(0, 4, true));
	assert_true(dma(0, 5, true));
	rig_log_reset(&rig);
	expect_dirty(0x30);
	assert_string_equal(rig_log(&rig), "SYNC SYNC TLBI_NH_VA(1,40004000*2) SYNC "
					   "ATC_INV(5,40004000/1) SYNC");
	rig_log_reset(&rig);
	assert_int_equal(
		smmu_domain_read_dirty(&domain, BASE, PAGES * 0x1000, SMMU_DIRTY_SOON, &bitmap), 0);
	assert_string_equal(rig_log(&rig), "");
	tear_down(1);
}

static unsigned struck, at_prod;
static bool in_between;

/** Before the @p at_prod-th write of PROD each device writes pages 0 to 2, by what it has cached. */
static void write_before_prod(struct rig_smmu *s, bool write, uint32_t offset)
{
	if (!write || offset != SMMU_CMDQ_PROD || in_between || ++struck != at_prod)
		return;
	in_between = true;
	for (unsigned i = 0; i < rig.count; i++)
		for (unsigned n = 0; n < 3; n++)
			CHECK(dma(i, n, true));
	in_between = false;
}

/**
 * A device writes at each moment of a call: by entries of before what was cleared is swept. Each write is reported, by this call or
 * the next; and one after the call by the next.
 */
static void test_moments(void **state)
{
	for (unsigned n = 0; n < 2 * 2 * 8; n++) {
		unsigned stage = 1 + n % 2;
		bool ats = n & 2;
		struct smmu_model_config c = config();

		set_up(&c, 2, stage, ats);
		at_prod = 1 + n / 4;
		struck = 0;
		for (unsigned i = 0; i < 2; i++)
			for (unsigned k = 0; k < 2; k++)
				assert_true(dma(i, k, true));
		rig.on_access = write_before_prod;
		words[0] = 0;
		assert_int_equal(smmu_domain_read_dirty(&domain, BASE, PAGES * 0x1000, 0, &bitmap),
				 0);
		rig.on_access = NULL;
		assert_int_equal(words[0] & 3, 3);
		if (struck >= at_prod) {
			uint64_t before = words[0];

			words[0] = 0;
			assert_int_equal(
				smmu_domain_read_dirty(&domain, BASE, PAGES * 0x1000, 0, &bitmap),
				0);
			/* Page 2, that nobody had cached, in one of both. */
			assert_true((before | words[0]) & 4);
		}
		expect_dirty(0);
		for (unsigned i = 0; i < 2; i++)
			for (unsigned k = 0; k < 3; k++)
				assert_true(dma(i, k, true));
		expect_dirty(7);
		tear_down(2);
	}
}

/** A mark that is not seen yet: the call waits for it, or leaves it to the next. */
static void test_late_marks(void **state)
{
	struct smmu_model_config c = config();

	c.mark_late_permille = 1000;
	set_up(&c, 2, 1, false);
	assert_true(dma(0, 1, true));
	assert_true(dma(1, 2, true));
	assert_int_equal(
		smmu_domain_read_dirty(&domain, BASE, PAGES * 0x1000, SMMU_DIRTY_SOON, &bitmap), 0);
	assert_int_equal(words[0], 0);
	/* The entries of then let writes pass without a mark; the first mark has to be enough. */
	assert_true(dma(0, 1, true));
	expect_dirty(6);
	assert_true(dma(0, 1, true));
	expect_dirty(2);
	expect_dirty(0);
	tear_down(2);
}

/** What an SMMU does not confirm is dirty again, and reported again. */
static void test_not_confirmed(void **state)
{
	struct smmu_model_config c = config();

	for (unsigned late = 0; late < 2; late++) {
		set_up(&c, 1, 1, false);
		assert_true(dma(0, 1, true));
		assert_true(dma(0, 6, true));
		smmu_model_kill_queue(rig.model, 0, late ? 3 : 1, false);
		assert_int_equal(smmu_domain_read_dirty(&domain, BASE, PAGES * 0x1000, 0, &bitmap),
				 -SMMU_EIO);
		/* By entries that were not cleared, unseen. */
		assert_true(dma(0, 1, true));
		smmu_model_kill_queue(rig.model, 0, 0, false);
		assert_int_equal(smmu_instance_revive(&rig.smmu[0].inst), 0);
		expect_dirty(0x42);
		expect_dirty(0);
		assert_true(dma(0, 1, true));
		expect_dirty(2);
		tear_down(1);
	}
}

static void test_refused(void **state)
{
	struct smmu_model_config c[2] = {config(), config()};
	struct smmu_domain_config cfg = {.port = &rig.port, .dirty = true};
	struct smmu_domain plain, other;

	for (unsigned stage = 1; stage <= 2; stage++) {
		for (unsigned n = 0; n < 3; n++) {
			const struct smmu_instance *named = &rig.smmu[0].inst;

			c[0].httu = n == 1 ? 1 : n == 2 ? 2 : 0;
			c[0].coherent = n != 2;
			rig_open(&rig, c, 1);
			if (n == 2)
				rig_not_coherent(&rig);
			rig_up(&rig, 0, 0);
			rig_device(&rig, &dev[0], 0, 5, 1, false, 0);
			make_domain(stage == 1 ? SMMU_DOMAIN_STAGE1 : SMMU_DOMAIN_STAGE2);
			assert_int_equal(smmu_attach(&dev[0].dev, &domain), -SMMU_EOPNOTSUPP);
			assert_int_equal(domain.users, 0);
			cfg.kind = domain.kind;
			cfg.instances = &named;
			cfg.nr_instances = 1;
			assert_int_equal(smmu_domain_init(&other, &cfg), -SMMU_EOPNOTSUPP);
			tear_down(1);
		}
	}
	set_up(&c[1], 1, 1, false);
	rig_domain(&rig, &plain, SMMU_DOMAIN_STAGE1);
	assert_int_equal(smmu_domain_set_dirty_tracking(&plain, true), -SMMU_EOPNOTSUPP);
	assert_int_equal(smmu_domain_read_dirty(&plain, BASE, 0x1000, 0, &bitmap),
			 -SMMU_EOPNOTSUPP);
	assert_int_equal(smmu_domain_fini(&plain), 0);
	rig_domain(&rig, &plain, SMMU_DOMAIN_IDENTITY);
	assert_int_equal(smmu_domain_read_dirty(&plain, BASE, 0x1000, 0, &bitmap),
			 -SMMU_EOPNOTSUPP);
	assert_int_equal(smmu_domain_fini(&plain), 0);
	cfg = (struct smmu_domain_config){
		.port = &rig.port, .kind = SMMU_DOMAIN_STAGE1, .dirty = true, .non_coherent = true};
	assert_int_equal(smmu_domain_init(&plain, &cfg), -SMMU_EINVAL);
	assert_int_equal(smmu_domain_read_dirty(&domain, BASE, 0x1000, 4, &bitmap), -SMMU_EINVAL);
	assert_int_equal(smmu_domain_read_dirty(&domain, BASE + 1, 0x1000, 0, &bitmap),
			 -SMMU_EINVAL);
	assert_int_equal(smmu_domain_read_dirty(&domain, BASE, 1025 * 0x1000, 0, &bitmap),
			 -SMMU_EINVAL);
	assert_int_equal(smmu_domain_read_dirty(&domain, BASE - 0x1000, 0x1000, 0, &bitmap),
			 -SMMU_EINVAL);
	assert_int_equal(smmu_domain_read_dirty(&domain, 1ull << 48, 0x1000, 0, NULL),
			 -SMMU_ERANGE);
	tear_down(1);
}

/** On and off while a device is attached: what is mapped meanwhile begins clean or dirty, and a look without a bitmap cleans. */
static void test_on_and_off(void **state)
{
	struct smmu_model_config c = config();

	set_up(&c, 1, 2, false);
	for (unsigned on = 0; on < 4; on++) {
		assert_int_equal(smmu_domain_set_dirty_tracking(&domain, on & 1), 0);
		assert_int_equal(smmu_unmap(&domain, IOVA(8), 0x2000, 0), 0);
		assert_int_equal(smmu_map(&domain, IOVA(8), RIG_PA(8), 0x2000, RW, 0), 0);
		expect_dirty(on & 1 ? 0 : 0x300);
		expect_dirty(0);
		assert_true(dma(0, 9, true));
		assert_int_equal(smmu_domain_read_dirty(&domain, BASE, PAGES * 0x1000, 0, NULL), 0);
		expect_dirty(0);
		assert_true(dma(0, 9, true));
		expect_dirty(0x200);
	}
	tear_down(1);
}

/** A block is one page to the SMMU: all of it is reported; and a range that cuts it is refused. */
static void test_block(void **state)
{
	struct smmu_model_config c = config();
	uint64_t want[16] = {0};

	set_up(&c, 1, 1, false);
	assert_int_equal(smmu_map(&domain, BASE + 0x200000, 0x80000000, 0x200000, RW, 0), 0);
	assert_int_equal(smmu_domain_read_dirty(&domain, BASE + 0x200000, 0x100000, 0, &bitmap),
			 -SMMU_EINVAL);
	assert_int_equal(smmu_domain_read_dirty(&domain, BASE + 0x300000, 0x100000, 0, &bitmap),
			 -SMMU_EINVAL);
	memset(&want[8], 0xff, 64);
	for (unsigned n = 0; n < 3; n++) {
		struct smmu_dma d = {.stream = 5, .iova = BASE + 0x3ff000, .write = true};

		memset(words, 0, sizeof(words));
		assert_true(smmu_model_dma(rig.model, &d).ok);
		rig_log_reset(&rig);
		assert_int_equal(
			smmu_domain_read_dirty(&domain, BASE, 0x400000, SMMU_DIRTY_SOON, &bitmap),
			0);
		assert_memory_equal(words, want, sizeof(words));
		assert_string_equal(rig_log(&rig), "TLBI_NH_VA(1,40200000*512) SYNC");
		memset(words, 0, sizeof(words));
		assert_int_equal(smmu_domain_read_dirty(&domain, BASE, 0x400000, 0, &bitmap), 0);
		assert_int_equal(words[8], 0);
	}
	tear_down(1);
}

/** A guest's devices, by the guest's own stage 1: their writes are seen in the parent. */
static void test_nested(void **state)
{
	for (unsigned ats = 0; ats < 2; ats++) {
		struct smmu_model_config c = config();
		struct smmu_dirty_bitmap b = {words, GUEST_IPA(0), 64, 12};
		struct smmu_vsmmu v;
		struct smmu_domain nested;
		struct guest guest;
		struct smmu_ste ste;
		const uint32_t name = 0x50;
		struct smmu_dma d = {.stream = 5, .iova = 0x1000, .write = true};

		rig_open(&rig, &c, 1);
		rig_up(&rig, 0, 0);
		make_domain(SMMU_DOMAIN_STAGE2);
		guest_init(&guest, &rig, &domain);
		guest_vsmmu(&v, &rig, 0, &domain);
		rig_device(&rig, &dev[0], 0, 5, 1, ats, 0);
		assert_int_equal(smmu_vsmmu_plug(&v, &dev[0].dev, &name), 0);
		guest_map(&guest, 0x1000, GUEST_IPA(1));
		ste = guest_ste(&guest, ats);
		assert_int_equal(smmu_nested_init(&nested, &v, &ste, NULL), 0);
		assert_int_equal(smmu_attach(&dev[0].dev, &nested), 0);
		for (unsigned n = 0; n < 3; n++) {
			memset(words, 0, sizeof(words));
			assert_int_equal(smmu_domain_read_dirty(&domain, GUEST_IPA(0),
								GUEST_DATA_PAGES * 0x1000, 0, &b),
					 0);
			assert_int_equal(words[0], n ? 2 : 0);
			assert_true(smmu_model_dma(rig.model, &d).ok);
		}
		smmu_device_fini(&dev[0].dev);
		assert_int_equal(smmu_domain_fini(&nested), 0);
		assert_int_equal(smmu_vsmmu_fini(&v), 0);
		guest_fini(&guest);
		assert_int_equal(smmu_domain_fini(&domain), 0);
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),      cmocka_unit_test(test_commands),
		cmocka_unit_test(test_moments),    cmocka_unit_test(test_late_marks),
		cmocka_unit_test(test_refused),    cmocka_unit_test(test_not_confirmed),
		cmocka_unit_test(test_on_and_off), cmocka_unit_test(test_block),
		cmocka_unit_test(test_nested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

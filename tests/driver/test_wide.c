/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses of 52 bits: with 64K granules as ever, and with 4K and 16K by descriptors of their own (DS). */
#include <smmuv3/tables.h>

#include "rig.h"

static struct rig rig;
static struct smmu_domain domain;
static struct rig_device dev;

#define RW (SMMU_PROT_READ | SMMU_PROT_WRITE)

static const struct wide {
	uint8_t stage, granule, ias, oas;
	bool ds, vax;
} configs[] = {
	{1, 12, 48, 52, true, false},  {2, 12, 48, 52, true, false},  {1, 14, 48, 52, true, false},
	{2, 14, 48, 52, true, false},  {1, 14, 52, 52, true, true},   {1, 14, 52, 44, true, true},
	{1, 16, 48, 52, false, false}, {2, 16, 48, 52, false, false}, {1, 16, 52, 52, false, true},
	{2, 16, 52, 52, false, false}, {1, 12, 52, 52, true, true},   {1, 12, 49, 48, true, true},
	{2, 12, 52, 52, true, false},
};

static struct smmu_domain_config config(const struct wide *w)
{
	return (struct smmu_domain_config){.port = &rig.port,
					   .kind = w->stage == 1 ? SMMU_DOMAIN_STAGE1
								 : SMMU_DOMAIN_STAGE2,
					   .granule_shift = w->granule,
					   .ias = w->ias,
					   .oas = w->oas};
}

static void set_up(const struct wide *w, bool ds, bool vax, unsigned oas)
{
	struct smmu_model_config c = rig_config();
	struct smmu_domain_config cfg;

	c.ds = ds;
	c.va52 = vax;
	c.oas = oas;
	c.bbml = 2;
	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, 0);
	rig_device(&rig, &dev, 0, 5, 1, false, 0);
	cfg = config(w);
	assert_int_equal(smmu_domain_init(&domain, &cfg), 0);
}

static void tear_down(void)
{
	smmu_device_fini(&dev.dev);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	rig_close(&rig);
}

/** Pages and blocks at the ends of both address spaces, and where single bits of either are set. */
static void test_reach(void **state)
{
	for (unsigned n = 0; n < SMMU_ARRAY_SIZE(configs); n++) {
		const struct wide *w = &configs[n];
		uint64_t page = 1ull << w->granule, block = page << (w->granule - 3);

		set_up(w, true, true, 52);
		assert_int_equal(smmu_attach(&dev.dev, &domain), 0);
		for (unsigned bit = 30; bit < w->oas; bit++)
			for (unsigned large = 0; large < 2; large++) {
				uint64_t size = large ? block : page, pa, iova;
				unsigned high = bit < w->ias ? bit : w->ias - 1u;

				pa = (1ull << bit) & -size;
				iova = (1ull << high) & -size;
				assert_int_equal(smmu_map(&domain, iova, pa, size, RW, 0), 0);
				rig_expect(&dev, iova + page - 8, pa + page - 8);
				rig_expect(&dev, iova + size - 8, pa + size - 8);
				if (large && bit > w->granule) {
					assert_int_equal(smmu_tables_split(&domain, iova + page),
							 0);
					rig_expect(&dev, iova + page, pa + page);
					assert_int_equal(smmu_tables_join(&domain, iova, size), 1);
					rig_expect(&dev, iova + page, pa + page);
				}
				assert_int_equal(smmu_unmap(&domain, iova, size, 0), 0);
				rig_refused(&dev, iova);
				assert_true(smmu_tables_reclaim(&domain, 0, 1ull << w->ias) >= 0);
			}
		/* The last page to the last. */
		assert_int_equal(smmu_map(&domain, (1ull << w->ias) - page, (1ull << w->oas) - page,
					  page, RW, 0),
				 0);
		rig_expect(&dev, (1ull << w->ias) - 8, (1ull << w->oas) - 8);
		tear_down();
	}
}

/** An SMMU without the descriptors, the input or the output is not asked to take them. */
static void test_refused(void **state)
{
	for (unsigned n = 0; n < SMMU_ARRAY_SIZE(configs); n++) {
		const struct wide *w = &configs[n];

		set_up(w, false, true, 52);
		assert_int_equal(smmu_attach(&dev.dev, &domain), w->ds ? -SMMU_EOPNOTSUPP : 0);
		tear_down();
		set_up(w, true, false, 52);
		assert_int_equal(smmu_attach(&dev.dev, &domain), w->vax ? -SMMU_EOPNOTSUPP : 0);
		tear_down();
		set_up(w, true, true, 48);
		assert_int_equal(smmu_attach(&dev.dev, &domain),
				 w->oas == 52 ? -SMMU_EOPNOTSUPP : 0);
		tear_down();
	}
}

/** From a domain with such descriptors to one without and back. */
static void test_change(void **state)
{
	for (unsigned stage = 1; stage <= 2; stage++) {
		const struct wide w = {
			.stage = (uint8_t)stage, .granule = 12, .ias = 48, .oas = 52};
		struct smmu_domain other;

		set_up(&w, true, true, 52);
		rig_domain_with_page(&rig, &other, domain.kind, 3);
		assert_int_equal(smmu_map(&domain, 0x1000, 1ull << 51, 0x1000, RW, 0), 0);
		for (unsigned n = 0; n < 3; n++) {
			assert_int_equal(smmu_attach(&dev.dev, &domain), 0);
			rig_expect(&dev, 0x1000, 1ull << 51);
			assert_int_equal(smmu_attach(&dev.dev, &other), 0);
			rig_expect(&dev, 0x1000, RIG_PA(3));
		}
		smmu_detach(&dev.dev);
		assert_int_equal(smmu_domain_fini(&other), 0);
		tear_down();
	}
}

/** Level -1 has tables alone: what would be a block there is none. And it is walked: what is taken from it is gone. */
static void test_level_minus_1(void **state)
{
	const struct wide w = {.stage = 1, .granule = 12, .ias = 52, .oas = 52};
	const uint64_t iova = 0xb000000001000;

	set_up(&w, true, true, 52);
	assert_int_equal(smmu_attach(&dev.dev, &domain), 0);
	assert_int_equal(smmu_map(&domain, iova, 0x1000, 0x1000, RW, 0), 0);
	for (unsigned n = 0; n < 3; n++) {
		uint64_t *desc = &domain.table->top[n ? 11 : 12], was = *desc;

		*desc = n == 2 ? was & ~2ull : 0;
		assert_int_equal(smmu_flush_all(&domain), 0);
		if (n)
			rig_refused(&dev, iova);
		else
			rig_expect(&dev, iova, 0x1000);
		*desc = was;
		assert_int_equal(smmu_flush_all(&domain), 0);
		rig_expect(&dev, iova, 0x1000);
	}
	tear_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reach),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_level_minus_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

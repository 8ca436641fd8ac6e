/* SPDX-License-Identifier: BSD-2-Clause */
/* What is refused, with the reason, and that nothing changes. */
#include "rig.h"

static struct rig rig;

static void test_device_arguments(void **state)
{
	struct rig_device d, e;
	struct smmu_domain identity;
	uint32_t one[] = {3};
	struct smmu_device_config cfg = {.streams = one, .nr_streams = 1};

	rig_open_up(&rig, 1);
	rig_domain(&rig, &identity, SMMU_DOMAIN_IDENTITY);
	rig_device(&rig, &d, 0, 5, 3, false, 0);
	assert_int_equal(rig_device_try(&rig, &e, 0, 7, 3, false, 0), -SMMU_EEXIST);
	cfg.instance = &rig.smmu[0].inst;
	cfg.nr_streams = 0;
	assert_int_equal(smmu_device_init(&e.dev, &cfg), -SMMU_EINVAL);
	cfg.nr_streams = 1;
	cfg.streams = NULL;
	assert_int_equal(smmu_device_init(&e.dev, &cfg), -SMMU_EINVAL);
	cfg.streams = one;
	cfg.ats_always = true;
	assert_int_equal(smmu_device_init(&e.dev, &cfg), -SMMU_EINVAL);
	cfg.ats_always = false;
	cfg.ats = true;
	assert_int_equal(smmu_device_init(&e.dev, &cfg), -SMMU_EINVAL);
	cfg.ats = false;
	one[0] = 1u << 9;
	assert_int_equal(smmu_device_init(&e.dev, &cfg), -SMMU_ERANGE);
	one[0] = (1u << 9) - 1;
	assert_int_equal(smmu_device_init(&e.dev, &cfg), 0);
	smmu_device_fini(&e.dev);
	/* What could not be added is nobody's. */
	assert_int_equal(
		smmu_device_init(&e.dev, &(struct smmu_device_config){.instance = cfg.instance,
								      .streams = &d.streams[1],
								      .nr_streams = 1}),
		-SMMU_EEXIST);
	assert_int_equal(smmu_attach(&e.dev, &identity), -SMMU_ENODEV);
	assert_int_equal(smmu_attach_pasid(&e.dev, 1, &identity), -SMMU_ENODEV);
	assert_int_equal(smmu_device_confirm(&e.dev), -SMMU_ENODEV);
	assert_false(smmu_device_quarantined(&e.dev));
	smmu_detach(&e.dev);
	smmu_device_fini(&e.dev);
	/* More substreams than the SMMU has, which are as many as it has. */
	cfg.ssid_bits = 20;
	assert_int_equal(smmu_device_init(&e.dev, &cfg), 0);
	assert_int_equal(e.dev.ssid_bits, rig.smmu[0].inst.features.ssid_bits);
	assert_int_equal(smmu_attach_pasid(&e.dev, 1u << e.dev.ssid_bits, &identity), -SMMU_ERANGE);
	smmu_device_fini(&e.dev);
	cfg.ssid_bits = 0;
	cfg.instance = NULL;
	assert_int_equal(smmu_device_init(&e.dev, &cfg), -SMMU_EINVAL);
	assert_int_equal(smmu_attach(&d.dev, NULL), -SMMU_EINVAL);
	assert_int_equal(smmu_attach_pasid(&d.dev, 1, NULL), -SMMU_EINVAL);
	smmu_device_fini(&d.dev);
	/* Nor on an SMMU that is not enabled. */
	cfg.instance = &rig.smmu[0].inst;
	assert_int_equal(smmu_instance_remove(&rig.smmu[0].inst), 0);
	assert_int_equal(smmu_device_init(&e.dev, &cfg), -SMMU_EINVAL);
	assert_int_equal(smmu_domain_fini(&identity), 0);
	rig_close(&rig);
}

/** What an SMMU cannot do is refused with the reason, and nothing changes. */
static void test_unsupported(void **state)
{
	static const struct {
		enum smmu_domain_kind kind;
		unsigned granule, ias, oas;
		bool fits;
		const char *says;
	} cases[] = {
		{SMMU_DOMAIN_STAGE1, 12, 48, 40, false, "IDR0.S1P"},
		{SMMU_DOMAIN_STAGE2, 16, 40, 40, false, "IDR5.GRAN"},
		{SMMU_DOMAIN_STAGE2, 14, 40, 40, false, "IDR5.GRAN"},
		{SMMU_DOMAIN_STAGE2, 12, 40, 44, false, "IDR5.OAS"},
		{SMMU_DOMAIN_STAGE2, 12, 44, 40, false, "IDR5.OAS"},
		{SMMU_DOMAIN_STAGE2, 12, 40, 40, true, NULL},
	};
	struct smmu_model_config c = rig_config();

	c.s1 = false;
	c.ssid_bits = 0;
	c.gran16k = c.gran64k = false;
	c.oas = 40;
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(cases); i++) {
		struct smmu_domain_config cfg = {.kind = cases[i].kind,
						 .granule_shift = (uint8_t)cases[i].granule,
						 .ias = (uint8_t)cases[i].ias,
						 .oas = (uint8_t)cases[i].oas};
		struct smmu_domain domain, identity;
		struct rig_device d;
		int error;

		rig_open(&rig, &c, 1);
		rig_up(&rig, 0, 0);
		rig_device(&rig, &d, 0, 5, 1, true, 0);
		rig_domain(&rig, &identity, SMMU_DOMAIN_IDENTITY);
		assert_int_equal(smmu_attach(&d.dev, &identity), 0);
		cfg.port = &rig.port;
		assert_int_equal(smmu_domain_init(&domain, &cfg), 0);
		error = smmu_attach(&d.dev, &domain);
		assert_int_equal(error, cases[i].fits ? 0 : -SMMU_EOPNOTSUPP);
		if (!cases[i].fits) {
			assert_int_equal(rig.posix.logged[SMMU_LOG_ERROR], 0);
			assert_true(smmu_posix_logged(&rig.posix, cases[i].says));
			assert_true(
				smmu_posix_logged(&rig.posix, "smmu0: cannot attach the domain: "));
			rig_expect(&d, 0x1000, 0x1000);
			assert_int_equal(domain.users, 0);
			rig_expect_array(&rig, &domain, "");
		}
		smmu_device_fini(&d.dev);
		assert_int_equal(smmu_domain_fini(&domain), 0);
		assert_int_equal(smmu_domain_fini(&identity), 0);
		rig_close(&rig);
	}
}

/** Not coherent: only domains that were made for it. No stage 2: the same words for that. */
static void test_not_coherent(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_domain domain;
	struct smmu_domain_config cfg = {.kind = SMMU_DOMAIN_STAGE1};
	struct rig_device d;

	c.coherent = false;
	c.s2 = false;
	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, 0);
	rig_device(&rig, &d, 0, 5, 1, false, 0);
	rig_domain_with_page(&rig, &domain, SMMU_DOMAIN_STAGE1, 1);
	assert_int_equal(smmu_attach(&d.dev, &domain), -SMMU_EOPNOTSUPP);
	assert_true(smmu_posix_logged(&rig.posix, "IDR0.COHACC"));
	assert_int_equal(smmu_domain_fini(&domain), 0);
	rig_domain_with_page(&rig, &domain, SMMU_DOMAIN_STAGE2, 1);
	assert_int_equal(smmu_attach(&d.dev, &domain), -SMMU_EOPNOTSUPP);
	assert_true(smmu_posix_logged(&rig.posix, "IDR0.S2P"));
	assert_int_equal(smmu_domain_fini(&domain), 0);
	cfg.port = &rig.port;
	cfg.non_coherent = true;
	assert_int_equal(smmu_domain_init(&domain, &cfg), 0);
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
	assert_int_equal(smmu_map(&domain, 0x1000, RIG_PA(1), 0x1000, SMMU_PROT_READ, 0), 0);
	rig_expect(&d, 0x1000, RIG_PA(1));
	assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
	rig_refused(&d, 0x1000);
	smmu_device_fini(&d.dev);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	rig_close(&rig);
}

/** Streams that the SMMU does not confirm to have forgotten are refused, in whatever place they stand, and no others. */
static void test_leftovers(void **state)
{
	struct rig_device d, e;
	struct smmu_domain domain;

	rig_open_up(&rig, 1);
	rig_domain_with_page(&rig, &domain, SMMU_DOMAIN_STAGE1, 1);
	rig_device(&rig, &d, 0, 20, 3, false, 0);
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
	rig.smmu[0].corrupt = SMMU_CMD_CFGI_STE;
	rig.smmu[0].corruptions = 1000000;
	smmu_device_fini(&d.dev);
	for (uint32_t first = 16; first < 25; first++) {
		bool shared = first + 3 > 20 && first < 23;

		assert_int_equal(rig_device_try(&rig, &e, 0, first, 3, false, 0),
				 shared ? -SMMU_EIO : 0);
		smmu_device_fini(&e.dev);
	}
	rig.smmu[0].corruptions = 0;
	rig_device(&rig, &e, 0, 22, 3, false, 0);
	assert_null(rig.smmu[0].inst.leftovers);
	smmu_device_fini(&e.dev);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_device_arguments),
		cmocka_unit_test(test_unsupported),
		cmocka_unit_test(test_not_coherent),
		cmocka_unit_test(test_leftovers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* When ATS goes on and off in a device, and when its ATC is cleared. */
#include "rig.h"

static struct rig rig;

/** Untagged traffic by identity, with ATS only for a substream's sake: its ATC is cleared when ATS goes with that. */
static void test_ats_of_substreams(void **state)
{
	struct rig_device d;
	struct smmu_domain a, identity;

	rig_open_up(&rig, 1);
	rig_domain_with_page(&rig, &a, SMMU_DOMAIN_STAGE1, 1);
	rig_domain(&rig, &identity, SMMU_DOMAIN_IDENTITY);
	rig_device(&rig, &d, 0, 5, 1, true, 4);
	assert_int_equal(smmu_attach(&d.dev, &identity), 0);
	assert_false(d.ats);
	assert_int_equal(smmu_attach_pasid(&d.dev, 3, &a), 0);
	assert_true(d.ats);
	rig_expect(&d, 0x5000, 0x5000);
	assert_true(rig_dma(&d, 0, 3, 0x1000, NULL));
	rig_log_reset(&rig);
	smmu_detach_pasid(&d.dev, 3);
	assert_string_equal(rig_log(&rig), "ATS_OFF(5) ATC_INV(5) ATC_INV(5+*) SYNC CFGI_STE(5) "
					   "SYNC");
	rig_expect(&d, 0x5000, 0x5000);
	smmu_device_fini(&d.dev);
	assert_int_equal(smmu_domain_fini(&a), 0);
	assert_int_equal(smmu_domain_fini(&identity), 0);
	rig_close(&rig);
}

/**
 * On after the STE that allows it is confirmed; off, and the ATC clear, before the STE that forbids it is stored; off as
 * well on the way over an STE that refuses. No translation request is ever refused (IHI 0070 G.b, 3.9.2).
 */
static void test_ats_order(void **state)
{
	struct rig_device d;
	struct smmu_domain a, b, identity, s2;

	rig_open_up(&rig, 1);
	rig_note_stes = true;
	rig_domain_with_page(&rig, &a, SMMU_DOMAIN_STAGE1, 1);
	rig_domain_with_page(&rig, &b, SMMU_DOMAIN_STAGE1, 2);
	rig_domain_with_page(&rig, &s2, SMMU_DOMAIN_STAGE2, 3);
	rig_domain(&rig, &identity, SMMU_DOMAIN_IDENTITY);
	rig_device(&rig, &d, 0, 5, 1, true, 0);
	rig_log_reset(&rig);
	assert_int_equal(smmu_attach(&d.dev, &a), 0);
	assert_string_equal(rig_log(&rig), "STE(5) CFGI_STE(5) SYNC ATS_ON(5)");
	rig_expect(&d, 0x1000, RIG_PA(1));
	assert_true(smmu_model_atc_count(d.hw[0]) > 0);
	/* To another table: ATS stays on, the ATC is cleared once no walk leads to the old one. */
	rig_log_reset(&rig);
	assert_int_equal(smmu_attach(&d.dev, &b), 0);
	assert_string_equal(rig_log(&rig), "STE(5) CFGI_STE(5) SYNC ATC_INV(5) SYNC");
	rig_expect(&d, 0x1000, RIG_PA(2));
	/* To another stage, which no single store does. */
	rig_log_reset(&rig);
	assert_int_equal(smmu_attach(&d.dev, &s2), 0);
	assert_string_equal(rig_log(&rig),
			    "ATS_OFF(5) ATC_INV(5) SYNC STE(5) CFGI_STE(5) SYNC CFGI_STE(5) SYNC "
			    "STE(5) CFGI_STE(5) SYNC ATS_ON(5)");
	rig_expect(&d, 0x1000, RIG_PA(3));
	/* To none. */
	rig_log_reset(&rig);
	assert_int_equal(smmu_attach(&d.dev, &identity), 0);
	assert_string_equal(rig_log(&rig), "ATS_OFF(5) ATC_INV(5) SYNC STE(5) CFGI_STE(5) SYNC");
	rig_expect(&d, 0x1000, 0x1000);
	assert_int_equal(smmu_attach(&d.dev, &a), 0);
	rig_log_reset(&rig);
	smmu_detach(&d.dev);
	assert_string_equal(rig_log(&rig), "ATS_OFF(5) ATC_INV(5) SYNC STE(5) CFGI_STE(5) SYNC");
	/* The device does not turn it on: it is used without, and no STE allows it. */
	d.ats_error = -SMMU_EBUSY;
	assert_int_equal(smmu_attach(&d.dev, &a), 0);
	assert_true(smmu_posix_logged(&rig.posix, "smmu0: stream 0x5: its ATS does not go on"));
	assert_int_equal(smmu_field_get(SMMU_STE_W1_EATS, rig_ste(&d, 0).w[1]), 0);
	rig_expect(&d, 0x1000, RIG_PA(1));
	assert_int_equal(smmu_unmap(&a, 0x1000, 0x1000, 0), 0);
	rig_refused(&d, 0x1000);
	/* The next attach tries again. */
	d.ats_error = 0;
	assert_int_equal(smmu_attach(&d.dev, &b), 0);
	assert_true(d.ats);
	rig_expect(&d, 0x1000, RIG_PA(2));
	/* Before SMMUEN goes, ATS is off everywhere (3.9.1): the model would note it. */
	assert_int_equal(smmu_instance_remove(&rig.smmu[0].inst), 0);
	assert_false(d.ats);
	/* A device that could, on an SMMU that cannot or should not. */
	rig_up(&rig, 0, SMMU_QUIRK_NO_ATS);
	rig_device(&rig, &d, 0, 5, 1, true, 0);
	assert_int_equal(smmu_attach(&d.dev, &a), 0);
	assert_false(d.ats);
	rig_expect_array(&rig, &a, "0:asid1");
	smmu_device_fini(&d.dev);
	assert_int_equal(smmu_domain_fini(&a), 0);
	assert_int_equal(smmu_domain_fini(&b), 0);
	assert_int_equal(smmu_domain_fini(&s2), 0);
	assert_int_equal(smmu_domain_fini(&identity), 0);
	rig_close(&rig);
}

/** Under substreams a CD changes in place: ATS is off meanwhile, unless it changes in one store. */
static void test_ats_pauses(void **state)
{
	for (unsigned lse2 = 0; lse2 < 2; lse2++) {
		struct rig_device d;
		struct smmu_domain a, b;

		rig_open_up(&rig, 1);
		rig.port.flags = lse2 ? SMMU_PORT_LSE2 : 0;
		rig_domain_with_page(&rig, &a, SMMU_DOMAIN_STAGE1, 1);
		rig_domain_with_page(&rig, &b, SMMU_DOMAIN_STAGE1, 2);
		rig_device(&rig, &d, 0, 5, 1, true, 4);
		assert_int_equal(smmu_attach_pasid(&d.dev, 3, &a), 0);
		assert_int_equal(smmu_attach(&d.dev, &a), 0);
		rig_log_reset(&rig);
		assert_int_equal(smmu_attach(&d.dev, &b), 0);
		assert_string_equal(
			rig_log(&rig),
			lse2 ? "CFGI_CD(5+0) SYNC ATC_INV(5) SYNC"
			     : "ATS_OFF(5) ATC_INV(5) ATC_INV(5+*) SYNC CFGI_CD(5+0) SYNC "
			       "CFGI_CD(5+0) SYNC CFGI_CD(5+0) SYNC ATS_ON(5)");
		rig_expect(&d, 0x1000, RIG_PA(2));
		rig_log_reset(&rig);
		assert_int_equal(smmu_attach_pasid(&d.dev, 3, &b), 0);
		assert_string_equal(
			rig_log(&rig),
			lse2 ? "CFGI_CD(5+3) SYNC ATC_INV(5+3) SYNC"
			     : "ATS_OFF(5) ATC_INV(5) ATC_INV(5+*) SYNC CFGI_CD(5+3) SYNC "
			       "CFGI_CD(5+3) SYNC CFGI_CD(5+3) SYNC ATS_ON(5)");
		smmu_device_fini(&d.dev);
		assert_int_equal(smmu_domain_fini(&a), 0);
		assert_int_equal(smmu_domain_fini(&b), 0);
		rig_close(&rig);
	}
}

/** A device is told of the smallest granule of its SMMU, below which its ATC cannot be invalidated (IHI 0070 G.b, 3.9.1). */
static void test_smallest_granule(void **state)
{
	static const struct {
		bool k4, k16, k64;
		unsigned stu;
	} cases[] = {
		{true, true, true, 12},   {true, false, false, 12}, {true, false, true, 12},
		{false, true, false, 14}, {false, true, true, 14},  {false, false, true, 16},
	};

	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(cases); i++) {
		const struct smmu_instance *smmu = &rig.smmu[0].inst;
		struct smmu_domain_config cfg = {
			.port = &rig.port, .instances = &smmu, .nr_instances = 1};
		struct smmu_model_config c = rig_config();
		struct smmu_domain domain;
		struct rig_device d;

		c.gran4k = cases[i].k4;
		c.gran16k = cases[i].k16;
		c.gran64k = cases[i].k64;
		rig_open(&rig, &c, 1);
		rig_up(&rig, 0, 0);
		rig_device_stu(&rig, &d, 0, 5, cases[i].stu);
		cfg.kind = SMMU_DOMAIN_STAGE1;
		assert_int_equal(smmu_domain_init(&domain, &cfg), 0);
		assert_int_equal(domain.table->cfg.granule_shift, cases[i].stu);
		assert_int_equal(smmu_attach(&d.dev, &domain), 0);
		assert_true(d.ats);
		smmu_device_fini(&d.dev);
		assert_int_equal(smmu_domain_fini(&domain), 0);
		rig_close(&rig);
	}
}

/**
 * Once more what it is attached to: nothing is sent. After a change that failed, what was not confirmed is asked for
 * first: the STEs, then the ATCs, then ATS goes on.
 */
static void test_again(void **state)
{
	struct rig_device d;
	struct smmu_domain a, b;

	rig_open_up(&rig, 1);
	rig_domain_with_page(&rig, &a, SMMU_DOMAIN_STAGE1, 1);
	rig_domain_with_page(&rig, &b, SMMU_DOMAIN_STAGE1, 2);
	rig_device(&rig, &d, 0, 5, 1, true, 4);
	assert_int_equal(smmu_attach(&d.dev, &a), 0);
	assert_int_equal(smmu_attach_pasid(&d.dev, 3, &a), 0);
	rig_log_reset(&rig);
	assert_int_equal(smmu_attach(&d.dev, &a), 0);
	assert_int_equal(smmu_attach_pasid(&d.dev, 3, &a), 0);
	assert_int_equal(smmu_device_confirm(&d.dev), 0);
	assert_string_equal(rig_log(&rig), "");
	for (unsigned by = 0; by < 3; by++) {
		rig.smmu[0].corrupt = SMMU_CMD_CFGI_CD;
		rig.smmu[0].corruptions = 1000000;
		assert_int_equal(smmu_attach(&d.dev, by == 2 ? &a : &b), -SMMU_EIO);
		assert_false(smmu_device_confirmed(&d.dev));
		rig.smmu[0].corruptions = 0;
		rig_log_reset(&rig);
		/* Nothing is attached without a substream: only the question is left to do. */
		if (by == 0)
			assert_int_equal(smmu_device_confirm(&d.dev), 0);
		else if (by == 1)
			smmu_detach(&d.dev);
		else
			smmu_detach_pasid(&d.dev, 7);
		assert_true(smmu_device_confirmed(&d.dev));
		assert_true(d.ats);
		assert_memory_equal(rig_log(&rig), "CFGI_STE(5) SYNC ATC_INV(5) ATC_INV(5+*) SYNC ",
				    46);
		assert_true(strstr(rig_log(&rig), "ATS_ON(5)") >
			    strstr(rig_log(&rig), "ATC_INV(5+*) SYNC "));
		assert_int_equal(smmu_attach(&d.dev, by & 1 ? &b : &a), 0);
	}
	smmu_device_fini(&d.dev);
	assert_int_equal(smmu_domain_fini(&a), 0);
	assert_int_equal(smmu_domain_fini(&b), 0);
	rig_close(&rig);
}

static struct rig_device *late;
static struct smmu_domain *late_domain;

/** Its SMMU is being disabled when a device is attached: with ATS on it would ask where nobody answers (3.9.1). */
static void attach_while_removed(struct rig_smmu *s, bool write, uint32_t offset)
{
	struct rig_device *d = late;

	if (!d || !write || offset != SMMU_CR0)
		return;
	late = NULL;
	CHECK(!d->ats);
	smmu_attach(&d->dev, late_domain);
	CHECK(!d->ats);
}

static void test_removal(void **state)
{
	struct rig_device d, e;
	struct smmu_domain a, b;

	rig_open_up(&rig, 1);
	rig_domain_with_page(&rig, &a, SMMU_DOMAIN_STAGE1, 1);
	rig_domain_with_page(&rig, &b, SMMU_DOMAIN_STAGE1, 2);
	rig_device(&rig, &d, 0, 5, 1, true, 0);
	rig_device(&rig, &e, 0, 6, 1, true, 0);
	assert_int_equal(smmu_attach(&d.dev, &a), 0);
	assert_int_equal(smmu_attach(&e.dev, &a), 0);
	late = &d;
	late_domain = &b;
	rig.on_access = attach_while_removed;
	assert_int_equal(smmu_instance_remove(&rig.smmu[0].inst), 0);
	rig.on_access = NULL;
	assert_null(late);
	assert_false(d.ats);
	assert_false(e.ats);
	rig_expect_array(&rig, &a, "");
	rig_expect_array(&rig, &b, "");
	assert_int_equal(smmu_domain_fini(&a), 0);
	assert_int_equal(smmu_domain_fini(&b), 0);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ats_of_substreams),
		cmocka_unit_test(test_ats_order),
		cmocka_unit_test(test_ats_pauses),
		cmocka_unit_test(test_smallest_granule),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_removal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

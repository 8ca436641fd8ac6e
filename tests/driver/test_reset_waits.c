/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a device that is reset or comes back waits for sweeps that are under way. The moment is too short for races to hit, so
 * the test stands in it: what holds while the driver waits is looked at from within.
 */
#include <smmuv3/reset.h>

#include "rig.h"

static struct rig rig;
static struct rig_device d;
static struct smmu_domain domain;
static unsigned waits, asked;
static bool looking, lands;

void __real_smmu_rcu_synchronize(struct smmu_rcu *rcu);
void __wrap_smmu_rcu_synchronize(struct smmu_rcu *rcu);
void __wrap_smmu_rcu_synchronize(struct smmu_rcu *rcu)
{
	if (looking) {
		looking = false;
		waits++;
		lands = rig_dma(&d, 0, -1, 0x2000, NULL);
		rig_log_reset(&rig);
		/* A sweep that begins now. */
		assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
		asked = rig_log_count(&rig, SMMU_CMD_ATC_INV);
	}
	__real_smmu_rcu_synchronize(rcu);
}

static void begin(void)
{
	waits = asked = 0;
	lands = false;
	looking = true;
	assert_int_equal(smmu_map(&domain, 0x1000, RIG_PA(1), 0x1000, SMMU_PROT_READ, 0), 0);
}

static void start(void)
{
	struct smmu_model_config c = rig_config();

	c.atc_timeout_ns = 100000;
	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, 0);
	rig_domain(&rig, &domain, SMMU_DOMAIN_STAGE1);
	assert_int_equal(smmu_map(&domain, 0x2000, RIG_PA(2), 0x1000, SMMU_PROT_READ, 0), 0);
	rig_device(&rig, &d, 0, 5, 1, true, 0);
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
	assert_true(rig_dma(&d, 0, -1, 0x2000, NULL));
}

static void finish(void)
{
	looking = false;
	smmu_device_fini(&d.dev);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	rig_close(&rig);
}

/** Before it is reset nobody may still wait for its ATC: sweeps that asked it are done, and those that begin do not ask. */
static void test_prepare(void **state)
{
	start();
	begin();
	assert_int_equal(smmu_device_reset_prepare(&d.dev), 0);
	looking = false;
	assert_int_equal(waits, 1);
	assert_false(lands);
	assert_int_equal(asked, 0);
	finish();
}

/**
 * While it is let back, sweeps ask it again before its accesses pass: else what a sweep that left it out has not cleaned yet,
 * or one that begins now, would be in its ATC for good.
 */
static void come_back(bool reset)
{
	start();
	if (reset) {
		assert_int_equal(smmu_device_reset_prepare(&d.dev), 0);
		smmu_model_device_reset(d.hw[0]);
	} else {
		smmu_model_atc_mute(d.hw[0], true);
		assert_int_equal(smmu_map(&domain, 0x3000, RIG_PA(3), 0x1000, SMMU_PROT_READ, 0),
				 0);
		assert_int_equal(smmu_unmap(&domain, 0x3000, 0x1000, 0), 0);
		assert_true(smmu_device_quarantined(&d.dev));
		smmu_model_atc_mute(d.hw[0], false);
		smmu_model_device_reset(d.hw[0]);
	}
	begin();
	assert_int_equal(reset ? smmu_device_reset_done(&d.dev) : smmu_device_recover(&d.dev), 0);
	looking = false;
	assert_int_equal(waits, 1);
	assert_false(lands);
	assert_int_equal(asked, 1);
	assert_true(rig_dma(&d, 0, -1, 0x2000, NULL));
	assert_false(rig_dma(&d, 0, -1, 0x1000, NULL));
	finish();
}

static void test_done(void **state)
{
	come_back(true);
}

static void test_recover(void **state)
{
	come_back(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prepare),
		cmocka_unit_test(test_done),
		cmocka_unit_test(test_recover),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* A device that is reset, comes back from its quarantine, or is gone. */
#include <smmuv3/reset.h>

#include "rig.h"

#include "../../src/driver/driver.h"

static struct rig rig;
static struct rig_device d;
static struct smmu_domain domain, other, third;

#define PA RIG_PA

static void start(unsigned nr, unsigned ssid_bits)
{
	struct smmu_model_config c = rig_config();

	c.atc_timeout_ns = 100000;
	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, 0);
	rig_domain(&rig, &domain, SMMU_DOMAIN_STAGE1);
	rig_domain(&rig, &other, SMMU_DOMAIN_STAGE1);
	rig_domain(&rig, &third, SMMU_DOMAIN_STAGE1);
	for (unsigned i = 1; i < 9; i++) {
		assert_int_equal(smmu_map(&domain, i * 0x1000, PA(i), 0x1000, SMMU_PROT_READ, 0),
				 0);
		assert_int_equal(
			smmu_map(&other, i * 0x1000, PA(100 + i), 0x1000, SMMU_PROT_READ, 0), 0);
		assert_int_equal(
			smmu_map(&third, i * 0x1000, PA(200 + i), 0x1000, SMMU_PROT_READ, 0), 0);
	}
	rig_device(&rig, &d, 0, 5, nr, true, ssid_bits);
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
}

static void finish(void)
{
	smmu_device_fini(&d.dev);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	assert_int_equal(smmu_domain_fini(&other), 0);
	assert_int_equal(smmu_domain_fini(&third), 0);
	assert_int_equal(rig.smmu[0].inst.target.cuts, 0);
	rig_close(&rig);
}

/** An access that says to be translated. */
static bool translated(unsigned k, uint64_t pa)
{
	struct smmu_dma dma = {.stream = d.streams[k], .iova = pa, .kind = SMMU_DMA_TRANSLATED};

	return smmu_model_dma(rig.model, &dma).ok;
}

static void expect_at(unsigned k, int32_t ssid, uint64_t iova, uint64_t want)
{
	uint64_t pa = 0;

	assert_true(rig_dma(&d, k, ssid, iova, &pa));
	assert_int_equal(pa, want);
}

static void expect_at_rest(void)
{
	for (unsigned k = 0; k < d.nr; k++) {
		assert_false(translated(k, PA(1)));
		for (unsigned i = 1; i < 9; i++)
			assert_false(rig_dma(&d, k, -1, i * 0x1000, NULL));
		if (d.dev.ssid_bits)
			assert_false(rig_dma(&d, k, 3, 0x2000, NULL));
	}
	assert_false(d.ats);
}

/** What the bus does. */
static void reset_hw(void)
{
	for (unsigned k = 0; k < d.nr; k++)
		smmu_model_device_reset(d.hw[k]);
}

/**
 * Around a reset: ATS goes off before the STEs abort; no ATC_INV while it lasts, nothing lands; then all is there again, also
 * what was attached, mapped and unmapped meanwhile.
 */
static void test_reset(void **state)
{
	for (unsigned ssid = 0; ssid < 2; ssid++) {
		start(2, ssid ? 4 : 0);
		if (ssid)
			assert_int_equal(smmu_attach_pasid(&d.dev, 3, &other), 0);
		expect_at(0, -1, 0x1000, PA(1));
		expect_at(1, -1, 0x2000, PA(2));
		assert_true(translated(0, PA(1)));
		rig_log_reset(&rig);
		assert_int_equal(smmu_device_reset_prepare(&d.dev), 0);
		assert_string_equal(rig_log(&rig), "ATS_OFF(5) CFGI_STE(5) CFGI_STE(6) SYNC");
		assert_false(smmu_device_quarantined(&d.dev));
		assert_true(smmu_device_confirmed(&d.dev));
		expect_at_rest();
		/* Nobody answers now. */
		for (unsigned k = 0; k < d.nr; k++)
			smmu_model_atc_mute(d.hw[k], true);
		rig_log_reset(&rig);
		assert_int_equal(smmu_device_reset_prepare(&d.dev), 0);
		assert_string_equal(rig_log(&rig), "");
		assert_int_equal(smmu_device_recover(&d.dev), -SMMU_EBUSY);
		assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_ATC_INV), 0);
		assert_int_equal(smmu_map(&domain, 0x9000, PA(9), 0x1000, SMMU_PROT_READ, 0), 0);
		if (ssid) {
			assert_int_equal(smmu_attach_pasid(&d.dev, 4, &third), 0);
			assert_int_equal(smmu_attach_pasid(&d.dev, 5, &third), 0);
			smmu_detach_pasid(&d.dev, 5);
			assert_int_equal(smmu_unmap(&other, 0x5000, 0x1000, 0), 0);
		} else {
			assert_int_equal(smmu_attach(&d.dev, &other), 0);
			rig_expect_array(&rig, &domain, "");
			assert_int_equal(smmu_attach(&d.dev, &third), 0);
			smmu_detach(&d.dev);
			assert_int_equal(smmu_attach(&d.dev, &domain), 0);
		}
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_ATC_INV), 0);
		assert_int_equal(rig_log_count(&rig, RIG_ATS_ON), 0);
		expect_at_rest();
		reset_hw();
		rig_log_reset(&rig);
		assert_int_equal(smmu_device_reset_done(&d.dev), 0);
		assert_int_equal(rig_log_count(&rig, RIG_ATS_ON), 1);
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_ATC_INV), 2);
		assert_true(d.ats);
		for (unsigned k = 0; k < d.nr; k++) {
			assert_false(rig_dma(&d, k, -1, 0x1000, NULL));
			expect_at(k, -1, 0x2000, PA(2));
			expect_at(k, -1, 0x9000, PA(9));
			assert_true(translated(k, PA(2)));
			if (ssid) {
				expect_at(k, 3, 0x2000, PA(102));
				expect_at(k, 4, 0x2000, PA(202));
				assert_false(rig_dma(&d, k, 3, 0x5000, NULL));
				assert_false(rig_dma(&d, k, 5, 0x2000, NULL));
			}
		}
		/* And it is asked as ever. */
		rig_log_reset(&rig);
		assert_int_equal(smmu_unmap(&domain, 0x2000, 0x1000, 0), 0);
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_ATC_INV), 2);
		assert_false(rig_dma(&d, 1, -1, 0x2000, NULL));
		rig_log_reset(&rig);
		assert_int_equal(smmu_device_reset_done(&d.dev), 0);
		assert_int_equal(smmu_device_recover(&d.dev), 0);
		assert_string_equal(rig_log(&rig), "");
		finish();
	}
}

/** Detached, or dropped, or its SMMU removed, in the middle of it. */
static void test_ends_in_reset(void **state)
{
	for (unsigned how = 0; how < 3; how++) {
		start(1, 4);
		assert_int_equal(smmu_attach_pasid(&d.dev, 3, &other), 0);
		assert_int_equal(smmu_device_reset_prepare(&d.dev), 0);
		if (how == 0) {
			smmu_detach(&d.dev);
			smmu_detach_pasid(&d.dev, 3);
			reset_hw();
			assert_int_equal(smmu_device_reset_done(&d.dev), 0);
			assert_false(d.ats);
			expect_at_rest();
		} else if (how == 1) {
			assert_int_equal(smmu_instance_remove(&rig.smmu[0].inst), 0);
			assert_int_equal(smmu_device_reset_done(&d.dev), -SMMU_ENODEV);
			assert_int_equal(smmu_device_reset_prepare(&d.dev), -SMMU_ENODEV);
			assert_int_equal(smmu_device_recover(&d.dev), -SMMU_ENODEV);
			smmu_device_gone(&d.dev);
		}
		if (how != 1) {
			smmu_device_fini(&d.dev);
			assert_int_equal(rig.smmu[0].inst.target.cuts, 0);
		}
		rig_expect_array(&rig, &domain, "");
		rig_expect_array(&rig, &other, "");
		finish();
	}
}

/** A silent device is cut off; once it was reset it is back, with all that it is attached to. */
static void test_recover(void **state)
{
	for (unsigned way = 0; way < 2; way++) {
		start(2, 4);
		assert_int_equal(smmu_attach_pasid(&d.dev, 3, &other), 0);
		expect_at(0, -1, 0x1000, PA(1));
		expect_at(1, 3, 0x1000, PA(101));
		smmu_model_atc_mute(d.hw[1], true);
		assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
		assert_true(smmu_device_quarantined(&d.dev));
		assert_false(rig_dma(&d, 0, -1, 0x2000, NULL));
		/* Still silent: cut off as before, and nobody waits for it afterwards. */
		if (!way) {
			assert_int_equal(smmu_device_recover(&d.dev), -SMMU_EIO);
			assert_true(smmu_device_quarantined(&d.dev));
			assert_true(smmu_device_confirmed(&d.dev));
			expect_at_rest();
		}
		rig_log_reset(&rig);
		assert_int_equal(smmu_unmap(&domain, 0x2000, 0x1000, 0), 0);
		assert_int_equal(smmu_unmap(&other, 0x2000, 0x1000, 0), 0);
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_ATC_INV), 0);
		if (way) {
			assert_int_equal(smmu_device_reset_prepare(&d.dev), 0);
			assert_true(smmu_device_quarantined(&d.dev));
			expect_at_rest();
		}
		reset_hw();
		assert_int_equal(way ? smmu_device_reset_done(&d.dev) : smmu_device_recover(&d.dev),
				 0);
		assert_false(smmu_device_quarantined(&d.dev));
		assert_int_equal(rig.smmu[0].inst.target.cuts, 0);
		assert_true(d.ats);
		for (unsigned k = 0; k < 2; k++) {
			assert_false(rig_dma(&d, k, -1, 0x1000, NULL));
			assert_false(rig_dma(&d, k, -1, 0x2000, NULL));
			expect_at(k, -1, 0x3000, PA(3));
			assert_false(rig_dma(&d, k, 3, 0x2000, NULL));
			expect_at(k, 3, 0x3000, PA(103));
		}
		rig_log_reset(&rig);
		assert_int_equal(smmu_unmap(&other, 0x3000, 0x1000, 0), 0);
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_ATC_INV), 2);
		assert_false(rig_dma(&d, 1, 3, 0x3000, NULL));
		assert_int_equal(smmu_attach(&d.dev, &third), 0);
		finish();
	}
}

/** An ATC that is silent after the reset is found out at once, and the device is cut off for that. */
static void test_silent_after(void **state)
{
	start(1, 0);
	assert_int_equal(smmu_device_reset_prepare(&d.dev), 0);
	reset_hw();
	smmu_model_atc_mute(d.hw[0], true);
	assert_int_equal(smmu_device_reset_done(&d.dev), -SMMU_EIO);
	assert_true(smmu_device_quarantined(&d.dev));
	expect_at_rest();
	assert_int_equal(smmu_attach(&d.dev, &other), -SMMU_EIO);
	reset_hw();
	assert_int_equal(smmu_device_recover(&d.dev), 0);
	expect_at(0, -1, 0x1000, PA(1));
	finish();
}

/** The SMMU does not answer: not reset, not back, and unmaps say so, until it does. */
static void test_not_confirmed(void **state)
{
	for (unsigned quarantined = 0; quarantined < 2; quarantined++) {
		start(1, 0);
		expect_at(0, -1, 0x1000, PA(1));
		if (quarantined) {
			smmu_model_atc_mute(d.hw[0], true);
			assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
			reset_hw();
		} else {
			rig.smmu[0].frozen = true;
			assert_int_equal(smmu_device_reset_prepare(&d.dev), -SMMU_EIO);
			assert_false(smmu_device_confirmed(&d.dev));
			assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), -SMMU_EIO);
			assert_int_equal(smmu_attach(&d.dev, &other), -SMMU_EIO);
			assert_int_equal(smmu_device_reset_prepare(&d.dev), -SMMU_EIO);
			assert_int_equal(smmu_device_reset_done(&d.dev), -SMMU_EIO);
			rig_thaw(&rig, 0);
			sim_sleep(rig.sim, 1000000);
			assert_int_equal(smmu_device_reset_prepare(&d.dev), 0);
			assert_true(smmu_device_confirmed(&d.dev));
			assert_int_equal(smmu_flush_all(&domain), 0);
			expect_at_rest();
			reset_hw();
		}
		rig.smmu[0].frozen = true;
		assert_int_equal(quarantined ? smmu_device_recover(&d.dev)
					     : smmu_device_reset_done(&d.dev),
				 -SMMU_EIO);
		assert_int_equal(smmu_device_quarantined(&d.dev), quarantined);
		assert_false(smmu_device_confirmed(&d.dev));
		assert_int_equal(smmu_unmap(&domain, 0x2000, 0x1000, 0), -SMMU_EIO);
		rig_thaw(&rig, 0);
		sim_sleep(rig.sim, 1000000);
		assert_int_equal(smmu_flush_all(&domain), 0);
		expect_at_rest();
		assert_int_equal(quarantined ? smmu_device_recover(&d.dev)
					     : smmu_device_reset_done(&d.dev),
				 0);
		assert_false(rig_dma(&d, 0, -1, 0x2000, NULL));
		expect_at(0, -1, 0x3000, PA(3));
		finish();
	}
}

/** Gone: nobody talks to it or waits for it, and all it can do is leave. */
static void test_gone(void **state)
{
	struct rig_device rest;
	uint64_t before;

	start(2, 4);
	rig_device(&rig, &rest, 0, 9, 1, true, 0);
	assert_int_equal(smmu_attach(&rest.dev, &domain), 0);
	assert_int_equal(smmu_attach_pasid(&d.dev, 3, &other), 0);
	expect_at(0, -1, 0x1000, PA(1));
	for (unsigned k = 0; k < 2; k++)
		smmu_model_device_kill(d.hw[k]);
	rig_log_reset(&rig);
	before = smmu_port_now(&rig.port);
	smmu_device_gone(&d.dev);
	assert_string_equal(rig_log(&rig), "CFGI_STE(5) CFGI_STE(6) SYNC");
	assert_true(smmu_device_confirmed(&d.dev));
	assert_false(smmu_device_quarantined(&d.dev));
	assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
	assert_int_equal(rig_log_count(&rig, SMMU_CMD_ATC_INV), 1);
	rig_refused(&rest, 0x1000);
	assert_int_equal(smmu_attach(&d.dev, &other), -SMMU_ENODEV);
	assert_int_equal(smmu_attach_pasid(&d.dev, 4, &other), -SMMU_ENODEV);
	assert_int_equal(smmu_device_reset_prepare(&d.dev), -SMMU_ENODEV);
	assert_int_equal(smmu_device_reset_done(&d.dev), -SMMU_ENODEV);
	assert_int_equal(smmu_device_recover(&d.dev), -SMMU_ENODEV);
	rig_log_reset(&rig);
	smmu_detach_pasid(&d.dev, 3);
	rig_expect_array(&rig, &other, "");
	smmu_device_fini(&d.dev);
	assert_int_equal(rig_log_count(&rig, SMMU_CMD_ATC_INV), 0);
	assert_int_equal(rig_log_count(&rig, RIG_ATS_OFF), 0);
	assert_true(smmu_port_now(&rig.port) - before < 100000);
	assert_int_equal(rig.posix.logged[SMMU_LOG_ERROR], 0);
	smmu_device_fini(&rest.dev);
	finish();
}

/* ---- beside others ---- */

static void attach_slowly(void *arg)
{
	smmu_model_atc_mute(d.hw[0], true);
	CHECK(smmu_attach(&d.dev, &other) != 0);
}

static void notice(void *arg)
{
	sim_sleep(rig.sim, 20000);
	smmu_device_gone(&d.dev);
}

static void unmap_later(void *arg)
{
	sim_sleep(rig.sim, 40000);
	rig_log_reset(&rig);
	CHECK(smmu_unmap(&other, 0x1000, 0x1000, 0) == 0);
	CHECK(smmu_unmap(&domain, 0x1000, 0x1000, 0) == 0);
	CHECK(rig_log_count(&rig, SMMU_CMD_ATC_INV) == 0);
}

/** An attach that holds the device's lock waits for its ATC: nobody else does, once it is known to be gone. */
static void test_gone_at_once(void **state)
{
	start(1, 0);
	expect_at(0, -1, 0x1000, PA(1));
	sim_spawn(rig.sim, attach_slowly, NULL);
	sim_spawn(rig.sim, notice, NULL);
	sim_spawn(rig.sim, unmap_later, NULL);
	assert_int_equal(sim_run(rig.sim), 0);
	assert_int_equal(rig.posix.logged[SMMU_LOG_ERROR], 0);
	reset_hw();
	finish();
}

static void sweeps(void *arg)
{
	struct smmu_domain *own = arg;

	for (unsigned i = 1; i < 9; i++) {
		CHECK(smmu_unmap(own, i * 0x1000, 0x1000, 0) == 0);
		for (unsigned k = 0; k < d.nr; k++)
			CHECK(!rig_dma(&d, k, own == &domain ? -1 : 3, i * 0x1000, NULL));
		sim_sleep(rig.sim, smmu_random_below(sim_random(rig.sim), 40000));
	}
}

static void resets(void *arg)
{
	for (unsigned i = 0; i < 3; i++) {
		sim_sleep(rig.sim, smmu_random_below(sim_random(rig.sim), 60000));
		CHECK(smmu_device_reset_prepare(&d.dev) == 0);
		/* If anybody asks it now, or has asked it, the time-out cuts it off. */
		for (unsigned k = 0; k < d.nr; k++)
			smmu_model_atc_mute(d.hw[k], true);
		sim_sleep(rig.sim, 300000);
		CHECK(!smmu_device_quarantined(&d.dev));
		reset_hw();
		CHECK(smmu_device_reset_done(&d.dev) == 0);
		for (unsigned n = 1; n < 9; n++) {
			rig_dma(&d, 0, -1, n * 0x1000, NULL);
			rig_dma(&d, 1, 3, n * 0x1000, NULL);
		}
	}
}

/** Unmaps of all that it is attached to go on meanwhile: none asks it, none is missed by what its ATC fills itself from. */
static void test_reset_race(void **state)
{
	struct smmu_instance_stats stats;

	for (unsigned round = 0; round < 60; round++) {
		start(2, 4);
		assert_int_equal(smmu_attach_pasid(&d.dev, 3, &other), 0);
		sim_set_switching(rig.sim, 1, 4, 3000);
		for (unsigned i = 0; i < round * 7; i++)
			smmu_random_next(sim_random(rig.sim));
		sim_spawn(rig.sim, sweeps, &domain);
		sim_spawn(rig.sim, sweeps, &other);
		sim_spawn(rig.sim, resets, NULL);
		assert_int_equal(sim_run(rig.sim), 0);
		smmu_instance_get_stats(&rig.smmu[0].inst, &stats);
		assert_int_equal(stats.quarantines, 0);
		finish();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset),         cmocka_unit_test(test_ends_in_reset),
		cmocka_unit_test(test_recover),       cmocka_unit_test(test_silent_after),
		cmocka_unit_test(test_not_confirmed), cmocka_unit_test(test_gone),
		cmocka_unit_test(test_reset_race),    cmocka_unit_test(test_gone_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

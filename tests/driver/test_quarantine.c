/* SPDX-License-Identifier: BSD-2-Clause */
/* An ATC that does not answer: its device is found, and cut off, and everybody else is served. */
#include <smmuv3/debug.h>

#include "rig.h"

#include "../../src/driver/driver.h"

static struct rig rig;

static struct smmu_domain domain, other;
static uint32_t sync_ns; /* 0: as ever */

static void start(unsigned count)
{
	struct smmu_model_config c = rig_config();

	c.atc_timeout_ns = 100000;
	if (sync_ns)
		c.sync_ns = sync_ns;
	rig_open_domains(&rig, &c, count, &domain, &other);
}

static void finish(void)
{
	rig_close_domains(&rig, &domain, &other);
}

static void expect_cut_off(struct rig_device *d)
{
	for (unsigned k = 0; k < d->nr; k++) {
		struct smmu_ste ste = rig_ste(d, k);

		assert_int_equal(smmu_field_get(SMMU_STE_W0_CONFIG, ste.w[0]),
				 SMMU_STE_CONFIG_ABORT);
		assert_true(ste.w[0] & SMMU_STE_W0_V);
		for (unsigned i = 1; i < 9; i++)
			assert_false(rig_dma(d, k, -1, i * 0x1000, NULL));
	}
	assert_true(smmu_device_quarantined(&d->dev));
}

/** Found among others, cut off, and everybody else is served, in the same unmap. */
static void test_quarantine(void **state)
{
	for (unsigned bad = 0; bad < 3; bad++) {
		struct rig_device d[3], far;
		char line[80];

		start(2);
		for (unsigned i = 0; i < 3; i++) {
			rig_device(&rig, &d[i], 0, 5 + 4 * i, 1 + i % 2, true, 0);
			assert_int_equal(smmu_attach(&d[i].dev, &domain), 0);
			rig_expect(&d[i], 0x1000, RIG_PA(1));
			rig_expect(&d[i], 0x2000, RIG_PA(2));
		}
		rig_device(&rig, &far, 1, 5, 1, true, 0);
		assert_int_equal(smmu_attach(&far.dev, &domain), 0);
		rig_expect(&far, 0x1000, RIG_PA(1));
		smmu_model_atc_mute(d[bad].hw[0], true);
		assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
		expect_cut_off(&d[bad]);
		for (unsigned i = 0; i < 3; i++) {
			rig_refused(&d[i], 0x1000);
			if (i == bad)
				continue;
			assert_false(smmu_device_quarantined(&d[i].dev));
			rig_expect(&d[i], 0x2000, RIG_PA(2));
		}
		rig_refused(&far, 0x1000);
		rig_expect(&far, 0x2000, RIG_PA(2));
		snprintf(line, sizeof(line), "smmu0: stream 0x%x (disk): its ATC does not answer",
			 5 + 4 * bad);
		assert_true(smmu_posix_logged(&rig.posix, line));
		assert_int_equal(rig.posix.logged[SMMU_LOG_ERROR], 1);
		/* The next sweep does not ask it, nor wait. */
		rig_log_reset(&rig);
		assert_int_equal(smmu_unmap(&domain, 0x2000, 0x1000, 0), 0);
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_ATC_INV), 4 - bad % 2);
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_CFGI_STE), 0);
		/* Nor does one after the array was written anew. */
		assert_int_equal(smmu_attach(&far.dev, &other), 0);
		assert_int_equal(smmu_attach(&far.dev, &domain), 0);
		rig_log_reset(&rig);
		assert_int_equal(smmu_unmap(&domain, 0x4000, 0x1000, 0), 0);
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_ATC_INV), 4 - bad % 2);
		/* It stays cut off, whatever is tried, and lets go. */
		rig_log_reset(&rig);
		assert_int_equal(smmu_attach(&d[bad].dev, &other), -SMMU_EIO);
		assert_string_equal(rig_log(&rig), "");
		expect_cut_off(&d[bad]);
		rig_log_reset(&rig);
		smmu_detach(&d[bad].dev);
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_ATC_INV), 0);
		expect_cut_off(&d[bad]);
		assert_false(d[bad].ats);
		assert_int_equal(smmu_attach(&d[bad].dev, &other), -SMMU_EIO);
		smmu_device_fini(&d[bad].dev);
		/* Reset and added anew, it works. */
		for (unsigned k = 0; k < d[bad].nr; k++)
			smmu_model_device_reset(d[bad].hw[k]);
		rig_device(&rig, &d[bad], 0, 5 + 4 * bad, 1 + bad % 2, true, 0);
		assert_int_equal(smmu_attach(&d[bad].dev, &domain), 0);
		rig_expect(&d[bad], 0x3000, RIG_PA(3));
		assert_int_equal(smmu_unmap(&domain, 0x3000, 0x1000, 0), 0);
		rig_refused(&d[bad], 0x3000);
		for (unsigned i = 0; i < 3; i++)
			smmu_device_fini(&d[i].dev);
		smmu_device_fini(&far.dev);
		finish();
	}
}

/** The ATC is silent when its device leaves a domain, for nothing or for another one. */
static void test_silent_at_detach(void **state)
{
	for (unsigned to = 0; to < 2; to++) {
		struct rig_device d;

		start(1);
		rig_device(&rig, &d, 0, 5, 2, true, 0);
		assert_int_equal(smmu_attach(&d.dev, &domain), 0);
		rig_expect(&d, 0x1000, RIG_PA(1));
		smmu_model_atc_mute(d.hw[1], true);
		if (to)
			assert_int_equal(smmu_attach(&d.dev, &other), -SMMU_EIO);
		else
			smmu_detach(&d.dev);
		/* Off, as the SMMU has confirmed; so it has left both. */
		expect_cut_off(&d);
		assert_true(smmu_device_confirmed(&d.dev));
		assert_string_equal(rig_array(&rig, &domain), "");
		assert_string_equal(rig_array(&rig, &other), "");
		assert_int_equal(smmu_unmap(&other, 0x1000, 0x1000, 0), 0);
		smmu_device_fini(&d.dev);
		assert_string_equal(rig_array(&rig, &other), "");
		finish();
	}
}

/* A sweep finds the device out while another fiber changes its domain: whichever comes first, it ends cut off. */
static struct rig_device race;

static void sweep(void *arg)
{
	for (unsigned i = 1; i < 9; i++)
		CHECK(smmu_unmap(&domain, i * 0x1000, 0x1000, 0) == 0);
}

static void change(void *arg)
{
	sim_sleep(rig.sim, smmu_random_below(sim_random(rig.sim), 700000));
	for (unsigned i = 0; i < 4; i++) {
		int error = smmu_attach(&race.dev, i % 2 ? &domain : &other);

		CHECK(error == 0 || error == -SMMU_EIO);
		/* From here on nothing of the old table, nor of anything else, may be used. */
		if (error)
			CHECK(!rig_dma(&race, 0, -1, 0x1000, NULL));
	}
}

static void test_quarantine_race(void **state)
{
	for (unsigned round = 0; round < 40; round++) {
		start(1);
		sim_set_switching(rig.sim, 1, 4, 3000);
		for (unsigned i = 0; i < round * 13; i++)
			smmu_random_next(sim_random(rig.sim));
		rig_device(&rig, &race, 0, 5, 1, true, 0);
		assert_int_equal(smmu_attach(&race.dev, &domain), 0);
		rig_expect(&race, 0x8000, RIG_PA(8));
		smmu_model_atc_mute(race.hw[0], true);
		sim_spawn(rig.sim, sweep, NULL);
		sim_spawn(rig.sim, change, NULL);
		assert_int_equal(sim_run(rig.sim), 0);
		expect_cut_off(&race);
		smmu_device_fini(&race.dev);
		finish();
	}
}

/** Each store to an STE of a device that is added is made under its lock, so that none comes after the cut-off's. */
static void stored_under_lock(const void *p)
{
	struct smmu_streams *s = race.dev.streams;

	for (unsigned k = 0; s && k < s->nr; k++)
		if ((const uint64_t *)p >= s->ste[k]->w && (const uint64_t *)p < s->ste[k]->w + 8)
			CHECK(s->ste_lock.held);
}

static void test_stores_are_locked(void **state)
{
	start(1);
	rig_device(&rig, &race, 0, 5, 2, true, 0);
	rig_store_hook = stored_under_lock;
	assert_int_equal(smmu_attach(&race.dev, &domain), 0);
	assert_int_equal(smmu_attach(&race.dev, &other), 0);
	smmu_detach(&race.dev);
	assert_int_equal(smmu_attach(&race.dev, &domain), 0);
	rig_expect(&race, 0x1000, RIG_PA(1));
	smmu_model_atc_mute(race.hw[1], true);
	assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
	expect_cut_off(&race);
	rig_store_hook = NULL;
	smmu_device_fini(&race.dev);
	finish();
}

/** The SMMU stops as the STEs of a silent device are made to refuse: tried again by each sweep, and said once. */
static void freeze_at_halt(const void *p)
{
	if (p == race.dev.streams->ste[0])
		rig.smmu[0].frozen = true;
}

static void test_cut_off_said_once(void **state)
{
	struct smmu_instance_stats stats;
	unsigned said;

	start(1);
	rig_device(&rig, &race, 0, 5, 1, true, 0);
	assert_int_equal(smmu_attach(&race.dev, &domain), 0);
	rig_expect(&race, 0x1000, RIG_PA(1));
	smmu_model_atc_mute(race.hw[0], true);
	rig_store_hook = freeze_at_halt;
	assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), -SMMU_EIO);
	rig_store_hook = NULL;
	assert_true(smmu_posix_logged(&rig.posix, "stream 0x5 (disk): its ATC does not answer"));
	said = rig.posix.logged[SMMU_LOG_ERROR];
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(smmu_flush_all(&domain), -SMMU_EIO);
	assert_int_equal(rig.posix.logged[SMMU_LOG_ERROR], said);
	rig_thaw(&rig, 0);
	sim_sleep(rig.sim, 1000000);
	assert_int_equal(smmu_flush_all(&domain), 0);
	expect_cut_off(&race);
	assert_int_equal(rig.posix.logged[SMMU_LOG_ERROR], said);
	smmu_instance_get_stats(&rig.smmu[0].inst, &stats);
	assert_int_equal(stats.quarantines, 1);
	smmu_device_fini(&race.dev);
	finish();
}

/** A sweep waits without sleeping, also when it has to cut a device off. What is on the attach side may sleep, and does. */
static void test_who_sleeps(void **state)
{
	uint64_t slept;

	sync_ns = 200000;
	start(1);
	sync_ns = 0;
	rig_device(&rig, &race, 0, 5, 2, true, 4);
	slept = sim_slept(rig.sim);
	assert_int_equal(smmu_attach(&race.dev, &domain), 0);
	assert_true(sim_slept(rig.sim) > slept);
	slept = sim_slept(rig.sim);
	assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
	rig_expect(&race, 0x2000, RIG_PA(2));
	smmu_model_atc_mute(race.hw[0], true);
	assert_int_equal(smmu_unmap(&domain, 0x2000, 0x1000, 0), 0);
	expect_cut_off(&race);
	assert_int_equal(sim_slept(rig.sim), slept);
	smmu_device_fini(&race.dev);
	finish();
}

/* The cut-off comes while an attach waits between two stores. */
static int attach_error;

static void held_attach(void *arg)
{
	attach_error = smmu_attach(&race.dev, arg);
}

static void cut(void *arg)
{
	while (!rig_log_count(&rig, SMMU_CMD_CFGI_STE))
		sim_sleep(rig.sim, 100);
	smmu_streams_cut_off(race.dev.streams);
}

static void thaw(void *arg)
{
	sim_sleep(rig.sim, 50000);
	CHECK(smmu_device_quarantined(&race.dev));
	rig_thaw(&rig, 0);
}

static void test_cut_off_between(void **state)
{
	for (unsigned from = 0; from < 2; from++) {
		start(1);
		rig_device(&rig, &race, 0, 5, 2, true, 0);
		if (from)
			assert_int_equal(smmu_attach(&race.dev, &other), 0);
		rig_log_reset(&rig);
		rig.smmu[0].frozen = true;
		sim_spawn(rig.sim, held_attach, &domain);
		sim_spawn(rig.sim, cut, NULL);
		sim_spawn(rig.sim, thaw, NULL);
		assert_int_equal(sim_run(rig.sim), 0);
		assert_int_equal(attach_error, -SMMU_EIO);
		expect_cut_off(&race);
		smmu_device_fini(&race.dev);
		finish();
	}
}

/* The cut-off, at a given time after a detach has begun. */
static void detach_it(void *arg)
{
	smmu_detach(&race.dev);
}

static void cut_after(void *arg)
{
	sim_sleep(rig.sim, *(unsigned *)arg);
	smmu_streams_cut_off(race.dev.streams);
}

/** It makes the STE abort just before the detach would, and the SMMU confirms neither: nothing is given up. */
static void test_cut_off_while_detached(void **state)
{
	for (unsigned i = 0; i < 600; i++) {
		unsigned after = 1 + i % 60;
		struct smmu_domain identity;

		start(1);
		rig_domain(&rig, &identity, SMMU_DOMAIN_IDENTITY);
		rig_device(&rig, &race, 0, 5, 1, true, 0);
		assert_int_equal(smmu_attach(&race.dev, &identity), 0);
		rig.smmu[0].frozen = true;
		sim_set_switching(rig.sim, 1, 2, 100);
		sim_spawn(rig.sim, detach_it, NULL);
		sim_spawn(rig.sim, cut_after, &after);
		assert_int_equal(sim_run(rig.sim), 0);
		assert_false(smmu_device_confirmed(&race.dev));
		assert_int_equal(smmu_domain_fini(&identity), -SMMU_EBUSY);
		rig.smmu[0].frozen = false;
		assert_int_equal(smmu_instance_revive(&rig.smmu[0].inst), 0);
		assert_int_equal(smmu_domain_fini(&identity), 0);
		smmu_device_fini(&race.dev);
		finish();
	}
}

/** Until the SMMU has confirmed that, it may fetch CDs by an STE that it has cached. */
static void test_cut_off_reaches_cds(void **state)
{
	start(1);
	rig_device(&rig, &race, 0, 5, 1, true, 3);
	assert_int_equal(smmu_attach_pasid(&race.dev, 1, &domain), 0);
	rig.smmu[0].frozen = true;
	assert_int_equal(smmu_streams_cut_off(race.dev.streams), -SMMU_EIO);
	assert_true(smmu_streams_reach_cds(race.dev.streams));
	rig.smmu[0].frozen = false;
	assert_int_equal(smmu_instance_revive(&rig.smmu[0].inst), 0);
	assert_int_equal(smmu_streams_cut_off(race.dev.streams), 0);
	assert_false(smmu_streams_reach_cds(race.dev.streams));
	expect_cut_off(&race);
	smmu_device_fini(&race.dev);
	finish();
}

/** 8 domains on one silent device: once it is cut off, none of them waits for it again. */
static void test_quarantine_of_all_domains(void **state)
{
	static struct smmu_domain more[7];
	struct rig_device d, good;
	uint64_t began, first;

	start(1);
	rig_device(&rig, &d, 0, 5, 1, true, 3);
	rig_device(&rig, &good, 0, 9, 1, true, 0);
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
	assert_int_equal(smmu_attach(&good.dev, &domain), 0);
	for (unsigned i = 0; i < 7; i++) {
		rig_domain(&rig, &more[i], SMMU_DOMAIN_STAGE1);
		assert_int_equal(smmu_map(&more[i], 0x1000, RIG_PA(i), 0x1000, SMMU_PROT_READ, 0),
				 0);
		assert_int_equal(smmu_attach_pasid(&d.dev, i + 1, &more[i]), 0);
		assert_true(rig_dma(&d, 0, (int32_t)i + 1, 0x1000, NULL));
	}
	rig_expect(&good, 0x1000, RIG_PA(1));
	smmu_model_atc_mute(d.hw[0], true);
	began = sim_now(rig.sim);
	assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
	first = sim_now(rig.sim) - began;
	assert_true(first >= 200000 && first < 300000); /* both at once, and it alone */
	rig_refused(&good, 0x1000);
	began = sim_now(rig.sim);
	rig_log_reset(&rig);
	for (unsigned i = 0; i < 7; i++) {
		assert_int_equal(smmu_unmap(&more[i], 0x1000, 0x1000, 0), 0);
		assert_false(rig_dma(&d, 0, (int32_t)i + 1, 0x1000, NULL));
	}
	assert_true(sim_now(rig.sim) - began < 100000);
	assert_int_equal(rig_log_count(&rig, SMMU_CMD_ATC_INV), 0);
	smmu_device_fini(&d.dev);
	smmu_device_fini(&good.dev);
	for (unsigned i = 0; i < 7; i++)
		assert_int_equal(smmu_domain_fini(&more[i]), 0);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quarantine),
		cmocka_unit_test(test_silent_at_detach),
		cmocka_unit_test(test_quarantine_race),
		cmocka_unit_test(test_stores_are_locked),
		cmocka_unit_test(test_cut_off_said_once),
		cmocka_unit_test(test_who_sleeps),
		cmocka_unit_test(test_cut_off_between),
		cmocka_unit_test(test_cut_off_while_detached),
		cmocka_unit_test(test_cut_off_reaches_cds),
		cmocka_unit_test(test_quarantine_of_all_domains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bringing an SMMU back in place: after a queue that was given up, after a reset that lost all registers, after each step at which
 * that itself fails. Devices and domains are as before; nothing is stale, and nothing lands that should not.
 */
#include "rig.h"

#define PAGE(n) ((uint64_t)(n) << 12)
#define PA(n) (0x200000000ull + PAGE(n))

static struct rig rig;
static struct smmu_instance *const inst = &rig.smmu[0].inst;
static struct rig_device plain, ats, subs;
static struct smmu_domain s1, s2, other;

static void map(struct smmu_domain *d, unsigned n)
{
	assert_int_equal(smmu_map(d, PAGE(n), PA(n), 4096, SMMU_PROT_READ | SMMU_PROT_WRITE, 0), 0);
}

static void start_with(uint32_t quirks)
{
	struct smmu_model_config c = rig_config();

	c.ssid_bits = 4;
	c.garbage = true;
	c.cr_split = true;
	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, quirks);
	rig_domain(&rig, &s1, SMMU_DOMAIN_STAGE1);
	rig_domain(&rig, &s2, SMMU_DOMAIN_STAGE2);
	rig_domain(&rig, &other, SMMU_DOMAIN_STAGE1);
	for (unsigned n = 1; n < 9; n++) {
		map(&s1, n);
		map(&s2, n);
		map(&other, n);
	}
	rig_device(&rig, &plain, 0, 5, 2, false, 0);
	rig_device(&rig, &ats, 0, 20, 2, true, 0);
	rig_device(&rig, &subs, 0, 300, 1, true, 4);
	assert_int_equal(smmu_attach(&plain.dev, &s2), 0);
	assert_int_equal(smmu_attach(&ats.dev, &s1), 0);
	assert_int_equal(smmu_attach_pasid(&subs.dev, 3, &other), 0);
	for (unsigned n = 1; n < 9; n++) {
		rig_expect(&plain, PAGE(n), PA(n));
		rig_expect(&ats, PAGE(n), PA(n));
		assert_true(rig_dma(&subs, 0, 3, PAGE(n), NULL));
	}
}

static void finish(void)
{
	smmu_device_fini(&plain.dev);
	smmu_device_fini(&ats.dev);
	smmu_device_fini(&subs.dev);
	assert_int_equal(smmu_domain_fini(&s1), 0);
	assert_int_equal(smmu_domain_fini(&s2), 0);
	assert_int_equal(smmu_domain_fini(&other), 0);
	rig_close(&rig);
}

/** What is mapped is reached, what was unmapped is not, ATS is on where it was, and unmaps work. */
static void expect_as_before(unsigned unmapped)
{
	uint64_t pa = 0;

	assert_true(ats.ats);
	assert_true(subs.ats);
	for (unsigned n = 1; n < 9; n++) {
		bool there = n > unmapped;

		assert_int_equal(rig_dma(&plain, 1, -1, PAGE(n), NULL), there);
		assert_int_equal(rig_dma(&ats, 1, -1, PAGE(n), &pa), there);
		assert_int_equal(rig_dma(&subs, 0, 3, PAGE(n), NULL), there);
		if (there)
			assert_int_equal(pa, PA(n));
	}
	assert_false(rig_dma(&subs, 0, -1, PAGE(8), NULL));
	assert_false(rig_dma(&subs, 0, 4, PAGE(8), NULL));
	assert_int_equal(smmu_unmap(&s1, PAGE(8), 4096, 0), 0);
	rig_refused(&ats, PAGE(8));
	assert_int_equal(smmu_unmap(&s2, PAGE(8), 4096, 0), 0);
	rig_refused(&plain, PAGE(8));
	map(&s1, 8);
	map(&s2, 8);
	rig_expect(&ats, PAGE(8), PA(8));
}

static void unmap_first(int error)
{
	assert_int_equal(smmu_unmap(&s1, PAGE(1), 4096, 0), error);
	assert_int_equal(smmu_unmap(&s2, PAGE(1), 4096, 0), error);
	assert_int_equal(smmu_unmap(&other, PAGE(1), 4096, 0), error);
}

/** The queue stops being served; then it is again. */
static void test_dead_queue(void **state)
{
	start_with(0);
	rig.smmu[0].frozen = true;
	unmap_first(-SMMU_EIO);
	rig.smmu[0].frozen = false;
	rig_log_reset(&rig);
	assert_int_equal(smmu_instance_revive(inst), 0);
	/* Nothing of what was in the queue comes again. */
	assert_memory_equal(rig_log(&rig), "ATS_OFF(300) ATS_OFF(20) CFGI_STE_RANGE TLBI_", 45);
	assert_int_equal(rig_log_count(&rig, SMMU_CMD_CFGI_STE_RANGE), 1);
	expect_as_before(1);
	finish();
}

/** All registers are lost, with and without a word before; the caches are not. */
static void test_reset(void **state)
{
	for (unsigned told = 0; told < 2; told++) {
		struct smmu_event event;

		start_with(0);
		if (told) {
			assert_int_equal(smmu_instance_suspend(inst), 0);
			assert_false(ats.ats);
			rig_refused(&plain, PAGE(2));
			unmap_first(-SMMU_EIO);
			assert_int_equal(smmu_instance_event(inst, &event), 0);
			assert_int_equal(smmu_instance_gerror(inst), 0);
		}
		smmu_model_reset(rig.model, 0);
		if (!told)
			unmap_first(-SMMU_EIO);
		mmio_check_former_owner(&rig.smmu[0].check, 0, 0);
		assert_int_equal(smmu_instance_revive(inst), 0);
		expect_as_before(1);
		assert_false(rig_dma(&plain, 0, -1, PAGE(30), NULL));
		assert_int_equal(smmu_instance_event(inst, &event), 1);
		finish();
	}
}

/** What was not confirmed before is confirmed by it: a detach, a change of domain, a device that went away. */
static void test_confirms(void **state)
{
	struct rig_device gone;

	start_with(0);
	rig_device(&rig, &gone, 0, 400, 1, false, 0);
	assert_int_equal(smmu_attach(&gone.dev, &s1), 0);
	rig_expect(&gone, PAGE(2), PA(2));
	rig.smmu[0].frozen = true;
	smmu_detach(&plain.dev);
	assert_false(smmu_device_confirmed(&plain.dev));
	smmu_device_fini(&gone.dev);
	assert_int_equal(smmu_domain_fini(&s1), -SMMU_EBUSY);
	rig.smmu[0].frozen = false;
	assert_int_equal(smmu_instance_revive(inst), 0);
	assert_true(smmu_device_confirmed(&plain.dev));
	rig_refused(&plain, PAGE(2));
	rig_refused(&gone, PAGE(2));
	assert_int_equal(smmu_attach(&plain.dev, &s2), 0);
	expect_as_before(0);
	finish();
}

/** It dies at each register write of a revival; then the next one works. Meanwhile nothing that was unmapped lands. */
static void test_dies_at_each_write(void **state)
{
	for (unsigned n = 1;; n++) {
		int error;

		start_with(0);
		rig.smmu[0].frozen = true;
		unmap_first(-SMMU_EIO);
		rig.smmu[0].frozen = false;
		rig.smmu[0].die_after = n;
		error = smmu_instance_revive(inst);
		if (!error) {
			assert_false(rig.smmu[0].gone);
			rig.smmu[0].die_after = 0;
			expect_as_before(1);
			finish();
			break;
		}
		assert_true(error == -SMMU_ETIMEDOUT || error == -SMMU_EIO);
		assert_true(rig.smmu[0].gone);
		unmap_first(-SMMU_ENOENT);
		assert_int_equal(smmu_unmap(&s1, PAGE(2), 4096, 0), -SMMU_EIO);
		/* Registers are as they were; or they are lost. */
		rig.smmu[0].gone = false;
		if (n % 2) {
			smmu_model_reset(rig.model, 0);
			mmio_check_former_owner(&rig.smmu[0].check, 0, 0);
		}
		assert_int_equal(smmu_instance_revive(inst), 0);
		rig_refused(&ats, PAGE(2));
		map(&s1, 2);
		expect_as_before(1);
		finish();
	}
}

/** Sweeps on one processor while another brings the SMMU back: each unmap is done, or says that it is not. */
static unsigned swept;

static void sweeper(void *arg)
{
	for (unsigned n = 1; n < 8; n++) {
		int error = smmu_unmap(&s1, PAGE(n), 4096, 0);

		assert_true(error == 0 || error == -SMMU_EIO);
		if (error)
			continue;
		swept++;
		assert_false(rig_dma(&ats, 0, -1, PAGE(n), NULL));
		assert_false(rig_dma(&ats, 1, -1, PAGE(n), NULL));
	}
}

static void reviver(void *arg)
{
	assert_int_equal(smmu_instance_revive(inst), 0);
}

static void test_sweeps_meanwhile(void **state)
{
	for (unsigned i = 0; i < 30; i++) {
		swept = 0;
		start_with(0);
		sim_spawn(rig.sim, sweeper, NULL);
		sim_spawn(rig.sim, reviver, NULL);
		assert_int_equal(sim_run(rig.sim), 0);
		assert_int_equal(smmu_flush_all(&s1), 0);
		for (unsigned n = 1; n < 8; n++)
			rig_refused(&ats, PAGE(n));
		rig_expect(&ats, PAGE(8), PA(8));
		finish();
	}
}

/** A task that takes the processor from the one that revives, which stands still until the other sleeps or is done. */
static void dropper(void *arg)
{
	sim_sleep(rig.sim, *(unsigned *)arg);
	smmu_device_fini(&plain.dev);
	smmu_device_fini(&ats.dev);
	smmu_device_fini(&subs.dev);
}

/** Devices are dropped by a task that has pre-empted the walk which stands on them: it sleeps until the walk is on. */
static void test_dropped_meanwhile(void **state)
{
	for (unsigned i = 0; i < 100; i++) {
		unsigned after = 1 + i * 40;

		start_with(0);
		sim_set_preemption(rig.sim, 1, 10);
		sim_spawn(rig.sim, reviver, NULL);
		sim_spawn(rig.sim, dropper, &after);
		assert_int_equal(sim_run(rig.sim), 0);
		sim_set_preemption(rig.sim, 0, 1);
		finish();
	}
}

/**
 * A change failed, and the revival cannot confirm it either: ATS stays off in that device, whose STE aborts while another
 * substream of it would want ATS.
 */
static void test_unconfirmed_stays_off(void **state)
{
	start_with(0);
	rig.smmu[0].frozen = true;
	assert_int_equal(smmu_attach_pasid(&subs.dev, 4, &s1), -SMMU_EIO);
	assert_false(smmu_device_confirmed(&subs.dev));
	assert_false(subs.ats);
	rig.smmu[0].frozen = false;
	rig.smmu[0].corrupt = SMMU_CMD_CFGI_STE;
	rig.smmu[0].corruptions = 1000000;
	assert_int_equal(smmu_instance_revive(inst), -SMMU_EIO);
	assert_false(smmu_device_confirmed(&subs.dev));
	assert_false(subs.ats);
	assert_true(ats.ats);
	rig.smmu[0].corruptions = 0;
	assert_int_equal(smmu_instance_revive(inst), 0);
	expect_as_before(0);
	finish();
}

/** Not for one that is not up; and it can be removed when it is suspended or could not be revived. */
static void test_states(void **state)
{
	struct smmu_model_config c = rig_config();

	start_with(0);
	assert_int_equal(smmu_instance_suspend(inst), 0);
	assert_int_equal(smmu_instance_suspend(inst), 0);
	smmu_device_fini(&ats.dev);
	assert_int_equal(smmu_instance_remove(inst), 0);
	assert_int_equal(smmu_instance_revive(inst), -SMMU_ENODEV);
	assert_int_equal(smmu_instance_suspend(inst), -SMMU_ENODEV);
	finish();
	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, 0);
	smmu_model_acknowledge(rig.model, 0, false);
	assert_int_equal(smmu_instance_revive(inst), -SMMU_ETIMEDOUT);
	smmu_model_acknowledge(rig.model, 0, true);
	smmu_model_reset(rig.model, 0);
	mmio_check_former_owner(&rig.smmu[0].check, 0, 0);
	assert_int_equal(smmu_instance_remove(inst), 0);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dead_queue),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_confirms),
		cmocka_unit_test(test_dies_at_each_write),
		cmocka_unit_test(test_sweeps_meanwhile),
		cmocka_unit_test(test_dropped_meanwhile),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_unconfirmed_stays_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

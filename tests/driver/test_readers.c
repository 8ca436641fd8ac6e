/* SPDX-License-Identifier: BSD-2-Clause */
/* Who waits for sweeps that are under way, and who does not. */
#include "rig.h"

static struct rig rig;

static struct rig_device *detaching;
static bool fence_open, thawed, detached;
static struct smmu_domain *fence_domain;
static unsigned frozen_smmu;
static int fence_result;

static void hold_fence(void *arg)
{
	struct smmu_fence f;
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g;

	smmu_gather_init(&g, 0);
	CHECK(smmu_unmap_gather(fence_domain, 0x1000, 0x1000, 0, &g, &tables) == 0);
	smmu_unmap_submit(fence_domain, &g, &f);
	fence_open = true;
	sim_sleep(rig.sim, 300000);
	CHECK(smmu_fence_poll(&f) == -SMMU_EAGAIN);
	CHECK(!detached);
	/* Only from here on can it end. */
	thawed = true;
	rig_thaw(&rig, frozen_smmu);
	fence_result = smmu_fence_wait(&f);
	smmu_unmap_release(fence_domain, &tables);
}

static void do_fini(void *arg)
{
	while (!fence_open)
		sim_sleep(rig.sim, 100);
	/* Detach does not wait: an ATC_INV that comes after is answered UR. What sweeps may name stays until they are done. */
	smmu_detach(&detaching->dev);
	CHECK(!thawed);
	smmu_device_fini(&detaching->dev);
	CHECK(thawed);
	detached = true;
}

static void do_remove(void *arg)
{
	while (!fence_open)
		sim_sleep(rig.sim, 100);
	smmu_instance_remove(&rig.smmu[0].inst);
	CHECK(thawed);
	memset(&rig.smmu[0].inst, 0x5a, sizeof(rig.smmu[0].inst));
	detached = true;
}

/** A fence is open on another SMMU: the end of a device with ATS, and removal of its SMMU, wait for it. */
static void test_wait_for_readers(void **state)
{
	for (unsigned remove = 0; remove < 2; remove++) {
		struct rig_device d, e;
		struct smmu_domain domain;

		rig_open_up(&rig, 2);
		rig_domain_with_page(&rig, &domain, SMMU_DOMAIN_STAGE2, 1);
		rig_device(&rig, &d, 0, 5, 1, !remove, 0);
		rig_device(&rig, &e, 1, 5, 1, true, 0);
		assert_int_equal(smmu_attach(&d.dev, &domain), 0);
		assert_int_equal(smmu_attach(&e.dev, &domain), 0);
		rig_expect(&d, 0x1000, RIG_PA(1));
		rig_expect(&e, 0x1000, RIG_PA(1));
		detaching = &d;
		fence_domain = &domain;
		frozen_smmu = 1;
		fence_open = thawed = detached = false;
		rig.smmu[1].frozen = true;
		sim_spawn(rig.sim, hold_fence, NULL);
		sim_spawn(rig.sim, remove ? do_remove : do_fini, NULL);
		assert_int_equal(sim_run(rig.sim), 0);
		assert_true(detached);
		assert_int_equal(fence_result, 0);
		assert_false(d.ats);
		rig_refused(&d, 0x1000);
		rig_refused(&e, 0x1000);
		rig_expect_array(&rig, &domain, "1:vmid1 1:ats5");
		if (remove)
			rig_up(&rig, 0, 0);
		else
			smmu_device_fini(&d.dev);
		smmu_device_fini(&e.dev);
		assert_int_equal(smmu_domain_fini(&domain), 0);
		rig_close(&rig);
	}
}

static void do_attach(void *arg)
{
	while (!fence_open)
		sim_sleep(rig.sim, 100);
	CHECK(smmu_attach(&detaching->dev, fence_domain) == 0);
	CHECK(thawed == *(bool *)arg);
	detached = true;
}

static void hold_until_attached(void *arg)
{
	struct smmu_freelist tables = {NULL};
	struct smmu_fence f;
	struct smmu_gather g;

	smmu_gather_init(&g, 0);
	CHECK(smmu_unmap_gather(fence_domain, 0x1000, 0x1000, 0, &g, &tables) == 0);
	smmu_unmap_submit(fence_domain, &g, &f);
	fence_open = true;
	sim_sleep(rig.sim, 300000);
	CHECK(detached != *(bool *)arg);
	thawed = true;
	rig_thaw(&rig, frozen_smmu);
	fence_result = smmu_fence_wait(&f);
	smmu_unmap_release(fence_domain, &tables);
}

/**
 * Fact 6 of the sweep: a device with ATS that comes to a tag in use waits for the sweeps that do not name it, since its ATC
 * could copy from the TLB what they are about to clear. Nobody else waits: not without ATS, not on another instance.
 */
static void test_join_waits_for_readers(void **state)
{
	for (unsigned ats = 0; ats < 2; ats++)
		for (unsigned shared = 0; shared < 2; shared++) {
			bool waits = ats && shared;
			struct rig_device d, e, f;
			struct smmu_domain domain;

			rig_open_up(&rig, 3);
			rig_domain_with_page(&rig, &domain, SMMU_DOMAIN_STAGE1, 1);
			rig_device(&rig, &d, 0, 5, 1, false, 0);
			rig_device(&rig, &e, 1, 5, 1, false, 0);
			rig_device(&rig, &f, shared ? 0 : 2, 6, 1, ats, 0);
			assert_int_equal(smmu_attach(&d.dev, &domain), 0);
			assert_int_equal(smmu_attach(&e.dev, &domain), 0);
			detaching = &f;
			fence_domain = &domain;
			frozen_smmu = 1;
			fence_open = thawed = detached = false;
			rig.smmu[1].frozen = true;
			sim_spawn(rig.sim, hold_until_attached, &waits);
			sim_spawn(rig.sim, do_attach, &waits);
			assert_int_equal(sim_run(rig.sim), 0);
			assert_true(detached);
			assert_int_equal(fence_result, 0);
			rig_refused(&f, 0x1000);
			smmu_device_fini(&d.dev);
			smmu_device_fini(&e.dev);
			smmu_device_fini(&f.dev);
			assert_int_equal(smmu_domain_fini(&domain), 0);
			rig_close(&rig);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wait_for_readers),
		cmocka_unit_test(test_join_waits_for_readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

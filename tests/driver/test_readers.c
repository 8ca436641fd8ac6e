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

static void hold_done_fence(void *arg)
{
	struct smmu_freelist tables = {NULL};
	struct smmu_fence f;
	struct smmu_gather g;

	smmu_gather_init(&g, 0);
	CHECK(smmu_unmap_gather(fence_domain, 0x1000, 0x1000, 0, &g, &tables) == 0);
	smmu_unmap_submit(fence_domain, &g, &f);
	fence_open = true;
	sim_sleep(rig.sim, 300000);
	/* The SMMU is done long since; the fence is not. */
	CHECK(!detached);
	thawed = true;
	fence_result = smmu_fence_wait(&f);
	smmu_unmap_release(fence_domain, &tables);
}

static void do_domain_fini(void *arg)
{
	while (!fence_open)
		sim_sleep(rig.sim, 100);
	smmu_detach(&detaching->dev);
	CHECK(!thawed);
	CHECK(smmu_domain_fini(fence_domain) == 0);
	CHECK(thawed);
	memset(fence_domain, 0x5a, sizeof(*fence_domain));
	detached = true;
}

/** The last device has left a domain, and a fence of it is still open: the domain's end waits for that. */
static void test_domain_waits_for_readers(void **state)
{
	for (unsigned stage = 1; stage <= 2; stage++) {
		struct rig_device d;
		struct smmu_domain domain;

		rig_open_up(&rig, 1);
		rig_domain_with_page(&rig, &domain,
				     stage == 1 ? SMMU_DOMAIN_STAGE1 : SMMU_DOMAIN_STAGE2, 1);
		rig_device(&rig, &d, 0, 5, 1, false, 0);
		assert_int_equal(smmu_attach(&d.dev, &domain), 0);
		detaching = &d;
		fence_domain = &domain;
		fence_open = thawed = detached = false;
		sim_spawn(rig.sim, hold_done_fence, NULL);
		sim_spawn(rig.sim, do_domain_fini, NULL);
		assert_int_equal(sim_run(rig.sim), 0);
		assert_true(detached);
		assert_int_equal(fence_result, 0);
		rig_refused(&d, 0x1000);
		smmu_device_fini(&d.dev);
		rig_close(&rig);
	}
}

static uint32_t again_stream;

static void do_add_again(void *arg)
{
	struct rig_device d;

	while (!fence_open)
		sim_sleep(rig.sim, 100);
	/* The SMMU confirms at once what it did not before. */
	CHECK(rig_device_try(&rig, &d, 0, again_stream, 1, true, 0) == 0);
	CHECK(thawed);
	detached = true;
	smmu_device_fini(&d.dev);
}

static void do_remove_with_leftovers(void *arg)
{
	CHECK(smmu_instance_remove(&rig.smmu[0].inst) == 0);
	CHECK(thawed);
	detached = true;
}

static void hold_while_removed(void *arg)
{
	struct smmu_fence f;
	struct smmu_gather g;

	/* Handlers have been waited for, and all readers with them, when it begins. */
	while (rig.smmu[0].inst.up)
		sim_sleep(rig.sim, 10);
	smmu_gather_init(&g, 0);
	smmu_gather_range(&g, 12, 0x1000, 0x1fff, 12, false);
	smmu_unmap_submit(fence_domain, &g, &f);
	fence_open = true;
	sim_sleep(rig.sim, 3000000);
	CHECK(!detached);
	thawed = true;
	fence_result = smmu_fence_wait(&f);
}

/** Streams that a device left behind, as the SMMU did not confirm, are named by sweeps until they are settled. */
static void test_leftovers_wait_for_readers(void **state)
{
	for (unsigned remove = 0; remove < 2; remove++) {
		struct rig_device d;
		struct smmu_domain domain;

		rig_open_up(&rig, 1);
		rig_domain_with_page(&rig, &domain, SMMU_DOMAIN_STAGE1, 1);
		rig_device(&rig, &d, 0, 5, 1, true, 0);
		assert_int_equal(smmu_attach(&d.dev, &domain), 0);
		rig.smmu[0].corrupt = SMMU_CMD_CFGI_STE;
		rig.smmu[0].corruptions = 1000000;
		smmu_device_fini(&d.dev);
		rig_expect_array(&rig, &domain, "0:asid1 0:ats5");
		assert_non_null(rig.smmu[0].inst.leftovers);
		rig.smmu[0].corruptions = 0;
		fence_domain = &domain;
		again_stream = 5;
		fence_open = thawed = detached = false;
		sim_spawn(rig.sim, remove ? hold_while_removed : hold_done_fence, NULL);
		sim_spawn(rig.sim, remove ? do_remove_with_leftovers : do_add_again, NULL);
		assert_int_equal(sim_run(rig.sim), 0);
		assert_true(detached);
		rig_expect_array(&rig, &domain, "");
		assert_int_equal(smmu_domain_fini(&domain), 0);
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wait_for_readers),
		cmocka_unit_test(test_join_waits_for_readers),
		cmocka_unit_test(test_domain_waits_for_readers),
		cmocka_unit_test(test_leftovers_wait_for_readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The names by which a guest knows its devices: plugged, found among many, and unplugged while its commands are under way. */
#include "guest.h"
#include "rig.h"

static struct rig rig;

static uint64_t sid(unsigned guest)
{
	return (uint64_t)guest << 32;
}

static void *no_memory(void *ctx, size_t size)
{
	return NULL;
}

/** Names: what cannot be one, and that each is found among many and gone when it is taken back. */
static void test_names(void **state)
{
	enum { MANY = 40 };
	static struct rig_device d[MANY];
	struct rig_device two, other;
	struct smmu_domain parent;
	struct smmu_vsmmu v, w;
	struct smmu_vsmmu_done done;
	const uint32_t same[2] = {7, 7}, name[2] = {0x50, 0x7fffffff}, beyond[2] = {1, 0x200};

	rig_open_up(&rig, 2);
	rig_domain(&rig, &parent, SMMU_DOMAIN_STAGE2);
	guest_vsmmu(&v, &rig, 0, &parent);
	guest_vsmmu(&w, &rig, 0, &parent);
	rig_device(&rig, &two, 0, 200, 2, true, 0);
	rig_device(&rig, &other, 1, 1, 1, true, 0);
	assert_int_equal(smmu_vsmmu_plug(&v, &two.dev, same), -SMMU_EEXIST);
	assert_int_equal(smmu_vsmmu_plug(&v, &two.dev, beyond), -SMMU_ERANGE);
	assert_int_equal(smmu_vsmmu_plug(&v, &other.dev, name), -SMMU_EINVAL);
	smmu_vsmmu_unplug(&two.dev);
	for (uint32_t i = 0; i < MANY; i++) {
		const uint32_t his = (i * 37) % 512;

		rig_device(&rig, &d[i], 0, 1 + i, 1, true, 0);
		assert_int_equal(smmu_vsmmu_plug(&v, &d[i].dev, &his), 0);
		assert_int_equal(smmu_vsmmu_plug(&w, &d[i].dev, &his), -SMMU_EBUSY);
	}
	assert_int_equal(smmu_vsmmu_plug(&v, &two.dev, (const uint32_t[]){37, 2}), -SMMU_EEXIST);
	assert_int_equal(smmu_vsmmu_plug(&v, &two.dev, (const uint32_t[]){1, 2}), 0);
	assert_int_equal(smmu_vsmmu_fini(&v), -SMMU_EBUSY);
	/* Every third goes, with no memory for a smaller table. */
	for (uint32_t i = 0; i < MANY; i += 3) {
		void *(*const alloc)(void *ctx, size_t size) = rig.ops.alloc;

		rig.ops.alloc = no_memory;
		if (i % 2)
			smmu_vsmmu_unplug(&d[i].dev);
		else
			smmu_device_fini(&d[i].dev);
		rig.ops.alloc = alloc;
	}
	for (uint32_t i = 0; i < MANY; i++) {
		struct smmu_cmd cmd = {{sid((i * 37) % 512) | 6, 0}};

		assert_int_equal(smmu_vsmmu_invalidate(&v, &cmd, 1, &done), 0);
		assert_int_equal(done.count, i % 3 != 0);
		if (done.count)
			assert_int_equal(cmd.w[0] >> 32, 1 + i);
	}
	{
		struct smmu_cmd cmd = {{sid(2) | 6, 0}};

		assert_int_equal(smmu_vsmmu_invalidate(&v, &cmd, 1, &done), 0);
		assert_int_equal(cmd.w[0] >> 32, 201);
		/* The other virtual SMMU knows none of them. */
		cmd = (struct smmu_cmd){{sid(2) | 6, 0}};
		assert_int_equal(smmu_vsmmu_invalidate(&w, &cmd, 1, &done), 0);
		assert_int_equal(done.count, 0);
	}
	for (uint32_t i = 0; i < MANY; i++)
		smmu_device_fini(&d[i].dev);
	smmu_device_fini(&two.dev);
	smmu_device_fini(&other.dev);
	assert_int_equal(smmu_vsmmu_fini(&v), 0);
	assert_int_equal(smmu_vsmmu_fini(&w), 0);
	assert_int_equal(smmu_domain_fini(&parent), 0);
	rig_close(&rig);
}

static struct guest_vm waits;
static bool submitted, thawed, unplugged;

static void do_invalidate(void *arg)
{
	struct smmu_cmd cmds[] = {{{0x30, 0}}, {{sid(0x50) | 0x40, 52}}};
	struct smmu_vsmmu_done done;

	submitted = true;
	CHECK(smmu_vsmmu_invalidate(&waits.v, cmds, 2, &done) == 0);
	CHECK(done.count == 2 && thawed);
}

static void do_unplug(void *arg)
{
	while (!submitted)
		sim_sleep(rig.sim, 100);
	sim_sleep(rig.sim, 1000);
	if (arg)
		smmu_device_fini(&waits.d[0].dev);
	else
		smmu_vsmmu_unplug(&waits.d[0].dev);
	CHECK(thawed);
	unplugged = true;
}

static void do_thaw(void *arg)
{
	sim_sleep(rig.sim, 300000);
	CHECK(!unplugged);
	thawed = true;
	rig_thaw(&rig, 0);
}

/** Unplugging a device, and its end, wait for the guest's commands that are under way. */
static void test_unplug_waits(void **state)
{
	for (uintptr_t fini = 0; fini < 2; fini++) {
		rig_open_up(&rig, 1);
		guest_vm_up(&rig, &waits, 5, !fini);
		smmu_detach(&waits.d[0].dev);
		submitted = thawed = unplugged = false;
		rig.smmu[0].frozen = true;
		sim_spawn(rig.sim, do_invalidate, NULL);
		sim_spawn(rig.sim, do_unplug, (void *)fini);
		sim_spawn(rig.sim, do_thaw, NULL);
		assert_int_equal(sim_run(rig.sim), 0);
		assert_true(unplugged);
		guest_vm_down(&waits);
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_unplug_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What goes wrong while a domain is in use: command errors, an SMMU that is gone. */
#include <smmuv3/debug.h>

#include "rig.h"

#include "../../src/driver/driver.h"

static struct rig rig;

static struct smmu_domain domain, other;

static void start(unsigned count)
{
	struct smmu_model_config c = rig_config();

	c.atc_timeout_ns = 100000;
	rig_open_domains(&rig, &c, count, &domain, &other);
}

static void finish(void)
{
	rig_close_domains(&rig, &domain, &other);
}

static struct rig_device race;
static int attach_error;

static void held_attach(void *arg)
{
	attach_error = smmu_attach(&race.dev, arg);
}

/** Each kind of command of an unmap is spoilt once: the program comes again, and nothing stale is left. */
static void test_ill(void **state)
{
	static const unsigned ops[] = {SMMU_CMD_TLBI_NH_VA, SMMU_CMD_ATC_INV, SMMU_CMD_SYNC};
	struct rig_device d, e;

	start(2);
	rig_device(&rig, &d, 0, 5, 1, true, 0);
	rig_device(&rig, &e, 1, 5, 1, true, 0);
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
	assert_int_equal(smmu_attach(&e.dev, &domain), 0);
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(ops); i++) {
		uint64_t iova = 0x1000 * (i + 1);

		rig_expect(&d, iova, RIG_PA(i + 1));
		rig_expect(&e, iova, RIG_PA(i + 1));
		rig.smmu[0].corrupt = ops[i];
		rig.smmu[0].corruptions = 1;
		rig_log_reset(&rig);
		assert_int_equal(smmu_unmap(&domain, iova, 0x1000, 0), 0);
		assert_int_equal(rig.smmu[0].corruptions, 0);
		rig_refused(&d, iova);
		rig_refused(&e, iova);
		assert_true(smmu_posix_logged(&rig.posix, "smmu0: command queue: CERROR_ILL"));
		/* Twice on the one, once on the other. */
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_TLBI_NH_VA), 3);
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_ATC_INV), 3);
	}
	/* The commands of attach and detach as well. */
	rig.smmu[0].corrupt = SMMU_CMD_CFGI_STE;
	rig.smmu[0].corruptions = 1;
	smmu_detach(&d.dev);
	rig_refused(&d, 0x8000);
	rig.smmu[0].corrupt = SMMU_CMD_ATC_INV;
	rig.smmu[0].corruptions = 1;
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
	rig_expect(&d, 0x8000, RIG_PA(8));
	assert_int_equal(smmu_attach(&d.dev, &other), 0);
	assert_int_equal(rig.smmu[0].corruptions, 0);
	rig_expect(&d, 0x1000, RIG_PA(100));
	/* By address it never gets through: the whole id does. */
	rig_expect(&e, 0x6000, RIG_PA(6));
	rig.smmu[1].corrupt = SMMU_CMD_TLBI_NH_VA;
	rig.smmu[1].corruptions = 1000;
	assert_int_equal(smmu_unmap(&domain, 0x6000, 0x1000, 0), 0);
	rig_refused(&e, 0x6000);
	/* One that never gets through: the sweep says so, for ever is not tried. */
	rig.smmu[1].corrupt = SMMU_CMD_ATC_INV;
	rig.smmu[1].corruptions = 1000;
	assert_int_equal(smmu_unmap(&domain, 0x7000, 0x1000, 0), -SMMU_EIO);
	assert_true(rig.smmu[1].corruptions > 900);
	rig.smmu[1].corruptions = 0;
	assert_int_equal(smmu_unmap(&domain, 0x8000, 0x1000, 0), 0);
	rig_refused(&e, 0x8000);
	smmu_device_fini(&d.dev);
	smmu_device_fini(&e.dev);
	finish();
}

/** Fetches that abort now and then cost time only. */
static void test_aborts(void **state)
{
	struct rig_device d;

	start(1);
	rig_device(&rig, &d, 0, 5, 1, true, 0);
	smmu_model_inject(rig.model, SMMU_FAULT_CMD_ABORT, 3);
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
	for (unsigned i = 1; i < 9; i++) {
		rig_expect(&d, i * 0x1000, RIG_PA(i));
		assert_int_equal(smmu_unmap(&domain, i * 0x1000, 0x1000, 0), 0);
		rig_refused(&d, i * 0x1000);
	}
	assert_true(smmu_posix_logged(&rig.posix, "CERROR_ABT"));
	smmu_device_fini(&d.dev);
	finish();
}

/* ---- an SMMU that is gone ---- */

/**
 * It does not take commands any more, and goes on with what it has cached: nothing that it was told since counts as done,
 * until it is known to be off.
 */
static void test_dead(void **state)
{
	for (unsigned gone = 0; gone < 2; gone++) {
		struct rig_device d, e;
		uint64_t live;

		start(2);
		assert_int_equal(
			smmu_map(&domain, 0x80000000, 0x80000000, 0x1000, SMMU_PROT_READ, 0), 0);
		assert_int_equal(
			smmu_map(&domain, 0x80001000, 0x80001000, 0x1ff000, SMMU_PROT_READ, 0), 0);
		rig_device(&rig, &d, 0, 5, 1, true, 0);
		rig_device(&rig, &e, 1, 5, 1, true, 0);
		assert_int_equal(smmu_attach(&d.dev, &domain), 0);
		assert_int_equal(smmu_attach(&e.dev, &domain), 0);
		rig_expect(&e, 0x1000, RIG_PA(1));
		rig_expect(&e, 0x2000, RIG_PA(2));
		rig_expect(&d, 0x2000, RIG_PA(2));
		rig_expect(&d, 0x80000000, 0x80000000);
		live = rig.heap.dma_bytes;
		/* Stopped, or off the bus. */
		rig.smmu[0].frozen = !gone;
		rig.smmu[0].gone = gone;
		/* The unmap says so, and the other SMMU is clean. The table that went away is kept. */
		assert_int_equal(smmu_unmap(&domain, 0x80000000, 0x200000, 0), -SMMU_EIO);
		assert_int_equal(rig.heap.dma_bytes, live);
		assert_true(smmu_posix_logged(&rig.posix, "smmu0: command queue: no progress"));
		assert_int_equal(rig.posix.logged[SMMU_LOG_ERROR], 1);
		/* Again, at once. */
		live = sim_now(rig.sim);
		assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), -SMMU_EIO);
		assert_true(sim_now(rig.sim) - live < 100000);
		rig_refused(&e, 0x1000);
		rig_expect(&e, 0x2000, RIG_PA(2));
		/* Nor does it take the device away from the domain: not now, not when asked again. */
		assert_true(smmu_device_confirmed(&d.dev));
		for (unsigned i = 0; i < 2; i++) {
			assert_int_equal(smmu_attach(&d.dev, &other), -SMMU_EIO);
			assert_false(smmu_device_confirmed(&d.dev));
			assert_string_equal(rig_array(&rig, &domain),
					    "0:asid1 0:ats5 1:asid1 1:ats5");
		}
		smmu_detach(&d.dev);
		assert_false(smmu_device_confirmed(&d.dev));
		assert_int_equal(smmu_device_confirm(&d.dev), -SMMU_EIO);
		assert_false(d.ats);
		assert_string_equal(rig_array(&rig, &domain), "0:asid1 0:ats5 1:asid1 1:ats5");
		/* It may be there still, as it is here. */
		assert_true(rig_dma(&d, 0, -1, 0x2000, NULL));
		assert_int_equal(smmu_unmap(&domain, 0x2000, 0x1000, 0), -SMMU_EIO);
		assert_true(rig_dma(&d, 0, -1, 0x2000, NULL));
		smmu_device_fini(&d.dev);
		smmu_device_fini(&e.dev);
		assert_int_equal(smmu_domain_fini(&domain), -SMMU_EBUSY);
		assert_int_equal(smmu_flush_all(&domain), -SMMU_EIO);
		/* Without it everything is well again. */
		if (gone) {
			assert_int_equal(smmu_instance_remove(&rig.smmu[0].inst), -SMMU_ETIMEDOUT);
			assert_int_equal(smmu_domain_fini(&domain), -SMMU_EBUSY);
			smmu_model_reset(rig.model, 0);
			mmio_check_former_owner(&rig.smmu[0].check, 0, 0);
			smmu_instance_forget(&rig.smmu[0].inst);
		} else {
			assert_int_equal(smmu_instance_remove(&rig.smmu[0].inst), 0);
			smmu_model_reset(rig.model, 0);
		}
		assert_string_equal(rig_array(&rig, &domain), "");
		assert_int_equal(smmu_flush_all(&domain), 0);
		rig.smmu[0].frozen = rig.smmu[0].gone = false;
		rig_up(&rig, 0, 0);
		smmu_model_device_reset(d.hw[0]);
		rig_device(&rig, &d, 0, 5, 1, true, 0);
		assert_int_equal(smmu_attach(&d.dev, &domain), 0);
		rig_expect(&d, 0x3000, RIG_PA(3));
		rig_refused(&d, 0x80000000);
		rig_refused(&d, 0x1000);
		smmu_device_fini(&d.dev);
		/* The one table that nobody may reuse is what is left. */
		assert_int_equal(smmu_domain_fini(&domain), 0);
		assert_int_equal(smmu_domain_fini(&other), 0);
		for (unsigned i = 0; i < 2; i++)
			smmu_instance_remove(&rig.smmu[i].inst);
		sim_rcu_drain(&rig.posix.rcu);
		assert_int_equal(rig.heap.dma_blocks, 1);
		assert_int_equal(rig.heap.cpu_blocks, 0);
		rig_abandon(&rig);
	}
}

/** Found dead by the attach itself: the device is in neither domain, and the new one waits to be told so. */
static void test_dead_at_attach(void **state)
{
	struct rig_device d;

	start(1);
	rig_device(&rig, &d, 0, 5, 1, true, 0);
	rig.smmu[0].frozen = true;
	assert_int_equal(smmu_attach(&d.dev, &domain), -SMMU_EIO);
	assert_string_equal(rig_array(&rig, &domain), "0:asid1 0:ats5");
	smmu_detach(&d.dev);
	assert_string_equal(rig_array(&rig, &domain), "0:asid1 0:ats5");
	assert_int_equal(domain.users, 1);
	smmu_device_fini(&d.dev);
	assert_int_equal(smmu_domain_fini(&domain), -SMMU_EBUSY);
	smmu_instance_remove(&rig.smmu[0].inst);
	finish();
}

/** The same in a thread whose stores linger: what it noted of the failure, it finds itself at once. */
static void test_dead_in_thread(void **state)
{
	for (unsigned round = 0; round < 16; round++) {
		start(1);
		/* Other chances each time, of which the long wait takes none. */
		for (unsigned i = 0; i < round; i++)
			sim_set_switching(rig.sim, 1, 4, 3000);
		sim_set_switching(rig.sim, 0, 1, 0);
		rig_device(&rig, &race, 0, 5, 1, true, 0);
		rig.smmu[0].frozen = true;
		sim_spawn(rig.sim, held_attach, &domain);
		assert_int_equal(sim_run(rig.sim), 0);
		assert_int_equal(attach_error, -SMMU_EIO);
		assert_string_equal(rig_array(&rig, &domain), "0:asid1 0:ats5");
		smmu_device_fini(&race.dev);
		assert_int_equal(smmu_domain_fini(&domain), -SMMU_EBUSY);
		smmu_instance_remove(&rig.smmu[0].inst);
		finish();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ill),
		cmocka_unit_test(test_aborts),
		cmocka_unit_test(test_dead),
		cmocka_unit_test(test_dead_at_attach),
		cmocka_unit_test(test_dead_in_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Many devices attached at once: one array, one wait for the readers, all or none. */
#include "rig.h"

static struct rig rig;
static unsigned waits;

void __real_smmu_rcu_synchronize(struct smmu_rcu *rcu);
void __wrap_smmu_rcu_synchronize(struct smmu_rcu *rcu);
void __wrap_smmu_rcu_synchronize(struct smmu_rcu *rcu)
{
	waits++;
	__real_smmu_rcu_synchronize(rcu);
}

#define DEVICES 5u

struct world {
	struct smmu_domain domain, before;
	struct rig_device other, d[DEVICES];
	struct smmu_device *devs[DEVICES];
};

/** Five devices behind three SMMUs; on the second one another domain has an id already. */
static void make(struct world *w, enum smmu_domain_kind kind)
{
	rig_open_up(&rig, 3);
	rig_domain_with_page(&rig, &w->domain, kind, 1);
	rig_domain_with_page(&rig, &w->before, kind, 2);
	rig_device(&rig, &w->other, 1, 30, 1, false, 0);
	assert_int_equal(smmu_attach(&w->other.dev, &w->before), 0);
	rig_device(&rig, &w->d[0], 0, 9, 1, false, 0);
	rig_device(&rig, &w->d[1], 1, 9, 1, true, 0);
	rig_device(&rig, &w->d[2], 1, 4, 2, true, 0);
	rig_device(&rig, &w->d[3], 2, 9, 1, false, 0);
	rig_device(&rig, &w->d[4], 1, 20, 1, true, 0);
	for (unsigned i = 0; i < DEVICES; i++)
		w->devs[i] = &w->d[i].dev;
}

static void drop(struct world *w)
{
	for (unsigned i = 0; i < DEVICES; i++)
		smmu_device_fini(&w->d[i].dev);
	smmu_device_fini(&w->other.dev);
	assert_int_equal(smmu_domain_fini(&w->domain), 0);
	assert_int_equal(smmu_domain_fini(&w->before), 0);
	rig_close(&rig);
}

static void expect_attached(struct world *w, const int *results)
{
	for (unsigned i = 0; i < DEVICES; i++) {
		assert_int_equal(results[i], 0);
		rig_expect(&w->d[i], 0x1000, RIG_PA(1));
		assert_int_equal(w->d[i].ats, i == 1 || i == 2 || i == 4);
	}
	assert_int_equal(w->domain.users, DEVICES);
}

static void test_together(void **state)
{
	for (unsigned stage = 1; stage <= 2; stage++)
		for (unsigned in_use = 0; in_use < 2; in_use++) {
			struct world w;
			int results[DEVICES];

			make(&w, stage == 1 ? SMMU_DOMAIN_STAGE1 : SMMU_DOMAIN_STAGE2);
			if (in_use)
				assert_int_equal(smmu_attach(w.devs[2], &w.domain), 0);
			memset(results, 1, sizeof(results));
			waits = 0;
			assert_int_equal(smmu_attach_many(w.devs, DEVICES, &w.domain, results), 0);
			/* A tag that was in no TLB has nothing that an ATC could copy. */
			assert_int_equal(waits, in_use);
			rig_expect_array(
				&rig, &w.domain,
				stage == 1
					? "0:asid1 1:asid2*3 1:ats4 1:ats5 1:ats9 1:ats20 2:asid1"
					: "0:vmid1 1:vmid2*3 1:ats4 1:ats5 1:ats9 1:ats20 2:vmid1");
			expect_attached(&w, results);
			assert_int_equal(smmu_unmap(&w.domain, 0x1000, 0x1000, 0), 0);
			for (unsigned i = 0; i < DEVICES; i++)
				rig_refused(&w.d[i], 0x1000);
			drop(&w);
		}
}

/** Each allocation fails in turn, and nothing has changed. */
static void test_failing(void **state)
{
	unsigned failures = 0;
	struct world w;
	int results[DEVICES], error;

	make(&w, SMMU_DOMAIN_STAGE1);
	assert_int_equal(smmu_attach(w.devs[3], &w.domain), 0);
	for (unsigned nth = 1;; nth++) {
		const struct smmu_ids *ids = &rig.smmu[1].inst.asids;
		uint64_t taken = ids->bitmap[0], bytes;

		sim_rcu_drain(&rig.posix.rcu);
		bytes = rig.heap.cpu_bytes;
		smmu_heap_fail(&rig.heap, nth, 0);
		error = smmu_attach_many(w.devs, DEVICES, &w.domain, results);
		smmu_heap_fail(&rig.heap, 0, 0);
		if (!error)
			break;
		failures++;
		assert_int_equal(error, -SMMU_ENOMEM);
		for (unsigned i = 0; nth > 1 && i < DEVICES; i++)
			assert_int_equal(results[i], -SMMU_ENOMEM);
		sim_rcu_drain(&rig.posix.rcu);
		assert_int_equal(rig.heap.cpu_bytes, bytes);
		assert_int_equal(ids->bitmap[0], taken);
		assert_int_equal(w.domain.users, 1);
		rig_expect_array(&rig, &w.domain, "2:asid1");
		for (unsigned i = 0; i < DEVICES; i++)
			if (i != 3)
				rig_refused(&w.d[i], 0x1000);
	}
	/* The call's own, a record for each of four, the operations, the array in two. */
	assert_int_equal(failures, 8);
	expect_attached(&w, results);
	drop(&w);
}

/** One that may not be attached keeps all of them as they were. */
static void test_refused(void **state)
{
	struct smmu_domain own;
	struct rig_device p;
	struct world w;
	struct smmu_device *devs[2];
	int results[2];

	make(&w, SMMU_DOMAIN_STAGE2);
	rig_domain(&rig, &own, SMMU_DOMAIN_STAGE1);
	rig_device(&rig, &p, 0, 40, 1, false, 3);
	assert_int_equal(smmu_attach_pasid(&p.dev, 1, &own), 0);
	devs[0] = w.devs[0];
	devs[1] = &p.dev;
	assert_int_equal(smmu_attach_many(devs, 2, &w.domain, results), -SMMU_EBUSY);
	assert_int_equal(results[0], -SMMU_EBUSY);
	assert_int_equal(w.domain.users, 0);
	rig_expect_array(&rig, &w.domain, "");
	rig_refused(&w.d[0], 0x1000);
	assert_int_equal(smmu_attach_many(devs, 0, &w.domain, NULL), -SMMU_EINVAL);
	assert_int_equal(smmu_attach_many(NULL, 2, &w.domain, NULL), -SMMU_EINVAL);
	assert_int_equal(smmu_attach_many(devs, 2, NULL, NULL), -SMMU_EINVAL);
	smmu_device_fini(&p.dev);
	assert_int_equal(smmu_domain_fini(&own), 0);
	drop(&w);
}

/** An SMMU that does not confirm keeps its own devices off, and no others. */
static void test_not_confirmed(void **state)
{
	struct world w;
	int results[DEVICES];

	make(&w, SMMU_DOMAIN_STAGE1);
	rig.smmu[2].frozen = true;
	assert_int_equal(smmu_attach_many(w.devs, DEVICES, &w.domain, results), -SMMU_EIO);
	for (unsigned i = 0; i < DEVICES; i++) {
		assert_int_equal(results[i], i == 3 ? -SMMU_EIO : 0);
		if (i != 3)
			rig_expect(&w.d[i], 0x1000, RIG_PA(1));
	}
	rig_thaw(&rig, 2);
	assert_int_equal(smmu_attach_many(w.devs, DEVICES, &w.domain, results), 0);
	expect_attached(&w, results);
	drop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_together),
		cmocka_unit_test(test_failing),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_not_confirmed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

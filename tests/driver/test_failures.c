/* SPDX-License-Identifier: BSD-2-Clause */
/* No memory: nothing is left behind by what fails, and what cannot fail does without. */
#include <sys/mman.h>

#include "rig.h"

static struct rig rig;

struct snapshot {
	char array[2][512];
	uint32_t users[2];
	struct smmu_ste ste[3];
	struct smmu_cd cd[8];
	uint64_t asids[8], vmids[8];
	uint64_t dma_bytes, cpu_bytes;
	bool ats;
};

static void take_snapshot(struct snapshot *s, struct smmu_domain *a, struct smmu_domain *b,
			  struct rig_device *d)
{
	struct smmu_instance *inst = &rig.smmu[0].inst;

	sim_rcu_drain(&rig.posix.rcu);
	memset(s, 0, sizeof(*s));
	strcpy(s->array[0], rig_array(&rig, a));
	strcpy(s->array[1], rig_array(&rig, b));
	s->users[0] = a->users;
	s->users[1] = b->users;
	for (unsigned k = 0; d && k < d->nr; k++)
		s->ste[k] = rig_ste(d, k);
	if (d && d->dev.ssid_bits)
		memcpy(s->cd, d->dev.streams->cdtab.table, sizeof(s->cd));
	memcpy(s->asids, inst->asids.bitmap, sizeof(s->asids));
	memcpy(s->vmids, inst->vmids.bitmap, sizeof(s->vmids));
	s->dma_bytes = rig.heap.dma_bytes;
	s->cpu_bytes = rig.heap.cpu_bytes;
	s->ats = d && d->ats;
}

static void expect_same(const struct snapshot *was, struct smmu_domain *a, struct smmu_domain *b,
			struct rig_device *d)
{
	struct snapshot now;

	take_snapshot(&now, a, b, d);
	assert_string_equal(now.array[0], was->array[0]);
	assert_string_equal(now.array[1], was->array[1]);
	assert_memory_equal(&now, was, sizeof(now));
}

enum failing { ATTACH_FIRST, ATTACH_OTHER, ATTACH_PASID, ATTACH_PASID_OTHER, FAILINGS };

/** Each allocation of each kind of attach fails in turn. */
static void test_failing_attach(void **state)
{
	for (unsigned what = 0; what < FAILINGS; what++)
		for (unsigned ats = 0; ats < 2; ats++) {
			struct rig_device d;
			struct smmu_domain a, b;
			struct snapshot was;
			unsigned failures = 0;
			int error;

			rig_open_up(&rig, 1);
			rig_domain_with_page(&rig, &a, SMMU_DOMAIN_STAGE1, 1);
			rig_domain_with_page(&rig, &b, SMMU_DOMAIN_STAGE1, 2);
			rig_device(&rig, &d, 0, 5, 2, ats, what >= ATTACH_PASID ? 3 : 0);
			if (what == ATTACH_OTHER)
				assert_int_equal(smmu_attach(&d.dev, &a), 0);
			if (what == ATTACH_PASID_OTHER)
				assert_int_equal(smmu_attach_pasid(&d.dev, 1, &a), 0);
			take_snapshot(&was, &a, &b, &d);
			for (unsigned nth = 1;; nth++) {
				smmu_heap_fail(&rig.heap, nth, 0);
				if (what < ATTACH_PASID)
					error = smmu_attach(&d.dev, &b);
				else
					error = smmu_attach_pasid(&d.dev, 1, &b);
				if (!error)
					break;
				assert_int_equal(error, -SMMU_ENOMEM);
				expect_same(&was, &a, &b, &d);
				failures++;
			}
			smmu_heap_fail(&rig.heap, 0, 0);
			assert_int_equal(failures, 3);
			assert_int_equal(d.ats, ats);
			{
				uint64_t pa = 0;

				assert_true(
					rig_dma(&d, 1, what < ATTACH_PASID ? -1 : 1, 0x1000, &pa));
				assert_int_equal(pa, RIG_PA(2));
			}
			smmu_device_fini(&d.dev);
			assert_int_equal(smmu_domain_fini(&a), 0);
			assert_int_equal(smmu_domain_fini(&b), 0);
			rig_close(&rig);
		}
}

/** A substream in a part of the CD table that is not there yet. A leaf that was made stays; nothing else does. */
static void test_failing_leaf(void **state)
{
	struct smmu_model_config c = rig_config();
	struct rig_device d;
	struct smmu_domain domain;
	struct smmu_cdtab *t;
	uint64_t live;
	unsigned failures = 0;

	c.two_level_cd = true;
	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, 0);
	rig_domain_with_page(&rig, &domain, SMMU_DOMAIN_STAGE1, 1);
	rig_device(&rig, &d, 0, 5, 1, false, 12);
	t = &d.dev.streams->cdtab;
	assert_null(t->l2[3]);
	live = smmu_heap_live(&rig.heap);
	for (;; failures++) {
		smmu_heap_fail(&rig.heap, failures + 1, 0);
		if (!smmu_attach_pasid(&d.dev, 200, &domain))
			break;
		sim_rcu_drain(&rig.posix.rcu);
		assert_int_equal(smmu_heap_live(&rig.heap), live + (t->l2[3] ? 1 : 0));
	}
	smmu_heap_fail(&rig.heap, 0, 0);
	assert_true(failures >= 2);
	smmu_device_fini(&d.dev);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	rig_close(&rig);
}

/** Adding a device, making a domain, mapping. */
static void test_failing_others(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_domain domain;
	unsigned failures;
	uint64_t live;
	struct smmu_domain_config cfg = {.kind = SMMU_DOMAIN_STAGE1};

	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, 0);
	for (unsigned bits = 0; bits <= 12; bits += 12) {
		struct rig_device d;
		int error;

		/* The table of its streams is there: it stays once it was made. */
		rig_device(&rig, &d, 0, 5, 2, false, 0);
		smmu_device_fini(&d.dev);
		live = smmu_heap_live(&rig.heap);
		for (failures = 0;; failures++) {
			smmu_heap_fail(&rig.heap, failures + 1, 0);
			error = rig_device_try(&rig, &d, 0, 5, 2, true, bits);
			if (!error)
				break;
			assert_int_equal(error, -SMMU_ENOMEM);
			assert_int_equal(smmu_heap_live(&rig.heap), live);
			assert_null(smmu_instance_find_device(&rig.smmu[0].inst, 5));
		}
		assert_int_equal(failures, bits ? 3 : 2);
		smmu_heap_fail(&rig.heap, 0, 0);
		smmu_device_fini(&d.dev);
		assert_int_equal(smmu_heap_live(&rig.heap), live);
	}
	/* A new second-level table: without it there is no device. */
	{
		struct rig_device d;

		live = smmu_heap_live(&rig.heap);
		smmu_heap_fail(&rig.heap, 3, 0);
		assert_int_equal(rig_device_try(&rig, &d, 0, 300, 1, false, 0), -SMMU_ENOMEM);
		assert_int_equal(smmu_heap_live(&rig.heap), live);
		smmu_heap_fail(&rig.heap, 0, 0);
	}
	cfg.port = &rig.port;
	live = smmu_heap_live(&rig.heap);
	smmu_heap_fail(&rig.heap, 1, 0);
	assert_int_equal(smmu_domain_init(&domain, &cfg), -SMMU_ENOMEM);
	assert_int_equal(smmu_heap_live(&rig.heap), live);
	assert_int_equal(smmu_domain_init(&domain, &cfg), 0);
	for (failures = 0;; failures++) {
		uint64_t pa;

		smmu_heap_fail(&rig.heap, failures + 1, 0);
		/* Three tables for 48 bits of 4K; those of a map that failed stay, empty. */
		if (!smmu_map(&domain, (uint64_t)failures << 40, RIG_PA(1), 0x1000, SMMU_PROT_READ,
			      0))
			break;
		assert_int_equal(smmu_iova_to_phys(&domain, (uint64_t)failures << 40, &pa, NULL),
				 -SMMU_EFAULT);
	}
	assert_int_equal(failures, 3);
	smmu_heap_fail(&rig.heap, 0, 0);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	rig_close(&rig);
}

/** Detach with no memory to be had: what is gone stays in the array, skipped, until the next one joins. */
static void test_detach_without_memory(void **state)
{
	struct rig_device d[3];
	struct smmu_domain domain;

	rig_open_up(&rig, 3);
	rig_domain_with_page(&rig, &domain, SMMU_DOMAIN_STAGE1, 1);
	for (unsigned i = 0; i < 3; i++) {
		rig_device(&rig, &d[i], i, 5, 1, true, i == 1 ? 3 : 0);
		if (i == 1)
			assert_int_equal(smmu_attach_pasid(&d[i].dev, 2, &domain), 0);
		else
			assert_int_equal(smmu_attach(&d[i].dev, &domain), 0);
	}
	rig_expect_array(&rig, &domain, "0:asid1 0:ats5 1:asid1 1:ats5+2 2:asid1 2:ats5");
	smmu_heap_fail(&rig.heap, 0, 1);
	smmu_detach(&d[0].dev);
	rig_expect_array(&rig, &domain, "- - 1:asid1 1:ats5+2 2:asid1 2:ats5");
	assert_false(d[0].ats);
	rig_refused(&d[0], 0x1000);
	smmu_detach_pasid(&d[1].dev, 2);
	rig_expect_array(&rig, &domain, "- - - - 2:asid1 2:ats5");
	/* The SMMU goes, its memory to something else, and the array still has the places. */
	smmu_instance_remove(&rig.smmu[0].inst);
	memset(&rig.smmu[0].inst, 0x5a, sizeof(rig.smmu[0].inst));
	rig_expect(&d[2], 0x1000, RIG_PA(1));
	rig_log_reset(&rig);
	assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
	assert_string_equal(rig_log(&rig),
			    "2:TLBI_NH_VA(1,1000*1) 2:SYNC 2:ATC_INV(5,1000/0) 2:SYNC");
	rig_refused(&d[2], 0x1000);
	/* Another instance takes its index, and joins. */
	smmu_heap_fail(&rig.heap, 0, 0);
	rig_up(&rig, 0, 0);
	rig_device(&rig, &d[0], 0, 6, 1, true, 0);
	assert_int_equal(smmu_map(&domain, 0x1000, RIG_PA(2), 0x1000, SMMU_PROT_READ, 0), 0);
	smmu_heap_fail(&rig.heap, 0, 1);
	smmu_detach(&d[2].dev);
	rig_expect_array(&rig, &domain, "- - - - - -");
	assert_int_equal(smmu_flush_all(&domain), 0);
	smmu_heap_fail(&rig.heap, 0, 0);
	assert_int_equal(smmu_attach(&d[0].dev, &domain), 0);
	rig_expect_array(&rig, &domain, "0:asid1 0:ats6");
	rig_expect(&d[0], 0x1000, RIG_PA(2));
	assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
	rig_refused(&d[0], 0x1000);
	for (unsigned i = 0; i < 3; i++)
		smmu_device_fini(&d[i].dev);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	rig_close(&rig);
}

/** What is gone from an array and still has its place there costs a sweep no command, also beside what is not. */
static void test_gone_costs_nothing(void **state)
{
	struct rig_device d[3];
	struct smmu_domain domain;

	rig_open_up(&rig, 1);
	rig_domain_with_page(&rig, &domain, SMMU_DOMAIN_STAGE1, 1);
	for (unsigned i = 0; i < 3; i++) {
		rig_device(&rig, &d[i], 0, 5 + i, 1, true, 0);
		assert_int_equal(smmu_attach(&d[i].dev, &domain), 0);
	}
	smmu_heap_fail(&rig.heap, 0, 1);
	smmu_detach(&d[0].dev);
	smmu_detach(&d[2].dev);
	smmu_heap_fail(&rig.heap, 0, 0);
	rig_expect_array(&rig, &domain, "0:asid1 - 0:ats6 -");
	rig_expect(&d[1], 0x1000, RIG_PA(1));
	rig_log_reset(&rig);
	assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
	assert_string_equal(rig_log(&rig), "TLBI_NH_VA(1,1000*1) SYNC ATC_INV(6,1000/0) SYNC");
	rig_refused(&d[1], 0x1000);
	for (unsigned i = 0; i < 3; i++)
		smmu_device_fini(&d[i].dev);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	rig_close(&rig);
}

/** The same, with the memory of the instance really gone: a sweep must not look into it. */
static void test_instance_unmapped(void **state)
{
	struct smmu_instance *inst =
		mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct smmu_instance_config cfg;
	uint32_t stream = 5;
	struct smmu_device_config dev_cfg = {.instance = inst, .streams = &stream, .nr_streams = 1};
	struct smmu_device dev;
	struct smmu_domain domain;

	rig_open_up(&rig, 2);
	assert_true(inst != MAP_FAILED && sizeof(*inst) <= 65536);
	smmu_instance_remove(&rig.smmu[0].inst);
	cfg = rig_instance_config(&rig, 0, 0);
	assert_int_equal(smmu_instance_probe(inst, &cfg), 0);
	assert_int_equal(smmu_instance_enable(inst), 0);
	rig_domain_with_page(&rig, &domain, SMMU_DOMAIN_STAGE1, 1);
	assert_int_equal(smmu_device_init(&dev, &dev_cfg), 0);
	assert_int_equal(smmu_attach(&dev, &domain), 0);
	smmu_heap_fail(&rig.heap, 0, 1);
	smmu_instance_remove(inst);
	munmap(inst, 65536);
	rig_expect_array(&rig, &domain, "-");
	assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
	assert_int_equal(smmu_flush_all(&domain), 0);
	smmu_heap_fail(&rig.heap, 0, 0);
	smmu_device_fini(&dev);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failing_attach),
		cmocka_unit_test(test_failing_leaf),
		cmocka_unit_test(test_failing_others),
		cmocka_unit_test(test_detach_without_memory),
		cmocka_unit_test(test_gone_costs_nothing),
		cmocka_unit_test(test_instance_unmapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

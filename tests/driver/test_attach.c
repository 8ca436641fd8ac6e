/* SPDX-License-Identifier: BSD-2-Clause */
/* Attach and detach: the domain's array after each step, and ids. */
#include "rig.h"

static struct rig rig;

/** One domain over three SMMUs: an id of its own on each, shared there, counted, and given up by the last one. */
static void test_array(void **state)
{
	for (unsigned stage = 1; stage <= 2; stage++) {
		enum smmu_domain_kind kind = stage == 1 ? SMMU_DOMAIN_STAGE1 : SMMU_DOMAIN_STAGE2;
		struct rig_device a, b, c, d, other;
		struct smmu_domain domain, before;
		const char *const *want;
		static const char *const s1[] = {
			"1:asid2 1:ats9",
			"0:asid1 1:asid2 1:ats9",
			"0:asid1 1:asid2*2 1:ats4 1:ats5 1:ats9",
			"0:asid1 1:asid2*2 1:ats4 1:ats5 1:ats9 2:asid1",
			"0:asid1 1:asid2 1:ats4 1:ats5 2:asid1",
			"1:asid2 1:ats4 1:ats5 2:asid1",
			"2:asid1",
		};
		static const char *const s2[] = {
			"1:vmid2 1:ats9",
			"0:vmid1 1:vmid2 1:ats9",
			"0:vmid1 1:vmid2*2 1:ats4 1:ats5 1:ats9",
			"0:vmid1 1:vmid2*2 1:ats4 1:ats5 1:ats9 2:vmid1",
			"0:vmid1 1:vmid2 1:ats4 1:ats5 2:vmid1",
			"1:vmid2 1:ats4 1:ats5 2:vmid1",
			"2:vmid1",
		};

		want = stage == 1 ? s1 : s2;
		rig_open_up(&rig, 3);
		rig_domain_with_page(&rig, &domain, kind, 1);
		rig_domain_with_page(&rig, &before, kind, 2);
		rig_device(&rig, &other, 1, 30, 1, false, 0);
		assert_int_equal(smmu_attach(&other.dev, &before), 0);
		rig_device(&rig, &a, 1, 9, 1, true, 0);
		rig_device(&rig, &b, 0, 9, 1, false, 0);
		rig_device(&rig, &c, 1, 4, 2, true, 0);
		rig_device(&rig, &d, 2, 9, 1, false, 0);
		rig_expect_array(&rig, &domain, "");
		assert_int_equal(smmu_attach(&a.dev, &domain), 0);
		rig_expect_array(&rig, &domain, want[0]);
		assert_int_equal(smmu_attach(&b.dev, &domain), 0);
		rig_expect_array(&rig, &domain, want[1]);
		assert_int_equal(smmu_attach(&c.dev, &domain), 0);
		rig_expect_array(&rig, &domain, want[2]);
		assert_int_equal(smmu_attach(&d.dev, &domain), 0);
		rig_expect_array(&rig, &domain, want[3]);
		/* Once more changes nothing. */
		assert_int_equal(smmu_attach(&c.dev, &domain), 0);
		rig_expect_array(&rig, &domain, want[3]);
		assert_int_equal(domain.users, 4);
		rig_expect(&a, 0x1000, RIG_PA(1));
		rig_expect(&b, 0x1000, RIG_PA(1));
		rig_expect(&c, 0x1000, RIG_PA(1));
		rig_expect(&d, 0x1000, RIG_PA(1));
		rig_expect(&other, 0x1000, RIG_PA(2));
		assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
		rig_refused(&a, 0x1000);
		rig_refused(&b, 0x1000);
		rig_refused(&c, 0x1000);
		rig_refused(&d, 0x1000);
		rig_expect(&other, 0x1000, RIG_PA(2));
		/* One of two leaves: the tag is still in use, and stays taken. */
		rig_log_reset(&rig);
		smmu_detach(&a.dev);
		rig_expect_array(&rig, &domain, want[4]);
		smmu_detach(&a.dev);
		rig_expect_array(&rig, &domain, want[4]);
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_TLBI_NH_ASID), 0);
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_TLBI_S12_VMALL), 0);
		assert_int_equal(
			(stage == 1 ? rig.smmu[1].inst.asids : rig.smmu[1].inst.vmids).bitmap[0],
			7);
		smmu_device_fini(&b.dev);
		rig_expect_array(&rig, &domain, want[5]);
		assert_int_equal(smmu_domain_fini(&domain), -SMMU_EBUSY);
		/* To another domain, and the instance goes with the device on it. */
		assert_int_equal(smmu_attach(&c.dev, &before), 0);
		rig_expect_array(&rig, &domain, want[6]);
		smmu_instance_remove(&rig.smmu[2].inst);
		rig_expect_array(&rig, &domain, "");
		assert_null(d.dev.instance);
		assert_int_equal(smmu_domain_fini(&domain), 0);
		smmu_device_fini(&c.dev);
		smmu_device_fini(&other.dev);
		assert_int_equal(smmu_domain_fini(&before), 0);
		rig_close(&rig);
	}
}

/** Substreams share the id as well; each has ATS operations of its own. */
static void test_array_substreams(void **state)
{
	struct rig_device d;
	struct smmu_domain a, b;

	rig_open_up(&rig, 1);
	rig_domain_with_page(&rig, &a, SMMU_DOMAIN_STAGE1, 1);
	rig_domain_with_page(&rig, &b, SMMU_DOMAIN_STAGE1, 2);
	rig_device(&rig, &d, 0, 5, 1, true, 4);
	assert_int_equal(smmu_attach_pasid(&d.dev, 3, &a), 0);
	assert_true(d.ats);
	rig_expect_array(&rig, &a, "0:asid1 0:ats5+3");
	assert_int_equal(smmu_attach(&d.dev, &a), 0);
	rig_expect_array(&rig, &a, "0:asid1*2 0:ats5 0:ats5+3");
	assert_int_equal(smmu_attach_pasid(&d.dev, 2, &b), 0);
	assert_int_equal(smmu_attach_pasid(&d.dev, 3, &b), 0);
	rig_expect_array(&rig, &a, "0:asid1 0:ats5");
	rig_expect_array(&rig, &b, "0:asid2*2 0:ats5+2 0:ats5+3");
	rig_log_reset(&rig);
	assert_int_equal(smmu_unmap(&b, 0x1000, 0x1000, 0), 0);
	assert_string_equal(rig_log(&rig), "TLBI_NH_VA(2,1000*1) SYNC ATC_INV(5+2,1000/0) "
					   "ATC_INV(5+3,1000/0) SYNC");
	smmu_detach_pasid(&d.dev, 3);
	smmu_detach(&d.dev);
	rig_expect_array(&rig, &a, "");
	rig_expect_array(&rig, &b, "0:asid2 0:ats5+2");
	assert_true(d.ats);
	smmu_device_fini(&d.dev);
	assert_false(d.ats);
	rig_expect_array(&rig, &b, "");
	assert_int_equal(smmu_domain_fini(&a), 0);
	assert_int_equal(smmu_domain_fini(&b), 0);
	rig_close(&rig);
}

/**
 * An id is used again only after the TLB has dropped what it had under it: 8 bits, handed out hundreds of times. To leave
 * costs no TLBI; they come for 32 ids at once, with one CMD_SYNC, when no other ids are left.
 */
static void test_ids_reused(void **state)
{
	struct smmu_model_config c = rig_config();

	c.vmid16 = c.asid16 = false;
	for (unsigned stage = 1; stage <= 2; stage++) {
		enum smmu_domain_kind kind = stage == 1 ? SMMU_DOMAIN_STAGE1 : SMMU_DOMAIN_STAGE2;
		bool taken[256] = {false};
		struct rig_device d;

		rig_open(&rig, &c, 1);
		rig_up(&rig, 0, 0);
		rig_device(&rig, &d, 0, 5, 1, stage == 2, 0);
		for (unsigned i = 0; i < 600; i++) {
			struct smmu_model_counters before, after;
			struct smmu_domain domain;
			unsigned batch;
			uint32_t id;

			rig_domain_with_page(&rig, &domain, kind, i);
			smmu_model_counters(rig.model, 0, &before);
			rig_log_reset(&rig);
			assert_int_equal(smmu_attach(&d.dev, &domain), 0);
			smmu_model_counters(rig.model, 0, &after);
			batch = i >= 255 && (i - 255) % 32 == 0 ? 32 : 0;
			assert_int_equal(after.tlbi - before.tlbi, batch);
			assert_int_equal(rig_log_count(&rig, stage == 1 ? SMMU_CMD_TLBI_NH_ASID
									: SMMU_CMD_TLBI_S12_VMALL),
					 batch);
			assert_int_equal(after.sync - before.sync, stage + (batch != 0));
			id = domain.inv->entry[0].id;
			assert_in_range(id, 1, 255);
			/* Late reuse: all 255 come before the first again. */
			assert_int_equal(taken[id], i >= 255);
			taken[id] = true;
			rig_expect(&d, 0x1000, RIG_PA(i));
			smmu_model_counters(rig.model, 0, &before);
			smmu_detach(&d.dev);
			smmu_model_counters(rig.model, 0, &after);
			assert_int_equal(after.tlbi, before.tlbi);
			assert_int_equal(after.sync - before.sync, stage);
			rig_refused(&d, 0x1000);
			assert_int_equal(smmu_domain_fini(&domain), 0);
		}
		smmu_device_fini(&d.dev);
		rig_close(&rig);
	}
}

/** All ids in use: -SMMU_ENOSPC and nothing changed; one given back is enough. */
static void ids_run_out(enum smmu_domain_kind kind)
{
	const bool s1 = kind == SMMU_DOMAIN_STAGE1;
	const char *name = s1 ? "0:asid101 0:ats255" : "0:vmid101 0:ats255";
	const unsigned clean = s1 ? SMMU_CMD_TLBI_NH_ASID : SMMU_CMD_TLBI_S12_VMALL;
	static struct rig_device d[256];
	static struct smmu_domain domain[256];
	struct smmu_model_config c = rig_config();

	c.asid16 = c.vmid16 = false;
	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, 0);
	for (unsigned i = 0; i < 256; i++) {
		rig_domain(&rig, &domain[i], kind);
		rig_device(&rig, &d[i], 0, i, 1, i == 255, 0);
		assert_int_equal(smmu_attach(&d[i].dev, &domain[i]), i < 255 ? 0 : -SMMU_ENOSPC);
	}
	rig_expect_array(&rig, &domain[255], "");
	assert_false(d[255].ats);
	assert_int_equal(domain[255].users, 0);
	/* A domain that is there already needs no id. */
	assert_int_equal(smmu_attach(&d[255].dev, &domain[7]), 0);
	smmu_detach(&d[100].dev);
	assert_int_equal(smmu_attach(&d[255].dev, &domain[255]), 0);
	rig_expect_array(&rig, &domain[255], name);
	/* One of which the TLB could not be cleaned is not free, until it was. */
	rig.smmu[0].corrupt = clean;
	rig.smmu[0].corruptions = 1000;
	smmu_detach(&d[255].dev);
	assert_int_equal(smmu_attach(&d[255].dev, &domain[255]), -SMMU_ENOSPC);
	assert_int_equal(smmu_attach(&d[255].dev, &domain[255]), -SMMU_ENOSPC);
	rig_expect_array(&rig, &domain[255], "");
	rig.smmu[0].corruptions = 0;
	rig_log_reset(&rig);
	assert_int_equal(smmu_attach(&d[255].dev, &domain[255]), 0);
	assert_int_equal(rig_log_count(&rig, clean), 1);
	rig_expect_array(&rig, &domain[255], name);
	/* Cleaned once, it is taken while it is in use. */
	assert_int_equal(smmu_attach(&d[100].dev, &domain[100]), -SMMU_ENOSPC);
	smmu_detach(&d[50].dev);
	assert_int_equal(smmu_attach(&d[100].dev, &domain[100]), 0);
	assert_int_equal(domain[100].inv->entry[0].id, 51);
	assert_int_equal(smmu_attach(&d[50].dev, &domain[50]), -SMMU_ENOSPC);
	smmu_detach(&d[100].dev);
	assert_int_equal(smmu_attach(&d[50].dev, &domain[50]), 0);
	/* The one that is free is just behind where the search begins. */
	smmu_detach(&d[255].dev);
	assert_int_equal(smmu_attach(&d[255].dev, &domain[255]), 0);
	rig_expect_array(&rig, &domain[255], name);
	for (unsigned i = 0; i < 256; i++)
		smmu_device_fini(&d[i].dev);
	for (unsigned i = 0; i < 256; i++)
		assert_int_equal(smmu_domain_fini(&domain[i]), 0);
	rig_close(&rig);
}

static void test_ids_run_out(void **state)
{
	ids_run_out(SMMU_DOMAIN_STAGE1);
	ids_run_out(SMMU_DOMAIN_STAGE2);
}

/** What a domain holds for those attached goes with them, and nobody may finish it before the last has left. */
static struct smmu_domain *finishing;
static unsigned finishes;
static void *(*plain_alloc)(void *ctx, size_t size);

static void *finish_meanwhile(void *ctx, size_t size)
{
	CHECK(smmu_domain_fini(finishing) == -SMMU_EBUSY);
	finishes++;
	return plain_alloc(ctx, size);
}

static void test_nothing_is_held(void **state)
{
	static const enum smmu_domain_kind kinds[] = {SMMU_DOMAIN_STAGE1, SMMU_DOMAIN_STAGE2,
						      SMMU_DOMAIN_IDENTITY};

	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(kinds); i++) {
		struct rig_device d;
		struct smmu_domain domain;
		uint64_t live;

		rig_open_up(&rig, 1);
		rig_domain(&rig, &domain, kinds[i]);
		rig_device(&rig, &d, 0, 5, 2, true, 0);
		live = smmu_heap_live(&rig.heap);
		assert_int_equal(smmu_attach(&d.dev, &domain), 0);
		assert_int_equal(smmu_domain_fini(&domain), -SMMU_EBUSY);
		/* Until the array without it is made. */
		finishing = &domain;
		finishes = 0;
		plain_alloc = rig.ops.alloc;
		rig.ops.alloc = finish_meanwhile;
		smmu_detach(&d.dev);
		rig.ops.alloc = plain_alloc;
		assert_int_equal(finishes, kinds[i] == SMMU_DOMAIN_IDENTITY ? 0 : 2);
		sim_rcu_drain(&rig.posix.rcu);
		assert_int_equal(smmu_heap_live(&rig.heap), live);
		assert_int_equal(smmu_domain_fini(&domain), 0);
		smmu_device_fini(&d.dev);
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_array),           cmocka_unit_test(test_array_substreams),
		cmocka_unit_test(test_ids_reused),      cmocka_unit_test(test_ids_run_out),
		cmocka_unit_test(test_nothing_is_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

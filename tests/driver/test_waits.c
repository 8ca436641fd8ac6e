/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What attach, detach and the rest cost in CMD_SYNCs and other commands: the table of docs/design.md. And that a leaf of CDs
 * is complete when the table leads to it, which is what spares its first substream a wait.
 */
#include "rig.h"

#include "../../src/driver/driver.h"

static struct rig rig;

/** Commands since the log was reset. */
static void expect_cost(const char *what, unsigned syncs, unsigned others)
{
	unsigned n = rig_log_count(&rig, SMMU_CMD_SYNC), all = 0;

	for (unsigned i = 0; i < rig.lines; i++)
		all += smmu_cmd_opcode(&rig.log[i].cmd) < RIG_ATS_ON;
	if (getenv("SMMU_TEST_PRINT"))
		printf("%-40s %u CMD_SYNC, %u others: %s\n", what, n, all - n, rig_log(&rig));
	if (n != syncs || all - n != others)
		fail_msg("%s: %u CMD_SYNC and %u others, not %u and %u: %s", what, n, all - n,
			 syncs, others, rig_log(&rig));
	rig_log_reset(&rig);
}

/** A part with two levels of both tables, or linear ones. */
static void open_part(bool two_level, bool lse2)
{
	struct smmu_model_config c = rig_config();

	c.two_level_cd = c.two_level_st = two_level;
	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, 0);
	rig.port.flags = lse2 ? SMMU_PORT_LSE2 : 0;
	rig_log_reset(&rig);
}

static void close_part(struct smmu_domain *domain, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(smmu_domain_fini(&domain[i]), 0);
	rig_close(&rig);
}

/** Traffic without substreams. */
static void test_device(void **state)
{
	for (unsigned ats = 0; ats < 2; ats++) {
		struct smmu_domain d[3];
		struct rig_device dev;

		open_part(true, false);
		rig_domain_with_page(&rig, &d[0], SMMU_DOMAIN_STAGE1, 1);
		rig_domain_with_page(&rig, &d[1], SMMU_DOMAIN_STAGE1, 2);
		rig_domain_with_page(&rig, &d[2], SMMU_DOMAIN_STAGE2, 3);
		rig_device(&rig, &dev, 0, 5, 1, ats, 0);
		expect_cost("a device added", 0, 0);
		assert_int_equal(smmu_attach(&dev.dev, &d[0]), 0);
		expect_cost("first attach, stage 1", 1, 1);
		rig_expect(&dev, 0x1000, RIG_PA(1));
		assert_int_equal(smmu_attach(&dev.dev, &d[1]), 0);
		expect_cost("stage 1 to stage 1", 1 + ats, 1 + ats);
		rig_expect(&dev, 0x1000, RIG_PA(2));
		smmu_detach(&dev.dev);
		expect_cost("detach", 1 + ats, 1 + ats);
		assert_int_equal(smmu_attach(&dev.dev, &d[2]), 0);
		expect_cost("first attach, stage 2", 2, 2);
		rig_expect(&dev, 0x1000, RIG_PA(3));
		smmu_device_fini(&dev.dev);
		expect_cost("a device with a domain gone", 1 + ats, 1 + ats);
		close_part(d, 3);
	}
}

/** Substreams: in a linear table, and in one of two levels. */
static void test_substreams(void **state)
{
	for (unsigned lse2 = 0; lse2 < 2; lse2++)
		for (unsigned bits = 4; bits <= 12; bits += 8) {
			bool leaves = bits == 12;
			struct smmu_domain d[2];
			struct rig_device dev;

			open_part(leaves, lse2);
			rig_domain_with_page(&rig, &d[0], SMMU_DOMAIN_STAGE1, 1);
			rig_domain_with_page(&rig, &d[1], SMMU_DOMAIN_STAGE1, 2);
			rig_device(&rig, &dev, 0, 5, 1, false, bits);
			expect_cost("a device added", 0, 0);
			assert_int_equal(smmu_attach(&dev.dev, &d[0]), 0);
			expect_cost("first attach, stage 1", 1, 1);
			assert_int_equal(smmu_attach_pasid(&dev.dev, 1, &d[1]), 0);
			expect_cost("a substream beside others", lse2 ? 1 : 2, lse2 ? 1 : 2);
			assert_true(rig_dma(&dev, 0, 1, 0x1000, NULL));
			smmu_detach_pasid(&dev.dev, 1);
			expect_cost("one of them gone", 1, 1);
			if (leaves) {
				/* The SMMU may keep that there is none. */
				assert_false(rig_dma(&dev, 0, 70, 0x1000, NULL));
				assert_int_equal(smmu_attach_pasid(&dev.dev, 70, &d[1]), 0);
				expect_cost("the first of a leaf", 1, 1);
				assert_true(rig_dma(&dev, 0, 70, 0x1000, NULL));
			}
			assert_int_equal(smmu_attach_pasid(&dev.dev, 1, &d[0]), 0);
			rig_log_reset(&rig);
			assert_int_equal(smmu_attach_pasid(&dev.dev, 1, &d[1]), 0);
			expect_cost("from one domain to another", lse2 ? 1 : 3, lse2 ? 1 : 3);
			smmu_device_fini(&dev.dev);
			close_part(d, 2);
		}
}

/** However many devices there are, an instance goes with one CMD_SYNC. */
static void test_removal(void **state)
{
	static struct rig_device dev[16];

	for (unsigned ats = 0; ats < 2; ats++) {
		struct smmu_domain d[2];

		open_part(true, false);
		rig_domain_with_page(&rig, &d[0], SMMU_DOMAIN_STAGE1, 1);
		rig_domain_with_page(&rig, &d[1], SMMU_DOMAIN_STAGE2, 2);
		for (unsigned i = 0; i < SMMU_ARRAY_SIZE(dev); i++) {
			rig_device(&rig, &dev[i], 0, i, 1, ats, 4);
			assert_int_equal(smmu_attach(&dev[i].dev, &d[i % 2]), 0);
			if (i % 2 == 0)
				assert_int_equal(smmu_attach_pasid(&dev[i].dev, 3, &d[0]), 0);
			rig_expect(&dev[i], 0x1000, RIG_PA(1 + i % 2));
		}
		rig_log_reset(&rig);
		assert_int_equal(smmu_instance_remove(&rig.smmu[0].inst), 0);
		expect_cost("an instance with 16 devices removed", 1, 0);
		for (unsigned i = 0; i < SMMU_ARRAY_SIZE(dev); i++) {
			assert_null(dev[i].dev.instance);
			assert_false(dev[i].ats);
			rig_refused(&dev[i], 0x1000);
			smmu_device_fini(&dev[i].dev);
		}
		assert_string_equal(rig_array(&rig, &d[0]), "");
		assert_int_equal(d[1].users, 0);
		close_part(d, 2);
	}
}

/** One whose queue is dead is given up once, however many devices there are. */
static void test_removal_of_the_dead(void **state)
{
	static struct rig_device dev[16];
	uint64_t took[2];

	for (unsigned many = 0; many < 2; many++) {
		unsigned n = many ? SMMU_ARRAY_SIZE(dev) : 1;
		struct smmu_domain d;

		open_part(true, false);
		rig_domain_with_page(&rig, &d, SMMU_DOMAIN_STAGE1, 1);
		for (unsigned i = 0; i < n; i++) {
			rig_device(&rig, &dev[i], 0, i, 1, true, 0);
			assert_int_equal(smmu_attach(&dev[i].dev, &d), 0);
		}
		smmu_model_kill_queue(rig.model, 0, 1, false);
		took[many] = sim_now(rig.sim);
		assert_int_equal(smmu_instance_remove(&rig.smmu[0].inst), 0);
		took[many] = sim_now(rig.sim) - took[many];
		for (unsigned i = 0; i < n; i++)
			rig_refused(&dev[i], 0x1000);
		assert_string_equal(rig_array(&rig, &d), "");
		close_part(&d, 1);
	}
	if (getenv("SMMU_TEST_PRINT"))
		printf("a dead queue: %llu ns with 1 device, %llu with 16\n",
		       (unsigned long long)took[0], (unsigned long long)took[1]);
	assert_true(took[1] < took[0] + took[0] / 8);
}

/* ---- a new leaf ---- */

static const struct smmu_cdtab *watched;
static unsigned filled;

/** A store into a leaf that the table leads to: only the first word of a CD may change then. */
static void leaf_stored(const void *p)
{
	const uint64_t *l1 = watched->table;

	for (uint32_t i = 0; i < watched->l1_count; i++) {
		const char *leaf = (const char *)watched->l2[i];

		if (!leaf || (const char *)p < leaf || (const char *)p >= leaf + 4096)
			continue;
		filled++;
		CHECK(!(l1[i] & SMMU_L1CD_V));
	}
}

static void test_leaf_is_complete(void **state)
{
	struct smmu_domain d;
	struct rig_device dev;

	open_part(true, false);
	rig_domain_with_page(&rig, &d, SMMU_DOMAIN_STAGE1, 1);
	rig_device(&rig, &dev, 0, 5, 1, false, 12);
	watched = &dev.dev.streams->cdtab;
	rig_store_hook = leaf_stored;
	for (uint32_t ssid = 1; ssid < 4096; ssid += 512)
		assert_int_equal(smmu_attach_pasid(&dev.dev, ssid, &d), 0);
	rig_store_hook = NULL;
	assert_int_equal(filled, 8 * 8);
	assert_true(rig_dma(&dev, 0, 513, 0x1000, NULL));
	assert_false(rig_dma(&dev, 0, 514, 0x1000, NULL));
	smmu_device_fini(&dev.dev);
	close_part(&d, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_device),           cmocka_unit_test(test_substreams),
		cmocka_unit_test(test_removal),          cmocka_unit_test(test_removal_of_the_dead),
		cmocka_unit_test(test_leaf_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

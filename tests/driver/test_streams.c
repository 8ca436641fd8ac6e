/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices of any number of streams, streams that are named twice, groups, and ATS beside identity. */
#include "rig.h"

static struct rig rig;
static struct smmu_domain domain, other, identity;

static void start(bool two_level, unsigned ssid_bits)
{
	struct smmu_model_config c = rig_config();

	c.two_level_st = two_level;
	c.ssid_bits = ssid_bits;
	c.sid_bits = 10;
	c.atc_timeout_ns = 1000000;
	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, 0);
	rig_domain_with_page(&rig, &domain, SMMU_DOMAIN_STAGE1, 1);
	rig_domain_with_page(&rig, &other, SMMU_DOMAIN_STAGE2, 2);
	rig_domain(&rig, &identity, SMMU_DOMAIN_IDENTITY);
}

static void finish(void)
{
	assert_int_equal(smmu_domain_fini(&domain), 0);
	assert_int_equal(smmu_domain_fini(&other), 0);
	assert_int_equal(smmu_domain_fini(&identity), 0);
	rig_close(&rig);
}

static void expect_all(struct rig_device *d, int32_t ssid, uint64_t want)
{
	for (unsigned k = 0; k < d->nr; k++) {
		uint64_t pa = 0;

		assert_int_equal(rig_dma(d, k, ssid, 0x1000, &pa), want != 0);
		assert_int_equal(pa, want);
	}
}

/** 300 of them, with ATS and substreams: each change is one batch with one wait, and an ATC of any of them cuts all off. */
static void test_many(void **state)
{
	static struct rig_device d;

	for (unsigned ats = 0; ats < 2; ats++) {
		start(true, 8);
		rig_device(&rig, &d, 0, 100, RIG_STREAMS, ats, 4);
		rig_log_reset(&rig);
		assert_int_equal(smmu_attach(&d.dev, &domain), 0);
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_CFGI_STE), RIG_STREAMS);
		/* A piece of the queue ends with a CMD_SYNC, and there is no other. */
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_SYNC),
				 RIG_STREAMS / (rig.smmu[0].inst.cmdq.piece - 1) + 1);
		expect_all(&d, -1, RIG_PA(1));
		assert_int_equal(smmu_attach_pasid(&d.dev, 3, &domain), 0);
		expect_all(&d, 3, RIG_PA(1));
		rig_log_reset(&rig);
		assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_ATC_INV), ats * 2 * RIG_STREAMS);
		expect_all(&d, -1, 0);
		expect_all(&d, 3, 0);
		smmu_detach_pasid(&d.dev, 3);
		assert_int_equal(smmu_attach(&d.dev, &other), 0);
		expect_all(&d, -1, RIG_PA(2));
		if (ats) {
			smmu_model_atc_mute(d.hw[250], true);
			assert_int_equal(smmu_unmap(&other, 0x1000, 0x1000, 0), 0);
			assert_true(smmu_device_quarantined(&d.dev));
			expect_all(&d, -1, 0);
		}
		smmu_device_fini(&d.dev);
		rig_expect_array(&rig, &other, "");
		finish();
	}
}

/** A stream that is named twice is one, in whatever order. */
static void test_twice(void **state)
{
	static const uint32_t names[] = {9, 3, 700, 3, 3, 9, 4, 700, 2, 2};
	static const uint32_t want[] = {2, 3, 4, 9, 700};
	struct smmu_device_config cfg = {.streams = names, .nr_streams = 10};
	struct smmu_device dev, second;

	start(true, 0);
	cfg.instance = &rig.smmu[0].inst;
	assert_int_equal(smmu_device_init(&dev, &cfg), 0);
	assert_int_equal(dev.streams->nr, 5);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(dev.streams->id[i], want[i]);
		assert_ptr_equal(smmu_instance_find_device(cfg.instance, want[i]), &dev);
	}
	rig_log_reset(&rig);
	assert_int_equal(smmu_attach(&dev, &domain), 0);
	assert_int_equal(rig_log_count(&rig, SMMU_CMD_CFGI_STE), 5);
	cfg.nr_streams = 1;
	cfg.streams = &want[4];
	assert_int_equal(smmu_device_init(&second, &cfg), -SMMU_EEXIST);
	smmu_device_fini(&dev);
	assert_int_equal(smmu_device_init(&second, &cfg), 0);
	smmu_device_fini(&second);
	finish();
}

/** Every order and multiplicity of a few names. */
static void test_sorted(void **state)
{
	start(false, 0);
	for (unsigned n = 1; n <= 6; n++) {
		unsigned ways = 1;

		for (unsigned i = 0; i < n; i++)
			ways *= n;
		for (unsigned way = 0; way < ways; way += 1 + way / 600) {
			uint32_t names[6], seen = 0;
			struct smmu_device_config cfg = {
				.instance = &rig.smmu[0].inst, .streams = names, .nr_streams = n};
			struct smmu_device dev;

			for (unsigned i = 0, rest = way; i < n; i++, rest /= n) {
				names[i] = rest % n;
				seen |= 1u << names[i];
			}
			assert_int_equal(smmu_device_init(&dev, &cfg), 0);
			assert_int_equal(dev.streams->nr, __builtin_popcount(seen));
			for (unsigned i = 0; i < dev.streams->nr; i++) {
				assert_true(seen >> dev.streams->id[i] & 1);
				assert_true(!i || dev.streams->id[i - 1] < dev.streams->id[i]);
			}
			smmu_device_fini(&dev);
		}
	}
	finish();
}

/** Who has a stream of a requester: one device, none, or several. */
static void test_group(void **state)
{
	static const uint32_t mine[] = {20, 5, 6}, none[] = {20, 21}, both[] = {6, 9},
			      far[] = {0xffffffff, 9};
	struct smmu_instance *inst = &rig.smmu[0].inst;
	struct smmu_device *group;
	struct rig_device a, b;

	start(true, 0);
	rig_device(&rig, &a, 0, 5, 2, false, 0);
	rig_device(&rig, &b, 0, 9, 1, false, 0);
	assert_int_equal(smmu_instance_find_group(inst, mine, 3, &group), 0);
	assert_ptr_equal(group, &a.dev);
	assert_int_equal(smmu_instance_find_group(inst, none, 2, &group), -SMMU_ENOENT);
	assert_null(group);
	assert_int_equal(smmu_instance_find_group(inst, both, 2, &group), -SMMU_EEXIST);
	assert_int_equal(smmu_instance_find_group(inst, far, 2, &group), 0);
	assert_ptr_equal(group, &b.dev);
	smmu_device_fini(&a.dev);
	assert_int_equal(smmu_instance_find_group(inst, mine, 3, &group), -SMMU_ENOENT);
	smmu_device_fini(&b.dev);
	finish();
}

static int set_ats(void *ctx, bool on, unsigned stu)
{
	smmu_model_ats_enable(ctx, on);
	return 0;
}

static bool dma(enum smmu_dma_kind kind, uint64_t at)
{
	struct smmu_dma a = {.stream = 5, .iova = at, .kind = kind};
	struct smmu_dma_result r = smmu_model_dma(rig.model, &a);

	return r.ok && r.pa == at;
}

/** ATS in the identity domain: requests and translated accesses pass, and nothing of that is left afterwards. */
static void test_always(void **state)
{
	static const struct smmu_device_ops ops = {set_ats};
	static const uint32_t stream = 5;

	for (unsigned always = 0; always < 2; always++)
		for (unsigned ssid_bits = 0; ssid_bits < 9; ssid_bits += 8) {
			struct smmu_device_config cfg = {.streams = &stream,
							 .nr_streams = 1,
							 .ats = true,
							 .ats_always = always,
							 .ops = &ops};
			struct smmu_device dev;
			size_t bytes, plain, before;

			start(true, ssid_bits);
			cfg.instance = &rig.smmu[0].inst;
			cfg.ctx = smmu_model_device(rig.model, 0, 5, true);
			if (always && !ssid_bits) {
				assert_int_equal(smmu_device_init(&dev, &cfg), -SMMU_EOPNOTSUPP);
				finish();
				continue;
			}
			smmu_device_memory(&cfg, &bytes, &plain);
			before = rig.heap.dma_bytes;
			assert_int_equal(smmu_device_init(&dev, &cfg), 0);
			assert_int_equal(rig.heap.dma_bytes - before, bytes);
			assert_int_equal(smmu_attach(&dev, &identity), 0);
			assert_int_equal(smmu_model_ats_enabled(cfg.ctx), always);
			assert_true(dma(SMMU_DMA_ORDINARY, RIG_PA(7)));
			assert_true(dma(SMMU_DMA_UNTRANSLATED, RIG_PA(7)));
			assert_int_equal(dma(SMMU_DMA_TRANSLATED, RIG_PA(7)), always);
			assert_int_equal(smmu_model_atc_count(cfg.ctx), always);
			assert_int_equal(smmu_attach(&dev, &domain), 0);
			assert_true(smmu_model_ats_enabled(cfg.ctx));
			assert_false(dma(SMMU_DMA_ORDINARY, RIG_PA(7)));
			assert_int_equal(smmu_attach(&dev, &identity), 0);
			assert_true(dma(SMMU_DMA_ORDINARY, RIG_PA(7)));
			smmu_detach(&dev);
			assert_false(smmu_model_ats_enabled(cfg.ctx));
			assert_false(dma(SMMU_DMA_ORDINARY, RIG_PA(7)));
			assert_false(dma(SMMU_DMA_TRANSLATED, RIG_PA(7)));
			smmu_device_fini(&dev);
			finish();
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many),   cmocka_unit_test(test_twice),
		cmocka_unit_test(test_sorted), cmocka_unit_test(test_group),
		cmocka_unit_test(test_always),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Adoption. The former owner's DMA is tried at each register access and each store of the driver: what can be trusted goes on without
 * one access lost.
 */
#include <smmuv3/handover.h>

#include <smmuv3/reset.h>

#include "former.h"
#include "guest.h"

static void test_nothing_lost(void **state)
{
	struct rig_device a, b;

	for (unsigned way = 0; way < 4; way++) {
		bool two = way & 1;

		open_with(two);
		run_former_owner(two);
		cfg.bypass = way & 2;
		landing_watch(&rig, lands, S1, S2, 0);
		landing_look();
		assert_true(lands(PASSING));
		assert_int_equal(smmu_instance_adopt(inst, &cfg, &report), 0);
		if (report.kept != (way & 2 ? 3 : 2))
			fail_msg("way %u: stream 0x%x: %s", way, report.first, report.first_why);
		assert_int_equal(report.refused, way & 2 ? 0 : 1);
		assert_int_equal(lands(PASSING), way >= 2);
		assert_false(lands(20));
		assert_true(landing_looks > 20);
		assert_null(smmu_instance_find_device(inst, S1));
		assert_true(inst->asids.bitmap[ASID / 64] & 1ull << ASID % 64);
		assert_true(inst->vmids.bitmap[VMID / 64] & 1ull << VMID % 64);
		rig_device(&rig, &a, 0, S1, 1, false, 0);
		rig_device(&rig, &b, 0, S2, 1, false, 4);
		assert_int_equal(smmu_attach(&a.dev, &other), 0);
		assert_int_equal(smmu_attach(&b.dev, &other), 0);
		assert_int_equal(smmu_instance_adopt_end(inst), 0);
		assert_int_equal(smmu_instance_adopt_end(inst), 0);
		assert_false(lands(PASSING));
		/* Nothing of the former owner's is left but the first level of the stream table. */
		memset(word(two ? LEVEL2 : CDS), 0xff, BYTES - (two ? LEVEL2 : CDS));
		landing_look();
		landing_end(&rig);
		assert_int_equal(smmu_unmap(&other, BUFFER, 0x1000, 0), 0);
		assert_false(lands(S1) || lands(S2));
		/* And it can be started over. */
		assert_int_equal(smmu_map(&other, BUFFER, BUFFER, 0x1000, RW, 0), 0);
		assert_int_equal(smmu_instance_revive(inst), 0);
		assert_true(lands(S1) && lands(S2));
		finish();
	}
}

static int set_ats(void *ctx, bool on, unsigned stu)
{
	(void)stu;
	smmu_model_ats_enable(ctx, on);
	return 0;
}

/** The old CDs and the new ones under STEs that use them in different ways. */
static void test_cds_used(void **state)
{
	static const struct smmu_device_ops ops = {set_ats};
	static const uint32_t stream = S1;

	for (unsigned way = 0; way < 3; way++) {
		struct smmu_device_config dc = {
			.instance = inst, .streams = &stream, .nr_streams = 1};
		struct smmu_model_config c = rig_config();
		struct smmu_domain identity;
		struct smmu_device dev;

		c.stall_model = way == 2;
		open_part(&c, false);
		rig_domain(&rig, &identity, SMMU_DOMAIN_IDENTITY);
		if (way == 0) {
			/* S1STALLD, and CDs that stall: together they are illegal. */
			ste(S1, false)[1] |= 1ull << 27;
			dc.stalls = true;
		} else if (way == 1) {
			/* CDs that stall, and S1STALLD. */
			word(CDS)[0] |= 1ull << 44;
		} else {
			/* What has no substream goes by CD 0, and passes without one. */
			ste(S1, false)[0] |= 4ull << 59;
			ste(S1, false)[1] |= 2;
			dc.ats = dc.ats_always = true;
			dc.ssid_bits = 4;
			dc.ops = &ops;
			dc.ctx = smmu_model_device(rig.model, 0, S1, true);
		}
		run_former_owner(false);
		landing_watch(&rig, lands, S1, 0, 0);
		assert_int_equal(smmu_instance_adopt(inst, &cfg, &report), 0);
		assert_int_equal(report.kept, 2);
		assert_int_equal(smmu_device_init(&dev, &dc), 0);
		assert_int_equal(smmu_attach(&dev, way < 2 ? &other : &identity), 0);
		landing_end(&rig);
		smmu_device_fini(&dev);
		assert_int_equal(smmu_domain_fini(&identity), 0);
		finish();
	}
}

/** Nor is there an STE of stage 1 alone, which the SMMU might read, by which it would. */
static bool stays_in(uint32_t stream)
{
	const uint64_t *w = ste(stream, false);

	return !reaches(stream, BUFFER + 0x4000, NULL) &&
	       !((w[0] >> 1 & 7) == 5 && (w[1] & 3) == 1);
}

/** To a guest by whose STE what has no substream is its own physical address: at no moment is it the machine's. */
static void test_to_a_guest(void **state)
{
	struct smmu_domain parent, nested;
	const uint32_t name = 0x50;
	struct smmu_vsmmu v;
	struct rig_device a;
	struct smmu_ste to;
	struct guest g;

	open_with(false);
	ste(S1, false)[0] |= 4ull << 59;
	ste(S1, false)[1] |= 2;
	run_former_owner(false);
	assert_int_equal(smmu_instance_adopt(inst, &cfg, &report), 0);
	assert_int_equal(report.kept, 2);
	rig_domain(&rig, &parent, SMMU_DOMAIN_STAGE2);
	guest_init(&g, &rig, &parent);
	guest_vsmmu(&v, &rig, 0, &parent);
	rig_device(&rig, &a, 0, S1, 1, false, 0);
	assert_int_equal(smmu_vsmmu_plug(&v, &a.dev, &name), 0);
	to = guest_ste(&g, false);
	to.w[0] |= 2ull << 59;
	to.w[1] |= SMMU_STE_S1DSS_BYPASS;
	assert_int_equal(smmu_nested_init(&nested, &v, &to, NULL), 0);
	landing_watch(&rig, stays_in, S1, 0, 0);
	assert_int_equal(smmu_attach(&a.dev, &nested), 0);
	landing_end(&rig);
	smmu_device_fini(&a.dev);
	assert_int_equal(smmu_domain_fini(&nested), 0);
	assert_int_equal(smmu_vsmmu_fini(&v), 0);
	guest_fini(&g);
	assert_int_equal(smmu_domain_fini(&parent), 0);
	finish();
}

#define LAST 255u

/** Stores of whoever adopts linger: those of the copy come after those that made our tables, and not beside them. */
static void adopter(void *arg)
{
	CHECK(smmu_instance_adopt(inst, &cfg, &report) == 0);
}

static void test_stores_linger(void **state)
{
	open_with(true);
	/* The last of its table, whose stores linger longest. */
	ste(LAST, true)[0] = 1 | 4 << 1;
	ste(LAST, true)[1] = 1ull << 44;
	run_former_owner(true);
	cfg.bypass = true;
	sim_set_store_buffer(rig.sim, SIM_STORES_BUFFERED, 1000000, 100000);
	sim_spawn(rig.sim, adopter, NULL);
	assert_int_equal(sim_run(rig.sim), 0);
	assert_int_equal(report.kept, 4);
	assert_true(lands(S1) && lands(S2) && lands(PASSING) && lands(LAST));
	finish();
}

/** Who is not taken over aborts at the end, also if its device was added. */
static void test_end(void **state)
{
	struct rig_device a, b;

	for (unsigned two = 0; two < 2; two++) {
		open_with(two);
		run_former_owner(two);
		assert_int_equal(smmu_instance_adopt(inst, &cfg, NULL), 0);
		rig_device(&rig, &a, 0, S1, 1, false, 0);
		smmu_device_fini(&a.dev);
		rig_device(&rig, &b, 0, S1, 2, false, 0);
		assert_true(lands(S1) && lands(S2));
		rig.smmu[0].frozen = true;
		assert_int_equal(smmu_instance_adopt_end(inst), -SMMU_EIO);
		rig.smmu[0].frozen = false;
		assert_int_equal(smmu_instance_revive(inst), 0);
		assert_int_equal(smmu_instance_adopt_end(inst), 0);
		assert_false(lands(S1) || lands(S2));
		/* Its translations may still be in the TLB. */
		assert_true(inst->vmids.bitmap[VMID / 64] & 1ull << VMID % 64);
		assert_int_equal(smmu_attach(&b.dev, &other), 0);
		assert_true(lands(S1) && lands(S2));
		finish();
	}
}

/** A device that is not kept had ATS on: what its ATC holds of the former owner is not used again when it is attached. */
static void test_old_atc(void **state)
{
	struct smmu_model_device *hw;
	struct rig_device a;

	for (unsigned kept = 0; kept < 2; kept++) {
		open_with(false);
		hw = smmu_model_device(rig.model, 0, S1, true);
		ste(S1, false)[1] |= 1ull << 28;
		run_former_owner(false);
		smmu_model_ats_enable(hw, true);
		assert_true(reaches(S1, BUFFER + 0x3000, NULL));
		/* Found out between then and now. */
		if (!kept)
			*word(TABLES1 + 0x2008) = SECRET | 0x403;
		assert_int_equal(smmu_unmap(&other, BUFFER + 0x3000, 0x1000, 0), 0);
		assert_int_equal(smmu_instance_adopt(inst, &cfg, &report), 0);
		assert_int_equal(report.kept, 1 + kept);
		rig_device(&rig, &a, 0, S1, 1, true, 0);
		assert_int_equal(reaches(S1, BUFFER + 0x3000, NULL), kept);
		assert_int_equal(smmu_attach(&a.dev, &other), 0);
		assert_true(lands(S1));
		assert_false(reaches(S1, BUFFER + 0x3000, NULL));
		finish();
	}
}

/** Its ATC does not answer when it is taken over: it is cut off, and nothing of the former owner's is kept of it. */
static void test_silent(void **state)
{
	struct smmu_model_device *hw;
	struct rig_device a;

	open_with(false);
	hw = smmu_model_device(rig.model, 0, S2, true);
	ste(S2, false)[1] |= 1ull << 28;
	run_former_owner(false);
	smmu_model_ats_enable(hw, true);
	assert_int_equal(smmu_instance_adopt(inst, &cfg, &report), 0);
	rig_device(&rig, &a, 0, S2, 1, true, 0);
	assert_true(a.dev.streams->kept && lands(S2));
	smmu_model_atc_mute(hw, true);
	assert_int_equal(smmu_attach(&a.dev, &other), -SMMU_EIO);
	assert_true(smmu_device_quarantined(&a.dev));
	assert_false(a.dev.streams->kept || lands(S2));
	smmu_model_atc_mute(hw, false);
	assert_int_equal(smmu_device_recover(&a.dev), 0);
	assert_false(smmu_device_quarantined(&a.dev) || lands(S2));
	assert_int_equal(smmu_attach(&a.dev, &other), 0);
	assert_true(lands(S2));
	smmu_device_fini(&a.dev);
	finish();
}

/** The end is not confirmed: a stream that nobody has wanted may go on, so no device has it as one that is known to be blocked. */
static void test_end_not_confirmed(void **state)
{
	struct rig_device a;

	open_with(false);
	run_former_owner(false);
	assert_int_equal(smmu_instance_adopt(inst, &cfg, &report), 0);
	assert_true(lands(S1) && lands(S2));
	rig.smmu[0].frozen = true;
	assert_int_equal(smmu_instance_adopt_end(inst), -SMMU_EIO);
	assert_int_equal(rig_device_try(&rig, &a, 0, S1, 1, false, 0), -SMMU_EIO);
	assert_true(lands(S1));
	rig_thaw(&rig, 0);
	rig_device(&rig, &a, 0, S1, 1, false, 0);
	assert_true(smmu_device_confirmed(&a.dev));
	assert_false(lands(S1));
	assert_int_equal(smmu_instance_adopt_end(inst), 0);
	assert_false(lands(S2));
	assert_int_equal(smmu_attach(&a.dev, &other), 0);
	assert_true(lands(S1));
	smmu_device_fini(&a.dev);
	finish();
}

/** What has stalled before the adoption, and nobody knows of any more, ends once its stream aborts, however that comes. */
static void test_stalled_before(void **state)
{
	enum { DETACH, RESET, NOBODY, ATTACH, GONE, NOT_ATTACHED, WAYS };
	const struct smmu_dma dma = {.stream = S1, .iova = BUFFER + 0x100000};

	for (unsigned way = 0; way < 2 * WAYS; way++) {
		unsigned how = way / 2;
		struct smmu_dma_result r;
		struct rig_device a;
		struct smmu_model_config c = rig_config();
		uint16_t tag;

		c.stall_model = 0;
		open_part(&c, way % 2);
		/* CDs that stall. */
		word(CDS)[0] |= 1ull << 44;
		run_former_owner(way % 2);
		r = smmu_model_dma(rig.model, &dma);
		assert_true(r.stalled);
		tag = r.stag;
		landing_watch(&rig, lands, how == ATTACH || how == NOT_ATTACHED ? S1 : S2, 0, 0);
		assert_int_equal(smmu_instance_adopt(inst, &cfg, &report), 0);
		if (how != NOBODY)
			rig_device(&rig, &a, 0, S1, 1, false, 0);
		rig_log_reset(&rig);
		if (how == ATTACH)
			assert_int_equal(smmu_attach(&a.dev, &other), 0);
		/* As long as its STE passes more may stall. */
		if (how == NOT_ATTACHED)
			smmu_device_fini(&a.dev);
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_STALL_TERM), 0);
		assert_false(smmu_model_stall(rig.model, 0, tag, &r));
		landing_end(&rig);
		if (how == DETACH || how == ATTACH)
			smmu_detach(&a.dev);
		else if (how == RESET)
			assert_int_equal(smmu_device_reset_prepare(&a.dev), 0);
		else if (how == GONE)
			smmu_device_gone(&a.dev);
		else
			assert_int_equal(smmu_instance_adopt_end(inst), 0);
		assert_true(smmu_model_stall(rig.model, 0, tag, &r));
		assert_false(r.ok);
		/* Once. */
		rig_log_reset(&rig);
		if (how != NOBODY && how != NOT_ATTACHED && how != GONE) {
			if (how == RESET)
				assert_int_equal(smmu_device_reset_done(&a.dev), 0);
			assert_int_equal(smmu_attach(&a.dev, &other), 0);
			smmu_detach(&a.dev);
		}
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_STALL_TERM), 0);
		if (how != NOBODY && how != NOT_ATTACHED)
			smmu_device_fini(&a.dev);
		finish();
	}
}

/** An SMMU that cannot be adopted goes on as it was, and can be enabled. */
static void test_refused(void **state)
{
	for (unsigned n = 0; n < 5; n++) {
		open_with(n == 3);
		run_former_owner(n == 3);
		landing_watch(&rig, lands, S1, S2, 0);
		if (n == 0)
			memory.bus += 0x1000;
		if (n == 1)
			memory.size = 0x4000;
		if (n == 2)
			cfg.nr_memory = 0;
		if (n == 3)
			rig.fail_from = 1, rig.fail_count = 1000;
		if (n == 4) {
			landing_end(&rig);
			put(SMMU_CR0, 0);
			wait_for(SMMU_CR0ACK, 0);
			mmio_check_former_owner(&rig.smmu[0].check, 0, 0);
		}
		assert_int_equal(smmu_instance_adopt(inst, &cfg, &report), n < 2 ? -SMMU_EOPNOTSUPP
									   : n == 2 ? -SMMU_EINVAL
									   : n == 3 ? -SMMU_ENOMEM
										    : -SMMU_ENODEV);
		rig.fail_count = 0;
		if (n < 4)
			landing_look();
		landing_end(&rig);
		assert_int_equal(smmu_instance_enable(inst), 0);
		assert_int_equal(smmu_instance_adopt(inst, &cfg, &report),
				 n == 2 ? -SMMU_EINVAL : -SMMU_EBUSY);
		assert_false(lands(S1) || lands(S2) || lands(PASSING));
		finish();
	}
}

static bool nobody(void *ctx, uint32_t stream)
{
	return false;
}

/** What is refused is walked for as long as its CD may be cached; nothing of that is left under an ASID that is given anew. */
static void test_walked_late(void **state)
{
	for (unsigned n = 0; n < 4; n++) {
		struct smmu_model_config c = rig_config();
		struct rig_device a;

		c.prefetch_permille = 1000;
		open_part(&c, false);
		/* The first that the library gives, too. */
		word(CDS)[0] = (word(CDS)[0] & ~(0xffffull << 48)) | 1ull << 48;
		run_former_owner(false);
		for (unsigned i = 0; i <= n; i++)
			assert_true(lands(S1));
		cfg.keep = nobody;
		assert_int_equal(smmu_instance_adopt(inst, &cfg, &report), 0);
		assert_int_equal(report.kept, 0);
		assert_false(lands(S1));
		assert_int_equal(smmu_unmap(&other, BUFFER, 0x4000, 0), 0);
		rig_device(&rig, &a, 0, S1, 1, false, 0);
		assert_int_equal(smmu_attach(&a.dev, &other), 0);
		rig_expect_array(&rig, &other, "0:asid1");
		assert_false(lands(S1));
		smmu_detach(&a.dev);
		smmu_device_fini(&a.dev);
		finish();
	}
}

/** It dies at each register write. */
static void test_dies(void **state)
{
	unsigned n;

	for (n = 1;; n++) {
		int error;

		open_with(false);
		run_former_owner(false);
		rig.smmu[0].die_after = n;
		error = smmu_instance_adopt(inst, &cfg, &report);
		rig.smmu[0].die_after = 0;
		if (!error)
			break;
		assert_true(rig.smmu[0].gone);
		rig.smmu[0].gone = false;
		assert_int_equal(smmu_instance_remove(inst), 0);
		assert_int_equal(smmu_instance_enable(inst), 0);
		assert_false(lands(S1));
		finish();
	}
	assert_true(n > 10);
	finish();
}

/** What one instance of the library leaves with its tables, another adopts. */
static void test_own_tables(void **state)
{
	static struct smmu_instance next;
	struct rig_device a;
	struct smmu_instance_config ic;

	open_with(true);
	assert_int_equal(smmu_instance_enable(inst), 0);
	rig.smmu[0].check.queues_may_go = true;
	rig_device(&rig, &a, 0, S1, 1, false, 4);
	assert_int_equal(smmu_attach_pasid(&a.dev, 3, &other), 0);
	assert_int_equal(smmu_attach(&a.dev, &other), 0);
	landing_watch(&rig, lands, S1, 0, 0);
	assert_int_equal(smmu_instance_hand_over(inst, SMMU_HAND_OVER_TABLES), 0);
	ic = rig_instance_config(&rig, 0, 0);
	memory = (struct smmu_adopt_memory){rig.ram.base, rig.ram.size, rig.ram.va};
	assert_int_equal(smmu_instance_probe(&next, &ic), 0);
	assert_int_equal(smmu_instance_adopt(&next, &cfg, &report), 0);
	assert_int_equal(report.kept, 1);
	assert_int_equal(report.refused, 0);
	landing_look();
	landing_end(&rig);
	assert_int_equal(smmu_instance_remove(&next), 0);
	assert_false(lands(S1));
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_lost),   cmocka_unit_test(test_end),
		cmocka_unit_test(test_refused),        cmocka_unit_test(test_dies),
		cmocka_unit_test(test_walked_late),    cmocka_unit_test(test_own_tables),
		cmocka_unit_test(test_old_atc),        cmocka_unit_test(test_cds_used),
		cmocka_unit_test(test_to_a_guest),     cmocka_unit_test(test_stores_linger),
		cmocka_unit_test(test_silent),         cmocka_unit_test(test_end_not_confirmed),
		cmocka_unit_test(test_stalled_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

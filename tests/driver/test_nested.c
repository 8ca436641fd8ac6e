/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual SMMUs: guests that translate for themselves, over the stage 2 of a parent. */
#include <smmuv3/handover.h>
#include <smmuv3/nested.h>

#include "guest.h"
#include "rig.h"

static struct rig rig;

/**
 * One guest with one virtual SMMU on instance 0 and one device there, stream 5, attached; VA 0x1000
 * is IPA page 1.
 */
struct one {
	struct smmu_domain parent, nested;
	struct guest guest;
	struct smmu_vsmmu v;
	struct rig_device d;
};

static void set_up(struct one *o, bool ats)
{
	struct smmu_ste ste;
	const uint32_t name = 0x50;

	rig_domain(&rig, &o->parent, SMMU_DOMAIN_STAGE2);
	guest_init(&o->guest, &rig, &o->parent);
	guest_vsmmu(&o->v, &rig, 0, &o->parent);
	rig_device(&rig, &o->d, 0, 5, 1, ats, 0);
	assert_int_equal(smmu_vsmmu_plug(&o->v, &o->d.dev, &name), 0);
	guest_map(&o->guest, 0x1000, GUEST_IPA(1));
	ste = guest_ste(&o->guest, ats);
	assert_int_equal(smmu_nested_init(&o->nested, &o->v, &ste, NULL), 0);
	assert_int_equal(smmu_attach(&o->d.dev, &o->nested), 0);
}

static void tear_down(struct one *o)
{
	smmu_device_fini(&o->d.dev);
	assert_int_equal(smmu_domain_fini(&o->nested), 0);
	assert_int_equal(smmu_vsmmu_fini(&o->v), 0);
	guest_fini(&o->guest);
	assert_int_equal(smmu_domain_fini(&o->parent), 0);
}

/**
 * Through the guest's table and stage 2; an unmap of the parent clears both, and what was combined.
 */
static void test_translates(void **state)
{
	struct one o;

	rig_open_up(&rig, 1);
	set_up(&o, false);
	rig_expect(&o.d, 0x1000, RIG_PA(1));
	rig_refused(&o.d, 0x2000);
	rig_expect_array(&rig, &o.parent, "0:vmid1 0:clear1");
	rig_log_reset(&rig);
	assert_int_equal(smmu_unmap(&o.parent, GUEST_IPA(1), 0x1000, 0), 0);
	assert_string_equal(rig_log(&rig), "TLBI_S2_IPA(1,80001000*1) SYNC TLBI_NH_ALL(1) SYNC");
	rig_refused(&o.d, 0x1000);
	assert_int_equal(smmu_map(&o.parent, GUEST_IPA(1), RIG_PA(7), 0x1000, 3, 0), 0);
	rig_expect(&o.d, 0x1000, RIG_PA(7));
	tear_down(&o);
	rig_close(&rig);
}

/**
 * With ATS: each unmap of the parent clears the whole ATC, since the device knows the guest's
 * addresses.
 */
static void test_ats(void **state)
{
	struct one o;

	rig_open_up(&rig, 1);
	set_up(&o, true);
	assert_true(o.d.ats);
	rig_expect(&o.d, 0x1000, RIG_PA(1));
	assert_true(smmu_model_atc_count(o.d.hw[0]) > 0);
	rig_expect_array(&rig, &o.parent, "0:vmid1 0:clear1 0:atsfull5");
	rig_log_reset(&rig);
	assert_int_equal(smmu_unmap(&o.parent, GUEST_IPA(1), 0x1000, 0), 0);
	assert_string_equal(rig_log(&rig),
			    "TLBI_S2_IPA(1,80001000*1) SYNC TLBI_NH_ALL(1) SYNC ATC_INV(5) SYNC");
	rig_refused(&o.d, 0x1000);
	rig_log_reset(&rig);
	assert_int_equal(smmu_flush_all(&o.nested), 0);
	assert_string_equal(rig_log(&rig),
			    "TLBI_S12_VMALL(1) SYNC TLBI_NH_ALL(1) SYNC ATC_INV(5) SYNC");
	/* The guest lets go of ATS: off in the device first. */
	{
		struct smmu_ste ste = guest_ste(&o.guest, false);
		struct smmu_domain without;

		assert_int_equal(smmu_nested_init(&without, &o.v, &ste, NULL), 0);
		assert_int_equal(smmu_attach(&o.d.dev, &without), 0);
		assert_false(o.d.ats);
		assert_int_equal(smmu_attach(&o.d.dev, &o.nested), 0);
		assert_true(o.d.ats);
		assert_int_equal(smmu_domain_fini(&without), 0);
	}
	tear_down(&o);
	rig_close(&rig);
}

/** A guest's substreams: its ATC holds entries under them as well. */
static void test_substreams(void **state)
{
	struct rig_device d;
	struct smmu_domain parent, nested;
	struct smmu_vsmmu v;
	struct guest g;
	struct smmu_ste ste;

	rig_open_up(&rig, 1);
	rig_domain(&rig, &parent, SMMU_DOMAIN_STAGE2);
	guest_init(&g, &rig, &parent);
	guest_vsmmu(&v, &rig, 0, &parent);
	rig_device(&rig, &d, 0, 5, 1, true, 0);
	guest_map(&g, 0x1000, GUEST_IPA(1));
	ste = guest_ste(&g, true);
	/* Four CDs, of which 0 and 2 are valid; untagged traffic goes to 0. */
	ste.w[0] |= 2ull << 59;
	ste.w[1] |= SMMU_STE_S1DSS_SSID0;
	guest_cd(&g, 2, 9);
	assert_int_equal(smmu_nested_init(&nested, &v, &ste, NULL), 0);
	assert_int_equal(smmu_attach(&d.dev, &nested), 0);
	rig_expect_array(&rig, &parent, "0:vmid1 0:clear1 0:atsfull5 0:atsfull5+0");
	rig_expect(&d, 0x1000, RIG_PA(1));
	assert_true(rig_dma(&d, 0, 2, 0x1000, NULL));
	assert_false(rig_dma(&d, 0, 1, 0x1000, NULL));
	rig_log_reset(&rig);
	assert_int_equal(smmu_unmap(&parent, GUEST_IPA(1), 0x1000, 0), 0);
	assert_string_equal(rig_log(&rig), "TLBI_S2_IPA(1,80001000*1) SYNC TLBI_NH_ALL(1) SYNC "
					   "ATC_INV(5) ATC_INV(5+*) SYNC");
	assert_false(rig_dma(&d, 0, 2, 0x1000, NULL));
	rig_log_reset(&rig);
	smmu_detach(&d.dev);
	assert_non_null(strstr(rig_log(&rig), "ATS_OFF(5) ATC_INV(5) ATC_INV(5+*) SYNC"));
	smmu_device_fini(&d.dev);
	assert_int_equal(smmu_domain_fini(&nested), 0);
	assert_int_equal(smmu_vsmmu_fini(&v), 0);
	guest_fini(&g);
	assert_int_equal(smmu_domain_fini(&parent), 0);
	rig_close(&rig);
}

#define GUESTS 8

/**
 * A parent with eight virtual SMMUs on eight instances, and a ninth beside the first: an unmap
 * clears all at once.
 */
static void test_many(void **state)
{
	struct smmu_domain parent, nested[GUESTS + 1];
	struct smmu_vsmmu v[GUESTS + 1];
	struct rig_device d[GUESTS + 1], plain;
	struct smmu_ste ste;
	struct guest g;
	uint64_t one = 0, all;

	rig_open_up(&rig, GUESTS);
	/* What is left of the time is what is waited for. */
	for (unsigned kind = 0; kind < SIM_POINT_KINDS; kind++)
		sim_set_cost(rig.sim, (enum sim_point_kind)kind, 0);
	rig_domain(&rig, &parent, SMMU_DOMAIN_STAGE2);
	guest_init(&g, &rig, &parent);
	guest_map(&g, 0x1000, GUEST_IPA(1));
	guest_map(&g, 0x2000, GUEST_IPA(2));
	ste = guest_ste(&g, true);
	/* The parent itself, without a guest, has a VMID of its own. */
	rig_device(&rig, &plain, 0, 100, 1, false, 0);
	for (unsigned n = 0; n <= GUESTS; n++) {
		unsigned i = n == 0 ? 0 : n == 1 ? GUESTS : n - 1;

		guest_vsmmu(&v[i], &rig, i % GUESTS, &parent);
		rig_device(&rig, &d[i], i % GUESTS, 5 + i, 1, true, 0);
		assert_int_equal(smmu_nested_init(&nested[i], &v[i], &ste, NULL), 0);
		assert_int_equal(smmu_attach(&d[i].dev, &nested[i]), 0);
		rig_expect(&d[i], 0x1000, RIG_PA(1));
		rig_expect(&d[i], 0x2000, RIG_PA(2));
		if (i != GUESTS)
			continue;
		/* Instance 0 has all that it is going to have. */
		assert_int_equal(smmu_attach(&plain.dev, &parent), 0);
		rig_expect(&plain, GUEST_IPA(1), RIG_PA(1));
		one = sim_now(rig.sim);
		assert_int_equal(smmu_unmap(&parent, GUEST_IPA(3), 0x1000, 0), 0);
		one = sim_now(rig.sim) - one;
	}
	assert_string_equal(rig_array(&rig, &parent),
			    "0:vmid1 0:vmid2 0:vmid3 0:clear1 0:clear2 0:atsfull5 0:atsfull13 "
			    "1:vmid1 1:clear1 1:atsfull6 2:vmid1 2:clear1 2:atsfull7 "
			    "3:vmid1 3:clear1 3:atsfull8 4:vmid1 4:clear1 4:atsfull9 "
			    "5:vmid1 5:clear1 5:atsfull10 6:vmid1 6:clear1 6:atsfull11 "
			    "7:vmid1 7:clear1 7:atsfull12");
	all = sim_now(rig.sim);
	assert_int_equal(smmu_unmap(&parent, GUEST_IPA(1), 0x1000, 0), 0);
	all = sim_now(rig.sim) - all;
	/* The slowest, not the sum. */
	assert_true(all * 100 <= one * 105);
	for (unsigned i = 0; i <= GUESTS; i++) {
		rig_refused(&d[i], 0x1000);
		rig_expect(&d[i], 0x2000, RIG_PA(2));
	}
	rig_refused(&plain, GUEST_IPA(1));
	/* A guest goes; the others stay. */
	smmu_device_fini(&d[0].dev);
	assert_int_equal(smmu_domain_fini(&nested[0]), 0);
	assert_int_equal(smmu_vsmmu_fini(&v[0]), 0);
	assert_int_equal(smmu_domain_fini(&parent), -SMMU_EBUSY);
	assert_memory_equal(rig_array(&rig, &parent),
			    "0:vmid2 0:vmid3 0:clear2 0:atsfull13 1:vmid1 ", 45);
	rig_expect(&d[8], 0x2000, RIG_PA(2));
	rig_expect(&plain, GUEST_IPA(2), RIG_PA(2));
	/* The device of no guest goes first: the VMID of a guest is not taken for its own. */
	smmu_device_fini(&plain.dev);
	rig_expect(&d[8], 0x2000, RIG_PA(2));
	for (unsigned i = 1; i <= GUESTS; i++) {
		smmu_device_fini(&d[i].dev);
		assert_int_equal(smmu_domain_fini(&nested[i]), 0);
		assert_int_equal(smmu_vsmmu_fini(&v[i]), 0);
	}
	guest_fini(&g);
	assert_int_equal(smmu_domain_fini(&parent), 0);
	rig_close(&rig);
}

/** What an unmap could not clear, as no array named the VMID then, nobody finds later. */
static void test_joins_clean(void **state)
{
	struct smmu_domain nested;
	struct rig_device d;
	struct smmu_vsmmu v;
	struct smmu_ste ste;
	struct one o;

	rig_open_up(&rig, 1);
	set_up(&o, false);
	/* Another guest of the parent, on the same instance, stays. */
	guest_vsmmu(&v, &rig, 0, &o.parent);
	rig_device(&rig, &d, 0, 9, 1, false, 0);
	ste = guest_ste(&o.guest, false);
	assert_int_equal(smmu_nested_init(&nested, &v, &ste, NULL), 0);
	assert_int_equal(smmu_attach(&d.dev, &nested), 0);
	rig_expect(&o.d, 0x1000, RIG_PA(1));
	smmu_detach(&o.d.dev);
	rig_refused(&o.d, 0x1000);
	assert_int_equal(smmu_domain_fini(&o.parent), -SMMU_EBUSY);
	assert_int_equal(smmu_unmap(&o.parent, GUEST_IPA(1), 0x1000, 0), 0);
	assert_int_equal(smmu_map(&o.parent, GUEST_IPA(1), RIG_PA(3), 0x1000, 3, 0), 0);
	assert_int_equal(smmu_attach(&o.d.dev, &o.nested), 0);
	rig_expect(&o.d, 0x1000, RIG_PA(3));
	rig_expect(&d, 0x1000, RIG_PA(3));
	smmu_device_fini(&d.dev);
	assert_int_equal(smmu_domain_fini(&nested), 0);
	assert_int_equal(smmu_vsmmu_fini(&v), 0);
	tear_down(&o);
	/* The same VMID for somebody else, later. */
	for (unsigned i = 0; i < 300; i++) {
		set_up(&o, false);
		rig_expect(&o.d, 0x1000, RIG_PA(1));
		tear_down(&o);
	}
	rig_close(&rig);
}

/** The VMID that a virtual SMMU gave back is clean for whoever has it next. */
static void test_vmid_given_back(void **state)
{
	struct smmu_model_config config = rig_config();
	struct smmu_domain s2;
	struct rig_device d;
	struct one o;

	config.vmid16 = false;
	rig_open(&rig, &config, 1);
	rig_up(&rig, 0, 0);
	set_up(&o, false);
	rig_expect(&o.d, 0x1000, RIG_PA(1));
	tear_down(&o);
	rig_device(&rig, &d, 0, 9, 1, false, 0);
	for (unsigned i = 0; i < 260; i++) {
		rig_domain(&rig, &s2, SMMU_DOMAIN_STAGE2);
		assert_int_equal(smmu_map(&s2, GUEST_IPA(1), RIG_PA(9), 0x1000, 3, 0), 0);
		assert_int_equal(smmu_attach(&d.dev, &s2), 0);
		rig_expect(&d, GUEST_IPA(1), RIG_PA(9));
		smmu_detach(&d.dev);
		assert_int_equal(smmu_domain_fini(&s2), 0);
	}
	smmu_device_fini(&d.dev);
	rig_close(&rig);
}

/** STEs that abort, bypass, are invalid or illegal. */
static void test_stes(void **state)
{
	struct smmu_domain other, stage1;
	struct smmu_ste ste;
	const char *why;
	struct one o;

	rig_open_up(&rig, 2);
	set_up(&o, true);
	ste = (struct smmu_ste){{1 | 4 << 1}};
	assert_int_equal(smmu_nested_init(&other, &o.v, &ste, &why), 0);
	assert_null(why);
	assert_int_equal(smmu_attach(&o.d.dev, &other), 0);
	assert_false(o.d.ats);
	rig_expect(&o.d, GUEST_IPA(1), RIG_PA(1));
	rig_refused(&o.d, 0x1000);
	assert_int_equal(smmu_attach(&o.d.dev, &o.nested), 0);
	rig_expect(&o.d, 0x1000, RIG_PA(1));
	assert_int_equal(smmu_domain_fini(&other), 0);
	for (unsigned valid = 0; valid < 2; valid++) {
		ste = (struct smmu_ste){{valid}};
		assert_int_equal(smmu_nested_init(&other, &o.v, &ste, NULL), 0);
		assert_int_equal(smmu_attach(&o.d.dev, &other), 0);
		rig_refused(&o.d, 0x1000);
		rig_refused(&o.d, GUEST_IPA(1));
		assert_int_equal(smmu_map(&other, 0x1000, 0x1000, 0x1000, 3, 0), -SMMU_EOPNOTSUPP);
		assert_int_equal(smmu_domain_fini(&other), -SMMU_EBUSY);
		smmu_detach(&o.d.dev);
		assert_int_equal(smmu_domain_fini(&other), 0);
	}
	ste = guest_ste(&o.guest, true);
	ste.w[1] |= 2ull << 28;
	ste.w[1] &= ~(1ull << 28);
	assert_int_equal(smmu_nested_init(&other, &o.v, &ste, &why), -SMMU_EINVAL);
	assert_string_equal(why, "STE.EATS split without stage 2");
	assert_int_equal(smmu_domain_fini(&other), 0);
	/*
	 * Nested and substreams of the host do not go together; nor a virtual SMMU of another
	 * instance.
	 */
	{
		struct rig_device d;

		rig_domain_with_page(&rig, &stage1, SMMU_DOMAIN_STAGE1, 4);
		rig_device(&rig, &d, 0, 9, 1, false, 4);
		assert_int_equal(smmu_attach_pasid(&d.dev, 1, &stage1), 0);
		assert_int_equal(smmu_attach(&d.dev, &o.nested), -SMMU_EBUSY);
		smmu_detach_pasid(&d.dev, 1);
		assert_int_equal(smmu_attach(&d.dev, &o.nested), 0);
		assert_int_equal(smmu_attach_pasid(&d.dev, 1, &stage1), -SMMU_EBUSY);
		rig_expect(&d, 0x1000, RIG_PA(1));
		smmu_device_fini(&d.dev);
		rig_device(&rig, &d, 1, 9, 1, false, 0);
		assert_int_equal(smmu_attach(&d.dev, &o.nested), -SMMU_EOPNOTSUPP);
		/* From stage 1 and back. */
		smmu_device_fini(&d.dev);
		assert_int_equal(smmu_attach(&o.d.dev, &stage1), 0);
		rig_expect(&o.d, 0x1000, RIG_PA(4));
		assert_int_equal(smmu_attach(&o.d.dev, &o.nested), 0);
		rig_expect(&o.d, 0x1000, RIG_PA(1));
		assert_int_equal(smmu_domain_fini(&stage1), 0);
	}
	tear_down(&o);
	rig_close(&rig);
}

static void test_init_refused(void **state)
{
	struct smmu_model_config config = rig_config();
	struct smmu_vsmmu_config c;
	struct smmu_domain parent, stage1;
	struct smmu_vsmmu v, more[256];
	unsigned n = 0;

	config.vmid16 = false;
	rig_open(&rig, &config, 2);
	rig_up(&rig, 0, 0);
	rig_domain(&rig, &parent, SMMU_DOMAIN_STAGE2);
	rig_domain(&rig, &stage1, SMMU_DOMAIN_STAGE1);
	c = (struct smmu_vsmmu_config){.instance = &rig.smmu[0].inst, .parent = &stage1};
	c.shown = guest_shown(&rig, 0);
	assert_int_equal(smmu_vsmmu_init(&v, &c), -SMMU_EINVAL);
	c.parent = NULL;
	assert_int_equal(smmu_vsmmu_init(&v, &c), -SMMU_EINVAL);
	c.parent = &parent;
	c.shown.idr0 |= SMMU_IDR0_S2P;
	assert_int_equal(smmu_vsmmu_init(&v, &c), -SMMU_EOPNOTSUPP);
	assert_int_equal(smmu_vsmmu_fini(&v), 0);
	c.shown = guest_shown(&rig, 0);
	c.instance = &rig.smmu[1].inst;
	assert_int_equal(smmu_instance_probe(c.instance,
					     &(struct smmu_instance_config){
						     .port = &rig.port,
						     .mmio = rig_instance_config(&rig, 1, 0).mmio}),
			 0);
	assert_int_equal(smmu_vsmmu_init(&v, &c), -SMMU_ENODEV);
	/* VMIDs run out, and come back. */
	c.instance = &rig.smmu[0].inst;
	while (n < 256 && !smmu_vsmmu_init(&more[n], &c))
		n++;
	assert_int_equal(n, 255);
	assert_int_equal(smmu_vsmmu_init(&v, &c), -SMMU_ENOSPC);
	assert_int_equal(smmu_vsmmu_fini(&more[17]), 0);
	assert_int_equal(smmu_vsmmu_init(&more[17], &c), 0);
	while (n)
		assert_int_equal(smmu_vsmmu_fini(&more[--n]), 0);
	assert_int_equal(smmu_domain_fini(&parent), 0);
	assert_int_equal(smmu_domain_fini(&stage1), 0);
	rig_close(&rig);
}

/** What the driver keeps from a part with errata, guests do as well: their commands reach it. */
static void test_quirks(void **state)
{
	static const struct {
		uint32_t quirk, idr0, idr3;
	} of[] = {{SMMU_QUIRK_NO_RANGE, 0, SMMU_IDR3_RIL},
		  {SMMU_QUIRK_NO_ATS, SMMU_IDR0_ATS | SMMU_IDR0_PRI, 0}};

	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(of); i++) {
		struct smmu_vsmmu_config c = {.instance = &rig.smmu[0].inst};
		struct smmu_model_config config = rig_config();
		struct smmu_domain parent;
		struct smmu_vsmmu v;

		config.pri = true;
		rig_open(&rig, &config, 1);
		rig_up(&rig, 0, of[i].quirk);
		rig_domain(&rig, &parent, SMMU_DOMAIN_STAGE2);
		c.parent = &parent;
		c.shown = guest_shown(&rig, 0);
		assert_int_equal(c.shown.idr0 & of[i].idr0, of[i].idr0);
		assert_int_equal(c.shown.idr3 & of[i].idr3, of[i].idr3);
		assert_int_equal(smmu_vsmmu_init(&v, &c), -SMMU_EOPNOTSUPP);
		smmu_vsmmu_ids(c.instance, &c.shown);
		assert_int_equal(c.shown.idr0, guest_shown(&rig, 0).idr0 & ~of[i].idr0);
		assert_int_equal(c.shown.idr3, guest_shown(&rig, 0).idr3 & ~of[i].idr3);
		assert_int_equal(smmu_vsmmu_init(&v, &c), 0);
		assert_int_equal(smmu_vsmmu_fini(&v), 0);
		assert_int_equal(smmu_domain_fini(&parent), 0);
		rig_close(&rig);
	}
}

/** The instance goes, with guests on it; on another one they live on. */
static void test_removal(void **state)
{
	struct smmu_cmd cmd = {{0x30}};
	struct smmu_vsmmu_done done;
	struct one o;

	rig_open_up(&rig, 1);
	set_up(&o, true);
	assert_int_equal(smmu_instance_remove(&rig.smmu[0].inst), 0);
	assert_int_equal(smmu_attach(&o.d.dev, &o.nested), -SMMU_ENODEV);
	assert_int_equal(smmu_vsmmu_invalidate(&o.v, &cmd, 1, &done), -SMMU_ENODEV);
	assert_int_equal(done.count, 0);
	assert_int_equal(smmu_unmap(&o.parent, GUEST_IPA(1), 0x1000, 0), 0);
	tear_down(&o);
	rig_close(&rig);
}

/** It is left with its tables, guests among them, and given up for good some time later. */
static void test_left(void **state)
{
	struct smmu_cmd cmd = {{0x30}};
	struct smmu_vsmmu_done done;
	struct one o;

	rig_open_up(&rig, 1);
	rig.smmu[0].check.queues_may_go = true;
	set_up(&o, false);
	assert_int_equal(smmu_instance_hand_over(&rig.smmu[0].inst, SMMU_HAND_OVER_TABLES), 0);
	/* Somebody has reset it. */
	smmu_model_reset(rig.model, 0);
	mmio_check_former_owner(&rig.smmu[0].check, 0, 0);
	smmu_instance_forget(&rig.smmu[0].inst);
	assert_int_equal(smmu_vsmmu_invalidate(&o.v, &cmd, 1, &done), -SMMU_ENODEV);
	tear_down(&o);
	rig_close(&rig);
}

/**
 * An SMMU that does not confirm: the domain, the virtual SMMU and the parent stay until it does.
 */
static void test_not_confirmed(void **state)
{
	struct one o;

	rig_open_up(&rig, 1);
	set_up(&o, false);
	rig_expect(&o.d, 0x1000, RIG_PA(1));
	smmu_model_kill_queue(rig.model, 0, 1, false);
	smmu_detach(&o.d.dev);
	assert_false(smmu_device_confirmed(&o.d.dev));
	assert_int_equal(smmu_domain_fini(&o.nested), -SMMU_EBUSY);
	assert_int_equal(smmu_vsmmu_fini(&o.v), -SMMU_EBUSY);
	assert_int_equal(smmu_unmap(&o.parent, GUEST_IPA(1), 0x1000, 0), -SMMU_EIO);
	assert_int_equal(smmu_instance_revive(&rig.smmu[0].inst), 0);
	assert_true(smmu_device_confirmed(&o.d.dev));
	assert_int_equal(smmu_attach(&o.d.dev, &o.nested), 0);
	rig_refused(&o.d, 0x1000);
	/* And a revival keeps guests. */
	assert_int_equal(smmu_map(&o.parent, GUEST_IPA(1), RIG_PA(2), 0x1000, 3, 0), 0);
	assert_int_equal(smmu_instance_revive(&rig.smmu[0].inst), 0);
	rig_expect(&o.d, 0x1000, RIG_PA(2));
	tear_down(&o);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_translates),      cmocka_unit_test(test_ats),
		cmocka_unit_test(test_substreams),      cmocka_unit_test(test_many),
		cmocka_unit_test(test_joins_clean),     cmocka_unit_test(test_stes),
		cmocka_unit_test(test_init_refused),    cmocka_unit_test(test_quirks),
		cmocka_unit_test(test_removal),         cmocka_unit_test(test_left),
		cmocka_unit_test(test_vmid_given_back), cmocka_unit_test(test_not_confirmed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

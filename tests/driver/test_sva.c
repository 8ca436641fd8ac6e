/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains over a table that somebody else owns: here a table of the library's that plays the processors', so that the domain
 * learns of no change but by notices.
 */
#include <smmuv3/sva.h>

#include "random.h"
#include "rig.h"

static struct rig rig;

/** Somebody with a table: its address 0x1000 leads to page @p n. */
struct owner {
	struct smmu_pgtable pt;
	struct smmu_domain d;
};

static struct smmu_sva_config config_of(const struct owner *o, uint16_t asid)
{
	return (struct smmu_sva_config){.port = &rig.port,
					.ttb = o->pt.regs.ttb,
					.mair = o->pt.regs.mair,
					.asid = asid,
					.granule_shift = 12,
					.ias = 48,
					.oas = 44,
					.ir0 = 1,
					.or0 = 1,
					.sh0 = 3};
}

static void owner_make(struct owner *o, uint16_t asid, unsigned n)
{
	const struct smmu_pgtable_config t = {.port = &rig.port,
					      .stage = 1,
					      .granule_shift = 12,
					      .ias = 48,
					      .oas = 44,
					      .coherent = true};
	struct smmu_sva_config c;

	assert_int_equal(smmu_pgtable_init(&o->pt, &t), 0);
	assert_int_equal(smmu_pgtable_map(&o->pt, 0x1000, RIG_PA(n), 0x3000, SMMU_PROT_READ, 0), 0);
	c = config_of(o, asid);
	assert_int_equal(smmu_sva_init(&o->d, &c), 0);
}

static void owner_drop(struct owner *o)
{
	assert_int_equal(smmu_domain_fini(&o->d), 0);
	smmu_pgtable_destroy(&o->pt);
}

/** The owner takes its page away; the tables that go with it are its own affair. */
static void take_away(struct owner *o)
{
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g;

	smmu_gather_init(&g, 12);
	assert_int_equal(smmu_pgtable_unmap(&o->pt, 0x1000, 0x3000, 0, &g, &tables), 0);
	assert_null(tables.first);
}

static void reaches(struct rig_device *d, int32_t ssid, unsigned n)
{
	uint64_t pa = 0;

	assert_true(rig_dma(d, 0, ssid, 0x1000, &pa));
	assert_int_equal(pa, RIG_PA(n));
}

static void refused(struct rig_device *d, int32_t ssid)
{
	assert_false(rig_dma(d, 0, ssid, 0x1000, NULL));
}

/** The CD in memory. */
static const struct smmu_cd *cd_of(const struct rig_device *d, uint32_t ssid)
{
	const struct smmu_cdtab *t = &d->dev.streams->cdtab;

	assert_null(t->l2);
	return (const struct smmu_cd *)t->table + ssid;
}

static void test_config(void **state)
{
	static const struct {
		size_t at;
		uint64_t value;
	} wrong[] = {
#define WRONG(field, v) {offsetof(struct smmu_sva_config, field), v}
		WRONG(ias, 24),           WRONG(ias, 49), WRONG(oas, 43), WRONG(oas, 52),
		WRONG(granule_shift, 13), WRONG(ir0, 4),  WRONG(or0, 4),  WRONG(sh0, 1),
	};
	struct smmu_device *devs[1];
	struct rig_device d;
	struct owner o;

	rig_open_up(&rig, 1);
	owner_make(&o, 7, 1);
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(wrong); i++) {
		struct smmu_sva_config c = config_of(&o, 7);
		struct smmu_domain bad;

		((uint8_t *)&c)[wrong[i].at] = (uint8_t)wrong[i].value;
		assert_int_equal(smmu_sva_init(&bad, &c), -SMMU_EINVAL);
		assert_int_equal(smmu_domain_fini(&bad), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		struct smmu_sva_config c = config_of(&o, 7);
		struct smmu_domain bad;

		if (i == 0)
			c.port = NULL;
		else if (i == 1)
			c.asid = 0;
		else
			c.ttb = i == 2 ? c.ttb + 64 : 1ull << 44;
		assert_int_equal(smmu_sva_init(&bad, &c), -SMMU_EINVAL);
	}
	/* Its table is not the library's to write, and it is for substreams. */
	assert_int_equal(smmu_map(&o.d, 0x2000, RIG_PA(2), 0x1000, SMMU_PROT_READ, 0),
			 -SMMU_EOPNOTSUPP);
	assert_int_equal(smmu_unmap(&o.d, 0x1000, 0x1000, 0), -SMMU_EOPNOTSUPP);
	assert_int_equal(smmu_iova_to_phys(&o.d, 0x1000, &(uint64_t){0}, NULL), -SMMU_EOPNOTSUPP);
	rig_device(&rig, &d, 0, 5, 1, false, 4);
	assert_int_equal(smmu_attach(&d.dev, &o.d), -SMMU_EOPNOTSUPP);
	devs[0] = &d.dev;
	assert_int_equal(smmu_attach_many(devs, 1, &o.d, NULL), -SMMU_EOPNOTSUPP);
	assert_int_equal(o.d.users, 0);
	assert_int_equal(smmu_sva_update(&d.dev, 1), 0);
	smmu_device_fini(&d.dev);
	owner_drop(&o);
	rig_close(&rig);
}

/* Devices on two SMMUs, with ATS and without, each beside traffic of its own; one notice reaches all. */
static void test_notice(void **state)
{
	struct smmu_domain identity, stage1;
	struct rig_device d[4];
	struct owner o;
	uint64_t pa, *root, was;

	rig_open_up(&rig, 2);
	owner_make(&o, 77, 1);
	rig_domain(&rig, &identity, SMMU_DOMAIN_IDENTITY);
	rig_domain_with_page(&rig, &stage1, SMMU_DOMAIN_STAGE1, 9);
	for (unsigned i = 0; i < 4; i++) {
		rig_device(&rig, &d[i], i / 2, 5 + i, 1, i % 2, 8);
		assert_int_equal(smmu_attach_pasid(&d[i].dev, 1 + i, &o.d), 0);
		assert_ptr_equal(smmu_device_pasid(&d[i].dev, 1 + i), &o.d);
		assert_null(smmu_device_pasid(&d[i].dev, 9));
	}
	rig_expect_array(&rig, &o.d, "0:asid77*2 0:ats6+2 1:asid77*2 1:ats8+4");
	/* Its own traffic: blocked, identity, stage 1. */
	for (unsigned i = 0; i < 4; i++) {
		refused(&d[i], -1);
		assert_int_equal(smmu_attach(&d[i].dev, &identity), 0);
		assert_true(rig_dma(&d[i], 0, -1, 0x5000, &pa));
		assert_int_equal(pa, 0x5000);
		reaches(&d[i], 1 + (int)i, 1);
		assert_int_equal(smmu_attach(&d[i].dev, &stage1), 0);
		reaches(&d[i], -1, 9);
		reaches(&d[i], 1 + (int)i, 1);
		/* The CD says that processors share the ASID; that of the library's domain does not. */
		assert_int_equal(cd_of(&d[i], 1 + i)->w[0] & SMMU_CD_W0_ASET, 0);
		assert_int_not_equal(cd_of(&d[i], 0)->w[0] & SMMU_CD_W0_ASET, 0);
	}
	/* A table goes, which nobody says; it has what it had. */
	root = (uint64_t *)smmu_ram_at(&rig.ram, o.pt.regs.ttb, 8);
	was = *root;
	*root = 0;
	for (unsigned i = 0; i < 4; i++) {
		reaches(&d[i], 1 + (int)i, 1); /* nobody was told */
		assert_true(rig_dma(&d[i], 0, 1 + (int)i, 0x3000, &pa));
	}
	assert_int_equal(smmu_sva_notice(&o.d, 0x1000, 0x3fff), 0);
	for (unsigned i = 0; i < 4; i++) {
		refused(&d[i], 1 + (int)i);
		assert_false(rig_dma(&d[i], 0, 1 + (int)i, 0x3000, &pa));
	}
	*root = was;
	for (unsigned i = 0; i < 4; i++)
		reaches(&d[i], 1 + (int)i, 1);
	take_away(&o);
	assert_int_equal(smmu_sva_notice(&o.d, 0x1000, 0x3fff), 0);
	for (unsigned i = 0; i < 4; i++) {
		refused(&d[i], 1 + (int)i);
		reaches(&d[i], -1, 9);
		smmu_device_fini(&d[i].dev);
	}
	owner_drop(&o);
	assert_int_equal(smmu_domain_fini(&stage1), 0);
	assert_int_equal(smmu_domain_fini(&identity), 0);
	rig_close(&rig);
}

/* An ASID is one domain's on an instance: the library's, or an owner's. */
static void test_ids(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_domain own[3];
	struct rig_device d, e;
	struct owner o, p;

	c.asid16 = false;
	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, 0);
	owner_make(&o, 1, 1);
	owner_make(&p, 300, 2);
	rig_device(&rig, &d, 0, 5, 1, false, 4);
	rig_device(&rig, &e, 0, 6, 1, false, 4);
	for (unsigned i = 0; i < 3; i++)
		rig_domain_with_page(&rig, &own[i], SMMU_DOMAIN_STAGE1, 4 + i);
	/* The library has it. */
	assert_int_equal(smmu_attach_pasid(&d.dev, 1, &own[0]), 0);
	rig_expect_array(&rig, &own[0], "0:asid1");
	assert_int_equal(smmu_attach_pasid(&d.dev, 2, &o.d), -SMMU_EBUSY);
	assert_int_equal(smmu_sva_reserve(&rig.smmu[0].inst, 0, 5), -SMMU_EINVAL);
	assert_int_equal(smmu_sva_reserve(&rig.smmu[0].inst, 5, 4), -SMMU_EINVAL);
	assert_int_equal(smmu_sva_reserve(&rig.smmu[0].inst, 1, 5), -SMMU_EBUSY);
	/* It is not one of this SMMU's. */
	assert_int_equal(smmu_attach_pasid(&d.dev, 2, &p.d), -SMMU_ERANGE);
	rig_expect_array(&rig, &p.d, "");
	/* What is reserved the library does not take. */
	assert_int_equal(smmu_sva_reserve(&rig.smmu[0].inst, 2, 250), 0);
	assert_int_equal(smmu_sva_reserve(&rig.smmu[0].inst, 2, 65535), 0);
	assert_int_equal(smmu_attach_pasid(&d.dev, 3, &own[1]), -SMMU_ENOSPC);
	reaches(&d, 1, 4);
	/* Its table may have been looked at under that ASID: it is clean when an owner gets it. */
	smmu_detach_pasid(&d.dev, 1);
	rig_log_reset(&rig);
	assert_int_equal(smmu_attach_pasid(&d.dev, 2, &o.d), 0);
	assert_int_equal(rig_log_count(&rig, SMMU_CMD_TLBI_NH_ASID), 1);
	reaches(&d, 2, 1);
	/* Two owners cannot have the same. */
	assert_int_equal(smmu_sva_renumber(&p.d, 1), 0);
	assert_int_equal(smmu_attach_pasid(&e.dev, 1, &p.d), -SMMU_EBUSY);
	assert_int_equal(smmu_sva_renumber(&p.d, 2), 0);
	assert_int_equal(smmu_attach_pasid(&e.dev, 1, &p.d), 0);
	reaches(&e, 1, 2);
	smmu_detach_pasid(&d.dev, 2);
	smmu_detach_pasid(&e.dev, 1);
	/* From one owner to another: what the first left there is gone. */
	assert_int_equal(smmu_sva_renumber(&o.d, 2), 0);
	assert_int_equal(smmu_attach_pasid(&e.dev, 1, &o.d), 0);
	reaches(&e, 1, 1);
	smmu_device_fini(&d.dev);
	smmu_device_fini(&e.dev);
	owner_drop(&o);
	owner_drop(&p);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(smmu_domain_fini(&own[i]), 0);
	rig_close(&rig);
}

/* Two ASIDs on one instance: a notice in between reaches what either has. */
static void test_renumber(void **state)
{
	for (unsigned ats = 0; ats < 2; ats++) {
		struct rig_device d[3];
		struct owner o;

		rig_open_up(&rig, 2);
		owner_make(&o, 40, 1);
		for (unsigned i = 0; i < 3; i++) {
			rig_device(&rig, &d[i], i / 2, 5 + i, 1, ats, 4);
			assert_int_equal(smmu_attach_pasid(&d[i].dev, 3, &o.d), 0);
			reaches(&d[i], 3, 1);
		}
		assert_int_equal(smmu_sva_renumber(&o.d, 0), -SMMU_EINVAL);
		assert_int_equal(smmu_sva_renumber(&o.d, 41), 0);
		assert_int_equal(smmu_sva_renumber(&o.d, 42), -SMMU_EBUSY);
		assert_int_equal(smmu_sva_renumbered(&o.d), -SMMU_EBUSY);
		rig_log_reset(&rig);
		assert_int_equal(smmu_sva_update(&d[0].dev, 3), 0);
		assert_int_equal(rig_log_count(&rig, RIG_ATS_OFF), 0); /* one store */
		assert_int_equal(smmu_sva_update(&d[0].dev, 3), 0);
		if (!ats)
			rig_expect_array(&rig, &o.d, "0:asid40 0:asid41 1:asid40");
		for (unsigned i = 0; i < 3; i++)
			reaches(&d[i], 3, 1);
		take_away(&o);
		assert_int_equal(smmu_sva_notice(&o.d, 0x1000, 0x3fff), 0);
		for (unsigned i = 0; i < 3; i++)
			refused(&d[i], 3);
		assert_int_equal(smmu_sva_renumbered(&o.d), -SMMU_EBUSY);
		for (unsigned i = 1; i < 3; i++)
			assert_int_equal(smmu_sva_update(&d[i].dev, 3), 0);
		assert_int_equal(smmu_sva_renumbered(&o.d), 0);
		if (!ats)
			rig_expect_array(&rig, &o.d, "0:asid41*2 1:asid41");
		assert_int_equal(smmu_sva_renumber(&o.d, 40), 0);
		for (unsigned i = 0; i < 3; i++)
			smmu_device_fini(&d[i].dev);
		assert_int_equal(smmu_sva_renumbered(&o.d), 0);
		owner_drop(&o);
		rig_close(&rig);
	}
}

/* ---- an ASID goes from one owner to another at once ---- */

static struct owner giver, taker;
static struct rig_device leaver, joiner;

static void leave(void *arg)
{
	sim_sleep(rig.sim, smmu_random_below(sim_random(rig.sim), 500));
	smmu_detach_pasid(&leaver.dev, 3);
}

static void take_over(void *arg)
{
	int error;

	while (smmu_sva_renumbered(&giver.d))
		sim_sleep(rig.sim, 1);
	error = smmu_sva_renumber(&taker.d, 40);
	CHECK(!error);
	error = smmu_attach_pasid(&joiner.dev, 1, &taker.d);
	CHECK(!error);
}

static void test_handed_on(void **state)
{
	for (unsigned round = 0; round < 30; round++) {
		rig_open_up(&rig, 1);
		owner_make(&giver, 40, 1);
		owner_make(&taker, 42, 2);
		rig_device(&rig, &leaver, 0, 5, 1, false, 4);
		rig_device(&rig, &joiner, 0, 6, 1, false, 4);
		assert_int_equal(smmu_attach_pasid(&leaver.dev, 3, &giver.d), 0);
		reaches(&leaver, 3, 1);
		assert_int_equal(smmu_sva_renumber(&giver.d, 41), 0);
		for (unsigned i = 0; i < round * 5; i++)
			smmu_random_next(sim_random(rig.sim));
		sim_set_switching(rig.sim, 1, 30, 100000);
		sim_spawn(rig.sim, leave, NULL);
		sim_spawn(rig.sim, take_over, NULL);
		assert_int_equal(sim_run(rig.sim), 0);
		reaches(&joiner, 1, 2);
		smmu_device_fini(&leaver.dev);
		smmu_device_fini(&joiner.dev);
		owner_drop(&giver);
		owner_drop(&taker);
		rig_close(&rig);
	}
}

static void test_release(void **state)
{
	static uint8_t was[4096];

	for (unsigned ats = 0; ats < 2; ats++) {
		struct rig_device d[3], late;
		struct smmu_event event;
		struct owner o;
		void *table;

		rig_open_up(&rig, 2);
		owner_make(&o, 40, 1);
		for (unsigned i = 0; i < 3; i++) {
			rig_device(&rig, &d[i], i / 2, 5 + i, 1, ats, 4);
			assert_int_equal(smmu_attach_pasid(&d[i].dev, 3, &o.d), 0);
			reaches(&d[i], 3, 1);
		}
		rig_device(&rig, &late, 0, 9, 1, ats, 4);
		assert_int_equal(smmu_sva_released(&o.d), -SMMU_EBUSY);
		smmu_sva_release(&o.d);
		assert_int_equal(smmu_attach_pasid(&late.dev, 1, &o.d), -SMMU_ENODEV);
		assert_int_equal(smmu_sva_update(&d[0].dev, 3), 0);
		/* No walk begins for it; what the TLB has under its ASID is there until the end. */
		assert_false(rig_dma(&d[0], 0, 3, 0x2000, NULL));
		reaches(&d[1], 3, 1);
		assert_int_equal(smmu_sva_released(&o.d), -SMMU_EBUSY);
		/* One is detached; one finds no memory, and is detached as well. */
		smmu_detach_pasid(&d[1].dev, 3);
		assert_int_equal(smmu_sva_released(&o.d), -SMMU_EBUSY);
		assert_int_equal(smmu_sva_update(&d[2].dev, 3), 0);
		rig_log_reset(&rig);
		assert_int_equal(smmu_sva_released(&o.d), 0);
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_TLBI_NH_ASID), 2);
		/* The table is somebody else's now, whatever it says. */
		table = smmu_ram_at(&rig.ram, o.pt.regs.ttb, 4096);
		memcpy(was, table, 4096);
		memset(table, 0xff, 4096);
		while (smmu_instance_event(&rig.smmu[0].inst, &event) == 1)
			;
		for (unsigned i = 0; i < 3; i++)
			refused(&d[i], 3);
		/* Nobody is told of accesses that come too late. */
		if (!ats)
			for (unsigned i = 0; i < 2; i++)
				while (smmu_instance_event(&rig.smmu[i].inst, &event) == 1)
					assert_int_equal(event.sid,
							 6); /* that which was detached */
		smmu_detach_pasid(&d[0].dev, 3);
		smmu_detach_pasid(&d[2].dev, 3);
		for (unsigned i = 0; i < 3; i++)
			smmu_device_fini(&d[i].dev);
		smmu_device_fini(&late.dev);
		assert_int_equal(smmu_domain_fini(&o.d), 0);
		memcpy(table, was, 4096);
		smmu_pgtable_destroy(&o.pt);
		rig_close(&rig);
	}
}

/* A thousand substreams in any order are where they were put, and few steps away. */
static void test_many(void **state)
{
	enum { BITS = 12, N = 1 << BITS };
	static struct smmu_domain *at[N];
	struct smmu_domain own[2];
	struct smmu_random r;
	struct rig_device d;
	struct owner o;
	unsigned left = 0;

	rig_open_up(&rig, 1);
	owner_make(&o, 1000, 1);
	smmu_random_seed(&r, 3);
	memset(at, 0, sizeof(at));
	for (unsigned i = 0; i < 2; i++)
		rig_domain_with_page(&rig, &own[i], SMMU_DOMAIN_STAGE1, 4 + i);
	rig_device(&rig, &d, 0, 5, 1, false, BITS);
	for (unsigned i = 0; i < 3000; i++) {
		uint32_t ssid = 1 + (uint32_t)smmu_random_below(&r, i % 4 ? N - 1 : 8);
		unsigned what = (unsigned)smmu_random_below(&r, 5);

		if (what < 3) {
			struct smmu_domain *to = what < 2 ? &own[what] : &o.d;

			assert_int_equal(smmu_attach_pasid(&d.dev, ssid, to), 0);
			at[ssid] = to;
		} else {
			smmu_detach_pasid(&d.dev, ssid);
			at[ssid] = NULL;
		}
		assert_ptr_equal(smmu_device_pasid(&d.dev, ssid), at[ssid]);
	}
	for (uint32_t ssid = 0; ssid < N; ssid++) {
		unsigned steps = 0;

		assert_ptr_equal(smmu_device_pasid(&d.dev, ssid), at[ssid]);
		left += at[ssid] != NULL;
		for (const struct smmu_attachment *a = d.dev.pasids; a && a->ssid != ssid;
		     a = a->child[ssid > a->ssid])
			steps++;
		assert_in_range(steps, 0, 40);
	}
	assert_in_range(left, 500, N);
	smmu_device_fini(&d.dev);
	owner_drop(&o);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(smmu_domain_fini(&own[i]), 0);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config),    cmocka_unit_test(test_notice),
		cmocka_unit_test(test_ids),       cmocka_unit_test(test_renumber),
		cmocka_unit_test(test_release),   cmocka_unit_test(test_many),
		cmocka_unit_test(test_handed_on),
	};

	return cmocka_run_group_tests_name("sva", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Attach and detach: the domain's array after each step, ids, ATS, and nothing left behind by what fails. */
#include <sys/mman.h>

#include "rig.h"

static struct rig rig;

#define PA(n) (0x60000000ull + (n)*0x1000ull)

static void domain_with_page(struct smmu_domain *d, enum smmu_domain_kind kind, unsigned n)
{
	rig_domain(&rig, d, kind);
	assert_int_equal(smmu_map(d, 0x1000, PA(n), 0x1000, SMMU_PROT_READ | SMMU_PROT_WRITE, 0),
			 0);
}

#define expect_array(d, text) assert_string_equal(rig_array(&rig, d), text)

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
		domain_with_page(&domain, kind, 1);
		domain_with_page(&before, kind, 2);
		rig_device(&rig, &other, 1, 30, 1, false, 0);
		assert_int_equal(smmu_attach(&other.dev, &before), 0);
		rig_device(&rig, &a, 1, 9, 1, true, 0);
		rig_device(&rig, &b, 0, 9, 1, false, 0);
		rig_device(&rig, &c, 1, 4, 2, true, 0);
		rig_device(&rig, &d, 2, 9, 1, false, 0);
		expect_array(&domain, "");
		assert_int_equal(smmu_attach(&a.dev, &domain), 0);
		expect_array(&domain, want[0]);
		assert_int_equal(smmu_attach(&b.dev, &domain), 0);
		expect_array(&domain, want[1]);
		assert_int_equal(smmu_attach(&c.dev, &domain), 0);
		expect_array(&domain, want[2]);
		assert_int_equal(smmu_attach(&d.dev, &domain), 0);
		expect_array(&domain, want[3]);
		/* Once more changes nothing. */
		assert_int_equal(smmu_attach(&c.dev, &domain), 0);
		expect_array(&domain, want[3]);
		assert_int_equal(domain.users, 4);
		rig_expect(&a, 0x1000, PA(1));
		rig_expect(&b, 0x1000, PA(1));
		rig_expect(&c, 0x1000, PA(1));
		rig_expect(&d, 0x1000, PA(1));
		rig_expect(&other, 0x1000, PA(2));
		assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
		rig_refused(&a, 0x1000);
		rig_refused(&b, 0x1000);
		rig_refused(&c, 0x1000);
		rig_refused(&d, 0x1000);
		rig_expect(&other, 0x1000, PA(2));
		/* One of two leaves: the tag is still in use, and stays taken. */
		rig_log_reset(&rig);
		smmu_detach(&a.dev);
		expect_array(&domain, want[4]);
		smmu_detach(&a.dev);
		expect_array(&domain, want[4]);
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_TLBI_NH_ASID), 0);
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_TLBI_S12_VMALL), 0);
		assert_int_equal(
			(stage == 1 ? rig.smmu[1].inst.asids : rig.smmu[1].inst.vmids).bitmap[0],
			7);
		smmu_device_fini(&b.dev);
		expect_array(&domain, want[5]);
		assert_int_equal(smmu_domain_fini(&domain), -SMMU_EBUSY);
		/* To another domain, and the instance goes with the device on it. */
		assert_int_equal(smmu_attach(&c.dev, &before), 0);
		expect_array(&domain, want[6]);
		smmu_instance_remove(&rig.smmu[2].inst);
		expect_array(&domain, "");
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
	domain_with_page(&a, SMMU_DOMAIN_STAGE1, 1);
	domain_with_page(&b, SMMU_DOMAIN_STAGE1, 2);
	rig_device(&rig, &d, 0, 5, 1, true, 4);
	assert_int_equal(smmu_attach_pasid(&d.dev, 3, &a), 0);
	assert_true(d.ats);
	expect_array(&a, "0:asid1 0:ats5+3");
	assert_int_equal(smmu_attach(&d.dev, &a), 0);
	expect_array(&a, "0:asid1*2 0:ats5 0:ats5+3");
	assert_int_equal(smmu_attach_pasid(&d.dev, 2, &b), 0);
	assert_int_equal(smmu_attach_pasid(&d.dev, 3, &b), 0);
	expect_array(&a, "0:asid1 0:ats5");
	expect_array(&b, "0:asid2*2 0:ats5+2 0:ats5+3");
	rig_log_reset(&rig);
	assert_int_equal(smmu_unmap(&b, 0x1000, 0x1000, 0), 0);
	assert_string_equal(rig_log(&rig), "TLBI_NH_VA(2,1000*1) SYNC ATC_INV(5+2,1000/0) "
					   "ATC_INV(5+3,1000/0) SYNC");
	smmu_detach_pasid(&d.dev, 3);
	smmu_detach(&d.dev);
	expect_array(&a, "");
	expect_array(&b, "0:asid2 0:ats5+2");
	assert_true(d.ats);
	smmu_device_fini(&d.dev);
	assert_false(d.ats);
	expect_array(&b, "");
	assert_int_equal(smmu_domain_fini(&a), 0);
	assert_int_equal(smmu_domain_fini(&b), 0);
	rig_close(&rig);
}

/** Untagged traffic by identity, with ATS only for a substream's sake: its ATC is cleared when ATS goes with that. */
static void test_ats_of_substreams(void **state)
{
	struct rig_device d;
	struct smmu_domain a, identity;

	rig_open_up(&rig, 1);
	domain_with_page(&a, SMMU_DOMAIN_STAGE1, 1);
	rig_domain(&rig, &identity, SMMU_DOMAIN_IDENTITY);
	rig_device(&rig, &d, 0, 5, 1, true, 4);
	assert_int_equal(smmu_attach(&d.dev, &identity), 0);
	assert_false(d.ats);
	assert_int_equal(smmu_attach_pasid(&d.dev, 3, &a), 0);
	assert_true(d.ats);
	rig_expect(&d, 0x5000, 0x5000);
	assert_true(rig_dma(&d, 0, 3, 0x1000, NULL));
	rig_log_reset(&rig);
	smmu_detach_pasid(&d.dev, 3);
	assert_string_equal(rig_log(&rig), "ATS_OFF(5) ATC_INV(5) ATC_INV(5+*) SYNC CFGI_STE(5) "
					   "SYNC TLBI_NH_ASID(1) SYNC");
	rig_expect(&d, 0x5000, 0x5000);
	smmu_device_fini(&d.dev);
	assert_int_equal(smmu_domain_fini(&a), 0);
	assert_int_equal(smmu_domain_fini(&identity), 0);
	rig_close(&rig);
}

/** An id is used again only after the TLB has dropped what it had under it: 8 bits, handed out hundreds of times. */
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
			uint32_t id;

			domain_with_page(&domain, kind, i);
			assert_int_equal(smmu_attach(&d.dev, &domain), 0);
			id = domain.inv->entry[0].id;
			assert_in_range(id, 1, 255);
			/* Late reuse: all 255 come before the first again. */
			assert_int_equal(taken[id], i >= 255);
			taken[id] = true;
			rig_expect(&d, 0x1000, PA(i));
			smmu_model_counters(rig.model, 0, &before);
			rig_log_reset(&rig);
			smmu_detach(&d.dev);
			smmu_model_counters(rig.model, 0, &after);
			assert_int_equal(after.tlbi - before.tlbi, 1);
			assert_int_equal(rig_log_count(&rig, stage == 1 ? SMMU_CMD_TLBI_NH_ASID
									: SMMU_CMD_TLBI_S12_VMALL),
					 1);
			assert_int_equal(after.tlb_entries, 0);
			assert_int_equal(after.walk_entries, 0);
			rig_refused(&d, 0x1000);
			assert_int_equal(smmu_domain_fini(&domain), 0);
		}
		smmu_device_fini(&d.dev);
		rig_close(&rig);
	}
}

/** All ids in use: -SMMU_ENOSPC and nothing changed; one given back is enough. */
static void test_ids_run_out(void **state)
{
	static struct rig_device d[256];
	static struct smmu_domain domain[256];
	struct smmu_model_config c = rig_config();

	c.vmid16 = false;
	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, 0);
	for (unsigned i = 0; i < 256; i++) {
		rig_domain(&rig, &domain[i], SMMU_DOMAIN_STAGE2);
		rig_device(&rig, &d[i], 0, i, 1, i == 255, 0);
		assert_int_equal(smmu_attach(&d[i].dev, &domain[i]), i < 255 ? 0 : -SMMU_ENOSPC);
	}
	expect_array(&domain[255], "");
	assert_false(d[255].ats);
	assert_int_equal(domain[255].users, 0);
	/* A domain that is there already needs no id. */
	assert_int_equal(smmu_attach(&d[255].dev, &domain[7]), 0);
	smmu_detach(&d[100].dev);
	assert_int_equal(smmu_attach(&d[255].dev, &domain[255]), 0);
	expect_array(&domain[255], "0:vmid101 0:ats255");
	/* One of which the TLB could not be cleaned is not free, until all of the TLB was. */
	rig.smmu[0].corrupt = SMMU_CMD_TLBI_S12_VMALL;
	rig.smmu[0].corruptions = 1000;
	smmu_detach(&d[255].dev);
	rig.smmu[0].corrupt = SMMU_CMD_TLBI_NSNH_ALL;
	assert_int_equal(smmu_attach(&d[255].dev, &domain[255]), -SMMU_ENOSPC);
	rig.smmu[0].corruptions = 0;
	rig_log_reset(&rig);
	assert_int_equal(smmu_attach(&d[255].dev, &domain[255]), 0);
	assert_int_equal(rig_log_count(&rig, SMMU_CMD_TLBI_NSNH_ALL), 1);
	expect_array(&domain[255], "0:vmid101 0:ats255");
	/* The one that is free is just behind where the search begins. */
	smmu_detach(&d[255].dev);
	assert_int_equal(smmu_attach(&d[255].dev, &domain[255]), 0);
	expect_array(&domain[255], "0:vmid101 0:ats255");
	for (unsigned i = 0; i < 256; i++)
		smmu_device_fini(&d[i].dev);
	for (unsigned i = 0; i < 256; i++)
		assert_int_equal(smmu_domain_fini(&domain[i]), 0);
	rig_close(&rig);
}

/* ---- ATS ---- */

/**
 * On after the STE that allows it is confirmed; off, and the ATC clear, before the STE that forbids it is stored; off as
 * well on the way over an STE that refuses. No translation request is ever refused (IHI 0070 G.b, 3.9.2).
 */
static void test_ats_order(void **state)
{
	struct rig_device d;
	struct smmu_domain a, b, identity, s2;

	rig_open_up(&rig, 1);
	rig_note_stes = true;
	domain_with_page(&a, SMMU_DOMAIN_STAGE1, 1);
	domain_with_page(&b, SMMU_DOMAIN_STAGE1, 2);
	domain_with_page(&s2, SMMU_DOMAIN_STAGE2, 3);
	rig_domain(&rig, &identity, SMMU_DOMAIN_IDENTITY);
	rig_device(&rig, &d, 0, 5, 1, true, 0);
	rig_log_reset(&rig);
	assert_int_equal(smmu_attach(&d.dev, &a), 0);
	assert_string_equal(rig_log(&rig), "CFGI_STE(5) SYNC STE(5) CFGI_STE(5) SYNC ATS_ON(5)");
	rig_expect(&d, 0x1000, PA(1));
	assert_true(smmu_model_atc_count(d.hw[0]) > 0);
	/* To another table: ATS stays on, the ATC is cleared once no walk leads to the old one. */
	rig_log_reset(&rig);
	assert_int_equal(smmu_attach(&d.dev, &b), 0);
	assert_string_equal(rig_log(&rig), "STE(5) CFGI_STE(5) SYNC ATC_INV(5) SYNC "
					   "TLBI_NH_ASID(1) SYNC");
	rig_expect(&d, 0x1000, PA(2));
	/* To another stage, which no single store does. */
	rig_log_reset(&rig);
	assert_int_equal(smmu_attach(&d.dev, &s2), 0);
	assert_string_equal(rig_log(&rig),
			    "ATS_OFF(5) ATC_INV(5) SYNC STE(5) CFGI_STE(5) SYNC CFGI_STE(5) SYNC "
			    "STE(5) CFGI_STE(5) SYNC ATS_ON(5) TLBI_NH_ASID(2) SYNC");
	rig_expect(&d, 0x1000, PA(3));
	/* To none. */
	rig_log_reset(&rig);
	assert_int_equal(smmu_attach(&d.dev, &identity), 0);
	assert_string_equal(rig_log(&rig), "ATS_OFF(5) ATC_INV(5) SYNC STE(5) CFGI_STE(5) SYNC "
					   "TLBI_S12_VMALL(1) SYNC");
	rig_expect(&d, 0x1000, 0x1000);
	assert_int_equal(smmu_attach(&d.dev, &a), 0);
	rig_log_reset(&rig);
	smmu_detach(&d.dev);
	assert_string_equal(rig_log(&rig), "ATS_OFF(5) ATC_INV(5) SYNC STE(5) CFGI_STE(5) SYNC "
					   "TLBI_NH_ASID(3) SYNC");
	/* The device does not turn it on: it is used without, and no STE allows it. */
	d.ats_error = -SMMU_EBUSY;
	assert_int_equal(smmu_attach(&d.dev, &a), 0);
	assert_true(smmu_posix_logged(&rig.posix, "its ATS does not go on"));
	assert_int_equal(smmu_field_get(SMMU_STE_W1_EATS, rig_ste(&d, 0).w[1]), 0);
	rig_expect(&d, 0x1000, PA(1));
	assert_int_equal(smmu_unmap(&a, 0x1000, 0x1000, 0), 0);
	rig_refused(&d, 0x1000);
	/* The next attach tries again. */
	d.ats_error = 0;
	assert_int_equal(smmu_attach(&d.dev, &b), 0);
	assert_true(d.ats);
	rig_expect(&d, 0x1000, PA(2));
	/* Before SMMUEN goes, ATS is off everywhere (3.9.1): the model would note it. */
	assert_int_equal(smmu_instance_remove(&rig.smmu[0].inst), 0);
	assert_false(d.ats);
	/* A device that could, on an SMMU that cannot or should not. */
	rig_up(&rig, 0, SMMU_QUIRK_NO_ATS);
	rig_device(&rig, &d, 0, 5, 1, true, 0);
	assert_int_equal(smmu_attach(&d.dev, &a), 0);
	assert_false(d.ats);
	expect_array(&a, "0:asid1");
	smmu_device_fini(&d.dev);
	assert_int_equal(smmu_domain_fini(&a), 0);
	assert_int_equal(smmu_domain_fini(&b), 0);
	assert_int_equal(smmu_domain_fini(&s2), 0);
	assert_int_equal(smmu_domain_fini(&identity), 0);
	rig_close(&rig);
}

/** Under substreams a CD changes in place: ATS is off meanwhile, unless it changes in one store. */
static void test_ats_pauses(void **state)
{
	for (unsigned lse2 = 0; lse2 < 2; lse2++) {
		struct rig_device d;
		struct smmu_domain a, b;

		rig_open_up(&rig, 1);
		rig.port.flags = lse2 ? SMMU_PORT_LSE2 : 0;
		domain_with_page(&a, SMMU_DOMAIN_STAGE1, 1);
		domain_with_page(&b, SMMU_DOMAIN_STAGE1, 2);
		rig_device(&rig, &d, 0, 5, 1, true, 4);
		assert_int_equal(smmu_attach_pasid(&d.dev, 3, &a), 0);
		assert_int_equal(smmu_attach(&d.dev, &a), 0);
		rig_log_reset(&rig);
		assert_int_equal(smmu_attach(&d.dev, &b), 0);
		assert_string_equal(
			rig_log(&rig),
			lse2 ? "CFGI_CD(5+0) SYNC ATC_INV(5) SYNC"
			     : "ATS_OFF(5) ATC_INV(5) ATC_INV(5+*) SYNC CFGI_CD(5+0) SYNC "
			       "CFGI_CD(5+0) SYNC CFGI_CD(5+0) SYNC ATS_ON(5)");
		rig_expect(&d, 0x1000, PA(2));
		rig_log_reset(&rig);
		assert_int_equal(smmu_attach_pasid(&d.dev, 3, &b), 0);
		assert_string_equal(
			rig_log(&rig),
			lse2 ? "CFGI_CD(5+3) SYNC ATC_INV(5+3) SYNC TLBI_NH_ASID(1) SYNC"
			     : "ATS_OFF(5) ATC_INV(5) ATC_INV(5+*) SYNC CFGI_CD(5+3) SYNC "
			       "CFGI_CD(5+3) SYNC CFGI_CD(5+3) SYNC ATS_ON(5) TLBI_NH_ASID(1) "
			       "SYNC");
		smmu_device_fini(&d.dev);
		assert_int_equal(smmu_domain_fini(&a), 0);
		assert_int_equal(smmu_domain_fini(&b), 0);
		rig_close(&rig);
	}
}

static struct rig_device *detaching;
static bool fence_open, thawed, detached;
static struct smmu_domain *fence_domain;
static unsigned frozen_smmu;
static int fence_result;

static void hold_fence(void *arg)
{
	struct smmu_fence f;
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g;

	smmu_gather_init(&g, 0);
	CHECK(smmu_unmap_gather(fence_domain, 0x1000, 0x1000, 0, &g, &tables) == 0);
	smmu_unmap_submit(fence_domain, &g, &f);
	fence_open = true;
	sim_sleep(rig.sim, 300000);
	CHECK(smmu_fence_poll(&f) == -SMMU_EAGAIN);
	CHECK(!detached);
	/* Only from here on can it end. */
	thawed = true;
	rig_thaw(&rig, frozen_smmu);
	fence_result = smmu_fence_wait(&f);
	smmu_unmap_release(fence_domain, &tables);
}

static void do_fini(void *arg)
{
	while (!fence_open)
		sim_sleep(rig.sim, 100);
	/* Detach does not wait: an ATC_INV that comes after is answered UR. What sweeps may name stays until they are done. */
	smmu_detach(&detaching->dev);
	CHECK(!thawed);
	smmu_device_fini(&detaching->dev);
	CHECK(thawed);
	detached = true;
}

static void do_remove(void *arg)
{
	while (!fence_open)
		sim_sleep(rig.sim, 100);
	smmu_instance_remove(&rig.smmu[0].inst);
	CHECK(thawed);
	memset(&rig.smmu[0].inst, 0x5a, sizeof(rig.smmu[0].inst));
	detached = true;
}

/** A fence is open on another SMMU: the end of a device with ATS, and removal of its SMMU, wait for it. */
static void test_wait_for_readers(void **state)
{
	for (unsigned remove = 0; remove < 2; remove++) {
		struct rig_device d, e;
		struct smmu_domain domain;

		rig_open_up(&rig, 2);
		domain_with_page(&domain, SMMU_DOMAIN_STAGE2, 1);
		rig_device(&rig, &d, 0, 5, 1, !remove, 0);
		rig_device(&rig, &e, 1, 5, 1, true, 0);
		assert_int_equal(smmu_attach(&d.dev, &domain), 0);
		assert_int_equal(smmu_attach(&e.dev, &domain), 0);
		rig_expect(&d, 0x1000, PA(1));
		rig_expect(&e, 0x1000, PA(1));
		detaching = &d;
		fence_domain = &domain;
		frozen_smmu = 1;
		fence_open = thawed = detached = false;
		rig.smmu[1].frozen = true;
		sim_spawn(rig.sim, hold_fence, NULL);
		sim_spawn(rig.sim, remove ? do_remove : do_fini, NULL);
		assert_int_equal(sim_run(rig.sim), 0);
		assert_true(detached);
		assert_int_equal(fence_result, 0);
		assert_false(d.ats);
		rig_refused(&d, 0x1000);
		rig_refused(&e, 0x1000);
		expect_array(&domain, "1:vmid1 1:ats5");
		if (remove)
			rig_up(&rig, 0, 0);
		else
			smmu_device_fini(&d.dev);
		smmu_device_fini(&e.dev);
		assert_int_equal(smmu_domain_fini(&domain), 0);
		rig_close(&rig);
	}
}

static void do_attach(void *arg)
{
	while (!fence_open)
		sim_sleep(rig.sim, 100);
	CHECK(smmu_attach(&detaching->dev, fence_domain) == 0);
	CHECK(thawed == *(bool *)arg);
	detached = true;
}

static void hold_until_attached(void *arg)
{
	struct smmu_freelist tables = {NULL};
	struct smmu_fence f;
	struct smmu_gather g;

	smmu_gather_init(&g, 0);
	CHECK(smmu_unmap_gather(fence_domain, 0x1000, 0x1000, 0, &g, &tables) == 0);
	smmu_unmap_submit(fence_domain, &g, &f);
	fence_open = true;
	sim_sleep(rig.sim, 300000);
	CHECK(detached != *(bool *)arg);
	thawed = true;
	rig_thaw(&rig, frozen_smmu);
	fence_result = smmu_fence_wait(&f);
	smmu_unmap_release(fence_domain, &tables);
}

/**
 * Fact 6 of the sweep: a device with ATS that comes to a tag in use waits for the sweeps that do not name it, since its ATC
 * could copy from the TLB what they are about to clear. Nobody else waits: not without ATS, not on another instance.
 */
static void test_join_waits_for_readers(void **state)
{
	for (unsigned ats = 0; ats < 2; ats++)
		for (unsigned shared = 0; shared < 2; shared++) {
			bool waits = ats && shared;
			struct rig_device d, e, f;
			struct smmu_domain domain;

			rig_open_up(&rig, 3);
			domain_with_page(&domain, SMMU_DOMAIN_STAGE1, 1);
			rig_device(&rig, &d, 0, 5, 1, false, 0);
			rig_device(&rig, &e, 1, 5, 1, false, 0);
			rig_device(&rig, &f, shared ? 0 : 2, 6, 1, ats, 0);
			assert_int_equal(smmu_attach(&d.dev, &domain), 0);
			assert_int_equal(smmu_attach(&e.dev, &domain), 0);
			detaching = &f;
			fence_domain = &domain;
			frozen_smmu = 1;
			fence_open = thawed = detached = false;
			rig.smmu[1].frozen = true;
			sim_spawn(rig.sim, hold_until_attached, &waits);
			sim_spawn(rig.sim, do_attach, &waits);
			assert_int_equal(sim_run(rig.sim), 0);
			assert_true(detached);
			assert_int_equal(fence_result, 0);
			rig_refused(&f, 0x1000);
			smmu_device_fini(&d.dev);
			smmu_device_fini(&e.dev);
			smmu_device_fini(&f.dev);
			assert_int_equal(smmu_domain_fini(&domain), 0);
			rig_close(&rig);
		}
}

/* ---- failures ---- */

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
			domain_with_page(&a, SMMU_DOMAIN_STAGE1, 1);
			domain_with_page(&b, SMMU_DOMAIN_STAGE1, 2);
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
			assert_int_equal(failures, 2);
			assert_int_equal(d.ats, ats);
			{
				uint64_t pa = 0;

				assert_true(
					rig_dma(&d, 1, what < ATTACH_PASID ? -1 : 1, 0x1000, &pa));
				assert_int_equal(pa, PA(2));
			}
			smmu_device_fini(&d.dev);
			assert_int_equal(smmu_domain_fini(&a), 0);
			assert_int_equal(smmu_domain_fini(&b), 0);
			rig_close(&rig);
		}
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
		if (!smmu_map(&domain, (uint64_t)failures << 40, PA(1), 0x1000, SMMU_PROT_READ, 0))
			break;
		assert_int_equal(smmu_iova_to_phys(&domain, (uint64_t)failures << 40, &pa, NULL),
				 -SMMU_EFAULT);
	}
	assert_int_equal(failures, 3);
	smmu_heap_fail(&rig.heap, 0, 0);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	rig_close(&rig);
}

static void test_device_arguments(void **state)
{
	struct rig_device d, e;
	uint32_t twice[] = {3, 3};
	struct smmu_device_config cfg = {.streams = twice, .nr_streams = 2};

	rig_open_up(&rig, 1);
	rig_device(&rig, &d, 0, 5, 3, false, 0);
	assert_int_equal(rig_device_try(&rig, &e, 0, 7, 3, false, 0), -SMMU_EEXIST);
	cfg.instance = &rig.smmu[0].inst;
	assert_int_equal(smmu_device_init(&e.dev, &cfg), -SMMU_EINVAL);
	cfg.nr_streams = 0;
	assert_int_equal(smmu_device_init(&e.dev, &cfg), -SMMU_EINVAL);
	cfg.nr_streams = SMMU_DEVICE_STREAMS + 1;
	assert_int_equal(smmu_device_init(&e.dev, &cfg), -SMMU_EINVAL);
	cfg.nr_streams = 1;
	cfg.ats = true;
	assert_int_equal(smmu_device_init(&e.dev, &cfg), -SMMU_EINVAL);
	cfg.ats = false;
	twice[0] = 1u << 9;
	assert_int_equal(smmu_device_init(&e.dev, &cfg), -SMMU_ERANGE);
	twice[0] = (1u << 9) - 1;
	assert_int_equal(smmu_device_init(&e.dev, &cfg), 0);
	smmu_device_fini(&e.dev);
	cfg.instance = NULL;
	assert_int_equal(smmu_device_init(&e.dev, &cfg), -SMMU_EINVAL);
	assert_int_equal(smmu_attach(&d.dev, NULL), -SMMU_EINVAL);
	assert_int_equal(smmu_attach_pasid(&d.dev, 1, NULL), -SMMU_EINVAL);
	smmu_device_fini(&d.dev);
	rig_close(&rig);
}

/** Detach with no memory to be had: what is gone stays in the array, skipped, until the next one joins. */
static void test_detach_without_memory(void **state)
{
	struct rig_device d[3];
	struct smmu_domain domain;

	rig_open_up(&rig, 3);
	domain_with_page(&domain, SMMU_DOMAIN_STAGE1, 1);
	for (unsigned i = 0; i < 3; i++) {
		rig_device(&rig, &d[i], i, 5, 1, true, i == 1 ? 3 : 0);
		if (i == 1)
			assert_int_equal(smmu_attach_pasid(&d[i].dev, 2, &domain), 0);
		else
			assert_int_equal(smmu_attach(&d[i].dev, &domain), 0);
	}
	expect_array(&domain, "0:asid1 0:ats5 1:asid1 1:ats5+2 2:asid1 2:ats5");
	smmu_heap_fail(&rig.heap, 0, 1);
	smmu_detach(&d[0].dev);
	expect_array(&domain, "- - 1:asid1 1:ats5+2 2:asid1 2:ats5");
	assert_false(d[0].ats);
	rig_refused(&d[0], 0x1000);
	smmu_detach_pasid(&d[1].dev, 2);
	expect_array(&domain, "- - - - 2:asid1 2:ats5");
	/* The SMMU goes, its memory to something else, and the array still has the places. */
	smmu_instance_remove(&rig.smmu[0].inst);
	memset(&rig.smmu[0].inst, 0x5a, sizeof(rig.smmu[0].inst));
	rig_expect(&d[2], 0x1000, PA(1));
	rig_log_reset(&rig);
	assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
	assert_string_equal(rig_log(&rig),
			    "2:TLBI_NH_VA(1,1000*1) 2:SYNC 2:ATC_INV(5,1000/0) 2:SYNC");
	rig_refused(&d[2], 0x1000);
	/* Another instance takes its index, and joins. */
	smmu_heap_fail(&rig.heap, 0, 0);
	rig_up(&rig, 0, 0);
	rig_device(&rig, &d[0], 0, 6, 1, true, 0);
	assert_int_equal(smmu_map(&domain, 0x1000, PA(2), 0x1000, SMMU_PROT_READ, 0), 0);
	smmu_heap_fail(&rig.heap, 0, 1);
	smmu_detach(&d[2].dev);
	expect_array(&domain, "- - - - - -");
	assert_int_equal(smmu_flush_all(&domain), 0);
	smmu_heap_fail(&rig.heap, 0, 0);
	assert_int_equal(smmu_attach(&d[0].dev, &domain), 0);
	expect_array(&domain, "0:asid1 0:ats6");
	rig_expect(&d[0], 0x1000, PA(2));
	assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
	rig_refused(&d[0], 0x1000);
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
	domain_with_page(&domain, SMMU_DOMAIN_STAGE1, 1);
	assert_int_equal(smmu_device_init(&dev, &dev_cfg), 0);
	assert_int_equal(smmu_attach(&dev, &domain), 0);
	smmu_heap_fail(&rig.heap, 0, 1);
	smmu_instance_remove(inst);
	munmap(inst, 65536);
	expect_array(&domain, "-");
	assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
	assert_int_equal(smmu_flush_all(&domain), 0);
	smmu_heap_fail(&rig.heap, 0, 0);
	smmu_device_fini(&dev);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	rig_close(&rig);
}

/** What an SMMU cannot do is refused with the reason, and nothing changes. */
static void test_unsupported(void **state)
{
	static const struct {
		enum smmu_domain_kind kind;
		unsigned granule, ias, oas;
		bool fits;
		const char *says;
	} cases[] = {
		{SMMU_DOMAIN_STAGE1, 12, 48, 40, false, "IDR0.S1P"},
		{SMMU_DOMAIN_STAGE2, 16, 40, 40, false, "IDR5.GRAN"},
		{SMMU_DOMAIN_STAGE2, 14, 40, 40, false, "IDR5.GRAN"},
		{SMMU_DOMAIN_STAGE2, 12, 40, 44, false, "IDR5.OAS"},
		{SMMU_DOMAIN_STAGE2, 12, 44, 40, false, "IDR5.OAS"},
		{SMMU_DOMAIN_STAGE2, 12, 40, 40, true, NULL},
	};
	struct smmu_model_config c = rig_config();

	c.s1 = false;
	c.ssid_bits = 0;
	c.gran16k = c.gran64k = false;
	c.oas = 40;
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(cases); i++) {
		struct smmu_domain_config cfg = {.kind = cases[i].kind,
						 .granule_shift = (uint8_t)cases[i].granule,
						 .ias = (uint8_t)cases[i].ias,
						 .oas = (uint8_t)cases[i].oas};
		struct smmu_domain domain, identity;
		struct rig_device d;
		int error;

		rig_open(&rig, &c, 1);
		rig_up(&rig, 0, 0);
		rig_device(&rig, &d, 0, 5, 1, true, 0);
		rig_domain(&rig, &identity, SMMU_DOMAIN_IDENTITY);
		assert_int_equal(smmu_attach(&d.dev, &identity), 0);
		cfg.port = &rig.port;
		assert_int_equal(smmu_domain_init(&domain, &cfg), 0);
		error = smmu_attach(&d.dev, &domain);
		assert_int_equal(error, cases[i].fits ? 0 : -SMMU_EOPNOTSUPP);
		if (!cases[i].fits) {
			assert_int_equal(rig.posix.logged[SMMU_LOG_ERROR], 0);
			assert_true(smmu_posix_logged(&rig.posix, cases[i].says));
			assert_true(
				smmu_posix_logged(&rig.posix, "smmu0: cannot attach the domain: "));
			rig_expect(&d, 0x1000, 0x1000);
			assert_int_equal(domain.users, 0);
			expect_array(&domain, "");
		}
		smmu_device_fini(&d.dev);
		assert_int_equal(smmu_domain_fini(&domain), 0);
		assert_int_equal(smmu_domain_fini(&identity), 0);
		rig_close(&rig);
	}
}

/** Not coherent: only domains that were made for it. No stage 2: the same words for that. */
static void test_not_coherent(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_domain domain;
	struct smmu_domain_config cfg = {.kind = SMMU_DOMAIN_STAGE1};
	struct rig_device d;

	c.coherent = false;
	c.s2 = false;
	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, 0);
	rig_device(&rig, &d, 0, 5, 1, false, 0);
	domain_with_page(&domain, SMMU_DOMAIN_STAGE1, 1);
	assert_int_equal(smmu_attach(&d.dev, &domain), -SMMU_EOPNOTSUPP);
	assert_true(smmu_posix_logged(&rig.posix, "IDR0.COHACC"));
	assert_int_equal(smmu_domain_fini(&domain), 0);
	domain_with_page(&domain, SMMU_DOMAIN_STAGE2, 1);
	assert_int_equal(smmu_attach(&d.dev, &domain), -SMMU_EOPNOTSUPP);
	assert_true(smmu_posix_logged(&rig.posix, "IDR0.S2P"));
	assert_int_equal(smmu_domain_fini(&domain), 0);
	cfg.port = &rig.port;
	cfg.non_coherent = true;
	assert_int_equal(smmu_domain_init(&domain, &cfg), 0);
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
	assert_int_equal(smmu_map(&domain, 0x1000, PA(1), 0x1000, SMMU_PROT_READ, 0), 0);
	rig_expect(&d, 0x1000, PA(1));
	assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
	rig_refused(&d, 0x1000);
	smmu_device_fini(&d.dev);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_array),
		cmocka_unit_test(test_array_substreams),
		cmocka_unit_test(test_ats_of_substreams),
		cmocka_unit_test(test_ids_reused),
		cmocka_unit_test(test_ids_run_out),
		cmocka_unit_test(test_ats_order),
		cmocka_unit_test(test_ats_pauses),
		cmocka_unit_test(test_wait_for_readers),
		cmocka_unit_test(test_join_waits_for_readers),
		cmocka_unit_test(test_failing_attach),
		cmocka_unit_test(test_failing_others),
		cmocka_unit_test(test_device_arguments),
		cmocka_unit_test(test_detach_without_memory),
		cmocka_unit_test(test_instance_unmapped),
		cmocka_unit_test(test_unsupported),
		cmocka_unit_test(test_not_coherent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

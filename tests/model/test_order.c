/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When invalidations act: not before a CMD_SYNC has to, in the worst order, and through devices' own caches.
 */
#include "rig.h"

#include <string.h>

#define OLD 0x800000000ULL
#define PAGE 0x1234000ULL

struct scene {
	struct rig rig;
	struct rig_table t;
	struct smmu_model_device *dev;
};

/** Stream 1, ATS on, ASID 5, PAGE mapped and held by TLB and ATC. */
static void set_scene_seed(struct scene *s, struct smmu_model_config c, uint64_t seed)
{
	struct rig *rig = &s->rig;
	struct smmu_dma_result r;
	uint64_t w[8];

	memset(s, 0, sizeof(*s));
	rig_open(rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, seed);
	rig_up(rig, 0);
	s->t = rig_table(rig, 1, 12, 48);
	rig_ste_s1(w, rig_cd(rig, 0, &s->t, 5), 0, 0);
	rig_ste(rig, 0, 1, w);
	rig_map(rig, &s->t, PAGE, OLD, 3, RIG_NG);
	s->dev = smmu_model_device(rig->model, 0, 1, true);
	assert_non_null(s->dev);
	smmu_model_ats_enable(s->dev, true);
	rig_expect(rig, 0, 1, PAGE, OLD);
	r = rig_dma(rig, 0, 1, PAGE + 8, true);
	assert_true(r.ok && r.atc_hit && r.pa == OLD + 8);
	assert_int_equal(smmu_model_atc_count(s->dev), 1);
}

static void set_scene(struct scene *s, struct smmu_model_config c)
{
	set_scene_seed(s, c, 1);
}

static struct smmu_cmd tlbi(void)
{
	return smmu_cmd_tlbi_nh_va(0, 5, (struct smmu_cmd_range){.addr = PAGE});
}

static struct smmu_cmd atc_inv(void)
{
	return smmu_cmd_atc_inv(1, false, 0, false, PAGE, 0);
}

static void unmap(struct scene *s)
{
	rig_store(&s->rig, rig_slot(&s->rig, &s->t, PAGE, 3), 0);
}

/** A TLBI is consumed, and the entry still there, until the CMD_SYNC has completed. */
static void test_late_effect(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_model_counters count;
	struct smmu_dma_result r;
	struct scene s;
	uint64_t start;

	c.sync_ns = 5000;
	set_scene(&s, c);
	smmu_model_ats_enable(s.dev, false);
	unmap(&s);
	rig_cmd(&s.rig, 0, tlbi());
	assert_true(smmu_model_settle(s.rig.model, 1000000));
	assert_int_equal(rig_read(&s.rig, 0, SMMU_CMDQ_CONS), s.rig.in[0].cmdq.index);
	r = rig_dma(&s.rig, 0, 1, PAGE, false);
	assert_true(r.ok && r.held_by == SMMU_HELD_TLB);
	assert_string_equal(smmu_model_missing(&r), "tlbi");
	start = smmu_model_now(s.rig.model);
	rig_cmd(&s.rig, 0, smmu_cmd_sync(0));
	/* Nothing past an incomplete CMD_SYNC is consumed. */
	rig_cmd(&s.rig, 0, smmu_cmd_cfgi_all());
	smmu_model_advance(s.rig.model, start + 4900);
	assert_true(rig_dma(&s.rig, 0, 1, PAGE, false).ok);
	smmu_model_counters(s.rig.model, 0, &count);
	assert_int_equal(count.sync, 1); /* the one of bring-up */
	assert_int_equal(count.cfgi, 1);
	smmu_model_advance(s.rig.model, start + 5200);
	rig_refused(&s.rig, 0, 1, PAGE, SMMU_F_TRANSLATION);
	smmu_model_counters(s.rig.model, 0, &count);
	assert_int_equal(count.sync, 2);
	assert_int_equal(count.cfgi, 2);
	assert_true(count.last_sync_ns >= start + 5000);
	rig_close(&s.rig);

	/* With the chance of it, some act early. */
	c.early_permille = 1000;
	set_scene(&s, c);
	smmu_model_ats_enable(s.dev, false);
	unmap(&s);
	rig_cmd(&s.rig, 0, tlbi());
	assert_true(smmu_model_settle(s.rig.model, 1000000));
	rig_refused(&s.rig, 0, 1, PAGE, SMMU_F_TRANSLATION);
	rig_close(&s.rig);
}

/** Without ATC_INV the device goes on; with it alone, it is filled again out of the TLB. */
static void test_atc(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_dma_result r;
	struct scene s;

	set_scene(&s, c);
	unmap(&s);
	rig_cmd_sync(&s.rig, 0, tlbi());
	r = rig_dma(&s.rig, 0, 1, PAGE, false);
	assert_true(r.ok && r.held_by == SMMU_HELD_ATC);
	assert_string_equal(smmu_model_missing(&r), "atc_inv");
	rig_cmd_sync(&s.rig, 0, atc_inv());
	rig_refused(&s.rig, 0, 1, PAGE, SMMU_F_TRANSLATION);
	rig_expect_no_event(&s.rig, 0); /* the device learns it, not the driver */
	rig_close(&s.rig);

	set_scene(&s, c);
	unmap(&s);
	rig_cmd_sync(&s.rig, 0, atc_inv());
	assert_int_equal(smmu_model_atc_count(s.dev), 0);
	r = rig_dma(&s.rig, 0, 1, PAGE, false);
	assert_true(r.ok && r.held_by == SMMU_HELD_TLB);
	assert_int_equal(smmu_model_atc_count(s.dev), 1);
	rig_close(&s.rig);
}

/** A slow device keeps the CMD_SYNC waiting. */
static void test_slow_device(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_model_counters count;
	struct scene s;
	uint64_t start;

	set_scene(&s, c);
	smmu_model_device_latency(s.dev, 70000);
	start = smmu_model_now(s.rig.model);
	rig_cmd_sync(&s.rig, 0, atc_inv());
	smmu_model_counters(s.rig.model, 0, &count);
	assert_int_equal(count.last_sync_ns, start + 10 + 71000);
	rig_close(&s.rig);
}

/** The four programs that a sweep could write. Only TLBI, SYNC, ATC_INV, SYNC leaves nothing. */
static void test_orders(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_dma_result r;
	struct scene s;

	c.refill_permille = 1000;
	for (unsigned n = 0; n < 4; n++) {
		set_scene(&s, c);
		unmap(&s);
		switch (n) {
		case 0: /* right */
			rig_cmd(&s.rig, 0, tlbi());
			rig_cmd(&s.rig, 0, smmu_cmd_sync(0));
			rig_cmd(&s.rig, 0, atc_inv());
			break;
		case 1: /* no CMD_SYNC in between */
			rig_cmd(&s.rig, 0, tlbi());
			rig_cmd(&s.rig, 0, atc_inv());
			break;
		case 2: /* the other way round */
			rig_cmd(&s.rig, 0, atc_inv());
			rig_cmd(&s.rig, 0, smmu_cmd_sync(0));
			rig_cmd(&s.rig, 0, tlbi());
			break;
		case 3: /* the other way round without one */
			rig_cmd(&s.rig, 0, atc_inv());
			rig_cmd(&s.rig, 0, tlbi());
			break;
		}
		rig_sync(&s.rig, 0);
		r = rig_dma(&s.rig, 0, 1, PAGE, false);
		if (n == 0) {
			assert_false(r.ok);
		} else {
			assert_true(r.ok && r.held_by == SMMU_HELD_ATC && r.refilled);
			assert_string_equal(smmu_model_missing(&r), "tlbi before atc_inv");
		}
		rig_close(&s.rig);
	}
}

/** STE, then TLBI and CFGI without a CMD_SYNC between: the old configuration fetches the old table again. */
static void test_cfgi_before_tlbi(void **state)
{
	for (unsigned right = 0; right < 2; right++) {
		unsigned refilled = 0;

		for (unsigned seed = 0; seed < 20; seed++) {
			struct smmu_model_config c = rig_config();
			struct smmu_model_counters count;
			struct scene s;

			c.prefetch_permille = 1000;
			set_scene_seed(&s, c, seed);
			smmu_model_ats_enable(s.dev, false);
			rig_expect(&s.rig, 0, 1, PAGE, OLD);
			rig_ste(&s.rig, 0, 1, (const uint64_t[8]){SMMU_STE_W0_V});
			rig_cmd(&s.rig, 0, smmu_cmd_cfgi_ste(1, false));
			if (right)
				rig_cmd(&s.rig, 0, smmu_cmd_sync(0));
			rig_cmd(&s.rig, 0, smmu_cmd_cfgi_cd_all(1));
			rig_cmd_sync(&s.rig, 0, smmu_cmd_tlbi_nh_asid(0, 5));
			smmu_model_counters(s.rig.model, 0, &count);
			refilled += count.tlb_entries > 0;
			rig_close(&s.rig);
		}
		if (right)
			assert_int_equal(refilled, 0);
		else
			assert_true(refilled > 5);
	}
}

/** Sizes, substreams and the global bit of ATC_INV. */
static void test_atc_span(void **state)
{
	const struct {
		struct smmu_cmd cmd;
		unsigned
			left; /* bit 0: PAGE, 1: PAGE + 4K, 2: PAGE of substream 1, 3: of substream 2 */
	} rows[] = {
		{smmu_cmd_atc_inv(1, false, 0, false, PAGE, 0), 0xe},
		{smmu_cmd_atc_inv(1, false, 0, false, PAGE + 0x1000, 0), 0xd},
		{smmu_cmd_atc_inv(1, false, 0, false, PAGE, 1), 0xc},
		{smmu_cmd_atc_inv(1, false, 0, false, PAGE + 0x3000, 3), 0xc}, /* aligned down */
		{smmu_cmd_atc_inv(1, false, 0, false, PAGE + 0x8000, 3), 0xf},
		{smmu_cmd_atc_inv(1, false, 0, false, 0, 52), 0xc},
		{smmu_cmd_atc_inv(1, true, 1, false, PAGE, 0), 0xb},
		{smmu_cmd_atc_inv(1, true, 2, false, 0, 52), 0x7},
		{smmu_cmd_atc_inv(1, true, 3, true, PAGE, 0), 0x3}, /* all with a PASID */
		{smmu_cmd_atc_inv(2, false, 0, false, 0, 52), 0xf},
	};

	for (unsigned n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		struct smmu_model_config c = rig_config();
		struct smmu_model_device *dev, *other;
		struct rig rig;
		struct rig_table t;
		uint64_t w[8], cds;
		unsigned left = 0;

		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, n);
		rig_up(&rig, 0);
		t = rig_table(&rig, 1, 12, 48);
		cds = rig_alloc(&rig, 256, 256);
		for (unsigned i = 0; i < 4; i++)
			rig_cd(&rig, cds + i * 64, &t, 5);
		rig_ste_s1(w, cds, 2, 0);
		rig_ste(&rig, 0, 1, w);
		rig_map(&rig, &t, PAGE, OLD, 3, RIG_NG);
		rig_map(&rig, &t, PAGE + 0x1000, OLD, 3, RIG_NG);
		dev = smmu_model_device(rig.model, 0, 1, true);
		other = smmu_model_device(rig.model, 0, 2, true);
		smmu_model_ats_enable(dev, true);
		smmu_model_ats_enable(other, true);
		rig_expect(&rig, 0, 1, PAGE, OLD);
		rig_expect(&rig, 0, 1, PAGE + 0x1000, OLD);
		assert_true(rig_dma_ssid(&rig, 0, 1, 1, PAGE, false).ok);
		assert_true(rig_dma_ssid(&rig, 0, 1, 2, PAGE, false).ok);
		assert_int_equal(smmu_model_atc_count(dev), 4);
		/* Take the TLB's away, so that only the ATC can answer. */
		rig_store(&rig, rig_slot(&rig, &t, PAGE, 3), 0);
		rig_store(&rig, rig_slot(&rig, &t, PAGE + 0x1000, 3), 0);
		rig_cmd_sync(&rig, 0, smmu_cmd_tlbi_nsnh_all());
		rig_cmd_sync(&rig, 0, rows[n].cmd);
		left |= rig_dma(&rig, 0, 1, PAGE, false).ok ? 1 : 0;
		left |= rig_dma(&rig, 0, 1, PAGE + 0x1000, false).ok ? 2 : 0;
		left |= rig_dma_ssid(&rig, 0, 1, 1, PAGE, false).ok ? 4 : 0;
		left |= rig_dma_ssid(&rig, 0, 1, 2, PAGE, false).ok ? 8 : 0;
		if (left != rows[n].left)
			fail_msg("row %u: %#x left, expected %#x", n, left, rows[n].left);
		rig_close(&rig);
	}
}

/** What ATSCHK and EATS let through. */
static void test_ats_rights(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_dma_result r;
	struct scene s;
	uint64_t w[8];

	set_scene(&s, c);
	for (unsigned n = 0; n < 8; n++)
		w[n] = rig_load(&s.rig, s.rig.in[0].strtab + 64 + n * 8);
	w[1] &= ~SMMU_STE_W1_EATS;
	rig_ste(&s.rig, 0, 1, w);
	rig_cmd_sync(&s.rig, 0, smmu_cmd_cfgi_ste(1, true));
	r = rig_dma(&s.rig, 0, 1, PAGE, false);
	assert_true(!r.ok && r.event == SMMU_F_TRANSL_FORBIDDEN);
	rig_expect_event(&s.rig, 0, SMMU_F_TRANSL_FORBIDDEN, 1);
	rig_refused(&s.rig, 0, 1, PAGE + 0x1000, SMMU_F_BAD_ATS_TREQ);
	rig_expect_event(&s.rig, 0, SMMU_F_BAD_ATS_TREQ, 1);
	/* Off at the device: an ordinary access. */
	smmu_model_ats_enable(s.dev, false);
	assert_int_equal(smmu_model_atc_count(s.dev), 0);
	rig_expect(&s.rig, 0, 1, PAGE, OLD);
	/* Gone: nothing at all. */
	smmu_model_device_kill(s.dev);
	rig_refused(&s.rig, 0, 1, PAGE, 0);
	rig_close(&s.rig);
}

/** Split-stage ATS: the ATC holds IPAs, and stage 2 stands behind it. */
static void test_split_stage(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_model_device *dev;
	struct smmu_dma_result r;
	struct rig rig;
	struct rig_table s1, s2;
	uint64_t w[8];

	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	s1 = rig_table(&rig, 1, 12, 48);
	s2 = rig_table(&rig, 2, 12, 40);
	for (uint64_t a = RIG_RAM_BASE; a < RIG_RAM_BASE + RIG_RAM_SIZE; a += 0x200000)
		rig_map(&rig, &s2, a, a, 2, 0);
	rig_map(&rig, &s2, 0x2000000000, OLD, 3, 0);
	rig_map(&rig, &s1, PAGE, 0x2000000000, 3, RIG_NG);
	rig_ste_nested(w, rig_cd(&rig, 0, &s1, 5), &s2, 3);
	w[1] = (w[1] & ~SMMU_STE_W1_EATS) | smmu_field_prep(SMMU_STE_W1_EATS, SMMU_STE_EATS_SPLIT);
	rig_ste(&rig, 0, 1, w);
	dev = smmu_model_device(rig.model, 0, 1, true);
	smmu_model_ats_enable(dev, true);
	rig_expect(&rig, 0, 1, PAGE, OLD);
	/* Stage 2 goes: no ATC_INV is needed. */
	rig_store(&rig, rig_slot(&rig, &s2, 0x2000000000, 3), 0);
	rig_cmd_sync(&rig, 0,
		     smmu_cmd_tlbi_s2_ipa(3, (struct smmu_cmd_range){.addr = 0x2000000000}));
	r = rig_dma(&rig, 0, 1, PAGE, false);
	assert_true(!r.ok && r.event == SMMU_F_TRANSLATION && r.atc_hit);
	rig_close(&rig);
}

static void test_page_requests(void **state)
{
	struct smmu_model_config c = rig_config();
	struct scene s;
	uint64_t w0, w1;
	uint32_t prod;

	set_scene(&s, c);
	assert_true(smmu_model_page_request(s.dev, true, 3, PAGE, true, 77));
	prod = rig_read(&s.rig, 0, SMMU_PRIQ_PROD);
	assert_int_equal(prod, 1);
	w0 = rig_load(&s.rig, s.rig.in[0].priq.base);
	w1 = rig_load(&s.rig, s.rig.in[0].priq.base + 8);
	assert_int_equal(smmu_field_get(SMMU_PRI_W0_SID, w0), 1);
	assert_int_equal(smmu_field_get(SMMU_PRI_W0_SSID, w0), 3);
	assert_true(w0 & SMMU_PRI_W0_SSV && w0 & SMMU_PRI_W0_LAST && w0 & SMMU_PRI_W0_W);
	assert_int_equal(w1, PAGE | 77);
	assert_int_equal(smmu_model_page_response(s.dev, 77), -1);
	rig_write(&s.rig, 0, SMMU_PRIQ_CONS, 1);
	rig_cmd_sync(&s.rig, 0, smmu_cmd_pri_resp(1, true, 3, 77, SMMU_CMD_PRI_RESP_SUCCESS));
	assert_int_equal(smmu_model_page_response(s.dev, 77), SMMU_CMD_PRI_RESP_SUCCESS);
	/* Eight fit. */
	for (unsigned n = 0; n < 8; n++)
		assert_true(smmu_model_page_request(s.dev, false, 0, PAGE, false, (uint16_t)n));
	assert_false(smmu_model_page_request(s.dev, false, 0, PAGE, false, 9));
	assert_true(rig_read(&s.rig, 0, SMMU_PRIQ_PROD) & SMMU_QUEUE_OVERFLOW);
	rig_close(&s.rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_late_effect),      cmocka_unit_test(test_atc),
		cmocka_unit_test(test_orders),           cmocka_unit_test(test_slow_device),
		cmocka_unit_test(test_cfgi_before_tlbi), cmocka_unit_test(test_atc_span),
		cmocka_unit_test(test_ats_rights),       cmocka_unit_test(test_split_stage),
		cmocka_unit_test(test_page_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

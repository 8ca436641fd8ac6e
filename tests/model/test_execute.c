/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instruction fetches: who may execute what, by the leaf, by the tables above it, by CD.WXN, by stage 2, by what the STE makes
 * of an access, and by what an ATC was granted; and what the records say about them.
 */
#include "rig.h"

#include <string.h>

#define DATA 0x800000000ULL
#define PAGE 0x40000000ULL
#define BLOCK (2ULL << 20)

enum who { READ, READ_P, FETCH, FETCH_P, WRITE, ACCESSES };

static struct smmu_dma_result access_as(struct rig *rig, uint32_t stream, uint64_t iova,
					unsigned who, int ssid)
{
	const struct smmu_dma dma = {.stream = stream,
				     .iova = iova,
				     .ssid_valid = ssid >= 0,
				     .ssid = ssid >= 0 ? (uint32_t)ssid : 0,
				     .privileged = who == READ_P || who == FETCH_P,
				     .fetch = who == FETCH || who == FETCH_P,
				     .write = who == WRITE};

	return smmu_model_dma(rig->model, &dma);
}

/** Bit n of @p allowed: access n gets through; what does not is recorded as what it was. */
static void expect(struct rig *rig, uint32_t stream, uint64_t iova, unsigned allowed, bool s2)
{
	for (unsigned who = 0; who < ACCESSES; who++) {
		struct smmu_dma_result r = access_as(rig, stream, iova, who, -1);
		uint64_t w[4];
		char text[400];

		if (r.ok != (allowed >> who & 1))
			fail_msg("access %u: %s", who, smmu_model_explain(&r, text, sizeof(text)));
		if (r.ok) {
			rig_expect_no_event(rig, 0);
			continue;
		}
		assert_int_equal(r.event, SMMU_F_PERMISSION);
		assert_true(rig_event(rig, 0, w));
		assert_int_equal(smmu_field_get(SMMU_EVENT_W0_TYPE, w[0]), SMMU_F_PERMISSION);
		assert_int_equal(!!(w[1] & SMMU_EVENT_W1_IND), who == FETCH || who == FETCH_P);
		assert_int_equal(!!(w[1] & SMMU_EVENT_W1_PNU), who == READ_P || who == FETCH_P);
		assert_int_equal(!!(w[1] & SMMU_EVENT_W1_RNW), who != WRITE);
		assert_int_equal(!!(w[1] & SMMU_EVENT_W1_S2), s2);
		assert_true(r.recorded);
		assert_int_equal(r.record_ind, who == FETCH || who == FETCH_P);
		assert_int_equal(r.record_pnu, who == READ_P || who == FETCH_P);
	}
}

#define R 1u
#define RP 2u
#define X 4u
#define XP 8u
#define W 16u

static void test_stage1(void **state)
{
	static const struct {
		unsigned prot, allowed, wxn;
	} cases[] = {
		/* What the unprivileged may write the privileged do not execute. */
		{0, R | RP | X | W, R | RP | W},
		{RIG_RO, R | RP | X | XP, R | RP | X | XP},
		{RIG_RO | RIG_XN1, R | RP | XP, R | RP | XP},
		{RIG_RO | RIG_XN0, R | RP | X, R | RP | X},
		{RIG_RO | RIG_XN0 | RIG_XN1, R | RP, R | RP},
		{RIG_XN1, R | RP | W, R | RP | W},
		/* Not for the unprivileged to read or write, and for them to execute all the same. */
		{RIG_PRIV, RP | X | XP, RP | X},
		{RIG_PRIV | RIG_XN1, RP | XP, RP},
		{RIG_PRIV | RIG_RO | RIG_XN1, RP | XP, RP | XP},
	};
	struct smmu_model_config c = rig_config();

	for (unsigned wxn = 0; wxn < 2; wxn++) {
		struct rig_table t;
		struct rig rig;
		uint64_t ste[8], cd;

		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
		rig_up(&rig, 0);
		t = rig_table(&rig, 1, 12, 39);
		cd = rig_cd(&rig, 0, &t, 1);
		if (wxn)
			rig_store(&rig, cd, rig_load(&rig, cd) | SMMU_CD_W0_WXN);
		rig_ste_s1(ste, cd, 0, 0);
		rig_ste(&rig, 0, 1, ste);
		for (unsigned n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
			rig_map(&rig, &t, PAGE + n * 4096, DATA, 3, cases[n].prot);
			/* Walked, and out of the TLB. */
			for (unsigned again = 0; again < 2; again++)
				expect(&rig, 1, PAGE + n * 4096,
				       wxn ? cases[n].wxn : cases[n].allowed, false);
		}
		rig_close(&rig);
	}
}

/* UXNTable and PXNTable, unless hierarchical permissions are off; out of the walk cache as well. */
static void test_tables_above(void **state)
{
	static const struct {
		uint64_t bits;
		unsigned allowed;
	} cases[] = {
		{1ULL << 60, R | RP | XP},
		{1ULL << 59, R | RP | X},
		{3ULL << 59, R | RP},
		{1ULL << 62, R | RP | X | XP},
	};
	struct smmu_model_config c = rig_config();

	for (unsigned had = 0; had < 2; had++) {
		struct rig_table t;
		struct rig rig;
		uint64_t ste[8], cd;

		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
		rig_up(&rig, 0);
		t = rig_table(&rig, 1, 12, 39);
		cd = rig_cd(&rig, 0, &t, 1);
		if (had)
			rig_store(&rig, cd + 8, rig_load(&rig, cd + 8) | SMMU_CD_W1_HAD0);
		rig_ste_s1(ste, cd, 0, 0);
		rig_ste(&rig, 0, 1, ste);
		for (unsigned n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
			uint64_t at = PAGE + n * BLOCK, slot;

			rig_map(&rig, &t, at, DATA, 3, RIG_RO);
			rig_map(&rig, &t, at + 4096, DATA, 3, RIG_RO);
			slot = rig_slot(&rig, &t, at, 2);
			rig_store(&rig, slot, rig_load(&rig, slot) | cases[n].bits);
			expect(&rig, 1, at, had ? R | RP | X | XP : cases[n].allowed, false);
			expect(&rig, 1, at + 4096, had ? R | RP | X | XP : cases[n].allowed, false);
		}
		rig_close(&rig);
	}
}

/* Streams of EL2 have one privilege: XN and XNTable, and PXN is nothing. */
static void test_one_privilege(void **state)
{
	struct smmu_model_config c = rig_config();
	struct rig_table t;
	struct rig rig;
	uint64_t ste[8], slot;

	c.hyp = true;
	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	t = rig_table(&rig, 1, 12, 39);
	rig_ste_s1(ste, rig_cd(&rig, 0, &t, 0), 0, 0);
	ste[1] |= smmu_field_prep(SMMU_STE_W1_STRW, SMMU_STE_STRW_EL2);
	rig_ste(&rig, 0, 1, ste);
	rig_map(&rig, &t, PAGE, DATA, 3, RIG_XN0);
	rig_map(&rig, &t, PAGE + 4096, DATA, 3, RIG_XN1);
	rig_map(&rig, &t, PAGE + BLOCK, DATA, 3, 0);
	slot = rig_slot(&rig, &t, PAGE + BLOCK, 2);
	rig_store(&rig, slot, rig_load(&rig, slot) | 1ULL << 60);
	expect(&rig, 1, PAGE, R | RP | X | XP | W, false);
	expect(&rig, 1, PAGE + 4096, R | RP | W, false);
	expect(&rig, 1, PAGE + BLOCK, R | RP | W, false);
	rig_close(&rig);
}

static void test_stage2(void **state)
{
	static const struct {
		unsigned prot, plain, xnx;
	} cases[] = {
		{0, R | RP | X | XP | W, R | RP | X | XP | W},
		{RIG_XN1, R | RP | W, R | RP | W},
		{RIG_XN0, R | RP | X | XP | W, R | RP | X | W},
		{RIG_XN1 | RIG_XN0, R | RP | W, R | RP | XP | W},
		/* Executed, and neither read nor written. */
		{RIG_RO | RIG_NO_READ, X | XP, X | XP},
	};

	for (unsigned xnx = 0; xnx < 2; xnx++) {
		struct smmu_model_config c = rig_config();
		struct rig_table t1, t2;
		struct rig rig;
		uint64_t ste[8], cd;

		c.xnx = xnx;
		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
		assert_int_equal(!!(rig_read(&rig, 0, SMMU_IDR3) & SMMU_IDR3_XNX), xnx);
		rig_up(&rig, 0);
		t2 = rig_table(&rig, 2, 12, 40);
		t1 = rig_table(&rig, 1, 12, 39);
		cd = rig_cd(&rig, 0, &t1, 1);
		rig_ste_s2(ste, &t2, 3);
		rig_ste(&rig, 0, 1, ste);
		rig_ste_nested(ste, cd, &t2, 4);
		rig_ste(&rig, 0, 2, ste);
		/* What the SMMU reads itself is data, whatever may be executed there. */
		for (uint64_t at = RIG_RAM_BASE; at < RIG_RAM_BASE + RIG_RAM_SIZE; at += BLOCK)
			rig_map(&rig, &t2, at, at, 2, RIG_XN1);
		for (unsigned n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
			uint64_t ipa = 0x100000000ULL + n * 4096;
			unsigned allowed = xnx ? cases[n].xnx : cases[n].plain;

			rig_map(&rig, &t2, ipa, DATA, 3, cases[n].prot);
			rig_map(&rig, &t1, PAGE + n * 4096, ipa, 3, RIG_RO);
			for (unsigned again = 0; again < 2; again++)
				expect(&rig, 1, ipa, allowed, true);
			/* Behind a stage 1 that lets all but writes through. */
			for (unsigned again = 0; again < 2; again++)
				for (unsigned who = 0; who < WRITE; who++) {
					uint64_t w[4];
					bool ok = access_as(&rig, 2, PAGE + n * 4096, who, -1).ok;

					assert_int_equal(ok, allowed >> who & 1);
					assert_int_equal(rig_event(&rig, 0, w), !ok);
				}
		}
		/* Stage 1 forbids what stage 2 allows. */
		rig_map(&rig, &t1, PAGE + BLOCK, 0x100000000ULL, 3, RIG_RO | RIG_XN1);
		expect(&rig, 2, PAGE + BLOCK, R | RP | XP, false);
		rig_close(&rig);
	}
}

/* STE.INSTCFG and PRIVCFG, of parts that have them; writes are data always. */
static void test_overrides(void **state)
{
	static const struct {
		unsigned instcfg, privcfg, allowed;
		bool fetch, priv; /* what the record of a refused read says */
	} cases[] = {
		{SMMU_STE_INSTCFG_INCOMING, SMMU_STE_PRIVCFG_INCOMING, R | RP | W, false, false},
		{1, 1, R | RP | W, false, false},
		{SMMU_STE_INSTCFG_DATA, 0, R | RP | X | XP | W, false, false},
		{SMMU_STE_INSTCFG_INST, 0, W, true, false},
		{SMMU_STE_INSTCFG_INST, SMMU_STE_PRIVCFG_PRIV, W, true, true},
	};

	for (unsigned ovr = 0; ovr < 2; ovr++)
		for (unsigned n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
			struct smmu_model_config c = rig_config();
			struct rig_table t;
			struct rig rig;
			uint64_t ste[8];

			c.attr_perms_ovr = ovr;
			rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
			rig_up(&rig, 0);
			t = rig_table(&rig, 1, 12, 39);
			rig_ste_s1(ste, rig_cd(&rig, 0, &t, 1), 0, 0);
			ste[1] |= smmu_field_prep(SMMU_STE_W1_INSTCFG, cases[n].instcfg) |
				  smmu_field_prep(SMMU_STE_W1_PRIVCFG, cases[n].privcfg);
			rig_ste(&rig, 0, 1, ste);
			rig_map(&rig, &t, PAGE, DATA, 3, RIG_XN0 | RIG_XN1);
			for (unsigned who = 0; who < ACCESSES; who++) {
				struct smmu_dma_result r = access_as(&rig, 1, PAGE, who, -1);
				unsigned allowed = ovr ? cases[n].allowed : R | RP | W;

				assert_int_equal(r.ok, allowed >> who & 1);
				if (r.ok || who != READ)
					continue;
				assert_int_equal(r.record_ind, cases[n].fetch);
				assert_int_equal(r.record_pnu, cases[n].priv);
			}
			rig_close(&rig);
		}
}

/*
 * With ATS: execution is granted to who asks for it, to its privilege, and of pages that may be read; what was granted to reads
 * answers no fetch; without a PASID nobody fetches (13.7).
 */
static void test_ats(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_model_device *dev;
	struct smmu_model_counters k;
	struct rig_table t;
	struct rig rig;
	uint64_t ste[8], cds;

	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	t = rig_table(&rig, 1, 12, 39);
	cds = rig_alloc(&rig, 4 * 64, 4 * 64);
	rig_cd(&rig, cds, &t, 1);
	rig_cd(&rig, cds + 64, &t, 1);
	rig_ste_s1(ste, cds, 2, 0);
	rig_ste(&rig, 0, 1, ste);
	dev = smmu_model_device(rig.model, 0, 1, true);
	assert_non_null(dev);
	smmu_model_ats_enable(dev, true);
	rig_map(&rig, &t, PAGE, DATA, 3, RIG_RO);
	rig_map(&rig, &t, PAGE + 4096, DATA, 3, RIG_XN1);
	rig_map(&rig, &t, PAGE + 8192, DATA, 3, RIG_PRIV);

	assert_true(access_as(&rig, 1, PAGE, READ, 1).ok);
	assert_int_equal(smmu_model_atc_count(dev), 1);
	assert_true(access_as(&rig, 1, PAGE, FETCH, 1).ok);
	assert_int_equal(smmu_model_atc_count(dev), 2);
	assert_true(access_as(&rig, 1, PAGE, FETCH, 1).atc_hit);
	assert_true(access_as(&rig, 1, PAGE, READ, 1).atc_hit);
	assert_false(access_as(&rig, 1, PAGE, FETCH_P, 1).atc_hit);
	assert_true(access_as(&rig, 1, PAGE, FETCH_P, 1).atc_hit);
	assert_int_equal(smmu_model_atc_count(dev), 3);

	assert_true(access_as(&rig, 1, PAGE + 4096, READ, 1).ok);
	assert_false(access_as(&rig, 1, PAGE + 4096, FETCH, 1).ok);
	assert_false(access_as(&rig, 1, PAGE + 4096, FETCH_P, 1).ok);
	/* Without a PASID it is a read. */
	assert_true(access_as(&rig, 1, PAGE + 4096, FETCH, -1).ok);
	/* The unprivileged may execute this page, but not read it. */
	assert_false(access_as(&rig, 1, PAGE + 8192, FETCH, 1).ok);
	assert_true(access_as(&rig, 1, PAGE + 8192, FETCH_P, 1).ok);
	/* The device's own affair, all of it. */
	rig_expect_no_event(&rig, 0);

	/* One ATC_INV takes all that was granted. */
	smmu_model_counters(rig.model, 0, &k);
	rig_cmd_sync(&rig, 0, smmu_cmd_atc_inv(1, true, 1, false, PAGE, 0));
	assert_false(access_as(&rig, 1, PAGE, FETCH, 1).atc_hit);
	assert_false(access_as(&rig, 1, PAGE, FETCH_P, 1).atc_hit);

	/* What does not go through the ATC is judged by the SMMU. */
	struct smmu_dma dma = {.stream = 1,
			       .ssid_valid = true,
			       .ssid = 1,
			       .iova = PAGE + 4096,
			       .fetch = true,
			       .kind = SMMU_DMA_UNTRANSLATED};

	assert_false(smmu_model_dma(rig.model, &dma).ok);
	rig_expect_event(&rig, 0, SMMU_F_PERMISSION, 1);
	dma.iova = PAGE + 8192;
	assert_true(smmu_model_dma(rig.model, &dma).ok);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stage1),        cmocka_unit_test(test_tables_above),
		cmocka_unit_test(test_one_privilege), cmocka_unit_test(test_stage2),
		cmocka_unit_test(test_overrides),     cmocka_unit_test(test_ats),
	};

	return cmocka_run_group_tests_name("execute", tests, NULL, NULL);
}

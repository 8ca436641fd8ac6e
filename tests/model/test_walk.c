/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bring-up, configuration and walks: what the model translates when nothing is stale.
 */
#include "rig.h"

#include <string.h>

#define DATA 0x800000000ULL /* outputs need not be memory */

static void test_bring_up(void **state)
{
	struct smmu_model_config c = rig_config();
	struct rig rig;
	uint32_t idr0;

	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	idr0 = rig_read(&rig, 0, SMMU_IDR0);
	assert_true(idr0 & SMMU_IDR0_S1P && idr0 & SMMU_IDR0_S2P && idr0 & SMMU_IDR0_MSI);
	assert_int_equal(smmu_field_get(SMMU_IDR0_TTF, idr0), SMMU_IDR0_TTF_AARCH64);
	assert_int_equal(smmu_field_get(SMMU_IDR1_SIDSIZE, rig_read(&rig, 0, SMMU_IDR1)),
			 RIG_STREAMS_LOG2);
	assert_int_equal(smmu_field_get(SMMU_IDR5_OAS, rig_read(&rig, 0, SMMU_IDR5)),
			 SMMU_IDR5_OAS_48);
	assert_true(rig_read(&rig, 0, SMMU_IDR3) & SMMU_IDR3_RIL);

	/* Off: everything passes, or nothing, as GBPA says. */
	rig_expect(&rig, 0, 3, 0x1234, 0x1234);
	rig_write(&rig, 0, SMMU_GBPA, (uint32_t)(SMMU_GBPA_UPDATE | SMMU_GBPA_ABORT));
	assert_true(rig_read(&rig, 0, SMMU_GBPA) & SMMU_GBPA_UPDATE);
	rig_expect(&rig, 0, 3, 0x1234, 0x1234);
	rig_wait(&rig, 0, SMMU_GBPA, (uint32_t)SMMU_GBPA_UPDATE, 0);
	rig_refused(&rig, 0, 3, 0x1234, 0);

	/* CR0ACK lags behind CR0. */
	rig_write(&rig, 0, SMMU_CR0, SMMU_CR0_EVENTQEN);
	assert_int_equal(rig_read(&rig, 0, SMMU_CR0ACK), 0);
	rig_wait(&rig, 0, SMMU_CR0ACK, UINT32_MAX, SMMU_CR0_EVENTQEN);
	rig_write(&rig, 0, SMMU_CR0, 0);
	rig_wait(&rig, 0, SMMU_CR0ACK, UINT32_MAX, 0);

	rig_up(&rig, 0);
	rig_refused(&rig, 0, 3, 0x1234, SMMU_C_BAD_STE);
	rig_expect_event(&rig, 0, SMMU_C_BAD_STE, 3);
	rig_refused(&rig, 0, 1u << RIG_STREAMS_LOG2, 0x1234, SMMU_C_BAD_STREAMID);
	rig_expect_event(&rig, 0, SMMU_C_BAD_STREAMID, 1u << RIG_STREAMS_LOG2);
	rig_close(&rig);
}

static void test_misuse(void **state)
{
	static const struct {
		uint32_t offset, value;
		const char *text;
	} cases[] = {
		{SMMU_STRTAB_BASE, 0, "STRTAB_BASE while"},
		{SMMU_STRTAB_BASE_CFG, 3, "STRTAB_BASE_CFG while"},
		{SMMU_CMDQ_BASE, 0, "CMDQ_BASE while"},
		{SMMU_CMDQ_CONS, 0, "CMDQ_CONS while"},
		{SMMU_EVENTQ_BASE, 0, "EVENTQ_BASE while"},
		{SMMU_EVENTQ_PROD, 0, "EVENTQ_PROD while"},
		{SMMU_EVENTQ_CONS, 3, "passes PROD"},
		{SMMU_CR1, 0, "CR1.TABLE_* while"},
		{SMMU_CR2, 0, "CR2 while"},
		{SMMU_GBPA, 0, "GBPA without UPDATE"},
		{SMMU_GERRORN, 1, "not active"},
		{SMMU_IDR0, 1, "read-only"},
		{SMMU_CMDQ_PROD, 0, "overruns"},
		{SMMU_EVENTQ_IRQ_CFG1, 0, "IRQ_CFG"},
	};
	struct smmu_model_config c = rig_config();
	struct rig rig;

	for (unsigned n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		const char *text;

		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
		rig_up(&rig, 0);
		assert_int_equal(smmu_model_misuse_count(rig.model, 0), 0);
		rig_write(&rig, 0, cases[n].offset, cases[n].value);
		text = smmu_model_misuse(rig.model, 0, 0);
		if (!text || !strstr(text, cases[n].text))
			fail_msg("expected \"%s\", got \"%s\"", cases[n].text,
				 text ? text : "(nothing)");
		rig_close_anyway(&rig);
	}

	/* Enabled without a clean start. */
	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_write(&rig, 0, SMMU_CR0, SMMU_CR0_SMMUEN);
	rig_wait(&rig, 0, SMMU_CR0ACK, 1, 1);
	assert_int_equal(smmu_model_misuse_count(rig.model, 0), 2);
	rig_close_anyway(&rig);
}

/** Every level that may hold a leaf, of a granule. */
static unsigned top_leaf(unsigned granule)
{
	return granule == 12 ? 1 : 2;
}

static void test_stage(unsigned stage, unsigned granule, unsigned ia_bits)
{
	struct smmu_model_config c = rig_config();
	struct rig rig;
	struct rig_table t;
	uint64_t w[8];

	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, granule * 100 + ia_bits);
	rig_up(&rig, 0);
	t = rig_table(&rig, stage, granule, ia_bits);
	if (stage == 1)
		rig_ste_s1(w, rig_cd(&rig, 0, &t, 5), 0, 0);
	else
		rig_ste_s2(w, &t, 5);
	rig_ste(&rig, 0, 7, w);

	for (unsigned n = 0; n < 40; n++) {
		uint64_t size, addr, pa, off;
		struct smmu_dma dma = {.stream = 7};
		unsigned level;

		addr = smmu_random_next(&rig.random) & ((1ULL << ia_bits) - 1);
		if (n < 2)
			addr = n ? (1ULL << ia_bits) - 1 : 0;
		/* All leaves under one of the largest ones have the same level, so that none takes another's place. */
		level = top_leaf(granule) + (unsigned)((addr >> rig_shift(&t, top_leaf(granule))) *
						       7 % (4 - top_leaf(granule)));
		if (level < t.start)
			level = t.start;
		size = 1ULL << rig_shift(&t, level);
		addr &= ~(size - 1);
		dma.iova = addr;
		if (size >> ia_bits || smmu_model_truth(rig.model, &dma, NULL))
			continue;
		pa = smmu_random_next(&rig.random) & ((1ULL << 48) - 1) & ~(size - 1);
		rig_map(&rig, &t, addr, pa, level, 0);
		off = smmu_random_below(&rig.random, size);
		rig_expect(&rig, 0, 7, addr + off, pa + off);
		rig_expect(&rig, 0, 7, addr, pa);
		rig_expect(&rig, 0, 7, addr + size - 1, pa + size - 1);
	}
	/* Beyond the input range, as long as that is not beyond the output range too. */
	if (stage == 1 || ia_bits < c.oas) {
		rig_refused(&rig, 0, 7, 1ULL << ia_bits, SMMU_F_TRANSLATION);
		rig_expect_event(&rig, 0, SMMU_F_TRANSLATION, 7);
	}
	rig_close(&rig);
}

static void test_granules(void **state)
{
	static const unsigned granules[] = {12, 14, 16},
			      bits[] = {25, 32, 36, 39, 40, 42, 43, 44, 47, 48};

	for (unsigned g = 0; g < 3; g++)
		for (unsigned b = 0; b < sizeof(bits) / sizeof(bits[0]); b++) {
			test_stage(1, granules[g], bits[b]);
			test_stage(2, granules[g], bits[b]);
		}
}

/** Map IPA = PA for all memory that the test uses, so that tables built in memory serve as IPAs. */
static void map_identity(struct rig *rig, struct rig_table *s2)
{
	uint64_t size = 1ULL << rig_shift(s2, 2);

	for (uint64_t a = RIG_RAM_BASE & ~(size - 1); a < RIG_RAM_BASE + RIG_RAM_SIZE; a += size)
		rig_map(rig, s2, a, a, 2, 0);
}

static void test_nested(void **state)
{
	static const unsigned granules[] = {12, 14, 16};

	for (unsigned n = 0; n < 9; n++) {
		struct smmu_model_config c = rig_config();
		struct rig rig;
		struct rig_table s1, s2;
		uint64_t w[8], ipa = 0x2000000000, page1, page2;
		uint64_t event[4];

		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, n);
		rig_up(&rig, 0);
		s1 = rig_table(&rig, 1, granules[n % 3], 48);
		s2 = rig_table(&rig, 2, granules[n / 3], 40);
		page1 = 1ULL << s1.granule;
		page2 = 1ULL << s2.granule;
		map_identity(&rig, &s2);
		rig_ste_nested(w, rig_cd(&rig, 0, &s1, 5), &s2, 9);
		rig_ste(&rig, 0, 1, w);
		/* Two leaves of stage 1, and for each as many of stage 2 as it takes, in other places. */
		for (uint64_t a = 0; a < 2 * page1 || a < 2 * page2; a += page2)
			rig_map(&rig, &s2, ipa + a,
				DATA + 5 * page1 * page2 + a * 3 / page2 * page2, 3, 0);
		rig_map(&rig, &s1, 0x10000000, ipa, 3, RIG_NG);
		rig_map(&rig, &s1, 0x10000000 + page1, ipa + page1, 3, RIG_NG);
		for (uint64_t a = 0; a < 2 * page1; a += 0x1000) {
			uint64_t page = a & ~(page2 - 1), base = DATA + 5 * page1 * page2;

			rig_expect(&rig, 0, 1, 0x10000000 + a,
				   base + page * 3 / page2 * page2 + (a & (page2 - 1)));
		}
		/* A stage-2 fault of the output, and one of a table. */
		rig_map(&rig, &s1, 0x10000000 + 2 * page1, 0x3000000000, 3, RIG_NG);
		rig_refused(&rig, 0, 1, 0x10000000 + 2 * page1, SMMU_F_TRANSLATION);
		assert_true(rig_event(&rig, 0, event));
		assert_true(event[1] & SMMU_EVENT_W1_S2);
		assert_int_equal(smmu_field_get(SMMU_EVENT_W1_CLASS, event[1]),
				 SMMU_EVENT_CLASS_IN);
		assert_int_equal(event[3], 0x3000000000);
		rig_store(&rig, rig_slot(&rig, &s1, 1ULL << 47, s1.start), 0x3000000000 | 3);
		rig_refused(&rig, 0, 1, 1ULL << 47, SMMU_F_TRANSLATION);
		assert_true(rig_event(&rig, 0, event));
		assert_int_equal(smmu_field_get(SMMU_EVENT_W1_CLASS, event[1]),
				 SMMU_EVENT_CLASS_TT);
		rig_close(&rig);
	}
}

static void test_upper_half(void **state)
{
	struct smmu_model_config c = rig_config();
	struct rig rig;
	struct rig_table t;
	uint64_t w[8], cd;

	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	t = rig_table(&rig, 1, 12, 39);
	cd = rig_cd(&rig, 0, &t, 5);
	/* The same table for both halves; the upper one with its own granule code and the top byte ignored. */
	rig_store(&rig, cd + 16, t.root);
	rig_store(&rig, cd,
		  (rig_load(&rig, cd) & ~SMMU_CD_W0_EPD1) | smmu_field_prep(SMMU_CD_W0_T1SZ, 25) |
			  smmu_field_prep(SMMU_CD_W0_TG1, SMMU_CD_TG1_4K) | SMMU_CD_W0_TBI1);
	rig_ste_s1(w, cd, 0, 0);
	rig_ste(&rig, 0, 1, w);
	rig_map(&rig, &t, 0x5000, DATA, 3, RIG_NG);
	rig_expect(&rig, 0, 1, 0x5123, DATA + 0x123);
	rig_expect(&rig, 0, 1, 0xffffff8000005123, DATA + 0x123);
	rig_expect(&rig, 0, 1, 0xa5ffff8000005123, DATA + 0x123);
	rig_refused(&rig, 0, 1, 0xa500000000005123, SMMU_F_TRANSLATION);
	rig_refused(&rig, 0, 1, 0xffff7f8000005123, SMMU_F_TRANSLATION);
	rig_close(&rig);
}

static void test_faults(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_dma_result r;
	struct rig rig;
	struct rig_table t;
	uint64_t w[8], event[4];
	struct smmu_dma priv = {.stream = 1, .iova = 0x4000, .privileged = true};

	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	t = rig_table(&rig, 1, 12, 48);
	rig_ste_s1(w, rig_cd(&rig, 0, &t, 5), 0, 0);
	rig_ste(&rig, 0, 1, w);
	rig_map(&rig, &t, 0x1000, DATA, 3, RIG_RO | RIG_NG);
	rig_map(&rig, &t, 0x2000, DATA, 3, RIG_NO_AF | RIG_NG);
	rig_map(&rig, &t, 0x3000, 1ULL << 47, 3, RIG_NG);
	rig_map(&rig, &t, 0x4000, DATA, 3, RIG_PRIV | RIG_NG);
	rig_expect(&rig, 0, 1, 0x1000, DATA);
	r = rig_dma(&rig, 0, 1, 0x1008, true);
	assert_int_equal(r.event, SMMU_F_PERMISSION);
	assert_true(rig_event(&rig, 0, event));
	assert_false(event[1] & SMMU_EVENT_W1_RNW);
	assert_int_equal(event[2], 0x1008);
	rig_refused(&rig, 0, 1, 0x2000, SMMU_F_ACCESS);
	rig_expect_event(&rig, 0, SMMU_F_ACCESS, 1);
	rig_refused(&rig, 0, 1, 0x4000, SMMU_F_PERMISSION);
	rig_expect_event(&rig, 0, SMMU_F_PERMISSION, 1);
	assert_true(smmu_model_dma(rig.model, &priv).ok);
	/* A table outside memory. */
	rig_store(&rig, rig_slot(&rig, &t, 1ULL << 40, 0), 0x100000000003);
	rig_refused(&rig, 0, 1, 1ULL << 40, SMMU_F_WALK_EABT);
	rig_expect_event(&rig, 0, SMMU_F_WALK_EABT, 1);

	/* A smaller output range makes an address size fault. */
	rig_store(&rig, rig.brk & ~63ULL, 0);
	w[0] = (w[0] & ~SMMU_STE_W0_S1CONTEXTPTR) | rig_cd(&rig, 0, &t, 6);
	rig_store(&rig, w[0] & SMMU_STE_W0_S1CONTEXTPTR,
		  (rig_load(&rig, w[0] & SMMU_STE_W0_S1CONTEXTPTR) & ~SMMU_CD_W0_IPS) |
			  smmu_field_prep(SMMU_CD_W0_IPS, SMMU_IDR5_OAS_44));
	rig_ste(&rig, 0, 2, w);
	rig_refused(&rig, 0, 2, 0x3000, SMMU_F_ADDR_SIZE);
	rig_expect_event(&rig, 0, SMMU_F_ADDR_SIZE, 2);
	rig_expect(&rig, 0, 1, 0x3000, 1ULL << 47);
	rig_expect_no_event(&rig, 0);
	rig_close(&rig);
}

static void test_substreams(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_dma_result r;
	struct rig rig;
	struct rig_table a, b;
	uint64_t w[8], cds, l1, l2;

	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	a = rig_table(&rig, 1, 12, 39);
	b = rig_table(&rig, 1, 12, 39);
	rig_map(&rig, &a, 0x1000, DATA, 3, RIG_NG);
	rig_map(&rig, &b, 0x1000, DATA + 0x1000, 3, RIG_NG);

	/* Linear, four CDs. */
	cds = rig_alloc(&rig, 256, 256);
	rig_cd(&rig, cds, &a, 1);
	rig_cd(&rig, cds + 64, &b, 2);
	rig_ste_s1(w, cds, 2, 0);
	rig_ste(&rig, 0, 1, w);
	rig_expect(&rig, 0, 1, 0x1000, DATA);
	r = rig_dma_ssid(&rig, 0, 1, 1, 0x1000, false);
	assert_true(r.ok && r.pa == DATA + 0x1000);
	assert_int_equal(rig_dma_ssid(&rig, 0, 1, 0, 0x1000, false).event, SMMU_F_STREAM_DISABLED);
	assert_int_equal(rig_dma_ssid(&rig, 0, 1, 3, 0x1000, false).event, SMMU_C_BAD_CD);
	assert_int_equal(rig_dma_ssid(&rig, 0, 1, 4, 0x1000, false).event, SMMU_C_BAD_SUBSTREAMID);

	/* S1DSS: bypass and terminate. */
	w[1] = smmu_field_prep(SMMU_STE_W1_S1DSS, SMMU_STE_S1DSS_BYPASS);
	rig_ste(&rig, 0, 2, w);
	rig_expect(&rig, 0, 2, 0x1000, 0x1000);
	assert_true(rig_dma_ssid(&rig, 0, 2, 0, 0x1000, false).pa == DATA);
	w[1] = smmu_field_prep(SMMU_STE_W1_S1DSS, SMMU_STE_S1DSS_TERMINATE);
	rig_ste(&rig, 0, 3, w);
	rig_refused(&rig, 0, 3, 0x1000, SMMU_F_STREAM_DISABLED);

	/* Two levels: 64 CDs in each table. */
	l1 = rig_alloc(&rig, 4096, 4096);
	l2 = rig_alloc(&rig, 4096, 4096);
	rig_cd(&rig, l2 + 64, &b, 3);
	rig_store(&rig, l1 + 8, l2 | SMMU_L1CD_V);
	rig_ste_s1(w, l1, 10, 0);
	w[0] |= smmu_field_prep(SMMU_STE_W0_S1FMT, SMMU_STE_S1FMT_4K_L2);
	rig_ste(&rig, 0, 4, w);
	r = rig_dma_ssid(&rig, 0, 4, 65, 0x1000, true);
	assert_true(r.ok && r.pa == DATA + 0x1000);
	assert_int_equal(rig_dma_ssid(&rig, 0, 4, 1, 0x1000, false).event, SMMU_C_BAD_SUBSTREAMID);
	assert_int_equal(rig_dma_ssid(&rig, 0, 4, 66, 0x1000, false).event, SMMU_C_BAD_CD);

	/* No substreams at all. */
	rig_ste_s1(w, cds, 0, 0);
	rig_ste(&rig, 0, 5, w);
	assert_int_equal(rig_dma_ssid(&rig, 0, 5, 1, 0x1000, false).event, SMMU_C_BAD_SUBSTREAMID);
	rig_expect(&rig, 0, 5, 0x1000, DATA);

	/* Bypass and abort. */
	memset(w, 0, sizeof(w));
	w[0] = SMMU_STE_W0_V | smmu_field_prep(SMMU_STE_W0_CONFIG, SMMU_STE_CONFIG_BYPASS);
	rig_ste(&rig, 0, 6, w);
	rig_expect(&rig, 0, 6, 0x123456, 0x123456);
	w[0] = SMMU_STE_W0_V;
	rig_ste(&rig, 0, 7, w);
	rig_refused(&rig, 0, 7, 0x1000, 0);
	rig_close(&rig);
}

static void test_two_level_streams(void **state)
{
	struct smmu_model_config c = rig_config();
	struct rig rig;
	uint64_t l1, l2, w[8] = {SMMU_STE_W0_V | 4 << 1};

	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	rig_write(&rig, 0, SMMU_CR0, SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN);
	rig_wait(&rig, 0, SMMU_CR0ACK, 1, 0);
	l1 = rig_alloc(&rig, 4096, 4096);
	l2 = rig_alloc(&rig, 4096, 4096);
	rig_write64(&rig, 0, SMMU_STRTAB_BASE, l1);
	rig_write(&rig, 0, SMMU_STRTAB_BASE_CFG,
		  (uint32_t)(RIG_STREAMS_LOG2 | smmu_field_prep(SMMU_STRTAB_BASE_CFG_SPLIT, 6) |
			     smmu_field_prep(SMMU_STRTAB_BASE_CFG_FMT,
					     SMMU_STRTAB_BASE_CFG_FMT_2LVL)));
	rig_cmd_sync(&rig, 0, smmu_cmd_cfgi_all());
	rig_write(&rig, 0, SMMU_CR0, SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN | SMMU_CR0_SMMUEN);
	rig_wait(&rig, 0, SMMU_CR0ACK, 1, 1);
	/* 16 STEs from stream 64 on. */
	rig_store(&rig, l1 + 8, l2 | 5);
	for (unsigned n = 0; n < 8; n++)
		rig_store(&rig, l2 + 15 * 64 + n * 8, w[n]);
	rig_expect(&rig, 0, 64 + 15, 0x1000, 0x1000);
	rig_refused(&rig, 0, 64 + 14, 0x1000, SMMU_C_BAD_STE);
	rig_refused(&rig, 0, 64 + 16, 0x1000, SMMU_C_BAD_STREAMID);
	rig_refused(&rig, 0, 0, 0x1000, SMMU_C_BAD_STREAMID);
	/* A level-1 descriptor is held as well, and let go by a command that is not for the leaf alone. */
	rig_store(&rig, l1, l2 | 5);
	rig_refused(&rig, 0, 15, 0x1000, SMMU_C_BAD_STREAMID);
	rig_cmd_sync(&rig, 0, smmu_cmd_cfgi_ste(15, true));
	rig_refused(&rig, 0, 15, 0x1000, SMMU_C_BAD_STREAMID);
	rig_cmd_sync(&rig, 0, smmu_cmd_cfgi_ste(64, false));
	rig_refused(&rig, 0, 15, 0x1000, SMMU_C_BAD_STREAMID);
	rig_cmd_sync(&rig, 0, smmu_cmd_cfgi_ste(3, false));
	rig_expect(&rig, 0, 15, 0x1000, 0x1000);
	rig_close(&rig);
}

/**
 * Entries of both stages of which one stage changes from pages to a block: two answer, of descriptors of two sizes. Not where the sizes are
 * as they were, however small the pieces.
 */
static void test_combined_conflict(void **state)
{
	const uint64_t va = 0x10000000, ipa = 0x2000000000, size = 2 << 20;

	for (unsigned n = 0; n < 8; n++) {
		struct smmu_model_config c = rig_config();
		bool changes = n & 1, first = n & 2, tells = n & 4;
		struct rig_table s1, s2, *t;
		struct rig rig;
		uint64_t w[8];

		c.bbml = tells ? 0 : 2;
		c.conflict_permille = 1000;
		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, n);
		rig_up(&rig, 0);
		s1 = rig_table(&rig, 1, 12, 39);
		s2 = rig_table(&rig, 2, 12, 40);
		map_identity(&rig, &s2);
		rig_ste_nested(w, rig_cd(&rig, 0, &s1, 5), &s2, 9);
		rig_ste(&rig, 0, 1, w);
		for (uint64_t a = 0; a < size; a += 0x1000) {
			rig_map(&rig, &s1, va + a, ipa + a, 3, RIG_NG);
			rig_map(&rig, &s2, ipa + a, DATA + a, 3, 0);
		}
		/* What does not change is a block from the beginning. */
		t = first ? &s2 : &s1;
		rig_store(&rig, rig_slot(&rig, t, first ? ipa : va, 2), 0);
		rig_map(&rig, t, first ? ipa : va, first ? DATA : ipa, 2, RIG_NG);
		rig_expect(&rig, 0, 1, va + 0x5000, DATA + 0x5000);
		t = first ? &s1 : &s2;
		if (changes) {
			rig_store(&rig, rig_slot(&rig, t, first ? va : ipa, 2), 0);
			rig_map(&rig, t, first ? va : ipa, first ? ipa : DATA, 2, RIG_NG);
		}
		/* The way to the pages is forgotten, but not the page: of a block of stage 1 it would be. */
		rig_cmd_sync(
			&rig, 0,
			smmu_cmd_tlbi_s2_ipa(9, (struct smmu_cmd_range){.addr = ipa + 0x5000}));
		if (first)
			rig_cmd_sync(&rig, 0,
				     smmu_cmd_tlbi_nh_va(
					     9, 5, (struct smmu_cmd_range){.addr = va + 0x6000}));
		rig_expect(&rig, 0, 1, va + 0x6000, DATA + 0x6000);
		if (changes && tells) {
			rig_refused(&rig, 0, 1, va + 0x5000, SMMU_F_TLB_CONFLICT);
			rig_expect_event(&rig, 0, SMMU_F_TLB_CONFLICT, 1);
		} else {
			rig_expect(&rig, 0, 1, va + 0x5000, DATA + 0x5000);
		}
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bring_up),
		cmocka_unit_test(test_misuse),
		cmocka_unit_test(test_granules),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_combined_conflict),
		cmocka_unit_test(test_upper_half),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_substreams),
		cmocka_unit_test(test_two_level_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

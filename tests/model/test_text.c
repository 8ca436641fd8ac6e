/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules of IHI 0070 G.b, row by row: what makes an STE or a CD illegal and for which part, what is too large, what is
 * recorded and how.
 */
#include "rig.h"

#include <string.h>

#define PA 0x9000ULL
#define VA 0x1000ULL

enum shape { S1, S2, BYPASS };

struct row {
	const char *text;
	enum shape shape;
	unsigned word;
	uint64_t clear, set;
	void (*part)(struct smmu_model_config *c);
	unsigned event; /* 0: the access lands */
};

static void stall0(struct smmu_model_config *c)
{
	c->stall_model = 0;
	c->ats = c->pri = false; /* what stalls has no ATS */
}

static void stall2(struct smmu_model_config *c)
{
	c->stall_model = 2;
	c->ats = c->pri = false; /* what stalls has no ATS */
}

static void refuse(struct smmu_model_config *c)
{
	c->check_reserved = true;
}

static void refuse_ovr(struct smmu_model_config *c)
{
	c->check_reserved = true;
	c->attr_types_ovr = c->attr_perms_ovr = true;
}

static void oas40(struct smmu_model_config *c)
{
	c->oas = 40;
}

static void oas52(struct smmu_model_config *c)
{
	c->oas = 52;
}

static void oas40_v0(struct smmu_model_config *c)
{
	c->oas = 40;
	c->version = 0;
}

static void oas40_v0_cut(struct smmu_model_config *c)
{
	oas40_v0(c);
	c->oas_truncate = true;
}

static void no_ssids(struct smmu_model_config *c)
{
	c->ssid_bits = 0;
}

static void ids8(struct smmu_model_config *c)
{
	c->vmid16 = c->asid16 = false;
	c->hyp = true;
}

static void hyp(struct smmu_model_config *c)
{
	c->hyp = true;
}

static void term(struct smmu_model_config *c)
{
	c->term_model = true;
}

static const struct row ste_rows[] = {
	{"plain", S1, 0, 0, 0, NULL, 0},
	{"plain", S2, 0, 0, 0, NULL, 0},
	{"plain", BYPASS, 0, 0, 0, NULL, 0},
	{"V", S1, 0, SMMU_STE_W0_V, 0, NULL, SMMU_C_BAD_STE},
	{"S2HA without HTTU", S2, 2, 0, SMMU_STE_W2_S2HA, NULL, SMMU_C_BAD_STE},
	{"S2HD without HTTU", S2, 2, 0, SMMU_STE_W2_S2HD, NULL, SMMU_C_BAD_STE},
	{"S2HA, no stage 2", S1, 2, 0, SMMU_STE_W2_S2HA, NULL, 0},
	{"S1STALLD, model 01", S1, 1, 0, SMMU_STE_W1_S1STALLD, NULL, SMMU_C_BAD_STE},
	{"S1STALLD, model 00", S1, 1, 0, SMMU_STE_W1_S1STALLD, stall0, 0},
	{"S1STALLD, no stage 1", S2, 1, 0, SMMU_STE_W1_S1STALLD, NULL, 0},
	{"S2S, model 01", S2, 2, 0, SMMU_STE_W2_S2S, NULL, SMMU_C_BAD_STE},
	{"S2S, model 00", S2, 2, 0, SMMU_STE_W2_S2S, stall0, 0},
	{"no S2S, model 10", S2, 2, 0, 0, stall2, SMMU_C_BAD_STE},
	{"S2S, model 10", S2, 2, 0, SMMU_STE_W2_S2S, stall2, 0},
	{"S2TTB over 48 bits", S2, 3, 0, 1ULL << 49, oas52, SMMU_C_BAD_STE},
	{"no start at level 0 for 40 bits", S2, 2, 3ULL << 38 | 63ULL << 32,
	 2ULL << 38 | 24ULL << 32, oas40, SMMU_C_BAD_STE},
	{"S1DSS 11 acts as 00", S1, 1, 0, 3, NULL, 0}, /* and is not looked at without S1CDMax */
	{"S1CDMax without SSIDSIZE", S1, 0, 0, 3ULL << 59, no_ssids, 0},
	{"S1CDMax over SSIDSIZE", S1, 0, 0, 17ULL << 59, NULL, SMMU_C_BAD_STE},
	{"EATS split, bypass", BYPASS, 1, 0, 2ULL << 28, NULL, 0},
	{"EATS split, stage 1", S1, 1, 3ULL << 28, 2ULL << 28, NULL, SMMU_C_BAD_STE},
	{"S1ContextPtr over OAS, v3.1", S1, 0, 0, 1ULL << 41, oas40, SMMU_C_BAD_STE},
	{"S1ContextPtr over OAS, bit 55", S1, 0, 0, 1ULL << 55, NULL, SMMU_C_BAD_STE},
	{"S1ContextPtr over OAS, v3.0", S1, 0, 0, 1ULL << 41, oas40_v0, SMMU_F_CD_FETCH},
	{"S1ContextPtr over OAS, cut", S1, 0, 0, 1ULL << 41, oas40_v0_cut, 0},
	{"a bit of no field", S1, 1, 0, 1ULL << 41, NULL, 0},
	{"a bit of no field, refused", S1, 1, 0, 1ULL << 41, refuse, SMMU_C_BAD_STE},
	{"SHCFG without ATTR_TYPES_OVR", S1, 1, 0, 1ULL << 44, refuse, SMMU_C_BAD_STE},
	{"SHCFG without ATTR_TYPES_OVR", S1, 1, 0, 1ULL << 44, NULL, 0},
	{"SHCFG with ATTR_TYPES_OVR", S1, 1, 0, 1ULL << 44, refuse_ovr, 0},
	{"PRIVCFG without ATTR_PERMS_OVR", S1, 1, 0, 3ULL << 48, refuse, SMMU_C_BAD_STE},
	{"STRW without EL2", S1, 1, 0, 3ULL << 30, NULL, 0},
	{"STRW without EL2, refused", S1, 1, 0, 3ULL << 30, refuse, SMMU_C_BAD_STE},
	{"STRW 01 with EL2", S1, 1, 0, 1ULL << 30, hyp, SMMU_C_BAD_STE},
	{"VMID of 16 bits", S1, 2, 0, 0x100, ids8, SMMU_C_BAD_STE},
};

static const struct row cd_rows[] = {
	{"S, model 01", S1, 0, 0, SMMU_CD_W0_S, NULL, SMMU_C_BAD_CD},
	{"A = 0", S1, 0, SMMU_CD_W0_A, 0, NULL, 0},
	{"A = 0, TERM_MODEL", S1, 0, SMMU_CD_W0_A, 0, term, SMMU_C_BAD_CD},
	{"S, model 00", S1, 0, 0, SMMU_CD_W0_S, stall0, 0},
	{"no S, model 10", S1, 0, 0, 0, stall2, SMMU_C_BAD_CD},
	{"S, model 10", S1, 0, 0, SMMU_CD_W0_S, stall2, 0},
	{"TTB0 over 48 bits", S1, 1, 0, 1ULL << 49, oas52, SMMU_C_BAD_CD},
	{"ASID of 16 bits", S1, 0, 0, 1ULL << 56, ids8, SMMU_C_BAD_CD},
	{"a bit of no field", S1, 1, 0, 1ULL << 56, NULL, 0},
	{"a bit of no field, refused", S1, 1, 0, 1ULL << 56, refuse, SMMU_C_BAD_CD},
	{"above PIIU, refused", S1, 6, 0, 1ULL << 63, refuse, SMMU_C_BAD_CD},
};

struct scene {
	struct rig rig;
	struct rig_table t;
	uint64_t ste[8], cd;
};

/** Stream 1 maps VA to PA; nothing is fetched yet. */
static void open_scene(struct scene *s, const struct smmu_model_config *c, enum shape shape,
		       const struct smmu_model_hooks *hooks)
{
	struct rig *rig = &s->rig;

	memset(s, 0, sizeof(*s));
	rig_open(rig, c, 1, SMMU_MODEL_VIRTUAL, hooks, 1);
	rig_up(rig, 0);
	s->t = rig_table(rig, shape == S2 ? 2 : 1, 12, 39);
	rig_map(rig, &s->t, VA, PA, 3, RIG_NG);
	if (shape == S2) {
		rig_ste_s2(s->ste, &s->t, 3);
	} else {
		s->cd = rig_cd(rig, 0, &s->t, 5);
		rig_ste_s1(s->ste, s->cd, 0, 3);
		s->ste[1] &= ~3ULL;
	}
	if (shape == BYPASS) {
		s->ste[0] = SMMU_STE_W0_V | 4 << 1;
		s->ste[1] = 0;
	}
	rig_ste(rig, 0, 1, s->ste);
}

static void check_row(const struct row *row, bool cd)
{
	struct smmu_model_config c = rig_config();
	struct smmu_dma dma = {.stream = 1, .iova = VA};
	struct smmu_dma_result r;
	struct scene s;
	uint64_t at;

	if (row->part)
		row->part(&c);
	open_scene(&s, &c, row->shape, NULL);
	at = cd ? s.cd : s.rig.in[0].strtab + 64;
	rig_store(&s.rig, at + row->word * 8,
		  (rig_load(&s.rig, at + row->word * 8) & ~row->clear) | row->set);
	/* Stage 1 may only be terminated without a stall where that is all there is. */
	if (!cd && row->shape == S1 && c.stall_model == 2)
		rig_store(&s.rig, s.cd, rig_load(&s.rig, s.cd) | SMMU_CD_W0_S);
	r = smmu_model_dma(s.rig.model, &dma);
	if (r.ok != !row->event || r.event != row->event)
		fail_msg("%s: event %#x, expected %#x", row->text, r.event, row->event);
	if (r.ok)
		assert_int_equal(r.pa, row->shape == BYPASS ? VA : PA);
	rig_close(&s.rig);
}

static void test_ste(void **state)
{
	for (unsigned n = 0; n < sizeof(ste_rows) / sizeof(ste_rows[0]); n++)
		check_row(&ste_rows[n], false);
}

static void test_cd(void **state)
{
	for (unsigned n = 0; n < sizeof(cd_rows) / sizeof(cd_rows[0]); n++)
		check_row(&cd_rows[n], true);
}

/** A stream of EL2 has no VMID, and without E2H no ASID: neither is looked at (5.2, 5.4). */
static void test_el2_ids(void **state)
{
	struct smmu_model_config c = rig_config();
	struct scene s;

	ids8(&c);
	open_scene(&s, &c, S1, NULL);
	s.ste[1] |= smmu_field_prep(SMMU_STE_W1_STRW, SMMU_STE_STRW_EL2);
	s.ste[2] |= 0x1200;
	rig_ste(&s.rig, 0, 1, s.ste);
	rig_store(&s.rig, s.cd, rig_load(&s.rig, s.cd) | 1ULL << 60);
	rig_expect(&s.rig, 0, 1, VA, PA);
	rig_close(&s.rig);
}

/** L1STD.Span may not be larger than the split allows (5.1.1); level-2 addresses too large are cut or abort. */
static void test_span(void **state)
{
	static const struct {
		unsigned span;
		bool cut;
		uint64_t high;
		unsigned event;
	} rows[] = {
		{0, false, 0, SMMU_C_BAD_STREAMID},       {2, false, 0, 0},
		{1, false, 0, SMMU_C_BAD_STREAMID},       {7, false, 0, 0},
		{8, false, 0, SMMU_C_BAD_STREAMID},       {11, false, 0, SMMU_C_BAD_STREAMID},
		{12, false, 0, SMMU_C_BAD_STREAMID},      {31, false, 0, SMMU_C_BAD_STREAMID},
		{7, false, 1ULL << 41, SMMU_F_STE_FETCH}, {7, true, 1ULL << 41, 0},
	};

	for (unsigned n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		struct smmu_model_config c = rig_config();
		struct scene s;
		uint64_t l1, l2;
		uint32_t cr0;

		c.oas = 40;
		c.oas_truncate = rows[n].cut;
		open_scene(&s, &c, S1, NULL);
		l1 = rig_alloc(&s.rig, 4096, 4096);
		l2 = rig_alloc(&s.rig, 1 << 17, 1 << 17);
		rig_store(&s.rig, l1, l2 | rows[n].span | rows[n].high);
		for (unsigned i = 0; i < 8; i++)
			rig_store(&s.rig, l2 + 64 + i * 8, s.ste[i]);
		cr0 = rig_read(&s.rig, 0, SMMU_CR0);
		rig_write(&s.rig, 0, SMMU_CR0, cr0 & ~SMMU_CR0_SMMUEN);
		rig_wait(&s.rig, 0, SMMU_CR0ACK, SMMU_CR0_SMMUEN, 0);
		rig_write64(&s.rig, 0, SMMU_STRTAB_BASE, l1);
		rig_write(&s.rig, 0, SMMU_STRTAB_BASE_CFG, 1 << 16 | 6 << 6 | RIG_STREAMS_LOG2);
		rig_write(&s.rig, 0, SMMU_CR0, cr0);
		rig_wait(&s.rig, 0, SMMU_CR0ACK, SMMU_CR0_SMMUEN, SMMU_CR0_SMMUEN);
		if (rows[n].event)
			rig_refused(&s.rig, 0, 1, VA, rows[n].event);
		else
			rig_expect(&s.rig, 0, 1, VA, PA);
		rig_close(&s.rig);
	}
}

/** Substreams: the reserved S1Fmt and S1DSS, an L1CD that leads too far, and the records (7.3.7, 7.3.9). */
static void test_substreams(void **state)
{
	struct smmu_model_config c = rig_config();
	struct scene s;
	uint64_t cds, l1, w[4];

	open_scene(&s, &c, S1, NULL);
	cds = rig_alloc(&s.rig, 512, 512);
	rig_cd(&s.rig, cds + 64, &s.t, 6);
	rig_ste_s1(s.ste, cds, 3, 0);
	s.ste[0] |= 3 << 4; /* acts as linear */
	s.ste[1] |= 3;      /* acts as 00 */
	rig_ste(&s.rig, 0, 1, s.ste);
	assert_true(rig_dma_ssid(&s.rig, 0, 1, 1, VA, false).ok);
	rig_refused(&s.rig, 0, 1, VA, SMMU_F_STREAM_DISABLED);
	assert_true(rig_event(&s.rig, 0, w));
	assert_int_equal(w[0], SMMU_F_STREAM_DISABLED | 1ULL << 32);
	assert_int_equal(rig_dma_ssid(&s.rig, 0, 1, 9, VA, false).event, SMMU_C_BAD_SUBSTREAMID);
	assert_true(rig_event(&s.rig, 0, w));
	assert_int_equal(w[0], SMMU_C_BAD_SUBSTREAMID | 9 << 12 | 1ULL << 32); /* no SSV there */
	/* Two levels, and the second beyond 48 bits. */
	l1 = rig_alloc(&s.rig, 4096, 4096);
	rig_store(&s.rig, l1, cds | SMMU_L1CD_V | 1ULL << 50);
	rig_ste_s1(s.ste, l1, 10, 0);
	s.ste[0] |= 1 << 4;
	rig_ste(&s.rig, 0, 2, s.ste);
	assert_int_equal(rig_dma_ssid(&s.rig, 0, 2, 1, VA, false).event, SMMU_C_BAD_SUBSTREAMID);
	rig_close(&s.rig);
}

/** While SMMUEN is 0: what is too large is aborted without a word; ATS is refused with one (3.4, 3.9.1.2, 3.9.1.3). */
static void test_disabled(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_dma forged = {.stream = 1, .iova = PA, .kind = SMMU_DMA_TRANSLATED};
	struct smmu_model_device *dev;
	struct scene s;

	open_scene(&s, &c, S1, NULL);
	dev = smmu_model_device(s.rig.model, 0, 1, true);
	rig_write(&s.rig, 0, SMMU_CR0, SMMU_CR0_EVENTQEN | SMMU_CR0_CMDQEN);
	rig_wait(&s.rig, 0, SMMU_CR0ACK, SMMU_CR0_SMMUEN, 0);
	rig_expect(&s.rig, 0, 1, 0x5000, 0x5000);
	rig_refused(&s.rig, 0, 1, 1ULL << 50, 0);
	rig_expect_no_event(&s.rig, 0);
	assert_int_equal(smmu_model_dma(s.rig.model, &forged).event, SMMU_F_TRANSL_FORBIDDEN);
	rig_expect_event(&s.rig, 0, SMMU_F_TRANSL_FORBIDDEN, 1);
	smmu_model_ats_enable(dev, true);
	rig_refused(&s.rig, 0, 1, VA, SMMU_F_BAD_ATS_TREQ);
	rig_expect_event(&s.rig, 0, SMMU_F_BAD_ATS_TREQ, 1);
	rig_close(&s.rig);
}

/** A translated access that no ATC said so, and one that did not ask: what ATSCHK and EATS make of them. */
static void test_forged(void **state)
{
	static const struct {
		enum shape shape;
		unsigned eats;
		bool atschk;
		unsigned event;
	} rows[] = {
		{S1, 1, true, 0},      {S1, 0, true, SMMU_F_TRANSL_FORBIDDEN},
		{S1, 0, false, 0},     {BYPASS, 1, true, SMMU_F_TRANSL_FORBIDDEN},
		{BYPASS, 1, false, 0},
	};

	for (unsigned n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		struct smmu_model_config c = rig_config();
		struct smmu_dma dma = {.stream = 1, .iova = 0x77000, .kind = SMMU_DMA_TRANSLATED};
		struct smmu_dma_result r;
		struct smmu_model_device *dev;
		struct scene s;
		uint32_t cr0;

		open_scene(&s, &c, rows[n].shape, NULL);
		s.ste[1] = (s.ste[1] & ~(3ULL << 28)) | (uint64_t)rows[n].eats << 28;
		rig_ste(&s.rig, 0, 1, s.ste);
		cr0 = rig_read(&s.rig, 0, SMMU_CR0);
		if (!rows[n].atschk) {
			rig_write(&s.rig, 0, SMMU_CR0, cr0 & ~SMMU_CR0_ATSCHK);
			rig_wait(&s.rig, 0, SMMU_CR0ACK, SMMU_CR0_ATSCHK, 0);
		}
		r = smmu_model_dma(s.rig.model, &dma);
		assert_int_equal(r.event, rows[n].event);
		assert_int_equal(r.ok, !rows[n].event);
		assert_true(!r.ok || r.pa == 0x77000);
		/* Beyond the output size: aborted, and told to nobody (3.9.1.1). */
		dma.iova = 1ULL << 50;
		assert_false(smmu_model_dma(s.rig.model, &dma).ok);
		dev = smmu_model_device(s.rig.model, 0, 1, true);
		smmu_model_ats_enable(dev, true);
		dma = (struct smmu_dma){.stream = 1, .iova = VA, .kind = SMMU_DMA_UNTRANSLATED};
		r = smmu_model_dma(s.rig.model, &dma);
		assert_true(r.ok && !r.atc_hit && r.pa == (rows[n].shape == BYPASS ? VA : PA));
		assert_int_equal(smmu_model_atc_count(dev), 0);
		rig_close(&s.rig);
	}
}

/** A configuration error of a translated access is recorded with REC_CFG_ATS alone (3.9.1.3). */
static void test_rec_cfg_ats(void **state)
{
	for (unsigned rec = 0; rec < 2; rec++) {
		struct smmu_model_config c = rig_config();
		struct smmu_dma forged = {.stream = 7, .iova = PA, .kind = SMMU_DMA_TRANSLATED};
		struct scene s;
		uint32_t cr0;

		c.ats_rec_err = true;
		open_scene(&s, &c, S1, NULL);
		cr0 = rig_read(&s.rig, 0, SMMU_CR0);
		rig_write(&s.rig, 0, SMMU_CR0, cr0 & ~SMMU_CR0_SMMUEN);
		rig_wait(&s.rig, 0, SMMU_CR0ACK, SMMU_CR0_SMMUEN, 0);
		rig_write(&s.rig, 0, SMMU_CR2, 2 | (rec ? 8 : 0));
		rig_write(&s.rig, 0, SMMU_CR0, cr0);
		rig_wait(&s.rig, 0, SMMU_CR0ACK, SMMU_CR0_SMMUEN, SMMU_CR0_SMMUEN);
		assert_int_equal(smmu_model_dma(s.rig.model, &forged).event, SMMU_C_BAD_STE);
		if (rec)
			rig_expect_event(&s.rig, 0, SMMU_C_BAD_STE, 7);
		rig_expect_no_event(&s.rig, 0);
		rig_close(&s.rig);
	}
}

/** What stage 1 refuses is aborted, or the device sees success all the same (5.4, A). */
static void test_termination(void **state)
{
	for (unsigned a = 0; a < 2; a++) {
		struct smmu_model_config c = rig_config();
		struct smmu_dma_result r;
		struct scene s;

		open_scene(&s, &c, S1, NULL);
		if (!a)
			rig_store(&s.rig, s.cd, rig_load(&s.rig, s.cd) & ~SMMU_CD_W0_A);
		r = rig_dma(&s.rig, 0, 1, 0x5000, false);
		assert_true(!r.ok && r.event == SMMU_F_TRANSLATION && r.raz_wi == !a);
		r = rig_dma(&s.rig, 0, 2, 0x5000, false);
		assert_true(!r.ok && r.event == SMMU_C_BAD_STE && !r.raz_wi);
		rig_close(&s.rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ste),         cmocka_unit_test(test_cd),
		cmocka_unit_test(test_el2_ids),     cmocka_unit_test(test_span),
		cmocka_unit_test(test_substreams),  cmocka_unit_test(test_disabled),
		cmocka_unit_test(test_termination), cmocka_unit_test(test_forged),
		cmocka_unit_test(test_rec_cfg_ats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

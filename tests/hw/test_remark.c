/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is said of structures: each rule of the text once where it holds and once where it does not. The words were put together
 * by hand from the bit numbers in chapters 4, 5 and 6.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <smmuv3/hw/regs.h>
#include <smmuv3/hw/remark.h>

#include "testrand.h"

/** All remarks, a line each: "illegal 5.2 STRW, 5.2.2". */
static char said[8192];

static void note(void *ctx, const struct smmu_remark *r)
{
	size_t n = strlen(said);

	assert_non_null(r->text);
	assert_non_null(r->section);
	assert_true(strlen(r->text) > 10);
	snprintf(said + n, sizeof(said) - n, "%s %s\n", smmu_remark_kind_name(r->kind), r->section);
}

static void must(const char *what, const char *line, bool says)
{
	if (!strstr(said, line) == says)
		fail_msg("%s: \"%s\" %s in:\n%s", what, line, says ? "is not" : "is", said);
}

/* A machine with nearly everything, that cannot stall. */
static struct smmu_ids usual(void)
{
	struct smmu_ids ids = SMMU_IDS_ANY;

	ids.idr0 = (ids.idr0 & ~SMMU_IDR0_STALL_MODEL) | 1u << 24 | 1u << 26 | 2u << 21;
	ids.idr0 = (uint32_t)((ids.idr0 & ~SMMU_IDR0_HTTU) | 0);
	ids.idr5 = (uint32_t)((ids.idr5 & ~SMMU_IDR5_OAS) | SMMU_IDR5_OAS_48);
	ids.idr3 &= ~(uint32_t)(SMMU_IDR3_STT | SMMU_IDR3_DPT);
	ids.has_idr0 = true;
	return ids;
}

static const uint64_t s1[8] = {0x0b | 0x80000000, 0x00000000080000fc};
static const uint64_t s1_substreams[8] = {0x5800000080000000 | 0x0b, 0x00000000080000fc};
/* 40 bits of 4K from level 1: T0SZ 24, SL0 1, PS 48, AA64 */
static const uint64_t s2[8] = {0x0d, 0, 0x000d3d5800000001 & ~(1ULL << 52) & ~(3ULL << 46),
			       0x80000000};

static void ste(const uint64_t *base, unsigned word, uint64_t set, uint64_t clear,
		const struct smmu_ids *ids)
{
	struct smmu_ste s;

	memcpy(s.w, base, sizeof(s.w));
	s.w[word] = (s.w[word] & ~clear) | set;
	said[0] = '\0';
	smmu_remarks_ste(&s, ids, note, NULL);
}

static const struct ste_rule {
	const char *what, *line;
	const uint64_t *base;
	unsigned word;
	uint64_t set, clear;
	uint32_t idr0_set, idr0_clear, idr1_clear, idr3_set, idr5_clear;
} ste_rules[] = {
	{"V", "note 5.2 V", s1, 0, 0, 1, 0, 0, 0, 0, 0},
	{"Config 2", "note 5.2 Config", s1, 0, 4, 0xe, 0, 0, 0, 0, 0},
	{"no stage 1", "illegal 5.2 Config", s1, 0, 0, 0, 0, SMMU_IDR0_S1P, 0, 0, 0},
	{"no stage 2", "illegal 5.2 Config", s2, 0, 0, 0, 0, SMMU_IDR0_S2P, 0, 0, 0},
	{"STRW", "illegal 5.2 STRW, 5.2.2", s1, 1, 1ULL << 30, 0, 0, 0, 0, 0, 0},
	{"split ATS", "illegal 5.2 EATS", s1, 1, 2ULL << 28, 0, 0, 0, 0, 0, 0},
	{"S1STALLD", "illegal 5.2 S1STALLD, 5.5", s1, 1, 1ULL << 27, 0, 0, 0, 0, 0, 0},
	{"S1CDMax", "illegal 5.2 S1CDMax", s1, 0, 21ULL << 59, 0, 0, 0, 0, 0, 0},
	{"S1Fmt", "illegal 5.2 S1Fmt, 5.2.2", s1, 0, 5ULL << 59 | 1 << 4, 0, 0, SMMU_IDR0_CD2L, 0,
	 0, 0},
	{"S1DSS 3", "note 5.2 S1DSS", s1_substreams, 1, 3, 0, 0, 0, 0, 0, 0},
	{"S1Fmt 3", "note 5.2 S1Fmt", s1_substreams, 0, 3 << 4, 0, 0, 0, 0, 0, 0},
	{"S1ContextPtr", "illegal 5.2 S1ContextPtr, 3.4.3", s1, 0, 1ULL << 50, 0, 0, 0, 0, 0, 0},
	{"S2S", "illegal 5.5", s2, 2, 1ULL << 57, 0, 0, 0, 0, 0, 0},
	{"S2S missing", "illegal 5.5", s2, 2, 0, 0, 2u << 24, SMMU_IDR0_STALL_MODEL, 0, 0, 0},
	{"S2AA64", "illegal 5.2 S2AA64", s2, 2, 0, 0, 0, 2u << 2, 0, 0, 0},
	{"S2HA", "illegal 5.2 S2HA", s2, 2, 1ULL << 56, 0, 0, 0, 0, 0, 0},
	{"S2TG reserved", "illegal 5.2 S2TG", s2, 2, 3ULL << 46, 0, 0, 0, 0, 0, 0},
	{"S2TG missing", "illegal 5.2 S2TG", s2, 2, 0, 0, 0, 0, 0, 0, SMMU_IDR5_GRAN4K},
	{"S2TTB", "illegal 5.2 S2TTB", s2, 3, 1ULL << 49, 0, 0, 0, 0, 0, 0},
	{"S2T0SZ 40", "illegal 5.2 S2T0SZ", s2, 2, 40ULL << 32, 63ULL << 32, 0, 0, 0, 0, 0},
	{"S2T0SZ 15", "illegal 5.2 S2T0SZ", s2, 2, 15ULL << 32, 63ULL << 32, 0, 0, 0, 0, 0},
	{"S2SL0 0", "illegal 5.2 S2SL0, 5.2.2", s2, 2, 0, 3ULL << 38, 0, 0, 0, 0, 0},
	{"S2ENDI", "illegal 5.2 S2ENDI", s2, 2, 1ULL << 52, 0, 0, 0, 0, 0, 0},
	{"S2VMID", "illegal 5.2 S2VMID", s2, 2, 0x100, 0, 0, SMMU_IDR0_VMID16, 0, 0, 0},
	{"reserved bit", "reserved chapter 5", s2, 3, 1ULL << 56, 0, 0, 0, 0, 0, 0},
	{"SHCFG", "note 5.2 SHCFG, 13.1.4", s1, 1, 1ULL << 44, 0, 0, 0, SMMU_IDR1_ATTR_TYPES_OVR, 0,
	 0},
};

static void test_ste(void **state)
{
	struct smmu_ids ids = usual();
	size_t i;

	/* Where nothing is wrong nothing is said. */
	ste(s1, 0, 0, 0, NULL);
	assert_string_equal(said, "");
	ste(s2, 0, 0, 0, NULL);
	assert_string_equal(said, "");
	ste(s1, 1, 0, 1ULL << 27, &ids);
	assert_string_equal(said, "");
	ste(s2, 0, 0, 0, &ids);
	assert_string_equal(said, "");
	for (i = 0; i < SMMU_ARRAY_SIZE(ste_rules); i++) {
		const struct ste_rule *r = &ste_rules[i];

		ids = usual();
		ids.idr0 = (ids.idr0 & ~r->idr0_clear) | r->idr0_set;
		ids.idr1 &= ~r->idr1_clear;
		ids.idr3 |= r->idr3_set;
		ids.idr5 &= ~r->idr5_clear;
		ste(r->base, r->word, r->set,
		    r->clear | (r->base != s2 && r->word == 1 && strcmp(r->what, "S1STALLD")
					? 1ULL << 27
					: 0),
		    &ids);
		must(r->what, r->line, true);
		/* Without the change, on the usual machine, it is not said. */
		ids = usual();
		ste(r->base, 1, 0, 1ULL << 27, &ids);
		must(r->what, r->line, false);
	}
}

/* V, AA64, ASID 1; TTB0 of 4K with 48 bits, IPS 48, A, R; EPD1 */
static const uint64_t cd0[8] = {0x0001620540000010 | 1ULL << 31, 0x80000000, 0, 0xff};

static void cd(unsigned word, uint64_t set, uint64_t clear, const struct smmu_ids *ids)
{
	struct smmu_cd c;

	memcpy(c.w, cd0, sizeof(c.w));
	c.w[word] = (c.w[word] & ~clear) | set;
	said[0] = '\0';
	smmu_remarks_cd(&c, ids, note, NULL);
}

static void test_cd(void **state)
{
	static const struct {
		const char *what, *line;
		unsigned word;
		uint64_t set, clear;
		uint32_t idr0_clear, idr5_clear;
	} rules[] = {
		{"V", "note 5.4 V", 0, 0, 1ULL << 31, 0, 0},
		{"S", "illegal 5.5", 0, 1ULL << 44, 0, 0, 0},
		{"A", "illegal 5.4.2, 5.5", 0, 0, 1ULL << 46, 0, 0},
		{"ENDI", "illegal 5.4 ENDI", 0, 1 << 15, 0, 0, 0},
		{"AA64", "illegal 5.4 AA64", 0, 0, 0, 2u << 2, 0},
		{"HA", "illegal 5.4 HA", 0, 1ULL << 43, 0, 0, 0},
		{"ASID", "illegal 5.4 ASID", 0, 0x100ULL << 48, 0, SMMU_IDR0_ASID16, 0},
		{"T0SZ 40", "illegal 5.4 T0SZ", 0, 40, 63, 0, 0},
		{"T0SZ 15", "illegal 5.4 T0SZ", 0, 15, 63, 0, 0},
		{"TG0 reserved", "illegal 5.4 TG0", 0, 3 << 6, 0, 0, 0},
		{"TG0 missing", "illegal 5.4 TG0", 0, 0, 0, 0, SMMU_IDR5_GRAN4K},
		{"TTB0", "illegal 5.4 TTB0", 1, 1ULL << 49, 0, 0, 0},
		{"TG1 reserved", "illegal 5.4 TG1", 0, 16 << 16, 1 << 30, 0, 0},
		{"reserved bit", "reserved chapter 5", 7, 1ULL << 60, 0, 0, 0},
	};
	struct smmu_ids ids = usual();
	size_t i;

	cd(0, 0, 0, NULL);
	assert_string_equal(said, "");
	cd(0, 0, 0, &ids);
	assert_string_equal(said, "");
	for (i = 0; i < SMMU_ARRAY_SIZE(rules); i++) {
		ids = usual();
		ids.idr0 &= ~rules[i].idr0_clear;
		ids.idr5 &= ~rules[i].idr5_clear;
		cd(rules[i].word, rules[i].set, rules[i].clear, &ids);
		must(rules[i].what, rules[i].line, true);
	}
}

/* An STE or a CD that is legal but for one field of a newer feature, and the same where the part lacks the feature. */
static void newer_ste(const char *what, const char *line, const uint64_t *w, uint32_t idr3,
		      uint32_t idr5_clear)
{
	struct smmu_ids ids = usual();
	struct smmu_ste s;

	memcpy(s.w, w, sizeof(s.w));
	ids.idr3 |= idr3;
	ids.idr5 &= ~idr5_clear;
	said[0] = '\0';
	smmu_remarks_ste(&s, &ids, note, NULL);
	must(what, line, true);
	ids.idr3 &= ~idr3;
	said[0] = '\0';
	smmu_remarks_ste(&s, &ids, note, NULL);
	must(what, line, false);
}

static void newer_cd(const char *what, const char *line, const uint64_t *w, bool says)
{
	struct smmu_ids ids = usual();
	struct smmu_cd c;

	memcpy(c.w, w, sizeof(c.w));
	/* AArch64 tables, and those of 128 bits where AA64 is 0. */
	ids.idr0 = (uint32_t)((ids.idr0 & ~SMMU_IDR0_TTF) | 2u << 2);
	ids.idr3 |= SMMU_IDR3_S1PI;
	ids.idr5 |= SMMU_IDR5_D128;
	said[0] = '\0';
	smmu_remarks_cd(&c, &ids, note, NULL);
	must(what, line, says);
}

static void test_newer(void **state)
{
	const uint64_t aa64 = 1ULL << 51;
	uint64_t w[8];

	/* EATS 3 and the DPT: with S2S, or in EL2. */
	memcpy(w, s2, sizeof(w));
	w[1] |= 3ULL << 28;
	w[2] |= 1ULL << 57;
	newer_ste("EATS 3, S2S", "illegal 5.2 EATS", w, SMMU_IDR3_DPT, 0);
	memcpy(w, s1, sizeof(w));
	w[1] |= 3ULL << 28 | 2ULL << 30;
	newer_ste("EATS 3, EL2", "illegal 5.2 EATS", w, SMMU_IDR3_DPT, 0);
	/* Tables of AArch32 under FWB and permission indirection. */
	memcpy(w, s2, sizeof(w));
	w[2] &= ~aa64;
	w[1] |= SMMU_STE_W1_S2FWB;
	newer_ste("S2FWB", "illegal 5.2 S2FWB", w, SMMU_IDR3_FWB, SMMU_IDR5_D128);
	memcpy(w, s2, sizeof(w));
	w[2] = (w[2] & ~aa64) | SMMU_STE_W2_S2PIE;
	newer_ste("S2PIE", "illegal 5.2.2", w, SMMU_IDR3_S2PI, SMMU_IDR5_D128);
	/* Overlays. */
	memcpy(w, s2, sizeof(w));
	w[2] |= SMMU_STE_W2_S2POE;
	newer_ste("S2POE", "illegal 5.2 S2POE", w, SMMU_IDR3_S2PO, 0);
	w[2] |= SMMU_STE_W2_S2PIE;
	w[1] |= SMMU_STE_W1_S2HWU60;
	newer_ste("S2HWU", "illegal 5.2 S2POE", w, SMMU_IDR3_S2PO | SMMU_IDR3_PBHA, 0);
	w[1] = 0;
	w[7] = 0x5000000000;
	newer_ste("S2POI 5", "illegal 5.2 S2POI", w, SMMU_IDR3_S2PO, 0);
	w[7] = 0x1;
	newer_ste("S2POI 1", "illegal 5.2 S2POI", w, SMMU_IDR3_S2PO, 0);
	/* VMS of a nested stream. */
	memcpy(w, s2, sizeof(w));
	w[0] = 0x0f | 0x80000000;
	w[1] = s1[1] | SMMU_STE_W1_S1MPAM;
	w[5] = 1ULL << 50;
	newer_ste("VMSPtr", "illegal 5.2 VMSPtr, 3.4.3", w, SMMU_IDR3_MPAM, 0);

	/* Permission indirection at stage 1. */
	memcpy(w, cd0, sizeof(w));
	w[2] |= SMMU_CD_W2_PIE;
	newer_cd("PIE", "illegal 5.4 PIIP, PIIU", w, false);
	w[7] = 4ULL << 3;
	newer_cd("PIIP 4", "illegal 5.4 PIIP, PIIU", w, true);
	w[7] = 0;
	w[6] = 6ULL << 45;
	newer_cd("PIIU 6", "illegal 5.4 PIIP, PIIU", w, true);
	w[7] = 2ULL << 6;
	w[6] = 5ULL << 6;
	newer_cd("PIIP 2, PIIU 5", "illegal 5.4 PIIP, PIIU", w, true);
	w[6] = 5ULL << 9;
	newer_cd("PIIP 2 beside PIIU 5", "illegal 5.4 PIIP, PIIU", w, false);
	/* 128 bits: 48 bits of 4K are five levels. */
	memcpy(w, cd0, sizeof(w));
	w[0] &= ~(1ULL << 41);
	newer_cd("D128", "note 5.4 AA64", w, true);
	newer_cd("D128", "illegal 5.4 SKL0", w, false);
	w[0] = (w[0] & ~63ULL) | 39;
	w[1] |= 2ULL << 62;
	newer_cd("SKL0 2 of 25 bits", "illegal 5.4 SKL0", w, true);
	w[1] = (w[1] & ~(3ULL << 62)) | 1ULL << 62;
	newer_cd("SKL0 1 of 25 bits", "illegal 5.4 SKL0", w, false);
}

static void cmd(uint64_t w0, uint64_t w1, const struct smmu_ids *ids)
{
	said[0] = '\0';
	smmu_remarks_cmd(&(struct smmu_cmd){{w0, w1}}, ids, note, NULL);
}

static void test_cmd(void **state)
{
	static const struct {
		const char *line; /* NULL: nothing is said */
		uint64_t w0, w1;
	} rules[] = {
		{NULL, 0x46, 0},
		{NULL, 0x12, 0x1000},
		{"illegal 4.1.1", 0, 0},
		{"illegal 4.1.1", 0x50, 0},
		{"note 4.1.1", 0x80, 0},
		{"illegal 4.1.6", 0x403, 0},
		{"reserved 4.1.5", 0x46, 1},
		{"illegal 4.4.1.1", 0x12, 0x400},
		{"reserved 4.4.1.1", 0x1012, 0},
		/* 4K: level 2 is 2 MiB, level 1 is 1 GiB */
		{NULL, 0x12, 0x200000 | 1 << 10 | 2 << 8},
		{"note 4.4.1.1", 0x12, 0x201000 | 1 << 10 | 2 << 8},
		{NULL, 0x12, 0x40000000 | 1 << 10 | 1 << 8},
		{"note 4.4.1.1", 0x12, 0x200000 | 1 << 10 | 1 << 8},
		{NULL, 0x12, 0x201000 | 1 << 10 | 3 << 8},
		/* 16K and 64K: the address is aligned to the page */
		{"note 4.4.1.1", 0x12, 0x1000 | 2 << 10 | 3 << 8},
		{NULL, 0x12, 0x4000 | 2 << 10 | 3 << 8},
		{"note 4.4.1.1", 0x12, 0x4000 | 2 << 10 | 2 << 8},
		{NULL, 0x12, 0x2000000 | 2 << 10 | 2 << 8},
		{"note 4.4.1.1", 0x2a, 0x8000 | 3 << 10 | 3 << 8},
		{NULL, 0x2a, 0x20000000 | 3 << 10 | 2 << 8},
		{"note 4.4.1.1", 0x2a, 0x10000000 | 3 << 10 | 2 << 8},
		{"reserved 4.5.1", 0x40, 53},
		{"note 4.5.1", 0x40, 52},
		{"note 4.5.1", 0x40, 0x1001},
	};
	struct smmu_ids ids = usual();
	size_t i;

	for (i = 0; i < SMMU_ARRAY_SIZE(rules); i++) {
		cmd(rules[i].w0, rules[i].w1, NULL);
		if (rules[i].line)
			must("command", rules[i].line, true);
		else if (said[0])
			fail_msg("%#llx %#llx: %s", (unsigned long long)rules[i].w0,
				 (unsigned long long)rules[i].w1, said);
	}
	ids.idr0 &= ~(uint32_t)(SMMU_IDR0_ATS | SMMU_IDR0_PRI | SMMU_IDR0_HYP | SMMU_IDR0_ASID16);
	ids.idr1 = (uint32_t)((ids.idr1 & ~SMMU_IDR1_SIDSIZE) | 8);
	ids.idr3 &= ~(uint32_t)SMMU_IDR3_RIL;
	cmd(0x40, 0, &ids);
	must("no ATS", "illegal 4.5.1", true);
	cmd(0x41, 0, &ids);
	must("no PRI", "illegal 4.5.2", true);
	cmd(0x20, 0, &ids);
	must("no EL2", "illegal 4.4.2", true);
	cmd(0x44, 0, &ids);
	must("no stall", "illegal 4.7.1, 4.7.2", true);
	cmd(0x70, 0, &ids);
	must("no DPT", "illegal 4.6", true);
	cmd(0x3 | 0x100ULL << 32, 0, &ids);
	must("stream", "note 4.1.7", true);
	cmd(0x3 | 0xffULL << 32, 0, &ids);
	must("stream", "note 4.1.7", false);
	cmd(0x11 | 0x100ULL << 48, 0, &ids);
	must("ASID", "note 4.4", true);
	cmd(0x12, 0x400 | 3 << 8, &ids);
	must("range", "reserved 4.4.1.1", true);
}

static void test_others(void **state)
{
	struct smmu_ids ids = usual();
	unsigned type;

	said[0] = '\0';
	smmu_remarks_l1std(0x80000009, NULL, note, NULL);
	assert_string_equal(said, "");
	smmu_remarks_l1std(0x8000000c, NULL, note, NULL);
	must("Span 12", "illegal 5.1 Span", true);
	smmu_remarks_l1std(0x80000049, NULL, note, NULL);
	must("alignment", "note 5.1 L2Ptr", true);
	smmu_remarks_l1std(0x1000080000009, &ids, note, NULL);
	must("OAS", "illegal 3.4.3", true);
	said[0] = '\0';
	smmu_remarks_l1cd(0x80001001, &ids, note, NULL);
	assert_string_equal(said, "");
	smmu_remarks_l1cd(0x80001003, &ids, note, NULL);
	must("bit 1", "reserved 5.3", true);
	/* Every event has a cause, and its section. */
	for (type = 0; type < 256; type++) {
		said[0] = '\0';
		smmu_remarks_event_type(type, note, NULL);
		assert_int_equal(said[0] != '\0',
				 smmu_event_members(type) != 0 || type == SMMU_F_STREAM_DISABLED);
	}
	said[0] = '\0';
	smmu_remarks_event(&(struct smmu_event_record){{0x10, 1ULL << 31 | 1ULL << 40}}, note,
			   NULL);
	must("stall", "note 7.3.21, 4.7.1", true);
	must("TT", "note 7.3.13", true);
	said[0] = '\0';
	smmu_remarks_reg(SMMU_CMDQ_CONS, 0x03000003, note, NULL);
	must("ATC", "cause 7.1, 3.9.1.4", true);
	said[0] = '\0';
	smmu_remarks_reg(0x8000 + SMMU_CMDQ_CONS, 0x01000003, note, NULL);
	must("secure", "cause 7.1", true);
	said[0] = '\0';
	smmu_remarks_reg(SMMU_IDR0, 0x80000000, note, NULL);
	must("bit 31", "reserved 6.2", true);
}

/* Anything at all: texts and sections are there. */
static void test_garbage(void **state)
{
	int i;

	for (i = 0; i < 20000; i++) {
		struct smmu_ids ids = {(uint32_t)testrand(), (uint32_t)testrand(),
				       (uint32_t)testrand(), (uint32_t)testrand(), i & 1};
		const struct smmu_ids *p = i % 3 ? &ids : NULL;
		uint64_t w[8];
		unsigned k;

		for (k = 0; k < 8; k++)
			w[k] = testrand() & (i & 4 ? testrand() : UINT64_MAX);
		w[0] |= i & 8 ? 0x80000009 : 0;
		said[0] = '\0';
		smmu_remarks_ste((const struct smmu_ste *)(const void *)w, p, note, NULL);
		smmu_remarks_cd((const struct smmu_cd *)(const void *)w, p, note, NULL);
		smmu_remarks_cmd((const struct smmu_cmd *)(const void *)w, p, note, NULL);
		smmu_remarks_event((const struct smmu_event_record *)(const void *)w, note, NULL);
		smmu_remarks_l1std(w[0], p, note, NULL);
		smmu_remarks_l1cd(w[0], p, note, NULL);
		smmu_remarks_reg((uint32_t)w[0] & 0x1fffc, w[1], note, NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ste),    cmocka_unit_test(test_cd),
		cmocka_unit_test(test_newer),  cmocka_unit_test(test_cmd),
		cmocka_unit_test(test_others), cmocka_unit_test(test_garbage),
	};

	testrand_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

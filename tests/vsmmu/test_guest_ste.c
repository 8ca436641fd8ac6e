/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest may have in STEs: each rule once, with the text that it is refused with. */
#include "guest_test.h"

#define S1 (1 | 5 << 1)

static const struct smmu_ste stage2 = {{1 | 6 << 1, 0, 0x1122334400005678, 0x9999000}};

/**
 * A legal STE of a guest, and the first two words that the SMMU gets of it; the others are the
 * hypervisor's.
 */
static void installs(const struct smmu_id_regs *shown, const struct smmu_id_regs *real,
		     const struct smmu_ste *guest, enum smmu_guest_ste_kind kind, uint64_t w0,
		     uint64_t w1)
{
	struct smmu_ste got = stage2;
	struct smmu_guest_ste ste;
	const char *why = smmu_guest_ste_read(shown, guest, &ste);

	if (why)
		fail_msg("refused: %s", why);
	assert_int_equal(ste.kind, kind);
	smmu_guest_ste_apply(&ste, real, true, &got);
	assert_int_equal(got.w[0], w0);
	assert_int_equal(got.w[1], w1);
	assert_int_equal(got.w[2], kind < SMMU_GUEST_STE_BYPASS ? 0 : stage2.w[2]);
	assert_int_equal(got.w[3], kind < SMMU_GUEST_STE_BYPASS ? 0 : stage2.w[3]);
	/* Without ATS in the device there is none. */
	got = stage2;
	smmu_guest_ste_apply(&ste, real, false, &got);
	assert_int_equal(got.w[1], w1 & ~SMMU_STE_W1_EATS);
}

static void bad(const struct smmu_id_regs *shown, uint64_t w0, uint64_t w1, const char *word)
{
	struct smmu_ste guest = {{w0, w1}}, got = stage2;
	struct smmu_guest_ste ste;
	const char *why = smmu_guest_ste_read(shown, &guest, &ste);

	assert_non_null(why);
	if (!strstr(why, word))
		fail_msg("\"%s\" does not say \"%s\"", why, word);
	assert_int_equal(ste.kind, SMMU_GUEST_STE_INVALID);
	smmu_guest_ste_apply(&ste, &full, true, &got);
	assert_int_equal(got.w[0], SMMU_STE_W0_V);
	assert_int_equal(got.w[1] | got.w[2] | got.w[3], 0);
}

static void fine(const struct smmu_id_regs *shown, uint64_t g0, uint64_t g1,
		 enum smmu_guest_ste_kind kind, uint64_t w0, uint64_t w1)
{
	struct smmu_ste guest = {{g0, g1}};

	installs(shown, &full, &guest, kind, w0, w1);
}

/** As the STE of stage 1 that the SMMU gets: S1STALLD, since this part could stall. */
#define NESTED (1 | 7 << 1)
#define STALLD (1ull << 27)

static void test_ste(void **state)
{
	struct smmu_id_regs shown = shown_of(&full), real = full;
	const uint64_t ats = 1 << 28;
	struct smmu_ste all = {{S1 | 0x1000, 0, 0x3fffffff0000ffff, 0x60ffffffffffffff}};

	fine(&shown, 0, ~0ull, SMMU_GUEST_STE_INVALID, 1, 0);
	fine(&shown, 1, ~0ull, SMMU_GUEST_STE_ABORT, 1, 0);
	fine(&shown, 1 | 3 << 1, ~0ull, SMMU_GUEST_STE_ABORT, 1, 0);
	fine(&shown, 1 | 4 << 1, 0, SMMU_GUEST_STE_BYPASS, 1 | 6 << 1, 0);
	/* What bypass ignores: the stage-1 fields, S1STALLD and EATS split. */
	fine(&shown, 1 | 4 << 1 | 31ull << 59 | 0xfffffffffff000, 0xff | 3 << 27 | 2 << 28,
	     SMMU_GUEST_STE_BYPASS, 1 | 6 << 1, 0);
	fine(&shown, S1 | 0x1000, 0x3f, SMMU_GUEST_STE_STAGE1, NESTED | 0x1000, STALLD | 0x3c);
	fine(&shown, S1 | 0x1000, 0xc0 | ats | 1 << 19, SMMU_GUEST_STE_STAGE1, NESTED | 0x1000,
	     STALLD | 0xc0 | ats | 1 << 19);
	/* S1CSH 1 acts as 0; hints, SW_RESERVED and NSCFG are ignored. */
	fine(&shown, S1, 0x40 | 0xf << 13 | 1 << 12 | 1 << 17 | 0xf << 20 | 3ull << 46,
	     SMMU_GUEST_STE_STAGE1, NESTED, STALLD);
	/* Stage-2 fields of a guest are ignored. */
	installs(&shown, &full, &all, SMMU_GUEST_STE_STAGE1, NESTED | 0x1000, STALLD);
	bad(&shown, 1 | 6 << 1, 0, "stage 2");
	bad(&shown, 1 | 7 << 1, 0, "stage 2");
	bad(&shown, S1, 1 << 27, "S1STALLD");
	bad(&shown, S1, 2 << 28, "EATS split");
	fine(&shown, S1, 3ull << 28, SMMU_GUEST_STE_STAGE1, NESTED, STALLD);
	bad(&shown, S1 | 1ull << 48, 0, "S1ContextPtr");
	bad(&shown, S1 | 1ull << 56, 0, "reserved");
	bad(&shown, S1, 1ull << 30, "STRW");
	bad(&shown, S1, 1ull << 36, "MTCFG");
	bad(&shown, S1, 1ull << 44, "SHCFG");
	bad(&shown, S1, 1ull << 48, "PRIVCFG");
	bad(&shown, S1, 1ull << 52, "reserved");
	bad(&shown, S1, 1ull << 24, "reserved");
	bad(&shown, S1, 1ull << 26, "reserved");
	bad(&shown, 1 | 4 << 1, 1ull << 41, "reserved");
	/* Where nothing can stall, S1STALLD is illegal. */
	real.idr0 |= SMMU_IDR0_STALL_MODEL_TERM << 24;
	installs(&shown, &real, &(struct smmu_ste){{S1}}, SMMU_GUEST_STE_STAGE1, NESTED, 0);
	shown.idr0 &= ~(uint32_t)SMMU_IDR0_ATS;
	fine(&shown, S1, 2ull << 28, SMMU_GUEST_STE_STAGE1, NESTED, STALLD);
	fine(&shown, S1, ats, SMMU_GUEST_STE_STAGE1, NESTED, STALLD);
	fine(&shown, S1, 1ull << 18, SMMU_GUEST_STE_STAGE1, NESTED, STALLD);
	shown.idr0 &= ~(uint32_t)SMMU_IDR0_PRI;
	bad(&shown, S1, 1ull << 18, "PPAR");
}

static void test_ste_words(void **state)
{
	struct smmu_id_regs shown = shown_of(&full);
	struct smmu_guest_ste ste;

	/*
	 * Each bit of the last four words, and of what is IMPLEMENTATION DEFINED or DPT's in word
	 * 2.
	 */
	for (unsigned n = 0; n < 256; n++) {
		struct smmu_ste guest = {{S1}};

		guest.w[4 + n / 64] = 1ull << n % 64;
		assert_non_null(smmu_guest_ste_read(&shown, &guest, &ste));
		guest.w[4 + n / 64] = 0;
		guest.w[2] = 1ull << n % 64;
		assert_int_equal(!smmu_guest_ste_read(&shown, &guest, &ste),
				 n % 64 < 16 || (n % 64 >= 32 && n % 64 < 62));
	}
}

static void test_ste_substreams(void **state)
{
	struct smmu_id_regs shown = shown_of(&full);
	const uint64_t ones = 0xffffffffffc0;

#define MAX(n) ((uint64_t)(n) << 59)
	fine(&shown, S1 | MAX(8) | ones, 2, SMMU_GUEST_STE_STAGE1,
	     NESTED | MAX(8) | (0xffffffffffff & ~0x3fffull), STALLD | 2);
	fine(&shown, S1 | MAX(8) | 1 << 4 | ones, 1, SMMU_GUEST_STE_STAGE1,
	     NESTED | MAX(8) | 1 << 4 | ones, STALLD | 1);
	/* Format 3 and S1DSS 3 act as 0; without substreams neither counts. */
	fine(&shown, S1 | MAX(1) | 3 << 4, 3, SMMU_GUEST_STE_STAGE1, NESTED | MAX(1), STALLD);
	fine(&shown, S1 | 2 << 4, 2, SMMU_GUEST_STE_STAGE1, NESTED, STALLD);
	bad(&shown, S1 | MAX(9), 0, "S1CDMax");
	shown.idr0 &= ~(uint32_t)SMMU_IDR0_CD2L;
	bad(&shown, S1 | MAX(8) | 1 << 4, 0, "CD2L");
	bad(&shown, S1 | MAX(8) | 2 << 4, 0, "CD2L");
	fine(&shown, S1 | 1 << 4, 0, SMMU_GUEST_STE_STAGE1, NESTED, STALLD);
	shown.idr0 |= SMMU_IDR0_CD2L;
	shown.idr1 = 16 | 20 << 6;
	fine(&shown, S1 | MAX(20) | 1 << 4 | ones, 0, SMMU_GUEST_STE_STAGE1,
	     NESTED | MAX(20) | 1 << 4 | (ones & ~0x1ffffull), STALLD);
	fine(&shown, S1 | MAX(20) | 2 << 4 | ones, 0, SMMU_GUEST_STE_STAGE1,
	     NESTED | MAX(20) | 2 << 4 | (ones & ~0x1fffull), STALLD);
	shown.idr1 = 16;
	fine(&shown, S1 | MAX(31) | 1 << 4, 3, SMMU_GUEST_STE_STAGE1, NESTED, STALLD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ste),
		cmocka_unit_test(test_ste_words),
		cmocka_unit_test(test_ste_substreams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

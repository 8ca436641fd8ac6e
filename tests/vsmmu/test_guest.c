/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest may be shown and may say in commands: each rule once, with the text that it is refused with. All of them against each other, and against a second opinion, are
 * the fuzzer's (tests/fuzz/fuzz_guest.c).
 */
#include "guest_test.h"

/**
 * @p shown differs from what it may be by @p flip of one register, and is refused with a text that
 * has @p word.
 */
static void refused(const struct smmu_id_regs *real, struct smmu_id_regs shown, unsigned reg,
		    uint32_t flip, const char *word)
{
	const char *why;

	((uint32_t *)&shown)[reg] ^= flip;
	why = smmu_guest_ids_refused(real, &shown);
	assert_non_null(why);
	if (!strstr(why, word))
		fail_msg("\"%s\" does not say \"%s\"", why, word);
}

static void test_ids(void **state)
{
	struct smmu_id_regs real = full, shown = shown_of(&full);

	assert_int_equal(shown.idr0 & (SMMU_IDR0_S1P | SMMU_IDR0_S2P), SMMU_IDR0_S1P);
	assert_int_equal(smmu_field_get(SMMU_IDR0_STALL_MODEL, shown.idr0), 1);
	assert_true(shown.idr0 & SMMU_IDR0_ATS && shown.idr3 & SMMU_IDR3_RIL);
	refused(&real, shown, 0, SMMU_IDR0_S1P, "S1P");
	refused(&real, shown, 0, SMMU_IDR0_S2P, "S2P");
	refused(&real, shown, 0, SMMU_IDR0_HYP, "Hyp");
	refused(&real, shown, 0, SMMU_IDR0_BTM, "BTM");
	refused(&real, shown, 0, SMMU_IDR0_TTF_AARCH32 << 2, "TTF");
	refused(&real, shown, 0, SMMU_IDR0_TTF_AARCH64 << 2, "TTF");
	refused(&real, shown, 0, 1 << 6, "HTTU");
	refused(&real, shown, 0, 2u << 21, "TTENDIAN");
	refused(&real, shown, 0, 1u << 24, "STALL_MODEL");
	refused(&real, shown, 0, 1u << 26, "TERM_MODEL");
	refused(&real, shown, 1, 1u << 27, "ATTR_TYPES_OVR");
	refused(&real, shown, 1, 1u << 6, "SSIDSIZE");
	refused(&real, shown, 1, 32, "SIDSIZE");
	refused(&real, shown, 3, 8 << 0, "IDR5");
	refused(&real, shown, 3, 3, "OAS");
	refused(&real, shown, 3, 1 << 10, "VAX");
	refused(&real, shown, 3, 1 << 8, "D128");
	refused(&real, shown, 2, 1 << 11, "BBML");
	refused(&real, shown, 2, 1 << 7, "IDR3");
	refused(&real, shown, 2, 1 << 9, "lacks");
	/* Less is always fine. */
	shown.idr0 &=
		~(uint32_t)(SMMU_IDR0_ATS | SMMU_IDR0_ASID16 | SMMU_IDR0_PRI | SMMU_IDR0_CD2L);
	shown.idr1 &= ~(uint32_t)SMMU_IDR1_SSIDSIZE;
	shown.idr3 = 0;
	shown.idr5 = 1 << 4;
	assert_null(smmu_guest_ids_refused(&real, &shown));
	/* The part itself cannot do it. */
	real.idr0 = full.idr0 & ~1u;
	refused(&real, shown, 0, 0, "both stages");
	real.idr0 = full.idr0 & ~2u;
	refused(&real, shown, 0, 0, "both stages");
	real.idr0 = full.idr0 | 2u << 24;
	refused(&real, shown, 0, 0, "stalls");
}

#define VMID 0x1234

/* Guest stream 5 is stream 0x105, and 7 is 0x207. */
static int stream(void *ctx, uint32_t guest, uint32_t *real)
{
	assert_ptr_equal(ctx, &full);
	if (guest != 5 && guest != 7)
		return -SMMU_ENOENT;
	*real = guest == 5 ? 0x105 : 0x207;
	return 0;
}

static struct smmu_guest guest_of(const struct smmu_id_regs *shown)
{
	struct smmu_guest g;

	smmu_guest_init(&g, shown, VMID, stream, (void *)(uintptr_t)&full);
	return g;
}

/** @p w0, @p w1 become @p r0, @p r1. */
static void becomes(const struct smmu_guest *g, uint64_t w0, uint64_t w1, uint64_t r0, uint64_t r1)
{
	struct smmu_cmd cmd = {{w0, w1}}, real = {{0}};
	enum smmu_guest_stop stop;
	const char *why = "";

	assert_int_equal(smmu_guest_convert(g, &cmd, &real, 1, &stop, &why), 1);
	assert_int_equal(stop, SMMU_GUEST_END);
	assert_null(why);
	assert_int_equal(real.w[0], r0);
	assert_int_equal(real.w[1], r1);
	assert_int_equal(smmu_cmd_check(&real), 0);
}

static void stops(const struct smmu_guest *g, uint64_t w0, uint64_t w1, enum smmu_guest_stop at,
		  const char *word)
{
	struct smmu_cmd cmd = {{w0, w1}}, real = {{~0ull, ~0ull}};
	enum smmu_guest_stop stop;
	const char *why = "";

	assert_int_equal(smmu_guest_convert(g, &cmd, &real, 1, &stop, &why), 0);
	assert_int_equal(stop, at);
	assert_int_equal(real.w[0] & real.w[1], ~0ull);
	if (!word)
		assert_null(why);
	else if (!strstr(why, word))
		fail_msg("\"%s\" does not say \"%s\"", why, word);
}

static void illegal(const struct smmu_guest *g, uint64_t w0, uint64_t w1, const char *word)
{
	stops(g, w0, w1, SMMU_GUEST_ILLEGAL, word);
}

static void test_tlbi(void **state)
{
	struct smmu_id_regs shown = shown_of(&full);
	struct smmu_guest g = guest_of(&shown);
	const uint64_t vm = (uint64_t)VMID << 32, foreign = 0x77ull << 32;

	becomes(&g, 0x30, 0, 0x10 | vm, 0);
	becomes(&g, 0x10, 0, 0x10 | vm, 0);
	becomes(&g, 0x10 | foreign, 0, 0x10 | vm, 0);
	becomes(&g, 0xabcd000000000011 | foreign, 0, 0xabcd000000000011 | vm, 0);
	becomes(&g, 0xabcd000000000012 | foreign, 0xffff800000123001, 0xabcd000000000012 | vm,
		0xffff800000123001);
	becomes(&g, 0x13, 0x123000, 0x13 | vm, 0x123000);
	/* NSNH_ALL has no VMID, VAA and ALL have no ASID. */
	illegal(&g, 0x30 | vm, 0, "reserved");
	illegal(&g, 0x0001000000000013, 0, "reserved");
	illegal(&g, 0x0001000000000010, 0, "reserved");
	illegal(&g, 0x10, 1, "reserved");
	illegal(&g, 0x12, 1 << 7, "reserved"); /* TTL128 */
	illegal(&g, 0x12 | 1 << 10, 0, "reserved");
	/* EL2, stage 2, Secure, stalls, MPAM, DPT, nothing. */
	for (unsigned op = 0; op < 256; op++)
		if ((op >= 0x20 && op < 0x30) || op == 0x44 || op == 0x45 || op == 0x07 ||
		    op == 0x18 || op >= 0x50 || !op)
			illegal(&g, op, 0, "does not have");
	shown.idr0 &= ~(uint32_t)SMMU_IDR0_ASID16;
	g = guest_of(&shown);
	becomes(&g, 0x00ff000000000011, 0, 0x00ff000000000011 | vm, 0);
	illegal(&g, 0x0100000000000011, 0, "ASID16");
	illegal(&g, 0x0100000000000012, 0, "ASID16");
}

static void test_ranges(void **state)
{
	struct smmu_id_regs shown = shown_of(&full);
	struct smmu_guest g = guest_of(&shown);
	const uint64_t vm = (uint64_t)VMID << 32;
	const uint64_t ones = 0xfffffffffffff000;

	becomes(&g, 0x12 | 3 << 12 | 5 << 20, 0x123000 | 1 << 10, 0x12 | vm | 3 << 12 | 5 << 20,
		0x123000 | 1 << 10);
	becomes(&g, 0x12, 0x123000 | 1 << 10 | 3 << 8, 0x12 | vm, 0x123000 | 1 << 10 | 3 << 8);
	illegal(&g, 0x12, 1 << 10, "0");
	illegal(&g, 0x12 | 1 << 12, 0, "TG");
	illegal(&g, 0x12 | 1 << 20, 0, "TG");
	illegal(&g, 0x12, 3 << 8, "TG");
	/* With DS, SCALE has six bits, and nothing is above 39. */
	becomes(&g, 0x12 | 39 << 20, 1 << 10, 0x12 | vm | 39 << 20, 1 << 10);
	becomes(&g, 0x12 | 63 << 20, 1 << 10, 0x12 | vm | 39 << 20, 1 << 10);
	becomes(&g, 0x12, ones | 2 << 10 | 1 << 8, 0x12 | vm, ones << 24 | 2 << 10 | 1 << 8);
	/* Aligned as TG and TTL want it. */
	becomes(&g, 0x12, ones | 1 << 10 | 1 << 8, 0x12 | vm, ones << 18 | 1 << 10 | 1 << 8);
	becomes(&g, 0x12, ones | 1 << 10 | 2 << 8, 0x12 | vm, ones << 9 | 1 << 10 | 2 << 8);
	becomes(&g, 0x12, ones | 1 << 10 | 3 << 8, 0x12 | vm, ones | 1 << 10 | 3 << 8);
	becomes(&g, 0x12 | 1 << 12, ones | 2 << 10, 0x12 | vm | 1 << 12, ones << 2 | 2 << 10);
	becomes(&g, 0x12, ones | 2 << 10 | 2 << 8, 0x12 | vm, ones << 13 | 2 << 10 | 2 << 8);
	becomes(&g, 0x12 | 1 << 12, ones | 3 << 10, 0x12 | vm | 1 << 12, ones << 4 | 3 << 10);
	becomes(&g, 0x12, ones | 3 << 10 | 2 << 8, 0x12 | vm, ones << 17 | 3 << 10 | 2 << 8);
	becomes(&g, 0x12, ones | 3 << 10 | 1 << 8, 0x12 | vm, ones << 30 | 3 << 10 | 1 << 8);
	/* Without DS level 1 of 16K is none, and SCALE has five bits. */
	shown.idr5 &= ~(uint32_t)SMMU_IDR5_DS;
	g = guest_of(&shown);
	illegal(&g, 0x12, 2 << 10 | 1 << 8, "0");
	becomes(&g, 0x12 | 1 << 12, ones | 2 << 10 | 1 << 8, 0x12 | vm | 1 << 12,
		ones << 2 | 2 << 10);
	becomes(&g, 0x12 | 31 << 20, 1 << 10, 0x12 | vm | 31 << 20, 1 << 10);
	illegal(&g, 0x12 | 32 << 20, 1 << 10, "IDR5.DS");
	shown.idr3 = 0;
	g = guest_of(&shown);
	becomes(&g, 0x13, ones, 0x13 | vm, ones);
	illegal(&g, 0x13 | 1 << 12, 1 << 10, "RIL");
	illegal(&g, 0x13, 3 << 8, "RIL");
}

static void test_streams(void **state)
{
	struct smmu_id_regs shown = shown_of(&full);
	struct smmu_guest g = guest_of(&shown);
	const uint64_t ones = 0xfffffffffffff000, ssv = 1 << 11;

	becomes(&g, 5ull << 32 | 0xff << 12 | 5, 1, 0x105ull << 32 | 0xff << 12 | 5, 1);
	becomes(&g, 7ull << 32 | 6, 0, 0x207ull << 32 | 6, 0);
	stops(&g, 6ull << 32 | 6, 0, SMMU_GUEST_NOTHING, "not there");
	stops(&g, 0x10005ull << 32 | 6, 0, SMMU_GUEST_NOTHING, "SIDSIZE");
	stops(&g, 5ull << 32 | 0x100 << 12 | 5, 0, SMMU_GUEST_NOTHING, "SSIDSIZE");
	illegal(&g, 5ull << 32 | 1 << 10 | 6, 0, "reserved");
	illegal(&g, 5ull << 32 | 1 << 12 | 6, 0, "reserved");
	illegal(&g, 5ull << 32 | 5, 2, "reserved");
	/* ATC_INV: aligned to its size, and no substream without SSV. */
	becomes(&g, 5ull << 32 | 0x40, ones, 0x105ull << 32 | 0x40, ones);
	becomes(&g, 5ull << 32 | 0x40, ones | 9, 0x105ull << 32 | 0x40, ones << 9 | 9);
	becomes(&g, 5ull << 32 | 0x40, ones | 52, 0x105ull << 32 | 0x40, 52);
	becomes(&g, 5ull << 32 | 0x1ff << 12 | 1 << 9 | 0x40, 0, 0x105ull << 32 | 0x40, 0);
	becomes(&g, 5ull << 32 | 0x1f << 12 | 1 << 9 | ssv | 0x40, 0,
		0x105ull << 32 | 0x1f << 12 | 1 << 9 | ssv | 0x40, 0);
	stops(&g, 5ull << 32 | 0x1ff << 12 | ssv | 0x40, 0, SMMU_GUEST_NOTHING, "SSIDSIZE");
	stops(&g, 4ull << 32 | 0x40, 0, SMMU_GUEST_NOTHING, "not there");
	illegal(&g, 5ull << 32 | 0x40, 53, "52");
	illegal(&g, 5ull << 32 | 1 << 10 | 0x40, 0, "reserved");
	shown.idr1 = 16;
	g = guest_of(&shown);
	becomes(&g, 5ull << 32 | 5, 0, 0x105ull << 32 | 5, 0);
	stops(&g, 5ull << 32 | 1 << 12 | 5, 0, SMMU_GUEST_NOTHING, "SSIDSIZE");
	stops(&g, 5ull << 32 | ssv | 0x40, 0, SMMU_GUEST_NOTHING, "SSV");
	shown.idr0 &= ~(uint32_t)SMMU_IDR0_ATS;
	g = guest_of(&shown);
	illegal(&g, 5ull << 32 | 0x40, 0, "ATS");
	/* All 32 bits of a StreamID can be there. */
	shown.idr1 = 32;
	g = guest_of(&shown);
	stops(&g, 0xffffffffull << 32 | 6, 0, SMMU_GUEST_NOTHING, "not there");
}

/* Commands that are the hypervisor's: nothing becomes of them here, but they are looked at. */
static void test_yours(void **state)
{
	struct smmu_id_regs shown = shown_of(&full);
	struct smmu_guest g = guest_of(&shown);

	stops(&g, 0x46, 0, SMMU_GUEST_SYNC, NULL);
	stops(&g, 0xdeadbeef0fc01046, 0x800000040, SMMU_GUEST_SYNC, NULL);
	illegal(&g, 3 << 12 | 0x46, 0, "CS");
	illegal(&g, 0x46, 1, "reserved");
	stops(&g, 9ull << 32 | 3, 1, SMMU_GUEST_YOURS, NULL);
	stops(&g, 9ull << 32 | 4, 31, SMMU_GUEST_YOURS, NULL);
	illegal(&g, 9ull << 32 | 4, 32, "reserved");
	stops(&g, 9ull << 32 | 1, 0, SMMU_GUEST_YOURS, NULL);
	stops(&g, 9ull << 32 | 2, 0x1000, SMMU_GUEST_YOURS, NULL);
	stops(&g, 9ull << 32 | 0x41, 2 << 12 | 0x1ff, SMMU_GUEST_YOURS, NULL);
	illegal(&g, 9ull << 32 | 0x41, 3 << 12, "Resp");
	shown.idr0 &= ~(uint32_t)SMMU_IDR0_PRI;
	g = guest_of(&shown);
	illegal(&g, 9ull << 32 | 0x41, 0, "does not have");
}

/*
 * The count is that of what stands before the command that ended the block, and nothing behind it
 * is touched.
 */
static void test_blocks(void **state)
{
	struct smmu_id_regs shown = shown_of(&full);
	struct smmu_guest g = guest_of(&shown);
	enum smmu_guest_stop stop;
	struct smmu_cmd cmd[40], real[40];

	for (unsigned at = 0; at <= 40; at++) {
		for (unsigned i = 0; i < 40; i++)
			cmd[i] = (struct smmu_cmd){{0x12, i << 12}};
		if (at < 40)
			cmd[at] = (struct smmu_cmd){{at % 2 ? 0x46 : 0xff, 0}};
		memset(real, 0xaa, sizeof(real));
		assert_int_equal(smmu_guest_convert(&g, cmd, real, 40, &stop, NULL), at);
		assert_int_equal(stop, at == 40 ? SMMU_GUEST_END
				       : at % 2 ? SMMU_GUEST_SYNC
						: SMMU_GUEST_ILLEGAL);
		for (unsigned i = 0; i < 40; i++)
			assert_int_equal(real[i].w[1], i < at ? i << 12 : 0xaaaaaaaaaaaaaaaa);
	}
	assert_int_equal(smmu_guest_convert(&g, cmd, real, 0, &stop, NULL), 0);
	assert_int_equal(stop, SMMU_GUEST_END);
}

struct changing {
	struct smmu_cmd *cmd;
};

static int changes(void *ctx, uint32_t guest, uint32_t *real)
{
	struct changing *c = ctx;

	/* Another processor of the guest, in the middle. */
	c->cmd->w[0] = ~0ull;
	c->cmd->w[1] = ~0ull;
	*real = guest + 1;
	return 0;
}

/* What is judged is what is passed on, whatever the guest does to its memory meanwhile. */
static void test_changing(void **state)
{
	struct smmu_id_regs shown = shown_of(&full);
	struct smmu_cmd cmd = {{5ull << 32 | 0x40, 0x1000}}, real;
	struct changing c = {&cmd};
	enum smmu_guest_stop stop;
	struct smmu_guest g;

	smmu_guest_init(&g, &shown, VMID, changes, &c);
	assert_int_equal(smmu_guest_convert(&g, &cmd, &real, 1, &stop, NULL), 1);
	assert_int_equal(real.w[0], 6ull << 32 | 0x40);
	assert_int_equal(real.w[1], 0x1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),      cmocka_unit_test(test_tlbi),
		cmocka_unit_test(test_ranges),   cmocka_unit_test(test_streams),
		cmocka_unit_test(test_yours),    cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_changing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

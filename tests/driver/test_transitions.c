/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single changes of an STE or CD, from a first entry that nothing was before: how often the SMMU is waited for, and
 * whether traffic is refused on the way. The 29 changes are those of the unit tests of Linux 7.2's driver (its
 * arm-smmu-v3-test.c), with the number of waits that those expect; the entries are made here.
 */
#include "rig.h"

#include "../../src/driver/driver.h"

enum {
	ABORT,
	BYPASS,
	S1,        /* a table of CDs; substream 0 for traffic without one */
	S1_BYPASS, /* the same, and traffic without substream passes */
	S1_ELSE,   /* the same with another table */
	S1_STALL,
	S2,
	S2_STALL,
	S2_NO_ATS,
	NESTED, /* stage 1 and 2, ATS; traffic without substream passes stage 1 */
	CD_NONE,
	CD_A,
	CD_B,        /* the same with another ASID */
	CD_SHARED,   /* a processor's tables */
	CD_RELEASED, /* the same, and no table is walked any more */
};

#define TABLE 0x40000000ull

/** What lies ready in word 1 where stage 1 is off, as the driver leaves it there (config.c). */
static uint64_t ready(uint64_t dss)
{
	return smmu_field_prep(SMMU_STE_W1_S1DSS, dss) |
	       smmu_field_prep(SMMU_STE_W1_S1CIR, SMMU_STE_S1C_WB_RA) |
	       smmu_field_prep(SMMU_STE_W1_S1COR, SMMU_STE_S1C_WB_RA) |
	       smmu_field_prep(SMMU_STE_W1_S1CSH, SMMU_SH_ISH) | SMMU_STE_W1_S1STALLD |
	       smmu_field_prep(SMMU_STE_W1_SHCFG, SMMU_STE_SHCFG_INCOMING);
}

static void stage1(uint64_t *w, uint64_t table, uint64_t dss, bool stall)
{
	w[0] = SMMU_STE_W0_V | smmu_field_prep(SMMU_STE_W0_CONFIG, SMMU_STE_CONFIG_S1) | table |
	       smmu_field_prep(SMMU_STE_W0_S1CDMAX, 10) |
	       smmu_field_prep(SMMU_STE_W0_S1FMT, SMMU_STE_S1FMT_LINEAR);
	w[1] = ready(dss) | smmu_field_prep(SMMU_STE_W1_EATS, stall ? 0 : SMMU_STE_EATS_FULL);
	if (stall)
		w[1] &= ~SMMU_STE_W1_S1STALLD;
}

static void stage2(uint64_t *w, bool ats, bool stall)
{
	w[0] |= SMMU_STE_W0_V | smmu_field_prep(SMMU_STE_W0_CONFIG, SMMU_STE_CONFIG_S2);
	w[1] |= ready(SMMU_STE_S1DSS_BYPASS) |
		smmu_field_prep(SMMU_STE_W1_EATS, ats ? SMMU_STE_EATS_FULL : 0);
	w[2] = smmu_field_prep(SMMU_STE_W2_S2T0SZ, 24) | smmu_field_prep(SMMU_STE_W2_S2SL0, 1) |
	       smmu_field_prep(SMMU_STE_W2_S2IR0, 1) | smmu_field_prep(SMMU_STE_W2_S2OR0, 1) |
	       smmu_field_prep(SMMU_STE_W2_S2SH0, 3) | smmu_field_prep(SMMU_STE_W2_S2PS, 2) |
	       SMMU_STE_W2_S2AA64 | SMMU_STE_W2_S2R | (stall ? SMMU_STE_W2_S2S : 0);
	w[3] = 0x50000000;
}

static void cd(uint64_t *w, uint64_t asid, uint64_t ttb)
{
	w[0] = SMMU_CD_W0_V | SMMU_CD_W0_AA64 | SMMU_CD_W0_R | SMMU_CD_W0_A | SMMU_CD_W0_EPD1 |
	       smmu_field_prep(SMMU_CD_W0_T0SZ, 16) | smmu_field_prep(SMMU_CD_W0_IPS, 5) |
	       smmu_field_prep(SMMU_CD_W0_IR0, 1) | smmu_field_prep(SMMU_CD_W0_OR0, 1) |
	       smmu_field_prep(SMMU_CD_W0_SH0, 3) | smmu_field_prep(SMMU_CD_W0_ASID, asid);
	w[1] = ttb;
	w[3] = 0xff44ff;
}

static void make(unsigned what, uint64_t *w)
{
	memset(w, 0, 8 * sizeof(*w));
	switch (what) {
	case ABORT:
		w[0] = SMMU_STE_W0_V;
		w[1] = ready(SMMU_STE_S1DSS_SSID0);
		break;
	case BYPASS:
		w[0] = SMMU_STE_W0_V | smmu_field_prep(SMMU_STE_W0_CONFIG, SMMU_STE_CONFIG_BYPASS);
		w[1] = ready(SMMU_STE_S1DSS_BYPASS);
		break;
	case S1:
	case S1_STALL:
		stage1(w, TABLE, SMMU_STE_S1DSS_SSID0, what == S1_STALL);
		break;
	case S1_BYPASS:
		stage1(w, TABLE, SMMU_STE_S1DSS_BYPASS, false);
		break;
	case S1_ELSE:
		stage1(w, TABLE + 0x10000, SMMU_STE_S1DSS_BYPASS, false);
		break;
	case S2:
	case S2_STALL:
	case S2_NO_ATS:
		stage2(w, what == S2, what == S2_STALL);
		break;
	case NESTED:
		stage1(w, TABLE, SMMU_STE_S1DSS_BYPASS, false);
		stage2(w, true, false);
		w[1] |= SMMU_STE_W1_MEV;
		break;
	case CD_A:
	case CD_B:
		cd(w, what, 0x60000000);
		break;
	case CD_SHARED:
	case CD_RELEASED:
		cd(w, CD_SHARED, 0x61000000);
		if (what == CD_RELEASED) {
			w[0] &= ~(SMMU_CD_W0_T0SZ | SMMU_CD_W0_IR0 | SMMU_CD_W0_OR0 |
				  SMMU_CD_W0_SH0);
			w[0] |= SMMU_CD_W0_EPD0;
			w[1] = 0;
		}
		break;
	default:
		break;
	}
}

static const struct {
	uint8_t from, to;
	uint8_t linux_waits;
	bool linux_breaks;
	uint8_t waits[2]; /* with stores of 8 bytes, and of 16 */
	bool breaks[2];
} changes[] = {
	{BYPASS, ABORT, 2, false, {1, 1}, {false, false}},
	{ABORT, BYPASS, 2, false, {1, 1}, {false, false}},
	{S1, ABORT, 2, false, {1, 1}, {false, false}},
	{ABORT, S1, 2, false, {1, 1}, {false, false}},
	{S1, BYPASS, 3, false, {1, 1}, {false, false}},
	{BYPASS, S1, 3, false, {2, 1}, {false, false}},
	{S1, S1_BYPASS, 1, false, {1, 1}, {false, false}},
	{S1_BYPASS, S1, 1, false, {1, 1}, {false, false}},
	{S1_BYPASS, BYPASS, 2, false, {1, 1}, {false, false}},
	{BYPASS, S1_BYPASS, 2, false, {1, 1}, {false, false}},
	{S2, ABORT, 2, false, {1, 1}, {false, false}},
	{ABORT, S2, 2, false, {2, 2}, {false, false}},
	{S2, BYPASS, 2, false, {1, 1}, {false, false}},
	{BYPASS, S2, 2, false, {2, 2}, {false, false}},
	{S1, S2, 3, false, {2, 2}, {false, false}},
	{S2, S1, 3, false, {2, 1}, {false, false}},
	{S1, S1_ELSE, 3, true, {3, 1}, {true, false}},
	{S1_STALL, S2_STALL, 3, false, {2, 2}, {false, false}},
	{S2_STALL, S1_STALL, 3, false, {2, 1}, {false, false}},
	{NESTED, S2_NO_ATS, 3, false, {1, 1}, {false, false}},
	{S2_NO_ATS, NESTED, 2, false, {1, 1}, {false, false}},
	{CD_NONE, CD_A, 2, true, {2, 2}, {false, false}},
	{CD_A, CD_NONE, 2, true, {1, 1}, {false, false}},
	{CD_A, CD_B, 1, false, {1, 1}, {false, false}},
	{CD_B, CD_A, 1, false, {1, 1}, {false, false}},
	{CD_NONE, CD_SHARED, 2, true, {2, 2}, {false, false}},
	{CD_SHARED, CD_NONE, 2, true, {1, 1}, {false, false}},
	{CD_SHARED, CD_RELEASED, 2, false, {1, 1}, {false, false}},
	{CD_RELEASED, CD_SHARED, 2, false, {2, 1}, {false, false}},
};

static unsigned waits;

static int count(void *ctx)
{
	waits++;
	return 0;
}

static uint64_t *only(void *ctx, unsigned i)
{
	return ctx;
}

static void test_waits(void **state)
{
	static const struct smmu_port_ops none = {.clean = NULL};

	assert_int_equal(SMMU_ARRAY_SIZE(changes), 29);
	for (unsigned pair = 0; pair < 2; pair++) {
		struct smmu_port port = {.ops = &none, .flags = pair ? SMMU_PORT_LSE2 : 0};
		unsigned better = 0;

		for (unsigned i = 0; i < SMMU_ARRAY_SIZE(changes); i++) {
			uint64_t live[8] __attribute__((aligned(64))), target[8], used[8];
			bool is_cd = changes[i].from >= CD_NONE, hitless;
			struct smmu_entry_change c = {.port = &port,
						      .kind = is_cd ? &smmu_cd_kind
								    : &smmu_ste_kind,
						      .live = only,
						      .n = 1,
						      .sync = count,
						      .ctx = live};

			make(changes[i].from, live);
			make(changes[i].to, target);
			hitless = smmu_entry_hitless(c.kind, &port, live, target);
			waits = 0;
			assert_int_equal(smmu_entry_change(&c, target), 0);
			if (waits != changes[i].waits[pair] || hitless == changes[i].breaks[pair])
				fail_msg("change %u of stores of %u bytes: %u waits, %s", i,
					 pair ? 16 : 8, waits, hitless ? "hitless" : "breaks");
			/* It acts as the target, and no worse than there. */
			c.kind->used(target, used);
			for (unsigned w = 0; w < 8; w++)
				assert_int_equal((live[w] ^ target[w]) & used[w], 0);
			assert_true(waits <= changes[i].linux_waits);
			assert_true(hitless || changes[i].linux_breaks);
			better += waits < changes[i].linux_waits ||
				  (hitless && changes[i].linux_breaks);
			/* Back again, and once more: what is laid out already stays so. */
			make(changes[i].from, target);
			assert_int_equal(smmu_entry_change(&c, target), 0);
			make(changes[i].to, target);
			waits = 0;
			assert_int_equal(smmu_entry_change(&c, target), 0);
			assert_true(waits <= changes[i].waits[pair]);
		}
		print_message("stores of %u bytes: %u of 29 better, none worse\n", pair ? 16 : 8,
			      better);
		assert_int_equal(better, pair ? 23 : 21);
	}
}

static unsigned fails_at;

static int fail_later(void *ctx)
{
	return ++waits >= fails_at ? -SMMU_EIO : 0;
}

/** The n-th wait of each change fails: the error is told, nothing is stored that needs it, and the entry refuses. */
static void test_failing_wait(void **state)
{
	static const struct smmu_port_ops none = {.clean = NULL};
	static const struct smmu_port port = {.ops = &none};

	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(changes); i++)
		for (fails_at = 1; fails_at <= changes[i].waits[0]; fails_at++) {
			uint64_t live[8] __attribute__((aligned(64))), target[8];
			bool is_cd = changes[i].from >= CD_NONE;
			struct smmu_entry_change c = {.port = &port,
						      .kind = is_cd ? &smmu_cd_kind
								    : &smmu_ste_kind,
						      .live = only,
						      .n = 1,
						      .sync = fail_later,
						      .ctx = live};

			make(changes[i].from, live);
			make(changes[i].to, target);
			waits = 0;
			assert_int_equal(smmu_entry_change(&c, target), -SMMU_EIO);
			assert_int_equal(live[0], c.kind->halt(live));
			assert_true(waits <= fails_at + 1);
		}
}

/** Cut off meanwhile: nothing is stored any more. */
static void test_frozen(void **state)
{
	static const struct smmu_port_ops none = {.clean = NULL};
	static const struct smmu_port port = {.ops = &none};
	uint64_t live[8] __attribute__((aligned(64))), before[8], target[8];
	uint32_t frozen = 1;
	struct smmu_entry_change c = {.port = &port,
				      .kind = &smmu_ste_kind,
				      .live = only,
				      .n = 1,
				      .sync = count,
				      .ctx = live,
				      .frozen = &frozen};

	make(S1, live);
	memcpy(before, live, sizeof(before));
	make(S2, target);
	waits = 0;
	assert_int_equal(smmu_entry_change(&c, target), -SMMU_EIO);
	assert_memory_equal(live, before, sizeof(live));
	assert_int_equal(waits, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_failing_wait),
		cmocka_unit_test(test_frozen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bits of an STE and a CD that are in use. The expected masks were worked out by hand from the bit numbers and the
 * IGNORED rules in 5.2 and 5.4.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <smmuv3/hw/cd.h>
#include <smmuv3/hw/ste.h>

#include "testrand.h"

static const struct {
	const char *what;
	struct smmu_ste ste, used;
} ste_cases[] = {
	{"not valid", {{0xfffffffffffffffe, 5, 5, 5, 5, 5, 5, 5}}, {{1}}},
	{"abort", {{0x01}}, {{0xf, 0x1e000}}},
	{"reserved, behaves as abort", {{0x07}}, {{0xf, 0x1e000}}},
	{"bypass", {{0x09}}, {{0xf, 0x000f31f0000de000, 0, 0, 0xffff0000, 0xff}}},
	{"bypass, type replaced",
	 {{0x09, 1ULL << 36}},
	 {{0xf, 0x000f31ff000de000, 0, 0, 0xffff0000, 0xff}}},
	{"stage 1, one CD",
	 {{0x0b}},
	 {{0xf8ffffffffffffcf, 0x000f01f0fd0ff0fc, 0xffff, 0, 0xffff0000, 0xff}}},
	{"stage 1, one CD, so S1DSS does not count",
	 {{0x0b, 1}},
	 {{0xf8ffffffffffffcf, 0x000f01f0fd0ff0fc, 0xffff, 0, 0xffff0000, 0xff}}},
	/* The type of the input decides whether its allocation hints are combined with those of stage 1. */
	{"stage 1, type of the input replaced",
	 {{0x0b, 1ULL << 36}},
	 {{0xf8ffffffffffffcf, 0x000f01fffd0ff0fc, 0xffff, 0, 0xffff0000, 0xff}}},
	{"stage 1, substreams",
	 {{0x400000000000000b}},
	 {{0xf8ffffffffffffff, 0x000f01f0fd0ff0ff, 0xffff, 0, 0xffff0000, 0xff}}},
	{"stage 1, substreams, without one bypass",
	 {{0x400000000000000b, 1}},
	 {{0xf8ffffffffffffff, 0x000f31f0fd0ff0ff, 0xffff, 0, 0xffff0000, 0xff}}},
	{"stage 1 of EL2 has no VMID",
	 {{0x0b, 2ULL << 30}},
	 {{0xf8ffffffffffffcf, 0x000f01f0fd0ff0fc, 0, 0, 0xffff0000, 0xff}}},
	{"stage 1 with full ATS: S2S is checked against it",
	 {{0x0b, 1ULL << 28}},
	 {{0xf8ffffffffffffcf, 0x000f01f0fd0ff0fc, 0x020000000000ffff, 0, 0xffff0000, 0xff}}},
	{"stage 2",
	 {{0x0d}},
	 {{0xf, 0x000f31f0320fff00, 0x3fbfffff0000ffff, 0x60fffffffffffffc, 0xffff0000, 0xeff}}},
	{"stage 2: STRW does not count",
	 {{0x0d, 2ULL << 30}},
	 {{0xf, 0x000f31f0320fff00, 0x3fbfffff0000ffff, 0x60fffffffffffffc, 0xffff0000, 0xeff}}},
	{"stage 2, DPT and overlays",
	 {{0x0d, 3ULL << 28, 1ULL << 61}},
	 {{0xf, 0x000f31f0320fff00, 0xffbfffff0000ffff, 0x60fffffffffffffc, 0xffff0000, 0xeff, 0,
	   UINT64_MAX}}},
	{"nested",
	 {{0x0f}},
	 {{0xf8ffffffffffffcf, 0x000f01f03f0ffffc, 0x3fffffff0000ffff, 0x60fffffffffffffc,
	   0xffff0000, 0xeff}}},
	{"nested, PARTIDs of the guest",
	 {{0x0f, 1ULL << 26}},
	 {{0xf8ffffffffffffcf, 0x000f01f03f0ffffc, 0x3fffffff0000ffff, 0x60fffffffffffffc,
	   0xffff0000, 0x00fffffffffffeff}}},
};

static void test_ste(void **state)
{
	struct smmu_ste used;

	for (size_t i = 0; i < SMMU_ARRAY_SIZE(ste_cases); i++) {
		smmu_ste_used(&ste_cases[i].ste, &used);
		for (unsigned w = 0; w < 8; w++)
			if (used.w[w] != ste_cases[i].used.w[w])
				fail_msg("%s: word %u is %#llx, expected %#llx", ste_cases[i].what,
					 w, (unsigned long long)used.w[w],
					 (unsigned long long)ste_cases[i].used.w[w]);
	}
}

#define AA64 (1ULL << 41)
#define V (1ULL << 31)

static const struct {
	const char *what;
	struct smmu_cd cd, used;
} cd_cases[] = {
	{"not valid", {{~V, 5, 5, 5, 5, 5, 5, 5}}, {{V}}},
	{"both halves",
	 {{V | AA64}},
	 {{0xffffffdfffffffff, 0xfcfffffffffffffe, 0xfcfffffffffffffe, UINT64_MAX, UINT64_MAX,
	   0x00ffffff00000000}}},
	{"no TTB1",
	 {{V | AA64 | 1ULL << 30}},
	 {{0xffffffdfc000ffff, 0xfcfffffffffffffe, 0xfc0000000000000e, UINT64_MAX, UINT64_MAX,
	   0x00ffffff00000000}}},
	{"no TTB0",
	 {{V | AA64 | 1ULL << 14}},
	 {{0xffffffdfffffc000, 0xfc0000000000000e, 0xfcfffffffffffffe, UINT64_MAX, UINT64_MAX,
	   0x00ffffff00000000}}},
	{"neither",
	 {{V | AA64 | 1ULL << 30 | 1ULL << 14}},
	 {{0xffffffdfc0004000, 0xfc0000000000000e, 0xfc0000000000000e, UINT64_MAX, UINT64_MAX,
	   0x00ffffff00000000}}},
	{"hardware sets the access flag, so AFFD does not count",
	 {{V | AA64 | 1ULL << 43}},
	 {{0xffffffd7ffffffff, 0xfcfffffffffffffe, 0xfcfffffffffffffe, UINT64_MAX, UINT64_MAX,
	   0x00ffffff00000000}}},
	{"permission indirection",
	 {{V | AA64, 0, 1ULL << 59}},
	 {{0xffffffdfffffffff, 0xfcfffffffffffffe, 0xfcfffffffffffffe, UINT64_MAX, UINT64_MAX,
	   0x00ffffff00000000, 0x0000ffffffffffff, 0x0000ffffffffffff}}},
};

static void test_cd(void **state)
{
	struct smmu_cd used;

	for (size_t i = 0; i < SMMU_ARRAY_SIZE(cd_cases); i++) {
		smmu_cd_used(&cd_cases[i].cd, &used);
		for (unsigned w = 0; w < 8; w++)
			if (used.w[w] != cd_cases[i].used.w[w])
				fail_msg("%s: word %u is %#llx, expected %#llx", cd_cases[i].what,
					 w, (unsigned long long)used.w[w],
					 (unsigned long long)cd_cases[i].used.w[w]);
	}
}

/** A bit that is not used has no say in what is used: change all of them, and the mask stays. */
static void test_closed(void **state)
{
	for (int i = 0; i < 100000; i++) {
		struct smmu_ste ste, ste_used, ste_again;
		struct smmu_cd cd, cd_used, cd_again;

		for (unsigned w = 0; w < 8; w++) {
			ste.w[w] = testrand();
			cd.w[w] = testrand();
		}
		smmu_ste_used(&ste, &ste_used);
		smmu_cd_used(&cd, &cd_used);
		for (unsigned w = 0; w < 8; w++) {
			ste.w[w] ^= testrand() & ~ste_used.w[w];
			cd.w[w] ^= testrand() & ~cd_used.w[w];
		}
		smmu_ste_used(&ste, &ste_again);
		smmu_cd_used(&cd, &cd_again);
		assert_memory_equal(&ste_used, &ste_again, sizeof(ste_used));
		assert_memory_equal(&cd_used, &cd_again, sizeof(cd_used));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ste),
		cmocka_unit_test(test_cd),
		cmocka_unit_test(test_closed),
	};

	testrand_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

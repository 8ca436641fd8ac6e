/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of a buffer: units, reach, raggedness, at their edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "plan.h"

#include <smmuv3/types.h>

#define GIB4 0x100000000ull
#define RW (EDKII_IOMMU_READ | EDKII_IOMMU_WRITE)

static const uint64_t granules[] = {0x1000, 0x4000, 0x10000};

static struct uefi_limits limits(uint64_t granule)
{
	return (struct uefi_limits){.granule = granule, .reach = 1ull << 44, .copy_max = 0};
}

static efi_status plan(const struct uefi_limits *l, uint32_t operation, uint64_t host,
		       uint64_t bytes, struct uefi_plan *p)
{
	struct uefi_request r = {.operation = operation, .host = host, .bytes = bytes};

	memset(p, 0xee, sizeof(*p));
	return uefi_plan(l, &r, p);
}

static void test_round(void **state)
{
	(void)state;
	for (size_t i = 0; i < SMMU_ARRAY_SIZE(granules); i++) {
		uint64_t g = granules[i], first, end;

		assert_false(uefi_round_out(g, 0, g, &first, &end));
		assert_true(uefi_round_out(g, 1, g, &first, &end));
		assert_int_equal(first, g);
		assert_int_equal(end, 2 * g);
		assert_true(uefi_round_out(g - 1, 2, g, &first, &end));
		assert_int_equal(first, 0);
		assert_int_equal(end, 2 * g);
		assert_true(uefi_round_out(3 * g, g, g, &first, &end));
		assert_int_equal(end - first, g);
		/* The last unit of all addresses has no end; the one before it has. */
		assert_false(uefi_round_out(~0ull, 1, g, &first, &end));
		assert_false(uefi_round_out(~0ull, 2, g, &first, &end));
		assert_false(uefi_round_out(0 - g, 1, g, &first, &end));
		assert_false(uefi_round_out(g, ~0ull, g, &first, &end));
		assert_true(uefi_round_out(0 - 2 * g, g, g, &first, &end));
		assert_int_equal(end, 0 - g);
	}
}

static void test_arguments(void **state)
{
	struct uefi_limits l = limits(0x1000);
	struct uefi_plan p;
	(void)state;

	assert_int_equal(plan(&l, EDKII_IOMMU_OPERATIONS, 0x1000, 0x1000, &p),
			 SMMU_EFI_INVALID_PARAMETER);
	assert_int_equal(plan(&l, ~0u, 0x1000, 0x1000, &p), SMMU_EFI_INVALID_PARAMETER);
	assert_int_equal(plan(&l, 0, 0x1000, 0, &p), SMMU_EFI_INVALID_PARAMETER);
	assert_int_equal(plan(&l, 0, 0x1000, ~0ull, &p), SMMU_EFI_INVALID_PARAMETER);
}

static void test_access(void **state)
{
	static const uint32_t want[] = {EDKII_IOMMU_READ, EDKII_IOMMU_WRITE, RW,
					EDKII_IOMMU_READ, EDKII_IOMMU_WRITE, RW};
	struct uefi_limits l = limits(0x1000);
	struct uefi_plan p;
	(void)state;

	for (uint32_t op = 0; op < EDKII_IOMMU_OPERATIONS; op++) {
		assert_int_equal(plan(&l, op, 0x5000, 0x3000, &p), SMMU_EFI_SUCCESS);
		assert_int_equal(p.access, want[op]);
		assert_int_equal(p.common, want[op] == RW);
		assert_false(p.copy);
		assert_int_equal(p.first, 0x5000);
		assert_int_equal(p.end, 0x8000);
		assert_int_equal(p.offset, 0);
	}
}

/* A unit with memory of others in it is never translated. */
static void test_ragged(void **state)
{
	(void)state;
	for (size_t i = 0; i < SMMU_ARRAY_SIZE(granules); i++) {
		uint64_t g = granules[i], at = 8 * g;
		struct uefi_limits l = limits(g);
		struct uefi_plan p;

		assert_int_equal(plan(&l, EDKII_IOMMU_MASTER_READ, at, 2 * g, &p),
				 SMMU_EFI_SUCCESS);
		assert_false(p.copy);
		assert_int_equal(plan(&l, EDKII_IOMMU_MASTER_READ, at + 8, 2 * g, &p),
				 SMMU_EFI_SUCCESS);
		assert_true(p.copy);
		assert_int_equal(p.end, 2 * g);
		assert_int_equal(plan(&l, EDKII_IOMMU_MASTER_READ, at + 8, 2 * g - 8, &p),
				 SMMU_EFI_SUCCESS);
		assert_true(p.copy);
		assert_int_equal(plan(&l, EDKII_IOMMU_MASTER_WRITE, at, 2 * g - 1, &p),
				 SMMU_EFI_SUCCESS);
		assert_true(p.copy);
		assert_int_equal(p.end, 2 * g);
		assert_int_equal(plan(&l, EDKII_IOMMU_MASTER_WRITE, at, 2 * g + 1, &p),
				 SMMU_EFI_SUCCESS);
		assert_int_equal(p.end, 3 * g);
		assert_int_equal(plan(&l, EDKII_IOMMU_COMMON_BUFFER, at, 2 * g - 1, &p),
				 SMMU_EFI_UNSUPPORTED);
		assert_int_equal(plan(&l, EDKII_IOMMU_COMMON_BUFFER64, at + g / 2, g, &p),
				 SMMU_EFI_UNSUPPORTED);
	}
}

/* In a block of AllocateBuffer nobody else has anything: the unit is translated, and the address keeps its offset. */
static void test_ours(void **state)
{
	struct uefi_limits l = limits(0x1000);
	struct uefi_request r = {
		.operation = EDKII_IOMMU_COMMON_BUFFER, .host = 0x7028, .bytes = 100, .ours = true};
	struct uefi_plan p;
	(void)state;

	assert_int_equal(uefi_plan(&l, &r, &p), SMMU_EFI_SUCCESS);
	assert_false(p.copy);
	assert_int_equal(p.first, 0x7000);
	assert_int_equal(p.end, 0x8000);
	assert_int_equal(p.offset, 0x28);
	r.operation = EDKII_IOMMU_MASTER_WRITE;
	assert_int_equal(uefi_plan(&l, &r, &p), SMMU_EFI_SUCCESS);
	assert_false(p.copy);
	/* A second mapping of the unit: a common buffer has no other place, a transfer is copied. */
	r.shared = true;
	assert_int_equal(uefi_plan(&l, &r, &p), SMMU_EFI_SUCCESS);
	assert_true(p.copy);
	r.operation = EDKII_IOMMU_COMMON_BUFFER;
	assert_int_equal(uefi_plan(&l, &r, &p), SMMU_EFI_SUCCESS);
	assert_false(p.copy);
}

/* 32-bit devices to 4 GiB, others to where the SMMU ends. */
static void test_reach(void **state)
{
	struct uefi_limits l = limits(0x1000);
	struct uefi_plan p;
	(void)state;

	assert_int_equal(plan(&l, EDKII_IOMMU_MASTER_READ, GIB4 - 0x1000, 0x1000, &p),
			 SMMU_EFI_SUCCESS);
	assert_false(p.copy);
	assert_int_equal(p.below, GIB4);
	assert_int_equal(plan(&l, EDKII_IOMMU_MASTER_READ, GIB4 - 0x1000, 0x2000, &p),
			 SMMU_EFI_SUCCESS);
	assert_true(p.copy);
	assert_int_equal(p.below, GIB4);
	assert_int_equal(plan(&l, EDKII_IOMMU_MASTER_READ64, GIB4 - 0x1000, 0x2000, &p),
			 SMMU_EFI_SUCCESS);
	assert_false(p.copy);
	assert_int_equal(plan(&l, EDKII_IOMMU_MASTER_WRITE64, l.reach - 0x1000, 0x1000, &p),
			 SMMU_EFI_SUCCESS);
	assert_false(p.copy);
	assert_int_equal(plan(&l, EDKII_IOMMU_MASTER_WRITE64, l.reach - 0x1000, 0x2000, &p),
			 SMMU_EFI_SUCCESS);
	assert_true(p.copy);
	assert_int_equal(p.below, l.reach);
	assert_int_equal(plan(&l, EDKII_IOMMU_COMMON_BUFFER, GIB4, 0x1000, &p),
			 SMMU_EFI_UNSUPPORTED);
	assert_int_equal(plan(&l, EDKII_IOMMU_COMMON_BUFFER64, l.reach, 0x1000, &p),
			 SMMU_EFI_UNSUPPORTED);
	/* An SMMU with fewer than 32 bits is not wider for a narrow device. */
	l.reach = 1ull << 32;
	assert_int_equal(plan(&l, EDKII_IOMMU_MASTER_READ64, GIB4, 0x1000, &p), SMMU_EFI_SUCCESS);
	assert_true(p.copy);
}

static void test_small(void **state)
{
	struct uefi_limits l = limits(0x1000);
	struct uefi_plan p;
	(void)state;

	l.copy_max = 0x10000;
	assert_int_equal(plan(&l, EDKII_IOMMU_MASTER_READ, 0x40000, 0x10000, &p), SMMU_EFI_SUCCESS);
	assert_true(p.copy);
	assert_int_equal(plan(&l, EDKII_IOMMU_MASTER_READ, 0x40000, 0x11000, &p), SMMU_EFI_SUCCESS);
	assert_false(p.copy);
	assert_int_equal(plan(&l, EDKII_IOMMU_COMMON_BUFFER, 0x40000, 0x1000, &p),
			 SMMU_EFI_SUCCESS);
	assert_false(p.copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),  cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_access), cmocka_unit_test(test_ragged),
		cmocka_unit_test(test_ours),   cmocka_unit_test(test_reach),
		cmocka_unit_test(test_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

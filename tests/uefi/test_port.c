/* SPDX-License-Identifier: BSD-2-Clause */
/* The port's registers: commands counted where PROD moves, and what is held back while an SMMU still lets traffic through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "smmu_uefi.h"

static uint8_t page[0x200] __attribute__((aligned(8)));

static uint32_t reg(uint32_t offset)
{
	uint32_t value;

	memcpy(&value, page + offset, sizeof(value));
	return value;
}

static void set(uint32_t offset, uint32_t value)
{
	memcpy(page + offset, &value, sizeof(value));
}

static void test_count(void **state)
{
	struct smmu_uefi_side side = {.commands = 0};
	struct smmu_mmio m = {.base = page, .side = &side};
	(void)state;

	smmu_mmio_write64(&m, SMMU_UEFI_CMDQ_BASE, 0x40001000 | 4); /* 16 entries */
	smmu_mmio_write32(&m, SMMU_UEFI_CMDQ_PROD, 0);
	assert_int_equal(side.commands, 0);
	smmu_mmio_write32(&m, SMMU_UEFI_CMDQ_PROD, 3);
	smmu_mmio_write32(&m, SMMU_UEFI_CMDQ_PROD, 15);
	/* Over the end of the ring, and back over the wrap bit. */
	smmu_mmio_write32(&m, SMMU_UEFI_CMDQ_PROD, 18);
	smmu_mmio_write32(&m, SMMU_UEFI_CMDQ_PROD, 2);
	assert_int_equal(side.commands, 3 + 12 + 3 + 16);
	assert_int_equal(side.batches, 4);
	/* The same value again is no command. */
	smmu_mmio_write32(&m, SMMU_UEFI_CMDQ_PROD, 2);
	assert_int_equal(side.commands, 34);
	/* A queue that is started over at 9. */
	smmu_mmio_write64(&m, SMMU_UEFI_CMDQ_BASE, 0x40001000 | 4);
	smmu_mmio_write32(&m, SMMU_UEFI_CMDQ_PROD, 9);
	assert_int_equal(reg(SMMU_UEFI_CMDQ_PROD), 9);
	assert_int_equal(side.commands, 34);
	smmu_mmio_write32(&m, SMMU_UEFI_CMDQ_PROD, 10);
	assert_int_equal(side.commands, 35);
}

static void test_held(void **state)
{
	struct smmu_uefi_side side = {.held = true, .held_gbpa = 0x1000};
	struct smmu_mmio m = {.base = page, .side = &side};
	(void)state;

	memset(page, 0, sizeof(page));
	set(SMMU_UEFI_GBPA, 0x1000);
	assert_int_equal(smmu_mmio_read32(&m, SMMU_UEFI_GBPA), 0x1000);
	/* GBPA is not written, and reads as if it were, its update done. */
	smmu_mmio_write32(&m, SMMU_UEFI_GBPA,
			  0x1000 | SMMU_UEFI_GBPA_ABORT | SMMU_UEFI_GBPA_UPDATE);
	assert_int_equal(reg(SMMU_UEFI_GBPA), 0x1000);
	assert_int_equal(smmu_mmio_read32(&m, SMMU_UEFI_GBPA), 0x1000 | SMMU_UEFI_GBPA_ABORT);
	/* Of CR0 all is written but SMMUEN. */
	smmu_mmio_write32(&m, SMMU_UEFI_CR0, 0xd);
	assert_int_equal(reg(SMMU_UEFI_CR0), 0xc);
	assert_int_equal(smmu_mmio_read32(&m, SMMU_UEFI_CR0), 0xd);
	set(SMMU_UEFI_CR0ACK, 0x8);
	assert_int_equal(smmu_mmio_read32(&m, SMMU_UEFI_CR0ACK), 0x9);
	smmu_mmio_write32(&m, SMMU_UEFI_CR0, 0xc);
	assert_int_equal(smmu_mmio_read32(&m, SMMU_UEFI_CR0ACK), 0x8);
	/* Others are as ever. */
	smmu_mmio_write32(&m, 0x50, 7);
	assert_int_equal(reg(0x50), 7);
	side.held = false;
	assert_int_equal(smmu_mmio_read32(&m, SMMU_UEFI_GBPA), 0x1000);
	smmu_mmio_write32(&m, SMMU_UEFI_CR0, 0xd);
	assert_int_equal(reg(SMMU_UEFI_CR0), 0xd);
}

static void test_plain(void **state)
{
	struct smmu_mmio m = {.base = page};
	(void)state;

	smmu_mmio_write32(&m, SMMU_UEFI_CMDQ_PROD, 77);
	smmu_mmio_write64(&m, SMMU_UEFI_CMDQ_BASE, 5);
	assert_int_equal(smmu_mmio_read32(&m, SMMU_UEFI_CMDQ_PROD), 77);
	assert_int_equal(smmu_mmio_read64(&m, SMMU_UEFI_CMDQ_BASE), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file board_virt.c
 * QEMU's AArch64 "virt" machine with iommu=smmuv3, highmem=off and an "edu" device at bus 0, slot 1: a serial port,
 * a counter, and the DMA engine of edu, which keeps a page of its own between reading and writing.
 */
#include <smmuv3/port.h>

#include "board.h"

#define UART 0x09000000ul /* PL011 */
#define SMMU 0x09050000ul
#define ECAM 0x3f000000ul
#define BAR 0x10000000ul /* in the window for 32-bit PCI memory */

/* edu's registers, and its page as its own DMA engine sees it. */
enum { EDU_SRC = 0x80, EDU_DST = 0x88, EDU_COUNT = 0x90, EDU_CMD = 0x98 };
#define EDU_PAGE 0x40000ull
#define EDU_START 1u
#define EDU_TO_RAM 2u

static const struct smmu_mmio uart = {(volatile uint8_t *)UART};
static const struct smmu_mmio config = {(volatile uint8_t *)(ECAM + (BOARD_STREAM << 12))};
static const struct smmu_mmio edu = {(volatile uint8_t *)BAR};

volatile uint8_t *board_smmu(void)
{
	return (volatile uint8_t *)SMMU;
}

uint64_t board_now_ns(void *ctx)
{
	uint64_t ticks, hz;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0\n\tmrs %1, cntfrq_el0" : "=r"(ticks), "=r"(hz));
	/* In two steps, so that the product does not overflow after five minutes. */
	return ticks / hz * 1000000000 + ticks % hz * 1000000000 / hz;
}

void board_print(const char *text)
{
	for (; *text; text++)
		smmu_mmio_write32(&uart, 0, (uint8_t)*text);
}

void board_print_number(uint64_t value)
{
	char digits[21];
	unsigned at = sizeof(digits) - 1;

	digits[at] = 0;
	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	board_print(digits + at);
}

int board_device_init(void)
{
	if (smmu_mmio_read32(&config, 0) != 0x11e81234)
		return -SMMU_ENODEV;
	smmu_mmio_write32(&config, 0x10, BAR);
	smmu_mmio_write32(&config, 0x04, 6); /* answer to memory accesses, be a bus master */
	return 0;
}

static int transfer(uint64_t from, uint64_t to, uint32_t size, uint32_t direction)
{
	uint64_t start = board_now_ns(NULL);

	smmu_mmio_write64(&edu, EDU_SRC, from);
	smmu_mmio_write64(&edu, EDU_DST, to);
	smmu_mmio_write64(&edu, EDU_COUNT, size);
	smmu_dma_wmb();
	smmu_mmio_write64(&edu, EDU_CMD, EDU_START | direction);
	while (smmu_mmio_read64(&edu, EDU_CMD) & EDU_START) {
		if (board_now_ns(NULL) - start > 5000000000)
			return -SMMU_ETIMEDOUT;
		smmu_cpu_relax();
	}
	smmu_dma_rmb();
	return 0;
}

int board_device_copy(uint64_t from, uint64_t to, uint32_t size)
{
	int error = transfer(from, EDU_PAGE, size, 0);

	return error ? error : transfer(EDU_PAGE, to, size, EDU_TO_RAM);
}

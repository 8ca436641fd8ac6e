/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file board_none.c
 * No board at all: what is left to write for one. Shows that the embedding links for any processor; does not run.
 */
#include "board.h"

volatile uint8_t *board_smmu(void)
{
	return NULL;
}

uint64_t board_now_ns(void *ctx)
{
	return 0;
}

void board_print(const char *text)
{
}

void board_print_number(uint64_t value)
{
}

int board_device_init(void)
{
	return -SMMU_ENODEV;
}

int board_device_copy(uint64_t from, uint64_t to, uint32_t size)
{
	return -SMMU_ENODEV;
}

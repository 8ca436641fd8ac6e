/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file board.h
 * What the example needs of the machine it runs on. One board_*.c provides it.
 */
#ifndef EMBED_BOARD_H
#define EMBED_BOARD_H

#include <smmuv3/types.h>

/** The machine's SMMU: its registers, and a stream that reaches it. */
#define BOARD_STREAM 8u
volatile uint8_t *board_smmu(void);

/** A clock that never goes backward, in nanoseconds. */
uint64_t board_now_ns(void *ctx);

/** Print text; board_log prints a line of the library's. */
void board_print(const char *text);
void board_print_number(uint64_t value);

/** Make the device behind BOARD_STREAM ready. 0, or -SMMU_ENODEV when there is none. */
int board_device_init(void);

/**
 * Have the device read @p size bytes at bus address @p from and write them at @p to. 0 when it has finished; whether
 * the accesses reached memory only memory tells.
 */
int board_device_copy(uint64_t from, uint64_t to, uint32_t size);

#endif

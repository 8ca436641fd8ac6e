/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What freed memory is filled with: not with nonsense, which an SMMU refuses and which then looks like a driver that
 * blocked an access in time, but with structures that are legal and lead to a place where nothing is mapped.
 */
#include "arch.h"
#include "model.h"

/** A table, and at the last level a page: valid, AF, inner shareable, read-write at both stages. */
static uint64_t descriptor(uint64_t canary)
{
	/* AP[2:1] 01 for stage 1 is S2AP 01 for stage 2: read-only there, but not refused for reading. */
	return canary | 3 | BIT(6) | 3ULL << 8 | BIT(10);
}

void smmu_model_canary(uint64_t page[512], uint64_t canary)
{
	for (unsigned i = 0; i < 512; i++)
		page[i] = descriptor(canary);
}

void smmu_model_poison(uint64_t line[8], uint64_t canary)
{
	for (unsigned i = 0; i < 8; i++)
		line[i] = descriptor(canary);
	/*
	 * As an STE: V, Config 0b100, bypass, to which nothing else in it matters. The same bits are the end of a CD's T0SZ
	 * of 25, 39 bits in 4K granules; then EPD1, V, IPS of 48 bits, AA64, R, A. TTB0 is the next word.
	 */
	line[0] = 0x19 | BIT(30) | BIT(31) | 5ULL << 32 | BIT(41) | BIT(45) | BIT(46);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file bits.h
 * Fields by the bit numbers that the specification prints, over the whole structure: the tests' own way to read a
 * structure, which shares nothing with the masks of the library.
 */
#ifndef TESTS_HW_BITS_H
#define TESTS_HW_BITS_H

#include <stdint.h>

/** Bits @p hi down to @p lo of the structure of 64-bit words at @p w; no field crosses a word. */
static inline uint64_t bits(const uint64_t *w, unsigned hi, unsigned lo)
{
	uint64_t value = 0;

	for (unsigned i = hi + 1; i-- > lo;)
		value = value << 1 | ((w[i / 64] >> (i % 64)) & 1);
	return value;
}

#endif

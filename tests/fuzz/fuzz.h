/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file fuzz.h
 * What a fuzzer is: one function, called with inputs by libFuzzer or by main.c. It stops the program where something is wrong.
 */
#ifndef SMMU_TESTS_FUZZ_H
#define SMMU_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Whatever the input is, this holds. */
#define FUZZ_CHECK(holds)                                                                         \
	do {                                                                                      \
		if (!(holds)) {                                                                   \
			fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #holds); \
			abort();                                                                  \
		}                                                                                 \
	} while (0)

/** The next number of the row that @p state is in: below @p n; 0: any. */
static inline uint64_t fuzz_chance(uint64_t *state, uint64_t n)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	z ^= z >> 31;
	return n ? z % n : z;
}

#endif

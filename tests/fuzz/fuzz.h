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

#endif

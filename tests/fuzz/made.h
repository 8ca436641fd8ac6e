/* SPDX-License-Identifier: BSD-2-Clause */
/** @file made.h Between what makes inputs (guest_main.c, adopt_main.c) and what runs them (made.c). */
#ifndef SMMU_TESTS_MADE_H
#define SMMU_TESTS_MADE_H

#include "fuzz.h"

/** Write an input of up to 4096 bytes to @p to; its size. */
size_t made_input(uint8_t *to);
/** After @p inputs of them: so many of each thing that can happen have to be among them, or the program stops. */
void made_enough(unsigned long inputs);

/** A number below @p n; 0: any. */
uint64_t made_chance(uint64_t n);
/** Write the low @p bytes (up to 8) of @p value; how many. */
size_t made_put(uint8_t *to, uint64_t value, size_t bytes);

#endif

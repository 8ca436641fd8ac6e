/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file testrand.h
 * Repeatable random numbers: SMMU_TEST_SEED in the environment repeats a run whose seed was printed.
 */
#ifndef TESTS_HW_TESTRAND_H
#define TESTS_HW_TESTRAND_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t testrand_state;

/** Call first. Prints the seed, which a failing run's log then shows. */
static inline void testrand_init(void)
{
	const char *seed = getenv("SMMU_TEST_SEED");

	testrand_state = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL);
	printf("SMMU_TEST_SEED=%llu\n", (unsigned long long)testrand_state);
}

/** 64 random bits (splitmix64). */
static inline uint64_t testrand(void)
{
	uint64_t z = testrand_state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/** @p n (1–64) random bits. */
static inline uint64_t testrand_bits(unsigned n)
{
	return testrand() >> (64 - n);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file seed.h
 * The seed of a randomised test: new in each run, told so that a failure can be repeated with SMMU_TEST_SEED.
 */
#ifndef SMMU_TEST_SEED_H
#define SMMU_TEST_SEED_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline uint64_t test_seed(void)
{
	const char *set = getenv("SMMU_TEST_SEED");
	struct timespec t;
	uint64_t seed;

	clock_gettime(CLOCK_REALTIME, &t);
	seed = set ? strtoull(set, NULL, 0) : (uint64_t)t.tv_sec * 1000003 + (uint64_t)t.tv_nsec;
	fprintf(stderr, "SMMU_TEST_SEED=%" PRIu64 "\n", seed);
	return seed;
}

#endif

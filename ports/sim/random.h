/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file random.h
 * The one source of chance of simulations, fault injection and tests: a small generator whose seed repeats
 * everything (xoshiro256**, seeded by splitmix64). Not for secrets. A generator belongs to one thread.
 */
#ifndef SMMU_POSIX_RANDOM_H
#define SMMU_POSIX_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct smmu_random {
	uint64_t s[4];
};

/** splitmix64: step *@p state and return a well mixed word; also good for deriving seeds from a seed. */
static inline uint64_t smmu_random_split(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static inline void smmu_random_seed(struct smmu_random *r, uint64_t seed)
{
	unsigned i;

	for (i = 0; i < 4; i++)
		r->s[i] = smmu_random_split(&seed);
}

static inline uint64_t smmu_random_rotl(uint64_t x, unsigned k)
{
	return x << k | x >> (64 - k);
}

/** 64 random bits. */
static inline uint64_t smmu_random_next(struct smmu_random *r)
{
	uint64_t *s = r->s, result = smmu_random_rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = smmu_random_rotl(s[3], 45);
	return result;
}

/** A number below @p n; 0 for @p n 0. The bias is below n/2^64. */
static inline uint64_t smmu_random_below(struct smmu_random *r, uint64_t n)
{
	return (uint64_t)(((unsigned __int128)smmu_random_next(r) * n) >> 64);
}

/** A number from @p lo to @p hi, both included. */
static inline uint64_t smmu_random_between(struct smmu_random *r, uint64_t lo, uint64_t hi)
{
	return lo + smmu_random_below(r, hi - lo + 1);
}

/** True @p num times in @p den. */
static inline bool smmu_random_chance(struct smmu_random *r, uint64_t num, uint64_t den)
{
	return smmu_random_below(r, den) < num;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file types.h
 * The fixed-width types, the error numbers and the small helpers that every other header uses.
 *
 * A port that has no freestanding C headers (a kernel) names its own in SMMU_PORT_TYPES_HEADER;
 * that header has to provide uint8_t … uint64_t, size_t, bool, NULL, UINT64_MAX and friends.
 */
#ifndef SMMUV3_TYPES_H
#define SMMUV3_TYPES_H

#ifdef SMMU_PORT_TYPES_HEADER
#include SMMU_PORT_TYPES_HEADER
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

/** Around the declarations of each header, for C++. */
#ifdef __cplusplus
#define SMMU_BEGIN_DECLS extern "C" {
#define SMMU_END_DECLS }
#else
#define SMMU_BEGIN_DECLS
#define SMMU_END_DECLS
#endif

SMMU_BEGIN_DECLS

/**
 * Errors are returned as negative numbers, `-SMMU_EINVAL` and so on. The values are those of Linux,
 * so that a port there can pass them on as they are.
 */
enum smmu_errno {
	SMMU_ENOENT = 2,      /**< no such stream, mapping or entry */
	SMMU_EIO = 5,         /**< the hardware reported an error that could not be mended */
	SMMU_EAGAIN = 11,     /**< not finished yet: ask again */
	SMMU_ENOMEM = 12,     /**< an allocation failed; nothing changed */
	SMMU_EFAULT = 14,     /**< a walk met no valid descriptor */
	SMMU_EBUSY = 16,      /**< still in use */
	SMMU_EEXIST = 17,     /**< there already */
	SMMU_ENODEV = 19,     /**< the instance cannot be used */
	SMMU_EINVAL = 22,     /**< an argument is out of its range */
	SMMU_ENOSPC = 28,     /**< no id, slot or room is left */
	SMMU_ERANGE = 34,     /**< an address or an id does not fit */
	SMMU_EOPNOTSUPP = 95, /**< the instance lacks a feature that this needs */
	SMMU_ETIMEDOUT = 110, /**< the hardware did not answer in time */
};

#define SMMU_BIT(n) (1ULL << (n))

/** Mask of the bits @p hi down to @p lo of a 64-bit word, as the specification writes [hi:lo]. */
#define SMMU_MASK(hi, lo) ((~0ULL >> (63 - (hi))) & (~0ULL << (lo)))

#define SMMU_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/** The object of type @p type whose member @p member is at @p ptr. */
#define smmu_container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/** Read the field under @p mask (not 0) out of @p word. */
static inline uint64_t smmu_field_get(uint64_t mask, uint64_t word)
{
	return (word & mask) >> __builtin_ctzll(mask);
}

/** @p value placed under @p mask (not 0); bits that do not fit are cut off. */
static inline uint64_t smmu_field_prep(uint64_t mask, uint64_t value)
{
	return (value << __builtin_ctzll(mask)) & mask;
}

/** True if @p value fits the field under @p mask. */
static inline bool smmu_field_fits(uint64_t mask, uint64_t value)
{
	return value <= (mask >> __builtin_ctzll(mask));
}

static inline uint64_t smmu_min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t smmu_max64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/** @p value rounded up to a multiple of @p align, a power of two. */
static inline uint64_t smmu_align_up(uint64_t value, uint64_t align)
{
	return (value + align - 1) & ~(align - 1);
}

/** The smallest n with 2^n >= @p value; 0 for 0 and 1. */
static inline unsigned smmu_order_up(uint64_t value)
{
	return value <= 1 ? 0 : 64 - (unsigned)__builtin_clzll(value - 1);
}

SMMU_END_DECLS

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file iort_build.h
 * Builds IORTs byte by byte, right and wrong ones.
 */
#ifndef SMMU_IORT_BUILD_H
#define SMMU_IORT_BUILD_H

#include <smmuv3/types.h>

#include <assert.h>
#include <string.h>

struct iort_image {
	uint8_t bytes[0x8000];
	uint32_t size;
	uint32_t node; /* offset of the last node */
};

static inline void iort_put(struct iort_image *im, uint32_t at, uint64_t value, unsigned bytes)
{
	unsigned i;

	assert(at + bytes <= sizeof(im->bytes));
	for (i = 0; i < bytes; i++)
		im->bytes[at + i] = (uint8_t)(value >> (8 * i));
}

static inline uint32_t iort_get(const struct iort_image *im, uint32_t at, unsigned bytes)
{
	uint32_t value = 0;

	while (bytes--)
		value = value << 8 | im->bytes[at + bytes];
	return value;
}

/** Make the bytes sum to 0 over the length that the header states, as far as there are so many. */
static inline void iort_fix_checksum(uint8_t *bytes, size_t size)
{
	uint32_t length = bytes[4] | bytes[5] << 8 | bytes[6] << 16 | (uint32_t)bytes[7] << 24;
	uint8_t sum = 0;
	uint32_t i;

	bytes[9] = 0;
	for (i = 0; i < length && i < size; i++)
		sum = (uint8_t)(sum + bytes[i]);
	bytes[9] = (uint8_t)-sum;
}

static inline void iort_start(struct iort_image *im)
{
	memset(im, 0, sizeof(*im));
	memcpy(im->bytes, "IORT", 4);
	im->bytes[8] = 5;
	iort_put(im, 40, 48, 4);
	im->size = 48;
}

/** Set length, and checksum. */
static inline void iort_seal(struct iort_image *im)
{
	iort_put(im, 4, im->size, 4);
	iort_fix_checksum(im->bytes, im->size);
}

/** A node of @p fixed bytes, zero but for the header; returns its offset. Mappings may follow. */
static inline uint32_t iort_node(struct iort_image *im, unsigned type, unsigned revision,
				 uint32_t fixed)
{
	uint32_t at = im->node = im->size;

	im->size += fixed;
	assert(im->size <= sizeof(im->bytes));
	iort_put(im, at, type, 1);
	iort_put(im, at + 1, fixed, 2);
	iort_put(im, at + 3, revision, 1);
	iort_put(im, 36, iort_get(im, 36, 4) + 1, 4);
	return at;
}

/** Append a mapping of @p count ids to the last node; returns the mapping's offset. */
static inline uint32_t iort_map(struct iort_image *im, uint32_t input, uint64_t count,
				uint32_t output, uint32_t reference, uint32_t flags)
{
	uint32_t at = im->size, maps = iort_get(im, im->node + 8, 4);

	im->size += 20;
	assert(im->size <= sizeof(im->bytes));
	if (!maps)
		iort_put(im, im->node + 12, at - im->node, 4);
	iort_put(im, im->node + 8, maps + 1, 4);
	iort_put(im, im->node + 1, im->size - im->node, 2);
	iort_put(im, at, input, 4);
	iort_put(im, at + 4, count - 1, 4);
	iort_put(im, at + 8, output, 4);
	iort_put(im, at + 12, reference, 4);
	iort_put(im, at + 16, flags, 4);
	return at;
}

static inline uint32_t iort_its(struct iort_image *im)
{
	uint32_t at = iort_node(im, 0, 1, 24);

	iort_put(im, at + 16, 1, 4);
	return at;
}

static inline uint32_t iort_smmu(struct iort_image *im, uint64_t base, uint32_t flags)
{
	uint32_t at = iort_node(im, 4, 4, 68);

	iort_put(im, at + 16, base, 8);
	iort_put(im, at + 24, flags, 4);
	return at;
}

static inline uint32_t iort_rc(struct iort_image *im, uint32_t segment, uint32_t ats)
{
	uint32_t at = iort_node(im, 2, 3, 36);

	iort_put(im, at + 16, 1, 4);
	iort_put(im, at + 24, ats, 4);
	iort_put(im, at + 28, segment, 4);
	return at;
}

/** A named component; the name is padded to four bytes. */
static inline uint32_t iort_nc(struct iort_image *im, const char *name)
{
	uint32_t length = (uint32_t)strlen(name) + 1;
	uint32_t at = iort_node(im, 1, 2, (29 + length + 3) / 4 * 4);

	memcpy(im->bytes + at + 29, name, length);
	return at;
}

#endif

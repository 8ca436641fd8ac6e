/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file input.h
 * Files that people have: read whole, unpacked, and told apart by what is in them.
 */
#ifndef SMMU_TOPOLOGY_INPUT_H
#define SMMU_TOPOLOGY_INPUT_H

#include "build.h"

/** What a file is, by its first bytes. */
enum input_kind {
	INPUT_UNKNOWN,
	INPUT_IORT,
	INPUT_DTB,
	INPUT_ACPIDUMP, /**< text of acpidump with an IORT in it */
	INPUT_WRONG,    /**< something known that is neither; text says what it is and what to do */
};

/**
 * What the @p size bytes are. @p text, of @p textlen bytes, gets the words for INPUT_WRONG: "the source of a device tree:
 * compile it first (dtc …)".
 */
enum input_kind input_kind(const uint8_t *bytes, size_t size, char *text, size_t textlen);

/**
 * Read the file @p path ("-": standard input), unpacked if gzip has packed it, into memory that the caller frees. 0,
 * -SMMU_EIO, -SMMU_EINVAL (too long), -SMMU_ENOMEM; then @p b has the text.
 */
int input_read(const struct topology_build *b, const char *path, void **data, size_t *size);

/**
 * Take the IORT out of acpidump's text, into memory that the caller frees. 0, -SMMU_EINVAL, -SMMU_ENOMEM; then @p b has
 * the text.
 */
int input_acpidump(const struct topology_build *b, const uint8_t *text, size_t size, void **data,
		   size_t *length);

#endif

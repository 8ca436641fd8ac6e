/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file iort_test.h
 * What the tests of the IORT reader share: one table, and what is expected of reading it.
 */
#ifndef SMMU_IORT_TEST_H
#define SMMU_IORT_TEST_H

#include "topology_test.h"

#include "iort_build.h"

#define LOAD smmu_topology_from_iort

static struct iort_image im;

static inline void load(struct smmu_topology *t)
{
	char err[SMMU_TOPOLOGY_ERR];

	iort_seal(&im);
	if (parse_exact(LOAD, im.bytes, im.size, t, err))
		fail_msg("refused: %s", err);
}

static inline void refuse(const char *text)
{
	iort_seal(&im);
	check_refused(LOAD, im.bytes, im.size, text);
}

/* A warning with @p text; @p left_out items are gone, and @p smmus instances and @p streams ranges are left. */
static inline void warn(const char *text, size_t left_out, size_t smmus, size_t streams)
{
	iort_seal(&im);
	check_warned(LOAD, im.bytes, im.size, text, left_out, smmus, streams);
}

#endif

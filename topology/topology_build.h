/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file topology_build.h
 * What the loaders of a topology share: growing it piece by piece, and finishing it. Private to
 * cli/topology*.c.
 */
#ifndef SMMU_TOPOLOGY_TOPOLOGY_BUILD_H
#define SMMU_TOPOLOGY_TOPOLOGY_BUILD_H

#include "topology.h"

/** Write an error text and return @p code. */
int smmu_topology_fail(char *err, size_t errlen, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/**
 * Append an instance or a root, zeroed but for its index and for @p name, which is copied. Earlier
 * pointers into the same array become invalid.
 * @return NULL when memory or the limit is exhausted; the text is written then, and *code set.
 */
struct smmu_topology_smmu *smmu_topology_add_smmu(struct smmu_topology *t, const char *name,
						  int *code, char *err, size_t errlen);
struct smmu_topology_root *smmu_topology_add_root(struct smmu_topology *t,
						  enum smmu_topology_kind kind, const char *name,
						  int *code, char *err, size_t errlen);

/** Append a range to @p root, a root of @p t. Returns 0, -SMMU_ENOMEM or -SMMU_EINVAL (the limit).
 */
int smmu_topology_add_streams(struct smmu_topology *t, struct smmu_topology_root *root,
			      const struct smmu_topology_streams *range, char *err, size_t errlen);

/** Sort the ranges, refuse instances that share an address, and gather the streams of each
 * instance. */
int smmu_topology_finish(struct smmu_topology *t, char *err, size_t errlen);

#endif

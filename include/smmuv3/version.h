/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file version.h
 * The version of the library, for who embeds its sources and for who links it. Semantic: while
 * MAJOR is 0 any minor version may change an interface, and CHANGELOG.md says how; a patch version
 * never does.
 */
#ifndef SMMUV3_VERSION_H
#define SMMUV3_VERSION_H

#define SMMU_VERSION_MAJOR 0
#define SMMU_VERSION_MINOR 2
#define SMMU_VERSION_PATCH 0

/** One number that grows: `#if SMMU_VERSION >= SMMU_VERSION_AT(0, 2, 0)`. */
#define SMMU_VERSION_AT(major, minor, patch) ((major)*1000000 + (minor)*1000 + (patch))
#define SMMU_VERSION SMMU_VERSION_AT(SMMU_VERSION_MAJOR, SMMU_VERSION_MINOR, SMMU_VERSION_PATCH)

/** "0.2.0" */
#define SMMU_VERSION_TEXT_OF_(n) #n
#define SMMU_VERSION_TEXT_OF(n) SMMU_VERSION_TEXT_OF_(n)
#define SMMU_VERSION_TEXT                        \
	SMMU_VERSION_TEXT_OF(SMMU_VERSION_MAJOR) \
	"." SMMU_VERSION_TEXT_OF(SMMU_VERSION_MINOR) "." SMMU_VERSION_TEXT_OF(SMMU_VERSION_PATCH)

#endif

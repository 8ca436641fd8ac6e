/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file grants.h
 * What one address space lets its devices reach: ranges, each with an access, that may lie on each other. A unit is translated
 * as long as one grant has it, with the access of all that do. Each change of grants is told as the fewest changes of the
 * tables, in ascending order.
 */
#ifndef SMMU_UEFI_GRANTS_H
#define SMMU_UEFI_GRANTS_H

#include <stdbool.h>
#include <stdint.h>

struct uefi_grant {
	struct uefi_grant *next;
	uint64_t first, end; /**< whole units, first < end */
	uint32_t access;     /**< EDKII_IOMMU_READ, _WRITE; not 0 */
};

struct uefi_grants {
	struct uefi_grant *list;
};

/** Change the tables: [@p first, @p end) had access @p from everywhere and gets @p to; they differ. 0 or negative. */
typedef int uefi_change_fn(void *ctx, uint64_t first, uint64_t end, uint32_t from, uint32_t to);

/** Add @p g, which stays the caller's memory. An error of @p change is returned when all it did before was undone. */
int uefi_grant_add(struct uefi_grants *grants, struct uefi_grant *g, uefi_change_fn *change,
		   void *ctx);

/** Take @p g away, whatever @p change says; its first error is returned. */
int uefi_grant_remove(struct uefi_grants *grants, struct uefi_grant *g, uefi_change_fn *change,
		      void *ctx);

#endif

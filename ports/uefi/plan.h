/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file plan.h
 * What becomes of one Map(): the buffer itself is translated, or a copy of it. Arithmetic alone; no memory, no SMMU.
 *
 * Map() is told the operation and the buffer but not the device (that comes with SetAttribute()), and has to answer with the
 * address that the device will use. A device behind no SMMU uses the same protocol. So what a device is told is always
 * a physical address, of the buffer or of its copy, and tables translate one to one.
 */
#ifndef SMMU_UEFI_PLAN_H
#define SMMU_UEFI_PLAN_H

#include "efi.h"

struct uefi_limits {
	uint64_t granule; /**< the unit of translation: a power of two, 4096 or more */
	uint64_t reach;   /**< the first address that some SMMU cannot translate, or not put out */
	uint64_t
		copy_max; /**< buffers up to this are copied, since that is cheaper than to unmap */
};

struct uefi_request {
	uint32_t operation; /**< enum edkii_iommu_operation, or anything */
	uint64_t host;
	uint64_t bytes;
	bool ours;   /**< rounded out to whole units it lies within one block of AllocateBuffer() */
	bool shared; /**< a live mapping translates a unit of it */
};

struct uefi_plan {
	bool copy;
	uint64_t first,
		end; /**< what is translated, in whole units; of a copy: end - first is its size, first 0 */
	uint64_t offset; /**< of the device's address from first */
	uint64_t below;  /**< a copy has to end here or before */
	uint32_t access; /**< EDKII_IOMMU_READ, _WRITE: what the operation needs */
	bool common;
};

/**
 * - SUCCESS: *@p plan is filled.
 * - INVALID_PARAMETER: no such operation, no bytes, or a buffer that wraps.
 * - UNSUPPORTED: a common buffer that the device cannot reach, or that shares a unit with memory of others: it did not come
 *   from AllocateBuffer(). A common buffer cannot be copied.
 */
efi_status uefi_plan(const struct uefi_limits *limits, const struct uefi_request *request,
		     struct uefi_plan *plan);

/** The access that operation @p operation (below EDKII_IOMMU_OPERATIONS) needs. */
uint32_t uefi_operation_access(uint32_t operation);

/** @p bytes at @p host in whole units of @p granule. False: it wraps. */
bool uefi_round_out(uint64_t host, uint64_t bytes, uint64_t granule, uint64_t *first,
		    uint64_t *end);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a buffer is translated itself or copied, and where. */
#include "plan.h"

#define FOUR_GIB 0x100000000ull

bool uefi_round_out(uint64_t host, uint64_t bytes, uint64_t granule, uint64_t *first, uint64_t *end)
{
	uint64_t last = host + bytes - 1;

	/* The unit of the last byte must not be the last of all addresses, or its end is none. */
	if (!bytes || last < host || last > ~0ull - granule)
		return false;
	*first = host & ~(granule - 1);
	*end = (last | (granule - 1)) + 1;
	return true;
}

uint32_t uefi_operation_access(uint32_t operation)
{
	switch (operation) {
	case EDKII_IOMMU_MASTER_READ:
	case EDKII_IOMMU_MASTER_READ64:
		return EDKII_IOMMU_READ;
	case EDKII_IOMMU_MASTER_WRITE:
	case EDKII_IOMMU_MASTER_WRITE64:
		return EDKII_IOMMU_WRITE;
	}
	return EDKII_IOMMU_READ | EDKII_IOMMU_WRITE;
}

efi_status uefi_plan(const struct uefi_limits *limits, const struct uefi_request *r,
		     struct uefi_plan *plan)
{
	bool narrow = r->operation < EDKII_IOMMU_MASTER_READ64, ragged;
	uint64_t below = limits->reach, first, end;

	if (r->operation >= EDKII_IOMMU_OPERATIONS ||
	    !uefi_round_out(r->host, r->bytes, limits->granule, &first, &end))
		return SMMU_EFI_INVALID_PARAMETER;
	if (narrow && below > FOUR_GIB)
		below = FOUR_GIB;
	ragged = !r->ours && (first != r->host || end != r->host + r->bytes);
	*plan = (struct uefi_plan){
		.first = first,
		.end = end,
		.offset = r->host - first,
		.below = below,
		.access = uefi_operation_access(r->operation),
		.common = r->operation % EDKII_IOMMU_MASTER_READ64 == EDKII_IOMMU_COMMON_BUFFER,
	};
	if (plan->common)
		return ragged || end > below ? SMMU_EFI_UNSUPPORTED : SMMU_EFI_SUCCESS;
	if (!ragged && !r->shared && end <= below && r->bytes > limits->copy_max)
		return SMMU_EFI_SUCCESS;
	plan->copy = true;
	plan->first = 0;
	plan->end = (r->bytes + limits->granule - 1) & ~(limits->granule - 1);
	plan->offset = 0;
	return SMMU_EFI_SUCCESS;
}

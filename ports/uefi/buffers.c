/* SPDX-License-Identifier: BSD-2-Clause */
/* AllocateBuffer and FreeBuffer: whole units that hold nothing else, so that a device that reaches them reaches nothing else. */
#include "driver.h"

#define FOUR_GIB 0x100000000ull
#define ATTRIBUTES (EDKII_IOMMU_WRITE_COMBINE | EDKII_IOMMU_CACHED | EDKII_IOMMU_DUAL_ADDRESS)

bool uefi_pages(uint32_t type, uint64_t size, uint64_t below, uint64_t *at, uint64_t *taken,
		uint64_t *taken_pages)
{
	uint64_t slack = uefi.limits.granule - SMMU_EFI_PAGE;

	*taken = below - 1;
	*taken_pages = (size + slack) / SMMU_EFI_PAGE;
	if (efi_failed(uefi_system->boot->allocate_pages(SMMU_EFI_ALLOCATE_BELOW, type,
							 *taken_pages, taken)))
		return false;
	*at = smmu_align_up(*taken, uefi.limits.granule);
	return true;
}

bool uefi_buffer_has(uint64_t first, uint64_t end)
{
	for (const struct uefi_buffer *b = uefi.buffers; b; b = b->next)
		if (first >= b->first && end <= b->end)
			return true;
	return false;
}

static efi_status allocate(uint32_t memory, uintptr_t pages, void **host, uint64_t attributes)
{
	uint64_t below = uefi.limits.reach, size;
	struct uefi_buffer *b;

	if (attributes & ~(uint64_t)ATTRIBUTES)
		return SMMU_EFI_UNSUPPORTED;
	if (!host || !pages || (memory != SMMU_EFI_BOOT_DATA && memory != SMMU_EFI_RUNTIME_DATA))
		return SMMU_EFI_INVALID_PARAMETER;
	if (pages > below / SMMU_EFI_PAGE)
		return SMMU_EFI_OUT_OF_RESOURCES;
	if (!(attributes & EDKII_IOMMU_DUAL_ADDRESS) && below > FOUR_GIB)
		below = FOUR_GIB;
	b = uefi_alloc(sizeof(*b));
	if (!b)
		return SMMU_EFI_OUT_OF_RESOURCES;
	size = smmu_align_up(pages * SMMU_EFI_PAGE, uefi.limits.granule);
	if (!uefi_pages(memory, size, below, &b->first, &b->at, &b->at_pages)) {
		uefi_free(b);
		return SMMU_EFI_OUT_OF_RESOURCES;
	}
	b->end = b->first + size;
	b->host = b->first;
	b->pages = pages;
	/* A device is going to see it: nothing of a former owner's is in it. */
	__builtin_memset((void *)(uintptr_t)b->first, 0, size);
	b->next = uefi.buffers;
	uefi.buffers = b;
	*host = (void *)(uintptr_t)b->host;
	return SMMU_EFI_SUCCESS;
}

efi_status uefi_allocate_buffer(struct edkii_iommu *self, uint32_t type, uint32_t memory,
				uintptr_t pages, void **host, uint64_t attributes)
{
	uintptr_t tpl = uefi_enter();
	efi_status status =
		uefi_exited ? SMMU_EFI_UNSUPPORTED : allocate(memory, pages, host, attributes);

	(void)self;
	(void)type;
	uefi.stats.refused += efi_failed(status);
	uefi_leave(tpl);
	return status;
}

/* A device may still be let at it. */
static bool in_use(const struct uefi_buffer *b)
{
	for (const struct uefi_mapping *m = uefi.mappings; m; m = m->next)
		if (!m->shadow && m->plan.first < b->end && m->plan.end > b->first)
			return true;
	return false;
}

static efi_status release(uintptr_t pages, uint64_t host)
{
	struct uefi_buffer **at = &uefi.buffers, *b;

	while (*at && ((*at)->host != host || (*at)->pages != pages))
		at = &(*at)->next;
	b = *at;
	if (!b)
		return SMMU_EFI_INVALID_PARAMETER;
	if (in_use(b)) {
		uefi_say_value(SMMU_LOG_WARN, "FreeBuffer",
			       "still mapped, and so not freed:", host);
		return SMMU_EFI_INVALID_PARAMETER;
	}
	*at = b->next;
	uefi_system->boot->free_pages(b->at, b->at_pages);
	uefi_free(b);
	return SMMU_EFI_SUCCESS;
}

efi_status uefi_free_buffer(struct edkii_iommu *self, uintptr_t pages, void *host)
{
	uintptr_t tpl = uefi_enter();
	efi_status status = uefi_exited ? SMMU_EFI_UNSUPPORTED : release(pages, (uintptr_t)host);

	(void)self;
	uefi.stats.refused += efi_failed(status);
	uefi_leave(tpl);
	return status;
}

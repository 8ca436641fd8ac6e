/* SPDX-License-Identifier: BSD-2-Clause */
/* The contract of EDKII_IOMMU_PROTOCOL: what each call answers to what it cannot do. */
#include "boot_test.h"

static struct edkii_iommu *iommu;
static void *mapping;

static efi_status map(uint32_t operation, void *host, uintptr_t bytes)
{
	uint64_t device;

	mapping = NULL;
	return iommu->map(iommu, operation, host, &bytes, &device, &mapping);
}

static void test_map(uint8_t *page)
{
	uintptr_t bytes = 512;
	uint64_t device;
	void *token;

	expect("map: no such operation", map(EDKII_IOMMU_OPERATIONS, page, 512),
	       SMMU_EFI_INVALID_PARAMETER);
	expect("map: no bytes", map(EDKII_IOMMU_MASTER_READ, page, 0), SMMU_EFI_INVALID_PARAMETER);
	expect("map: no buffer", map(EDKII_IOMMU_MASTER_READ, NULL, 512),
	       SMMU_EFI_INVALID_PARAMETER);
	expect("map: wraps", map(EDKII_IOMMU_MASTER_READ, page, ~0ull), SMMU_EFI_INVALID_PARAMETER);
	expect("map: no place for the size",
	       iommu->map(iommu, EDKII_IOMMU_MASTER_READ, page, NULL, &device, &token),
	       SMMU_EFI_INVALID_PARAMETER);
	expect("map: no place for the address",
	       iommu->map(iommu, EDKII_IOMMU_MASTER_READ, page, &bytes, NULL, &token),
	       SMMU_EFI_INVALID_PARAMETER);
	expect("map: no place for the token",
	       iommu->map(iommu, EDKII_IOMMU_MASTER_READ, page, &bytes, &device, NULL),
	       SMMU_EFI_INVALID_PARAMETER);
	expect("map: a common buffer of half a page", map(EDKII_IOMMU_COMMON_BUFFER, page, 2048),
	       SMMU_EFI_UNSUPPORTED);
	expect("map: more memory than there is for a copy",
	       map(EDKII_IOMMU_MASTER_READ, page + 1, 0x40000000000ull), SMMU_EFI_OUT_OF_RESOURCES);
	expect("unmap: no token", iommu->unmap(iommu, page), SMMU_EFI_INVALID_PARAMETER);
	expect("unmap: NULL", iommu->unmap(iommu, NULL), SMMU_EFI_INVALID_PARAMETER);
	expect("map", map(EDKII_IOMMU_MASTER_READ, page, 512), SMMU_EFI_SUCCESS);
	expect("unmap, never used", iommu->unmap(iommu, mapping), SMMU_EFI_SUCCESS);
	expect("unmap twice", iommu->unmap(iommu, mapping), SMMU_EFI_INVALID_PARAMETER);
}

static void test_attribute(uint8_t *page)
{
	efi_handle device = rogue[0].handle;

	expect("map to read", map(EDKII_IOMMU_MASTER_READ, page, 512), SMMU_EFI_SUCCESS);
	expect("attribute: no token", iommu->set_attribute(iommu, device, page, 1),
	       SMMU_EFI_INVALID_PARAMETER);
	expect("attribute: no device", iommu->set_attribute(iommu, NULL, mapping, 1),
	       SMMU_EFI_INVALID_PARAMETER);
	expect("attribute: a handle that is no device",
	       iommu->set_attribute(iommu, st->out_handle, mapping, 1), SMMU_EFI_UNSUPPORTED);
	expect("attribute: no such access", iommu->set_attribute(iommu, device, mapping, 4),
	       SMMU_EFI_UNSUPPORTED);
	expect("attribute: write to what is to be read",
	       iommu->set_attribute(iommu, device, mapping, EDKII_IOMMU_WRITE),
	       SMMU_EFI_INVALID_PARAMETER);
	expect("attribute: read", iommu->set_attribute(iommu, device, mapping, EDKII_IOMMU_READ),
	       SMMU_EFI_SUCCESS);
	expect("attribute: again", iommu->set_attribute(iommu, device, mapping, EDKII_IOMMU_READ),
	       SMMU_EFI_SUCCESS);
	expect("attribute: another device as well",
	       iommu->set_attribute(iommu, rogue[1].handle, mapping, EDKII_IOMMU_READ),
	       SMMU_EFI_SUCCESS);
	expect("attribute: none", iommu->set_attribute(iommu, device, mapping, 0),
	       SMMU_EFI_SUCCESS);
	expect("attribute: none again", iommu->set_attribute(iommu, device, mapping, 0),
	       SMMU_EFI_SUCCESS);
	expect("unmap with a device let in", iommu->unmap(iommu, mapping), SMMU_EFI_SUCCESS);
}

static void test_buffers(void)
{
	uint8_t *buffer = NULL, *token;
	uint64_t first, second;
	uintptr_t bytes = 100;

	expect("allocate: a wrong attribute",
	       iommu->allocate_buffer(iommu, 0, SMMU_EFI_BOOT_DATA, 1, (void **)&buffer, 1),
	       SMMU_EFI_UNSUPPORTED);
	expect("allocate: a wrong type of memory",
	       iommu->allocate_buffer(iommu, 0, 7, 1, (void **)&buffer, 0),
	       SMMU_EFI_INVALID_PARAMETER);
	expect("allocate: no pages",
	       iommu->allocate_buffer(iommu, 0, SMMU_EFI_BOOT_DATA, 0, (void **)&buffer, 0),
	       SMMU_EFI_INVALID_PARAMETER);
	expect("allocate: nowhere to put it",
	       iommu->allocate_buffer(iommu, 0, SMMU_EFI_BOOT_DATA, 1, NULL, 0),
	       SMMU_EFI_INVALID_PARAMETER);
	expect("allocate: too much",
	       iommu->allocate_buffer(iommu, 0, SMMU_EFI_BOOT_DATA, ~0ull, (void **)&buffer, 0),
	       SMMU_EFI_OUT_OF_RESOURCES);
	expect("allocate",
	       iommu->allocate_buffer(iommu, 0, SMMU_EFI_BOOT_DATA, 3, (void **)&buffer,
				      EDKII_IOMMU_CACHED | EDKII_IOMMU_WRITE_COMBINE),
	       SMMU_EFI_SUCCESS);
	check("below 4 GiB, whole pages, zeroed",
	      (uintptr_t)buffer + 3 * SMMU_EFI_PAGE <= 0x100000000ull &&
		      (uintptr_t)buffer % SMMU_EFI_PAGE == 0 && buffer[0] == 0 &&
		      buffer[3 * SMMU_EFI_PAGE - 1] == 0);
	expect("map a piece of it as common buffer",
	       iommu->map(iommu, EDKII_IOMMU_COMMON_BUFFER, buffer + 40, &bytes, &first,
			  (void **)&token),
	       SMMU_EFI_SUCCESS);
	check("where it is", first == (uintptr_t)buffer + 40);
	expect("free it while it is mapped", iommu->free_buffer(iommu, 3, buffer),
	       SMMU_EFI_INVALID_PARAMETER);
	expect("let a device at it",
	       iommu->set_attribute(iommu, rogue[0].handle, token,
				    EDKII_IOMMU_READ | EDKII_IOMMU_WRITE),
	       SMMU_EFI_SUCCESS);
	check("it lands", strike(&rogue[0], first));
	expect("another piece of the same page",
	       map(EDKII_IOMMU_COMMON_BUFFER64, buffer + 2000, 100), SMMU_EFI_SUCCESS);
	expect("let the device at that as well",
	       iommu->set_attribute(iommu, rogue[0].handle, mapping,
				    EDKII_IOMMU_READ | EDKII_IOMMU_WRITE),
	       SMMU_EFI_SUCCESS);
	expect("unmap the first", iommu->unmap(iommu, token), SMMU_EFI_SUCCESS);
	second = (uintptr_t)buffer + 2000;
	check("the second still lands", strike(&rogue[0], second));
	expect("unmap the second", iommu->unmap(iommu, mapping), SMMU_EFI_SUCCESS);
	check("now it is blocked", !strike(&rogue[0], second));
	expect("free: another number of pages", iommu->free_buffer(iommu, 2, buffer),
	       SMMU_EFI_INVALID_PARAMETER);
	expect("free", iommu->free_buffer(iommu, 3, buffer), SMMU_EFI_SUCCESS);
	expect("free twice", iommu->free_buffer(iommu, 3, buffer), SMMU_EFI_INVALID_PARAMETER);
}

void test_protocol(void)
{
	static const struct efi_guid guid = SMMU_EFI_GUID_EDKII_IOMMU;
	void *found, *page = pages(1);

	if (!expect("the protocol is there", st->boot->locate_protocol(&guid, NULL, &found),
		    SMMU_EFI_SUCCESS))
		return;
	iommu = found;
	check("its revision", iommu->revision == EDKII_IOMMU_REVISION);
	test_map(page);
	test_attribute(page);
	test_buffers();
}

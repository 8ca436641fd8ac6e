/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's iommu-testdev (docs/specs/iommu-testdev.rst): it writes where it is told at once, and says whether it was let. No
 * driver of the firmware knows it, so nothing is ever mapped for it but by this test.
 */
#include "boot_test.h"

#define TESTDEV_ID 0x00051b36u
#define TRIGGER 0u
#define IOVA_LO 1u
#define IOVA_HI 2u
#define LEN 3u
#define RESULT 4u
#define DOORBELL 5u
#define BUS_LO 7u
#define BUS_HI 8u
#define REFUSED 0xdead0002u
#define DATA 0x12345678u
#define STRIKE_BYTES 64u

struct rogue rogue[ROGUES];

static bool is_testdev(struct efi_pci_io *io)
{
	uint32_t id = 0;

	io->pci_read(io, SMMU_EFI_PCI_32, 0, 1, &id);
	return id == TESTDEV_ID;
}

bool find_rogues(void)
{
	static const struct efi_guid guid = SMMU_EFI_GUID_PCI_IO;
	unsigned found = 0;
	void *interface;
	efi_handle handle;

	for (unsigned n = 0; found < ROGUES && (handle = nth(&guid, n, &interface)); n++) {
		struct efi_pci_io *io = interface;
		uint32_t bar[2] = {0, 0};

		if (!is_testdev(io))
			continue;
		io->attributes(io, SMMU_EFI_PCI_ATTRIBUTES_ENABLE,
			       SMMU_EFI_PCI_ATTRIBUTE_MEMORY | SMMU_EFI_PCI_ATTRIBUTE_MASTER, NULL);
		io->pci_read(io, SMMU_EFI_PCI_32, 0x10, 2, bar);
		rogue[found].handle = handle;
		rogue[found].io = io;
		rogue[found++].bar =
			(volatile uint32_t *)(uintptr_t)((bar[0] & ~0xfull) |
							 ((bar[0] & 6) == 4 ? (uint64_t)bar[1] << 32
									    : 0));
	}
	return found == ROGUES;
}

bool strike(const struct rogue *r, uint64_t at)
{
	volatile uint32_t *b = r->bar;

	b[IOVA_LO] = (uint32_t)at;
	b[IOVA_HI] = (uint32_t)(at >> 32);
	b[BUS_LO] = (uint32_t)at;
	b[BUS_HI] = (uint32_t)(at >> 32);
	b[LEN] = STRIKE_BYTES;
	b[RESULT] = ~0u;
	b[DOORBELL] = 1;
	(void)b[TRIGGER];
	return b[RESULT] != REFUSED;
}

static bool whole(const volatile uint32_t *page, uint32_t value)
{
	for (unsigned i = 0; i < STRIKE_BYTES / 4; i++)
		if (page[i] != value)
			return false;
	return true;
}

static void fill(volatile uint32_t *page, uint32_t value, unsigned n)
{
	while (n--)
		*page++ = value;
}

/* One rogue against memory that is mapped for it, for another one, and for nobody. */
static void test_one(unsigned i, bool shared)
{
	const struct rogue *r = &rogue[i], *other = &rogue[!i];
	uint32_t *page = pages(3);
	uintptr_t bytes = 3 * SMMU_EFI_PAGE;
	uint64_t before = events(), device;
	void *mapping;

	say("rogue ");
	say_number(i, 10);
	say("\n");
	fill(page, 0xaaaaaaaa, 3 * SMMU_EFI_PAGE / 4);
	check("nothing mapped: blocked", !strike(r, (uintptr_t)page));
	check("nothing mapped: memory is as it was", whole(page, 0xaaaaaaaa));
	check("nothing mapped: recorded", events() > before);

	/* A buffer large enough to be mapped itself is made of three pages here and more below. */
	page = pages(33);
	fill(page, 0xaaaaaaaa, 33 * SMMU_EFI_PAGE / 4);
	bytes = 32 * SMMU_EFI_PAGE;
	expect("map for it",
	       r->io->map(r->io, EDKII_IOMMU_MASTER_WRITE, page, &bytes, &device, &mapping),
	       SMMU_EFI_SUCCESS);
	check("the buffer itself", device == (uintptr_t)page && bytes == 32 * SMMU_EFI_PAGE);
	check("mapped: it lands", strike(r, device));
	check("mapped: the data are there", whole(page, DATA));
	before = events();
	check("the page behind: blocked", !strike(r, device + bytes));
	check("the page before: blocked", !strike(r, device - SMMU_EFI_PAGE));
	check("both recorded", events() >= before + 2);
	fill(page, 0xaaaaaaaa, 16);
	check(shared ? "one space for all: the other device lands" : "the other device: blocked",
	      strike(other, device) == shared);
	check("and memory agrees", whole(page, shared ? DATA : 0xaaaaaaaa));
	fill(page, 0xaaaaaaaa, 16);
	before = events();
	expect("unmap", r->io->unmap(r->io, mapping), SMMU_EFI_SUCCESS);
	check("unmapped: blocked", !strike(r, device));
	check("unmapped: blocked for the other device as well", !strike(other, device));
	check("unmapped: memory is as it was", whole(page, 0xaaaaaaaa));
	check("unmapped: recorded", events() > before);
}

/* A small buffer is copied, at an odd address, and what lies around it cannot be reached. */
static void test_copy(const struct rogue *r)
{
	uint8_t *page = pages(2);
	uintptr_t bytes = 200;
	uint64_t device;
	void *mapping;

	__builtin_memset(page, 0x55, 2 * SMMU_EFI_PAGE);
	expect("map 200 bytes at an odd address",
	       r->io->map(r->io, EDKII_IOMMU_MASTER_WRITE, page + 77, &bytes, &device, &mapping),
	       SMMU_EFI_SUCCESS);
	check("a copy of them", device != (uintptr_t)page + 77 && device < 0x100000000ull);
	check("the device reaches the copy", strike(r, device));
	check("and not what was copied", !strike(r, (uintptr_t)page));
	check("until unmap the buffer is as it was", page[77] == 0x55);
	expect("unmap", r->io->unmap(r->io, mapping), SMMU_EFI_SUCCESS);
	check("what it wrote is there", page[77] == 0x78 && page[78] == 0x56 && page[79] == 0x34);
	check("what it did not write is as it was",
	      page[77 + 64] == 0x55 && page[77 + 199] == 0x55);
	check("and around it", page[76] == 0x55 && page[77 + 200] == 0x55);
}

void test_rogues(bool shared)
{
	test_one(0, shared);
	test_one(1, shared);
	test_copy(&rogue[0]);
	test_copy(&rogue[1]);
	test_copy(&rogue[0]);
}

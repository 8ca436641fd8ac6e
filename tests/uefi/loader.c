/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of boot services: by this program itself, which then looks at what is left; and by Debian's kernel. */
#include "boot_test.h"

#include <smmuv3/hw/regs.h>

struct found {
	uint64_t base[4];
	unsigned n;
};

/* Everything that will be looked at later has to be known now. */
static void look(struct found *f)
{
	struct uefi_smmu_info s;

	for (f->n = 0; f->n < SMMU_ARRAY_SIZE(f->base) && info()->smmu(f->n, &s); f->n++)
		f->base[f->n] = s.base;
}

static uint32_t reg(uint64_t base, uint32_t offset)
{
	return *(volatile uint32_t *)(uintptr_t)(base + offset);
}

static bool leave(void)
{
	static uint8_t map[65536];

	/* The first try may change the memory map itself. */
	for (unsigned i = 0; i < 3; i++) {
		uintptr_t size = sizeof(map), key, each;
		uint32_t version;

		if (efi_failed(st->boot->get_memory_map(&size, map, &key, &each, &version)))
			return false;
		if (!efi_failed(st->boot->exit_boot_services(self, key))) {
			say_serial(true);
			return true;
		}
	}
	return false;
}

void test_end_of_boot(unsigned policy, uint64_t reserved)
{
	static const struct efi_guid vendor = SMMU_UEFI_GUID_VENDOR;
	volatile uint32_t *page = pages(1);
	struct uefi_handover *table = NULL;
	uintptr_t bytes = 32 * SMMU_EFI_PAGE;
	uint8_t *live = pages(32);
	struct found f;
	uint64_t device;
	void *mapping;
	bool passes = policy == UEFI_EXIT_BYPASS;

	look(&f);
	for (uintptr_t i = 0; i < st->n_entries; i++)
		if (!__builtin_memcmp(&st->entries[i].guid, &vendor, sizeof(vendor)))
			table = st->entries[i].table;
	check("a table for the next stage", (table != NULL) == (policy != UEFI_EXIT_ABORT));
	/* A mapping that is forgotten: its device goes on. */
	for (unsigned i = 0; i < ROGUES; i++)
		expect("map",
		       rogue[i].io->map(rogue[i].io, EDKII_IOMMU_MASTER_WRITE, live, &bytes,
					&device, &mapping),
		       SMMU_EFI_SUCCESS);
	if (reserved)
		check("reserved memory: it lands", strike(&rogue[0], reserved + 0x1000));
	page[0] = 0xaaaaaaaa;
	check("the end of boot services", leave());
	for (unsigned i = 0; i < ROGUES; i++) {
		bool reaches = reserved && i == 0;

		page[0] = 0xaaaaaaaa;
		check(passes && !reaches ? "memory that was never mapped: passes"
					 : "memory that was never mapped: blocked",
		      strike(&rogue[i], (uintptr_t)page) == (passes && !reaches));
		check("memory agrees", (page[0] == 0xaaaaaaaa) == !(passes && !reaches));
		check(passes && !reaches ? "what was mapped: passes" : "what was mapped: blocked",
		      strike(&rogue[i], device) == (passes && !reaches));
		if (reserved)
			check(reaches  ? "reserved memory: it lands still"
			      : passes ? "reserved memory: passes for others"
				       : "reserved memory: blocked for others",
			      strike(&rogue[i], reserved + 0x2000) == (reaches || passes));
	}
	for (unsigned i = 0; i < f.n; i++) {
		bool on = policy != UEFI_EXIT_ABORT || (reserved && i == 0);

		check(on ? "the SMMU is on" : "the SMMU is off, and aborts",
		      on ? reg(f.base[i], SMMU_CR0ACK) & SMMU_CR0_SMMUEN
			 : !(reg(f.base[i], SMMU_CR0ACK)) &&
				      reg(f.base[i], SMMU_GBPA) & SMMU_GBPA_ABORT);
		if (table)
			check("the table agrees",
			      table->smmu[i].enabled == on && table->smmu[i].base == f.base[i]);
	}
	if (table)
		check("the table counts", table->count == f.n && table->exit == policy);
}

void boot_kernel(const char *options, bool start)
{
	static const struct efi_guid guid = SMMU_EFI_GUID_LOADED_IMAGE;
	static efi_char wide[256];
	struct efi_loaded_image *loaded;
	efi_handle volume, image;
	uintptr_t size;
	void *kernel = read_file("vmlinuz", &size, &volume), *found;
	unsigned n;

	if (!check("the kernel is read", kernel != NULL) || !start)
		return;
	if (!expect("the kernel is an image",
		    st->boot->load_image(0, self, NULL, kernel, size, &image), SMMU_EFI_SUCCESS))
		return;
	st->boot->handle_protocol(image, &guid, &found);
	loaded = found;
	loaded->device = volume;
	for (n = 0; options[n] && n + 1 < SMMU_ARRAY_SIZE(wide); n++)
		wide[n] = (uint8_t)options[n];
	loaded->options = wide;
	loaded->options_size = 2 * (n + 1);
	st->boot->start_image(image, NULL, NULL);
	check("the kernel does not return", false);
}

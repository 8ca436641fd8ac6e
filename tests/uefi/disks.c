/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks under the firmware's own drivers. tests/uefi/run.py makes them: disk i has 32 + i MiB, and its first 4 MiB hold words
 * that say where they are. What is written here it looks at afterwards.
 */
#include "boot_test.h"

#define MIB 0x100000ull
#define DISKS 5u
#define PATTERN_END (4 * MIB)
#define WRITE_AT (8 * MIB)

static uint64_t word(unsigned disk, uint64_t offset, bool written)
{
	return (uint64_t)(disk + 1 + (written ? 0x80 : 0)) << 56 | offset;
}

static struct efi_block_io *find(unsigned disk)
{
	static const struct efi_guid guid = SMMU_EFI_GUID_BLOCK_IO;
	void *interface;

	for (unsigned n = 0; nth(&guid, n, &interface); n++) {
		struct efi_block_io *b = interface;

		if (!b->media->partition &&
		    (b->media->last_block + 1) * b->media->block_size == (32 + disk) * MIB)
			return b;
	}
	return NULL;
}

static bool same(const uint8_t *data, uint64_t n, unsigned disk, uint64_t offset, bool written)
{
	for (uint64_t i = 0; i < n; i += 8) {
		uint64_t w;

		__builtin_memcpy(&w, data + i, 8);
		if (w != word(disk, offset + i, written))
			return false;
	}
	return true;
}

static bool reads(struct efi_block_io *b, unsigned disk, uint8_t *to, uint64_t offset, uint64_t n,
		  bool written)
{
	__builtin_memset(to, 0xee, n + 16);
	return !efi_failed(b->read(b, b->media->id, offset / b->media->block_size, n, to)) &&
	       same(to, n, disk, offset, written) && to[n] == 0xee && to[n + 15] == 0xee;
}

static bool writes(struct efi_block_io *b, unsigned disk, uint8_t *from, uint64_t offset,
		   uint64_t n)
{
	for (uint64_t i = 0; i < n; i += 8) {
		uint64_t w = word(disk, offset + i, true);

		__builtin_memcpy(from + i, &w, 8);
	}
	return !efi_failed(b->write(b, b->media->id, offset / b->media->block_size, n, from));
}

static void test_disk(unsigned disk)
{
	struct efi_block_io *b = find(disk);
	uint8_t *buffer = pages(600);
	unsigned align;
	bool good = true;

	say("disk ");
	say_number(disk, 10);
	say("\n");
	if (!check("found", b != NULL))
		return;
	align = b->media->io_align > 1 ? b->media->io_align : 1;
	for (uint64_t i = 0; i < 64; i++)
		good &= reads(b, disk, buffer + i * align, i * 0x1200 / 512 * 512, 512, false);
	check("64 reads of 512 bytes", good);
	for (uint64_t i = 0; i < 32; i++)
		good &= reads(b, disk, buffer + (i % 4) * 1024, i * 0x5000, 4096, false);
	check("32 reads of 4 KiB", good);
	good &= reads(b, disk, buffer, 0, MIB, false);
	check("a read of 1 MiB", good);
	good &= reads(b, disk, buffer + 512, MIB, MIB, false);
	check("a read of 1 MiB into the middle of a page", good);
	for (uint64_t i = 0; i < 32; i++)
		good &= writes(b, disk, buffer + i * align, WRITE_AT + i * 512, 512);
	good &= writes(b, disk, buffer, WRITE_AT + 0x4000, MIB);
	good &= writes(b, disk, buffer + 512, WRITE_AT + 0x4000 + MIB, MIB / 2);
	b->flush(b);
	check("writes of 512 bytes, 1 MiB and 512 KiB", good);
	good &= reads(b, disk, buffer, WRITE_AT, 0x4000, true);
	good &= reads(b, disk, buffer, WRITE_AT + 0x4000, MIB, true);
	good &= reads(b, disk, buffer, WRITE_AT + 0x4000 + MIB, MIB / 2, true);
	check("what was written reads back", good);
	st->boot->free_pages((uintptr_t)buffer, 600);
}

void test_disks(void)
{
	for (unsigned i = 0; i < DISKS; i++)
		test_disk(i);
}

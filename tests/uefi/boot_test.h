/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file boot_test.h
 * The program that a test boot starts: what its files share. It stands in for an operating system's loader: it uses the
 * firmware's own drivers, and looks at the driver under test through protocols alone.
 */
#ifndef SMMU_UEFI_BOOT_TEST_H
#define SMMU_UEFI_BOOT_TEST_H

#include "efi.h"
#include "info.h"

#include <smmuv3/types.h>

struct efi_media {
	uint32_t id;
	uint8_t removable, present, partition, read_only, write_caching;
	uint32_t block_size, io_align;
	uint64_t last_block;
};

struct efi_block_io {
	uint64_t revision;
	struct efi_media *media;
	void *reset;
	efi_status (*read)(struct efi_block_io *self, uint32_t media, uint64_t block,
			   uintptr_t size, void *buffer);
	efi_status (*write)(struct efi_block_io *self, uint32_t media, uint64_t block,
			    uintptr_t size, void *buffer);
	efi_status (*flush)(struct efi_block_io *self);
};

struct efi_file {
	uint64_t revision;
	efi_status (*open)(struct efi_file *self, struct efi_file **file, const efi_char *name,
			   uint64_t mode, uint64_t attributes);
	efi_status (*close)(struct efi_file *self);
	void *remove;
	efi_status (*read)(struct efi_file *self, uintptr_t *size, void *buffer);
	void *write;
	efi_status (*get_position)(struct efi_file *self, uint64_t *position);
	efi_status (*set_position)(struct efi_file *self, uint64_t position);
};

struct efi_file_system {
	uint64_t revision;
	efi_status (*open_volume)(struct efi_file_system *self, struct efi_file **root);
};

#define SMMU_EFI_GUID_BLOCK_IO                                         \
	{                                                              \
		0x964e5b21, 0x6459, 0x11d2,                            \
		{                                                      \
			0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b \
		}                                                      \
	}
#define SMMU_EFI_GUID_FILE_SYSTEM                                      \
	{                                                              \
		0x964e5b22, 0x6459, 0x11d2,                            \
		{                                                      \
			0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b \
		}                                                      \
	}

extern struct efi_system_table *st;
extern efi_handle self;
extern unsigned failed;

/** @name Saying (say.c): to the console; after boot services to the serial port @{ */
void say(const char *text);
void say_number(uint64_t value, unsigned base);
/** "ok: WHAT" or "FAILED: WHAT". */
bool check(const char *what, bool good);
/** The same for a status; a wrong one is shown. */
bool expect(const char *what, efi_status got, efi_status wanted);
void say_serial(bool on);
/** @} */

/** @name Finding (find.c) @{ */
/** The @p n th handle with this protocol, and its interface; NULL. */
efi_handle nth(const struct efi_guid *guid, unsigned n, void **interface);
/** Whole pages. */
void *pages(uintptr_t n);
/** A file of the volume that has the tests, in memory of its own; NULL. *@p volume: where it was. */
void *read_file(const char *name, uintptr_t *size, efi_handle *volume);
/** Load and start an image from the volume, with options or NULL: what it returned, or why it was not started. */
efi_status start_file(const char *name, const char *options);
struct smmu_uefi_info *info(void);
uint64_t commands(void);
uint64_t events(void);
/** @} */

/** @name Rogues (rogue.c): devices that write where they are told, whatever is mapped @{ */
struct rogue {
	efi_handle handle;
	struct efi_pci_io *io;
	volatile uint32_t *bar;
};
#define ROGUES 2u
extern struct rogue rogue[ROGUES];
/** Find them: one behind each SMMU. */
bool find_rogues(void);
/** Let it write 64 bytes to @p at. True: they landed. */
bool strike(const struct rogue *r, uint64_t at);
/** @} */

/** @name What is tested @{ */
void test_disks(void);
void test_rogues(bool shared);
void test_protocol(void);
void test_tables(void);
void add_reserved_memory(uint64_t at);
void test_end_of_boot(unsigned policy, uint64_t reserved);
void boot_kernel(const char *options, bool start);
/** @} */

#endif

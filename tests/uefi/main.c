/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BOOTAA64.EFI of the test boots. The file "mode" on the same volume says what to do, one letter each:
 *
 *   t  all tests of the protocol, rogues and disks      d  the disks alone
 *   n  no SMMU here: tables, and the driver says no     0 1 2  the policy for the end of boot services
 *   s  one space for all                                r  reserved memory for the first rogue
 *   l  read the kernel                                  k  start it
 *   x  end boot services, and look at what is left      a  start smmuv3.efi
 */
#include "boot_test.h"

struct efi_system_table *st;
efi_handle self;
unsigned failed;

efi_status boot_test_main(efi_handle image, struct efi_system_table *system);

static const char *modes;

static bool mode(char c)
{
	for (const char *p = modes; *p; p++)
		if (*p == c)
			return true;
	return false;
}

static unsigned set_policy(void)
{
	static const efi_char name[] = {'S', 'm', 'm', 'u', 'V', '3', 'P',
					'o', 'l', 'i', 'c', 'y', 0};
	static const struct efi_guid vendor = SMMU_UEFI_GUID_VENDOR;
	uint8_t value[2] = {mode('1') ? 1 : mode('2') ? 2 : 0, 2 | (mode('s') ? 1 : 0)};

	/* For boot services, and not kept. */
	expect("the policy", st->runtime->set_variable(name, &vendor, 2, sizeof(value), value),
	       SMMU_EFI_SUCCESS);
	return value[0];
}

static void show_stats(const char *when)
{
	struct uefi_smmu_info s;
	struct uefi_stats stats;

	info()->stats(&stats);
	say("stats ");
	say(when);
	for (uint32_t i = 0; info()->smmu(i, &s); i++) {
		say(" commands");
		say_number(i, 10);
		say("=");
		say_number(s.commands, 10);
	}
	say(" maps=");
	say_number(stats.maps, 10);
	say(" direct=");
	say_number(stats.direct, 10);
	say(" copies=");
	say_number(stats.copies, 10);
	say(" kept=");
	say_number(stats.kept, 10);
	say(" moved=");
	say_number(stats.moved, 10);
	say(" withdrawals=");
	say_number(stats.withdrawals, 10);
	say(" memory=");
	say_number(stats.memory, 10);
	say(" used=");
	say_number(stats.memory_used, 10);
	say("\n");
}

static void connect_all(void)
{
	static const struct efi_guid guid = SMMU_EFI_GUID_PCI_ROOT_BRIDGE_IO;
	efi_handle bridge;
	void *interface;

	for (unsigned n = 0; (bridge = nth(&guid, n, &interface)); n++)
		st->boot->connect_controller(bridge, NULL, NULL, true);
}

static void without_smmu(void)
{
	connect_all();
	expect("a machine without SMMU", start_file("SmmuV3Dxe.efi", NULL), SMMU_EFI_UNSUPPORTED);
	test_tables();
	if (mode('d'))
		test_disks();
}

static void with_smmu(void)
{
	unsigned policy = set_policy();
	volatile uint32_t *page = pages(1);
	uint64_t reserved = 0;

	check("two rogues", find_rogues());
	page[0] = 0xaaaaaaaa;
	check("before the driver: the first lands",
	      strike(&rogue[0], (uintptr_t)page) && page[0] == 0x12345678);
	page[0] = 0xaaaaaaaa;
	check("before the driver: the second lands",
	      strike(&rogue[1], (uintptr_t)page) && page[0] == 0x12345678);
	if (mode('r')) {
		reserved = ((uintptr_t)pages(48) + 0xffff) & ~0xffffull;
		add_reserved_memory(reserved);
	}
	if (!expect("the driver starts", start_file("SmmuV3Dxe.efi", NULL), SMMU_EFI_SUCCESS) ||
	    !check("it tells", info() != NULL))
		return;
	expect("a second one does not", start_file("SmmuV3Dxe.efi", NULL),
	       SMMU_EFI_ALREADY_STARTED);
	/* The devices were connected anew. */
	check("two rogues again", find_rogues());
	for (unsigned i = 0; i < ROGUES; i++) {
		uint64_t before = events();

		page[0] = 0xaaaaaaaa;
		check("a device that nobody uses: blocked", !strike(&rogue[i], (uintptr_t)page));
		check("memory is as it was", page[0] == 0xaaaaaaaa);
		check("and recorded", events() > before);
	}
	if (mode('r')) {
		check("reserved memory: the first lands", strike(&rogue[0], reserved));
		/* One space for all means this too. */
		check(mode('s') ? "reserved memory: the second lands as well"
				: "reserved memory: the second is blocked",
		      strike(&rogue[1], reserved) == mode('s'));
		check("behind it the first is blocked", !strike(&rogue[0], reserved + 0x10000));
	}
	show_stats("started");
	if (mode('t'))
		test_protocol();
	if (mode('t'))
		test_rogues(mode('s'));
	if (mode('d'))
		test_disks();
	if (mode('d'))
		show_stats("disks");
	if (mode('a')) {
		/* What it prints is judged by run.py. */
		expect("smmuv3.efi", start_file("smmuv3.efi", NULL), SMMU_EFI_SUCCESS);
		expect("smmuv3.efi dump", start_file("smmuv3.efi", "smmuv3.efi dump"),
		       SMMU_EFI_SUCCESS);
		expect("smmuv3.efi decode cmd",
		       start_file("smmuv3.efi", "fs0:\\smmuv3.efi decode cmd 0x46 0"),
		       SMMU_EFI_SUCCESS);
		expect("smmuv3.efi log", start_file("smmuv3.efi", "log"), SMMU_EFI_SUCCESS);
		expect("smmuv3.efi, no such verb", start_file("smmuv3.efi", "fly"),
		       SMMU_EFI_INVALID_PARAMETER);
		expect("smmuv3.efi decode, no words", start_file("smmuv3.efi", "decode cmd x"),
		       SMMU_EFI_NOT_FOUND);
	}
	if (mode('x'))
		test_end_of_boot(policy, reserved);
	if (mode('l') || mode('k')) {
		boot_kernel("console=ttyAMA0 earlycon initrd=\\initrd panic=-1", false);
		show_stats("loaded");
	}
	if (mode('k') && !failed) {
		say("handing over\n");
		boot_kernel("console=ttyAMA0 initrd=\\initrd panic=-1", true);
	}
}

efi_status boot_test_main(efi_handle image, struct efi_system_table *system)
{
	static char none[] = "";
	uintptr_t size;

	st = system;
	self = image;
	st->boot->set_watchdog(0, 0, 0, NULL);
	say("uefi-test: begin\n");
	modes = read_file("mode", &size, NULL);
	if (!check("the mode is read", modes != NULL))
		modes = none;
	if (mode('n'))
		without_smmu();
	else
		with_smmu();
	say("uefi-test: ");
	say_number(failed, 10);
	say(" failed\n");
	st->runtime->reset(2, 0, 0, NULL);
	return SMMU_EFI_SUCCESS;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machines as their ACPI tables tell them: no IORT, no SMMU, an SMMUv2, an IORT that is wrong. Each is put in place of the
 * firmware's own list of tables, and the driver is started: it has to say no, and the machine to go on.
 */
#include "boot_test.h"

#define RSDP_BYTES 36u
#define XSDT 36u
#define MOST_TABLES 40u
#define IORT_AT 1024u
#define IORT_MAX 3072u

static const struct efi_guid acpi = SMMU_EFI_GUID_ACPI20;
static uint8_t *place; /* root pointer, list, IORT */

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v);
	put16(p + 2, v >> 16);
}

static void put64(uint8_t *p, uint64_t v)
{
	put32(p, (uint32_t)v);
	put32(p + 4, (uint32_t)(v >> 32));
}

static uint32_t get32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void sum(uint8_t *table, uint32_t n, uint32_t at)
{
	uint8_t s = 0;

	table[at] = 0;
	for (uint32_t i = 0; i < n; i++)
		s = (uint8_t)(s + table[i]);
	table[at] = (uint8_t)-s;
}

static void *firmware_root(void)
{
	for (uintptr_t i = 0; i < st->n_entries; i++)
		if (!__builtin_memcmp(&st->entries[i].guid, &acpi, sizeof(acpi)))
			return st->entries[i].table;
	return NULL;
}

/* A list of the firmware's tables, with the IORT at place + IORT_AT in place of theirs if there is one, or without any. */
static bool build(const uint8_t *root, bool with_iort)
{
	const uint8_t *old =
		(const uint8_t *)(uintptr_t)(get32(root + 24) | (uint64_t)get32(root + 28) << 32);
	uint32_t n = XSDT;

	if (!place)
		place = pages(1);
	if (!place)
		return false;
	__builtin_memcpy(place, root, RSDP_BYTES);
	put64(place + 24, (uintptr_t)place + RSDP_BYTES + 4);
	sum(place, 20, 8);
	sum(place, RSDP_BYTES, 32);
	place += RSDP_BYTES + 4;
	__builtin_memcpy(place, old, XSDT);
	for (uint32_t at = XSDT; at + 8 <= get32(old + 4) && n < XSDT + 8 * MOST_TABLES; at += 8) {
		uint64_t table = get32(old + at) | (uint64_t)get32(old + at + 4) << 32;

		if (__builtin_memcmp((const void *)(uintptr_t)table, "IORT", 4)) {
			put64(place + n, table);
			n += 8;
		}
	}
	place -= RSDP_BYTES + 4;
	if (with_iort) {
		put64(place + RSDP_BYTES + 4 + n, (uintptr_t)place + IORT_AT);
		n += 8;
	}
	put32(place + RSDP_BYTES + 4 + 4, n);
	sum(place + RSDP_BYTES + 4, n, 9);
	return !efi_failed(st->boot->install_configuration_table(&acpi, place));
}

/* An IORT with one SMMU node (type 3: v1 or v2, 4: v3) at @p base and a root complex whose ids lead to it. */
static uint32_t make(uint8_t type, uint64_t base)
{
	uint8_t *t = place + IORT_AT, *n = t + 48;
	uint32_t smmu = type == 4 ? 68 : 60;

	__builtin_memset(t, 0, IORT_MAX);
	__builtin_memcpy(t, "IORT", 4);
	t[8] = 5;
	put32(t + 36, 2);
	put32(t + 40, 48);
	n[0] = type;
	put16(n + 1, smmu);
	n[3] = type == 4;
	put64(n + 16, base);
	n += smmu;
	n[0] = 2;
	put16(n + 1, 56);
	n[3] = 1;
	put32(n + 8, 1);
	put32(n + 12, 36);
	put32(n + 36 + 4, 0xffff);
	put32(n + 36 + 12, 48);
	put32(t + 4, 48 + smmu + 56);
	sum(t, 48 + smmu + 56, 9);
	return 48 + smmu + 56;
}

static void starts(const char *what)
{
	expect(what, start_file("SmmuV3Dxe.efi", NULL), SMMU_EFI_UNSUPPORTED);
}

void test_tables(void)
{
	uint8_t *root = firmware_root();
	uint32_t n;

	if (!check("the firmware has ACPI tables", root != NULL) ||
	    !check("a list without an IORT", build(root, false)))
		return;
	starts("no IORT");
	build(root, true);
	__builtin_memset(place + IORT_AT, 0, IORT_MAX);
	starts("an IORT without a signature");
	make(3, 0x09050000);
	starts("an SMMUv2");
	make(4, 0);
	starts("an SMMUv3 at address 0");
	make(4, 0x40000000);
	starts("an SMMUv3 where memory is");
	make(4, (uintptr_t)place & ~0xffffull);
	starts("an SMMUv3 where the table itself is");
	make(4, 0x0c000123);
	starts("an SMMUv3 at an odd address");
	make(4, 0xffffffffffff0000ull);
	starts("an SMMUv3 at the end of all addresses");
	/* The registers of another device (the serial port): an SMMUv3 says so itself. */
	make(4, 0x09000000);
	starts("an SMMUv3 that is a serial port");
	n = make(4, 0x40000000);
	for (uint32_t cut = 0; cut < n; cut += 7) {
		make(4, 0x40000000);
		put32(place + IORT_AT + 4, cut);
		if (start_file("SmmuV3Dxe.efi", NULL) != SMMU_EFI_UNSUPPORTED)
			check("a table that is cut off", false);
	}
	check("tables that are cut off", true);
	for (uint32_t at = 4; at < n; at++) {
		make(4, 0x40000000);
		place[IORT_AT + at] ^= 0xff;
		/* The base of the SMMU may lead to anything then, so it stays in memory. */
		if (at >= 48 + 16 && at < 48 + 24)
			continue;
		if (start_file("SmmuV3Dxe.efi", NULL) != SMMU_EFI_UNSUPPORTED)
			check("a table with a wrong byte", false);
	}
	check("tables with a wrong byte", true);
	st->boot->install_configuration_table(&acpi, root);
}

/* Of the firmware's own IORT a copy with one node more: 64 KiB at @p at stay mapped for the stream of the first rogue. */
void add_reserved_memory(uint64_t at)
{
	uint8_t *root = firmware_root(), *t, *node;
	const uint8_t *old = NULL, *list;
	uintptr_t segment, bus, device, function;
	uint32_t n, smmu = 0, requester, nodes;

	if (!root)
		return;
	list = (const uint8_t *)(uintptr_t)(get32(root + 24) | (uint64_t)get32(root + 28) << 32);
	for (uint32_t i = XSDT; i + 8 <= get32(list + 4); i += 8) {
		const uint8_t *table =
			(const uint8_t *)(uintptr_t)(get32(list + i) | (uint64_t)get32(list + i + 4)
									       << 32);

		if (!__builtin_memcmp(table, "IORT", 4))
			old = table;
	}
	if (!check("the firmware's IORT", old && get32(old + 4) + 48 <= IORT_MAX))
		return;
	rogue[0].io->get_location(rogue[0].io, &segment, &bus, &device, &function);
	requester = (uint32_t)(bus << 8 | device << 3 | function);
	build(root, true);
	t = place + IORT_AT;
	n = get32(old + 4);
	__builtin_memcpy(t, old, n);
	/* The first SMMU of the table serves the first bus. */
	node = t + get32(t + 40);
	for (nodes = get32(t + 36); nodes && !smmu; nodes--) {
		if (node[0] == 4)
			smmu = (uint32_t)(node - t);
		node += node[1] | node[2] << 8;
	}
	node = t + n;
	__builtin_memset(node, 0, 68);
	node[0] = 6;
	put16(node + 1, 68);
	node[3] = 3;
	put32(node + 8, 1);
	put32(node + 12, 48);
	put32(node + 20, 1);
	put32(node + 24, 28);
	put64(node + 28, at);
	put64(node + 36, 0x10000);
	put32(node + 48, requester);
	put32(node + 48 + 8, requester);
	put32(node + 48 + 12, smmu);
	put32(t + 36, get32(t + 36) + 1);
	put32(t + 4, n + 68);
	sum(t, n + 68, 9);
	check("an IORT with reserved memory", smmu != 0);
}

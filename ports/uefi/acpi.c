/* SPDX-License-Identifier: BSD-2-Clause */
/* From the root pointer through the list of tables (XSDT) to one of them. */
#include "acpi.h"

#include <stdbool.h>
#include <stddef.h>

#define RSDP_REVISION 15u
#define RSDP_LENGTH 20u
#define RSDP_XSDT 24u
#define RSDP_BYTES 36u
#define HEADER_LENGTH 4u
#define HEADER_BYTES 36u
#define MOST_BYTES 0x100000u /* a list or root pointer that says it is larger is not one */

static uint32_t get32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static bool same(const uint8_t *p, const char *text, unsigned n)
{
	while (n--)
		if (p[n] != (uint8_t)text[n])
			return false;
	return true;
}

static bool sums_up(const uint8_t *p, uint32_t n)
{
	uint8_t sum = 0;

	while (n--)
		sum = (uint8_t)(sum + *p++);
	return !sum;
}

const void *uefi_acpi_find(const void *root, const char *signature, uint32_t *length)
{
	const uint8_t *rsdp = root, *xsdt;
	uint32_t n;

	if (!rsdp || !same(rsdp, "RSD PTR ", 8) || rsdp[RSDP_REVISION] < 2)
		return NULL;
	n = get32(rsdp + RSDP_LENGTH);
	if (n < RSDP_BYTES || n > MOST_BYTES || !sums_up(rsdp, n))
		return NULL;
	xsdt = (const uint8_t *)(uintptr_t)get64(rsdp + RSDP_XSDT);
	if (!xsdt || !same(xsdt, "XSDT", 4))
		return NULL;
	n = get32(xsdt + HEADER_LENGTH);
	if (n < HEADER_BYTES || n > MOST_BYTES || !sums_up(xsdt, n))
		return NULL;
	for (uint32_t at = HEADER_BYTES; at + 8 <= n; at += 8) {
		const uint8_t *table = (const uint8_t *)(uintptr_t)get64(xsdt + at);

		if (!table || !same(table, signature, 4))
			continue;
		*length = get32(table + HEADER_LENGTH);
		return *length >= HEADER_BYTES ? table : NULL;
	}
	return NULL;
}

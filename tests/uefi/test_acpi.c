/* SPDX-License-Identifier: BSD-2-Clause */
/* The way from ACPI's root pointer to a table, and every byte of it that could be wrong. Memory ends where tables end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "acpi.h"
#include "efi.h"

#define TABLES 3u
#define XSDT_BYTES (36u + 8u * TABLES)

struct tables {
	uint8_t *rsdp, *xsdt, *table[TABLES];
};

static void put(uint8_t *p, uint64_t v, unsigned bytes)
{
	while (bytes--) {
		*p++ = (uint8_t)v;
		v >>= 8;
	}
}

static void sum(uint8_t *p, uint32_t n, uint32_t at)
{
	uint8_t s = 0;

	p[at] = 0;
	for (uint32_t i = 0; i < n; i++)
		s = (uint8_t)(s + p[i]);
	p[at] = (uint8_t)-s;
}

static void build(struct tables *t)
{
	static const char *const names[TABLES] = {"APIC", "IORT", "MCFG"};

	t->rsdp = calloc(1, 36);
	t->xsdt = calloc(1, XSDT_BYTES);
	memcpy(t->rsdp, "RSD PTR ", 8);
	t->rsdp[15] = 2;
	put(t->rsdp + 20, 36, 4);
	put(t->rsdp + 24, (uintptr_t)t->xsdt, 8);
	sum(t->rsdp, 36, 32);
	memcpy(t->xsdt, "XSDT", 4);
	put(t->xsdt + 4, XSDT_BYTES, 4);
	for (unsigned i = 0; i < TABLES; i++) {
		t->table[i] = calloc(1, 48);
		memcpy(t->table[i], names[i], 4);
		put(t->table[i] + 4, 48, 4);
		put(t->xsdt + 36 + 8 * i, (uintptr_t)t->table[i], 8);
	}
	sum(t->xsdt, XSDT_BYTES, 9);
}

static void drop(struct tables *t)
{
	free(t->rsdp);
	free(t->xsdt);
	for (unsigned i = 0; i < TABLES; i++)
		free(t->table[i]);
}

static void test_found(void **state)
{
	struct tables t;
	uint32_t length = 0;
	(void)state;

	build(&t);
	assert_ptr_equal(uefi_acpi_find(t.rsdp, "IORT", &length), t.table[1]);
	assert_int_equal(length, 48);
	assert_ptr_equal(uefi_acpi_find(t.rsdp, "MCFG", &length), t.table[2]);
	assert_null(uefi_acpi_find(t.rsdp, "DSDT", &length));
	assert_null(uefi_acpi_find(NULL, "IORT", &length));
	/* An entry that is null is passed over; a table that is shorter than its header is none. */
	put(t.xsdt + 36, 0, 8);
	sum(t.xsdt, XSDT_BYTES, 9);
	assert_ptr_equal(uefi_acpi_find(t.rsdp, "IORT", &length), t.table[1]);
	put(t.table[1] + 4, 35, 4);
	assert_null(uefi_acpi_find(t.rsdp, "IORT", &length));
	put(t.rsdp + 24, 0, 8);
	sum(t.rsdp, 36, 32);
	assert_null(uefi_acpi_find(t.rsdp, "IORT", &length));
	drop(&t);
}

static void test_wrong_bytes(void **state)
{
	uint32_t length;
	(void)state;

	for (unsigned at = 0; at < 36 + XSDT_BYTES; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			struct tables t;
			uint8_t *p;

			/* Lengths are below: one that is too large leads out of the memory of this test. */
			if ((at >= 20 && at < 24) || (at >= 36 + 4 && at < 36 + 8))
				continue;
			build(&t);
			p = at < 36 ? &t.rsdp[at] : &t.xsdt[at - 36];
			*p ^= (uint8_t)(1u << bit);
			assert_null(uefi_acpi_find(t.rsdp, "IORT", &length));
			drop(&t);
		}
}

/* A list may be shorter than it was, and is read so far; but not shorter than its header. */
static void test_lengths(void **state)
{
	struct tables t;
	uint32_t length;
	(void)state;

	build(&t);
	for (uint32_t n = 0; n < 36; n++) {
		put(t.rsdp + 20, n, 4);
		sum(t.rsdp, n > 32 ? n : 33, 32);
		assert_null(uefi_acpi_find(t.rsdp, "IORT", &length));
	}
	put(t.rsdp + 20, 36, 4);
	t.rsdp[15] = 1;
	sum(t.rsdp, 36, 32);
	assert_null(uefi_acpi_find(t.rsdp, "IORT", &length));
	t.rsdp[15] = 2;
	sum(t.rsdp, 36, 32);
	for (uint32_t n = 0; n < XSDT_BYTES; n++) {
		put(t.xsdt + 4, n, 4);
		sum(t.xsdt, n > 9 ? n : 10, 9);
		/* The IORT is the second entry: found once the list is long enough to have it. */
		if (n < 36 + 16)
			assert_null(uefi_acpi_find(t.rsdp, "IORT", &length));
		else
			assert_ptr_equal(uefi_acpi_find(t.rsdp, "IORT", &length), t.table[1]);
	}
	drop(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_wrong_bytes),
		cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines for whoever reads the serial port. */
#include "boot_test.h"

/* The serial port of QEMU's machine "virt", for when boot services are over. */
#define SERIAL 0x09000000u

static bool serial;

void say_serial(bool on)
{
	serial = on;
}

static void put(char c)
{
	efi_char w[2] = {(uint8_t)c, 0};

	if (serial)
		*(volatile uint32_t *)(uintptr_t)SERIAL = (uint8_t)c;
	else
		st->out->output(st->out, w);
}

void say(const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			put('\r');
		put(*text);
	}
}

void say_number(uint64_t value, unsigned base)
{
	char digits[24];
	unsigned at = sizeof(digits) - 1;

	digits[at] = 0;
	do
		digits[--at] = "0123456789abcdef"[value % base];
	while (value /= base);
	if (base == 16)
		say("0x");
	say(digits + at);
}

bool check(const char *what, bool good)
{
	say(good ? "ok: " : "FAILED: ");
	say(what);
	say("\n");
	failed += !good;
	return good;
}

bool expect(const char *what, efi_status got, efi_status wanted)
{
	if (check(what, got == wanted))
		return true;
	say("  status ");
	say_number(got, 16);
	say(", expected ");
	say_number(wanted, 16);
	say("\n");
	return false;
}

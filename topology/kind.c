/* SPDX-License-Identifier: BSD-2-Clause */
/* What a file is that was given for a table: by its first bytes, or by what stands in its text. */
#include "input.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_BYTES 4096u /* so much of a text is looked at for what it is */

static const struct {
	const char *magic;
	uint8_t length;
	const char *what;
} binaries[] = {
	{"\xd7\xb7\xab\x1e", 4,
	 "a partition of device tree overlays: take it apart (mkdtboimg dump FILE -b PART) and "
	 "apply "
	 "them first (fdtoverlay)"},
	{"\xfd"
	 "7zXZ",
	 5, "packed by xz: unpack it first (xz -d FILE)"},
	{"\x28\xb5\x2f\xfd", 4, "packed by zstd: unpack it first (zstd -d FILE)"},
	{"BZh", 3, "packed by bzip2: unpack it first (bzip2 -d FILE)"},
	{"PK\x03\x04", 4, "packed by zip: unpack it first (unzip FILE)"},
	{"\x7f"
	 "ELF",
	 4, "a program"},
	{"RSD PTR ", 8, "the root pointer of ACPI: take /sys/firmware/acpi/tables/IORT"},
	{"\x17\x08\x44"
	 "tracing",
	 10, "a trace: use smmuv3 replay (after trace-cmd report FILE)"},
};

static const struct {
	const char *words, *what;
} texts[] = {
	{"/dts-v1/", "the source of a device tree: compile it first (dtc -I dts -O dtb -o FILE.dtb "
		     "FILE.dts) and use --dtb"},
	{"Signature : \"IORT\"",
	 "the source of an IORT: compile it first (iasl FILE.dsl makes FILE.aml) and use --iort"},
	{"DefinitionBlock", "the source of an ACPI table of code, not of an IORT"},
	{"Signature : \"", "the source of another ACPI table"},
};

static bool begins(const uint8_t *bytes, size_t size, const char *with, size_t length)
{
	return size >= length && !memcmp(bytes, with, length);
}

static bool is_text(const uint8_t *bytes, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (bytes[i] < 0x20 && !isspace(bytes[i]))
			return false;
	return size > 0;
}

/* @p words in the text; where they stand, or NULL. */
static const uint8_t *stands(const uint8_t *text, size_t size, const char *words)
{
	size_t length = strlen(words), i;

	for (i = 0; i + length <= size; i++)
		if (!memcmp(text + i, words, length))
			return text + i;
	return NULL;
}

/* The heading of a table in acpidump's text: "IORT @ 0x…" at the beginning of a line. */
static const uint8_t *find_heading(const uint8_t *text, size_t size, const char *heading)
{
	const uint8_t *at = text;

	for (;;) {
		at = stands(at, size - (size_t)(at - text), heading);
		if (!at || at == text || at[-1] == '\n')
			return at;
		at++;
	}
}

/* Any table of ACPI: four capitals or digits, a length that fits, an ASCII OEM. */
static bool is_acpi(const uint8_t *bytes, size_t size)
{
	size_t i;

	if (size < 36)
		return false;
	for (i = 0; i < 4; i++)
		if (!isupper(bytes[i]) && !isdigit(bytes[i]))
			return false;
	return (bytes[4] | bytes[5] << 8 | bytes[6] << 16) <= (long)size && !bytes[7];
}

enum input_kind input_kind(const uint8_t *bytes, size_t size, char *text, size_t textlen)
{
	size_t look = size < LOOK_BYTES ? size : LOOK_BYTES, i;

	if (begins(bytes, size, "IORT", 4) && !is_text(bytes, look))
		return INPUT_IORT;
	if (begins(bytes, size, "\xd0\x0d\xfe\xed", 4))
		return INPUT_DTB;
	for (i = 0; i < SMMU_ARRAY_SIZE(binaries); i++) {
		if (begins(bytes, size, binaries[i].magic, binaries[i].length)) {
			snprintf(text, textlen, "%s", binaries[i].what);
			return INPUT_WRONG;
		}
	}
	if (!is_text(bytes, look)) {
		if (!is_acpi(bytes, size))
			return INPUT_UNKNOWN;
		snprintf(text, textlen, "the ACPI table %.4s", (const char *)bytes);
		return INPUT_WRONG;
	}
	if (find_heading(bytes, size, "IORT @ 0x"))
		return INPUT_ACPIDUMP;
	for (i = 0; i < SMMU_ARRAY_SIZE(texts); i++) {
		if (stands(bytes, look, texts[i].words)) {
			snprintf(text, textlen, "%s", texts[i].what);
			return INPUT_WRONG;
		}
	}
	if (stands(bytes, look, " @ 0x")) {
		snprintf(text, textlen, "the text of acpidump without an IORT in it");
		return INPUT_WRONG;
	}
	return INPUT_UNKNOWN;
}

static int hex(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One line "  0010: 54 45 …": its bytes, up to 16, go to @p out. How many; -1: it is no such line. */
static int read_line(const uint8_t *p, const uint8_t *end, uint32_t expected, uint8_t out[16])
{
	uint32_t offset = 0;
	int n = 0;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (p == end || hex(*p) < 0)
		return -1;
	for (; p < end && hex(*p) >= 0; p++)
		offset = offset << 4 | (uint32_t)hex(*p);
	if (p == end || *p++ != ':' || offset != expected)
		return -1;
	while (n < 16 && end - p >= 3 && *p == ' ' && hex(p[1]) >= 0 && hex(p[2]) >= 0 &&
	       (end - p == 3 || isspace(p[3]))) {
		out[n++] = (uint8_t)(hex(p[1]) << 4 | hex(p[2]));
		p += 3;
	}
	return n ? n : -1;
}

int input_acpidump(const struct topology_build *b, const uint8_t *text, size_t size, void **data,
		   size_t *length)
{
	const uint8_t *p = find_heading(text, size, "IORT @ 0x"), *end = text + size;
	uint8_t *out =
		malloc(size + 16); /* three characters are one byte at most, and a line is 16 */
	size_t n = 0;
	int got;

	if (!out)
		return topology_no_memory(b);
	for (p = memchr(p, '\n', (size_t)(end - p)); p;) {
		const uint8_t *line = p + 1;

		p = memchr(line, '\n', (size_t)(end - line));
		got = read_line(line, p ? p : end, (uint32_t)n, out + n);
		if (got < 0)
			break;
		n += (size_t)got;
	}
	if (!n) {
		free(out);
		return topology_fail(
			b, -SMMU_EINVAL,
			"the text of acpidump has no bytes under \"IORT\"; expected lines "
			"such as \"0000: 49 4F 52 54\"");
	}
	*data = out;
	*length = n;
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader of traces, line by line: what it takes, what it leaves out, and what it says of what is no trace. */
#include "traces.h"

#include <stdio.h>
#include <string.h>

#include <zlib.h>

/* The whole cannot be used. */
static void refused(const char *text, const char *words)
{
	assert_int_equal(traces_open(text, false), -1);
	if (!strstr(traces_err, words))
		fail_msg("expected \"%s\" in: %s", words, traces_err);
}

/* One line is left out, with a reason; the others count. Strict, it is refused. */
static void left_out(const char *line, enum trace_left why, const char *words)
{
	char text[1024], warning[256];

	snprintf(text, sizeof(text),
		 MAP("1000", "2000", "3000", "4096") "%s" UNMAP("1000", "2000", "4096"), line);
	traces_check(text, "+0:1+1 -0:1+1");
	assert_int_equal(traces_t.survey.left[why], 1);
	assert_int_equal(trace_left_out(&traces_t), 1);
	assert_true(trace_warning(&traces_t, 0, warning, sizeof(warning)));
	if (!strstr(warning, words))
		fail_msg("expected \"%s\" in: %s", words, warning);
	assert_false(trace_warning(&traces_t, 1, warning, sizeof(warning)));
	trace_close(&traces_t);
	assert_int_equal(traces_open(text, true), -1);
	if (!strstr(traces_err, "line 2: ") || !strstr(traces_err, words))
		fail_msg("expected \"line 2: \" and \"%s\" in: %s", words, traces_err);
}

static void test_good(void **state)
{
	struct trace_call c;

	traces_check("# tracer: nop\n#\n\n" MAP("fff7a000", "fff7b000", "42841000", "4096")
			     UNMAP("fff7a000", "fff7b000", "4096"),
		     "+0:fff7a+1 -0:fff7a+1");
	assert_int_equal(traces_t.survey.lines, 5);
	assert_int_equal(traces_t.survey.events, 2);
	assert_int_equal(traces_t.survey.used, 2);
	assert_int_equal(trace_left_out(&traces_t), 0);
	assert_int_equal(trace_rewind(&traces_t, traces_err, sizeof(traces_err)), 0);
	assert_int_equal(trace_next(&traces_t, &c, traces_err, sizeof(traces_err)), 1);
	assert_int_equal(c.pa, 0x42841000);
	assert_int_equal(c.line, 4);
	trace_close(&traces_t);
}

/* The same two events, as each tool and kernel prints them. */
static void test_formats(void **state)
{
	static const char *const texts[] = {
		/* Linux 4.4 to 5.13: no end of the range */
		"          dd-1234  [000] ....   100.000001: map: IOMMU: iova=0x0000000000001000 "
		"paddr=0x0000000080001000 size=4096\n"
		"          dd-1234  [000] ....   100.000002: unmap: IOMMU: iova=0x0000000000001000 "
		"size=4096 "
		"unmapped_size=4096\n",
		/* with the thread's group, and with Windows' ends of lines */
		"          dd-1234    (   1234) [000] d..1.   100.000001: map: IOMMU: iova=0x1000 "
		"- 0x2000 "
		"paddr=0x80001000 size=4096\r\n"
		"          dd-1234    (   1234) [000] d..1.   100.000002: unmap: IOMMU: "
		"iova=0x1000 - 0x2000 "
		"size=4096 unmapped_size=4096\r\n",
		/* trace-cmd report */
		"cpus=8\n"
		"              dd-1234  [000]   100.000001: map:                  IOMMU: "
		"iova=0x1000 - 0x2000 "
		"paddr=0x80001000 size=4096\n"
		"              dd-1234  [000]   100.000002: unmap:                IOMMU: "
		"iova=0x1000 - 0x2000 "
		"size=4096 unmapped_size=4096\n",
		/* the same of several machines, and with the group of the event */
		"version = 7\ncpus=8\n"
		"   host:       dd-1234  [000] ..... 100.000001: iommu/map:       IOMMU: "
		"iova=0x1000 - 0x2000 "
		"paddr=0x80001000 size=4096\n"
		"   host:       dd-1234  [000] ..... 100.000002: iommu:unmap:     IOMMU: "
		"iova=0x1000 - 0x2000 "
		"size=4096 unmapped_size=4096\n",
		/* perf script, with what it was called from */
		"dd  1234 [000]   100.000001:   iommu:map: IOMMU: iova=0x0000000000001000 - "
		"0x0000000000002000 "
		"paddr=0x0000000080001000 size=4096\n"
		"\tffffffc0105d3c28 iommu_map+0x120 ([kernel.kallsyms])\n"
		"\n"
		"dd  1234 [000]   100.000002: iommu:unmap: IOMMU: iova=0x0000000000001000 - "
		"0x0000000000002000 "
		"size=4096 unmapped_size=4096\n",
		/* no head at all; a size in hexadecimal */
		"map: IOMMU: iova=0x1000 - 0x2000 paddr=0x80001000 size=0x1000\n"
		"unmap: IOMMU: iova=0x1000 - 0x2000 size=0x1000 unmapped_size=0x1000",
		/* with a device and a domain between */
		HEAD "map: IOMMU: dev=0000:01:00.0, domain=00000000aa iova=0x1000 paddr=0x80001000 "
		     "size=4096\n" HEAD
		     "unmap: IOMMU: domain=00000000aa iova=0x1000 size=4096 unmapped_size=4096\n",
	};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		traces_check(texts[i], "+0:1+1 -0:1+1");
		assert_int_equal(traces_t.survey.events, 2);
		assert_int_equal(traces_t.survey.other, 0);
		trace_close(&traces_t);
	}
}

static void test_other_events(void **state)
{
	traces_check(HEAD "attach_device_to_domain: IOMMU: device=0000:c2:00.0\n" MAP(
			     "1000", "2000", "3000", "4096") HEAD
		     "dma_alloc: 0000:c2:00.0 dma_addr=fe980000 size=524288 attrs=\n" HEAD
		     "io_page_fault: IOMMU:mydrv 0000:c2:00.0 iova=0x1000 flags=0x0001\n" HEAD
		     "remap: something else\n" HEAD "sys_enter(nr: 3)\n"
		     "CPU 3 is empty\n" UNMAP("1000", "2000", "4096"),
		     "+0:1+1 -0:1+1");
	assert_int_equal(traces_t.survey.other, 5);
	assert_int_equal(trace_left_out(&traces_t), 0);
	trace_close(&traces_t);
}

static void test_bad_lines(void **state)
{
	left_out(HEAD "map: IOMMU: iova=12\n", TRACE_LEFT_BAD, "no size=");
	left_out(HEAD "map: IOMMU: iova=0x1000 - 0x2000 size=4096\n", TRACE_LEFT_BAD, "no paddr=");
	left_out(HEAD "unmap: IOMMU: size=4096 unmapped_size=4096\n", TRACE_LEFT_BAD, "no iova=");
	left_out(MAP("5000", "6000", "3000", "4096x"), TRACE_LEFT_BAD, "no number");
	left_out(MAP("-5000", "6000", "3000", "4096"), TRACE_LEFT_BAD, "no number");
	left_out(MAP("5000", "5000", "3000", "0"), TRACE_LEFT_BAD, "multiple of 4096");
	left_out(MAP("5000", "5800", "3000", "2048"), TRACE_LEFT_BAD, "multiple of 4096");
	left_out(MAP("5800", "6800", "3000", "4096"), TRACE_LEFT_BAD, "iova=0x5800");
	left_out(MAP("5000", "6000", "3800", "4096"), TRACE_LEFT_BAD, "paddr=0x3800");
	left_out(MAP("5000", "9000", "3000", "4096"), TRACE_LEFT_BAD, "ends at 0x9000");
	left_out(MAP("fffffffffffff000", "10000000000000000", "3000", "4096"), TRACE_LEFT_BAD,
		 "no number");
	left_out(MAP("ffffffffff000", "10000000000000", "3000", "4096"), TRACE_LEFT_BAD,
		 "below 2^48");
	left_out(MAP("5000", "6000", "fffffffffffff000", "4096"), TRACE_LEFT_BAD, "below 2^52");
	left_out(MAP("5000", "6000", "3000", "99999999999999999999"), TRACE_LEFT_BAD, "no number");
	left_out(HEAD "unmap: IOMMU: iova=0x1000 size=4096 unmapped_size=100\n", TRACE_LEFT_BAD,
		 "unmapped_size=100");
	left_out(UNMAP("7000", "8000", "4096"), TRACE_LEFT_UNMAPPED, "what no line before maps");
	left_out(HEAD "unmap: IOMMU: iova=0x1000 size=4096 unmapped_size=0\n", TRACE_LEFT_NOTHING,
		 "unmapped nothing");
	left_out(MAP("8000000000", "c000000000", "0", "274877906944"), TRACE_LEFT_LARGE,
		 "more than fits");
}

/* 52 bits of physical address, 48 of input address. */
static void test_wide(void **state)
{
	traces_calls(MAP("fffffffff000", "1000000000000", "ffffffffff000", "4096")
			     UNMAP("fffffffff000", "1000000000000", "4096"),
		     "+0:fffffffff+1 -0:fffffffff+1");
}

static void test_refused(void **state)
{
	static const char *const binaries[][2] = {
		{"\x17\x08\x44tracing6", "trace-cmd report"},
		{"PERFILE2....", "perf script"},
		{"\xfd"
		 "7zXZ",
		 "xz -d"},
		{"IORT\x01", "--iort"},
		{"\xd0\x0d\xfe\xed", "--dtb"},
	};
	size_t i;

	refused("", "expected at least one event");
	refused("nonsense\n", "expected at least one event");
	refused(HEAD "sched_switch: x\n", "events/iommu/map");
	refused(HEAD "map: IOMMU: iova=12\n", "line 1: no size=");
	refused(UNMAP("1000", "2000", "4096"), "what no line before maps");
	for (i = 0; i < sizeof(binaries) / sizeof(binaries[0]); i++)
		refused(binaries[i][0], binaries[i][1]);
	traces_write("\0\1\2", 3);
	assert_int_equal(trace_open(&traces_t, traces_path, false, traces_err, sizeof(traces_err)),
			 -1);
	assert_non_null(strstr(traces_err, "no text"));
	assert_int_equal(
		trace_open(&traces_t, "/no/such/trace", false, traces_err, sizeof(traces_err)), -1);
	assert_non_null(strstr(traces_err, "/no/such/trace: "));
	assert_int_equal(trace_open(&traces_t, "/", false, traces_err, sizeof(traces_err)), -1);
}

static void test_long_line(void **state)
{
	static char text[20000];

	memset(text, 'x', 12000);
	strcpy(text + 12000, "\n" MAP("1000", "2000", "3000", "4096"));
	traces_check(text, "+0:1+1");
	assert_int_equal(traces_t.survey.long_lines, 1);
	trace_close(&traces_t);
}

/* Every prefix of a compressed trace is refused, or what it has of it is used. */
static void test_cut_gzip(void **state)
{
	static const char text[] =
		MAP("1000", "2000", "3000", "4096") UNMAP("1000", "2000", "4096");
	unsigned char packed[512];
	char warning[256];
	size_t size, cut, used = 0;
	FILE *f;
	gzFile gz = gzopen(traces_path, "wb");

	assert_non_null(gz);
	assert_int_equal(gzwrite(gz, text, sizeof(text) - 1), sizeof(text) - 1);
	gzclose(gz);
	f = fopen(traces_path, "rb");
	size = fread(packed, 1, sizeof(packed), f);
	fclose(f);
	assert_int_equal(trace_open(&traces_t, traces_path, false, traces_err, sizeof(traces_err)),
			 0);
	assert_int_equal(traces_t.survey.used, 2);
	assert_int_equal(trace_left_out(&traces_t), 0);
	trace_close(&traces_t);
	for (cut = 0; cut < size; cut++) {
		traces_write(packed, cut);
		assert_int_equal(
			trace_open(&traces_t, traces_path, true, traces_err, sizeof(traces_err)),
			-1);
		if (trace_open(&traces_t, traces_path, false, traces_err, sizeof(traces_err)))
			continue;
		used++;
		assert_true(traces_t.survey.cut);
		assert_true(trace_left_out(&traces_t) > 0);
		assert_true(trace_warning(&traces_t, 0, warning, sizeof(warning)));
		trace_close(&traces_t);
	}
	assert_true(used > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),         cmocka_unit_test(test_formats),
		cmocka_unit_test(test_other_events), cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_wide),         cmocka_unit_test(test_refused),
		cmocka_unit_test(test_long_line),    cmocka_unit_test(test_cut_gzip),
	};

	return cmocka_run_group_tests(tests, traces_setup, traces_teardown);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader of traces: the calls that it makes of lines, what it leaves out, and what it says of what is no trace. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "trace.h"

#define HEAD "  dd-1 [001] .....  5.4: "
#define MAP(iova, end, pa, size) \
	HEAD "map: IOMMU: iova=0x" iova " - 0x" end " paddr=0x" pa " size=" size "\n"
#define UNMAP(iova, end, size) \
	HEAD "unmap: IOMMU: iova=0x" iova " - 0x" end " size=" size " unmapped_size=" size "\n"

static char path[] = "/tmp/smmuv3-trace-XXXXXX";
static char err[512];
static struct trace t;

static void write_file(const void *data, size_t size)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	fclose(f);
}

static int open_text(const char *text, bool strict)
{
	write_file(text, strlen(text));
	err[0] = '\0';
	return trace_open(&t, path, strict, err, sizeof(err));
}

/*
 * What a trace leads to, a call each: "+" or "-", the domain, and the range by the page. Twice, as it is read more than
 * once. Leaves the trace open.
 */
static void check_calls(const char *text, const char *expected)
{
	char got[2048];
	struct trace_call c;
	unsigned round;
	size_t n;
	int rc;

	if (open_text(text, false))
		fail_msg("refused: %s", err);
	for (round = 0; round < 2; round++) {
		assert_int_equal(trace_rewind(&t, err, sizeof(err)), 0);
		for (n = 0, got[0] = '\0'; (rc = trace_next(&t, &c, err, sizeof(err))) > 0;)
			n += (size_t)snprintf(got + n, sizeof(got) - n,
					      "%s%c%u:%" PRIx64 "+%" PRIx64, n ? " " : "",
					      c.map ? '+' : '-', c.domain, c.iova >> 12,
					      c.size >> 12);
		assert_int_equal(rc, 0);
		assert_string_equal(got, expected);
	}
	assert_memory_equal(&t.counts, &t.survey, sizeof(t.counts));
}

static void calls(const char *text, const char *expected)
{
	check_calls(text, expected);
	trace_close(&t);
}

/* The whole cannot be used. */
static void refused(const char *text, const char *words)
{
	assert_int_equal(open_text(text, false), -1);
	if (!strstr(err, words))
		fail_msg("expected \"%s\" in: %s", words, err);
}

/* One line is left out, with a reason; the others count. Strict, it is refused. */
static void left_out(const char *line, enum trace_left why, const char *words)
{
	char text[1024], warning[256];

	snprintf(text, sizeof(text),
		 MAP("1000", "2000", "3000", "4096") "%s" UNMAP("1000", "2000", "4096"), line);
	check_calls(text, "+0:1+1 -0:1+1");
	assert_int_equal(t.survey.left[why], 1);
	assert_int_equal(trace_left_out(&t), 1);
	assert_true(trace_warning(&t, 0, warning, sizeof(warning)));
	if (!strstr(warning, words))
		fail_msg("expected \"%s\" in: %s", words, warning);
	assert_false(trace_warning(&t, 1, warning, sizeof(warning)));
	trace_close(&t);
	assert_int_equal(open_text(text, true), -1);
	if (!strstr(err, "line 2: ") || !strstr(err, words))
		fail_msg("expected \"line 2: \" and \"%s\" in: %s", words, err);
}

static void test_good(void **state)
{
	struct trace_call c;

	check_calls("# tracer: nop\n#\n\n" MAP("fff7a000", "fff7b000", "42841000", "4096")
			    UNMAP("fff7a000", "fff7b000", "4096"),
		    "+0:fff7a+1 -0:fff7a+1");
	assert_int_equal(t.survey.lines, 5);
	assert_int_equal(t.survey.events, 2);
	assert_int_equal(t.survey.used, 2);
	assert_int_equal(trace_left_out(&t), 0);
	assert_int_equal(trace_rewind(&t, err, sizeof(err)), 0);
	assert_int_equal(trace_next(&t, &c, err, sizeof(err)), 1);
	assert_int_equal(c.pa, 0x42841000);
	assert_int_equal(c.line, 4);
	trace_close(&t);
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
		check_calls(texts[i], "+0:1+1 -0:1+1");
		assert_int_equal(t.survey.events, 2);
		assert_int_equal(t.survey.other, 0);
		trace_close(&t);
	}
}

static void test_other_events(void **state)
{
	check_calls(HEAD "attach_device_to_domain: IOMMU: device=0000:c2:00.0\n" MAP(
			    "1000", "2000", "3000", "4096") HEAD
		    "dma_alloc: 0000:c2:00.0 dma_addr=fe980000 size=524288 attrs=\n" HEAD
		    "io_page_fault: IOMMU:mydrv 0000:c2:00.0 iova=0x1000 flags=0x0001\n" HEAD
		    "remap: something else\n" HEAD "sys_enter(nr: 3)\n"
		    "CPU 3 is empty\n" UNMAP("1000", "2000", "4096"),
		    "+0:1+1 -0:1+1");
	assert_int_equal(t.survey.other, 5);
	assert_int_equal(trace_left_out(&t), 0);
	trace_close(&t);
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
	calls(MAP("fffffffff000", "1000000000000", "ffffffffff000", "4096")
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
	write_file("\0\1\2", 3);
	assert_int_equal(trace_open(&t, path, false, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "no text"));
	assert_int_equal(trace_open(&t, "/no/such/trace", false, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "/no/such/trace: "));
	assert_int_equal(trace_open(&t, "/", false, err, sizeof(err)), -1);
}

static void test_long_line(void **state)
{
	static char text[20000];

	memset(text, 'x', 12000);
	strcpy(text + 12000, "\n" MAP("1000", "2000", "3000", "4096"));
	check_calls(text, "+0:1+1");
	assert_int_equal(t.survey.long_lines, 1);
	trace_close(&t);
}

#define OTHER "  eth0-2 [001] .....  5.4: "
#define OTHER_MAP(iova, pa, size) OTHER "map: IOMMU: iova=0x" iova " paddr=0x" pa " size=" size "\n"
#define OTHER_UNMAP(iova, size) \
	OTHER "unmap: IOMMU: iova=0x" iova " size=" size " unmapped_size=" size "\n"

static void test_domains(void **state)
{
	/* A collision opens another domain, and its task stays with it. */
	calls(MAP("1000", "2000", "3000", "4096") OTHER_MAP("1000", "9000", "4096")
		      OTHER_MAP("5000", "9000", "4096") MAP("6000", "7000", "9000", "4096")
			      OTHER_UNMAP("1000", "4096") UNMAP("1000", "2000", "4096"),
	      "+0:1+1 +1:1+1 +1:5+1 +0:6+1 -1:1+1 -0:1+1");
	/* An unmap goes where it fits, whoever does it: by size, … */
	calls(MAP("1000", "2000", "3000", "4096") OTHER_MAP(
		      "1000", "9000", "8192") "  irq-9 [0] . 1.0: unmap: IOMMU: iova=0x1000 "
					      "size=8192 unmapped_size=8192\n"
					      "  irq-9 [0] . 1.0: unmap: IOMMU: iova=0x1000 "
					      "size=4096 unmapped_size=4096\n",
	      "+0:1+1 +1:1+2 -1:1+2 -0:1+1");
	/* … or by who made the map. */
	calls(MAP("1000", "2000", "3000", "4096") OTHER_MAP("1000", "9000", "4096")
		      UNMAP("1000", "2000", "4096") OTHER_UNMAP("1000", "4096"),
	      "+0:1+1 +1:1+1 -0:1+1 -1:1+1");
	/* Devices that a line names have domains of their own from the start. */
	calls(HEAD "map: IOMMU: dev=a iova=0x1000 paddr=0x3000 size=4096\n" HEAD
		   "map: IOMMU: dev=b iova=0x5000 paddr=0x3000 size=4096\n" HEAD
		   "unmap: IOMMU: dev=a iova=0x1000 size=4096 unmapped_size=4096\n" HEAD
		   "unmap: IOMMU: dev=b iova=0x5000 size=4096 unmapped_size=4096\n",
	      "+0:1+1 +1:5+1 -0:1+1 -1:5+1");
}

/* One domain too many: the 65th map of one address by as many devices. */
static void test_too_many_domains(void **state)
{
	static char text[16384];
	size_t n = 0;
	unsigned i;

	for (i = 0; i < 66; i++)
		n += (size_t)snprintf(
			text + n, sizeof(text) - n,
			HEAD "map: IOMMU: dev=%u iova=0x1000 paddr=0x3000 size=4096\n", i);
	assert_int_equal(open_text(text, false), 0);
	assert_int_equal(t.domains, TRACE_MAX_DOMAINS);
	assert_int_equal(t.survey.used, 64);
	assert_int_equal(t.survey.left[TRACE_LEFT_DOMAINS], 2);
	trace_close(&t);
}

static void test_parts(void **state)
{
	/* As much is unmapped as is mapped. */
	calls(MAP("0", "200000", "40000000", "2097152") HEAD
	      "unmap: IOMMU: iova=0x0 - 0x400000 size=4194304 unmapped_size=2097152\n",
	      "+0:0+200 -0:0+200");
	/* A hole that the trace does not know of: each part, counted once. */
	check_calls(MAP("1000", "2000", "3000", "4096") MAP("3000", "4000", "3000", "4096")
			    UNMAP("1000", "5000", "16384"),
		    "+0:1+1 +0:3+1 -0:1+1 -0:3+1");
	assert_int_equal(t.survey.partly, 1);
	assert_int_equal(trace_left_out(&t), 0);
	trace_close(&t);
	/* Several maps at once, and a part of one. */
	calls(MAP("1000", "3000", "3000", "8192") MAP("3000", "5000", "3000", "8192")
		      UNMAP("1000", "4000", "12288") UNMAP("4000", "5000", "4096"),
	      "+0:1+2 +0:3+2 -0:1+3 -0:4+1");
	/* Across 2 MiB. */
	calls(MAP("1ff000", "402000", "0", "2109440") UNMAP("1ff000", "402000", "2109440"),
	      "+0:1ff+203 -0:1ff+203");
}

static void test_lost(void **state)
{
	char warning[256];

	/* What was mapped before the gap, and is mapped again behind it, was unmapped in it. */
	check_calls(MAP("1000", "2000", "3000", "4096") "CPU:1 [LOST 12 EVENTS]\n" MAP(
			    "1000", "3000", "9000", "8192") UNMAP("1000", "3000", "8192"),
		    "+0:1+1 -0:1+1 +0:1+2 -0:1+2");
	assert_int_equal(t.survey.lost, 1);
	assert_int_equal(t.survey.made_up, 1);
	assert_true(trace_warning(&t, 0, warning, sizeof(warning)));
	assert_non_null(strstr(warning, "buffer_size_kb"));
	trace_close(&t);
	/* Behind the gap a collision is one again. */
	calls("CPU:1 [LOST 12 EVENTS]\n" MAP("1000", "2000", "3000", "4096")
		      MAP("1000", "3000", "9000", "8192"),
	      "+0:1+1 +1:1+2");
	assert_int_equal(
		open_text("CPU:1 [LOST 12 EVENTS]\n" MAP("1000", "2000", "3000", "4096"), true),
		-1);
	assert_non_null(strstr(err, "line 1: the trace lost events"));
}

static void test_granule(void **state)
{
	assert_int_equal(open_text(MAP("10000", "20000", "30000", "65536")
					   MAP("40000", "60000", "30000", "131072"),
				   false),
			 0);
	assert_int_equal(t.granule_shift, 16);
	trace_close(&t);
	assert_int_equal(open_text(MAP("4000", "8000", "c000", "16384"), false), 0);
	assert_int_equal(t.granule_shift, 14);
	trace_close(&t);
	/* Large pages alone say nothing of the small ones. */
	assert_int_equal(open_text(MAP("200000", "400000", "600000", "2097152"), false), 0);
	assert_int_equal(t.granule_shift, 12);
	assert_int_equal(t.gap, 1u << 30);
	trace_close(&t);
	assert_int_equal(open_text(MAP("40000000", "80000000", "600000", "1073741824"), false), 0);
	assert_int_equal(t.gap, 2ull << 30);
	trace_close(&t);
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
	gzFile gz = gzopen(path, "wb");

	assert_non_null(gz);
	assert_int_equal(gzwrite(gz, text, sizeof(text) - 1), sizeof(text) - 1);
	gzclose(gz);
	f = fopen(path, "rb");
	size = fread(packed, 1, sizeof(packed), f);
	fclose(f);
	assert_int_equal(trace_open(&t, path, false, err, sizeof(err)), 0);
	assert_int_equal(t.survey.used, 2);
	assert_int_equal(trace_left_out(&t), 0);
	trace_close(&t);
	for (cut = 0; cut < size; cut++) {
		write_file(packed, cut);
		assert_int_equal(trace_open(&t, path, true, err, sizeof(err)), -1);
		if (trace_open(&t, path, false, err, sizeof(err)))
			continue;
		used++;
		assert_true(t.survey.cut);
		assert_true(trace_left_out(&t) > 0);
		assert_true(trace_warning(&t, 0, warning, sizeof(warning)));
		trace_close(&t);
	}
	assert_true(used > 0);
}

/* Against a simple list of pages: random maps and unmaps, whatever is counted. */
static void test_random(void **state)
{
	enum { PAGES = 64, ROUNDS = 300, LINES = 80 };
	static char text[LINES * 120];
	static bool live[TRACE_MAX_DOMAINS][PAGES * 2];
	unsigned round, i;
	uint32_t x = 12345;

	for (round = 0; round < ROUNDS; round++) {
		struct trace_call c;
		size_t n = 0;
		int rc;

		for (i = 0; i < LINES; i++) {
			unsigned page, pages, task;

			x = x * 1664525 + 1013904223;
			page = x >> 8 & (PAGES - 1);
			pages = 1 + (x >> 16 & 7);
			task = x >> 24 & 3;
			/* Around 2 MiB, so that chunks meet. */
			if (x >> 30 & 1)
				n += (size_t)snprintf(
					text + n, sizeof(text) - n,
					" t-%u [0] 1: map: IOMMU: iova=0x%x paddr=0x0 size=%u\n",
					task, (480 + page) << 12, pages << 12);
			else
				n += (size_t)snprintf(text + n, sizeof(text) - n,
						      " t-%u [0] 1: unmap: IOMMU: iova=0x%x "
						      "size=%u unmapped_size=%u\n",
						      task, (480 + page) << 12, pages << 12,
						      pages << 12);
		}
		if (open_text(text, false))
			continue;
		assert_int_equal(trace_rewind(&t, err, sizeof(err)), 0);
		memset(live, 0, sizeof(live));
		while ((rc = trace_next(&t, &c, err, sizeof(err))) > 0) {
			/* Never what is there already, and only what is there. */
			for (i = 0; i < c.size >> 12; i++) {
				bool *at = &live[c.domain][(c.iova >> 12) - 480 + i];

				assert_int_equal(*at, !c.map);
				*at = c.map;
			}
		}
		assert_int_equal(rc, 0);
		assert_int_equal(t.survey.events, t.survey.used + trace_left_out(&t));
		trace_close(&t);
	}
}

static int setup(void **state)
{
	int fd = mkstemp(path);

	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_other_events),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_wide),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_domains),
		cmocka_unit_test(test_too_many_domains),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_granule),
		cmocka_unit_test(test_cut_gzip),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

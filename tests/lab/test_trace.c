/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader of traces: what it takes, and what it says of what it does not take. */
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

static void write_file(const void *data, size_t size)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	fclose(f);
}

static int read_text(const char *text, struct trace *t)
{
	write_file(text, strlen(text));
	err[0] = '\0';
	return trace_read(t, path, err, sizeof(err));
}

static void refused(const char *text, const char *line, const char *words)
{
	struct trace t;

	assert_int_equal(read_text(text, &t), -1);
	assert_int_equal(t.count, 0);
	if (!strstr(err, line) || !strstr(err, words))
		fail_msg("expected \"%s\" and \"%s\" in: %s", line, words, err);
}

static void test_good(void **state)
{
	struct trace t;

	assert_int_equal(
		read_text("# tracer: nop\n#\n\n" MAP("fff7a000", "fff7b000", "42841000", "4096")
				  UNMAP("fff7a000", "fff7b000", "4096"),
			  &t),
		0);
	assert_int_equal(t.count, 2);
	assert_true(t.event[0].map);
	assert_int_equal(t.event[0].iova, 0xfff7a000);
	assert_int_equal(t.event[0].pa, 0x42841000);
	assert_int_equal(t.event[0].size, 4096);
	assert_int_equal(t.event[0].line, 4);
	assert_false(t.event[1].map);
	assert_int_equal(t.event[1].line, 5);
	assert_int_equal(trace_check(&t, path, err, sizeof(err)), 0);
	trace_free(&t);
	/* Kernels before 5.14 leave the end of the range out of an unmap; no newline at the end is fine. */
	assert_int_equal(
		read_text(HEAD "unmap: IOMMU: iova=0x1000 size=4096 unmapped_size=4096", &t), 0);
	trace_free(&t);
}

static void test_bad(void **state)
{
	refused("", "", "at least one");
	refused("nonsense\n", "line 1", "expected an event");
	refused("#\n" HEAD "map: IOMMU: iova=12\n", "line 2", "iova=0x");
	refused(HEAD "map: IOMMU: iova=0x1000 - 0x2000 size=4096\n", "line 1", "paddr");
	refused(MAP("1000", "2000", "3000", "4096x"), "line 1", "end of the line");
	refused(MAP("1000", "2000", "3000", "0"), "line 1", "multiple of 4096");
	refused(MAP("1000", "1800", "3000", "2048"), "line 1", "multiple of 4096");
	refused(MAP("1800", "2800", "3000", "4096"), "line 1", "addresses");
	refused(MAP("1000", "3000", "3000", "4096"), "line 1", "ends at 0x3000");
	refused(MAP("fffffffffffff000", "1000000000000", "3000", "4096"), "line 1", "below 2^48");
	refused(MAP("1000", "2000", "3000", "99999999999999999999"), "line 1", "decimal");
	refused(HEAD "unmap: IOMMU: iova=0x1000 - 0x3000 size=8192 unmapped_size=4096\n", "line 1",
		"all of size");
	refused("CPU:1 [LOST 12 EVENTS]\n", "line 1", "lost events");
}

static void test_long_line(void **state)
{
	char text[2000];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	refused(text, "line 1", "less than");
}

static void checked(const char *text, const char *line, const char *words)
{
	struct trace t;

	assert_int_equal(read_text(text, &t), 0);
	assert_int_equal(trace_check(&t, path, err, sizeof(err)), -1);
	if (!strstr(err, line) || !strstr(err, words))
		fail_msg("expected \"%s\" and \"%s\" in: %s", line, words, err);
	trace_free(&t);
}

static void test_check(void **state)
{
	checked(MAP("1000", "3000", "3000", "8192") MAP("2000", "3000", "3000", "4096"), "line 2",
		"mapped already");
	checked(MAP("1000", "2000", "3000", "4096") UNMAP("1000", "3000", "8192"), "line 2",
		"no earlier line");
	checked(MAP("1000", "2000", "3000", "4096") UNMAP("1000", "2000", "4096")
			UNMAP("1000", "2000", "4096"),
		"line 3", "no earlier line");
}

/* Every prefix of a compressed trace is refused, or is the whole. */
static void test_cut_gzip(void **state)
{
	static const char text[] =
		MAP("1000", "2000", "3000", "4096") UNMAP("1000", "2000", "4096");
	unsigned char packed[512];
	struct trace t;
	size_t size, cut;
	FILE *f;
	gzFile gz = gzopen(path, "wb");

	assert_non_null(gz);
	assert_int_equal(gzwrite(gz, text, sizeof(text) - 1), sizeof(text) - 1);
	gzclose(gz);
	f = fopen(path, "rb");
	size = fread(packed, 1, sizeof(packed), f);
	fclose(f);
	assert_int_equal(trace_read(&t, path, err, sizeof(err)), 0);
	assert_int_equal(t.count, 2);
	trace_free(&t);
	for (cut = 0; cut < size; cut++) {
		write_file(packed, cut);
		assert_int_equal(trace_read(&t, path, err, sizeof(err)), -1);
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
		cmocka_unit_test(test_good),     cmocka_unit_test(test_bad),
		cmocka_unit_test(test_check),    cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_cut_gzip),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

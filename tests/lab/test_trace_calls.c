/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader of traces: whose domain a line is of, and the calls that it becomes. */
#include "traces.h"

#include <stdio.h>
#include <string.h>

#define OTHER "  eth0-2 [001] .....  5.4: "
#define OTHER_MAP(iova, pa, size) OTHER "map: IOMMU: iova=0x" iova " paddr=0x" pa " size=" size "\n"
#define OTHER_UNMAP(iova, size) \
	OTHER "unmap: IOMMU: iova=0x" iova " size=" size " unmapped_size=" size "\n"

static void test_domains(void **state)
{
	/* A collision opens another domain, and its task stays with it. */
	traces_calls(MAP("1000", "2000", "3000", "4096") OTHER_MAP("1000", "9000", "4096")
			     OTHER_MAP("5000", "9000", "4096") MAP("6000", "7000", "9000", "4096")
				     OTHER_UNMAP("1000", "4096") UNMAP("1000", "2000", "4096"),
		     "+0:1+1 +1:1+1 +1:5+1 +0:6+1 -1:1+1 -0:1+1");
	/* An unmap goes where it fits, whoever does it: by size, … */
	traces_calls(MAP("1000", "2000", "3000", "4096") OTHER_MAP(
			     "1000", "9000", "8192") "  irq-9 [0] . 1.0: unmap: IOMMU: iova=0x1000 "
						     "size=8192 unmapped_size=8192\n"
						     "  irq-9 [0] . 1.0: unmap: IOMMU: iova=0x1000 "
						     "size=4096 unmapped_size=4096\n",
		     "+0:1+1 +1:1+2 -1:1+2 -0:1+1");
	/* … or by who made the map. */
	traces_calls(MAP("1000", "2000", "3000", "4096") OTHER_MAP("1000", "9000", "4096")
			     UNMAP("1000", "2000", "4096") OTHER_UNMAP("1000", "4096"),
		     "+0:1+1 +1:1+1 -0:1+1 -1:1+1");
	/* Devices that a line names have domains of their own from the start. */
	traces_calls(HEAD "map: IOMMU: dev=a iova=0x1000 paddr=0x3000 size=4096\n" HEAD
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
	assert_int_equal(traces_open(text, false), 0);
	assert_int_equal(traces_t.domains, TRACE_MAX_DOMAINS);
	assert_int_equal(traces_t.survey.used, 64);
	assert_int_equal(traces_t.survey.left[TRACE_LEFT_DOMAINS], 2);
	trace_close(&traces_t);
}

static void test_parts(void **state)
{
	/* As much is unmapped as is mapped. */
	traces_calls(MAP("0", "200000", "40000000", "2097152") HEAD
		     "unmap: IOMMU: iova=0x0 - 0x400000 size=4194304 unmapped_size=2097152\n",
		     "+0:0+200 -0:0+200");
	/* A hole that the trace does not know of: each part, counted once. */
	traces_check(MAP("1000", "2000", "3000", "4096") MAP("3000", "4000", "3000", "4096")
			     UNMAP("1000", "5000", "16384"),
		     "+0:1+1 +0:3+1 -0:1+1 -0:3+1");
	assert_int_equal(traces_t.survey.partly, 1);
	assert_int_equal(trace_left_out(&traces_t), 0);
	trace_close(&traces_t);
	/* Several maps at once, and a part of one. */
	traces_calls(MAP("1000", "3000", "3000", "8192") MAP("3000", "5000", "3000", "8192")
			     UNMAP("1000", "4000", "12288") UNMAP("4000", "5000", "4096"),
		     "+0:1+2 +0:3+2 -0:1+3 -0:4+1");
	/* Across 2 MiB. */
	traces_calls(MAP("1ff000", "402000", "0", "2109440") UNMAP("1ff000", "402000", "2109440"),
		     "+0:1ff+203 -0:1ff+203");
}

static void test_lost(void **state)
{
	char warning[256];

	/* What was mapped before the gap, and is mapped again behind it, was unmapped in it. */
	traces_check(MAP("1000", "2000", "3000", "4096") "CPU:1 [LOST 12 EVENTS]\n" MAP(
			     "1000", "3000", "9000", "8192") UNMAP("1000", "3000", "8192"),
		     "+0:1+1 -0:1+1 +0:1+2 -0:1+2");
	assert_int_equal(traces_t.survey.lost, 1);
	assert_int_equal(traces_t.survey.made_up, 1);
	assert_true(trace_warning(&traces_t, 0, warning, sizeof(warning)));
	assert_non_null(strstr(warning, "buffer_size_kb"));
	trace_close(&traces_t);
	/* Behind the gap a collision is one again. */
	traces_calls("CPU:1 [LOST 12 EVENTS]\n" MAP("1000", "2000", "3000", "4096")
			     MAP("1000", "3000", "9000", "8192"),
		     "+0:1+1 +1:1+2");
	assert_int_equal(
		traces_open("CPU:1 [LOST 12 EVENTS]\n" MAP("1000", "2000", "3000", "4096"), true),
		-1);
	assert_non_null(strstr(traces_err, "line 1: the trace lost events"));
}

static void test_granule(void **state)
{
	assert_int_equal(traces_open(MAP("10000", "20000", "30000", "65536")
					     MAP("40000", "60000", "30000", "131072"),
				     false),
			 0);
	assert_int_equal(traces_t.granule_shift, 16);
	trace_close(&traces_t);
	assert_int_equal(traces_open(MAP("4000", "8000", "c000", "16384"), false), 0);
	assert_int_equal(traces_t.granule_shift, 14);
	trace_close(&traces_t);
	/* Large pages alone say nothing of the small ones. */
	assert_int_equal(traces_open(MAP("200000", "400000", "600000", "2097152"), false), 0);
	assert_int_equal(traces_t.granule_shift, 12);
	assert_int_equal(traces_t.gap, 1u << 30);
	trace_close(&traces_t);
	assert_int_equal(traces_open(MAP("40000000", "80000000", "600000", "1073741824"), false),
			 0);
	assert_int_equal(traces_t.gap, 2ull << 30);
	trace_close(&traces_t);
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
		if (traces_open(text, false))
			continue;
		assert_int_equal(trace_rewind(&traces_t, traces_err, sizeof(traces_err)), 0);
		memset(live, 0, sizeof(live));
		while ((rc = trace_next(&traces_t, &c, traces_err, sizeof(traces_err))) > 0) {
			/* Never what is there already, and only what is there. */
			for (i = 0; i < c.size >> 12; i++) {
				bool *at = &live[c.domain][(c.iova >> 12) - 480 + i];

				assert_int_equal(*at, !c.map);
				*at = c.map;
			}
		}
		assert_int_equal(rc, 0);
		assert_int_equal(traces_t.survey.events,
				 traces_t.survey.used + trace_left_out(&traces_t));
		trace_close(&traces_t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_domains), cmocka_unit_test(test_too_many_domains),
		cmocka_unit_test(test_parts),   cmocka_unit_test(test_lost),
		cmocka_unit_test(test_granule), cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, traces_setup, traces_teardown);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The judge's log of writes: what a reading has to report, and what it may leave to the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oracle.h"

#define IOVA 0x40000000ull
#define PA 0x80000000ull
#define PAGES 4u

static struct oracle *o;
static uint64_t over;

static int setup(void **state)
{
	o = oracle_create(2, 2);
	if (!o)
		return 1;
	oracle_log_writes(o);
	over = 0;
	if (oracle_window(o, 0, IOVA, 4u << 20) || oracle_window(o, 1, IOVA, 4u << 20))
		return 1;
	for (unsigned d = 0; d < 2; d++) {
		oracle_map_begin(o, d, IOVA, PAGES << 12, PA + d * 0x100000, 3);
		oracle_map_end(o, d, IOVA, PAGES << 12, true);
		oracle_attach_begin(o, d, d, false);
		oracle_attach_end(o, d, true);
	}
	return 0;
}

static int teardown(void **state)
{
	oracle_destroy(o);
	return 0;
}

static void write_page(unsigned domain, unsigned page)
{
	struct oracle_ticket t = oracle_before(o, domain, IOVA + (page << 12) + 8, ORACLE_WRITE);

	oracle_written(o, &t, PA + domain * 0x100000 + (page << 12) + 8);
}

/* End a reading with these bits: the page that is missing, -1: none. */
static int end(uint64_t bits, enum oracle_reading what, bool soon)
{
	uint64_t lost = oracle_read_end(o, 0, IOVA, PAGES << 12, &bits, what, soon, &over);

	return lost == ORACLE_ELSEWHERE ? -1 : (int)((lost - IOVA) >> 12);
}

static int reading(uint64_t bits, enum oracle_reading what, bool soon)
{
	oracle_read_begin(o, 0, IOVA, PAGES << 12);
	return end(bits, what, soon);
}

static void test_reported(void **state)
{
	assert_int_equal(reading(0, ORACLE_READ_TAKEN, false), -1);
	write_page(0, 2);
	write_page(1, 3); /* another domain's */
	assert_int_equal(reading(4, ORACLE_READ_TAKEN, false), -1);
	assert_int_equal(over, 0);
	assert_int_equal(reading(4, ORACLE_READ_TAKEN, false), -1);
	assert_int_equal(over, 1);
	write_page(0, 2);
	assert_int_equal(reading(8, ORACLE_READ_TAKEN, false), 2);
	assert_int_equal(over, 2);
}

static void test_during(void **state)
{
	oracle_read_begin(o, 0, IOVA, PAGES << 12);
	write_page(0, 0);
	write_page(0, 1);
	/* One is told of now; the other has to be by the next. */
	assert_int_equal(end(1, ORACLE_READ_TAKEN, false), -1);
	assert_int_equal(over, 0);
	assert_int_equal(reading(0, ORACLE_READ_TAKEN, false), 1);
}

static void test_looked(void **state)
{
	write_page(0, 0);
	assert_int_equal(reading(1, ORACLE_READ_LOOKED, false), -1);
	assert_int_equal(reading(0, ORACLE_READ_LOOKED, false), 0);
	assert_int_equal(reading(1, ORACLE_READ_TAKEN, false), -1);
	assert_int_equal(reading(0, ORACLE_READ_TAKEN, false), -1);
}

static void test_failed(void **state)
{
	write_page(0, 0);
	assert_int_equal(reading(1, ORACLE_READ_FAILED, false), -1);
	assert_int_equal(reading(0, ORACLE_READ_TAKEN, false), 0);
}

static void test_soon(void **state)
{
	write_page(0, 0);
	assert_int_equal(reading(0, ORACLE_READ_TAKEN, true), -1);
	assert_int_equal(reading(0, ORACLE_READ_TAKEN, false), 0);
}

static void test_mapped_anew(void **state)
{
	struct oracle_ticket t;

	write_page(0, 0);
	oracle_unmap_begin(o, 0, IOVA, 0x1000);
	/* While it goes nothing is promised. */
	write_page(0, 0);
	oracle_unmap_end(o, 0, IOVA, 0x1000, true);
	oracle_map_begin(o, 0, IOVA, 0x1000, PA, 3);
	oracle_map_end(o, 0, IOVA, 0x1000, true);
	assert_int_equal(reading(0, ORACLE_READ_TAKEN, false), -1);
	/* A reading that began and ended beside a write says nothing of it. */
	t = oracle_before(o, 0, IOVA, ORACLE_WRITE);
	assert_int_equal(reading(0, ORACLE_READ_TAKEN, false), -1);
	oracle_written(o, &t, PA);
	assert_int_equal(reading(0, ORACLE_READ_TAKEN, false), -1);
	/* It landed elsewhere. */
	t = oracle_before(o, 0, IOVA, ORACLE_WRITE);
	oracle_written(o, &t, PA + 0x5000);
	assert_int_equal(reading(0, ORACLE_READ_TAKEN, false), -1);
}

/* What is written through a view is written in the domain, once. */
static void test_through_a_view(void **state)
{
	const uint64_t up = 16u << 20;
	struct oracle_ticket t;

	oracle_view(o, 1, 0, up, true);
	assert_int_equal(oracle_window(o, 1, IOVA + up, 4u << 20), 0);
	oracle_map_alone_begin(o, 1, IOVA + up, PAGES << 12, PA, 3);
	oracle_map_alone_end(o, 1, IOVA + up, PAGES << 12, true);
	t = oracle_before(o, 1, IOVA + up + 0x2000, ORACLE_WRITE);
	oracle_written(o, &t, PA + 0x2000);
	/* Mapping the view says nothing of what was written. */
	oracle_unmap_alone_begin(o, 1, IOVA + up, PAGES << 12);
	oracle_unmap_alone_end(o, 1, IOVA + up, PAGES << 12, true);
	assert_int_equal(reading(0, ORACLE_READ_LOOKED, false), 2);
	assert_int_equal(reading(4, ORACLE_READ_TAKEN, false), -1);
	assert_int_equal(over, 0);
	assert_int_equal(reading(0, ORACLE_READ_TAKEN, false), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reported, setup, teardown),
		cmocka_unit_test_setup_teardown(test_during, setup, teardown),
		cmocka_unit_test_setup_teardown(test_looked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_soon, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mapped_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(test_through_a_view, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The time of one unmap by the virtual clock, where every SMMU has the same latencies and nothing is left to chance: the
 * sweep over many instances costs what one costs, the serial design costs the sum.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exact.h"

static uint64_t measure_guests(unsigned smmus, unsigned ats, bool slow)
{
	struct lab_config o;
	struct report r;
	uint64_t ns;

	lab_config_default(&o);
	o.smmus = smmus;
	o.ats = ats;
	o.stage[0] = LAB_NESTED;
	o.slow_percent = slow ? 400 : 0;
	assert_int_equal(exact_unmap(&o, &ns, &r), 0);
	assert_int_equal(r.violations, 0);
	return ns;
}

static uint64_t measure(unsigned smmus, unsigned ats, enum design_id design)
{
	struct lab_config o;
	struct report r;
	uint64_t ns;

	lab_config_default(&o);
	o.smmus = smmus;
	o.ats = ats;
	o.design = design;
	assert_int_equal(exact_unmap(&o, &ns, &r), 0);
	assert_int_equal(r.violations, 0);
	return ns;
}

static void compare(unsigned ats)
{
	uint64_t one = measure(1, ats, DESIGN_SWEEP), many = measure(16, ats, DESIGN_SWEEP);
	uint64_t serial_one = measure(1, ats, DESIGN_SERIAL),
		 serial = measure(16, ats, DESIGN_SERIAL);

	print_message(
		"ats %u: sweep %llu ns on 1, %llu ns on 16; serial %llu ns on 1, %llu ns on 16\n",
		ats, (unsigned long long)one, (unsigned long long)many,
		(unsigned long long)serial_one, (unsigned long long)serial);
	assert_true(one >= 240); /* at least a CMD_SYNC */
	assert_true(many * 10 <= one * 11);
	assert_true(serial >= serial_one * 15);
	/* Exact: the same again. */
	assert_int_equal(measure(16, ats, DESIGN_SWEEP), many);
}

static void test_without_ats(void **state)
{
	compare(0);
}

static void test_with_ats(void **state)
{
	compare(4);
}

/** A parent with a virtual SMMU, and what is combined with it, on each of 8 SMMUs: at most 1.05 times the slowest alone. */
static void test_guests(void **state)
{
	for (unsigned ats = 0; ats <= 4; ats += 4)
		for (unsigned slow = 0; slow < 2; slow++) {
			uint64_t one = measure_guests(1, ats, slow),
				 many = measure_guests(8, ats, slow);

			print_message("guests, ats %u: %llu ns on 1, %llu ns on 8\n", ats,
				      (unsigned long long)one, (unsigned long long)many);
			assert_true(one >= 240);
			assert_true(many * 20 <= one * 21);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_ats),
		cmocka_unit_test(test_with_ats),
		cmocka_unit_test(test_guests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

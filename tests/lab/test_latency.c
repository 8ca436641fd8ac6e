/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The time of one unmap by the virtual clock, where every SMMU has the same latencies and nothing is left to chance: the
 * sweep over many instances costs what one costs, the serial design costs the sum.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <smmuv3/pgtable.h>

#include "machine.h"

#define IOVA 0x800000000ull

struct job {
	struct machine *m;
	uint64_t ns;
	int rc;
};

/* Unmap one page of the domain that all devices share. */
static void unmap_once(void *arg)
{
	struct job *job = arg;
	struct machine *m = job->m;
	uint64_t start;

	job->rc = smmu_map(&m->domain[0].d, IOVA, m->data, 4096, SMMU_PROT_READ, 0);
	if (job->rc)
		return;
	start = machine_now(m);
	job->rc = m->design->unmap(m, &m->domain[0], IOVA, 4096);
	job->ns = machine_now(m) - start;
}

static uint64_t measure(unsigned smmus, unsigned ats, enum design_id design)
{
	struct machine_config cfg = {.exact = true,
				     .calm = true,
				     .data_bytes = 2u << 20,
				     .domains = 1,
				     .one_granule = true};
	struct machine *m = malloc(sizeof(*m));
	struct report r = {0};
	struct job job = {.m = m};
	struct lab_config o;

	assert_non_null(m);
	lab_config_default(&o);
	o.smmus = smmus;
	o.ats = ats;
	o.design = design;
	assert_int_equal(machine_open(m, &o, &cfg), 0);
	assert_int_equal(machine_attach_all(m), 0);
	assert_true(sim_spawn(m->sim, unmap_once, &job) >= 0);
	assert_int_equal(sim_run(m->sim), 0);
	assert_int_equal(job.rc, 0);
	machine_close(m, &r);
	assert_int_equal(r.violations, 0);
	free(m);
	return job.ns;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_ats),
		cmocka_unit_test(test_with_ats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

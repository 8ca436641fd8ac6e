/* SPDX-License-Identifier: BSD-2-Clause */
/* Stores of 16 bytes: in one piece, behind the barriers before them; or in two, where processors are said to do so. */
#define SMMU_SIM_ACCESSES

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim.h"

static struct sim *sim;
static uint64_t filled[8], pair[2] __attribute__((aligned(16)));
static unsigned halves, early, between_calls;

/* As a CD that is filled, and the words of the STE that lead to it. */
static void writer(void *arg)
{
	for (unsigned i = 0; i < 8; i++)
		smmu_store(&filled[i], 1);
	SMMU_BARRIER(cd_spare_filled, smmu_dma_wmb());
	smmu_store_pair(pair, 1, 1);
	sim_sleep(sim, 3000);
}

/* Looks at memory itself, as a device does. */
static void look(void)
{
	uint64_t lo = sim_raw_load(&pair[0], 8, false), hi = sim_raw_load(&pair[1], 8, false);

	halves += lo != hi;
	for (unsigned i = 0; i < 8; i++)
		early += (lo || hi) && !sim_raw_load(&filled[i], 8, false);
}

static void reader(void *arg)
{
	for (unsigned i = 0; i < 100; i++) {
		look();
		sim_point();
	}
}

static void between(void *ctx)
{
	between_calls++;
	look();
}

static void run(bool torn)
{
	halves = early = between_calls = 0;
	for (unsigned seed = 0; seed < 200; seed++) {
		sim = sim_create(seed);
		sim_set_store_buffer(sim, SIM_STORES_BUFFERED, 2000, 200);
		sim_set_torn_pairs(sim, torn, between, NULL);
		for (unsigned i = 0; i < 8; i++)
			filled[i] = 0;
		pair[0] = pair[1] = 0;
		sim_spawn(sim, writer, NULL);
		sim_spawn(sim, reader, NULL);
		assert_int_equal(sim_run(sim), 0);
		assert_int_equal(sim_pairs_torn(sim), torn);
		assert_int_equal(pair[0], 1);
		assert_int_equal(pair[1], 1);
		sim_destroy(sim);
	}
}

static void test_whole(void **state)
{
	run(false);
	assert_int_equal(halves, 0);
	assert_int_equal(early, 0);
	assert_int_equal(between_calls, 0);
}

static void test_torn(void **state)
{
	run(true);
	assert_int_equal(between_calls, 200);
	assert_true(halves >= 200);
	assert_int_equal(early, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_whole),
					   cmocka_unit_test(test_torn)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

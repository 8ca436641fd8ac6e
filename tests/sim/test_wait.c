/* SPDX-License-Identifier: BSD-2-Clause */
/* Simulated threads: waits of minutes are seen to end in time, and cost few looks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim_port.h"
#include "sim.h"

#define MINUTE 60000000000ull
#define SECOND 1000000000ull

static struct sim *sim;
static uint32_t flag, looked, workers;
static uint64_t ended;
static unsigned looks;

static void create(uint64_t seed)
{
	flag = looked = 0;
	looks = 0;
	ended = 0;
	workers = 0;
	sim = sim_create(seed);
	sim_set_max_step(sim, 50000000);
}

/* Waits as a driver does: reads the clock, and notes now and then that it has looked. */
static void wait_for(uint64_t timeout)
{
	uint64_t start = sim_now(sim);

	while (!smmu_load_acquire(&flag) && sim_now(sim) - start < timeout) {
		if (++looks % 2)
			sim_do_store(&looked, sizeof(looked), looks, false);
		sim_spin();
	}
	ended = sim_now(sim);
}

static void wait_minute(void *arg)
{
	wait_for(MINUTE);
}

static void wait_second(void *arg)
{
	wait_for(SECOND);
}

static void wait_for_ever(void *arg)
{
	wait_for(UINT64_MAX);
}

static void set_flag(void *arg)
{
	sim_sleep(sim, MINUTE);
	smmu_store_release(&flag, 1);
	sim_point();
}

/* Does a little now and then, as long as somebody waits. */
static void get_on(void *arg)
{
	while (smmu_load(&workers)) {
		sim_sleep(sim, SECOND / 10);
		sim_do_store(&looked, sizeof(looked), 0, false);
	}
}

static void test_alone(void **state)
{
	unsigned i;

	for (i = 1; i <= 4; i++) {
		create(i);
		for (unsigned k = 0; k < i; k++)
			sim_spawn(sim, wait_minute, NULL);
		assert_int_equal(sim_run(sim), 0);
		assert_in_range(ended, MINUTE, MINUTE / 64 * 65);
		assert_true(looks < i * 10000);
		sim_destroy(sim);
	}
}

static void test_with_others(void **state)
{
	/* Another fiber ends the wait. */
	create(1);
	sim_spawn(sim, wait_for_ever, NULL);
	sim_spawn(sim, set_flag, NULL);
	assert_int_equal(sim_run(sim), 0);
	assert_in_range(ended, MINUTE, MINUTE / 64 * 65);
	assert_true(looks < 10000);
	sim_destroy(sim);
	/* One that sleeps for longer does not hold a time-out up. */
	create(2);
	sim_spawn(sim, wait_second, NULL);
	sim_spawn(sim, set_flag, NULL);
	assert_int_equal(sim_run(sim), 0);
	assert_in_range(ended, SECOND, SECOND / 64 * 65);
	sim_destroy(sim);
	/* Nor does one that has been waiting for a minute. */
	create(3);
	sim_spawn(sim, wait_for_ever, NULL);
	sim_spawn(sim, set_flag, NULL);
	sim_spawn(sim, wait_second, NULL);
	assert_int_equal(sim_run(sim), 0);
	assert_true(looks < 20000);
	sim_destroy(sim);
}

/* One that waits although others get on is found as well. */
static void test_hangs(void **state)
{
	create(1);
	sim_set_patience(sim, SECOND);
	workers = 1;
	sim_spawn(sim, wait_for_ever, NULL);
	sim_spawn(sim, get_on, NULL);
	assert_int_equal(sim_run(sim), -1);
	assert_in_range(sim_now(sim), SECOND, 100 * SECOND);
	sim_destroy(sim);
}

/* ---- sim_wait ---- */

static bool is_set(void *arg)
{
	looks++;
	return flag;
}

static void sleep_on(void *arg)
{
	sim_wait(sim, is_set, NULL);
	ended = sim_now(sim);
}

static uint64_t due;

static uint64_t device_next(void *ctx)
{
	return due;
}

static void device_act(void *ctx, uint64_t now_ns)
{
	due = UINT64_MAX;
	flag = 1;
}

/* What a device does is seen at once, however long the wait was. */
static void test_condition(void **state)
{
	create(1);
	due = MINUTE;
	assert_int_equal(sim_add_actor(sim, device_next, device_act, NULL), 0);
	sim_spawn(sim, sleep_on, NULL);
	assert_int_equal(sim_run(sim), 0);
	assert_in_range(ended, MINUTE, MINUTE + 1000);
	assert_true(looks < 10000);
	sim_destroy(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_with_others),
		cmocka_unit_test(test_hangs),
		cmocka_unit_test(test_condition),
	};

	return cmocka_run_group_tests_name("wait", tests, NULL, NULL);
}

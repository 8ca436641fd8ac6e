/* SPDX-License-Identifier: BSD-2-Clause */
/* Simulated threads: repetition, virtual time, devices, hangs and waiting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "sim_port.h"
#include "../posix/seed.h"
#include "sim.h"

/* ---- repetition ---- */

static char trace[4096];
static unsigned trace_len;
static struct sim *sim;

static void tracer(void *arg)
{
	char name = *(const char *)arg;
	unsigned i;

	for (i = 0; i < 40; i++) {
		trace[trace_len++] = name;
		sim_point();
		if (i % 10 == 0)
			sim_sleep(sim, smmu_random_below(sim_random(sim), 100));
	}
}

static uint64_t run_traced(uint64_t seed, char *out)
{
	uint64_t digest;

	trace_len = 0;
	memset(trace, 0, sizeof(trace));
	sim = sim_create(seed);
	sim_spawn(sim, tracer, "a");
	sim_spawn(sim, tracer, "b");
	sim_spawn(sim, tracer, "c");
	assert_int_equal(sim_run(sim), 0);
	assert_int_equal(trace_len, 120);
	digest = sim_digest(sim);
	sim_destroy(sim);
	strcpy(out, trace);
	return digest;
}

static void test_seed_repeats(void **state)
{
	char first[4096], again[4096];
	uint64_t seed = test_seed(), digest;
	unsigned i, same = 0;

	for (i = 0; i < 20; i++) {
		digest = run_traced(seed + i, first);
		assert_int_equal(run_traced(seed + i, again), digest);
		assert_string_equal(first, again);
		assert_int_not_equal(run_traced(seed + i + 1, again), digest);
		same += !strcmp(first, again);
	}
	assert_true(same < 3);
}

/* ---- virtual time ---- */

static void worker(void *arg)
{
	unsigned i;

	for (i = 0; i < 100; i++)
		sim_charge(sim, 10);
}

static void sleeper(void *arg)
{
	uint64_t start = sim_now(sim);

	sim_sleep(sim, 5000);
	assert_int_equal(sim_now(sim), start + 5000);
	sim_sleep_until(sim, 10); /* past already */
	assert_int_equal(sim_now(sim), start + 5000);
}

static void spawner(void *arg)
{
	int id = sim_spawn(sim, sleeper, NULL);

	sim_join(sim, id);
	assert_in_range(sim_now(sim), 5000, 5100);
}

static void test_time(void **state)
{
	unsigned i;

	/* Processors run side by side: eight workers take the time of one. */
	sim = sim_create(1);
	sim_set_switching(sim, 0, 1, 0);
	for (i = 0; i < 8; i++)
		sim_spawn(sim, worker, NULL);
	assert_int_equal(sim_run(sim), 0);
	assert_int_equal(sim_now(sim), 1000);
	/* Outside the fibers time goes on, too. */
	assert_int_equal(sim_self(sim), -1);
	sim_charge(sim, 500);
	assert_int_equal(sim_now(sim), 1500);
	sim_destroy(sim);

	sim = sim_create(1);
	sim_set_switching(sim, 0, 1, 0);
	sim_spawn(sim, spawner, NULL);
	assert_int_equal(sim_run(sim), 0);
	sim_destroy(sim);
}

/* ---- a device: answers a request after a while ---- */

static struct {
	uint64_t due, latency;
	uint32_t answered;
	struct smmu_bus bus;
} device;

static uint64_t device_next(void *ctx)
{
	return device.due;
}

static void device_advance(void *ctx, uint64_t now_ns)
{
	assert_true(now_ns >= device.due);
	assert_int_equal(now_ns, sim_clock(sim));
	device.due = UINT64_MAX;
	device.answered++;
}

static uint32_t device_read32(void *ctx, uint32_t offset)
{
	return device.answered;
}

static void device_write32(void *ctx, uint32_t offset, uint32_t value)
{
	device.due = sim_now(sim) + device.latency;
}

static void device_relax(void *ctx)
{
}

static const struct smmu_bus_ops device_ops = {
	.read32 = device_read32, .write32 = device_write32, .relax = device_relax};

/* Ask @arg times, poll each answer, with a time-out of 1 s as a driver has; counts the answers. */
static unsigned answers, timeouts;

static void asker(void *arg)
{
	struct smmu_mmio m = {.bus = &device.bus};
	unsigned n = (unsigned)(uintptr_t)arg, i;

	for (i = 0; i < n; i++) {
		uint32_t before = smmu_mmio_read32(&m, 0);
		uint64_t until = sim_now(sim) + 1000000000;

		smmu_mmio_write32(&m, 0, 1);
		while (smmu_mmio_read32(&m, 0) == before) {
			if (sim_now(sim) >= until) {
				timeouts++;
				break;
			}
			smmu_relax(&m);
		}
		answers += smmu_mmio_read32(&m, 0) != before;
	}
}

static bool answered_all(void *arg)
{
	return device.answered >= (uint32_t)(uintptr_t)arg;
}

static void watcher(void *arg)
{
	sim_wait(sim, answered_all, arg);
}

static void device_sim(uint64_t seed, uint64_t latency)
{
	sim = sim_create(seed);
	device.due = UINT64_MAX;
	device.latency = latency;
	device.answered = 0;
	device.bus = (struct smmu_bus){.ops = &device_ops};
	answers = timeouts = 0;
	sim_add_actor(sim, device_next, device_advance, &device);
}

static void test_device(void **state)
{
	uint64_t points;

	device_sim(5, 2000);
	sim_set_switching(sim, 0, 1, 0);
	sim_spawn(sim, asker, (void *)50);
	sim_spawn(sim, watcher, (void *)50);
	assert_int_equal(sim_run(sim), 0);
	assert_int_equal(answers, 50);
	/* Waiting costs the device's time and little more, and few turns. */
	assert_in_range(sim_now(sim), 50 * 2000, 50 * 2400);
	points = sim_points(sim);
	assert_true(points < 50 * 20);
	/* The same from outside the fibers. */
	asker((void *)2);
	assert_int_equal(answers, 52);
	sim_destroy(sim);
}

static void test_device_timeout(void **state)
{
	/* An answer that comes after 90 s: the time-out fires at its second, not when the answer comes. */
	device_sim(6, 90000000000);
	sim_spawn(sim, asker, (void *)1);
	sim_spawn(sim, watcher, (void *)1);
	assert_int_equal(sim_run(sim), 0);
	assert_int_equal(timeouts, 1);
	assert_in_range(sim_now(sim), 90000000000, 91000000000);
	sim_destroy(sim);

	device_sim(6, UINT64_MAX / 2);
	sim_spawn(sim, asker, (void *)3);
	assert_int_equal(sim_run(sim), 0);
	assert_int_equal(timeouts, 3);
	assert_in_range(sim_now(sim), 3000000000, 3100000000);
	sim_destroy(sim);
}

static void test_settle(void **state)
{
	device_sim(7, 300);
	device.due = 12345;
	sim_settle(sim, 1000);
	assert_int_equal(device.answered, 0);
	sim_settle(sim, UINT64_MAX);
	assert_int_equal(device.answered, 1);
	assert_int_equal(sim_now(sim), 12345);
	sim_remove_actor(sim, &device);
	device.due = 20000;
	sim_charge(sim, 100000);
	assert_int_equal(device.answered, 1);
	sim_destroy(sim);
}

static struct smmu_spinlock never;

static void stuck(void *arg)
{
	smmu_spin_lock(&never);
}

static void test_hang_is_reported(void **state)
{
	sim = sim_create(1);
	sim_set_patience(sim, 1000000000);
	smmu_spin_init(&never);
	smmu_spin_lock(&never);
	sim_spawn(sim, stuck, NULL);
	sim_spawn(sim, stuck, NULL);
	assert_int_equal(sim_run(sim), -1);
	sim_destroy(sim);
}

/* ---- waiting for atomics that are no scheduling points ---- */

static uint32_t ball;

static void player(void *arg)
{
	uint32_t me = (uint32_t)(uintptr_t)arg, i;

	for (i = 0; i < 100; i++) {
		while (smmu_load_acquire(&ball) % 2 != me)
			sim_spin();
		smmu_store_release(&ball, ball + 1);
		sim_point();
	}
}

static void test_ping_pong(void **state)
{
	sim = sim_create(3);
	sim_set_switching(sim, 0, 1, 0);
	ball = 0;
	sim_spawn(sim, player, (void *)0);
	sim_spawn(sim, player, (void *)1);
	assert_int_equal(sim_run(sim), 0);
	assert_int_equal(ball, 200);
	/* Who waits looks again as soon as the other has got on: a look costs 20 ns. */
	assert_true(sim_now(sim) < 200 * 30);
	sim_destroy(sim);
}

/* Who has waited long, and is no longer asked in each turn, still notices at once. */
static uint32_t flag;
static uint64_t flag_set, flag_seen;

static void flag_setter(void *arg)
{
	unsigned i;

	for (i = 0; i < 200; i++) {
		if (i == 100) {
			smmu_store_release(&flag, 1);
			flag_set = sim_now(sim);
		}
		sim_charge(sim, 100);
	}
}

static void flag_waiter(void *arg)
{
	while (!smmu_load_acquire(&flag))
		sim_spin();
	flag_seen = sim_now(sim);
}

static void test_notices(void **state)
{
	sim = sim_create(8);
	sim_set_switching(sim, 0, 1, 0);
	flag = 0;
	sim_spawn(sim, flag_waiter, NULL);
	sim_spawn(sim, flag_setter, NULL);
	assert_int_equal(sim_run(sim), 0);
	assert_in_range(flag_seen, flag_set, flag_set + 200);
	sim_destroy(sim);
}

static uint64_t counter;
static struct smmu_mutex counter_lock;

static void incrementer(void *arg)
{
	unsigned i;

	for (i = 0; i < 100; i++) {
		uint64_t seen;

		smmu_mutex_lock(&counter_lock);
		seen = counter;
		sim_point();
		counter = seen + 1;
		smmu_mutex_unlock(&counter_lock);
	}
}

static void test_mutex(void **state)
{
	unsigned i;

	sim = sim_create(4);
	counter = 0;
	smmu_mutex_init(&counter_lock);
	for (i = 0; i < 6; i++)
		sim_spawn(sim, incrementer, NULL);
	assert_int_equal(sim_run(sim), 0);
	assert_int_equal(counter, 600);
	sim_destroy(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seed_repeats), cmocka_unit_test(test_time),
		cmocka_unit_test(test_device),       cmocka_unit_test(test_device_timeout),
		cmocka_unit_test(test_settle),       cmocka_unit_test(test_hang_is_reported),
		cmocka_unit_test(test_ping_pong),    cmocka_unit_test(test_notices),
		cmocka_unit_test(test_mutex),
	};

	return cmocka_run_group_tests_name("sim", tests, NULL, NULL);
}

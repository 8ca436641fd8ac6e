/* SPDX-License-Identifier: BSD-2-Clause */
/* Simulated interrupts and pre-emption: where they strike, that masking keeps them, and that a hang is said to be one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ram.h"
#include "sim.h"

static struct sim *sim;
static unsigned struck, nested, inside;
static bool in_section;

static void count(void *arg)
{
	struck++;
	nested += inside++;
	assert_true(sim_in_interrupt(sim));
	assert_false(in_section);
	sim_point();
	smmu_mb();
	inside--;
}

static void work(void *arg)
{
	unsigned i, k;

	for (i = 0; i < 200; i++) {
		smmu_irqflags outer = smmu_irq_save(), inner;

		in_section = true;
		for (k = 0; k < 5; k++)
			sim_point();
		inner = smmu_irq_save();
		smmu_irq_restore(inner);
		sim_point();
		in_section = false;
		smmu_irq_restore(outer);
		sim_point();
	}
}

/* One processor: whatever strikes in a masked section strikes at its end. */
static void test_masked(void **state)
{
	struct sim_masked longest;

	sim = sim_create(7);
	struck = nested = 0;
	sim_set_interrupt(sim, count, NULL, 1, 4);
	assert_true(sim_spawn(sim, work, NULL) == 0);
	assert_int_equal(sim_run(sim), 0);
	assert_in_range(struck, 100, 600);
	assert_int_equal(nested, 0);
	longest = sim_longest_masked(sim);
	assert_int_equal(longest.points, 6);
	assert_non_null(longest.site);
	sim_destroy(sim);
}

/*
 * A device that answers an access asks the allocator about what it touches. Nothing may happen in the middle of that, though
 * an interrupt is pending: one that struck in a handler is kept, and comes at the next point.
 */
static struct smmu_heap heap;
static unsigned kept;

static void access_memory(void *arg)
{
	unsigned i, before;

	for (i = 0; i < 200; i++) {
		sim_point();
		before = struck;
		smmu_heap_is_live(&heap, heap.ram->base);
		smmu_heap_live(&heap);
		assert_int_equal(struck, before);
		sim_point();
		kept += struck != before;
	}
}

static void test_between_points(void **state)
{
	struct smmu_ram ram;

	assert_int_equal(smmu_ram_create(&ram, SMMU_RAM_DEFAULT_BASE, 1 << 16), 0);
	assert_int_equal(smmu_heap_init(&heap, &ram, 0, 0), 0);
	sim = sim_create(11);
	kept = 0;
	sim_set_interrupt(sim, count, NULL, 1, 4);
	sim_spawn(sim, access_memory, NULL);
	assert_int_equal(sim_run(sim), 0);
	assert_in_range(kept, 50, 200);
	sim_destroy(sim);
	smmu_heap_fini(&heap);
	smmu_ram_destroy(&ram);
}

/* A lock that a handler takes as well: with interrupts masked it gets through, without it waits for itself. */
static struct smmu_spinlock lock;
static bool masked;

static void take(void *arg)
{
	struck++;
	if (masked) {
		smmu_irqflags flags = smmu_spin_lock(&lock);

		sim_point();
		smmu_spin_unlock(&lock, flags);
	} else {
		sim_take(&lock.held, false);
		sim_point();
		sim_give(&lock.held);
	}
}

static void hold(void *arg)
{
	unsigned i;

	for (i = 0; i < 100; i++)
		take(NULL);
}

static int run_lock(bool mask, bool interrupts)
{
	int rc;

	sim = sim_create(3);
	masked = mask;
	struck = 0;
	smmu_spin_init(&lock);
	if (interrupts)
		sim_set_interrupt(sim, take, NULL, 1, 8);
	assert_true(sim_spawn(sim, hold, NULL) == 0);
	assert_true(sim_spawn(sim, hold, NULL) == 1);
	rc = sim_run(sim);
	sim_destroy(sim);
	return rc;
}

static void test_lock(void **state)
{
	assert_int_equal(run_lock(true, true), 0);
	assert_true(struck > 220);
	assert_int_equal(run_lock(false, false), 0);
	/* sim_run prints who waits in a handler. */
	assert_int_equal(run_lock(false, true), -1);
}

/* Pre-empted with interrupts on, a fiber stands still until the other is done; it is a hang if that waits for it. */
static int run_preempted(bool mask, uint64_t seed)
{
	int rc;

	sim = sim_create(seed);
	masked = mask;
	smmu_spin_init(&lock);
	sim_set_preemption(sim, 1, 6);
	sim_set_patience(sim, 1000000);
	sim_spawn(sim, hold, NULL);
	sim_spawn(sim, hold, NULL);
	rc = sim_run(sim);
	sim_destroy(sim);
	return rc;
}

static struct smmu_mutex mutex;

static void sleep_on(void *arg)
{
	unsigned i;

	for (i = 0; i < 100; i++) {
		smmu_mutex_lock(&mutex);
		sim_point();
		smmu_mutex_unlock(&mutex);
		sim_charge(sim, 10);
	}
}

/* Two that wait for each other in turn. */
static unsigned turn, number[2] = {0, 1};

static bool my_turn(void *arg)
{
	return turn % 2 == *(unsigned *)arg;
}

static void take_turns(void *arg)
{
	unsigned i;

	for (i = 0; i < 100; i++) {
		sim_wait(sim, my_turn, arg);
		sim_point();
		turn++;
		sim_point();
	}
}

static void test_preempted(void **state)
{
	unsigned hangs = 0, seed;

	for (seed = 0; seed < 20; seed++) {
		assert_int_equal(run_preempted(true, seed), 0);
		/* Here it depends on where the one that stands still was. */
		hangs += run_preempted(false, seed) != 0;
	}
	assert_in_range(hangs, 1, 19);
	/* Who sleeps gives the processor back. */
	sim = sim_create(9);
	smmu_mutex_init(&mutex);
	sim_set_preemption(sim, 1, 6);
	sim_spawn(sim, sleep_on, NULL);
	sim_spawn(sim, sleep_on, NULL);
	assert_int_equal(sim_run(sim), 0);
	sim_destroy(sim);
	for (seed = 0; seed < 20; seed++) {
		sim = sim_create(seed);
		turn = 0;
		sim_set_preemption(sim, 1, 6);
		sim_set_patience(sim, 1000000);
		sim_spawn(sim, take_turns, &number[0]);
		sim_spawn(sim, take_turns, &number[1]);
		assert_int_equal(sim_run(sim), 0);
		sim_destroy(sim);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_masked),
		cmocka_unit_test(test_between_points),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_preempted),
	};

	return cmocka_run_group_tests_name("interrupt", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The store buffer of simulated threads: what a fence keeps in order, and what a release does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "sim_port.h"
#include "../posix/seed.h"
#include "sim.h"

static struct sim *sim;

/* ---- "publish the array; fence; write the STE" against "clear the PTE; fence; load the array" ---- */

static int old_array, new_array;

static struct {
	int *array;
	struct smmu_rcu rcu;
	struct smmu_rcu_head retired;
	bool gone, gone_early;
	uint32_t pte;
	bool fence;
	bool swept_new, walker_saw_pte;
} litmus;

/* The harness's memory works at any moment, also while releases of the library's locks linger. */
static struct smmu_ram ram;
static struct smmu_heap heap;

static void use_heap(void)
{
	smmu_heap_free(&heap, smmu_heap_alloc(&heap, 24), 24);
}

static void old_is_gone(struct smmu_rcu_head *head)
{
	use_heap();
	litmus.gone = true;
	litmus.gone_early = litmus.array != &new_array;
}

static void attacher(void *arg)
{
	smmu_rcu_publish(&litmus.array, &new_array);
	use_heap();
	assert_ptr_equal(smmu_rcu_dereference(&litmus.array), &new_array);
	if (litmus.fence)
		SMMU_BARRIER(array_before_entry, smmu_mb());
	/* That the old one is retired neither lands the new one nor is it done before it has. */
	smmu_rcu_retire(&litmus.rcu, &litmus.retired, old_is_gone);
	sim_point();
	/* The walker of the SMMU comes at once. */
	litmus.walker_saw_pte = smmu_load(&litmus.pte);
	/* Ending drains the buffer. */
	sim_sleep(sim, 5000);
}

static void unmapper(void *arg)
{
	sim_point();
	smmu_store(&litmus.pte, 0);
	smmu_mb();
	litmus.swept_new = smmu_rcu_dereference(&litmus.array) == &new_array;
}

/* In how many of @n runs the walker cached a translation that nobody invalidated. */
static unsigned run_litmus(unsigned n, enum sim_store_buffer mode, bool fence, const char *dropped)
{
	unsigned stale = 0, i;

	assert_int_equal(dropped ? sim_drop_barrier(dropped) : 0, 0);
	for (i = 0; i < n; i++) {
		sim = sim_create(i);
		sim_set_store_buffer(sim, mode, 2000, 200);
		litmus.array = &old_array;
		litmus.pte = 1;
		litmus.fence = fence;
		litmus.swept_new = litmus.walker_saw_pte = false;
		litmus.gone = litmus.gone_early = false;
		sim_spawn(sim, attacher, NULL);
		sim_spawn(sim, unmapper, NULL);
		assert_int_equal(sim_run(sim), 0);
		/* Whatever happened, the store has landed at the end. */
		assert_ptr_equal(litmus.array, &new_array);
		assert_true(litmus.gone);
		assert_false(litmus.gone_early);
		sim_destroy(sim);
		stale += litmus.walker_saw_pte && !litmus.swept_new;
	}
	sim_keep_barriers();
	return stale;
}

static void test_store_buffer(void **state)
{
	assert_int_equal(smmu_ram_create(&ram, SMMU_RAM_DEFAULT_BASE, 4096), 0);
	assert_int_equal(smmu_heap_init(&heap, &ram, 0, 0), 0);
	assert_int_equal(run_litmus(300, SIM_STORES_STRAIGHT, false, NULL), 0);
	assert_int_equal(run_litmus(300, SIM_STORES_BUFFERED, true, NULL), 0);
	/* The library forgot its barrier: it shows without any fault. */
	assert_true(run_litmus(300, SIM_STORES_BUFFERED, false, NULL) > 10);
	/* The fault: the barrier is there and does nothing. */
	assert_true(run_litmus(300, SIM_STORES_BUFFERED, true, "array_before_entry") > 10);
	assert_int_equal(run_litmus(300, SIM_STORES_BUFFERED, true, "array_after_descriptor"), 0);
	assert_int_equal(sim_drop_barrier("no_such_barrier"), -1);
	assert_int_equal(smmu_heap_fini(&heap), 0);
	smmu_ram_destroy(&ram);
}

/* Message passing under a lock has to work even so: a release keeps the order of the stores before it. */
static struct smmu_mutex box_lock;
static int *box;
static uint32_t box_taken;

static void box_writer(void *arg)
{
	smmu_mutex_lock(&box_lock);
	smmu_rcu_publish(&box, &new_array);
	smmu_mutex_unlock(&box_lock);
	sim_sleep(sim, 10000);
}

static void box_reader(void *arg)
{
	unsigned i;

	for (i = 0; i < 200; i++) {
		bool locked_after = false;

		smmu_mutex_lock(&box_lock);
		locked_after = smmu_rcu_dereference(&box) == &new_array;
		smmu_mutex_unlock(&box_lock);
		if (box_taken && !locked_after)
			box_taken = 99;
		box_taken |= locked_after;
	}
}

static void test_release_order(void **state)
{
	unsigned i;

	for (i = 0; i < 100; i++) {
		int *seen;

		sim = sim_create(i);
		sim_set_store_buffer(sim, SIM_STORES_BUFFERED, 2000, 200);
		smmu_mutex_init(&box_lock);
		box = &old_array;
		box_taken = 0;
		sim_spawn(sim, box_writer, NULL);
		sim_spawn(sim, box_reader, NULL);
		assert_int_equal(sim_run(sim), 0);
		seen = box;
		assert_ptr_equal(seen, &new_array);
		assert_true(box_taken <= 1);
		assert_int_equal(box_lock.held, 0);
		sim_destroy(sim);
	}
}

/* Whoever takes the lock after the writer sees what the writer published under it. */
static uint32_t writer_out;

static void order_writer(void *arg)
{
	smmu_mutex_lock(&box_lock);
	sim_point();
	smmu_rcu_publish(&box, &new_array);
	smmu_store(&writer_out, 1); /* not buffered: the lock is given back from here on */
	smmu_mutex_unlock(&box_lock);
}

static void order_reader(void *arg)
{
	while (!smmu_load(&writer_out))
		sim_spin();
	smmu_mutex_lock(&box_lock);
	assert_ptr_equal(smmu_rcu_dereference(&box), &new_array);
	smmu_mutex_unlock(&box_lock);
}

static void test_lock_after_publish(void **state)
{
	unsigned i;

	for (i = 0; i < 100; i++) {
		sim = sim_create(i);
		sim_set_store_buffer(sim, SIM_STORES_BUFFERED, 2000, 200);
		smmu_mutex_init(&box_lock);
		box = &old_array;
		writer_out = 0;
		sim_spawn(sim, order_reader, NULL);
		sim_spawn(sim, order_writer, NULL);
		assert_int_equal(sim_run(sim), 0);
		sim_destroy(sim);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_store_buffer),
		cmocka_unit_test(test_release_order),
		cmocka_unit_test(test_lock_after_publish),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Quiescence: the built-in epoch with real threads and with simulated ones, and liburcu through the port. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim_port.h"
#include "../posix/seed.h"
#include "sim.h"

/* ---- step by step: who waits for whom ---- */

static unsigned called;
static unsigned call_order[4];

struct item {
	struct smmu_rcu_head head;
	unsigned number;
};

static void count_call(struct smmu_rcu_head *head)
{
	struct item *item = smmu_container_of(head, struct item, head);

	call_order[called++ % 4] = item->number;
}

static void test_retire_waits_for_readers(void **state)
{
	struct smmu_epoch e = {0};
	struct item a = {.number = 1}, b = {.number = 2}, c = {.number = 3};
	unsigned early, late;

	called = 0;
	early = smmu_epoch_enter(&e, 3);
	smmu_epoch_retire(&e, &a.head, count_call);
	assert_int_equal(called, 0);
	/* This reader comes after the flip and must not hold back a; b was retired while it is open. */
	late = smmu_epoch_enter(&e, 5);
	smmu_epoch_retire(&e, &b.head, count_call);
	assert_false(smmu_epoch_poll(&e));
	assert_int_equal(called, 0);
	smmu_epoch_exit(&e, early);
	assert_false(smmu_epoch_poll(&e));
	assert_int_equal(called, 1);
	assert_int_equal(call_order[0], 1);
	assert_false(smmu_epoch_poll(&e));
	assert_int_equal(called, 1);
	smmu_epoch_exit(&e, late);
	assert_true(smmu_epoch_poll(&e));
	assert_int_equal(called, 2);
	/* Without readers retiring alone is enough. */
	smmu_epoch_retire(&e, &c.head, count_call);
	assert_int_equal(called, 3);
	assert_true(smmu_epoch_poll(&e));
}

static void test_nested_readers(void **state)
{
	struct smmu_epoch e = {0};
	struct item a = {.number = 1}, b = {.number = 2};
	unsigned outer, inner;

	called = 0;
	outer = smmu_epoch_enter(&e, 0);
	smmu_epoch_retire(&e, &a.head, count_call);
	inner = smmu_epoch_enter(&e, 0);
	/* They count on different phases: the outer one still holds a back after the inner has left. */
	assert_int_not_equal(outer, inner);
	smmu_epoch_exit(&e, inner);
	smmu_epoch_retire(&e, &b.head, count_call);
	assert_int_equal(called, 0);
	smmu_epoch_exit(&e, outer);
	smmu_epoch_synchronize(&e, NULL);
	assert_int_equal(called, 2);
	/* Oldest first. */
	assert_int_equal(call_order[0], 1);
	assert_int_equal(call_order[1], 2);
}

/* A reader that read the phase, was held up over any number of grace periods, and only then counts itself. */
static void test_reader_with_old_phase(void **state)
{
	unsigned flips;

	for (flips = 0; flips < 4; flips++) {
		struct smmu_epoch e = {0};
		struct item a = {.number = 1};
		unsigned cookie = smmu_epoch_cookie(2, e.phase & 1), i;

		called = 0;
		for (i = 0; i < flips; i++)
			smmu_epoch_synchronize(&e, NULL);
		smmu_fetch_add(&smmu_epoch_count(&e, cookie)->entered, 1);
		smmu_epoch_retire(&e, &a.head, count_call);
		for (i = 0; i < 5; i++)
			smmu_epoch_poll(&e);
		assert_int_equal(called, 0);
		smmu_epoch_exit(&e, cookie);
		smmu_epoch_synchronize(&e, NULL);
		assert_int_equal(called, 1);
	}
}

static void retire_again(struct smmu_rcu_head *head);
static struct smmu_epoch again_epoch;
static struct item again_item;

static void retire_again(struct smmu_rcu_head *head)
{
	if (++called < 3)
		smmu_epoch_retire(&again_epoch, &again_item.head, retire_again);
}

static void test_retire_from_callback(void **state)
{
	called = 0;
	smmu_epoch_retire(&again_epoch, &again_item.head, retire_again);
	while (!smmu_epoch_poll(&again_epoch))
		;
	assert_int_equal(called, 3);
}

/* ---- many readers and writers; an object is marked dead where it would be freed ---- */

#define OBJECTS 64u
#define ALIVE 0x11u
#define DEAD 0xeeu

struct object {
	struct smmu_rcu_head head;
	uint32_t mark;
	uint32_t taken; /* 1 from being made until it is called back */
};

struct stage {
	struct smmu_rcu rcu;
	struct object object[OBJECTS];
	struct object *shown;
	struct smmu_mutex writer;
	struct smmu_random random;
	bool broken_reader; /* follow the pointer outside a read section */
	bool skip_wait;     /* free without a grace period */
	unsigned reads, seen_dead, reclaimed, threads_left;
};

static struct stage *stage;

static void reclaim(struct smmu_rcu_head *head)
{
	struct object *o = smmu_container_of(head, struct object, head);

	smmu_store(&o->mark, DEAD);
	smmu_store_release(&o->taken, 0);
	smmu_fetch_add(&stage->reclaimed, 1);
}

static void read_once(void)
{
	unsigned cookie = 0, i;
	struct object *o;

	if (!stage->broken_reader)
		cookie = smmu_rcu_enter(&stage->rcu);
	o = smmu_rcu_dereference(&stage->shown);
	for (i = 0; i < 4; i++) {
		if (smmu_load(&o->mark) != ALIVE)
			smmu_fetch_add(&stage->seen_dead, 1);
		sim_point();
	}
	if (!stage->broken_reader)
		smmu_rcu_exit(&stage->rcu, cookie);
	smmu_fetch_add(&stage->reads, 1);
}

/* Show a new object; retire the old one, or wait and reclaim it. Returns false when none is to be had. */
static bool write_once(bool wait)
{
	struct object *o = NULL, *old;
	unsigned i;

	smmu_mutex_lock(&stage->writer);
	for (i = 0; i < OBJECTS && !o; i++) {
		if (!smmu_load_acquire(&stage->object[i].taken))
			o = &stage->object[i];
	}
	if (!o) {
		smmu_mutex_unlock(&stage->writer);
		return false;
	}
	smmu_store(&o->taken, 1);
	smmu_store(&o->mark, ALIVE);
	old = smmu_rcu_dereference(&stage->shown);
	smmu_rcu_publish(&stage->shown, o);
	smmu_mutex_unlock(&stage->writer);
	if (!old)
		return true;
	if (wait || stage->skip_wait) {
		if (!stage->skip_wait)
			smmu_rcu_synchronize(&stage->rcu);
		reclaim(&old->head);
	} else {
		smmu_rcu_retire(&stage->rcu, &old->head, reclaim);
	}
	return true;
}

static void stage_set(struct stage *s, enum smmu_posix_rcu_kind kind, uint64_t seed)
{
	*s = (struct stage){.rcu.kind = kind};
	smmu_random_seed(&s->random, seed);
	smmu_mutex_init(&s->writer);
	stage = s;
	write_once(false);
}

static void *reader_thread(void *arg)
{
	smmu_posix_thread_register();
	while (smmu_load(&stage->threads_left))
		read_once();
	smmu_posix_thread_unregister();
	return NULL;
}

static void *writer_thread(void *arg)
{
	unsigned n = (unsigned)(uintptr_t)arg, i;

	smmu_posix_thread_register();
	for (i = 0; i < n; i++) {
		while (!write_once(i % 8 == 0))
			sim_spin();
	}
	smmu_posix_thread_unregister();
	smmu_fetch_sub(&stage->threads_left, 1);
	return NULL;
}

static void run_threads(enum smmu_posix_rcu_kind kind, unsigned writes)
{
	static struct stage s;
	pthread_t reader[3], writer[2];
	unsigned i;

	smmu_posix_thread_register();
	stage_set(&s, kind, 0);
	s.threads_left = 2;
	for (i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&reader[i], NULL, reader_thread, NULL), 0);
	for (i = 0; i < 2; i++)
		assert_int_equal(
			pthread_create(&writer[i], NULL, writer_thread, (void *)(uintptr_t)writes),
			0);
	for (i = 0; i < 2; i++)
		pthread_join(writer[i], NULL);
	for (i = 0; i < 3; i++)
		pthread_join(reader[i], NULL);
	sim_rcu_drain(&s.rcu);
	smmu_posix_thread_unregister();
	assert_int_equal(s.seen_dead, 0);
	/* All but the one that is shown. */
	assert_int_equal(s.reclaimed, 2 * writes);
}

static void test_threads_epoch(void **state)
{
	run_threads(SMMU_POSIX_RCU_EPOCH, 1500);
}

static void test_threads_liburcu(void **state)
{
	run_threads(SMMU_POSIX_RCU_LIBURCU, 200);
}

/* ---- the same with fibers ---- */

static void reader_fiber(void *arg)
{
	while (smmu_load(&stage->threads_left))
		read_once();
}

static void writer_fiber(void *arg)
{
	unsigned n = (unsigned)(uintptr_t)arg, i;

	for (i = 0; i < n; i++) {
		while (!write_once(i % 3 == 0))
			sim_spin();
	}
	smmu_fetch_sub(&stage->threads_left, 1);
}

static unsigned run_fibers(uint64_t seed, bool broken_reader, bool skip_wait)
{
	static struct stage s;
	struct sim *sim = sim_create(seed);
	unsigned i;

	assert_non_null(sim);
	stage_set(&s, SMMU_POSIX_RCU_EPOCH, seed);
	s.broken_reader = broken_reader;
	s.skip_wait = skip_wait;
	s.threads_left = 2;
	for (i = 0; i < 3; i++)
		sim_spawn(sim, reader_fiber, NULL);
	for (i = 0; i < 2; i++)
		sim_spawn(sim, writer_fiber, (void *)100);
	assert_int_equal(sim_run(sim), 0);
	sim_rcu_drain(&s.rcu);
	sim_destroy(sim);
	assert_int_equal(s.reclaimed, 200);
	return s.seen_dead;
}

static void test_fibers(void **state)
{
	uint64_t seed = test_seed();
	unsigned i;

	for (i = 0; i < 20; i++)
		assert_int_equal(run_fibers(seed + i, false, false), 0);
}

/* The two mistakes that the runs above would not notice if they could not fail. */
static void test_mistakes_show(void **state)
{
	unsigned broken = 0, skipped = 0, i;

	for (i = 0; i < 10; i++) {
		broken += run_fibers(i, true, false);
		skipped += run_fibers(i, false, true);
	}
	assert_true(broken > 0);
	assert_true(skipped > 0);
}

/* Two synchronize at once, held by one reader: both return, and neither before the reader has left. */
static struct {
	struct smmu_rcu rcu;
	bool reading, left;
	unsigned returned;
} pair;

static void pair_reader(void *arg)
{
	struct sim *sim = arg;
	unsigned cookie = smmu_rcu_enter(&pair.rcu);

	pair.reading = true;
	sim_sleep(sim, 1000000);
	pair.left = true;
	smmu_rcu_exit(&pair.rcu, cookie);
}

static void pair_writer(void *arg)
{
	while (!pair.reading)
		sim_spin();
	smmu_rcu_synchronize(&pair.rcu);
	assert_true(pair.left);
	pair.returned++;
}

static void test_two_synchronize(void **state)
{
	uint64_t seed;

	for (seed = 0; seed < 50; seed++) {
		struct sim *sim = sim_create(seed);

		pair.reading = pair.left = false;
		pair.returned = 0;
		sim_spawn(sim, pair_writer, sim);
		sim_spawn(sim, pair_reader, sim);
		sim_spawn(sim, pair_writer, sim);
		assert_int_equal(sim_run(sim), 0);
		assert_int_equal(pair.returned, 2);
		assert_true(sim_now(sim) >= 1000000 && sim_now(sim) < 1100000);
		sim_destroy(sim);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_retire_waits_for_readers),
		cmocka_unit_test(test_nested_readers),
		cmocka_unit_test(test_reader_with_old_phase),
		cmocka_unit_test(test_retire_from_callback),
		cmocka_unit_test(test_threads_epoch),
		cmocka_unit_test(test_threads_liburcu),
		cmocka_unit_test(test_fibers),
		cmocka_unit_test(test_mistakes_show),
		cmocka_unit_test(test_two_synchronize),
	};

	return cmocka_run_group_tests_name("epoch", tests, NULL, NULL);
}

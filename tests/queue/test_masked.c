/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For how many instructions interrupts are masked: each is counted, by single steps, from smmu_irq_save to
 * smmu_irq_restore. The most of any section is printed for batches of several lengths, and is bounded. And which waits
 * may sleep.
 */
#define _GNU_SOURCE
#include "irq_machine.h"
#include "steps.h"

#ifdef STEPS
static uint64_t most;
static unsigned sections;

static void masked(bool on)
{
	uint64_t n;

	if (on) {
		steps_begin();
		return;
	}
	n = steps_end();
	if (n > most)
		most = n;
	sections++;
}

/** The most instructions of one section in a batch of @p n. */
static uint64_t count(unsigned n, unsigned log2size, bool msi, unsigned per_relax)
{
	struct machine_batch batch = {0};
	struct smmu_cmdq_token token;

	machine_up(log2size, msi);
	machine.per_relax = per_relax;
	most = sections = 0;
	irq.masked = masked;
	CHECK(machine_submit(n, &batch, &token) == 0);
	CHECK(smmu_cmdq_wait(&machine.q, &token, false) == SMMU_CMDQ_DONE);
	irq.masked = NULL;
	CHECK(batch.at == n && sections >= 1);
	machine_down();
	return most;
}

static void test_bounded(void **state)
{
	static const unsigned lengths[] = {1, 16, 64, SMMU_CMDQ_PIECE - 1, 4096};
	uint64_t one, piece;

	assert_int_equal(steps_init(), 0);
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(lengths); i++)
		print_message("masked instructions, batch of %u: %llu\n", lengths[i],
			      (unsigned long long)count(lengths[i], 10, true, 1));
	one = count(1, 10, false, 1);
	piece = count(SMMU_CMDQ_PIECE - 1, 10, false, 1);
	assert_in_range(one, 30, 400);
	assert_in_range(piece, one, one + 15 * SMMU_CMDQ_PIECE);
	/* Longer batches, and rings that are full or small, mask for no longer than one piece does. */
	assert_in_range(count(4096, 10, false, 1), 30, piece + 100);
	assert_in_range(count(4096, 10, false, 1000), 30, piece + 100);
	assert_in_range(count(4096, 7, true, 3), 30, piece + 100);
	assert_in_range(count(300, 1, false, 1), 30, piece + 100);
}
#endif

/* ---- who may sleep ---- */

static unsigned slept, awake;
static uint64_t slept_at;

static void on_pause(bool may_sleep)
{
	if (may_sleep && !slept++)
		slept_at = machine.now;
	awake += !may_sleep;
}

/** A wait that may sleep does so once it has lasted for a while; a wait that may not never does. */
static void test_sleep(void **state)
{
	for (unsigned may_sleep = 0; may_sleep < 2; may_sleep++) {
		struct machine_batch batch = {0};
		struct smmu_cmdq_token token;

		slept = awake = 0;
		machine_up(4, false);
		irq.pause = on_pause;
		/* A quick one sleeps in no case. */
		assert_int_equal(smmu_cmdq_issue(&machine.q, NULL, 0, may_sleep), 0);
		assert_int_equal(slept, 0);
		machine.slow = 3000;
		assert_int_equal(machine_submit(2, &batch, &token), 0);
		assert_int_equal(smmu_cmdq_wait(&machine.q, &token, may_sleep), SMMU_CMDQ_DONE);
		assert_int_equal(slept != 0, may_sleep);
		assert_int_equal(awake, 0);
		if (may_sleep)
			assert_true(slept_at >= 50000);
		machine_down();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef STEPS
		cmocka_unit_test(test_bounded),
#endif
		cmocka_unit_test(test_sleep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

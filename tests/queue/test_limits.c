/* SPDX-License-Identifier: BSD-2-Clause */
/* Time limits: of commands, of ATCs, of machines that pause, for waits and for polls; and MSIs that do not come. */
#include "fake.h"

#include "../posix/seed.h"

#define MS 1000000u

static uint64_t seed;

/** One millisecond for commands, twenty for an ATC. */
static void limits_up(struct fake_bench *b, unsigned log2size, bool msi)
{
	struct smmu_cmdq_config cfg;

	b->sim = sim_create(seed);
	sim_set_max_step(b->sim, 100000);
	fake_init(&b->f, b->sim, seed);
	cfg = fake_config(&b->f, log2size, msi, MS);
	cfg.atc_timeout_ns = 20 * MS;
	assert_int_equal(smmu_cmdq_init(&b->q, &cfg), 0);
	fake_bind(&b->f, &b->q);
}

/** An ATC that answers late is waited for, also by who stands behind; hardware that hangs elsewhere is not. */
static void test_atc_limit(void **state)
{
	for (unsigned msi = 0; msi < 2; msi++)
		for (unsigned at = 0; at < 3; at++) {
			struct smmu_cmdq_token slow, behind;
			struct fake_bench b;
			uint64_t start;

			limits_up(&b, 4, msi);
			b.f.atc_ns = 15 * MS;
			slow = fake_bench_submit(&b, 0, 3, -1, (int)at);
			behind = fake_bench_submit(&b, 1, 4, -1, -1);
			assert_int_equal(smmu_cmdq_wait(&b.q, at ? &slow : &behind, false),
					 SMMU_CMDQ_DONE);
			assert_int_equal(smmu_cmdq_wait(&b.q, at ? &behind : &slow, false),
					 SMMU_CMDQ_DONE);
			assert_in_range(sim_now(b.sim), 15 * MS, 17 * MS);
			assert_int_equal(b.f.posix.logged[SMMU_LOG_ERROR], 0);
			/* It has a limit as well. */
			b.f.atc_ns = 1000 * MS;
			start = sim_now(b.sim);
			slow = fake_bench_submit(&b, 0, 3, -1, (int)at);
			assert_int_equal(smmu_cmdq_wait(&b.q, &slow, false), SMMU_CMDQ_DEAD);
			assert_in_range(sim_now(b.sim) - start, 20 * MS, 24 * MS);
			assert_int_equal(b.f.posix.logged[SMMU_LOG_ERROR], 1);
			fake_bench_down(&b);
		}
}

/** A CMD_SYNC that waits for no ATC has the ordinary limit, with ATCs asked before it and behind. */
static void test_ordinary_limit(void **state)
{
	for (unsigned stop = 0; stop <= 4; stop++) {
		struct smmu_cmdq_token token;
		struct fake_bench b;
		uint64_t start;

		limits_up(&b, 5, stop & 1);
		token = fake_bench_submit(&b, 0, 3, -1, 2);
		assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DONE);
		b.f.state = FAKE_STUCK;
		fake_bench_submit(&b, 1, 4, -1, -1);
		token = fake_bench_submit(&b, 0, 3, -1, 0);
		b.f.state = FAKE_RUNS;
		if (stop)
			assert_true(fake_turn(&b.f, stop));
		b.f.state = FAKE_STUCK;
		start = sim_now(b.sim);
		assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DEAD);
		assert_in_range(sim_now(b.sim) - start, MS, 3 * MS);
		fake_bench_down(&b);
	}
}

/** The limits lie as far apart as a second and minutes do: who has waited long does not look so seldom that it is no limit. */
static void test_limits_far_apart(void **state)
{
	struct smmu_cmdq_token token;
	struct fake_bench b;
	uint64_t start;

	limits_up(&b, 4, false);
	b.q.atc_timeout_ns = 200 * MS;
	b.f.atc_ns = 100000ull * MS;
	start = sim_now(b.sim);
	token = fake_bench_submit(&b, 0, 3, -1, 1);
	assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DEAD);
	assert_in_range(sim_now(b.sim) - start, 200 * MS, 210 * MS);
	fake_bench_down(&b);
}

/** A full ring does not tell what stood behind CONS: the longer limit then. */
static void test_full_ring_limit(void **state)
{
	struct batch one_more = {.n = 1, .bad = -1, .atc = -1};
	struct smmu_cmdq_token token;
	struct fake_bench b;
	uint64_t start;

	limits_up(&b, 3, false);
	token = fake_bench_submit(&b, 0, 6, -1, -1);
	assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DONE);
	b.f.atc_ns = 1000 * MS;
	fake_bench_submit(&b, 0, 3, -1, 1);
	sim_settle(b.sim, MS);
	/* The device stands at the CMD_SYNC; fill up what is free, the slots behind CONS too. */
	fake_bench_submit(&b, 0, 6, -1, -1);
	start = sim_now(b.sim);
	assert_int_equal(fake_submit(&b.q, 1, &one_more, &token), -SMMU_EIO);
	assert_in_range(sim_now(b.sim) - start, 20 * MS, 24 * MS);
	fake_bench_down(&b);
}

/** Hardware that was given up and moves again is taken back: what it did is done, and new batches go in. */
static void test_moves_again(void **state)
{
	for (unsigned msi = 0; msi < 2; msi++)
		for (unsigned full = 0; full < 2; full++) {
			struct smmu_cmdq_token token, next;
			struct fake_bench b;

			limits_up(&b, 3, msi);
			b.f.state = FAKE_STUCK;
			token = fake_bench_submit(&b, 0, full ? 7 : 3, -1, -1);
			assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DEAD);
			assert_int_equal(smmu_cmdq_issue(&b.q, NULL, 0, false), -SMMU_EIO);
			b.f.state = FAKE_RUNS;
			sim_settle(b.sim, MS);
			if (full) {
				/* Who comes next finds out, not only who was told. */
				next = fake_bench_submit(&b, 1, 2, -1, -1);
				assert_int_equal(smmu_cmdq_wait(&b.q, &next, false),
						 SMMU_CMDQ_DONE);
			}
			assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DONE);
			assert_int_equal(smmu_cmdq_issue(&b.q, NULL, 0, false), 0);
			assert_true(smmu_posix_logged(&b.f.posix, "moves again") || !full);
			assert_int_equal(b.f.posix.logged[SMMU_LOG_ERROR], 1);
			/* And it may be given up again. */
			b.f.state = FAKE_STUCK;
			token = fake_bench_submit(&b, 0, 3, -1, -1);
			assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DEAD);
			fake_bench_down(&b);
		}
}

/* ---- the whole machine pauses: the clock goes on, nothing else does ---- */

static struct fake_bench *paused;
static uint64_t jumped;
static unsigned reads, pause_at, pauses;
static const struct smmu_bus_ops *plain;

static uint64_t jumping_clock(void *ctx)
{
	return sim_clock(ctx) + jumped;
}

static uint32_t pausing_read(void *ctx, uint32_t offset)
{
	if (++reads == pause_at && pauses) {
		jumped += 10000ull * MS;
		pauses--;
		pause_at += 2;
	}
	return plain->read32(ctx, offset);
}

/** Wherever in a wait it pauses, once or several times: nothing was late. */
static void test_pause(void **state)
{
	for (unsigned at = 1; at < 60; at++) {
		struct smmu_cmdq_token token;
		struct smmu_bus_ops ops;
		struct fake_bench b;

		limits_up(&b, 4, at & 1);
		paused = &b;
		plain = b.f.bus.ops;
		ops = *plain;
		ops.read32 = pausing_read;
		b.f.bus.ops = &ops;
		b.f.posix.clock = jumping_clock;
		jumped = reads = 0;
		pause_at = at;
		pauses = 1 + at % 3;
		b.f.pause_ns = 200000;
		token = fake_bench_submit(&b, 0, 9, -1, -1);
		assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DONE);
		assert_int_equal(b.f.posix.logged[SMMU_LOG_ERROR], 0);
		fake_bench_down(&b);
	}
}

/* ---- nobody waits, and no interrupt comes: polls find out ---- */

static enum smmu_cmdq_status poll_until(struct fake_bench *b, const struct smmu_cmdq_token *token,
					uint64_t ns)
{
	uint64_t start = sim_now(b->sim);
	enum smmu_cmdq_status status;

	while ((status = smmu_cmdq_poll(&b->q, token)) == SMMU_CMDQ_PENDING &&
	       sim_now(b->sim) - start < ns)
		sim_sleep(b->sim, 100);
	return status;
}

static void test_poll(void **state)
{
	for (unsigned msi = 0; msi < 2; msi++) {
		struct smmu_cmdq_token token;
		struct fake_bench b;

		limits_up(&b, 4, msi);
		token = fake_bench_submit(&b, 0, 5, 2, -1);
		assert_int_equal(poll_until(&b, &token, MS), SMMU_CMDQ_LOST);
		b.f.atc_silent = true;
		b.f.pause_ns = 30000;
		token = fake_bench_submit(&b, 0, 5, -1, 2);
		assert_int_equal(poll_until(&b, &token, MS), SMMU_CMDQ_ATC_TIMEOUT);
		/* Told when all else is complete, and that stays so. */
		assert_true(b.f.consumed >= token.end);
		/* Not told while its CMD_SYNC, acknowledged already, still stands. */
		token = fake_bench_submit(&b, 0, 5, -1, 2);
		for (unsigned seen = b.f.cerrors; b.f.cerrors == seen;)
			sim_sleep(b.sim, 1000);
		b.f.state = FAKE_STUCK;
		smmu_cmdq_serve_error(&b.q);
		assert_int_equal(poll_until(&b, &token, MS / 10), SMMU_CMDQ_PENDING);
		b.f.state = FAKE_RUNS;
		assert_int_equal(poll_until(&b, &token, MS), SMMU_CMDQ_ATC_TIMEOUT);
		b.f.atc_silent = false;
		b.f.state = FAKE_STUCK;
		token = fake_bench_submit(&b, 0, 5, -1, -1);
		assert_int_equal(poll_until(&b, &token, 5 * MS), SMMU_CMDQ_DEAD);
		fake_bench_down(&b);
	}
}

/* ---- MSIs ---- */

/** Nothing but the lap itself is the completion, and not if it was there before. */
static void test_msi_exact(void **state)
{
	static const uint32_t others[] = {0,          (uint32_t)-1, 1,          0x7fffffff,
					  0x80000000, 0x80000001,   0xfffffffe, 2};

	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(others); i++) {
		struct smmu_cmdq_token token;
		struct fake_bench b;
		uint32_t slot;

		limits_up(&b, 3, true);
		for (unsigned k = 0; k < 5; k++) {
			token = fake_bench_submit(&b, 0, 2, -1, -1);
			assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DONE);
		}
		b.f.state = FAKE_STUCK;
		/* 15 positions: the next CMD_SYNC is at 17, in the third lap, at slot 1. */
		b.q.msi[1] = 3;
		token = fake_bench_submit(&b, 0, 2, -1, -1);
		slot = (uint32_t)(token.end - 1) & 7;
		assert_int_equal(slot, 1);
		assert_int_equal(smmu_cmdq_poll(&b.q, &token), SMMU_CMDQ_PENDING);
		if (others[i]) {
			smmu_store(&b.q.msi[slot], 3 + others[i]);
			assert_int_equal(smmu_cmdq_poll(&b.q, &token), SMMU_CMDQ_PENDING);
		}
		smmu_store(&b.q.msi[slot], 3);
		assert_int_equal(smmu_cmdq_poll(&b.q, &token), SMMU_CMDQ_DONE);
		fake_bench_down(&b);
	}
}

/** An MSI that was aborted is reported; who waits finds out by CONS, at once from then on. */
static void test_msi_aborted(void **state)
{
	for (unsigned poll = 0; poll < 2; poll++) {
		struct smmu_cmdq_token token;
		struct fake_bench b;
		uint64_t start;

		limits_up(&b, 4, true);
		b.f.msi_aborts = 1000;
		for (unsigned i = 0; i < 40; i++) {
			start = sim_now(b.sim);
			token = fake_bench_submit(&b, 0, 3, -1, -1);
			assert_int_equal(poll ? poll_until(&b, &token, MS)
					      : smmu_cmdq_wait(&b.q, &token, false),
					 SMMU_CMDQ_DONE);
			assert_in_range(sim_now(b.sim) - start, 0, i ? 2000 : 200000);
		}
		assert_true(smmu_posix_logged(&b.f.posix, "MSI"));
		assert_int_equal(b.f.posix.logged[SMMU_LOG_WARN], 1);
		assert_int_equal(b.f.gerror, b.f.gerrorn);
		assert_int_equal(b.f.posix.logged[SMMU_LOG_ERROR], 0);
		fake_bench_down(&b);
	}
}

static unsigned allocs;
static uint64_t real_bus;

static void *alloc_at_zero(void *ctx, size_t size, size_t align, unsigned flags, uint64_t *bus)
{
	struct smmu_posix *posix = ctx;
	void *p = smmu_heap_dma_alloc(posix->heap, size, align, bus);

	/* The second one is for the MSIs. */
	if (++allocs == 2) {
		real_bus = *bus;
		*bus = 0;
	}
	return p;
}

/** Memory of MSIs at bus address 0: an address of 0 means no MSI, so the first slot's completion is CONS's. */
static void test_msi_at_zero(void **state)
{
	struct smmu_port_ops port_ops;
	struct smmu_cmdq_config cfg;
	struct fake_bench b;

	b.sim = sim_create(seed);
	fake_init(&b.f, b.sim, seed);
	port_ops = *b.f.port.ops;
	port_ops.dma_alloc = alloc_at_zero;
	b.f.port.ops = &port_ops;
	allocs = 0;
	cfg = fake_config(&b.f, 3, true, MS);
	assert_int_equal(smmu_cmdq_init(&b.q, &cfg), 0);
	fake_bind(&b.f, &b.q);
	b.f.msi_bias = real_bus;
	for (unsigned i = 0; i < 50; i++) {
		uint64_t start = sim_now(b.sim);
		struct smmu_cmdq_token token = fake_bench_submit(&b, 0, i % 5, -1, -1);

		assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DONE);
		assert_in_range(sim_now(b.sim) - start, 0, 2000);
	}
	fake_bench_down(&b);
}

/** Before its memory goes the queue completes a CMD_SYNC that writes no MSI. */
static void test_drain(void **state)
{
	struct smmu_cmdq_token token;
	struct fake_bench b;

	limits_up(&b, 3, true);
	token = fake_bench_submit(&b, 0, 3, -1, -1);
	assert_int_equal(smmu_cmdq_drain(&b.q, true), 0);
	assert_true(b.f.logged > 0 && b.f.consumed == b.q.tail);
	assert_int_equal(b.f.log[b.f.logged - 1].w[1] & SMMU_CMD_SYNC_W1_MSIADDR, 0);
	assert_int_equal(smmu_cmdq_poll(&b.q, &token), SMMU_CMDQ_DONE);
	b.f.state = FAKE_STUCK;
	assert_int_equal(smmu_cmdq_drain(&b.q, true), -SMMU_EIO);
	fake_bench_down(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_atc_limit),
		cmocka_unit_test(test_ordinary_limit),
		cmocka_unit_test(test_limits_far_apart),
		cmocka_unit_test(test_full_ring_limit),
		cmocka_unit_test(test_moves_again),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_poll),
		cmocka_unit_test(test_msi_exact),
		cmocka_unit_test(test_msi_aborted),
		cmocka_unit_test(test_msi_at_zero),
		cmocka_unit_test(test_drain),
	};

	seed = test_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Command queue errors: who is told, what goes on, and when a queue is given up. */
#include "fake.h"

#include <limits.h>

#include "../posix/seed.h"

#define MSI_TOO 2

static uint64_t seed;

/** The illegal command at each place of a batch between two others, its CMD_SYNC included. */
static void test_ill(void **state)
{
	for (unsigned msi = 0; msi < MSI_TOO; msi++)
		for (unsigned at = 0; at < 6; at++) {
			struct smmu_cmdq_token before, hit, after;
			struct fake_bench b;
			char line[64];

			fake_bench_up(&b, seed, 5, msi);
			before = fake_bench_submit(&b, 0, 3, -1, -1);
			b.f.ill_at = 4 + at;
			b.f.ills = 1;
			hit = fake_bench_submit(&b, 1, 5, -1, -1);
			after = fake_bench_submit(&b, 2, 3, -1, -1);
			/* In any order of asking, and nobody serves an interrupt. */
			assert_int_equal(smmu_cmdq_wait(&b.q, at % 2 ? &after : &hit, false),
					 at % 2 ? SMMU_CMDQ_DONE : SMMU_CMDQ_LOST);
			assert_int_equal(smmu_cmdq_wait(&b.q, at % 2 ? &hit : &after, false),
					 at % 2 ? SMMU_CMDQ_LOST : SMMU_CMDQ_DONE);
			assert_int_equal(smmu_cmdq_wait(&b.q, &before, false), SMMU_CMDQ_DONE);
			assert_int_equal(smmu_cmdq_poll(&b.q, &hit), SMMU_CMDQ_LOST);
			/* All was consumed, with a CMD_SYNC in place of the one. */
			assert_int_equal(b.f.logged, 14);
			for (unsigned i = 0; i < 14; i++)
				assert_int_equal(smmu_cmd_opcode(&b.f.log[i]),
						 i == 3 || i == 9 || i == 13 || i == 4 + at
							 ? SMMU_CMD_SYNC
							 : CMD_TEST);
			assert_int_equal(b.f.cerrors, 1);
			assert_false(smmu_cmdq_serve_error(&b.q));
			snprintf(line, sizeof(line),
				 "fake7: command queue: CERROR_ILL at CONS 0x%x", 4 + at);
			assert_true(smmu_posix_logged(&b.f.posix, line));
			/* A batch that comes later at the same slots is not hit. */
			for (unsigned i = 0; i < 10; i++) {
				after = fake_bench_submit(&b, 3, 5, -1, -1);
				assert_int_equal(smmu_cmdq_wait(&b.q, &after, false),
						 SMMU_CMDQ_DONE);
			}
			fake_bench_down(&b);
		}
}

/** smmu_cmdq_issue brings a batch again until it is through, and gives up when it never is. */
static void test_issue(void **state)
{
	const struct smmu_cmd good[] = {test_cmd(0, 0, 0), test_cmd(0, 0, 1), test_cmd(0, 0, 2)};
	const struct smmu_cmd bad = test_bad_cmd(0, 0, 0);
	struct fake_bench b;

	fake_bench_up(&b, seed, 4, true);
	assert_int_equal(smmu_cmdq_issue(&b.q, good, 3, false), 0);
	assert_int_equal(b.f.logged, 4);
	/* The second of the batch at 4, then the third of its second issue at 8. */
	b.f.ill_at = 5;
	b.f.ills = 1;
	assert_int_equal(smmu_cmdq_issue(&b.q, good, 3, false), 0);
	assert_int_equal(b.f.logged, 12);
	for (unsigned i = 0; i < 3; i++)
		assert_memory_equal(&b.f.log[8 + i], &good[i], sizeof(good[i]));
	assert_int_equal(smmu_cmdq_issue(&b.q, &bad, 1, false), -SMMU_EIO);
	assert_in_range(b.f.cerrors, 3, 1 + 20);
	/* The queue goes on. */
	assert_int_equal(smmu_cmdq_issue(&b.q, good, 3, false), 0);
	fake_bench_down(&b);
}

static void test_abort(void **state)
{
	struct smmu_cmdq_token token, other;
	struct fake_bench b;

	fake_bench_up(&b, seed, 4, false);
	/* Tried again, with nothing lost. Counted by place: two places with ten each are no reason to give up. */
	for (unsigned i = 0; i < 2; i++) {
		b.f.abort_at = b.f.consumed + 1;
		b.f.aborts = 10;
		token = fake_bench_submit(&b, 0, 3, -1, -1);
		assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DONE);
		assert_int_equal(b.f.logged, 4 * (i + 1));
		assert_int_equal(b.f.cerrors, 10 * (i + 1));
	}
	assert_true(smmu_posix_logged(&b.f.posix, "fake7: command queue: CERROR_ABT"));
	assert_int_equal(smmu_cmd_opcode(&b.f.log[5]), CMD_TEST);
	/* One that never stops: the queue is given up, long before the time-out. */
	b.f.abort_at = b.f.consumed + 1;
	b.f.aborts = 1000000;
	token = fake_bench_submit(&b, 0, 3, -1, -1);
	other = fake_bench_submit(&b, 1, 3, -1, -1);
	assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DEAD);
	assert_int_equal(smmu_cmdq_wait(&b.q, &other, false), SMMU_CMDQ_DEAD);
	assert_in_range(b.f.cerrors, 20 + 11, 20 + 32);
	assert_true(b.f.posix.logged[SMMU_LOG_ERROR] >= 1);
	fake_reset(&b.f, &b.q);
	token = fake_bench_submit(&b, 0, 3, -1, -1);
	assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DONE);
	fake_bench_down(&b);
}

/** What was given up for good is acknowledged no more: neither interrupts nor lines in the log without end. */
static void test_storm(void **state)
{
	for (unsigned kind = 0; kind < 2; kind++) {
		struct smmu_cmdq_token token;
		unsigned told, served = 0;
		struct fake_bench b;

		fake_bench_up(&b, seed, 4, kind);
		if (kind) {
			b.f.error_code = 0x22;
		} else {
			b.f.abort_at = b.f.consumed + 1;
			b.f.aborts = UINT_MAX;
		}
		token = fake_bench_submit(&b, 0, 3, kind ? 1 : -1, -1);
		/* The interrupt comes whenever the bit becomes active, and it is polled besides. */
		for (unsigned i = 0; i < 10000; i++) {
			served += smmu_cmdq_serve_error(&b.q);
			sim_sleep(b.sim, 300);
		}
		assert_in_range(served, 1, 20);
		assert_int_equal(b.f.cerrors, served);
		assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DEAD);
		told = b.f.posix.logged[SMMU_LOG_ERROR] + b.f.posix.logged[SMMU_LOG_WARN];
		assert_int_equal(b.f.posix.logged[SMMU_LOG_ERROR], 1);
		assert_int_equal(told, served);
		assert_int_equal(smmu_cmdq_issue(&b.q, NULL, 0, false), -SMMU_EIO);
		assert_int_equal(smmu_cmdq_poll(&b.q, &token), SMMU_CMDQ_DEAD);
		assert_int_equal(b.f.cerrors, served);
		/* Nor does a clock that goes on change that. */
		sim_sleep(b.sim, 10000000);
		assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DEAD);
		fake_reset(&b.f, &b.q);
		b.f.error_code = 0;
		assert_int_equal(smmu_cmdq_poll(&b.q, &token), SMMU_CMDQ_LOST);
		assert_int_equal(smmu_cmdq_issue(&b.q, NULL, 0, false), 0);
		fake_bench_down(&b);
	}
}

static void test_unknown(void **state)
{
	struct smmu_cmdq_token token;
	struct fake_bench b;

	fake_bench_up(&b, seed, 4, false);
	b.f.error_code = 0x11;
	token = fake_bench_submit(&b, 0, 3, 1, -1);
	assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DEAD);
	assert_in_range(b.f.cerrors, 1, 2);
	assert_true(smmu_posix_logged(&b.f.posix, "unknown error 17"));
	fake_bench_down(&b);
}

/** A device that does not answer: the batch that holds the CMD_SYNC is told, nobody else; the queue goes on. */
static void test_atc(void **state)
{
	for (unsigned msi = 0; msi < MSI_TOO; msi++) {
		struct smmu_cmdq_token before, hit, after;
		struct smmu_cmd atc = {{CMD_ATC, 0}};
		struct fake_bench b;

		fake_bench_up(&b, seed, 4, msi);
		b.f.atc_silent = true;
		before = fake_bench_submit(&b, 0, 2, -1, -1);
		hit = fake_bench_submit(&b, 1, 3, -1, 1);
		after = fake_bench_submit(&b, 2, 2, -1, -1);
		assert_int_equal(smmu_cmdq_wait(&b.q, &after, false), SMMU_CMDQ_DONE);
		assert_int_equal(smmu_cmdq_wait(&b.q, &hit, false), SMMU_CMDQ_ATC_TIMEOUT);
		assert_int_equal(smmu_cmdq_wait(&b.q, &before, false), SMMU_CMDQ_DONE);
		assert_int_equal(b.f.logged, 10);
		assert_int_equal(b.f.cerrors, 1);
		assert_int_equal(smmu_cmdq_issue(&b.q, &atc, 1, false), -SMMU_ETIMEDOUT);
		assert_int_equal(b.f.cerrors, 2);
		b.f.atc_silent = false;
		assert_int_equal(smmu_cmdq_issue(&b.q, &atc, 1, false), 0);
		/* Both in one batch: it has to come again. */
		b.f.atc_silent = true;
		hit = fake_bench_submit(&b, 1, 5, 3, 1);
		assert_int_equal(smmu_cmdq_wait(&b.q, &hit, false), SMMU_CMDQ_LOST);
		while (smmu_load(&b.f.consumed) < hit.end)
			smmu_cmdq_serve_error(&b.q), sim_sleep(b.sim, 1000);
		assert_int_equal(smmu_cmdq_poll(&b.q, &hit), SMMU_CMDQ_LOST);
		fake_bench_down(&b);
	}
}

/** A token that is asked about after more errors than are remembered: the worst is assumed, and only then. */
static void test_many_errors(void **state)
{
	for (unsigned errors = SMMU_CMDQ_ERRORS - 1; errors < SMMU_CMDQ_ERRORS + 3; errors++) {
		struct smmu_cmdq_token old, bad, fresh;
		struct fake_bench b;

		fake_bench_up(&b, seed, 5, true);
		old = fake_bench_submit(&b, 0, 3, -1, -1);
		for (unsigned i = 0; i < errors; i++) {
			bad = fake_bench_submit(&b, 1, 2, 1, -1);
			assert_int_equal(smmu_cmdq_wait(&b.q, &bad, false), SMMU_CMDQ_LOST);
		}
		fresh = fake_bench_submit(&b, 2, 3, -1, -1);
		assert_int_equal(smmu_cmdq_wait(&b.q, &fresh, false), SMMU_CMDQ_DONE);
		assert_int_equal(smmu_cmdq_wait(&b.q, &old, false),
				 errors > SMMU_CMDQ_ERRORS ? SMMU_CMDQ_LOST : SMMU_CMDQ_DONE);
		fake_bench_down(&b);
	}
}

/** The error is of a command deep in a full ring while another producer waits for room. */
static void test_full_ring(void **state)
{
	struct smmu_cmdq_token token;
	struct fake_bench b;

	fake_bench_up(&b, seed, 1, false);
	b.f.ill_at = 9;
	b.f.ills = 1;
	token = fake_bench_submit(&b, 0, 30, -1, -1);
	assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_LOST);
	assert_int_equal(b.f.cerrors, 1);
	fake_bench_down(&b);
}

/* ---- batches in pieces, among each other ---- */

#define MIXED 3

static struct fake_bench *mix;
static enum smmu_cmdq_status mixed_status[MIXED];
static int mixed_atc[MIXED];

static void mixed(void *arg)
{
	unsigned who = *(unsigned *)arg;
	struct batch batch = {.who = who, .n = 20 + who, .bad = -1, .atc = mixed_atc[who]};
	struct smmu_cmdq_token token;

	CHECK(fake_submit(&mix->q, batch.n, &batch, &token) == 0);
	mixed_status[who] = smmu_cmdq_wait(&mix->q, &token, false);
}

/** Three batches longer than the ring; returns how many positions they took in all. */
static uint64_t run_mixed(struct fake_bench *b, bool msi, uint64_t ill_at, int silent, int at)
{
	static unsigned who[MIXED];

	fake_bench_up(b, seed, 3, msi);
	mix = b;
	b->f.ill_at = ill_at;
	b->f.ills = ill_at != UINT64_MAX;
	b->f.atc_silent = silent >= 0;
	for (unsigned i = 0; i < MIXED; i++) {
		who[i] = i;
		mixed_atc[i] = (int)i == silent ? at : -1;
		assert_int_equal(sim_spawn(b->sim, mixed, &who[i]), i);
	}
	assert_int_equal(sim_run(b->sim), 0);
	return b->q.tail;
}

/** The error at any position is laid to the batch whose command it was, or whose piece its CMD_SYNC ended; to no other. */
static void test_blame(void **state)
{
	for (unsigned msi = 0; msi < MSI_TOO; msi++) {
		struct fake_bench b;
		uint64_t positions = run_mixed(&b, msi, UINT64_MAX, -1, -1);
		unsigned turns = 0;

		for (size_t i = 1; i < b.f.logged; i++)
			turns += b.f.log[i].w[0] >> 32 != b.f.log[i - 1].w[0] >> 32;
		/* They did go among each other. */
		assert_true(positions > 63 + 3 && turns > 6);
		fake_bench_down(&b);
		for (uint64_t ill = 0; ill < positions; ill++) {
			run_mixed(&b, msi, ill, -1, -1);
			assert_int_equal(b.f.cerrors, 1);
			for (unsigned who = 0; who < MIXED; who++)
				assert_int_equal(mixed_status[who], who == b.f.blamed
									    ? SMMU_CMDQ_LOST
									    : SMMU_CMDQ_DONE);
			fake_bench_down(&b);
		}
		for (unsigned silent = 0; silent < MIXED; silent++)
			for (int at = 0; at < 20; at++) {
				run_mixed(&b, msi, UINT64_MAX, (int)silent, at);
				assert_int_equal(b.f.cerrors, 1);
				assert_int_equal(b.f.blamed, silent);
				for (unsigned who = 0; who < MIXED; who++)
					assert_int_equal(mixed_status[who],
							 who == silent ? SMMU_CMDQ_ATC_TIMEOUT
								       : SMMU_CMDQ_DONE);
				fake_bench_down(&b);
			}
	}
}

/* ---- many producers, errors all over ---- */

#define PRODUCERS 5
#define BATCHES 60

static struct fake_bench *load;
static unsigned lengths[PRODUCERS * BATCHES];
static unsigned ended, lost, timed_out;

static void produce(void *arg)
{
	unsigned who = *(unsigned *)arg;
	struct smmu_random *r = sim_random(load->sim);

	for (unsigned i = 0; i < BATCHES; i++) {
		unsigned n = lengths[who * BATCHES + i];
		bool bad = smmu_random_chance(r, 1, 5), atc = smmu_random_chance(r, 1, 8);
		struct batch batch = {.who = who,
				      .number = i,
				      .n = n,
				      .bad = bad ? 1 + (int)smmu_random_below(r, n - 1) : -1,
				      .atc = -1};
		struct smmu_cmdq_token token;
		enum smmu_cmdq_status status;

		/* Only the one or the other. */
		if (atc && !bad)
			batch.atc = (int)smmu_random_below(r, n);
		atc = batch.atc >= 0;
		CHECK(fake_submit(&load->q, n, &batch, &token) == 0);
		status = smmu_cmdq_wait(&load->q, &token, false);
		if (status == SMMU_CMDQ_ATC_TIMEOUT) {
			CHECK(atc);
			timed_out++;
			continue;
		}
		CHECK(status == (bad ? SMMU_CMDQ_LOST : SMMU_CMDQ_DONE) && !atc);
		if (!bad)
			continue;
		lost++;
		batch.at = 0;
		batch.bad = -1;
		CHECK(fake_submit(&load->q, n, &batch, &token) == 0);
		CHECK(smmu_cmdq_wait(&load->q, &token, false) == SMMU_CMDQ_DONE);
	}
	ended++;
}

static void interrupt(void *arg)
{
	while (ended < PRODUCERS) {
		sim_sleep(load->sim, 300);
		smmu_cmdq_serve_error(&load->q);
	}
}

static void test_random(void **state)
{
	static unsigned who[PRODUCERS];

	for (unsigned round = 0; round < 12; round++) {
		struct fake_bench b;
		struct smmu_random r;
		unsigned log2size = 2 + round % 4;

		b.sim = sim_create(seed + round);
		fake_init(&b.f, b.sim, seed + round);
		fake_queue(&b.f, &b.q, log2size, round & 1, 1000000000);
		b.f.jump_max = 3;
		b.f.pause_ns = 60;
		b.f.atc_silent = true;
		load = &b;
		ended = lost = timed_out = 0;
		smmu_random_seed(&r, seed + round);
		for (unsigned i = 0; i < PRODUCERS * BATCHES; i++)
			lengths[i] = 2 + (unsigned)smmu_random_below(&r, 2u << log2size);
		for (unsigned i = 0; i < PRODUCERS; i++) {
			who[i] = i;
			assert_int_equal(sim_spawn(b.sim, produce, &who[i]), i);
		}
		if (round & 2)
			sim_spawn(b.sim, interrupt, NULL);
		assert_int_equal(sim_run(b.sim), 0);
		assert_int_equal(ended, PRODUCERS);
		assert_true(lost > 20 && timed_out > 10);
		assert_int_equal(b.f.cerrors, lost + timed_out);
		fake_check_log(&b.f, PRODUCERS, BATCHES, lengths, true);
		fake_bench_down(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ill),       cmocka_unit_test(test_issue),
		cmocka_unit_test(test_abort),     cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_atc),       cmocka_unit_test(test_many_errors),
		cmocka_unit_test(test_full_ring), cmocka_unit_test(test_storm),
		cmocka_unit_test(test_blame),     cmocka_unit_test(test_random),
	};

	seed = test_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

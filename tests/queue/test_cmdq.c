/* SPDX-License-Identifier: BSD-2-Clause */
/* The command queue: batches enter whole and in order, full queues and wraps work, dead hardware is found out. */
#include "fake.h"

#include "../posix/seed.h"

#define PRODUCERS 6

static uint64_t seed;

/* ---- many producers, any sizes ---- */

struct load {
	struct fake *fake;
	struct smmu_cmdq *q;
	unsigned producers, batches, done;
	unsigned *lengths;
	bool polls; /**< odd producers poll */
	unsigned pending;
};

struct producer {
	struct load *load;
	unsigned who;
};

static void produce(void *arg)
{
	struct producer *p = arg;
	struct load *l = p->load;
	struct sim *sim = l->fake->sim;

	for (unsigned b = 0; b < l->batches; b++) {
		unsigned n = l->lengths[p->who * l->batches + b];
		struct batch batch = {
			.who = p->who, .number = b, .n = n, .bad = -1, .atc = -1, .sim = sim};
		struct smmu_cmdq_token token;
		enum smmu_cmdq_status status;

		if (smmu_random_chance(sim_random(sim), 1, 4))
			sim_sleep(sim, smmu_random_below(sim_random(sim), 2000));
		CHECK(fake_submit(l->q, n, &batch, &token) == 0);
		CHECK(batch.at == n && token.length > n);
		if (p->who % 2 && l->polls) {
			while ((status = smmu_cmdq_poll(l->q, &token)) == SMMU_CMDQ_PENDING) {
				l->pending++;
				sim_sleep(sim, 50);
			}
		} else {
			status = smmu_cmdq_wait(l->q, &token, false);
		}
		CHECK(status == SMMU_CMDQ_DONE);
		/* Done means consumed, and it stays done. */
		CHECK(smmu_load(&l->fake->consumed) >= token.end);
		CHECK(smmu_cmdq_poll(l->q, &token) == SMMU_CMDQ_DONE);
	}
	l->done++;
}

static void run_load(unsigned log2size, bool msi, unsigned producers, unsigned jump, uint64_t pause,
		     uint64_t s)
{
	struct fake f;
	struct smmu_cmdq q;
	struct smmu_random r;
	struct producer p[PRODUCERS];
	struct load l = {.fake = &f, .q = &q, .producers = producers, .polls = true};
	struct sim *sim = sim_create(s);
	unsigned size = 1u << log2size, total = 0;

	fake_init(&f, sim, s);
	f.jump_max = jump;
	f.pause_ns = pause;
	fake_queue(&f, &q, log2size, msi, 1000000000);
	smmu_random_seed(&r, s);
	l.batches = 60 * size / (producers * size) + 4;
	l.lengths = calloc(producers * l.batches, sizeof(*l.lengths));
	for (unsigned i = 0; i < producers * l.batches; i++) {
		uint64_t most = smmu_random_chance(&r, 1, 4) ? 5 * size : size;

		l.lengths[i] = 1 + (unsigned)smmu_random_below(&r, most);
		total += l.lengths[i] + 1;
	}
	for (unsigned i = 0; i < producers; i++) {
		p[i] = (struct producer){&l, i};
		CHECK(sim_spawn(sim, produce, &p[i]) == (int)i);
	}
	CHECK(sim_run(sim) == 0);
	CHECK(l.done == producers);
	/* A batch that goes in pieces has a CMD_SYNC more for each. */
	CHECK(f.logged == f.consumed && f.consumed >= total && total > 16 * size);
	fake_check_log(&f, producers, l.batches, l.lengths, false);
	CHECK(f.posix.logged[SMMU_LOG_ERROR] + f.posix.logged[SMMU_LOG_WARN] == 0);
	free(l.lengths);
	smmu_cmdq_fini(&q);
	fake_fini(&f);
	sim_destroy(sim);
}

static void test_producers(void **state)
{
	uint64_t s = seed;

	for (unsigned log2size = 1; log2size <= 8; log2size++)
		for (unsigned msi = 0; msi < 2; msi++)
			for (unsigned i = 0; i < 3; i++) {
				unsigned producers = 1 + (unsigned)(s % PRODUCERS);

				/* A quick device in small steps, one in jumps, a slow one. */
				run_load(log2size, msi, producers, i == 1 ? 2u << log2size : 2,
					 i == 2 ? 400 : 20, s++);
			}
}

/** A device so slow that the ring is full almost all the time. */
static void test_full(void **state)
{
	for (unsigned msi = 0; msi < 2; msi++) {
		run_load(1, msi, PRODUCERS, 1, 3000, seed + msi);
		run_load(3, msi, PRODUCERS, 1, 1500, seed + 2 + msi);
	}
}

/* ---- one producer, one thing at a time ---- */

static int submit(struct fake_bench *b, unsigned n, struct smmu_cmdq_token *token)
{
	struct batch batch = {.n = n, .bad = -1, .atc = -1};

	return fake_submit(&b->q, n, &batch, token);
}

static void test_sizes(void **state)
{
	struct fake_bench b;
	struct smmu_cmdq_config cfg;

	b.sim = sim_create(seed);
	fake_init(&b.f, b.sim, seed);
	for (unsigned bad = 0; bad < 40; bad += bad ? 1 : 20) {
		cfg = fake_config(&b.f, bad, false, 1);
		assert_int_equal(smmu_cmdq_init(&b.q, &cfg), -SMMU_EINVAL);
	}
	for (unsigned nth = 1; nth <= 3; nth++) {
		cfg = fake_config(&b.f, 4, true, 1);
		smmu_heap_fail(&b.f.heap, nth, 0);
		assert_int_equal(smmu_cmdq_init(&b.q, &cfg), -SMMU_ENOMEM);
		assert_int_equal(smmu_heap_live(&b.f.heap), 0);
	}
	cfg = fake_config(&b.f, 4, false, 1);
	cfg.base_attr = SMMU_QUEUE_BASE_RWA;
	assert_int_equal(smmu_cmdq_init(&b.q, &cfg), 0);
	assert_int_equal(smmu_cmdq_base(&b.q), b.q.ring_bus | SMMU_QUEUE_BASE_RWA | 4);
	smmu_cmdq_fini(&b.q);
	fake_fini(&b.f);
	sim_destroy(b.sim);
}

static void test_poll(void **state)
{
	for (unsigned msi = 0; msi < 2; msi++) {
		struct smmu_cmdq_token first, second;
		struct fake_bench b;

		fake_bench_up(&b, seed, 4, msi);
		b.f.state = FAKE_STUCK;
		assert_int_equal(submit(&b, 3, &first), 0);
		assert_int_equal(submit(&b, 3, &second), 0);
		assert_int_equal(first.end, second.end - second.length);
		for (unsigned i = 0; i < 100; i++)
			assert_int_equal(smmu_cmdq_poll(&b.q, &first), SMMU_CMDQ_PENDING);
		/* A CONS beyond PROD is nonsense, whoever writes it. */
		for (unsigned beyond = 1; beyond < 8; beyond++) {
			b.f.cons = b.f.prod + beyond;
			assert_int_equal(smmu_cmdq_poll(&b.q, &first), SMMU_CMDQ_PENDING);
		}
		b.f.cons = 0;
		/* Everything but the CMD_SYNC: still pending. */
		b.f.state = FAKE_RUNS;
		assert_true(fake_turn(&b.f, 3));
		b.f.state = FAKE_STUCK;
		assert_int_equal(smmu_cmdq_poll(&b.q, &first), SMMU_CMDQ_PENDING);
		b.f.state = FAKE_RUNS;
		assert_true(fake_turn(&b.f, 1));
		b.f.state = FAKE_STUCK;
		assert_int_equal(smmu_cmdq_poll(&b.q, &first), SMMU_CMDQ_DONE);
		assert_int_equal(smmu_cmdq_poll(&b.q, &second), SMMU_CMDQ_PENDING);
		b.f.state = FAKE_RUNS;
		assert_int_equal(smmu_cmdq_wait(&b.q, &second, false), SMMU_CMDQ_DONE);
		assert_int_equal(smmu_cmdq_wait(&b.q, &first, false), SMMU_CMDQ_DONE);
		fake_bench_down(&b);
	}
}

/** A fill that has less than it said: CMD_SYNCs make up for it, and the batch still completes. */
static void test_short_fill(void **state)
{
	struct batch batch = {.n = 9, .shorter = 4, .bad = -1, .atc = -1};
	struct smmu_cmdq_token token;
	struct fake_bench b;

	fake_bench_up(&b, seed, 4, true);
	assert_int_equal(fake_submit(&b.q, 9, &batch, &token), 0);
	assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DONE);
	assert_int_equal(b.f.logged, 10);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(smmu_cmd_opcode(&b.f.log[i]), i < 5 ? CMD_TEST : SMMU_CMD_SYNC);
	/* Nothing at all is a CMD_SYNC. */
	assert_int_equal(submit(&b, 0, &token), 0);
	assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DONE);
	assert_int_equal(b.f.logged, 11);
	fake_bench_down(&b);
}

static void test_clean(void **state);

/* ---- hardware that does not answer ---- */

static void expect_timeout_line(struct fake_bench *b, uint32_t prod, uint32_t cons)
{
	char text[80];

	assert_true(smmu_posix_logged(&b->f.posix, "fake7: command queue: no progress for 1 ms"));
	snprintf(text, sizeof(text), "PROD 0x%x, CONS 0x%x", prod, cons);
	if (!smmu_posix_logged(&b->f.posix, text))
		fail_msg("no line with \"%s\", but \"%s\"", text, b->f.posix.log_ring[0]);
	assert_int_equal(b->f.posix.logged[SMMU_LOG_ERROR], 1);
}

static void test_timeout(void **state)
{
	for (unsigned msi = 0; msi < 2; msi++) {
		struct smmu_cmdq_token token;
		struct fake_bench b;
		uint64_t start;

		fake_bench_up(&b, seed, 3, msi);
		for (unsigned i = 0; i < 3; i++) {
			assert_int_equal(submit(&b, 4, &token), 0);
			assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DONE);
		}
		b.f.state = FAKE_STUCK;
		assert_int_equal(submit(&b, 2, &token), 0);
		start = sim_now(b.sim);
		assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DEAD);
		/* With MSIs CONS is looked at when the time is up, and may have moved before the wait. */
		assert_in_range(sim_now(b.sim) - start, 1000000, msi ? 2500000 : 1300000);
		/* 18 commands went in, 15 were taken; positions modulo 16. */
		expect_timeout_line(&b, 2, 15);
		/* Dead for everybody, at once, with no further line. */
		start = sim_now(b.sim);
		assert_int_equal(smmu_cmdq_poll(&b.q, &token), SMMU_CMDQ_DEAD);
		assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DEAD);
		assert_int_equal(submit(&b, 1, &token), -SMMU_EIO);
		assert_int_equal(smmu_cmdq_issue(&b.q, NULL, 0, false), -SMMU_EIO);
		assert_in_range(sim_now(b.sim) - start, 0, 1000);
		expect_timeout_line(&b, 2, 15);
		/* Reset. */
		fake_reset(&b.f, &b.q);
		/* Its slot had a completed CMD_SYNC of the second lap before: that is not this one. */
		b.f.state = FAKE_STUCK;
		assert_int_equal(submit(&b, 1, &token), 0);
		assert_int_equal(smmu_cmdq_poll(&b.q, &token), SMMU_CMDQ_PENDING);
		b.f.state = FAKE_RUNS;
		assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DONE);
		b.f.logged = 0;
		for (unsigned i = 0; i < 9; i++) {
			assert_int_equal(submit(&b, 6, &token), 0);
			assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DONE);
			assert_int_equal(b.f.logged, 7 * (i + 1));
		}
		fake_bench_down(&b);
	}
}

/** A full ring and stuck hardware: whoever waits for room learns it as well. */
static void test_timeout_full(void **state)
{
	struct smmu_cmdq_token token;
	struct fake_bench b;

	fake_bench_up(&b, seed, 2, true);
	b.f.state = FAKE_STUCK;
	assert_int_equal(submit(&b, 7, &token), -SMMU_EIO);
	expect_timeout_line(&b, 4, 0);
	fake_reset(&b.f, &b.q);
	assert_int_equal(submit(&b, 7, &token), 0);
	assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DONE);
	fake_bench_down(&b);
}

/** Slow is not dead: the time-out counts from the last progress. */
static void test_slow(void **state)
{
	struct smmu_cmdq_token token;
	struct fake_bench b;

	fake_bench_up(&b, seed, 2, false);
	b.f.pause_ns = 800000;
	assert_int_equal(submit(&b, 60, &token), 0);
	assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DONE);
	assert_true(sim_now(b.sim) > 10 * 1000000);
	fake_bench_down(&b);
}

/**
 * Registers of a device that is gone read as ones; with every position of CONS and every number of commands
 * outstanding that must not look like progress.
 */
static void test_gone(void **state)
{
	for (unsigned msi = 0; msi < 2; msi++)
		for (unsigned start = 0; start < 16; start++)
			for (unsigned n = 0; n < 8; n++) {
				struct smmu_cmdq_token token;
				struct fake_bench b;

				fake_bench_up(&b, seed, 3, msi);
				for (unsigned i = 0; i < start; i++) {
					assert_int_equal(submit(&b, 0, &token), 0);
					assert_int_equal(smmu_cmdq_wait(&b.q, &token, false),
							 SMMU_CMDQ_DONE);
				}
				b.f.state = FAKE_STUCK;
				assert_int_equal(submit(&b, n, &token), 0);
				b.f.state = FAKE_GONE;
				assert_int_equal(smmu_cmdq_poll(&b.q, &token), SMMU_CMDQ_PENDING);
				assert_int_equal(smmu_cmdq_wait(&b.q, &token, false),
						 SMMU_CMDQ_DEAD);
				assert_int_equal(b.f.posix.logged[SMMU_LOG_ERROR], 1);
				assert_true(smmu_posix_logged(&b.f.posix,
							      "PROD 0xffffffff, CONS 0xffffffff"));
				fake_bench_down(&b);
			}
}

/* ---- a producer that is held up ---- */

static struct fake_bench *stalled;

static void stalling(void *arg)
{
	struct batch batch = {
		.n = 5, .bad = -1, .atc = -1, .sim = stalled->sim, .stall_ns = *(uint64_t *)arg};
	struct smmu_cmdq_token token;

	CHECK(fake_submit(&stalled->q, 5, &batch, &token) == 0);
	CHECK(smmu_cmdq_wait(&stalled->q, &token, false) == SMMU_CMDQ_DONE);
}

static void behind(void *arg)
{
	struct batch batch = {.who = 1, .n = 20, .bad = -1, .atc = -1};
	struct smmu_cmdq_token token;

	sim_sleep(stalled->sim, 1000);
	CHECK(fake_submit(&stalled->q, 20, &batch, &token) == 0);
	CHECK(smmu_cmdq_wait(&stalled->q, &token, false) == SMMU_CMDQ_DONE);
}

/** Those behind a producer that lost its processor wait for it; the hardware is not to blame and is not given up. */
static void test_stalled_producer(void **state)
{
	static const unsigned lengths[] = {5, 20};
	uint64_t stall = 5000000; /* five time-outs */
	struct fake_bench b;

	fake_bench_up(&b, seed, 3, true);
	stalled = &b;
	assert_int_equal(sim_spawn(b.sim, stalling, &stall), 0);
	assert_int_equal(sim_spawn(b.sim, behind, NULL), 1);
	assert_int_equal(sim_run(b.sim), 0);
	fake_check_log(&b.f, 2, 1, lengths, false);
	assert_int_equal(b.f.posix.logged[SMMU_LOG_ERROR], 0);
	fake_bench_down(&b);
}

/* ---- a walker that is not coherent ---- */

static unsigned cleaned;
static const struct smmu_bus_ops *wrapped;
static struct fake *wrapped_fake;

static void note_clean(void *ctx, const void *va, size_t size)
{
	const uint8_t *ring = (const uint8_t *)wrapped_fake->ring;

	CHECK((const uint8_t *)va >= ring &&
	      (const uint8_t *)va + size <= ring + (16u << wrapped_fake->log2size));
	cleaned += (unsigned)size;
}

static void check_cleaned(void *ctx, uint32_t offset, uint32_t value)
{
	/* PROD never runs ahead of what was written back. */
	if (offset == SMMU_CMDQ_PROD)
		CHECK(cleaned >= 16 * ((value - (uint32_t)wrapped_fake->consumed) & 15));
	wrapped->write32(ctx, offset, value);
}

static void test_clean(void **state)
{
	struct smmu_bus_ops ops;
	struct smmu_port_ops port_ops;
	struct smmu_cmdq_token token;
	struct fake_bench b;

	fake_bench_up(&b, seed, 3, false);
	wrapped = b.f.bus.ops;
	wrapped_fake = &b.f;
	ops = *wrapped;
	ops.write32 = check_cleaned;
	b.f.bus.ops = &ops;
	port_ops = *b.f.port.ops;
	port_ops.clean = note_clean;
	b.f.port.ops = &port_ops;
	/* Short ones, and one that wraps. */
	for (unsigned i = 0; i < 5; i++) {
		cleaned = 0;
		b.f.logged = 0;
		assert_int_equal(submit(&b, 2, &token), 0);
		assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DONE);
		assert_int_equal(cleaned, b.f.logged * 16);
	}
	b.f.logged = 0;
	cleaned = 0;
	assert_int_equal(submit(&b, 40, &token), 0);
	assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_DONE);
	assert_int_equal(cleaned, b.f.logged * 16);
	/* An entry that was mended as well. */
	cleaned = 0;
	b.f.ill_at = b.f.consumed + 1;
	b.f.ills = 1;
	assert_int_equal(submit(&b, 3, &token), 0);
	assert_int_equal(smmu_cmdq_wait(&b.q, &token, false), SMMU_CMDQ_LOST);
	assert_int_equal(cleaned, (4 + 1) * 16);
	fake_bench_down(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),        cmocka_unit_test(test_poll),
		cmocka_unit_test(test_short_fill),   cmocka_unit_test(test_producers),
		cmocka_unit_test(test_full),         cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_timeout_full), cmocka_unit_test(test_slow),
		cmocka_unit_test(test_gone),         cmocka_unit_test(test_stalled_producer),
		cmocka_unit_test(test_clean),
	};

	seed = test_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

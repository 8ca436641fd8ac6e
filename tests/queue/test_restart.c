/* SPDX-License-Identifier: BSD-2-Clause */
/* A queue that is started over in place while producers use it: what was lost is told, once, and never counts as done. */
#include "fake.h"

#include "../posix/seed.h"

#define PRODUCERS 4
#define BATCHES 100

static uint64_t seed;

static struct {
	struct sim *sim;
	struct fake f;
	struct smmu_cmdq q;
	unsigned ended, restarts, lost, dead, refused;
	bool shut; /**< between close and open */
} t;

/** The commands of a batch stand in the log from @p from on, each of them. */
static bool taken(size_t from, unsigned who, unsigned batch, unsigned n)
{
	unsigned next = 0;

	for (size_t i = from; i < t.f.logged && next < n; i++) {
		struct smmu_cmd wanted = test_cmd(who, batch, next);

		next += !memcmp(&t.f.log[i], &wanted, sizeof(wanted));
	}
	return next == n;
}

/** One batch until it is done: refused, dead and lost are answers, pending for ever and done without being it are not. */
static void bring_through(unsigned who, unsigned number, unsigned n, bool polls)
{
	for (;;) {
		struct batch batch = {.who = who, .number = number, .n = n, .bad = -1, .atc = -1};
		size_t from = t.f.logged;
		struct smmu_cmdq_token token;
		enum smmu_cmdq_status status;

		if (fake_submit(&t.q, n, &batch, &token)) {
			t.refused++;
			sim_sleep(t.sim, 400);
			continue;
		}
		if (polls)
			while ((status = smmu_cmdq_poll(&t.q, &token)) == SMMU_CMDQ_PENDING)
				sim_sleep(t.sim, 200);
		else
			status = smmu_cmdq_wait(&t.q, &token, false);
		if (status == SMMU_CMDQ_DEAD) {
			t.dead++;
			/* The token is asked again until the queue is open: what was dead is lost, or was done. */
			do {
				sim_sleep(t.sim, 300);
				status = smmu_cmdq_poll(&t.q, &token);
				/* Pending: it was opened between two looks of the poll. */
			} while (status == SMMU_CMDQ_DEAD || status == SMMU_CMDQ_PENDING);
		}
		if (status == SMMU_CMDQ_DONE) {
			CHECK(taken(from, who, number, n));
			return;
		}
		CHECK(status == SMMU_CMDQ_LOST);
		t.lost++;
	}
}

static void produce(void *arg)
{
	unsigned who = *(unsigned *)arg;
	struct smmu_random *r = sim_random(t.sim);

	for (unsigned i = 0; i < BATCHES; i++)
		bring_through(who, i, 1 + (unsigned)smmu_random_below(r, 12), i % 2);
	t.ended++;
}

/** The reset of an SMMU under a queue; CONS and PROD hold what they like meanwhile. */
static void restarter(void *arg)
{
	struct smmu_random *r = sim_random(t.sim);

	while (t.ended < PRODUCERS) {
		bool quick = smmu_random_chance(r, 2, 3);
		uint64_t tail;

		sim_sleep(t.sim, 500 + smmu_random_below(r, 6000));
		smmu_cmdq_close(&t.q);
		t.shut = true;
		t.f.state = FAKE_STUCK;
		tail = t.q.turn;
		CHECK(t.q.tail == (tail | SMMU_CMDQ_SHUT));
		t.f.gerror = t.f.gerrorn = 0;
		t.f.cons =
			smmu_random_chance(r, 1, 2) ? t.f.prod : (uint32_t)smmu_random_below(r, 16);
		sim_sleep(t.sim, smmu_random_below(r, quick ? 100 : 3000));
		/* Nobody came in. */
		CHECK(t.q.tail == (tail | SMMU_CMDQ_SHUT) && t.q.turn == tail);
		t.f.prod = t.f.cons = smmu_cmdq_restart(&t.q);
		t.f.consumed = tail;
		sim_sleep(t.sim, quick ? 0 : smmu_random_below(r, 1000));
		t.f.state = FAKE_RUNS;
		t.shut = false;
		smmu_cmdq_open(&t.q);
		t.restarts++;
	}
}

static const struct smmu_bus_ops *plain;

static void watched_write(void *ctx, uint32_t offset, uint32_t value)
{
	CHECK(!t.shut);
	plain->write32(ctx, offset, value);
}

static void test_in_use(void **state)
{
	static unsigned who[PRODUCERS];
	struct smmu_bus_ops ops;

	for (unsigned round = 0; round < 24; round++) {
		memset(&t, 0, sizeof(t));
		t.sim = sim_create(seed + round);
		fake_init(&t.f, t.sim, seed + round);
		t.f.jump_max = 2;
		t.f.pause_ns = 100;
		fake_queue(&t.f, &t.q, 3, round & 1, 1000000);
		plain = t.f.bus.ops;
		ops = *plain;
		ops.write32 = watched_write;
		t.f.bus.ops = &ops;
		for (unsigned i = 0; i < PRODUCERS; i++) {
			who[i] = i;
			assert_int_equal(sim_spawn(t.sim, produce, &who[i]), i);
		}
		sim_spawn(t.sim, restarter, NULL);
		assert_int_equal(sim_run(t.sim), 0);
		assert_true(t.restarts > 5 && t.lost > 2 && t.dead + t.refused > 2);
		assert_int_equal(t.f.posix.logged[SMMU_LOG_ERROR], 0);
		smmu_cmdq_fini(&t.q);
		fake_fini(&t.f);
		sim_destroy(t.sim);
	}
}

/** What was complete before stays done, what was not is lost, what comes after is not hit. */
static void test_told(void **state)
{
	for (unsigned msi = 0; msi < 2; msi++)
		for (unsigned taken_before = 0; taken_before < 8; taken_before++) {
			struct batch batch[4];
			struct smmu_cmdq_token token[4];

			memset(&t, 0, sizeof(t));
			t.sim = sim_create(seed);
			fake_init(&t.f, t.sim, seed);
			fake_queue(&t.f, &t.q, 4, msi, 1000000);
			t.f.state = FAKE_STUCK;
			for (unsigned i = 0; i < 3; i++) {
				batch[i] = (struct batch){.who = i, .n = 2, .bad = -1, .atc = -1};
				assert_int_equal(fake_submit(&t.q, 2, &batch[i], &token[i]), 0);
			}
			t.f.state = FAKE_RUNS;
			if (taken_before)
				assert_true(fake_turn(&t.f, taken_before));
			t.f.state = FAKE_STUCK;
			/* Known to be complete is what was asked about. */
			for (unsigned i = 0; i < 3; i++)
				assert_int_equal(smmu_cmdq_poll(&t.q, &token[i]),
						 taken_before >= 3 * (i + 1) ? SMMU_CMDQ_DONE
									     : SMMU_CMDQ_PENDING);
			smmu_cmdq_close(&t.q);
			for (unsigned i = 0; i < 3; i++)
				assert_true(smmu_cmdq_poll(&t.q, &token[i]) != SMMU_CMDQ_PENDING);
			t.f.cons = t.f.prod;
			t.f.prod = t.f.cons = smmu_cmdq_restart(&t.q);
			t.f.consumed = t.q.turn;
			t.f.state = FAKE_RUNS;
			for (unsigned i = 0; i < 3; i++) {
				enum smmu_cmdq_status status = smmu_cmdq_poll(&t.q, &token[i]);

				/* A batch that is done may be told lost: to do it again is never wrong. */
				assert_true(
					status == SMMU_CMDQ_LOST ||
					(status == SMMU_CMDQ_DONE && taken_before >= 3 * (i + 1)));
			}
			smmu_cmdq_open(&t.q);
			batch[3] = (struct batch){.who = 3, .n = 2, .bad = -1, .atc = -1};
			assert_int_equal(fake_submit(&t.q, 2, &batch[3], &token[3]), 0);
			assert_int_equal(smmu_cmdq_wait(&t.q, &token[3], false), SMMU_CMDQ_DONE);
			assert_int_equal(smmu_cmdq_poll(&t.q, &token[2]), SMMU_CMDQ_LOST);
			smmu_cmdq_fini(&t.q);
			fake_fini(&t.f);
			sim_destroy(t.sim);
		}
}

/** Started over with nothing in it, again and again, at each index. */
static void test_idle(void **state)
{
	memset(&t, 0, sizeof(t));
	t.sim = sim_create(seed);
	fake_init(&t.f, t.sim, seed);
	fake_queue(&t.f, &t.q, 2, true, 1000000);
	for (unsigned i = 0; i < 20; i++) {
		struct batch batch = {.n = 2, .bad = -1, .atc = -1};
		struct smmu_cmdq_token token;

		assert_int_equal(fake_submit(&t.q, 2, &batch, &token), 0);
		assert_int_equal(smmu_cmdq_wait(&t.q, &token, false), SMMU_CMDQ_DONE);
		fake_reset(&t.f, &t.q);
		assert_int_equal(t.f.prod, (3 * (i + 1)) & 7);
	}
	smmu_cmdq_fini(&t.q);
	fake_fini(&t.f);
	sim_destroy(t.sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_use),
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_idle),
	};

	seed = test_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

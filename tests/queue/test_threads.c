/* SPDX-License-Identifier: BSD-2-Clause */
/* The command queue with real threads: many producers on a small ring, errors, and a device thread. */
#include <pthread.h>
#include <time.h>

#include "fake.h"

#include "../posix/seed.h"

#define PRODUCERS 6
#define BATCHES 150

static uint64_t seed;
static struct fake f;
static struct smmu_cmdq q;
static unsigned lengths[PRODUCERS * BATCHES];
static uint32_t ended, lost;
static bool with_errors;

/** Who sleeps is woken in time on a busy machine; who yields is last. */
static void rest(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
}

static void *device(void *arg)
{
	struct smmu_random r;

	smmu_random_seed(&r, seed);
	while (!smmu_load(&ended)) {
		if (!fake_turn(&f, 1 + (unsigned)smmu_random_below(&r, 6)))
			rest();
	}
	return NULL;
}

static void *produce(void *arg)
{
	unsigned who = *(unsigned *)arg;
	struct smmu_random r;

	smmu_random_seed(&r, seed * PRODUCERS + who);
	for (unsigned i = 0; i < BATCHES; i++) {
		unsigned n = lengths[who * BATCHES + i];
		bool bad = with_errors && smmu_random_chance(&r, 1, 10);
		struct batch batch = {.who = who,
				      .number = i,
				      .n = n,
				      .bad = bad ? 1 + (int)smmu_random_below(&r, n - 1) : -1,
				      .atc = -1};
		struct smmu_cmdq_token token;
		enum smmu_cmdq_status status;

		CHECK(fake_submit(&q, n, &batch, &token) == 0);
		if (smmu_random_chance(&r, 1, 2))
			while (smmu_cmdq_poll(&q, &token) == SMMU_CMDQ_PENDING) {
				smmu_cmdq_serve_error(&q);
				rest();
			}
		status = smmu_cmdq_wait(&q, &token, false);
		if (status == SMMU_CMDQ_LOST) {
			/* Hit itself, or more errors than are remembered went by. */
			CHECK(with_errors);
			smmu_fetch_add(&lost, 1);
			batch.at = 0;
			batch.bad = -1;
			do {
				batch.at = 0;
				CHECK(fake_submit(&q, n, &batch, &token) == 0);
				status = smmu_cmdq_wait(&q, &token, false);
			} while (status == SMMU_CMDQ_LOST);
		} else {
			CHECK(!bad);
		}
		CHECK(status == SMMU_CMDQ_DONE);
		CHECK(smmu_load(&f.consumed) >= token.end);
	}
	return NULL;
}

static void run(unsigned log2size, bool msi, bool errors)
{
	static unsigned who[PRODUCERS];
	pthread_t dev, t[PRODUCERS];
	struct smmu_random r;

	fake_init(&f, NULL, seed);
	f.rest = rest;
	fake_queue(&f, &q, log2size, msi, 20000000000);
	smmu_random_seed(&r, seed);
	for (unsigned i = 0; i < PRODUCERS * BATCHES; i++)
		lengths[i] = 2 + (unsigned)smmu_random_below(&r, 20);
	with_errors = errors;
	ended = lost = 0;
	assert_int_equal(pthread_create(&dev, NULL, device, NULL), 0);
	for (unsigned i = 0; i < PRODUCERS; i++) {
		who[i] = i;
		assert_int_equal(pthread_create(&t[i], NULL, produce, &who[i]), 0);
	}
	for (unsigned i = 0; i < PRODUCERS; i++)
		pthread_join(t[i], NULL);
	smmu_store(&ended, 1);
	pthread_join(dev, NULL);
	fake_check_log(&f, PRODUCERS, BATCHES, lengths, errors);
	assert_true(errors ? lost > 10 : !lost);
	smmu_cmdq_fini(&q);
	fake_fini(&f);
}

static void test_small_ring(void **state)
{
	run(2, false, false);
	run(3, true, false);
}

static void test_errors(void **state)
{
	run(4, false, true);
	run(3, true, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_ring),
		cmocka_unit_test(test_errors),
	};

	seed = test_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* A handler that submits and waits gets through wherever it interrupts a submit or a wait of its own processor. */
#include <limits.h>

#include "irq_machine.h"

#include "../../ports/sim/random.h"
#include "../posix/seed.h"

#define DEPTH 3

static uint64_t seed;

/** What runs: who 0 is the task, the others are handlers, in the order in which they came. */
static struct {
	unsigned points;      /**< passed so far, with interrupts on */
	unsigned fire[DEPTH]; /**< at which of them an interrupt of each depth comes */
	unsigned depth, whos;
	unsigned lengths[1 + DEPTH];
	bool loses; /**< commands of a batch may be illegal */
} run;

static void submit_and_wait(unsigned n)
{
	unsigned who = run.whos++;
	struct machine_batch batch = {.who = who};
	struct smmu_cmdq_token token;
	enum smmu_cmdq_status status;

	run.lengths[who] = n;
	CHECK(machine_submit(n, &batch, &token) == 0);
	status = smmu_cmdq_wait(&machine.q, &token, false);
	CHECK(status == SMMU_CMDQ_DONE || (run.loses && status == SMMU_CMDQ_LOST));
	if (status == SMMU_CMDQ_DONE)
		CHECK(machine.consumed >= token.end);
}

static void point(void)
{
	unsigned depth = run.depth;

	if (depth == DEPTH || run.whos > DEPTH || run.points++ != run.fire[depth])
		return;
	run.depth++;
	run.points = 0;
	/* A GERROR handler runs with our locks free, or it would not get through. */
	smmu_cmdq_serve_error(&machine.q);
	submit_and_wait(2 + depth);
	run.depth = depth;
	run.points = run.fire[depth] + 1;
}

/** One task's batch of @p n, interrupted at the @p a-th point; its handler at the @p b-th, and so on. */
static bool one(unsigned log2size, bool msi, unsigned n, unsigned a, unsigned b, unsigned c,
		uint64_t ill_at)
{
	machine_up(log2size, msi);
	memset(&run, 0, sizeof(run));
	run.fire[0] = a;
	run.fire[1] = b;
	run.fire[2] = c;
	run.loses = ill_at != UINT64_MAX;
	machine.ill_at = ill_at;
	irq.point = point;
	submit_and_wait(n);
	irq.point = NULL;
	if (!run.loses)
		machine_check_log(run.whos, run.lengths);
	machine_down();
	return run.whos > 1;
}

/** At each point there is, in a batch that fits, one that fills the ring and one that goes in pieces. */
static void test_each_point(void **state)
{
	for (unsigned msi = 0; msi < 2; msi++)
		for (unsigned log2size = 2; log2size <= 4; log2size++)
			for (unsigned n = 0; n <= 40; n = n * 2 + 1) {
				unsigned a = 0;

				while (one(log2size, msi, n, a, UINT_MAX, UINT_MAX, UINT64_MAX))
					a++;
				/* Before and after the masked section, and at each turn of the wait. */
				assert_true(a > n + 1);
			}
}

/** Interrupts in interrupts, errors on the way. */
static void test_nested(void **state)
{
	struct smmu_random r;
	unsigned nested = 0;

	smmu_random_seed(&r, seed);
	for (unsigned i = 0; i < 4000; i++) {
		unsigned log2size = 1 + (unsigned)smmu_random_below(&r, 4);
		unsigned n = (unsigned)smmu_random_below(&r, 3u << log2size);
		uint64_t ill =
			smmu_random_chance(&r, 1, 2) ? smmu_random_below(&r, n + 6) : UINT64_MAX;

		one(log2size, smmu_random_chance(&r, 1, 2), n,
		    (unsigned)smmu_random_below(&r, 3 * n + 10),
		    (unsigned)smmu_random_below(&r, 20), (unsigned)smmu_random_below(&r, 20), ill);
		nested += run.whos == 1 + DEPTH;
	}
	assert_true(nested > 400);
}

/** What comes while a queue is started over: one handler, at the how-manieth place. */
static struct {
	unsigned places, at;
	bool came;
	struct smmu_cmdq_token token;
	int error;
} over;

/** At any access, of memory too: it submits, and is refused or learns what became of its batch. Nothing may let it wait for ever. */
static void handler_meanwhile(void)
{
	struct machine_batch batch = {.who = 1};
	enum smmu_cmdq_status status;

	if (irq.masks || over.places++ != over.at || over.came)
		return;
	over.came = true;
	over.error = machine_submit(3, &batch, &over.token);
	if (over.error)
		return;
	status = smmu_cmdq_wait(&machine.q, &over.token, false);
	CHECK(status == SMMU_CMDQ_DONE || status == SMMU_CMDQ_DEAD || status == SMMU_CMDQ_LOST);
}

/** A queue of 2^@p log2size is closed, started over and opened, with a handler at the @p at-th place there. */
static bool started_over(unsigned log2size, bool msi, unsigned at, unsigned *refused)
{
	unsigned lengths[] = {5, 3, 2};
	struct machine_batch batch = {.who = 2};
	struct smmu_cmdq_token token;

	machine_up(log2size, msi);
	memset(&run, 0, sizeof(run));
	memset(&over, 0, sizeof(over));
	over.at = at;
	run.fire[0] = UINT_MAX;
	submit_and_wait(lengths[0]);
	irq.point = irq.other = handler_meanwhile;
	smmu_cmdq_close(&machine.q);
	machine.prod = machine.cons = smmu_cmdq_restart(&machine.q);
	machine.consumed = machine.q.turn;
	smmu_cmdq_open(&machine.q);
	irq.point = irq.other = NULL;
	/* Whatever the handler has submitted goes before this. */
	CHECK(machine_submit(lengths[2], &batch, &token) == 0);
	CHECK(smmu_cmdq_wait(&machine.q, &token, false) == SMMU_CMDQ_DONE);
	*refused += over.came && over.error;
	if (over.came && !over.error)
		CHECK(smmu_cmdq_poll(&machine.q, &over.token) != SMMU_CMDQ_PENDING);
	machine_down();
	return over.came;
}

static void test_start_over(void **state)
{
	for (unsigned msi = 0; msi < 2; msi++)
		for (unsigned log2size = 1; log2size <= 4; log2size++) {
			unsigned at = 0, refused = 0;

			while (started_over(log2size, msi, at, &refused))
				at++;
			/* Before it is closed, and all the while until it is open again. */
			assert_true(at >= 8 && refused >= 4 && refused < at);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_point),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_start_over),
	};

	seed = test_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What goes wrong in a sweep: programs that are hit, ATCs that do not answer, instances that are dead, and what is owed then. */
#include "queues.h"

/* A program that was hit comes again as a whole; not for ever. */
static void test_lost(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);

	add(0, SMMU_INV_S1_ASID, 7);
	add(0, SMMU_INV_ATS, 3);
	q[0].answer[0] = q[0].answer[1] = SMMU_CMDQ_LOST;
	q[0].answers = 2;
	sweep_ok(&g);
	assert_string_equal(opcodes(0), "12 46 40 46s 12 46 40 46s 12 46 40 46s");
	/* The fourth time by whole ids: shorter programs are hit less often. */
	q[0].answer[2] = SMMU_CMDQ_LOST;
	q[0].answers = 3;
	q[0].submits = q[0].n = 0;
	sweep_ok(&g);
	assert_string_equal(opcodes(0), "12 46 40 46s 12 46 40 46s 12 46 40 46s 11 46 40 46s");
	for (int i = 0; i < 16; i++)
		q[0].answer[i] = SMMU_CMDQ_LOST;
	q[0].answers = 16;
	q[0].submits = 0;
	assert_int_equal(smmu_inv_sync(&tp.rcu, &live, &debt, &g), -SMMU_EIO);
}

/* A time-out though the program asks no ATC is somebody else's: what it did ask for may not be complete (4.7.3). */
static void test_timeout_of_others(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);

	add(0, SMMU_INV_S1_ASID, 7);
	q[0].answer[0] = SMMU_CMDQ_ATC_TIMEOUT;
	q[0].answers = 1;
	sweep_ok(&g);
	assert_string_equal(opcodes(0), "12 46s 12 46s");
	assert_int_equal(q[0].quarantines, 0);
	for (int i = 0; i < 16; i++)
		q[0].answer[i] = SMMU_CMDQ_ATC_TIMEOUT;
	q[0].answers = 16;
	q[0].submits = 0;
	assert_int_equal(smmu_inv_sync(&tp.rcu, &live, &debt, &g), -SMMU_EIO);
}

/* One ATC does not answer: it is found, cut off, the others are served, and no later sweep asks it. */
static void test_quarantine(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);

	add(0, SMMU_INV_S1_ASID, 7);
	for (uint32_t s = 1; s <= 4; s++)
		add(0, SMMU_INV_ATS, s);
	add(1, SMMU_INV_ATS, 3);
	owner[3].cut = SMMU_CUT_NO;
	q[0].dead[3] = true;
	sweep_ok(&g);
	assert_int_equal(owner[3].cut, SMMU_CUT_DONE);
	assert_int_equal(q[0].quarantines, 1);
	/* All four; 1 and 2; 3 and 4; 3; 4. */
	assert_string_equal(opcodes(0), "12 46 40 40 40 40 46s 40 40 46s 40 40 46s 40 46s 40 46s");
	assert_int_equal(q[0].timeouts, 3);
	for (uint32_t s = 1; s <= 4; s++)
		assert_int_equal(q[0].asked[s], s != 3);
	q[0].n = 0;
	sweep_ok(&g);
	assert_string_equal(opcodes(0), "12 46 40 40 40 46s");
	/* Nor through another array, on which the device is already. */
	add(2, SMMU_INV_S1_ASID, 1);
	q[0].n = 0;
	sweep_ok(&g);
	assert_string_equal(opcodes(0), "12 46 40 40 40 46s");
}

/* All that timed out belongs to one device: it is the one, and nobody is asked a second time. */
static void test_quarantine_alone(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);

	streams_each = 8;
	add(0, SMMU_INV_S1_ASID, 7);
	for (uint32_t s = 8; s < 16; s++)
		add(0, SMMU_INV_ATS, s);
	q[0].dead[12] = true;
	sweep_ok(&g);
	assert_int_equal(q[0].timeouts, 1);
	assert_int_equal(q[0].quarantines, 1);
	assert_int_equal(owner[1].cut, SMMU_CUT_DONE);
	/* A healthy device beside it, in the middle of its streams, is asked again. */
	owner[1].cut = SMMU_CUT_NO;
	q[0].timeouts = 0;
	add(0, SMMU_INV_ATS, 16);
	sweep_ok(&g);
	assert_int_equal(owner[1].cut, SMMU_CUT_DONE);
	assert_int_equal(owner[2].cut, SMMU_CUT_NO);
	assert_int_equal(q[0].asked[16], 1);
	assert_in_range(q[0].timeouts, 2, 3);
}

static unsigned log2_up(unsigned n)
{
	unsigned log = 0;

	while (1u << log < n)
		log++;
	return log;
}

/*
 * Any silent k of n: all of them are found and nobody else, everybody else has answered once, and it took no more
 * time-outs than k ways down a tree of halves have nodes.
 */
static void test_quarantine_many(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);
	struct smmu_inv_owner before[STREAMS];
	uint64_t seed = test_seed();
	unsigned most = 0;

	for (unsigned round = 0; round < 400; round++) {
		unsigned n = 1 + (unsigned)(test_random(&seed) % 32), k = 0;

		setup(NULL);
		q[0].chunk = 8;
		for (uint32_t s = 0; s < n; s++) {
			add(0, SMMU_INV_ATS, s);
			/* Some were found out before, and are not asked. */
			if (round & 1 && test_random(&seed) % 2) {
				cut(s, SMMU_CUT_DONE);
				continue;
			}
			q[0].dead[s] = test_random(&seed) % n < 1 + round % 4;
			k += q[0].dead[s];
		}
		memcpy(before, owner, sizeof(before));
		sweep_ok(&g);
		for (uint32_t s = 0; s < n; s++) {
			assert_int_equal(owner[s].cut,
					 q[0].dead[s] ? SMMU_CUT_DONE : before[s].cut);
			assert_int_equal(q[0].asked[s], !q[0].dead[s] && !before[s].cut);
		}
		assert_int_equal(q[0].quarantines, k);
		assert_true(q[0].timeouts <= k * (log2_up(n) + 1));
		assert_true(q[0].timeouts <= 2 * n);
		if (k == 1 && n == 32 && q[0].timeouts > most)
			most = q[0].timeouts;
		smmu_inv_array_free(live);
		live = NULL;
	}
	assert_true(most <= 6);
}

/* Another sweep finds the silent one out first: who is left alone is not to blame for it. */
static void test_quarantine_by_others(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);

	add(0, SMMU_INV_S1_ASID, 7);
	add(0, SMMU_INV_ATS, 3);
	add(0, SMMU_INV_ATS, 4);
	q[0].dead[3] = true;
	q[0].others = 3;
	sweep_ok(&g);
	assert_int_equal(q[0].quarantines, 0);
	assert_int_equal(owner[4].cut, SMMU_CUT_NO);
	assert_int_equal(q[0].asked[4], 1);
}

/* What the cut-off does to the SMMU is not confirmed: no sweep that leaves the device out ends well. */
static void test_quarantine_unconfirmed(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);

	add(0, SMMU_INV_S1_ASID, 7);
	add(0, SMMU_INV_ATS, 3);
	q[0].dead[3] = true;
	q[0].quarantine_error = -SMMU_EIO;
	assert_int_equal(smmu_inv_sync(&tp.rcu, &live, &debt, &g), -SMMU_EIO);
	assert_int_equal(smmu_inv_sync(&tp.rcu, &live, &debt, &g), -SMMU_EIO);
	assert_int_equal(q[0].quarantines, 2);
	assert_int_equal(q[0].timeouts, 1);
	q[0].quarantine_error = 0;
	sweep_ok(&g);
	assert_int_equal(q[0].quarantines, 3);
	sweep_ok(&g);
	assert_int_equal(q[0].quarantines, 3);
}

/* A sweep failed on one instance: the next ones are of everything, on all, until one is confirmed. */
static void test_debt(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);
	struct smmu_fence before, after;

	add(0, SMMU_INV_S1_ASID, 7);
	add(0, SMMU_INV_ATS, 3);
	add(1, SMMU_INV_S1_ASID, 8);
	q[1].refuse = true;
	assert_int_equal(smmu_inv_sync(&tp.rcu, &live, &debt, &g), -SMMU_EIO);
	assert_true(smmu_inv_owes(&debt));
	q[0].n = 0;
	assert_int_equal(smmu_inv_sync(&tp.rcu, &live, &debt, &g), -SMMU_EIO);
	assert_string_equal(opcodes(0), "11 46 40 46s");
	assert_int_equal(q[0].log[2].w[1] & SMMU_CMD_ATC_INV_W1_SIZE, SMMU_CMD_ATC_INV_SIZE_ALL);
	q[1].refuse = false;
	/* One that began before a failure does not make it good. */
	smmu_inv_submit(&before, &tp.rcu, &live, &debt, &g);
	q[1].refuse = true;
	assert_int_equal(smmu_inv_sync(&tp.rcu, &live, &debt, &g), -SMMU_EIO);
	q[1].refuse = false;
	assert_int_equal(smmu_fence_wait(&before), 0);
	assert_true(smmu_inv_owes(&debt));
	/* The older of two ends last: what the younger one settled stays settled. */
	smmu_inv_submit(&before, &tp.rcu, &live, &debt, &g);
	smmu_inv_submit(&after, &tp.rcu, &live, &debt, &g);
	q[1].n = 0;
	assert_int_equal(smmu_fence_wait(&after), 0);
	assert_false(smmu_inv_owes(&debt));
	assert_int_equal(smmu_fence_wait(&before), 0);
	assert_false(smmu_inv_owes(&debt));
	q[1].n = 0;
	sweep_ok(&g);
	assert_string_equal(opcodes(1), "12 46s");
}

/* A dead instance is an error, but the others are served first, and the read section is left. */
static void test_dead(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);

	for (unsigned s = 0; s < 3; s++)
		add(s, SMMU_INV_S1_ASID, 7);
	q[0].answer[0] = SMMU_CMDQ_DEAD;
	q[0].answers = 1;
	q[1].refuse = true;
	assert_int_equal(smmu_inv_sync(&tp.rcu, &live, &debt, &g), -SMMU_EIO);
	assert_string_equal(opcodes(2), "12 46s");
	assert_int_equal(q[2].waits, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_lost),
		T(test_timeout_of_others),
		T(test_quarantine),
		T(test_quarantine_alone),
		T(test_quarantine_many),
		T(test_quarantine_by_others),
		T(test_quarantine_unconfirmed),
		T(test_debt),
		T(test_dead),
	};

	return cmocka_run_group_tests_name("inv failed", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The sweep: which commands each instance gets, in which order. */
#include "queues.h"

/* TLBI, SYNC, ATC_INV, SYNC: one submission for each instance; all submitted before the first wait. */
static void test_program(void **state)
{
	struct smmu_gather g = pages(0x10000, 3);

	add(0, SMMU_INV_S1_ASID, 7);
	add(0, SMMU_INV_ATS, 0x10);
	add(0, SMMU_INV_ATS, 0x20);
	add(2, SMMU_INV_S2_VMID, 9);
	sweep_ok(&g);
	/* Three pages: one range command; ATC spans 0x10-0x11 and 0x12. */
	assert_string_equal(opcodes(0), "12 46 40 40 40 40 46s");
	assert_string_equal(opcodes(2), "2a 46s");
	assert_string_equal(opcodes(1), "");
	assert_string_equal(order, "ssww");
	/* NUM = 2, SCALE = 0, ASID 7, address, TG 4K, TTL 3, leaf. */
	assert_int_equal(q[0].log[0].w[0], 0x0007000000002012ULL);
	assert_int_equal(q[0].log[0].w[1], 0x10000 | 1 << 10 | 3 << 8 | 1);
	assert_int_equal(q[0].log[2].w[0], 0x0000001000000040ULL);
	assert_int_equal(q[0].log[2].w[1], 0x10001);
	assert_int_equal(q[0].log[3].w[0], 0x0000002000000040ULL);
	assert_int_equal(q[0].log[3].w[1], 0x10001);
	assert_int_equal(q[0].log[4].w[0], 0x0000001000000040ULL);
	assert_int_equal(q[0].log[4].w[1], 0x12000);
	assert_int_equal(q[0].log[5].w[0], 0x0000002000000040ULL);
	assert_int_equal(q[0].log[5].w[1], 0x12000);
}

/* A nesting parent: stage 2 by address, then all of stage 1, then ATCs, and a SYNC between each. */
static void test_nesting_parent(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);

	add(0, SMMU_INV_S2_VMID, 1);
	add(0, SMMU_INV_S2_VMID_S1_CLEAR, 1);
	add(0, SMMU_INV_ATS_FULL, 3);
	sweep_ok(&g);
	assert_string_equal(opcodes(0), "2a 46 10 46 40 46s");
	assert_int_equal(q[0].log[4].w[1] & SMMU_CMD_ATC_INV_W1_SIZE, SMMU_CMD_ATC_INV_SIZE_ALL);
	/* A full flush ends, and takes each operation once. */
	q[0].n = 0;
	sweep_ok(NULL);
	assert_string_equal(opcodes(0), "28 46 10 46 40 46s");
}

static void test_whole(void **state)
{
	struct smmu_gather g = pages(0x10000, 600);

	q[1].target.flags = 0;
	add(0, SMMU_INV_S1_ASID, 7);
	add(1, SMMU_INV_S1_ASID, 8);
	add(1, SMMU_INV_ATS, 0x10);
	sweep_ok(&g);
	assert_string_equal(
		opcodes(0),
		"12 12 46s"); /* 600 = 11 * 2^3 + 16 * 2^5 … as few ranges as it takes */
	assert_string_equal(
		opcodes(1),
		"11 46 40 40 40 40 40 40 40 40 46s"); /* 600 single ones: the whole ASID is cheaper */
}

/* Nothing attached: nothing to do, no error. Operations that are gone are skipped, their targets not followed. */
static void test_empty_and_gone(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);
	struct smmu_inv gone[2];

	sweep_ok(&g);
	sweep_ok(NULL);
	add(0, SMMU_INV_S1_ASID, 7);
	add(0, SMMU_INV_ATS, 3);
	add(1, SMMU_INV_S1_ASID, 8);
	smmu_inv_make_asid(&gone[0], &q[0].target, 7);
	smmu_inv_make_ats(&gone[1], &q[0].target, 3, -1, false, &owner[3]);
	smmu_inv_unref(live, gone, 2);
	for (uint32_t i = 0; i < live->count; i++)
		if (!live->entry[i].users)
			live->entry[i].target =
				(struct smmu_inv_target *)0x10; /* the instance is gone */
	live->group[0].target = (struct smmu_inv_target *)0x10;
	sweep_ok(&g);
	assert_string_equal(opcodes(0), "");
	assert_string_equal(opcodes(1), "12 46s");
}

static void test_quirks(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);

	q[0].target.flags |= SMMU_INV_SPLIT_ATC;
	q[1].target.flags |= SMMU_INV_TLBI_TWICE;
	for (unsigned s = 0; s < 2; s++) {
		add(s, SMMU_INV_S2_VMID, 5);
		add(s, SMMU_INV_S2_VMID_S1_CLEAR, 5);
		add(s, SMMU_INV_ATS, 3);
	}
	sweep_ok(&g);
	assert_string_equal(opcodes(0), "2a 46 10 46s 40 46s");
	assert_string_equal(opcodes(1), "2a 46 2a 46 10 46 10 46 40 46s");
	assert_string_equal(
		order,
		"sswsww"); /* 0: TLB done, then its ATC part goes in before anything waits for it */
}

/* More instances than one fence holds: in waves, all of them served, never more than fit. */
static void test_waves(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);

	for (unsigned s = 0; s < SMMUS; s++)
		add(s, SMMU_INV_S1_ASID, s + 1);
	sweep_ok(&g);
	for (unsigned s = 0; s < SMMUS; s++)
		assert_string_equal(opcodes(s), "12 46s");
	assert_int_equal(most_in_flight, SMMU_FENCE_FLIGHTS);
}

static void test_poll(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);
	struct smmu_fence f;
	int turns = 0, r;

	q[0].pending_polls = 3;
	q[1].target.flags |= SMMU_INV_SPLIT_ATC;
	for (unsigned s = 0; s < SMMUS; s++) {
		add(s, SMMU_INV_S1_ASID, s + 1);
		add(s, SMMU_INV_ATS, 3);
	}
	smmu_inv_submit(&f, &tp.rcu, &live, &debt, &g);
	while ((r = smmu_fence_poll(&f)) == -SMMU_EAGAIN)
		assert_true(++turns < 100);
	assert_int_equal(r, 0);
	assert_true(turns > 3);
	for (unsigned s = 0; s < SMMUS; s++)
		assert_string_equal(opcodes(s), s == 1 ? "12 46s 40 46s" : "12 46 40 46s");
	assert_int_equal(smmu_fence_poll(&f), 0); /* asking again does no harm */
	assert_int_equal(smmu_fence_wait(&f), 0);
}

/** A queue before whose eyes stream 1 is detached. */
static int midway_submit(struct smmu_inv_target *t, struct smmu_inv_program *p,
			 struct smmu_cmdq_token *token)
{
	struct smmu_inv gone;

	smmu_inv_make_ats(&gone, t, 1, -1, false, &owner[1]);
	smmu_inv_unref(live, &gone, 1);
	return q_submit(t, p, token);
}

/*
 * An operation that goes away between counting and writing: where nothing had gone before, it is asked once too often; else
 * it leaves SYNCs in its place, so that the unit stays whole.
 */
static void test_gone_midway(void **state)
{
	static const struct smmu_inv_target_ops late = {midway_submit, q_poll, q_wait,
							q_quarantine};
	struct smmu_gather g = pages(0x10000, 3);
	struct smmu_inv gone;

	add(0, SMMU_INV_S1_ASID, 7);
	add(0, SMMU_INV_ATS, 1);
	add(0, SMMU_INV_ATS, 2);
	q[0].target.ops = &late;
	sweep_ok(&g);
	assert_string_equal(opcodes(0), "12 46 40 40 40 40 46s");
	add(0, SMMU_INV_ATS, 1);
	add(0, SMMU_INV_ATS, 3);
	smmu_inv_make_ats(&gone, &q[0].target, 3, -1, false, &owner[3]);
	smmu_inv_unref(live, &gone, 1);
	q[0].n = 0;
	sweep_ok(&g);
	assert_string_equal(opcodes(0), "12 46 40 40 46 46 46s");
	assert_int_equal(q[0].log[2].w[0] >> 32, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_program), T(test_nesting_parent), T(test_whole), T(test_empty_and_gone),
		T(test_quirks),  T(test_waves),          T(test_poll),  T(test_gone_midway),
	};

	return cmocka_run_group_tests_name("inv sweep", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file masked.c
 * The parts of a sweep that are not its own: a read section, a submit, a wait for what is done. And for how long interrupts are
 * masked: a submit masks them from its beginning to its end, but for some ten instructions, and one piece at a time; the most for a
 * program that passes over as many operations as it may that are gone. tests/queue/test_masked.c steps through the masked part
 * itself.
 */
#include "../../src/inv/sweep.h"
#include "bench.h"

static const struct smmu_cmd_range range = {.addr = 0x40000000, .leaf = true, .tg = 1, .ttl = 3};

static size_t fill(void *ctx, struct smmu_cmd *dst, size_t room)
{
	for (size_t i = 0; i < room; i++)
		dst[i] = smmu_cmd_tlbi_nh_va(0, 1, range);
	return room;
}

static inline void submit(uint32_t n, struct smmu_cmdq_token *token)
{
	MUST(!smmu_cmdq_submit(&bench_smmu[0].cmdq, n, fill, NULL, token));
}

static __attribute__((noinline)) void read_section(void)
{
	unsigned cookie;

	smmu_mb();
	cookie = smmu_rcu_enter(bench_port.rcu);
	smmu_rcu_exit(bench_port.rcu, cookie);
}

static void parts(void)
{
	struct smmu_cmdq *q = &bench_smmu[0].cmdq;
	struct smmu_cmdq_token token;

	BENCH("of it: a read section and the barrier before it", "smmuv3", read_section());
	BENCH("of it: submit a TLBI and its CMD_SYNC", "smmuv3", submit(1, &token));
	BENCH("of it: wait, as it is done", "smmuv3",
	      MUST(smmu_cmdq_wait(q, &token, false) == SMMU_CMDQ_DONE));
}

/* ---- The most: each position but the last is a CMD_SYNC in place of four operations that are gone ---- */

#define PASSED_OVER 4u
#define GONE (PASSED_OVER * (SMMU_CMDQ_PIECE - 2))

static size_t fill_program(void *ctx, struct smmu_cmd *dst, size_t room)
{
	return smmu_inv_program_next(ctx, dst, room);
}

static void careful(void)
{
	static struct smmu_inv set[GONE + 1];
	struct smmu_inv_target *t = &bench_smmu[0].target;
	struct smmu_cmdq *q = &bench_smmu[0].cmdq;
	struct smmu_inv_owner owner = {SMMU_CUT_NO};
	struct smmu_inv_array *array;
	struct smmu_inv_program p;
	struct smmu_cmdq_token token;
	struct smmu_inv_plan plan;
	struct smmu_gather g;
	char row[64];

	for (uint32_t i = 0; i <= GONE; i++)
		smmu_inv_make_ats(&set[i], t, i, -1, false, &owner);
	array = smmu_inv_merge(&bench_port, NULL, set, GONE + 1);
	MUST(array);
	smmu_inv_unref(array, set, GONE);
	smmu_gather_range(&g, 12, 0x40000000, 0x40000fff, 12, false);
	smmu_inv_plan_make(&plan, array->group, &g);
	for (unsigned warm = 2; warm--;) {
		smmu_inv_program_init(&p, array, array->group, &plan, SMMU_PHASE_ALL);
		MUST(smmu_inv_program_count(&p) == SMMU_CMDQ_PIECE - 1);
		if (warm) {
			MUST(!smmu_cmdq_submit(q, SMMU_CMDQ_PIECE - 1, fill_program, &p, &token));
		} else {
			snprintf(row, sizeof(row), "masked, commands %u", SMMU_CMDQ_PIECE - 1);
			BENCH(row, "smmuv3, careful",
			      MUST(!smmu_cmdq_submit(q, SMMU_CMDQ_PIECE - 1, fill_program, &p,
						     &token)));
		}
		MUST(smmu_cmdq_wait(q, &token, false) == SMMU_CMDQ_DONE);
	}
	smmu_inv_array_free(array);
}

void bench_masked(void)
{
	static const uint32_t sizes[] = {1, 4, 16, 64, SMMU_CMDQ_PIECE - 1};
	struct smmu_cmdq_token token;
	char row[64];

	bench_start(1);
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(sizes); i++) {
		submit(sizes[i], &token);
		MUST(smmu_cmdq_wait(&bench_smmu[0].cmdq, &token, false) == SMMU_CMDQ_DONE);
		snprintf(row, sizeof(row), "masked, commands %u", sizes[i]);
		BENCH(row, "smmuv3", submit(sizes[i], &token));
		MUST(smmu_cmdq_wait(&bench_smmu[0].cmdq, &token, false) == SMMU_CMDQ_DONE);
	}
	careful();
	parts();
	bench_stop(1);
}

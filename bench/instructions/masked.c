/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file masked.c
 * The parts of a sweep that are not its own: a read section, a submit, a wait for what is done. And for how long interrupts are masked: a submit masks them from its beginning to its end, but for some ten instructions, and one
 * piece at a time. tests/queue/test_masked.c steps through the masked part itself.
 */
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
	parts();
	bench_stop(1);
}

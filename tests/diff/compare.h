/* SPDX-License-Identifier: BSD-2-Clause */
/** @file compare.h What became of an access on one side, and the judgement over both. */
#ifndef TESTS_DIFF_COMPARE_H
#define TESTS_DIFF_COMPARE_H

#include "diff.h"

struct outcome {
	bool ok;
	uint64_t pa; /* 0: it landed, nobody knows where */
	unsigned nevents;
	struct smmu_event event[EVENTS];
};

/**
 * With concatenated first tables at stage 2 QEMU reads from the first of them only. True if the access would need
 * another (or, with both stages, may).
 */
bool beyond_first_table(struct world *w, unsigned dev, uint64_t iova);

/**
 * Compare @p o[MODEL] and @p o[QEMU] of the access that @p res is the model's word for; @p t: with what may be stale.
 * @p known: QEMU's side knows where it landed.
 */
void judge(struct world *w, unsigned dev, const struct taint *t, const struct smmu_dma_result *res,
	   struct outcome *o, uint64_t iova, bool known);

#endif

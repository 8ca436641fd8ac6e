/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transactions that have stalled, and wait for CMD_RESUME or CMD_STALL_TERM (3.12.2, 4.7.1, 4.7.2). One that is tried again is
 * as one that has just arrived.
 */
#include <string.h>

#include "internal.h"

static void resume(struct instance *in, struct stall *s, bool retry)
{
	struct smmu_dma dma = s->dma;

	dma.brief =
		false; /* what it found is asked for later, when memory may say something else */
	s->state = STALL_DONE;
	s->result = (struct smmu_dma_result){.dma = dma};
	if (retry && (in->r.cr0.eff & CR0_SMMUEN)) {
		struct smmu_dma_result r;

		model_access(in, &dma, true, &r);
		if (in->model->hooks.access)
			in->model->hooks.access(in->model->hooks.ctx, &r);
		s->result = r;
	}
}

/** CMD_RESUME, or with @p all CMD_STALL_TERM. */
void model_resume(struct instance *in, const uint64_t cmd[2], bool all)
{
	for (unsigned i = 0; i < STALLS; i++) {
		struct stall *s = &in->stall[i];

		if (s->state != STALL_WAITS || s->dma.stream != (uint32_t)bits(cmd[0], 63, 32))
			continue;
		if (all)
			resume(in, s, false);
		else if (s->tag == (cmd[1] & 0xffff))
			resume(in, s, cmd[0] & BIT(12));
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses that had stalled go on: by CMD_RESUME, CMD_STALL_TERM, or as there is room for their records. One that is tried again is
 * as one that has just arrived.
 */
#include "internal.h"

static void resume(struct instance *in, struct stall *s, bool retry)
{
	struct smmu_dma dma = s->dma;

	dma.brief =
		false; /* what it found is asked for later, when memory may say something else */
	model_stall_end(in, s);
	if (retry) {
		struct smmu_dma_result r;

		model_access(in, &dma, true, &r);
		r.retried = true;
		if (in->model->hooks.access)
			in->model->hooks.access(in->model->hooks.ctx, &r);
		s->result = r;
	}
}

/** There may be room for records again: what waits without one is as if it had just arrived. */
void model_stalls_retry(struct instance *in)
{
	for (unsigned i = 0; i < STALLS && model_events_writable(in); i++)
		if (in->stall[i].state == STALL_MUTE)
			resume(in, &in->stall[i], true);
}

/** CMD_RESUME, or with @p all CMD_STALL_TERM. */
void model_resume(struct instance *in, const uint64_t cmd[2], bool all)
{
	bool any = false;

	for (unsigned i = 0; i < STALLS; i++) {
		struct stall *s = &in->stall[i];

		if (all && s->state == STALL_MUTE &&
		    s->dma.stream == (uint32_t)bits(cmd[0], 63, 32))
			resume(in, s, false);
		if (s->state != STALL_WAITS || s->dma.stream != (uint32_t)bits(cmd[0], 63, 32))
			continue;
		if (all) {
			/* Who has its record to read yet may answer it in good faith. */
			in->ended++;
			resume(in, s, false);
		} else if (s->tag == (cmd[1] & 0xffff)) {
			any = true;
			resume(in, s, cmd[0] & BIT(12));
			break;
		}
	}
	if (all || any)
		return;
	if (in->ended)
		in->ended--;
	else
		in->count.stray_answers++;
}

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
	in->stalled--;
	s->state = STALL_DONE;
	s->result = (struct smmu_dma_result){.dma = dma};
	if (retry) {
		struct smmu_dma_result r;

		model_access(in, &dma, true, &r);
		r.retried = true;
		if (in->model->hooks.access)
			in->model->hooks.access(in->model->hooks.ctx, &r);
		s->result = r;
	}
}

/** The record @p w has no room: if it is that of an access that waits, that waits without one. */
bool model_stall_mute(struct instance *in, const uint64_t w[4])
{
	unsigned type = (unsigned)bits(w[0], 7, 0);

	if (type < F_TRANSLATION || type > F_PERMISSION || !(w[1] & BIT(31)))
		return false;
	for (unsigned i = 0; i < STALLS; i++) {
		struct stall *s = &in->stall[i];

		if (s->state == STALL_WAITS && s->dma.stream == (uint32_t)bits(w[0], 63, 32) &&
		    s->tag == (w[1] & 0xffff))
			s->state = STALL_MUTE;
	}
	return true;
}

/** There may be room for records again: what waits without one is as if it had just arrived. */
void model_stalls_retry(struct instance *in)
{
	for (unsigned i = 0; i < STALLS && model_events_writable(in); i++)
		if (in->stall[i].state == STALL_MUTE)
			resume(in, &in->stall[i], true);
}

/** SMMUEN is 0: some end now, others wait on. */
void model_stalls_disabled(struct instance *in)
{
	for (unsigned i = 0; i < STALLS; i++) {
		struct stall *s = &in->stall[i];

		if ((s->state == STALL_WAITS || s->state == STALL_MUTE) && model_rnd(in) % 2)
			resume(in, s, false);
	}
}

unsigned smmu_model_unanswered(struct smmu_model *model, unsigned instance)
{
	struct instance *in = &model->in[instance];
	unsigned n;

	model_enter(in);
	n = in->stalled;
	for (const struct smmu_model_device *dev = in->devices; dev; dev = dev->next)
		n += dev->open;
	model_leave(in);
	return n;
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
		if (all)
			resume(in, s, false);
		else if (s->tag == (cmd[1] & 0xffff)) {
			any = true;
			resume(in, s, cmd[0] & BIT(12));
			break;
		}
	}
	in->count.stray_answers += !all && !any;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transactions that have stalled, and wait for CMD_RESUME or CMD_STALL_TERM (3.12.2, 4.7.1, 4.7.2). One that is tried again is
 * as one that has just arrived.
 */
#include <string.h>

#include "internal.h"

/** It waits no more, and went nowhere. */
void model_stall_end(struct instance *in, struct stall *s)
{
	in->stalled--;
	s->state = STALL_DONE;
	s->result = (struct smmu_dma_result){.dma = s->dma};
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

/** SMMUEN is 0: all end with an abort, and their tags are free (6.3.9.6): the first that stall afterwards have the same. */
void model_stalls_disabled(struct instance *in)
{
	for (unsigned i = 0; i < STALLS; i++) {
		struct stall *s = &in->stall[i];

		if (s->state == STALL_WAITS || s->state == STALL_MUTE)
			model_stall_end(in, s);
	}
	in->stag = 0;
	in->ended = 0;
}

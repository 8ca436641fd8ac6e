/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which cache answered, for a device that does not tell: deduced from what was tampered with, and else from what kind of
 * promise was broken.
 */
#include "deduce.h"

#include <stdio.h>
#include <string.h>

/* Did the tamper keep a command from this access's configuration, or from its translation? */
static const char *struck(const struct smmu_tamper_record *r, const struct cmdlog_query *q)
{
	bool all = smmu_cmd_opcode(&r->original) == SMMU_CMD_CFGI_STE_RANGE;

	switch (r->fault) {
	case SMMU_TAMPER_DROP_CFGI:
		return all || smmu_field_get(SMMU_CMD_W0_SID, r->original.w[0]) == q->stream
			       ? "config-cache"
			       : NULL;
	case SMMU_TAMPER_DROP_TLBI:
	case SMMU_TAMPER_WRONG_ID:
	case SMMU_TAMPER_WRONG_INSTANCE:
		return cmdlog_matches(&r->original, q) ? "tlb" : NULL;
	default:
		return NULL;
	}
}

void deduce(struct machine *m, const struct backend_dma *dma, bool landed,
	    struct backend_evidence *e)
{
	const struct cmdlog_query q = {.stream = dma->stream,
				       .start = dma->iova & ~4095ull,
				       .last = dma->iova | 4095,
				       .asid = -1,
				       .vmid = -1};
	struct smmu_tamper_record rec[SMMU_TAMPER_RECORDS];
	unsigned n = smmu_tamper_last(&m->smmu[dma->smmu].tamper, rec, SMMU_TAMPER_RECORDS), i;

	e->held_by = NULL;
	for (i = 0; i < n && !e->held_by; i++)
		e->held_by = struck(&rec[i], &q);
	snprintf(e->text, sizeof(e->text), "deduced from the commands that were tampered with");
	if (e->held_by)
		return;
	snprintf(e->text, sizeof(e->text), "deduced from what the stream is attached to");
	if (!dma->attached) {
		e->held_by = "config-cache";
		e->missing = "cfgi";
	} else if (landed) {
		e->held_by = "tlb";
		e->missing = lab_fault(m->o, FAULT_NO_BARRIER, NULL) ? "barrier" : "tlbi";
	} else {
		e->held_by = "memory";
	}
}

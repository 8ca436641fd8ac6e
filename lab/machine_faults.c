/* SPDX-License-Identifier: BSD-2-Clause */
/* The faults of a run: turned on when the machine stands, off before it is taken down, and counted. */
#include "machine_build.h"

static const enum fault_id tamper_fault[SMMU_TAMPER_FAULTS] = {
	[SMMU_TAMPER_DROP_TLBI] = FAULT_DROP_TLBI,
	[SMMU_TAMPER_DROP_ATC] = FAULT_DROP_ATC,
	[SMMU_TAMPER_DROP_CFGI] = FAULT_DROP_CFGI,
	[SMMU_TAMPER_DROP_SYNC] = FAULT_DROP_SYNC,
	[SMMU_TAMPER_WRONG_ID] = FAULT_WRONG_ID,
	[SMMU_TAMPER_WRONG_INSTANCE] = FAULT_WRONG_INSTANCE,
	[SMMU_TAMPER_ATC_FIRST] = FAULT_ATC_FIRST,
	[SMMU_TAMPER_CMD_ERROR] = FAULT_CMD_ERROR,
};

/* What breaks during set-up would show nothing but a failing set-up. */
void machine_start_faults(struct machine *m)
{
	unsigned i, f;

	for (i = 0; i < m->smmus; i++) {
		struct smmu_tamper *t = &m->smmu[i].tamper;

		for (f = 0; f < SMMU_TAMPER_FAULTS; f++)
			lab_fault(m->o, tamper_fault[f], &t->every[f]);
	}
	for (i = 0; i < m->o->n_inject; i++) {
		const struct fault_request *r = &m->o->inject[i];

		m->tampered |= fault_info[r->id].caught;
		m->faulty |= fault_info[r->id].no_confirm || r->id == FAULT_ATC_TIMEOUT;
		if (m->backend.ops->inject)
			m->backend.ops->inject(m->backend.ctx, r->id, r->every);
		if (r->id == FAULT_ALLOC_FAIL)
			smmu_heap_fail(&m->heap, 0, r->every);
		if (r->id == FAULT_DROP_CLEAN)
			smmu_store(&m->drop_clean, r->every);
	}
}

void machine_stop_faults(struct machine *m)
{
	unsigned i, f;

	for (i = 0; i < m->smmus; i++) {
		for (f = 0; f < SMMU_TAMPER_FAULTS; f++)
			m->smmu[i].tamper.every[f] = 0;
	}
	for (f = 0; f < FAULT_KINDS; f++) {
		if (m->backend.ops->inject)
			m->backend.ops->inject(m->backend.ctx, (enum fault_id)f, 0);
	}
	smmu_heap_fail(&m->heap, 0, 0);
	smmu_store(&m->drop_clean, 0);
}

uint64_t machine_struck(struct machine *m, enum fault_id id)
{
	uint64_t n = 0;
	unsigned i, f;

	if (id == FAULT_ALLOC_FAIL)
		return m->heap.fail.failed;
	if (id == FAULT_EARLY_FREE || id == FAULT_NO_BARRIER || id == FAULT_DROP_CLEAN ||
	    id == FAULT_DIRTY_START || id == FAULT_ADOPT_CORRUPT || id == FAULT_NO_QUIRK)
		return smmu_load(&m->own_strikes[id]);
	if (id == FAULT_TORN_PAIR)
		return m->sim ? sim_pairs_torn(m->sim) : 0;
	for (f = 0; f < SMMU_TAMPER_FAULTS; f++) {
		for (i = 0; tamper_fault[f] == id && i < m->smmus; i++)
			n += smmu_tamper_count(&m->smmu[i].tamper, f);
	}
	if (m->backend.ops->struck)
		n += m->backend.ops->struck(m->backend.ctx, id);
	return n;
}

bool machine_may_fail(struct machine *m, int rc)
{
	unsigned i;

	if (rc == -SMMU_EIO && smmu_load(&m->outages))
		return true;
	for (i = 0; rc == -SMMU_EIO && i < m->o->n_inject; i++) {
		enum fault_id id = m->o->inject[i].id;

		if (fault_info[id].no_confirm && machine_struck(m, id))
			return true;
	}
	return false;
}

bool machine_dead(const struct machine *m, unsigned smmu)
{
	const struct smmu_instance *inst = &m->smmu[smmu].inst;

	return !smmu_load(&m->smmu[smmu].present) || smmu_load(&m->smmu[smmu].broken) ||
	       smmu_load(&inst->cmdq.stuck);
}

void machine_report_faults(struct machine *m, struct report *r)
{
	unsigned i;

	for (i = 0; i < m->o->n_inject; i++) {
		const struct fault_request *q = &m->o->inject[i];
		struct report_fault *f = &r->fault[r->faults++];

		*f = (struct report_fault){.id = q->id,
					   .every = q->every,
					   .barrier = q->barrier,
					   .struck = machine_struck(m, q->id)};
		if (!fault_info[q->id].caught)
			r->survived += f->struck;
	}
}

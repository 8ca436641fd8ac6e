/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose an SMMU is, and the end of a former owner. */
#include "former.h"
#include "machine_adopt.h"

bool machine_former_runs(const struct machine *m, unsigned smmu)
{
	const struct former *f = m->smmu[smmu].former;

	return f && smmu_load(&f->runs);
}

void machine_former_quiet(struct machine *m, unsigned smmu)
{
	if (m->smmu[smmu].former)
		former_quiet(m->smmu[smmu].former);
}

void machine_former_gone(struct machine *m, unsigned smmu)
{
	struct machine_smmu *s = &m->smmu[smmu];
	unsigned i;

	for (i = 0; i < m->devices; i++) {
		if (m->device[i].smmu != smmu)
			continue;
		m->device[i].adopted = false;
		smmu_store(&m->device[i].wild, 0);
	}
	former_free(s->former);
	s->former = NULL;
}

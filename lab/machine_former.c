/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose an SMMU is, and the end of a former owner. */
#include "former.h"
#include "machine_adopt.h"

bool machine_former_runs(const struct machine *m, unsigned smmu)
{
	return smmu_load(&m->smmu[smmu].former_runs);
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

	if (!s->former)
		return;
	for (i = 0; i < m->devices; i++) {
		if (m->device[i].smmu != smmu)
			continue;
		smmu_store(&m->device[i].adopted, false);
		smmu_store(&m->device[i].wild, 0);
	}
	smmu_store(&s->former_runs, 0);
	former_free(s->former);
	s->former = NULL;
}

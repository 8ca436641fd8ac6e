/* SPDX-License-Identifier: BSD-2-Clause */
/* What a run does to the SMMUs of its machine: remove and restart. The judge is told before and after. */
#include "machine_build.h"

#include "guest.h"
#include "machine_pages.h"
#include "machine_adopt.h"

void machine_check_events(struct machine *m)
{
	unsigned i;

	if (!m->backend.ops->events || m->faulty || lab_fault(m->o, FAULT_DIRTY_START, NULL))
		return;
	/* Those that are on their way. */
	if (m->sim)
		sim_settle(m->sim, 1000000);
	else
		machine_pause(m, 50000000);
	machine_serve(m);
	for (i = 0; i < m->smmus; i++) {
		struct machine_smmu *s = &m->smmu[i];
		uint64_t written = m->backend.ops->events(m->backend.ctx, i) - s->events_before;

		if (smmu_load(&s->present) && !s->events_lost && written != s->events)
			machine_complain(m, i, 0, "events",
					 "the SMMU wrote %llu event records since it was enabled, "
					 "the driver has handed over %llu",
					 (unsigned long long)written,
					 (unsigned long long)s->events);
	}
}

static void open_to_all(struct machine_device *d)
{
	unsigned slot;

	for (slot = 0; slot < MACHINE_SSIDS; slot++)
		oracle_doubt(d->m->oracle, machine_slot(d, slot), ORACLE_IDENTITY);
}

/*
 * DMA of all devices of an SMMU that a former owner left running, so that it caches what that one set up, and again after the
 * driver has it up.
 */
static void roam(struct machine *m, unsigned smmu)
{
	struct dma_count count = {0};
	unsigned i, k;

	for (i = 0; i < m->devices; i++) {
		struct machine_device *d = &m->device[i];

		if (d->smmu != smmu)
			continue;
		for (k = 0; k < d->n_streams; k++)
			machine_dma(m, &count, d, k, 0, m->canary, false);
	}
}

int machine_remove(struct machine *m, unsigned smmu)
{
	unsigned tries = 0;
	int rc;

	/* One that pauses is there again after minutes. */
	while ((rc = smmu_instance_remove(&m->smmu[smmu].inst)) == -SMMU_ETIMEDOUT && m->faulty &&
	       tries++ < 300)
		machine_pause(m, 900000000);
	return rc;
}

int machine_restart(struct machine *m, unsigned smmu)
{
	struct oracle *o = m->oracle;
	unsigned i, k;
	int rc;

	for (i = 0; i < m->devices; i++) {
		for (k = 0; m->device[i].smmu == smmu && k < MACHINE_SSIDS; k++) {
			unsigned slot = machine_slot(&m->device[i], k);

			oracle_attach_begin(o, slot, oracle_attached(o, slot, NULL), false);
		}
	}
	m->smmu[smmu].events_lost = true;
	machine_pages_suspend(m, smmu);
	rc = smmu_instance_revive(&m->smmu[smmu].inst);
	machine_pages_suspended(m, smmu);
	smmu_store(&m->smmu[smmu].broken, rc && rc != -SMMU_EIO);
	for (i = 0; i < m->devices; i++) {
		struct machine_device *d = &m->device[i];

		for (k = 0; d->smmu == smmu && k < MACHINE_SSIDS; k++) {
			/* Of a device that is not there, or silent, the revival confirms nothing. */
			if (!rc && smmu_load(&d->present) && smmu_device_confirmed(&d->dev))
				oracle_certain(o, machine_slot(d, k));
			else
				oracle_doubt(o, machine_slot(d, k),
					     oracle_attached(o, machine_slot(d, k), NULL));
			oracle_attach_end(o, machine_slot(d, k), true);
		}
		if (!rc && d->smmu == smmu)
			smmu_store(&d->wild, 0);
	}
	return rc;
}

int machine_replug(struct machine *m, unsigned smmu)
{
	struct machine_smmu *s = &m->smmu[smmu];
	unsigned i, tries = 0;
	bool dirty;
	int rc;

	for (i = 0; i < m->devices; i++) {
		if (m->device[i].smmu == smmu)
			machine_block(&m->device[i], true, true);
	}
	machine_change_all(m, true);
	machine_former_quiet(m, smmu);
	if (smmu_load(&s->present))
		machine_check_dirt(m, smmu);
	machine_pages_down(m, smmu);
	smmu_store(&s->present, 0);
	rc = machine_remove(m, smmu);
	if (!rc)
		guest_smmu_down(m, smmu);
	machine_change_all(m, false);
	for (i = 0; i < m->devices; i++) {
		if (m->device[i].smmu == smmu) {
			smmu_store_release(&m->device[i].present, 0);
			/* Whoever uses it meanwhile lets everything through. */
			if (lab_fault(m->o, FAULT_DIRTY_START, NULL))
				open_to_all(&m->device[i]);
		}
	}
	machine_pages_gone(m, smmu);
	machine_keep_stats(m, smmu);
	machine_pause(m, 1000);
	dirty = !rc && machine_bring_dirt(m, smmu);
	if (dirty)
		roam(m, smmu);
	while (!rc) {
		rc = machine_enable(m, smmu);
		if (!rc)
			rc = guest_smmu_up(m, smmu);
		if (!machine_try_again(m, rc, &tries))
			break;
		rc = 0;
	}
	if (!rc) {
		/* The last ones went to the former owner. */
		m->smmu[smmu].events_lost |= m->smmu[smmu].former != NULL;
		machine_former_gone(m, smmu);
		smmu_store(&m->smmu[smmu].left, 0);
	}
	/* Where it did not come up, it is off or nobody knows: there is nothing to be adopted. */
	smmu_store(&m->smmu[smmu].former_runs, 0);
	for (i = 0; i < m->devices; i++) {
		if (m->device[i].smmu == smmu)
			machine_block(&m->device[i], false, !rc);
	}
	if (dirty)
		roam(m, smmu);
	machine_leave_dirt(m, smmu);
	if (rc)
		return rc;
	for (i = 0; i < m->devices; i++) {
		if (m->device[i].smmu != smmu)
			continue;
		tries = 0;
		do
			rc = machine_add_device(&m->device[i]);
		while (machine_try_again(m, rc, &tries));
		if (rc)
			return rc;
	}
	return 0;
}

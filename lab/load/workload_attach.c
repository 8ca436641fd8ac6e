/* SPDX-License-Identifier: BSD-2-Clause */
/* A worker attaches and detaches devices, and removes whole SMMUs. */
#include "workload.h"

static bool attach_failed_rightly(const struct worker *k, const struct machine_device *d, int rc)
{
	if (rc == -SMMU_EIO)
		return smmu_device_quarantined(&d->dev);
	return worker_starved(k, rc) || rc == -SMMU_EBUSY;
}

static void check_now(struct worker *k, unsigned device, unsigned ssid)
{
	unsigned to = oracle_attached(k->w->m->oracle, device * MACHINE_SSIDS + ssid, NULL);
	unsigned i;

	/* What was reached before the change, and what is mapped where it is attached now. */
	for (i = 0; i < k->n_live && i < 2; i++) {
		const struct live_map *l = &k->live[worker_below(k, k->n_live)];

		if (to == ORACLE_IDENTITY)
			return;
		worker_dma_by(k, device, ssid, map_iova(k, l) + (worker_below(k, l->pages) << 12),
			      false);
	}
}

static void revive(struct worker *k, struct machine_device *d)
{
	int rc;

	worker_land(k);
	smmu_fetch_add(&k->w->m->quarantined, 1);
	rc = machine_revive(d);
	if (rc)
		machine_complain(k->w->m, d->smmu, 0, "device",
				 "a device that was reset cannot be added "
				 "again: error %d",
				 rc);
}

void worker_attach(struct worker *k)
{
	struct machine *m = k->w->m;
	unsigned i = (unsigned)worker_below(k, m->devices), ssid = 0, to;
	struct machine_device *d = &m->device[i];
	int rc;

	worker_land(k);
	if (!machine_take(&d->busy))
		return;
	if (!smmu_load_acquire(&d->present)) {
		machine_give(&d->busy);
		return;
	}
	if (smmu_device_quarantined(&d->dev))
		revive(k, d);
	if (d->dev.ssid_bits && worker_chance(k, 1, 2))
		ssid = 1 + (unsigned)worker_below(k, MACHINE_SSIDS - 1);
	to = (unsigned)worker_below(k, m->domains);
	if (worker_chance(k, 1, 6))
		to = ORACLE_BLOCKED;
	else if (!ssid && worker_chance(k, 1, 12))
		to = ORACLE_IDENTITY;
	else if (ssid && m->domain[to].stage == 2)
		ssid = 0;
	check_now(k, i, ssid);
	rc = ssid ? machine_attach_pasid(d, ssid, to) : machine_attach(d, to);
	if (rc && !attach_failed_rightly(k, d, rc))
		worker_check_refused(k, "attach", rc, false);
	if (to == ORACLE_BLOCKED)
		k->detaches++;
	else if (!rc)
		k->attaches++;
	check_now(k, i, ssid);
	machine_give(&d->busy);
}

/* All devices of an SMMU, or none. */
static bool take_all(struct machine *m, unsigned smmu)
{
	unsigned i;

	for (i = 0; i < m->devices; i++) {
		if (m->device[i].smmu == smmu && !machine_take(&m->device[i].busy))
			break;
	}
	if (i == m->devices)
		return true;
	while (i-- > 0) {
		if (m->device[i].smmu == smmu)
			machine_give(&m->device[i].busy);
	}
	return false;
}

void worker_remove(struct worker *k)
{
	struct machine *m = k->w->m;
	unsigned smmu = (unsigned)worker_below(k, m->smmus), i;
	int rc;

	worker_land(k);
	if (!machine_take(&m->smmu[smmu].busy))
		return;
	if (!take_all(m, smmu)) {
		machine_give(&m->smmu[smmu].busy);
		return;
	}
	rc = machine_replug(m, smmu);
	if (rc)
		machine_complain(m, smmu, 0, "enable",
				 "an SMMU that was removed does not come up again: "
				 "error %d",
				 rc);
	k->removals++;
	for (i = 0; i < m->devices; i++) {
		struct machine_device *d = &m->device[i];

		if (d->smmu != smmu)
			continue;
		if (!rc && d->present && worker_chance(k, 7, 8) &&
		    !machine_attach(d, (unsigned)worker_below(k, m->domains)))
			k->attaches++;
		machine_give(&d->busy);
	}
	machine_give(&m->smmu[smmu].busy);
}

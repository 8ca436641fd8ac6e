/* SPDX-License-Identifier: BSD-2-Clause */
/* A worker attaches and detaches devices, and removes whole SMMUs. */
#include "owner.h"
#include "workload.h"

#include "machine_adopt.h"
#include "machine_power.h"

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

/** Domain @to is an owner's: a substream goes there, and of the device's own traffic something else becomes. */
static unsigned beside(struct worker *k, const struct machine_device *d, unsigned *ssid,
		       unsigned to)
{
	bool fits = d->dev.ssid_bits && owner_fits(k->w->m, d->smmu);

	if (fits && !*ssid && worker_chance(k, 1, 2))
		*ssid = 1 + (unsigned)worker_below(k, MACHINE_SSIDS - 1);
	if (fits && *ssid)
		return to;
	*ssid = 0;
	return machine_own(k->w->m, to + (unsigned)worker_below(k, 2));
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
	/* It could not be added when its SMMU came up again. */
	if (!smmu_load_acquire(&d->present) &&
	    (machine_dead(m, d->smmu) || machine_add_device(d))) {
		machine_give(&d->busy);
		return;
	}
	if (smmu_device_quarantined(&d->dev))
		worker_revive(k, d);
	/* Nor after its reset. */
	if (!smmu_load_acquire(&d->present)) {
		machine_give(&d->busy);
		return;
	}
	if (d->dev.ssid_bits && !smmu_load(&d->adopted) && worker_chance(k, 1, 2))
		ssid = 1 + (unsigned)worker_below(k, MACHINE_SSIDS - 1);
	to = (unsigned)worker_below(k, m->domains);
	if (smmu_load(&d->adopted))
		to = machine_own(m, to);
	if (worker_chance(k, 1, 6))
		to = ORACLE_BLOCKED;
	else if (!ssid && worker_chance(k, 1, 12))
		to = ORACLE_IDENTITY;
	else if (ssid && m->domain[to].stage == 2)
		ssid = 0;
	else if (to < m->domains && m->domain[to].owner)
		to = beside(k, d, &ssid, to);
	check_now(k, i, ssid);
	worker_open(k);
	rc = ssid ? machine_attach_pasid(d, ssid, to) : machine_attach(d, to);
	worker_close(k);
	if (rc && !worker_attach_failed_rightly(k, d, rc))
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

bool worker_take_smmu(struct worker *k, unsigned smmu)
{
	struct machine *m = k->w->m;

	worker_land(k);
	if (!machine_take(&m->smmu[smmu].busy))
		return false;
	if (take_all(m, smmu))
		return true;
	machine_give(&m->smmu[smmu].busy);
	return false;
}

void worker_give_smmu(struct worker *k, unsigned smmu)
{
	struct machine *m = k->w->m;
	unsigned i;

	for (i = 0; i < m->devices; i++)
		if (m->device[i].smmu == smmu)
			machine_give(&m->device[i].busy);
	machine_give(&m->smmu[smmu].busy);
}

/* Remove an SMMU, bring it up again, and attach its devices; false: others are at it, or it does not come up. */
static bool replug(struct worker *k, unsigned smmu)
{
	struct machine *m = k->w->m;
	unsigned i;
	int rc;

	if (!worker_take_smmu(k, smmu))
		return false;
	rc = machine_replug(m, smmu);
	if (rc && !machine_may_fail(m, rc == -SMMU_ETIMEDOUT ? -SMMU_EIO : rc))
		machine_complain(m, smmu, 0, "enable",
				 "an SMMU that was removed does not come up again: "
				 "error %d",
				 rc);
	for (i = 0; i < m->devices; i++) {
		struct machine_device *d = &m->device[i];

		if (d->smmu != smmu)
			continue;
		if (!rc && d->present && worker_chance(k, 7, 8) &&
		    !machine_attach(d, machine_own(m, (unsigned)worker_below(k, m->domains))))
			k->attaches++;
	}
	worker_give_smmu(k, smmu);
	return !rc;
}

/* Bring one back in place. */
static bool restart(struct worker *k, unsigned smmu)
{
	struct machine *m = k->w->m;
	int rc;

	if (!worker_take_smmu(k, smmu))
		return false;
	rc = machine_dead(m, smmu) ? machine_restart(m, smmu) : 0;
	if (rc && rc != -SMMU_EIO && !machine_may_fail(m, rc == -SMMU_ETIMEDOUT ? -SMMU_EIO : rc))
		machine_complain(m, smmu, 0, "revive",
				 "an SMMU that had stopped cannot be revived: error %d", rc);
	worker_give_smmu(k, smmu);
	return !rc;
}

void worker_remove(struct worker *k)
{
	k->removals += replug(k, (unsigned)worker_below(k, k->w->m->smmus));
}

/* Meanwhile there is little that can be done, and in a blink of the virtual clock all of a run would be over. */
#define UNTIL_IT_IS_BACK_NS 200000000u

void worker_mend(struct worker *k)
{
	struct machine *m = k->w->m;
	unsigned i;

	for (i = 0; i < m->smmus; i++) {
		if (!machine_dead(m, i) || machine_former_runs(m, i) || machine_is_left(m, i))
			continue;
		if (smmu_load(&m->smmu[i].present) && worker_chance(k, 3, 4) ? restart(k, i)
									     : replug(k, i))
			smmu_fetch_add(&m->revived, 1);
		else if (m->sim)
			machine_pause(m, UNTIL_IT_IS_BACK_NS);
	}
}

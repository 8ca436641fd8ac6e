/* SPDX-License-Identifier: BSD-2-Clause */
/* A worker resets devices and pulls them out, while others unmap from what they are attached to. */
#include "workload.h"

#include "guest.h"
#include "machine_table.h"
#include "owner.h"

/* It is not back: drop it, and add it anew. */
static void anew(struct worker *k, struct machine_device *d)
{
	int rc = machine_reset_device(d);

	if (rc && !machine_may_fail(k->w->m, rc))
		machine_complain(k->w->m, d->smmu, 0, "device",
				 "a device that was reset cannot be added again: error %d", rc);
}

void worker_revive(struct worker *k, struct machine_device *d)
{
	worker_land(k);
	smmu_fetch_add(&k->w->m->quarantined, 1);
	if (k->w->m->o->resets && worker_chance(k, 3, 4)) {
		int rc = machine_recover(d);

		k->resets++;
		if (!rc)
			return;
		if (rc != -SMMU_EIO ||
		    !(machine_may_fail(k->w->m, rc) || smmu_device_quarantined(&d->dev)))
			machine_complain(k->w->m, d->smmu, 0, "recover",
					 "a device that was reset does not come back: error %d",
					 rc);
	}
	anew(k, d);
}

/* What it might reach, it must not, translated or not; and what others have mapped and unmapped. */
static void look(struct worker *k, struct machine_device *d)
{
	struct machine *m = k->w->m;
	unsigned i;

	for (i = 0; i < 4; i++) {
		unsigned slot = d->ssid_bits ? (unsigned)worker_below(k, MACHINE_SSIDS) : 0;
		const struct worker *other = &k->w->worker[worker_below(k, k->w->workers)];
		unsigned to = guest_home(m, d->kept[slot], NULL);
		uint64_t iova = smmu_load(
			&other->hot[(to < m->domains ? to : 0) * HOT + worker_below(k, HOT)]);

		worker_dma_by(k, d->index, slot, iova ? iova : window_base(other), false);
		machine_forge(m, &k->count, d, (unsigned)worker_below(k, d->n_streams),
			      m->data + (worker_below(k, m->data_bytes) & ~7ull),
			      worker_chance(k, 1, 2));
	}
}

/* To another domain while it is being reset. */
static void move(struct worker *k, struct machine_device *d)
{
	struct machine *m = k->w->m;
	unsigned slot = d->ssid_bits ? (unsigned)worker_below(k, MACHINE_SSIDS) : 0;
	unsigned to =
		worker_chance(k, 1, 4) ? ORACLE_BLOCKED : (unsigned)worker_below(k, m->domains);
	int rc;

	/* Guests have a say in where devices are. */
	if (m->guests)
		return;
	if (slot && to != ORACLE_BLOCKED && m->domain[to].stage == 2)
		slot = 0;
	if (to != ORACLE_BLOCKED && m->domain[to].owner && (!slot || !owner_fits(m, d->smmu)))
		return;
	rc = machine_reset_attach(d, slot, to);
	if (rc && !worker_attach_failed_rightly(k, d, rc))
		worker_check_refused(k, "attach", rc, false);
	k->detaches += to == ORACLE_BLOCKED;
	k->attaches += to != ORACLE_BLOCKED && !rc;
}

static void reset(struct worker *k, struct machine_device *d)
{
	struct machine *m = k->w->m;
	int rc = machine_reset_begin(d);

	if (rc && !machine_may_fail(m, rc))
		machine_complain(m, d->smmu, 0, "reset",
				 "a device cannot be prepared for its reset: error %d", rc);
	if (!rc) {
		look(k, d);
		while (worker_chance(k, 1, 2))
			move(k, d);
		if (worker_chance(k, 1, 2))
			worker_unmap(k);
		look(k, d);
	}
	rc = machine_reset_end(d);
	if (!rc) {
		look(k, d);
		return;
	}
	if (rc != -SMMU_EIO || !(machine_may_fail(m, rc) || smmu_device_quarantined(&d->dev)))
		machine_complain(m, d->smmu, 0, "reset",
				 "a device does not come back from its reset: error %d", rc);
	anew(k, d);
}

void worker_life(struct worker *k)
{
	struct machine *m = k->w->m;
	struct machine_device *d = &m->device[worker_below(k, m->devices)];

	/* Other designs do not leave anybody out. */
	if (m->qemu || m->design != &design_sweep)
		return;
	worker_land(k);
	if (!machine_take(&d->busy))
		return;
	if (smmu_load_acquire(&d->present) && !machine_dead(m, d->smmu) &&
	    !smmu_load(&d->adopted)) {
		if (smmu_device_quarantined(&d->dev)) {
			worker_revive(k, d);
		} else if (worker_chance(k, 1, 8)) {
			machine_pull(d);
			machine_pause(m, worker_below(k, 20000));
			anew(k, d);
			k->resets++;
		} else {
			reset(k, d);
			k->resets++;
		}
	}
	machine_give(&d->busy);
}

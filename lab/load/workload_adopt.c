/* SPDX-License-Identifier: BSD-2-Clause */
/* Workers adopt SMMUs that somebody else has, take their devices over one by one, and let SMMUs go to somebody else again. */
#include "workload.h"

#include "machine_adopt.h"
#include "machine_table.h"

/* DMA that has to land wherever the device is attached to a table, its own or somebody else's; and some that must not. */
void worker_look(struct worker *k, struct machine_device *d, unsigned n)
{
	struct machine *m = k->w->m;

	while (n--) {
		unsigned slot = d->ssid_bits ? (unsigned)worker_below(k, MACHINE_SSIDS) : 0;
		bool changing;
		unsigned to = oracle_attached(m->oracle, machine_slot(d, slot), &changing);

		worker_dma_by(k, d->index, slot, worker_kept_iova(k),
			      to < ORACLE_IDENTITY && worker_chance(k, 1, 2));
		if (worker_chance(k, 1, 8))
			machine_forge(m, &k->count, d, (unsigned)worker_below(k, d->n_streams),
				      m->data + (worker_below(k, m->data_bytes) & ~7ull),
				      worker_chance(k, 1, 2));
	}
}

void worker_look_at_all(struct worker *k, unsigned smmu)
{
	struct machine *m = k->w->m;
	unsigned i;

	for (i = 0; i < m->devices && m->devices <= 64; i++)
		if (m->device[i].smmu == smmu)
			worker_look(k, &m->device[i], 3);
}

bool worker_coped(struct worker *k, unsigned smmu, const char *topic, const char *what, int rc)
{
	struct machine *m = k->w->m;

	if (rc && !worker_starved(k, rc) &&
	    !machine_may_fail(m, rc == -SMMU_ETIMEDOUT ? -SMMU_EIO : rc))
		machine_complain(m, smmu, 0, topic, "%s: error %d", what, rc);
	return !rc;
}

static void complain(struct worker *k, unsigned smmu, const char *what, int rc)
{
	worker_coped(k, smmu, "adoption", what, rc);
}

/* One device that still goes on as somebody else left it. */
void worker_take_over(struct worker *k)
{
	struct machine *m = k->w->m;
	unsigned i = (unsigned)worker_below(k, m->devices), n, to;

	worker_land(k);
	for (n = 0; n < m->devices; n++, i = i + 1 < m->devices ? i + 1 : 0) {
		struct machine_device *d = &m->device[i];
		int rc;

		if (!smmu_load(&d->adopted) || !machine_take(&d->busy))
			continue;
		if (smmu_load(&d->adopted) && smmu_load_acquire(&d->present) &&
		    !machine_dead(m, d->smmu)) {
			to = worker_chance(k, 1, 8) ? ORACLE_BLOCKED
			     : worker_chance(k, 1, 8)
				     ? ORACLE_IDENTITY
				     : machine_own(m, (unsigned)worker_below(k, m->domains));
			worker_look(k, d, 4);
			rc = machine_attach(d, to);
			if (rc && !worker_attach_failed_rightly(k, d, rc))
				worker_check_refused(k, "attach", rc, false);
			k->taken_over += !rc && to != ORACLE_BLOCKED;
			worker_look(k, d, 8);
		}
		machine_give(&d->busy);
		return;
	}
}

static void adopt(struct worker *k, unsigned smmu)
{
	worker_look_at_all(k, smmu);
	complain(k, smmu, "an SMMU that runs cannot be adopted",
		 machine_adopt(k->w->m, smmu, worker_chance(k, 1, 2)));
	k->adoptions += machine_adopts(k->w->m, smmu);
	worker_look_at_all(k, smmu);
}

static void turn(struct worker *k, unsigned smmu)
{
	struct machine *m = k->w->m;

	if (machine_former_runs(m, smmu)) {
		adopt(k, smmu);
	} else if (machine_dead(m, smmu)) {
		return;
	} else if (machine_adopts(m, smmu)) {
		if (worker_chance(k, 1, 3))
			complain(k, smmu, "an adoption does not end", machine_adopt_end(m, smmu));
	} else if (worker_chance(k, 1, 3)) {
		k->removals++;
		complain(k, smmu, "an SMMU cannot be given up",
			 machine_leave(m, smmu, smmu_random_next(&k->random)));
	}
	worker_look_at_all(k, smmu);
}

void worker_adopt(struct worker *k)
{
	unsigned smmu = (unsigned)worker_below(k, k->w->m->smmus);

	if (worker_chance(k, 1, 2)) {
		worker_take_over(k);
		return;
	}
	if (!worker_take_smmu(k, smmu))
		return;
	turn(k, smmu);
	worker_give_smmu(k, smmu);
}

int workload_adopt_init(struct workload *w)
{
	struct machine *m = w->m;
	unsigned i;

	for (i = 0; m->o->adopt && i < m->smmus; i++) {
		int rc = machine_leave(m, i, m->o->seed * 64 + i);

		if (rc && rc != -SMMU_ENOMEM && !machine_may_fail(m, -SMMU_EIO)) {
			machine_complain(m, i, 0, "adoption",
					 "the SMMU cannot be given to a former owner: error %d",
					 rc);
			return 0;
		}
	}
	return 0;
}

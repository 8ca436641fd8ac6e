/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that changes its own stage 1 under what the host has mapped. */
#include "guest.h"
#include "workload.h"

/* A live mapping of this worker in a guest; NULL: a short search finds none. */
static const struct live_map *pick(struct worker *k)
{
	unsigned i;

	for (i = 0; k->n_live && i < 4; i++) {
		const struct live_map *l = &k->live[worker_below(k, k->n_live)];

		if (k->w->m->domain[l->domain].guest)
			return l;
	}
	return NULL;
}

void worker_guest(struct worker *k)
{
	const struct live_map *l = pick(k);
	struct machine *m = k->w->m;
	struct machine_domain *d;
	struct probe p;
	uint64_t iova, size;
	int rc;

	if (!l)
		return;
	d = &m->domain[l->domain];
	if (worker_chance(k, 1, 16)) {
		worker_land(k);
		rc = guest_renumber(m, d);
		if (rc && !machine_may_fail(m, rc))
			machine_complain(m, 0, 0, "guest", "a guest's CFGI_CD failed: %d", rc);
		return;
	}
	iova = map_iova(k, l);
	size = (uint64_t)l->pages << 12;
	worker_probe_before(k, &p, l);
	oracle_unmap_begin(m->oracle, l->domain, iova, size);
	rc = guest_unmap(m, d, iova, size, &k->random);
	if (rc && !machine_may_fail(m, rc))
		machine_complain(m, 0, iova, "guest", "a guest's unmap failed with error %d", rc);
	/*
	 * What an SMMU has not confirmed is promised to nobody: the guest maps it again as it was.
	 */
	if (!rc) {
		oracle_unmap_end(m->oracle, l->domain, iova, size, true);
		worker_probe_after(k, &p);
		oracle_map_begin(m->oracle, l->domain, iova, size, map_pa(k, l),
				 worker_prot(d->stage, l->prot));
	}
	if (guest_map(d, iova, iova + d->shift, size, true))
		machine_complain(m, 0, iova, "guest", "a guest cannot map");
	sim_doorbell();
	if (rc)
		oracle_unmap_end(m->oracle, l->domain, iova, size, false);
	else
		oracle_map_end(m->oracle, l->domain, iova, size, true);
	k->guests++;
}

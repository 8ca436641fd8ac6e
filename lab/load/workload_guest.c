/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that changes its own stage 1, and its CDs, under what the host has mapped. */
#include "guest.h"
#include "workload.h"

/* A live mapping of this worker in a guest; NULL: a short search finds none. */
static struct live_map *pick(struct worker *k)
{
	unsigned i;

	for (i = 0; k->n_live && i < 4; i++) {
		struct live_map *l = &k->live[worker_below(k, k->n_live)];

		if (k->w->m->domain[l->domain].guest)
			return l;
	}
	return NULL;
}

/* The ASID of the first space changes. */
static void renumber(struct worker *k, struct machine_domain *d)
{
	struct machine *m = k->w->m;
	int rc;

	worker_land(k);
	rc = guest_renumber(m, d);
	if (rc && !machine_may_fail(m, rc))
		machine_complain(m, 0, 0, "guest", "a guest's CFGI_CD failed: %d", rc);
}

/* A guest gives a substream of a device another CD. Where that is not confirmed the device is taken away from it. */
static void change_cd(struct worker *k)
{
	struct machine *m = k->w->m;
	unsigned slot = 1 + (unsigned)worker_below(k, MACHINE_SSIDS - 1), i,
		 n = (unsigned)worker_below(k, m->devices);
	struct machine_device *d;
	uint64_t iova;
	int rc;

	worker_land(k);
	for (i = 0; i < m->devices &&
		    smmu_load(&m->device[(n + i) % m->devices].guests) != MACHINE_GUESTS_SUBSTREAMS;
	     i++)
		;
	d = &m->device[(n + i) % m->devices];
	iova = smmu_load(&k->hot[worker_below(k, m->domains * HOT)]);
	if (!machine_take(&d->busy))
		return;
	if (smmu_load_acquire(&d->present) && !smmu_load(&d->adopted) && guest_has_substreams(d)) {
		for (i = 0; i < 4; i++)
			worker_dma_by(k, d->index, slot, iova, false);
		rc = guest_change_cd(d, slot, &k->random);
		k->cds++;
		if (rc && !machine_may_fail(m, rc))
			machine_complain(m, d->smmu, 0, "guest",
					 "a guest's CFGI_CD or ATC_INV failed: %d", rc);
		for (i = 0; i < 4; i++)
			worker_dma_by(k, d->index, slot, iova, false);
		if (rc)
			machine_attach(d, ORACLE_BLOCKED);
	}
	machine_give(&d->busy);
}

/* The first space of a guest leaves @l out for a moment. */
static void blink(struct worker *k, const struct live_map *l)
{
	struct machine *m = k->w->m;
	const struct machine_domain *d = &m->domain[l->domain];
	uint64_t iova = map_iova(k, l), size = (uint64_t)l->pages << 12;
	struct probe p;
	bool done;

	worker_probe_before(k, &p, l);
	oracle_unmap_alone_begin(m->oracle, l->domain, iova, size);
	done = worker_guest_clear(k, l, 0);
	/*
	 * What an SMMU has not confirmed is promised to nobody: the guest maps it again as it was.
	 */
	if (done) {
		oracle_unmap_alone_end(m->oracle, l->domain, iova, size, true);
		worker_probe_after(k, &p);
		oracle_map_alone_begin(m->oracle, l->domain, iova, size, map_pa(k, l),
				       worker_prot(d->stage, l->prot));
	}
	worker_guest_write(k, l, 0);
	if (done)
		oracle_map_alone_end(m->oracle, l->domain, iova, size, true);
	else
		oracle_unmap_alone_end(m->oracle, l->domain, iova, size, false);
}

void worker_guest(struct worker *k)
{
	struct live_map *l = pick(k);
	unsigned space = 1 + (unsigned)worker_below(k, GUEST_SPACES - 1);

	if (k->w->m->guests_with_substreams && worker_chance(k, 1, 3)) {
		change_cd(k);
		return;
	}
	if (!l)
		return;
	if (worker_chance(k, 1, 16)) {
		renumber(k, &k->w->m->domain[l->domain]);
		return;
	}
	if (guest_has_space(&k->w->m->domain[l->domain], space) && worker_chance(k, 1, 2)) {
		if (l->spaces >> space & 1)
			worker_guest_hide(k, l, space);
		else
			worker_guest_show(k, l, space);
	} else {
		blink(k, l);
	}
	k->guests++;
}

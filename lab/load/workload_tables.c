/* SPDX-License-Identifier: BSD-2-Clause */
/* A worker changes the tables under its mappings: blocks are split and joined, and empty tables go, while devices access all of it. */
#include <smmuv3/tables.h>

#include "workload.h"

/* Did it go as it may? */
static bool went_well(struct worker *k, const char *what, int rc)
{
	if (rc < 0 && !worker_starved(k, rc) && !machine_may_fail(k->w->m, rc))
		machine_complain(k->w->m, 0, 0, "tables", "%s: error %d", what, rc);
	return rc >= 0;
}

/* Devices access some of it, which must land. */
static void look(struct worker *k, const struct live_map *l)
{
	unsigned device, ssid, i;

	for (i = 0; i < 3 && worker_find_attached(k, l->domain, &device, &ssid); i++)
		worker_dma_by(k, device, ssid, map_iova(k, l) + (worker_below(k, l->pages) << 12),
			      worker_chance(k, 1, 2));
}

static int split_at(struct worker *k, struct machine_domain *d, uint64_t at)
{
	int rc;

	worker_open(k);
	rc = smmu_tables_split(&d->d, at);
	worker_close(k);
	return rc;
}

bool worker_split(struct worker *k, const struct live_map *l)
{
	struct machine_domain *d = &k->w->m->domain[l->domain];
	uint64_t from = map_host(k, l);
	int rc;

	if (!k->w->m->o->tables || d->owner || k->atomic)
		return true;
	rc = split_at(k, d, from);
	if (!rc)
		rc = split_at(k, d, from + ((uint64_t)l->pages << 12));
	return went_well(k, "split", rc);
}

void worker_tables(struct worker *k)
{
	struct machine *m = k->w->m;
	struct machine_domain *d;
	const struct live_map *l;
	uint64_t window;
	int rc;

	if (!k->n_live || k->atomic)
		return;
	l = &k->live[worker_below(k, k->n_live)];
	d = &m->domain[l->domain];
	/* An owner's table is the owner's. */
	if (d->owner)
		return;
	window = window_base(k) + d->shift;
	look(k, l);
	switch (worker_below(k, 4)) {
	case 0:
		rc = split_at(k, d,
			      map_host(k, l) + (worker_below(k, l->pages >> (d->granule_shift - 12))
						<< d->granule_shift));
		went_well(k, "split", rc);
		k->splits += !rc;
		break;
	case 1:
		worker_open(k);
		rc = smmu_tables_reclaim(&d->d, window, (uint64_t)WINDOW_PAGES << 12);
		worker_close(k);
		if (went_well(k, "reclaim", rc))
			k->reclaimed += (unsigned)rc;
		break;
	default:
		worker_open(k);
		rc = smmu_tables_join(&d->d, window, (uint64_t)WINDOW_PAGES << 12);
		worker_close(k);
		if (went_well(k, "join", rc))
			k->joined_blocks += (unsigned)rc;
	}
	look(k, l);
}

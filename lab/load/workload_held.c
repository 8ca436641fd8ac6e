/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is free again, and what no SMMU has confirmed. An unmap that returned -SMMU_EIO is done in the tables, and may not be done in a cache: its
 * pages may be reached until a later call for the domain succeeds. Until then their addresses and their memory are
 * not used again.
 */
#include "workload.h"

#include <stdlib.h>

static void give_back(struct worker *k, const struct live_map *l)
{
	/* First the tag of nobody, then back into the pool. */
	machine_tag_pages(k->w->m, map_pa(k, l), (uint64_t)l->pages << 12, MACHINE_TAG_FREE, false);
	frames_give(&k->share, l->frame, l->pages);
	frames_give(&k->window[l->domain], l->page, l->pages);
}

void worker_release(struct worker *k, struct live_map *l)
{
	/* The host has taken it away; now the guest does, as guests do in the end. */
	if (worker_guest_release(k, l))
		give_back(k, l);
	else
		worker_hold(k, l, NULL);
}

void worker_hold(struct worker *k, const struct live_map *l, const struct smmu_freelist *tables)
{
	struct held *grown = realloc(k->held, (k->n_held + 1) * sizeof(*grown));

	smmu_fetch_add(&k->w->m->unconfirmed, 1);
	/* Without memory for the note they are held for ever. */
	if (!grown)
		return;
	k->held = grown;
	grown[k->n_held++] =
		(struct held){.map = *l, .tables = tables ? *tables : (struct smmu_freelist){NULL}};
}

static void let_go(struct worker *k, unsigned domain)
{
	struct machine *m = k->w->m;
	unsigned i, n = 0;

	for (i = 0; i < k->n_held; i++) {
		struct held h = k->held[i];

		if (h.map.domain != domain) {
			k->held[n++] = h;
			continue;
		}
		oracle_unmap_end(m->oracle, domain, map_iova(k, &h.map),
				 (uint64_t)h.map.pages << 12, true);
		design_release(m, &m->domain[domain], &h.tables);
		if (worker_guest_release(k, &h.map))
			give_back(k, &h.map);
		else
			k->held[n++] = (struct held){.map = h.map};
	}
	k->n_held = n;
}

void worker_confirm(struct worker *k)
{
	struct machine *m = k->w->m;
	unsigned domain;
	int rc;

	/* Other designs have no call for it: what they could not confirm stays so. */
	if (!k->n_held || m->design != &design_sweep)
		return;
	domain = k->held[worker_below(k, k->n_held)].map.domain;
	worker_open(k);
	rc = smmu_flush_all(&m->domain[domain].d);
	worker_close(k);
	if (!rc)
		let_go(k, domain);
	else if (!machine_may_fail(m, rc))
		machine_complain(m, 0, 0, "flush", "flush_all failed with error %d", rc);
}

void worker_held_fini(struct worker *k)
{
	free(k->held);
	k->held = NULL;
	k->n_held = 0;
}

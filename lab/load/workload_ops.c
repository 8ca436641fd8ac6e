/* SPDX-License-Identifier: BSD-2-Clause */
/* What a worker does next, and the calls that have to fail. */
#include "workload.h"

#include "machine_pages.h"

#include <smmuv3/pgtable.h>

/* ---- calls that have to fail and to change nothing ---- */

static void do_wrong(struct worker *k)
{
	struct machine *m = k->w->m;
	const struct live_map *l = &k->live[worker_below(k, k->n_live ? k->n_live : 1)];
	struct machine_domain *d = &m->domain[k->n_live ? l->domain : worker_below(k, m->domains)];
	uint64_t unit = 1ull << d->granule_shift, far = window_base(k) + (1ull << 29);

	if (d->owner && worker_chance(k, 1, 4)) {
		worker_expect(k, "map in somebody else's table",
			      smmu_map(&d->d, far, m->data, unit, SMMU_PROT_READ, 0),
			      -SMMU_EOPNOTSUPP);
		worker_expect(k, "unmap in somebody else's table", smmu_unmap(&d->d, far, unit, 0),
			      -SMMU_EOPNOTSUPP);
		return;
	}
	switch (worker_below(k, 7)) {
	case 0:
		worker_expect(k, "map with a misaligned address",
			      machine_map(d, far + unit / 2, m->data, unit, SMMU_PROT_READ, 0),
			      -SMMU_EINVAL);
		break;
	case 1:
		worker_expect(k, "map beyond the input size",
			      machine_map(d, 1ull << 48, m->data, unit, SMMU_PROT_READ, 0),
			      -SMMU_ERANGE);
		break;
	case 2:
		worker_expect(k, "unmap of what is not mapped", m->design->unmap(m, d, far, unit),
			      -SMMU_ENOENT);
		break;
	case 3:
		worker_expect(k, "unmap of nothing", m->design->unmap(m, d, far, 0), -SMMU_EINVAL);
		break;
	case 4:
		if (k->n_live)
			worker_expect(k, "map of what is mapped already",
				      machine_map(d, map_host(k, l), m->data,
						  (uint64_t)l->pages << 12, SMMU_PROT_READ, 0),
				      -SMMU_EEXIST);
		break;
	case 5:
		/* Where blocks are joined one may begin before it: then that is what is wrong. */
		if (k->n_live && !m->o->tables)
			worker_expect(k, "unmap of more than is mapped",
				      m->design->unmap(m, d, map_host(k, l), 1ull << 29),
				      -SMMU_ENOENT);
		break;
	default:
		worker_expect(k, "map without permissions",
			      machine_map(d, far, m->data, unit, 0, 0), -SMMU_EINVAL);
	}
}

/* ---- together ---- */

/* A call, or what belongs together of several, under its name on the timeline. */
static void act(struct worker *k, const char *name, void (*fn)(struct worker *k))
{
	k->doing = name;
	timeline_begin(k->w->m->timeline, name);
	fn(k);
	timeline_end(k->w->m->timeline);
}

void worker_step(struct worker *k)
{
	unsigned dice = (unsigned)worker_below(k, 1000);

	k->doing = "what is open from before";
	worker_poll(k);
	if (k->n_held && worker_chance(k, 1, 16))
		worker_confirm(k);
	if (worker_chance(k, 1, 16))
		worker_mend(k);
	if (k->w->m->pages && worker_chance(k, 1, 2))
		machine_pages_answer(k->w->m, &k->random);
	if (k->w->m->o->resets && worker_chance(k, 1, 40)) {
		act(k, "a device is reset", worker_life);
		return;
	}
	if (k->w->m->o->tables && worker_chance(k, 1, 8)) {
		act(k, "change tables", worker_tables);
		return;
	}
	if (k->w->m->o->dirty && worker_chance(k, 1, 8)) {
		act(k, "read what was written", worker_dirty);
		return;
	}
	if (k->w->m->o->life && worker_chance(k, 1, 40)) {
		act(k, "the life of an SMMU", worker_power);
		return;
	}
	if (k->w->m->o->adopt && worker_chance(k, 1, 40)) {
		act(k, "a former owner", worker_adopt);
		return;
	}
	if (k->w->m->o->joins && worker_chance(k, 1, 3)) {
		k->doing = "join";
		worker_join(k);
		return;
	}
	/* Keep the number of mappings in the middle of what there is room for. */
	if (dice < 600) {
		bool up = worker_below(k, MAX_LIVE) >= k->n_live && k->n_live < MAX_LIVE - 2 &&
			  k->share.taken < SHARE_PAGES / 2;

		if (up)
			act(k, "map", worker_map);
		else if (dice & 1)
			act(k, "unmap", worker_unmap);
		else
			act(k, "submit an unmap", worker_unmap_async);
	} else if (dice < 930) {
		if (k->w->m->guests && dice < 650)
			act(k, "a guest unmaps", worker_guest);
		else if (k->w->m->owners && dice < 660)
			act(k, "an ASID changes", worker_renumber);
		else
			act(k, "DMA", worker_dma);
	} else if (dice < 970) {
		act(k, "attach or detach", worker_attach);
	} else if (dice < 980) {
		act(k, "a domain that comes and goes", worker_visit);
	} else if (dice < 996) {
		act(k, "a wrong call", do_wrong);
	} else if (dice == 999 && worker_chance(k, 1, 4)) {
		act(k, "remove an SMMU", worker_remove);
	} else {
		act(k, "large maps", worker_big);
	}
}

/* A part of a block goes when the block was split, for which each SMMU has to confirm. */
#define MOST_TRIES 100u

void worker_end(struct worker *k)
{
	unsigned tries = 0;

	k->doing = "the end";
	worker_land(k);
	worker_big_end(k);
	while (k->n_live && tries < MOST_TRIES) {
		uint64_t before = k->unmaps;

		worker_unmap(k);
		if (k->unmaps != before)
			continue;
		worker_mend(k);
		tries++;
	}
	worker_confirm(k);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What the host maps and unmaps, the guest does in its address spaces. */
#include "guest.h"
#include "workload.h"

void worker_guest_write(struct worker *k, const struct live_map *l, unsigned space)
{
	struct machine_domain *d = &k->w->m->domain[l->domain];

	if (guest_map(d, space, map_iova(k, l), map_host(k, l), (uint64_t)l->pages << 12, true))
		machine_complain(k->w->m, 0, map_iova(k, l), "guest", "a guest cannot map");
	sim_doorbell();
}

bool worker_guest_clear(struct worker *k, const struct live_map *l, unsigned space)
{
	struct machine *m = k->w->m;
	int rc = guest_unmap(m, &m->domain[l->domain], space, map_iova(k, l),
			     (uint64_t)l->pages << 12, &k->random);

	if (rc && !machine_may_fail(m, rc))
		machine_complain(m, 0, map_iova(k, l), "guest",
				 "a guest's unmap failed with error %d", rc);
	return !rc;
}

/* Some of the devices that @l concerns access it: those that are led to space @space, or to any. */
static void look(struct worker *k, const struct live_map *l, unsigned view)
{
	struct machine *m = k->w->m;
	unsigned n = m->devices * MACHINE_SSIDS, at = (unsigned)worker_below(k, n), i, hits = 0;

	for (i = 0; i < n && hits < 3; i++, at = at + 1 < n ? at + 1 : 0) {
		if (oracle_attached(m->oracle, at, NULL) != view)
			continue;
		worker_dma_by(k, at / MACHINE_SSIDS, at % MACHINE_SSIDS,
			      map_iova(k, l) + (worker_below(k, l->pages) << 12),
			      worker_chance(k, 1, 2));
		hits++;
	}
}

void worker_guest_show(struct worker *k, struct live_map *l, unsigned space)
{
	struct machine *m = k->w->m;
	const struct machine_domain *d = &m->domain[l->domain];
	unsigned view = guest_view(m, d, space);
	uint64_t size = (uint64_t)l->pages << 12;

	if (!guest_has_space(d, space))
		return;
	oracle_map_begin(m->oracle, view, map_iova(k, l), size, map_pa(k, l),
			 worker_prot(d->stage, l->prot));
	worker_guest_write(k, l, space);
	oracle_map_end(m->oracle, view, map_iova(k, l), size, true);
	l->spaces |= 1u << space;
	look(k, l, view);
}

void worker_guest_hide(struct worker *k, struct live_map *l, unsigned space)
{
	struct machine *m = k->w->m;
	unsigned view = guest_view(m, &m->domain[l->domain], space);
	uint64_t size = (uint64_t)l->pages << 12;
	bool done;

	look(k, l, view);
	oracle_unmap_begin(m->oracle, view, map_iova(k, l), size);
	done = worker_guest_clear(k, l, space);
	/*
	 * What an SMMU has not confirmed is promised to nobody: the guest maps it again as it was.
	 */
	if (!done)
		worker_guest_write(k, l, space);
	else
		l->spaces &= ~(1u << space);
	oracle_unmap_end(m->oracle, view, map_iova(k, l), size, done);
	look(k, l, view);
}

void worker_guest_map(struct worker *k, struct live_map *l)
{
	const struct machine_domain *d = &k->w->m->domain[l->domain];
	unsigned space;

	for (space = 1; guest_has_space(d, space); space++)
		if (worker_chance(k, 1, 2))
			worker_guest_show(k, l, space);
}

bool worker_guest_release(struct worker *k, struct live_map *l)
{
	struct machine *m = k->w->m;
	unsigned space;
	bool done = true;

	guest_unmap(m, &m->domain[l->domain], 0, map_iova(k, l), (uint64_t)l->pages << 12,
		    &k->random);
	/*
	 * Where the first space may be left with something, it leads to the same addresses of stage 2 again. The others may not map
	 * those the next time.
	 */
	for (space = 1; space < GUEST_SPACES; space++)
		if (l->spaces >> space & 1)
			done &= worker_guest_clear(k, l, space);
	l->spaces = 0;
	return done;
}

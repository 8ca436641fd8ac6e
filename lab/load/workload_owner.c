/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owners of tables. The ASID of one changes while devices work and others take pages away: for a time some of its substreams have
 * the old one and some the new, on the same SMMU. And owners that come and go: with devices behind several SMMUs, which they
 * detach first or leave at work, and with a table that is somebody else's memory as soon as the driver says so.
 */
#include "guest.h"
#include "owner.h"
#include "workload.h"
#include "machine_table.h"

#include <smmuv3/sva.h>

/** Update a substream: true if it is what it shall be, or is not this domain's any more. */
static bool update(struct worker *k, struct machine_device *dev, unsigned slot, bool released)
{
	struct machine *m = k->w->m;
	int rc;

	worker_open(k);
	rc = machine_sva_update(dev, slot, released);
	worker_close(k);
	if (rc && !machine_may_fail(m, rc) && !worker_starved(k, rc) &&
	    !(rc == -SMMU_EIO && smmu_device_quarantined(&dev->dev)))
		worker_check_refused(k, "update of a substream", rc, false);
	return !rc;
}

static void update_device(struct worker *k, struct machine_device *dev, unsigned domain)
{
	struct machine *m = k->w->m;
	unsigned slot;

	for (slot = 1; slot < MACHINE_SSIDS; slot++)
		if (oracle_attached(m->oracle, machine_slot(dev, slot), NULL) == domain &&
		    worker_chance(k, 2, 3))
			update(k, dev, slot, false);
}

void worker_renumber(struct worker *k)
{
	struct machine *m = k->w->m;
	unsigned to = (unsigned)worker_below(k, m->domains), i, n;
	struct machine_domain *d;

	for (i = 0; i < m->domains && !m->domain[to].owner; i++)
		to = to + 1 < m->domains ? to + 1 : 0;
	d = &m->domain[to];
	worker_land(k);
	if (!owner_take(d))
		return;
	if (owner_renumber(m, d)) {
		i = (unsigned)worker_below(k, m->devices);
		for (n = 0; n < m->devices; n++, i = i + 1 < m->devices ? i + 1 : 0) {
			struct machine_device *dev = &m->device[i];

			if (!machine_take(&dev->busy))
				continue;
			if (smmu_load_acquire(&dev->present))
				update_device(k, dev, to);
			machine_give(&dev->busy);
			/* Others take pages away with two ASIDs in use. */
			if (k->n_live && worker_chance(k, 1, 8))
				worker_unmap(k);
		}
		k->renumbered += owner_renumbered(m, d);
	}
	owner_give(d);
}

/* ---- owners that come and go ---- */

#define MOST 4u

struct visit {
	struct machine_domain *v;
	uint64_t size;
	unsigned n;
	struct machine_device *dev[MOST]; /* taken */
	unsigned slot[MOST], from[MOST];
};

static void look(struct worker *k, const struct visit *s)
{
	unsigned i;

	for (i = 0; i < 2 * s->n; i++)
		worker_dma_by(k, s->dev[i % s->n]->index, s->slot[i % s->n],
			      VISIT_IOVA + worker_below(k, VISIT_PAGES << 9) * 8,
			      worker_chance(k, 1, 2));
}

static bool attach(struct worker *k, struct machine_device *dev, unsigned slot, unsigned to)
{
	int rc = machine_attach_pasid(dev, slot, to);
	/* Nobody else has the ASID: what is busy is its own traffic, with a stage 2. */
	bool busy = rc == -SMMU_EBUSY && to != ORACLE_BLOCKED && k->w->m->domain[to].owner &&
		    !(dev->dev.domain && (dev->dev.domain->kind == SMMU_DOMAIN_STAGE2 ||
					  dev->dev.domain->kind == SMMU_DOMAIN_NESTED));

	if (rc && (busy || !worker_attach_failed_rightly(k, dev, rc)))
		worker_check_refused(k, "attach", rc, false);
	k->attaches += !rc && to != ORACLE_BLOCKED;
	k->detaches += to == ORACLE_BLOCKED;
	return !rc;
}

/** Up to MOST devices, each with one substream. */
static void gather(struct worker *k, struct visit *s)
{
	struct machine *m = k->w->m;
	unsigned i = (unsigned)worker_below(k, m->devices), n;

	for (n = 0; n < m->devices && s->n < MOST; n++, i = i + 1 < m->devices ? i + 1 : 0) {
		struct machine_device *dev = &m->device[i];

		if (!dev->ssid_bits || !owner_fits(m, dev->smmu) || !machine_take(&dev->busy))
			continue;
		if (!smmu_load_acquire(&dev->present) || smmu_load(&dev->adopted) ||
		    !dev->dev.ssid_bits || smmu_device_quarantined(&dev->dev)) {
			machine_give(&dev->busy);
			continue;
		}
		s->dev[s->n] = dev;
		s->slot[s->n] = 1 + (unsigned)worker_below(k, MACHINE_SSIDS - 1);
		s->from[s->n] = oracle_attached(m->oracle, machine_slot(dev, s->slot[s->n]), NULL);
		/* One that did not get there, for what its own traffic is attached to say, looks on. */
		attach(k, dev, s->slot[s->n], s->v->index);
		s->n++;
	}
}

static bool is_there(const struct worker *k, const struct visit *s, unsigned i)
{
	return oracle_attached(k->w->m->oracle, machine_slot(s->dev[i], s->slot[i]), NULL) ==
	       s->v->index;
}

/** A new ASID, with a page that goes when half of the substreams have it. */
static void renumber(struct worker *k, struct visit *s)
{
	struct machine *m = k->w->m;
	uint64_t unit = 1ull << s->v->granule_shift;
	unsigned i;
	int rc;

	if (!owner_renumber(m, s->v))
		return;
	for (i = 0; i < s->n / 2; i++)
		if (is_there(k, s, i))
			update(k, s->dev[i], s->slot[i], false);
	look(k, s);
	if (s->size > unit) {
		s->size -= unit;
		oracle_unmap_begin(m->oracle, s->v->index, VISIT_IOVA + s->size, unit);
		rc = m->design->unmap(m, s->v, VISIT_IOVA + s->size, unit);
		if (!rc)
			oracle_unmap_end(m->oracle, s->v->index, VISIT_IOVA + s->size, unit, true);
		else if (machine_may_fail(m, rc))
			k->visit_stuck = true;
		else
			machine_complain(m, 0, VISIT_IOVA, "notice", "a notice failed: error %d",
					 rc);
		look(k, s);
	}
	for (; i < s->n; i++)
		if (is_there(k, s, i))
			update(k, s->dev[i], s->slot[i], false);
	if (owner_renumbered(m, s->v))
		k->renumbered++;
	else if (!m->faulty && !worker_starving(k))
		machine_complain(m, 0, VISIT_IOVA, "renumber",
				 "an ASID is in use after all its substreams were updated");
}

/** The owner goes, and its devices are at work. True: its table may be freed. */
static bool release(struct worker *k, struct visit *s)
{
	struct machine *m = k->w->m;
	bool left = false;
	unsigned i;
	int rc;

	/* An SMMU that does not confirm may say so first. */
	if (s->n && !m->faulty)
		worker_expect(k, "attach of a device's own traffic to an owner's table",
			      smmu_attach(&s->dev[0]->dev, &s->v->d), -SMMU_EOPNOTSUPP);
	smmu_sva_release(&s->v->d);
	if (s->n && !m->faulty)
		worker_expect(k, "attach to a table whose owner has gone",
			      smmu_attach_pasid(&s->dev[0]->dev, 1 + s->dev[0]->ssid[1], &s->v->d),
			      -SMMU_ENODEV);
	for (i = 0; i < s->n; i++) {
		if (!is_there(k, s, i))
			continue;
		rc = smmu_sva_released(&s->v->d);
		if (rc != -SMMU_EBUSY)
			machine_complain(m, s->dev[i]->smmu, VISIT_IOVA, "release",
					 "smmu_sva_released returned %d while a substream leads "
					 "to the table",
					 rc);
		if (worker_chance(k, 1, 4) || !update(k, s->dev[i], s->slot[i], true))
			attach(k, s->dev[i], s->slot[i], ORACLE_BLOCKED);
		left = true;
	}
	rc = smmu_sva_released(&s->v->d);
	for (i = 0; !rc && i < s->n; i++)
		if (smmu_load(&s->dev[i]->quiet[s->slot[i]]))
			machine_sva_gone(s->dev[i], s->slot[i]);
	if (rc && !machine_may_fail(m, -SMMU_EIO))
		machine_complain(m, 0, VISIT_IOVA, "release",
				 "an owner's table is still in use after all left it: error %d",
				 rc);
	k->released += left && !rc;
	return !rc;
}

/** All leave, for what they came from or for nothing. */
static void scatter(struct worker *k, struct visit *s)
{
	unsigned i;

	for (i = 0; i < s->n; i++) {
		if (s->from[i] == s->v->index || guest_has(k->w->m, s->from[i]) ||
		    worker_chance(k, 1, 2) || !attach(k, s->dev[i], s->slot[i], s->from[i]))
			attach(k, s->dev[i], s->slot[i], ORACLE_BLOCKED);
	}
}

static void finish(struct worker *k, struct visit *s)
{
	struct machine *m = k->w->m;
	bool gone = worker_chance(k, 1, 2);

	oracle_unmap_begin(m->oracle, s->v->index, VISIT_IOVA, s->size);
	machine_reserved_drop(m, s->v->index, false);
	if (gone && release(k, s)) {
		/* The table is freed, and may be anything, before the devices have left. */
		oracle_unmap_end(m->oracle, s->v->index, VISIT_IOVA, s->size, true);
		machine_reserved_drop(m, s->v->index, true);
		owner_drop_table(s->v);
		look(k, s);
	}
	scatter(k, s);
	if (smmu_domain_fini(&s->v->d)) {
		k->visit_stuck = true;
		if (!machine_may_fail(m, -SMMU_EIO))
			machine_complain(m, 0, 0, "detach",
					 "an owner's domain that all devices have left cannot go");
		return;
	}
	oracle_unmap_end(m->oracle, s->v->index, VISIT_IOVA, s->size, true);
	machine_reserved_drop(m, s->v->index, true);
	owner_close(m, s->v);
	look(k, s);
}

static bool open_owner(struct worker *k, struct visit *s)
{
	static const uint8_t granules[] = {12, 12, 14, 16};
	struct machine *m = k->w->m;
	struct machine_domain *v = s->v;
	uint64_t pa = VISIT_PA + ((uint64_t)k->id << 24) + (worker_below(k, 8) << 20);
	int rc;

	v->index = machine_visitor(m, k->id);
	v->stage = 1;
	v->granule_shift = granules[worker_below(k, SMMU_ARRAY_SIZE(granules))];
	s->size = (1 + worker_below(k, 4)) << v->granule_shift;
	/* Without an ASID, or memory: another time. */
	if (owner_open(m, v))
		return false;
	machine_oracle_rule(m, v);
	rc = machine_reserved_map(m, v);
	oracle_map_begin(m->oracle, v->index, VISIT_IOVA, s->size, pa, ORACLE_READ | ORACLE_WRITE);
	if (!rc)
		rc = machine_map(v, VISIT_IOVA, pa, s->size, SMMU_PROT_READ | SMMU_PROT_WRITE, 0);
	sim_doorbell();
	oracle_map_end(m->oracle, v->index, VISIT_IOVA, s->size, !rc);
	if (!rc)
		return true;
	worker_check_refused(k, "map", rc, worker_starved(k, rc));
	machine_reserved_drop(m, v->index, false);
	smmu_domain_fini(&v->d);
	machine_reserved_drop(m, v->index, true);
	owner_close(m, v);
	return false;
}

void worker_owner_visit(struct worker *k)
{
	struct machine *m = k->w->m;
	struct visit s = {.v = &m->domain[machine_visitor(m, k->id)]};
	unsigned i;

	worker_land(k);
	if (!open_owner(k, &s))
		return;
	gather(k, &s);
	look(k, &s);
	if (worker_chance(k, 1, 2))
		renumber(k, &s);
	look(k, &s);
	finish(k, &s);
	for (i = 0; i < s.n; i++)
		machine_give(&s.dev[i]->busy);
}

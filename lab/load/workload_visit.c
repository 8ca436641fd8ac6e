/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains that come and go: one is made, a device is attached to it, does DMA and leaves, and the domain is gone, now and
 * then with its pages still mapped. Its ASIDs and VMIDs are soon those of other domains, as some SMMUs have few of them.
 */
#include "guest.h"
#include "workload.h"

#include "machine_table.h"

#include <smmuv3/pgtable.h>

int worker_visit_init(struct worker *k)
{
	struct machine *m = k->w->m;

	return oracle_window(m->oracle, machine_visitor(m, k->id), VISIT_IOVA, VISIT_PAGES << 12);
}

static int open_domain(struct worker *k, struct machine_domain *v)
{
	static const uint8_t granules[] = {12, 12, 14, 16};
	struct machine *m = k->w->m;
	struct smmu_domain_config c = {.port = &m->port,
				       .non_coherent = m->domain[0].d.non_coherent};
	int rc;

	v->index = machine_visitor(m, k->id);
	v->stage = m->o->stage[worker_below(k, m->o->n_stages)];
	/* Owners visit otherwise. */
	v->stage = v->stage == 1 || v->stage == LAB_SVA ? 1 : 2;
	v->granule_shift = granules[worker_below(k, SMMU_ARRAY_SIZE(granules))];
	c.kind = v->stage == 1 ? SMMU_DOMAIN_STAGE1 : SMMU_DOMAIN_STAGE2;
	c.granule_shift = v->granule_shift;
	rc = smmu_domain_init(&v->d, &c);
	if (rc)
		return rc;
	machine_oracle_rule(m, v);
	rc = machine_reserved_map(m, v);
	if (rc) {
		machine_reserved_drop(m, v->index, false);
		smmu_domain_fini(&v->d);
		machine_reserved_drop(m, v->index, true);
	}
	return rc;
}

/* DMA of the device itself, and of others at the same addresses, where nothing is mapped in any other domain. */
static void look_at(struct worker *k, unsigned device, unsigned slot)
{
	uint64_t iova = VISIT_IOVA + (worker_below(k, VISIT_PAGES) << 12);
	unsigned other;

	worker_dma_by(k, device, slot, iova, worker_chance(k, 1, 2));
	worker_note_hot(k, (unsigned)worker_below(k, k->w->m->domains), iova);
	if (worker_find_attached(k, (unsigned)worker_below(k, k->w->m->domains), &other, &slot))
		worker_dma_by(k, other, slot, iova, worker_chance(k, 1, 2));
}

/* The domain goes; nothing is attached to it. */
static void close_domain(struct worker *k, struct machine_domain *v, uint64_t size)
{
	struct machine *m = k->w->m;
	int rc;

	oracle_unmap_begin(m->oracle, v->index, VISIT_IOVA, size);
	machine_reserved_drop(m, v->index, false);
	/* Its last device is gone: whoever is not attached reaches nothing, mapped or not. */
	if (worker_chance(k, 1, 2)) {
		rc = smmu_unmap(&v->d, VISIT_IOVA, size, 0);
		if (rc && !machine_may_fail(m, rc))
			machine_complain(m, 0, VISIT_IOVA, "unmap", "unmap failed with error %d",
					 rc);
	}
	rc = smmu_domain_fini(&v->d);
	if (!rc) {
		oracle_unmap_end(m->oracle, v->index, VISIT_IOVA, size, true);
		machine_reserved_drop(m, v->index, true);
		return;
	}
	/* It may still be reached, and stays what it is; nobody comes here again. */
	k->visit_stuck = true;
	if (rc != -SMMU_EBUSY || !machine_may_fail(m, -SMMU_EIO))
		machine_complain(m, 0, 0, "detach",
				 "a domain that all devices have left cannot go: error %d", rc);
}

/* Attach slot @slot of @d, which the caller has taken, to the domain and away from it. True if it is certainly left. */
static bool visit(struct worker *k, struct machine_device *d, unsigned slot,
		  const struct machine_domain *v)
{
	struct machine *m = k->w->m;
	unsigned from = guest_home(m, oracle_attached(m->oracle, machine_slot(d, slot), NULL),
				   NULL),
		 i;
	int rc = slot ? machine_attach_pasid(d, slot, v->index) : machine_attach(d, v->index);

	if (rc && !worker_attach_failed_rightly(k, d, rc))
		worker_check_refused(k, "attach", rc, false);
	k->attaches += !rc;
	for (i = 0; i < 4; i++)
		look_at(k, d->index, slot);
	if (rc && rc != -SMMU_EIO)
		return true;
	/* Back, or to nothing; a return that fails is a detach as well. A guest alone leads a substream to itself. */
	if (from == v->index || (slot && guest_has(m, from)) || worker_chance(k, 1, 2))
		from = ORACLE_BLOCKED;
	rc = slot ? machine_attach_pasid(d, slot, from) : machine_attach(d, from);
	if (rc && from != ORACLE_BLOCKED) {
		if (!worker_attach_failed_rightly(k, d, rc))
			worker_check_refused(k, "attach", rc, false);
		from = ORACLE_BLOCKED;
		rc = slot ? machine_attach_pasid(d, slot, from) : machine_attach(d, from);
	}
	k->detaches += from == ORACLE_BLOCKED;
	for (i = 0; i < 4; i++)
		look_at(k, d->index, slot);
	return true;
}

void worker_visit(struct worker *k)
{
	struct machine *m = k->w->m;
	struct machine_domain *v = &m->domain[machine_visitor(m, k->id)];
	struct machine_device *d = &m->device[worker_below(k, m->devices)];
	unsigned slot = d->ssid_bits ? (unsigned)worker_below(k, MACHINE_SSIDS) : 0;
	uint64_t size, pa;
	int rc;

	/* Other designs know the domains of the run alone, and QEMU's TLB has no room for guests. */
	if (m->qemu || m->design != &design_sweep || k->visit_stuck)
		return;
	if (m->owners && worker_chance(k, 3, 4)) {
		worker_owner_visit(k);
		return;
	}
	worker_land(k);
	if (!machine_take(&d->busy))
		return;
	if (smmu_load_acquire(&d->present) && !smmu_load(&d->adopted) &&
	    !smmu_device_quarantined(&d->dev) && !open_domain(k, v)) {
		if (v->stage == 2)
			slot = 0;
		size = (1 + worker_below(k, 4)) << v->granule_shift;
		pa = VISIT_PA + ((uint64_t)k->id << 24) + (worker_below(k, 8) << 20);
		oracle_map_begin(m->oracle, v->index, VISIT_IOVA, size, pa,
				 ORACLE_READ | ORACLE_WRITE);
		rc = smmu_map(&v->d, VISIT_IOVA, pa, size, SMMU_PROT_READ | SMMU_PROT_WRITE, 0);
		sim_doorbell();
		oracle_map_end(m->oracle, v->index, VISIT_IOVA, size, !rc);
		if (rc) {
			worker_check_refused(k, "map", rc, worker_starved(k, rc));
			smmu_domain_fini(&v->d);
		} else {
			visit(k, d, slot, v);
			close_domain(k, v, size);
		}
	}
	machine_give(&d->busy);
}

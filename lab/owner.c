/* SPDX-License-Identifier: BSD-2-Clause */
/* Owners of tables: their ASIDs, their tables, and the notices that they give. */
#include "owner.h"

#include <stdlib.h>

#include <smmuv3/pgtable.h>
#include <smmuv3/sva.h>

#include "machine_build.h"

/* Every SMMU has eight bits of them. */
#define ASIDS_END 256u

struct owner_asids {
	struct smmu_spinlock lock; /* protects what follows */
	unsigned first, hint;
	bool taken[ASIDS_END];
};

struct owner {
	struct smmu_pgtable table;
	uint16_t asid, old; /* old: not 0 while it is renumbered */
	uint32_t busy;      /* taken by whoever renumbers it */
	bool dropped;       /* the table is gone */
};

/* So many there may be at a time. */
static unsigned sva_domains(const struct machine *m, const struct machine_config *cfg)
{
	unsigned i, n = 0;

	for (i = 0; i < cfg->domains; i++)
		n += m->o->stage[i % m->o->n_stages] == LAB_SVA;
	return n ? n + cfg->visitors : 0;
}

int owner_asids_init(struct machine *m, const struct machine_config *cfg)
{
	unsigned owners = sva_domains(m, cfg);
	unsigned n = owners * 2 < ASIDS_END / 2 ? owners * 2 : ASIDS_END / 2;

	if (!owners)
		return 0;
	m->asids = calloc(1, sizeof(*m->asids));
	if (!m->asids)
		return -1;
	smmu_spin_init(&m->asids->lock);
	m->asids->first = m->asids->hint = ASIDS_END - n;
	return 0;
}

int owner_asids_reserve(struct machine *m, unsigned smmu)
{
	return m->asids ? smmu_sva_reserve(&m->smmu[smmu].inst, (uint16_t)m->asids->first,
					   ASIDS_END - 1)
			: 0;
}

bool owner_asids_has(const struct machine *m, uint32_t id)
{
	return m->asids && id >= m->asids->first && id < ASIDS_END;
}

/* 0: none is left. The longest unused comes first. */
static uint16_t take_asid(struct machine *m)
{
	struct owner_asids *a = m->asids;
	smmu_irqflags flags = smmu_spin_lock(&a->lock);
	unsigned n = ASIDS_END - a->first, i, id = 0;

	for (i = 0; i < n; i++) {
		id = a->first + (a->hint - a->first + i) % n;
		if (!a->taken[id])
			break;
	}
	if (i < n) {
		a->taken[id] = true;
		a->hint = id + 1 < ASIDS_END ? id + 1 : a->first;
	}
	smmu_spin_unlock(&a->lock, flags);
	return i < n ? (uint16_t)id : 0;
}

static void give_asid(struct machine *m, uint16_t id)
{
	smmu_irqflags flags = smmu_spin_lock(&m->asids->lock);

	m->asids->taken[id] = false;
	smmu_spin_unlock(&m->asids->lock, flags);
}

bool owner_fits(const struct machine *m, unsigned smmu)
{
	return m->topology.smmus[smmu].coherent && !m->o->non_coherent;
}

static int make(struct machine *m, struct machine_domain *d, struct owner *o)
{
	const struct smmu_pgtable_config t = {.port = &m->port,
					      .stage = 1,
					      .granule_shift = d->granule_shift,
					      .ias = 48,
					      .oas = 48,
					      .coherent = true};
	struct smmu_sva_config c = {.port = &m->port,
				    .asid = o->asid,
				    .granule_shift = d->granule_shift,
				    .ias = 48,
				    .oas = 48};
	int rc = smmu_pgtable_init(&o->table, &t);

	if (rc)
		return rc;
	c.ttb = o->table.regs.ttb;
	c.mair = o->table.regs.mair;
	c.ir0 = o->table.regs.ir0;
	c.or0 = o->table.regs.or0;
	c.sh0 = o->table.regs.sh0;
	rc = smmu_sva_init(&d->d, &c);
	if (rc)
		smmu_pgtable_destroy(&o->table);
	return rc;
}

int owner_open(struct machine *m, struct machine_domain *d)
{
	struct owner *o = calloc(1, sizeof(*o));
	int rc = -SMMU_ENOSPC;

	if (!o)
		return -SMMU_ENOMEM;
	o->asid = take_asid(m);
	if (o->asid)
		rc = make(m, d, o);
	if (rc) {
		if (o->asid)
			give_asid(m, o->asid);
		free(o);
		return rc;
	}
	d->owner = o;
	return 0;
}

void owner_drop_table(struct machine_domain *d)
{
	smmu_pgtable_destroy(&d->owner->table);
	d->owner->dropped = true;
}

void owner_close(struct machine *m, struct machine_domain *d)
{
	struct owner *o = d->owner;

	if (!o)
		return;
	if (!o->dropped)
		smmu_pgtable_destroy(&o->table);
	give_asid(m, o->asid);
	if (o->old)
		give_asid(m, o->old);
	free(o);
	d->owner = NULL;
}

/* ---- the table ---- */

int owner_map(struct machine_domain *d, uint64_t iova, uint64_t pa, uint64_t size, unsigned prot,
	      unsigned flags)
{
	return smmu_pgtable_map(&d->owner->table, iova, pa, size, prot, flags);
}

int owner_lookup(struct machine_domain *d, uint64_t iova, uint64_t *pa, uint32_t *prot)
{
	return smmu_pgtable_iova_to_phys(&d->owner->table, iova, pa, prot);
}

int owner_unmap(struct machine_domain *d, uint64_t iova, uint64_t size,
		struct smmu_freelist *tables)
{
	struct smmu_gather g;
	int rc;

	smmu_gather_init(&g, 0);
	rc = smmu_pgtable_unmap(&d->owner->table, iova, size, 0, &g, tables);
	/* As an operating system does before it tells anybody. */
	smmu_mb();
	return rc;
}

void owner_release_tables(struct machine_domain *d, struct smmu_freelist *tables)
{
	if (tables->first)
		smmu_pgtable_free_tables(&d->owner->table, tables);
}

/* ---- its ASID changes ---- */

bool owner_take(struct machine_domain *d)
{
	return machine_take(&d->owner->busy);
}

void owner_give(struct machine_domain *d)
{
	machine_give(&d->owner->busy);
}

bool owner_renumber(struct machine *m, struct machine_domain *d)
{
	struct owner *o = d->owner;
	uint16_t id;
	int rc;

	if (o->old)
		return true;
	id = take_asid(m);
	if (!id)
		return false;
	rc = smmu_sva_renumber(&d->d, id);
	if (rc) {
		machine_complain(m, 0, 0, "renumber", "an ASID cannot change: error %d", rc);
		give_asid(m, id);
		return false;
	}
	o->old = o->asid;
	o->asid = id;
	return true;
}

bool owner_renumbered(struct machine *m, struct machine_domain *d)
{
	struct owner *o = d->owner;
	int rc = o->old ? smmu_sva_renumbered(&d->d) : 0;

	if (rc && rc != -SMMU_EBUSY)
		machine_complain(m, 0, 0, "renumber", "asking for the old ASID fails: error %d",
				 rc);
	if (rc || !o->old)
		return !rc;
	give_asid(m, o->old);
	o->old = 0;
	return true;
}

int machine_sva_update(struct machine_device *dev, unsigned slot, bool released)
{
	struct machine *m = dev->m;
	unsigned of = machine_slot(dev, slot), from = oracle_attached(m->oracle, of, NULL);
	int rc;

	oracle_attach_begin(m->oracle, of, released ? ORACLE_BLOCKED : from,
			    !released && !m->faulty);
	rc = smmu_sva_update(&dev->dev, dev->ssid[slot]);
	machine_changed(dev, slot, from, rc);
	smmu_store(&dev->quiet[slot], released);
	/* What a TLB has stays until smmu_sva_released has asked it. */
	if (released)
		oracle_doubt(m->oracle, of, from);
	return rc;
}

void machine_sva_gone(struct machine_device *dev, unsigned slot)
{
	struct oracle *o = dev->m->oracle;
	unsigned of = machine_slot(dev, slot);

	oracle_attach_begin(o, of, oracle_attached(o, of, NULL), false);
	if (machine_confirmed(dev))
		oracle_certain(o, of);
	oracle_attach_end(o, of, true);
}

/* ---- attachments ---- */

unsigned machine_own(const struct machine *m, unsigned n)
{
	unsigned i;

	for (i = 0; m->owners && i < m->domains; i++)
		if (!m->domain[(n + i) % m->domains].owner)
			return (n + i) % m->domains;
	if (!m->owners)
		return n;
	return n % 2 ? ORACLE_BLOCKED : ORACLE_IDENTITY;
}

int machine_map(struct machine_domain *d, uint64_t iova, uint64_t pa, uint64_t size, unsigned prot,
		unsigned flags)
{
	return d->owner ? owner_map(d, iova, pa, size, prot, flags)
			: smmu_map(&d->d, iova, pa, size, prot, flags);
}

int owner_attach_pasids(struct machine_device *d)
{
	struct machine *m = d->m;
	unsigned own = oracle_attached(m->oracle, machine_slot(d, 0), NULL), n = d->index, slot;
	int rc = 0;

	if (!m->owners || !d->dev.ssid_bits || !owner_fits(m, d->smmu) || smmu_load(&d->guests) ||
	    (own < m->domains && m->domain[own].stage == 2))
		return 0;
	for (slot = 1; slot < MACHINE_SSIDS && !rc; slot++, n++) {
		unsigned tries = 0;

		while (!m->domain[n % m->domains].owner)
			n++;
		do
			rc = machine_attach_pasid(d, slot, n % m->domains);
		while (machine_try_again(m, rc, &tries));
	}
	return rc;
}

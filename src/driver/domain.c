/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains: their tables and arrays, and map and unmap. */
#include "driver.h"

#define BITS_DEFAULT 48u

/** Fill in what @p cfg leaves open, so that it fits the instances it names. */
static int fit(const struct smmu_domain_config *cfg, struct smmu_pgtable_config *t)
{
	uint32_t granules = SMMU_FEAT_4K | SMMU_FEAT_16K | SMMU_FEAT_64K;
	uint8_t oas = BITS_DEFAULT;

	for (uint32_t i = 0; i < cfg->nr_instances; i++) {
		const struct smmu_features *f = &cfg->instances[i]->features;

		granules &= f->bits;
		oas = f->oas < oas ? f->oas : oas;
		t->coherent &= (f->bits & SMMU_FEAT_COHERENT) != 0;
		if (t->dirty && !(f->bits & SMMU_FEAT_DIRTY))
			return -SMMU_EOPNOTSUPP;
	}
	if (!t->granule_shift)
		t->granule_shift = granules & SMMU_FEAT_4K    ? 12
				   : granules & SMMU_FEAT_16K ? 14
							      : 16;
	if (!t->oas)
		t->oas = oas;
	if (!t->ias)
		t->ias = t->stage == 2 && t->oas < BITS_DEFAULT ? t->oas : BITS_DEFAULT;
	return granules ? 0 : -SMMU_EOPNOTSUPP;
}

static int make_table(struct smmu_domain *d, const struct smmu_domain_config *cfg)
{
	struct smmu_pgtable_config t = {
		.port = cfg->port,
		.stage = cfg->kind == SMMU_DOMAIN_STAGE2 ? 2 : 1,
		.granule_shift = cfg->granule_shift,
		.ias = cfg->ias,
		.oas = cfg->oas,
		.coherent = !cfg->non_coherent,
		.dirty = cfg->dirty,
	};
	int error;

	if (cfg->table) {
		if (cfg->table->cfg.stage != t.stage ||
		    (cfg->non_coherent && cfg->table->cfg.coherent) ||
		    (cfg->dirty && !cfg->table->cfg.dirty))
			return -SMMU_EINVAL;
		d->table = cfg->table;
		d->non_coherent = !cfg->table->cfg.coherent;
		return 0;
	}
	error = fit(cfg, &t);
	if (!error)
		error = smmu_pgtable_init(&d->own_table, &t);
	if (error)
		return error;
	d->table = &d->own_table;
	d->non_coherent = !t.coherent;
	return 0;
}

int smmu_domain_init(struct smmu_domain *d, const struct smmu_domain_config *cfg)
{
	int error = 0;

	*d = (struct smmu_domain){.port = cfg->port, .kind = cfg->kind};
	if (!cfg->port || cfg->kind > SMMU_DOMAIN_STAGE2 || (cfg->nr_instances && !cfg->instances))
		error = -SMMU_EINVAL;
	smmu_mutex_init(&d->lock);
	if (!error && smmu_domain_has_table(d))
		error = make_table(d, cfg);
	if (error)
		d->port = NULL;
	return error;
}

int smmu_domain_fini(struct smmu_domain *d)
{
	if (!d->port)
		return 0;
	if (smmu_load(&d->users))
		return -SMMU_EBUSY;
	/* Sweeps of unmaps that were under way when the last device left. */
	smmu_rcu_synchronize(d->port->rcu);
	smmu_inv_array_free(d->inv);
	d->inv = NULL;
	if (d->vsmmu)
		smmu_fetch_sub(&d->vsmmu->users, 1);
	d->vsmmu = NULL;
	if (d->table == &d->own_table)
		smmu_pgtable_destroy(&d->own_table);
	d->table = NULL;
	d->port = NULL;
	return 0;
}

int smmu_map(struct smmu_domain *d, uint64_t iova, uint64_t pa, uint64_t size, uint32_t prot,
	     uint32_t flags)
{
	if (!d->table)
		return -SMMU_EOPNOTSUPP;
	return smmu_pgtable_map(d->table, iova, pa, size, prot, flags);
}

int smmu_iova_to_phys(struct smmu_domain *d, uint64_t iova, uint64_t *pa, uint32_t *prot)
{
	if (!d->table)
		return -SMMU_EOPNOTSUPP;
	return smmu_pgtable_iova_to_phys(d->table, iova, pa, prot);
}

int smmu_unmap_gather(struct smmu_domain *d, uint64_t iova, uint64_t size, uint32_t flags,
		      struct smmu_gather *g, struct smmu_freelist *tables)
{
	if (!d->table)
		return -SMMU_EOPNOTSUPP;
	return smmu_pgtable_unmap(d->table, iova, size, flags, g, tables);
}

void smmu_unmap_submit(struct smmu_domain *d, const struct smmu_gather *g, struct smmu_fence *f)
{
	smmu_inv_submit(f, d->port->rcu, &d->inv, &d->debt, g);
	SMMU_COUNT(&d->counts.sweeps, 1);
	SMMU_COUNT(&d->counts.entries, f->array ? f->array->count : 0);
}

/** Submit and wait. */
static int sweep(struct smmu_domain *d, const struct smmu_gather *g)
{
	struct smmu_fence f SMMU_UNINIT;

	smmu_unmap_submit(d, g, &f);
	return smmu_fence_wait(&f);
}

void smmu_unmap_release(struct smmu_domain *d, struct smmu_freelist *tables)
{
	if (tables->first)
		smmu_pgtable_free_tables(d->table, tables);
}

int smmu_unmap(struct smmu_domain *d, uint64_t iova, uint64_t size, uint32_t flags)
{
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g SMMU_UNINIT;
	int error;

	smmu_gather_init(&g, 0);
	error = smmu_unmap_gather(d, iova, size, flags, &g, &tables);
	if (error)
		return error;
	error = sweep(d, &g);
	if (!error)
		smmu_unmap_release(d, &tables);
	return error;
}

int smmu_flush_all(struct smmu_domain *d)
{
	return sweep(smmu_domain_keeper(d), NULL);
}

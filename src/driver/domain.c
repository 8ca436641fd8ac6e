/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains: their tables and arrays, and map and unmap. */
#include "driver.h"

#define GRANULE_DEFAULT 12u
#define BITS_DEFAULT 48u

int smmu_domain_init(struct smmu_domain *d, const struct smmu_domain_config *cfg)
{
	struct smmu_pgtable_config table = {
		.port = cfg->port,
		.stage = cfg->kind == SMMU_DOMAIN_STAGE2 ? 2 : 1,
		.granule_shift = cfg->granule_shift ? cfg->granule_shift : GRANULE_DEFAULT,
		.ias = cfg->ias ? cfg->ias : BITS_DEFAULT,
		.oas = cfg->oas ? cfg->oas : BITS_DEFAULT,
		.coherent = !cfg->non_coherent,
	};

	if (!cfg->port || cfg->kind > SMMU_DOMAIN_STAGE2)
		return -SMMU_EINVAL;
	*d = (struct smmu_domain){
		.port = cfg->port, .kind = cfg->kind, .non_coherent = cfg->non_coherent};
	smmu_mutex_init(&d->lock);
	if (!smmu_domain_has_table(d))
		return 0;
	if (cfg->table) {
		if (cfg->table->cfg.stage != table.stage)
			return -SMMU_EINVAL;
		d->table = cfg->table;
		return 0;
	}
	d->table = &d->own_table;
	return smmu_pgtable_init(&d->own_table, &table);
}

int smmu_domain_fini(struct smmu_domain *d)
{
	if (smmu_load(&d->users))
		return -SMMU_EBUSY;
	/* Sweeps of unmaps that were under way when the last device left. */
	smmu_rcu_synchronize(d->port->rcu);
	smmu_inv_array_free(d->inv);
	d->inv = NULL;
	if (d->table == &d->own_table)
		smmu_pgtable_destroy(&d->own_table);
	d->table = NULL;
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
}

void smmu_unmap_release(struct smmu_domain *d, struct smmu_freelist *tables)
{
	if (tables->first)
		smmu_pgtable_free_tables(d->table, tables);
}

int smmu_unmap(struct smmu_domain *d, uint64_t iova, uint64_t size, uint32_t flags)
{
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g;
	int error;

	smmu_gather_init(&g, 0);
	error = smmu_unmap_gather(d, iova, size, flags, &g, &tables);
	if (error)
		return error;
	error = smmu_inv_sync(d->port->rcu, &d->inv, &d->debt, &g);
	if (!error)
		smmu_unmap_release(d, &tables);
	return error;
}

int smmu_flush_all(struct smmu_domain *d)
{
	return smmu_inv_sync(d->port->rcu, &d->inv, &d->debt, NULL);
}

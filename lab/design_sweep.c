/* SPDX-License-Identifier: BSD-2-Clause */
/* This project's own design: one sweep over the array, all instances in flight at once; and how any design frees tables. */
#include "designs.h"

#include "machine.h"
#include "owner.h"

#include <smmuv3/sva.h>

void design_release(struct machine *m, struct machine_domain *d, struct smmu_freelist *tables)
{
	if (m->early_free)
		return;
	if (d->owner)
		owner_release_tables(d, tables);
	else
		smmu_unmap_release(&d->d, tables);
}

void design_early_free(struct machine *m, struct machine_domain *d, struct smmu_freelist *tables)
{
	if (m->early_free && tables->first) {
		smmu_fetch_add(&m->own_strikes[FAULT_EARLY_FREE], 1);
		if (d->owner)
			owner_release_tables(d, tables);
		else
			smmu_unmap_release(&d->d, tables);
		machine_pause(m, 50000);
	}
}

int design_unmap(struct machine *m, struct machine_domain *d, uint64_t iova, uint64_t size,
		 int (*invalidate)(struct machine *m, struct machine_domain *d,
				   const struct smmu_gather *g))
{
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g;
	int rc;

	smmu_gather_init(&g, 0);
	rc = smmu_unmap_gather(&d->d, iova, size, 0, &g, &tables);
	if (rc)
		return rc;
	design_early_free(m, d, &tables);
	smmu_mb();
	rc = invalidate(m, d, &g);
	if (!rc)
		design_release(m, d, &tables);
	return rc;
}

static int sweep_start(struct machine *m, struct machine_domain *d, uint64_t iova, uint64_t size,
		       struct smmu_freelist *tables, struct smmu_fence *f)
{
	struct smmu_gather g;
	int rc;

	smmu_gather_init(&g, 0);
	rc = d->owner ? owner_unmap(d, iova, size, tables)
		      : smmu_unmap_gather(&d->d, iova, size, 0, &g, tables);
	if (rc)
		return rc;
	design_early_free(m, d, tables);
	if (d->owner)
		smmu_sva_submit(&d->d, iova, iova + size - 1, f);
	else
		smmu_unmap_submit(&d->d, &g, f);
	return 0;
}

static int sweep_unmap(struct machine *m, struct machine_domain *d, uint64_t iova, uint64_t size)
{
	struct smmu_freelist tables = {NULL};
	struct smmu_fence f;
	int rc;

	if (!m->early_free && !d->owner)
		return smmu_unmap(&d->d, iova, size, 0);
	rc = sweep_start(m, d, iova, size, &tables, &f);
	if (!rc)
		rc = smmu_fence_wait(&f);
	/* Tables of an owner of which that was not confirmed are kept for ever, as the driver keeps its own. */
	if (!rc)
		design_release(m, d, &tables);
	return rc;
}

static void sweep_change(struct machine_domain *d, bool ats)
{
}

const struct design design_sweep = {
	.name = "sweep",
	.unmap = sweep_unmap,
	.unmap_start = sweep_start,
	.change_begin = sweep_change,
	.change_end = sweep_change,
};

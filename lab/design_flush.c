/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The design of small hypervisors and firmware, on our queues: one lock for all, and every unmap flushes everything of the
 * domain on every instance, one after the other.
 */
#include "design_batch.h"
#include "designs.h"
#include "machine.h"

static int flush_invalidate(struct machine *m, struct machine_domain *d,
			    const struct smmu_gather *g)
{
	const struct smmu_inv_array *array;
	unsigned cookie;
	int rc;

	smmu_mutex_lock(&m->flush_lock);
	cookie = smmu_rcu_enter(m->port.rcu);
	array = smmu_rcu_dereference(&d->d.inv);
	rc = array ? design_walk(array, NULL, NULL) : 0;
	smmu_rcu_exit(m->port.rcu, cookie);
	smmu_mutex_unlock(&m->flush_lock);
	return rc;
}

static int flush_unmap(struct machine *m, struct machine_domain *d, uint64_t iova, uint64_t size)
{
	return design_unmap(m, d, iova, size, flush_invalidate);
}

static void flush_change(struct machine_domain *d, bool ats)
{
}

const struct design design_flush = {
	.name = "flush",
	.unmap = flush_unmap,
	.change_begin = flush_change,
	.change_end = flush_change,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The design of Linux up to 6.12, on our queues: the instances one after the other; the TLB of each with a wait; then its
 * devices, whose list is followed under a spinlock with interrupts off, and another wait. (There every instance has a
 * domain and a page table of its own as well; the table's part of the cost is not repeated here.)
 */
#include "design_batch.h"
#include "designs.h"
#include "machine.h"

static int list_invalidate(struct machine *m, struct machine_domain *d, const struct smmu_gather *g)
{
	const struct smmu_inv_array *array;
	unsigned cookie;
	int rc;

	cookie = smmu_rcu_enter(m->port.rcu);
	array = smmu_rcu_dereference(&d->d.inv);
	rc = array ? design_walk(array, g, &d->devices_lock) : 0;
	smmu_rcu_exit(m->port.rcu, cookie);
	return rc;
}

static int list_unmap(struct machine *m, struct machine_domain *d, uint64_t iova, uint64_t size)
{
	return design_unmap(m, d, iova, size, list_invalidate);
}

static void list_change(struct machine_domain *d, bool ats)
{
}

const struct design design_list = {
	.name = "list",
	.unmap = list_unmap,
	.change_begin = list_change,
	.change_end = list_change,
};

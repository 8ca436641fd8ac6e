/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The design of Linux 7.2, on our queues: a sorted array read without a lock, except that a reader-writer lock keeps
 * attachments out while an array with ATS operations is followed; the instances one after the other, and in each first
 * the TLB operations with a CMD_SYNC and a wait, then the ATC operations with another.
 */
#include "design_batch.h"
#include "designs.h"
#include "machine.h"

/* ---- the lock ---- */

static void read_lock(struct design_lock *l)
{
	for (;;) {
		smmu_fetch_add(&l->readers, 1);
		if (!smmu_load_acquire(&l->writer))
			return;
		smmu_fetch_sub(&l->readers, 1);
		sim_spin();
	}
}

static void read_unlock(struct design_lock *l)
{
	smmu_fetch_sub(&l->readers, 1);
}

static void write_lock(struct design_lock *l)
{
	while (smmu_exchange(&l->writer, 1))
		sim_spin();
	while (smmu_load_acquire(&l->readers))
		sim_spin();
}

static void write_unlock(struct design_lock *l)
{
	smmu_store_release(&l->writer, 0);
}

static int serial_invalidate(struct machine *m, struct machine_domain *d,
			     const struct smmu_gather *g)
{
	const struct smmu_inv_array *array;
	unsigned cookie;
	bool locked;
	int rc;

	cookie = smmu_rcu_enter(m->port.rcu);
	array = smmu_rcu_dereference(&d->d.inv);
	locked = array && design_has_ats(array);
	if (locked) {
		/* A writer may be waiting for this read section: leave it before waiting for the writer. */
		smmu_rcu_exit(m->port.rcu, cookie);
		read_lock(&d->lock);
		cookie = smmu_rcu_enter(m->port.rcu);
		array = smmu_rcu_dereference(&d->d.inv);
	}
	rc = array ? design_walk(array, g, NULL) : 0;
	smmu_rcu_exit(m->port.rcu, cookie);
	if (locked)
		read_unlock(&d->lock);
	return rc;
}

static int serial_unmap(struct machine *m, struct machine_domain *d, uint64_t iova, uint64_t size)
{
	return design_unmap(m, d, iova, size, serial_invalidate);
}

static void serial_change_begin(struct machine_domain *d, bool ats)
{
	if (d && ats)
		write_lock(&d->lock);
}

static void serial_change_end(struct machine_domain *d, bool ats)
{
	if (d && ats)
		write_unlock(&d->lock);
}

const struct design design_serial = {
	.name = "serial",
	.unmap = serial_unmap,
	.change_begin = serial_change_begin,
	.change_end = serial_change_end,
};

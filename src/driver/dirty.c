/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What devices have written: settle, clear, sweep, and only then say it.
 *
 * Why no write gets lost
 * ----------------------
 * A leaf is clean or dirty. A call R does this, in this order:
 *
 *   R1  a CMD_SYNC of each instance of the domain (unless SMMU_DIRTY_SOON)
 *   R2  each dirty leaf: note it, and make it clean, by compare-exchange
 *   R3  a sweep of what was cleared, as for an unmap: TLBs, then ATCs
 *   R4  return: whoever called copies the pages that were noted
 *
 * Fact 1. An entry of a TLB that lets a write pass is made of a leaf that was dirty when it was read, or that the walk made
 *         dirty (IHI 0070 G.b, 3.13.3); one of an ATC of such an entry, or of such a leaf, before the answer to its request is
 *         sent (3.13.7.1). A write that meets a clean entry is checked against the leaf in memory (VMSAv8-64, RSGJBL).
 * Fact 2. The SMMU marks by an atomic read-modify-write, and R2 is one. So a mark comes before R2 in the order of the leaf,
 *         and is noted, or after it, and stays for the next call.
 * Fact 3. R2 is to the sweep what the store of an unmap is (U1 of sweep.c), and clean is to it what invalid is, for writes. So by
 *         facts 1 to 3 and 6 of the sweep, once R3 is confirmed no entry of before R2 is left, in no TLB and no ATC, that
 *         of a device which joins meanwhile included; and accesses that used one are complete, and visible (3.21.1).
 * Fact 4. So a write W that was let pass by an entry of before R2 is visible before R4, and its page was noted: the copy has it.
 *         Any other W after R2 found the leaf, by facts 1 and 3, and has marked it after R2, by fact 2: the next call notes it.
 * Fact 5. A leaf that R2 finds clean has no entry that lets writes pass but with a mark that is on its way: who marked it was an
 *         SMMU, after the last call that took the leaf was swept (its range is not shared with another call at a time); and a
 *         mark may be seen late, with a CMD_SYNC that follows the write at the latest (3.13.4). R1 is such a CMD_SYNC for all writes
 *         that were complete before the call. Without it they are noted by the next call: they are never lost, as a mark that
 *         comes late stays (fact 2).
 * Fact 6. If R3 is not confirmed, entries of before may still let writes pass that nobody sees. So all leaves that were noted become
 *         dirty again, which needs no sweep: an entry that is clean takes nothing away from that. They are cleared by a later
 *         call, whose sweep then is one of everything (fact 7 of the sweep).
 *
 * An unmap takes the state of its leaves with it. Whoever wants it reads it before, with the devices at rest.
 */
#include <smmuv3/dirty.h>

#include "driver.h"

static bool has_dirty(const struct smmu_domain *d)
{
	return d->table && d->table->cfg.dirty && d->table->ops->dirty;
}

int smmu_domain_set_dirty_tracking(struct smmu_domain *d, bool on)
{
	if (!has_dirty(d))
		return -SMMU_EOPNOTSUPP;
	smmu_pgtable_begin_clean(d->table, on);
	return 0;
}

static int step(struct smmu_domain *d, uint64_t iova, uint64_t size, enum smmu_dirty_step what,
		const struct smmu_dirty_bitmap *bitmap, struct smmu_gather *g)
{
	smmu_gather_init(g, 0);
	return d->table->ops->dirty(d->table, iova, size, what, bitmap, g);
}

int smmu_domain_read_dirty(struct smmu_domain *d, uint64_t iova, uint64_t size, uint32_t flags,
			   const struct smmu_dirty_bitmap *bitmap)
{
	struct smmu_gather g SMMU_UNINIT;
	struct smmu_fence f SMMU_UNINIT;
	int error;

	if (!has_dirty(d))
		return -SMMU_EOPNOTSUPP;
	if (flags & ~(uint32_t)(SMMU_DIRTY_KEEP | SMMU_DIRTY_SOON))
		return -SMMU_EINVAL;
	if (!(flags & SMMU_DIRTY_SOON)) {
		smmu_inv_settle(&f, d->port->rcu, &d->inv, &d->debt);
		error = smmu_fence_wait(&f);
		if (error)
			return error;
	}
	if (flags & SMMU_DIRTY_KEEP)
		return step(d, iova, size, SMMU_DIRTY_LOOK, bitmap, &g);
	error = step(d, iova, size, SMMU_DIRTY_TAKE, bitmap, &g);
	if (error || smmu_gather_empty(&g))
		return error;
	smmu_unmap_submit(d, &g, &f);
	error = smmu_fence_wait(&f);
	if (error)
		step(d, iova, size, SMMU_DIRTY_GIVE_BACK, bitmap, &g);
	return error;
}

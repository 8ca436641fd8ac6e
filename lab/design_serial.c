/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The design of Linux 7.2, on our queues: a sorted array read without a lock, except that a reader-writer lock keeps
 * attachments out while an array with ATS operations is followed; the instances one after the other, and in each first
 * the TLB operations with a CMD_SYNC and a wait, then the ATC operations with another.
 */
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
		smmu_posix_spin();
	}
}

static void read_unlock(struct design_lock *l)
{
	smmu_fetch_sub(&l->readers, 1);
}

static void write_lock(struct design_lock *l)
{
	while (smmu_exchange(&l->writer, 1))
		smmu_posix_spin();
	while (smmu_load_acquire(&l->readers))
		smmu_posix_spin();
}

static void write_unlock(struct design_lock *l)
{
	smmu_store_release(&l->writer, 0);
}

/* ---- one batch: some operations of one instance ---- */

struct batch {
	const struct smmu_inv *entry, *end;
	struct smmu_tlbi_plan tlbi, tlbi_run;
	struct smmu_atc_plan atc, atc_run;
	bool started;
};

static bool is_ats(const struct smmu_inv *e)
{
	return e->kind >= SMMU_INV_ATS;
}

static bool gone(const struct smmu_inv *e)
{
	return !smmu_load_acquire(&e->users) || smmu_load(&e->muted);
}

static uint32_t batch_count(const struct batch *b)
{
	const struct smmu_inv *e;
	uint32_t n = 0;

	for (e = b->entry; e < b->end; e++) {
		if (gone(e))
			continue;
		if (e->kind == SMMU_INV_ATS)
			n += b->atc.count;
		else if (e->kind == SMMU_INV_S1_ASID || e->kind == SMMU_INV_S2_VMID)
			n += b->tlbi.whole ? 1 : b->tlbi.count;
		else
			n++;
	}
	return n;
}

/* The next command of the operation that is being written; false after its last. */
static bool entry_next(struct batch *b, struct smmu_cmd *cmd)
{
	const struct smmu_inv *e = b->entry;
	bool first = !b->started;
	uint64_t w0 = 0, w1 = 0;

	if (first && gone(e))
		return false;
	b->started = true;
	if (e->kind == SMMU_INV_ATS_FULL || e->kind == SMMU_INV_S2_VMID_S1_CLEAR ||
	    (!is_ats(e) && b->tlbi.whole)) {
		cmd->w[0] = e->whole;
		cmd->w[1] = is_ats(e) ? SMMU_CMD_ATC_INV_SIZE_ALL : 0;
		return first;
	}
	if (first) {
		b->atc_run = b->atc;
		b->tlbi_run = b->tlbi;
	}
	if (is_ats(e) ? !smmu_atc_plan_next(&b->atc_run, &w1)
		      : !smmu_tlbi_plan_next(&b->tlbi_run, &w0, &w1))
		return false;
	cmd->w[0] = e->by_range | w0;
	cmd->w[1] = w1;
	return true;
}

static size_t batch_fill(void *ctx, struct smmu_cmd *dst, size_t room)
{
	struct batch *b = ctx;
	size_t n = 0;

	while (n < room && b->entry < b->end) {
		if (entry_next(b, &dst[n])) {
			n++;
		} else {
			b->entry++;
			b->started = false;
		}
	}
	return n;
}

/* Submit the operations and wait for them; again while command errors hit them. */
static int batch_run(struct smmu_instance *inst, const struct smmu_inv *first,
		     const struct smmu_inv *end, const struct smmu_gather *g)
{
	struct smmu_cmdq_token token;
	struct batch b = {.entry = first, .end = end}, run;
	unsigned tries;

	smmu_tlbi_plan_init(&b.tlbi, g, inst->target.flags & SMMU_INV_RANGE, inst->target.tlbi_max);
	smmu_atc_plan_init(&b.atc, g->start, g->last, inst->target.atc_max);
	for (tries = 0; tries < 8; tries++) {
		uint32_t n = batch_count(&b);
		enum smmu_cmdq_status status;

		if (!n)
			return 0;
		run = b;
		if (smmu_cmdq_submit(&inst->cmdq, n, batch_fill, &run, &token))
			return -SMMU_EIO;
		status = smmu_cmdq_wait(&inst->cmdq, &token);
		if (status == SMMU_CMDQ_DONE)
			return 0;
		if (status == SMMU_CMDQ_DEAD)
			return -SMMU_EIO;
	}
	return -SMMU_EIO;
}

static int walk(const struct smmu_inv_array *a, const struct smmu_gather *g)
{
	const struct smmu_inv *e = a->entry, *end = a->entry + a->count;
	int error = 0;

	while (e < end) {
		const struct smmu_inv *first = e, *live = NULL;
		struct smmu_instance *inst;

		while (e < end && e->index == first->index && is_ats(e) == is_ats(first)) {
			if (!live && smmu_load_acquire(&e->users))
				live = e;
			e++;
		}
		if (!live)
			continue;
		inst = smmu_container_of(live->target, struct smmu_instance, target);
		if (batch_run(inst, first, e, g))
			error = -SMMU_EIO;
	}
	return error;
}

static bool has_ats(const struct smmu_inv_array *a)
{
	uint32_t i;

	for (i = 0; i < a->count; i++) {
		if (is_ats(&a->entry[i]) && !gone(&a->entry[i]))
			return true;
	}
	return false;
}

static int serial_unmap(struct machine *m, struct machine_domain *d, uint64_t iova, uint64_t size)
{
	const struct smmu_inv_array *array;
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g;
	unsigned cookie;
	bool locked;
	int rc;

	smmu_gather_init(&g, 0);
	rc = smmu_unmap_gather(&d->d, iova, size, 0, &g, &tables);
	if (rc)
		return rc;
	if (m->early_free && tables.first) {
		smmu_unmap_release(&d->d, &tables);
		machine_pause(m, 50000);
	}
	smmu_mb();
	cookie = smmu_rcu_enter(m->port.rcu);
	array = smmu_rcu_dereference(&d->d.inv);
	locked = array && has_ats(array);
	if (locked) {
		/* A writer may be waiting for this read section: leave it before waiting for the writer. */
		smmu_rcu_exit(m->port.rcu, cookie);
		read_lock(&d->lock);
		cookie = smmu_rcu_enter(m->port.rcu);
		array = smmu_rcu_dereference(&d->d.inv);
	}
	rc = array ? walk(array, &g) : 0;
	smmu_rcu_exit(m->port.rcu, cookie);
	if (locked)
		read_unlock(&d->lock);
	if (!m->early_free)
		smmu_unmap_release(&d->d, &tables);
	return rc;
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

/* SPDX-License-Identifier: BSD-2-Clause */
/* One batch: some operations of one instance, and the walk that makes one of each instance and kind. */
#include "design_batch.h"

struct batch {
	const struct smmu_inv *entry, *end;
	struct smmu_tlbi_plan tlbi, tlbi_run;
	struct smmu_atc_plan atc, atc_run;
	bool whole; /* no range: everything of each id */
	bool started;
};

bool design_gone(const struct smmu_inv *e)
{
	return !smmu_load_acquire(&e->users) ||
	       (e->kind >= SMMU_INV_ATS && smmu_load(&e->owner->cut));
}

static uint32_t batch_count(const struct batch *b)
{
	const struct smmu_inv *e;
	uint32_t n = 0;

	for (e = b->entry; e < b->end; e++) {
		if (design_gone(e))
			continue;
		if (!b->whole && e->kind == SMMU_INV_ATS)
			n += b->atc.count;
		else if (!b->whole && !b->tlbi.whole &&
			 (e->kind == SMMU_INV_S1_ASID || e->kind == SMMU_INV_S2_VMID))
			n += b->tlbi.count;
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

	if (first && design_gone(e))
		return false;
	b->started = true;
	if (b->whole || e->kind == SMMU_INV_ATS_FULL || e->kind == SMMU_INV_S2_VMID_S1_CLEAR ||
	    (!design_is_ats(e) && b->tlbi.whole)) {
		cmd->w[0] = e->whole;
		cmd->w[1] = design_is_ats(e) ? SMMU_CMD_ATC_INV_SIZE_ALL : 0;
		return first;
	}
	if (first) {
		b->atc_run = b->atc;
		b->tlbi_run = b->tlbi;
	}
	if (design_is_ats(e) ? !smmu_atc_plan_next(&b->atc_run, &w1)
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

int design_batch_run(struct smmu_instance *inst, const struct smmu_inv *first,
		     const struct smmu_inv *end, const struct smmu_gather *g,
		     struct smmu_spinlock *lock)
{
	struct smmu_cmdq_token token;
	struct batch b = {.entry = first, .end = end, .whole = !g}, run;
	unsigned tries;

	if (g) {
		smmu_tlbi_plan_init(&b.tlbi, g, inst->target.flags & SMMU_INV_RANGE,
				    inst->target.tlbi_max);
		smmu_atc_plan_init(&b.atc, g->start, g->last, inst->target.atc_max);
	}
	for (tries = 0; tries < 8; tries++) {
		enum smmu_cmdq_status status;
		smmu_irqflags flags = 0;
		uint32_t n;
		int rc = 0;

		if (lock)
			flags = smmu_spin_lock(lock);
		n = batch_count(&b);
		run = b;
		if (n)
			rc = smmu_cmdq_submit(&inst->cmdq, n, batch_fill, &run, &token);
		if (lock)
			smmu_spin_unlock(lock, flags);
		if (!n || rc)
			return rc;
		status = smmu_cmdq_wait(&inst->cmdq, &token, false);
		if (status == SMMU_CMDQ_DONE)
			return 0;
		if (status == SMMU_CMDQ_DEAD)
			return -SMMU_EIO;
	}
	return -SMMU_EIO;
}

int design_walk(const struct smmu_inv_array *a, const struct smmu_gather *g,
		struct smmu_spinlock *lock)
{
	const struct smmu_inv *e = a->entry, *end = a->entry + a->count;
	int error = 0;

	while (e < end) {
		const struct smmu_inv *first = e, *live = NULL;
		struct smmu_instance *inst;

		while (e < end && e->index == first->index &&
		       design_is_ats(e) == design_is_ats(first)) {
			if (!live && smmu_load_acquire(&e->users))
				live = e;
			e++;
		}
		if (!live)
			continue;
		inst = smmu_container_of(live->target, struct smmu_instance, target);
		if (design_batch_run(inst, first, e, g, design_is_ats(first) ? lock : NULL))
			error = -SMMU_EIO;
	}
	return error;
}

bool design_has_ats(const struct smmu_inv_array *a)
{
	uint32_t i;

	for (i = 0; i < a->count; i++) {
		if (design_is_ats(&a->entry[i]) && !design_gone(&a->entry[i]))
			return true;
	}
	return false;
}

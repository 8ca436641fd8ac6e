/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program: the commands of one instance in one sweep, written straight into its queue.
 *
 * The operations of an instance stand in the order in which they must take effect: stage 1 and stage 2 by tag, then the
 * stage-1 entries built on a changed stage 2, then ATCs. They are cut into segments at those places with a CMD_SYNC
 * between, because commands without one take effect in any order, and none behind a CMD_SYNC begins before it completes
 * (IHI 0070 G.b, 4.7.3; for parts that deviate there is SMMU_QUIRK_SPLIT_ATC):
 *
 *   TLBI by ASID, VMID … | SYNC | TLBI_NH_ALL … | SYNC | ATC_INV … | SYNC (the queue's own, which the token waits for)
 *
 * An ATC that were told before its TLB could refill itself with the entry that is about to go; so could a combined
 * stage-1-and-2 entry from a stage-2 one.
 */
#include "sweep.h"

/** The device behind ATS operation @p e is not asked any more; if it is only being cut off, the sweep sees to that. */
static bool cut_off(struct smmu_inv_program *p, const struct smmu_inv *e)
{
	uint32_t cut = SMMU_BARRIER(cut_seen, smmu_load_acquire(&e->owner->cut));

	p->cutting |= cut == SMMU_CUT_BEGUN;
	return cut != SMMU_CUT_NO;
}

static uint32_t entry_commands(struct smmu_inv_program *p, const struct smmu_inv *e)
{
	if (!SMMU_BARRIER(entry_joined, smmu_load_acquire(&e->users)))
		return 0;
	switch (e->kind) {
	case SMMU_INV_S1_ASID:
	case SMMU_INV_S2_VMID:
		return p->whole || p->tlbi.whole ? 1 : p->tlbi.count;
	case SMMU_INV_ATS:
	case SMMU_INV_ATS_FULL:
		if (cut_off(p, e))
			return 0;
		return p->whole || e->kind == SMMU_INV_ATS_FULL ? 1 : p->atc.count;
	default:
		return 1;
	}
}

static void add_segment(struct smmu_inv_program *p, const struct smmu_inv *first,
			const struct smmu_inv *end)
{
	uint32_t commands = 0;

	for (const struct smmu_inv *e = first; e < end; e++)
		commands += entry_commands(p, e);
	if (!commands)
		return;
	p->left += commands + (p->segments ? 1 : 0);
	p->segment[p->segments++] = (struct smmu_inv_segment){first, end};
}

void smmu_inv_program_init(struct smmu_inv_program *p, const struct smmu_inv *first,
			   const struct smmu_inv *end, const struct smmu_gather *range,
			   unsigned phase)
{
	const struct smmu_inv_target *t = first->target;
	const struct smmu_inv *clear = first, *ats;
	unsigned times = t->flags & SMMU_INV_TLBI_TWICE ? 2 : 1;

	*p = (struct smmu_inv_program){.whole = !range};
	if (range) {
		smmu_tlbi_plan_init(&p->tlbi, range, t->flags & SMMU_INV_RANGE, t->tlbi_max);
		smmu_atc_plan_init(&p->atc, range->start, range->last, t->atc_max);
	}
	while (clear < end && clear->kind < SMMU_INV_S2_VMID_S1_CLEAR)
		clear++;
	ats = clear;
	while (ats < end && ats->kind < SMMU_INV_ATS)
		ats++;
	if (phase & SMMU_PHASE_TLB) {
		for (unsigned i = 0; i < times; i++)
			add_segment(p, first, clear);
		for (unsigned i = 0; i < times; i++)
			add_segment(p, clear, ats);
	}
	if (phase & SMMU_PHASE_ATC)
		add_segment(p, ats, end);
	p->entry = p->segment[0].first;
}

/**
 * The command that takes no address, where the current operation has one in place of its plan: once. @p first: nothing
 * of the operation was written yet.
 */
static bool whole_next(const struct smmu_inv *e, bool first, uint64_t w1, struct smmu_cmd *cmd)
{
	*cmd = (struct smmu_cmd){{e->whole, w1}};
	return first;
}

/** Write one command of the current operation; false when it has no more. */
static bool entry_next(struct smmu_inv_program *p, struct smmu_cmd *cmd)
{
	const struct smmu_inv *e = p->entry;
	bool first = !p->started, ats = e->kind >= SMMU_INV_ATS;
	uint64_t w0 = 0, w1 = 0;

	/* What went away since it was counted is left out; what was counted as nothing never comes back. */
	if (first &&
	    (!SMMU_BARRIER(entry_joined, smmu_load_acquire(&e->users)) || (ats && cut_off(p, e))))
		return false;
	p->started = true;
	if (ats) {
		p->several |= p->asked && p->asked->owner != e->owner;
		p->asked = e;
		if (p->whole || e->kind == SMMU_INV_ATS_FULL)
			return whole_next(e, first, SMMU_CMD_ATC_INV_SIZE_ALL, cmd);
		if (first)
			p->atc_run = p->atc;
		if (!smmu_atc_plan_next(&p->atc_run, &w1))
			return false;
	} else {
		if (p->whole || p->tlbi.whole || e->kind == SMMU_INV_S2_VMID_S1_CLEAR)
			return whole_next(e, first, 0, cmd);
		if (first)
			p->tlbi_run = p->tlbi;
		if (!smmu_tlbi_plan_next(&p->tlbi_run, &w0, &w1))
			return false;
	}
	cmd->w[0] = e->by_range | w0;
	cmd->w[1] = w1;
	return true;
}

size_t smmu_inv_program_next(struct smmu_inv_program *p, struct smmu_cmd *dst, size_t room)
{
	size_t n = 0;

	while (n < room && p->left) {
		if (p->entry < p->segment[p->at].end) {
			if (entry_next(p, &dst[n])) {
				n++;
				p->left--;
			} else {
				p->entry++;
				p->started = false;
			}
			continue;
		}
		/*
		 * Between segments, and after the last one in place of commands whose operation went away after they
		 * had been counted: a CMD_SYNC, which is never wrong.
		 */
		dst[n++] = smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE);
		p->left--;
		if (p->at + 1 < p->segments)
			p->entry = p->segment[++p->at].first;
	}
	return n;
}

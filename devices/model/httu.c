/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware update of translation tables (3.13): the Access flag and the dirty state, in memory, by an atomic
 * read-modify-write of a descriptor that a walk has just read. One that has changed since is read anew by a new walk
 * (VMSAv8-64, RSGJBL).
 *
 * Others may see that a page became dirty late: with a CMD_SYNC that was sent after the write was complete, or when a TLBI
 * completes (3.13.4). So the mark may wait here, unless it was made for an ATS request, whose answer nobody gets before it
 * is seen (3.13.7.1); or for a block, whose entry lets writes pass to all of its pages: whoever puts a table in its place has
 * to find it marked, or the marks of those pages would be lost, CMD_SYNC or not.
 */
#include "internal.h"

/** Does a translation for @p x set Access flags? Of one that nobody asked for it may (VMSAv8-64). */
bool model_htt_accesses(struct instance *in, const struct xlate *x)
{
	return x->ask == ASK_DMA || x->ask == ASK_ATS ||
	       (x->ask == ASK_PREFETCH && (model_rnd(in) & 1));
}

/** Does it make pages dirty? Only what writes, or asks to. */
bool model_htt_writes(const struct xlate *x)
{
	return (x->ask == ASK_DMA && x->in.write) || (x->ask == ASK_ATS && (x->in.write || x->nw0));
}

static bool exchange(const struct smmu_ram *view, uint64_t at, uint64_t *seen, uint64_t value)
{
	uint64_t *p = smmu_ram_at(view, at, 8);

	return p && __atomic_compare_exchange_n(p, seen, value, false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST);
}

static uint64_t updated(const struct htt_update *u, uint64_t desc)
{
	return (desc | u->set) & ~u->clear;
}

/** Let everybody see a mark, if the descriptor is the one that it was made for, whatever its flags are now. */
static void show(struct instance *in, struct late_mark *m)
{
	uint64_t seen = m->u.seen;

	model_touch(in, m->u.at);
	while (updated(&m->u, seen) != seen) {
		if ((seen ^ m->u.seen) & ~(m->u.set | m->u.clear | LEAF_NT) ||
		    !(seen & BIT(HTT_DBM)))
			return;
		if (exchange(&m->view, m->u.at, &seen, updated(&m->u, seen)))
			return;
	}
}

void model_htt_show(struct instance *in)
{
	for (unsigned i = 0; i < in->nmarks; i++)
		show(in, &in->mark[i]);
	in->nmarks = 0;
}

/** Change the descriptor as @p u says, for @p x. False: it is not what it was, or memory cannot do that (@p *abort). */
bool model_htt_update(struct instance *in, const struct xlate *x, enum smmu_model_use use,
		      const struct htt_update *u, bool *abort)
{
	const struct smmu_ram *view = model_view(in, x, use);
	bool dirty = u->set & BIT(HTT_DIRTY) || u->clear;
	uint64_t seen = u->seen;

	/* What does not snoop cannot be atomic with what does (5.4, IR0). */
	*abort = view != &in->model->ram || !smmu_ram_at(view, u->at, 8);
	if (*abort)
		return false;
	if (dirty && x->ask == ASK_DMA && u->level == 3 &&
	    model_chance(in, in->cfg.mark_late_permille)) {
		if (in->nmarks == LATE_MARKS)
			model_htt_show(in);
		in->mark[in->nmarks++] = (struct late_mark){*view, *u};
	} else {
		model_touch(in, u->at);
		if (!exchange(view, u->at, &seen, updated(u, seen)))
			return false;
	}
	in->count.accessed += (u->set & ~u->seen & BIT(HTT_AF)) != 0;
	in->count.dirtied += dirty;
	return true;
}

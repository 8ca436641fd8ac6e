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
 *
 * Within a segment order does not matter, so it is written command by command, each for all operations: word 1 stays, word 0
 * is the operation's word, from words packed side by side. That holds as long as all operations of the instance are to be
 * asked, and in the same way; and where each takes one command and there is room for all of them, which is nearly always so,
 * they are written at once.
 *
 * Else the program is a careful one: it goes operation by operation, and looks at each before it counts it and once more
 * before it writes it. What goes away in between is not written, and makes room for CMD_SYNC at the end. So that not too many
 * are passed over at a time, with interrupts masked, the last of SKIP_MAX in a row is written as a CMD_SYNC, which is never
 * wrong, and counted as one: of two rows that become one, with the operation between them that has gone, at most one
 * CMD_SYNC more comes than of the two, so that what was counted stays enough.
 */
#include "sweep.h"

#define SKIP_MAX 4u

/* Values of smmu_inv_program.more. */
enum { MORE_NONE, MORE_TLBI, MORE_ATC };

/* ---- The commands of an operation ---- */

/** One command, with @p w1. */
static void one_step(struct smmu_inv_program *p, uint64_t w1)
{
	p->step = (struct smmu_inv_step){.w1 = w1, .count = 1};
	p->more = MORE_NONE;
}

/** Begin with the commands of @p e, or of all that are like it. */
static void begin(struct smmu_inv_program *p, const struct smmu_inv *e)
{
	const struct smmu_inv_plan *plan = p->plan;

	p->word = e->whole;
	if (e->kind >= SMMU_INV_ATS) {
		if (plan->all || e->kind == SMMU_INV_ATS_FULL) {
			one_step(p, SMMU_CMD_ATC_INV_SIZE_ALL);
			return;
		}
		if (plan->single) {
			one_step(p, plan->atc_step.w1);
			return;
		}
		p->step = plan->atc_step;
		p->more = MORE_NONE;
		if (!plan->atc.done) {
			p->more = MORE_ATC;
			p->atc = plan->atc;
		}
	} else if (plan->all || e->kind == SMMU_INV_S2_VMID_S1_CLEAR ||
		   (!plan->single && plan->tlbi.whole)) {
		one_step(p, 0);
	} else if (plan->single) {
		p->word = e->by_range;
		one_step(p, plan->tlbi_step.w1);
		p->step.w0 = plan->tlbi_step.w0;
	} else {
		p->word = e->by_range;
		p->step = plan->tlbi_step;
		p->more = MORE_NONE;
		if (plan->tlbi.left) {
			p->more = MORE_TLBI;
			p->tlbi = plan->tlbi;
		}
	}
}

/** True if there is a command to be written. */
static inline bool has_step(struct smmu_inv_program *p)
{
	if (p->step.count)
		return true;
	if (p->more == MORE_TLBI && smmu_inv_tlbi_step(&p->tlbi, &p->step))
		return true;
	return p->more == MORE_ATC && smmu_inv_atc_step(&p->atc, &p->step);
}

/* ---- At once: all operations alike, one command each ---- */

static inline struct smmu_cmd *write_sync(struct smmu_cmd *at)
{
	*at = smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE);
	return at + 1;
}

/** A command for each word from @p word to before @p end, of which there is one at least. */
static inline struct smmu_cmd *write_words(struct smmu_cmd *at, const uint64_t *word,
					   const uint64_t *end, uint64_t w0, uint64_t w1)
{
	do
		*at++ = (struct smmu_cmd){{*word++ | w0, w1}};
	while (word != end);
	return at;
}

/** Behind the one TLBI. */
static inline void write_atcs(const struct smmu_inv_program *p, struct smmu_cmd *at)
{
	const struct smmu_inv_group *g = p->group;

	write_words(write_sync(at), g->word + 1, g->word + (g->end - g->first), 0,
		    p->plan->atc_step.w1);
}

static __attribute__((__noinline__)) size_t write_at_once(const struct smmu_inv_program *p,
							  struct smmu_cmd *dst)
{
	const struct smmu_inv_group *g = p->group;
	const struct smmu_inv_plan *plan = p->plan;
	const uint64_t *word = g->word, *const all = word - g->first;

	if (g->clear > g->first)
		dst = write_words(dst, word, all + g->clear, plan->tlbi_step.w0,
				  plan->tlbi_step.w1);
	if (g->ats > g->clear) {
		if (g->clear > g->first)
			dst = write_sync(dst);
		dst = write_words(dst, all + g->clear, all + g->ats, 0, 0);
	}
	if (g->end > g->ats) {
		if (g->ats > g->first)
			dst = write_sync(dst);
		write_words(dst, all + g->ats, all + g->end, 0,
			    g->full ? SMMU_CMD_ATC_INV_SIZE_ALL : plan->atc_step.w1);
	}
	return g->commands;
}

/* ---- All operations alike ---- */

static inline struct smmu_cmd *write_all(struct smmu_inv_program *p,
					 const struct smmu_inv_segment *s, struct smmu_cmd *at,
					 struct smmu_cmd *end)
{
	while (has_step(p) && at < end) {
		const uint64_t *word = p->array->word, w0 = p->step.w0;
		uint64_t w1 = p->step.w1;
		uint32_t place, stop;

		if (s->end - s->first == 1) {
			/* Command by command of the only one. */
			uint64_t w = word[s->first] | w0, add = p->step.add;
			uint32_t n = (uint32_t)smmu_min64((uint64_t)(end - at), p->step.count);

			p->step.count -= n;
			for (; n; n--, w1 += add)
				*at++ = (struct smmu_cmd){{w, w1}};
			p->step.w1 = w1;
			continue;
		}
		place = p->place;
		stop = (uint32_t)smmu_min64(s->end, place + (uint64_t)(end - at));
		while (place < stop)
			*at++ = (struct smmu_cmd){{word[place++] | w0, w1}};
		p->place = place;
		if (place == s->end) {
			p->place = s->first;
			p->step.count--;
			p->step.w1 += p->step.add;
		}
	}
	return at;
}

/* ---- One by one ---- */

/*
 * A program counts first what it writes then, so no operation may come back in between. A device that is let back therefore
 * names an era: a program that read an earlier one leaves it out both times, one that read that era finds it let back both
 * times, as `cut` was stored first. When `cut` becomes 0 no program of an earlier era is left (smmu_inv_cut_lift).
 */
void smmu_inv_cut_lift(struct smmu_inv_target *t, struct smmu_inv_owner *owner)
{
	uint32_t era = smmu_load(&t->era) + 1;

	smmu_store(&owner->cut, era << SMMU_CUT_ERA_SHIFT | SMMU_CUT_LIFTED);
	SMMU_BARRIER(cut_lifted, smmu_store_release(&t->era, era));
}

static uint32_t era_of(const struct smmu_inv_group *g)
{
	return SMMU_BARRIER(cut_era_seen, smmu_load_acquire(&g->target->era));
}

/** Has a device whose `cut` is @p cut come back for programs of @p era? The era is cut as the one that it names is. */
static bool is_back(uint32_t cut, uint32_t era)
{
	return (cut & ((1u << SMMU_CUT_ERA_SHIFT) - 1)) == SMMU_CUT_LIFTED &&
	       (int32_t)((era << SMMU_CUT_ERA_SHIFT | SMMU_CUT_LIFTED) - cut) >= 0;
}

/** The device behind ATS operation @p e is not asked any more; if it is only being cut off, the sweep sees to that. */
static bool cut_off(struct smmu_inv_program *p, const struct smmu_inv *e)
{
	uint32_t cut = SMMU_BARRIER(cut_seen, smmu_load_acquire(&e->owner->cut));

	p->cutting |= cut == SMMU_CUT_BEGUN;
	return cut != SMMU_CUT_NO && !is_back(cut, p->era);
}

/** What is gone, or cut off, does not come back while a program is written. */
static bool is_left_out(struct smmu_inv_program *p, const struct smmu_inv *e)
{
	return !SMMU_BARRIER(entry_joined, smmu_load_acquire(&e->users)) ||
	       (e->kind >= SMMU_INV_ATS && cut_off(p, e));
}

static void note_asked(struct smmu_inv_program *p, const struct smmu_inv *e)
{
	if (p->asked == SMMU_INV_ASKED_NONE)
		p->asked = SMMU_INV_ASKED_ONE;
	else if (p->array->entry[p->last].owner != e->owner)
		p->asked = SMMU_INV_ASKED_SEVERAL;
	p->last = p->place;
}

/** Go to the next operation that is to be asked, but not past more than SKIP_MAX in a row; where a segment ends at @p end. */
static void pass_over(struct smmu_inv_program *p, uint32_t end)
{
	const struct smmu_inv *from = &p->array->entry[p->place], *e = from;
	const struct smmu_inv *stop = from + smmu_min64(end - p->place, SKIP_MAX - p->skipped);

	while (e < stop && is_left_out(p, e))
		e++;
	p->place += (uint32_t)(e - from);
	p->skipped += (uint32_t)(e - from);
}

static __attribute__((__noinline__)) struct smmu_cmd *
write_careful(struct smmu_inv_program *p, const struct smmu_inv_segment *s, struct smmu_cmd *at,
	      struct smmu_cmd *end)
{
	while (at < end && p->place < s->end) {
		const struct smmu_inv *e;

		if (!p->started) {
			pass_over(p, s->end);
			if (p->skipped == SKIP_MAX) {
				p->skipped = 0;
				at = write_sync(at);
				continue;
			}
			if (p->place == s->end)
				break;
			p->started = true;
			p->skipped = 0;
			begin(p, &p->array->entry[p->place]);
		}
		e = &p->array->entry[p->place];
		if (!has_step(p)) {
			p->started = false;
			p->place++;
			continue;
		}
		if (e->kind >= SMMU_INV_ATS)
			note_asked(p, e);
		*at++ = (struct smmu_cmd){{p->word | p->step.w0, p->step.w1}};
		p->step.w1 += p->step.add;
		p->step.count--;
	}
	return at;
}

/** The commands of the operations from @p first to @p end, at most; 0: all of them are gone or cut off. */
static uint32_t count_careful(struct smmu_inv_program *p, uint32_t first, uint32_t end)
{
	const struct smmu_inv_plan *plan = p->plan;
	uint32_t commands = 0, fill = 0, skipped = 0;

	for (uint32_t i = first; i < end; i++) {
		const struct smmu_inv *e = &p->array->entry[i];

		if (is_left_out(p, e)) {
			fill += ++skipped % SKIP_MAX == 0;
			continue;
		}
		skipped = 0;
		if (plan->all || e->kind == SMMU_INV_S2_VMID_S1_CLEAR ||
		    e->kind == SMMU_INV_ATS_FULL)
			commands++;
		else
			commands += e->kind == SMMU_INV_ATS ? smmu_inv_plan_atcs(plan)
							    : smmu_inv_plan_tlbis(plan);
	}
	return commands ? commands + fill : 0;
}

/* ---- The whole ---- */

/** @p each: commands of one operation, where all are alike. */
static void add_segment(struct smmu_inv_program *p, uint32_t first, uint32_t end, uint32_t each)
{
	uint32_t commands;

	if (first == end)
		return;
	commands =
		p->mode == SMMU_INV_CAREFUL ? count_careful(p, first, end) : (end - first) * each;
	if (!commands)
		return;
	p->left += commands + (p->segments != 0);
	p->segment[p->segments++] = (struct smmu_inv_segment){first, end};
}

static void begin_segment(struct smmu_inv_program *p, uint8_t at)
{
	p->at = at;
	p->place = p->segment[at].first;
	p->skipped = 0;
	p->started = false;
	if (p->mode != SMMU_INV_CAREFUL)
		begin(p, &p->array->entry[p->place]);
}

static void add_segments(struct smmu_inv_program *p, unsigned phase)
{
	const struct smmu_inv_group *g = p->group;
	unsigned times = g->target->flags & SMMU_INV_TLBI_TWICE ? 2 : 1;

	p->left = p->segments = 0;
	if (phase & SMMU_PHASE_TLB) {
		for (unsigned i = 0; i < times; i++)
			add_segment(p, g->first, g->clear, smmu_inv_plan_tlbis(p->plan));
		for (unsigned i = 0; i < times; i++)
			add_segment(p, g->clear, g->ats, 1);
	}
	if (phase & SMMU_PHASE_ATC)
		add_segment(p, g->ats, g->end, g->by_range ? smmu_inv_plan_atcs(p->plan) : 1);
	if (p->segments)
		begin_segment(p, 0);
}

void smmu_inv_program_init(struct smmu_inv_program *p, const struct smmu_inv_array *array,
			   const struct smmu_inv_group *g, const struct smmu_inv_plan *plan,
			   unsigned phase)
{
	bool careful = plan->all || (!plan->single && plan->tlbi.whole) ||
		       g->mode == SMMU_INV_CAREFUL || smmu_load_acquire(&g->target->cuts) ||
		       SMMU_BARRIER(entry_joined, smmu_load_acquire(&array->gone));

	p->array = array;
	p->plan = plan;
	p->group = g;
	p->mode = careful ? SMMU_INV_CAREFUL : SMMU_INV_ALL;
	p->era = careful ? era_of(g) : 0;
	p->cutting = false;
	p->last = g->ats;
	p->asked = careful || !(phase & SMMU_PHASE_ATC) ? SMMU_INV_ASKED_NONE : g->asked;
	add_segments(p, phase);
}

void smmu_inv_program_again(struct smmu_inv_program *p, const struct smmu_inv_array *array,
			    const struct smmu_inv_group *g, const struct smmu_inv_plan *plan,
			    uint32_t first, uint32_t end)
{
	p->array = array;
	p->plan = plan;
	p->group = g;
	p->mode = SMMU_INV_CAREFUL;
	p->era = era_of(g);
	p->cutting = false;
	p->asked = SMMU_INV_ASKED_NONE;
	p->left = p->segments = 0;
	add_segment(p, first, end, 0);
	if (p->segments)
		begin_segment(p, 0);
}

static __attribute__((__noinline__)) size_t write_on(struct smmu_inv_program *p,
						     struct smmu_cmd *at, size_t room)
{
	struct smmu_cmd *end;
	size_t n;

	if (p->mode == SMMU_INV_ONE_AND_ATC || p->mode == SMMU_INV_AT_ONCE) {
		p->mode = SMMU_INV_ALL;
		add_segments(p, SMMU_PHASE_ALL);
	}
	n = smmu_min64(p->left, room);
	p->left -= (uint32_t)n;
	end = at + n;
	while (at < end) {
		const struct smmu_inv_segment *s = &p->segment[p->at];

		at = p->mode == SMMU_INV_CAREFUL ? write_careful(p, s, at, end)
						 : write_all(p, s, at, end);
		if (at == end)
			break;
		/* Between segments, and in place of what was counted and has gone. */
		at = write_sync(at);
		if (p->at + 1 < p->segments)
			begin_segment(p, p->at + 1);
	}
	return n;
}

size_t smmu_inv_program_next(struct smmu_inv_program *p, struct smmu_cmd *dst, size_t room)
{
	size_t n = p->left;

	if (n > room || p->mode > SMMU_INV_AT_ONCE)
		return write_on(p, dst, room);
	if (!n)
		return 0;
	p->left = 0;
	if (p->mode == SMMU_INV_AT_ONCE)
		return write_at_once(p, dst);
	*dst = p->one;
	if (p->mode == SMMU_INV_ONE_AND_ATC)
		write_atcs(p, dst + 1);
	return n;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sweep: follow the array, one program for each instance, all of them in flight before the first wait.
 *
 * Why nothing stale is left
 * -------------------------
 * An unmap U clears a descriptor P and then sweeps the array A that it finds published. An attach T publishes the array
 * A' with the new device's operations and then lets the SMMU walk for that device.
 *
 *   U1  store P := invalid               T1  publish A' (release store)
 *   U2  smmu_mb() in smmu_inv_submit     T2  smmu_mb() in the attach
 *   U3  load the array                   T3  store the STE or CD; CFGI; the SMMU then loads P in a walk
 *
 * Fact 1. U2 and T2 are full barriers, so it cannot be that U3 misses A' and the walk of T3 misses the store U1: in the
 *         one order of the barriers either U2 comes first, and then every load after T2, the walker's too, sees P
 *         invalid; or T2 comes first, and then U3 sees A'. (proofs/unmap-attach.litmus)
 * Fact 2. If the walk saw P invalid, there is no entry to clear: faults are not cached (IHI 0070 G.b, 3.21.1). If U3 saw A',
 *         the program below clears the entry.
 * Fact 3. A program's TLBI commands are complete at its CMD_SYNC, and complete means that no later access uses what they
 *         clear (IHI 0070 G.b, 3.21.1 and 4.7.3). No command behind a CMD_SYNC begins before it completes (4.7.3). So the
 *         ATC_INV of a program find the TLB clean already, and an ATC that misses afterwards refills itself from a walk
 *         that sees P.
 * Fact 4. A detach lowers `users` only after the STE or CD no longer leads to the table and its CFGI is complete. A sweep
 *         that therefore skips the operation skips a tag that no access can use; the detach itself cleans the tag before
 *         the id is handed out again. If the CFGI was not confirmed, `users` stays, and every sweep goes on asking.
 * Fact 5. The fence is a read section from before U3 until no command of it is outstanding. Whoever waits for the readers
 *         after lowering `users` therefore knows that no command that names the device, and no command for that instance,
 *         is outstanding or will come. Only then does the memory of a device or an instance go away.
 * Fact 6. An ATC is filled from the TLB as well as from walks, and where the tag was in use before the attach, the TLB may
 *         hold P from then. If U3 missed A', U clears it there, but tells the new device's ATC nothing. So an attach that
 *         adds ATS to a tag in use waits for the readers between T2 and T3: by fact 5 every sweep that missed A' is done
 *         with its TLBI, and the device finds nothing stale to copy. Without ATS the tag's TLBI is enough.
 * Fact 7. A sweep that fails leaves a debt: it raises `failed` before it ends. A later sweep reads `failed` before it
 *         submits anything; if it differs from `settled`, the sweep is one of everything. Its commands take effect after
 *         that read, and the descriptors of the sweeps counted there were cleared before it, so by facts 1 to 3 nothing of
 *         theirs is left once it is confirmed. It then raises `settled` to the count it read, never beyond: a sweep that
 *         fails meanwhile is in debt still.
 * Fact 8. ATC_INV may reach a function whose ATS is off, as the array names it before ATS goes on and after it went off. It
 *         is answered UR and completes (IHI 0070 G.b, 3.9.1.5) though nothing was invalidated, and nothing had to be: the
 *         ATC is empty then and no answer that could fill it is on its way (smmu_device_ops.set_ats), and by fact 3
 *         whatever fills it after comes from a clean TLB. (No order avoids this without a
 *         sweep that waits for an attach: between "sweeps ask" and "ATS on" one has to come first, and were it ATS, the
 *         ATC could keep what a sweep of before had not told it.)
 *
 * What can go wrong, and what is done: a program hit by a command error is issued again as a whole; an instance
 * that does not answer makes the fence end with an error, after the others are done; and a device whose ATC does not
 * answer is found and cut off. After a time-out no ATC_INV of the program counts as done (4.7.3). If they were all one
 * device's, it is the one. Else they are asked again by halves, by quarters and so on, each part until it answers or only
 * one device is left in it: k silent devices of n take about k * log2(n) time-outs, and whoever answers is done with.
 */
#include <smmuv3/trace.h>

#include "sweep.h"

#define TRIES_MAX 8
#define TRIES_BY_RANGE 3 /* then whole ids: a program of few commands is hit less often */

static const struct smmu_inv_group *group_of(const struct smmu_fence *f,
					     const struct smmu_inv_flight *fl)
{
	return &f->wave[fl - f->flight];
}

/** Its instance: there as long as the fence is open, since an operation of it was live when the flight began. */
static struct smmu_inv_target *target_of(const struct smmu_fence *f,
					 const struct smmu_inv_flight *fl)
{
	return group_of(f, fl)->target;
}

/** What a flight's next program is for: everything after some tries. */
static const struct smmu_gather *range_of(const struct smmu_fence *f,
					  const struct smmu_inv_flight *fl)
{
	return f->whole || fl->tries >= TRIES_BY_RANGE ? NULL : &f->range;
}

/** Cut @p owner off, or see to it that whoever began to do so has done it. */
static void cut_off(struct smmu_fence *f, struct smmu_inv_flight *fl, struct smmu_inv_owner *owner)
{
	struct smmu_inv_target *t = target_of(f, fl);

	if (t->ops->quarantine(t, owner))
		f->error = -SMMU_EIO;
}

/** No sweep may end well while a device that it leaves out is not confirmed to be off. */
static void finish_cuts(struct smmu_fence *f, struct smmu_inv_flight *fl)
{
	const struct smmu_inv_group *g = group_of(f, fl);

	for (uint32_t i = g->ats; i < g->end; i++) {
		const struct smmu_inv *e = &f->array->entry[i];

		if (SMMU_BARRIER(entry_joined, smmu_load_acquire(&e->users)) &&
		    SMMU_BARRIER(cut_seen, smmu_load_acquire(&e->owner->cut)) == SMMU_CUT_BEGUN)
			cut_off(f, fl, e->owner);
	}
}

/** Put @p p into the queue of @p g. No program is under way after it if there was nothing to do. */
static void fly(struct smmu_fence *f, struct smmu_inv_flight *fl, const struct smmu_inv_group *g,
		struct smmu_inv_program *p, uint8_t phase)
{
	struct smmu_inv_target *t = g->target;

	fl->phase = 0;
	if (smmu_inv_program_count(p)) {
		if (t->ops->submit(t, p, &fl->token))
			f->error = -SMMU_EIO;
		else
			fl->phase = phase;
	}
	fl->asked = p->asked;
	if (p->asked == SMMU_INV_ASKED_ONE)
		fl->place = p->last - g->ats;
	if (p->cutting)
		finish_cuts(f, fl);
}

/** Once more, or the next phase. */
static void fly_again(struct smmu_fence *f, struct smmu_inv_flight *fl, uint8_t phase)
{
	const struct smmu_inv_group *g = group_of(f, fl);
	struct smmu_inv_plan plan SMMU_UNINIT;
	struct smmu_inv_program p SMMU_UNINIT;

	smmu_inv_plan_make(&plan, g, range_of(f, fl));
	smmu_inv_program_init(&p, f->array, g, &plan, phase);
	fly(f, fl, g, &p, phase);
}

/* ---- Time-outs. Places are counted from the first ATS operation ---- */

/** How many are asked again: a power of two, which may reach beyond the last. */
static uint32_t suspects(const struct smmu_inv_flight *fl)
{
	return (1u << fl->suspects) >> 1;
}

/** The first of them. */
static uint32_t suspect(const struct smmu_inv_flight *fl)
{
	return fl->place & -suspects(fl);
}

/** Ask them. */
static void ask(struct smmu_fence *f, struct smmu_inv_flight *fl)
{
	const struct smmu_inv_group *g = group_of(f, fl);
	uint32_t first = g->ats + suspect(fl);
	uint64_t end = smmu_min64((uint64_t)first + suspects(fl), g->end);
	struct smmu_inv_plan plan SMMU_UNINIT;
	struct smmu_inv_program p SMMU_UNINIT;

	smmu_inv_plan_make(&plan, g, range_of(f, fl));
	smmu_inv_program_again(&p, f->array, g, &plan, first, (uint32_t)end);
	fly(f, fl, g, &p, SMMU_PHASE_ATC);
}

/**
 * What was asked last is settled: ask on behind it, in the largest aligned parts that the parts before allow, counted
 * from the first ATS operation: a walk, in order, of the tree whose nodes are the halves, the quarters and so on. None
 * left: the flight is over.
 */
static void ask_on(struct smmu_fence *f, struct smmu_inv_flight *fl)
{
	const struct smmu_inv_group *g = group_of(f, fl);
	uint32_t at = suspect(fl) + suspects(fl), count = g->end - g->ats;

	fl->phase = 0;
	while (at < count && !fl->phase) {
		fl->place = at;
		fl->suspects = (uint8_t)(1 + __builtin_ctz(at));
		fl->tries = 0;
		ask(f, fl);
		at += suspects(fl);
	}
}

/**
 * The ATC_INV of a program were not all answered. Whom they were for was noted when they were written: since then a device
 * may have been cut off for another sweep's sake, and who is left must not be blamed for it.
 */
static void timed_out(struct smmu_fence *f, struct smmu_inv_flight *fl)
{
	const struct smmu_inv_group *g = group_of(f, fl);

	if (!fl->suspects) {
		fl->suspects = (uint8_t)(1 + smmu_order_up(g->end - g->ats));
		if (fl->asked == SMMU_INV_ASKED_SEVERAL)
			fl->place = 0;
	}
	if (fl->asked == SMMU_INV_ASKED_SEVERAL) {
		/* Their first half. */
		fl->place = suspect(fl);
		fl->suspects--;
		fl->tries = 0;
		ask(f, fl);
		if (fl->phase)
			return;
	} else {
		cut_off(f, fl, f->array->entry[g->ats + fl->place].owner);
	}
	ask_on(f, fl);
}

/* ---- A flight ---- */

/** A program ended with @p status: go on with the flight's next one, if there is any. */
static __attribute__((__noinline__)) void
flight_goes_on(struct smmu_fence *f, struct smmu_inv_flight *fl, enum smmu_cmdq_status status)
{
	switch (status) {
	case SMMU_CMDQ_PENDING:
		return;
	case SMMU_CMDQ_DONE:
		if (fl->suspects)
			ask_on(f, fl);
		else if (fl->phase == SMMU_PHASE_TLB)
			fly_again(f, fl, SMMU_PHASE_ATC);
		else
			fl->phase = 0;
		return;
	case SMMU_CMDQ_ATC_TIMEOUT:
		if (fl->asked != SMMU_INV_ASKED_NONE) {
			timed_out(f, fl);
			return;
		}
		/* Somebody else's: what this program asked for may not be complete (IHI 0070 G.b, 4.7.3). */
		__attribute__((__fallthrough__));
	case SMMU_CMDQ_LOST:
		if (++fl->tries < TRIES_MAX) {
			if (fl->suspects)
				ask(f, fl);
			else
				fly_again(f, fl, fl->phase);
			return;
		}
		break;
	case SMMU_CMDQ_DEAD:
		break;
	}
	fl->phase = 0;
	f->error = -SMMU_EIO;
}

static inline void flight_step(struct smmu_fence *f, struct smmu_inv_flight *fl,
			       enum smmu_cmdq_status status)
{
	if (status == SMMU_CMDQ_DONE && !fl->suspects && fl->phase == SMMU_PHASE_ALL)
		fl->phase = 0;
	else
		flight_goes_on(f, fl, status);
}

/** True if an operation of @p g is live. Else the instance may be gone, and its target is not followed; with one it stays: fact 5. */
static bool is_live(const struct smmu_inv_array *array, const struct smmu_inv_group *g)
{
	for (uint32_t i = g->first; i < g->end; i++)
		if (SMMU_BARRIER(entry_joined, smmu_load_acquire(&array->entry[i].users)))
			return true;
	return false;
}

/** Begin a flight that is not as simple as most. */
static __attribute__((__noinline__)) void take_off(struct smmu_fence *f, struct smmu_inv_flight *fl)
{
	const struct smmu_inv_group *g = group_of(f, fl);

	*fl = (struct smmu_inv_flight){.phase = 0};
	if (!is_live(f->array, g))
		return;
	if (!(g->target->flags & SMMU_INV_SPLIT_ATC) || g->ats == g->end)
		fly_again(f, fl, SMMU_PHASE_ALL);
	else
		fly_again(f, fl, g->ats == g->first ? SMMU_PHASE_ATC : SMMU_PHASE_TLB);
}

/** Begin the flights of the wave one by one. */
static __attribute__((__noinline__)) void launch_each(struct smmu_fence *f)
{
	for (uint32_t i = 0; i < f->flights; i++)
		take_off(f, &f->flight[i]);
}

/** Submit @p p, the whole program of a flight whose instance has nothing out of the ordinary. */
static inline void fly_simply(struct smmu_fence *f, struct smmu_inv_flight *fl,
			      struct smmu_inv_target *t, struct smmu_inv_program *p,
			      enum smmu_inv_asked asked)
{
	fl->phase = SMMU_PHASE_ALL;
	fl->asked = (uint8_t)asked;
	fl->suspects = fl->tries = 0;
	fl->place = 0;
	if (t->ops->submit(t, p, &fl->token)) {
		f->error = -SMMU_EIO;
		fl->phase = 0;
	}
}

/**
 * Put the next instances in flight, as many as the fence has room for. Most are simple: all operations alike, and one command
 * each; and most of those have one operation, whose command is made here.
 */
static inline __attribute__((__always_inline__)) void
launch(struct smmu_fence *f, const struct smmu_inv_group *g, uint32_t left)
{
	uint32_t n = left < SMMU_FENCE_FLIGHTS ? left : SMMU_FENCE_FLIGHTS;
	const struct smmu_inv_group *end = g + n;
	struct smmu_inv_flight *fl = f->flight;
	struct smmu_inv_plan plan SMMU_UNINIT;
	struct smmu_inv_program p SMMU_UNINIT;

	f->wave = g;
	f->flights = n;
	f->left = left - n;
	/* Once an operation is gone, its target may be. */
	if (f->whole || SMMU_BARRIER(entry_joined, smmu_load_acquire(&f->array->gone))) {
		launch_each(f);
		return;
	}
	smmu_inv_plan_tlbi(&plan, g->target, &f->range);
	for (;; fl++) {
		struct smmu_inv_target *t = g->target;

		if (g->by_range && !plan.atc_made)
			smmu_inv_plan_atc(&plan, &f->range);
		p.one = (struct smmu_cmd){{*g->word | plan.tlbi_step.w0, plan.tlbi_step.w1}};
		if (plan.single && g->mode == SMMU_INV_ONE) {
			p.mode = SMMU_INV_ONE;
			p.left = 1;
			fly_simply(f, fl, t, &p, SMMU_INV_ASKED_NONE);
		} else if (plan.single && g->mode <= SMMU_INV_AT_ONCE &&
			   !smmu_load_acquire(&t->cuts)) {
			p.mode = g->mode;
			p.left = g->commands;
			p.array = f->array;
			p.plan = &plan;
			p.group = g;
			fly_simply(f, fl, t, &p, g->asked);
		} else {
			take_off(f, fl);
		}
		if (++g == end)
			return;
		if (!smmu_inv_plan_fits(&plan, g->target))
			smmu_inv_plan_tlbi(&plan, g->target, &f->range);
	}
}

static __attribute__((__noinline__)) void launch_next(struct smmu_fence *f)
{
	launch(f, f->wave + f->flights, f->left);
}

/** Begin a fence over the array at @p slot. False: there is nobody to ask. */
static inline __attribute__((__always_inline__)) bool
begin_fence(struct smmu_fence *f, struct smmu_rcu *rcu, struct smmu_inv_array *const *slot,
	    struct smmu_inv_debt *debt, const struct smmu_gather *range)
{
	struct smmu_inv_array *array;

	f->rcu = rcu;
	f->debt = debt;
	f->error = 0;
	f->failed = SMMU_BARRIER(debt_seen, smmu_load_acquire(&debt->failed));
	f->whole = !range || f->failed != smmu_load(&debt->settled);
	if (!f->whole)
		f->range = *range;
	/* U2: pairs with the barrier between publishing an array and the STE or CD store in the attach (T2). */
	SMMU_BARRIER(array_after_descriptor, smmu_mb());
	f->cookie = smmu_rcu_enter(rcu);
	f->array = array = SMMU_BARRIER(array_followed, smmu_rcu_dereference(slot));
	f->flights = f->left = 0;
	SMMU_TRACE_SWEEP_BEGIN(f);
	if (!array || !array->groups) {
		f->wave = NULL;
		return false;
	}
	return true;
}

void smmu_inv_submit(struct smmu_fence *f, struct smmu_rcu *rcu, struct smmu_inv_array *const *slot,
		     struct smmu_inv_debt *debt, const struct smmu_gather *range)
{
	if (begin_fence(f, rcu, slot, debt, range))
		launch(f, f->array->group, f->array->groups);
}

void smmu_inv_settle(struct smmu_fence *f, struct smmu_rcu *rcu, struct smmu_inv_array *const *slot,
		     struct smmu_inv_debt *debt)
{
	const struct smmu_gather page = {
		.start = 0, .last = 4095, .granule_shift = 12, .leaf_shift = 12, .level = 3};
	const struct smmu_inv_group *g;

	if (!begin_fence(f, rcu, slot, debt, &page))
		return;
	g = f->array->group;
	if (f->whole || f->array->groups > SMMU_FENCE_FLIGHTS) {
		launch(f, g, f->array->groups);
		return;
	}
	f->wave = g;
	for (; f->flights < f->array->groups; f->flights++, g++) {
		const struct smmu_cmd sync = smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE);
		struct smmu_inv_program p = {.mode = SMMU_INV_ONE, .left = 1, .one = sync};
		struct smmu_inv_flight *fl = &f->flight[f->flights];

		fl->phase = 0;
		if (is_live(f->array, g))
			fly_simply(f, fl, g->target, &p, SMMU_INV_ASKED_NONE);
	}
}

/** What the sweep could not confirm, or what it made good: fact 7. */
static __attribute__((__noinline__)) void account(struct smmu_fence *f)
{
	uint32_t settled;

	if (f->error) {
		smmu_fetch_add(&f->debt->failed, 1);
		return;
	}
	settled = smmu_load(&f->debt->settled);
	while ((int32_t)(f->failed - settled) > 0 &&
	       !smmu_compare_exchange(&f->debt->settled, &settled, f->failed))
		;
}

/** No program is outstanding: end the read section. */
static inline int finish(struct smmu_fence *f)
{
	struct smmu_rcu *rcu = f->rcu;

	if (rcu) {
		if (f->whole || f->error)
			account(f);
		SMMU_TRACE_SWEEP_END(f);
		f->rcu = NULL;
		smmu_rcu_exit(rcu, f->cookie);
	}
	return f->error;
}

int smmu_fence_poll(struct smmu_fence *f)
{
	bool pending = false;

	for (uint32_t i = 0; i < f->flights; i++) {
		struct smmu_inv_flight *fl = &f->flight[i];

		if (fl->phase) {
			struct smmu_inv_target *t = target_of(f, fl);

			flight_step(f, fl, t->ops->poll(t, &fl->token));
		}
		pending |= fl->phase != 0;
	}
	if (!pending && f->left) {
		launch_next(f);
		pending = true;
	}
	return pending ? -SMMU_EAGAIN : finish(f);
}

/** Wait for all that are in flight. */
static inline void land(struct smmu_fence *f)
{
	struct smmu_inv_flight *fl = f->flight, *end = fl + f->flights;

	for (const struct smmu_inv_group *g = f->wave; fl < end; fl++, g++)
		while (fl->phase)
			flight_step(f, fl, g->target->ops->wait(g->target, &fl->token));
}

static __attribute__((__noinline__)) void land_next(struct smmu_fence *f)
{
	land(f);
}

int smmu_fence_wait(struct smmu_fence *f)
{
	land(f);
	while (f->left) {
		launch_next(f);
		land_next(f);
	}
	return finish(f);
}

int smmu_inv_sync(struct smmu_rcu *rcu, struct smmu_inv_array *const *slot,
		  struct smmu_inv_debt *debt, const struct smmu_gather *range)
{
	struct smmu_fence f SMMU_UNINIT;

	smmu_inv_submit(&f, rcu, slot, debt, range);
	return smmu_fence_wait(&f);
}

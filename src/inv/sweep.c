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
 * What can go wrong, and what is done about it: a program hit by a command error is issued again as a whole; an instance
 * that does not answer makes the fence end with an error, after the others are done; and a device whose ATC does not
 * answer is found and cut off. After a time-out no ATC_INV of the program counts as done (4.7.3). If they were all one
 * device's, it is the one. Else they are asked again by halves, by quarters and so on, each part until it answers or only
 * one device is left in it: k silent devices of n take about k * log2(n) time-outs, and whoever answers is done with.
 */
#include "sweep.h"

#define TRIES_MAX 8
#define TRIES_BY_RANGE 3 /* then whole ids: a program of few commands is hit less often */

/* Values of flight.asked that name no operation. */
#define ASKED_NONE UINT32_MAX
#define ASKED_SEVERAL (UINT32_MAX - 1)

static const struct smmu_gather *range_of(const struct smmu_fence *f)
{
	return f->whole ? NULL : &f->range;
}

/** Its instance: there as long as the fence is open, since an operation of it was live when the flight began. */
static struct smmu_inv_target *target_of(const struct smmu_inv_flight *fl)
{
	return fl->first->target;
}

static const struct smmu_inv *end_of(const struct smmu_inv_flight *fl)
{
	return fl->first + fl->count;
}

/** Cut @p owner off, or see to it that whoever began to do so has done it. */
static void cut_off(struct smmu_fence *f, struct smmu_inv_flight *fl, struct smmu_inv_owner *owner)
{
	struct smmu_inv_target *t = target_of(fl);

	if (t->ops->quarantine(t, owner))
		f->error = -SMMU_EIO;
}

/** No sweep may end well while a device that it leaves out is not confirmed to be off. */
static void finish_cuts(struct smmu_fence *f, struct smmu_inv_flight *fl)
{
	for (const struct smmu_inv *e = fl->first; e < end_of(fl); e++)
		if (e->kind >= SMMU_INV_ATS &&
		    SMMU_BARRIER(entry_joined, smmu_load_acquire(&e->users)) &&
		    SMMU_BARRIER(cut_seen, smmu_load_acquire(&e->owner->cut)) == SMMU_CUT_BEGUN)
			cut_off(f, fl, e->owner);
}

/** Put the flight's next program into the queue. The flight is left not pending if there was nothing to do. */
static void flight_start(struct smmu_fence *f, struct smmu_inv_flight *fl)
{
	const struct smmu_gather *range = fl->tries < TRIES_BY_RANGE ? range_of(f) : NULL;
	const struct smmu_inv *first = fl->first;
	struct smmu_inv_program p;

	if (fl->suspects)
		smmu_inv_program_init(
			&p, first + fl->suspect,
			first + smmu_min64((uint64_t)fl->suspect + fl->suspects, fl->count), range,
			SMMU_PHASE_ATC);
	else
		smmu_inv_program_init(&p, first, end_of(fl), range, fl->phase);
	fl->pending = false;
	if (smmu_inv_program_count(&p)) {
		if (target_of(fl)->ops->submit(target_of(fl), &p, &fl->token))
			f->error = -SMMU_EIO;
		else
			fl->pending = true;
	}
	fl->asked = p.several ? ASKED_SEVERAL : p.asked ? (uint32_t)(p.asked - first) : ASKED_NONE;
	if (p.cutting)
		finish_cuts(f, fl);
}

/** The place of the first ATS operation; fl->count: there is none. */
static uint32_t first_ats(const struct smmu_inv_flight *fl)
{
	uint32_t i = 0;

	while (i < fl->count && fl->first[i].kind < SMMU_INV_ATS)
		i++;
	return i;
}

/** The power of two that is not below @p n. */
static uint32_t round_up(uint32_t n)
{
	return n > 1 ? 1u << (32 - __builtin_clz(n - 1)) : 1;
}

/**
 * What was asked last is settled: ask on behind it, in the largest aligned parts that the parts before allow, counted
 * from the first ATS operation: a walk, in order, of the tree whose nodes are the halves, the quarters and so on. None
 * left: the flight is over.
 */
static void ask_on(struct smmu_fence *f, struct smmu_inv_flight *fl)
{
	uint32_t ats = first_ats(fl), at = fl->suspect - ats + fl->suspects;

	fl->pending = false;
	while (at < fl->count - ats && !fl->pending) {
		fl->suspect = ats + at;
		fl->suspects = at & -at;
		fl->tries = 0;
		flight_start(f, fl);
		at += fl->suspects;
	}
}

/**
 * The ATC_INV of a program were not all answered. Whom they were for was noted when they were written: since then a device
 * may have been cut off for another sweep's sake, and who is left must not be blamed for it.
 */
static void timed_out(struct smmu_fence *f, struct smmu_inv_flight *fl)
{
	if (!fl->suspects) {
		fl->suspect = first_ats(fl);
		fl->suspects = round_up(fl->count - fl->suspect);
	}
	if (fl->asked == ASKED_SEVERAL) {
		fl->suspects /= 2;
		fl->tries = 0;
		flight_start(f, fl);
		if (fl->pending)
			return;
	} else {
		cut_off(f, fl, fl->first[fl->asked].owner);
	}
	ask_on(f, fl);
}

/** A program ended with @p status: go on with the flight's next one, if there is any. */
static void flight_step(struct smmu_fence *f, struct smmu_inv_flight *fl,
			enum smmu_cmdq_status status)
{
	switch (status) {
	case SMMU_CMDQ_PENDING:
		return;
	case SMMU_CMDQ_DONE:
		fl->pending = false;
		if (fl->suspects) {
			ask_on(f, fl);
		} else if (fl->phase == SMMU_PHASE_TLB) {
			fl->phase = SMMU_PHASE_ATC;
			flight_start(f, fl);
		}
		return;
	case SMMU_CMDQ_ATC_TIMEOUT:
		if (fl->asked != ASKED_NONE) {
			timed_out(f, fl);
			return;
		}
		/* Somebody else's: what this program asked for may not be complete (IHI 0070 G.b, 4.7.3). */
		/* Fall through. */
	case SMMU_CMDQ_LOST:
		if (++fl->tries < TRIES_MAX) {
			flight_start(f, fl);
			return;
		}
		break;
	case SMMU_CMDQ_DEAD:
		break;
	}
	fl->pending = false;
	f->error = -SMMU_EIO;
}

/** Put the next instances in flight, as many as the fence has room for. */
static void launch(struct smmu_fence *f)
{
	const struct smmu_inv *end = f->array ? f->array->entry + f->array->count : NULL;

	f->flights = 0;
	while (f->next < end && f->flights < SMMU_FENCE_FLIGHTS) {
		struct smmu_inv_flight *fl = &f->flight[f->flights];
		const struct smmu_inv *first = f->next;

		while (f->next < end && f->next->index == first->index)
			f->next++;
		/*
		 * An instance all of whose operations are gone may be gone itself, and its target is not followed. The
		 * target of a live one stays: fact 5.
		 */
		while (first < f->next &&
		       !SMMU_BARRIER(entry_joined, smmu_load_acquire(&first->users)))
			first++;
		if (first == f->next)
			continue;
		*fl = (struct smmu_inv_flight){.first = first,
					       .count = (uint32_t)(f->next - first),
					       .phase = SMMU_PHASE_ALL};
		if (first->target->flags & SMMU_INV_SPLIT_ATC && f->next[-1].kind >= SMMU_INV_ATS)
			fl->phase = first->kind >= SMMU_INV_ATS ? SMMU_PHASE_ATC : SMMU_PHASE_TLB;
		f->flights++;
		flight_start(f, fl);
	}
}

void smmu_inv_submit(struct smmu_fence *f, struct smmu_rcu *rcu, struct smmu_inv_array *const *slot,
		     struct smmu_inv_debt *debt, const struct smmu_gather *range)
{
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
	f->open = true;
	f->array = SMMU_BARRIER(array_followed, smmu_rcu_dereference(slot));
	f->next = f->array ? f->array->entry : NULL;
	launch(f);
}

/** What the sweep could not confirm, or what it made good: fact 7. */
static void account(struct smmu_fence *f)
{
	uint32_t settled = smmu_load(&f->debt->settled);

	if (f->error) {
		smmu_fetch_add(&f->debt->failed, 1);
		return;
	}
	while (f->whole && (int32_t)(f->failed - settled) > 0 &&
	       !smmu_compare_exchange(&f->debt->settled, &settled, f->failed))
		;
}

/** No program is outstanding: end the read section. */
static int finish(struct smmu_fence *f)
{
	if (f->open) {
		f->open = false;
		account(f);
		smmu_rcu_exit(f->rcu, f->cookie);
	}
	return f->error;
}

static bool more(const struct smmu_fence *f)
{
	return f->open && f->array && f->next < f->array->entry + f->array->count;
}

int smmu_fence_poll(struct smmu_fence *f)
{
	bool pending = false;

	for (uint32_t i = 0; i < f->flights; i++) {
		struct smmu_inv_flight *fl = &f->flight[i];

		if (fl->pending)
			flight_step(f, fl, target_of(fl)->ops->poll(target_of(fl), &fl->token));
		pending |= fl->pending;
	}
	if (!pending && more(f)) {
		launch(f);
		pending = true;
	}
	return pending ? -SMMU_EAGAIN : finish(f);
}

int smmu_fence_wait(struct smmu_fence *f)
{
	for (;;) {
		for (uint32_t i = 0; i < f->flights; i++) {
			struct smmu_inv_flight *fl = &f->flight[i];

			while (fl->pending)
				flight_step(f, fl,
					    target_of(fl)->ops->wait(target_of(fl), &fl->token));
		}
		if (!more(f))
			return finish(f);
		launch(f);
	}
}

int smmu_inv_sync(struct smmu_rcu *rcu, struct smmu_inv_array *const *slot,
		  struct smmu_inv_debt *debt, const struct smmu_gather *range)
{
	struct smmu_fence f;

	smmu_inv_submit(&f, rcu, slot, debt, range);
	return smmu_fence_wait(&f);
}

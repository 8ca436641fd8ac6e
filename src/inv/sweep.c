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
 * Fact 2. If the walk saw P invalid, there is no entry to clear: caching of a fault is not permitted to outlive U's
 *         invalidation and gives no access in any case. If U3 saw A', the program below clears the entry.
 * Fact 3. A program's TLBI commands are complete at its CMD_SYNC, and complete means that no later access uses what they
 *         clear (IHI 0070, "CMD_SYNC"). No command behind a CMD_SYNC is consumed before that CMD_SYNC is complete.
 *         So the ATC_INV of a program find the TLB clean already, and an ATC that misses afterwards refills itself from a
 *         walk that sees P.
 * Fact 4. A detach lowers `users` only after the STE or CD no longer leads to the table and its CFGI is complete. A sweep
 *         that therefore skips the operation skips a tag that no access can use; the detach itself cleans the tag before
 *         the id is handed out again.
 * Fact 5. The fence is a read section from before U3 until no command of it is outstanding. Whoever waits for the readers
 *         after lowering `users` therefore knows that no ATC_INV for that device, and no command for that instance, is
 *         outstanding or will come. Only then is ATS turned off, and only then does an instance go away.
 * Fact 6. An ATC is filled from the TLB as well as from walks, and where the tag was in use before the attach, the TLB may
 *         hold P from then. If U3 missed A', U clears it there, but tells the new device's ATC nothing. So an attach that
 *         adds ATS to a tag in use waits for the readers between T2 and T3: by fact 5 every sweep that missed A' is done
 *         with its TLBI, and the device finds nothing stale to copy. Without ATS the tag's TLBI is enough.
 *
 * What can go wrong, and what is done about it: a program hit by a command error is issued again as a whole; a device
 * that does not answer is found by trying its instance's ATS operations one by one, and is cut off (quarantine); an
 * instance that does not answer makes the fence end with an error, after the others are done.
 */
#include "sweep.h"

#define TRIES_MAX 8
#define TRIES_BY_RANGE 3 /* then whole ids: a program of few commands is hit less often */

static const struct smmu_gather *range_of(const struct smmu_fence *f)
{
	return f->whole ? NULL : &f->range;
}

/** Put the flight's next program into the queue. The flight is left not pending if there was nothing to do. */
static void flight_start(struct smmu_fence *f, struct smmu_inv_flight *fl)
{
	const struct smmu_gather *range = fl->tries < TRIES_BY_RANGE ? range_of(f) : NULL;
	struct smmu_inv_program p;

	if (fl->suspect)
		smmu_inv_program_init(&p, fl->suspect, fl->suspect + 1, range, SMMU_PHASE_ATC);
	else
		smmu_inv_program_init(&p, fl->first, fl->end, range, fl->phase);
	fl->pending = false;
	if (!smmu_inv_program_count(&p))
		return;
	if (fl->target->ops->submit(fl->target, &p, &fl->token))
		f->error = -SMMU_EIO;
	else
		fl->pending = true;
}

/** Try the next ATS operation after @p e alone; none left: the flight is over. */
static void suspect_next(struct smmu_fence *f, struct smmu_inv_flight *fl, const struct smmu_inv *e)
{
	fl->pending = false;
	for (; e < fl->end && !fl->pending; e++) {
		if (e->kind < SMMU_INV_ATS)
			continue;
		fl->suspect = e;
		fl->tries = 0;
		flight_start(f, fl);
	}
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
		if (fl->suspect) {
			suspect_next(f, fl, fl->suspect + 1);
		} else if (fl->phase == SMMU_PHASE_TLB) {
			fl->phase = SMMU_PHASE_ATC;
			flight_start(f, fl);
		}
		return;
	case SMMU_CMDQ_LOST:
		if (++fl->tries < TRIES_MAX) {
			flight_start(f, fl);
			return;
		}
		break;
	case SMMU_CMDQ_ATC_TIMEOUT:
		if (!fl->suspect) {
			suspect_next(f, fl, fl->first);
			return;
		}
		/* It alone was asked, for the second time: it is the one. */
		fl->target->ops->quarantine(fl->target, fl->suspect);
		smmu_store(&f->array->entry[fl->suspect - f->array->entry].muted, 1);
		suspect_next(f, fl, fl->suspect + 1);
		return;
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
		while (first < f->next && !smmu_load_acquire(&first->users))
			first++;
		if (first == f->next)
			continue;
		*fl = (struct smmu_inv_flight){.target = first->target,
					       .first = first,
					       .end = f->next,
					       .phase = SMMU_PHASE_ALL};
		if (fl->target->flags & SMMU_INV_SPLIT_ATC && fl->end[-1].kind >= SMMU_INV_ATS)
			fl->phase = first->kind >= SMMU_INV_ATS ? SMMU_PHASE_ATC : SMMU_PHASE_TLB;
		f->flights++;
		flight_start(f, fl);
	}
}

void smmu_inv_submit(struct smmu_fence *f, struct smmu_rcu *rcu, struct smmu_inv_array *const *slot,
		     const struct smmu_gather *range)
{
	f->rcu = rcu;
	f->error = 0;
	f->whole = !range;
	if (range)
		f->range = *range;
	/* U2: pairs with the barrier between publishing an array and the STE or CD store in the attach (T2). */
	smmu_mb();
	f->cookie = smmu_rcu_enter(rcu);
	f->open = true;
	f->array = smmu_rcu_dereference(slot);
	f->next = f->array ? f->array->entry : NULL;
	launch(f);
}

/** No program is outstanding: end the read section. */
static int finish(struct smmu_fence *f)
{
	if (f->open) {
		f->open = false;
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
			flight_step(f, fl, fl->target->ops->poll(fl->target, &fl->token));
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
				flight_step(f, fl, fl->target->ops->wait(fl->target, &fl->token));
		}
		if (!more(f))
			return finish(f);
		launch(f);
	}
}

int smmu_inv_sync(struct smmu_rcu *rcu, struct smmu_inv_array *const *slot,
		  const struct smmu_gather *range)
{
	struct smmu_fence f;

	smmu_inv_submit(&f, rcu, slot, range);
	return smmu_fence_wait(&f);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changing an STE or a CD while the SMMU may read it. IHI 0070 G.b, 3.21.3 and 3.21.3.1.
 *
 * An entry is eight 64-bit words. The SMMU reads a unit of it in one piece, a word or (with SMMU_PORT_LSE2) two, but the
 * units of one entry at different times, and keeps a copy. What it does with the entry depends on the used bits only
 * (smmu_ste_used, smmu_cd_used). So:
 *
 *   1. If the new entry uses bits that the old one does not, and they differ: all bits that the old one does not use take
 *      their new values, without effect. Then the caches are told and the SMMU waited for, so that no fetch that began
 *      before is still under way.
 *   2. If one unit is all that is left to change, one store changes the entry from old to new. Caches are told. Step 1
 *      leaves that unit alone: it changes as a whole.
 *   3. If more units differ, word 0 is first stored so that the entry refuses traffic, which uses next to no bits, and
 *      steps 1 and 2 lead from there.
 *
 * A step that has nothing to store takes no CMD_SYNC: the SMMU has confirmed what is in memory, but where somebody else has made the
 * entry refuse meanwhile, which is no end of the way. Bits that only the old entry uses stay as they are, outside of the
 * unit of step 2. To clear them would be one more store, without effect and therefore without a wait; a slow fetch that
 * began before it could then end after the first store of the next change, and have seen words of three entries.
 *
 * Fields of stage 1 are IGNORED while it is off (5.2.1), so in the entries that this library makes they lie ready in word 1 of
 * each STE, from the moment at which its table is made (smmu_make_abort): from aborting to identity or stage 1, and from
 * identity to stage 1, is then one store, of word 0, and one CMD_SYNC. A CD that is not valid has MAIR ready.
 *
 * Some bits do not count as used by the old entry, so that they may change at any time:
 *   - STE.MEV only says whether events are merged.
 *   - STE.EATS matters for translation requests and translated accesses only, and it is changed only while ATS is off in
 *     the device, whose requests and accesses of before are complete (attach.c).
 *
 * If the SMMU does not confirm a step, the way ends there, with an entry that refuses in memory: whatever is cached is a
 * mixture of what one confirmed step before and the step itself show, which is old, new or refusing.
 */
#include "driver.h"

#define WORDS 8

static void ste_used(const uint64_t *entry, uint64_t *mask)
{
	smmu_ste_used((const struct smmu_ste *)entry, (struct smmu_ste *)mask);
}

static uint64_t ste_halt(const uint64_t *entry)
{
	return SMMU_STE_W0_V | smmu_field_prep(SMMU_STE_W0_CONFIG, SMMU_STE_CONFIG_ABORT);
}

static void cd_used(const uint64_t *entry, uint64_t *mask)
{
	smmu_cd_used((const struct smmu_cd *)entry, (struct smmu_cd *)mask);
}

static uint64_t cd_halt(const uint64_t *entry)
{
	return 0;
}

const struct smmu_entry_kind smmu_ste_kind = {
	ste_used, ste_halt, {0, SMMU_STE_W1_MEV | SMMU_STE_W1_EATS}};
const struct smmu_entry_kind smmu_cd_kind = {cd_used, cd_halt, {0}};

/** The words that are stored in one piece with word @p w: the first of them. */
static unsigned unit_of(unsigned w, unsigned unit)
{
	return w - w % unit;
}

/**
 * Step 1: @p next becomes what @p now is, with all bits that @p now does not use as in @p target. Returns the number of
 * units that would be left to change, one of them in *@p last; that one is as in @p now. *@p needed: the others do not
 * have what @p target uses.
 */
static unsigned lay_out(const struct smmu_entry_kind *kind, const uint64_t *now,
			const uint64_t *target, unsigned unit, uint64_t *next, unsigned *last,
			bool *needed)
{
	uint64_t used_now[WORDS], used_new[WORDS];
	unsigned n = 0;

	kind->used(now, used_now);
	kind->used(target, used_new);
	*last = WORDS;
	for (unsigned w = 0; w < WORDS; w++) {
		uint64_t keep = used_now[w] & ~kind->free[w];

		next[w] = (now[w] & keep) | (target[w] & ~keep);
		if (!((next[w] ^ target[w]) & used_new[w]) || unit_of(w, unit) == *last)
			continue;
		*last = unit_of(w, unit);
		n++;
	}
	*needed = false;
	for (unsigned w = 0; w < WORDS; w++) {
		/* Bits that are free go with the last step, if there is one. */
		uint64_t count = n ? used_new[w] & ~kind->free[w] : used_new[w];

		if (unit_of(w, unit) == *last)
			next[w] = now[w];
		else
			*needed |= ((now[w] ^ next[w]) & count) != 0;
	}
	return n;
}

bool smmu_entry_hitless(const struct smmu_entry_kind *kind, const struct smmu_port *port,
			const uint64_t live[8], const uint64_t target[8])
{
	uint64_t now[WORDS], next[WORDS];
	unsigned last;
	bool needed;

	for (unsigned w = 0; w < WORDS; w++)
		now[w] = smmu_load(&live[w]);
	return lay_out(kind, now, target, smmu_port_unit(port), next, &last, &needed) <= 1;
}

static void store_entry(uint64_t *live, const uint64_t *now, const uint64_t *next, unsigned unit)
{
	for (unsigned w = 0; w < WORDS; w += unit) {
		if (unit == 2 && (now[w] != next[w] || now[w + 1] != next[w + 1]))
			smmu_store_pair(&live[w], next[w], next[w + 1]);
		else if (now[w] != next[w])
			smmu_store(&live[w], next[w]);
	}
}

/** Bring all entries from @p now to @p next, tell the caches, and wait; @p now becomes @p next. */
static int step(const struct smmu_entry_change *c, uint64_t *now, const uint64_t *next)
{
	unsigned unit = smmu_port_unit(c->port);
	smmu_irqflags flags;
	bool frozen;
	int error;

	if (c->lock)
		flags = smmu_spin_lock(c->lock);
	frozen = c->frozen && smmu_load(c->frozen);
	for (unsigned i = 0; !frozen && i < c->n; i++) {
		uint64_t *live = c->live(c->ctx, i);

		store_entry(live, now, next, unit);
		smmu_port_clean(c->port, live, WORDS * sizeof(uint64_t));
	}
	if (c->lock)
		smmu_spin_unlock(c->lock, flags);
	for (unsigned w = 0; w < WORDS; w++)
		now[w] = next[w];
	error = frozen ? -SMMU_EIO : c->sync(c->ctx);
	/* A stream that was cut off meanwhile has not arrived. */
	return !error && c->frozen && smmu_load(c->frozen) ? -SMMU_EIO : error;
}

/**
 * Has the entry been made to refuse by somebody else? Then it is as it should be perhaps, but the SMMU was not waited for. Whoever
 * does that holds the lock from before `frozen` says so until it is stored.
 */
static bool is_frozen(const struct smmu_entry_change *c)
{
	smmu_irqflags flags;
	bool is;

	if (!c->frozen)
		return false;
	flags = smmu_spin_lock(c->lock);
	is = smmu_load(c->frozen) != 0;
	smmu_spin_unlock(c->lock, flags);
	return is;
}

/** The first step of 3, and the end of a way that failed. */
static int refuse(const struct smmu_entry_change *c, uint64_t *now)
{
	uint64_t next[WORDS];

	for (unsigned w = 1; w < WORDS; w++)
		next[w] = now[w];
	next[0] = c->kind->halt(now);
	return step(c, now, next);
}

int smmu_entry_change(const struct smmu_entry_change *c, const uint64_t target[8])
{
	unsigned unit = smmu_port_unit(c->port), last;
	const uint64_t *live = c->live(c->ctx, 0);
	uint64_t now[WORDS], next[WORDS];
	int error = 0;
	bool needed;

	for (unsigned w = 0; w < WORDS; w++)
		now[w] = smmu_load(&live[w]);
	if (lay_out(c->kind, now, target, unit, next, &last, &needed) > 1) {
		error = refuse(c, now);
		lay_out(c->kind, now, target, unit, next, &last, &needed);
	}
	if (!error && !needed && last == WORDS && is_frozen(c))
		error = -SMMU_EIO;
	if (!error && needed)
		error = step(c, now, next);
	if (last < WORDS) {
		for (unsigned w = 0; w < WORDS; w++) {
			uint64_t take = unit_of(w, unit) == last ? UINT64_MAX : c->kind->free[w];

			next[w] = (now[w] & ~take) | (target[w] & take);
		}
		if (!error)
			error = step(c, now, next);
	}
	if (error)
		refuse(c, now);
	return error;
}

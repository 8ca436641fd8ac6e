/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changing an STE or a CD while the SMMU may read it.
 *
 * An entry is eight 64-bit words. The SMMU reads each word in one piece, but the words of one entry at different times,
 * and keeps a copy. What it does with the entry depends on the used bits only (smmu_ste_used, smmu_cd_used). So:
 *
 *   1. Bits that the old entry does not use take their new values: no effect. Then the caches are told and the SMMU waited
 *      for, so that no fetch that began before is still under way.
 *   2. If one word is all that is left to change, one store changes the entry from old to new. Caches are told.
 *   3. If more words differ, word 0 is first stored so that the entry refuses traffic, which uses next to no bits, and
 *      steps 1 and 2 lead from there.
 *
 * A step that has nothing to store takes no CMD_SYNC. Bits that neither uses are cleared on the way, without any.
 * IHI 0070, "Configuration structure updates" (alteration and invalidation of STEs and CDs).
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

const struct smmu_entry_kind smmu_ste_kind = {ste_used, ste_halt};
const struct smmu_entry_kind smmu_cd_kind = {cd_used, cd_halt};

/** Store the words of @p value that differ from @p now, in all entries; updates @p now. False: frozen. */
static bool store(const struct smmu_entry_change *c, uint64_t *now, const uint64_t *value)
{
	bool ok;
	smmu_irqflags flags;

	if (c->lock)
		flags = smmu_spin_lock(c->lock);
	ok = !c->frozen || !smmu_load(c->frozen);
	for (unsigned i = 0; ok && i < c->n; i++) {
		for (unsigned w = 0; w < WORDS; w++)
			if (now[w] != value[w])
				smmu_store(&c->live[i][w], value[w]);
		smmu_port_clean(c->port, c->live[i], WORDS * sizeof(uint64_t));
	}
	if (c->lock)
		smmu_spin_unlock(c->lock, flags);
	for (unsigned w = 0; w < WORDS; w++)
		now[w] = value[w];
	return ok;
}

/** Words in which @p a and @p b differ under @p mask. */
static unsigned differing(const uint64_t *a, const uint64_t *b, const uint64_t *mask)
{
	unsigned n = 0;

	for (unsigned w = 0; w < WORDS; w++)
		n += ((a[w] ^ b[w]) & mask[w]) != 0;
	return n;
}

/**
 * The device was cut off: its entries halt, and whoever did that may still be telling the caches. Nothing may come after
 * the change that relies on it before they know.
 */
static int cut_off(const struct smmu_entry_change *c)
{
	c->sync(c->ctx);
	return -SMMU_EIO;
}

int smmu_entry_change(const struct smmu_entry_change *c, const uint64_t target[8])
{
	uint64_t now[WORDS], next[WORDS], used[WORDS], used_new[WORDS];
	int error = 0;

	for (unsigned w = 0; w < WORDS; w++)
		now[w] = smmu_load(&c->live[0][w]);
	c->kind->used(target, used_new);
	c->kind->used(now, used);
	for (unsigned w = 0; w < WORDS; w++)
		next[w] = (now[w] & used[w]) | (target[w] & ~used[w]);
	if (differing(next, target, used_new) > 1) {
		for (unsigned w = 0; w < WORDS; w++)
			next[w] = now[w];
		next[0] = c->kind->halt(now);
		if (!store(c, now, next))
			return cut_off(c);
		error = c->sync(c->ctx);
		c->kind->used(now, used);
		for (unsigned w = 0; w < WORDS; w++)
			next[w] = (now[w] & used[w]) | (target[w] & ~used[w]);
	}
	if (differing(now, next, used_new)) {
		if (!store(c, now, next))
			return cut_off(c);
		error = smmu_first_error(error, c->sync(c->ctx));
	}
	if (differing(now, target, used_new)) {
		for (unsigned w = 0; w < WORDS; w++)
			next[w] = (now[w] & ~used_new[w]) | (target[w] & used_new[w]);
		if (!store(c, now, next))
			return cut_off(c);
		error = smmu_first_error(error, c->sync(c->ctx));
	}
	if (!store(c, now, target))
		return cut_off(c);
	return error;
}

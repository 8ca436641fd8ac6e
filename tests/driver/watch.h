/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file watch.h
 * A watch on STEs and a CD while they change. After each store, every view that the SMMU may get of an entry - any mixture of
 * values that its words had since the last wait for the SMMU - has to act like the old entry, the new one, or one that
 * refuses.
 */
#ifndef SMMU_TEST_DRIVER_WATCH_H
#define SMMU_TEST_DRIVER_WATCH_H

#include "rig.h"

/** What traffic can be attached to. */
enum what { ABORT, IDENTITY, S1A, S1B, S2A, S2B, WHATS };

/** The rig that all this is about; set it before anything else. */
extern struct rig *watch_rig;
/** Words that the SMMU reads in one piece: 1, or 2. */
extern unsigned watch_unit;
/** One of each, with the page at 0x1000 mapped to watch_page(). */
extern struct smmu_domain watch_domains[WHATS];

static inline uint64_t watch_page(enum what what)
{
	return 0x50000000 + what * 0x10000;
}

void watch_make_domains(void);
void watch_drop_domains(void);

/**
 * Watch the STEs of @p d, and the CD at @p cd if not NULL, from here on: what a fetch may still see of before stays in
 * view from change to change, until the SMMU was waited for.
 */
void watch(struct rig_device *d, const struct smmu_cd *cd);
/** A change begins: it is judged by what the entries are now and what they will be. */
void watch_change(void);
/** All views were old, new or refusing, or the test fails; true if none was refusing that is neither old nor new. */
bool watch_check(void);
/** CMD_SYNCs since, up to the first command that is not about configuration. */
unsigned watch_config_syncs(void);

#endif

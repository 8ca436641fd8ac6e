/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file replay.h
 * A trace played on a machine: its calls in its order, with DMA before and after each unmap.
 *
 * The trace's physical memory, wherever it lies and however much it is, is folded onto the machine's: 2 MiB that lie side
 * by side stay so, and what is aligned to a block of any page size stays aligned.
 */
#ifndef SMMU_LAB_REPLAY_H
#define SMMU_LAB_REPLAY_H

#include "machine.h"
#include "trace.h"

/** What of a trace could not be played on the machine. */
struct replay_left {
	uint64_t no_memory; /**< maps for which it has no memory for tables left */
	uint64_t beyond;    /**< maps of addresses that its domains do not have */
	uint64_t reserved;  /**< maps of addresses at which memory has to stay mapped */
	uint64_t follow;    /**< unmaps of those */
	uint64_t split;     /**< unmaps of a part of a block: done as Linux did, which splits it */
	unsigned alone;     /**< domains without a device */
};

/**
 * What a machine must be to play @p t: its domains, granule and memory go into @p cfg; so many devices on each SMMU that
 * each domain has one go into @p o, unless @p fixed.
 */
void replay_configure(const struct trace *t, struct lab_config *o, struct machine_config *cfg,
		      bool fixed);

/** Attach the devices: those of one SMMU to the domains in turn. 0, or a negative error after a message. */
int replay_attach(struct machine *m);

/** Play @p t, from its beginning, on @p m. 0, or 2 after a message. Counts are added to @p out. */
int replay_run(struct machine *m, struct trace *t, struct report *out, struct replay_left *left);

#endif

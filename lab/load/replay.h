/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file replay.h
 * A trace played on a machine: its calls in its order, with DMA before and after each unmap.
 */
#ifndef SMMU_LAB_REPLAY_H
#define SMMU_LAB_REPLAY_H

#include "machine.h"
#include "trace.h"

/** Where the trace's memory lies in the machine's: the 2 MiB pieces that it names, in their order. */
struct replay_memory {
	uint64_t *piece; /**< numbers of 2 MiB pieces, ascending */
	size_t pieces;
};

/** Gather the pieces. 0; -1: no memory; -2: more than 4 GiB. */
int replay_memory_init(struct replay_memory *r, const struct trace *t);
void replay_memory_fini(struct replay_memory *r);
/** Bytes of DMA memory that a machine needs for it. */
uint64_t replay_memory_bytes(const struct replay_memory *r);

/** Play @p t on @p m, whose devices are attached to domain 0. 0, or 2 after a message. Counts are added to @p r. */
int replay_run(struct machine *m, const struct trace *t, const struct replay_memory *memory,
	       struct report *r);

#endif

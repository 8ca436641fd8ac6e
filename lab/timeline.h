/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file timeline.h
 * What workers, queues, SMMUs and ATCs did when, under the virtual clock, as Chrome trace events (JSON; Perfetto opens it).
 *
 * - process "workers": a thread for each fiber; a span for each call, and in it spans *submit* (the processor's part of one
 *   batch; no longer than a point where the processor takes no time) and *wait* (from the first look in vain on).
 * - a process for each SMMU: a thread *commands* with a span for each command, one after the other; on it the CMD_SYNC until it
 *   is complete. Batches, from PROD to the completion of their last CMD_SYNC, and ATC invalidations, from the command to the
 *   answer, overlap, and are pairs of asynchronous events.
 */
#ifndef SMMU_LAB_TIMELINE_H
#define SMMU_LAB_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

struct sim;
struct timeline;

/** For a machine of @p smmus SMMUs under @p sim. NULL: no memory. */
struct timeline *timeline_create(struct sim *sim, unsigned smmus);
void timeline_destroy(struct timeline *t);
/** Write it to @p path, "-" for standard output. 0, or -1 with errno set. */
int timeline_write(const struct timeline *t, const char *path);

/** @name The running fiber; @p t NULL: nothing. Calls do not nest. @{ */
void timeline_begin(struct timeline *t, const char *call);
void timeline_end(struct timeline *t);
/** It has computed from @p since until now, and publishes a batch with @p syncs CMD_SYNCs on @p smmu. */
void timeline_publish(struct timeline *t, unsigned smmu, uint64_t since, uint32_t syncs);
/** It has looked at @p smmu in vain. */
void timeline_wait(struct timeline *t);
/** @} */

/** SMMU @p smmu was at command @p cmd from @p from to @p to; an ATC_INV is answered at @p until. */
void timeline_command(struct timeline *t, unsigned smmu, const uint64_t cmd[2], uint64_t from,
		      uint64_t to, uint64_t until);

#endif

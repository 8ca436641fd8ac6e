/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file processor.h
 * The processor's own time on a machine with exact figures: instructions of each design, counted by callgrind
 * (processor_cost.h), at lab_config.cpu_rate. Where that is 0 the processor takes no time.
 */
#ifndef SMMU_LAB_PROCESSOR_H
#define SMMU_LAB_PROCESSOR_H

#include <stdint.h>

#include "config.h"

struct machine;

/** Instructions of an unmap. */
struct processor_cost {
	double call;    /**< besides what follows */
	double page;    /**< each page beyond the first */
	double batch;   /**< each write of PROD, and the wait for it */
	double command; /**< each command but CMD_SYNC */
};

/** An unmap of @p size bytes begins: let the time of its own part pass. */
void processor_call(struct machine *m, uint64_t size);

/** A batch of @p commands commands is about to be published by the caller: let the time pass that it took to make. */
void processor_publish(struct machine *m, uint32_t commands);

#endif

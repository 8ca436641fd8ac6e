/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file rivals.h
 * Two other ways to invalidate one range, on the same registers, to stand beside the sweep.
 *
 * - *floor*: the least that can be done for the hardware: the commands and one CMD_SYNC into each ring, PROD, wait for
 *   CONS, all rings in flight at once. One thread, nothing can change meanwhile, nothing can go wrong.
 * - *list*: how a driver does it that has one domain and one list of devices per SMMU: the SMMUs one after the other; for
 *   each the TLB commands and a CMD_SYNC, then, under the spinlock of the list, an ATC command per device, and a second
 *   CMD_SYNC behind them. The queue is taken by compare-exchange and published in order; any number of threads may use it.
 *   At its best: no quirks, no statistics, errors are looked for when CONS does not come, which it does here.
 */
#ifndef SMMU_BENCH_RIVALS_H
#define SMMU_BENCH_RIVALS_H

#include "bench.h"

#define RIVAL_LOG2 12u

/** One SMMU: its ring, and the devices with ATS behind it. */
struct rival {
	struct smmu_mmio mmio;
	struct smmu_cmd *ring;
	/** list: the positions taken, and those published; floor: tail alone. Each has a line of the cache to itself. */
	uint32_t tail __attribute__((aligned(64)));
	uint32_t published __attribute__((aligned(64)));
	struct smmu_spinlock lock __attribute__((aligned(64))); /**< protects the list of devices */
	struct rival_device *devices;
	uint32_t nr_devices;
};

struct rival_device {
	struct rival_device *next;
	uint32_t sid;
};

/** A ring over the registers of @p mmio and @p n devices with ATS. */
void rival_init(struct rival *r, struct smmu_mmio mmio, unsigned n);

/** list: issue @p n commands and a CMD_SYNC, and wait for it. Any thread. */
void rival_issue(struct rival *r, const struct smmu_cmd *cmd, uint32_t n);

/** Invalidate @p pages pages of 4K at @p iova under @p asid on @p n SMMUs; for the floor as many as one command takes. */
void floor_sweep(struct rival *r, unsigned n, uint16_t asid, uint64_t iova, uint64_t pages);
void list_sweep(struct rival *r, unsigned n, uint16_t asid, uint64_t iova, uint64_t pages);

#endif

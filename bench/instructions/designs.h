/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file designs.h
 * The designs that `smmuv3 bench` compares, as the processor does them: the other ones as programs of their own on the rival's
 * queue (rivals.h), each at its best, without what is not the design's own.
 */
#ifndef SMMU_BENCH_DESIGNS_H
#define SMMU_BENCH_DESIGNS_H

#include "rivals.h"

/** An operation of design serial: of the TLB (@p ats false) or of the ATC of stream @p id, behind @p r. */
struct serial_inv {
	struct rival *r;
	uint32_t id;
	uint32_t users;
	bool ats;
};

struct serial_array {
	uint32_t count;
	bool has_ats;
	struct serial_inv entry[];
};

/**
 * Linux 7.2's order: a sorted array; with ATS in it a reader-writer lock, held for reading until all is done; a batch and a wait
 * for each instance and kind.
 */
void serial_sweep(struct serial_array *const *slot, uint32_t *readers, uint16_t asid, uint64_t iova,
		  uint64_t pages);
/** Of small hypervisors and firmware: one lock; every id and every ATC of each instance whole, one instance after the other. */
void flush_sweep(struct rival *r, unsigned n, struct smmu_spinlock *lock, uint16_t asid);

#endif

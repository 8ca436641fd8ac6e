/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file config.h
 * What a run is to be: which SMMUs and devices, which load, which clock, which faults. No command line in it; whoever
 * builds a machine fills one in (lab_config_default() first).
 */
#ifndef SMMU_LAB_CONFIG_H
#define SMMU_LAB_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "faults.h"

enum design_id { DESIGN_SWEEP, DESIGN_SERIAL, DESIGN_LIST, DESIGN_FLUSH, DESIGN_KINDS };

#define LAB_MAX_INJECT 16
#define LAB_MAX_STAGES 8
#define LAB_NESTED 3 /**< a guest's stage 1 over stage 2 */
#define LAB_SVA 4    /**< over somebody else's table, for substreams */

struct smmu_topology;

struct lab_config {
	const char *who;                      /**< stands before every message: "smmuv3 run" */
	bool qemu;                            /**< QEMU's SMMUs instead of the model */
	const struct smmu_topology *topology; /**< of firmware tables, lent; NULL: a made-up one */
	unsigned smmus, devices;
	unsigned ats;   /**< devices with ATS on each instance that is made up … */
	bool ats_given; /**< … or on each: else those of a table have it as the table says */
	unsigned domains;
	uint8_t stage
		[LAB_MAX_STAGES]; /**< kinds of the domains, in turn: 1, 2, LAB_NESTED or LAB_SVA */
	unsigned n_stages;
	unsigned threads;
	uint64_t ops;     /**< UINT64_MAX: until the seconds are over */
	unsigned seconds; /**< of the run's clock; 0: no limit */
	uint64_t seed;
	bool real_clock;
	bool interrupts; /**< handlers interrupt workers, and workers pre-empt each other */
	bool joins; /**< workers do little else than to attach devices to domains that others unmap from */
	bool resets;      /**< devices are reset and pulled out; some use ATS beside identity */
	bool tables;      /**< blocks are split and joined under DMA, and empty tables go */
	bool dirty;       /**< writes of devices are tracked, and the log of them is judged */
	bool page_faults; /**< devices stall, or send page requests (machine_pages.h) */
	bool life;        /**< SMMUs lose their power, are left to somebody else, and come back */
	bool adopt; /**< a former owner has each SMMU at first, and again now and then; the driver adopts it */
	bool non_coherent; /**< the SMMUs see only memory that was cleaned */
	enum design_id design;
	const char *timeline;   /**< virtual clock: file for what everybody did when; NULL: none */
	const int *interrupted; /**< somebody sets it to end the run early; NULL: nobody does */
	/** @name Of exact machines @{ */
	unsigned slow_percent;    /**< time of the last SMMU beside the others'; 0: 100 */
	unsigned sync_ns, atc_ns; /**< of a CMD_SYNC, of an ATC invalidation; 0: the model's own */
	unsigned
		cpu_rate; /**< millions of instructions a second (processor.h); 0: the processor takes no time */
	/** @} */
	struct fault_request inject[LAB_MAX_INJECT];
	unsigned n_inject;
};

/** Two SMMUs of four devices, half of them with ATS, two stage-1 domains, four threads, 20,000 operations, seed 1. */
void lab_config_default(struct lab_config *c);

/** True if @p c asks for fault @p id; then *@p every (may be NULL) says how often. */
bool lab_fault(const struct lab_config *c, enum fault_id id, unsigned *every);

/** The name of a design as people write it. */
const char *design_name(enum design_id id);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file report.h
 * What a run found.
 */
#ifndef SMMU_LAB_REPORT_H
#define SMMU_LAB_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include <smmuv3/debug.h>

#include "config.h"

#define REPORT_MAX_VIOLATIONS 10

/** One broken promise. */
struct violation {
	uint64_t iova;
	uint32_t stream, ssid;
	bool has_ssid;
	unsigned smmu;
	char held_by[24]; /**< "tlb", "walk-cache", "config-cache", "atc", "memory" */
	char missing[48]; /**< the operation whose lack explains it, in few lower-case words */
	char text[640];   /**< a sentence for a person */
};

struct report_commands {
	uint64_t tlbi, atc_inv, cfgi, sync, other;
};

/** What became of one fault that was asked for. */
struct report_fault {
	enum fault_id id;
	unsigned every;
	const char *barrier; /**< of no-barrier: the one that was left out, if one was named */
	uint64_t struck;
};

struct report {
	enum design_id design;
	unsigned smmus, devices, ats;
	uint64_t ops, maps, unmaps, attaches, detaches, removals;
	uint64_t resets; /**< times that a device was reset, or was gone and came back */
	/** With --tables: calls that split blocks, tables that became blocks, and empty ones that went. */
	uint64_t splits, joined_blocks, reclaimed;
	/** Times that somebody asked what was written; pages that were told; of them, that no device had written. */
	uint64_t dirty_reads, dirty_pages, dirty_over;
	uint64_t suspends;   /**< of SMMUs, that came back */
	uint64_t returns;    /**< of SMMUs that were left to somebody else */
	uint64_t reserved;   /**< streams that were there when they came up again */
	uint64_t adoptions;  /**< of SMMUs that a former owner had */
	uint64_t taken_over; /**< devices that went on meanwhile, and were then attached */
	uint64_t guests;     /**< times that a guest took pages away from its devices */
	uint64_t guest_cds;  /**< times that a guest changed a CD of a substream */
	/** Accesses under substreams of guests that were judged; of those, rightly refused; and past a guest's stage 1. */
	uint64_t guest_substreams, guest_refused, guest_passed;
	/** @name Accesses that wait for a page (machine_pages.h) @{ */
	uint64_t faults_handed, faults_answered, faults_ended, faults_turned_away;
	uint64_t page_groups; /**< of requests that devices sent */
	uint64_t pri_overflows;
	uint64_t retried, retried_landed;
	/** @} */
	uint64_t renumbered; /**< times that an owner's table got another ASID on all SMMUs */
	uint64_t released;   /**< owners that went while devices were at work */
	uint64_t dma, blocked, stale, lost, unjudged, quarantined, survived;
	uint64_t refused_calls; /**< calls that were meant to fail, and did without a trace */
	uint64_t
		unconfirmed; /**< calls that returned -EIO, as they had to: an SMMU did not confirm */
	uint64_t revived;    /**< SMMUs that had stopped for good and were brought up again */
	uint64_t events;
	uint64_t over; /**< entries that commands dropped although they were still needed */
	struct report_commands commands;
	struct smmu_instance_stats driver; /**< what the driver has counted, of all SMMUs */
	struct smmu_domain_stats
		sweeps; /**< and of all domains, without those that came and went */
	uint64_t unmap_p50, unmap_p99, unmap_max; /**< nanoseconds */
	uint64_t unmap_total;                     /**< of all unmaps together; replay only */
	uint64_t elapsed_ns;                      /**< by the clock of the run */
	struct violation violation[REPORT_MAX_VIOLATIONS];
	unsigned violations;
	struct report_fault fault[LAB_MAX_INJECT];
	unsigned faults;
	/** What the SMMUs of the violations are and how they choose. */
	struct report_smmu {
		unsigned smmu;
		char text[640];
	} smmu[REPORT_MAX_VIOLATIONS];
	unsigned described;
	uint64_t masked_points, masked_ns; /**< the longest stretch with interrupts masked */
	bool full;                         /**< it ended because there were REPORT_MAX_VIOLATIONS */
	bool unwritten;                    /**< the timeline could not be written, which was said */
	bool interrupted;                  /**< it ended because somebody asked for that */
};

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file debug.h
 * What a person in the field asks for: counters of an instance and of a domain, and their state in
 * words.
 *
 * Counting is compiled in with SMMU_STATS (port.h); without it the counters that cost something on
 * the way of a sweep stay 0, and which these are is said below. The structures are the same either
 * way. Trace hooks are in trace.h.
 */
#ifndef SMMUV3_DEBUG_H
#define SMMUV3_DEBUG_H

#include <smmuv3/port.h>

SMMU_BEGIN_DECLS

struct smmu_instance;
struct smmu_domain;

/** What an instance has done since it was enabled. Counters of 64 bits, which do not wrap. */
struct smmu_instance_stats {
	/** Commands put into the queue, by kind; SMMU_STATS. What a sweep repeats counts again. */
	uint64_t tlbi, atc_inv, cfgi;
	/**
	 * All others: CMD_SYNC, what the embedder has submitted itself, and what attaches and
	 * detaches issue again after an error, whatever kind it is (`driver.sync` in the JSON of
	 * smmuv3 run). Without SMMU_STATS: all commands.
	 */
	uint64_t sync;
	uint64_t waits; /**< waits for commands that were not complete at the first look */
	uint64_t longest_wait_ns; /**< the longest of them, in nanoseconds of the port's clock */
	/** Batches of commands that were hit by an error, and had to be issued again. */
	uint64_t retries;
	uint64_t atc_timeouts; /**< batches that ended because an ATC did not answer */
	uint64_t cmdq_errors;  /**< errors of the command queue (CMDQ_CONS.ERR) that were served */
	uint64_t given_up;     /**< times that the SMMU was given up */
	uint64_t quarantines;  /**< devices cut off, as their ATC did not answer */
	/** Errors of GERROR that were not the command queue's: each time that some were served. */
	uint64_t errors;
	uint64_t events_lost, pri_overflows; /**< times that the queue overflowed */
};

/** What a domain has done since smmu_domain_init; SMMU_STATS. */
struct smmu_domain_stats {
	/** Invalidations submitted: one for each unmap, or for what was gathered of several. */
	uint64_t sweeps;
	uint64_t entries; /**< entries of the array that they looked at */
	/** Sweeps that some SMMU did not confirm; counted without SMMU_STATS too, modulo 2^32. */
	uint64_t failed;
};

/** Where an instance counts what its command queue does not count by itself. Private. */
struct smmu_instance_counts {
	uint64_t tlbi, atc_inv, cfgi, quarantines, errors;
};

/** Where a domain counts. Private. */
struct smmu_domain_counts {
	uint64_t sweeps, entries;
};

/**
 * Read the counters of an instance.
 *
 * @param inst   probed; they stay readable after smmu_instance_remove and start over with the next
 *               smmu_instance_enable
 * @param stats  filled in. Each counter is exact, but they are read one after the other
 *
 * Any context; does not sleep.
 */
void smmu_instance_get_stats(const struct smmu_instance *inst, struct smmu_instance_stats *stats);

/**
 * Read the counters of a domain.
 *
 * @param d      made by smmu_domain_init, and not finished
 * @param stats  filled in, as for an instance
 *
 * Any context; does not sleep.
 */
void smmu_domain_get_stats(const struct smmu_domain *d, struct smmu_domain_stats *stats);

/**
 * Say through the port's log (SMMU_LOG_INFO, some ten lines) how an instance stands: features,
 * registers, queues and their indexes, ids in use, counters. Registers are read, none is written,
 * and only while the instance is up and neither suspended nor being removed; otherwise only what
 * the library knows is said.
 *
 * @param inst  zero or probed, as for the interrupt handlers
 *
 * Any context, also beside everything else that is done to the instance; does not sleep, takes no
 * lock. What changes meanwhile is shown as it is found, line by line.
 */
void smmu_instance_dump(struct smmu_instance *inst);

/**
 * Say through the port's log (SMMU_LOG_INFO) how a domain stands: its table, attachments, counters,
 * and each operation of its array.
 *
 * @param d  made by smmu_domain_init, and not finished before this returns
 *
 * Any context, also beside attaches and unmaps; does not sleep, takes no lock. It is one read
 * section: a detach that has to wait for readers waits for it.
 */
void smmu_domain_dump(struct smmu_domain *d);

SMMU_END_DECLS

#endif

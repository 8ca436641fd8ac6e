/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file faults.h
 * The faults that `--inject` knows: what each breaks, who breaks it, and what has to come of it.
 */
#ifndef SMMU_LAB_FAULTS_H
#define SMMU_LAB_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

enum fault_id {
	FAULT_DROP_TLBI,
	FAULT_DROP_ATC,
	FAULT_DROP_CFGI,
	FAULT_DROP_SYNC,
	FAULT_WRONG_ID,
	FAULT_WRONG_INSTANCE,
	FAULT_ATC_FIRST,
	FAULT_EARLY_FREE,
	FAULT_NO_BARRIER,
	FAULT_DROP_CLEAN,
	FAULT_TORN_PAIR,
	FAULT_NO_QUIRK,
	FAULT_ATC_TIMEOUT,
	FAULT_CMD_ERROR,
	FAULT_CMD_ABORT,
	FAULT_SLOW_SYNC,
	FAULT_EVENT_OVERFLOW,
	FAULT_ALLOC_FAIL,
	FAULT_ATC_SLOW,
	FAULT_PAUSE,
	FAULT_QUEUE_DEAD,
	FAULT_DIRTY_START,
	FAULT_ADOPT_CORRUPT,
	FAULT_KINDS,
};

struct fault_info {
	const char *name;
	bool caught; /**< the judge must catch it (exit 1); else the driver must survive it (exit 0) */
	bool no_confirm; /**< with it a call may honestly return -SMMU_EIO: the SMMU has not confirmed */
	unsigned every; /**< one of so many opportunities, when the command line does not say */
	const char *what;
	const char *missing; /**< what the judge says was missing, if it must catch it */
};

extern const struct fault_info fault_info[FAULT_KINDS];

/** Why the fault cannot be shown on QEMU's SMMUs, in words; NULL: it can. */
const char *fault_not_on_qemu(enum fault_id id);

/** The test proofs/litmus/NAME.lit that shows the removal of barrier @p barrier; NULL: there is no such barrier. */
const char *fault_litmus(const char *barrier);

/** One `--inject`. */
struct fault_request {
	enum fault_id id;
	unsigned every; /**< every n-th opportunity, at least 1 */
	const char *
		barrier; /**< of no-barrier: the one that is left out; NULL: those between tables, array and entries */
};

/**
 * Read FAULT[:EVERY], or no-barrier:NAME. 0, or -1: no such fault, or EVERY is not a number from 1 to 1,000,000,000.
 */
int fault_parse(const char *text, struct fault_request *out);

#endif

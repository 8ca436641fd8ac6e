/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file report.h
 * What a run found, and how people and scripts read it.
 */
#ifndef SMMU_CLI_REPORT_H
#define SMMU_CLI_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "options.h"

struct json_object;

#define REPORT_MAX_VIOLATIONS 10

/** One broken promise. */
struct violation {
	uint64_t iova;
	uint32_t stream, ssid;
	bool has_ssid;
	unsigned smmu;
	char held_by[16]; /**< "tlb", "walk-cache", "config-cache", "atc", "memory" */
	char missing[48]; /**< the operation whose lack explains it, in few lower-case words */
	char text[640];   /**< a sentence for a person */
};

struct report_commands {
	uint64_t tlbi, atc_inv, cfgi, sync, other;
};

struct report {
	enum design_id design;
	unsigned smmus, devices, ats;
	uint64_t ops, maps, unmaps, attaches, detaches, removals;
	uint64_t dma, blocked, stale, lost, unjudged, quarantined, survived;
	uint64_t refused_calls; /**< calls that were meant to fail, and did without a trace */
	uint64_t events;
	uint64_t over; /**< entries that commands dropped although they were still needed */
	struct report_commands commands;
	uint64_t unmap_p50, unmap_p99, unmap_max; /**< nanoseconds */
	uint64_t unmap_total;                     /**< of all unmaps together; replay only */
	uint64_t elapsed_ns;                      /**< by the clock of the run */
	struct violation violation[REPORT_MAX_VIOLATIONS];
	unsigned violations;
};

/** The object of cli.md; the caller puts it. NULL: no memory. */
struct json_object *report_json(const struct report *r, const struct options *o);

/** Commands and time alone, for a comparison. */
struct json_object *report_short_json(const struct report *r);

/** For a person. */
void report_print(FILE *out, const struct report *r, const struct options *o);

/**
 * Write @p top, or complain that there is none, to @p path ("-": standard output). 0, or 2 after a message on
 * standard error. Takes over @p top.
 */
int report_write_json(const char *path, const char *command, struct json_object *top);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file options.h
 * The options that the commands share, read once and checked once.
 */
#ifndef SMMU_CLI_OPTIONS_H
#define SMMU_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "faults.h"

/** The commands, as bits, so that an option can say whom it is for. */
enum command {
	CMD_RUN = 1,
	CMD_REPLAY = 2,
	CMD_ARRAYS = 4,
};

enum design_id { DESIGN_SWEEP, DESIGN_SERIAL, DESIGN_KINDS };

#define OPTIONS_MAX_INJECT 16
#define OPTIONS_MAX_STAGES 8

/** What the command line says, defaults filled in. Strings point into argv. */
struct options {
	enum command command;
	const char *command_name;
	const char *device; /**< "model" or "qemu" */
	const char *iort, *dtb;
	const char *json;  /**< file, "-" for standard output, NULL: none */
	const char *trace; /**< replay: the file */
	unsigned smmus, devices;
	unsigned ats; /**< devices with ATS on each instance */
	unsigned domains;
	uint8_t stage[OPTIONS_MAX_STAGES]; /**< kinds of the domains, in turn: 1 or 2 */
	unsigned n_stages;
	unsigned threads;
	uint64_t ops;     /**< UINT64_MAX: until --seconds are over */
	unsigned seconds; /**< 0: no limit */
	uint64_t seed;
	bool real_clock;
	enum design_id design;
	bool smmus_given, devices_given, ats_given, ops_given, design_given, help;
	struct fault_request inject[OPTIONS_MAX_INJECT];
	unsigned n_inject;
};

/**
 * Read argv[1] … for command @p command named argv[0]. 0; or 2, the exit status, after a message on standard error
 * that names the argument, what was expected, and where to read more. With --help, o->help is set and the rest
 * is not checked.
 */
int options_parse(struct options *o, enum command command, int argc, char **argv);

/** The name of a design as the command line writes it. */
const char *design_name(enum design_id id);

/** True if @p o asks for fault @p id; then *@p every (may be NULL) says how often. */
bool options_fault(const struct options *o, enum fault_id id, unsigned *every);

#endif

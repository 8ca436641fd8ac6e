/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file options.h
 * The options that the commands share, read once and checked once.
 */
#ifndef SMMU_CLI_OPTIONS_H
#define SMMU_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"

/** The commands, as bits, so that an option can say whom it is for. */
enum command {
	CMD_RUN = 1,
	CMD_REPLAY = 2,
	CMD_ARRAYS = 4,
};

/** What the command line says, defaults filled in. Strings point into argv. */
struct options {
	enum command command;
	const char *command_name;
	char who[32];      /**< lab.who: "smmuv3 run" */
	const char *json;  /**< file, "-" for standard output, NULL: none */
	const char *trace; /**< replay: the file */
	bool smmus_given, devices_given, ats_given, ops_given, design_given, help;
	struct lab_config lab;
};

/**
 * Read argv[1] … for command @p command named argv[0]. 0; or 2, the exit status, after a message on standard error
 * that names the argument, what was expected, and where to read more. With --help, o->help is set and the rest
 * is not checked.
 */
int options_parse(struct options *o, enum command command, int argc, char **argv);

#endif

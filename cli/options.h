/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file options.h
 * The options of all commands: one table that says what each takes, for whom, within which limits, and what it means.
 * The parser and `--help` both read it.
 */
#ifndef SMMU_CLI_OPTIONS_H
#define SMMU_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "config.h"

/** The commands, as bits, so that an option can say whom it is for. */
enum command {
	CMD_RUN = 1,
	CMD_REPLAY = 2,
	CMD_ARRAYS = 4,
	CMD_TOPOLOGY = 8,
	CMD_DECODE = 16,
	CMD_BENCH = 32,
};

/** ID registers of the SMMU that a structure is for, as far as they are known. */
struct options_ids {
	uint32_t idr0, idr1, idr3, idr5;
	bool has_idr0, has_idr1, has_idr3, has_idr5;
};

/** What the command line says, defaults filled in. Strings point into argv. */
struct options {
	enum command command;
	const char *command_name;
	char who[32];     /**< lab.who: "smmuv3 run" */
	const char *json; /**< file, "-" for standard output, NULL: none */
	char **words; /**< arguments that are no options, in their order: the start of argv, rearranged */
	int n_words;
	const char *iort, *dtb; /**< files of firmware tables; both NULL: a made-up topology */
	const char *svg, *dot;  /**< pictures: files, or "-"; of bench a folder */
	const char *trace;      /**< bench: a file for one of its tables */
	bool brief;             /**< bench: fewer and smaller steps */
	struct options_ids ids; /**< decode */
	bool strict;            /**< refuse what would be left out with a warning */
	bool all;               /**< use SMMUs that the firmware has disabled too */
	bool dump;              /**< let the driver say how it stands, at the end */
	bool smmus_given, devices_given, ats_given, ops_given, design_given, help;
	struct lab_config lab;
};

/**
 * Read argv[1] … for @p command named argv[0]. 0; or 2, the exit status, after a message on standard error
 * that names the argument, what was expected, and where to read more. With --help, o->help is set and the rest
 * is not checked. `--` ends the options. @p max_words: so many arguments that are no options may stand there.
 */
int options_parse(struct options *o, enum command command, int argc, char **argv, int max_words);

/** A message on standard error in the form of the parser's own; returns 2. */
int options_fail(const struct options *o, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** The options of @p command, a paragraph each. */
void options_print(FILE *out, enum command command);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file option_table.h
 * What each option is, for the parser and for --help.
 */
#ifndef SMMU_CLI_OPTION_TABLE_H
#define SMMU_CLI_OPTION_TABLE_H

#include <stddef.h>

#include "options.h"

enum option_type {
	OPTION_FLAG, /**< takes no value */
	OPTION_TEXT,
	OPTION_HEX32, /**< the value of a register */
	OPTION_NUMBER,
	OPTION_NUMBER64,
	OPTION_DEVICE,
	OPTION_STAGE,
	OPTION_CLOCK,
	OPTION_DESIGN,
	OPTION_INJECT,
};

#define OPTION_NONE SIZE_MAX

struct option {
	const char *name;
	enum option_type type;
	unsigned commands; /**< enum command, ored */
	size_t at; /**< offset in struct options of the member that takes the value, or OPTION_NONE */
	size_t given;      /**< of the bool that notes it, or OPTION_NONE */
	uint64_t min, max; /**< of numbers */
	const char *value; /**< what stands for the value in --help */
	const char *help;  /**< what it means, and its default in parentheses */
};

extern const struct option option_table[];
extern const size_t option_count;

#endif

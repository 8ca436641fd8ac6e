/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file report_print.h
 * What a run found, for people and for scripts.
 */
#ifndef SMMU_CLI_REPORT_PRINT_H
#define SMMU_CLI_REPORT_PRINT_H

#include <stdio.h>

#include "report.h"

struct json_object;

/** The JSON object of run and replay; the caller puts it. NULL: no memory. */
struct json_object *report_json(const struct report *r, const struct lab_config *o);

/** Commands and time alone, for a comparison. */
struct json_object *report_short_json(const struct report *r);

/** For a person. */
void report_print(FILE *out, const struct report *r, const struct lab_config *o);

/**
 * The exit status that @p r leads to: 1 with violations; 2, after a message on standard error, if a fault that was asked for
 * never struck; 0.
 */
int report_status(const struct report *r, const struct lab_config *o);

/**
 * Write @p top, or complain that there is none, to @p path ("-": standard output). 0, or 2 after a message on
 * standard error. Takes over @p top.
 */
int report_write_json(const char *path, const char *command, struct json_object *top);

#endif

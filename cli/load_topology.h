/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file load_topology.h
 * The firmware table that a command line names: read once, its warnings said.
 */
#ifndef SMMU_CLI_LOAD_TOPOLOGY_H
#define SMMU_CLI_LOAD_TOPOLOGY_H

#include "options.h"
#include "topology.h"

struct json_object;

/**
 * Read the table of --iort or --dtb as --strict and --all say, and print what is wrong with it on standard error; with
 * --devices, SMMUs that nothing reaches get made-up devices. Without such an option @p t stays empty. For commands with a
 * machine it is lent to o->lab. 0, or 2 after a message.
 */
int load_topology(struct options *o, struct smmu_topology *t);

/** A warning that belongs to @p file on standard error. */
void say_warning(const struct options *o, const char *file, const char *warning);

/** Add `warnings` and `left_out` of @p t to the JSON object @p top. */
void topology_warnings_json(struct json_object *top, const struct smmu_topology *t);

#endif

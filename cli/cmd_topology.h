/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file cmd_topology.h
 * `smmuv3 topology`: what firmware tables say about SMMUs and who reaches them.
 */
#ifndef SMMUV3_CLI_CMD_TOPOLOGY_H
#define SMMUV3_CLI_CMD_TOPOLOGY_H

#include <stdio.h>

struct json_object;
struct smmu_topology;

/**
 * Run the subcommand. @p argv[0] is "topology". Returns the exit status: 0, or 2 for bad usage or
 * bad input, which has been reported on standard error.
 */
int smmu_cli_topology(int argc, char **argv);

/** Print a topology for people, @p title first. */
void smmu_topology_print(FILE *out, const char *title, const struct smmu_topology *t);

/** A topology in JSON; the caller puts it. NULL without memory. */
struct json_object *smmu_topology_json(const struct smmu_topology *t);

#endif

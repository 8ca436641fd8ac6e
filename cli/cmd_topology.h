/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file cmd_topology.h
 * A topology shown: as text, as JSON, and as a picture.
 */
#ifndef SMMU_CLI_CMD_TOPOLOGY_H
#define SMMU_CLI_CMD_TOPOLOGY_H

#include "topology.h"

#include <stdio.h>

struct json_object;

/** Run the subcommand. @p argv[0] is "topology". Returns the exit status: 0, or 2 after a message. */
int smmu_cli_topology(int argc, char **argv);

/** The topology as JSON; NULL when out of memory. The caller puts it. */
struct json_object *smmu_topology_json(const struct smmu_topology *t);

/** The topology as text for people. */
void smmu_topology_print(FILE *out, const char *title, const struct smmu_topology *t);

/** The name of quirk SMMU_QUIRK_… number @p bit, as text and JSON have it. */
const char *topology_quirk_name(unsigned bit);

/** @name Pictures: each writes to @p path, "-" for standard output. 0, or -1 with errno set @{ */
/** A drawing: roots on the left, instances on the right, and what leads from one to the other. */
int smmu_topology_svg(const char *path, const char *title, const struct smmu_topology *t);
/** The same as a graph for Graphviz. */
int smmu_topology_dot(const char *path, const char *title, const struct smmu_topology *t);
/** @} */

#endif

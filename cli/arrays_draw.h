/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file arrays_draw.h
 * The invalidation arrays of a machine's domains as a picture.
 */
#ifndef SMMU_CLI_ARRAYS_DRAW_H
#define SMMU_CLI_ARRAYS_DRAW_H

#include "machine.h"

/** The name of a kind of operation: "s1-asid" and so on. */
const char *arrays_kind_name(uint32_t kind);

/** Each domain's array over the instances, to @p path, "-" for standard output. 0, or -1 with errno set. */
int arrays_svg(const char *path, const struct machine *m);

#endif

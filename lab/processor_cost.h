/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Made by `make calibrate` (bench/calibrate.py); not to be edited. What an unmap costs the processor under each design, in
 * instructions: per call, per page beyond the first, per batch (a write of PROD and the wait for it), per command.
 * x86-64, -O2, counted by callgrind. The counts are met to within
 *
 *   sweep   20%
 *   serial  2%
 *   list    3%
 *   flush   1%
 */
#ifndef SMMU_LAB_PROCESSOR_COST_H
#define SMMU_LAB_PROCESSOR_COST_H

#include "processor.h"

static const struct processor_cost processor_cost[DESIGN_KINDS] = {
	[DESIGN_SWEEP] = {398.4, 8.4, 161.8, 7.7},
	[DESIGN_SERIAL] = {181.3, 6.0, 48.1, 41.5},
	[DESIGN_LIST] = {147.9, 6.0, 92.5, 28.2},
	[DESIGN_FLUSH] = {143.3, 6.0, 53.4, 23.2},
};

#endif

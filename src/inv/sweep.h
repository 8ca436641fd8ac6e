/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the parts of the sweep. */
#ifndef SMMU_SRC_INV_SWEEP_H
#define SMMU_SRC_INV_SWEEP_H

#include <smmuv3/inv.h>

/** Which operations a program takes. */
enum { SMMU_PHASE_TLB = 1, SMMU_PHASE_ATC = 2, SMMU_PHASE_ALL = 3 };

/** The program of the operations @p first … @p end-1, all of one target, for @p range (NULL: everything). */
void smmu_inv_program_init(struct smmu_inv_program *p, const struct smmu_inv *first,
			   const struct smmu_inv *end, const struct smmu_gather *range,
			   unsigned phase);

#endif

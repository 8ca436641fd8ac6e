/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file backend_part.h
 * What an SMMU of a run is, where the model is the SMMU.
 */
#ifndef SMMU_LAB_BACKEND_PART_H
#define SMMU_LAB_BACKEND_PART_H

#include "backend.h"
#include "model.h"

/** Fill in @p c for SMMU number @p i of the run @p cfg. */
void backend_model_part(struct smmu_model_config *c, const struct backend_model_config *cfg,
			unsigned i);

#endif

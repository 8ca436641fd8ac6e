/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file deduce.h
 * Which cache answered an access, where the device does not tell.
 */
#ifndef SMMU_LAB_DEDUCE_H
#define SMMU_LAB_DEDUCE_H

#include "machine.h"

/** Fill in held_by, missing and text of @p e for an access that should not have ended as it did. */
void deduce(struct machine *m, const struct backend_dma *dma, bool landed,
	    struct backend_evidence *e);

#endif

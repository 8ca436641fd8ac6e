/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file landing.h
 * Streams whose DMA has to land at every moment: it is tried at each register access and at each store of the driver.
 */
#ifndef SMMU_TEST_DRIVER_LANDING_H
#define SMMU_TEST_DRIVER_LANDING_H

#include "rig.h"

/** How often it was tried since landing_watch. */
extern unsigned landing_looks;

/** From here on @p lands must say yes for each of the streams @p a, @p b and @p c (0: none), or the test fails. */
void landing_watch(struct rig *rig, bool (*lands)(uint32_t stream), uint32_t a, uint32_t b,
		   uint32_t c);
/** Try it now. */
void landing_look(void);
void landing_end(struct rig *rig);

#endif

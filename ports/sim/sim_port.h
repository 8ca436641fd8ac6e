/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file sim_port.h
 * The cold path of the port for judging: that of the hosted port, and memory that is not given back while stores linger.
 */
#ifndef SMMU_SIM_PORT_COLD_H
#define SMMU_SIM_PORT_COLD_H

#include "posix_port.h"
#include "shadow.h"

/** As smmu_posix_port_init. */
void sim_port_init(struct smmu_port *port, struct smmu_posix *posix);

/**
 * Let the port's clean and invalidate act on @p shadow: memory as SMMUs see it that are not coherent. What dma_alloc has zeroed
 * is dirty there.
 */
void sim_port_shadow(struct smmu_posix *posix, struct smmu_shadow *shadow);

#endif

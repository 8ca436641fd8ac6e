/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file machine_qemu.h
 * The part of setting a machine up that is another when its SMMUs are QEMU's.
 */
#ifndef SMMU_LAB_MACHINE_QEMU_H
#define SMMU_LAB_MACHINE_QEMU_H

#include "machine.h"

/**
 * Start QEMU as the options of @p m ask, with @p other_bytes and then @p data_bytes of memory for DMA; fill in
 * backend, ram, topology and working_set. Before any thread starts. 0; or 2 after a message on standard error, with
 * what was filled in for the caller to take down.
 */
int machine_qemu_open(struct machine *m, uint64_t other_bytes, uint64_t data_bytes);

/**
 * Start the devices that need memory of their own mapped, in domain 0, to which all are attached for good, somewhere in
 * the gigabyte from @p at on, which nobody else maps. 0, or a negative error after a message. Nothing to do but with
 * QEMU.
 */
int machine_qemu_start(struct machine *m, uint64_t at);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file pci.h
 * What firmware would do for QEMU's PCI: number the buses behind root ports, give each memory BAR an address, open
 * the bridges' windows, let devices be bus masters, and keep their interrupts quiet.
 */
#ifndef SMMU_QEMU_PCI_H
#define SMMU_QEMU_PCI_H

#include <stddef.h>
#include <stdint.h>

#include "qtest.h"

/** Vendor in bits 15:0 and device in 31:16, as the first word of configuration space has them. */
#define PCI_ID_IOMMU_TESTDEV 0x00051b36u
#define PCI_ID_EDU 0x11e81234u
#define PCI_ID_NVME 0x00101b36u

/** A function with memory behind BAR 0. */
struct pci_function {
	uint8_t bus;
	uint8_t devfn; /**< slot in bits 7:3, function in 2:0 */
	uint32_t id;
	uint64_t bar0; /**< its address; 0 when there is none */
};

struct pci_host {
	struct qtest *qtest;
	uint64_t ecam;   /**< base of the enhanced configuration window */
	uint64_t cursor; /**< the next free address of the 32-bit memory window */
	uint64_t limit;  /**< its end */
	struct pci_function *function;
	size_t count, capacity;
};

/**
 * Set up all below root bus @p bus: bridges there get bus+1, bus+2 … in the order they are met, endpoints are added
 * to host->function and may master the bus.
 * @return 0; -SMMU_EIO when the channel died; -SMMU_ENOSPC when the memory window or the function table is full.
 */
int pci_setup(struct pci_host *host, uint8_t bus);

/** One word of configuration space, @p offset a multiple of 4. All ones when the channel is dead. */
uint32_t pci_config_read(const struct pci_host *host, uint8_t bus, uint8_t devfn, uint32_t offset);
int pci_config_write(const struct pci_host *host, uint8_t bus, uint8_t devfn, uint32_t offset,
		     uint32_t value);

#endif

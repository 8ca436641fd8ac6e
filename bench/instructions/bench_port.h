/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file bench_port.h
 * The generic port over registers that answer by themselves: plain memory in which CONS reads as PROD and each
 * acknowledgement as what it acknowledges. So an SMMU here costs one load or store an access, and consumes commands
 * at once: what is left to count is the library's own.
 */
#ifndef SMMU_BENCH_PORT_H
#define SMMU_BENCH_PORT_H

#define smmu_mmio_read32 smmu_mmio_read32_memory
#include <smmuv3/port_generic.h>
#undef smmu_mmio_read32

static inline uint32_t smmu_mmio_read32(const struct smmu_mmio *m, uint32_t offset)
{
	switch (offset) {
	case 0x24: /* CR0ACK: CR0 */
		return smmu_mmio_read32_memory(m, 0x20);
	case 0x44: /* GBPA: Update is clear */
		return smmu_mmio_read32_memory(m, 0x44) & ~0x80000000u;
	case 0x54: /* IRQ_CTRLACK: IRQ_CTRL */
		return smmu_mmio_read32_memory(m, 0x50);
	case 0x9c: /* CMDQ_CONS: CMDQ_PROD */
		return smmu_mmio_read32_memory(m, 0x98);
	default:
		return smmu_mmio_read32_memory(m, offset);
	}
}

#endif

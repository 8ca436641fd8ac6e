/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file raw.h
 * Registers of an SMMU for whoever is not the driver: a former owner, or firmware.
 */
#ifndef SMMU_LAB_RAW_H
#define SMMU_LAB_RAW_H

#include <smmuv3/hw/regs.h>

#include "machine.h"

static inline const struct smmu_bus *raw_bus(const struct machine *m, unsigned smmu)
{
	return m->backend.ops->bus(m->backend.ctx, smmu);
}

static inline void raw_put32(const struct smmu_bus *bus, uint32_t offset, uint32_t value)
{
	bus->ops->write32(bus->ctx, offset, value);
}

static inline void raw_put64(const struct smmu_bus *bus, uint32_t offset, uint64_t value)
{
	bus->ops->write64(bus->ctx, offset, value);
}

static inline uint32_t raw_get32(const struct smmu_bus *bus, uint32_t offset)
{
	return bus->ops->read32(bus->ctx, offset);
}

/** Wait for a register's bits @p mask, for a while: an SMMU with other faults may never get there. */
static inline bool raw_reaches_bits(struct machine *m, const struct smmu_bus *bus, uint32_t offset,
				    uint32_t mask, uint32_t value)
{
	unsigned i;

	for (i = 0; i < 1000 && (raw_get32(bus, offset) & mask) != value; i++)
		machine_pause(m, 500);
	return i < 1000;
}

static inline bool raw_reaches(struct machine *m, const struct smmu_bus *bus, uint32_t offset,
			       uint32_t value)
{
	return raw_reaches_bits(m, bus, offset, UINT32_MAX, value);
}

/** Wait until @p cons commands were consumed; what stands above the index may be anything (6.3.28). */
static inline bool raw_consumed(struct machine *m, const struct smmu_bus *bus, uint32_t cons)
{
	return raw_reaches_bits(m, bus, SMMU_CMDQ_CONS, SMMU_MASK(19, 0), cons);
}

#endif

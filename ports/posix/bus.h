/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file bus.h
 * The small interface through which the hosted port reaches a device: the model in this process, QEMU over its
 * socket, or a layer in between that tampers with what passes.
 */
#ifndef SMMU_POSIX_BUS_H
#define SMMU_POSIX_BUS_H

#include <stddef.h>
#include <stdint.h>

struct smmu_bus_ops {
	/** One register access; @p offset in bytes from the instance's base, naturally aligned. */
	uint32_t (*read32)(void *ctx, uint32_t offset);
	uint64_t (*read64)(void *ctx, uint32_t offset);
	void (*write32)(void *ctx, uint32_t offset, uint32_t value);
	void (*write64)(void *ctx, uint32_t offset, uint64_t value);
	/** The driver waits for this device: let it (and virtual time) go on by one step. */
	void (*relax)(void *ctx);
};

/** One device on the bus. */
struct smmu_bus {
	const struct smmu_bus_ops *ops;
	void *ctx;
};

/** The machine's memory as devices see it: bus addresses base … base+size-1 are at va. */
struct smmu_ram {
	uint8_t *va;
	uint64_t base;
	uint64_t size;
};

/** The host address of @p len bytes at bus address @p bus, or NULL if they are not all inside. */
static inline void *smmu_ram_at(const struct smmu_ram *ram, uint64_t bus, uint64_t len)
{
	if (bus < ram->base || bus - ram->base >= ram->size || len > ram->size - (bus - ram->base))
		return NULL;
	return ram->va + (bus - ram->base);
}

#endif

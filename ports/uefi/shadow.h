/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file shadow.h
 * Copies of buffers ("shadows"), and why most of them cost no command at all.
 *
 * To unmap is dear: a command, a CMD_SYNC and a wait, for each of the thousands of small reads that a boot makes. So a shadow
 * stays mapped for the devices of one address space after its use, and waits in a list for its next one. It holds nothing but
 * what passed between firmware and those devices, so they learn nothing and can spoil nothing that was not theirs already:
 * what a driver gets was copied out, what a device gets is copied in after the shadow was given to it. A shadow that
 * turns up for another address space is unmapped there, confirmed, and zeroed first.
 *
 * Map() does not say for which device it is, so the shadow is a guess: of those with the right size and access the one that was
 * used last.
 */
#ifndef SMMU_UEFI_SHADOW_H
#define SMMU_UEFI_SHADOW_H

#include "grants.h"

#define UEFI_SHADOW_CLASSES 9u /* units times 1, 2, 4, … 256 */

struct uefi_space;

struct uefi_shadow {
	struct uefi_shadow *next; /**< in a list of free ones */
	uint64_t at, size;        /**< whole units; where processor and device see it */
	uint32_t access;          /**< EDKII_IOMMU_READ or _WRITE: of the device */
	uint32_t class;           /**< UEFI_SHADOW_CLASSES: too large to be kept */
	struct uefi_space *space; /**< whose devices reach it; NULL: none */
	struct uefi_grant grant;  /**< in that space's list */
};

/** Where shadows come from. */
struct uefi_shadow_ops {
	/** Whole units that end at @p below or before, aligned to a unit, and the record; NULL. Not zeroed. */
	struct uefi_shadow *(*allocate)(void *ctx, uint64_t size, uint64_t below);
	void (*release)(void *ctx, struct uefi_shadow *shadow);
	/** Take it from its space and wait until that is confirmed; sets space to NULL. 0 or negative. */
	int (*withdraw)(void *ctx, struct uefi_shadow *shadow);
};

struct uefi_shadows {
	const struct uefi_shadow_ops *ops;
	void *ctx;
	uint64_t granule;
	uint64_t keep_max; /**< bytes that may lie in the lists */
	uint64_t kept;
	struct uefi_shadow *free[UEFI_SHADOW_CLASSES][2]; /**< last used first; by read and write */
	uint64_t lost; /**< bytes that a device may still reach: never used again */
};

/** A shadow of at least @p size bytes (whole units) for @p access, ending at @p below or before. NULL: no memory. */
struct uefi_shadow *uefi_shadow_take(struct uefi_shadows *s, uint64_t size, uint32_t access,
				     uint64_t below);

/**
 * Its use is over: it is kept for the next, still mapped, or given back. @p keep false: it is always given back. Negative: it
 * was to be given back, and the SMMU did not confirm that nobody reaches it: it is lost.
 */
int uefi_shadow_release(struct uefi_shadows *s, struct uefi_shadow *shadow, bool keep);

#endif

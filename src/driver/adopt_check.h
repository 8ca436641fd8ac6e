/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a former owner's tables: adopt.c, adopt_check.c, adopt_walk.c. */
#ifndef SMMU_SRC_DRIVER_ADOPT_CHECK_H
#define SMMU_SRC_DRIVER_ADOPT_CHECK_H

#include <smmuv3/adopt.h>
#include <smmuv3/hw/legal.h>

#include "driver.h"

/** A first table, or tables in a row, and how they are walked. */
struct smmu_adopt_root {
	uint64_t table;
	uint32_t entries; /**< descriptors */
	uint8_t granule;  /**< log2 */
	uint8_t level;    /**< of the first table */
	uint8_t out;      /**< bits of output addresses */
};

#define SMMU_ADOPT_SEEN 32

/** What one adoption knows so far. */
struct smmu_adopt_check {
	const struct smmu_adopt_config *cfg;
	struct smmu_id_regs id;
	struct smmu_former_tags tags; /**< with e2h EL2 has two halves */
	/** The stream table that stays in use where it is: nothing of the former owner's may lead there. */
	struct smmu_adopt_range strtab;
	uint32_t budget; /**< tables that may still be looked at */
	/** Ids in use: bitmaps of as many bits as the part has ids. */
	uint64_t *asids, *vmids;
	uint32_t nr_asids, nr_vmids;
	/** The roots that were found good last, since streams share them. */
	struct smmu_adopt_root seen[SMMU_ADOPT_SEEN];
	uint32_t n_seen;
};

/** Where the @p size bytes at @p bus are, if all are trusted memory and none is the stream table; else NULL. */
const void *smmu_adopt_at(const struct smmu_adopt_check *c, uint64_t bus, uint64_t size);
/** True if what lies at @p bus may be a target of DMA. */
bool smmu_adopt_target_ok(const struct smmu_adopt_check *c, uint64_t bus, uint64_t size);
/** One more table is looked at. False: that is too many. */
bool smmu_adopt_spend(struct smmu_adopt_check *c);
/** NULL, or why the tables at @p root cannot be trusted. */
const char *smmu_adopt_walk(struct smmu_adopt_check *c, const struct smmu_adopt_root *root);
/** True if @p ste passes traffic of any kind. */
bool smmu_adopt_passes(const struct smmu_ste *ste);
/** NULL, or why the traffic of @p ste, which passes, has to abort. Its ids are noted. */
const char *smmu_adopt_ste(struct smmu_adopt_check *c, const struct smmu_ste *ste);

#endif

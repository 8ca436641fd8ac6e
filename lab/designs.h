/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file designs.h
 * Invalidation designs, side by side on the same queues and the same model: how an unmap is made safe, and what
 * attach and detach pay for it.
 */
#ifndef SMMU_LAB_DESIGNS_H
#define SMMU_LAB_DESIGNS_H

#include <smmuv3/domain.h>

#include "config.h"

struct machine;
struct machine_domain;

/** A reader-writer lock that spins; under the virtual clock a waiting fiber lets the others run. */
struct design_lock {
	uint32_t readers;
	uint32_t writer;
};

struct design {
	const char *name;
	/**
	 * Unmap, and return when no access can use the old translation: 0 or the error of smmu_unmap. Contexts and
	 * locks: the design's own.
	 */
	int (*unmap)(struct machine *m, struct machine_domain *d, uint64_t iova, uint64_t size);
	/** An unmap in steps, or NULL: start it, with *@p tables empty; it is finished by the fence and smmu_unmap_release. */
	int (*unmap_start)(struct machine *m, struct machine_domain *d, uint64_t iova,
			   uint64_t size, struct smmu_freelist *tables, struct smmu_fence *f);
	/** Around a change of the attachments to @p d (NULL: no domain with a table); @p ats: of an ATS device. */
	void (*change_begin)(struct machine_domain *d, bool ats);
	void (*change_end)(struct machine_domain *d, bool ats);
};

const struct design *design_get(enum design_id id);

/** The fault "early-free": @p tables go back while walks may still be in them, for a while. */
void design_early_free(struct machine *m, struct machine_domain *d, struct smmu_freelist *tables);

/** Finish a started unmap whose fence is done: release the tables unless a fault has done it already. */
void design_release(struct machine *m, struct machine_domain *d, struct smmu_freelist *tables);

/**
 * An unmap of a design without a fence: unmap, barrier, @p invalidate, and free the tables, if all SMMUs have confirmed. 0, the
 * error of smmu_unmap, or that of @p invalidate (-SMMU_EIO).
 */
int design_unmap(struct machine *m, struct machine_domain *d, uint64_t iova, uint64_t size,
		 int (*invalidate)(struct machine *m, struct machine_domain *d,
				   const struct smmu_gather *g));

extern const struct design design_sweep, design_serial, design_list, design_flush;

#endif

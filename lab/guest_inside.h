/* SPDX-License-Identifier: BSD-2-Clause */
/** @file guest_inside.h A guest as the files about guests see it. */
#ifndef SMMU_LAB_GUEST_INSIDE_H
#define SMMU_LAB_GUEST_INSIDE_H

#include <smmuv3/nested.h>
#include <smmuv3/pgtable.h>

#include "guest.h"

/** Of guest.renumbering. */
#define GIVEN_UP 2u

/** What a guest writes into the STEs of its devices. */
enum { TRANSLATES, TRANSLATES_TOO, ABORTS, STES };

struct guest_smmu {
	struct smmu_vsmmu v;
	struct smmu_domain nested[STES];
	uint32_t turn; /**< which of them is next */
	uint32_t up;   /**< it may be used, in a read section */
	bool made;
};

struct guest {
	struct machine *m;
	/**
	 * Memory that the parent maps one to one: addresses in it mean the same to host and guest.
	 */
	void *memory;
	uint64_t bus;
	uint64_t used;   /**< bytes from its start on that were handed out once */
	uint64_t *freed; /**< tables that were given back, each with the next one's address in it */
	/** Protects the two above; any context. */
	struct smmu_spinlock lock;
	struct smmu_port port;
	struct smmu_port_ops ops;
	struct smmu_pgtable table;
	uint64_t cd;
	uint32_t asid;
	/** Not 0: it changes, and entries of two may be cached; GIVEN_UP: until the next change. */
	uint32_t renumbering;
	struct guest_smmu *smmu;
};

/** Write the guest's CD, with another ASID in a single store. */
void guest_write_cd(struct guest *g, unsigned asid);
/** The name that a guest has for stream @p k of a device. */
uint32_t guest_name_of(const struct machine_device *dev, unsigned k);

#endif

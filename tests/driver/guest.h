/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file guest.h
 * A guest's memory for the driver's tests: its CDs and its table, at addresses that are its own.
 */
#ifndef SMMU_TEST_DRIVER_GUEST_H
#define SMMU_TEST_DRIVER_GUEST_H

#include <smmuv3/nested.h>

#include "rig.h"

/**
 * Where the guest has its CDs and its table; and page @p n of the memory that its devices use,
 * which is RIG_PA(n).
 */
#define GUEST_CDS 0x40000000ull
#define GUEST_IPA(n) (0x80000000ull + (n)*0x1000ull)
#define GUEST_DATA_PAGES 16

struct guest {
	struct rig *rig;
	struct smmu_domain *parent;
	uint64_t *page[4]; /**< CDs, and tables of levels 1 to 3 */
};

/** Pages for CDs and tables, and GUEST_DATA_PAGES, mapped in @p parent; CD 0 with ASID 1. */
void guest_init(struct guest *g, struct rig *rig, struct smmu_domain *parent);
/** Unmap all of it that is mapped. */
void guest_fini(struct guest *g);
/** Write CD @p ssid. */
void guest_cd(struct guest *g, unsigned ssid, unsigned asid);
/** Write the leaf of @p va, below 2 MiB; 0: none. No invalidation: that is the guest's. */
void guest_map(struct guest *g, uint64_t va, uint64_t ipa);
/** An STE for one CD at GUEST_CDS. */
struct smmu_ste guest_ste(const struct guest *g, bool ats);
/** The most that instance @p i lets guests be shown. */
struct smmu_id_regs guest_shown(struct rig *rig, unsigned i);
/** A virtual SMMU on instance @p i. */
void guest_vsmmu(struct smmu_vsmmu *v, struct rig *rig, unsigned i, struct smmu_domain *parent);

/**
 * A guest with a parent of its own, a virtual SMMU on instance 0 and two devices that it knows as
 * streams 0x50 and 0x51.
 */
struct guest_vm {
	struct smmu_domain parent, nested;
	struct guest guest;
	struct smmu_vsmmu v;
	struct rig_device d[2];
};

/** Make it; the devices are streams @p stream and the next, and attached. */
void guest_vm_up(struct rig *rig, struct guest_vm *m, uint32_t stream, bool ats);
void guest_vm_down(struct guest_vm *m);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file sva.h
 * Shared virtual addressing: a domain over a translation table that somebody else owns, as a rule
 * the processors' table of a process, under the ASID that it has there.
 *
 * The owner writes the table; the driver never does. It gives notice of each range of which it
 * changed or removed a translation, after the change is visible to walks and before it uses the
 * memory for anything else. Leaves have to be tagged by ASID (nG), since a sweep of an ASID spares
 * global ones (IHI 0070 G.b, 3.17.1).
 *
 * Devices attach substreams (smmu_attach_pasid), any number of them, behind any number of
 * instances. Context descriptors have ASET = 0 (IHI 0070 G.b, 5.4): the ASID is one that processors
 * use. On each instance it belongs to this domain alone: smmu_sva_reserve keeps the library from
 * taking ids that the owner hands out, and an attach is refused where somebody has the id.
 *
 * **When the ASID changes** (the owner's allocator has rolled over): smmu_sva_renumber; then
 * smmu_sva_update of each attached substream, in any order; then smmu_sva_renumbered, with 0: the
 * old ASID is nobody's here. In between an instance may have devices under both, and each notice
 * sweeps both.
 *
 * **When the owner goes** and devices may still be at work: smmu_sva_release; smmu_sva_update of
 * each attached substream; then smmu_sva_released, with 0: no walk is in the table, and none
 * comes, so that it may be freed. Accesses are refused without a record from then on; detaching is
 * as ever.
 */
#ifndef SMMUV3_SVA_H
#define SMMUV3_SVA_H

#include <smmuv3/device.h>

SMMU_BEGIN_DECLS

/** The table and its walks, as TCR_EL1 and MAIR_EL1 of the owner have them for TTBR0. */
struct smmu_sva_config {
	const struct smmu_port *port;
	/** Bus address of the first table, aligned to its size and to 64 bytes. */
	uint64_t ttb;
	uint64_t mair;
	/** 1 and up; above 255 only for SMMUs with 16 bits (IDR0.ASID16). */
	uint16_t asid;
	/** 12, 14 or 16. */
	uint8_t granule_shift;
	/** Input address bits, 25 to 48. */
	uint8_t ias;
	/** Output address bits: 32, 36, 40, 42, 44, 48, or 52 with 64K. */
	uint8_t oas;
	/** Cacheability of walks, inner and outer: 0 to 3, as TCR_EL1.IRGN0 and ORGN0. */
	uint8_t ir0, or0;
	/** Shareability of walks: 0, 2 or 3, as TCR_EL1.SH0. */
	uint8_t sh0;
};

/**
 * Make a domain over somebody else's table. smmu_map and smmu_unmap of it return
 * -SMMU_EOPNOTSUPP, and so does smmu_attach: it is for substreams. It ends with smmu_domain_fini.
 *
 * @return 0; -SMMU_EINVAL: a value of @p cfg is not allowed, and smmu_domain_fini of @p d does
 *   nothing. Does not sleep.
 */
int smmu_sva_init(struct smmu_domain *d, const struct smmu_sva_config *cfg);

/**
 * Leave the ASIDs @p first to @p last of an enabled instance, cut to those that it has, to owners
 * of tables: the library takes none of them from now on.
 *
 * @return 0; -SMMU_EINVAL: @p first is 0 or above @p last; -SMMU_EBUSY: the library has handed one
 *   of them out. Nothing has changed then. May sleep.
 */
int smmu_sva_reserve(struct smmu_instance *inst, uint16_t first, uint16_t last);

/**
 * Notice that translations of @p start to @p last (inclusive) were changed or removed, or tables
 * that led to them: invalidates every TLB and ATC that may hold them, on all instances at once, and
 * waits.
 *
 * @return 0: no access uses them any more; -SMMU_EIO as for smmu_unmap. Any context; does not
 *   sleep, takes no lock.
 */
int smmu_sva_notice(struct smmu_domain *d, uint64_t start, uint64_t last);

/**
 * The same in two steps: @p f is finished as after smmu_unmap_submit. Any context; does not sleep.
 */
void smmu_sva_submit(struct smmu_domain *d, uint64_t start, uint64_t last, struct smmu_fence *f);

/**
 * Bring an attached substream to what its domain is now: under its new ASID, or to a descriptor
 * that leads nowhere. Without a moment at which its accesses fail, but for those that are to.
 *
 * @return
 *   0             it is, or is attached to nothing, or to a domain of another kind
 *   -SMMU_EBUSY, -SMMU_ERANGE, -SMMU_ENOMEM, -SMMU_EIO  as for smmu_attach_pasid. After all but
 *                 -SMMU_EIO nothing has changed; of a domain that was released -SMMU_EIO alone is
 *                 possible, as one that finds no memory is detached
 *   -SMMU_ENODEV  the instance was removed
 *
 * May sleep.
 */
int smmu_sva_update(struct smmu_device *dev, uint32_t ssid);

/**
 * The owner's table goes by @p asid from now on, for substreams that are attached or updated.
 *
 * @return 0; -SMMU_EINVAL: @p asid is 0; -SMMU_EBUSY: the ASID before the present one is still in
 *   use. Nothing has changed then. May sleep.
 */
int smmu_sva_renumber(struct smmu_domain *d, uint16_t asid);

/**
 * After smmu_sva_renumber and the updates: is the old ASID out of use? TLBs are cleaned of it
 * before anybody gets it here again.
 *
 * @return 0; -SMMU_EBUSY: a substream has it still, or left it without the SMMU confirming that.
 *   May sleep.
 */
int smmu_sva_renumbered(struct smmu_domain *d);

/** The owner goes: nobody can attach to @p d any more, and updates quiesce. May sleep. */
void smmu_sva_release(struct smmu_domain *d);

/**
 * After smmu_sva_release and the updates: waits until no walk is in the table.
 *
 * @return 0: there is none, and none comes; -SMMU_EBUSY: a substream leads there still, or left
 *   without the SMMU confirming that; -SMMU_EIO: what caches hold was not confirmed to be gone. The
 *   table must stay then; ask again. May sleep.
 */
int smmu_sva_released(struct smmu_domain *d);

SMMU_END_DECLS

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file dirty.h
 * Which pages devices have written: a domain whose tables the SMMUs mark (HTTU; IHI 0070 G.b,
 * 3.13), for who copies memory while it is used, as in a live migration.
 *
 * A domain is made for it (struct smmu_domain_config, dirty). Its devices are behind SMMUs that
 * mark what is written and are coherent (SMMU_FEAT_DIRTY); others cannot be attached. Each mapping
 * that may be written is dirty at first, and costs nothing more than in any other domain; or, after
 * smmu_domain_set_dirty_tracking, it begins clean, and the first write to it, or the first request
 * for writing of an ATC, marks it.
 *
 * The order of a copy: start tracking; read all, and copy all; read again and copy what was
 * written, again and again; let the devices rest, read a last time, and copy that.
 */
#ifndef SMMUV3_DIRTY_H
#define SMMUV3_DIRTY_H

#include <smmuv3/domain.h>

SMMU_BEGIN_DECLS

/** Bits of the flags of smmu_domain_read_dirty. */
enum smmu_dirty_flags {
	/** Only look: what is dirty stays so, and nothing is swept. */
	SMMU_DIRTY_KEEP = 1,
	/**
	 * Do not wait for the SMMUs to show what they have marked: a write of before the call may
	 * be reported by the next one. For all reads of a copy but the last.
	 */
	SMMU_DIRTY_SOON = 2,
};

/**
 * From now on, or no longer, what is mapped begins clean. Devices may be attached and do DMA
 * meanwhile. What is mapped already stays as it is: read it, to begin with it clean. Calls of map
 * that are under way may still do otherwise.
 *
 * @param d   made by smmu_domain_init, with dirty
 * @param on  begin clean
 *
 * @return 0; -SMMU_EOPNOTSUPP: the domain was not made for it: unchanged
 *
 * Any context; does not sleep, takes no lock. IHI 0070 G.b, 3.13.3.
 */
int smmu_domain_set_dirty_tracking(struct smmu_domain *d, bool on);

/**
 * Report what devices have written of a range, and make it clean: a later write is reported again.
 *
 * When the call returns 0, the bits are set of all pages to which a write was complete before the
 * call, since the range was read last, or mapped; and such a write is in memory, for who copies the
 * page now. A write during the call is reported by it or by the next one, and in the former case is
 * in memory too. A page may be reported that nobody wrote: where a block is mapped all of it, a new
 * mapping that began dirty, or one for which an ATC asked.
 *
 * @param d       made by smmu_domain_init, with dirty
 * @param iova    input address
 * @param size    bytes; both are multiples of the granule, and no block begins before the range and
 *                ends in it, or begins in it and ends behind
 * @param flags   SMMU_DIRTY_…
 * @param bitmap  has all of the range; bits are set in it, none is cleared. NULL: nobody wants to
 *                know, the range becomes clean
 *
 * @return
 *   0
 *   -SMMU_EINVAL      as said at the parameters: nothing changed
 *   -SMMU_ERANGE      beyond the input size: nothing changed
 *   -SMMU_EOPNOTSUPP  the domain was not made for it: nothing changed
 *   -SMMU_EIO         an SMMU, or the cut-off of a device, was not confirmed: what was dirty is so
 *                     again, and will be reported again. Of @p bitmap more bits may be set
 *
 * The range is this call's, as that of a map or unmap is: no other may overlap it. Any context;
 * does not sleep, takes no lock. IHI 0070 G.b, 3.13.3, 3.13.4, 3.21.1.
 */
int smmu_domain_read_dirty(struct smmu_domain *d, uint64_t iova, uint64_t size, uint32_t flags,
			   const struct smmu_dirty_bitmap *bitmap);

SMMU_END_DECLS

#endif

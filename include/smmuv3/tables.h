/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file tables.h
 * The tables of a domain while it is used: blocks that are split so that a part of them can be
 * unmapped, tables that become blocks again, and empty tables that go away. What is mapped goes on
 * being translated, at each moment.
 *
 * Splits and joins need SMMUs that bear a change of size (IDR3.BBML 1 or 2, which SMMUv3.2 and
 * later have; IHI 0070 G.b, 3.21.1.1): all that devices of the domain are behind. Where one does
 * not, there is no way without a moment in which the range is not mapped, and who can bear that
 * unmaps it and maps it again. A domain to which nothing is attached has no such limit.
 */
#ifndef SMMUV3_TABLES_H
#define SMMUV3_TABLES_H

#include <smmuv3/domain.h>

SMMU_BEGIN_DECLS

/**
 * Split blocks until none has @p iova in its middle. Other calls may run at the same time, but for
 * unmaps and readings (dirty.h) of a part of such a block, which is theirs only once a split of
 * their own has returned 0.
 *
 * @param d     made by smmu_domain_init
 * @param iova  input address, a multiple of the granule
 *
 * @return
 *   0
 *   -SMMU_EINVAL, -SMMU_ERANGE  @p iova
 *   -SMMU_EOPNOTSUPP  the domain has no table, or one that cannot; or there is a block to split,
 *                     and a device is behind an SMMU with IDR3.BBML 0
 *   -SMMU_ENOMEM      no memory for a table
 *   -SMMU_EIO         an SMMU did not confirm: as for smmu_unmap, a later one settles it
 *
 * After each of these the same is mapped as before. Waits for attaches and detaches of the domain:
 * may sleep. IHI 0070 G.b, 3.21.1.2, 3.21.1.3.
 */
int smmu_tables_split(struct smmu_domain *d, uint64_t iova);

/**
 * smmu_unmap of a range that may begin or end in a block, which is split there.
 *
 * @return 0, or an error of smmu_tables_split or smmu_unmap; after all but -SMMU_EIO the same is
 *   mapped as before
 *
 * May sleep. Parameters are those of smmu_unmap.
 */
int smmu_unmap_split(struct smmu_domain *d, uint64_t iova, uint64_t size, uint32_t flags);

/**
 * Let tables become blocks that are full of what a block can say: one run of memory, with the same
 * permissions and attributes. Dirty state (dirty.h) is kept: of a block one page of which was
 * written all is dirty.
 *
 * @param d     made by smmu_domain_init
 * @param iova  input address
 * @param size  bytes; both are multiples of the granule. The range is this call's: no other may
 *              overlap it
 *
 * @return how many became blocks; or
 *   -SMMU_EINVAL, -SMMU_ERANGE  the range
 *   -SMMU_EOPNOTSUPP  the domain has no table, or one that cannot; or there is something to join,
 *                     and a device is behind an SMMU with IDR3.BBML 0
 *   -SMMU_EIO         an SMMU did not confirm: what it did not confirm is a table again
 *
 * After each of these the same is mapped as before. Waits for attaches and detaches of the domain:
 * may sleep. IHI 0070 G.b, 3.21.1.2, 3.21.1.3.
 */
int smmu_tables_join(struct smmu_domain *d, uint64_t iova, uint64_t size);

/**
 * Let tables go in which nothing is mapped any more: unhook, sweep, free.
 *
 * @param d     made by smmu_domain_init
 * @param iova  input address
 * @param size  bytes; both are multiples of the granule. The range is this call's: no other, map or
 *              unmap, may overlap it. Tables of which it has not all stay
 *
 * @return how many went; or
 *   -SMMU_EINVAL, -SMMU_ERANGE  the range: nothing changed
 *   -SMMU_EOPNOTSUPP  the domain has no table, or one that cannot
 *   -SMMU_EIO         an SMMU did not confirm: what it did not confirm is there again
 *
 * Any context; does not sleep, takes no lock. IHI 0070 G.b, 3.21.1.
 */
int smmu_tables_reclaim(struct smmu_domain *d, uint64_t iova, uint64_t size);

SMMU_END_DECLS

#endif

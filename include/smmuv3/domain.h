/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file domain.h
 * A domain: an address space that devices are attached to. It belongs to no instance: devices behind any number of
 * SMMUs share it, and its array of operations says whom to tell when it changes.
 */
#ifndef SMMUV3_DOMAIN_H
#define SMMUV3_DOMAIN_H

#include <smmuv3/gather.h>
#include <smmuv3/inv.h>
#include <smmuv3/pgtable.h>
#include <smmuv3/port.h>

SMMU_BEGIN_DECLS

enum smmu_domain_kind {
	SMMU_DOMAIN_BLOCKED,  /**< every access aborts */
	SMMU_DOMAIN_IDENTITY, /**< input address = output address */
	SMMU_DOMAIN_STAGE1,   /**< a stage-1 table, tagged by ASID */
	SMMU_DOMAIN_STAGE2,   /**< a stage-2 table, tagged by VMID */
};

struct smmu_domain_config {
	const struct smmu_port *port;
	enum smmu_domain_kind kind;
	uint8_t granule_shift; /**< 12, 14 or 16; 0: 12 */
	uint8_t ias;           /**< input address bits; 0: 48 */
	uint8_t oas;           /**< output address bits; 0: 48 */
	bool non_coherent; /**< clean the cache after descriptor writes: an SMMU on it is not coherent */
	struct smmu_pgtable *
		table; /**< the embedder's own table, initialised, stays the embedder's; NULL: one is made */
};

/** The embedder owns the memory; fields are private. */
struct smmu_domain {
	const struct smmu_port *port;
	enum smmu_domain_kind kind;
	bool non_coherent;
	struct smmu_pgtable *table;
	struct smmu_pgtable own_table;
	uint32_t users;             /**< attachments, whatever the kind */
	struct smmu_inv_array *inv; /**< published; readers follow it without a lock */
	struct smmu_inv_debt debt;  /**< what sweeps of it could not confirm */
	struct smmu_mutex
		lock; /**< serialises writers of inv; attach side, may sleep; never taken by a sweep */
};

/** -SMMU_EINVAL, -SMMU_ENOMEM: nothing is kept. May sleep. */
int smmu_domain_init(struct smmu_domain *d, const struct smmu_domain_config *cfg);

/** Free a domain to which nothing is attached (-SMMU_EBUSY otherwise, unchanged). Waits for readers: may sleep. */
int smmu_domain_fini(struct smmu_domain *d);

/**
 * Map @p size bytes at @p iova to @p pa with SMMU_PROT_… and the flags SMMU_MAP_… of pgtable.h; multiples of the granule.
 * Needs no invalidation: nothing was mapped there before. Calls on disjoint ranges may run at the same time. Takes no
 * lock. May sleep (in dma_alloc), but not with SMMU_MAP_ATOMIC in @p flags.
 * @return 0; or after an error nothing has changed:
 *   -SMMU_EEXIST, -SMMU_ENOMEM, -SMMU_ERANGE, -SMMU_EINVAL as struct smmu_pgtable_ops says
 *   -SMMU_EOPNOTSUPP the domain has no table
 */
int smmu_map(struct smmu_domain *d, uint64_t iova, uint64_t pa, uint64_t size, uint32_t prot,
	     uint32_t flags);

/**
 * Unmap @p size bytes at @p iova (@p flags: SMMU_UNMAP_… of pgtable.h) and invalidate every TLB and ATC that may hold them, on all instances at once. When
 * this returns 0 no access can use the old translation. -SMMU_ENOENT, -SMMU_EINVAL, -SMMU_EOPNOTSUPP: nothing changed.
 * -SMMU_EIO: unmapped, but an instance is dead and may still hold it; tables that went away are kept from reuse, for ever.
 * Does not sleep; takes no lock.
 */
int smmu_unmap(struct smmu_domain *d, uint64_t iova, uint64_t size, uint32_t flags);

/** @name The same in steps
 *  unmap into a gather, submit, do other work, finish the fence, release the tables. None of them sleeps. @{ */
/**
 * Unmap, and add what went away to @p g and @p tables, which the caller made empty with smmu_gather_init(g, 0) and
 * `{NULL}`. Any number of unmaps of this domain may go into one pair: the range grows over what lies between them.
 * Errors as smmu_unmap's, after which neither a translation nor the pair has changed.
 */
int smmu_unmap_gather(struct smmu_domain *d, uint64_t iova, uint64_t size, uint32_t flags,
		      struct smmu_gather *g, struct smmu_freelist *tables);
void smmu_unmap_submit(struct smmu_domain *d, const struct smmu_gather *g, struct smmu_fence *f);
/** Free @p tables and empty the list; only after the fence over their gather is finished with 0. */
void smmu_unmap_release(struct smmu_domain *d, struct smmu_freelist *tables);
/** @} */

/** Invalidate everything of the domain everywhere. 0 or -SMMU_EIO, as smmu_unmap. */
int smmu_flush_all(struct smmu_domain *d);

/** Output address and permissions at @p iova; -SMMU_EFAULT where nothing is mapped. */
int smmu_iova_to_phys(struct smmu_domain *d, uint64_t iova, uint64_t *pa, uint32_t *prot);

SMMU_END_DECLS

#endif

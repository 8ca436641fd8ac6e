/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file domain.h
 * A domain: an address space that devices are attached to. It belongs to no instance: devices
 * behind any number of SMMUs share it, and its array of operations says whom to tell when it
 * changes.
 */
#ifndef SMMUV3_DOMAIN_H
#define SMMUV3_DOMAIN_H

#include <smmuv3/debug.h>
#include <smmuv3/gather.h>
#include <smmuv3/inv.h>
#include <smmuv3/pgtable.h>
#include <smmuv3/port.h>
#include <smmuv3/vsmmu.h>

SMMU_BEGIN_DECLS

enum smmu_domain_kind {
	SMMU_DOMAIN_BLOCKED,  /**< every access aborts */
	SMMU_DOMAIN_IDENTITY, /**< input address = output address */
	SMMU_DOMAIN_STAGE1,   /**< a stage-1 table, tagged by ASID */
	SMMU_DOMAIN_STAGE2,   /**< a stage-2 table, tagged by VMID */
	/** A guest's STE over a stage-2 domain: smmu_nested_init of nested.h. */
	SMMU_DOMAIN_NESTED,
};

struct smmu_instance;
struct smmu_vsmmu;

/** What is left 0 is chosen so that it fits `instances`; without those, as said at each field. */
struct smmu_domain_config {
	const struct smmu_port *port;
	enum smmu_domain_kind kind;
	/** 12, 14 or 16; 0: the smallest that all have, or 12. */
	uint8_t granule_shift;
	/** Input address bits; 0: 48, at stage 2 no more than oas. */
	uint8_t ias;
	/** Output address bits; 0: the least that one of them has, up to 48, or 48. */
	uint8_t oas;
	/**
	 * Clean the cache after descriptor writes; needed for SMMUs that are not coherent, and
	 * chosen if one of them is not.
	 */
	bool non_coherent;
	/**
	 * The SMMUs mark what devices write (dirty.h). Not with non_coherent; for domains with
	 * tables.
	 */
	bool dirty;
	/**
	 * The embedder's own table, initialised; it stays the embedder's, and sizes come from it.
	 * Not a coherent one for a domain that is non_coherent, and one that has dirty state for
	 * one that is dirty. NULL: one is made.
	 */
	struct smmu_pgtable *table;
	/**
	 * SMMUs that devices of the domain are going to be behind, probed; only looked at by
	 * smmu_domain_init.
	 */
	const struct smmu_instance *const *instances;
	uint32_t nr_instances;
};

/**
 * What a domain over somebody else's table is now (sva.h). Private; written under the domain's
 * lock.
 */
struct smmu_sva {
	/** 0: the domain's ids are the library's. */
	uint16_t asid;
	/** Before a renumbering; 0: none is under way. */
	uint16_t old;
	uint32_t released;
	/** Attachments whose descriptors lead to the table. */
	uint32_t leading;
};

/** The embedder owns the memory; fields are private. */
struct smmu_domain {
	const struct smmu_port *port;
	enum smmu_domain_kind kind;
	bool non_coherent;
	struct smmu_pgtable *table;
	struct smmu_pgtable own_table;
	/** Nested: whose guest, and what it decided. Else NULL. */
	struct smmu_vsmmu *vsmmu;
	struct smmu_guest_ste guest;
	/**
	 * Attachments, whatever the kind, with those that the SMMU did not confirm to be over; and
	 * virtual SMMUs whose parent it is.
	 */
	uint32_t users;
	/** Published; readers follow it without a lock. */
	struct smmu_inv_array *inv;
	struct smmu_sva sva;
	/** What sweeps of it could not confirm. */
	struct smmu_inv_debt debt;
	/** Serialises writers of inv; attach side, may sleep; never taken by a sweep. */
	struct smmu_mutex lock;
	/** On a cache line of its own, apart from what sweeps read. */
	struct smmu_domain_counts counts __attribute__((aligned(64)));
};

/**
 * Make a domain.
 *
 * @return
 *   0
 *   -SMMU_EINVAL      no port, an unknown kind, sizes that no table has, or a table that does not
 *                     go with the rest
 *   -SMMU_EOPNOTSUPP  no granule that all of cfg->instances have; or dirty, and one of them lacks
 *                     SMMU_FEAT_DIRTY
 *   -SMMU_ENOMEM
 *
 * After an error nothing is kept, and smmu_domain_fini of it does nothing. May sleep.
 */
int smmu_domain_init(struct smmu_domain *d, const struct smmu_domain_config *cfg);

/**
 * Free a domain to which nothing is attached. Waits for sweeps that are under way: may sleep.
 *
 * @return 0; -SMMU_EBUSY: a device is attached, or was, and the SMMU has not confirmed that it is
 *   not (smmu_device_confirmed), so that something cached may lead to the domain's tables; or it is
 *   the parent of virtual SMMUs. Unchanged
 */
int smmu_domain_fini(struct smmu_domain *d);

/**
 * Map a range. Needs no invalidation: nothing was mapped there before. Calls on disjoint ranges may
 * run at the same time.
 *
 * @param d      made by smmu_domain_init
 * @param iova   input address
 * @param pa     output address
 * @param size   bytes; all three are multiples of the granule
 * @param prot   SMMU_PROT_… of pgtable.h
 * @param flags  SMMU_MAP_… of pgtable.h
 *
 * @return
 *   0
 *   -SMMU_EEXIST, -SMMU_ENOMEM, -SMMU_ERANGE, -SMMU_EINVAL  as struct smmu_pgtable_ops says
 *   -SMMU_EOPNOTSUPP  the domain has no table
 *
 * After an error nothing has changed. Takes no lock. May sleep (in dma_alloc), but not with
 * SMMU_MAP_ATOMIC in @p flags.
 */
int smmu_map(struct smmu_domain *d, uint64_t iova, uint64_t pa, uint64_t size, uint32_t prot,
	     uint32_t flags);

/**
 * Unmap a range and invalidate every TLB and ATC that may hold it, on all instances at once.
 *
 * @param d      made by smmu_domain_init
 * @param iova   input address
 * @param size   bytes; both are multiples of the granule
 * @param flags  SMMU_UNMAP_… of pgtable.h
 *
 * @return
 *   0                 no access can use the old translation any more, nor any that an unmap of
 *                     before could not clear
 *   -SMMU_ENOENT      a page of the range is not mapped: nothing changed
 *   -SMMU_EINVAL, -SMMU_ERANGE  as struct smmu_pgtable_ops says: nothing changed
 *   -SMMU_EOPNOTSUPP  the domain has no table
 *   -SMMU_EIO         unmapped, but an SMMU, or the cut-off of a device that does not answer, was
 *                     not confirmed: what was unmapped may still be used, and its memory must not
 *                     be. The domain remembers it: until a later unmap or smmu_flush_all returns 0,
 *                     each invalidates everything. Tables that went away are kept from reuse, for
 *                     ever
 *
 * Any context; does not sleep, takes no lock. IHI 0070 G.b, 4.4, 4.5.1, 4.7.3.
 */
int smmu_unmap(struct smmu_domain *d, uint64_t iova, uint64_t size, uint32_t flags);

/**
 * @name The same in steps
 *  unmap into a gather, submit, do other work, finish the fence, release the tables. None of them
 *  sleeps. @{
 */
/**
 * Unmap, and add what went away to a pair of gather and list. Any number of unmaps of this domain
 * may go into one pair: the range grows over what lies between them.
 *
 * @param d       made by smmu_domain_init
 * @param iova    input address
 * @param size    bytes; both are multiples of the granule
 * @param flags   SMMU_UNMAP_… of pgtable.h
 * @param g       the caller made it empty with smmu_gather_init(g, 0)
 * @param tables  the caller made it empty with `{NULL}`
 *
 * @return 0; or an error of smmu_unmap but -SMMU_EIO, after which neither a translation nor the
 *   pair has changed
 *
 * Any context; does not sleep.
 */
int smmu_unmap_gather(struct smmu_domain *d, uint64_t iova, uint64_t size, uint32_t flags,
		      struct smmu_gather *g, struct smmu_freelist *tables);
/** Start the invalidation of what @p g holds: smmu_inv_submit. */
void smmu_unmap_submit(struct smmu_domain *d, const struct smmu_gather *g, struct smmu_fence *f);
/** Free @p tables and empty the list; only after the fence over their gather is finished with 0. */
void smmu_unmap_release(struct smmu_domain *d, struct smmu_freelist *tables);
/** @} */

/**
 * Invalidate everything of the domain everywhere.
 *
 * @param d  made by smmu_domain_init
 *
 * @return 0; -SMMU_EIO as for smmu_unmap
 *
 * Any context; does not sleep, takes no lock.
 */
int smmu_flush_all(struct smmu_domain *d);

/**
 * Where an address leads.
 *
 * @param d     made by smmu_domain_init
 * @param iova  input address
 * @param pa    the output address
 * @param prot  SMMU_PROT_… that the descriptor allows; NULL for who does not ask
 *
 * @return
 *   0
 *   -SMMU_EFAULT      nothing is mapped there
 *   -SMMU_ERANGE      beyond the input size
 *   -SMMU_EOPNOTSUPP  the domain has no table
 *
 * After an error nothing is stored. Any context; does not sleep, takes no lock.
 */
int smmu_iova_to_phys(struct smmu_domain *d, uint64_t iova, uint64_t *pa, uint32_t *prot);

SMMU_END_DECLS

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file owner.h Domains of stage "sva": over a table that somebody else owns, as a processor's of a
 * process. The owner is the lab: it writes the table, hands out ASIDs from a small pool, so that
 * they come back soon, and gives the driver notice of what it has taken away.
 *
 * To the judge such a domain is one of stage 1. Devices reach it by substreams alone.
 */
#ifndef SMMU_LAB_OWNER_H
#define SMMU_LAB_OWNER_H

#include "machine.h"

struct owner;
struct owner_asids;

/** @name ASIDs that owners hand out @{ */
/** Room for those of all owners of a run and as many again. 0 or -1: no memory. */
int owner_asids_init(struct machine *m, const struct machine_config *cfg);
/** Leave them to owners on SMMU number @p smmu, which has just been enabled. 0 or the driver's error. */
int owner_asids_reserve(struct machine *m, unsigned smmu);
/** True if @p id is one of them. */
bool owner_asids_has(const struct machine *m, uint32_t id);
/** @} */

/** True if SMMU number @p smmu can walk such a table: it snoops the processors' caches. */
bool owner_fits(const struct machine *m, unsigned smmu);

/** Make an empty table and the domain over it, @p d->d. 0, or a negative error with nothing made. */
int owner_open(struct machine *m, struct machine_domain *d);
/** No walk is in the table: it goes, with what is in it, before the domain does. */
void owner_drop_table(struct machine_domain *d);
/** The domain is finished, or no walk comes any more: the table goes, with what is in it. No owner: nothing. */
void owner_close(struct machine *m, struct machine_domain *d);

/** @name The owner changes its table. Errors as smmu_map and smmu_unmap @{ */
int owner_map(struct machine_domain *d, uint64_t iova, uint64_t pa, uint64_t size, unsigned prot,
	      unsigned flags);
int owner_lookup(struct machine_domain *d, uint64_t iova, uint64_t *pa, uint32_t *prot);
/** Take away; the tables that went are in @p tables. The notice is the caller's (design_sweep.c). */
int owner_unmap(struct machine_domain *d, uint64_t iova, uint64_t size,
		struct smmu_freelist *tables);
/** The notice of @p tables was confirmed. */
void owner_release_tables(struct machine_domain *d, struct smmu_freelist *tables);
/** @} */

/** @name Renumbering, one caller at a time (owner_take) @{ */
bool owner_take(struct machine_domain *d);
void owner_give(struct machine_domain *d);
/** Begin, unless it is under way. False: there is no ASID left. */
bool owner_renumber(struct machine *m, struct machine_domain *d);
/** True if the ASID of before is out of use; it goes back to the pool then. */
bool owner_renumbered(struct machine *m, struct machine_domain *d);
/** @} */

/**
 * Substreams of a device go to owners' domains, one after the other, where its own traffic leaves room for them. 0 or the
 * driver's error.
 */
int owner_attach_pasids(struct machine_device *d);

/**
 * Bring slot @p slot of @p dev, which the caller has taken and which is attached to an owner's domain, to what that is now.
 * @p released: it leads nowhere from then on. 0 or the driver's error.
 */
int machine_sva_update(struct machine_device *dev, unsigned slot, bool released);
/** The driver has said that nothing leads to the table of a domain that was released: slot @p slot reaches nothing. */
void machine_sva_gone(struct machine_device *dev, unsigned slot);

#endif

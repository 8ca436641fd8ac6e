/* SPDX-License-Identifier: BSD-2-Clause */
/** @file guest_inside.h A guest as the files about guests see it. */
#ifndef SMMU_LAB_GUEST_INSIDE_H
#define SMMU_LAB_GUEST_INSIDE_H

#include <smmuv3/nested.h>
#include <smmuv3/pgtable.h>

#include "guest.h"

#define GUEST_BYTES (8ull << 20)

/** Of guest.renumbering. */
#define GIVEN_UP 2u

/** What a guest writes into the STEs of its devices. */
enum { TRANSLATES, TRANSLATES_TOO, ABORTS, STES };

/** … of those that have substreams of the guest: what becomes of traffic without one (S1DSS). */
enum { OF_SUBSTREAM_0, PASSES_STAGE_1, TERMINATED, TABLE_STES };

/** Not the number of any address space of a guest: there is no CD. */
#define NO_SPACE GUEST_SPACES

/** The CDs that a guest has for the substreams of a device, and the STEs that name them. */
struct guest_device {
	bool asked;  /**< whether it is to have a table: once, before anybody reads that */
	bool made;   /**< there is a table */
	bool nested; /**< and there are domains of its STEs */
	bool two_levels;
	unsigned cdmax;
	uint64_t table;             /**< bus address of what the STEs name */
	uint64_t cd[MACHINE_SSIDS]; /**< of the CD of each slot; 0: beyond the table */
	/** Of the descriptor of a leaf that the slot has for itself, and what it is when it is valid; 0: it has none. */
	uint64_t l1[MACHINE_SSIDS], leaf[MACHINE_SSIDS];
	/**
	 * The address space that each slot is led to; while that changes, what it becomes, too. Whoever has the device writes.
	 */
	uint32_t space[MACHINE_SSIDS], next[MACHINE_SSIDS];
	/** What the CD in memory says. Under the guest's cds_lock. */
	uint32_t written[MACHINE_SSIDS];
	struct smmu_domain ste[TABLE_STES];
};

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
	struct smmu_pgtable table[GUEST_SPACES];
	uint64_t cd;
	uint32_t asid;   /**< of space 0; the others keep theirs (guest_asid) */
	unsigned number; /**< of all guests */
	/** Protects the words of CDs, and which ASID is written into those of space 0; any context. */
	struct smmu_spinlock cds_lock;
	uint32_t cd_asid;
	struct guest_device *device; /**< of each of the machine; NULL: no substreams */
	/** Not 0: it changes, and entries of two may be cached; GIVEN_UP: until the next change. */
	uint32_t renumbering;
	struct guest_smmu *smmu;
};

/** Its memory is there: make the port of its page tables. */
void guest_memory_init(struct guest *g);
/** Memory of the guest, zeroed; *@p bus is its address. NULL: it has no more. */
void *guest_memory(struct guest *g, size_t size, size_t align, uint64_t *bus);
/** The guest's memory at @p bus. */
void *guest_at(const struct guest *g, uint64_t bus);
void guest_clean(const struct guest *g, const void *va, size_t size);
/** The guest that knows the device of that name; NULL: none does. */
struct guest *guest_with(const struct machine_device *dev);

/** What a substream of @p dev, which is attached to a guest's, leads to by a CD of space @p space. */
unsigned guest_space_leads(const struct machine_device *dev, unsigned space);

/** ASIDs of space 0 are below. */
#define GUEST_ASIDS 200u
static inline uint32_t guest_asid(const struct guest *g, unsigned space)
{
	return space ? GUEST_ASIDS + space : smmu_load(&g->asid);
}

/** Write all CDs of space 0, each with another ASID in a single store. */
void guest_write_cds(struct guest *g, uint32_t asid);
/** The CD of a slot becomes one of @p space, or invalid: by itself, or by the descriptor of its leaf where that is its own. */
void guest_write_slot(struct guest *g, struct guest_device *d, unsigned slot, unsigned space,
		      bool by_leaf);
/** The words of an STE besides config and CDs: how CDs are read; ATS. */
uint64_t guest_ste_w1(const struct machine_domain *d, bool other);
/** @name CD tables, and the domains of their STEs on SMMU number @p smmu. 0 or the driver's error @{ */
int guest_make_cds(struct guest *g, struct machine_domain *d, unsigned smmu);
int guest_end_cds(struct guest *g, unsigned smmu);
/** @} */
/** The name that a guest has for stream @p k of a device. */
uint32_t guest_name_of(const struct machine_device *dev, unsigned k);

#endif

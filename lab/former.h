/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file former.h
 * A former owner of one SMMU, who is not the library: a stream table, context descriptors and translation tables of shapes that
 * the library does not make as well as of those that it does, and DMA by them. It may have been a kernel or a hypervisor: with stage 1 in
 * EL1, under a VMID of its own or not, in EL2, with and without E2H, and with a guest, whose stage 1 lies in the guest's memory. Its tables map the machine's own reserved
 * memory (machine_table.h) and nothing else, as every domain of the run does, so that whoever leads a device from the one
 * to the other can do so without one access lost.
 *
 * All of it lies in the heap, so that the model sees any access to it after it was given back.
 */
#ifndef SMMU_LAB_FORMER_H
#define SMMU_LAB_FORMER_H

#include <smmuv3/adopt.h>

#include "machine.h"

#define FORMER_MOST_TABLES 6u
#define FORMER_MOST_CDS 16u
#define FORMER_QUEUE_LOG2 7u

/** Where a table's memory comes from, and what is added to an address there to be the one that a pointer has. */
struct former_pool {
	uint64_t at, end; /**< in the arena: what is left */
	uint64_t offset;
};

/** A translation table. */
struct former_table {
	uint8_t stage, granule, bits, level; /**< level: of its first table */
	uint64_t root;                       /**< its bus address, whatever who walks it calls it */
	struct former_pool *pool;
	uint64_t known; /**< an input address that it maps */
	unsigned id;    /**< ASID or VMID */
	bool damaged;
};

/** Who walks stage 1 of a stream. */
enum former_world {
	FORMER_EL1,
	FORMER_EL2, /**< STRW EL2, with CR2.E2H as it is */
	FORMER_GUEST,
};

/** A table of context descriptors; devices with as many substreams in the same world share it. */
struct former_cds {
	enum former_world world;
	uint8_t ssid_bits, fmt;
	uint64_t bus;
	unsigned s1dss;
	bool valid[MACHINE_SSIDS];
	unsigned table[MACHINE_SSIDS]; /**< of those that are; a guest has one */
	bool damaged;
};

/** What a device's STEs are. */
struct former_device {
	unsigned config; /**< SMMU_STE_CONFIG_…; 0: it aborts */
	unsigned table;  /**< stage 2 alone: which */
	unsigned cds;    /**< stage 1: which */
	bool pcie, ats;
	bool damaged; /**< something that it uses is: it must not be kept */
};

struct former {
	struct machine *m;
	unsigned smmu;
	bool (*taken)(const struct machine *m, uint32_t asid);
	struct smmu_random random;
	uint32_t idr0, idr1, idr5;
	/** The first level of the stream table, or all of a linear one: in use until the SMMU is removed. */
	void *first;
	uint64_t first_bus, first_bytes;
	/** All else, until the adoption ends. */
	uint8_t *arena;
	uint64_t arena_bus, arena_bytes;
	/** The former owner's, and its guest's: that is where stage 2 of the guest leads, at addresses of the guest's own. */
	struct former_pool own, guest;
	uint64_t guest_bus, guest_bytes;
	unsigned log2, split; /**< of the stream table; split 0: linear */
	bool e2h;             /**< CR2.E2H */
	unsigned worlds;      /**< where stage 1 is: a bit for each former_world but guests' */
	unsigned el2_table;   /**< without E2H all streams of EL2 have one tag, and so one table */
	unsigned vmid;        /**< of streams of stage 1 alone */
	struct former_table table[FORMER_MOST_TABLES];
	unsigned tables;
	struct former_table guest_s1, guest_s2;
	struct former_cds cds[FORMER_MOST_CDS];
	unsigned n_cds;
	uint64_t cmdq, eventq;
	struct former_device *of; /**< by the number of the device in the machine */
	bool hurt;                /**< something is damaged */
};

/** Make one for SMMU number @p smmu, with tables for all its devices; @p taken: whose ASIDs are
 * others'. NULL: memory is short, or the stream table too large. */
struct former *former_make(struct machine *m, unsigned smmu,
			   bool (*taken)(const struct machine *m, uint32_t asid), uint64_t seed);
/** It takes the SMMU, which nobody uses, and lets all its devices go. False: the SMMU does not answer. */
bool former_start(struct former *f);
/** It disables the SMMU. False: that does not answer. */
bool former_stop(struct former *f);
/** If it has the SMMU: its devices use no ATS from here on, as who takes an SMMU by force has to see to (3.9.1). */
void former_quiet(struct former *f);
/** Nothing but the first level of the stream table is in use any more. */
void former_end(struct former *f);
/** Nothing of it is in use any more. NULL is nobody. */
void former_free(struct former *f);

/** What the judge takes slot @p slot of @p d to be attached to while it goes by the former owner's tables, if none is damaged. */
unsigned former_leads(const struct former *f, const struct machine_device *d, unsigned slot);
/**
 * May @p d, which was adopted, go from what the former owner has for it to stage @p stage (0: to pass untranslated) without a moment of
 * refusal? @p lse2: processors store two words in one piece.
 */
bool former_no_gap(const struct former *f, const struct machine_device *d, unsigned stage,
		   bool lse2);
/** Must an adoption keep the device going? @p bypass: it keeps what passes untranslated. */
bool former_kept(const struct former *f, const struct machine_device *d, bool bypass);

/**
 * Damage something in the tables of devices, while they do DMA, that makes them tables nobody may trust; what those devices do
 * until they are stopped means nothing (machine_device.wild). False: there was nothing to damage.
 */
bool former_damage(struct former *f);

/** @name Between its files @{ */
/** @p size bytes of @p pool, aligned to that or to @p align, zeroed; NULL: its memory is used up. */
void *former_take(struct former *f, struct former_pool *pool, uint64_t size, uint64_t align,
		  uint64_t *bus);
/** A word of its memory. */
uint64_t *former_word(const struct former *f, uint64_t bus);
/** Make table @p t for its stage. False: memory is used up. */
bool former_table_make(struct former *f, struct former_table *t, unsigned stage);
/** Make both tables of the guest. */
bool former_guest_make(struct former *f);
/** The stage 2 by which a device goes; NULL: none. */
struct former_table *former_stage2(struct former *f, const struct former_device *of);
/** The descriptor in use for @p iova at the level of leaves, or above it where the walk ends. */
uint64_t *former_table_leaf(struct former *f, const struct former_table *t, uint64_t iova);
/** A CD of @p cds that is in use: of slot @p slot of a device. */
uint64_t *former_cd(struct former *f, const struct former_cds *cds, unsigned slot);
/** The STE of a stream; NULL: it has none. */
uint64_t *former_ste(struct former *f, uint32_t stream);
/** Everybody sees what was stored. */
void former_publish(struct former *f);
/** @} */

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file diff.h
 * The same sequence of driver calls and DMAs on two SMMUs at once: the model of this project and QEMU's SMMUv3. Each
 * has two instances and memory of its own, at the same bus addresses and handed out in the same order, so that every
 * address means the same on both. What the driver returns, where a DMA lands and every field of every event has to be the
 * same; docs/model.md lists what is not.
 *
 * A sequence is a list of steps, each with a seed of its own, and means something whatever steps are left out: that is
 * what makes shrinking possible.
 */
#ifndef TESTS_DIFF_H
#define TESTS_DIFF_H

#include <stdio.h>

#include <smmuv3/device.h>
#include <smmuv3/hw/cmd.h>
#include <smmuv3/hw/regs.h>

#include "model.h"
#include "sim_port.h"
#include "qemu.h"
#include "random.h"

#define INSTANCES 2u
#define TESTDEVS 3u
#define DEVICES (INSTANCES * (TESTDEVS + 1)) /* an edu behind each instance, for reads */
#define DOMAINS 6u
#define PARENT DOMAINS /* stage 2 of nested streams; no device is ever attached to it */
#define RANGES 24u
#define TAINTS 12u
#define PASTS 8u
#define POOL_SIZE (8ull << 20)
#define EVENTS 8u
/** VMIDs of nested streams: no driver call hands these out in a short sequence. */
#define NEST_VMID 0xe000u
#define NEST_ASID 0x0d00u
/** An address that neither machine has memory at; below 4 GiB, as QEMU cuts TTB0 off at IPS once it has a PA. */
#define NOWHERE 0x90000000ull

enum { MODEL, QEMU, SIDES };

struct side {
	const struct smmu_ram *ram;
	struct smmu_heap heap;
	struct smmu_posix posix;
	struct smmu_port port;
	struct smmu_instance inst[INSTANCES];
	struct smmu_device dev[DEVICES];
	struct smmu_domain dom[DOMAINS + 1];
};

/** What both sides have in common: what the steps know of the state. */
struct unit {
	const struct qemu_device *hw;
	unsigned smmu;
	uint32_t stream;
	bool edu;
	bool added;
	int dom; /**< slot it is attached to, or -1 */
	int nest; /**< slot that is its stage 1 over PARENT, or -1: its STE is ours, not the driver's */
	uint64_t cd; /**< bus address of the CD of a nested stream */
};

struct range {
	uint64_t iova, size, pa;
	bool mapped; /**< else it was, once */
};

struct space {
	bool live;
	enum smmu_domain_kind kind;
	unsigned granule, ias, oas;
	unsigned users, nested;
	unsigned nranges;
	struct range range[RANGES];
};

/** How one access ends, as far as a stale entry can tell. */
struct past {
	bool ok;
	uint64_t delta; /**< output - input */
};

/** Memory was changed and some cache was not told: any of the pasts, or what memory says now. */
struct taint {
	bool used;
	unsigned instance;
	int key; /**< see key_of() */
	uint64_t iova, size;
	unsigned npasts;
	struct past past[PASTS];
};

struct tally {
	uint64_t steps, calls, dmas, landed, refused, stale[SIDES], commands, cerrors;
	uint64_t event[256];
	uint64_t known; /**< outcomes that differ as docs/model.md says */
	uint64_t nested;
};

struct world {
	struct qemu *qemu;
	struct smmu_model *model;
	struct smmu_ram model_ram;
	struct side *side; /**< [SIDES] */
	uint64_t pool;     /**< bus address, aligned to its size; DMA goes nowhere else */
	bool up[INSTANCES];
	struct unit unit[DEVICES];
	struct space space[DOMAINS + 1];
	struct taint taint[TAINTS];
	unsigned parent_granule;
	bool aptable;           /**< a table descriptor denies writes at the moment */
	struct smmu_random rng; /**< of the step */
	unsigned step;
	struct tally tally;
	FILE *trace; /**< or NULL */
	bool differs;
	char why[512];
};

/* --- side.c: the two sides --- */

/** Domains, devices and instances of a fresh sequence. @p seed is of the model's whims. False: a setup call failed. */
bool world_up(struct world *w, uint64_t seed);
void world_down(struct world *w);

/** Note on the trace. */
void say(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** The two sides do not agree, or one contradicts the architecture. The first reason is kept. */
void differ(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Compare what a call returned on both sides. */
bool same(struct world *w, const char *call, int model, int qemu);

/** Issue @p c and CMD_SYNC on instance @p i of both sides; results have to be the same. */
void command(struct world *w, unsigned i, struct smmu_cmd c);

/** A 64-bit word of memory at @p bus on side @p s. */
uint64_t *word_at(struct world *w, unsigned s, uint64_t bus);
/** Store @p value at @p bus on both sides. */
void poke(struct world *w, uint64_t bus, uint64_t value);
uint64_t peek(struct world *w, uint64_t bus);

/**
 * One access of four bytes on both sides, compared: as each other where no cache may be stale, else as one of those
 * that the architecture allows. Not done where it would write outside the pool.
 */
void access_both(struct world *w, unsigned dev, uint64_t iova, bool write);
/** The same without comparison: whatever caches hold, the architecture leaves it open. @p iova is outside RAM. */
void access_open(struct world *w, unsigned dev, uint64_t iova, bool write);

/* --- taint.c: what may be stale --- */

/** Instance @p i may still answer as @p past for @p key at @p iova + @p size. Memory has changed already. */
void taint_add(struct world *w, unsigned i, int key, uint64_t iova, uint64_t size,
	       struct past past);
/** Instance @p i was told about @p iova of @p key. */
void taint_clear(struct world *w, unsigned i, int key, uint64_t iova);
/** Instance @p i was told about all of @p key (-1: about everything). */
void taint_clear_all(struct world *w, unsigned i, int key);
/** The taint that covers an access under @p key, or NULL. */
struct taint *taint_find(struct world *w, unsigned i, int key, uint64_t iova);

/* --- steps.c: driver calls --- */

#define PICK(w, n) ((unsigned)smmu_random_below(&(w)->rng, (n)))
#define CHANCE(w, a, b) smmu_random_chance(&(w)->rng, (a), (b))

/** The slot through which @p dev is translated, or -1. */
int slot_of(const struct world *w, unsigned dev);
/** What taints of @p dev go by: a slot is cached once for all who are attached to it, and for each nested stream. */
int key_of(const struct world *w, unsigned dev);
bool has_table(const struct world *w, int slot);
/** A device that is attached (or nested) to @p slot, on instance @p i if that is not -1; -1: none. */
int device_on(struct world *w, int slot, int i);
/** A range of @p slot, mapped or not as asked; NULL: none. */
struct range *range_of(struct world *w, int slot, bool mapped);
/** An address inside @p r whose output, if mapped as noted, is in the pool. */
uint64_t inside(struct world *w, const struct range *r);
/** Any address that may be worth an access by @p dev. */
uint64_t some_iova(struct world *w, unsigned dev);
/** A page of the pool, aligned to @p granule_shift. */
uint64_t pool_page(struct world *w, unsigned granule_shift);
/** Where the STE of @p dev is; eight words there, or at any other place. */
uint64_t ste_bus(struct world *w, unsigned dev);
void read8(struct world *w, uint64_t bus, uint64_t v[8]);
void write8(struct world *w, uint64_t bus, const uint64_t v[8]);
/** Fill in stage 2 of @p ste from PARENT. */
void nest_stage2(struct world *w, struct smmu_ste *ste);
/** Drop what makes @p dev nested. */
void nest_off(struct world *w, unsigned dev);
/** Tell the caches of nested streams that tables of @p slot changed. */
void nest_invalidate(struct world *w, int slot);
/** Tell every cache that tables of @p slot changed: by ASID or VMID. */
void invalidate_slot(struct world *w, int slot);
/** The ASID or VMID of @p slot on instance @p i, the same on both sides; -1: it has none there. */
int tag_of(struct world *w, int slot, unsigned i);

void step_domain(struct world *w);
void step_device(struct world *w);
void step_attach(struct world *w);
void step_detach(struct world *w);
void step_map(struct world *w);
void step_unmap(struct world *w);
void step_flush(struct world *w);
void step_access(struct world *w);
void step_instance(struct world *w);

/* --- raw.c, entries.c, nest.c: below the driver --- */

void step_leaf(struct world *w);    /**< a leaf descriptor changes; invalidations of all kinds */
void step_table(struct world *w);   /**< a table descriptor is broken and mended */
void step_command(struct world *w); /**< commands, legal or not */
void step_ste(struct world *w);     /**< an STE is changed, and mended */
void step_cd(struct world *w);      /**< a CD is changed, and mended */
void step_nest(struct world *w);    /**< a stream becomes nested, or stops being so */
void step_parent(struct world *w);  /**< stage 2 of nested streams changes */

/** Where the descriptor of @p iova in the table of @p slot is, at the last level or @p level at most; 0: not there. */
uint64_t descriptor(struct world *w, int slot, uint64_t iova, unsigned level, unsigned *found);
/** An invalidation of everything, and of all configuration, on instance @p i. */
void forget_all(struct world *w, unsigned i);

#endif

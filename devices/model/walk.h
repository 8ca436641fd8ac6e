/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file walk.h
 * What walks of both stages share (walk.c).
 */
#ifndef SMMU_MODEL_WALK_H
#define SMMU_MODEL_WALK_H

#include "internal.h"

#define LOW56 0x00ffffffffffffffULL

/** One stage of a walk. */
struct walk {
	unsigned stage, granule, start, ia_bits, oa_bits, cls;
	uint64_t addr; /* input */
	uint64_t table;
	bool table_is_ipa, had, one_privilege;
	bool ds;             /* descriptors of 52 bits with small granules */
	bool from_root;      /* use no cached pointer */
	bool clean_is_dirty; /* HD: what is writable-clean may be written */
	uint16_t perms;      /* what the tables above leave */
	/* answers */
	uint64_t desc;
	uint64_t at, at_ipa; /* where the descriptor is; NO_IPA: not known, or none */
	unsigned level, shift;
};

#define NO_IPA UINT64_MAX
/* A descriptor changes between its load and its update: by others. */
#define MOST_TRIES 64u

enum again { WALK_FAILED, WALK_DONE, WALK_AGAIN };

enum again model_walk_over(struct xlate *x, const struct walk *w, uint8_t type);
void model_walk_note_hit(struct xlate *x, const struct tlb_entry *e);
unsigned model_walk_level_shift(unsigned granule, unsigned level);
/** Follow the tables to the leaf: w->desc, w->level, w->shift. */
bool model_walk_tables(struct instance *in, struct xlate *x, struct walk *w);
/** With level 1 of BBML a block with nT is used, and not kept. */
bool model_walk_leaves_no_trace(const struct instance *in, const struct walk *w);
/** Where the leaf leads, and how much around the input it maps. */
void model_walk_leaf_range(struct instance *in, const struct walk *w, uint64_t *out,
			   unsigned *span_log2);
/** A block may be held whole or in pieces of a 512th. */
uint8_t model_walk_piece_log2(struct instance *in, unsigned span_log2, unsigned granule, bool fill);
/**
 * Update the flags of the leaf of @p w, whose stage sets AF (@p ha) and is to be marked dirty (@p dirty), or not. AGAIN: the
 * descriptor is another by now, or where it is has to be found out by a whole walk.
 */
enum again model_walk_update_leaf(struct instance *in, struct xlate *x, struct walk *w, bool ha,
				  bool dirty);
/** @p cls: the access itself (CLASS_IN), or one of the SMMU's own, which are data. */
bool model_walk_s2_allows(const struct xlate *x, uint16_t perms, bool write, unsigned cls);

#endif

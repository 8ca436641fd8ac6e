/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file inv_program.h
 * From a range and an array of operations to the commands of one SMMU (inv.h). All of it in any
 * context in which the array stays; each plan and program has one user at a time.
 */
#ifndef SMMUV3_INV_PROGRAM_H
#define SMMUV3_INV_PROGRAM_H

#include <smmuv3/gather.h>
#include <smmuv3/hw/cmd.h>
#include <smmuv3/inv_array.h>

SMMU_BEGIN_DECLS

/** @name Plans: exact cover of a range by commands
 *  @{ */

/**
 * The range as stage-1 and stage-2 TLBI commands see it, for targets with or without range
 * commands.
 */
struct smmu_tlbi_plan {
	uint64_t addr; /**< next address */
	uint64_t left; /**< granules (or leaves, without range commands) still to cover */
	uint64_t w1;   /**< LEAF, TTL and TG of every command */
	uint8_t shift; /**< log2 of the unit that left counts */
	bool range;
	bool whole;     /**< too many commands: use the whole-id form */
	uint32_t count; /**< commands for one id */
};
void smmu_tlbi_plan_init(struct smmu_tlbi_plan *p, const struct smmu_gather *g, bool range,
			 uint32_t max);
/** The next command's bits for word 0 (NUM, SCALE) and word 1; false after the last. */
bool smmu_tlbi_plan_next(struct smmu_tlbi_plan *p, uint64_t *w0, uint64_t *w1);

/** The range as ATC_INV spans: aligned powers of two of 4096 bytes. */
struct smmu_atc_plan {
	uint64_t page; /**< next page */
	uint64_t last; /**< last page, inclusive */
	bool done;
	uint32_t count;
};
void smmu_atc_plan_init(struct smmu_atc_plan *p, uint64_t start, uint64_t last, uint32_t max);
/** Word 1 (ADDR and SIZE) of the next span; false after the last. */
bool smmu_atc_plan_next(struct smmu_atc_plan *p, uint64_t *w1);
/** @} */

/** @name Programs: the commands of one instance in one sweep
 *  @{ */

/** @p count commands of one operation that differ by @p add in word 1 only. */
struct smmu_inv_step {
	uint64_t w0, w1; /**< of the first of them, less the operation's word */
	uint64_t add;
	uint32_t count;
};

/** What a range means to instances of one make: made once for all of them. */
struct smmu_inv_plan {
	const struct smmu_inv_target *target; /**< made for the likes of it */
	bool all;                             /**< no range: everything */
	/** Each operation is one command by range: w0 and w1 of the steps tell, and no more. */
	bool single;
	bool atc_made;
	struct smmu_inv_step tlbi_step, atc_step; /**< the first, */
	struct smmu_tlbi_plan tlbi;               /**< and what follows it */
	struct smmu_atc_plan atc;
};

#define SMMU_INV_SEGMENTS 5

/** A run of operations, by their places; a CMD_SYNC stands between one segment and the next. */
struct smmu_inv_segment {
	uint32_t first, end;
};

/** How a program is written. */
enum smmu_inv_mode {
	SMMU_INV_ONE,         /**< it is one TLBI */
	SMMU_INV_ONE_AND_ATC, /**< one TLBI and ATC_INVs, each for the range, not written yet */
	SMMU_INV_AT_ONCE,     /**< all operations alike, one command each, not written yet */
	SMMU_INV_ALL,         /**< all alike */
	SMMU_INV_CAREFUL,     /**< some may be gone, or devices cut off, or they are not alike */
};

struct smmu_inv_program {
	/** The TLBI of SMMU_INV_ONE (only left and mode are used besides) and _ONE_AND_ATC. */
	struct smmu_cmd one;
	uint32_t left;
	uint8_t mode;  /**< enum smmu_inv_mode */
	uint8_t asked; /**< enum smmu_inv_asked: whose ATC_INV it has */
	bool cutting;  /**< it met a device that is being cut off */
	const struct smmu_inv_array *array;
	const struct smmu_inv_plan *plan;
	const struct smmu_inv_group *group;
	/* At once: nothing beyond is used. */
	bool started;     /**< careful: the step below belongs to the operation */
	uint8_t more;     /**< which plan goes on behind the step */
	uint8_t segments; /**< how many, */
	uint8_t at;       /**< and the one being written */
	uint32_t place;   /**< the operation being written */
	uint32_t skipped; /**< in a row */
	uint32_t era;     /**< careful: of the target when the program was begun */
	uint32_t last;    /**< the operation that the last ATC_INV was for */
	struct smmu_inv_segment segment[SMMU_INV_SEGMENTS];
	uint64_t word; /**< careful: word 0 of the operation */
	struct smmu_inv_step step;
	struct smmu_tlbi_plan tlbi;
	struct smmu_atc_plan atc;
};

/** How many commands smmu_inv_program_next will write in all. */
static inline uint32_t smmu_inv_program_count(const struct smmu_inv_program *p)
{
	return p->left;
}

/**
 * The command of a program of one, which most are, until smmu_inv_program_next has written it;
 * else NULL. For who can take it faster by itself than through a function.
 */
static inline const struct smmu_cmd *smmu_inv_program_one(const struct smmu_inv_program *p)
{
	return p->mode == SMMU_INV_ONE ? &p->one : NULL;
}

/**
 * Write the next commands, at most @p room, to @p dst. Returns how many: @p room until the program
 * ends.
 */
size_t smmu_inv_program_next(struct smmu_inv_program *p, struct smmu_cmd *dst, size_t room);
/** @} */

SMMU_END_DECLS

#endif

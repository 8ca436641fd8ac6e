/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file inv_array.h
 * The operations of a domain, sorted, and how attach and detach change them (inv.h).
 */
#ifndef SMMUV3_INV_ARRAY_H
#define SMMUV3_INV_ARRAY_H

#include <smmuv3/inv_target.h>

SMMU_BEGIN_DECLS

/** What an operation clears. The order of the values is the order within an instance. */
enum smmu_inv_kind {
	SMMU_INV_S1_ASID, /**< stage-1 entries of an ASID; id = ASID */
	SMMU_INV_S2_VMID, /**< stage-2 entries of a VMID; id = VMID */
	/** All stage-1 entries under a VMID (a nesting parent changed); id = VMID. */
	SMMU_INV_S2_VMID_S1_CLEAR,
	SMMU_INV_ATS,      /**< the range in one stream's ATC; id = stream, with its substream */
	SMMU_INV_ATS_FULL, /**< all of one stream's ATC (the range has no meaning to the device) */
};

/**
 * One operation. The commands are half built: a sweep adds the address and stores sixteen bytes.
 */
struct smmu_inv {
	/** Not to be followed once users is 0: it may be gone. */
	struct smmu_inv_target *target;
	/** target->index, kept here for the same reason. */
	uint32_t index;
	uint32_t kind; /**< enum smmu_inv_kind */
	uint32_t id;   /**< ASID, VMID or stream */
	/** ATS: substream + 1, or 0 for traffic without one; else 0. */
	uint32_t substream;
	/** Attachments that share it; 0: gone, skipped by sweeps. */
	uint32_t users;
	uint64_t by_range; /**< word 0 of the command that takes an address */
	uint64_t whole;    /**< word 0 of the command for everything under the id */
	/** ATS: the device, never NULL; else NULL. Not to be followed once users is 0. */
	struct smmu_inv_owner *owner;
};

/**
 * The operations of one instance in an array, by their places there: TLB entries by id from first
 * on, those of SMMU_INV_S2_VMID_S1_CLEAR from clear on, ATS from ats to end. And what all ATS
 * operations have in common.
 */
struct smmu_inv_group {
	struct smmu_inv_target *target; /**< not to be followed once all its operations are gone */
	const uint64_t *word;           /**< of the first */
	uint32_t first, clear, ats, end;
	uint32_t commands; /**< one of each, and a CMD_SYNC between the three */
	/** enum smmu_inv_mode: how they are written if the range is one command each. */
	uint8_t mode;
	uint8_t asked; /**< ATS: enum smmu_inv_asked */
	bool by_range; /**< there are SMMU_INV_ATS */
	bool full;     /**< there are SMMU_INV_ATS_FULL */
};

/** Whose ATCs. */
enum smmu_inv_asked {
	SMMU_INV_ASKED_NONE,
	SMMU_INV_ASKED_ONE,     /**< those of one device */
	SMMU_INV_ASKED_SEVERAL, /**< of more than one */
};

/**
 * Memory for operations and their words, shared by arrays that grew out of each other behind their
 * last operation: each of them names a beginning of it. Fields are private.
 */
struct smmu_inv_block {
	uint32_t arrays;   /**< so many name it: the last of them takes it along */
	uint32_t used;     /**< places filled so far; none is ever filled again */
	uint32_t capacity; /**< places that memory was taken for */
	struct smmu_inv entry[];
};

/**
 * A published set of operations, sorted, with what a sweep reads of it packed side by side. Only
 * users and gone ever change: users as it likes but never from 0, gone upward.
 */
struct smmu_inv_array {
	struct smmu_rcu_head rcu;
	const struct smmu_port *port;
	uint32_t count;
	/** Operations whose users are 0: while it is 0, sweeps need not look at each. */
	uint32_t gone;
	uint32_t groups;
	uint32_t group_capacity; /**< what memory was taken for */
	bool behind;             /**< whoever joined last did so behind all others */
	struct smmu_inv_block *block;
	struct smmu_inv *entry;        /**< count of them, in the block */
	uint64_t *word;                /**< entry[i].by_range once more, for each */
	struct smmu_inv_group group[]; /**< one for each instance, in order */
};

/** @name Making operations
 *  Fill @p e with users = 1. The id must fit the field. Any context. @{ */
void smmu_inv_make_asid(struct smmu_inv *e, struct smmu_inv_target *t, uint32_t asid);
void smmu_inv_make_vmid(struct smmu_inv *e, struct smmu_inv_target *t, uint32_t vmid);
void smmu_inv_make_s1_clear(struct smmu_inv *e, struct smmu_inv_target *t, uint32_t vmid);
/** @p ssid is the substream, or -1 for traffic without one; @p owner the device, not NULL. */
void smmu_inv_make_ats(struct smmu_inv *e, struct smmu_inv_target *t, uint32_t stream, int32_t ssid,
		       bool full, struct smmu_inv_owner *owner);
/** @} */

/**
 * The order of operations in an array: instance, kind (all ATS kinds alike), id, substream, kind.
 *
 * @return negative, 0 or positive, as @p a comes before @p b, is alike, or comes after it
 *
 * Any context.
 */
int smmu_inv_compare(const struct smmu_inv *a, const struct smmu_inv *b);

/**
 * Bytes of an array of @p count operations on @p instances, in two allocations. Where devices join
 * behind each other, smmu_inv_merge takes as much as for half as many operations more.
 * Any context.
 */
size_t smmu_inv_array_size(uint32_t count, uint32_t instances);

/**
 * Sort a set of operations in place: what merge and unref expect. Of one device or of thousands.
 * Any context.
 */
void smmu_inv_sort(struct smmu_inv *set, uint32_t n);

/**
 * Make the array that is to be published next. Where all that is new in @p set comes behind what is
 * there, it stands in the memory of @p old, and the cost does not depend on how much that is. Else
 * it is copied in runs, so a set of many devices costs one copy.
 *
 * @param old  the published one, with nothing published after it; NULL: empty. Readers go on as if
 *             it had not changed. What is gone in it is left out
 * @param set  sorted, added; an operation that is in both gets one user more for each time that it
 *             occurs
 *
 * @return an array that is the caller's: publish it with smmu_rcu_publish, then smmu_mb, then
 *   retire @p old. One that will not be published is taken back by smmu_inv_unref of @p set and
 *   smmu_inv_array_free. NULL: memory is short, nothing changed
 *
 * The caller serialises writers. May sleep.
 */
struct smmu_inv_array *smmu_inv_merge(const struct smmu_port *port,
				      const struct smmu_inv_array *old, const struct smmu_inv *set,
				      uint32_t n);

/**
 * Take one user off each operation of the sorted @p set, in place, in the published @p array.
 * Cannot fail and needs no memory. On return set[i].users is what is left of it: with 0 the
 * operation is gone, and its id may be used again once the TLB has been cleaned of it. An operation
 * that is not there is left alone and reported with users = 0.
 *
 * The caller serialises writers. Does not sleep.
 */
void smmu_inv_unref(struct smmu_inv_array *array, struct smmu_inv *set, uint32_t n);

/**
 * True if @p array holds operations that are gone: worth a smmu_inv_merge with an empty set. Any
 * context in which the array stays.
 */
static inline bool smmu_inv_has_gone(const struct smmu_inv_array *array)
{
	return array && array->gone;
}

/**
 * The live operation of a kind on a target: how a second device finds the id of the first.
 *
 * @param array  published or not; NULL: empty
 * @param t      the target
 * @param kind   not an ATS kind: of these there may be many
 *
 * @return the operation, or NULL; it is good as long as the array
 *
 * Any context in which the array stays.
 */
const struct smmu_inv *smmu_inv_find(const struct smmu_inv_array *array,
				     const struct smmu_inv_target *t, enum smmu_inv_kind kind);

/** Free @p array (NULL: nothing) after all present readers have left. Does not wait or sleep. */
void smmu_inv_array_retire(struct smmu_rcu *rcu, struct smmu_inv_array *array);
/** Free @p array (NULL: nothing) now: no reader can have it. Does not sleep. */
void smmu_inv_array_free(struct smmu_inv_array *array);

SMMU_END_DECLS

#endif

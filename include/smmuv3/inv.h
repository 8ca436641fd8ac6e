/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file inv.h
 * The invalidation core: a sorted array of operations for each domain, and the sweep that follows it.
 *
 * It knows commands, not registers, queues or page tables, and can be taken alone by whoever owns a command queue:
 * give each SMMU a struct smmu_inv_target with the four functions of smmu_inv_target_ops.
 *
 * **Writers** (attach, detach; serialised by a mutex of the domain's) call smmu_inv_merge and publish the result, or
 * smmu_inv_unref, which changes counts in place and cannot fail. **Readers** call smmu_inv_submit and complete the
 * fence. They take no lock, allocate nothing and may run where sleeping is forbidden.
 */
#ifndef SMMUV3_INV_H
#define SMMUV3_INV_H

#include <smmuv3/gather.h>
#include <smmuv3/hw/cmd.h>
#include <smmuv3/port.h>
#include <smmuv3/token.h>

SMMU_BEGIN_DECLS

/** What an operation clears. The order of the values is the order within an instance. */
enum smmu_inv_kind {
	SMMU_INV_S1_ASID, /**< stage-1 entries of an ASID; id = ASID */
	SMMU_INV_S2_VMID, /**< stage-2 entries of a VMID; id = VMID */
	SMMU_INV_S2_VMID_S1_CLEAR, /**< all stage-1 entries under a VMID (a nesting parent changed); id = VMID */
	SMMU_INV_ATS,      /**< the range in one stream's ATC; id = stream, with its substream */
	SMMU_INV_ATS_FULL, /**< all of one stream's ATC (the range has no meaning to the device) */
};

/** Properties of a target: bits of smmu_inv_target.flags. */
enum {
	SMMU_INV_RANGE = 1, /**< range commands (IDR3.RIL) may be used */
	SMMU_INV_SPLIT_ATC =
		2, /**< quirk: wait for the TLB operations before the ATC ones are submitted */
	SMMU_INV_TLBI_TWICE = 4, /**< quirk: issue each TLBI, SYNC, and the same again */
};

struct smmu_inv_target;
struct smmu_inv_program;
struct smmu_inv;

struct smmu_inv_target_ops {
	/**
	 * Append the smmu_inv_program_count(p) commands of @p p and a CMD_SYNC as one unit: no other commands in
	 * between. Get them from smmu_inv_program_next. Stores a token. 0, or a negative error if the queue is dead.
	 * Called inside a read section, maybe where sleeping is forbidden.
	 */
	int (*submit)(struct smmu_inv_target *t, struct smmu_inv_program *p,
		      struct smmu_cmdq_token *token);
	/** How the program stands now. Never waits. */
	enum smmu_cmdq_status (*poll)(struct smmu_inv_target *t,
				      const struct smmu_cmdq_token *token);
	/** Wait until the program stands at anything but SMMU_CMDQ_PENDING; bounded by the queue's time-out. */
	enum smmu_cmdq_status (*wait)(struct smmu_inv_target *t,
				      const struct smmu_cmdq_token *token);
	/**
	 * The device behind ATS entry @p e does not answer: cut it off so that what its ATC holds cannot be used.
	 * When this returns no access of that stream reaches memory. Waits for configuration commands.
	 */
	void (*quarantine)(struct smmu_inv_target *t, const struct smmu_inv *e);
};

/** An SMMU instance as the sweep sees it. Outlives every array that names it, until readers have left. */
struct smmu_inv_target {
	const struct smmu_inv_target_ops *ops;
	uint32_t index; /**< the sort key; no two targets share one */
	uint32_t flags; /**< SMMU_INV_RANGE … */
	uint32_t
		tlbi_max; /**< an id that would need more commands than this is invalidated whole; 0: 512 */
	uint32_t
		atc_max; /**< an ATC gets at most this many spans, covering more if need be; 0: exact always */
};

/** One operation. The commands are half built: a sweep adds the address and stores sixteen bytes. */
struct smmu_inv {
	struct smmu_inv_target *target; /**< not to be followed once users is 0: it may be gone */
	uint32_t index;                 /**< target->index, kept here for the same reason */
	uint32_t kind;                  /**< enum smmu_inv_kind */
	uint32_t id;                    /**< ASID, VMID or stream */
	uint32_t substream; /**< ATS: substream + 1, or 0 for traffic without one; else 0 */
	uint32_t users;     /**< attachments that share it; 0: gone, skipped by sweeps */
	uint64_t by_range;  /**< word 0 of the command that takes an address */
	uint64_t whole;     /**< word 0 of the command for everything under the id */
	void *owner;        /**< ATS: the embedder's device, for quarantine */
	uint32_t muted;     /**< ATS: quarantined, skipped by sweeps */
};

/** A published set of operations, sorted. Only users and muted ever change, and users only downward. */
struct smmu_inv_array {
	struct smmu_rcu_head rcu;
	const struct smmu_port *port;
	uint32_t count;
	uint32_t capacity;
	struct smmu_inv entry[];
};

/** @name Making operations
 *  Fill @p e with users = 1. The id must fit the field. @{ */
void smmu_inv_make_asid(struct smmu_inv *e, struct smmu_inv_target *t, uint32_t asid);
void smmu_inv_make_vmid(struct smmu_inv *e, struct smmu_inv_target *t, uint32_t vmid);
void smmu_inv_make_s1_clear(struct smmu_inv *e, struct smmu_inv_target *t, uint32_t vmid);
/** @p ssid is the substream, or -1 for traffic without one. */
void smmu_inv_make_ats(struct smmu_inv *e, struct smmu_inv_target *t, uint32_t stream, int32_t ssid,
		       bool full, void *owner);
/** @} */

/** Order of two operations: instance, kind (all ATS kinds alike), id, substream, kind. Negative, 0 or positive. */
int smmu_inv_compare(const struct smmu_inv *a, const struct smmu_inv *b);

/** Bytes of an array of @p count operations: what smmu_inv_merge allocates. */
size_t smmu_inv_array_size(uint32_t count);

/** Sort a set of operations in place: what merge and unref expect. */
void smmu_inv_sort(struct smmu_inv *set, uint32_t n);

/**
 * A new array: @p old (NULL: empty) without what is gone, plus the sorted @p set; operations present in both get one
 * user more for each time they occur. @p old is not changed. NULL if memory is short. The caller owns the result,
 * serialises writers, publishes it with smmu_rcu_publish and then smmu_mb, and retires @p old. May sleep.
 */
struct smmu_inv_array *smmu_inv_merge(const struct smmu_port *port,
				      const struct smmu_inv_array *old, const struct smmu_inv *set,
				      uint32_t n);

/**
 * Take one user off each operation of the sorted @p set, in place, in the published @p array. Cannot fail and needs no
 * memory. On return set[i].users is what is left of it: with 0 the operation is gone, and its id may be reused once
 * the TLB has been cleaned. An operation that is not there is left alone and reported with users = 0. The caller
 * serialises writers.
 */
void smmu_inv_unref(struct smmu_inv_array *array, struct smmu_inv *set, uint32_t n);

/** True if @p array holds operations that are gone: worth a smmu_inv_merge with an empty set. */
bool smmu_inv_has_gone(const struct smmu_inv_array *array);

/** The live operation of @p kind on @p t, or NULL: how a second device finds the id of the first. */
const struct smmu_inv *smmu_inv_find(const struct smmu_inv_array *array,
				     const struct smmu_inv_target *t, enum smmu_inv_kind kind);

/** Free @p array (NULL: nothing) after all present readers have left; does not wait. */
void smmu_inv_array_retire(struct smmu_rcu *rcu, struct smmu_inv_array *array);
/** Free @p array (NULL: nothing) now: no reader can have it. */
void smmu_inv_array_free(struct smmu_inv_array *array);

/** @name Plans: exact cover of a range by commands @{ */

/** The range as stage-1 and stage-2 TLBI commands see it, for targets with or without range commands. */
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

/** @name Programs: the commands of one instance in one sweep @{ */

#define SMMU_INV_SEGMENTS 5

/** A run of operations; a CMD_SYNC stands between one segment and the next. */
struct smmu_inv_segment {
	const struct smmu_inv *first, *end;
};

struct smmu_inv_program {
	struct smmu_inv_segment segment[SMMU_INV_SEGMENTS];
	uint32_t segments;
	uint32_t at; /**< segment being written */
	uint32_t left;
	bool started; /**< the plan below belongs to *entry */
	bool whole;   /**< the gather was "everything" */
	const struct smmu_inv *entry;
	struct smmu_tlbi_plan tlbi, tlbi_run;
	struct smmu_atc_plan atc, atc_run;
};

/** How many commands smmu_inv_program_next will write in all. */
static inline uint32_t smmu_inv_program_count(const struct smmu_inv_program *p)
{
	return p->left;
}

/** Write the next commands, at most @p room, to @p dst. Returns how many: @p room until the program ends. */
size_t smmu_inv_program_next(struct smmu_inv_program *p, struct smmu_cmd *dst, size_t room);
/** @} */

/** @name The sweep and its fence @{ */

#ifndef SMMU_FENCE_FLIGHTS
/** Instances that one fence has in flight at a time; with more, the sweep goes in waves. */
#define SMMU_FENCE_FLIGHTS 16
#endif

/** One instance's part of a fence. */
struct smmu_inv_flight {
	struct smmu_inv_target *target;
	const struct smmu_inv *first, *end;
	const struct smmu_inv *suspect; /**< ATS operation being tried alone, or NULL */
	uint8_t phase;
	uint8_t tries;
	bool pending;
	struct smmu_cmdq_token token;
};

/**
 * A sweep under way. It is a reader from submit until poll or wait says that it is finished: attach and detach go on
 * meanwhile, but ATS is not turned off and no instance goes away. Fields are private. About 1.3 KiB.
 */
struct smmu_fence {
	struct smmu_rcu *rcu;
	struct smmu_inv_array *array;
	const struct smmu_inv *next;
	struct smmu_gather range;
	unsigned cookie;
	uint32_t flights;
	int error;
	bool open;
	bool whole;
	struct smmu_inv_flight flight[SMMU_FENCE_FLIGHTS];
};

/**
 * Start the invalidation of @p range for the domain whose array is published at @p slot. The caller has already
 * changed the page table; this function has the barrier that orders that change before the look at the array. With
 * @p range NULL everything is invalidated. The fence must then be polled or waited for until it is finished.
 * Takes no lock, allocates nothing; waits only for room in a full queue, and when the array names more than
 * SMMU_FENCE_FLIGHTS instances.
 */
void smmu_inv_submit(struct smmu_fence *f, struct smmu_rcu *rcu, struct smmu_inv_array *const *slot,
		     const struct smmu_gather *range);

/**
 * 0: finished, no cache holds anything of the range. -SMMU_EAGAIN: not yet. -SMMU_EIO: finished, but an instance does
 * not answer any more: memory that was unmapped must not be reused before that instance has been reset. Waits only
 * in error recovery.
 */
int smmu_fence_poll(struct smmu_fence *f);

/** As poll, but waits; never -SMMU_EAGAIN. */
int smmu_fence_wait(struct smmu_fence *f);

/** Submit and wait. */
int smmu_inv_sync(struct smmu_rcu *rcu, struct smmu_inv_array *const *slot,
		  const struct smmu_gather *range);
/** @} */

SMMU_END_DECLS

#endif

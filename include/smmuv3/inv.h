/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file inv.h
 * The invalidation core: a sorted array of operations for each domain, and the sweep that follows
 * it.
 *
 * It knows commands, not registers, queues or page tables, and can be taken alone by whoever owns a
 * command queue: give each SMMU a struct smmu_inv_target with the four functions of
 * smmu_inv_target_ops.
 *
 * **Writers** (attach, detach; serialised by a mutex of the domain's) call smmu_inv_merge and
 * publish the result, or smmu_inv_unref, which changes counts in place and cannot fail. **Readers**
 * call smmu_inv_submit and complete the fence. They take no lock, allocate nothing and may run
 * where sleeping is forbidden.
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
	/** All stage-1 entries under a VMID (a nesting parent changed); id = VMID. */
	SMMU_INV_S2_VMID_S1_CLEAR,
	SMMU_INV_ATS,      /**< the range in one stream's ATC; id = stream, with its substream */
	SMMU_INV_ATS_FULL, /**< all of one stream's ATC (the range has no meaning to the device) */
};

/** Properties of a target: bits of smmu_inv_target.flags. */
enum {
	SMMU_INV_RANGE = 1, /**< range commands (IDR3.RIL) may be used */
	/** Quirk: wait for the TLB operations before the ATC ones are submitted. */
	SMMU_INV_SPLIT_ATC = 2,
	SMMU_INV_TLBI_TWICE = 4, /**< quirk: issue each TLBI, SYNC, and the same again */
};

struct smmu_inv_target;
struct smmu_inv_program;
struct smmu_inv_owner;

struct smmu_inv_target_ops {
	/**
	 * Append the smmu_inv_program_count(p) commands of @p p and a CMD_SYNC as one unit: no
	 * other commands in between. Get them from smmu_inv_program_next. Called inside a read
	 * section, maybe where sleeping is forbidden.
	 *
	 * @return 0 and a token; a negative error if the queue is dead.
	 */
	int (*submit)(struct smmu_inv_target *t, struct smmu_inv_program *p,
		      struct smmu_cmdq_token *token);
	/** How the program stands now. Never waits. */
	enum smmu_cmdq_status (*poll)(struct smmu_inv_target *t,
				      const struct smmu_cmdq_token *token);
	/**
	 * Wait until the program stands at anything but SMMU_CMDQ_PENDING; bounded by the queue's
	 * time-out.
	 */
	enum smmu_cmdq_status (*wait)(struct smmu_inv_target *t,
				      const struct smmu_cmdq_token *token);
	/**
	 * The device @p owner does not answer: cut it off, so that what its ATC holds cannot be
	 * used, and wait until that took effect. Calls smmu_inv_cut_begin before it does anything
	 * else, and sets owner->cut to SMMU_CUT_DONE when no access of the device reaches memory
	 * any more. Several threads may call it at once, also for one device.
	 *
	 * @return 0: it took effect. Negative: not confirmed; owner->cut stays at SMMU_CUT_BEGUN,
	 * this sweep ends with an error, and every later one that meets the device calls again.
	 */
	int (*quarantine)(struct smmu_inv_target *t, struct smmu_inv_owner *owner);
};

/**
 * An SMMU instance as the sweep sees it. Outlives every array that names it, until readers have
 * left.
 */
struct smmu_inv_target {
	const struct smmu_inv_target_ops *ops;
	uint32_t index; /**< the sort key; no two targets share one */
	uint32_t flags; /**< SMMU_INV_RANGE … */
	/** An id that would need more commands than this is invalidated whole; 0: 512. */
	uint32_t tlbi_max;
	/** An ATC gets at most this many spans, covering more if need be; 0: exact always. */
	uint32_t atc_max;
	/** Devices that are cut off: while it is 0, sweeps ask all of them; 0 at first. */
	uint32_t cuts;
	uint32_t era; /**< counts those that came back; 0 at first */
};

/** How far a device has been cut off. It rises, until the device is let back. */
enum smmu_cut {
	SMMU_CUT_NO,
	/** Decided, and not confirmed by the SMMU yet: sweeps that meet it see to that first. */
	SMMU_CUT_BEGUN,
	SMMU_CUT_DONE, /**< nothing of it reaches memory: sweeps skip its operations */
	/** The same, but programs of a later era ask it; the era stands in the bits above. */
	SMMU_CUT_LIFTED,
};
#define SMMU_CUT_ERA_SHIFT 2

/**
 * The device behind ATS operations: one for all its streams, substreams and domains, so that what
 * is found out about it through one operation is known at once to every sweep. Zeroed at first. It
 * stays as long as a sweep may name it.
 */
struct smmu_inv_owner {
	uint32_t cut; /**< enum smmu_cut; lifted: and the era from which on it is asked */
};

/**
 * The device @p owner behind @p t is being cut off: from here on sweeps look at what became of each
 * device of @p t. Once for each device; more often does no harm. Any context.
 */
static inline void smmu_inv_cut_begin(struct smmu_inv_target *t, struct smmu_inv_owner *owner)
{
	smmu_fetch_add(&t->cuts, 1);
	smmu_store(&owner->cut, SMMU_CUT_BEGUN);
}

/**
 * @p owner, which is cut off (SMMU_CUT_DONE), is to come back: sweeps that begin from here on ask
 * it, while its accesses go on aborting. Then wait for the readers (smmu_rcu_synchronize): sweeps
 * that left it out are done, and with them the TLB is clean of all that they did not tell it. Then
 * smmu_inv_cut_end, and only then may its accesses reach memory. One at a time for a target. Any
 * context.
 */
void smmu_inv_cut_lift(struct smmu_inv_target *t, struct smmu_inv_owner *owner);

/** The end of it; or its owner goes away. Any context. */
static inline void smmu_inv_cut_end(struct smmu_inv_target *t, struct smmu_inv_owner *owner)
{
	smmu_store(&owner->cut, SMMU_CUT_NO);
	smmu_fetch_sub(&t->cuts, 1);
}

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

/**
 * What sweeps of one domain could not confirm. One beside each array slot, zeroed at first. A sweep
 * that ends with an error leaves a debt: until a sweep of everything has been confirmed by all
 * instances, each sweep is one of everything, whatever its range. src/inv/sweep.c, fact 7.
 */
struct smmu_inv_debt {
	uint32_t failed;  /**< sweeps that ended with an error */
	uint32_t settled; /**< so many of them were made good */
};

/** True while something that a sweep should have cleared may still be cached. Any context. */
static inline bool smmu_inv_owes(const struct smmu_inv_debt *debt)
{
	return smmu_load(&debt->failed) != smmu_load(&debt->settled);
}

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
 */
size_t smmu_inv_array_size(uint32_t count, uint32_t instances);

/**
 * Sort a set of operations in place: what merge and unref expect. Of one device or of thousands.
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

/** True if @p array holds operations that are gone: worth a smmu_inv_merge with an empty set. */
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

/** @name The sweep and its fence
 *  @{ */

#ifndef SMMU_FENCE_FLIGHTS
/**
 * Instances that one fence has in flight at a time; with more, the sweep goes in waves. Each costs
 * 24 bytes of the fence.
 */
#define SMMU_FENCE_FLIGHTS 64
#endif

/** One instance's part of a fence. */
struct smmu_inv_flight {
	struct smmu_cmdq_token token;
	uint8_t phase;    /**< of the program that is under way; 0: none is */
	uint8_t asked;    /**< enum smmu_inv_asked: whose ATC_INV it has */
	uint8_t suspects; /**< after a time-out: those that are asked again; 0: none are */
	uint8_t tries;
	/**
	 * Counted from the first ATS operation: the one that was asked, if the ATC_INV of the
	 * program were one device's. Among those that are asked again it tells which: the
	 * 2^(suspects - 1) from a multiple of that on, that it is one of.
	 */
	uint32_t place;
};

/**
 * A sweep under way. It is a reader from submit until poll or wait says that it is finished: attach
 * and detach go on meanwhile, but no device that it names and no instance goes away. Fields are
 * private. 1,616 bytes, written as far as they are used: with one instance 104 of them.
 */
struct smmu_fence {
	struct smmu_rcu *rcu; /**< NULL: the fence is finished */
	unsigned cookie;
	int error;
	struct smmu_inv_debt *debt;
	struct smmu_inv_array *array;
	const struct smmu_inv_group *wave; /**< of flight[0] */
	uint32_t flights;
	uint32_t left;   /**< groups behind them, not in flight yet */
	uint32_t failed; /**< debt->failed before anything was submitted */
	bool whole;      /**< everything, whatever the range */
	struct smmu_gather range;
	struct smmu_inv_flight flight[SMMU_FENCE_FLIGHTS];
};

/**
 * Start the invalidation of @p range for the domain whose array is published at @p slot. The caller
 * has already changed the page table; this function has the barrier that orders that change before
 * the look at the array. The fence must then be polled or waited for until it is finished.
 *
 * @param slot   where the array is published; may hold NULL
 * @param debt   the domain's; see there
 * @param range  what changed, copied; NULL: everything
 *
 * Any context; does not sleep, takes no lock, allocates nothing. It waits for room in a full queue,
 * and when the array names more than SMMU_FENCE_FLIGHTS instances; and it waits for the SMMU where
 * it meets a device whose cut-off was not confirmed.
 */
void smmu_inv_submit(struct smmu_fence *f, struct smmu_rcu *rcu, struct smmu_inv_array *const *slot,
		     struct smmu_inv_debt *debt, const struct smmu_gather *range);

/**
 * Start a CMD_SYNC on each instance of the array: what transactions that are complete have done to
 * translation tables is visible when the fence is finished (IHI 0070 G.b, 3.13.4). Nothing is
 * invalidated, but the page at 0 where it has to ask again or the instances are more than
 * SMMU_FENCE_FLIGHTS, and everything where sweeps of before are owed. Parameters and contexts are
 * those of smmu_inv_submit.
 */
void smmu_inv_settle(struct smmu_fence *f, struct smmu_rcu *rcu, struct smmu_inv_array *const *slot,
		     struct smmu_inv_debt *debt);

/**
 * See how a fence stands. Any context; does not sleep. Waits in error recovery only.
 *
 * @return
 *   0            finished: no cache holds anything of the range, nor of any range that a sweep of
 *                this domain owed
 *   -SMMU_EAGAIN not yet
 *   -SMMU_EIO    finished, but an instance does not answer, or a device could not be cut off: what
 *                was unmapped may still be used, and its memory must not be. The domain keeps the
 *                debt (struct smmu_inv_debt)
 */
int smmu_fence_poll(struct smmu_fence *f);

/**
 * Wait for a fence, without sleeping.
 *
 * @return 0 or -SMMU_EIO, as smmu_fence_poll; never -SMMU_EAGAIN
 *
 * Any context; does not sleep. Bounded by the queues' time-outs.
 */
int smmu_fence_wait(struct smmu_fence *f);

/**
 * Submit and wait.
 *
 * @return 0 or -SMMU_EIO, as smmu_fence_poll
 *
 * Any context; does not sleep. Parameters are those of smmu_inv_submit.
 */
int smmu_inv_sync(struct smmu_rcu *rcu, struct smmu_inv_array *const *slot,
		  struct smmu_inv_debt *debt, const struct smmu_gather *range);
/** @} */

SMMU_END_DECLS

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file queue.h
 * The command queue: many producers, no lock. And the event and PRI queues: one consumer each.
 *
 * A producer reserves room for its whole batch with one fetch-and-add, fills it, marks it written and leaves; whoever
 * is first to publish moves PROD over everything written so far, also for the others. src/queue/cmdq.c has the
 * argument. IHI 0070, "Command queue" and "SMMU circular queues".
 */
#ifndef SMMUV3_QUEUE_H
#define SMMUV3_QUEUE_H

#include <smmuv3/hw/cmd.h>
#include <smmuv3/port.h>
#include <smmuv3/token.h>

SMMU_BEGIN_DECLS

/** Errors remembered, for the batches they hit; with more at once every batch in flight counts as hit. */
#define SMMU_CMDQ_ERRORS 16

struct smmu_cmdq_error {
	uint64_t pos;
	uint32_t code;
};

struct smmu_cmdq_config {
	const struct smmu_port *port;
	struct smmu_mmio mmio;
	const char *name;    /**< of the instance, for messages; must outlive the queue */
	unsigned log2size;   /**< entries, 1–19, at most IDR1.CMDQS */
	bool msi;            /**< complete CMD_SYNC by an MSI write (IDR0.MSI, coherent memory) */
	uint64_t timeout_ns; /**< without progress for so long, the hardware counts as dead */
	uint64_t base_attr;  /**< CMDQ_BASE.RA or 0 */
};

/** A command queue. Fields are private; positions are 64-bit and never wrap. */
struct smmu_cmdq {
	const struct smmu_port *port;
	struct smmu_mmio mmio;
	const char *name;
	struct smmu_cmd *ring;
	uint32_t *written; /**< for each slot, in how many laps it has been filled */
	uint32_t *
		msi; /**< for each slot, the lap of the last completed CMD_SYNC; NULL: CONS tells */
	uint64_t ring_bus, msi_bus, base_attr;
	uint64_t timeout_ns;
	uint32_t log2size;
	uint32_t stuck; /**< the hardware does not answer: everything fails until reset */

	uint64_t tail __attribute__((aligned(64))); /**< next position to hand out */
	uint32_t publishing
		__attribute__((aligned(64)));       /**< requests to publish that are not served */
	uint64_t published;                         /**< PROD; changed by the publisher only */
	uint64_t cons __attribute__((aligned(64))); /**< CONS: everything below was consumed */
	struct smmu_spinlock
		error_lock; /**< serialises error recovery; taken in any context, never while waiting */
	uint32_t errors; /**< how many errors there have been */
	uint32_t aborts; /**< external aborts in a row */
	uint64_t abort_pos;
	struct smmu_cmdq_error error[SMMU_CMDQ_ERRORS];
};

/** Writes up to @p room commands to @p dst and returns how many; fewer than @p room is padded with CMD_SYNC. */
typedef size_t (*smmu_cmdq_fill)(void *ctx, struct smmu_cmd *dst, size_t room);

/** Bytes of DMA memory and of plain memory that smmu_cmdq_init takes. */
size_t smmu_cmdq_dma_size(const struct smmu_cmdq_config *cfg);
size_t smmu_cmdq_mem_size(const struct smmu_cmdq_config *cfg);

/**
 * Allocate a queue and make it ready. -SMMU_EINVAL (log2size), -SMMU_ENOMEM; nothing is kept on error. Touches no
 * register: write smmu_cmdq_base() to CMDQ_BASE and 0 to PROD and CONS while CR0.CMDQEN is 0. May sleep.
 */
int smmu_cmdq_init(struct smmu_cmdq *q, const struct smmu_cmdq_config *cfg);
void smmu_cmdq_fini(struct smmu_cmdq *q);
/** The value of CMDQ_BASE. */
uint64_t smmu_cmdq_base(const struct smmu_cmdq *q);
/** Start over after the hardware was reset; nobody may be using the queue. */
void smmu_cmdq_restart(struct smmu_cmdq *q);

/**
 * Append @p n commands and a CMD_SYNC as one unit, of any length; commands come from @p fill, in ring order. Returns
 * when all are written, which is at once unless the queue is full. No lock is held, in any context, on any thread.
 * 0 and *@p token; -SMMU_EIO if the queue is dead (nothing was appended, or not all).
 */
int smmu_cmdq_submit(struct smmu_cmdq *q, uint32_t n, smmu_cmdq_fill fill, void *ctx,
		     struct smmu_cmdq_token *token);
/** How a batch stands. Never waits. */
enum smmu_cmdq_status smmu_cmdq_poll(struct smmu_cmdq *q, const struct smmu_cmdq_token *token);
/** Wait until a batch is anything but pending. A time-out is logged with instance, PROD and CONS. Any context. */
enum smmu_cmdq_status smmu_cmdq_wait(struct smmu_cmdq *q, const struct smmu_cmdq_token *token);

/**
 * Issue @p n commands and wait; issue them again when an error hit them. 0; -SMMU_ETIMEDOUT when a device's ATC did not
 * answer (the other commands are complete); -SMMU_EIO when the queue is dead or the error does not go away. Any context.
 */
int smmu_cmdq_issue(struct smmu_cmdq *q, const struct smmu_cmd *cmds, uint32_t n);

/**
 * Serve a command queue error, if GERROR reports one: mend the entry, remember the error for the batch it hit, and let
 * the queue go on. Waiters call it themselves now and then, so that the GERROR interrupt is not needed. True if there
 * was an error. Any context. IHI 0070, "Command queue errors".
 */
bool smmu_cmdq_serve_error(struct smmu_cmdq *q);

/** An event or PRI queue. Fields are private. One caller at a time, but for smmu_outq_discard. */
struct smmu_outq {
	const struct smmu_port *port;
	struct smmu_mmio mmio;
	uint64_t *ring;
	uint64_t ring_bus;
	uint32_t log2size;
	uint32_t words; /**< 64-bit words of one record: 4 or 2 */
	uint32_t reg_prod, reg_cons;
	uint32_t cons;    /**< as in the register: index, wrap bit, overflow acknowledge */
	uint32_t limit;   /**< PROD as last read: the records up to here may be taken */
	uint32_t retired; /**< CONS as last written */
	bool overflowed;  /**< records after limit were lost; not acknowledged yet */
	uint32_t
		discard; /**< SMMU_OUTQ_DISCARD and an index: what is before it counts for nothing; else 0 */
	uint64_t base_attr;
};
#define SMMU_OUTQ_DISCARD 0x80000000u

/**
 * @p words is 4 for events and 2 for PRI. -SMMU_EINVAL, -SMMU_ENOMEM; nothing is kept on error. Touches no register: write
 * smmu_outq_base() to the queue's BASE and 0 to its PROD and CONS while it is disabled. May sleep.
 */
int smmu_outq_init(struct smmu_outq *q, const struct smmu_port *port, struct smmu_mmio mmio,
		   unsigned log2size, unsigned words, uint64_t base_attr);
void smmu_outq_fini(struct smmu_outq *q);
/** The value of BASE. */
uint64_t smmu_outq_base(const struct smmu_outq *q);
/** Start over with PROD and CONS at 0; the queue is disabled. */
void smmu_outq_restart(struct smmu_outq *q);
/**
 * Take one record: 1 and its words in @p record; 0 when there is none. *@p overflow becomes true, once for each overflow,
 * with the last record that was there when it was seen: records after that one were lost. The queue's interrupt comes when
 * it stops being empty: take records until there is none. Never waits; any context. IHI 0070 G.b, 3.5.1, 7.4.
 */
int smmu_outq_pop(struct smmu_outq *q, uint64_t *record, bool *overflow);
/** Read PROD if all records that are known of are taken: true if there are new ones. smmu_outq_pop does it itself. */
bool smmu_outq_look(struct smmu_outq *q);
/** The record @p ahead records behind the next one, if it is known of; it stays. */
bool smmu_outq_peek(const struct smmu_outq *q, uint32_t ahead, uint64_t *record);
/** True from when an overflow is seen until the last record that was there is taken. */
static inline bool smmu_outq_overflowed(const struct smmu_outq *q)
{
	return q->overflowed;
}
/**
 * What the queue holds now counts for nothing, since a write to it was aborted: it will be skipped. Any context. Call it
 * before the error is acknowledged in GERRORN, while the SMMU writes nothing to the queue. IHI 0070 G.b, 7.2.2, 8.2.
 */
void smmu_outq_discard(struct smmu_outq *q);
/** Skip it now, and give the room back. smmu_outq_pop does it itself. */
void smmu_outq_skip(struct smmu_outq *q);

SMMU_END_DECLS

#endif

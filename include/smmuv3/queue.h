/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file queue.h
 * The command queue: many producers, no lock. And the event and PRI queues: one consumer each.
 *
 * A producer is admitted when there is room, takes positions, fills them and moves PROD, or leaves
 * that to the one before it, all with interrupts masked and in a bounded time; nothing that it
 * holds outlasts that. So a batch may be submitted from any context, also from a handler that
 * interrupts another submit on the same processor. Waits are for the hardware only, with interrupts
 * as the caller had them. src/queue/cmdq.c has the argument. IHI 0070 G.b, 3.5 (queues), chapter 4
 * (commands), 7.1 (errors).
 */
#ifndef SMMUV3_QUEUE_H
#define SMMUV3_QUEUE_H

#include <smmuv3/hw/cmd.h>
#include <smmuv3/port.h>
#include <smmuv3/token.h>

SMMU_BEGIN_DECLS

/** The bits of GERROR that smmu_cmdq_serve_error serves; others leave them alone. */
#define SMMU_CMDQ_GERROR (SMMU_GERROR_CMDQ_ERR | SMMU_GERROR_MSI_CMDQ_ABT_ERR)

/**
 * Errors remembered, for the batches they hit; with more at once every batch in flight counts as
 * hit.
 */
#define SMMU_CMDQ_ERRORS 16

#ifndef SMMU_CMDQ_PIECE
/**
 * Positions that are filled with interrupts masked, at most: a longer batch goes in pieces, each
 * with a CMD_SYNC at its end. At least 2.
 */
#define SMMU_CMDQ_PIECE 128
#endif

struct smmu_cmdq_error {
	uint64_t from; /**< first position of the batch that was hit; or of a range */
	uint64_t to;   /**< end of the range */
	uint32_t code; /**< as in CONS.ERR */
};

struct smmu_cmdq_config {
	const struct smmu_port *port;
	struct smmu_mmio mmio;
	const char *name;    /**< of the instance, for messages; must outlive the queue */
	unsigned log2size;   /**< entries, 1–19, at most IDR1.CMDQS */
	bool msi;            /**< complete CMD_SYNC by an MSI write (IDR0.MSI, coherent memory) */
	uint64_t timeout_ns; /**< without progress for so long, the hardware counts as dead */
	/**
	 * The same where the hardware waits for an ATC: PCIe lets one answer after a minute and
	 * more, and the SMMU then reports it by itself (CERROR_ATC_INV_SYNC). 0, or less than
	 * timeout_ns: timeout_ns.
	 */
	uint64_t atc_timeout_ns;
	uint64_t base_attr; /**< CMDQ_BASE.RA or 0 */
};

/** What stands at a slot besides its command. */
struct smmu_cmdq_mark {
	/**
	 * Of the piece that begins here, if it is written, or ends here: one past its last
	 * position.
	 */
	uint64_t end;
	uint64_t batch; /**< of the piece that ends here: first position of its batch */
};

/** In smmu_cmdq.tail: nobody is admitted. No count of positions comes so far. */
#define SMMU_CMDQ_SHUT SMMU_BIT(63)

/**
 * What a queue counts by itself: nothing that a batch meets on its way, but when it has to wait, or
 * goes wrong.
 */
struct smmu_cmdq_counts {
	uint64_t waits;           /**< waits for batches that were not complete at the first look */
	uint64_t longest_wait_ns; /**< the longest of them */
	uint64_t lost;            /**< batches that were told to come again */
	uint64_t atc_timeouts;    /**< batches that were told that an ATC did not answer */
	uint64_t errors;          /**< errors in GERROR that were served; under error_lock */
	uint64_t given_up;        /**< times that the hardware was given up; under error_lock */
};

/**
 * A command queue. Fields are private; positions are 64-bit, never wrap and are never used twice.
 */
struct smmu_cmdq {
	const struct smmu_port *port;
	struct smmu_mmio mmio;
	const char *name;
	struct smmu_cmd *ring;
	struct smmu_cmdq_mark *mark; /**< for each slot */
	/** For each slot, what the last CMD_SYNC there has written; NULL: CONS tells. */
	uint32_t *msi;
	uint64_t ring_bus, msi_bus, base_attr;
	uint64_t timeout_ns, atc_timeout_ns;
	uint32_t log2size;
	/** There are MSIs, or cleans: something is to be done with a piece that is written. */
	bool finishes;
	bool cleans;   /**< the port has a clean: the SMMU does not see the processors' caches */
	uint32_t mask; /**< of a slot: entries - 1 */
	uint32_t wrap; /**< of PROD and CONS: a slot and the bit that tells one lap from the next */
	uint32_t piece;   /**< positions of a piece, at most */
	uint32_t stuck;   /**< not 0: the queue is given up or closed, everything fails */
	uint32_t opened;  /**< how many times it was opened again */
	uint64_t started; /**< position at the last restart */
	uint32_t msi_off; /**< not 0: CONS tells all the same */
	uint32_t errors;  /**< how many errors there have been */

	/** Next position to hand out; closed: SMMU_CMDQ_SHUT. */
	uint64_t tail __attribute__((aligned(64)));
	/** Where PROD stands: next position to publish. */
	uint64_t turn __attribute__((aligned(64)));
	uint64_t published;                         /**< where PROD stands or is about to */
	uint64_t cons __attribute__((aligned(64))); /**< everything below was consumed */

	/** Protects what follows, and GERRORN; any context. */
	struct smmu_spinlock error_lock __attribute__((aligned(64)));
	uint32_t polls;  /**< of batches that were pending; not protected */
	uint64_t looked; /**< the clock at the last look; not protected */
	uint32_t aborts; /**< external aborts in a row, at abort_pos */
	uint64_t abort_pos;
	uint64_t seen_at;   /**< the clock when CONS was last seen */
	uint64_t seen_cons; /**< where it stood */
	uint64_t still_ns;  /**< for how long it has not moved, with commands before it */
	bool seen_idle;     /**< nothing was published beyond it */
	struct smmu_cmdq_error error[SMMU_CMDQ_ERRORS];
	struct smmu_cmdq_counts counts;
};

/**
 * Writes up to @p room commands to @p dst and returns how many; fewer than @p room is padded with
 * CMD_SYNC. Called with interrupts masked, for at most SMMU_CMDQ_PIECE commands at a time: bounded,
 * no wait, no call into this queue.
 */
typedef size_t (*smmu_cmdq_fill)(void *ctx, struct smmu_cmd *dst, size_t room);

/** The DMA memory that smmu_cmdq_init takes, in bytes. Any context. */
size_t smmu_cmdq_dma_size(const struct smmu_cmdq_config *cfg);

/** The plain memory that smmu_cmdq_init takes, in bytes. Any context. */
size_t smmu_cmdq_mem_size(const struct smmu_cmdq_config *cfg);

/**
 * Allocate a queue and make it ready. No register is touched: write smmu_cmdq_base() to CMDQ_BASE
 * and 0 to PROD and CONS while CR0.CMDQEN is 0.
 *
 * @param q    the queue, of any content
 * @param cfg  copied but for its name and port, which outlive the queue
 *
 * @return
 *   0
 *   -SMMU_EINVAL  log2size is out of its range
 *   -SMMU_ENOMEM
 *
 * After an error nothing is kept. May sleep. IHI 0070 G.b, 3.5.1, 6.3.26.
 */
int smmu_cmdq_init(struct smmu_cmdq *q, const struct smmu_cmdq_config *cfg);
/**
 * Free the memory of a queue. The SMMU has stopped reading and writing it: smmu_cmdq_drain, then
 * CR0.CMDQEN = 0. May sleep.
 */
void smmu_cmdq_fini(struct smmu_cmdq *q);
/** The value of CMDQ_BASE (IHI 0070 G.b, 6.3.26). Any context. */
uint64_t smmu_cmdq_base(const struct smmu_cmdq *q);

/**
 * Append @p n commands and a CMD_SYNC, in this order, however many. Returns when all are written,
 * which is at once unless the queue is full. Up to SMMU_CMDQ_PIECE - 1 commands are one unit when
 * there is room; more, or a queue that stays full, may let others' batches in between, and there a
 * CMD_SYNC ends each piece, so that an error is never laid to the wrong batch.
 *
 * @param q      initialised
 * @param n      commands; 0: the CMD_SYNC alone
 * @param fill   gives the commands, in ring order
 * @param ctx    of @p fill
 * @param token  where the batch stands: poll or wait until it is not pending, as the last of it may
 *               be published only then
 *
 * @return
 *   0
 *   -SMMU_EIO  the queue is given up or closed; nothing was appended, or not all, and *@p token
 *              does not count
 *
 * Any context, also inside a handler that interrupted a submit; takes no lock; never sleeps.
 * Interrupts are masked for one piece at a time, never across a wait. IHI 0070 G.b, 3.5.1, 4.7.3.
 */
int smmu_cmdq_submit(struct smmu_cmdq *q, uint32_t n, smmu_cmdq_fill fill, void *ctx,
		     struct smmu_cmdq_token *token);
/**
 * The same for the one command @p cmd, in fewer instructions.
 *
 * @return as smmu_cmdq_submit
 */
int smmu_cmdq_submit_one(struct smmu_cmdq *q, const struct smmu_cmd *cmd,
			 struct smmu_cmdq_token *token);
/**
 * How a batch stands. Never waits; serves queue errors and notices dead hardware by itself now and
 * then, so no interrupt is needed.
 *
 * @param q      the queue that it was submitted to
 * @param token  as submit filled it
 *
 * @return SMMU_CMDQ_PENDING, or what became of it
 *
 * Any context; does not sleep. IHI 0070 G.b, 4.7.3, 7.1.
 */
enum smmu_cmdq_status smmu_cmdq_poll(struct smmu_cmdq *q, const struct smmu_cmdq_token *token);
/**
 * Wait until a batch is anything but pending. Hardware that makes no progress for timeout_ns
 * (atc_timeout_ns at a CMD_SYNC that waits for an ATC) is given up, with one line in the log that
 * says where PROD and CONS stand; it is taken back when CONS moves. Time in which nobody looks (a
 * machine that was paused) does not count.
 *
 * @param q          the queue that it was submitted to
 * @param token      as submit filled it
 * @param may_sleep  the port may put the caller to sleep (smmu_wait_pause) when the wait has lasted
 *                   for 50 us
 *
 * @return what became of it, never SMMU_CMDQ_PENDING
 *
 * Any context without @p may_sleep: it spins. IHI 0070 G.b, 4.7.3, 7.1.
 */
enum smmu_cmdq_status smmu_cmdq_wait(struct smmu_cmdq *q, const struct smmu_cmdq_token *token,
				     bool may_sleep);

/**
 * Submit commands and wait as smmu_cmdq_wait does; issue them again when an error hit them.
 *
 * @param q          initialised
 * @param cmds       @p n commands, without a CMD_SYNC
 * @param n          how many
 * @param may_sleep  as for smmu_cmdq_wait
 *
 * @return
 *   0                all are complete
 *   -SMMU_ETIMEDOUT  a device's ATC did not answer: the CMD_ATC_INVs count as not done, all else
 *                    is complete
 *   -SMMU_EIO        the queue is given up or closed, or the error does not go away: any of them
 *                    may be done or not
 *
 * Any context without @p may_sleep. IHI 0070 G.b, 4.7.3, 7.1.
 */
int smmu_cmdq_issue(struct smmu_cmdq *q, const struct smmu_cmd *cmds, uint32_t n, bool may_sleep);

/**
 * Serve what GERROR reports about the queue. A command error: mend the entry, remember the error
 * for the batch it hit, let the queue go on; after an error that does not go away the queue is
 * given up, and its bit stays active. An aborted MSI of a CMD_SYNC: acknowledge it, and let CONS
 * tell from then on. Polls and waits call it now and then, so that the GERROR interrupt is not
 * needed.
 *
 * @return true if there was something
 *
 * Any context, several at a time; does not sleep. IHI 0070 G.b, 7.1 and 7.5.
 */
bool smmu_cmdq_serve_error(struct smmu_cmdq *q);

/**
 * @name Starting over
 *  To bring an SMMU back in place: close, stop the hardware, restart, write CMDQ_BASE, PROD and
 *  CONS, set CR0.CMDQEN, open. The memory stays, positions go on, and whoever waits learns what
 *  became of its batch. One caller at a time, any context, never sleeps. @{
 */

/**
 * Every submit fails from here on, and every batch that is not known to be complete counts as dead.
 * On return no producer is writing to the queue or to PROD. Waits only for other processors' masked
 * sections. Before the hardware is reset: a reset CONS must not be taken for progress.
 */
void smmu_cmdq_close(struct smmu_cmdq *q);
/**
 * After close, with CR0.CMDQEN = 0: forget what is in the queue. Batches that are not known to be
 * complete are told SMMU_CMDQ_LOST once the queue is open, never SMMU_CMDQ_DONE. Returns the value
 * for both PROD and CONS.
 */
uint32_t smmu_cmdq_restart(struct smmu_cmdq *q);
/** Let producers in: after restart, once CR0.CMDQEN is acknowledged. */
void smmu_cmdq_open(struct smmu_cmdq *q);
/** @} */

/**
 * Complete a CMD_SYNC without an MSI. Then no MSI of an earlier one is still on its way (IHI 0070
 * G.b, 4.7.3), which clearing CR0.CMDQEN would not wait for (3.18.1, 6.3.9.3): call it before the
 * memory is freed, when nobody submits any more. CONS tells from then on, until smmu_cmdq_restart.
 *
 * @param q          initialised
 * @param may_sleep  as for smmu_cmdq_wait
 *
 * @return
 *   0
 *   -SMMU_EIO  the queue is given up or closed: an MSI may be on its way
 *
 * Any context without @p may_sleep.
 */
int smmu_cmdq_drain(struct smmu_cmdq *q, bool may_sleep);
/**
 * With CR0.CMDQEN = 0 acknowledged: true if the MSI of a CMD_SYNC that was consumed has not been
 * seen, so that it may still be written. After smmu_cmdq_drain has succeeded it is false. Reads
 * CONS. Any context.
 */
bool smmu_cmdq_msi_due(struct smmu_cmdq *q);

/**
 * Say through the port's log how the queue stands, in two lines; reads PROD and CONS. Any context;
 * does not sleep, takes no lock.
 */
void smmu_cmdq_dump(struct smmu_cmdq *q);

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
	/** SMMU_OUTQ_DISCARD and an index: what is before it counts for nothing; else 0. */
	uint32_t discard;
	uint64_t base_attr;
};
#define SMMU_OUTQ_DISCARD 0x80000000u

/**
 * Allocate an event or PRI queue. No register is touched: write smmu_outq_base() to the queue's
 * BASE and 0 to its PROD and CONS while it is disabled.
 *
 * @param q          the queue, of any content
 * @param port       outlives it
 * @param mmio       the registers, copied
 * @param log2size   entries as log2, 0 to 19, at most IDR1.EVENTQS or PRIQS
 * @param words      64-bit words of a record: 4 for events, 2 for PRI
 * @param base_attr  EVENTQ_BASE.WA, PRIQ_BASE.WA, or 0
 *
 * @return
 *   0
 *   -SMMU_EINVAL  log2size or words
 *   -SMMU_ENOMEM
 *
 * After an error nothing is kept. May sleep. IHI 0070 G.b, 3.5.1, 7.2, 8.1.
 */
int smmu_outq_init(struct smmu_outq *q, const struct smmu_port *port, struct smmu_mmio mmio,
		   unsigned log2size, unsigned words, uint64_t base_attr);

/**
 * Free the memory of a queue that is disabled, and that the SMMU has stopped writing. May sleep.
 */
void smmu_outq_fini(struct smmu_outq *q);
/** The value of EVENTQ_BASE or PRIQ_BASE. Any context. */
uint64_t smmu_outq_base(const struct smmu_outq *q);
/**
 * Start over with PROD and CONS at 0. The queue is disabled, and nobody takes records meanwhile;
 * any context.
 */
void smmu_outq_restart(struct smmu_outq *q);
/**
 * Take one record. The queue's interrupt comes when it stops being empty: take records until there
 * is none.
 *
 * @param q         initialised
 * @param record    its words; unchanged if there is none
 * @param overflow  true once for each overflow, with the last record that was there when it was
 *                  seen: records after that one were lost. Else false
 *
 * @return 1; 0: there is none
 *
 * Never waits or sleeps; any context, one caller at a time. IHI 0070 G.b, 3.5.1, 7.4.
 */
int smmu_outq_pop(struct smmu_outq *q, uint64_t *record, bool *overflow);
/**
 * Read PROD if all records that are known of are taken: true if there are new ones. smmu_outq_pop
 * does it itself. Any context, one caller at a time.
 */
bool smmu_outq_look(struct smmu_outq *q);
/**
 * The record @p ahead records behind the next one, if it is known of; it stays. False: it is not.
 * Any context, one caller at a time.
 */
bool smmu_outq_peek(const struct smmu_outq *q, uint32_t ahead, uint64_t *record);
/**
 * True from when an overflow is seen until the last record that was there is taken. Any context.
 */
static inline bool smmu_outq_overflowed(const struct smmu_outq *q)
{
	return q->overflowed;
}
/**
 * What the queue holds now counts for nothing, since a write to it was aborted: it will be skipped.
 * Any context. Call it before the error is acknowledged in GERRORN, while the SMMU writes nothing
 * to the queue. IHI 0070 G.b, 7.2.2, 8.2.
 */
void smmu_outq_discard(struct smmu_outq *q);
/**
 * Skip it now, and give the room back. smmu_outq_pop does it itself. Any context, one caller at a
 * time.
 */
void smmu_outq_skip(struct smmu_outq *q);

SMMU_END_DECLS

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the parts of the command queue: cmdq_life.c makes it, cmdq.c writes into it, cmdq_wait.c
 * waits, cmdq_error.c mends. */
#ifndef SMMU_SRC_QUEUE_CMDQ_H
#define SMMU_SRC_QUEUE_CMDQ_H

#include <smmuv3/hw/regs.h>
#include <smmuv3/queue.h>

#include "../util/message.h"

/** Values of smmu_cmdq.stuck. */
enum {
	CMDQ_RUNS,
	CMDQ_TIMED_OUT, /**< no progress for too long; it may yet move again */
	CMDQ_FAILED,    /**< an error that does not go away, left unacknowledged */
	CMDQ_CLOSED,    /**< smmu_cmdq_close */
};

/** In place of a code of CONS.ERR: the queue was started over with these positions in it. */
#define CMDQ_STARTED_OVER 0x100u

static inline uint64_t cmdq_size(const struct smmu_cmdq *q)
{
	return (uint64_t)q->mask + 1;
}

static inline uint32_t cmdq_slot(const struct smmu_cmdq *q, uint64_t pos)
{
	return (uint32_t)pos & q->mask;
}

/** PROD and CONS as the registers have them: a slot and the bit that tells one lap from the next. */
static inline uint32_t cmdq_index(const struct smmu_cmdq *q, uint64_t pos)
{
	return (uint32_t)pos & q->wrap;
}

/** The lap of @p pos, counted from 1: what the MSI of its CMD_SYNC writes. */
static inline uint32_t cmdq_lap(const struct smmu_cmdq *q, uint64_t pos)
{
	return (uint32_t)(pos >> q->log2size) + 1;
}

/** Where the CMD_SYNC at @p pos reports its completion; 0: nowhere, CONS tells. An address of 0 means none: 4.7.3. */
static inline uint64_t cmdq_msi_bus(const struct smmu_cmdq *q, uint64_t pos)
{
	if (!q->msi || smmu_load(&q->msi_off))
		return 0;
	return q->msi_bus + sizeof(uint32_t) * cmdq_slot(q, pos);
}

/** Read CONS: the position it stands at, and the register in *@p reg if not NULL. */
uint64_t smmu_cmdq_cons(struct smmu_cmdq *q, uint32_t *reg);
/** Raise q->cons to @p now, which smmu_cmdq_cons returned. */
void smmu_cmdq_raise_cons(struct smmu_cmdq *q, uint64_t now);

/** Publish what is written and was left: a publisher stops after a bounded time. */
void smmu_cmdq_help(struct smmu_cmdq *q);

/** One wait. All 0 at its begin. */
struct cmdq_patience {
	bool waits;
	uint64_t since; /**< the clock at its begin, */
	uint64_t now;   /**< and when it was last looked at */
	uint64_t until; /**< CONS is not worth another look before */
};

/** One turn of a wait for the hardware: pause, the longer the longer it has lasted, and look after the queue. */
void smmu_cmdq_pause(struct smmu_cmdq *q, struct cmdq_patience *p, bool may_sleep);
/** Serve errors, see whether CONS moves, give the hardware up or take it back. Not more often than is useful. */
void smmu_cmdq_look_after(struct smmu_cmdq *q, uint64_t now);
/** True if the queue is given up, and still has not moved. */
bool smmu_cmdq_dead(struct smmu_cmdq *q);

/** What the errors since @p token did to its batch: LOST, ATC_TIMEOUT, or PENDING for nothing. */
enum smmu_cmdq_status smmu_cmdq_hit(struct smmu_cmdq *q, const struct smmu_cmdq_token *token);
/** Note an error. The error lock is held, or nobody uses the queue. */
void smmu_cmdq_remember(struct smmu_cmdq *q, uint64_t from, uint64_t to, uint32_t code);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file token.h
 * How a batch of commands stands in a command queue: what the queue and the invalidation core tell
 * each other.
 */
#ifndef SMMUV3_TOKEN_H
#define SMMUV3_TOKEN_H

#include <smmuv3/types.h>

/** Which part of a queue a batch took. Its fields are the queue's business. */
struct smmu_cmdq_token {
	uint64_t end;    /**< one past its CMD_SYNC */
	uint32_t length; /**< from its first command to there, and what others put in between */
	uint32_t errors; /**< error count before it went in */
};

/** How a batch stands. */
enum smmu_cmdq_status {
	SMMU_CMDQ_DONE,    /**< consumed and complete */
	SMMU_CMDQ_PENDING, /**< not yet */
	SMMU_CMDQ_LOST,    /**< one of its commands was not executed (CERROR_ILL): issue it again */
	/**
	 * CERROR_ATC_INV_SYNC: an ATC did not answer. Complete is what an earlier CMD_SYNC of the
	 * batch covers; all that stands behind the last such CMD_SYNC counts as not done. IHI 0070
	 * G.b, 4.7.3 and 7.1.
	 */
	SMMU_CMDQ_ATC_TIMEOUT,
	SMMU_CMDQ_DEAD, /**< time-out or stuck */
};

#endif

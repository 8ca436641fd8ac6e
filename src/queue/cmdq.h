/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the command queue and its error recovery. */
#ifndef SMMU_SRC_QUEUE_CMDQ_H
#define SMMU_SRC_QUEUE_CMDQ_H

#include <smmuv3/queue.h>
#include <smmuv3/text.h>

#define ERROR_POLL_NS 20000u /**< a waiter looks at GERROR this often */
#define ISSUE_TRIES 8
#define ABORT_TRIES 16u

/* MSI writes go to ordinary memory: inner shareable, write-back. */
#define MSI_SH_INNER 3u
#define MSI_ATTR_OIWB 0xfu

/** Read CONS and bring q->cons up to it; returns the position, and the register in *@p reg if not NULL. */
uint64_t smmu_cmdq_cons_refresh(struct smmu_cmdq *q, uint32_t *reg);

/** What the errors since @p token did to its batch: LOST, ATC_TIMEOUT, or PENDING for nothing. */
enum smmu_cmdq_status smmu_cmdq_hit(struct smmu_cmdq *q, const struct smmu_cmdq_token *token);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* How a command queue stands, in words. */
#include "cmdq.h"

void smmu_cmdq_dump(struct smmu_cmdq *q)
{
	static const char *const states[] = {"runs", "given up: no progress",
					     "given up: an error that does not go away", "closed"};
	struct smmu_message m SMMU_UNINIT;
	uint64_t tail = smmu_load(&q->tail), turn = smmu_load(&q->turn);
	uint32_t stuck = smmu_load(&q->stuck);

	smmu_text_str(smmu_message_begin(&m, q->name), "command queue: ");
	smmu_text_str(&m.text, stuck < SMMU_ARRAY_SIZE(states) ? states[stuck] : "?");
	smmu_text_str(&m.text, ", entries 2^");
	smmu_text_dec(&m.text, q->log2size);
	smmu_text_str(&m.text, ", PROD ");
	smmu_text_hex(&m.text, smmu_mmio_read32(&q->mmio, SMMU_CMDQ_PROD), 1);
	smmu_text_str(&m.text, ", CONS ");
	smmu_text_hex(&m.text, smmu_mmio_read32(&q->mmio, SMMU_CMDQ_CONS), 1);
	smmu_message_log(&m, q->port, SMMU_LOG_INFO);
	smmu_text_str(smmu_message_begin(&m, q->name), "command queue: handed out up to ");
	smmu_text_dec(&m.text, tail);
	smmu_text_str(&m.text, ", published to ");
	smmu_text_dec(&m.text, turn);
	smmu_text_str(&m.text, ", seen consumed to ");
	smmu_text_dec(&m.text, smmu_load(&q->cons));
	smmu_text_str(&m.text, "; errors ");
	smmu_text_dec(&m.text, smmu_load(&q->errors));
	smmu_text_str(&m.text, ", restarts ");
	smmu_text_dec(&m.text, smmu_load(&q->opened) ? smmu_load(&q->opened) - 1 : 0);
	smmu_text_str(&m.text, q->msi && !smmu_load(&q->msi_off) ? ", MSI tells" : ", CONS tells");
	smmu_message_log(&m, q->port, SMMU_LOG_INFO);
}

// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The module's parameter `silent`: while it is set, no ATC answers. A batch that asks one ends as if its CMD_SYNC had met a time-out
 * (CERROR_ATC_INV_SYNC), at once and not after the minute that an SMMU takes. tests/linux/build.sh lets src/queue/cmdq_wait.c ask.
 */
#include <linux/module.h>

#include "smmu_module.h"
#include "src/queue/cmdq.h"

bool smmu_believes_silent(const struct smmu_cmdq *q, const struct smmu_cmdq_token *token);

static bool silent;
module_param(silent, bool, 0644);

/* The entries tell until the next lap is written: nobody else is that far in the tests. */
bool smmu_believes_silent(const struct smmu_cmdq *q, const struct smmu_cmdq_token *token)
{
	u64 at;

	for (at = token->end - token->length; READ_ONCE(silent) && at != token->end; at++)
		if (smmu_field_get(SMMU_CMD_W0_OP, q->ring[cmdq_slot(q, at)].w[0]) ==
		    SMMU_CMD_ATC_INV)
			return true;
	return false;
}

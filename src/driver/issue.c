/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands issued and waited for. */
#include "driver.h"

/** Issue them once; where two kinds may not meet, with a wait in between. */
static int issue_once(struct smmu_instance *inst, const struct smmu_cmd *cmds, uint32_t n,
		      bool may_sleep)
{
	int error = 0;

	for (uint32_t i = 0, end; !error && i < n; i = end) {
		end = i + 1;
		while (end < n && (!(inst->cfg.quirks & SMMU_QUIRK_ONE_KIND) ||
				   smmu_cmd_opcode(&cmds[end]) == smmu_cmd_opcode(&cmds[i])))
			end++;
		smmu_instance_count(inst, cmds + i, end - i);
		error = smmu_cmdq_issue(&inst->cmdq, cmds + i, end - i, may_sleep);
	}
	return error;
}

int smmu_instance_issue(struct smmu_instance *inst, const struct smmu_cmd *cmds, uint32_t n,
			bool may_sleep)
{
	int error = issue_once(inst, cmds, n, may_sleep);

	if (!error && inst->cfg.quirks & SMMU_QUIRK_TWICE)
		error = issue_once(inst, cmds, n, may_sleep);
	/* There is no ATC_INV among them; a time-out of somebody else's says nothing about these. */
	return error ? -SMMU_EIO : 0;
}

int smmu_instance_issue_atc(struct smmu_instance *inst, const struct smmu_cmd *cmds, uint32_t n)
{
	smmu_instance_count(inst, cmds, n);
	return smmu_cmdq_issue(&inst->cmdq, cmds, n, true);
}

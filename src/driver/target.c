/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An instance as the sweep sees it: programs go into its command queue, and a device that does not answer is cut off.
 */
#include "driver.h"

static struct smmu_instance *instance_of(struct smmu_inv_target *t)
{
	return smmu_container_of(t, struct smmu_instance, target);
}

static size_t fill(void *ctx, struct smmu_cmd *dst, size_t room)
{
	return smmu_inv_program_next(ctx, dst, room);
}

static int target_submit(struct smmu_inv_target *t, struct smmu_inv_program *p,
			 struct smmu_cmdq_token *token)
{
	return smmu_cmdq_submit(&instance_of(t)->cmdq, smmu_inv_program_count(p), fill, p, token);
}

static enum smmu_cmdq_status target_poll(struct smmu_inv_target *t,
					 const struct smmu_cmdq_token *token)
{
	return smmu_cmdq_poll(&instance_of(t)->cmdq, token);
}

static enum smmu_cmdq_status target_wait(struct smmu_inv_target *t,
					 const struct smmu_cmdq_token *token)
{
	return smmu_cmdq_wait(&instance_of(t)->cmdq, token, false);
}

static void target_quarantine(struct smmu_inv_target *t, const struct smmu_inv *e)
{
	/* The device stays while a sweep can name it: smmu_device_fini waits for the readers. */
	smmu_device_quarantine(e->owner);
}

static const struct smmu_inv_target_ops ops = {target_submit, target_poll, target_wait,
					       target_quarantine};

void smmu_target_init(struct smmu_instance *inst)
{
	uint32_t flags = 0;

	if (inst->features.bits & SMMU_FEAT_RANGE)
		flags |= SMMU_INV_RANGE;
	if (inst->cfg.quirks & SMMU_QUIRK_SPLIT_ATC)
		flags |= SMMU_INV_SPLIT_ATC;
	if (inst->cfg.quirks & SMMU_QUIRK_TWICE)
		flags |= SMMU_INV_TLBI_TWICE;
	inst->target = (struct smmu_inv_target){.ops = &ops,
						.index = inst->cfg.index,
						.flags = flags,
						.tlbi_max = inst->cfg.tlbi_max,
						.atc_max = inst->cfg.atc_max};
}

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
		error = smmu_cmdq_issue(&inst->cmdq, cmds + i, end - i, may_sleep);
	}
	return error;
}

static int issue(struct smmu_instance *inst, const struct smmu_cmd *cmds, uint32_t n,
		 bool may_sleep)
{
	int error = issue_once(inst, cmds, n, may_sleep);

	if (!error && inst->cfg.quirks & SMMU_QUIRK_TWICE)
		error = issue_once(inst, cmds, n, may_sleep);
	return error;
}

/*
 * With STE.CONFIG = abort and CR0.ATSCHK = 1 the SMMU refuses what the device has translated by itself as well, so
 * its ATC may hold what it likes. Whoever is in the middle of an attach finds the flag set before its next store.
 */
void smmu_device_quarantine(struct smmu_device *dev)
{
	struct smmu_instance *inst = dev->instance;
	struct smmu_cmd cmd[SMMU_DEVICE_STREAMS];
	struct smmu_message m;
	uint32_t before;
	smmu_irqflags flags;

	flags = smmu_spin_lock(&dev->ste_lock);
	before = dev->quarantined;
	smmu_store(&dev->quarantined, 1);
	for (uint32_t i = 0; i < dev->nr_streams; i++) {
		struct smmu_ste *ste = dev->ste[i];

		smmu_store(&ste->w[0], smmu_ste_kind.halt(ste->w));
		smmu_port_clean(inst->port, ste, sizeof(*ste));
		cmd[i] = smmu_cmd_cfgi_ste(dev->stream[i], true);
	}
	smmu_spin_unlock(&dev->ste_lock, flags);
	issue(inst, cmd, dev->nr_streams, false);
	if (before)
		return;
	smmu_text_str(smmu_message_begin(&m, inst->name), "stream ");
	smmu_text_hex(&m.text, dev->stream[0], 1);
	if (dev->name) {
		smmu_text_str(&m.text, " (");
		smmu_text_str(&m.text, dev->name);
		smmu_text_str(&m.text, ")");
	}
	smmu_text_str(&m.text,
		      ": its ATC does not answer: the device is cut off until it is added anew");
	smmu_message_log(&m, inst->port, SMMU_LOG_ERROR);
}

int smmu_instance_issue(struct smmu_instance *inst, const struct smmu_cmd *cmds, uint32_t n)
{
	return issue(inst, cmds, n, true);
}

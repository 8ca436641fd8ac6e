/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An instance as the sweep sees it: programs go into its command queue, and a device that does not answer is cut off.
 */
#include "driver.h"

static struct smmu_instance *instance_of(struct smmu_inv_target *t)
{
	return smmu_container_of(t, struct smmu_instance, target);
}

const char *smmu_target_name(const struct smmu_inv_target *t)
{
	return instance_of((struct smmu_inv_target *)t)->name;
}

unsigned smmu_target_bbml(const struct smmu_inv_target *t)
{
	return instance_of((struct smmu_inv_target *)t)->features.bbml;
}

static size_t fill(void *ctx, struct smmu_cmd *dst, size_t room)
{
	return smmu_inv_program_next(ctx, dst, room);
}

/** A program, and where its commands are counted: with SMMU_STATS, which a port may decide as late as it likes. */
struct counted {
	struct smmu_inv_program *program;
	struct smmu_instance *inst;
};

static size_t fill_counted(void *ctx, struct smmu_cmd *dst, size_t room)
{
	struct counted *c = ctx;
	size_t n = smmu_inv_program_next(c->program, dst, room);

	smmu_instance_count(c->inst, dst, n);
	return n;
}

static int target_submit(struct smmu_inv_target *t, struct smmu_inv_program *p,
			 struct smmu_cmdq_token *token)
{
	struct smmu_instance *inst = instance_of(t);
	const struct smmu_cmd *one = smmu_inv_program_one(p);
	struct counted c = {p, inst};
	uint32_t n = smmu_inv_program_count(p);

	if (one) {
		int error = smmu_cmdq_submit_one(&inst->cmdq, one, token);

		smmu_instance_count(inst, one, !error);
		return error;
	}
	if (SMMU_STATS)
		return smmu_cmdq_submit(&inst->cmdq, n, fill_counted, &c, token);
	return smmu_cmdq_submit(&inst->cmdq, n, fill, p, token);
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

static int target_quarantine(struct smmu_inv_target *t, struct smmu_inv_owner *owner)
{
	/* The streams stay while a sweep can name them: smmu_device_fini waits for the readers. */
	return smmu_streams_cut_off(smmu_container_of(owner, struct smmu_streams, owner));
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

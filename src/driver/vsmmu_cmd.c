/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands of a guest: converted, issued as one batch, waited for.
 *
 *   1. All happens in one read section. Unplugging a device, its end, and the removal of the
 *      instance wait for that to be left, so streams and queue that a command was converted for are
 *      there until it is complete.
 *   2. An ATC that does not answer is found by asking each device of the block alone, and is cut
 *      off on that evidence. So a device costs one time-out, and one more for the block in which it
 *      was found; after that it is not asked again.
 *   3. What was not confirmed is not done: after -SMMU_EIO none of the block counts. Invalidating
 *     twice does no harm.
 */
#include "vsmmu.h"

struct block {
	struct smmu_vsmmu *v;
	struct smmu_instance *inst;
	const struct smmu_vstreams *streams;
	struct smmu_cmd *cmds;
	uint32_t n;
};

static bool is_atc(const struct smmu_cmd *cmd)
{
	return smmu_cmd_opcode(cmd) == SMMU_CMD_ATC_INV;
}

/**
 * The device that an ATC_INV is for; NULL: it was unplugged meanwhile, and has nothing to do with
 * this guest any more.
 */
static struct smmu_streams *asked(const struct block *b, const struct smmu_cmd *cmd)
{
	const struct smmu_vstream *e = smmu_vstream_find_real(
		b->streams, (uint32_t)smmu_field_get(SMMU_CMD_W0_SID, cmd->w[0]));

	return e ? smmu_load(&e->streams) : NULL;
}

/**
 * Leave out what is for devices that are cut off. 0; -SMMU_EIO: a cut-off is not confirmed, so that
 * its ATC may still be used.
 */
static int leave_out(struct block *b)
{
	uint32_t kept = 0;
	int error = 0;

	for (uint32_t i = 0; i < b->n; i++) {
		struct smmu_streams *s = is_atc(&b->cmds[i]) ? asked(b, &b->cmds[i]) : NULL;

		if (is_atc(&b->cmds[i]) && (!s || smmu_streams_unasked(s))) {
			if (s && smmu_streams_cut_off(s))
				error = -SMMU_EIO;
			continue;
		}
		b->cmds[kept++] = b->cmds[i];
	}
	b->n = kept;
	return error;
}

/** Commands from @p first to @p end, all of a kind that may go together. */
static int issue(const struct block *b, uint32_t first, uint32_t end)
{
	smmu_instance_count(b->inst, b->cmds + first, end - first);
	return smmu_cmdq_issue(&b->inst->cmdq, b->cmds + first, end - first, false);
}

/** On parts with errata: each run of a kind by itself, and TLBI and CFGI twice; ATC_INV never. */
static int issue_runs(const struct block *b)
{
	uint32_t one_kind = b->inst->cfg.quirks & SMMU_QUIRK_ONE_KIND;
	int error = 0;

	for (uint32_t i = 0, end; i < b->n; i = end) {
		bool atc = is_atc(&b->cmds[i]);
		int now;

		end = i + 1;
		while (end < b->n && is_atc(&b->cmds[end]) == atc &&
		       (!one_kind ||
			smmu_cmd_opcode(&b->cmds[end]) == smmu_cmd_opcode(&b->cmds[i])))
			end++;
		now = issue(b, i, end);
		if (!now && !atc && b->inst->cfg.quirks & SMMU_QUIRK_TWICE)
			now = issue(b, i, end);
		if (now && now != -SMMU_ETIMEDOUT)
			return now;
		error = smmu_first_error(error, now);
	}
	return error;
}

static int issue_all(const struct block *b)
{
	if (!b->n)
		return 0;
	if (b->inst->cfg.quirks & (SMMU_QUIRK_TWICE | SMMU_QUIRK_ONE_KIND))
		return issue_runs(b);
	return issue(b, 0, b->n);
}

/**
 * Move the ATC_INVs of the device that the first of them is for to the front of @p cmds. Returns
 * how many there are.
 */
static uint32_t gather(const struct block *b, struct smmu_cmd *cmds, uint32_t n)
{
	const struct smmu_streams *s = asked(b, &cmds[0]);
	uint32_t mine = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct smmu_cmd cmd = cmds[i];

		if (asked(b, &cmd) != s)
			continue;
		cmds[i] = cmds[mine];
		cmds[mine++] = cmd;
	}
	return mine;
}

/**
 * An ATC of the block does not answer: ask each device alone, and cut off those that do not. 0,
 * -SMMU_ETIMEDOUT, -SMMU_EIO.
 */
static int ask_each(struct block *b, uint32_t *cut)
{
	uint32_t atc = 0;
	int error = 0;

	for (uint32_t i = 0; i < b->n; i++)
		if (is_atc(&b->cmds[i]))
			b->cmds[atc++] = b->cmds[i];
	for (uint32_t i = 0, end; i < atc; i = end) {
		struct smmu_streams *s = asked(b, &b->cmds[i]);
		int now = 0;

		end = i + gather(b, b->cmds + i, atc - i);
		if (!s)
			continue;
		if (!smmu_streams_cut(s))
			now = issue(b, i, end);
		if (now == -SMMU_ETIMEDOUT || smmu_streams_cut(s)) {
			now = smmu_streams_cut_off(s) ? -SMMU_EIO : -SMMU_ETIMEDOUT;
			++*cut;
		}
		if (now == -SMMU_EIO)
			return now;
		error = smmu_first_error(error, now);
	}
	return error;
}

static bool any_atc(const struct block *b)
{
	uint32_t i = 0;

	while (i < b->n && !is_atc(&b->cmds[i]))
		i++;
	return i < b->n;
}

/** In a read section. */
static int invalidate(struct block *b, struct smmu_vsmmu_done *done)
{
	uint64_t start;
	bool atc;
	int error;

	b->inst = smmu_load(&b->v->instance);
	if (!b->inst)
		return -SMMU_ENODEV;
	done->count = (uint32_t)smmu_guest_convert(&b->v->guest, b->cmds, b->cmds, b->n,
						   &done->stop, &done->why);
	b->n = done->count;
	b->streams = SMMU_BARRIER(array_followed, smmu_rcu_dereference(&b->v->streams));
	error = leave_out(b);
	atc = any_atc(b);
	start = atc ? smmu_port_now(b->inst->port) : 0;
	if (!error)
		error = issue_all(b);
	if (error == -SMMU_ETIMEDOUT)
		error = ask_each(b, &done->cut);
	done->atc_ns = atc ? smmu_port_now(b->inst->port) - start : 0;
	return error;
}

int smmu_vsmmu_invalidate(struct smmu_vsmmu *v, struct smmu_cmd *cmds, uint32_t n,
			  struct smmu_vsmmu_done *done)
{
	struct smmu_rcu *rcu = v->parent->port->rcu;
	struct block b = {.v = v, .cmds = cmds, .n = n};
	unsigned cookie = smmu_rcu_enter(rcu);
	int error;

	*done = (struct smmu_vsmmu_done){.stop = SMMU_GUEST_END};
	error = invalidate(&b, done);
	smmu_rcu_exit(rcu, cookie);
	if (error && error != -SMMU_ETIMEDOUT)
		done->count = 0;
	return error;
}

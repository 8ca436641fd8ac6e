/* SPDX-License-Identifier: BSD-2-Clause */
/* The witness: it copies each published command with its time, and answers questions afterwards. */
#include "cmdlog.h"

#include <stdlib.h>

#include <smmuv3/hw/regs.h>

static uint32_t prod_mask(const struct cmdlog *log)
{
	return (2u << smmu_field_get(SMMU_QUEUE_BASE_LOG2SIZE, log->base)) - 1;
}

static void note(struct cmdlog *log, uint32_t prod, uint32_t *commands, uint32_t *syncs)
{
	unsigned bits = (unsigned)smmu_field_get(SMMU_QUEUE_BASE_LOG2SIZE, log->base);
	uint32_t mask = prod_mask(log), slot = (1u << bits) - 1, at = log->prod;
	uint64_t ring = log->base & SMMU_MASK(51, 5), now = smmu_port_now(log->port);

	for (; at != (prod & mask); at = (at + 1) & mask) {
		const struct smmu_cmd *cmd =
			smmu_ram_at(log->ram, ring + (uint64_t)(at & slot) * 16, 16);

		if (!cmd)
			break;
		log->sent[smmu_cmd_opcode(cmd)]++;
		++*(smmu_cmd_opcode(cmd) == SMMU_CMD_SYNC ? syncs : commands);
		log->entry[log->count++ % CMDLOG_ENTRIES] = (struct cmdlog_entry){now, *cmd};
	}
}

static uint32_t log_read32(void *ctx, uint32_t offset)
{
	struct cmdlog *log = ctx;

	return log->inner->ops->read32(log->inner->ctx, offset);
}

static uint64_t log_read64(void *ctx, uint32_t offset)
{
	struct cmdlog *log = ctx;

	return log->inner->ops->read64(log->inner->ctx, offset);
}

static void log_write32(void *ctx, uint32_t offset, uint32_t value)
{
	struct cmdlog *log = ctx;
	smmu_irqflags flags;
	uint32_t commands = 0, syncs = 0;

	if (offset == SMMU_CMDQ_PROD) {
		flags = smmu_spin_lock(&log->lock);
		if (log->enabled)
			note(log, value, &commands, &syncs);
		log->prod = value & prod_mask(log);
		smmu_spin_unlock(&log->lock, flags);
		if (log->witness)
			log->witness->published(log->witness_ctx, commands, syncs);
	}
	if (offset == SMMU_CR0) {
		flags = smmu_spin_lock(&log->lock);
		log->enabled = value & SMMU_CR0_CMDQEN;
		smmu_spin_unlock(&log->lock, flags);
	}
	log->inner->ops->write32(log->inner->ctx, offset, value);
}

static void log_write64(void *ctx, uint32_t offset, uint64_t value)
{
	struct cmdlog *log = ctx;
	smmu_irqflags flags;

	if (offset == SMMU_CMDQ_BASE) {
		flags = smmu_spin_lock(&log->lock);
		log->base = value;
		smmu_spin_unlock(&log->lock, flags);
	}
	log->inner->ops->write64(log->inner->ctx, offset, value);
}

static void log_relax(void *ctx)
{
	struct cmdlog *log = ctx;

	if (log->witness)
		log->witness->waits(log->witness_ctx);
	log->inner->ops->relax(log->inner->ctx);
}

static const struct smmu_bus_ops log_ops = {
	.read32 = log_read32,
	.read64 = log_read64,
	.write32 = log_write32,
	.write64 = log_write64,
	.relax = log_relax,
};

int cmdlog_init(struct cmdlog *log, const struct smmu_bus *inner, const struct smmu_ram *ram,
		const struct smmu_port *port)
{
	*log = (struct cmdlog){.inner = inner, .ram = ram, .port = port};
	log->bus = (struct smmu_bus){&log_ops, log};
	smmu_spin_init(&log->lock);
	log->entry = calloc(CMDLOG_ENTRIES, sizeof(*log->entry));
	return log->entry ? 0 : -1;
}

void cmdlog_fini(struct cmdlog *log)
{
	free(log->entry);
	log->entry = NULL;
}

bool cmdlog_is_tlbi(const struct smmu_cmd *cmd)
{
	unsigned op = smmu_cmd_opcode(cmd);

	return op >= SMMU_CMD_TLBI_NH_ALL && op <= SMMU_CMD_TLBI_NSNH_ALL;
}

bool cmdlog_is_cfgi(const struct smmu_cmd *cmd)
{
	unsigned op = smmu_cmd_opcode(cmd);

	return op >= SMMU_CMD_CFGI_STE && op <= SMMU_CMD_CFGI_VMS_PIDM;
}

void cmdlog_count(const struct cmdlog *log, struct report_commands *c)
{
	unsigned op;

	for (op = 0; op < 256; op++) {
		struct smmu_cmd cmd = {{op, 0}};

		if (cmdlog_is_tlbi(&cmd))
			c->tlbi += log->sent[op];
		else if (cmdlog_is_cfgi(&cmd))
			c->cfgi += log->sent[op];
		else if (op == SMMU_CMD_ATC_INV)
			c->atc_inv += log->sent[op];
		else if (op == SMMU_CMD_SYNC)
			c->sync += log->sent[op];
		else
			c->other += log->sent[op];
	}
}

static bool overlap(uint64_t start, uint64_t last, const struct cmdlog_query *q)
{
	return start <= q->last && last >= q->start;
}

static bool tlbi_matches(const struct smmu_cmd *cmd, const struct cmdlog_query *q)
{
	unsigned op = smmu_cmd_opcode(cmd), tg;
	int asid = (int)smmu_field_get(SMMU_CMD_TLBI_W0_ASID, cmd->w[0]);
	int vmid = (int)smmu_field_get(SMMU_CMD_TLBI_W0_VMID, cmd->w[0]);
	bool by_asid = op == SMMU_CMD_TLBI_NH_ASID || op == SMMU_CMD_TLBI_NH_VA;
	bool by_vmid = op == SMMU_CMD_TLBI_S2_IPA || op == SMMU_CMD_TLBI_S12_VMALL;
	uint64_t start = cmd->w[1] & SMMU_CMD_TLBI_W1_ADDR, size = 1;

	if (by_asid && q->asid >= 0 && q->asid != asid)
		return false;
	if (by_vmid && q->vmid >= 0 && q->vmid != vmid)
		return false;
	if (op != SMMU_CMD_TLBI_NH_VA && op != SMMU_CMD_TLBI_NH_VAA && op != SMMU_CMD_TLBI_S2_IPA)
		return true;
	tg = (unsigned)smmu_field_get(SMMU_CMD_TLBI_W1_TG, cmd->w[1]);
	if (tg)
		size = (smmu_field_get(SMMU_CMD_TLBI_W0_NUM, cmd->w[0]) + 1)
		       << smmu_field_get(SMMU_CMD_TLBI_W0_SCALE, cmd->w[0]) << (10 + 2 * tg);
	return overlap(start, start + size - 1, q);
}

bool cmdlog_matches(const struct smmu_cmd *cmd, const struct cmdlog_query *q)
{
	uint64_t start, span;

	if (!q->atc)
		return cmdlog_is_tlbi(cmd) && tlbi_matches(cmd, q);
	if (smmu_cmd_opcode(cmd) != SMMU_CMD_ATC_INV ||
	    smmu_field_get(SMMU_CMD_W0_SID, cmd->w[0]) != q->stream)
		return false;
	if (!(cmd->w[0] & SMMU_CMD_ATC_INV_W0_G) &&
	    (q->has_ssid != !!(cmd->w[0] & SMMU_CMD_W0_SSV) ||
	     (q->has_ssid && smmu_field_get(SMMU_CMD_W0_SSID, cmd->w[0]) != q->ssid)))
		return false;
	span = smmu_field_get(SMMU_CMD_ATC_INV_W1_SIZE, cmd->w[1]);
	if (span >= SMMU_CMD_ATC_INV_SIZE_ALL)
		return true;
	start = cmd->w[1] & SMMU_CMD_ATC_INV_W1_ADDR & ~((4096ull << span) - 1);
	return overlap(start, start + (4096ull << span) - 1, q);
}

bool cmdlog_find(struct cmdlog *log, const struct cmdlog_query *q, struct cmdlog_entry *out)
{
	uint64_t i, n;
	bool found = false;
	smmu_irqflags flags;

	flags = smmu_spin_lock(&log->lock);
	n = smmu_min64(log->count, CMDLOG_ENTRIES);
	for (i = 1; i <= n && !found; i++) {
		const struct cmdlog_entry *e = &log->entry[(log->count - i) % CMDLOG_ENTRIES];

		if (e->at_ns < q->since_ns)
			break;
		if (cmdlog_matches(&e->cmd, q)) {
			*out = *e;
			found = true;
		}
	}
	smmu_spin_unlock(&log->lock, flags);
	return found;
}

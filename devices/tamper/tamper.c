/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tampering with commands on their way.
 *
 * Other producers may be filling entries behind the new PROD while one publishes, so nothing outside
 * [old PROD, new PROD) is touched. The driver writes CMDQ_PROD from one thread at a time; the lock is for readers of
 * the counts. It is a pthread mutex, which no simulated thread can be switched away from: being tampered with costs
 * no virtual time and adds no scheduling point.
 */
#include "tamper.h"

#include <stdlib.h>
#include <smmuv3/hw/regs.h>

static const char *const tamper_name[SMMU_TAMPER_FAULTS] = {
	"drop-tlbi", "drop-atc",       "drop-cfgi", "drop-sync",
	"wrong-id",  "wrong-instance", "atc-first", "cmd-error",
};

const char *smmu_tamper_name(enum smmu_tamper_fault fault)
{
	return tamper_name[fault];
}

static bool is_tlbi(unsigned op)
{
	return op >= SMMU_CMD_TLBI_NH_ALL && op <= SMMU_CMD_TLBI_NSNH_ALL;
}

static bool is_cfgi(unsigned op)
{
	return op >= SMMU_CMD_CFGI_STE && op <= SMMU_CMD_CFGI_VMS_PIDM;
}

/* The other id that a TLBI is for gets its name changed; 0 if it names none. */
static uint64_t other_id(unsigned op)
{
	switch (op) {
	case SMMU_CMD_TLBI_NH_ASID:
	case SMMU_CMD_TLBI_NH_VA:
	case SMMU_CMD_TLBI_EL2_ASID:
	case SMMU_CMD_TLBI_EL2_VA:
		/* Within 8 bits, so that it stays an ASID where those are short. */
		return smmu_field_prep(SMMU_CMD_TLBI_W0_ASID, 0x55);
	case SMMU_CMD_TLBI_NH_ALL:
	case SMMU_CMD_TLBI_NH_VAA:
	case SMMU_CMD_TLBI_S12_VMALL:
	case SMMU_CMD_TLBI_S2_IPA:
		return smmu_field_prep(SMMU_CMD_TLBI_W0_VMID, 0x55);
	case SMMU_CMD_ATC_INV:
		return smmu_field_prep(SMMU_CMD_W0_SID, 1);
	default:
		return 0;
	}
}

static bool is_for(enum smmu_tamper_fault fault, unsigned op)
{
	switch (fault) {
	case SMMU_TAMPER_DROP_TLBI:
		return is_tlbi(op);
	case SMMU_TAMPER_DROP_ATC:
		return op == SMMU_CMD_ATC_INV;
	case SMMU_TAMPER_DROP_CFGI:
		return is_cfgi(op);
	case SMMU_TAMPER_DROP_SYNC:
		return op == SMMU_CMD_SYNC;
	case SMMU_TAMPER_WRONG_ID:
		return other_id(op) != 0;
	case SMMU_TAMPER_WRONG_INSTANCE:
		return is_tlbi(op) || op == SMMU_CMD_ATC_INV;
	case SMMU_TAMPER_CMD_ERROR:
		return true;
	default:
		return false;
	}
}

/* Count a match; true each n-th time. */
static bool strikes(struct smmu_tamper *t, enum smmu_tamper_fault fault)
{
	return t->every[fault] && ++t->matched[fault] % t->every[fault] == 0;
}

static void note(struct smmu_tamper *t, enum smmu_tamper_fault fault, const struct smmu_cmd *cmd)
{
	t->struck[fault]++;
	t->record[t->records++ % SMMU_TAMPER_RECORDS] = (struct smmu_tamper_record){
		.instance = t->instance, .fault = fault, .original = *cmd};
}

/* A command that asks for nothing: of the same stream where the original names one. */
static struct smmu_cmd harmless(const struct smmu_cmd *cmd)
{
	unsigned op = smmu_cmd_opcode(cmd);
	uint32_t sid = 0;

	if (op == SMMU_CMD_ATC_INV || (is_cfgi(op) && op != SMMU_CMD_CFGI_VMS_PIDM))
		sid = (uint32_t)smmu_field_get(SMMU_CMD_W0_SID, cmd->w[0]);
	return smmu_cmd_prefetch_config(sid, false, 0);
}

/* What the SMMU would do at the end of the SYNC, so that the driver notices nothing. */
static void complete_sync(struct smmu_tamper *t, const struct smmu_cmd *cmd)
{
	uint64_t addr = cmd->w[1] & SMMU_CMD_SYNC_W1_MSIADDR;
	uint32_t *word = smmu_ram_at(t->ram, addr, sizeof(*word));

	if (smmu_field_get(SMMU_CMD_SYNC_W0_CS, cmd->w[0]) == SMMU_CMD_SYNC_CS_IRQ && word)
		smmu_store_release(word,
				   (uint32_t)smmu_field_get(SMMU_CMD_SYNC_W0_MSIDATA, cmd->w[0]));
}

static struct smmu_cmd damage(struct smmu_tamper *t, enum smmu_tamper_fault fault,
			      const struct smmu_cmd *cmd)
{
	struct smmu_cmd bad = harmless(cmd);

	switch (fault) {
	case SMMU_TAMPER_DROP_SYNC:
		complete_sync(t, cmd);
		break;
	case SMMU_TAMPER_WRONG_ID:
		bad = *cmd;
		bad.w[0] ^= other_id(smmu_cmd_opcode(cmd));
		break;
	case SMMU_TAMPER_CMD_ERROR:
		bad = *cmd;
		bad.w[0] |= SMMU_CMD_W0_OP;
		break;
	default:
		break;
	}
	return bad;
}

static bool is_sync(const struct smmu_cmd *cmd, unsigned cs)
{
	return smmu_cmd_opcode(cmd) == SMMU_CMD_SYNC &&
	       smmu_field_get(SMMU_CMD_SYNC_W0_CS, cmd->w[0]) == cs;
}

/*
 * A program of the driver in which ATC_INVs come after TLBIs: tlbi … mid-1 are TLBIs, mid is a SYNC, mid+1 … end-1 are
 * ATC_INVs, end is the SYNC that reports the program's end.
 */
struct overtaken {
	unsigned tlbi, mid, end;
};

/*
 * Find the first among @n commands. The SYNC at its end is told by its MSI: without one, a SYNC in the middle may end another
 * program, which would then lose more than the order.
 */
static bool find_overtaken(const struct smmu_cmd *cmd, unsigned n, struct overtaken *o)
{
	unsigned at = 0;

	while (at < n) {
		o->tlbi = at;
		while (at < n && is_tlbi(smmu_cmd_opcode(&cmd[at])))
			at++;
		o->mid = at;
		if (at < n && at > o->tlbi && is_sync(&cmd[at], SMMU_CMD_SYNC_CS_NONE)) {
			at++;
			while (at < n && smmu_cmd_opcode(&cmd[at]) == SMMU_CMD_ATC_INV)
				at++;
			o->end = at;
			if (at < n && at > o->mid + 1 && is_sync(&cmd[at], SMMU_CMD_SYNC_CS_IRQ))
				return true;
		}
		/* On behind the next SYNC: a program has no other commands before its TLBIs. */
		while (at < n && smmu_cmd_opcode(&cmd[at]) != SMMU_CMD_SYNC)
			at++;
		at++;
	}
	return false;
}

/* TLBI TLBI SYNC ATC SYNC becomes ATC SYNC TLBI TLBI SYNC. */
static void put_atc_first(struct smmu_cmd *cmd, const struct smmu_cmd *old,
			  const struct overtaken *o)
{
	unsigned out = o->tlbi, i;

	for (i = o->mid + 1; i < o->end; i++)
		cmd[out++] = old[i];
	cmd[out++] = old[o->mid];
	for (i = o->tlbi; i < o->mid; i++)
		cmd[out++] = old[i];
}

/* What one write of PROD publishes. */
struct window {
	unsigned n, strays;
	struct smmu_cmd *old;   /* as the driver wrote it */
	struct smmu_cmd *cmd;   /* as the device shall see it */
	struct smmu_cmd *stray; /* to be issued elsewhere */
};

static void tamper_with(struct smmu_tamper *t, struct window *w)
{
	struct overtaken o;
	struct smmu_cmd *cmd = w->cmd;
	unsigned i, fault;

	if (find_overtaken(w->old, w->n, &o) && strikes(t, SMMU_TAMPER_ATC_FIRST)) {
		note(t, SMMU_TAMPER_ATC_FIRST, &w->old[o.tlbi]);
		put_atc_first(cmd, w->old, &o);
	}
	for (i = 0; i < w->n; i++) {
		/* At most one fault a command. */
		for (fault = 0; fault < SMMU_TAMPER_FAULTS; fault++) {
			if (is_for(fault, smmu_cmd_opcode(&cmd[i])) && strikes(t, fault)) {
				note(t, fault, &cmd[i]);
				if (fault == SMMU_TAMPER_WRONG_INSTANCE)
					w->stray[w->strays++] = cmd[i];
				cmd[i] = damage(t, fault, &cmd[i]);
				break;
			}
		}
	}
}

/* Fills @w, whose old is NULL if there was nothing to do and else is to be freed. */
static void publish(struct smmu_tamper *t, uint32_t prod, struct window *w)
{
	uint32_t log2 = (uint32_t)smmu_field_get(SMMU_QUEUE_BASE_LOG2SIZE, t->base), i;
	uint32_t entries = 1u << smmu_min64(log2, 19), n = (prod - t->prod) & (2 * entries - 1);
	struct smmu_cmd *queue = smmu_ram_at(t->ram, t->base & SMMU_QUEUE_BASE_ADDR,
					     (uint64_t)entries << SMMU_CMD_LOG2_BYTES);

	if (!queue || n == 0 || n > entries)
		return;
	w->old = malloc(3 * n * sizeof(*w->old));
	if (!w->old)
		return;
	w->cmd = w->old + n;
	w->stray = w->cmd + n;
	w->n = n;
	for (i = 0; i < n; i++)
		w->cmd[i] = w->old[i] = queue[(t->prod + i) & (entries - 1)];
	tamper_with(t, w);
	for (i = 0; i < n; i++) {
		if (w->cmd[i].w[0] != w->old[i].w[0] || w->cmd[i].w[1] != w->old[i].w[1])
			queue[(t->prod + i) & (entries - 1)] = w->cmd[i];
	}
	/* The device must see the damage before PROD. */
	smmu_fence();
}

static bool tampers(const struct smmu_tamper *t)
{
	unsigned i;

	for (i = 0; i < SMMU_TAMPER_FAULTS && !t->every[i]; i++)
		;
	return i < SMMU_TAMPER_FAULTS;
}

static void write_prod(struct smmu_tamper *t, uint32_t prod)
{
	struct window w = {0};
	unsigned i;

	pthread_mutex_lock(&t->lock);
	if (t->enabled && tampers(t))
		publish(t, prod, &w);
	t->prod = prod;
	pthread_mutex_unlock(&t->lock);
	t->inner->ops->write32(t->inner->ctx, SMMU_CMDQ_PROD, prod);
	for (i = 0; i < w.strays && t->misdirect; i++)
		t->misdirect(t->misdirect_ctx, t->instance, &w.stray[i]);
	free(w.old);
}

static uint32_t tamper_read32(void *ctx, uint32_t offset)
{
	const struct smmu_tamper *t = ctx;

	return t->inner->ops->read32(t->inner->ctx, offset);
}

static uint64_t tamper_read64(void *ctx, uint32_t offset)
{
	const struct smmu_tamper *t = ctx;

	return t->inner->ops->read64(t->inner->ctx, offset);
}

static void tamper_write32(void *ctx, uint32_t offset, uint32_t value)
{
	struct smmu_tamper *t = ctx;

	switch (offset) {
	case SMMU_CR0:
		pthread_mutex_lock(&t->lock);
		t->enabled = value & SMMU_CR0_CMDQEN;
		pthread_mutex_unlock(&t->lock);
		break;
	case SMMU_CMDQ_BASE:
		t->base = (t->base & ~SMMU_MASK(31, 0)) | value;
		break;
	case SMMU_CMDQ_BASE + 4:
		t->base = (t->base & SMMU_MASK(31, 0)) | (uint64_t)value << 32;
		break;
	case SMMU_CMDQ_PROD:
		write_prod(t, value);
		return;
	default:
		break;
	}
	t->inner->ops->write32(t->inner->ctx, offset, value);
}

static void tamper_write64(void *ctx, uint32_t offset, uint64_t value)
{
	struct smmu_tamper *t = ctx;

	if (offset == SMMU_CMDQ_BASE)
		t->base = value;
	t->inner->ops->write64(t->inner->ctx, offset, value);
}

static void tamper_relax(void *ctx)
{
	const struct smmu_tamper *t = ctx;

	t->inner->ops->relax(t->inner->ctx);
}

static const struct smmu_bus_ops tamper_ops = {
	.read32 = tamper_read32,
	.read64 = tamper_read64,
	.write32 = tamper_write32,
	.write64 = tamper_write64,
	.relax = tamper_relax,
};

void smmu_tamper_init(struct smmu_tamper *t, const struct smmu_bus *inner,
		      const struct smmu_ram *ram, unsigned instance)
{
	*t = (struct smmu_tamper){
		.bus = {.ops = &tamper_ops, .ctx = t},
		.inner = inner,
		.ram = ram,
		.instance = instance,
	};
	pthread_mutex_init(&t->lock, NULL);
}

uint64_t smmu_tamper_count(struct smmu_tamper *t, enum smmu_tamper_fault fault)
{
	uint64_t n;

	pthread_mutex_lock(&t->lock);
	n = t->struck[fault];
	pthread_mutex_unlock(&t->lock);
	return n;
}

unsigned smmu_tamper_last(struct smmu_tamper *t, struct smmu_tamper_record *out, unsigned max)
{
	unsigned n = 0;

	pthread_mutex_lock(&t->lock);
	while (n < max && n < SMMU_TAMPER_RECORDS && n < t->records) {
		out[n] = t->record[(t->records - 1 - n) % SMMU_TAMPER_RECORDS];
		n++;
	}
	pthread_mutex_unlock(&t->lock);
	return n;
}

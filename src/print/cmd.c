/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands: what fields each opcode has, whether a command is well-formed, and its text. */
#include "fields.h"

static const char *const names_tg[] = {"any", "4K", "16K", "64K"};
static const char *const names_resp[] = {"failure", "invalid", "success"};
static const char *const names_action[] = {"terminate", "retry"};
static const char *const names_cs[] = {"none", "irq", "sev"};

static const struct smmu_field fields_prefetch_config[] = {
	SMMU_FIELD(0, SMMU_CMD_W0_SID, "SID", STREAM),
	SMMU_FIELD(0, SMMU_CMD_W0_SSV, "SSV", NUM),
	SMMU_FIELD(0, SMMU_CMD_W0_SSID, "SSID", STREAM_SET),
};

static const struct smmu_field fields_prefetch_addr[] = {
	SMMU_FIELD(0, SMMU_CMD_W0_SID, "SID", STREAM),
	SMMU_FIELD(0, SMMU_CMD_W0_SSV, "SSV", NUM),
	SMMU_FIELD(0, SMMU_CMD_W0_SSID, "SSID", STREAM_SET),
	SMMU_FIELD(1, SMMU_CMD_PREFETCH_W1_ADDR, "Addr", ADDR),
	SMMU_FIELD(1, SMMU_CMD_PREFETCH_W1_SIZE, "Size", NUM),
	SMMU_FIELD(1, SMMU_CMD_PREFETCH_W1_STRIDE, "Stride", NUM),
};

static const struct smmu_field fields_cfgi_ste[] = {
	SMMU_FIELD(0, SMMU_CMD_W0_SID, "SID", STREAM),
	SMMU_FIELD(1, SMMU_CMD_CFGI_W1_LEAF, "Leaf", NUM),
};

static const struct smmu_field fields_cfgi_range[] = {
	SMMU_FIELD(0, SMMU_CMD_W0_SID, "SID", STREAM),
	SMMU_FIELD(1, SMMU_CMD_CFGI_W1_RANGE, "Range", ID),
};

static const struct smmu_field fields_cfgi_cd[] = {
	SMMU_FIELD(0, SMMU_CMD_W0_SID, "SID", STREAM),
	SMMU_FIELD(0, SMMU_CMD_W0_SSID, "SSID", STREAM),
	SMMU_FIELD(1, SMMU_CMD_CFGI_W1_LEAF, "Leaf", NUM),
};

static const struct smmu_field fields_sid[] = {
	SMMU_FIELD(0, SMMU_CMD_W0_SID, "SID", STREAM),
};

static const struct smmu_field fields_vmid[] = {
	SMMU_FIELD(0, SMMU_CMD_TLBI_W0_VMID, "VMID", ID),
};

static const struct smmu_field fields_asid[] = {
	SMMU_FIELD(0, SMMU_CMD_TLBI_W0_ASID, "ASID", ID),
};

static const struct smmu_field fields_vmid_asid[] = {
	SMMU_FIELD(0, SMMU_CMD_TLBI_W0_VMID, "VMID", ID),
	SMMU_FIELD(0, SMMU_CMD_TLBI_W0_ASID, "ASID", ID),
};

#define TLBI_AT(addr_mask)                                                                         \
	SMMU_FIELD(1, addr_mask, "Addr", ADDR), SMMU_FIELD(1, SMMU_CMD_TLBI_W1_LEAF, "Leaf", NUM), \
		SMMU_FIELD_ENUM(1, SMMU_CMD_TLBI_W1_TG, "TG", NUM, names_tg),                      \
		SMMU_FIELD(1, SMMU_CMD_TLBI_W1_TTL, "TTL", NUM),                                   \
		SMMU_FIELD(1, SMMU_CMD_TLBI_W1_TTL128, "TTL128", NUM),                             \
		SMMU_FIELD(0, SMMU_CMD_TLBI_W0_NUM, "NUM", NUM),                                   \
		SMMU_FIELD(0, SMMU_CMD_TLBI_W0_SCALE, "SCALE", NUM)

static const struct smmu_field fields_nh_va[] = {
	SMMU_FIELD(0, SMMU_CMD_TLBI_W0_VMID, "VMID", ID),
	SMMU_FIELD(0, SMMU_CMD_TLBI_W0_ASID, "ASID", ID),
	TLBI_AT(SMMU_CMD_TLBI_W1_ADDR),
};

static const struct smmu_field fields_nh_vaa[] = {
	SMMU_FIELD(0, SMMU_CMD_TLBI_W0_VMID, "VMID", ID),
	TLBI_AT(SMMU_CMD_TLBI_W1_ADDR),
};

static const struct smmu_field fields_el2_va[] = {
	SMMU_FIELD(0, SMMU_CMD_TLBI_W0_ASID, "ASID", ID),
	TLBI_AT(SMMU_CMD_TLBI_W1_ADDR),
};

static const struct smmu_field fields_el2_vaa[] = {
	TLBI_AT(SMMU_CMD_TLBI_W1_ADDR),
};

static const struct smmu_field fields_s2_ipa[] = {
	SMMU_FIELD(0, SMMU_CMD_TLBI_W0_VMID, "VMID", ID),
	TLBI_AT(SMMU_CMD_TLBI_W1_IPA),
};

static const struct smmu_field fields_atc_inv[] = {
	SMMU_FIELD(0, SMMU_CMD_W0_SID, "SID", STREAM),
	SMMU_FIELD(0, SMMU_CMD_W0_SSV, "SSV", NUM),
	SMMU_FIELD(0, SMMU_CMD_W0_SSID, "SSID", STREAM_SET),
	SMMU_FIELD(0, SMMU_CMD_ATC_INV_W0_G, "Global", NUM),
	SMMU_FIELD(1, SMMU_CMD_ATC_INV_W1_ADDR, "Addr", ADDR),
	SMMU_FIELD(1, SMMU_CMD_ATC_INV_W1_SIZE, "Size", ID),
};

static const struct smmu_field fields_pri_resp[] = {
	SMMU_FIELD(0, SMMU_CMD_W0_SID, "SID", STREAM),
	SMMU_FIELD(0, SMMU_CMD_W0_SSV, "SSV", NUM),
	SMMU_FIELD(0, SMMU_CMD_W0_SSID, "SSID", STREAM_SET),
	SMMU_FIELD(1, SMMU_CMD_PRI_RESP_W1_PRGINDEX, "PRGIndex", ID),
	SMMU_FIELD_ENUM(1, SMMU_CMD_PRI_RESP_W1_RESP, "Resp", ID, names_resp),
};

static const struct smmu_field fields_resume[] = {
	SMMU_FIELD(0, SMMU_CMD_W0_SID, "SID", STREAM),
	SMMU_FIELD(1, SMMU_CMD_RESUME_W1_STAG, "STAG", ID),
	SMMU_FIELD_ENUM(0, SMMU_CMD_RESUME_W0_AC, "Action", ID, names_action),
	SMMU_FIELD(0, SMMU_CMD_RESUME_W0_AB, "Abort", NUM),
};

static const struct smmu_field fields_sync[] = {
	SMMU_FIELD_ENUM(0, SMMU_CMD_SYNC_W0_CS, "CS", ID, names_cs),
	SMMU_FIELD(0, SMMU_CMD_SYNC_W0_MSH, "MSH", NUM),
	SMMU_FIELD(0, SMMU_CMD_SYNC_W0_MSIATTR, "MSIAttr", HEX),
	SMMU_FIELD(0, SMMU_CMD_SYNC_W0_MSIDATA, "MSIData", HEX),
	SMMU_FIELD(1, SMMU_CMD_SYNC_W1_MSIADDR, "MSIAddr", ADDR_SET),
};

/** How far a command reaches, beyond what its fields say one by one. */
enum cmd_span {
	SPAN_NONE,
	SPAN_TLBI,
	SPAN_ATC,
	SPAN_ANY, /**< the layout of the command is not known here */
};

struct cmd_desc {
	const char *name;
	const struct smmu_field *fields;
	uint8_t count;
	uint8_t opcode;
	uint8_t span;
};

#define CMD(op, table, span_)                                                          \
	{                                                                              \
		"CMD_" #op, table, SMMU_ARRAY_SIZE(table), SMMU_CMD_##op, SPAN_##span_ \
	}
#define CMD_BARE(op, span_)                                      \
	{                                                        \
		"CMD_" #op, NULL, 0, SMMU_CMD_##op, SPAN_##span_ \
	}

static const struct cmd_desc cmds[] = {
	CMD(PREFETCH_CONFIG, fields_prefetch_config, NONE),
	CMD(PREFETCH_ADDR, fields_prefetch_addr, NONE),
	CMD(CFGI_STE, fields_cfgi_ste, NONE),
	CMD(CFGI_STE_RANGE, fields_cfgi_range, NONE),
	CMD(CFGI_CD, fields_cfgi_cd, NONE),
	CMD(CFGI_CD_ALL, fields_sid, NONE),
	CMD(CFGI_VMS_PIDM, fields_vmid, NONE),
	CMD(TLBI_NH_ALL, fields_vmid, NONE),
	CMD(TLBI_NH_ASID, fields_vmid_asid, NONE),
	CMD(TLBI_NH_VA, fields_nh_va, TLBI),
	CMD(TLBI_NH_VAA, fields_nh_vaa, TLBI),
	CMD_BARE(TLBI_EL2_ALL, NONE),
	CMD(TLBI_EL2_ASID, fields_asid, NONE),
	CMD(TLBI_EL2_VA, fields_el2_va, TLBI),
	CMD(TLBI_EL2_VAA, fields_el2_vaa, TLBI),
	CMD(TLBI_S12_VMALL, fields_vmid, NONE),
	CMD(TLBI_S2_IPA, fields_s2_ipa, TLBI),
	CMD_BARE(TLBI_NSNH_ALL, NONE),
	CMD(ATC_INV, fields_atc_inv, ATC),
	CMD(PRI_RESP, fields_pri_resp, NONE),
	CMD(RESUME, fields_resume, NONE),
	CMD(STALL_TERM, fields_sid, NONE),
	CMD(SYNC, fields_sync, NONE),
	CMD_BARE(DPTI_ALL, NONE),
	CMD_BARE(DPTI_PA, ANY),
};

/* Of other Security states and Exception levels: never right in the Non-secure queue (4.1.1). */
#define CMD_AS(op, number, table, span_)                                        \
	{                                                                       \
		"CMD_" #op, table, SMMU_ARRAY_SIZE(table), number, SPAN_##span_ \
	}

static const struct cmd_desc secure_cmds[] = {
	{"CMD_TLBI_EL3_ALL", NULL, 0, 0x18, SPAN_NONE},
	CMD_AS(TLBI_EL3_VA, 0x1a, fields_el2_vaa, TLBI),
	{"CMD_TLBI_S_EL2_ALL", NULL, 0, 0x50, SPAN_NONE},
	CMD_AS(TLBI_S_EL2_ASID, 0x51, fields_asid, NONE),
	CMD_AS(TLBI_S_EL2_VA, 0x52, fields_el2_va, TLBI),
	CMD_AS(TLBI_S_EL2_VAA, 0x53, fields_el2_vaa, TLBI),
	CMD_AS(TLBI_S_S12_VMALL, 0x58, fields_vmid, NONE),
	CMD_AS(TLBI_S_S2_IPA, 0x5a, fields_s2_ipa, TLBI),
	{"CMD_TLBI_SNH_ALL", NULL, 0, 0x60, SPAN_NONE},
};

bool smmu_cmd_is_secure(unsigned opcode)
{
	for (size_t i = 0; i < SMMU_ARRAY_SIZE(secure_cmds); i++)
		if (secure_cmds[i].opcode == opcode)
			return true;
	return false;
}

static const struct cmd_desc *cmd_desc(unsigned opcode)
{
	for (size_t i = 0; i < SMMU_ARRAY_SIZE(cmds); i++)
		if (cmds[i].opcode == opcode)
			return &cmds[i];
	return NULL;
}

/** The bits that @p d has fields for. */
static struct smmu_cmd cmd_defined(const struct cmd_desc *d)
{
	struct smmu_cmd defined = {{SMMU_CMD_W0_OP, 0}};

	if (d->span == SPAN_ANY)
		return (struct smmu_cmd){{~0ULL, ~0ULL}};
	smmu_fields_defined(d->fields, d->count, defined.w);
	return defined;
}

/** The number of bytes that a TLBI or ATC_INV covers; 0: not known, or 2^64. */
static uint64_t cmd_bytes(const struct cmd_desc *d, const struct smmu_cmd *cmd)
{
	unsigned tg, shift;

	switch (d->span) {
	case SPAN_TLBI:
		tg = (unsigned)smmu_field_get(SMMU_CMD_TLBI_W1_TG, cmd->w[1]);
		shift = (unsigned)smmu_field_get(SMMU_CMD_TLBI_W0_SCALE, cmd->w[0]) + 10 + 2 * tg;
		if (tg == SMMU_CMD_TLBI_TG_ANY || shift > 58)
			return 0;
		return (smmu_field_get(SMMU_CMD_TLBI_W0_NUM, cmd->w[0]) + 1) << shift;
	case SPAN_ATC:
		shift = (unsigned)smmu_field_get(SMMU_CMD_ATC_INV_W1_SIZE, cmd->w[1]) + 12;
		return shift < 64 ? 1ULL << shift : 0;
	default:
		return 0;
	}
}

const char *smmu_cmd_name(unsigned opcode)
{
	const struct cmd_desc *d = cmd_desc(opcode);

	return d ? d->name + sizeof("CMD_") - 1 : NULL;
}

int smmu_cmd_check(const struct smmu_cmd *cmd)
{
	const struct cmd_desc *d = cmd_desc(smmu_cmd_opcode(cmd));
	struct smmu_cmd defined;
	uint64_t range0 = SMMU_CMD_TLBI_W0_NUM | SMMU_CMD_TLBI_W0_SCALE;
	uint64_t hint1 = SMMU_CMD_TLBI_W1_TTL;

	if (!d)
		return -SMMU_EINVAL;
	defined = cmd_defined(d);
	if ((cmd->w[0] & ~defined.w[0]) || (cmd->w[1] & ~defined.w[1]))
		return -SMMU_EINVAL;
	if (smmu_fields_any_reserved(d->fields, d->count, cmd->w))
		return -SMMU_EINVAL;
	switch (d->span) {
	case SPAN_TLBI:
		/* A granule has a range or a level with it, and neither goes without a granule. */
		if (!(cmd->w[1] & SMMU_CMD_TLBI_W1_TG) !=
		    !((cmd->w[0] & range0) || (cmd->w[1] & hint1)))
			return -SMMU_EINVAL;
		if ((cmd->w[1] & SMMU_CMD_TLBI_W1_TTL128) && !(cmd->w[1] & hint1))
			return -SMMU_EINVAL;
		return 0;
	case SPAN_ATC:
		return smmu_field_get(SMMU_CMD_ATC_INV_W1_SIZE, cmd->w[1]) <=
				       SMMU_CMD_ATC_INV_SIZE_ALL
			       ? 0
			       : -SMMU_EINVAL;
	default:
		return 0;
	}
}

const char *smmu_fields_cmd(const struct smmu_cmd *cmd, smmu_field_fn *fn, void *ctx)
{
	unsigned opcode = smmu_cmd_opcode(cmd);
	const struct cmd_desc *d = cmd_desc(opcode);
	struct smmu_cmd defined;
	uint64_t bytes;

	for (size_t i = 0; !d && i < SMMU_ARRAY_SIZE(secure_cmds); i++)
		if (secure_cmds[i].opcode == opcode)
			d = &secure_cmds[i];
	if (!d) {
		smmu_field_emit_hex(fn, ctx, "opcode", opcode);
		if (opcode < SMMU_CMD_IMPDEF_FIRST || opcode > SMMU_CMD_IMPDEF_LAST)
			return "reserved command";
		smmu_field_emit_hex(fn, ctx, "W0", cmd->w[0]);
		smmu_field_emit_hex(fn, ctx, "W1", cmd->w[1]);
		return "IMPLEMENTATION DEFINED command";
	}
	if (opcode == SMMU_CMD_CFGI_STE_RANGE &&
	    smmu_field_get(SMMU_CMD_CFGI_W1_RANGE, cmd->w[1]) == SMMU_CMD_CFGI_W1_RANGE_ALL) {
		defined = (struct smmu_cmd){
			{SMMU_CMD_W0_OP | SMMU_CMD_W0_SID, SMMU_CMD_CFGI_W1_RANGE}};
		smmu_fields_rest(cmd->w, defined.w, 2, fn, ctx);
		return "CMD_CFGI_ALL";
	}
	if (d->span == SPAN_ANY) {
		smmu_field_emit_hex(fn, ctx, "W0", cmd->w[0]);
		smmu_field_emit_hex(fn, ctx, "W1", cmd->w[1]);
		return d->name;
	}
	smmu_fields_walk(d->fields, d->count, cmd->w, NULL, fn, ctx);
	bytes = cmd_bytes(d, cmd);
	if (bytes)
		smmu_field_emit_hex(fn, ctx, "bytes", bytes);
	defined = cmd_defined(d);
	smmu_fields_rest(cmd->w, defined.w, 2, fn, ctx);
	return d->name;
}

void smmu_print_cmd(struct smmu_text *t, const struct smmu_cmd *cmd)
{
	smmu_text_str(t, smmu_fields_cmd(cmd, smmu_field_drop, NULL));
	smmu_fields_cmd(cmd, smmu_field_print, t);
}

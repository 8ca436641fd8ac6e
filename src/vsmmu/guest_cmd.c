/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands of a guest. Each opcode has a line: what it is for a guest, and the bits that it may
 * have. Whatever stands in no line is reserved, or illegal on an SMMU of stage 1 alone without EL2,
 * stalls, MPAM and DPT, which is what guests are shown.
 *
 * Three facts make the result safe:
 *
 *   1. A command is built anew from fields that were looked at; no bit comes through that this file
 *     does not name.
 *   2. VMID and StreamID of the result are the hypervisor's, never the guest's, and each kind of
 *      command that comes out reaches no further than one of them: NH_* one VMID, CFGI_CD*, ATC_INV
 *      one stream.
 *   3. What comes out is legal by the shown ID registers, and the real SMMU has all that is shown
 *     (smmu_guest_ids_refused).
 */
#include <smmuv3/atomic.h>
#include <smmuv3/hw/regs.h>
#include <smmuv3/vsmmu.h>

/** What a command is for a guest. */
enum kind {
	KIND_TLBI,    /**< of an ASID or all: bits are kept, but for the VMID */
	KIND_TLBI_AT, /**< of a range */
	KIND_STREAM,  /**< CFGI_CD, CFGI_CD_ALL */
	KIND_ATC,
	KIND_SYNC,
	KIND_YOURS,
	KIND_YOURS_PRI, /**< where PRI is shown */
};

struct line {
	uint8_t opcode, kind;
	uint64_t w0, w1; /**< bits that it has, beside the opcode */
};

#define RANGE_W0 (SMMU_CMD_TLBI_W0_NUM | SMMU_CMD_TLBI_W0_SCALE)
#define RANGE_W1 (SMMU_CMD_TLBI_W1_TG | SMMU_CMD_TLBI_W1_TTL)
#define AT_W1 (SMMU_CMD_TLBI_W1_ADDR | SMMU_CMD_TLBI_W1_LEAF | RANGE_W1)
#define IDS (SMMU_CMD_TLBI_W0_VMID | SMMU_CMD_TLBI_W0_ASID)
#define SUBSTREAM (SMMU_CMD_W0_SID | SMMU_CMD_W0_SSID)

static const struct line lines[] = {
	{SMMU_CMD_PREFETCH_CONFIG, KIND_YOURS, SUBSTREAM | SMMU_CMD_W0_SSV, 0},
	{SMMU_CMD_PREFETCH_ADDR, KIND_YOURS, SUBSTREAM | SMMU_CMD_W0_SSV,
	 SMMU_CMD_PREFETCH_W1_SIZE | SMMU_CMD_PREFETCH_W1_STRIDE | SMMU_CMD_PREFETCH_W1_ADDR},
	{SMMU_CMD_CFGI_STE, KIND_YOURS, SMMU_CMD_W0_SID, SMMU_CMD_CFGI_W1_LEAF},
	{SMMU_CMD_CFGI_STE_RANGE, KIND_YOURS, SMMU_CMD_W0_SID, SMMU_CMD_CFGI_W1_RANGE},
	{SMMU_CMD_CFGI_CD, KIND_STREAM, SUBSTREAM, SMMU_CMD_CFGI_W1_LEAF},
	{SMMU_CMD_CFGI_CD_ALL, KIND_STREAM, SMMU_CMD_W0_SID, 0},
	{SMMU_CMD_TLBI_NH_ALL, KIND_TLBI, SMMU_CMD_TLBI_W0_VMID, 0},
	{SMMU_CMD_TLBI_NH_ASID, KIND_TLBI, IDS, 0},
	{SMMU_CMD_TLBI_NH_VA, KIND_TLBI_AT, IDS | RANGE_W0, AT_W1},
	{SMMU_CMD_TLBI_NH_VAA, KIND_TLBI_AT, SMMU_CMD_TLBI_W0_VMID | RANGE_W0, AT_W1},
	{SMMU_CMD_TLBI_NSNH_ALL, KIND_TLBI, 0, 0},
	{SMMU_CMD_ATC_INV, KIND_ATC, SUBSTREAM | SMMU_CMD_W0_SSV | SMMU_CMD_ATC_INV_W0_G,
	 SMMU_CMD_ATC_INV_W1_SIZE | SMMU_CMD_ATC_INV_W1_ADDR},
	{SMMU_CMD_PRI_RESP, KIND_YOURS_PRI, SUBSTREAM | SMMU_CMD_W0_SSV,
	 SMMU_CMD_PRI_RESP_W1_PRGINDEX | SMMU_CMD_PRI_RESP_W1_RESP},
	{SMMU_CMD_SYNC, KIND_SYNC,
	 SMMU_CMD_SYNC_W0_CS | SMMU_CMD_SYNC_W0_MSH | SMMU_CMD_SYNC_W0_MSIATTR |
		 SMMU_CMD_SYNC_W0_MSIDATA,
	 SMMU_CMD_SYNC_W1_MSIADDR},
};

static const struct line *line_of(unsigned opcode)
{
	for (size_t i = 0; i < SMMU_ARRAY_SIZE(lines); i++)
		if (lines[i].opcode == opcode)
			return &lines[i];
	return NULL;
}

void smmu_guest_init(struct smmu_guest *g, const struct smmu_id_regs *shown, uint16_t vmid,
		     int (*stream)(void *ctx, uint32_t guest, uint32_t *real), void *ctx)
{
	*g = (struct smmu_guest){
		.vmid = vmid,
		.ssid_bits = (uint8_t)smmu_field_get(SMMU_IDR1_SSIDSIZE, shown->idr1),
		.stream_end = 1ULL << smmu_field_get(SMMU_IDR1_SIDSIZE, shown->idr1),
		.no_asid = shown->idr0 & SMMU_IDR0_ASID16 ? 0 : SMMU_MASK(63, 56),
		.range = shown->idr3 & SMMU_IDR3_RIL,
		.ds = shown->idr5 & SMMU_IDR5_DS,
		.ats = shown->idr0 & SMMU_IDR0_ATS,
		.pri = shown->idr0 & SMMU_IDR0_PRI,
		.stream = stream,
		.ctx = ctx,
	};
}

/** A verdict on one command. */
struct verdict {
	enum smmu_guest_stop stop;
	const char *why;
};

static const struct verdict fine = {SMMU_GUEST_END, NULL};

static struct verdict illegal(const char *why)
{
	return (struct verdict){SMMU_GUEST_ILLEGAL, why};
}

static struct verdict nothing(const char *why)
{
	return (struct verdict){SMMU_GUEST_NOTHING, why};
}

/**
 * log2 of what the address of a range has to be a multiple of: the size of a leaf at level @p ttl
 * (0: of a granule). With other addresses the range is UNPREDICTABLE (4.4.1.1).
 */
static unsigned alignment(unsigned tg, unsigned ttl)
{
	unsigned granule = 10 + 2 * tg;

	return granule + (ttl ? 3 - ttl : 0) * (granule - 3);
}

static struct verdict tlbi_at(const struct smmu_guest *g, struct smmu_cmd *cmd)
{
	unsigned tg = (unsigned)smmu_field_get(SMMU_CMD_TLBI_W1_TG, cmd->w[1]);
	unsigned ttl = (unsigned)smmu_field_get(SMMU_CMD_TLBI_W1_TTL, cmd->w[1]);
	unsigned scale = (unsigned)smmu_field_get(SMMU_CMD_TLBI_W0_SCALE, cmd->w[0]);
	bool hint = cmd->w[0] & RANGE_W0 || cmd->w[1] & RANGE_W1;

	if (!hint)
		return fine;
	if (!g->range)
		return illegal("a range or a level without IDR3.RIL");
	if (tg == SMMU_CMD_TLBI_TG_ANY)
		return illegal("NUM, SCALE or TTL without TG");
	if (scale > 31 && !g->ds)
		return illegal("SCALE above 31 without IDR5.DS");
	if (tg == SMMU_CMD_TLBI_TG_16K && ttl == 1 && !g->ds)
		ttl = 0;
	if (!(cmd->w[0] & RANGE_W0) && !ttl)
		return illegal("TG with NUM, SCALE and TTL 0");
	if (scale > 39)
		scale = 39;
	cmd->w[0] = (cmd->w[0] & ~SMMU_CMD_TLBI_W0_SCALE) |
		    smmu_field_prep(SMMU_CMD_TLBI_W0_SCALE, scale);
	cmd->w[1] =
		(cmd->w[1] & ~SMMU_CMD_TLBI_W1_TTL) | smmu_field_prep(SMMU_CMD_TLBI_W1_TTL, ttl);
	cmd->w[1] &= ~(SMMU_CMD_TLBI_W1_ADDR & ((1ULL << alignment(tg, ttl)) - 1));
	return fine;
}

/**
 * The guest's VMID in place of what stood there. NSNH_ALL means all that the guest sees, which is
 * its VMID.
 */
static struct verdict tlbi(const struct smmu_guest *g, struct smmu_cmd *cmd)
{
	if (cmd->w[0] & g->no_asid && smmu_cmd_opcode(cmd) != SMMU_CMD_TLBI_NSNH_ALL)
		return illegal("an ASID above 8 bits without IDR0.ASID16");
	if (smmu_cmd_opcode(cmd) == SMMU_CMD_TLBI_NSNH_ALL)
		cmd->w[0] = SMMU_CMD_TLBI_NH_ALL;
	cmd->w[0] = (cmd->w[0] & ~SMMU_CMD_TLBI_W0_VMID) |
		    smmu_field_prep(SMMU_CMD_TLBI_W0_VMID, g->vmid);
	return fine;
}

static struct verdict to_stream(const struct smmu_guest *g, struct smmu_cmd *cmd)
{
	uint32_t sid = (uint32_t)smmu_field_get(SMMU_CMD_W0_SID, cmd->w[0]), real;

	if (smmu_field_get(SMMU_CMD_W0_SSID, cmd->w[0]) >> g->ssid_bits)
		return nothing("a SubstreamID above IDR1.SSIDSIZE");
	if (sid >= g->stream_end)
		return nothing("a StreamID above IDR1.SIDSIZE");
	if (g->stream(g->ctx, sid, &real))
		return nothing("a stream that is not there");
	cmd->w[0] = (cmd->w[0] & ~SMMU_CMD_W0_SID) | smmu_field_prep(SMMU_CMD_W0_SID, real);
	return fine;
}

static struct verdict atc(const struct smmu_guest *g, struct smmu_cmd *cmd)
{
	unsigned size = (unsigned)smmu_field_get(SMMU_CMD_ATC_INV_W1_SIZE, cmd->w[1]);

	if (!g->ats)
		return illegal("ATC_INV without IDR0.ATS");
	if (size > SMMU_CMD_ATC_INV_SIZE_ALL)
		return illegal("a SIZE above 52");
	if (!(cmd->w[0] & SMMU_CMD_W0_SSV))
		cmd->w[0] &= ~(SMMU_CMD_W0_SSID | SMMU_CMD_ATC_INV_W0_G);
	else if (!g->ssid_bits)
		return nothing("SSV without substreams");
	if (size == SMMU_CMD_ATC_INV_SIZE_ALL)
		cmd->w[1] = size;
	else
		cmd->w[1] &= ~(((1ULL << size) - 1) << 12);
	return to_stream(g, cmd);
}

/** Judge *@p cmd and, if it is fine, make it the real one. */
static struct verdict convert(const struct smmu_guest *g, struct smmu_cmd *cmd)
{
	const struct line *l = line_of(smmu_cmd_opcode(cmd));
	struct verdict v;

	if (!l || (l->kind == KIND_YOURS_PRI && !g->pri))
		return illegal("a command that the virtual SMMU does not have");
	if (cmd->w[0] & ~(l->w0 | SMMU_CMD_W0_OP) || cmd->w[1] & ~l->w1)
		return illegal("a reserved bit is set");
	switch ((enum kind)l->kind) {
	case KIND_TLBI:
		return tlbi(g, cmd);
	case KIND_TLBI_AT:
		v = tlbi_at(g, cmd);
		return v.stop == SMMU_GUEST_END ? tlbi(g, cmd) : v;
	case KIND_STREAM:
		return to_stream(g, cmd);
	case KIND_ATC:
		return atc(g, cmd);
	case KIND_SYNC:
		if (smmu_field_get(SMMU_CMD_SYNC_W0_CS, cmd->w[0]) > SMMU_CMD_SYNC_CS_SEV)
			return illegal("CS 3");
		return (struct verdict){SMMU_GUEST_SYNC, NULL};
	case KIND_YOURS_PRI:
		if (smmu_field_get(SMMU_CMD_PRI_RESP_W1_RESP, cmd->w[1]) >
		    SMMU_CMD_PRI_RESP_SUCCESS)
			return illegal("Resp 3");
		return (struct verdict){SMMU_GUEST_YOURS, NULL};
	case KIND_YOURS:
		break;
	}
	return (struct verdict){SMMU_GUEST_YOURS, NULL};
}

size_t smmu_guest_convert(const struct smmu_guest *g, const struct smmu_cmd *guest,
			  struct smmu_cmd *real, size_t n, enum smmu_guest_stop *stop,
			  const char **why)
{
	struct verdict v = fine;
	size_t i;

	for (i = 0; i < n; i++) {
		struct smmu_cmd cmd = {{smmu_load(&guest[i].w[0]), smmu_load(&guest[i].w[1])}};

		v = convert(g, &cmd);
		if (v.stop != SMMU_GUEST_END)
			break;
		real[i] = cmd;
	}
	*stop = v.stop;
	if (why)
		*why = v.why;
	return i;
}

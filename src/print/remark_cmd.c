/* SPDX-License-Identifier: BSD-2-Clause */
/* Remarks on commands: what chapter 4 calls ILLEGAL, out of range, or unpredictable. */
#include "remark.h"

/* Low bits of a range's address that have to be 0, so that what it clears is defined (4.4.1.1); 0: any address will do. */
static unsigned aligned_bits(unsigned tg, unsigned ttl)
{
	static const uint8_t bits[4][4] = {
		{0, 0, 0, 0}, {12, 30, 21, 12}, {14, 14, 25, 14}, {16, 42, 29, 16}};

	return bits[tg & 3][ttl & 3];
}

static void tlbi(const struct remarks *r, const struct smmu_cmd *cmd)
{
	unsigned tg = (unsigned)smmu_field_get(SMMU_CMD_TLBI_W1_TG, cmd->w[1]);
	unsigned ttl = (unsigned)smmu_field_get(SMMU_CMD_TLBI_W1_TTL, cmd->w[1]);
	unsigned num = (unsigned)smmu_field_get(SMMU_CMD_TLBI_W0_NUM, cmd->w[0]);
	unsigned scale = (unsigned)smmu_field_get(SMMU_CMD_TLBI_W0_SCALE, cmd->w[0]);
	unsigned bits = aligned_bits(tg, ttl);

	ILLEGAL_IF(r, tg && !num && !scale && !ttl, "4.4.1.1",
		   "TG is given, and NUM, SCALE and TTL are all 0");
	RESERVED_IF(r, !tg && (num || scale || ttl || cmd->w[1] & SMMU_CMD_TLBI_W1_TTL128),
		    "4.4.1.1",
		    "NUM, SCALE, TTL and TTL128 are RES0 without TG: no range is cleared");
	NOTE_IF(r,
		bits > 12 && !(cmd->w[1] & SMMU_CMD_TLBI_W1_TTL128) &&
			cmd->w[1] & (SMMU_BIT(bits) - 1) & SMMU_CMD_TLBI_W1_ADDR,
		"4.4.1.1",
		"the address is not aligned to the granule, or to the block of the level in TTL: "
		"what is "
		"cleared is UNPREDICTABLE");
	NOTE_IF(r, scale > 39, "4.4.1.1", "SCALE is above 39 and acts as 39");
	NOTE_IF(r, scale > 31 && scale <= 39, "4.4.1.1", "SCALE has 6 bits only with IDR5.DS = 1");
	NOTE_IF(r, tg == SMMU_CMD_TLBI_TG_16K && ttl == 1, "4.4.1.1",
		"TTL 1 with 16K needs IDR5.DS; without it acts as 0");
	if (!r->ids)
		return;
	RESERVED_IF(r, tg && !ID_FIELD(r, 3, RIL), "4.4.1.1",
		    "a range or level is given, and IDR3.RIL is 0: the fields are RES0");
}

static void atc_inv(const struct remarks *r, const struct smmu_cmd *cmd)
{
	unsigned size = (unsigned)smmu_field_get(SMMU_CMD_ATC_INV_W1_SIZE, cmd->w[1]);
	bool ssv = cmd->w[0] & SMMU_CMD_W0_SSV;

	RESERVED_IF(r, size > SMMU_CMD_ATC_INV_SIZE_ALL, "4.5.1",
		    "Size is above 52: an SMMU may answer CERROR_ILL, or clear an unknown span");
	NOTE_IF(r, size == SMMU_CMD_ATC_INV_SIZE_ALL, "4.5.1", "Size is 52: everything");
	NOTE_IF(r,
		size < SMMU_CMD_ATC_INV_SIZE_ALL &&
			cmd->w[1] & SMMU_CMD_ATC_INV_W1_ADDR & (SMMU_BIT(12 + size) - 1),
		"4.5.1",
		"the address is not aligned to the size: the span is the aligned one around it");
	NOTE_IF(r, cmd->w[0] & SMMU_CMD_ATC_INV_W0_G && !ssv, "4.5.1",
		"Global means nothing without SSV");
}

enum needs {
	NEEDS_NOTHING,
	NEEDS_S1,
	NEEDS_S2,
	NEEDS_EL2,
	NEEDS_ATS,
	NEEDS_PRI,
	NEEDS_STALL,
	NEEDS_DPT
};

static enum needs needs(unsigned opcode)
{
	switch (opcode) {
	case SMMU_CMD_CFGI_CD:
	case SMMU_CMD_CFGI_CD_ALL:
	case SMMU_CMD_TLBI_NH_ALL:
	case SMMU_CMD_TLBI_NH_ASID:
	case SMMU_CMD_TLBI_NH_VA:
	case SMMU_CMD_TLBI_NH_VAA:
		return NEEDS_S1;
	case SMMU_CMD_TLBI_S12_VMALL:
	case SMMU_CMD_TLBI_S2_IPA:
		return NEEDS_S2;
	case SMMU_CMD_TLBI_EL2_ALL:
	case SMMU_CMD_TLBI_EL2_ASID:
	case SMMU_CMD_TLBI_EL2_VA:
	case SMMU_CMD_TLBI_EL2_VAA:
		return NEEDS_EL2;
	case SMMU_CMD_ATC_INV:
		return NEEDS_ATS;
	case SMMU_CMD_PRI_RESP:
		return NEEDS_PRI;
	case SMMU_CMD_RESUME:
	case SMMU_CMD_STALL_TERM:
		return NEEDS_STALL;
	case SMMU_CMD_DPTI_ALL:
	case SMMU_CMD_DPTI_PA:
		return NEEDS_DPT;
	default:
		return NEEDS_NOTHING;
	}
}

/* What the SMMU lacks, and which ids it has not. */
static void known(const struct remarks *r, const struct smmu_cmd *cmd, unsigned opcode)
{
	bool by_stream = opcode < 0x10 || (opcode >= 0x40 && opcode < 0x46);
	unsigned bits = ID_FIELD(r, 1, SIDSIZE);

	switch (needs(opcode)) {
	case NEEDS_S1:
		ILLEGAL_IF(r, !ID_FIELD(r, 0, S1P), "4.3, 4.4.2",
			   "the SMMU has no stage 1 (IDR0.S1P)");
		break;
	case NEEDS_S2:
		ILLEGAL_IF(r, !ID_FIELD(r, 0, S2P), "4.4.3", "the SMMU has no stage 2 (IDR0.S2P)");
		break;
	case NEEDS_EL2:
		ILLEGAL_IF(r, !ID_FIELD(r, 0, HYP), "4.4.2", "the SMMU has no EL2 (IDR0.Hyp)");
		break;
	case NEEDS_ATS:
		ILLEGAL_IF(r, !ID_FIELD(r, 0, ATS), "4.5.1", "the SMMU has no ATS (IDR0.ATS)");
		break;
	case NEEDS_PRI:
		ILLEGAL_IF(r, !ID_FIELD(r, 0, PRI), "4.5.2",
			   "the SMMU has no page requests (IDR0.PRI)");
		break;
	case NEEDS_STALL:
		ILLEGAL_IF(r, ID_FIELD(r, 0, STALL_MODEL) == SMMU_IDR0_STALL_MODEL_TERM,
			   "4.7.1, 4.7.2", "the SMMU cannot stall (IDR0.STALL_MODEL)");
		break;
	case NEEDS_DPT:
		ILLEGAL_IF(r, !ID_FIELD(r, 3, DPT), "4.6", "the SMMU has no DPT (IDR3.DPT)");
		break;
	case NEEDS_NOTHING:
		break;
	}
	/* Opcode 7 names a VMID there, and CFGI_ALL nothing. */
	NOTE_IF(r,
		by_stream && opcode != SMMU_CMD_CFGI_VMS_PIDM &&
			opcode != SMMU_CMD_CFGI_STE_RANGE && bits < 32 &&
			smmu_field_get(SMMU_CMD_W0_SID, cmd->w[0]) >> bits,
		"4.1.7",
		"the stream is out of range (IDR1.SIDSIZE): it has no effect, or on another "
		"stream");
	NOTE_IF(r,
		opcode >= 0x10 && opcode < 0x40 && !ID_FIELD(r, 0, VMID16) &&
			smmu_field_get(SMMU_CMD_TLBI_W0_VMID, cmd->w[0]) > 0xff,
		"4.4", "VMID has more than 8 bits, and IDR0.VMID16 is 0: nothing need be cleared");
	NOTE_IF(r,
		opcode >= 0x10 && opcode < 0x40 && !ID_FIELD(r, 0, ASID16) &&
			smmu_field_get(SMMU_CMD_TLBI_W0_ASID, cmd->w[0]) > 0xff,
		"4.4", "ASID has more than 8 bits, and IDR0.ASID16 is 0: nothing need be cleared");
}

static bool by_address(unsigned opcode)
{
	switch (opcode) {
	case SMMU_CMD_TLBI_NH_VA:
	case SMMU_CMD_TLBI_NH_VAA:
	case SMMU_CMD_TLBI_EL2_VA:
	case SMMU_CMD_TLBI_EL2_VAA:
	case SMMU_CMD_TLBI_S2_IPA:
		return true;
	default:
		return false;
	}
}

void smmu_remarks_cmd(const struct smmu_cmd *cmd, const struct smmu_ids *ids, smmu_remark_fn *fn,
		      void *ctx)
{
	const struct remarks r = {ids, fn, ctx};
	unsigned opcode = smmu_cmd_opcode(cmd);
	bool reserved = false;

	if (smmu_cmd_is_secure(opcode)) {
		ILLEGAL_IF(&r, true, "4.1.1, 4.1.3",
			   "a command of EL3 or of the Secure queue: a Non-secure queue answers "
			   "CERROR_ILL");
		return;
	}
	if (opcode >= SMMU_CMD_IMPDEF_FIRST && opcode <= SMMU_CMD_IMPDEF_LAST) {
		NOTE_IF(&r, true, "4.1.1", "what it does is up to the part");
		return;
	}
	if (!smmu_cmd_name(opcode)) {
		ILLEGAL_IF(&r, true, "4.1.1, 4.1.3",
			   "the opcode is reserved: the SMMU answers CERROR_ILL (0 is what an "
			   "entry holds "
			   "that was never written)");
		return;
	}
	ILLEGAL_IF(&r, opcode < 0x10 && cmd->w[0] & SMMU_CMD_W0_SSEC, "4.1.6",
		   "SSec is 1 in a command of the Non-secure queue");
	smmu_fields_cmd(cmd, smmu_remark_see_reserved, &reserved);
	RESERVED_IF(&r, reserved, "4.1.5",
		    "bits of no field, or a reserved value: an SMMU may answer CERROR_ILL, or "
		    "ignore them");
	if (by_address(opcode))
		tlbi(&r, cmd);
	else if (opcode == SMMU_CMD_ATC_INV)
		atc_inv(&r, cmd);
	if (ids)
		known(&r, cmd, opcode);
}

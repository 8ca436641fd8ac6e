/* SPDX-License-Identifier: BSD-2-Clause */
/* What remarks share, and those on level-1 descriptors and registers. */
#include "reg.h"
#include "remark.h"

const char *smmu_remark_kind_name(enum smmu_remark_kind kind)
{
	static const char *const names[] = {"illegal", "reserved", "note", "cause"};

	return (unsigned)kind < SMMU_ARRAY_SIZE(names) ? names[kind] : "note";
}

void smmu_remark_if(const struct remarks *r, bool says, enum smmu_remark_kind kind,
		    const char *section, const char *text)
{
	if (says)
		r->fn(r->ctx, &(struct smmu_remark){kind, text, section});
}

unsigned smmu_remark_size_bits(unsigned code)
{
	static const uint8_t bits[] = {32, 36, 40, 42, 44, 48, 52, 56};

	return bits[code & 7];
}

unsigned smmu_remark_granule(unsigned tg0)
{
	static const uint8_t shifts[] = {12, 16, 14, 0};

	return shifts[tg0 & 3];
}

bool smmu_remark_has_granule(const struct remarks *r, unsigned shift)
{
	return shift == 12   ? ID_FIELD(r, 5, GRAN4K)
	       : shift == 14 ? ID_FIELD(r, 5, GRAN16K)
			     : ID_FIELD(r, 5, GRAN64K);
}

void smmu_remark_see_reserved(void *ctx, const struct smmu_field_view *field)
{
	if (field->name == smmu_field_reserved || field->text == smmu_field_reserved)
		*(bool *)ctx = true;
}

void smmu_remarks_l1std(uint64_t desc, const struct smmu_ids *ids, smmu_remark_fn *fn, void *ctx)
{
	const struct remarks r = {ids, fn, ctx};
	unsigned span = (unsigned)smmu_field_get(SMMU_L1STD_SPAN, desc);
	uint64_t pointer = desc & SMMU_L1STD_L2PTR;

	NOTE_IF(&r, span == 0, "5.1.1",
		"not valid: transactions of these streams are aborted, with C_BAD_STREAMID if "
		"CR2.RECINVSID "
		"is 1");
	ILLEGAL_IF(&r, span > 11, "5.1 Span",
		   "Span is above 11: it is reserved and acts as 0; it must not be above SPLIT + 1 "
		   "either");
	RESERVED_IF(&r, desc & ~(SMMU_L1STD_SPAN | SMMU_L1STD_L2PTR), "5.1",
		    "bits of no field are set");
	NOTE_IF(&r, span > 0 && span <= 11 && pointer & (SMMU_BIT(5 + span) - 1), "5.1 L2Ptr",
		"L2Ptr is not aligned to the size of its table: the low bits are taken as 0");
	ILLEGAL_IF(&r,
		   ids && span > 0 && span <= 11 &&
			   pointer >> smmu_remark_size_bits(
					      (unsigned)smmu_field_get(SMMU_IDR5_OAS, ids->idr5)),
		   "3.4.3", "L2Ptr is beyond the OAS of IDR5: it is truncated, or F_STE_FETCH");
}

void smmu_remarks_l1cd(uint64_t desc, const struct smmu_ids *ids, smmu_remark_fn *fn, void *ctx)
{
	const struct remarks r = {ids, fn, ctx};
	bool valid = desc & SMMU_L1CD_V;

	NOTE_IF(&r, !valid, "5.3.1",
		"not valid: transactions with these substreams are aborted with C_BAD_SUBSTREAMID");
	RESERVED_IF(&r, valid && desc & ~(SMMU_L1CD_V | SMMU_L1CD_L2PTR), "5.3",
		    "bits of no field are set");
	ILLEGAL_IF(&r,
		   ids && valid &&
			   (desc & SMMU_L1CD_L2PTR) >>
				   smmu_remark_size_bits(
					   (unsigned)smmu_field_get(SMMU_IDR5_OAS, ids->idr5)),
		   "5.3 L2Ptr",
		   "L2Ptr is beyond the OAS of IDR5 (unless stage 2 translates it): "
		   "C_BAD_SUBSTREAMID");
}

static void remarks_cons(const struct remarks *r, uint64_t value)
{
	static const char *const causes[] = {
		NULL,
		"the command at RD is illegal: decode it (index RD of the queue at CMDQ_BASE), and "
		"look for "
		"an opcode of a feature that the ID registers lack, or for reserved bits",
		"reading the command at RD was aborted: look at CMDQ_BASE, at what memory it is "
		"in, and at "
		"CR1 (cacheability, shareability)",
		"a CMD_SYNC could not complete: an ATC_INV before it was not answered. Look for a "
		"device "
		"that is off, was reset or removed with ATS enabled, and for its PCIe completion "
		"time-out",
	};
	unsigned err = (unsigned)smmu_field_get(SMMU_CMDQ_CONS_ERR, value);

	if (err > 0 && err < SMMU_ARRAY_SIZE(causes))
		smmu_remark_if(r, true, SMMU_REMARK_CAUSE, err == 3 ? "7.1, 3.9.1.4" : "7.1",
			       causes[err]);
	NOTE_IF(r, err, "7.1, 7.5",
		"ERR means something only while GERROR.CMDQ_ERR differs from GERRORN.CMDQ_ERR; "
		"until that "
		"is acknowledged in GERRORN no command is consumed");
}

void smmu_remarks_reg(uint32_t offset, uint64_t value, smmu_remark_fn *fn, void *ctx)
{
	const struct remarks r = {NULL, fn, ctx};
	uint32_t plain = offset & ~(0x8000u | SMMU_REG_REALM);
	bool reserved = false;

	smmu_fields_reg(offset, value, smmu_remark_see_reserved, &reserved);
	RESERVED_IF(&r, reserved, "6.2",
		    "bits of no field, or a reserved value: an older or newer part, or a wrong "
		    "register");
	switch (plain) {
	case SMMU_CMDQ_CONS:
		remarks_cons(&r, value);
		break;
	case SMMU_GERROR:
		NOTE_IF(&r, value != 0, "7.5",
			"an error is active where the bit differs from that of GERRORN: compare "
			"the two");
		NOTE_IF(&r, value & SMMU_GERROR_CMDQ_ERR, "7.1",
			"CMDQ_ERR: if active, CMDQ_CONS.ERR says which error, and RD which "
			"command");
		NOTE_IF(&r, value & SMMU_GERROR_SFM_ERR, "12.3",
			"SFM_ERR: if active, the SMMU is in Service Failure Mode and needs a "
			"reset");
		break;
	case SMMU_CR0:
	case SMMU_CR0ACK:
		NOTE_IF(&r, !(value & SMMU_CR0_SMMUEN), "3.11, 6.3.9",
			"SMMUEN is 0: nothing is translated, GBPA decides what passes");
		NOTE_IF(&r, value & SMMU_CR0_SMMUEN && !(value & SMMU_CR0_EVENTQEN), "7.2",
			"EVENTQEN is 0: faults are not recorded");
		break;
	case SMMU_GBPA:
		NOTE_IF(&r, !(value & SMMU_GBPA_ABORT), "6.3.15",
			"ABORT is 0: while SMMUEN is 0 all traffic passes untranslated");
		NOTE_IF(&r, value & SMMU_GBPA_UPDATE, "6.3.15",
			"Update is 1: the last write has not taken effect yet");
		break;
	case SMMU_IDR1:
		NOTE_IF(&r, value & (SMMU_IDR1_QUEUES_PRESET | SMMU_IDR1_TABLES_PRESET), "6.3.2",
			"the bases of queues or tables are fixed in hardware: drivers as a rule "
			"cannot use "
			"that");
		break;
	default:
		break;
	}
}

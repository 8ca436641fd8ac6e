/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stream table entries of a guest: which it may have, what of them it decides, and what the real
 * SMMU is given.
 *
 * A guest decides where its CDs are and how they are read, what becomes of traffic without a
 * substream, whether its device may use ATS, and whether its events may be merged. Stage 2, the
 * VMID, attributes, permissions and stalls are the hypervisor's.
 */
#include <smmuv3/hw/regs.h>
#include <smmuv3/vsmmu.h>

#define RULE(broken, text)           \
	do {                         \
		if (broken)          \
			return text; \
	} while (0)

/*
 * Bits of fields that a guest may set, whether they are used or IGNORED on an SMMU of stage 1
 * alone: S2*, for these are ignored where stage 2 is off (5.2); NSCFG of Secure streams; hints
 * (CONT, DRE, DCP) that an SMMU need not have.
 */
static const uint64_t fields[8] = {
	SMMU_STE_W0_V | SMMU_STE_W0_CONFIG | SMMU_STE_W0_S1FMT | SMMU_STE_W0_S1CONTEXTPTR |
		SMMU_STE_W0_S1CDMAX,
	SMMU_STE_W1_S1DSS | SMMU_STE_W1_S1CIR | SMMU_STE_W1_S1COR | SMMU_STE_W1_S1CSH |
		SMMU_STE_W1_S2HWU59 | SMMU_STE_W1_S2HWU60 | SMMU_STE_W1_S2HWU61 |
		SMMU_STE_W1_S2HWU62 | SMMU_STE_W1_DRE | SMMU_STE_W1_CONT | SMMU_STE_W1_DCP |
		SMMU_STE_W1_PPAR | SMMU_STE_W1_MEV | SMMU_STE_W1_SW_RESERVED | SMMU_STE_W1_S2FWB |
		SMMU_STE_W1_S1STALLD | SMMU_STE_W1_EATS | SMMU_STE_W1_NSCFG,
	~(SMMU_STE_W2_IMPDEF | SMMU_STE_W2_DPT_VMATCH),
	SMMU_STE_W3_S2NSW | SMMU_STE_W3_S2NSA | SMMU_STE_W3_S2SL0_2 | SMMU_STE_W3_S2DS |
		SMMU_STE_W3_S2TTB | SMMU_STE_W3_S2SKL,
};

/** Features that a guest is not shown, beside bits of no field. */
static const char *reserved(const struct smmu_id_regs *shown, const struct smmu_ste *ste)
{
	RULE(ste->w[1] & (SMMU_STE_W1_SHCFG | SMMU_STE_W1_MTCFG | SMMU_STE_W1_MEMATTR |
			  SMMU_STE_W1_ALLOCCFG),
	     "STE.SHCFG, MTCFG, MemAttr or ALLOCCFG without IDR1.ATTR_TYPES_OVR");
	RULE(ste->w[1] & (SMMU_STE_W1_PRIVCFG | SMMU_STE_W1_INSTCFG),
	     "STE.PRIVCFG or INSTCFG without IDR1.ATTR_PERMS_OVR");
	RULE(ste->w[1] & SMMU_STE_W1_STRW, "STE.STRW without IDR0.Hyp");
	RULE(ste->w[1] & SMMU_STE_W1_PPAR &&
		     (!(shown->idr0 & SMMU_IDR0_PRI) || !(shown->idr1 & SMMU_IDR1_SSIDSIZE)),
	     "STE.PPAR without IDR0.PRI and substreams");
	for (unsigned w = 0; w < SMMU_ARRAY_SIZE(ste->w); w++)
		RULE(ste->w[w] & ~fields[w], "a reserved bit of the STE is set");
	return NULL;
}

static uint32_t oas_bits(const struct smmu_id_regs *shown)
{
	static const uint8_t oas[] = {32, 36, 40, 42, 44, 48, 52, 56};

	return oas[smmu_field_get(SMMU_IDR5_OAS, shown->idr5)];
}

/**
 * The lowest bits of S1ContextPtr that the size of the table leaves to be 0 (5.2, S1Fmt): it lies
 * aligned to its size. Software has to write 0 there, and an SMMU may take them for 0.
 */
static uint64_t below_table(uint32_t fmt, uint32_t cdmax)
{
	uint32_t log2 = 6;

	if (cdmax && fmt == SMMU_STE_S1FMT_LINEAR)
		log2 = cdmax + 6;
	else if (cdmax > 9 && fmt == SMMU_STE_S1FMT_4K_L2)
		log2 = cdmax - 3;
	else if (cdmax > 13 && fmt == SMMU_STE_S1FMT_64K_L2)
		log2 = cdmax - 7;
	return (1ULL << log2) - 1;
}

/** The fields of stage 1; *@p ste stays as it is if one is refused. */
static const char *stage1(const struct smmu_id_regs *shown, const struct smmu_ste *guest,
			  struct smmu_guest_ste *ste)
{
	uint64_t ptr = guest->w[0] & SMMU_STE_W0_S1CONTEXTPTR;
	uint32_t ssid = (uint32_t)smmu_field_get(SMMU_IDR1_SSIDSIZE, shown->idr1);
	uint32_t max = (uint32_t)smmu_field_get(SMMU_STE_W0_S1CDMAX, guest->w[0]);
	uint32_t fmt = (uint32_t)smmu_field_get(SMMU_STE_W0_S1FMT, guest->w[0]);
	uint32_t dss = (uint32_t)smmu_field_get(SMMU_STE_W1_S1DSS, guest->w[1]);
	uint32_t sh = (uint32_t)smmu_field_get(SMMU_STE_W1_S1CSH, guest->w[1]);
	uint32_t eats = (uint32_t)smmu_field_get(SMMU_STE_W1_EATS, guest->w[1]);

	RULE(guest->w[1] & SMMU_STE_W1_S1STALLD, "STE.S1STALLD with IDR0.STALL_MODEL not 0");
	/* What is IGNORED, or acts as 0, is 0 from here on. */
	if (!ssid)
		max = 0;
	RULE(max > ssid, "STE.S1CDMax above IDR1.SSIDSIZE");
	if (!max || fmt == 3)
		fmt = SMMU_STE_S1FMT_LINEAR;
	if (!max || dss == 3)
		dss = SMMU_STE_S1DSS_TERMINATE;
	RULE(fmt != SMMU_STE_S1FMT_LINEAR && !(shown->idr0 & SMMU_IDR0_CD2L),
	     "STE.S1Fmt of two levels without IDR0.CD2L");
	RULE(ptr >> oas_bits(shown), "STE.S1ContextPtr above IDR5.OAS");
	if (shown->idr0 & SMMU_IDR0_ATS) {
		RULE(eats == SMMU_STE_EATS_SPLIT, "STE.EATS split without stage 2");
		ste->ats = eats == SMMU_STE_EATS_FULL;
	}
	ste->kind = SMMU_GUEST_STE_STAGE1;
	ste->w0 = smmu_field_prep(SMMU_STE_W0_S1FMT, fmt) | (ptr & ~below_table(fmt, max)) |
		  smmu_field_prep(SMMU_STE_W0_S1CDMAX, max);
	ste->w1 = smmu_field_prep(SMMU_STE_W1_S1DSS, dss) |
		  (guest->w[1] & (SMMU_STE_W1_S1CIR | SMMU_STE_W1_S1COR)) |
		  smmu_field_prep(SMMU_STE_W1_S1CSH, sh == 1 ? SMMU_SH_NSH : sh);
	return NULL;
}

const char *smmu_guest_ste_read(const struct smmu_id_regs *shown, const struct smmu_ste *guest,
				struct smmu_guest_ste *ste)
{
	const char *why;

	*ste = (struct smmu_guest_ste){.kind = SMMU_GUEST_STE_INVALID};
	if (!(guest->w[0] & SMMU_STE_W0_V))
		return NULL;
	switch (smmu_field_get(SMMU_STE_W0_CONFIG, guest->w[0])) {
	case SMMU_STE_CONFIG_BYPASS:
	case SMMU_STE_CONFIG_S1:
		break;
	case SMMU_STE_CONFIG_S2:
	case SMMU_STE_CONFIG_NESTED:
		return "STE.Config with stage 2 without IDR0.S2P";
	default: /* 1 to 3 are reserved and behave as 0; nothing else is looked at */
		ste->kind = SMMU_GUEST_STE_ABORT;
		return NULL;
	}
	why = reserved(shown, guest);
	if (!why && smmu_field_get(SMMU_STE_W0_CONFIG, guest->w[0]) == SMMU_STE_CONFIG_S1)
		why = stage1(shown, guest, ste);
	else if (!why)
		ste->kind = SMMU_GUEST_STE_BYPASS;
	if (!why)
		ste->w1 |= guest->w[1] & SMMU_STE_W1_MEV;
	return why;
}

void smmu_guest_ste_apply(const struct smmu_guest_ste *guest, const struct smmu_id_regs *real,
			  bool ats, struct smmu_ste *ste)
{
	uint64_t config = SMMU_STE_CONFIG_S2;

	switch (guest->kind) {
	case SMMU_GUEST_STE_INVALID:
	case SMMU_GUEST_STE_ABORT:
		*ste = (struct smmu_ste){{SMMU_STE_W0_V | smmu_field_prep(SMMU_STE_W0_CONFIG,
									  SMMU_STE_CONFIG_ABORT)}};
		return;
	case SMMU_GUEST_STE_STAGE1:
		config = SMMU_STE_CONFIG_NESTED;
		ste->w[1] &= ~(SMMU_STE_W1_S1DSS | SMMU_STE_W1_S1CIR | SMMU_STE_W1_S1COR |
			       SMMU_STE_W1_S1CSH | SMMU_STE_W1_S1STALLD);
		/*
		 * A guest's CDs cannot ask for stalls: its traffic would hold up others', and PCIe
		 * must not stall.
		 */
		if (smmu_field_get(SMMU_IDR0_STALL_MODEL, real->idr0) == SMMU_IDR0_STALL_MODEL_BOTH)
			ste->w[1] |= SMMU_STE_W1_S1STALLD;
		if (ats && guest->ats)
			ste->w[1] |= smmu_field_prep(SMMU_STE_W1_EATS, SMMU_STE_EATS_FULL);
		break;
	case SMMU_GUEST_STE_BYPASS:
		break;
	}
	ste->w[0] = (ste->w[0] & ~SMMU_STE_W0_CONFIG) |
		    smmu_field_prep(SMMU_STE_W0_CONFIG, config) | guest->w0;
	ste->w[1] |= guest->w1;
}

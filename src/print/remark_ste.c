/* SPDX-License-Identifier: BSD-2-Clause */
/* Remarks on stream table entries: what 5.2 and 5.2.2 call ILLEGAL, IGNORED or reserved. */
#include "remark.h"

#define W(ste, n, field) ((unsigned)smmu_field_get(SMMU_STE_W##n##_##field, (ste)->w[n]))

/* The first level of a stage-2 walk; 4: the encoding is reserved. Without S2DS. */
static unsigned start_level(unsigned granule, unsigned sl0)
{
	static const uint8_t of_4k[] = {2, 1, 0, 3}, of_16k[] = {3, 2, 1, 4},
			     of_64k[] = {3, 2, 1, 4};

	return granule == 12 ? of_4k[sl0 & 3] : granule == 14 ? of_16k[sl0 & 3] : of_64k[sl0 & 3];
}

/* Whether 1 to 16 tables of the first level resolve the input addresses. */
static bool start_fits(unsigned granule, unsigned level, unsigned t0sz)
{
	unsigned input = 64 - t0sz, per_level = granule - 3;
	unsigned below = granule + (3 - level) * per_level;

	return level < 4 && input > below && input <= below + per_level + 4;
}

static void stage1(const struct remarks *r, const struct smmu_ste *ste, bool s2)
{
	unsigned cdmax = W(ste, 0, S1CDMAX);
	uint64_t pointer = ste->w[0] & SMMU_STE_W0_S1CONTEXTPTR;

	NOTE_IF(r, cdmax && W(ste, 0, S1FMT) == 3, "5.2 S1Fmt",
		"S1Fmt is reserved and acts as 0, a linear table");
	NOTE_IF(r, cdmax && W(ste, 1, S1DSS) == 3, "5.2 S1DSS",
		"S1DSS is reserved and acts as 0: transactions without a substream are terminated");
	ILLEGAL_IF(r, !s2 && W(ste, 1, STRW) & 1, "5.2 STRW, 5.2.2",
		   "STRW is reserved for a Non-secure stream (ignored only where IDR0.Hyp is 0)");
	if (!r->ids)
		return;
	ILLEGAL_IF(r, !ID_FIELD(r, 0, S1P), "5.2 Config", "stage 1 is used, and IDR0.S1P is 0");
	ILLEGAL_IF(r, W(ste, 1, S1STALLD) && ID_FIELD(r, 0, STALL_MODEL), "5.2 S1STALLD, 5.5",
		   "S1STALLD is 1, and IDR0.STALL_MODEL is not 0");
	NOTE_IF(r, r->ids->has_idr0 && !W(ste, 1, S1STALLD) && !ID_FIELD(r, 0, STALL_MODEL),
		"5.2 S1STALLD",
		"S1STALLD is 0 and the SMMU can stall: streams of PCIe devices must set it");
	ILLEGAL_IF(r, ID_FIELD(r, 1, SSIDSIZE) && cdmax > ID_FIELD(r, 1, SSIDSIZE), "5.2 S1CDMax",
		   "S1CDMax is above IDR1.SSIDSIZE");
	ILLEGAL_IF(r,
		   cdmax && ID_FIELD(r, 1, SSIDSIZE) && !ID_FIELD(r, 0, CD2L) &&
			   (W(ste, 0, S1FMT) == 1 || W(ste, 0, S1FMT) == 2),
		   "5.2 S1Fmt, 5.2.2",
		   "S1Fmt asks for CD tables of two levels, and IDR0.CD2L is 0");
	ILLEGAL_IF(r, !s2 && pointer >> smmu_remark_size_bits(ID_FIELD(r, 5, OAS)),
		   "5.2 S1ContextPtr, 3.4.3", "S1ContextPtr is beyond the OAS of IDR5");
}

static void stage2_table(const struct remarks *r, const struct smmu_ste *ste)
{
	unsigned granule = smmu_remark_granule(W(ste, 2, S2TG)), t0sz = W(ste, 2, S2T0SZ);
	uint64_t table = ste->w[3] & SMMU_STE_W3_S2TTB;
	unsigned ps = smmu_remark_size_bits(W(ste, 2, S2PS));
	bool ds = W(ste, 3, S2DS), aa64 = W(ste, 2, S2AA64);

	if (!aa64)
		return;
	ILLEGAL_IF(r, !granule, "5.2 S2TG", "S2TG is reserved");
	ILLEGAL_IF(r, t0sz > 48, "5.2 S2T0SZ", "S2T0SZ is above 48");
	ILLEGAL_IF(r, granule && granule != 16 && !ds && t0sz < 16, "5.2 S2T0SZ",
		   "S2T0SZ is below 16 with pages of 4K or 16K and without S2DS");
	ILLEGAL_IF(r, granule && granule != 16 && !ds && table >> 48, "5.2 S2TTB",
		   "S2TTB is beyond 48 bits with pages of 4K or 16K and without S2DS");
	ILLEGAL_IF(r,
		   granule && !ds && t0sz <= 48 &&
			   !start_fits(granule, start_level(granule, W(ste, 2, S2SL0)), t0sz),
		   "5.2 S2SL0, 5.2.2",
		   "S2SL0 and S2T0SZ do not fit: 1 to 16 tables of the first level must resolve "
		   "the input");
	if (!r->ids)
		return;
	ILLEGAL_IF(r, granule && !smmu_remark_has_granule(r, granule), "5.2 S2TG",
		   "S2TG asks for a granule that IDR5 lacks");
	ILLEGAL_IF(r, !ID_FIELD(r, 3, STT) && t0sz > 39 && t0sz <= 48, "5.2 S2T0SZ",
		   "S2T0SZ is above 39, and IDR3.STT is 0");
	if (smmu_remark_size_bits(ID_FIELD(r, 5, OAS)) < ps)
		ps = smmu_remark_size_bits(ID_FIELD(r, 5, OAS));
	ILLEGAL_IF(r, table >> ps, "5.2 S2TTB",
		   "S2TTB is beyond the smaller of S2PS and the OAS of IDR5");
	NOTE_IF(r,
		smmu_remark_size_bits(W(ste, 2, S2PS)) > smmu_remark_size_bits(ID_FIELD(r, 5, OAS)),
		"5.2 S2PS",
		"S2PS is above the OAS of IDR5 and acts as that: software must not rely on it");
}

static void stage2(const struct remarks *r, const struct smmu_ste *ste)
{
	unsigned httu, model;

	stage2_table(r, ste);
	if (!r->ids)
		return;
	httu = ID_FIELD(r, 0, HTTU);
	model = ID_FIELD(r, 0, STALL_MODEL);
	ILLEGAL_IF(r, !ID_FIELD(r, 0, S2P), "5.2 Config", "stage 2 is used, and IDR0.S2P is 0");
	ILLEGAL_IF(r, W(ste, 2, S2S) && model == SMMU_IDR0_STALL_MODEL_TERM, "5.5",
		   "S2S is 1, and IDR0.STALL_MODEL says that the SMMU cannot stall");
	ILLEGAL_IF(r, !W(ste, 2, S2S) && model == SMMU_IDR0_STALL_MODEL_FORCE, "5.5",
		   "S2S is 0, and IDR0.STALL_MODEL says that stalls are forced");
	ILLEGAL_IF(r, W(ste, 2, S2AA64) && !(ID_FIELD(r, 0, TTF) & 2), "5.2 S2AA64",
		   "S2AA64 is 1, and IDR0.TTF has no AArch64 tables");
	ILLEGAL_IF(r, !W(ste, 2, S2AA64) && !(ID_FIELD(r, 0, TTF) & 1) && !ID_FIELD(r, 5, D128),
		   "5.2 S2AA64", "S2AA64 is 0, and IDR0.TTF has no AArch32 tables");
	ILLEGAL_IF(r, (W(ste, 2, S2HA) || W(ste, 2, S2HD)) && (!httu || !W(ste, 2, S2AA64)),
		   "5.2 S2HA",
		   "S2HA or S2HD is 1, and IDR0.HTTU is 0 or the tables are of AArch32");
	ILLEGAL_IF(r, W(ste, 2, S2HD) && httu == SMMU_IDR0_HTTU_ACCESS, "5.2 S2HA",
		   "S2HD is 1, and IDR0.HTTU has the Access flag alone");
	ILLEGAL_IF(r,
		   W(ste, 2, S2HAFT) && !W(ste, 2, S2HA) &&
			   httu == SMMU_IDR0_HTTU_ACCESS_DIRTY_TABLE,
		   "5.2 S2HAFT", "S2HAFT is 1 without S2HA");
	ILLEGAL_IF(
		r,
		(W(ste, 2, S2ENDI) && ID_FIELD(r, 0, TTENDIAN) == SMMU_IDR0_TTENDIAN_LITTLE) ||
			(!W(ste, 2, S2ENDI) && ID_FIELD(r, 0, TTENDIAN) == SMMU_IDR0_TTENDIAN_BIG),
		"5.2 S2ENDI", "S2ENDI asks for an endianness that IDR0.TTENDIAN lacks");
}

/** An entry of S2POI that is reserved: 1 or 5. */
static bool reserved_overlay(uint64_t poi)
{
	for (unsigned i = 0; i < 64; i += 4)
		if ((poi >> i & 0xb) == 1)
			return true;
	return false;
}

/** Fields of newer features, each under the bit of an ID register that brings it. */
static void newer(const struct remarks *r, const struct smmu_ste *ste, unsigned config)
{
	const uint64_t hwu = SMMU_STE_W1_S2HWU59 | SMMU_STE_W1_S2HWU60 | SMMU_STE_W1_S2HWU61 |
			     SMMU_STE_W1_S2HWU62;
	bool aa64 = W(ste, 2, S2AA64), d128 = ID_FIELD(r, 5, D128);
	bool overlays = W(ste, 2, S2POE) && ID_FIELD(r, 3, S2PO);
	uint64_t vms = ste->w[5] & SMMU_STE_W5_VMSPTR;

	ILLEGAL_IF(r,
		   config == SMMU_STE_CONFIG_NESTED && W(ste, 1, S1MPAM) && ID_FIELD(r, 3, MPAM) &&
			   vms >> smmu_remark_size_bits(ID_FIELD(r, 5, OAS)),
		   "5.2 VMSPtr, 3.4.3", "VMSPtr is beyond the OAS of IDR5");
	if (!(config & 2))
		return;
	ILLEGAL_IF(r, W(ste, 1, S2FWB) && ID_FIELD(r, 3, FWB) && !aa64 && !d128, "5.2 S2FWB",
		   "S2FWB is 1 with tables of AArch32");
	ILLEGAL_IF(r, W(ste, 2, S2PIE) && ID_FIELD(r, 3, S2PI) && !aa64 && !d128, "5.2.2",
		   "S2PIE is 1 with tables of AArch32");
	ILLEGAL_IF(r, overlays && (aa64 || !d128) && !W(ste, 2, S2PIE), "5.2 S2POE",
		   "S2POE is 1 without S2PIE");
	ILLEGAL_IF(r, overlays && ste->w[1] & hwu && ID_FIELD(r, 3, PBHA), "5.2 S2POE",
		   "S2POE is 1 together with one of S2HWU59 to S2HWU62");
	ILLEGAL_IF(r, overlays && reserved_overlay(ste->w[7]), "5.2 S2POI",
		   "S2POI has an entry that is reserved, 1 or 5");
}

static void attributes(const struct remarks *r, const struct smmu_ste *ste)
{
	if (!r->ids)
		return;
	NOTE_IF(r,
		!ID_FIELD(r, 1, ATTR_TYPES_OVR) && (W(ste, 1, MTCFG) || W(ste, 1, MEMATTR) ||
						    W(ste, 1, ALLOCCFG) || W(ste, 1, SHCFG)),
		"5.2 SHCFG, 13.1.4",
		"SHCFG, MTCFG, MemAttr and ALLOCCFG are RES0: IDR1.ATTR_TYPES_OVR is 0");
	NOTE_IF(r, !ID_FIELD(r, 1, ATTR_PERMS_OVR) && (W(ste, 1, PRIVCFG) || W(ste, 1, INSTCFG)),
		"5.2 PRIVCFG, 13.1.4", "PRIVCFG and INSTCFG are RES0: IDR1.ATTR_PERMS_OVR is 0");
}

static void ats(const struct remarks *r, const struct smmu_ste *ste, unsigned config)
{
	unsigned eats = W(ste, 1, EATS);
	bool known = r->ids, s2 = config & 2;

	if (!(config & 3) || (known && !ID_FIELD(r, 0, ATS))) {
		NOTE_IF(r, eats && known, "5.2 EATS",
			"EATS is ignored: nothing is translated, or IDR0.ATS is 0");
		return;
	}
	ILLEGAL_IF(r,
		   eats == SMMU_STE_EATS_SPLIT &&
			   (config != SMMU_STE_CONFIG_NESTED || W(ste, 2, S2S)),
		   "5.2 EATS", "EATS asks for split-stage ATS without two stages, or with S2S");
	ILLEGAL_IF(r, known && eats == SMMU_STE_EATS_SPLIT && ID_FIELD(r, 0, NS1ATS), "5.2 EATS",
		   "EATS asks for split-stage ATS, and IDR0.NS1ATS is 1");
	ILLEGAL_IF(r, eats == SMMU_STE_EATS_FULL && s2 && W(ste, 2, S2S), "5.2 EATS",
		   "EATS allows ATS and S2S is 1: a translation request cannot stall");
	NOTE_IF(r, eats == SMMU_STE_EATS_SPLIT, "5.2 EATS",
		"split-stage ATS works only while CR0.ATSCHK is 1");
	ILLEGAL_IF(r,
		   known && eats == SMMU_STE_EATS_FULL_DPT && ID_FIELD(r, 3, DPT) &&
			   ((!s2 && W(ste, 1, STRW)) || (s2 && W(ste, 2, S2S))),
		   "5.2 EATS", "EATS 3 asks for the DPT outside of EL1, or with S2S");
	NOTE_IF(r, known && eats == SMMU_STE_EATS_FULL_DPT && !ID_FIELD(r, 3, DPT), "5.2 EATS",
		"EATS 3 acts as 0: IDR3.DPT is 0");
}

void smmu_remarks_ste(const struct smmu_ste *ste, const struct smmu_ids *ids, smmu_remark_fn *fn,
		      void *ctx)
{
	const struct remarks r = {ids, fn, ctx};
	unsigned config = W(ste, 0, CONFIG);
	bool reserved = false;

	if (!(ste->w[0] & SMMU_STE_W0_V)) {
		NOTE_IF(&r, true, "5.2 V", "not valid: transactions are aborted with C_BAD_STE");
		return;
	}
	NOTE_IF(&r, config > 0 && config < 4, "5.2 Config",
		"Config is reserved and acts as 0, abort");
	NOTE_IF(&r, config < 4, "5.2 Config", "transactions are aborted, and no event is recorded");
	smmu_fields_ste(ste, smmu_remark_see_reserved, &reserved);
	if (config >= 4) {
		if (config & 1)
			stage1(&r, ste, config & 2);
		if (config & 2)
			stage2(&r, ste);
		ats(&r, ste, config);
		attributes(&r, ste);
		if (ids)
			newer(&r, ste, config);
		/* Stage 1 without EL2 is tagged by a VMID too. */
		ILLEGAL_IF(&r,
			   ids && ID_FIELD(&r, 0, S2P) && !ID_FIELD(&r, 0, VMID16) && config & 3 &&
				   W(ste, 2, S2VMID) > 0xff && (config & 2 || !W(ste, 1, STRW)),
			   "5.2 S2VMID", "S2VMID has more than 8 bits, and IDR0.VMID16 is 0");
	}
	RESERVED_IF(&r, reserved, "chapter 5, introduction",
		    "bits of no field, or a reserved value: an SMMU may take the STE as invalid, "
		    "or ignore "
		    "them");
}

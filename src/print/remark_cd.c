/* SPDX-License-Identifier: BSD-2-Clause */
/* Remarks on context descriptors: what 5.4 and 5.4.2 call ILLEGAL, IGNORED or reserved. */
#include "remark.h"

#define W(cd, n, field) ((unsigned)smmu_field_get(SMMU_CD_W##n##_##field, (cd)->w[n]))

/* One half of the address space. */
struct half {
	bool off;
	unsigned tsz, granule; /* granule 0: reserved */
	uint64_t table;
	unsigned ds;
	const char *tsz_section, *tg_section, *ttb_section;
};

static void table(const struct remarks *r, const struct smmu_cd *cd, const struct half *h)
{
	unsigned ips = smmu_remark_size_bits(W(cd, 0, IPS));
	unsigned least = h->granule == 16 || h->ds ? 12 : 16;

	if (h->off)
		return;
	smmu_remark_if(r, !h->granule, SMMU_REMARK_ILLEGAL, h->tg_section,
		       "the granule is reserved");
	smmu_remark_if(r, h->tsz > 48, SMMU_REMARK_ILLEGAL, h->tsz_section,
		       "the size of the region is above 48, so it has less than 16 bits");
	smmu_remark_if(r, h->granule && h->tsz < least, SMMU_REMARK_ILLEGAL, h->tsz_section,
		       "the size of the region is below 16 (12 with pages of 64K or DS)");
	smmu_remark_if(r, h->granule && h->granule != 16 && !h->ds && h->table >> 48,
		       SMMU_REMARK_ILLEGAL, h->ttb_section,
		       "the table is beyond 48 bits with pages of 4K or 16K and without DS");
	if (!r->ids)
		return;
	smmu_remark_if(r, h->granule && !smmu_remark_has_granule(r, h->granule),
		       SMMU_REMARK_ILLEGAL, h->tg_section, "the granule is one that IDR5 lacks");
	smmu_remark_if(r, !ID_FIELD(r, 3, STT) && h->tsz > 39 && h->tsz <= 48, SMMU_REMARK_ILLEGAL,
		       h->tsz_section, "the size of the region is above 39, and IDR3.STT is 0");
	smmu_remark_if(r, h->tsz >= least && h->tsz < 16 && ID_FIELD(r, 5, VAX) == SMMU_IDR5_VAX_48,
		       SMMU_REMARK_ILLEGAL, h->tsz_section,
		       "the size of the region is below 16, and IDR5.VAX has 48 bits");
	if (smmu_remark_size_bits(ID_FIELD(r, 5, OAS)) < ips)
		ips = smmu_remark_size_bits(ID_FIELD(r, 5, OAS));
	smmu_remark_if(r, h->table >> ips, SMMU_REMARK_ILLEGAL, h->ttb_section,
		       "the table is beyond the smaller of IPS and the OAS of IDR5");
}

/** An entry of PIIP or PIIU that is reserved, 4 or 6; or in both a pair that is: PIIP 2, 3, 6, 7 with PIIU 4 to 7. */
static bool reserved_permissions(uint64_t piip, uint64_t piiu)
{
	for (unsigned i = 0; i < 48; i += 3) {
		uint64_t p = piip >> i & 7, u = piiu >> i & 7;

		if ((p & 5) == 4 || (u & 5) == 4 || (p & 2 && u & 4))
			return true;
	}
	return false;
}

/** VMSAv9-128: SKL jumps over more levels than the walk has. */
static bool skips_all(unsigned granule, unsigned tsz, unsigned skl)
{
	unsigned per_level = granule - 4, bits = 64 - tsz;

	return granule && bits > granule && skl >= (bits - granule + per_level - 1) / per_level;
}

/** Permission indirection, and tables of 128 bits. */
static void newer(const struct remarks *r, const struct smmu_cd *cd, bool aa64)
{
	static const uint8_t tg1[] = {0, 14, 12, 16};
	unsigned skl0 = (unsigned)(cd->w[1] >> 62), skl1 = (unsigned)(cd->w[2] >> 62);
	bool d128 = !aa64 && ID_FIELD(r, 5, D128) && !(ID_FIELD(r, 0, TTF) & 1);

	ILLEGAL_IF(r,
		   (d128 || (aa64 && ID_FIELD(r, 3, S1PI) && W(cd, 2, PIE))) &&
			   reserved_permissions(cd->w[7] & SMMU_CD_W7_PIIP,
						cd->w[6] & SMMU_CD_W6_PIIU),
		   "5.4 PIIP, PIIU",
		   "PIIP or PIIU has an entry, or a pair of entries, that is reserved (PIIU counts "
		   "where there is EL0; both where STE.S1PIE is 1)");
	NOTE_IF(r, d128, "5.4 AA64",
		"tables of VMSAv9-128: STE.S1PIE has to be 1, and the stream not one of EL2");
	ILLEGAL_IF(
		r,
		d128 && ((!W(cd, 0, EPD0) &&
			  skips_all(smmu_remark_granule(W(cd, 0, TG0)), W(cd, 0, T0SZ), skl0)) ||
			 (!W(cd, 0, EPD1) && skips_all(tg1[W(cd, 0, TG1)], W(cd, 0, T1SZ), skl1))),
		"5.4 SKL0", "SKL0 or SKL1 begins the walk below its last level");
}

static void known(const struct remarks *r, const struct smmu_cd *cd, bool aa64)
{
	unsigned model = ID_FIELD(r, 0, STALL_MODEL), httu = ID_FIELD(r, 0, HTTU);
	unsigned endian = ID_FIELD(r, 0, TTENDIAN);
	bool both_off = W(cd, 0, EPD0) && W(cd, 0, EPD1);

	ILLEGAL_IF(r, W(cd, 0, S) && model == SMMU_IDR0_STALL_MODEL_TERM, "5.5",
		   "S is 1, and IDR0.STALL_MODEL says that the SMMU cannot stall");
	ILLEGAL_IF(r, !W(cd, 0, S) && model == SMMU_IDR0_STALL_MODEL_FORCE, "5.5",
		   "S is 0, and IDR0.STALL_MODEL says that stalls are forced");
	ILLEGAL_IF(r, !W(cd, 0, A) && ID_FIELD(r, 0, TERM_MODEL), "5.4.2, 5.5",
		   "A is 0, and IDR0.TERM_MODEL says that faults always abort");
	ILLEGAL_IF(r,
		   !both_off && ((W(cd, 0, ENDI) && endian == SMMU_IDR0_TTENDIAN_LITTLE) ||
				 (!W(cd, 0, ENDI) && endian == SMMU_IDR0_TTENDIAN_BIG)),
		   "5.4 ENDI", "ENDI asks for an endianness that IDR0.TTENDIAN lacks");
	ILLEGAL_IF(r, aa64 && !(ID_FIELD(r, 0, TTF) & 2), "5.4 AA64",
		   "AA64 is 1, and IDR0.TTF has no AArch64 tables");
	ILLEGAL_IF(r, !aa64 && !(ID_FIELD(r, 0, TTF) & 1) && !ID_FIELD(r, 5, D128), "5.4 AA64",
		   "AA64 is 0, and IDR0.TTF has no AArch32 tables");
	ILLEGAL_IF(r, aa64 && (W(cd, 0, HA) || W(cd, 0, HD)) && !httu, "5.4 HA",
		   "HA or HD is 1, and IDR0.HTTU is 0");
	ILLEGAL_IF(r, aa64 && W(cd, 0, HD) && httu == SMMU_IDR0_HTTU_ACCESS, "5.4 HD",
		   "HD is 1, and IDR0.HTTU has the Access flag alone");
	ILLEGAL_IF(r, W(cd, 1, HAFT) && !W(cd, 0, HA) && httu == SMMU_IDR0_HTTU_ACCESS_DIRTY_TABLE,
		   "5.4 HAFT", "HAFT is 1 without HA");
	ILLEGAL_IF(r, W(cd, 0, ASID) > 0xff && !ID_FIELD(r, 0, ASID16), "5.4 ASID",
		   "ASID has more than 8 bits, and IDR0.ASID16 is 0 (ignored for EL2 without E2H)");
	NOTE_IF(r,
		smmu_remark_size_bits(W(cd, 0, IPS)) > smmu_remark_size_bits(ID_FIELD(r, 5, OAS)),
		"5.4 IPS",
		"IPS is above the OAS of IDR5 and acts as that: software must not rely on it");
	NOTE_IF(r, r->ids->has_idr0 && ID_FIELD(r, 0, BTM) && !W(cd, 0, ASET), "5.4 ASET, 3.17",
		"ASET is 0 and the SMMU takes part in broadcast TLB maintenance: the ASID must be "
		"that of "
		"the processors");
}

void smmu_remarks_cd(const struct smmu_cd *cd, const struct smmu_ids *ids, smmu_remark_fn *fn,
		     void *ctx)
{
	static const uint8_t tg1[] = {0, 14, 12, 16};
	const struct remarks r = {ids, fn, ctx};
	bool aa64 = cd->w[0] & SMMU_CD_W0_AA64, reserved = false;
	unsigned ds = W(cd, 2, DS);

	if (!(cd->w[0] & SMMU_CD_W0_V)) {
		NOTE_IF(&r, true, "5.4 V", "not valid: transactions are aborted with C_BAD_CD");
		return;
	}
	if (aa64) {
		table(&r, cd,
		      &(struct half){W(cd, 0, EPD0), W(cd, 0, T0SZ),
				     smmu_remark_granule(W(cd, 0, TG0)), cd->w[1] & SMMU_CD_W1_TTB0,
				     ds, "5.4 T0SZ", "5.4 TG0", "5.4 TTB0"});
		table(&r, cd,
		      &(struct half){W(cd, 0, EPD1), W(cd, 0, T1SZ), tg1[W(cd, 0, TG1)],
				     cd->w[2] & SMMU_CD_W2_TTB1, ds, "5.4 T1SZ", "5.4 TG1",
				     "5.4 TTB1"});
	}
	NOTE_IF(&r, W(cd, 0, EPD0) && W(cd, 0, EPD1), "5.4.1.1",
		"EPD0 and EPD1 are 1: every access ends in F_TRANSLATION");
	if (ids) {
		known(&r, cd, aa64);
		newer(&r, cd, aa64);
	}
	smmu_fields_cd(cd, smmu_remark_see_reserved, &reserved);
	RESERVED_IF(&r, reserved, "chapter 5, introduction",
		    "bits of no field, or a reserved value: an SMMU may take the CD as invalid, or "
		    "ignore "
		    "them");
}

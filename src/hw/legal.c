/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules by which an STE or a CD is ILLEGAL. IHI 0070 G.b, 5.2 and 5.4 (fields), 5.5 (stalls), 3.4.3 (addresses), and for reserved bits
 * the introduction of chapter 5. Each line is one rule: when it is broken, and in which words.
 *
 * Not here: Secure and Realm streams, VMSAv8-32 and VMSAv9-128 tables beyond that they are refused where the part lacks
 * them, and fields of features that no bit here turns on (src/print/remark_*.c says what is illegal there).
 */
#include <smmuv3/hw/legal.h>
#include <smmuv3/hw/regs.h>

#define RULE(broken, text)           \
	do {                         \
		if (broken)          \
			return text; \
	} while (0)

static uint32_t get(uint64_t mask, uint64_t word)
{
	return (uint32_t)smmu_field_get(mask, word);
}

static uint32_t oas_bits(const struct smmu_id_regs *id)
{
	static const uint8_t oas[] = {32, 36, 40, 42, 44, 48, 52, 56};

	return oas[get(SMMU_IDR5_OAS, id->idr5)];
}

/** The address size that a code of IPS or S2PS stands for, capped to the SMMU's. */
static uint32_t output_bits(const struct smmu_id_regs *id, uint32_t code)
{
	static const uint8_t size[] = {32, 36, 40, 42, 44, 48, 52, 56};
	uint32_t oas = oas_bits(id);

	return size[code] < oas ? size[code] : oas;
}

/** log2 of the granule that S2TG or TG0 stands for; 0: reserved or not there. */
static uint32_t granule_of(const struct smmu_id_regs *id, uint32_t tg)
{
	switch (tg) {
	case SMMU_STE_S2TG_4K:
		return id->idr5 & SMMU_IDR5_GRAN4K ? 12 : 0;
	case SMMU_STE_S2TG_64K:
		return id->idr5 & SMMU_IDR5_GRAN64K ? 16 : 0;
	case SMMU_STE_S2TG_16K:
		return id->idr5 & SMMU_IDR5_GRAN16K ? 14 : 0;
	default:
		return 0;
	}
}

static bool beyond(uint64_t address, uint32_t bits)
{
	return address >> bits != 0;
}

static uint32_t stall_model(const struct smmu_id_regs *id)
{
	return get(SMMU_IDR0_STALL_MODEL, id->idr0);
}

/** Tables of AArch64 in a byte order that the SMMU has. */
static bool wrong_endian(const struct smmu_id_regs *id, bool big)
{
	uint32_t has = get(SMMU_IDR0_TTENDIAN, id->idr0);

	return big ? has == SMMU_IDR0_TTENDIAN_LITTLE : has == SMMU_IDR0_TTENDIAN_BIG;
}

/** HA or HD (@p dirty) without hardware update of flags. */
static bool no_htt_update(const struct smmu_id_regs *id, bool access, bool dirty)
{
	uint32_t has = get(SMMU_IDR0_HTTU, id->idr0);

	return ((access || dirty) && has == SMMU_IDR0_HTTU_NONE) ||
	       (dirty && has == SMMU_IDR0_HTTU_ACCESS);
}

/** Smallest T0SZ of a stage with @p granule, where tables of 52 bits need @p large. */
static uint32_t least_tsz(uint32_t granule, bool large)
{
	return granule == 16 && large ? 12 : 16;
}

static uint32_t most_tsz(const struct smmu_id_regs *id, uint32_t granule)
{
	return !(id->idr3 & SMMU_IDR3_STT) ? 39 : granule == 16 ? 47 : 48;
}

/* ---- STE ---- */

static const char *s1_of_ste(const struct smmu_id_regs *id, const struct smmu_ste *ste, bool s2)
{
	uint64_t ptr = ste->w[0] & SMMU_STE_W0_S1CONTEXTPTR;
	uint32_t max = get(SMMU_STE_W0_S1CDMAX, ste->w[0]), fmt = get(SMMU_STE_W0_S1FMT, ste->w[0]);
	uint32_t ssid = get(SMMU_IDR1_SSIDSIZE, id->idr1);

	RULE(ste->w[1] & SMMU_STE_W1_S1STALLD && stall_model(id) != SMMU_IDR0_STALL_MODEL_BOTH,
	     "STE.S1STALLD with IDR0.STALL_MODEL not 0");
	RULE(ssid && max > ssid, "STE.S1CDMax above IDR1.SSIDSIZE");
	RULE(ssid && max && (fmt == SMMU_STE_S1FMT_4K_L2 || fmt == SMMU_STE_S1FMT_64K_L2) &&
		     !(id->idr0 & SMMU_IDR0_CD2L),
	     "STE.S1Fmt of two levels without IDR0.CD2L");
	RULE(!s2 && beyond(ptr, oas_bits(id)), "STE.S1ContextPtr above IDR5.OAS");
	RULE(!s2 && id->idr0 & SMMU_IDR0_HYP && ste->w[1] & SMMU_BIT(30),
	     "STE.STRW 1 or 3 in a Non-secure STE");
	return NULL;
}

/** T0SZ, SL0 and the granule fit each other: one to sixteen first tables, at a level that the output size allows. */
static const char *s2_start(const struct smmu_id_regs *id, uint32_t granule, uint32_t tsz,
			    uint32_t sl0)
{
	uint32_t bits = 64 - tsz, per_level = granule - 3, oas = oas_bits(id);
	uint32_t level = granule == 12 ? (sl0 == 3 ? 3 : 2 - sl0) : 3 - sl0;
	uint32_t one = granule + (4 - level) * per_level; /* input bits of one first table */

	RULE(sl0 == 3 && !(id->idr3 & SMMU_IDR3_STT), "STE.S2SL0 3 without IDR3.STT");
	RULE(granule != 12 && sl0 == 3, "STE.S2SL0 3 with a granule other than 4K");
	RULE(bits > one + 4, "STE.S2T0SZ: more than 16 first tables at the level of S2SL0");
	RULE(bits <= one - per_level,
	     "STE.S2T0SZ: the first table of the level of S2SL0 has one entry");
	RULE(granule == 12 && level == 0 && oas <= 42,
	     "STE.S2SL0: level 0 with IDR5.OAS up to 42 bits");
	RULE(granule == 14 && level == 1 && oas <= 40,
	     "STE.S2SL0: level 1 with IDR5.OAS up to 40 bits");
	RULE(granule == 16 && level == 1 && oas <= 42,
	     "STE.S2SL0: level 1 with IDR5.OAS up to 42 bits");
	return NULL;
}

static const char *s2_of_ste(const struct smmu_id_regs *id, const struct smmu_ste *ste)
{
	uint64_t w2 = ste->w[2], w3 = ste->w[3], ttb = w3 & SMMU_STE_W3_S2TTB;
	uint32_t granule = granule_of(id, get(SMMU_STE_W2_S2TG, w2));
	uint32_t tsz = get(SMMU_STE_W2_S2T0SZ, w2), ttf = get(SMMU_IDR0_TTF, id->idr0);
	bool ds = id->idr5 & SMMU_IDR5_DS && w3 & SMMU_STE_W3_S2DS;
	uint32_t ias = oas_bits(id);

	if (ttf & 1 && ias < 40)
		ias = 40;
	RULE(w2 & SMMU_STE_W2_S2S && stall_model(id) == SMMU_IDR0_STALL_MODEL_TERM,
	     "STE.S2S with IDR0.STALL_MODEL 1");
	RULE(!(w2 & SMMU_STE_W2_S2S) && stall_model(id) == SMMU_IDR0_STALL_MODEL_FORCE,
	     "STE.S2S 0 with IDR0.STALL_MODEL 2");
	RULE(!(w2 & SMMU_STE_W2_S2AA64) && !(ttf & 1),
	     "STE.S2AA64 0 without AArch32 tables (IDR0.TTF)");
	RULE(w2 & SMMU_STE_W2_S2AA64 && !(ttf & 2), "STE.S2AA64 without AArch64 tables (IDR0.TTF)");
	RULE(no_htt_update(id, w2 & SMMU_STE_W2_S2HA, w2 & SMMU_STE_W2_S2HD),
	     "STE.S2HA or S2HD without IDR0.HTTU");
	RULE(wrong_endian(id, w2 & SMMU_STE_W2_S2ENDI), "STE.S2ENDI against IDR0.TTENDIAN");
	if (!(w2 & SMMU_STE_W2_S2AA64))
		return NULL;
	RULE(!granule, "STE.S2TG reserved or not in IDR5");
	RULE(beyond(ttb, output_bits(id, get(SMMU_STE_W2_S2PS, w2))),
	     "STE.S2TTB above S2PS or IDR5.OAS");
	RULE(granule < 16 && !(w3 & SMMU_STE_W3_S2DS) && beyond(ttb, 48),
	     "STE.S2TTB above 48 bits");
	RULE(tsz > most_tsz(id, granule), "STE.S2T0SZ above what IDR3.STT allows");
	RULE(tsz < (ds ? 12 : least_tsz(granule, true)) || 64 - tsz > ias,
	     "STE.S2T0SZ: input addresses above the SMMU's");
	return s2_start(id, granule, tsz, get(SMMU_STE_W2_S2SL0, w2));
}

static const char *ats_of_ste(const struct smmu_id_regs *id, const struct smmu_ste *ste,
			      uint32_t config)
{
	uint32_t eats = get(SMMU_STE_W1_EATS, ste->w[1]);
	bool s2s = ste->w[2] & SMMU_STE_W2_S2S;

	if (!(id->idr0 & SMMU_IDR0_ATS) || config == SMMU_STE_CONFIG_BYPASS)
		return NULL;
	RULE(eats == SMMU_STE_EATS_SPLIT &&
		     (config != SMMU_STE_CONFIG_NESTED || s2s || id->idr0 & SMMU_IDR0_NS1ATS),
	     "STE.EATS split without both stages, with S2S, or with IDR0.NS1ATS");
	RULE(eats == SMMU_STE_EATS_FULL && s2s && config & 2, "STE.EATS full with S2S");
	return NULL;
}

/** Fields of features that the part lacks are RES0: what is not 0 may be refused. */
static const char *reserved_of_ste(const struct smmu_id_regs *id, const struct smmu_ste *ste)
{
	RULE(ste->w[1] & (SMMU_STE_W1_SHCFG | SMMU_STE_W1_MTCFG | SMMU_STE_W1_MEMATTR |
			  SMMU_STE_W1_ALLOCCFG) &&
		     !(id->idr1 & SMMU_IDR1_ATTR_TYPES_OVR),
	     "STE.SHCFG, MTCFG, MemAttr or ALLOCCFG without IDR1.ATTR_TYPES_OVR");
	RULE(ste->w[1] & (SMMU_STE_W1_PRIVCFG | SMMU_STE_W1_INSTCFG) &&
		     !(id->idr1 & SMMU_IDR1_ATTR_PERMS_OVR),
	     "STE.PRIVCFG or INSTCFG without IDR1.ATTR_PERMS_OVR");
	RULE(ste->w[1] & SMMU_STE_W1_S2FWB && !(id->idr3 & SMMU_IDR3_FWB),
	     "STE.S2FWB without IDR3.FWB");
	RULE(ste->w[1] & SMMU_STE_W1_S1MPAM && !(id->idr3 & SMMU_IDR3_MPAM),
	     "STE.S1MPAM without IDR3.MPAM");
	RULE(ste->w[1] & SMMU_STE_W1_EATS && !(id->idr0 & SMMU_IDR0_ATS),
	     "STE.EATS without IDR0.ATS");
	return NULL;
}

const char *smmu_ste_illegal(const struct smmu_id_regs *id, const struct smmu_ste *ste)
{
	uint32_t config = get(SMMU_STE_W0_CONFIG, ste->w[0]);
	const char *why = NULL;

	if (!(ste->w[0] & SMMU_STE_W0_V) || config < SMMU_STE_CONFIG_BYPASS)
		return NULL;
	RULE(config & 1 && !(id->idr0 & SMMU_IDR0_S1P), "STE.Config with stage 1 without IDR0.S1P");
	RULE(config & 2 && !(id->idr0 & SMMU_IDR0_S2P), "STE.Config with stage 2 without IDR0.S2P");
	RULE(config != SMMU_STE_CONFIG_BYPASS && id->idr0 & SMMU_IDR0_S2P &&
		     !(id->idr0 & SMMU_IDR0_VMID16) && ste->w[2] & SMMU_MASK(15, 8) &&
		     (config & 2 || !get(SMMU_STE_W1_STRW, ste->w[1])),
	     "STE.S2VMID above 8 bits without IDR0.VMID16");
	if (config & 1)
		why = s1_of_ste(id, ste, config & 2);
	if (!why && config & 2)
		why = s2_of_ste(id, ste);
	if (!why)
		why = ats_of_ste(id, ste, config);
	return why ? why : reserved_of_ste(id, ste);
}

/* ---- CD ---- */

static bool is_el2(const struct smmu_id_regs *id, const struct smmu_ste *ste)
{
	return id->idr0 & SMMU_IDR0_HYP && get(SMMU_STE_W1_STRW, ste->w[1]) == SMMU_STE_STRW_EL2 &&
	       get(SMMU_STE_W0_CONFIG, ste->w[0]) == SMMU_STE_CONFIG_S1;
}

/** One half: TTB0 with T0SZ and TG0, or TTB1 with the others (@p granule of it; 0: reserved or not there). */
static const char *half_of_cd(const struct smmu_id_regs *id, uint32_t granule, uint32_t tsz,
			      uint64_t ttb, uint32_t oas, bool ds)
{
	bool vax = get(SMMU_IDR5_VAX, id->idr5) != SMMU_IDR5_VAX_48;

	RULE(!granule, "CD.TG0 or TG1 reserved or not in IDR5");
	RULE(tsz > most_tsz(id, granule), "CD.T0SZ or T1SZ above what IDR3.STT allows");
	RULE(tsz < (ds && vax ? 12 : least_tsz(granule, vax)),
	     "CD.T0SZ or T1SZ: input addresses above what IDR5.VAX allows");
	RULE(beyond(ttb, oas), "CD.TTB0 or TTB1 above IPS or IDR5.OAS");
	RULE(granule < 16 && !ds && beyond(ttb, 48), "CD.TTB0 or TTB1 above 48 bits");
	return NULL;
}

static uint32_t granule_of_tg1(const struct smmu_id_regs *id, uint32_t tg1)
{
	static const uint8_t tg0[] = {3, SMMU_CD_TG0_16K, SMMU_CD_TG0_4K, SMMU_CD_TG0_64K};

	return granule_of(id, tg0[tg1]);
}

static const char *halves_of_cd(const struct smmu_id_regs *id, const struct smmu_cd *cd, bool el2)
{
	uint64_t w0 = cd->w[0];
	bool ds = id->idr5 & SMMU_IDR5_DS && cd->w[2] & SMMU_CD_W2_DS;
	uint32_t oas = output_bits(id, get(SMMU_CD_W0_IPS, w0));
	const char *why = NULL;

	if (el2 || !(w0 & SMMU_CD_W0_EPD0))
		why = half_of_cd(id, granule_of(id, get(SMMU_CD_W0_TG0, w0)),
				 get(SMMU_CD_W0_T0SZ, w0), cd->w[1] & SMMU_CD_W1_TTB0, oas, ds);
	if (!why && !el2 && !(w0 & SMMU_CD_W0_EPD1))
		why = half_of_cd(id, granule_of_tg1(id, get(SMMU_CD_W0_TG1, w0)),
				 get(SMMU_CD_W0_T1SZ, w0), cd->w[2] & SMMU_CD_W2_TTB1, oas, ds);
	return why;
}

const char *smmu_cd_illegal(const struct smmu_id_regs *id, const struct smmu_ste *ste,
			    const struct smmu_cd *cd)
{
	uint64_t w0 = cd->w[0];
	uint32_t ttf = get(SMMU_IDR0_TTF, id->idr0);
	bool el2 = is_el2(id, ste), walks = el2 || (~w0 & (SMMU_CD_W0_EPD0 | SMMU_CD_W0_EPD1));

	if (!(w0 & SMMU_CD_W0_V))
		return NULL;
	RULE(w0 & SMMU_CD_W0_S && (ste->w[1] & SMMU_STE_W1_S1STALLD ||
				   stall_model(id) == SMMU_IDR0_STALL_MODEL_TERM),
	     "CD.S with STE.S1STALLD or IDR0.STALL_MODEL 1");
	RULE(!(w0 & SMMU_CD_W0_S) && stall_model(id) == SMMU_IDR0_STALL_MODEL_FORCE,
	     "CD.S 0 with IDR0.STALL_MODEL 2");
	RULE(!(w0 & SMMU_CD_W0_A) && id->idr0 & SMMU_IDR0_TERM_MODEL,
	     "CD.A 0 with IDR0.TERM_MODEL");
	RULE(walks && wrong_endian(id, w0 & SMMU_CD_W0_ENDI), "CD.ENDI against IDR0.TTENDIAN");
	RULE(!(w0 & SMMU_CD_W0_AA64) && !(ttf & 1), "CD.AA64 0 without AArch32 tables (IDR0.TTF)");
	RULE(w0 & SMMU_CD_W0_AA64 && !(ttf & 2), "CD.AA64 without AArch64 tables (IDR0.TTF)");
	RULE(w0 & SMMU_CD_W0_AA64 && get(SMMU_STE_W0_CONFIG, ste->w[0]) == SMMU_STE_CONFIG_NESTED &&
		     !(ste->w[2] & SMMU_STE_W2_S2AA64) && !(id->idr5 & SMMU_IDR5_D128),
	     "CD.AA64 under a stage 2 of AArch32 tables (STE.S2AA64)");
	RULE(!el2 && w0 >> 56 && !(id->idr0 & SMMU_IDR0_ASID16),
	     "CD.ASID above 8 bits without IDR0.ASID16");
	if (!(w0 & SMMU_CD_W0_AA64))
		return NULL;
	RULE(no_htt_update(id, w0 & SMMU_CD_W0_HA, w0 & SMMU_CD_W0_HD),
	     "CD.HA or HD without IDR0.HTTU");
	return halves_of_cd(id, cd, el2);
}

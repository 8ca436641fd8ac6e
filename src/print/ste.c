/* SPDX-License-Identifier: BSD-2-Clause */
/* Stream table entries in words. */
#include "fields.h"

static const char *const names_config[] = {"abort",  NULL, NULL, NULL,
					   "bypass", "S1", "S2", "S1+S2"};
static const char *const names_s1fmt[] = {"linear", "2-level-4K", "2-level-64K", NULL};
static const char *const names_s1dss[] = {"terminate", "bypass", "SSID0", NULL};
static const char *const names_s1c[] = {"NC", "WB-RA", "WT-RA", "WB-nRA"};
static const char *const names_eats[] = {"abort", "full", "split", "full-DPT"};
static const char *const names_strw[] = {"NS-EL1", NULL, "EL2", NULL};
static const char *const names_shcfg[] = {"NSH", "incoming", "OSH", "ISH"};
static const char *const names_privcfg[] = {"incoming", NULL, "unprivileged", "privileged"};
static const char *const names_instcfg[] = {"incoming", NULL, "data", "instruction"};

static const struct smmu_field fields_ste[] = {
	SMMU_FIELD(0, SMMU_STE_W0_V, "V", ID),
	SMMU_FIELD_ENUM(0, SMMU_STE_W0_CONFIG, "Config", ID, names_config),
	SMMU_FIELD(0, SMMU_STE_W0_S1CONTEXTPTR, "S1ContextPtr", ADDR),
	SMMU_FIELD(0, SMMU_STE_W0_S1CDMAX, "S1CDMax", NUM),
	SMMU_FIELD_ENUM(0, SMMU_STE_W0_S1FMT, "S1Fmt", ID, names_s1fmt),
	SMMU_FIELD_ENUM(1, SMMU_STE_W1_S1DSS, "S1DSS", ID, names_s1dss),
	SMMU_FIELD_ENUM(1, SMMU_STE_W1_S1CIR, "S1CIR", NUM, names_s1c),
	SMMU_FIELD_ENUM(1, SMMU_STE_W1_S1COR, "S1COR", NUM, names_s1c),
	SMMU_FIELD_ENUM(1, SMMU_STE_W1_S1CSH, "S1CSH", NUM, smmu_names_sh),
	SMMU_FIELD(1, SMMU_STE_W1_S1STALLD, "S1STALLD", NUM),
	SMMU_FIELD(1, SMMU_STE_W1_S1PIE, "S1PIE", NUM),
	SMMU_FIELD(1, SMMU_STE_W1_S1MPAM, "S1MPAM", NUM),
	SMMU_FIELD_ENUM(1, SMMU_STE_W1_EATS, "EATS", NUM, names_eats),
	SMMU_FIELD_ENUM(1, SMMU_STE_W1_STRW, "STRW", ID, names_strw),
	SMMU_FIELD(2, SMMU_STE_W2_S2VMID, "S2VMID", ID),
	SMMU_FIELD(3, SMMU_STE_W3_S2TTB, "S2TTB", ADDR),
	SMMU_FIELD(2, SMMU_STE_W2_S2T0SZ, "S2T0SZ", ID),
	SMMU_FIELD(2, SMMU_STE_W2_S2SL0, "S2SL0", ID),
	SMMU_FIELD(3, SMMU_STE_W3_S2SL0_2, "S2SL0_2", NUM),
	SMMU_FIELD_ENUM(2, SMMU_STE_W2_S2TG, "S2TG", ID, smmu_names_tg0),
	SMMU_FIELD_ENUM(2, SMMU_STE_W2_S2PS, "S2PS", ID, smmu_names_size),
	SMMU_FIELD_ENUM(2, SMMU_STE_W2_S2IR0, "S2IR0", NUM, smmu_names_walk),
	SMMU_FIELD_ENUM(2, SMMU_STE_W2_S2OR0, "S2OR0", NUM, smmu_names_walk),
	SMMU_FIELD_ENUM(2, SMMU_STE_W2_S2SH0, "S2SH0", NUM, smmu_names_sh),
	SMMU_FIELD(2, SMMU_STE_W2_S2AA64, "S2AA64", ID),
	SMMU_FIELD(2, SMMU_STE_W2_S2ENDI, "S2ENDI", NUM),
	SMMU_FIELD(2, SMMU_STE_W2_S2AFFD, "S2AFFD", NUM),
	SMMU_FIELD(2, SMMU_STE_W2_S2PTW, "S2PTW", NUM),
	SMMU_FIELD(2, SMMU_STE_W2_S2HD, "S2HD", NUM),
	SMMU_FIELD(2, SMMU_STE_W2_S2HA, "S2HA", NUM),
	SMMU_FIELD(2, SMMU_STE_W2_S2S, "S2S", NUM),
	SMMU_FIELD(2, SMMU_STE_W2_S2R, "S2R", NUM),
	SMMU_FIELD(2, SMMU_STE_W2_S2HAFT, "S2HAFT", NUM),
	SMMU_FIELD(2, SMMU_STE_W2_S2PIE, "S2PIE", NUM),
	SMMU_FIELD(2, SMMU_STE_W2_S2POE, "S2POE", NUM),
	SMMU_FIELD(7, SMMU_STE_W7_S2POI, "S2POI", HEX),
	SMMU_FIELD(3, SMMU_STE_W3_S2DS, "S2DS", NUM),
	SMMU_FIELD(3, SMMU_STE_W3_S2SKL, "S2SKL", NUM),
	SMMU_FIELD(1, SMMU_STE_W1_S2FWB, "S2FWB", NUM),
	SMMU_FIELD(1, SMMU_STE_W1_S2HWU59, "S2HWU59", NUM),
	SMMU_FIELD(1, SMMU_STE_W1_S2HWU60, "S2HWU60", NUM),
	SMMU_FIELD(1, SMMU_STE_W1_S2HWU61, "S2HWU61", NUM),
	SMMU_FIELD(1, SMMU_STE_W1_S2HWU62, "S2HWU62", NUM),
	SMMU_FIELD(5, SMMU_STE_W5_ASSUREDONLY, "AssuredOnly", NUM),
	SMMU_FIELD(5, SMMU_STE_W5_TL0, "TL0", NUM),
	SMMU_FIELD(5, SMMU_STE_W5_TL1, "TL1", NUM),
	SMMU_FIELD(2, SMMU_STE_W2_DPT_VMATCH, "DPT_VMATCH", NUM),
	SMMU_FIELD_ENUM(1, SMMU_STE_W1_SHCFG, "SHCFG", ID, names_shcfg),
	SMMU_FIELD(1, SMMU_STE_W1_MTCFG, "MTCFG", NUM),
	SMMU_FIELD(1, SMMU_STE_W1_MEMATTR, "MemAttr", HEX),
	SMMU_FIELD(1, SMMU_STE_W1_ALLOCCFG, "ALLOCCFG", HEX),
	SMMU_FIELD_ENUM(1, SMMU_STE_W1_PRIVCFG, "PRIVCFG", NUM, names_privcfg),
	SMMU_FIELD_ENUM(1, SMMU_STE_W1_INSTCFG, "INSTCFG", NUM, names_instcfg),
	SMMU_FIELD(1, SMMU_STE_W1_CONT, "CONT", NUM),
	SMMU_FIELD(1, SMMU_STE_W1_DRE, "DRE", NUM),
	SMMU_FIELD(1, SMMU_STE_W1_DCP, "DCP", NUM),
	SMMU_FIELD(1, SMMU_STE_W1_PPAR, "PPAR", NUM),
	SMMU_FIELD(1, SMMU_STE_W1_MEV, "MEV", NUM),
	SMMU_FIELD(4, SMMU_STE_W4_PARTID, "PARTID", NUM),
	SMMU_FIELD(5, SMMU_STE_W5_PMG, "PMG", NUM),
	SMMU_FIELD(5, SMMU_STE_W5_VMSPTR, "VMSPtr", ADDR_SET),
};

/** Fields of other Security states, of software and of the implementation: there, but nothing is said of them. */
static const struct smmu_ste ste_untold = {{
	0,
	SMMU_STE_W1_SW_RESERVED | SMMU_STE_W1_NSCFG | SMMU_STE_W1_IMPDEF,
	SMMU_STE_W2_IMPDEF,
	SMMU_STE_W3_S2NSW | SMMU_STE_W3_S2NSA,
	SMMU_STE_W4_IMPDEF | SMMU_STE_W4_S_S2T0SZ | SMMU_STE_W4_S_S2SL0 | SMMU_STE_W4_S_S2TG |
		SMMU_STE_W4_MECID,
	SMMU_STE_W5_MPAM_NS,
	SMMU_STE_W6_S2SW | SMMU_STE_W6_S2SA | SMMU_STE_W6_S_S2SL0_2 | SMMU_STE_W6_S_S2TTB |
		SMMU_STE_W6_S_S2SKL,
	0,
}};

const char *smmu_fields_ste(const struct smmu_ste *ste, smmu_field_fn *fn, void *ctx)
{
	struct smmu_ste used, defined = ste_untold;

	smmu_ste_used(ste, &used);
	smmu_fields_walk(fields_ste, SMMU_ARRAY_SIZE(fields_ste), ste->w, used.w, fn, ctx);
	if (ste->w[0] & SMMU_STE_W0_V) {
		smmu_fields_defined(fields_ste, SMMU_ARRAY_SIZE(fields_ste), defined.w);
		smmu_fields_rest(ste->w, defined.w, 8, fn, ctx);
	}
	return "STE";
}

void smmu_print_ste(struct smmu_text *t, const struct smmu_ste *ste)
{
	smmu_text_str(t, "STE");
	smmu_fields_ste(ste, smmu_field_print, t);
}

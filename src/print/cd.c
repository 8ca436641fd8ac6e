/* SPDX-License-Identifier: BSD-2-Clause */
/* Context descriptors in words. */
#include "fields.h"

static const char *const names_tg1[] = {NULL, "16K", "4K", "64K"};

static const struct smmu_field fields_cd[] = {
	SMMU_FIELD(0, SMMU_CD_W0_V, "V", ID),
	SMMU_FIELD(0, SMMU_CD_W0_ASID, "ASID", ID),
	SMMU_FIELD(0, SMMU_CD_W0_ASET, "ASET", NUM),
	SMMU_FIELD(0, SMMU_CD_W0_AA64, "AA64", ID),
	SMMU_FIELD(1, SMMU_CD_W1_TTB0, "TTB0", ADDR),
	SMMU_FIELD(0, SMMU_CD_W0_T0SZ, "T0SZ", ID),
	SMMU_FIELD_ENUM(0, SMMU_CD_W0_TG0, "TG0", ID, smmu_names_tg0),
	SMMU_FIELD_ENUM(0, SMMU_CD_W0_IR0, "IR0", NUM, smmu_names_walk),
	SMMU_FIELD_ENUM(0, SMMU_CD_W0_OR0, "OR0", NUM, smmu_names_walk),
	SMMU_FIELD_ENUM(0, SMMU_CD_W0_SH0, "SH0", NUM, smmu_names_sh),
	SMMU_FIELD(0, SMMU_CD_W0_EPD0, "EPD0", NUM),
	SMMU_FIELD(2, SMMU_CD_W2_TTB1, "TTB1", ADDR),
	SMMU_FIELD(0, SMMU_CD_W0_T1SZ, "T1SZ", ID),
	SMMU_FIELD_ENUM(0, SMMU_CD_W0_TG1, "TG1", ID, names_tg1),
	SMMU_FIELD_ENUM(0, SMMU_CD_W0_IR1, "IR1", NUM, smmu_names_walk),
	SMMU_FIELD_ENUM(0, SMMU_CD_W0_OR1, "OR1", NUM, smmu_names_walk),
	SMMU_FIELD_ENUM(0, SMMU_CD_W0_SH1, "SH1", NUM, smmu_names_sh),
	SMMU_FIELD(0, SMMU_CD_W0_EPD1, "EPD1", NUM),
	SMMU_FIELD_ENUM(0, SMMU_CD_W0_IPS, "IPS", ID, smmu_names_size),
	SMMU_FIELD(0, SMMU_CD_W0_ENDI, "ENDI", NUM),
	SMMU_FIELD(0, SMMU_CD_W0_AFFD, "AFFD", NUM),
	SMMU_FIELD(0, SMMU_CD_W0_WXN, "WXN", NUM),
	SMMU_FIELD(0, SMMU_CD_W0_UWXN, "UWXN", NUM),
	SMMU_FIELD(0, SMMU_CD_W0_TBI0, "TBI0", NUM),
	SMMU_FIELD(0, SMMU_CD_W0_TBI1, "TBI1", NUM),
	SMMU_FIELD(0, SMMU_CD_W0_PAN, "PAN", NUM),
	SMMU_FIELD(0, SMMU_CD_W0_HD, "HD", NUM),
	SMMU_FIELD(0, SMMU_CD_W0_HA, "HA", NUM),
	SMMU_FIELD(0, SMMU_CD_W0_S, "S", NUM),
	SMMU_FIELD(0, SMMU_CD_W0_R, "R", NUM),
	SMMU_FIELD(0, SMMU_CD_W0_A, "A", NUM),
	SMMU_FIELD(1, SMMU_CD_W1_HAD0, "HAD0", NUM),
	SMMU_FIELD(1, SMMU_CD_W1_E0PD0, "E0PD0", NUM),
	SMMU_FIELD(1, SMMU_CD_W1_HAFT, "HAFT", NUM),
	SMMU_FIELD(1, SMMU_CD_W1_PNCH, "PnCH", NUM),
	SMMU_FIELD(1, SMMU_CD_W1_EPAN, "EPAN", NUM),
	SMMU_FIELD(1, SMMU_CD_W1_HWU059, "HWU059", NUM),
	SMMU_FIELD(1, SMMU_CD_W1_HWU060, "HWU060", NUM),
	SMMU_FIELD(1, SMMU_CD_W1_HWU061, "HWU061", NUM),
	SMMU_FIELD(1, SMMU_CD_W1_HWU062, "HWU062", NUM),
	SMMU_FIELD(2, SMMU_CD_W2_HAD1, "HAD1", NUM),
	SMMU_FIELD(2, SMMU_CD_W2_E0PD1, "E0PD1", NUM),
	SMMU_FIELD(2, SMMU_CD_W2_AIE, "AIE", NUM),
	SMMU_FIELD(2, SMMU_CD_W2_DS, "DS", NUM),
	SMMU_FIELD(2, SMMU_CD_W2_PIE, "PIE", NUM),
	SMMU_FIELD(2, SMMU_CD_W2_HWU159, "HWU159", NUM),
	SMMU_FIELD(2, SMMU_CD_W2_HWU160, "HWU160", NUM),
	SMMU_FIELD(2, SMMU_CD_W2_HWU161, "HWU161", NUM),
	SMMU_FIELD(2, SMMU_CD_W2_HWU162, "HWU162", NUM),
	SMMU_FIELD(3, SMMU_CD_W3_MAIR, "MAIR", HEX),
	SMMU_FIELD(4, SMMU_CD_W4_AMAIR0 | SMMU_CD_W4_AMAIR1, "AMAIR", HEX),
	SMMU_FIELD(5, SMMU_CD_W5_PARTID, "PARTID", NUM),
	SMMU_FIELD(5, SMMU_CD_W5_PMG, "PMG", NUM),
	SMMU_FIELD(6, SMMU_CD_W6_PIIU, "PIIU", HEX),
	SMMU_FIELD(7, SMMU_CD_W7_PIIP, "PIIP", HEX),
};

const char *smmu_fields_cd(const struct smmu_cd *cd, smmu_field_fn *fn, void *ctx)
{
	struct smmu_cd used, defined = {{0, SMMU_CD_W1_NSCFG0, SMMU_CD_W2_NSCFG1}};

	defined.w[5] = SMMU_CD_W5_IMPDEF;
	smmu_cd_used(cd, &used);
	smmu_fields_walk(fields_cd, SMMU_ARRAY_SIZE(fields_cd), cd->w, used.w, fn, ctx);
	if (cd->w[0] & SMMU_CD_W0_V) {
		smmu_fields_defined(fields_cd, SMMU_ARRAY_SIZE(fields_cd), defined.w);
		smmu_fields_rest(cd->w, defined.w, 8, fn, ctx);
	}
	return "CD";
}

void smmu_print_cd(struct smmu_text *t, const struct smmu_cd *cd)
{
	smmu_text_str(t, "CD");
	smmu_fields_cd(cd, smmu_field_print, t);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Context descriptors: the bits in use. */
#include <smmuv3/hw/cd.h>

void smmu_cd_used(const struct smmu_cd *cd, struct smmu_cd *mask)
{
	bool epd0 = cd->w[0] & SMMU_CD_W0_EPD0, epd1 = cd->w[0] & SMMU_CD_W0_EPD1;

	*mask = (struct smmu_cd){{SMMU_CD_W0_V}};
	if (!(cd->w[0] & SMMU_CD_W0_V))
		return;

	mask->w[0] |= SMMU_CD_W0_EPD0 | SMMU_CD_W0_EPD1 | SMMU_CD_W0_IPS | SMMU_CD_W0_WXN |
		      SMMU_CD_W0_TBI0 | SMMU_CD_W0_TBI1 | SMMU_CD_W0_PAN | SMMU_CD_W0_AA64 |
		      SMMU_CD_W0_HD | SMMU_CD_W0_HA | SMMU_CD_W0_S | SMMU_CD_W0_R | SMMU_CD_W0_A |
		      SMMU_CD_W0_ASET | SMMU_CD_W0_ASID;
	if (!(cd->w[0] & SMMU_CD_W0_AA64))
		mask->w[0] |= SMMU_CD_W0_UWXN;
	if (!(cd->w[0] & SMMU_CD_W0_HA))
		mask->w[0] |= SMMU_CD_W0_AFFD;
	if (!epd0 || !epd1)
		mask->w[0] |= SMMU_CD_W0_ENDI;
	mask->w[1] |= SMMU_CD_W1_HAFT | SMMU_CD_W1_PNCH | SMMU_CD_W1_EPAN;
	mask->w[2] |= SMMU_CD_W2_AIE | SMMU_CD_W2_DS | SMMU_CD_W2_PIE;
	mask->w[3] |= SMMU_CD_W3_MAIR;
	mask->w[4] |= SMMU_CD_W4_AMAIR0 | SMMU_CD_W4_AMAIR1;
	mask->w[5] |= SMMU_CD_W5_PARTID | SMMU_CD_W5_PMG;
	mask->w[1] |= SMMU_CD_W1_E0PD0 | SMMU_CD_W1_HAD0 | SMMU_CD_W1_HWU059 | SMMU_CD_W1_HWU060 |
		      SMMU_CD_W1_HWU061 | SMMU_CD_W1_HWU062;
	mask->w[2] |= SMMU_CD_W2_E0PD1 | SMMU_CD_W2_HAD1 | SMMU_CD_W2_HWU159 | SMMU_CD_W2_HWU160 |
		      SMMU_CD_W2_HWU161 | SMMU_CD_W2_HWU162;
	/* Exactly the fields that the specification lists under EPD0 and EPD1. */
	if (!epd0) {
		mask->w[0] |= SMMU_CD_W0_T0SZ | SMMU_CD_W0_TG0 | SMMU_CD_W0_IR0 | SMMU_CD_W0_OR0 |
			      SMMU_CD_W0_SH0;
		mask->w[1] |= SMMU_CD_W1_TTB0;
	}
	if (!epd1) {
		mask->w[0] |= SMMU_CD_W0_T1SZ | SMMU_CD_W0_TG1 | SMMU_CD_W0_IR1 | SMMU_CD_W0_OR1 |
			      SMMU_CD_W0_SH1;
		mask->w[2] |= SMMU_CD_W2_TTB1;
	}
	/* Without AA64 the tables may be VMSAv9-128, which always uses permission indirection. */
	if ((cd->w[2] & SMMU_CD_W2_PIE) || !(cd->w[0] & SMMU_CD_W0_AA64)) {
		mask->w[6] |= SMMU_CD_W6_PIIU;
		mask->w[7] |= SMMU_CD_W7_PIIP;
	}
}

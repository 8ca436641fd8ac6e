/* SPDX-License-Identifier: BSD-2-Clause */
/* Stream table entries: the bits in use. */
#include <smmuv3/hw/ste.h>

void smmu_ste_used(const struct smmu_ste *ste, struct smmu_ste *mask)
{
	unsigned config = (unsigned)smmu_field_get(SMMU_STE_W0_CONFIG, ste->w[0]);
	bool s1 = config & 1, s2 = config & 2;
	bool substreams = ste->w[0] & SMMU_STE_W0_S1CDMAX;
	bool s1_may_bypass = !s1 || (substreams && smmu_field_get(SMMU_STE_W1_S1DSS, ste->w[1]) ==
							   SMMU_STE_S1DSS_BYPASS);
	unsigned eats = (unsigned)smmu_field_get(SMMU_STE_W1_EATS, ste->w[1]);

	*mask = (struct smmu_ste){{SMMU_STE_W0_V}};
	if (!(ste->w[0] & SMMU_STE_W0_V))
		return;
	mask->w[0] |= SMMU_STE_W0_CONFIG;
	mask->w[1] |= SMMU_STE_W1_CONT;
	if (!(config & 4)) /* aborts; 1–3 are reserved and behave as 0 */
		return;

	/* Whatever passes traffic. */
	mask->w[1] |=
		SMMU_STE_W1_MEV | SMMU_STE_W1_PPAR | SMMU_STE_W1_PRIVCFG | SMMU_STE_W1_INSTCFG;
	mask->w[4] |= SMMU_STE_W4_PARTID;
	mask->w[5] |= SMMU_STE_W5_PMG;
	/*
	 * A stage-1 translation replaces memory type and shareability, but combines allocation hints with those of the
	 * input, and whether the input has any is told by its type (13.4.2, 13.5).
	 */
	mask->w[1] |= SMMU_STE_W1_MTCFG | SMMU_STE_W1_ALLOCCFG;
	if (ste->w[1] & SMMU_STE_W1_MTCFG)
		mask->w[1] |= SMMU_STE_W1_MEMATTR;
	if (s1_may_bypass)
		mask->w[1] |= SMMU_STE_W1_SHCFG;
	if (!s1 && !s2)
		return;

	mask->w[1] |= SMMU_STE_W1_EATS | SMMU_STE_W1_DRE | SMMU_STE_W1_DCP;
	if (eats == SMMU_STE_EATS_FULL_DPT)
		mask->w[2] |= SMMU_STE_W2_DPT_VMATCH;
	/* SMMUv3.0 may refuse this pair even where stage 2 is off. */
	if (eats == SMMU_STE_EATS_FULL)
		mask->w[2] |= SMMU_STE_W2_S2S;

	if (s1) {
		mask->w[0] |= SMMU_STE_W0_S1CONTEXTPTR | SMMU_STE_W0_S1CDMAX;
		mask->w[1] |= SMMU_STE_W1_S1CIR | SMMU_STE_W1_S1COR | SMMU_STE_W1_S1CSH |
			      SMMU_STE_W1_S1PIE | SMMU_STE_W1_S1MPAM | SMMU_STE_W1_S1STALLD;
		if (substreams) {
			mask->w[0] |= SMMU_STE_W0_S1FMT;
			mask->w[1] |= SMMU_STE_W1_S1DSS;
		}
	}
	if (s1 && !s2)
		mask->w[1] |= SMMU_STE_W1_STRW;
	if (s2 || !(ste->w[1] & SMMU_STE_W1_STRW))
		mask->w[2] |= SMMU_STE_W2_S2VMID;
	if (!s2)
		return;

	mask->w[1] |= SMMU_STE_W1_S2FWB | SMMU_STE_W1_S2HWU59 | SMMU_STE_W1_S2HWU60 |
		      SMMU_STE_W1_S2HWU61 | SMMU_STE_W1_S2HWU62;
	mask->w[2] |= SMMU_STE_W2_S2T0SZ | SMMU_STE_W2_S2SL0 | SMMU_STE_W2_S2IR0 |
		      SMMU_STE_W2_S2OR0 | SMMU_STE_W2_S2SH0 | SMMU_STE_W2_S2TG | SMMU_STE_W2_S2PS |
		      SMMU_STE_W2_S2AA64 | SMMU_STE_W2_S2ENDI | SMMU_STE_W2_S2AFFD |
		      SMMU_STE_W2_S2HD | SMMU_STE_W2_S2HA | SMMU_STE_W2_S2S | SMMU_STE_W2_S2R |
		      SMMU_STE_W2_S2HAFT | SMMU_STE_W2_S2PIE | SMMU_STE_W2_S2POE;
	mask->w[3] |=
		SMMU_STE_W3_S2SL0_2 | SMMU_STE_W3_S2DS | SMMU_STE_W3_S2TTB | SMMU_STE_W3_S2SKL;
	mask->w[5] |= SMMU_STE_W5_ASSUREDONLY | SMMU_STE_W5_TL0 | SMMU_STE_W5_TL1;
	if (ste->w[2] & SMMU_STE_W2_S2POE)
		mask->w[7] |= SMMU_STE_W7_S2POI;
	if (s1) {
		mask->w[2] |= SMMU_STE_W2_S2PTW;
		if (ste->w[1] & SMMU_STE_W1_S1MPAM)
			mask->w[5] |= SMMU_STE_W5_VMSPTR;
	}
}

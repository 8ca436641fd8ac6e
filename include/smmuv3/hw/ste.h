/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file hw/ste.h
 * Stream table: level-1 descriptors and stream table entries (IHI 0070 G.b, 5.1, 5.2).
 *
 * An STE is eight little-endian 64-bit words; `SMMU_STE_W2_S2VMID` is the mask of a field of word
 * 2. Bit n of the specification is bit n % 64 of word n / 64.
 */
#ifndef SMMUV3_HW_STE_H
#define SMMUV3_HW_STE_H

#include <smmuv3/types.h>

SMMU_BEGIN_DECLS

struct smmu_ste {
	uint64_t w[8];
};

#define SMMU_STE_LOG2_BYTES 6u

/** Level-1 stream table descriptor: one 64-bit word, of which 2^SPLIT streams share one. */
#define SMMU_L1STD_LOG2_BYTES 3u
#define SMMU_L1STD_SPAN SMMU_MASK(4, 0) /**< 0: not valid; n: L2PTR locates 2^(n - 1) STEs */
#define SMMU_L1STD_L2PTR SMMU_MASK(55, 6)

#define SMMU_STE_W0_V SMMU_BIT(0)
#define SMMU_STE_W0_CONFIG SMMU_MASK(3, 1)
#define SMMU_STE_W0_S1FMT SMMU_MASK(5, 4)
#define SMMU_STE_W0_S1CONTEXTPTR SMMU_MASK(55, 6)
#define SMMU_STE_W0_S1CDMAX SMMU_MASK(63, 59)

#define SMMU_STE_W1_S1DSS SMMU_MASK(1, 0)
#define SMMU_STE_W1_S1CIR SMMU_MASK(3, 2)
#define SMMU_STE_W1_S1COR SMMU_MASK(5, 4)
#define SMMU_STE_W1_S1CSH SMMU_MASK(7, 6)
#define SMMU_STE_W1_S2HWU59 SMMU_BIT(8)
#define SMMU_STE_W1_S2HWU60 SMMU_BIT(9)
#define SMMU_STE_W1_S2HWU61 SMMU_BIT(10)
#define SMMU_STE_W1_S2HWU62 SMMU_BIT(11)
#define SMMU_STE_W1_DRE SMMU_BIT(12)
#define SMMU_STE_W1_CONT SMMU_MASK(16, 13)
#define SMMU_STE_W1_DCP SMMU_BIT(17)
#define SMMU_STE_W1_PPAR SMMU_BIT(18)
#define SMMU_STE_W1_MEV SMMU_BIT(19)
#define SMMU_STE_W1_SW_RESERVED SMMU_MASK(23, 20) /**< for software; the SMMU never looks */
#define SMMU_STE_W1_S1PIE SMMU_BIT(24)
#define SMMU_STE_W1_S2FWB SMMU_BIT(25)
#define SMMU_STE_W1_S1MPAM SMMU_BIT(26)
#define SMMU_STE_W1_S1STALLD SMMU_BIT(27)
#define SMMU_STE_W1_EATS SMMU_MASK(29, 28)
#define SMMU_STE_W1_STRW SMMU_MASK(31, 30)
#define SMMU_STE_W1_MEMATTR SMMU_MASK(35, 32)
#define SMMU_STE_W1_MTCFG SMMU_BIT(36)
#define SMMU_STE_W1_ALLOCCFG SMMU_MASK(40, 37)
#define SMMU_STE_W1_SHCFG SMMU_MASK(45, 44)
#define SMMU_STE_W1_NSCFG SMMU_MASK(47, 46)
#define SMMU_STE_W1_PRIVCFG SMMU_MASK(49, 48)
#define SMMU_STE_W1_INSTCFG SMMU_MASK(51, 50)
#define SMMU_STE_W1_IMPDEF SMMU_MASK(63, 52)

#define SMMU_STE_W2_S2VMID SMMU_MASK(15, 0)
#define SMMU_STE_W2_IMPDEF SMMU_MASK(31, 16)
#define SMMU_STE_W2_S2T0SZ SMMU_MASK(37, 32)
#define SMMU_STE_W2_S2SL0 SMMU_MASK(39, 38)
#define SMMU_STE_W2_S2IR0 SMMU_MASK(41, 40)
#define SMMU_STE_W2_S2OR0 SMMU_MASK(43, 42)
#define SMMU_STE_W2_S2SH0 SMMU_MASK(45, 44)
#define SMMU_STE_W2_S2TG SMMU_MASK(47, 46)
#define SMMU_STE_W2_S2PS SMMU_MASK(50, 48)
#define SMMU_STE_W2_S2AA64 SMMU_BIT(51)
#define SMMU_STE_W2_S2ENDI SMMU_BIT(52)
#define SMMU_STE_W2_S2AFFD SMMU_BIT(53)
#define SMMU_STE_W2_S2PTW SMMU_BIT(54)
#define SMMU_STE_W2_S2HD SMMU_BIT(55)
#define SMMU_STE_W2_S2HA SMMU_BIT(56)
#define SMMU_STE_W2_S2S SMMU_BIT(57)
#define SMMU_STE_W2_S2R SMMU_BIT(58)
#define SMMU_STE_W2_S2HAFT SMMU_BIT(59)
#define SMMU_STE_W2_S2PIE SMMU_BIT(60)
#define SMMU_STE_W2_S2POE SMMU_BIT(61)
#define SMMU_STE_W2_DPT_VMATCH SMMU_MASK(63, 62)

#define SMMU_STE_W3_S2NSW SMMU_BIT(0) /**< Secure streams only, as S2NSA */
#define SMMU_STE_W3_S2NSA SMMU_BIT(1)
#define SMMU_STE_W3_S2SL0_2 SMMU_BIT(2)
#define SMMU_STE_W3_S2DS SMMU_BIT(3)
#define SMMU_STE_W3_S2TTB SMMU_MASK(55, 4)
#define SMMU_STE_W3_S2SKL SMMU_MASK(62, 61)

#define SMMU_STE_W4_IMPDEF SMMU_MASK(15, 0)
#define SMMU_STE_W4_PARTID SMMU_MASK(31, 16)
#define SMMU_STE_W4_S_S2T0SZ SMMU_MASK(37, 32) /**< S_*: Secure streams only */
#define SMMU_STE_W4_S_S2SL0 SMMU_MASK(39, 38)
#define SMMU_STE_W4_S_S2TG SMMU_MASK(47, 46)
#define SMMU_STE_W4_MECID SMMU_MASK(63, 48) /**< Realm streams only */

#define SMMU_STE_W5_PMG SMMU_MASK(7, 0)
#define SMMU_STE_W5_MPAM_NS SMMU_BIT(8)
#define SMMU_STE_W5_ASSUREDONLY SMMU_BIT(9)
#define SMMU_STE_W5_TL0 SMMU_BIT(10)
#define SMMU_STE_W5_TL1 SMMU_BIT(11)
#define SMMU_STE_W5_VMSPTR SMMU_MASK(55, 12)

#define SMMU_STE_W6_S2SW SMMU_BIT(0) /**< all of word 6: Secure streams only */
#define SMMU_STE_W6_S2SA SMMU_BIT(1)
#define SMMU_STE_W6_S_S2SL0_2 SMMU_BIT(2)
#define SMMU_STE_W6_S_S2TTB SMMU_MASK(55, 4)
#define SMMU_STE_W6_S_S2SKL SMMU_MASK(62, 61)

#define SMMU_STE_W7_S2POI SMMU_MASK(63, 0)

/* CONFIG: bit 2 lets traffic pass, bit 1 is stage 2, bit 0 stage 1. */
#define SMMU_STE_CONFIG_ABORT 0u
#define SMMU_STE_CONFIG_BYPASS 4u
#define SMMU_STE_CONFIG_S1 5u
#define SMMU_STE_CONFIG_S2 6u
#define SMMU_STE_CONFIG_NESTED 7u

#define SMMU_STE_S1FMT_LINEAR 0u
#define SMMU_STE_S1FMT_4K_L2 1u  /**< leaf tables of 64 CDs */
#define SMMU_STE_S1FMT_64K_L2 2u /**< leaf tables of 1024 CDs */

#define SMMU_STE_S1DSS_TERMINATE 0u
#define SMMU_STE_S1DSS_BYPASS 1u
#define SMMU_STE_S1DSS_SSID0 2u

/**
 * S1CIR and S1COR. They differ from IR0 and OR0 of a CD in the meaning of 1 and 3: a CD is only
 * read.
 */
#define SMMU_STE_S1C_NC 0u
#define SMMU_STE_S1C_WB_RA 1u
#define SMMU_STE_S1C_WT 2u
#define SMMU_STE_S1C_WB_NRA 3u

#define SMMU_STE_EATS_ABORT 0u /**< no ATS */
#define SMMU_STE_EATS_FULL 1u
#define SMMU_STE_EATS_SPLIT 2u /**< the ATC holds IPAs; needs CONFIG_NESTED and CR0.ATSCHK */
#define SMMU_STE_EATS_FULL_DPT 3u

#define SMMU_STE_STRW_NSEL1 0u
#define SMMU_STE_STRW_EL2 2u /**< NS-EL2, or NS-EL2-E2H with CR2.E2H */

#define SMMU_STE_SHCFG_NSH 0u
#define SMMU_STE_SHCFG_INCOMING 1u
#define SMMU_STE_SHCFG_OSH 2u
#define SMMU_STE_SHCFG_ISH 3u

#define SMMU_STE_PRIVCFG_INCOMING 0u
#define SMMU_STE_PRIVCFG_UNPRIV 2u
#define SMMU_STE_PRIVCFG_PRIV 3u

#define SMMU_STE_INSTCFG_INCOMING 0u
#define SMMU_STE_INSTCFG_DATA 2u
#define SMMU_STE_INSTCFG_INST 3u

/** S2TG; CD.TG0 has the same values, CD.TG1 has not. */
#define SMMU_STE_S2TG_4K 0u
#define SMMU_STE_S2TG_64K 1u
#define SMMU_STE_S2TG_16K 2u

/** S2IR0, S2OR0, and CD.IR0, OR0, IR1, OR1: cacheability of table walks. */
#define SMMU_WALK_NC 0u
#define SMMU_WALK_WB_RAWA 1u
#define SMMU_WALK_WT_RA 2u
#define SMMU_WALK_WB_RA 3u

/**
 * Which bits of @p ste an SMMU looks at, given the values of V, CONFIG and the fields that decide
 * over others: each such bit is 1 in @p mask. Another value of the remaining bits changes nothing,
 * so an STE can be changed without a break as long as one aligned 64-bit store changes all used
 * bits that differ. Without V that is V alone; with CONFIG_ABORT also CONFIG and CONT.
 *
 * For Non-secure streams; NSCFG, the fields of Secure and Realm streams and IMPLEMENTATION DEFINED
 * bits count as unused. Features that the SMMU may lack are taken to be there: S2VMID is used by
 * stage 1 alone (unless STRW selects EL2), and MPAM, DPT and permission fields where their field of
 * control enables them. Any context.
 *
 * IHI 0070 G.b, 5.2, 5.2.1, 13.4.2.
 */
void smmu_ste_used(const struct smmu_ste *ste, struct smmu_ste *mask);

SMMU_END_DECLS

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file hw/cd.h
 * Context descriptors and their level-1 descriptors (IHI 0070 G.b, 5.3, 5.4).
 *
 * A CD is eight little-endian 64-bit words; `SMMU_CD_W1_TTB0` is the mask of a field of word 1.
 */
#ifndef SMMUV3_HW_CD_H
#define SMMUV3_HW_CD_H

#include <smmuv3/types.h>

SMMU_BEGIN_DECLS

struct smmu_cd {
	uint64_t w[8];
};

#define SMMU_CD_LOG2_BYTES 6u

/** Level-1 CD descriptor: one 64-bit word. */
#define SMMU_L1CD_LOG2_BYTES 3u
#define SMMU_L1CD_V SMMU_BIT(0)
#define SMMU_L1CD_L2PTR SMMU_MASK(55, 12)

#define SMMU_CD_W0_T0SZ SMMU_MASK(5, 0)
#define SMMU_CD_W0_TG0 SMMU_MASK(7, 6)
#define SMMU_CD_W0_IR0 SMMU_MASK(9, 8)
#define SMMU_CD_W0_OR0 SMMU_MASK(11, 10)
#define SMMU_CD_W0_SH0 SMMU_MASK(13, 12)
#define SMMU_CD_W0_EPD0 SMMU_BIT(14)
#define SMMU_CD_W0_ENDI SMMU_BIT(15)
#define SMMU_CD_W0_T1SZ SMMU_MASK(21, 16)
#define SMMU_CD_W0_TG1 SMMU_MASK(23, 22)
#define SMMU_CD_W0_IR1 SMMU_MASK(25, 24)
#define SMMU_CD_W0_OR1 SMMU_MASK(27, 26)
#define SMMU_CD_W0_SH1 SMMU_MASK(29, 28)
#define SMMU_CD_W0_EPD1 SMMU_BIT(30)
#define SMMU_CD_W0_V SMMU_BIT(31)
#define SMMU_CD_W0_IPS SMMU_MASK(34, 32)
#define SMMU_CD_W0_AFFD SMMU_BIT(35)
#define SMMU_CD_W0_WXN SMMU_BIT(36)
#define SMMU_CD_W0_UWXN SMMU_BIT(37)
#define SMMU_CD_W0_TBI0 SMMU_BIT(38)
#define SMMU_CD_W0_TBI1 SMMU_BIT(39)
#define SMMU_CD_W0_PAN SMMU_BIT(40)
#define SMMU_CD_W0_AA64 SMMU_BIT(41)
#define SMMU_CD_W0_HD SMMU_BIT(42)
#define SMMU_CD_W0_HA SMMU_BIT(43)
#define SMMU_CD_W0_S SMMU_BIT(44)
#define SMMU_CD_W0_R SMMU_BIT(45)
#define SMMU_CD_W0_A SMMU_BIT(46)
#define SMMU_CD_W0_ASET SMMU_BIT(47)
#define SMMU_CD_W0_ASID SMMU_MASK(63, 48)

#define SMMU_CD_W1_NSCFG0 SMMU_BIT(0) /**< Secure streams only */
#define SMMU_CD_W1_HAD0 SMMU_BIT(1)   /**< with IDR5.D128: DisCH0 */
#define SMMU_CD_W1_E0PD0 SMMU_BIT(2)
#define SMMU_CD_W1_HAFT SMMU_BIT(3)
#define SMMU_CD_W1_TTB0 SMMU_MASK(55, 4)
#define SMMU_CD_W1_PNCH SMMU_BIT(58)
#define SMMU_CD_W1_EPAN SMMU_BIT(59)
#define SMMU_CD_W1_HWU059 SMMU_BIT(60)
#define SMMU_CD_W1_HWU060 SMMU_BIT(61)
#define SMMU_CD_W1_HWU061 SMMU_BIT(62) /**< with IDR5.D128: SKL0[0] */
#define SMMU_CD_W1_HWU062 SMMU_BIT(63) /**< with IDR5.D128: SKL0[1] */

#define SMMU_CD_W2_NSCFG1 SMMU_BIT(0)
#define SMMU_CD_W2_HAD1 SMMU_BIT(1)
#define SMMU_CD_W2_E0PD1 SMMU_BIT(2)
#define SMMU_CD_W2_AIE SMMU_BIT(3)
#define SMMU_CD_W2_TTB1 SMMU_MASK(55, 4)
#define SMMU_CD_W2_DS SMMU_BIT(58)
#define SMMU_CD_W2_PIE SMMU_BIT(59)
#define SMMU_CD_W2_HWU159 SMMU_BIT(60)
#define SMMU_CD_W2_HWU160 SMMU_BIT(61)
#define SMMU_CD_W2_HWU161 SMMU_BIT(62)
#define SMMU_CD_W2_HWU162 SMMU_BIT(63)

#define SMMU_CD_W3_MAIR0 SMMU_MASK(31, 0)
#define SMMU_CD_W3_MAIR1 SMMU_MASK(63, 32)
#define SMMU_CD_W3_MAIR SMMU_MASK(63, 0) /**< both, laid out as MAIR_ELx */

#define SMMU_CD_W4_AMAIR0 SMMU_MASK(31, 0)
#define SMMU_CD_W4_AMAIR1 SMMU_MASK(63, 32)

#define SMMU_CD_W5_IMPDEF SMMU_MASK(31, 0)
#define SMMU_CD_W5_PARTID SMMU_MASK(47, 32)
#define SMMU_CD_W5_PMG SMMU_MASK(55, 48)

#define SMMU_CD_W6_PIIU SMMU_MASK(47, 0)
#define SMMU_CD_W7_PIIP SMMU_MASK(47, 0)

#define SMMU_CD_TG0_4K 0u
#define SMMU_CD_TG0_64K 1u
#define SMMU_CD_TG0_16K 2u
#define SMMU_CD_TG1_16K 1u
#define SMMU_CD_TG1_4K 2u
#define SMMU_CD_TG1_64K 3u

/** ASET: whether broadcast TLB maintenance from processors applies to this ASID. */
#define SMMU_CD_ASET_SHARED 0u
#define SMMU_CD_ASET_PRIVATE 1u

/**
 * Which bits of @p cd an SMMU looks at, each 1 in @p mask; the counterpart of smmu_ste_used, with
 * the same reservations. StreamWorld is not known here: what EL2 ignores (TTB1, ASID) counts as
 * used, and EPD0 and EPD1 count as obeyed, which they are not in EL2. Any context. IHI 0070 G.b,
 * 5.4, 5.4.1.1.
 */
void smmu_cd_used(const struct smmu_cd *cd, struct smmu_cd *mask);

SMMU_END_DECLS

#endif

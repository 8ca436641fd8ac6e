/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file hw/legal.h
 * What makes a valid STE or CD ILLEGAL on an SMMU with given ID registers (IHI 0070 G.b, 5.2, 5.4,
 * 5.5, 3.4.3). All functions here: any context.
 */
#ifndef SMMUV3_HW_LEGAL_H
#define SMMUV3_HW_LEGAL_H

#include <smmuv3/hw/cd.h>
#include <smmuv3/hw/ste.h>

SMMU_BEGIN_DECLS

/** The registers that decide. */
struct smmu_id_regs {
	uint32_t idr0, idr1, idr3, idr5;
};

/**
 * NULL, or the first rule that the Non-secure STE @p ste breaks: a text such as "STE.S1STALLD with
 * IDR0.STALL_MODEL not 0". V = 0 breaks none, and what the configuration ignores is not looked at.
 * Beside what the text calls ILLEGAL it names fields that are RES0 on the part, for an SMMU may
 * refuse these (chapter 5). SMMUv3.1 and later. Any context.
 */
const char *smmu_ste_illegal(const struct smmu_id_regs *id, const struct smmu_ste *ste);

/** The same for @p cd, reached through the legal STE @p ste with stage 1. */
const char *smmu_cd_illegal(const struct smmu_id_regs *id, const struct smmu_ste *ste,
			    const struct smmu_cd *cd);

SMMU_END_DECLS

#endif

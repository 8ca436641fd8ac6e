/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers of the two Realm pages (6.2.8, 6.2.9), which lie where the part likes, so that they have a name and no offset from
 * the others: here SMMU_REG_REALM stands before that within the pages. Most have the fields of their Non-secure namesakes.
 */
#include "reg.h"

#include <smmuv3/hw/regs.h>

static const struct realm {
	const char *name;
	uint32_t offset; /**< within the two pages */
	uint8_t bits;
	bool own; /**< its fields are not those of the Non-secure register at that offset */
} realm[] = {
#define AS(name_)                                   \
	{                                           \
		"R_" #name_, SMMU_##name_, 0, false \
	}
#define OWN(name_, at)                      \
	{                                   \
		"R_" #name_, (at), 32, true \
	}
	OWN(IDR0, 0x0),
	OWN(IDR1, 0x4),
	OWN(IDR2, 0x8),
	OWN(IDR3, 0xc),
	OWN(IDR4, 0x10),
	AS(AIDR),
	AS(CR0),
	AS(CR0ACK),
	AS(CR1),
	AS(CR2),
	AS(S2PII),
	AS(GBPA),
	AS(AGBPA),
	AS(IRQ_CTRL),
	AS(IRQ_CTRLACK),
	AS(GERROR),
	AS(GERRORN),
	AS(GERROR_IRQ_CFG0),
	AS(GERROR_IRQ_CFG1),
	AS(GERROR_IRQ_CFG2),
	AS(STRTAB_BASE),
	AS(STRTAB_BASE_CFG),
	AS(CMDQ_BASE),
	AS(CMDQ_PROD),
	AS(CMDQ_CONS),
	AS(EVENTQ_BASE),
	AS(EVENTQ_PROD),
	AS(EVENTQ_CONS),
	AS(EVENTQ_IRQ_CFG0),
	AS(EVENTQ_IRQ_CFG1),
	AS(EVENTQ_IRQ_CFG2),
	AS(PRIQ_BASE),
	AS(PRIQ_PROD),
	AS(PRIQ_CONS),
	AS(PRIQ_IRQ_CFG0),
	AS(PRIQ_IRQ_CFG1),
	AS(PRIQ_IRQ_CFG2),
	AS(MPAMIDR),
	AS(GMPAM),
	AS(IDR6),
	AS(DPT_BASE),
	AS(DPT_BASE_CFG),
	AS(DPT_CFG_FAR),
	OWN(MECIDR, 0x220),
	OWN(GMECID, 0x228),
};

bool smmu_reg_realm_nth(size_t n, struct smmu_reg_desc *d)
{
	const struct smmu_reg_desc *plain;

	if (n >= SMMU_ARRAY_SIZE(realm))
		return false;
	*d = (struct smmu_reg_desc){realm[n].name, NULL, SMMU_REG_REALM + realm[n].offset, 0,
				    realm[n].bits ? realm[n].bits : 32};
	plain = realm[n].own ? NULL : smmu_reg_plain(realm[n].offset);
	if (plain) {
		d->fields = plain->fields;
		d->count = plain->count;
		d->bits = plain->bits;
	}
	return true;
}

bool smmu_reg_realm(uint32_t offset, struct smmu_reg_desc *d)
{
	for (size_t i = 0; i < SMMU_ARRAY_SIZE(realm); i++)
		if (SMMU_REG_REALM + realm[i].offset == offset)
			return smmu_reg_realm_nth(i, d);
	return false;
}

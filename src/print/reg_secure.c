/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers of the Secure interface (6.2.1): most have the fields of their Non-secure namesakes, 0x8000 below. */
#include "reg.h"

#include <smmuv3/hw/regs.h>

#define SECURE 0x8000u

static const char *const names_stall_model[] = {"stall+terminate", "terminate", "stall-forced",
						NULL};
static const char *const names_shcfg[] = {"NSH", "incoming", "OSH", "ISH"};
static const char *const names_nscfg[] = {"incoming", NULL, "secure", "non-secure"};
static const char *const names_privcfg[] = {"incoming", NULL, "unprivileged", "privileged"};
static const char *const names_instcfg[] = {"incoming", NULL, "data", "instruction"};

static const struct smmu_field s_idr0[] = {
	SMMU_FIELD(0, SMMU_BIT(13), "MSI", NUM),
	SMMU_FIELD_ENUM(0, SMMU_MASK(25, 24), "STALL_MODEL", ID, names_stall_model),
	SMMU_FIELD(0, SMMU_BIT(31), "ECMDQ", NUM),
};

static const struct smmu_field s_idr1[] = {
	SMMU_FIELD(0, SMMU_MASK(5, 0), "S_SIDSIZE", ID),
	SMMU_FIELD(0, SMMU_BIT(29), "SEL2", NUM),
	SMMU_FIELD(0, SMMU_BIT(31), "SECURE_IMPL", ID),
};

static const struct smmu_field s_idr2[] = {
	SMMU_FIELD(0, SMMU_MASK(9, 0), "BA_S_VATOS", ID),
};

static const struct smmu_field s_idr3[] = {
	SMMU_FIELD(0, SMMU_BIT(6), "SAMS", NUM),
};

static const struct smmu_field s_init[] = {
	SMMU_FIELD(0, SMMU_BIT(0), "INV_ALL", ID),
};

static const struct smmu_field s_cr0[] = {
	SMMU_FIELD(0, SMMU_BIT(0), "SMMUEN", ID),   SMMU_FIELD(0, SMMU_BIT(2), "EVENTQEN", ID),
	SMMU_FIELD(0, SMMU_BIT(3), "CMDQEN", ID),   SMMU_FIELD(0, SMMU_BIT(5), "NSSTALLD", NUM),
	SMMU_FIELD(0, SMMU_MASK(8, 6), "VMW", NUM), SMMU_FIELD(0, SMMU_BIT(9), "SIF", NUM),
};

static const struct smmu_field s_gbpa[] = {
	SMMU_FIELD(0, SMMU_GBPA_UPDATE, "Update", NUM),
	SMMU_FIELD(0, SMMU_GBPA_ABORT, "ABORT", ID),
	SMMU_FIELD_ENUM(0, SMMU_MASK(15, 14), "NSCFG", NUM, names_nscfg),
	SMMU_FIELD_ENUM(0, SMMU_GBPA_SHCFG, "SHCFG", ID, names_shcfg),
	SMMU_FIELD(0, SMMU_GBPA_MTCFG, "MTCFG", NUM),
	SMMU_FIELD(0, SMMU_GBPA_MEMATTR, "MemAttr", HEX),
	SMMU_FIELD(0, SMMU_GBPA_ALLOCCFG, "ALLOCCFG", HEX),
	SMMU_FIELD_ENUM(0, SMMU_GBPA_PRIVCFG, "PRIVCFG", NUM, names_privcfg),
	SMMU_FIELD_ENUM(0, SMMU_GBPA_INSTCFG, "INSTCFG", NUM, names_instcfg),
};

/** Fields of its own, or those of the Non-secure register at @p as. */
static const struct secure {
	const char *name;
	const struct smmu_field *fields;
	uint8_t count;
	uint16_t offset; /**< from SECURE */
	uint32_t as;
} secure[] = {
#define OWN(name_, table, at)                                       \
	{                                                           \
		"S_" #name_, table, SMMU_ARRAY_SIZE(table), (at), 0 \
	}
#define AS(name_)                                                                      \
	{                                                                              \
		"S_" #name_, NULL, 0, (uint16_t)(SMMU_##name_ & 0xffffu), SMMU_##name_ \
	}
	OWN(IDR0, s_idr0, 0x0),
	OWN(IDR1, s_idr1, 0x4),
	OWN(IDR2, s_idr2, 0x8),
	OWN(IDR3, s_idr3, 0xc),
	AS(IDR4),
	OWN(CR0, s_cr0, 0x20),
	OWN(CR0ACK, s_cr0, 0x24),
	AS(CR1),
	AS(CR2),
	AS(S2PII),
	OWN(INIT, s_init, 0x3c),
	OWN(GBPA, s_gbpa, 0x44),
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
	AS(GATOS_CTRL),
	AS(GATOS_SID),
	AS(GATOS_ADDR),
	AS(GATOS_PAR),
	AS(MPAMIDR),
	AS(GMPAM),
	AS(GBPMPAM),
	AS(VATOS_SEL),
	AS(IDR6),
};

bool smmu_reg_secure_nth(size_t n, struct smmu_reg_desc *d)
{
	const struct smmu_reg_desc *plain;

	if (n >= SMMU_ARRAY_SIZE(secure))
		return false;
	*d = (struct smmu_reg_desc){secure[n].name, secure[n].fields, SECURE + secure[n].offset,
				    secure[n].count, 32};
	plain = secure[n].fields ? NULL : smmu_reg_plain(secure[n].as);
	if (plain) {
		d->fields = plain->fields;
		d->count = plain->count;
		d->bits = plain->bits;
	}
	return true;
}

bool smmu_reg_secure(uint32_t offset, struct smmu_reg_desc *d)
{
	for (size_t i = 0; i < SMMU_ARRAY_SIZE(secure); i++)
		if (SECURE + secure[i].offset == offset)
			return smmu_reg_secure_nth(i, d);
	return false;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers: their names, their widths and the text of a value. */
#include "reg.h"

#include <smmuv3/hw/regs.h>

static const char *const names_ttf[] = {NULL, "AArch32", "AArch64", "AArch32+64"};
static const char *const names_httu[] = {"none", "AF", "AF+dirty", "AF+dirty+table"};
static const char *const names_ttendian[] = {"mixed", NULL, "little", "big"};
static const char *const names_stall_model[] = {"stall+terminate", "terminate", "stall-forced",
						NULL};
static const char *const names_st_level[] = {"linear", "2-level", NULL, NULL};
static const char *const names_bbml[] = {"level-0", "level-1", "level-2", NULL};
static const char *const names_vax[] = {"48-bit", "52-bit", "56-bit", NULL};
static const char *const names_cache[] = {"NC", "WB", "WT", NULL};
static const char *const names_cerror[] = {"none", "CERROR_ILL", "CERROR_ABT",
					   "CERROR_ATC_INV_SYNC"};
static const char *const names_fmt[] = {"linear", "2-level", NULL, NULL};
static const char *const names_shcfg[] = {"NSH", "incoming", "OSH", "ISH"};
static const char *const names_privcfg[] = {"incoming", NULL, "unprivileged", "privileged"};
static const char *const names_instcfg[] = {"incoming", NULL, "data", "instruction"};

#define NUM(mask, name) SMMU_FIELD(0, SMMU_##mask, name, NUM)
#define ID(mask, name) SMMU_FIELD(0, SMMU_##mask, name, ID)
#define ADDR(mask, name) SMMU_FIELD(0, SMMU_##mask, name, ADDR)
#define HEX(mask, name) SMMU_FIELD(0, SMMU_##mask, name, HEX)
#define ENUM(mask, name, list) SMMU_FIELD_ENUM(0, SMMU_##mask, name, ID, list)

static const struct smmu_field idr0[] = {
	NUM(IDR0_S1P, "S1P"),
	NUM(IDR0_S2P, "S2P"),
	ENUM(IDR0_TTF, "TTF", names_ttf),
	NUM(IDR0_COHACC, "COHACC"),
	NUM(IDR0_BTM, "BTM"),
	ENUM(IDR0_HTTU, "HTTU", names_httu),
	NUM(IDR0_DORMHINT, "DORMHINT"),
	NUM(IDR0_HYP, "Hyp"),
	NUM(IDR0_ATS, "ATS"),
	NUM(IDR0_NS1ATS, "NS1ATS"),
	NUM(IDR0_ASID16, "ASID16"),
	NUM(IDR0_MSI, "MSI"),
	NUM(IDR0_SEV, "SEV"),
	NUM(IDR0_ATOS, "ATOS"),
	NUM(IDR0_PRI, "PRI"),
	NUM(IDR0_VMW, "VMW"),
	NUM(IDR0_VMID16, "VMID16"),
	NUM(IDR0_CD2L, "CD2L"),
	NUM(IDR0_VATOS, "VATOS"),
	ENUM(IDR0_TTENDIAN, "TTENDIAN", names_ttendian),
	NUM(IDR0_ATSRECERR, "ATSRECERR"),
	ENUM(IDR0_STALL_MODEL, "STALL_MODEL", names_stall_model),
	NUM(IDR0_TERM_MODEL, "TERM_MODEL"),
	ENUM(IDR0_ST_LEVEL, "ST_LEVEL", names_st_level),
	NUM(IDR0_RME_IMPL, "RME_IMPL"),
};

static const struct smmu_field idr1[] = {
	ID(IDR1_SIDSIZE, "SIDSIZE"),
	ID(IDR1_SSIDSIZE, "SSIDSIZE"),
	ID(IDR1_CMDQS, "CMDQS"),
	ID(IDR1_EVENTQS, "EVENTQS"),
	ID(IDR1_PRIQS, "PRIQS"),
	NUM(IDR1_ATTR_PERMS_OVR, "ATTR_PERMS_OVR"),
	NUM(IDR1_ATTR_TYPES_OVR, "ATTR_TYPES_OVR"),
	NUM(IDR1_REL, "REL"),
	NUM(IDR1_QUEUES_PRESET, "QUEUES_PRESET"),
	NUM(IDR1_TABLES_PRESET, "TABLES_PRESET"),
	NUM(IDR1_ECMDQ, "ECMDQ"),
};

static const struct smmu_field idr2[] = {
	ID(IDR2_BA_VATOS, "BA_VATOS"),
};

static const struct smmu_field idr3[] = {
	NUM(IDR3_HAD, "HAD"),
	NUM(IDR3_PBHA, "PBHA"),
	NUM(IDR3_XNX, "XNX"),
	NUM(IDR3_PPS, "PPS"),
	NUM(IDR3_MPAM, "MPAM"),
	NUM(IDR3_FWB, "FWB"),
	NUM(IDR3_STT, "STT"),
	NUM(IDR3_RIL, "RIL"),
	ENUM(IDR3_BBML, "BBML", names_bbml),
	NUM(IDR3_E0PD, "E0PD"),
	NUM(IDR3_PTWNNC, "PTWNNC"),
	NUM(IDR3_DPT, "DPT"),
	NUM(IDR3_PASIDTT, "PASIDTT"),
	NUM(IDR3_EPAN, "EPAN"),
	NUM(IDR3_S1PI, "S1PI"),
	NUM(IDR3_S2PI, "S2PI"),
	NUM(IDR3_S2PO, "S2PO"),
	NUM(IDR3_THE, "THE"),
	NUM(IDR3_MTEPERM, "MTEPERM"),
	NUM(IDR3_AIE, "AIE"),
};

static const struct smmu_field idr5[] = {
	ENUM(IDR5_OAS, "OAS", smmu_names_size),
	NUM(IDR5_GRAN4K, "GRAN4K"),
	NUM(IDR5_GRAN16K, "GRAN16K"),
	NUM(IDR5_GRAN64K, "GRAN64K"),
	NUM(IDR5_DS, "DS"),
	NUM(IDR5_D128, "D128"),
	ENUM(IDR5_VAX, "VAX", names_vax),
	NUM(IDR5_STALL_MAX, "STALL_MAX"),
};

static const struct smmu_field idr6[] = {
	ID(IDR6_CMDQ_CONTROL_PAGE_LOG2NUMQ, "CMDQ_CONTROL_PAGE_LOG2NUMQ"),
	ID(IDR6_CMDQ_CONTROL_PAGE_LOG2NUMP, "CMDQ_CONTROL_PAGE_LOG2NUMP"),
};

static const struct smmu_field iidr[] = {
	HEX(IIDR_IMPLEMENTER, "Implementer"),
	HEX(IIDR_PRODUCTID, "ProductID"),
	ID(IIDR_VARIANT, "Variant"),
	ID(IIDR_REVISION, "Revision"),
};

static const struct smmu_field aidr[] = {
	ID(AIDR_ARCHMAJORREV, "ArchMajorRev"),
	ID(AIDR_ARCHMINORREV, "ArchMinorRev"),
};

static const struct smmu_field mpamidr[] = {
	ID(MPAMIDR_PARTID_MAX, "PARTID_MAX"),
	ID(MPAMIDR_PMG_MAX, "PMG_MAX"),
};

static const struct smmu_field cr0[] = {
	ID(CR0_SMMUEN, "SMMUEN"),
	ID(CR0_PRIQEN, "PRIQEN"),
	ID(CR0_EVENTQEN, "EVENTQEN"),
	ID(CR0_CMDQEN, "CMDQEN"),
	NUM(CR0_ATSCHK, "ATSCHK"),
	NUM(CR0_VMW, "VMW"),
	NUM(CR0_DPT_WALK_EN, "DPT_WALK_EN"),
};

static const struct smmu_field cr1[] = {
	ENUM(CR1_QUEUE_IC, "QUEUE_IC", names_cache),
	ENUM(CR1_QUEUE_OC, "QUEUE_OC", names_cache),
	ENUM(CR1_QUEUE_SH, "QUEUE_SH", smmu_names_sh),
	ENUM(CR1_TABLE_IC, "TABLE_IC", names_cache),
	ENUM(CR1_TABLE_OC, "TABLE_OC", names_cache),
	ENUM(CR1_TABLE_SH, "TABLE_SH", smmu_names_sh),
};

static const struct smmu_field cr2[] = {
	NUM(CR2_E2H, "E2H"),
	NUM(CR2_RECINVSID, "RECINVSID"),
	NUM(CR2_PTM, "PTM"),
	NUM(CR2_REC_CFG_ATS, "REC_CFG_ATS"),
};

static const struct smmu_field statusr[] = {
	NUM(STATUSR_DORMANT, "DORMANT"),
};

static const struct smmu_field gbpa[] = {
	NUM(GBPA_UPDATE, "Update"),
	ID(GBPA_ABORT, "ABORT"),
	ENUM(GBPA_SHCFG, "SHCFG", names_shcfg),
	NUM(GBPA_MTCFG, "MTCFG"),
	HEX(GBPA_MEMATTR, "MemAttr"),
	HEX(GBPA_ALLOCCFG, "ALLOCCFG"),
	ENUM(GBPA_PRIVCFG, "PRIVCFG", names_privcfg),
	ENUM(GBPA_INSTCFG, "INSTCFG", names_instcfg),
};

static const struct smmu_field irq_ctrl[] = {
	NUM(IRQ_CTRL_GERROR_IRQEN, "GERROR_IRQEN"),
	NUM(IRQ_CTRL_PRIQ_IRQEN, "PRIQ_IRQEN"),
	NUM(IRQ_CTRL_EVENTQ_IRQEN, "EVENTQ_IRQEN"),
};

static const struct smmu_field gerror[] = {
	NUM(GERROR_CMDQ_ERR, "CMDQ_ERR"),
	NUM(GERROR_EVENTQ_ABT_ERR, "EVENTQ_ABT_ERR"),
	NUM(GERROR_PRIQ_ABT_ERR, "PRIQ_ABT_ERR"),
	NUM(GERROR_MSI_CMDQ_ABT_ERR, "MSI_CMDQ_ABT_ERR"),
	NUM(GERROR_MSI_EVENTQ_ABT_ERR, "MSI_EVENTQ_ABT_ERR"),
	NUM(GERROR_MSI_PRIQ_ABT_ERR, "MSI_PRIQ_ABT_ERR"),
	NUM(GERROR_MSI_GERROR_ABT_ERR, "MSI_GERROR_ABT_ERR"),
	NUM(GERROR_SFM_ERR, "SFM_ERR"),
	NUM(GERROR_CMDQP_ERR, "CMDQP_ERR"),
	NUM(GERROR_DPT_ERR, "DPT_ERR"),
};

static const struct smmu_field irq_cfg0[] = {
	ADDR(IRQ_CFG0_ADDR, "ADDR"),
};

static const struct smmu_field irq_cfg1[] = {
	HEX(IRQ_CFG1_DATA, "DATA"),
};

static const struct smmu_field irq_cfg2[] = {
	HEX(IRQ_CFG2_MEMATTR, "MEMATTR"),
	ENUM(IRQ_CFG2_SH, "SH", smmu_names_sh),
};

static const struct smmu_field priq_irq_cfg2[] = {
	HEX(IRQ_CFG2_MEMATTR, "MEMATTR"),
	ENUM(IRQ_CFG2_SH, "SH", smmu_names_sh),
	NUM(PRIQ_IRQ_CFG2_LO, "LO"),
};

static const struct smmu_field strtab_base[] = {
	ADDR(STRTAB_BASE_ADDR, "ADDR"),
	NUM(STRTAB_BASE_RA, "RA"),
};

static const struct smmu_field strtab_base_cfg[] = {
	ENUM(STRTAB_BASE_CFG_FMT, "FMT", names_fmt),
	ID(STRTAB_BASE_CFG_LOG2SIZE, "LOG2SIZE"),
	ID(STRTAB_BASE_CFG_SPLIT, "SPLIT"),
};

static const struct smmu_field cmdq_base[] = {
	ADDR(QUEUE_BASE_ADDR, "ADDR"),
	ID(QUEUE_BASE_LOG2SIZE, "LOG2SIZE"),
	NUM(QUEUE_BASE_RWA, "RA"),
};

static const struct smmu_field outq_base[] = {
	ADDR(QUEUE_BASE_ADDR, "ADDR"),
	ID(QUEUE_BASE_LOG2SIZE, "LOG2SIZE"),
	NUM(QUEUE_BASE_RWA, "WA"),
};

static const struct smmu_field cmdq_prod[] = {
	ID(QUEUE_INDEX, "WR"),
};

static const struct smmu_field cmdq_cons[] = {
	ID(CMDQ_CONS_RD, "RD"),
	ENUM(CMDQ_CONS_ERR, "ERR", names_cerror),
};

static const struct smmu_field outq_prod[] = {
	ID(QUEUE_INDEX, "WR"),
	NUM(QUEUE_OVERFLOW, "OVFLG"),
};

static const struct smmu_field outq_cons[] = {
	ID(QUEUE_INDEX, "RD"),
	NUM(QUEUE_OVERFLOW, "OVACKFLG"),
};

static const struct smmu_field gatos_ctrl[] = {
	NUM(GATOS_CTRL_RUN, "RUN"),
};

#define REG(name, width, table)                                          \
	{                                                                \
#name, table, SMMU_##name, SMMU_ARRAY_SIZE(table), width \
	}
#define REG_RAW(name, width)                       \
	{                                          \
#name, NULL, SMMU_##name, 0, width \
	}

static const struct smmu_reg_desc regs[] = {
	REG(IDR0, 32, idr0),
	REG(IDR1, 32, idr1),
	REG(IDR2, 32, idr2),
	REG(IDR3, 32, idr3),
	REG_RAW(IDR4, 32),
	REG(IDR5, 32, idr5),
	REG(IIDR, 32, iidr),
	REG(AIDR, 32, aidr),
	REG(CR0, 32, cr0),
	REG(CR0ACK, 32, cr0),
	REG(CR1, 32, cr1),
	REG(CR2, 32, cr2),
	REG_RAW(S2PII, 64),
	REG(STATUSR, 32, statusr),
	REG(GBPA, 32, gbpa),
	REG_RAW(AGBPA, 32),
	REG(IRQ_CTRL, 32, irq_ctrl),
	REG(IRQ_CTRLACK, 32, irq_ctrl),
	REG(GERROR, 32, gerror),
	REG(GERRORN, 32, gerror),
	REG(GERROR_IRQ_CFG0, 64, irq_cfg0),
	REG(GERROR_IRQ_CFG1, 32, irq_cfg1),
	REG(GERROR_IRQ_CFG2, 32, irq_cfg2),
	REG(STRTAB_BASE, 64, strtab_base),
	REG(STRTAB_BASE_CFG, 32, strtab_base_cfg),
	REG(CMDQ_BASE, 64, cmdq_base),
	REG(CMDQ_PROD, 32, cmdq_prod),
	REG(CMDQ_CONS, 32, cmdq_cons),
	REG(EVENTQ_BASE, 64, outq_base),
	REG(EVENTQ_PROD, 32, outq_prod),
	REG(EVENTQ_CONS, 32, outq_cons),
	REG(EVENTQ_IRQ_CFG0, 64, irq_cfg0),
	REG(EVENTQ_IRQ_CFG1, 32, irq_cfg1),
	REG(EVENTQ_IRQ_CFG2, 32, irq_cfg2),
	REG(PRIQ_BASE, 64, outq_base),
	REG(PRIQ_PROD, 32, outq_prod),
	REG(PRIQ_CONS, 32, outq_cons),
	REG(PRIQ_IRQ_CFG0, 64, irq_cfg0),
	REG(PRIQ_IRQ_CFG1, 32, irq_cfg1),
	REG(PRIQ_IRQ_CFG2, 32, priq_irq_cfg2),
	REG(GATOS_CTRL, 32, gatos_ctrl),
	REG_RAW(GATOS_SID, 64),
	REG_RAW(GATOS_ADDR, 64),
	REG_RAW(GATOS_PAR, 64),
	REG(MPAMIDR, 32, mpamidr),
	REG_RAW(GMPAM, 32),
	REG_RAW(GBPMPAM, 32),
	REG_RAW(VATOS_SEL, 32),
	REG(IDR6, 32, idr6),
	REG_RAW(DPT_BASE, 64),
	REG_RAW(DPT_BASE_CFG, 32),
	REG_RAW(DPT_CFG_FAR, 64),
};

const struct smmu_reg_desc *smmu_reg_plain(uint32_t offset)
{
	for (size_t i = 0; i < SMMU_ARRAY_SIZE(regs); i++)
		if (regs[i].offset == offset)
			return &regs[i];
	return NULL;
}

const struct smmu_reg_desc *smmu_reg_nth(size_t n)
{
	return n < SMMU_ARRAY_SIZE(regs) ? &regs[n] : NULL;
}

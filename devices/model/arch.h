/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file arch.h
 * Registers, commands, structures and events of SMMUv3, as the model reads them out of IHI 0070.
 *
 * The driver has headers of its own for the same formats. They are not used here on purpose: a field that one
 * side has wrong shows as a disagreement of the two.
 */
#ifndef SMMU_MODEL_ARCH_H
#define SMMU_MODEL_ARCH_H

#include <stdint.h>

/** Bits hi..lo of a 64-bit word, moved down. */
static inline uint64_t bits(uint64_t word, unsigned hi, unsigned lo)
{
	return (word >> lo) & (~0ULL >> (63 - (hi - lo)));
}

#define BIT(n) (1ULL << (n))

/* Registers, by offset. */
enum {
	R_IDR0 = 0x0,
	R_IDR1 = 0x4,
	R_IDR2 = 0x8,
	R_IDR3 = 0xc,
	R_IDR4 = 0x10,
	R_IDR5 = 0x14,
	R_IIDR = 0x18,
	R_AIDR = 0x1c,
	R_CR0 = 0x20,
	R_CR0ACK = 0x24,
	R_CR1 = 0x28,
	R_CR2 = 0x2c,
	R_STATUSR = 0x40,
	R_GBPA = 0x44,
	R_IRQ_CTRL = 0x50,
	R_IRQ_CTRLACK = 0x54,
	R_GERROR = 0x60,
	R_GERRORN = 0x64,
	R_GERROR_IRQ_CFG0 = 0x68,
	R_GERROR_IRQ_CFG1 = 0x70,
	R_GERROR_IRQ_CFG2 = 0x74,
	R_STRTAB_BASE = 0x80,
	R_STRTAB_BASE_CFG = 0x88,
	R_CMDQ_BASE = 0x90,
	R_CMDQ_PROD = 0x98,
	R_CMDQ_CONS = 0x9c,
	R_EVENTQ_BASE = 0xa0,
	R_EVENTQ_IRQ_CFG0 = 0xb0,
	R_EVENTQ_IRQ_CFG1 = 0xb8,
	R_EVENTQ_IRQ_CFG2 = 0xbc,
	R_PRIQ_BASE = 0xc0,
	R_PRIQ_IRQ_CFG0 = 0xd0,
	R_PRIQ_IRQ_CFG1 = 0xd8,
	R_PRIQ_IRQ_CFG2 = 0xdc,
	/* register page 1 */
	R_EVENTQ_PROD = 0x100a8,
	R_EVENTQ_CONS = 0x100ac,
	R_PRIQ_PROD = 0x100c8,
	R_PRIQ_CONS = 0x100cc,
	R_NONE = 0xf0, /* reserved: reads as 0 */
};

/* CR0, CR0ACK */
#define CR0_SMMUEN 0x01U
#define CR0_PRIQEN 0x02U
#define CR0_EVENTQEN 0x04U
#define CR0_CMDQEN 0x08U
#define CR0_ATSCHK 0x10U
#define CR1_TABLE 0xfc0U
#define CR1_QUEUE 0x03fU
#define CR2_E2H BIT(0)
#define CR2_RECINVSID BIT(1)
#define CR2_PTM BIT(2)
#define CR2_REC_CFG_ATS BIT(3)
#define GBPA_ABORT BIT(20)
#define GBPA_UPDATE BIT(31)
#define GBPA_ALL 0x1f3f1fU
#define IRQ_GERROR 0x1U
#define IRQ_PRIQ 0x2U
#define IRQ_EVENTQ 0x4U
#define GERROR_CMDQ_ERR BIT(0)
#define GERROR_EVENTQ_ABT BIT(2)
#define GERROR_PRIQ_ABT BIT(3)
#define GERROR_MSI_CMDQ_ABT BIT(4)
#define GERROR_MSI_EVENTQ_ABT BIT(5)
#define GERROR_MSI_PRIQ_ABT BIT(6)
#define GERROR_MSI_GERROR_ABT BIT(7)
#define GERROR_SFM BIT(8)
#define GERROR_ALL 0x3fdU
#define QUEUE_OVERFLOW BIT(31) /* OVFLG in PROD, OVACKFLG in CONS of an output queue */

/* CMDQ_CONS.ERR */
enum { CERROR_NONE, CERROR_ILL, CERROR_ABT, CERROR_ATC_INV_SYNC };

/* Command opcodes. */
enum {
	C_PREFETCH_CONFIG = 0x01,
	C_PREFETCH_ADDR = 0x02,
	C_CFGI_STE = 0x03,
	C_CFGI_STE_RANGE = 0x04, /* CFGI_ALL when Range is 31 */
	C_CFGI_CD = 0x05,
	C_CFGI_CD_ALL = 0x06,
	C_CFGI_VMS_PIDM = 0x07,
	C_TLBI_NH_ALL = 0x10,
	C_TLBI_NH_ASID = 0x11,
	C_TLBI_NH_VA = 0x12,
	C_TLBI_NH_VAA = 0x13,
	C_TLBI_EL2_ALL = 0x20,
	C_TLBI_EL2_ASID = 0x21,
	C_TLBI_EL2_VA = 0x22,
	C_TLBI_EL2_VAA = 0x23,
	C_TLBI_S12_VMALL = 0x28,
	C_TLBI_S2_IPA = 0x2a,
	C_TLBI_NSNH_ALL = 0x30,
	C_ATC_INV = 0x40,
	C_PRI_RESP = 0x41,
	C_RESUME = 0x44,
	C_STALL_TERM = 0x45,
	C_SYNC = 0x46,
};

enum { SYNC_CS_NONE, SYNC_CS_IRQ, SYNC_CS_SEV };

/* Events. */
enum {
	F_UUT = 0x01,
	C_BAD_STREAMID = 0x02,
	F_STE_FETCH = 0x03,
	C_BAD_STE = 0x04,
	F_BAD_ATS_TREQ = 0x05,
	F_STREAM_DISABLED = 0x06,
	F_TRANSL_FORBIDDEN = 0x07,
	C_BAD_SUBSTREAMID = 0x08,
	F_CD_FETCH = 0x09,
	C_BAD_CD = 0x0a,
	F_WALK_EABT = 0x0b,
	F_TRANSLATION = 0x10,
	F_ADDR_SIZE = 0x11,
	F_ACCESS = 0x12,
	F_PERMISSION = 0x13,
	F_TLB_CONFLICT = 0x20,
	EVENT_IMPDEF = 0xe0, /* first of the implementation defined ones */
};

/* CLASS of an event: what was being done. */
enum { CLASS_CD, CLASS_TT, CLASS_IN };

/* STE.Config */
enum { STE_ABORT = 0, STE_BYPASS = 4, STE_S1 = 5, STE_S2 = 6, STE_NESTED = 7 };
/* STE.S1DSS */
enum { S1DSS_TERMINATE, S1DSS_BYPASS, S1DSS_SSID0 };
/* STE.INSTCFG */
enum { INSTCFG_DATA = 2, INSTCFG_INST = 3 };
/* STE.EATS */
enum { EATS_OFF, EATS_FULL, EATS_SPLIT };
/* STE.STRW */
enum { STRW_EL1, STRW_EL3 = 1, STRW_EL2 = 2 };

#define ADDR_51_12 0x000ffffffffff000ULL
#define ADDR_55_6 0x00ffffffffffffc0ULL
#define ADDR_55_12 0x00fffffffffff000ULL
#define ADDR_51_6 0x000fffffffffffc0ULL
#define ADDR_51_5 0x000fffffffffffe0ULL
#define ADDR_51_4 0x000ffffffffffff0ULL
#define ADDR_51_2 0x000ffffffffffffcULL

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file hw/regs.h
 * The registers of the Non-secure programming interface (IHI 0070 G.b, 6.3).
 *
 * `SMMU_IDR0` is a byte offset from the base of page 0, `SMMU_IDR0_S2P` the mask of a field (for
 * smmu_field_get and smmu_field_prep), `SMMU_IDR0_TTF_AARCH64` a value of the field `TTF`.
 * Registers are 32 bits wide unless their comment says 64.
 */
#ifndef SMMUV3_HW_REGS_H
#define SMMUV3_HW_REGS_H

#include <smmuv3/types.h>

SMMU_BEGIN_DECLS

/** Pages 0 and 1, 64 KiB each: what has to be mapped. */
#define SMMU_REGS_SIZE 0x20000u
#define SMMU_REGS_PAGE1 0x10000u

/* ---- What is implemented (6.3.1–6.3.8) ---- */

#define SMMU_IDR0 0x0000u
#define SMMU_IDR0_S2P SMMU_BIT(0)
#define SMMU_IDR0_S1P SMMU_BIT(1)
#define SMMU_IDR0_TTF SMMU_MASK(3, 2)
#define SMMU_IDR0_COHACC SMMU_BIT(4)
#define SMMU_IDR0_BTM SMMU_BIT(5)
#define SMMU_IDR0_HTTU SMMU_MASK(7, 6)
#define SMMU_IDR0_DORMHINT SMMU_BIT(8)
#define SMMU_IDR0_HYP SMMU_BIT(9)
#define SMMU_IDR0_ATS SMMU_BIT(10)
#define SMMU_IDR0_NS1ATS SMMU_BIT(11)
#define SMMU_IDR0_ASID16 SMMU_BIT(12)
#define SMMU_IDR0_MSI SMMU_BIT(13)
#define SMMU_IDR0_SEV SMMU_BIT(14)
#define SMMU_IDR0_ATOS SMMU_BIT(15)
#define SMMU_IDR0_PRI SMMU_BIT(16)
#define SMMU_IDR0_VMW SMMU_BIT(17)
#define SMMU_IDR0_VMID16 SMMU_BIT(18)
#define SMMU_IDR0_CD2L SMMU_BIT(19)
#define SMMU_IDR0_VATOS SMMU_BIT(20)
#define SMMU_IDR0_TTENDIAN SMMU_MASK(22, 21)
#define SMMU_IDR0_ATSRECERR SMMU_BIT(23)
#define SMMU_IDR0_STALL_MODEL SMMU_MASK(25, 24)
#define SMMU_IDR0_TERM_MODEL SMMU_BIT(26)
#define SMMU_IDR0_ST_LEVEL SMMU_MASK(28, 27)
#define SMMU_IDR0_RME_IMPL SMMU_BIT(30)

#define SMMU_IDR0_TTF_AARCH32 1u
#define SMMU_IDR0_TTF_AARCH64 2u
#define SMMU_IDR0_TTF_AARCH32_64 3u
#define SMMU_IDR0_HTTU_NONE 0u
#define SMMU_IDR0_HTTU_ACCESS 1u
#define SMMU_IDR0_HTTU_ACCESS_DIRTY 2u
#define SMMU_IDR0_HTTU_ACCESS_DIRTY_TABLE 3u
#define SMMU_IDR0_TTENDIAN_MIXED 0u
#define SMMU_IDR0_TTENDIAN_LITTLE 2u
#define SMMU_IDR0_TTENDIAN_BIG 3u
#define SMMU_IDR0_STALL_MODEL_BOTH 0u  /**< stall and terminate */
#define SMMU_IDR0_STALL_MODEL_TERM 1u  /**< no stall */
#define SMMU_IDR0_STALL_MODEL_FORCE 2u /**< stall is forced */
#define SMMU_IDR0_ST_LEVEL_LINEAR 0u
#define SMMU_IDR0_ST_LEVEL_2LVL 1u

#define SMMU_IDR1 0x0004u
#define SMMU_IDR1_SIDSIZE SMMU_MASK(5, 0)
#define SMMU_IDR1_SSIDSIZE SMMU_MASK(10, 6)
#define SMMU_IDR1_PRIQS SMMU_MASK(15, 11)
#define SMMU_IDR1_EVENTQS SMMU_MASK(20, 16)
#define SMMU_IDR1_CMDQS SMMU_MASK(25, 21)
#define SMMU_IDR1_ATTR_PERMS_OVR SMMU_BIT(26)
#define SMMU_IDR1_ATTR_TYPES_OVR SMMU_BIT(27)
#define SMMU_IDR1_REL SMMU_BIT(28)
#define SMMU_IDR1_QUEUES_PRESET SMMU_BIT(29)
#define SMMU_IDR1_TABLES_PRESET SMMU_BIT(30)
#define SMMU_IDR1_ECMDQ SMMU_BIT(31)

#define SMMU_IDR2 0x0008u
#define SMMU_IDR2_BA_VATOS SMMU_MASK(9, 0)

#define SMMU_IDR3 0x000cu
#define SMMU_IDR3_HAD SMMU_BIT(2)
#define SMMU_IDR3_PBHA SMMU_BIT(3)
#define SMMU_IDR3_XNX SMMU_BIT(4)
#define SMMU_IDR3_PPS SMMU_BIT(5)
#define SMMU_IDR3_MPAM SMMU_BIT(7)
#define SMMU_IDR3_FWB SMMU_BIT(8)
#define SMMU_IDR3_STT SMMU_BIT(9)
#define SMMU_IDR3_RIL SMMU_BIT(10)
#define SMMU_IDR3_BBML SMMU_MASK(12, 11)
#define SMMU_IDR3_E0PD SMMU_BIT(13)
#define SMMU_IDR3_PTWNNC SMMU_BIT(14)
#define SMMU_IDR3_DPT SMMU_BIT(15)
#define SMMU_IDR3_PASIDTT SMMU_BIT(16)
#define SMMU_IDR3_EPAN SMMU_BIT(17)
#define SMMU_IDR3_S1PI SMMU_BIT(18)
#define SMMU_IDR3_S2PI SMMU_BIT(19)
#define SMMU_IDR3_S2PO SMMU_BIT(20)
#define SMMU_IDR3_THE SMMU_BIT(21)
#define SMMU_IDR3_MTEPERM SMMU_BIT(22)
#define SMMU_IDR3_AIE SMMU_BIT(23)

#define SMMU_IDR4 0x0010u /**< IMPLEMENTATION DEFINED */

#define SMMU_IDR5 0x0014u
#define SMMU_IDR5_OAS SMMU_MASK(2, 0)
#define SMMU_IDR5_GRAN4K SMMU_BIT(4)
#define SMMU_IDR5_GRAN16K SMMU_BIT(5)
#define SMMU_IDR5_GRAN64K SMMU_BIT(6)
#define SMMU_IDR5_DS SMMU_BIT(7)
#define SMMU_IDR5_D128 SMMU_BIT(8)
#define SMMU_IDR5_VAX SMMU_MASK(11, 10)
#define SMMU_IDR5_STALL_MAX SMMU_MASK(31, 16)

#define SMMU_IDR5_OAS_32 0u
#define SMMU_IDR5_OAS_36 1u
#define SMMU_IDR5_OAS_40 2u
#define SMMU_IDR5_OAS_42 3u
#define SMMU_IDR5_OAS_44 4u
#define SMMU_IDR5_OAS_48 5u
#define SMMU_IDR5_OAS_52 6u
#define SMMU_IDR5_OAS_56 7u
#define SMMU_IDR5_VAX_48 0u
#define SMMU_IDR5_VAX_52 1u
#define SMMU_IDR5_VAX_56 2u

#define SMMU_IIDR 0x0018u
#define SMMU_IIDR_IMPLEMENTER SMMU_MASK(11, 0)
#define SMMU_IIDR_REVISION SMMU_MASK(15, 12)
#define SMMU_IIDR_VARIANT SMMU_MASK(19, 16)
#define SMMU_IIDR_PRODUCTID SMMU_MASK(31, 20)

#define SMMU_AIDR 0x001cu
#define SMMU_AIDR_ARCHMINORREV SMMU_MASK(3, 0)
#define SMMU_AIDR_ARCHMAJORREV SMMU_MASK(7, 4)

#define SMMU_IDR6 0x0190u
#define SMMU_IDR6_CMDQ_CONTROL_PAGE_LOG2NUMQ SMMU_MASK(19, 16)
#define SMMU_IDR6_CMDQ_CONTROL_PAGE_LOG2NUMP SMMU_MASK(27, 24)

#define SMMU_MPAMIDR 0x0130u
#define SMMU_MPAMIDR_PARTID_MAX SMMU_MASK(15, 0)
#define SMMU_MPAMIDR_PMG_MAX SMMU_MASK(23, 16)

/* ---- Control ---- */

/** A write to CR0 has happened when CR0ACK shows the same value in the written fields. */
#define SMMU_CR0 0x0020u
#define SMMU_CR0_SMMUEN SMMU_BIT(0)
#define SMMU_CR0_PRIQEN SMMU_BIT(1)
#define SMMU_CR0_EVENTQEN SMMU_BIT(2)
#define SMMU_CR0_CMDQEN SMMU_BIT(3)
#define SMMU_CR0_ATSCHK SMMU_BIT(4)
#define SMMU_CR0_VMW SMMU_MASK(8, 6)
#define SMMU_CR0_DPT_WALK_EN SMMU_BIT(10)

#define SMMU_CR0ACK 0x0024u /**< fields of CR0 */

#define SMMU_CR1 0x0028u
#define SMMU_CR1_QUEUE_IC SMMU_MASK(1, 0)
#define SMMU_CR1_QUEUE_OC SMMU_MASK(3, 2)
#define SMMU_CR1_QUEUE_SH SMMU_MASK(5, 4)
#define SMMU_CR1_TABLE_IC SMMU_MASK(7, 6)
#define SMMU_CR1_TABLE_OC SMMU_MASK(9, 8)
#define SMMU_CR1_TABLE_SH SMMU_MASK(11, 10)

/** Values of CR1.*_IC and CR1.*_OC. They are not those of a TCR. */
#define SMMU_CR1_CACHE_NC 0u
#define SMMU_CR1_CACHE_WB 1u
#define SMMU_CR1_CACHE_WT 2u

/** Shareability, wherever a field of two bits holds one. */
#define SMMU_SH_NSH 0u
#define SMMU_SH_OSH 2u
#define SMMU_SH_ISH 3u

#define SMMU_CR2 0x002cu
#define SMMU_CR2_E2H SMMU_BIT(0)
#define SMMU_CR2_RECINVSID SMMU_BIT(1)
#define SMMU_CR2_PTM SMMU_BIT(2)
#define SMMU_CR2_REC_CFG_ATS SMMU_BIT(3)

#define SMMU_S2PII 0x0030u /**< 64 bits */

#define SMMU_STATUSR 0x0040u
#define SMMU_STATUSR_DORMANT SMMU_BIT(0)

#define SMMU_GBPA 0x0044u
#define SMMU_GBPA_MEMATTR SMMU_MASK(3, 0)
#define SMMU_GBPA_MTCFG SMMU_BIT(4)
#define SMMU_GBPA_ALLOCCFG SMMU_MASK(11, 8)
#define SMMU_GBPA_SHCFG SMMU_MASK(13, 12)
#define SMMU_GBPA_PRIVCFG SMMU_MASK(17, 16)
#define SMMU_GBPA_INSTCFG SMMU_MASK(19, 18)
#define SMMU_GBPA_ABORT SMMU_BIT(20)
#define SMMU_GBPA_UPDATE SMMU_BIT(31)

#define SMMU_AGBPA 0x0048u /**< IMPLEMENTATION DEFINED */

#define SMMU_IRQ_CTRL 0x0050u
#define SMMU_IRQ_CTRL_GERROR_IRQEN SMMU_BIT(0)
#define SMMU_IRQ_CTRL_PRIQ_IRQEN SMMU_BIT(1)
#define SMMU_IRQ_CTRL_EVENTQ_IRQEN SMMU_BIT(2)

#define SMMU_IRQ_CTRLACK 0x0054u /**< fields of IRQ_CTRL */

/** An error is active while its bit differs between GERROR and GERRORN. */
#define SMMU_GERROR 0x0060u
#define SMMU_GERROR_CMDQ_ERR SMMU_BIT(0)
#define SMMU_GERROR_EVENTQ_ABT_ERR SMMU_BIT(2)
#define SMMU_GERROR_PRIQ_ABT_ERR SMMU_BIT(3)
#define SMMU_GERROR_MSI_CMDQ_ABT_ERR SMMU_BIT(4)
#define SMMU_GERROR_MSI_EVENTQ_ABT_ERR SMMU_BIT(5)
#define SMMU_GERROR_MSI_PRIQ_ABT_ERR SMMU_BIT(6)
#define SMMU_GERROR_MSI_GERROR_ABT_ERR SMMU_BIT(7)
#define SMMU_GERROR_SFM_ERR SMMU_BIT(8)
#define SMMU_GERROR_CMDQP_ERR SMMU_BIT(9)
#define SMMU_GERROR_DPT_ERR SMMU_BIT(10)

#define SMMU_GERRORN 0x0064u /**< fields of GERROR */

/* ---- Message-signalled interrupts: three registers of each source, with the same fields ---- */

#define SMMU_GERROR_IRQ_CFG0 0x0068u /**< 64 bits */
#define SMMU_GERROR_IRQ_CFG1 0x0070u
#define SMMU_GERROR_IRQ_CFG2 0x0074u
#define SMMU_EVENTQ_IRQ_CFG0 0x00b0u /**< 64 bits */
#define SMMU_EVENTQ_IRQ_CFG1 0x00b8u
#define SMMU_EVENTQ_IRQ_CFG2 0x00bcu
#define SMMU_PRIQ_IRQ_CFG0 0x00d0u /**< 64 bits */
#define SMMU_PRIQ_IRQ_CFG1 0x00d8u
#define SMMU_PRIQ_IRQ_CFG2 0x00dcu

#define SMMU_IRQ_CFG0_ADDR SMMU_MASK(55, 2)
#define SMMU_IRQ_CFG1_DATA SMMU_MASK(31, 0)
#define SMMU_IRQ_CFG2_MEMATTR SMMU_MASK(3, 0)
#define SMMU_IRQ_CFG2_SH SMMU_MASK(5, 4)
#define SMMU_PRIQ_IRQ_CFG2_LO SMMU_BIT(31) /**< interrupt only for the last request of a group */

/** Values of MEMATTR, here and in CMD_SYNC.MSIATTR. */
#define SMMU_MEMATTR_DEVICE_NGNRNE 0x0u
#define SMMU_MEMATTR_DEVICE_NGNRE 0x1u
#define SMMU_MEMATTR_NORMAL_NC 0x5u
#define SMMU_MEMATTR_NORMAL_WB 0xfu

/* ---- Stream table and queues ---- */

#define SMMU_STRTAB_BASE 0x0080u /**< 64 bits */
#define SMMU_STRTAB_BASE_ADDR SMMU_MASK(55, 6)
#define SMMU_STRTAB_BASE_RA SMMU_BIT(62)

#define SMMU_STRTAB_BASE_CFG 0x0088u
#define SMMU_STRTAB_BASE_CFG_LOG2SIZE SMMU_MASK(5, 0)
#define SMMU_STRTAB_BASE_CFG_SPLIT SMMU_MASK(10, 6)
#define SMMU_STRTAB_BASE_CFG_FMT SMMU_MASK(17, 16)
#define SMMU_STRTAB_BASE_CFG_FMT_LINEAR 0u
#define SMMU_STRTAB_BASE_CFG_FMT_2LVL 1u

/**
 * Fields of CMDQ_BASE, EVENTQ_BASE and PRIQ_BASE; bit 62 is RA in the first and WA in the others.
 */
#define SMMU_QUEUE_BASE_LOG2SIZE SMMU_MASK(4, 0)
#define SMMU_QUEUE_BASE_ADDR SMMU_MASK(55, 5)
#define SMMU_QUEUE_BASE_RWA SMMU_BIT(62)
/** Fields of every PROD and CONS: the index and, one bit above its LOG2SIZE bits, the wrap flag. */
#define SMMU_QUEUE_INDEX SMMU_MASK(19, 0)
/** EVENTQ and PRIQ: PROD.OVFLG and CONS.OVACKFLG; the queue has overflowed while they differ. */
#define SMMU_QUEUE_OVERFLOW SMMU_BIT(31)
/** No queue has more than 2^19 entries. */
#define SMMU_QUEUE_LOG2SIZE_MAX 19u

#define SMMU_CMDQ_BASE 0x0090u /**< 64 bits */
#define SMMU_CMDQ_PROD 0x0098u
#define SMMU_CMDQ_CONS 0x009cu
#define SMMU_CMDQ_CONS_RD SMMU_MASK(19, 0)
#define SMMU_CMDQ_CONS_ERR SMMU_MASK(30, 24)
/** Values of CMDQ_CONS.ERR, valid while GERROR.CMDQ_ERR is active (7.1 Command queue errors). */
#define SMMU_CERROR_NONE 0u
#define SMMU_CERROR_ILL 1u          /**< the command at RD is not valid */
#define SMMU_CERROR_ABT 2u          /**< reading the command at RD was aborted */
#define SMMU_CERROR_ATC_INV_SYNC 3u /**< the CMD_SYNC at RD: an ATC did not answer */

#define SMMU_EVENTQ_BASE 0x00a0u /**< 64 bits */
#define SMMU_EVENTQ_PROD (SMMU_REGS_PAGE1 + 0x00a8u)
#define SMMU_EVENTQ_CONS (SMMU_REGS_PAGE1 + 0x00acu)

#define SMMU_PRIQ_BASE 0x00c0u /**< 64 bits */
#define SMMU_PRIQ_PROD (SMMU_REGS_PAGE1 + 0x00c8u)
#define SMMU_PRIQ_CONS (SMMU_REGS_PAGE1 + 0x00ccu)

/* ---- Enhanced command queues (IDR1.ECMDQ): control pages (3.5.6, 6.2.5) ---- */

#define SMMU_ECMDQ_PAGE_BASE(n) (0x4000u + 32u * (n)) /**< 64 bits, read-only */
#define SMMU_ECMDQ_PAGE_BASE_ADDR SMMU_MASK(55, 16)   /**< an offset from page 0 */
#define SMMU_ECMDQ_PAGE_BYTES 0x10000u                /**< its queues are spread evenly over it */
/** Offsets from the start of a queue's registers. */
#define SMMU_ECMDQ_BASE 0x0u /**< 64 bits, as CMDQ_BASE */
#define SMMU_ECMDQ_PROD 0x8u
#define SMMU_ECMDQ_CONS 0xcu
#define SMMU_ECMDQ_EN SMMU_BIT(31) /**< PROD.EN, acknowledged in CONS.ENACK */

/* ---- Not used by the driver; here so that a dump can name them ---- */

#define SMMU_GATOS_CTRL 0x0100u
#define SMMU_GATOS_CTRL_RUN SMMU_BIT(0)
#define SMMU_GATOS_SID 0x0108u  /**< 64 bits */
#define SMMU_GATOS_ADDR 0x0110u /**< 64 bits */
#define SMMU_GATOS_PAR 0x0118u  /**< 64 bits */
#define SMMU_GMPAM 0x0138u
#define SMMU_GBPMPAM 0x013cu
#define SMMU_VATOS_SEL 0x0180u
#define SMMU_DPT_BASE 0x0200u /**< 64 bits */
#define SMMU_DPT_BASE_CFG 0x0208u
#define SMMU_DPT_CFG_FAR 0x0210u /**< 64 bits */

SMMU_END_DECLS

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file hw/cmd.h
 * Commands: what the driver writes into a command queue (IHI 0070 G.b, chapter 4).
 *
 * A command is two little-endian 64-bit words; `SMMU_CMD_TLBI_W1_ADDR` is the mask of a field of
 * word 1. The encoders place their arguments and check nothing: an argument that does not fit its
 * field is cut off. All belong to the Non-secure command queue, so SSec is always 0. Arguments have
 * the names of chapter 4: a StreamID @p sid, a SubstreamID @p ssid that counts if @p ssv, an ASID,
 * a VMID; @p leaf is the field Leaf. All functions here are pure: any context.
 */
#ifndef SMMUV3_HW_CMD_H
#define SMMUV3_HW_CMD_H

#include <smmuv3/types.h>

SMMU_BEGIN_DECLS

struct smmu_cmd {
	uint64_t w[2];
};

#define SMMU_CMD_LOG2_BYTES 4u /**< an entry of the command queue has 16 bytes */

enum smmu_cmd_opcode {
	SMMU_CMD_PREFETCH_CONFIG = 0x01,
	SMMU_CMD_PREFETCH_ADDR = 0x02,
	SMMU_CMD_CFGI_STE = 0x03,
	SMMU_CMD_CFGI_STE_RANGE = 0x04, /**< CMD_CFGI_ALL is the range 31 */
	SMMU_CMD_CFGI_CD = 0x05,
	SMMU_CMD_CFGI_CD_ALL = 0x06,
	SMMU_CMD_CFGI_VMS_PIDM = 0x07,
	SMMU_CMD_TLBI_NH_ALL = 0x10,
	SMMU_CMD_TLBI_NH_ASID = 0x11,
	SMMU_CMD_TLBI_NH_VA = 0x12,
	SMMU_CMD_TLBI_NH_VAA = 0x13,
	SMMU_CMD_TLBI_EL2_ALL = 0x20,
	SMMU_CMD_TLBI_EL2_ASID = 0x21,
	SMMU_CMD_TLBI_EL2_VA = 0x22,
	SMMU_CMD_TLBI_EL2_VAA = 0x23,
	SMMU_CMD_TLBI_S12_VMALL = 0x28,
	SMMU_CMD_TLBI_S2_IPA = 0x2a,
	SMMU_CMD_TLBI_NSNH_ALL = 0x30,
	SMMU_CMD_ATC_INV = 0x40,
	SMMU_CMD_PRI_RESP = 0x41,
	SMMU_CMD_RESUME = 0x44,
	SMMU_CMD_STALL_TERM = 0x45,
	SMMU_CMD_SYNC = 0x46,
	SMMU_CMD_DPTI_ALL = 0x70,
	SMMU_CMD_DPTI_PA = 0x73, /**< has no encoder here */
};

#define SMMU_CMD_IMPDEF_FIRST 0x80u /**< IMPLEMENTATION DEFINED: 0x80–0x8f */
#define SMMU_CMD_IMPDEF_LAST 0x8fu

/* Fields that several commands share, at the same place in each (4.1.6 Common command fields). */
#define SMMU_CMD_W0_OP SMMU_MASK(7, 0)
#define SMMU_CMD_W0_SSEC SMMU_BIT(10)
#define SMMU_CMD_W0_SSV SMMU_BIT(11)
#define SMMU_CMD_W0_SSID SMMU_MASK(31, 12)
#define SMMU_CMD_W0_SID SMMU_MASK(63, 32)

#define SMMU_CMD_PREFETCH_W0_SSV SMMU_CMD_W0_SSV
#define SMMU_CMD_PREFETCH_W0_SSID SMMU_CMD_W0_SSID
#define SMMU_CMD_PREFETCH_W0_SID SMMU_CMD_W0_SID
#define SMMU_CMD_PREFETCH_W1_SIZE SMMU_MASK(4, 0)
#define SMMU_CMD_PREFETCH_W1_STRIDE SMMU_MASK(9, 5)
#define SMMU_CMD_PREFETCH_W1_ADDR SMMU_MASK(63, 12)

#define SMMU_CMD_CFGI_W0_SSEC SMMU_CMD_W0_SSEC
#define SMMU_CMD_CFGI_W0_SSID SMMU_CMD_W0_SSID
#define SMMU_CMD_CFGI_W0_SID SMMU_CMD_W0_SID
#define SMMU_CMD_CFGI_W0_VMID SMMU_MASK(47, 32) /**< CFGI_VMS_PIDM */
#define SMMU_CMD_CFGI_W1_LEAF SMMU_BIT(0)
#define SMMU_CMD_CFGI_W1_RANGE SMMU_MASK(4, 0)
#define SMMU_CMD_CFGI_W1_RANGE_ALL 31u /**< makes CFGI_STE_RANGE into CFGI_ALL */

#define SMMU_CMD_TLBI_W0_NUM SMMU_MASK(16, 12)
#define SMMU_CMD_TLBI_W0_SCALE SMMU_MASK(25, 20) /**< bit 25 only if IDR5.DS is 1 */
#define SMMU_CMD_TLBI_W0_VMID SMMU_MASK(47, 32)
#define SMMU_CMD_TLBI_W0_ASID SMMU_MASK(63, 48)
#define SMMU_CMD_TLBI_W1_LEAF SMMU_BIT(0)
#define SMMU_CMD_TLBI_W1_TTL128 SMMU_BIT(7)
#define SMMU_CMD_TLBI_W1_TTL SMMU_MASK(9, 8)
#define SMMU_CMD_TLBI_W1_TG SMMU_MASK(11, 10)
#define SMMU_CMD_TLBI_W1_ADDR SMMU_MASK(63, 12) /**< of an IPA only [55:12] */
#define SMMU_CMD_TLBI_W1_IPA SMMU_MASK(55, 12)

/**
 * Values of TLBI.TG: no granule (one address, no range), or the granule of the range and of the
 * level hint.
 */
#define SMMU_CMD_TLBI_TG_ANY 0u
#define SMMU_CMD_TLBI_TG_4K 1u
#define SMMU_CMD_TLBI_TG_16K 2u
#define SMMU_CMD_TLBI_TG_64K 3u

#define SMMU_CMD_ATC_INV_W0_G SMMU_BIT(9) /**< Global: only with SSV */
#define SMMU_CMD_ATC_INV_W0_SSV SMMU_CMD_W0_SSV
#define SMMU_CMD_ATC_INV_W0_SSID SMMU_CMD_W0_SSID
#define SMMU_CMD_ATC_INV_W0_SID SMMU_CMD_W0_SID
#define SMMU_CMD_ATC_INV_W1_SIZE \
	SMMU_MASK(5, 0) /**< the span is 4096 << SIZE bytes, aligned to itself */
#define SMMU_CMD_ATC_INV_W1_ADDR SMMU_MASK(63, 12)
#define SMMU_CMD_ATC_INV_SIZE_ALL 52u /**< 2^64 bytes: everything */

#define SMMU_CMD_PRI_RESP_W0_SSV SMMU_CMD_W0_SSV
#define SMMU_CMD_PRI_RESP_W0_SSID SMMU_CMD_W0_SSID
#define SMMU_CMD_PRI_RESP_W0_SID SMMU_CMD_W0_SID
#define SMMU_CMD_PRI_RESP_W1_PRGINDEX SMMU_MASK(8, 0)
#define SMMU_CMD_PRI_RESP_W1_RESP SMMU_MASK(13, 12)
#define SMMU_CMD_PRI_RESP_FAILURE 0u
#define SMMU_CMD_PRI_RESP_INVALID 1u
#define SMMU_CMD_PRI_RESP_SUCCESS 2u

#define SMMU_CMD_RESUME_W0_SSEC SMMU_CMD_W0_SSEC
#define SMMU_CMD_RESUME_W0_AC SMMU_BIT(12) /**< Action: 1 retry, 0 terminate */
#define SMMU_CMD_RESUME_W0_AB SMMU_BIT(13) /**< Abort: terminate with an abort rather than RAZ/WI */
#define SMMU_CMD_RESUME_W0_SID SMMU_CMD_W0_SID
#define SMMU_CMD_RESUME_W1_STAG SMMU_MASK(15, 0)

#define SMMU_CMD_SYNC_W0_CS SMMU_MASK(13, 12)
#define SMMU_CMD_SYNC_W0_MSH SMMU_MASK(23, 22)
#define SMMU_CMD_SYNC_W0_MSIATTR SMMU_MASK(27, 24)
#define SMMU_CMD_SYNC_W0_MSIDATA SMMU_MASK(63, 32)
#define SMMU_CMD_SYNC_W1_MSIADDR SMMU_MASK(55, 2)
/** Values of SYNC.CS: how completion is signalled, besides CMDQ_CONS.RD. */
#define SMMU_CMD_SYNC_CS_NONE 0u
#define SMMU_CMD_SYNC_CS_IRQ 1u /**< an MSI when MSIADDR is not 0, else the wired interrupt */
#define SMMU_CMD_SYNC_CS_SEV 2u

/** The opcode of @p cmd: enum smmu_cmd_opcode, or any other number up to 255. */
static inline unsigned smmu_cmd_opcode(const struct smmu_cmd *cmd)
{
	return (unsigned)(cmd->w[0] & SMMU_CMD_W0_OP);
}

/**
 * Would an SMMU take a command from its Non-secure queue, as far as the command alone tells? What
 * features the SMMU has is not looked at, and CMD_DPTI_PA is checked by its opcode alone.
 *
 * @return
 *   0
 *   -SMMU_EINVAL  the opcode is reserved or not Non-secure, a value is reserved or ILLEGAL, or a
 *                 bit is set in no field of the command
 *
 * Any context. IHI 0070 G.b, 4.1.3, 7.1.
 */
int smmu_cmd_check(const struct smmu_cmd *cmd);

/**
 * The mnemonic of @p opcode without its CMD_ prefix ("TLBI_NH_VA"), or NULL if it is none of enum
 * smmu_cmd_opcode.
 */
const char *smmu_cmd_name(unsigned opcode);

/**
 * True for the commands of EL3 and of the Secure queue, which no Non-secure queue takes (IHI 0070
 * G.b, 4.1.1).
 */
bool smmu_cmd_is_secure(unsigned opcode);

/** Word 0 of a command for a stream (or a VMID, which lies in the same place). */
static inline uint64_t smmu_cmd_w0(unsigned opcode, uint32_t sid)
{
	return opcode | (uint64_t)sid << 32;
}

/** Word 0 of a command for a substream. */
static inline uint64_t smmu_cmd_w0_ssid(unsigned opcode, uint32_t sid, bool ssv, uint32_t ssid)
{
	return smmu_cmd_w0(opcode, sid) |
	       (ssv ? SMMU_CMD_W0_SSV | smmu_field_prep(SMMU_CMD_W0_SSID, ssid) : 0);
}

/* ---- Prefetch (4.2) ---- */

/** CMD_PREFETCH_CONFIG (4.2.1): a hint to fetch STE and CD. */
static inline struct smmu_cmd smmu_cmd_prefetch_config(uint32_t sid, bool ssv, uint32_t ssid)
{
	return (struct smmu_cmd){{smmu_cmd_w0_ssid(SMMU_CMD_PREFETCH_CONFIG, sid, ssv, ssid), 0}};
}

/**
 * CMD_PREFETCH_ADDR (4.2.2): 2^@p size translations from @p addr on, 2^(12 + @p stride) bytes
 * apart.
 */
static inline struct smmu_cmd smmu_cmd_prefetch_addr(uint32_t sid, bool ssv, uint32_t ssid,
						     uint64_t addr, unsigned size, unsigned stride)
{
	return (struct smmu_cmd){{smmu_cmd_w0_ssid(SMMU_CMD_PREFETCH_ADDR, sid, ssv, ssid),
				  (addr & SMMU_CMD_PREFETCH_W1_ADDR) |
					  smmu_field_prep(SMMU_CMD_PREFETCH_W1_STRIDE, stride) |
					  smmu_field_prep(SMMU_CMD_PREFETCH_W1_SIZE, size)}};
}

/* ---- Configuration caches (4.3) ---- */

/**
 * CMD_CFGI_STE (4.3.1). @p leaf: the STE only; else also the level-1 descriptors that lead to it.
 */
static inline struct smmu_cmd smmu_cmd_cfgi_ste(uint32_t sid, bool leaf)
{
	return (struct smmu_cmd){{smmu_cmd_w0(SMMU_CMD_CFGI_STE, sid), leaf}};
}

/**
 * CMD_CFGI_STE_RANGE (4.3.2): the 2^(@p range + 1) streams, aligned to that number, that @p sid is
 * one of.
 */
static inline struct smmu_cmd smmu_cmd_cfgi_ste_range(uint32_t sid, unsigned range)
{
	return (struct smmu_cmd){{smmu_cmd_w0(SMMU_CMD_CFGI_STE_RANGE, sid),
				  smmu_field_prep(SMMU_CMD_CFGI_W1_RANGE, range)}};
}

/** CMD_CFGI_ALL (4.3.6): every structure of every stream. */
static inline struct smmu_cmd smmu_cmd_cfgi_all(void)
{
	return smmu_cmd_cfgi_ste_range(0, SMMU_CMD_CFGI_W1_RANGE_ALL);
}

/** CMD_CFGI_CD (4.3.3): one CD; without @p leaf also the level-1 descriptor to it. */
static inline struct smmu_cmd smmu_cmd_cfgi_cd(uint32_t sid, uint32_t ssid, bool leaf)
{
	return (struct smmu_cmd){
		{smmu_cmd_w0(SMMU_CMD_CFGI_CD, sid) | smmu_field_prep(SMMU_CMD_CFGI_W0_SSID, ssid),
		 leaf}};
}

/** CMD_CFGI_CD_ALL (4.3.4): all CDs of a stream. */
static inline struct smmu_cmd smmu_cmd_cfgi_cd_all(uint32_t sid)
{
	return (struct smmu_cmd){{smmu_cmd_w0(SMMU_CMD_CFGI_CD_ALL, sid), 0}};
}

/** CMD_CFGI_VMS_PIDM (4.3.5): what was fetched of the VMS under a VMID. */
static inline struct smmu_cmd smmu_cmd_cfgi_vms_pidm(uint16_t vmid)
{
	return (struct smmu_cmd){{smmu_cmd_w0(SMMU_CMD_CFGI_VMS_PIDM, vmid), 0}};
}

/* ---- TLB (4.4) ---- */

/**
 * The addresses of one TLBI: the (num + 1) * 2^scale granules from addr on, or, with tg
 * SMMU_CMD_TLBI_TG_ANY and num, scale and ttl 0, the one translation that holds addr. Another tg
 * with num, scale and ttl all 0 is ILLEGAL (4.4.1.1 Range-based invalidation and level hint).
 */
struct smmu_cmd_range {
	uint64_t addr; /**< VA or IPA; bits below 12 are cut off */
	uint8_t num;   /**< 0–31 */
	uint8_t scale; /**< 0–31, up to 39 with IDR5.DS */
	uint8_t tg;    /**< SMMU_CMD_TLBI_TG_… */
	uint8_t ttl;   /**< level of the leaves, 1–3; 0 any */
	bool leaf;     /**< leaves only; tables that lead to them may stay cached */
};

/** TLBI.TG of a granule of 2^@p granule_shift bytes (12, 14 or 16). */
static inline uint8_t smmu_cmd_tlbi_tg(unsigned granule_shift)
{
	return (uint8_t)((granule_shift - 10) / 2);
}

/**
 * Complete a TLBI by address that so far has only its opcode and ids: the inner step of a sweep.
 */
static inline struct smmu_cmd smmu_cmd_tlbi_at(struct smmu_cmd half, struct smmu_cmd_range r)
{
	half.w[0] |= smmu_field_prep(SMMU_CMD_TLBI_W0_NUM, r.num) |
		     smmu_field_prep(SMMU_CMD_TLBI_W0_SCALE, r.scale);
	half.w[1] |= (r.addr & SMMU_CMD_TLBI_W1_ADDR) | smmu_field_prep(SMMU_CMD_TLBI_W1_TG, r.tg) |
		     smmu_field_prep(SMMU_CMD_TLBI_W1_TTL, r.ttl) | r.leaf;
	return half;
}

/**
 * A TLBI without an address: what it is for is told by @p opcode; an id that it does not have must
 * be 0.
 */
static inline struct smmu_cmd smmu_cmd_tlbi(enum smmu_cmd_opcode opcode, uint16_t vmid,
					    uint16_t asid)
{
	return (struct smmu_cmd){{opcode | (uint64_t)vmid << 32 | (uint64_t)asid << 48, 0}};
}

/** CMD_TLBI_NH_ALL: all of stage 1 under a VMID. */
static inline struct smmu_cmd smmu_cmd_tlbi_nh_all(uint16_t vmid)
{
	return smmu_cmd_tlbi(SMMU_CMD_TLBI_NH_ALL, vmid, 0);
}

/** CMD_TLBI_NH_ASID: all under a VMID and an ASID that is not global. */
static inline struct smmu_cmd smmu_cmd_tlbi_nh_asid(uint16_t vmid, uint16_t asid)
{
	return smmu_cmd_tlbi(SMMU_CMD_TLBI_NH_ASID, vmid, asid);
}

/** CMD_TLBI_NH_VA: addresses under a VMID and an ASID. */
static inline struct smmu_cmd smmu_cmd_tlbi_nh_va(uint16_t vmid, uint16_t asid,
						  struct smmu_cmd_range r)
{
	return smmu_cmd_tlbi_at(smmu_cmd_tlbi(SMMU_CMD_TLBI_NH_VA, vmid, asid), r);
}

/** CMD_TLBI_NH_VAA: addresses under a VMID and any ASID. */
static inline struct smmu_cmd smmu_cmd_tlbi_nh_vaa(uint16_t vmid, struct smmu_cmd_range r)
{
	return smmu_cmd_tlbi_at(smmu_cmd_tlbi(SMMU_CMD_TLBI_NH_VAA, vmid, 0), r);
}

/** CMD_TLBI_EL2_ALL: all of EL2. */
static inline struct smmu_cmd smmu_cmd_tlbi_el2_all(void)
{
	return smmu_cmd_tlbi(SMMU_CMD_TLBI_EL2_ALL, 0, 0);
}

/** CMD_TLBI_EL2_ASID: all of EL2 under an ASID (CR2.E2H = 1). */
static inline struct smmu_cmd smmu_cmd_tlbi_el2_asid(uint16_t asid)
{
	return smmu_cmd_tlbi(SMMU_CMD_TLBI_EL2_ASID, 0, asid);
}

/** CMD_TLBI_EL2_VA: addresses of EL2 under an ASID. */
static inline struct smmu_cmd smmu_cmd_tlbi_el2_va(uint16_t asid, struct smmu_cmd_range r)
{
	return smmu_cmd_tlbi_at(smmu_cmd_tlbi(SMMU_CMD_TLBI_EL2_VA, 0, asid), r);
}

/** CMD_TLBI_EL2_VAA: addresses of EL2 under any ASID. */
static inline struct smmu_cmd smmu_cmd_tlbi_el2_vaa(struct smmu_cmd_range r)
{
	return smmu_cmd_tlbi_at(smmu_cmd_tlbi(SMMU_CMD_TLBI_EL2_VAA, 0, 0), r);
}

/** CMD_TLBI_S12_VMALL: both stages under a VMID. */
static inline struct smmu_cmd smmu_cmd_tlbi_s12_vmall(uint16_t vmid)
{
	return smmu_cmd_tlbi(SMMU_CMD_TLBI_S12_VMALL, vmid, 0);
}

/** CMD_TLBI_S2_IPA: addresses of stage 2 under a VMID. */
static inline struct smmu_cmd smmu_cmd_tlbi_s2_ipa(uint16_t vmid, struct smmu_cmd_range r)
{
	r.addr &= SMMU_CMD_TLBI_W1_IPA;
	return smmu_cmd_tlbi_at(smmu_cmd_tlbi(SMMU_CMD_TLBI_S2_IPA, vmid, 0), r);
}

/** CMD_TLBI_NSNH_ALL: all but EL2 and EL3, of the Non-secure state. */
static inline struct smmu_cmd smmu_cmd_tlbi_nsnh_all(void)
{
	return smmu_cmd_tlbi(SMMU_CMD_TLBI_NSNH_ALL, 0, 0);
}

/* ---- ATS and PRI (4.5), DPT (4.6) ---- */

/**
 * CMD_ATC_INV (4.5.1): 2^@p size pages of 4 KiB at @p addr, aligned to that; with
 * SMMU_CMD_ATC_INV_SIZE_ALL everything, and @p addr is ignored. @p global: of all substreams.
 */
static inline struct smmu_cmd smmu_cmd_atc_inv(uint32_t sid, bool ssv, uint32_t ssid, bool global,
					       uint64_t addr, unsigned size)
{
	return (struct smmu_cmd){{smmu_cmd_w0_ssid(SMMU_CMD_ATC_INV, sid, ssv, ssid) |
					  (global ? SMMU_CMD_ATC_INV_W0_G : 0),
				  (addr & SMMU_CMD_ATC_INV_W1_ADDR) |
					  smmu_field_prep(SMMU_CMD_ATC_INV_W1_SIZE, size)}};
}

/**
 * CMD_PRI_RESP (4.5.2) to the group @p prgindex. @p resp: SMMU_CMD_PRI_RESP_FAILURE, _INVALID or
 * _SUCCESS.
 */
static inline struct smmu_cmd smmu_cmd_pri_resp(uint32_t sid, bool ssv, uint32_t ssid,
						unsigned prgindex, unsigned resp)
{
	return (struct smmu_cmd){{smmu_cmd_w0_ssid(SMMU_CMD_PRI_RESP, sid, ssv, ssid),
				  smmu_field_prep(SMMU_CMD_PRI_RESP_W1_PRGINDEX, prgindex) |
					  smmu_field_prep(SMMU_CMD_PRI_RESP_W1_RESP, resp)}};
}

/** CMD_DPTI_ALL (4.6): all of the device permission table. */
static inline struct smmu_cmd smmu_cmd_dpti_all(void)
{
	return (struct smmu_cmd){{SMMU_CMD_DPTI_ALL, 0}};
}

/* ---- Stalled transactions and synchronisation (4.7) ---- */

/**
 * CMD_RESUME (4.7.1) of the transaction @p stag. @p abort: when not @p retry, end it with an abort
 * rather than RAZ/WI.
 */
static inline struct smmu_cmd smmu_cmd_resume(uint32_t sid, uint16_t stag, bool retry, bool abort)
{
	return (struct smmu_cmd){{smmu_cmd_w0(SMMU_CMD_RESUME, sid) |
					  (retry ? SMMU_CMD_RESUME_W0_AC : 0) |
					  (abort ? SMMU_CMD_RESUME_W0_AB : 0),
				  stag}};
}

/** CMD_STALL_TERM (4.7.2): end all stalled transactions of a stream. */
static inline struct smmu_cmd smmu_cmd_stall_term(uint32_t sid)
{
	return (struct smmu_cmd){{smmu_cmd_w0(SMMU_CMD_STALL_TERM, sid), 0}};
}

/**
 * CMD_SYNC (4.7.3) that tells its completion as @p cs says: SMMU_CMD_SYNC_CS_NONE, _IRQ (wired) or
 * _SEV.
 */
static inline struct smmu_cmd smmu_cmd_sync(unsigned cs)
{
	return (struct smmu_cmd){{SMMU_CMD_SYNC | smmu_field_prep(SMMU_CMD_SYNC_W0_CS, cs), 0}};
}

/** A CMD_SYNC that writes the 32 bits @p data to @p addr (4-aligned, not 0) when it completes. */
static inline struct smmu_cmd smmu_cmd_sync_msi(uint64_t addr, uint32_t data, unsigned sh,
						unsigned memattr)
{
	return (struct smmu_cmd){
		{SMMU_CMD_SYNC | smmu_field_prep(SMMU_CMD_SYNC_W0_CS, SMMU_CMD_SYNC_CS_IRQ) |
			 smmu_field_prep(SMMU_CMD_SYNC_W0_MSH, sh) |
			 smmu_field_prep(SMMU_CMD_SYNC_W0_MSIATTR, memattr) | (uint64_t)data << 32,
		 addr & SMMU_CMD_SYNC_W1_MSIADDR}};
}

SMMU_END_DECLS

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file hw/event.h
 * Event records: what the SMMU writes into the event queue (IHI 0070 G.b, 7.3). All functions here:
 * any context.
 */
#ifndef SMMUV3_HW_EVENT_H
#define SMMUV3_HW_EVENT_H

#include <smmuv3/types.h>

SMMU_BEGIN_DECLS

/** A record as it lies in memory: four little-endian words. */
struct smmu_event_record {
	uint64_t w[4];
};

#define SMMU_EVENT_LOG2_BYTES 5u /**< an entry of the event queue has 32 bytes */

enum smmu_event_type {
	SMMU_F_UUT = 0x01, /**< unsupported upstream transaction */
	SMMU_C_BAD_STREAMID = 0x02,
	SMMU_F_STE_FETCH = 0x03,
	SMMU_C_BAD_STE = 0x04,
	SMMU_F_BAD_ATS_TREQ = 0x05,
	SMMU_F_STREAM_DISABLED = 0x06,
	SMMU_F_TRANSL_FORBIDDEN = 0x07,
	SMMU_C_BAD_SUBSTREAMID = 0x08,
	SMMU_F_CD_FETCH = 0x09,
	SMMU_C_BAD_CD = 0x0a,
	SMMU_F_WALK_EABT = 0x0b,
	SMMU_F_TRANSLATION = 0x10,
	SMMU_F_ADDR_SIZE = 0x11,
	SMMU_F_ACCESS = 0x12,
	SMMU_F_PERMISSION = 0x13,
	SMMU_F_TLB_CONFLICT = 0x20,
	SMMU_F_CFG_CONFLICT = 0x21,
	SMMU_E_PAGE_REQUEST = 0x24,
	SMMU_F_VMS_FETCH = 0x25,
};

#define SMMU_EVENT_IMPDEF_FIRST 0xe0u /**< IMPDEF_EVENTn: 0xe0–0xef */
#define SMMU_EVENT_IMPDEF_LAST 0xefu

#define SMMU_EVENT_W0_TYPE SMMU_MASK(7, 0)
#define SMMU_EVENT_W0_SSV SMMU_BIT(11)
#define SMMU_EVENT_W0_SSID SMMU_MASK(31, 12)
#define SMMU_EVENT_W0_SID SMMU_MASK(63, 32)
/* Word 1 differs with the type: smmu_event_decode knows which fields a type has. */
#define SMMU_EVENT_W1_STAG SMMU_MASK(15, 0)
#define SMMU_EVENT_W1_STALL SMMU_BIT(31)
#define SMMU_EVENT_W1_REASON16 SMMU_MASK(15, 0)
#define SMMU_EVENT_W1_REASON32 SMMU_MASK(31, 0)
#define SMMU_EVENT_W1_GPCF SMMU_BIT(16)
#define SMMU_EVENT_W1_PNU SMMU_BIT(33)
#define SMMU_EVENT_W1_IND SMMU_BIT(34)
#define SMMU_EVENT_W1_RNW SMMU_BIT(35)
#define SMMU_EVENT_W1_NSIPA SMMU_BIT(38)
#define SMMU_EVENT_W1_S2 SMMU_BIT(39)
#define SMMU_EVENT_W1_CLASS SMMU_MASK(41, 40)
#define SMMU_EVENT_W1_TTRNW SMMU_BIT(44) /**< F_PERMISSION */
#define SMMU_EVENT_W1_IMPDEF SMMU_MASK(63, 48)
#define SMMU_EVENT_W1_TREQ_SPAN SMMU_MASK(3, 0) /**< F_BAD_ATS_TREQ: in units of the STU */
#define SMMU_EVENT_W1_TREQ_PRIV SMMU_BIT(28)
#define SMMU_EVENT_W1_TREQ_X SMMU_BIT(29)
#define SMMU_EVENT_W1_TREQ_W SMMU_BIT(30)
#define SMMU_EVENT_W1_TREQ_R SMMU_BIT(31)
#define SMMU_EVENT_W1_PAGE_UX SMMU_BIT(33) /**< E_PAGE_REQUEST */
#define SMMU_EVENT_W1_PAGE_UW SMMU_BIT(34)
#define SMMU_EVENT_W1_PAGE_UR SMMU_BIT(35)
#define SMMU_EVENT_W1_PAGE_PX SMMU_BIT(37)
#define SMMU_EVENT_W1_PAGE_PW SMMU_BIT(38)
#define SMMU_EVENT_W1_PAGE_PR SMMU_BIT(39)
#define SMMU_EVENT_W1_PAGE_SPAN SMMU_MASK(51, 44) /**< in units of 4 KiB */
#define SMMU_EVENT_W2_ADDR SMMU_MASK(63, 0)
#define SMMU_EVENT_W2_PAGE SMMU_MASK(63, 12) /**< F_BAD_ATS_TREQ, E_PAGE_REQUEST */
#define SMMU_EVENT_W3_IPA SMMU_MASK(55, 12)
#define SMMU_EVENT_W3_FETCH SMMU_MASK(55, 3)

/** Values of CLASS: which access of the transaction failed. */
#define SMMU_EVENT_CLASS_CD 0u /**< reading a CD */
#define SMMU_EVENT_CLASS_TT 1u /**< reading or writing a stage-1 descriptor */
#define SMMU_EVENT_CLASS_IN 2u /**< the transaction's own address */

/**
 * Which members of struct smmu_event a type of event has. The type itself and sid are always there.
 */
#define SMMU_EVENT_HAS_SSID 0x0001u    /**< ssv, ssid */
#define SMMU_EVENT_HAS_ADDR 0x0002u    /**< addr */
#define SMMU_EVENT_HAS_RNW 0x0004u     /**< rnw */
#define SMMU_EVENT_HAS_ATTR 0x0008u    /**< pnu, ind */
#define SMMU_EVENT_HAS_STAGE 0x0010u   /**< s2, nsipa */
#define SMMU_EVENT_HAS_CLASS 0x0020u   /**< class */
#define SMMU_EVENT_HAS_IPA 0x0040u     /**< ipa */
#define SMMU_EVENT_HAS_STALL 0x0080u   /**< stall, stag, impdef */
#define SMMU_EVENT_HAS_REASON 0x0100u  /**< reason */
#define SMMU_EVENT_HAS_FETCH 0x0200u   /**< fetch, gpcf */
#define SMMU_EVENT_HAS_TTRNW 0x0400u   /**< ttrnw */
#define SMMU_EVENT_HAS_REQUEST 0x0800u /**< request, span */

/**
 * The members of events of @p type: SMMU_EVENT_HAS_… or'ed together; 0 for a type that is not in
 * the enumeration.
 */
unsigned smmu_event_members(unsigned type);

/** The name of @p type ("F_TRANSLATION"), or NULL if it is not in the enumeration. */
const char *smmu_event_name(unsigned type);

/**
 * Bits of struct smmu_event.request: access that was asked for. F_BAD_ATS_TREQ uses R, W, X and
 * PRIV.
 */
#define SMMU_EVENT_REQUEST_R 0x01u /**< E_PAGE_REQUEST: unprivileged */
#define SMMU_EVENT_REQUEST_W 0x02u
#define SMMU_EVENT_REQUEST_X 0x04u
#define SMMU_EVENT_REQUEST_PRIV 0x08u
#define SMMU_EVENT_REQUEST_PR 0x10u /**< E_PAGE_REQUEST: privileged */
#define SMMU_EVENT_REQUEST_PW 0x20u
#define SMMU_EVENT_REQUEST_PX 0x40u

/** A record taken apart. Members that its type does not have are 0. */
struct smmu_event {
	uint8_t type; /**< enum smmu_event_type, or any other number */
	bool ssv;     /**< ssid is valid; always so in C_BAD_SUBSTREAMID */
	bool rnw;     /**< the transaction read */
	bool ind;     /**< … an instruction */
	bool pnu;     /**< … with privilege */
	bool s2;      /**< stage 2 failed; else stage 1 */
	bool nsipa;   /**< the IPA is Non-secure: only for Secure streams */
	bool ttrnw;   /**< the descriptor access that failed was a read; valid for CLASS_TT */
	bool stall;   /**< the transaction waits for CMD_RESUME with stag */
	bool gpcf;    /**< the abort is a granule protection fault */
	uint8_t fault_class; /**< SMMU_EVENT_CLASS_… */
	uint8_t request;     /**< SMMU_EVENT_REQUEST_… */
	uint8_t span;        /**< length of the request: see W1_TREQ_SPAN and W1_PAGE_SPAN */
	uint16_t stag;
	uint16_t impdef;
	uint32_t reason; /**< IMPLEMENTATION DEFINED */
	uint32_t sid;    /**< stream */
	uint32_t ssid;   /**< substream */
	uint64_t addr;   /**< input address of the transaction or request */
	uint64_t ipa;    /**< page of the intermediate address, valid if s2 */
	/** Physical address of the structure or descriptor that could not be read, 8-aligned. */
	uint64_t fetch;
};

/**
 * Take @p rec apart. Every bit pattern decodes: reserved bits are ignored, and of an unknown type
 * only sid is read.
 */
void smmu_event_decode(const struct smmu_event_record *rec, struct smmu_event *ev);

/**
 * Put a record together from the members that its type has; what does not fit its field is cut off.
 */
void smmu_event_encode(const struct smmu_event *ev, struct smmu_event_record *rec);

SMMU_END_DECLS

#endif

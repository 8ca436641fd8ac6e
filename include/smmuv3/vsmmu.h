/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file vsmmu.h What a guest says to its virtual SMMU, checked and put into words for the real one:
 * commands that invalidate, and STEs.
 *
 * A guest has a virtual SMMU of stage 1 alone, behind which the real one does stage 1 and stage 2:
 * the guest's context descriptors and tables are fetched from its memory through stage 2. Nothing
 * here trusts a bit of what a guest wrote. What comes out names the guest's own VMID and streams
 * only, and is legal on the real SMMU, so that it never stops a queue.
 *
 * It knows formats alone: no register, no queue, no memory. A hypervisor with an SMMU driver of its
 * own can take src/vsmmu/ by itself; struct smmu_vsmmu of nested.h is built on it. All functions
 * here: any context, no lock, no wait.
 */
#ifndef SMMUV3_VSMMU_H
#define SMMUV3_VSMMU_H

#include <smmuv3/hw/cmd.h>
#include <smmuv3/hw/legal.h>
#include <smmuv3/hw/ste.h>

SMMU_BEGIN_DECLS

/** @name What a guest is shown: the ID registers of its virtual SMMU
 *  @{ */

/**
 * The most that a guest can be shown on the real SMMU @p real. Take away from it what you like, and
 * what guests that move between machines should not see. Queue sizes, SIDSIZE, MSI, SEV and the
 * level of the stream table are the hypervisor's own and are copied; change them at will.
 */
void smmu_guest_ids(const struct smmu_id_regs *real, struct smmu_id_regs *shown);

/**
 * NULL if the real SMMU @p real holds what @p shown promises; else the first promise that it does
 * not, a text such as "IDR1.SSIDSIZE above the SMMU's". Also refused: no stages to nest, and a
 * guest that is shown stage 2, EL2, stalls or other features that this library does not pass on.
 * Everything else in this file takes @p shown as checked by this.
 */
const char *smmu_guest_ids_refused(const struct smmu_id_regs *real,
				   const struct smmu_id_regs *shown);
/** @} */

/** @name Commands
 *  @{ */

/** Why a block ended where it did. */
enum smmu_guest_stop {
	SMMU_GUEST_END, /**< at its end: everything was converted */
	/**
	 * At a legal CMD_SYNC: what stands before it is to be complete before CONS moves over it.
	 * Its signal is yours.
	 */
	SMMU_GUEST_SYNC,
	/**
	 * At a command that the virtual SMMU refuses: CERROR_ILL, with CONS at it (IHI 0070 G.b,
	 * 4.1.3, 7.1).
	 */
	SMMU_GUEST_ILLEGAL,
	/**
	 * At a legal command that names a stream or a substream which is not there: it does nothing
	 * (4.1.7). Go on behind it, unless the stream is one that the hypervisor itself plays.
	 */
	SMMU_GUEST_NOTHING,
	/**
	 * At a legal command that is not for the real SMMU: CFGI_STE (look at the STE anew),
	 * PREFETCH, PRI_RESP.
	 */
	SMMU_GUEST_YOURS,
};

/**
 * What becomes of one guest's commands. Filled by smmu_guest_init; then it may be read by any
 * number of threads.
 */
struct smmu_guest {
	/** The VMID of the virtual SMMU on the real one; no other guest has it there. */
	uint16_t vmid;
	uint8_t ssid_bits;   /**< of what is shown, as all that follows */
	uint64_t stream_end; /**< 2^SIDSIZE */
	uint64_t no_asid;    /**< bits of word 0 that an ASID may not have */
	bool range, ds, ats, pri;
	/**
	 * The StreamID on the real SMMU of the guest's stream @p guest: 0 and *@p real, or a
	 * negative error: the guest has none of that name. Called for each command that names a
	 * stream within SIDSIZE.
	 */
	int (*stream)(void *ctx, uint32_t guest, uint32_t *real);
	void *ctx; /**< of stream */
};

/** Fill *@p g for a guest that is shown @p shown (smmu_guest_ids_refused said NULL). */
void smmu_guest_init(struct smmu_guest *g, const struct smmu_id_regs *shown, uint16_t vmid,
		     int (*stream)(void *ctx, uint32_t guest, uint32_t *real), void *ctx);

/**
 * Convert commands of a guest, up to the first that is no invalidation of its TLB entries, its CDs
 * or its devices' ATCs. One becomes one:
 *
 *   TLBI_NSNH_ALL, TLBI_NH_ALL      TLBI_NH_ALL of the VMID
 *   TLBI_NH_ASID, _VA, _VAA         the same with the VMID put in, whatever stood there (4.4.2: an
 *                                   SMMU of stage 1 alone need not look at it)
 *   CFGI_CD, CFGI_CD_ALL, ATC_INV   the same for the real stream
 *
 * What the text leaves open is settled here, so that the real SMMU never sees it: SCALE above 39 is
 * 39, the level 1 of 16K without DS is none, addresses are aligned as TG, TTL and SIZE want them, a
 * SubstreamID without SSV is 0 (4.4.1.1, 4.5.1).
 *
 * @param guest  read once, word by word, so that it may be memory which the guest is changing
 * @param real   room for @p n; may be @p guest
 * @param n      commands
 * @param stop   why it ended
 * @param why    unless NULL: for SMMU_GUEST_ILLEGAL and SMMU_GUEST_NOTHING, what is wrong with the
 *   command, as a text; else NULL
 *
 * @return how many were converted; the command behind them is the one that *@p stop speaks of.
 *   Issue the whole of @p real, with a CMD_SYNC behind it, and wait for that before CONS moves over
 *   a CMD_SYNC of the guest
 *
 * IHI 0070 G.b, 4.1, 4.3 to 4.5 and 4.7.
 */
size_t smmu_guest_convert(const struct smmu_guest *g, const struct smmu_cmd *guest,
			  struct smmu_cmd *real, size_t n, enum smmu_guest_stop *stop,
			  const char **why);
/** @} */

/** @name STEs
 *  @{ */

enum smmu_guest_ste_kind {
	/** V = 0: as ABORT, but each access is a C_BAD_STE for the guest. */
	SMMU_GUEST_STE_INVALID,
	SMMU_GUEST_STE_ABORT,  /**< accesses end with an abort, without an event */
	SMMU_GUEST_STE_BYPASS, /**< the guest does not translate: stage 2 alone */
	SMMU_GUEST_STE_STAGE1, /**< the guest's stage 1 under stage 2 */
};

/** What is left of a guest's STE: what it may decide. */
struct smmu_guest_ste {
	enum smmu_guest_ste_kind kind;
	bool ats; /**< EATS: the guest lets the device use ATS */
	/**
	 * STAGE1: S1Fmt, S1ContextPtr (an IPA) and S1CDMax; S1DSS, S1CIR, S1COR and S1CSH; both:
	 * MEV. As in an STE.
	 */
	uint64_t w0, w1;
};

/**
 * Read the STE @p guest of a guest that is shown @p shown.
 *
 * @return NULL and *@p ste; or the rule that it breaks, a text such as "STE.EATS split": it is
 *   ILLEGAL, the stream aborts and each access is a C_BAD_STE for the guest. *@p ste is then
 *   SMMU_GUEST_STE_INVALID
 *
 * Beside what the text calls ILLEGAL, bits of no field and of features that are not shown are
 * refused, as chapter 5 lets an SMMU do; what the configuration IGNORES is not looked at. IHI 0070
 * G.b, 5.2, 5.2.1, 5.2.2.
 */
const char *smmu_guest_ste_read(const struct smmu_id_regs *shown, const struct smmu_ste *guest,
				struct smmu_guest_ste *ste);

/**
 * Put a guest's STE over the hypervisor's.
 *
 * @param ste  in: a valid STE of stage 2 alone, with the VMID, as the guest's memory needs it; EATS
 *   0. Out: the STE to install
 * @param ats  the device's ATS is to be on: EATS becomes 1 if the guest's allows it
 * @param real the real SMMU
 */
void smmu_guest_ste_apply(const struct smmu_guest_ste *guest, const struct smmu_id_regs *real,
			  bool ats, struct smmu_ste *ste);
/** @} */

SMMU_END_DECLS

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file model_config.h
 * What an instance of the model is, how it behaves, and in what it deviates from the text.
 */
#ifndef SMMU_MODEL_CONFIG_H
#define SMMU_MODEL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

/** What an instance is and how it behaves. Take smmu_model_config_default() and change what matters. */
struct smmu_model_config {
	/** @name What the ID registers say */
	/**@{*/
	unsigned sid_bits;   /**< 0–32: width of a StreamID */
	unsigned ssid_bits;  /**< 0–20: width of a SubstreamID */
	bool s1, s2;         /**< translation stages; both: nested too */
	bool two_level_st;   /**< two-level stream table */
	bool two_level_cd;   /**< two-level context descriptor tables */
	bool asid16, vmid16; /**< 16-bit ids, else 8 */
	bool range_inv;      /**< IDR3.RIL */
	bool msi;            /**< MSI, so CMD_SYNC may complete by a write */
	bool coherent;       /**< IDR0.COHACC */
	bool ats, pri;
	bool hyp;        /**< EL2 and EL2-E2H streams */
	bool term_model; /**< IDR0.TERM_MODEL: what is terminated is aborted, and CD.A has to be 1 */
	unsigned oas;    /**< output address bits: 32, 36, 40, 42, 44, 48 or 52 */
	bool gran4k, gran16k, gran64k;
	bool xnx; /**< IDR3.XNX: stage 2 tells privileges when it executes */
	unsigned
		bbml; /**< IDR3.BBML: 0–2; the higher, the more of a table may change while it is used */
	unsigned httu; /**< IDR0.HTTU: 0, 1 the Access flag, 2 dirty state as well */
	bool ds; /**< IDR5.DS: 52 bits with 4K and 16K granules, in descriptors of their own (LPA2) */
	bool va52;                                  /**< 52-bit input addresses with 64K granules */
	unsigned cmdq_bits, eventq_bits, priq_bits; /**< log2 of the largest queue, 0–19 */
	unsigned version;                           /**< AIDR: n stands for SMMUv3.n, 0–3 */
	unsigned stall_model; /**< IDR0.STALL_MODEL, 0–2; 2: all that faults stalls */
	bool btm;             /**< IDR0.BTM, so CR2.PTM exists */
	bool ats_rec_err;     /**< IDR0.ATSRECERR, so CR2.REC_CFG_ATS exists */
	bool attr_types_ovr,
		attr_perms_ovr; /**< of IDR1; 0: the fields that they stand for are RES0 */
	bool gbpa_abort;        /**< GBPA.ABORT comes out of reset as 1 */
	bool wired; /**< interrupts have wires; without, nothing but an MSI that arrives is one */
	/**@}*/

	/** @name Time, in nanoseconds */
	/**@{*/
	uint32_t cmd_ns;  /**< consume one command */
	uint32_t sync_ns; /**< CMD_SYNC with nothing outstanding */
	uint32_t tlbi_ns; /**< a TLBI or CFGI, from consumption to effect */
	uint32_t atc_ns;  /**< round trip of an ATC invalidation */
	uint64_t
		atc_timeout_ns; /**< when a device that does not answer is given up; PCIe says up to 90 s */
	uint64_t atc_slow_ns; /**< SMMU_FAULT_ATC_SLOW */
	uint64_t pause_ns;    /**< SMMU_FAULT_PAUSE */
	uint32_t ack_ns;      /**< a write of CR0, IRQ_CTRL or GBPA until it is acknowledged */
	uint32_t
		event_late_ns; /**< an event record is visible only so much later, or with the next CMD_SYNC */
	unsigned jitter_percent; /**< each of them varies by so much, up and down */
	unsigned speed_percent;  /**< 100; 200 is an instance twice as slow */
	/**@}*/

	/** @name Awkwardness: `_permille` are chances in 1/1000 */
	/**@{*/
	unsigned early_permille; /**< an invalidation acts before its CMD_SYNC does */
	unsigned tlb_max; /**< entries of the TLB, and of the walk cache; 0: without a bound */
	unsigned evict_permille; /**< a lookup first drops a random entry */
	unsigned
		prefetch_permille; /**< a DMA or a command makes it translate something nobody asked for */
	unsigned split_permille; /**< a block is cached in pieces */
	/** The same makes it lose a cached STE, CD or level-1 descriptor (16.2). */
	unsigned cfg_evict_permille;
	/** The same makes it fetch any STE or CD that is reachable, of streams and substreams never used too (3.21.3). */
	unsigned reach_permille;
	/** Such a fetch reads the structure's words at different moments, in any order, up to tear_ns apart. */
	unsigned tear_permille;
	uint32_t tear_ns;
	/**
	 * For a while after a register was written or a device did DMA, an instance does what smmu_model_speculate() does, about
	 * this often; 0: never of itself.
	 */
	uint32_t restless_ns;
	unsigned refill_permille; /**< a device asks again for what an ATC_INV has just taken */
	/**
	 * Where entries of two sizes answer for one address, the access ends in F_TLB_CONFLICT, unless bbml is 2; else the
	 * older one answers (3.20.1, 3.21.1).
	 */
	unsigned conflict_permille;
	/** A device that only reads asks for a translation as if it might write (NW = 0): the page becomes dirty. */
	unsigned nw0_permille;
	/** A descriptor that a write marks dirty is seen so by others later, with the next CMD_SYNC at the latest (3.13.4). */
	unsigned mark_late_permille;
	unsigned
		cmd_cache_permille; /**< a command is read as soon as PROD passes it, not when it is consumed (3.21.2) */
	unsigned
		innocent_permille; /**< an ATC_INV behind one that is never answered is lost with it (4.7.3) */
	unsigned
		cons_batch; /**< CONS shows up to so many commands late, unless the queue is empty; 0: at once */
	/**@}*/

	/** @name Rights that an implementation may or may not use; all true by default */
	/**@{*/
	bool cache_invalid; /**< invalid STEs, CDs and their level-1 descriptors are cached too */
	/**
	 * A function whose ATS is off answers an ATC_INV with UR, which completes it without effect or error (3.9.1.5);
	 * false: nobody answers, and the SMMU gives up. One that is dead or muted never answers.
	 */
	bool atc_ur;
	bool lse2;       /**< structures are read 128 bits at once, else 64 (3.21.3, FEAT_LSE2) */
	bool contiguous; /**< the Contiguous bit makes one entry of a whole run */
	bool check_reserved; /**< non-zero bits of no field in commands, STEs and CDs are refused (4.1.5, chapter 5) */
	bool oas_truncate; /**< addresses above OAS are cut where the text lets it choose, else refused (3.4.3) */
	/** PROD moves over an event record whose write was aborted: what is there is no record (7.2.2). */
	bool abort_async;
	/** What reset leaves UNKNOWN is not 0 but anything, addresses inside memory. */
	bool garbage;
	/**
	 * Fields of CR0 and IRQ_CTRL take effect one by one, and as GBPA's at any moment between write and
	 * acknowledgement (6.3.9). False: together, when they are acknowledged.
	 */
	bool cr_split;
	/**@}*/

	unsigned errata;     /**< SMMU_ERRATUM_…: in what the part deviates from the text */
	unsigned sync_every; /**< SMMU_ERRATUM_SYNC_EVERY: so many invalidations */

	unsigned strict; /**< SMMU_STRICT_…: what counts as a misuse besides what always does */
};

/** Deviations of real parts, that a driver has to know by their name. */
enum smmu_model_erratum {
	/** A TLBI or CFGI may spare an entry; the second one for it takes it. */
	SMMU_ERRATUM_TWICE = 1,
	/** An ATC_INV behind a CMD_SYNC is sent while that still waits for the TLBIs before it. */
	SMMU_ERRATUM_SPLIT_ATC = 2,
	/** More than sync_every invalidations without a CMD_SYNC hang the queue (MMU-700, 2812531, is of this kind). */
	SMMU_ERRATUM_SYNC_EVERY = 4,
	/** No register page 1: the indexes of event and PRI queue are at their offsets in page 0 (ThunderX2). */
	SMMU_ERRATUM_NO_PAGE1 = 8,
	/** Range invalidations take nothing. */
	SMMU_ERRATUM_RANGE = 16,
	/** The MSI of a CMD_SYNC is never written. */
	SMMU_ERRATUM_MSI = 32,
};

/** Rules whose breach is a misuse if smmu_model_config.strict has the bit. */
enum smmu_model_strict {
	/** A function is enabled over registers that reset left UNKNOWN and nobody wrote (6.3). */
	SMMU_STRICT_UNKNOWN = 1,
	/** A bit is written as 1 that this part does not have. */
	SMMU_STRICT_RES0 = 2,
	/** Attributes of CR1 or of an STE's S1C* that make a coherent SMMU's accesses not coherent. */
	SMMU_STRICT_ATTRIBUTES = 4,
	/** ATS: SMMUEN goes while a device has ATS on (3.9.1); a request is refused (F_BAD_ATS_TREQ, 3.9.2). */
	SMMU_STRICT_ATS = 8,
	SMMU_STRICT_ALL = 15,
	/**
	 * Not in ALL, as a device that was cut off on purpose meets it as well: a request of a device with ATS on is answered with
	 * UR or CA, because its STE aborts, is illegal or leads to something illegal (3.9.1.2).
	 */
	SMMU_STRICT_ATS_ANSWER = 16,
};

/** A common server part: S1+S2+nested, 16-bit ids, RIL, MSI, coherent, ATS, PRI, 48 bits, all granules. */
void smmu_model_config_default(struct smmu_model_config *config);

/**
 * Let @p seed decide in @p config, which is filled in, all that the text leaves open and a driver has to live with: features
 * (not sizes, stages, granules, ATS, PRI or coherence), what the part does with its rights, and how often. STALL_MODEL
 * becomes 0 or 1. `strict` and `errata` stay. Give each instance a seed of its own.
 */
void smmu_model_coins(struct smmu_model_config *config, uint64_t seed);

#endif

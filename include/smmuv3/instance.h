/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file instance.h
 * One SMMU: what it can do, bringing it up, its errors and events, taking it away.
 */
#ifndef SMMUV3_INSTANCE_H
#define SMMUV3_INSTANCE_H

#include <smmuv3/debug.h>
#include <smmuv3/hw/event.h>
#include <smmuv3/hw/pri.h>
#include <smmuv3/hw/ste.h>
#include <smmuv3/inv.h>
#include <smmuv3/port.h>
#include <smmuv3/queue.h>
#include <smmuv3/quirks.h>

SMMU_BEGIN_DECLS

/** What the ID registers say, in the library's words. */
enum {
	SMMU_FEAT_S1 = 1 << 0,       /**< IDR0.S1P */
	SMMU_FEAT_S2 = 1 << 1,       /**< IDR0.S2P */
	SMMU_FEAT_COHERENT = 1 << 2, /**< IDR0.COHACC: walks and structures are cache-coherent */
	SMMU_FEAT_2LVL_STRTAB = 1 << 3,
	SMMU_FEAT_2LVL_CDTAB = 1 << 4,
	SMMU_FEAT_RANGE = 1 << 5, /**< IDR3.RIL */
	SMMU_FEAT_ATS = 1 << 6,
	SMMU_FEAT_PRI = 1 << 7,
	SMMU_FEAT_MSI = 1 << 8,
	SMMU_FEAT_SEV = 1 << 9,
	SMMU_FEAT_HYP = 1 << 10,
	/** IDR0.STALL_MODEL 0: what faults may stall. */
	SMMU_FEAT_STALL = 1 << 12,
	/** IDR0.STALL_MODEL 2: what faults stalls. */
	SMMU_FEAT_STALL_ALL = 1 << 13,
	SMMU_FEAT_4K = 1 << 14,
	SMMU_FEAT_16K = 1 << 15,
	SMMU_FEAT_64K = 1 << 16,
	SMMU_FEAT_NESTED = 1 << 17, /**< S1 and S2 together */
	/** IDR0.HTTU 2 or more, and coherent: it marks what is written (dirty.h). */
	SMMU_FEAT_DIRTY = 1 << 18,
};

struct smmu_features {
	uint32_t bits;                           /**< SMMU_FEAT_… */
	uint8_t sid_bits;                        /**< StreamID size, 0–32 */
	uint8_t ssid_bits;                       /**< SubstreamID size, 0–20 */
	uint8_t asid_bits;                       /**< 8 or 16 */
	uint8_t vmid_bits;                       /**< 8 or 16 */
	uint8_t oas;                             /**< output address size in bits, 32–52 */
	uint8_t cmdq_log2, evtq_log2, priq_log2; /**< largest queues */
	uint8_t bbml; /**< IDR3.BBML, 0–2: how far tables may change while they are used */
};

/**
 * The message that an interrupt source writes: a 32-bit write of @p data to @p address, which is a
 * multiple of 4 and below 2^IDR5.OAS; address 0: no message, the source's wire is used (IHI 0070
 * G.b, 3.18.2, 6.3.21).
 */
struct smmu_msi {
	uint64_t address;
	uint32_t data;
	uint8_t attr; /**< SMMU_MEMATTR_…: a device type for an interrupt controller's register */
	uint8_t sh;   /**< SMMU_SH_…: counts for cacheable memory only */
};

struct smmu_instance_config {
	const struct smmu_port *port;
	struct smmu_mmio mmio; /**< page 0 and page 1, 128 KiB */
	/**
	 * Bytes that mmio reaches; 0: 128 KiB. With IDR1.ECMDQ = 1 a former owner's command queues
	 * can be turned off only where the control pages are reached too.
	 */
	uint64_t mmio_size;
	uint32_t index;   /**< for the default name only: "smmu" and this */
	const char *name; /**< for messages; outlives the instance; NULL: "smmu" and the index */
	uint32_t quirks;  /**< SMMU_QUIRK_… of quirks.h; probe adds those that IIDR tells */
	/** Firmware says coherent although IDR0.COHACC does not (IORT COHACC override). */
	bool coherent_override;
	/** Entries of the command queue as log2; 0: 10. Cut to what IDR1 allows. */
	uint8_t cmdq_log2;
	/** Of the event queue; 0: 15, or less if memory for it is short. Cut likewise. */
	uint8_t evtq_log2;
	uint8_t priq_log2;                              /**< 0: 7 */
	struct smmu_msi event_msi, gerror_msi, pri_msi; /**< need IDR0.MSI */
	/** A CMD_SYNC or register that takes longer means a dead SMMU; 0: one second. */
	uint64_t timeout_ns;
	/**
	 * The same for a CMD_SYNC that waits for a device's ATC: PCIe allows a minute and more,
	 * then the SMMU reports it by itself and the device is cut off. 0: 100 seconds
	 */
	uint64_t atc_timeout_ns;
	uint32_t tlbi_max; /**< see struct smmu_inv_target */
	uint32_t atc_max;  /**< see struct smmu_inv_target */
};

/** Ids of one kind, handed out one at a time. */
struct smmu_ids {
	uint64_t *bitmap;
	/** Behind the bitmap: not used any more, but the TLB was not cleaned of them. */
	uint64_t *retired;
	/** Behind that: left to owners of tables (smmu_sva_reserve). */
	uint64_t *foreign;
	uint32_t count, nr_retired;
	uint32_t hint;
};

struct smmu_device;
struct smmu_streams;
struct smmu_vsmmu;
struct smmu_stand_in;
struct smmu_faults;
struct smmu_adoption;

/** A table of STEs, and whose streams they are. */
struct smmu_strtab_leaf {
	struct smmu_ste *ste;
	uint64_t bus;                /**< of a second-level table */
	struct smmu_device *owner[]; /**< NULL: no device's */
};

struct smmu_strtab {
	void *l1; /**< L1 descriptors, or the STEs themselves */
	uint64_t l1_bus;
	size_t l1_size;
	/** For each L1 descriptor its table, or NULL; linear: one. */
	struct smmu_strtab_leaf **leaf;
	uint32_t l1_count;
	uint8_t log2size;
	uint8_t split;
	bool foreign; /**< l1 is a former owner's memory */
};

/** One SMMU. The embedder owns the memory; fields are private but for those said to be public. */
struct smmu_instance {
	struct smmu_instance_config cfg;
	const struct smmu_port *port;
	struct smmu_mmio mmio;
	const char *name;
	char name_buf[16];
	uint32_t idr0, idr1, idr3, idr5; /**< as read by probe; public */
	struct smmu_features features;   /**< public */
	struct smmu_inv_target target;   /**< public */
	struct smmu_cmdq cmdq;
	struct smmu_outq evtq, priq;
	struct smmu_strtab strtab;
	struct smmu_ids asids, vmids;
	/** Protects strtab.leaf, asids, vmids and devices; attach side, may sleep. */
	struct smmu_mutex lock;
	struct smmu_device *devices;
	struct smmu_vsmmu *vsmmus; /**< under lock */
	/** For reserved streams; see handover.h. Under lock. */
	struct smmu_stand_in *stand_ins;
	/** Whose; NULL: nobody answers stalls. */
	struct smmu_faults *faults;
	/** Until smmu_instance_adopt_end; see adopt.h. Under lock; it goes under transit too. */
	struct smmu_adoption *adoption;
	/**
	 * Held while somebody else's tables are walked under tags that are not theirs (takeover.c).
	 * Taken under a device's lock or the above; its holder takes none but for moments.
	 */
	struct smmu_mutex transit;
	/** What was walked so may be in the TLB still. Under transit. */
	bool transit_unclean;
	/**
	 * Of devices that are gone, what the SMMU did not confirm to have forgotten. Under lock.
	 */
	struct smmu_streams *leftovers;
	bool up;
	/** Down, but the SMMU did not confirm that it is disabled: its memory is kept. */
	bool held;
	bool drained; /**< an MSI of a CMD_SYNC was waited for and did not come */
	bool have_priq;
	bool evtq_may_shrink; /**< its size is the default, not the embedder's */
	uint32_t serving;     /**< the handlers may touch queues and registers; see handlers.c */
	uint32_t listening;   /**< … and take events and page requests */
	/** Times that records were lost, and with them perhaps those of what has stalled. */
	uint32_t stalls_lost;
	/** Times that it was suspended or revived; and that when the last event was taken. */
	uint32_t outages, event_outages;
	uint64_t events_lost;   /**< times the event queue overflowed; public */
	uint64_t pri_overflows; /**< times the PRI queue overflowed; public */
	/** On a cache line of its own: each sweep writes to it, as to the queue's positions. */
	struct smmu_instance_counts counts __attribute__((aligned(64)));
};

/**
 * Read the ID registers of an SMMU and decide whether it can be used. Nothing is allocated and no
 * register written.
 *
 * @param inst  filled in; may hold anything before, but no instance that is up or held
 * @param cfg   copied; its port, name and registers outlive the instance
 *
 * @return
 *   0
 *   -SMMU_EINVAL      @p cfg is not usable: no port, an MSI address that is not a multiple of 4
 *   -SMMU_EOPNOTSUPP  one line in the log says which field of which register stands against it
 *   -SMMU_ERANGE      an MSI address does not fit IDR5.OAS; the log names both
 *
 * After an error *@p inst is no instance: probe it again before anything else. Any context; does
 * not sleep. IHI 0070 G.b, 6.3.1.
 */
int smmu_instance_probe(struct smmu_instance *inst, const struct smmu_instance_config *cfg);

/**
 * What smmu_instance_enable allocates, without second-level stream tables. With cfg.evtq_log2 = 0
 * less is taken if there is less.
 *
 * @param inst   probed
 * @param dma    bytes of DMA memory
 * @param plain  bytes of plain memory
 *
 * Any context; does not sleep.
 */
void smmu_instance_memory(const struct smmu_instance *inst, size_t *dma, size_t *plain);

/**
 * Disable whatever a former owner left running, take every register over, and enable: every stream
 * aborts until a device is added, at each moment from the start of this call on. PCIe devices have
 * ATS off, or their translated accesses are refused from here on.
 *
 * @param inst  probed
 *
 * @return
 *   0
 *   -SMMU_EBUSY      it is up; or command queues of a former owner are on, out of mmio's reach.
 *                    Nothing changed
 *   -SMMU_ENOMEM     nothing is kept
 *   -SMMU_ERANGE     the port gave memory above 2^IDR5.OAS; the log names both. Nothing is kept
 *   -SMMU_EIO        the SMMU is in service failure mode, which only a system-specific reset ends
 *                    (12.3). Nothing is kept
 *   -SMMU_ETIMEDOUT  a register or the first CMD_SYNC does not answer; the log says which. The SMMU
 *                    was disabled again and nothing is kept; or it did not confirm that either, and
 *                    is *held*, as after a failed smmu_instance_remove
 *
 * Attach side: may sleep. One caller at a time for an instance. IHI 0070 G.b, 3.11, 6.3.9.
 */
int smmu_instance_enable(struct smmu_instance *inst);

/**
 * Take the SMMU away: detach and drop every device on it, wait for the sweeps that may still name
 * it, abort its traffic, disable it, free everything.
 *
 * @param inst  probed, in any state
 *
 * @return
 *   0                it is gone, or was not up; *@p inst may be probed again
 *   -SMMU_ETIMEDOUT  it did not confirm that it is disabled, and may still read and write its
 *                    queues and tables. They stay allocated; the instance is *held* (said in the
 *                    log): no device is on it, its handlers do nothing. Call this or
 *                    smmu_instance_enable again, or smmu_instance_forget once the SMMU was reset or
 *                    has no power
 *
 * Attach side: may sleep. One caller at a time for an instance. IHI 0070 G.b, 6.3.9.
 */
int smmu_instance_remove(struct smmu_instance *inst);

/**
 * Bring an SMMU back in place: after its command queue was given up, after service failure mode and
 * the reset that ended it, or after smmu_instance_suspend and whatever became of its registers
 * meanwhile. All registers are written, its caches cleaned, devices are attached to what they were;
 * what the SMMU had not confirmed is confirmed. ATS of the devices goes off for the time, and on
 * again, so that their ATCs are empty. Traffic aborts from when the SMMU is disabled until it is
 * enabled again; unmaps that run meanwhile fail with -SMMU_EIO, or are done again by themselves.
 *
 * @param inst  up, or suspended
 *
 * @return
 *   0
 *   -SMMU_ENODEV     it is not up
 *   -SMMU_ETIMEDOUT  a register or the first CMD_SYNC does not answer; the log says which. It is as
 *                    after smmu_instance_suspend: its traffic aborts if it confirmed that it is
 *                    disabled, all that would need it fails, nothing is lost. Call again, or remove
 *                    it
 *   -SMMU_EIO        it is in service failure mode: the same. Or it is back, but not all was
 *                    confirmed (smmu_device_confirmed)
 *
 * Attach side, as smmu_instance_enable: may sleep; waits for attaches and detaches that are under
 * way. IHI 0070 G.b, 3.11, 12.3, 3.19.
 */
int smmu_instance_revive(struct smmu_instance *inst);

/**
 * Disable an SMMU that is going to lose its power or its registers, and keep all that
 * smmu_instance_revive needs. Devices' DMA has ended, but for accesses that have stalled: those
 * abort, whether anybody has heard of them or not, and an answer to one comes too late from here on
 * (fault.h). Until it is revived its handlers do nothing, unmaps and attaches that concern it fail
 * with -SMMU_EIO, and no register is touched after this returns.
 *
 * @param inst  up
 *
 * @return
 *   0
 *   -SMMU_ENODEV     it is not up
 *   -SMMU_ETIMEDOUT  it does not confirm that it is disabled; suspended it is all the same
 *
 * Attach side: may sleep. IHI 0070 G.b, 3.19, 6.3.9.6.
 */
int smmu_instance_suspend(struct smmu_instance *inst);

/**
 * Free what a held instance keeps, without touching a register: the caller knows that the SMMU
 * makes no access any more, since it was reset, has no power or left the machine. Nothing if it is
 * not held. May sleep.
 */
void smmu_instance_forget(struct smmu_instance *inst);

/**
 * @name Interrupt handlers
 *  Harmless in every state of an instance, also before smmu_instance_enable and while
 *  smmu_instance_remove runs elsewhere: the memory of *inst has to be zero or probed. @{
 */

/**
 * Serve the GERROR interrupt, or poll it: command queue errors are mended, the rest is logged and
 * acknowledged; an event or PRI queue whose writes were aborted is emptied, as its records count
 * for nothing (7.2.2, 8.2).
 *
 * @param inst  zero or probed
 *
 * @return the bits of GERROR that were active; 0 unless the instance is up
 *
 * Any context, several at a time; does not sleep. IHI 0070 G.b, 7.5.
 */
uint32_t smmu_instance_gerror(struct smmu_instance *inst);

/**
 * Take one event. Its interrupt comes when the queue stops being empty, and only then (3.18.2): on
 * an interrupt call this until it returns 0. events_lost counts overflows: records were lost after
 * those that were in the queue.
 *
 * @param inst   zero or probed
 * @param event  the event; unchanged if there is none
 *
 * @return 1; 0: there is none, or the instance is not up
 *
 * Any context that is not itself interrupted by another caller: one caller at a time. Does not
 * sleep. IHI 0070 G.b, 7.3.
 */
int smmu_instance_event(struct smmu_instance *inst, struct smmu_event *event);

/**
 * Take one page request. After an overflow the SMMU itself has answered the requests that were
 * lost; groups that were cut by that are dropped here, and pri_overflows grows: whoever holds
 * requests of groups whose last one has not come drops them and sends no response (8.1.1).
 *
 * @param inst  zero or probed
 * @param pri   the request; unchanged if there is none
 *
 * @return 1: call it again; 0: there is none, or the instance is not up
 *
 * Any context, one caller at a time, as for events. Does not sleep. IHI 0070 G.b, 8.1.
 */
int smmu_instance_page_request(struct smmu_instance *inst, struct smmu_pri *pri);
/** @} */

/**
 * Whose stream is it?
 *
 * @param inst  probed
 * @param sid   a StreamID
 *
 * @return the device, or NULL; it is the caller's affair that the device stays
 *
 * Takes the instance's lock: may sleep.
 */
struct smmu_device *smmu_instance_find_device(struct smmu_instance *inst, uint32_t sid);

SMMU_END_DECLS

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file device.h
 * A device behind one SMMU: its streams, its ATS, its substreams, and what it is attached to.
 *
 * Functions here may wait for sweeps that are under way (smmu_rcu_synchronize): call none of them
 * while a fence of your own thread is open. A device is attached and detached by any number of
 * threads; one at a time gets through (its lock).
 */
#ifndef SMMUV3_DEVICE_H
#define SMMUV3_DEVICE_H

#include <smmuv3/domain.h>
#include <smmuv3/hw/cd.h>
#include <smmuv3/hw/ste.h>
#include <smmuv3/instance.h>

SMMU_BEGIN_DECLS

/** Services of the bus that the device sits on. Called on the attach side; may sleep. */
struct smmu_device_ops {
	/**
	 * Switch ATS in the device on or off, for all its streams.
	 *
	 * On: called when the STEs allow ATS and the SMMU knows. Program the device's Smallest
	 * Translation Unit to @p stu, the log2 of the smallest granule of the SMMU (IHI 0070 G.b,
	 * 3.9.1): a device set to a larger one may answer an invalidation without doing it. Off:
	 * return when the device sends no more translation requests, all that it sent are answered,
	 * and it sends no more translated accesses; what its ATC held, or an answer brought, is not
	 * used again, not even after ATS goes on again. Also called where it is off, by
	 * smmu_device_init.
	 *
	 * While ATS is off, ATC_INV still come. They are to be answered as unsupported requests
	 * (IHI 0070 G.b, 3.9.1.5).
	 *
	 * @return 0; a negative error: ATS is off. For off the result is ignored.
	 */
	int (*set_ats)(void *ctx, bool on, unsigned stu);
};

struct smmu_device_config {
	/** Enabled. */
	struct smmu_instance *instance;
	/** Its StreamIDs, in any order; copied. A stream named twice counts once. */
	const uint32_t *streams;
	/** 1 and up. */
	uint32_t nr_streams;
	/** Substreams 1 to 2^n-1 may be used; 0: none. Cut to what the SMMU has. */
	uint8_t ssid_bits;
	/**
	 * Use ATS while a domain with a table is attached. Not for devices with CXL.cache: an SMMU
	 * need not check those accesses against the STE (IHI 0070 G.b, 3.9.3), so that a cut-off
	 * would not hold them.
	 */
	bool ats;
	/**
	 * Use ATS in the identity domain as well, for a device that sends translated accesses
	 * whatever it is attached to. A stream in bypass gets none (IHI 0070 G.b, 5.2, STE.EATS);
	 * so its STE says stage 1, whose traffic without a substream passes by (13.6.4). Needs ats,
	 * and an SMMU with stage 1 and substreams; the device has substreams then (ssid_bits 1 at
	 * least).
	 */
	bool ats_always;
	/**
	 * Accesses that fault at stage 1 stall until somebody answers them (fault.h), where the
	 * SMMU can choose (IDR0.STALL_MODEL 0). Not for PCIe (IHI 0070 G.b, 3.12.1), nor with ats.
	 * Where it cannot choose all stall, or none.
	 */
	bool stalls;
	/** Needed for ats. */
	const struct smmu_device_ops *ops;
	void *ctx;
	/** For messages; outlives the device; NULL: none. */
	const char *name;
};

/** Context descriptors of one device. */
struct smmu_cdtab {
	void *table; /**< CDs, or L1 descriptors */
	uint64_t bus;
	size_t size;
	struct smmu_cd **l2;
	uint32_t l1_count;
	uint8_t log2size; /**< substreams covered */
	/** Without substreams two CDs take turns, so that a change is one store in the STE. */
	uint8_t slot;
};

/** One attachment: of a substream, or of traffic without one, to a domain. Private. */
struct smmu_attachment {
	/** In streams->leaving. */
	struct smmu_attachment *next;
	/** In device->pasids: those with smaller and larger numbers. */
	struct smmu_attachment *child[2];
	struct smmu_domain *domain;
	uint32_t ssid; /**< 0: traffic without a substream */
	uint32_t id;   /**< ASID or VMID of the domain on this instance; 0: it has no table */
	bool leads;    /**< it counts in domain->sva.leading */
	/** A stand-in's, whose table is in use under this tag as well (src/driver/takeover.c). */
	bool follows;
	uint32_t follows_id;
};

/**
 * The streams of a device as the SMMU and sweeps know them. Made and kept by the library, since it
 * outlives the device where the SMMU did not confirm that it forgot them. Private.
 */
struct smmu_streams {
	struct smmu_instance *instance;
	struct smmu_streams *next;   /**< in instance->leftovers, once the device is gone */
	struct smmu_inv_owner owner; /**< how far it is cut off; what arrays name */
	const char *name;
	uint32_t nr;   /**< streams, */
	uint32_t room; /**< and for how many there is room */
	uint32_t *id;  /**< ascending */
	struct smmu_ste **ste;
	struct smmu_cmd *cfgi;    /**< for each, what makes the SMMU forget it */
	struct smmu_cmd *scratch; /**< room for two commands each; under the device's lock */
	struct smmu_inv *set;     /**< room for the operations of an attachment; likewise */
	/** Excludes a cut-off against a change of the STEs. Any context; short. */
	struct smmu_spinlock ste_lock;
	struct smmu_cdtab cdtab;
	/**
	 * Attachments that are over, but the SMMU did not confirm it: their domains still name the
	 * streams.
	 */
	struct smmu_attachment *leaving;
	/** Caches of the SMMU may hold other STEs and CDs than memory does. */
	uint32_t unconfirmed;
	/** Cut off for a reset, or since the device is gone: not for a silent ATC. */
	uint32_t resting;
	bool ats; /**< operations for their ATCs are in the arrays */
	/** A guest's STE had substreams: its ATC may hold entries under them. */
	bool guest_substreams;
	uint32_t stalls_lost; /**< of the instance: what was lost before was ended */
	/** The STEs are not ours, and say how traffic goes on: until an attach or a cut-off. */
	uint32_t kept;
	/** The STEs may differ: they were not ours, and have not all been written since. */
	bool mixed;
	/** Stand-ins have what the SMMU used for the streams before; see handover.h. */
	bool displaced;
};

/** The embedder owns the memory; fields are private. */
struct smmu_device {
	struct smmu_instance *instance; /**< NULL once the instance was removed */
	struct smmu_device *next;       /**< in instance->devices */
	struct smmu_device **link;      /**< what leads to this one there */
	uint32_t pins; /**< walks of that list that stand here; under the instance's lock */
	const struct smmu_device_ops *ops;
	void *ctx;
	/** Serialises attach and detach of this device; taken before any other; may sleep. */
	struct smmu_mutex lock;
	struct smmu_streams *streams;
	struct smmu_rcu *rcu; /**< of the instance's port */
	uint8_t ssid_bits;
	bool has_ats; /**< from smmu_device_init on */
	bool ats_wanted;
	bool ats_always;
	bool stalls;
	bool in_reset;               /**< between smmu_device_reset_prepare and _done */
	uint32_t gone;               /**< smmu_device_gone was called */
	bool ats_on;                 /**< in the device */
	bool ats_refused;            /**< set_ats failed for what it is attached to now */
	bool stands_in;              /**< the library's own, for a reserved stream */
	bool gave_way;               /**< and another device has its stream */
	struct smmu_domain *domain;  /**< of traffic without a substream; NULL: blocked */
	struct smmu_attachment *own; /**< that attachment; NULL: blocked */
	/** The root of a tree (src/driver/pasids.c); NULL: no substream is attached. */
	struct smmu_attachment *pasids;
	struct smmu_vsmmu *plugged; /**< whose guest knows it by name; NULL: none's */
};

/**
 * The memory of a device that is not added yet.
 *
 * @param cfg    as for smmu_device_init; the instance is enabled
 * @param dma    bytes of DMA memory: context descriptors, and second-level stream tables that no
 *               stream needed yet
 * @param plain  bytes of plain memory
 *
 * Each attachment takes sizeof(struct smmu_attachment) of plain memory more, and one of a substream
 * at most 4,096 bytes of DMA memory. May sleep.
 */
void smmu_device_memory(const struct smmu_device_config *cfg, size_t *dma, size_t *plain);

/**
 * Add a device: its streams abort until it is attached, perhaps with an event (C_BAD_STREAMID) for
 * each access. Reserved streams (smmu_instance_enable_reserved) go on as they are until the first
 * attach or detach; if there is none, also after smmu_device_fini. From the first attach on they
 * are like any other. ATS is turned off in the device (set_ats), as somebody may have left it on,
 * with an ATC that is not empty; not where its streams go on by an STE that allows ATS.
 *
 * @return
 *   0
 *   -SMMU_EINVAL  the configuration, or the instance is not enabled
 *   -SMMU_EOPNOTSUPP  ats_always, which the SMMU cannot do
 *   -SMMU_ERANGE  a stream that the SMMU cannot have
 *   -SMMU_EEXIST  a stream of another device: see smmu_instance_find_group
 *   -SMMU_ENOMEM
 *   -SMMU_EIO     the SMMU does not confirm what it has to forget of the streams
 *
 * After an error nothing has changed, except that a second-level stream table that was made stays
 * with the instance. May sleep.
 */
int smmu_device_init(struct smmu_device *dev, const struct smmu_device_config *cfg);

/**
 * The device to which requesters with the streams @p streams (@p n of them) belong. An SMMU cannot
 * tell two requesters behind one StreamID apart (aliases: behind a bridge, say), so they are one
 * smmu_device, whose streams are those of all of them, and are attached together.
 *
 * @return
 *   0             *@p group has some of the streams, and no other device any: the requester belongs
 *                 to it. If it lacks others of them, drop it and add it anew with all
 *   -SMMU_ENOENT  no device has any of them: smmu_device_init
 *   -SMMU_EEXIST  several devices have: they are one group
 *
 * Takes the instance's lock: may sleep.
 */
int smmu_instance_find_group(struct smmu_instance *inst, const uint32_t *streams, uint32_t n,
			     struct smmu_device **group);

/**
 * Detach a device from everything and drop it; its memory is the embedder's again. Cannot fail;
 * nothing to do after smmu_instance_remove, and may run beside it.
 *
 * Where the SMMU does not confirm, the library keeps what the SMMU may still use (the context
 * descriptors, and the place in the arrays of the domains, which cannot be finished meanwhile)
 * until smmu_instance_revive or smmu_instance_remove of the instance.
 *
 * Waits for the SMMU and for sweeps that are under way: may sleep.
 */
void smmu_device_fini(struct smmu_device *dev);

/**
 * Attach the device's traffic without substream to @p domain, in place of what it was attached to,
 * without a moment at which the streams are undefined; where the change is a single store (from
 * stage 1 to stage 1 without substreams, and more of them with SMMU_PORT_LSE2), without a moment at
 * which they fault. ATS is off in the device meanwhile where there are such moments, so that no
 * translation request is refused.
 *
 * @return
 *   0                 attached, and the SMMU has confirmed it. If set_ats refused, without ATS,
 *                     which the log says
 *   -SMMU_EINVAL      @p domain is NULL, or its port has other read sections (smmu_port.rcu)
 *   -SMMU_EOPNOTSUPP  the instance cannot use the domain's table, a line in the log says
 *                     why; or the table is somebody else's (smmu_sva_init): for substreams alone
 *   -SMMU_EBUSY       stage 2, or nested, while substreams are attached
 *   -SMMU_ENOSPC      no ASID or VMID left, or none of which the SMMU confirms that it forgot its
 *                     last use
 *   -SMMU_ENOMEM
 *   -SMMU_ENODEV      the instance was removed, or the device is gone; after all errors so far
 *                     everything is as before
 *   -SMMU_EIO         the device is cut off (smmu_device_quarantined), or the SMMU or the device's
 *                     ATC does not answer. If an earlier change, or an earlier unmap of
 *                     @p domain, was not confirmed and still is not, nothing changed. Else the
 *                     device is detached from both domains and blocked; see smmu_device_confirmed
 *                     for whether the SMMU knows. A later call tries again
 *
 * May sleep.
 */
int smmu_attach(struct smmu_device *dev, struct smmu_domain *domain);

/**
 * Attach the untagged traffic of each of the @p n devices at @p devs to @p domain, as smmu_attach
 * does, behind any number of instances: with one copy of the domain's array at most, and one wait
 * for the sweeps that are under way, where smmu_attach has a wait for each device, and a copy for
 * each that does not come behind the others. A device that is attached to @p domain already stays
 * so.
 *
 * No device is there twice, nor in another call of this function at the same time.
 *
 * @param devs     the devices
 * @param n        how many
 * @param domain   not a nested one
 * @param results  NULL, or room for @p n: what became of each, one of the values below. An
 *                 argument that is wrong and memory for the call itself are told by the return
 *                 alone
 *
 * @return the first of the results that is not 0, or 0
 *   0                 all are attached
 *   -SMMU_EINVAL      @p domain or @p devs is NULL, @p n is 0; or as for smmu_attach
 *   -SMMU_EOPNOTSUPP  @p domain is nested; or as for smmu_attach
 *   -SMMU_EBUSY, -SMMU_ENOSPC, -SMMU_ENOMEM, -SMMU_ENODEV  as for smmu_attach, for any of them;
 *                     after all errors so far everything is as before for all of them
 *   -SMMU_EIO         as for smmu_attach: if a device may not be attached, or an earlier unmap of
 *                     @p domain is not confirmed, nothing changed, and this is the result of all.
 *                     Else those whose result is 0 are attached, and the others are detached and
 *                     blocked
 *
 * May sleep.
 */
int smmu_attach_many(struct smmu_device *const *devs, uint32_t n, struct smmu_domain *domain,
		     int *results);

/**
 * Detach the device's traffic without substream: it aborts. Cannot fail and needs no memory; but
 * ask smmu_device_confirmed before memory of its DMA is used for something else. May sleep.
 */
void smmu_detach(struct smmu_device *dev);

/**
 * As smmu_attach, for one substream and a stage-1 domain. Also:
 *
 * @return
 *   -SMMU_ERANGE      @p ssid is not 1 … 2^ssid_bits-1: everything is as before
 *   -SMMU_EOPNOTSUPP  not a stage-1 domain: everything is as before
 *   -SMMU_EBUSY       the untagged traffic is at stage 2, or nested: everything is as before
 *   -SMMU_EIO         as there, for this substream; the device's other traffic aborts until the
 *                     next call that is confirmed
 */
int smmu_attach_pasid(struct smmu_device *dev, uint32_t ssid, struct smmu_domain *domain);

/** As smmu_detach, for one substream. */
void smmu_detach_pasid(struct smmu_device *dev, uint32_t ssid);

/**
 * True if the SMMU has confirmed all that was done to the device: it reaches what it is attached to
 * and nothing else. While this is false the device may still use what it was attached to, and those
 * domains keep their tables (smmu_domain_fini: -SMMU_EBUSY). Any context.
 */
bool smmu_device_confirmed(const struct smmu_device *dev);

/**
 * Ask the SMMU again, if it has not confirmed. Every attach and detach of the device does so as
 * well. May sleep.
 *
 * @return 0: confirmed. -SMMU_EIO: not. -SMMU_ENODEV: the instance was removed.
 */
int smmu_device_confirm(struct smmu_device *dev);

/**
 * True if the device was cut off because its ATC did not answer. It stays so until
 * smmu_device_recover or smmu_device_reset_done (reset.h) brings it back, or smmu_device_fini. Any
 * context, but not while smmu_device_fini, or smmu_instance_remove of its instance, may run: the
 * caller knows that the device stays.
 */
bool smmu_device_quarantined(const struct smmu_device *dev);

/**
 * What a substream of a device is attached to, found in O(log n); NULL: nothing. Not while an
 * attach or detach of the device may run.
 */
struct smmu_domain *smmu_device_pasid(const struct smmu_device *dev, uint32_t ssid);

SMMU_END_DECLS

#endif

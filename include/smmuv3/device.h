/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file device.h
 * A device behind one SMMU: its streams, its ATS, its substreams, and what it is attached to.
 *
 * All functions here may wait for sweeps that are under way (smmu_rcu_synchronize), when ATS comes or goes: call none of
 * them while a fence of your own thread is open.
 */
#ifndef SMMUV3_DEVICE_H
#define SMMUV3_DEVICE_H

#include <smmuv3/domain.h>
#include <smmuv3/hw/cd.h>
#include <smmuv3/hw/ste.h>
#include <smmuv3/instance.h>

SMMU_BEGIN_DECLS

/** Streams that one device may have. */
#define SMMU_DEVICE_STREAMS 8

/** Services of the bus that the device sits on. Called on the attach side; may sleep. */
struct smmu_device_ops {
	/** Switch ATS in the device on (0 or a negative error, left off) or off (result ignored). */
	int (*set_ats)(void *ctx, bool on);
};

struct smmu_device_config {
	struct smmu_instance *instance; /**< enabled */
	const uint32_t *streams;        /**< its StreamIDs, without duplicates; copied */
	uint32_t nr_streams;            /**< 1–SMMU_DEVICE_STREAMS */
	uint8_t ssid_bits; /**< substreams 1 … 2^n-1 may be used; 0: none; cut to what the SMMU has */
	bool ats;          /**< use ATS while attached to a domain with a table */
	const struct smmu_device_ops *ops; /**< needed for ats */
	void *ctx;
	const char *name; /**< for messages; outlives the device; NULL: none */
};

/** Context descriptors of one device. */
struct smmu_cdtab {
	void *table; /**< CDs, or L1 descriptors */
	uint64_t bus;
	size_t size;
	struct smmu_cd **l2;
	uint32_t l1_count;
	uint8_t log2size; /**< substreams covered */
	uint8_t slot; /**< without substreams two CDs take turns, so that a change is one store in the STE */
};

struct smmu_pasid {
	uint32_t ssid;
	struct smmu_domain *domain;
	struct smmu_pasid *next;
};

/** The embedder owns the memory; fields are private. */
struct smmu_device {
	struct smmu_instance *instance; /**< NULL once the instance was removed */
	struct smmu_device *next;       /**< in instance->devices */
	const struct smmu_device_ops *ops;
	void *ctx;
	const char *name;
	struct smmu_mutex
		lock; /**< serialises attach and detach of this device; taken before any other; may sleep */
	uint32_t stream[SMMU_DEVICE_STREAMS];
	struct smmu_ste *ste[SMMU_DEVICE_STREAMS];
	uint32_t nr_streams;
	uint8_t ssid_bits;
	bool ats_wanted;
	bool ats_on;          /**< in the device */
	bool ste_ats;         /**< in its STEs */
	uint32_t quarantined; /**< cut off because its ATC did not answer */
	struct smmu_spinlock
		ste_lock; /**< excludes quarantine against a change of the STEs; any context; short */
	struct smmu_domain *domain; /**< of traffic without a substream; NULL: blocked */
	struct smmu_cdtab cdtab;
	struct smmu_pasid *pasids;
};

/**
 * Bytes that smmu_device_init would allocate for @p cfg now: DMA memory (its context descriptors, and second-level stream
 * tables that no earlier stream has needed) and plain memory. Each substream attached later takes at most another 4096
 * bytes of DMA memory and sizeof(struct smmu_pasid). The instance is enabled. May sleep.
 */
void smmu_device_memory(const struct smmu_device_config *cfg, size_t *dma, size_t *plain);

/**
 * Add a device: its streams abort until it is attached. -SMMU_EINVAL, -SMMU_ERANGE (a stream the SMMU cannot have),
 * -SMMU_EEXIST (a stream taken), -SMMU_ENOMEM, -SMMU_EIO; nothing changed, but that a second-level stream
 * table that was made stays with the instance. May sleep.
 */
int smmu_device_init(struct smmu_device *dev, const struct smmu_device_config *cfg);

/**
 * Detach it from everything and drop it; nothing to do after smmu_instance_remove. Cannot fail. Waits for readers if the device
 * uses ATS: may sleep.
 */
void smmu_device_fini(struct smmu_device *dev);

/**
 * Attach the device's traffic without substream to @p domain, in place of what it was attached to, without a moment at
 * which the streams are undefined; from stage 1 to stage 1, if the device has no
 * substreams, without a moment at which they fault. -SMMU_EOPNOTSUPP (the
 * instance cannot use the domain's table; the log says why), -SMMU_EBUSY (stage 2 while substreams are attached),
 * -SMMU_ENOSPC (no ASID or VMID left), -SMMU_ENOMEM, the error of set_ats: everything is as before. -SMMU_EIO: the SMMU or the
 * device's ATC does not answer; the device is attached, but cut off (or was cut off before: then nothing changed).
 * -SMMU_ENODEV: the instance was removed. May sleep.
 */
int smmu_attach(struct smmu_device *dev, struct smmu_domain *domain);

/** Detach it: its traffic aborts. Cannot fail and needs no memory. Waits for sweeps before ATS goes off: may sleep. */
void smmu_detach(struct smmu_device *dev);

/**
 * The same for one substream, 1 … 2^ssid_bits-1, and a stage-1 domain. -SMMU_ERANGE, -SMMU_EOPNOTSUPP, -SMMU_EBUSY (stage 2
 * is attached), and the errors of smmu_attach. May sleep.
 */
int smmu_attach_pasid(struct smmu_device *dev, uint32_t ssid, struct smmu_domain *domain);
void smmu_detach_pasid(struct smmu_device *dev, uint32_t ssid);

/** True if the device was cut off because its ATC did not answer. It stays so until smmu_device_fini. */
bool smmu_device_quarantined(const struct smmu_device *dev);

SMMU_END_DECLS

#endif

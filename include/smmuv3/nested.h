/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file nested.h
 * Virtual SMMUs: guests that translate for themselves, under the stage 2 of a parent domain.
 *
 * A **parent** is a stage-2 domain: the guest's memory. Any number of virtual SMMUs share it; each
 * is bound to one real SMMU and has a VMID of its own there. What a guest writes into an STE
 * becomes a **nested domain**, which devices are attached to like any other (smmu_attach). Its
 * translation is the guest's: the SMMU fetches context descriptors and tables from guest memory,
 * through stage 2. An unmap of the parent clears stage 2 and what was combined with it, of all its
 * guests, on all SMMUs at once, and the ATCs of all their devices.
 *
 *     smmu_vsmmu_init    a virtual SMMU
 *     smmu_vsmmu_plug    a device gets the names that the guest knows its streams by
 *     smmu_nested_init   the guest wrote an STE
 *     smmu_attach        and it takes effect
 *     smmu_vsmmu_invalidate   the guest wrote commands
 */
#ifndef SMMUV3_NESTED_H
#define SMMUV3_NESTED_H

#include <smmuv3/device.h>
#include <smmuv3/domain.h>
#include <smmuv3/instance.h>
#include <smmuv3/vsmmu.h>

SMMU_BEGIN_DECLS

struct smmu_vsmmu_config {
	/** Enabled. */
	struct smmu_instance *instance;
	/** SMMU_DOMAIN_STAGE2. */
	struct smmu_domain *parent;
	/** What the guest reads in its ID registers, at most smmu_vsmmu_ids; copied. */
	struct smmu_id_regs shown;
};

struct smmu_vstreams;

/** The embedder owns the memory; fields are private. */
struct smmu_vsmmu {
	struct smmu_instance *instance; /**< NULL once it was removed */
	struct smmu_vsmmu *next;        /**< in instance->vsmmus */
	struct smmu_domain *parent;
	struct smmu_id_regs shown;
	struct smmu_guest guest;
	/** Published; guests' commands follow it without a lock. */
	struct smmu_vstreams *streams;
	/** Protects streams, and lets one device at a time join; attach side, may sleep. */
	struct smmu_mutex lock;
	uint32_t users; /**< nested domains and plugged devices */
};

/**
 * The most that a guest can be shown on @p inst, once probed: smmu_guest_ids of its registers,
 * without what a quirk of the part takes away (SMMU_QUIRK_NO_RANGE, _NO_ATS). Any context.
 */
void smmu_vsmmu_ids(const struct smmu_instance *inst, struct smmu_id_regs *shown);

/**
 * Make a virtual SMMU. Not at the same time as smmu_instance_remove of its instance.
 *
 * @return
 *   0
 *   -SMMU_EINVAL      no parent of stage 2, or its port has other read sections than the instance's
 *   -SMMU_ENODEV      the instance is not enabled
 *   -SMMU_EOPNOTSUPP  the SMMU cannot nest, cannot use the parent's table, or lacks what is shown;
 *                     the log says why
 *   -SMMU_ENOSPC      no VMID left
 *
 * After an error nothing is kept. May sleep.
 */
int smmu_vsmmu_init(struct smmu_vsmmu *v, const struct smmu_vsmmu_config *cfg);

/**
 * End a virtual SMMU: its VMID is given back, and cleaned before it is used again. Not at the same
 * time as smmu_instance_remove of its instance; but after it, too.
 *
 * @return 0; -SMMU_EBUSY: nested domains are left, or devices are plugged. Unchanged. May sleep.
 */
int smmu_vsmmu_fini(struct smmu_vsmmu *v);

/**
 * The guest knows the streams of @p dev, which is on the instance of @p v, by the names @p names:
 * one for each, in the order of smmu_device_config.streams. Its commands reach them from now on. A
 * device is in one virtual SMMU at a time.
 *
 * @return 0; -SMMU_EINVAL: another instance; -SMMU_ENODEV: it was removed; -SMMU_EBUSY: the device
 *   is plugged already; -SMMU_EEXIST: a name is taken, or stands twice; -SMMU_ERANGE: a name is
 *   above IDR1.SIDSIZE as shown; -SMMU_ENOMEM. After an error nothing changed. May sleep.
 */
int smmu_vsmmu_plug(struct smmu_vsmmu *v, struct smmu_device *dev, const uint32_t *names);

/**
 * The guest does not know @p dev any more: on return no command of its reaches the device's
 * streams. Cannot fail, needs no memory; nothing to do if it is not plugged. smmu_device_fini and
 * the removal of the instance do it as well. May sleep.
 */
void smmu_vsmmu_unplug(struct smmu_device *dev);

/**
 * A nested domain out of the STE @p guest that a guest wrote. To be attached to devices on the
 * instance of @p v; smmu_domain_fini ends it. An STE of V = 0 or Config = abort gives a domain in
 * which every access aborts, and one of bypass stage 2 alone. Maps and unmaps are the parent's:
 * here they are -SMMU_EOPNOTSUPP.
 *
 * @param why  unless NULL: for -SMMU_EINVAL the rule that the STE breaks, as smmu_guest_ste_read
 *   says; else NULL
 *
 * @return 0; -SMMU_EINVAL: the STE is ILLEGAL: let the stream abort (an STE of zeros), each access
 *   is a C_BAD_STE for the guest. Nothing is kept then. May sleep.
 */
int smmu_nested_init(struct smmu_domain *d, struct smmu_vsmmu *v, const struct smmu_ste *guest,
		     const char **why);

/** What became of a guest's commands. */
struct smmu_vsmmu_done {
	/**
	 * Commands that are done, those that are followed by a CMD_SYNC and without effect as well.
	 */
	uint32_t count;
	/** Why no more: what the command behind them is. */
	enum smmu_guest_stop stop;
	/** As smmu_guest_convert says. */
	const char *why;
	/** Devices that were cut off meanwhile, as their ATCs did not answer. */
	uint32_t cut;
	/**
	 * How long a block with ATC_INVs took, else 0. All that came behind it in the queue
	 * waited for these ATCs. Let the guest's next ATC_INV wait as long, and no guest has more
	 * than half of the queue's time, however slowly its devices answer.
	 */
	uint64_t atc_ns;
};

/**
 * Do what @p cmds, of a guest, ask for, up to the first that is not an invalidation, and wait until
 * the SMMU has done it. They go to it as one submission, however many they are.
 *
 * @param cmds  a copy of the guest's commands, in memory that the guest does not reach; overwritten
 * @param done  filled; also after an error
 *
 * @return
 *   0               done->count commands are complete; done->stop says what comes next
 *   -SMMU_ETIMEDOUT all is complete but the ATC_INVs of devices that did not answer. These have
 *                   been cut off: nothing that their ATCs hold can be used, and later commands for
 *                   them do nothing. Tell the guest CERROR_ATC_INV_SYNC where its CMD_SYNC stands,
 *                   or go on
 *   -SMMU_EIO       the SMMU does not answer: none of them counts as done (done->count 0)
 *   -SMMU_ENODEV    the instance was removed; done->count is 0. Nothing translates by what it had
 *                   once its removal has returned 0
 *
 * What a guest sends waits at most for what the queue held before it, and one time-out of an ATC
 * for each device of the guest that does not answer; its devices that were cut off are not asked
 * again. Others wait for it in turn (atc_ns).
 *
 * Any context that may wait; does not sleep, takes no lock. Several at a time. IHI 0070 G.b, 4.3.7,
 * 4.4, 4.5.1.
 */
int smmu_vsmmu_invalidate(struct smmu_vsmmu *v, struct smmu_cmd *cmds, uint32_t n,
			  struct smmu_vsmmu_done *done);

SMMU_END_DECLS

#endif

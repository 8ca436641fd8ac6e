/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file handover.h
 * What comes before the driver and after it: streams that may not fault while an SMMU is enabled,
 * and the state in which one is left for whoever comes next.
 */
#ifndef SMMUV3_HANDOVER_H
#define SMMUV3_HANDOVER_H

#include <smmuv3/domain.h>
#include <smmuv3/instance.h>

SMMU_BEGIN_DECLS

/**
 * A stream whose DMA firmware has set going and that goes on (a framebuffer, the disk that was
 * booted from), and where it may go: an RMR node of the IORT names both. An identity domain lets
 * it pass untranslated; one with a table allows only what is mapped in it, one to one for memory
 * that firmware has told the device of.
 */
struct smmu_reserved {
	uint32_t stream;
	/** Stays the embedder's, and in use until the stream's device is attached to another. */
	struct smmu_domain *domain;
};

/**
 * smmu_instance_enable with the streams of @p list attached before SMMUEN is set. If the SMMU is
 * found disabled and passing (GBPA.ABORT 0), as most firmware leaves it, it goes on passing
 * everything until then: no access of a reserved stream faults at any moment, and every other
 * stream aborts from then on. If it is found enabled, everything aborts while the registers are
 * taken over, as in smmu_instance_enable.
 *
 * A device that smmu_device_init adds with such a stream takes it over: its traffic goes on until
 * smmu_attach leads it to a domain, by a single change of the STE, or the device is cut off
 * (reset.h): after that it is blocked until smmu_attach.
 *
 * @return
 *   0
 *   -SMMU_EINVAL  a domain is missing, or its port has other read sections: nothing changed
 *   -SMMU_EEXIST  a stream is there twice
 *   others        of smmu_instance_enable, smmu_device_init and smmu_attach. After all but EINVAL
 *                 the SMMU was disabled again and nothing is kept, or it is held, as after
 *                 smmu_instance_enable; all traffic aborts, if a stream was attached
 *
 * Attach side: may sleep. One caller at a time for an instance. IHI 0070 G.b, 3.11, 6.3.9.6.
 */
int smmu_instance_enable_reserved(struct smmu_instance *inst, const struct smmu_reserved *list,
				  uint32_t n);

/** How an SMMU is left. */
enum smmu_hand_over {
	/** Disabled; everything aborts. What smmu_instance_remove does. */
	SMMU_HAND_OVER_ABORT,
	/**
	 * Disabled; every stream passes untranslated, those that were blocked too. What passed
	 * before by an identity domain goes on without a fault. What devices translate by
	 * themselves aborts (ATS goes off before).
	 */
	SMMU_HAND_OVER_BYPASS,
	/**
	 * Enabled, with interrupts and queues off: traffic goes on as the tables say, which stay
	 * where they are, those of the domains too. The next owner may adopt it.
	 */
	SMMU_HAND_OVER_TABLES,
};

/**
 * Give an SMMU up for the next stage. With ABORT and BYPASS all its devices are dropped first, as
 * by smmu_instance_remove, and the instance may be probed again. With TABLES it is *held*
 * (smmu_instance_remove) with its devices attached: they and their domains stay, nothing is
 * called for them but what ends the instance, and unmaps fail with -SMMU_EIO.
 *
 * @return
 *   0
 *   -SMMU_ENODEV     it is not up
 *   -SMMU_EINVAL     an unknown @p how
 *   -SMMU_ETIMEDOUT  a register does not answer: it is held, and what becomes of traffic is not
 *                    known
 *
 * Attach side: may sleep. One caller at a time for an instance. IHI 0070 G.b, 6.3.9, 6.3.14.
 */
int smmu_instance_hand_over(struct smmu_instance *inst, enum smmu_hand_over how);

SMMU_END_DECLS

#endif

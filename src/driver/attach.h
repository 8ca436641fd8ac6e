/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file attach.h
 * What attach.c and attach_pasid.c share. The device's lock is held, and it has an instance.
 */
#ifndef SMMU_DRIVER_ATTACH_H
#define SMMU_DRIVER_ATTACH_H

#include "driver.h"

static inline bool smmu_domain_is_stage1(const struct smmu_domain *d)
{
	return d && d->kind == SMMU_DOMAIN_STAGE1;
}

/* ---- attach_steps.c ---- */

/** Would what the device is attached to use its ATC? */
bool smmu_device_wants_ats(const struct smmu_device *dev);
/** Turn ATS off in the device, and let nothing be left of its ATC. 0; -SMMU_EIO: not confirmed. */
int smmu_device_ats_off(struct smmu_device *dev);
/** Turn ATS on in the device, if it is wanted. A device that refuses goes on without. 0; -SMMU_EIO: not confirmed. */
int smmu_device_ats_on(struct smmu_device *dev);
/** The STE for the state of the device. */
void smmu_device_make_ste(const struct smmu_device *dev, struct smmu_ste *ste);
/** Bring its STEs to that. 0; -SMMU_EIO: not confirmed, or cut off. */
int smmu_device_write_ste(struct smmu_device *dev);
/** Change the CD of @p ssid, in a table for substreams, to what @p a (NULL: not valid) needs. 0, -SMMU_EIO. */
int smmu_device_change_cd(struct smmu_device *dev, uint32_t ssid, const struct smmu_attachment *a);
/** True if the SMMU would see only the old or the new CD on the way from here to that of @p a. */
bool smmu_device_cd_hitless(struct smmu_device *dev, uint32_t ssid,
			    const struct smmu_attachment *a);
/** The CD of the untagged traffic, before the STE that leads to it. 0, -SMMU_EIO. */
int smmu_device_change_own_cd(struct smmu_device *dev);
/** Nothing in memory leads to @p a (NULL: none) any more: it stands in its array until the SMMU has confirmed that. */
void smmu_device_leave(struct smmu_device *dev, struct smmu_attachment *a);

/* ---- attach.c ---- */

/** Can anything be attached to it? -SMMU_ENODEV, -SMMU_EIO. */
int smmu_device_check(struct smmu_device *dev);
/** Can @p domain be? Those, and the errors of smmu_attach. */
int smmu_device_check_attach(struct smmu_device *dev, const struct smmu_domain *domain);
/** The part of an attach that can fail on a sound SMMU; on error nothing is changed. */
int smmu_attachment_prepare(struct smmu_device *dev, uint32_t ssid, struct smmu_domain *domain,
			    struct smmu_attachment **made);
/** Detach the untagged traffic. */
void smmu_device_detach_own(struct smmu_device *dev);

#endif

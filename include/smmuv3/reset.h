/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file reset.h
 * What a device lives through: a function-level reset, the way back out of a quarantine, its sudden
 * removal.
 *
 * A reset empties a device's ATC and turns its ATS off, and while it lasts nobody answers an ATC
 * invalidation (PCIe 6.x, 6.6.2, and the note in 10.3.1 on ATS around a reset). So the driver lets
 * go of the ATC first and takes it up again afterwards:
 *
 *     smmu_device_reset_prepare(dev);      its streams abort, ATS is off, no ATC_INV is or will be
 *     under way the reset, and the device's own set-up
 *     smmu_device_reset_done(dev);         attached to what it is attached to, substreams too, and
 *     ATS is on
 *
 * In between attach, detach, map and unmap work as ever, on what the device will find when it is
 * back. A device that was cut off because its ATC did not answer comes back in the same way; or, if
 * it was reset without that, by smmu_device_recover.
 */
#ifndef SMMUV3_RESET_H
#define SMMUV3_RESET_H

#include <smmuv3/device.h>

SMMU_BEGIN_DECLS

/**
 * Before a reset of @p dev (all of its streams). On success: ATS is off in the device (set_ats);
 * whatever its streams send is aborted, translated or not, as the SMMU has confirmed; unmaps do not
 * ask its ATC any more, and none that did is under way. What it is attached to stays. 0 also if
 * that is so already.
 *
 * @return
 *   0
 *   -SMMU_ENODEV  the instance was removed, or the device is gone
 *   -SMMU_EIO     the SMMU does not confirm. ATS is off and the streams abort in memory, but a copy
 *                 of what they were may be in use: do not reset, call again, or
 *                 smmu_device_reset_done to go on without a reset. Meanwhile unmaps of what it is
 *                 attached to fail with -SMMU_EIO
 *
 * Waits for the SMMU, and for sweeps that are under way, and with them for ATCs that do not answer:
 * may sleep.
 */
int smmu_device_reset_prepare(struct smmu_device *dev);

/**
 * After it: the device's ATC is empty and its ATS is off. Its streams reach what it is attached to
 * again, ATS goes on if that wants it, and its ATC is asked once, so that one that does not answer
 * is found before anybody else waits for it. 0 also if it was not being reset.
 *
 * @return
 *   0
 *   -SMMU_ENODEV  as above
 *   -SMMU_EIO     its ATC does not answer: it is cut off (smmu_device_quarantined), what it is
 *                 attached to stays, and after another reset smmu_device_recover brings it back. Or
 *                 the SMMU does not confirm: it is as during the reset; call again
 *
 * Waits as above: may sleep.
 */
int smmu_device_reset_done(struct smmu_device *dev);

/**
 * Bring a device back that is cut off (smmu_device_quarantined), after it was reset: as
 * smmu_device_reset_done. 0 also if it is not cut off. After any error it is cut off as before.
 * One that went by what a former owner has written (adopt.h) comes back attached to nothing: its
 * STE is gone since it was cut off.
 * May sleep.
 *
 * @return as smmu_device_reset_done; -SMMU_EBUSY between smmu_device_reset_prepare and
 * smmu_device_reset_done.
 */
int smmu_device_recover(struct smmu_device *dev);

/**
 * The device is no longer there (surprise removal). From here on set_ats is not called, nobody asks
 * its ATC, and its streams abort; whoever waits for its ATC, in an unmap or an attach, gets on when
 * the SMMU gives it up (PCIe: as soon as a port is down). It can be detached and finished, all else
 * is -SMMU_ENODEV. Cannot fail; smmu_device_confirmed tells whether the SMMU knows. Not while
 * smmu_device_fini of the device may run. Waits for the SMMU: may sleep.
 */
void smmu_device_gone(struct smmu_device *dev);

SMMU_END_DECLS

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device that is reset, comes back from a quarantine, or is gone.
 *
 * All three use what a quarantine is made of: the streams are cut off, so that no access passes and no sweep asks the ATC, while
 * attachments and arrays stay as they are. (IHI 0070 G.b, 3.9.1.3: with STE.CONFIG = abort and CR0.ATSCHK = 1 the SMMU refuses
 * translated accesses too.) The way back:
 *
 *   1. `cut` is lifted: sweeps that begin from here on ask the ATC again, in vain, as ATS is off (fact 8 of the sweep)
 *   2. wait for the readers: whatever a sweep has left out the ATC for is out of the TLB     (fact 6)
 *   3. the STEs say what the device is attached to; CFGI, SYNC
 *   4. ATS on; one ATC_INV, to see whether anybody is there
 *
 * So the ATC, which is empty, fills itself from what every sweep of before has cleaned, and every one of after will clean.
 */
#include <smmuv3/reset.h>

#include "driver.h"

static bool is_there(const struct smmu_device *dev)
{
	return dev->instance && !smmu_load(&dev->gone);
}

int smmu_device_reset_prepare(struct smmu_device *dev)
{
	int error = -SMMU_ENODEV;

	smmu_mutex_lock(&dev->lock);
	if (is_there(dev)) {
		struct smmu_rcu *rcu = dev->instance->port->rcu;

		smmu_device_silence(dev);
		dev->in_reset = true;
		error = smmu_streams_rest(dev->streams, true);
		if (!error)
			error = smmu_device_ask_again(dev);
		else
			smmu_device_not_confirmed(dev);
		smmu_streams_end_faults(dev->streams, 0, true);
		if (!error)
			smmu_streams_end_lost(dev->streams);
		/* Sweeps that asked its ATC before are done. */
		if (dev->has_ats)
			smmu_rcu_synchronize(rcu);
	}
	smmu_mutex_unlock(&dev->lock);
	return error;
}

/** Let the device back, which was cut off for one reason or another. 0, -SMMU_EIO. Its lock is held. */
static int come_back(struct smmu_device *dev)
{
	struct smmu_streams *s = dev->streams;
	uint32_t resting = smmu_load(&s->resting);
	bool in_reset = dev->in_reset;
	int error = smmu_device_ask_again(dev);

	if (error)
		return error;
	/* The reset has turned it off already; where there was none, as it is known to be in use. */
	smmu_device_silence(dev);
	smmu_streams_let_back(s);
	dev->in_reset = false;
	error = smmu_device_write(dev);
	if (!error)
		return 0;
	/* Its ATC does not answer, and it is cut off for that; else as it was. */
	if (!smmu_streams_cut(s)) {
		smmu_streams_rest(s, true);
		smmu_store(&s->resting, resting);
		dev->in_reset = in_reset;
	}
	smmu_device_not_confirmed(dev);
	return error;
}

int smmu_device_reset_done(struct smmu_device *dev)
{
	int error = -SMMU_ENODEV;

	smmu_mutex_lock(&dev->lock);
	if (is_there(dev))
		error = dev->in_reset ? come_back(dev) : 0;
	smmu_mutex_unlock(&dev->lock);
	return error;
}

int smmu_device_recover(struct smmu_device *dev)
{
	int error = -SMMU_ENODEV;

	smmu_mutex_lock(&dev->lock);
	if (is_there(dev) && dev->in_reset)
		error = -SMMU_EBUSY;
	else if (is_there(dev))
		error = smmu_device_quarantined(dev) ? come_back(dev) : 0;
	smmu_mutex_unlock(&dev->lock);
	return error;
}

/**
 * At once, as whoever has the lock may be waiting for the ATC. A reader: smmu_instance_remove waits for it before it frees the
 * streams, if they have ATS.
 */
static void stop_asking(struct smmu_device *dev)
{
	unsigned cookie = smmu_rcu_enter(dev->rcu);
	struct smmu_streams *s = smmu_load(&dev->streams);

	if (s)
		smmu_streams_rest(s, false);
	smmu_rcu_exit(dev->rcu, cookie);
}

void smmu_device_gone(struct smmu_device *dev)
{
	int error = 0;

	smmu_store(&dev->gone, 1);
	if (dev->has_ats)
		stop_asking(dev);
	smmu_mutex_lock(&dev->lock);
	dev->ats_on = false;
	if (dev->instance)
		error = smmu_streams_rest(dev->streams, true);
	if (error)
		smmu_device_not_confirmed(dev);
	else if (dev->instance)
		error = smmu_device_ask_again(dev);
	if (dev->instance)
		smmu_streams_end_faults(dev->streams, 0, true);
	if (dev->instance && !error)
		smmu_streams_end_lost(dev->streams);
	smmu_mutex_unlock(&dev->lock);
}

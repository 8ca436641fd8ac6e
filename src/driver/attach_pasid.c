/* SPDX-License-Identifier: BSD-2-Clause */
/* Attach and detach of substreams, in the order of attach.c; and of all that a device has. */
#include "attach.h"

#include <smmuv3/sva.h>

/** Steps 2 to 6 for a substream: in place of its attachment, if there is one, @p new (NULL: none). */
static int switch_pasid(struct smmu_device *dev, uint32_t ssid, struct smmu_attachment *new)
{
	struct smmu_attachment *old = smmu_pasids_find(dev, ssid);
	struct smmu_streams *s = dev->streams;
	struct smmu_ste ste;
	int error = 0;

	if (new)
		smmu_pasids_put(dev, new);
	else
		smmu_pasids_remove(dev, ssid);
	dev->ats_refused = false;
	smmu_device_make_ste(dev, &ste);
	if (dev->ats_on && (!smmu_device_wants_ats(dev) || !smmu_streams_hitless(s, &ste) ||
			    (new &&old && !smmu_device_cd_hitless(dev, ssid, new))))
		error = smmu_device_ats_off(dev);
	/* The first and the last substream change the STE as well: its CONFIG, or EATS. */
	if (!error && new)
		error = smmu_device_change_cd(dev, ssid, new);
	if (!error)
		error = smmu_device_write_ste(dev);
	if (!error && !new)
		error = smmu_device_change_cd(dev, ssid, NULL);
	if (!error && dev->ats_on && old)
		error = smmu_streams_clear_atc(s, ssid, false);
	smmu_device_leave(dev, old);
	if (old)
		smmu_streams_end_faults(s, ssid, false);
	if (!error && !dev->own && !dev->pasids)
		smmu_streams_end_lost(s);
	if (!error)
		error = smmu_device_ats_on(dev);
	if (error) {
		smmu_pasids_remove(dev, ssid);
		smmu_device_leave(dev, new);
		smmu_device_not_confirmed(dev);
		smmu_device_change_cd(dev, ssid, NULL);
	}
	smmu_streams_settle(s);
	smmu_stand_ins_release(s);
	return error;
}

static int check_pasid(struct smmu_device *dev, uint32_t ssid, const struct smmu_domain *domain)
{
	int error = smmu_device_check_attach(dev, domain);

	if (error)
		return error;
	if (!ssid || ssid >> dev->ssid_bits)
		return -SMMU_ERANGE;
	if (!smmu_domain_is_stage1(domain))
		return -SMMU_EOPNOTSUPP;
	if (smmu_domain_is_foreign(domain) && smmu_load(&domain->sva.released))
		return -SMMU_ENODEV;
	if (dev->domain &&
	    (dev->domain->kind == SMMU_DOMAIN_STAGE2 || dev->domain->kind == SMMU_DOMAIN_NESTED))
		return -SMMU_EBUSY;
	return 0;
}

int smmu_attach_pasid(struct smmu_device *dev, uint32_t ssid, struct smmu_domain *domain)
{
	struct smmu_attachment *old, *a;
	int error;

	if (!domain)
		return -SMMU_EINVAL;
	smmu_mutex_lock(&dev->lock);
	error = check_pasid(dev, ssid, domain);
	old = smmu_pasids_find(dev, ssid);
	if (!error && !(old && old->domain == domain)) {
		error = smmu_attachment_prepare(dev, ssid, domain, &a);
		if (!error)
			error = switch_pasid(dev, ssid, a);
	}
	SMMU_TRACE_ATTACH(dev, ssid, domain, error);
	smmu_mutex_unlock(&dev->lock);
	return error;
}

/** Bring a substream to what its domain, over somebody else's table, is now. The device's lock is held. */
static int update(struct smmu_device *dev, uint32_t ssid)
{
	struct smmu_attachment *old, *a;
	bool released;
	int error;

	error = smmu_device_check(dev);
	old = smmu_pasids_find(dev, ssid);
	if (error)
		return error;
	if (!old || !smmu_domain_is_foreign(old->domain))
		return 0;
	released = smmu_load(&old->domain->sva.released);
	if (old->id == smmu_load(&old->domain->sva.asid) && old->leads != released)
		return 0;
	error = smmu_attachment_prepare(dev, ssid, old->domain, &a);
	if (!error)
		return switch_pasid(dev, ssid, a);
	/* A substream that leads to a table that goes, and cannot be made to lead nowhere, is detached. */
	return released ? switch_pasid(dev, ssid, NULL) : error;
}

int smmu_sva_update(struct smmu_device *dev, uint32_t ssid)
{
	int error;

	smmu_mutex_lock(&dev->lock);
	error = update(dev, ssid);
	smmu_mutex_unlock(&dev->lock);
	return error;
}

struct smmu_domain *smmu_device_pasid(const struct smmu_device *dev, uint32_t ssid)
{
	const struct smmu_attachment *a = smmu_pasids_find(dev, ssid);

	return a ? a->domain : NULL;
}

void smmu_detach_pasid(struct smmu_device *dev, uint32_t ssid)
{
	smmu_mutex_lock(&dev->lock);
	if (dev->instance) {
		smmu_device_ask_again(dev);
		if (smmu_pasids_find(dev, ssid))
			switch_pasid(dev, ssid, NULL);
	}
	SMMU_TRACE_DETACH(dev, ssid);
	smmu_mutex_unlock(&dev->lock);
}

void smmu_device_detach_all(struct smmu_device *dev)
{
	smmu_device_ask_again(dev);
	while (dev->pasids)
		switch_pasid(dev, dev->pasids->ssid, NULL);
	if (!smmu_load(&dev->streams->kept))
		smmu_device_detach_own(dev);
}

void smmu_device_drop_all(struct smmu_device *dev)
{
	struct smmu_attachment *a;

	while ((a = dev->pasids)) {
		smmu_pasids_remove(dev, a->ssid);
		smmu_device_leave(dev, a);
	}
	smmu_device_leave(dev, dev->own);
	dev->own = NULL;
	dev->domain = NULL;
	smmu_streams_drop(dev->streams);
}

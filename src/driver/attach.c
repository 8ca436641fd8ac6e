/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attach and detach: a transaction.
 *
 * Everything that can fail on a sound SMMU comes first, and is undone if something after it fails: the memory for the
 * record, the context descriptor and the new array, and an id. Then:
 *
 *   1. the new domain's array is published; barrier                              (smmu_domain_join)
 *   2. if ATS is on, and is not wanted any more or the change is not hitless, it goes off in the device, and its ATC is
 *      cleared                                                         (smmu_device_ats_off)
 *   3. CD and STE change; CFGI, SYNC: from here on no walk uses the old table
 *   4. if ATS stayed on: ATC_INV, SYNC: the ATC forgets what it had. Until here the old domain's array names the device
 *   5. the old domain's array is left; the last user of an id cleans it            (smmu_streams_settle)
 *   6. if ATS is wanted and off, it goes on
 *
 * ATS goes on after the STE that allows it is confirmed, and off before the STE that forbids it is stored (IHI 0070 G.b,
 * 3.9.2), so no request of a live device is refused. Arrays name the device before and after: fact 8 of the sweep.
 *
 * What the SMMU does not confirm is not done. If a step fails, the device is detached from both domains and its STEs abort, in
 * memory; both attachments go on standing in the arrays (they are leaving), and whatever is called next for the device asks
 * the SMMU again first (smmu_device_ask_again). So at most two are leaving for each substream.
 *
 * The steps are in attach_steps.c, substreams in attach_pasid.c.
 */
#include "attach.h"

/** Is it a guest's, who has substreams there? Then the host has none beside it. */
static bool has_substreams(const struct smmu_domain *d)
{
	return smmu_domain_nests(d) && d->guest.w0 & SMMU_STE_W0_S1CDMAX;
}

/** Steps 2 to 6 for traffic without a substream. */
int smmu_device_switch(struct smmu_device *dev, struct smmu_attachment *new)
{
	struct smmu_attachment *old = dev->own;
	struct smmu_streams *s = dev->streams;
	struct smmu_ste ste;
	int error = 0;

	dev->own = new;
	dev->domain = new ? new->domain : NULL;
	dev->ats_refused = false;
	smmu_device_make_ste(dev, &ste);
	if (has_substreams(dev->domain))
		s->guest_substreams = true;
	if (dev->ats_on && (!smmu_device_wants_ats(dev) || !smmu_streams_hitless(s, &ste) ||
			    (dev->ssid_bits && smmu_domain_is_stage1(dev->domain) &&
			     !smmu_device_cd_hitless(dev, 0, new))))
		error = smmu_device_ats_off(dev);
	if (!error)
		error = smmu_device_change_own_cd(dev);
	if (!error)
		error = smmu_device_write_ste(dev);
	if (!error && dev->ssid_bits && old && smmu_domain_is_stage1(old->domain) &&
	    !smmu_domain_is_stage1(dev->domain))
		error = smmu_device_change_cd(dev, 0, NULL);
	if (!error && dev->ats_on)
		error = smmu_streams_clear_atc(s, 0, s->guest_substreams);
	smmu_device_leave(dev, old);
	/* Whatever waits for the old domain waits in vain; where it is a guest's, so do the guest's substreams. */
	if (old)
		smmu_streams_end_faults(s, 0, has_substreams(old->domain));
	if (!error && !new && !dev->pasids)
		smmu_streams_end_lost(s);
	/* Another device may have its STE by now, and have made it abort without an answer (reserved.c). */
	if (!error && !new && dev->stands_in)
		error = smmu_streams_forget(s, true);
	if (!error)
		error = smmu_device_ats_on(dev);
	if (error) {
		smmu_device_leave(dev, new);
		dev->own = NULL;
		dev->domain = NULL;
		smmu_device_not_confirmed(dev);
		if (dev->ssid_bits)
			smmu_device_change_cd(dev, 0, NULL);
	}
	smmu_streams_settle(s);
	smmu_stand_ins_release(s);
	return error;
}

/** Can anything be attached to it? -SMMU_ENODEV, -SMMU_EIO. */
int smmu_device_check(struct smmu_device *dev)
{
	int error;

	if (!dev->instance || smmu_load(&dev->gone))
		return -SMMU_ENODEV;
	error = smmu_device_ask_again(dev);
	if (error || (smmu_streams_cut(dev->streams) && !dev->in_reset))
		return -SMMU_EIO;
	return 0;
}

int smmu_device_check_attach(struct smmu_device *dev, const struct smmu_domain *domain)
{
	int error = smmu_device_check(dev);

	if (error == -SMMU_ENODEV)
		return error;
	if (domain->port->rcu != dev->instance->port->rcu)
		return -SMMU_EINVAL;
	if (error)
		return error;
	if (domain->kind == SMMU_DOMAIN_NESTED && dev->pasids)
		return -SMMU_EBUSY;
	if (domain->kind == SMMU_DOMAIN_STAGE2 && dev->pasids)
		return -SMMU_EBUSY;
	return smmu_domain_check(dev->instance, domain);
}

int smmu_device_may_attach(struct smmu_device *dev, const struct smmu_domain *domain)
{
	/* Over somebody else's table: for substreams alone. */
	return smmu_domain_is_foreign(domain) ? -SMMU_EOPNOTSUPP
					      : smmu_device_check_attach(dev, domain);
}

int smmu_attachment_make(struct smmu_device *dev, uint32_t ssid, struct smmu_domain *domain,
			 struct smmu_attachment **made)
{
	const struct smmu_port *port = dev->instance->port;
	struct smmu_attachment *a = port->ops->alloc(port->ctx, sizeof(*a));
	int error = 0;

	if (!a)
		return -SMMU_ENOMEM;
	*a = (struct smmu_attachment){.domain = domain, .ssid = ssid};
	if (smmu_domain_is_stage1(domain) && dev->ssid_bits)
		error = smmu_cdtab_make(dev->streams, ssid);
	if (error)
		port->ops->free(port->ctx, a, sizeof(*a));
	else
		*made = a;
	return error;
}

/** The part of an attach that can fail on a sound SMMU; on error nothing is changed. */
int smmu_attachment_prepare(struct smmu_device *dev, uint32_t ssid, struct smmu_domain *domain,
			    struct smmu_attachment **made)
{
	const struct smmu_port *port = dev->instance->port;
	int error = smmu_attachment_make(dev, ssid, domain, made);

	if (error)
		return error;
	if (smmu_domain_has_tag(domain))
		error = smmu_domain_join(dev->streams, *made);
	else
		smmu_fetch_add(&domain->users, 1);
	if (!error) {
		error = smmu_stand_ins_follow(dev->streams, *made);
		if (error)
			smmu_domain_leave(dev->streams, *made);
	}
	if (error)
		port->ops->free(port->ctx, *made, sizeof(**made));
	return error;
}

int smmu_attach(struct smmu_device *dev, struct smmu_domain *domain)
{
	struct smmu_attachment *a;
	int error;

	if (!domain)
		return -SMMU_EINVAL;
	smmu_mutex_lock(&dev->lock);
	error = smmu_device_may_attach(dev, domain);
	if (!error && dev->domain != domain) {
		error = smmu_attachment_prepare(dev, 0, domain, &a);
		if (!error)
			error = smmu_device_switch(dev, a);
	}
	SMMU_TRACE_ATTACH(dev, 0, domain, error);
	smmu_mutex_unlock(&dev->lock);
	return error;
}

/** Detach the untagged traffic; the device's lock is held. */
void smmu_device_detach_own(struct smmu_device *dev)
{
	if (dev->own || smmu_load(&dev->streams->kept))
		smmu_device_switch(dev, NULL);
}

void smmu_detach(struct smmu_device *dev)
{
	smmu_mutex_lock(&dev->lock);
	if (dev->instance) {
		smmu_device_ask_again(dev);
		smmu_device_detach_own(dev);
	}
	SMMU_TRACE_DETACH(dev, 0);
	smmu_mutex_unlock(&dev->lock);
}

void smmu_device_end_kept(struct smmu_device *dev)
{
	smmu_mutex_lock(&dev->lock);
	if (dev->instance && smmu_load(&dev->streams->kept))
		smmu_device_detach_own(dev);
	smmu_mutex_unlock(&dev->lock);
}

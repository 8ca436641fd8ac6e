/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attach and detach: a transaction.
 *
 * Everything that can fail comes first, and is undone if something after it fails: ATS is turned on in the device (its
 * STEs do not allow it yet, so it gets no translation), an id and the memory for the new array are found. From then on
 * only a broken SMMU or device can make trouble:
 *
 *   1. the new domain's array is published; barrier                          (smmu_domain_join)
 *   2. CD and STE change; CFGI, SYNC: from here on no walk uses the old table
 *   3. ATC_INV, SYNC: the ATC forgets what it had. Until here the old domain's array still names the device
 *   4. the old domain's array is left; the last user of an id cleans it        (smmu_domain_leave)
 *   5. if ATS is not needed any more: wait for the readers, turn it off
 *
 * Why ATS goes on before the array says so: a sweep that reads the new array sends ATC_INV to the device, which answers
 * only with ATS on. Why it goes off last: fact 5 of the sweep.
 */
#include "driver.h"

static bool wants_ats(const struct smmu_device *dev)
{
	return dev->ats_wanted && (smmu_domain_has_table(dev->domain) || dev->pasids);
}

/** Turn ATS on in the device, if @p need and it is not; *@p turned says whether this call did. */
static int ats_on(struct smmu_device *dev, bool need, bool *turned)
{
	int error;

	*turned = false;
	if (!need || !dev->ats_wanted || dev->ats_on)
		return 0;
	error = dev->ops->set_ats(dev->ctx, true);
	if (error)
		return error;
	dev->ats_on = *turned = true;
	return 0;
}

/** Turn ATS off in the device, if nothing needs it. */
static void ats_off(struct smmu_device *dev)
{
	if (!dev->ats_on || wants_ats(dev))
		return;
	smmu_rcu_synchronize(dev->instance->port->rcu);
	dev->ops->set_ats(dev->ctx, false);
	dev->ats_on = false;
}

struct cd_sync {
	struct smmu_device *dev;
	uint32_t ssid;
};

static int sync_cd(void *ctx)
{
	struct cd_sync *s = ctx;
	struct smmu_cmd cmd[SMMU_DEVICE_STREAMS];

	for (uint32_t i = 0; i < s->dev->nr_streams; i++)
		cmd[i] = smmu_cmd_cfgi_cd(s->dev->stream[i], s->ssid, false);
	return smmu_instance_issue(s->dev->instance, cmd, s->dev->nr_streams);
}

/** Change the CD of @p ssid in the device's table, which the SMMU may be reading; @p domain NULL: not valid. */
static int change_cd(struct smmu_device *dev, uint32_t ssid, struct smmu_cd *live,
		     const struct smmu_domain *domain, uint32_t asid)
{
	struct cd_sync s = {dev, ssid};
	struct smmu_entry_change change = {.port = dev->instance->port,
					   .kind = &smmu_cd_kind,
					   .live = {live->w},
					   .n = 1,
					   .sync = sync_cd,
					   .ctx = &s};
	struct smmu_cd cd = {0};

	if (domain)
		smmu_make_cd(dev, domain, asid, &cd);
	return smmu_entry_change(&change, cd.w);
}

/** Write the CD for traffic without substream into the slot that the STE does not point to. */
static void fill_spare_cd(struct smmu_device *dev, const struct smmu_domain *domain, uint32_t asid)
{
	struct smmu_cd *live, cd;

	dev->cdtab.slot ^= 1;
	smmu_cdtab_cd(dev, 0, &live);
	smmu_make_cd(dev, domain, asid, &cd);
	for (unsigned w = 0; w < SMMU_ARRAY_SIZE(cd.w); w++)
		smmu_store(&live->w[w], cd.w[w]);
	smmu_port_clean(dev->instance->port, live, sizeof(*live));
	smmu_dma_wmb();
}

static bool is_stage1(const struct smmu_domain *d)
{
	return d && d->kind == SMMU_DOMAIN_STAGE1;
}

/** Steps 2 to 5 for traffic without substream: from dev->domain to @p new (NULL: blocked), whose id is @p id. */
static int switch_domain(struct smmu_device *dev, struct smmu_domain *new, uint32_t id)
{
	struct smmu_domain *old = dev->domain;
	bool had_ats = dev->ste_ats, substreams = dev->ssid_bits != 0;
	struct smmu_cd *cd0 = NULL;
	int error = 0;

	dev->domain = new;
	/* The leaf that holds CD 0 was made by the attach that needed it first. */
	if (substreams && (is_stage1(new) || is_stage1(old)))
		smmu_cdtab_cd(dev, 0, &cd0);
	if (is_stage1(new)) {
		if (substreams)
			error = change_cd(dev, 0, cd0, new, id);
		else
			fill_spare_cd(dev, new, id);
	}
	error = smmu_first_error(error, smmu_device_write_ste(dev, wants_ats(dev), id,
							      is_stage1(new) && !substreams));
	if (substreams && is_stage1(old) && !is_stage1(new))
		error = smmu_first_error(error, change_cd(dev, 0, cd0, NULL, 0));
	if (had_ats)
		error = smmu_first_error(error, smmu_device_clear_atc(dev, 0));
	if (smmu_domain_has_table(old))
		smmu_domain_leave(dev, 0, old);
	else if (old)
		smmu_fetch_sub(&old->users, 1);
	ats_off(dev);
	return error;
}

static int check_attach(struct smmu_device *dev, const struct smmu_domain *domain)
{
	if (!dev->instance)
		return -SMMU_ENODEV;
	if (smmu_device_quarantined(dev)) {
		/* Whoever found out may still be cutting it off; the error says that it is done. */
		smmu_device_quarantine(dev);
		return -SMMU_EIO;
	}
	if (domain->kind == SMMU_DOMAIN_STAGE2 && dev->pasids)
		return -SMMU_EBUSY;
	return smmu_domain_check(dev->instance, domain);
}

/** The part of an attach that can fail; on error nothing is changed. */
static int prepare(struct smmu_device *dev, uint32_t ssid, struct smmu_domain *domain,
		   struct smmu_membership *m)
{
	bool turned = false, table = smmu_domain_has_table(domain);
	struct smmu_cd *cd;
	int error = 0;

	m->id = 0;
	if (is_stage1(domain) && dev->ssid_bits)
		error = smmu_cdtab_cd(dev, ssid, &cd);
	if (!error)
		error = ats_on(dev, table, &turned);
	if (!error && table)
		error = smmu_domain_join(dev, ssid, domain, m);
	else if (!error)
		smmu_fetch_add(&domain->users, 1);
	if (error && turned) {
		/* No array ever named the device with ATS on: no sweep can be asking it. */
		dev->ops->set_ats(dev->ctx, false);
		dev->ats_on = false;
	}
	return error;
}

int smmu_attach(struct smmu_device *dev, struct smmu_domain *domain)
{
	struct smmu_membership m;
	int error;

	if (!domain)
		return -SMMU_EINVAL;
	smmu_mutex_lock(&dev->lock);
	error = check_attach(dev, domain);
	if (!error && dev->domain != domain) {
		error = prepare(dev, 0, domain, &m);
		if (!error)
			error = switch_domain(dev, domain, m.id);
	}
	smmu_mutex_unlock(&dev->lock);
	return error;
}

void smmu_detach(struct smmu_device *dev)
{
	smmu_mutex_lock(&dev->lock);
	if (dev->instance && dev->domain)
		switch_domain(dev, NULL, 0);
	smmu_mutex_unlock(&dev->lock);
}

static struct smmu_pasid **find_pasid(struct smmu_device *dev, uint32_t ssid)
{
	struct smmu_pasid **p = &dev->pasids;

	while (*p && (*p)->ssid != ssid)
		p = &(*p)->next;
	return p;
}

/** Steps 2 to 5 for a substream: from @p old to @p new, either may be NULL. The device's list is already the new one. */
static int switch_pasid(struct smmu_device *dev, uint32_t ssid, struct smmu_domain *old,
			struct smmu_domain *new, uint32_t asid)
{
	bool had_ats = dev->ste_ats;
	struct smmu_cd *cd;
	int error;

	smmu_cdtab_cd(dev, ssid, &cd);
	error = change_cd(dev, ssid, cd, new, asid);
	/* The first and the last substream change the STE as well: its CONFIG, or ATS. */
	if (!dev->domain || dev->domain->kind != SMMU_DOMAIN_STAGE2)
		error = smmu_first_error(error,
					 smmu_device_write_ste(dev, wants_ats(dev), 0, false));
	if (had_ats && old)
		error = smmu_first_error(error, smmu_device_clear_atc(dev, ssid));
	if (had_ats && !dev->ste_ats)
		error = smmu_first_error(error, smmu_device_clear_atc(dev, 0));
	if (old)
		smmu_domain_leave(dev, ssid, old);
	ats_off(dev);
	return error;
}

static int check_pasid(struct smmu_device *dev, uint32_t ssid, const struct smmu_domain *domain)
{
	int error = check_attach(dev, domain);

	if (error)
		return error;
	if (!ssid || ssid >> dev->ssid_bits)
		return -SMMU_ERANGE;
	if (!is_stage1(domain))
		return -SMMU_EOPNOTSUPP;
	if (dev->domain && dev->domain->kind == SMMU_DOMAIN_STAGE2)
		return -SMMU_EBUSY;
	return 0;
}

int smmu_attach_pasid(struct smmu_device *dev, uint32_t ssid, struct smmu_domain *domain)
{
	struct smmu_pasid **at, *p = NULL, *fresh = NULL;
	struct smmu_domain *old = NULL;
	struct smmu_membership m;
	const struct smmu_port *port;
	int error;

	if (!domain)
		return -SMMU_EINVAL;
	smmu_mutex_lock(&dev->lock);
	error = check_pasid(dev, ssid, domain);
	if (error)
		goto out;
	port = dev->instance->port;
	at = find_pasid(dev, ssid);
	p = *at;
	if (p && p->domain == domain)
		goto out;
	if (!p) {
		fresh = port->ops->alloc(port->ctx, sizeof(*fresh));
		error = fresh ? 0 : -SMMU_ENOMEM;
	}
	if (!error)
		error = prepare(dev, ssid, domain, &m);
	if (error) {
		if (fresh)
			port->ops->free(port->ctx, fresh, sizeof(*fresh));
		goto out;
	}
	if (p) {
		old = p->domain;
	} else {
		p = fresh;
		p->ssid = ssid;
		*at = p;
	}
	p->domain = domain;
	error = switch_pasid(dev, ssid, old, domain, m.id);
out:
	smmu_mutex_unlock(&dev->lock);
	return error;
}

/** The device's lock is held. */
static void detach_pasid(struct smmu_device *dev, struct smmu_pasid **at)
{
	const struct smmu_port *port = dev->instance->port;
	struct smmu_pasid *p = *at;

	*at = p->next;
	switch_pasid(dev, p->ssid, p->domain, NULL, 0);
	port->ops->free(port->ctx, p, sizeof(*p));
}

void smmu_detach_pasid(struct smmu_device *dev, uint32_t ssid)
{
	struct smmu_pasid **at;

	smmu_mutex_lock(&dev->lock);
	at = find_pasid(dev, ssid);
	if (dev->instance && *at)
		detach_pasid(dev, at);
	smmu_mutex_unlock(&dev->lock);
}

void smmu_device_detach_all(struct smmu_device *dev)
{
	while (dev->pasids)
		detach_pasid(dev, &dev->pasids);
	if (dev->domain)
		switch_domain(dev, NULL, 0);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attach and detach: a transaction.
 *
 * Everything that can fail on a sound SMMU comes first, and is undone if something after it fails: the memory for the
 * record, the context descriptor and the new array, and an id. Then:
 *
 *   1. the new domain's array is published; barrier                              (smmu_domain_join)
 *   2. if ATS is on, and is not wanted any more or the change is not hitless, it goes off in the device, and its ATC is
 *      cleared                                                                    (ats_off)
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
 * the SMMU again first (confirm). So at most two are leaving for each substream.
 */
#include "driver.h"

#include <smmuv3/sva.h>

static bool wants_ats(const struct smmu_device *dev)
{
	const struct smmu_domain *d = dev->domain;

	if (!dev->ats_wanted || smmu_streams_cut(dev->streams))
		return false;
	return dev->pasids ||
	       (d && (smmu_domain_has_table(d) || (smmu_domain_nests(d) && d->guest.ats) ||
		      (dev->ats_always && d->kind == SMMU_DOMAIN_IDENTITY)));
}

static unsigned smallest_granule(const struct smmu_instance *inst)
{
	return inst->features.bits & SMMU_FEAT_4K    ? 12
	       : inst->features.bits & SMMU_FEAT_16K ? 14
						     : 16;
}

static int set_ats(struct smmu_device *dev, bool on)
{
	/* Nobody is there whom it could be done to. */
	if (smmu_load(&dev->gone))
		return -SMMU_ENODEV;
	return dev->ops->set_ats(dev->ctx, on, smallest_granule(dev->instance));
}

void smmu_device_silence(struct smmu_device *dev)
{
	if (dev->ats_on)
		set_ats(dev, false);
	dev->ats_on = false;
}

/** Turn ATS off in the device, and let nothing be left of its ATC. 0; -SMMU_EIO: not confirmed. */
static int ats_off(struct smmu_device *dev)
{
	smmu_device_silence(dev);
	return smmu_streams_clear_atc(dev->streams, 0, true);
}

/** The STE for the state of the device. */
static void make_ste(const struct smmu_device *dev, struct smmu_ste *ste)
{
	smmu_make_ste(dev, wants_ats(dev) && !dev->ats_refused, dev->own ? dev->own->id : 0, ste);
}

static int write_ste(struct smmu_device *dev)
{
	struct smmu_ste ste;

	/* They abort, whatever it is attached to, until its reset is over. */
	if (dev->in_reset)
		return 0;
	make_ste(dev, &ste);
	if (dev->streams->mixed)
		return smmu_streams_take_over(dev->streams, &ste);
	return smmu_streams_write(dev->streams, &ste);
}

/** Turn ATS on in the device, if it is wanted. A device that refuses goes on without. 0; -SMMU_EIO: not confirmed. */
static int ats_on(struct smmu_device *dev)
{
	struct smmu_message m;
	int error;

	if (dev->ats_on || dev->ats_refused || !wants_ats(dev))
		return 0;
	error = set_ats(dev, true);
	dev->ats_on = !error;
	if (!error)
		return 0;
	smmu_text_str(smmu_message_begin(&m, dev->instance->name), "stream ");
	smmu_text_hex(&m.text, dev->streams->id[0], 1);
	smmu_text_str(&m.text, ": its ATS does not go on; it is used without");
	smmu_message_log(&m, dev->instance->port, SMMU_LOG_WARN);
	dev->ats_refused = true;
	return write_ste(dev);
}

struct cd_sync {
	struct smmu_streams *s;
	uint32_t ssid;
	bool leaf; /* the level-1 descriptor is as it was */
};

static int sync_cd(void *ctx)
{
	struct cd_sync *c = ctx;
	struct smmu_cmd *cmd = c->s->scratch;

	for (uint32_t i = 0; i < c->s->nr; i++)
		cmd[i] = smmu_cmd_cfgi_cd(c->s->id[i], c->ssid, c->leaf);
	return smmu_instance_issue(c->s->instance, cmd, c->s->nr, true);
}

static uint64_t *live_cd(void *ctx, unsigned i)
{
	const struct cd_sync *c = ctx;

	return smmu_cdtab_cd(c->s, c->ssid)->w;
}

/** Write a CD that no STE leads to, and of which nothing is cached (IHI 0070 G.b, 3.21.3.1). */
static void fill_cd(struct smmu_streams *s, struct smmu_cd *live, const struct smmu_cd *cd)
{
	for (unsigned w = 0; w < SMMU_ARRAY_SIZE(cd->w); w++)
		smmu_store(&live->w[w], cd->w[w]);
	smmu_port_clean(s->instance->port, live, sizeof(*live));
	SMMU_BARRIER(cd_spare_filled, smmu_dma_wmb());
}

/** The CD of attachment @p a; NULL: one that is not valid, with word 3 ready as in a new table. */
static void make_cd(const struct smmu_device *dev, const struct smmu_attachment *a,
		    struct smmu_cd *cd)
{
	*cd = (struct smmu_cd){{0, 0, 0, SMMU_PGTABLE_MAIR}};
	if (a && smmu_domain_is_foreign(a->domain) && !a->leads)
		smmu_make_quiet_cd(dev->instance, a->domain, a->id, cd);
	else if (a)
		smmu_make_cd(dev->instance, dev->stalls, a->domain, a->id, cd);
}

/** Change the CD of @p ssid, in a table for substreams, to what @p a (NULL: not valid) needs. */
static int change_cd(struct smmu_device *dev, uint32_t ssid, const struct smmu_attachment *a)
{
	struct smmu_cd cd, *live = smmu_cdtab_cd(dev->streams, ssid);
	bool hooked = live && smmu_cdtab_hooked(dev->streams, ssid);
	struct cd_sync sync = {dev->streams, ssid, hooked};
	struct smmu_entry_change change = {.port = dev->instance->port,
					   .kind = &smmu_cd_kind,
					   .live = live_cd,
					   .n = 1,
					   .sync = sync_cd,
					   .ctx = &sync};

	/* No CD is valid in a leaf that was not made, or that the table does not lead to. */
	if (!live || (!hooked && !a))
		return 0;
	make_cd(dev, a, &cd);
	if (!hooked || !smmu_streams_reach_cds(dev->streams)) {
		fill_cd(dev->streams, live, &cd);
		if (hooked)
			return 0;
		/* A new leaf is complete when it is hooked: only the descriptor may be cached, as it was (5.3.1). */
		smmu_cdtab_hook(dev->streams, ssid);
		return smmu_streams_reach_cds(dev->streams) ? sync_cd(&sync) : 0;
	}
	return smmu_entry_change(&change, cd.w);
}

static bool cd_hitless(struct smmu_device *dev, uint32_t ssid, const struct smmu_attachment *a)
{
	struct smmu_cd cd, *live = smmu_cdtab_cd(dev->streams, ssid);

	if (!live)
		return true;
	make_cd(dev, a, &cd);
	return smmu_entry_hitless(&smmu_cd_kind, dev->instance->port, live->w, cd.w);
}

static bool is_stage1(const struct smmu_domain *d)
{
	return d && d->kind == SMMU_DOMAIN_STAGE1;
}

/** The CD of the untagged traffic, before the STE that leads to it. */
static int change_own_cd(struct smmu_device *dev)
{
	struct smmu_cd cd;

	if (!is_stage1(dev->domain))
		return 0;
	if (dev->ssid_bits)
		return change_cd(dev, 0, dev->own);
	/* Two take turns: this is the one that the STE does not point to. */
	dev->streams->cdtab.slot ^= 1;
	make_cd(dev, dev->own, &cd);
	fill_cd(dev->streams, smmu_cdtab_cd(dev->streams, 0), &cd);
	return 0;
}

static void leaving(struct smmu_device *dev, struct smmu_attachment *a)
{
	if (!a)
		return;
	a->next = dev->streams->leaving;
	dev->streams->leaving = a;
}

/**
 * The SMMU did not confirm a change: what the device is attached to has been taken out of it already. Its CD follows, as one
 * that a cached STE may lead to.
 */
static void not_confirmed(struct smmu_device *dev)
{
	smmu_device_silence(dev);
	if (smmu_streams_cut(dev->streams) && !smmu_streams_cut_off(dev->streams))
		return; /* it is off, and the SMMU knows */
	smmu_streams_halt(dev->streams);
	smmu_store(&dev->streams->unconfirmed, 1);
}

/** Write what the device is attached to, all of it, and let the SMMU forget what it had. 0, -SMMU_EIO. */
static int write_all(struct smmu_device *dev)
{
	int error = smmu_streams_forget(dev->streams, true);

	if (!error)
		error = smmu_streams_clear_atc(dev->streams, 0, true);
	if (!error && is_stage1(dev->domain) && !dev->ssid_bits)
		error = change_own_cd(dev);
	if (!error)
		error = write_ste(dev);
	return error;
}

/** Ask the SMMU again, if it has not confirmed. The device's lock is held. */
static int confirm(struct smmu_device *dev)
{
	struct smmu_streams *s = dev->streams;
	int error = 0;

	if (smmu_streams_cut(s))
		error = smmu_streams_cut_off(s);
	else if (smmu_load(&s->unconfirmed))
		error = write_all(dev);
	else
		return 0;
	if (!error) {
		smmu_store(&s->unconfirmed, 0);
		smmu_streams_settle(s);
		smmu_stand_ins_release(s);
		error = ats_on(dev);
	}
	if (error)
		not_confirmed(dev);
	return error;
}

/** Steps 2 to 6 for traffic without substream, to attachment @p new (NULL: blocked). */
static int switch_own(struct smmu_device *dev, struct smmu_attachment *new)
{
	struct smmu_attachment *old = dev->own;
	struct smmu_streams *s = dev->streams;
	struct smmu_ste ste;
	int error = 0;

	dev->own = new;
	dev->domain = new ? new->domain : NULL;
	dev->ats_refused = false;
	make_ste(dev, &ste);
	if (smmu_domain_nests(dev->domain) && dev->domain->guest.w0 & SMMU_STE_W0_S1CDMAX)
		s->guest_substreams = true;
	if (dev->ats_on && (!wants_ats(dev) || !smmu_streams_hitless(s, &ste) ||
			    (dev->ssid_bits && is_stage1(dev->domain) && !cd_hitless(dev, 0, new))))
		error = ats_off(dev);
	if (!error)
		error = change_own_cd(dev);
	if (!error)
		error = write_ste(dev);
	if (!error && dev->ssid_bits && old && is_stage1(old->domain) && !is_stage1(dev->domain))
		error = change_cd(dev, 0, NULL);
	if (!error && dev->ats_on)
		error = smmu_streams_clear_atc(s, 0, s->guest_substreams);
	leaving(dev, old);
	/* Whatever waits for the old domain waits in vain. */
	if (old)
		smmu_streams_end_faults(s, 0, false);
	if (!error)
		error = ats_on(dev);
	if (error) {
		leaving(dev, new);
		dev->own = NULL;
		dev->domain = NULL;
		not_confirmed(dev);
		if (dev->ssid_bits)
			change_cd(dev, 0, NULL);
	}
	smmu_streams_settle(s);
	smmu_stand_ins_release(s);
	return error;
}

/** Can anything be attached to it? -SMMU_ENODEV, -SMMU_EIO. */
static int check_device(struct smmu_device *dev)
{
	int error;

	if (!dev->instance || smmu_load(&dev->gone))
		return -SMMU_ENODEV;
	error = confirm(dev);
	if (error || (smmu_streams_cut(dev->streams) && !dev->in_reset))
		return -SMMU_EIO;
	return 0;
}

static int check_attach(struct smmu_device *dev, const struct smmu_domain *domain)
{
	int error = check_device(dev);

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
	return smmu_domain_is_foreign(domain) ? -SMMU_EOPNOTSUPP : check_attach(dev, domain);
}

int smmu_device_switch(struct smmu_device *dev, struct smmu_attachment *a)
{
	return switch_own(dev, a);
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
	if (is_stage1(domain) && dev->ssid_bits)
		error = smmu_cdtab_make(dev->streams, ssid);
	if (error)
		port->ops->free(port->ctx, a, sizeof(*a));
	else
		*made = a;
	return error;
}

/** The part of an attach that can fail on a sound SMMU; on error nothing is changed. */
static int prepare(struct smmu_device *dev, uint32_t ssid, struct smmu_domain *domain,
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
		error = prepare(dev, 0, domain, &a);
		if (!error)
			error = switch_own(dev, a);
	}
	SMMU_TRACE_ATTACH(dev, 0, domain, error);
	smmu_mutex_unlock(&dev->lock);
	return error;
}

/** Detach the untagged traffic; the device's lock is held. */
static void detach_own(struct smmu_device *dev)
{
	if (dev->own || dev->streams->kept)
		switch_own(dev, NULL);
}

void smmu_detach(struct smmu_device *dev)
{
	smmu_mutex_lock(&dev->lock);
	if (dev->instance) {
		confirm(dev);
		detach_own(dev);
	}
	SMMU_TRACE_DETACH(dev, 0);
	smmu_mutex_unlock(&dev->lock);
}

void smmu_device_end_kept(struct smmu_device *dev)
{
	smmu_mutex_lock(&dev->lock);
	if (dev->instance && dev->streams->kept)
		detach_own(dev);
	smmu_mutex_unlock(&dev->lock);
}

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
	make_ste(dev, &ste);
	if (dev->ats_on && (!wants_ats(dev) || !smmu_streams_hitless(s, &ste) ||
			    (new &&old && !cd_hitless(dev, ssid, new))))
		error = ats_off(dev);
	/* The first and the last substream change the STE as well: its CONFIG, or EATS. */
	if (!error && new)
		error = change_cd(dev, ssid, new);
	if (!error)
		error = write_ste(dev);
	if (!error && !new)
		error = change_cd(dev, ssid, NULL);
	if (!error && dev->ats_on && old)
		error = smmu_streams_clear_atc(s, ssid, false);
	leaving(dev, old);
	if (old)
		smmu_streams_end_faults(s, ssid, false);
	if (!error)
		error = ats_on(dev);
	if (error) {
		smmu_pasids_remove(dev, ssid);
		leaving(dev, new);
		not_confirmed(dev);
		change_cd(dev, ssid, NULL);
	}
	smmu_streams_settle(s);
	smmu_stand_ins_release(s);
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
		error = prepare(dev, ssid, domain, &a);
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

	error = check_device(dev);
	old = smmu_pasids_find(dev, ssid);
	if (error)
		return error;
	if (!old || !smmu_domain_is_foreign(old->domain))
		return 0;
	released = smmu_load(&old->domain->sva.released);
	if (old->id == smmu_load(&old->domain->sva.asid) && old->leads != released)
		return 0;
	error = prepare(dev, ssid, old->domain, &a);
	if (!error)
		return switch_pasid(dev, ssid, a);
	/* Who leads to a table that goes, and cannot be made to lead nowhere, leads to nothing. */
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
		confirm(dev);
		if (smmu_pasids_find(dev, ssid))
			switch_pasid(dev, ssid, NULL);
	}
	SMMU_TRACE_DETACH(dev, ssid);
	smmu_mutex_unlock(&dev->lock);
}

void smmu_device_detach_all(struct smmu_device *dev)
{
	confirm(dev);
	while (dev->pasids)
		switch_pasid(dev, dev->pasids->ssid, NULL);
	if (!dev->streams->kept)
		detach_own(dev);
}

void smmu_device_drop_all(struct smmu_device *dev)
{
	struct smmu_attachment *a;

	while ((a = dev->pasids)) {
		smmu_pasids_remove(dev, a->ssid);
		leaving(dev, a);
	}
	leaving(dev, dev->own);
	dev->own = NULL;
	dev->domain = NULL;
	smmu_streams_drop(dev->streams);
}

void smmu_device_end_ats(struct smmu_device *dev)
{
	smmu_mutex_lock(&dev->lock);
	if (dev->instance)
		smmu_device_silence(dev);
	dev->ats_wanted = false;
	smmu_mutex_unlock(&dev->lock);
}

void smmu_device_ats(struct smmu_device *dev, bool on)
{
	smmu_mutex_lock(&dev->lock);
	if (dev->instance && !on)
		smmu_device_silence(dev);
	if (dev->instance && on && !smmu_load(&dev->streams->unconfirmed) && ats_on(dev))
		not_confirmed(dev);
	smmu_mutex_unlock(&dev->lock);
}

int smmu_device_ask_again(struct smmu_device *dev)
{
	return confirm(dev);
}

void smmu_device_not_confirmed(struct smmu_device *dev)
{
	not_confirmed(dev);
}

int smmu_device_write(struct smmu_device *dev)
{
	int error;

	dev->ats_refused = false;
	error = write_ste(dev);
	if (!error)
		error = ats_on(dev);
	/* There is nothing in it. But one that does not answer is found out before anybody waits for it. */
	if (!error && dev->ats_on)
		error = smmu_streams_clear_atc(dev->streams, 0, false);
	return error;
}

int smmu_device_confirm(struct smmu_device *dev)
{
	int error = -SMMU_ENODEV;

	smmu_mutex_lock(&dev->lock);
	if (dev->instance)
		error = confirm(dev);
	smmu_mutex_unlock(&dev->lock);
	return error;
}

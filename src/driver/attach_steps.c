/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The steps of an attach, each by itself: ATS in the device, the STE, a CD; and what a device is in when the SMMU did not
 * confirm one of them. Their order is that of attach.c and attach_pasid.c. The device's lock is held.
 */
#include "attach.h"

bool smmu_device_wants_ats(const struct smmu_device *dev)
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
int smmu_device_ats_off(struct smmu_device *dev)
{
	smmu_device_silence(dev);
	return smmu_streams_clear_atc(dev->streams, 0, true);
}

/** The STE for the state of the device. */
void smmu_device_make_ste(const struct smmu_device *dev, struct smmu_ste *ste)
{
	smmu_make_ste(dev, smmu_device_wants_ats(dev) && !dev->ats_refused,
		      dev->own ? dev->own->id : 0, ste);
}

int smmu_device_write_ste(struct smmu_device *dev)
{
	struct smmu_ste ste;

	/* They abort, whatever it is attached to, until its reset is over. */
	if (dev->in_reset)
		return 0;
	smmu_device_make_ste(dev, &ste);
	if (dev->streams->mixed)
		return smmu_streams_take_over(dev->streams, &ste);
	return smmu_streams_write(dev->streams, &ste);
}

/** Turn ATS on in the device, if it is wanted. A device that refuses goes on without. 0; -SMMU_EIO: not confirmed. */
int smmu_device_ats_on(struct smmu_device *dev)
{
	struct smmu_message m;
	int error;

	if (dev->ats_on || dev->ats_refused || !smmu_device_wants_ats(dev))
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
	return smmu_device_write_ste(dev);
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
int smmu_device_change_cd(struct smmu_device *dev, uint32_t ssid, const struct smmu_attachment *a)
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

bool smmu_device_cd_hitless(struct smmu_device *dev, uint32_t ssid, const struct smmu_attachment *a)
{
	struct smmu_cd cd, *live = smmu_cdtab_cd(dev->streams, ssid);

	if (!live)
		return true;
	make_cd(dev, a, &cd);
	return smmu_entry_hitless(&smmu_cd_kind, dev->instance->port, live->w, cd.w);
}

/** The CD of the untagged traffic, before the STE that leads to it. */
int smmu_device_change_own_cd(struct smmu_device *dev)
{
	struct smmu_cd cd;

	if (!smmu_domain_is_stage1(dev->domain))
		return 0;
	if (dev->ssid_bits)
		return smmu_device_change_cd(dev, 0, dev->own);
	/* Two take turns: this is the one that the STE does not point to. */
	dev->streams->cdtab.slot ^= 1;
	make_cd(dev, dev->own, &cd);
	fill_cd(dev->streams, smmu_cdtab_cd(dev->streams, 0), &cd);
	return 0;
}

void smmu_device_leave(struct smmu_device *dev, struct smmu_attachment *a)
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
void smmu_device_not_confirmed(struct smmu_device *dev)
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
	if (!error && smmu_domain_is_stage1(dev->domain) && !dev->ssid_bits)
		error = smmu_device_change_own_cd(dev);
	if (!error)
		error = smmu_device_write_ste(dev);
	return error;
}

/** Ask the SMMU again, if it has not confirmed. The device's lock is held. */
int smmu_device_ask_again(struct smmu_device *dev)
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
		error = smmu_device_ats_on(dev);
	}
	if (error)
		smmu_device_not_confirmed(dev);
	return error;
}

int smmu_device_write(struct smmu_device *dev)
{
	int error;

	dev->ats_refused = false;
	error = smmu_device_write_ste(dev);
	if (!error)
		error = smmu_device_ats_on(dev);
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
		error = smmu_device_ask_again(dev);
	smmu_mutex_unlock(&dev->lock);
	return error;
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
	if (dev->instance && on && !smmu_load(&dev->streams->unconfirmed) &&
	    smmu_device_ats_on(dev))
		smmu_device_not_confirmed(dev);
	smmu_mutex_unlock(&dev->lock);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device's life: adding it, dropping it, and what is left of it where the SMMU does not answer.
 *
 * A device goes away in two places: smmu_device_fini, and the removal of its instance, which may run at the same time. Who
 * holds the device's lock and finds `instance` set knows that the instance is there, as its removal needs that lock for
 * this device. A walk along the instance's list pins the device it stands on before it lets go of the instance's lock,
 * and no device leaves the list while it is pinned, so that neither the device nor the way on goes away under a walk.
 */
#include "driver.h"

/** Has another device on @p inst one of the streams? The instance's lock is held. */
static bool owned(const struct smmu_instance *inst, const struct smmu_device_config *cfg)
{
	for (uint32_t i = 0; i < cfg->nr_streams; i++) {
		const struct smmu_device *dev = smmu_strtab_owner(inst, cfg->streams[i]);

		if (dev && !dev->stands_in)
			return true;
	}
	return false;
}

static bool same_stream(const struct smmu_streams *a, const struct smmu_streams *b)
{
	/* Both ascend. */
	for (uint32_t i = 0, j = 0; i < a->nr && j < b->nr;) {
		if (a->id[i] == b->id[j])
			return true;
		if (a->id[i] < b->id[j])
			i++;
		else
			j++;
	}
	return false;
}

/** Ask the SMMU again about streams whose device is gone. The instance's lock is not held. */
static int confirm_leftover(struct smmu_streams *s)
{
	int error = smmu_streams_forget(s, true);

	if (!error) {
		smmu_store(&s->unconfirmed, 0);
		smmu_streams_settle(s);
		smmu_stand_ins_release(s);
	}
	return error;
}

/** Take one of the instance's leftovers off their list, with @p of one that shares a stream with it. NULL: none. */
static struct smmu_streams *take_leftover(struct smmu_instance *inst, const struct smmu_streams *of)
{
	struct smmu_streams **p, *s;

	smmu_mutex_lock(&inst->lock);
	p = &inst->leftovers;
	while (*p && of && !same_stream(*p, of))
		p = &(*p)->next;
	s = *p;
	if (s)
		*p = s->next;
	smmu_mutex_unlock(&inst->lock);
	return s;
}

static void keep_leftover(struct smmu_streams *s)
{
	struct smmu_instance *inst = s->instance;

	smmu_mutex_lock(&inst->lock);
	s->next = inst->leftovers;
	inst->leftovers = s;
	smmu_mutex_unlock(&inst->lock);
}

/** No sweep names the streams any more once those under way are done. */
static void free_streams(struct smmu_streams *s)
{
	if (s->ats)
		smmu_rcu_synchronize(s->instance->port->rcu);
	smmu_streams_free(s);
}

/** Settle the leftovers of the instance, or of streams that a new device wants. 0, or -SMMU_EIO for those that stay. */
static int settle_leftovers(struct smmu_instance *inst, const struct smmu_streams *of)
{
	struct smmu_streams *s;

	while ((s = take_leftover(inst, of))) {
		if (confirm_leftover(s)) {
			keep_leftover(s);
			return -SMMU_EIO;
		}
		free_streams(s);
	}
	return 0;
}

/** Streams that the end of an adoption made abort, which was not confirmed: the SMMU may go by what was kept of them. 0, -SMMU_EIO. */
static int settle_former(struct smmu_streams *s)
{
	const struct smmu_adoption *a = s->instance->adoption;

	return a && a->ended ? smmu_streams_forget(s, true) : 0;
}

/**
 * STEs that pass traffic are not ours: those of nobody abort. They are left alone until the first attach. What STEs that abort do not
 * use is whatever their last owners left, so that they differ where the device's streams were not one device's before; they have
 * to change each by itself.
 */
static void keep(struct smmu_device *dev)
{
	struct smmu_streams *s = dev->streams;

	for (uint32_t i = 0; i < s->nr; i++) {
		uint64_t w0 = smmu_load(&s->ste[i]->w[0]), w1 = smmu_load(&s->ste[i]->w[1]);

		for (unsigned w = 0; w < SMMU_ARRAY_SIZE(s->ste[i]->w); w++)
			s->mixed |= smmu_load(&s->ste[i]->w[w]) != smmu_load(&s->ste[0]->w[w]);
		if (!(w0 & SMMU_STE_W0_V) ||
		    smmu_field_get(SMMU_STE_W0_CONFIG, w0) < SMMU_STE_CONFIG_BYPASS)
			continue;
		s->kept = 1;
		s->mixed = true;
		/* A former owner may have had ATS on in the device. */
		if (w1 & SMMU_STE_W1_EATS && dev->ops && dev->ops->set_ats)
			dev->ats_on = true;
		if (w0 & SMMU_STE_W0_S1CDMAX)
			s->guest_substreams = true;
	}
}

/** Find the STEs of all streams and put the device on the list. The instance's lock is held. */
static int hook(struct smmu_device *dev, const struct smmu_device_config *cfg)
{
	struct smmu_instance *inst = dev->instance;
	int error;

	if (owned(inst, cfg))
		return -SMMU_EEXIST;
	for (uint32_t i = 0; i < dev->streams->nr; i++) {
		error = smmu_strtab_ste(inst, dev->streams->id[i], &dev->streams->ste[i]);
		if (error)
			return error;
	}
	keep(dev);
	smmu_stand_ins_displace(inst, dev->streams, false);
	smmu_strtab_own(inst, dev->streams, dev);
	dev->next = inst->devices;
	dev->link = &inst->devices;
	if (dev->next)
		dev->next->link = &dev->next;
	inst->devices = dev;
	return 0;
}

/** What is wrong with the configuration: -SMMU_EINVAL, -SMMU_EOPNOTSUPP; 0: nothing. */
static int check_config(const struct smmu_device_config *cfg)
{
	const struct smmu_instance *inst = cfg->instance;
	const struct smmu_features *f;

	if (!inst || !inst->up || !cfg->streams || !cfg->nr_streams)
		return -SMMU_EINVAL;
	if (cfg->ats ? !cfg->ops || !cfg->ops->set_ats || cfg->stalls : cfg->ats_always)
		return -SMMU_EINVAL;
	f = &inst->features;
	if (cfg->ats_always && !(f->bits & SMMU_FEAT_ATS && f->bits & SMMU_FEAT_S1 && f->ssid_bits))
		return -SMMU_EOPNOTSUPP;
	return 0;
}

static uint8_t ssid_bits_of(const struct smmu_device_config *cfg)
{
	uint8_t bits = (uint8_t)smmu_min64(cfg->ssid_bits, cfg->instance->features.ssid_bits);

	return cfg->ats_always && !bits ? 1 : bits;
}

void smmu_device_memory(const struct smmu_device_config *cfg, size_t *dma, size_t *plain)
{
	struct smmu_instance *inst = cfg->instance;

	smmu_cdtab_memory(inst, ssid_bits_of(cfg), dma, plain);
	*plain += smmu_streams_size(cfg->nr_streams);
	smmu_mutex_lock(&inst->lock);
	smmu_strtab_missing(inst, cfg->streams, cfg->nr_streams, dma, plain);
	smmu_mutex_unlock(&inst->lock);
}

/**
 * Whoever had the device before may have left ATS on, with translations of its own in the ATC: they would be used again as soon as
 * an STE allows ATS. Not where a kept STE allows it, by which they are right.
 */
static void begin_without_ats(struct smmu_device *dev)
{
	smmu_mutex_lock(&dev->lock);
	if (dev->has_ats && dev->instance && !dev->ats_on) {
		dev->ats_on = true;
		smmu_device_silence(dev);
	}
	smmu_mutex_unlock(&dev->lock);
}

int smmu_device_init(struct smmu_device *dev, const struct smmu_device_config *cfg)
{
	struct smmu_instance *inst = cfg->instance;
	int error = check_config(cfg);

	if (error)
		return error;
	*dev = (struct smmu_device){
		.instance = inst,
		.ops = cfg->ops,
		.ctx = cfg->ctx,
		.has_ats = cfg->ats && inst->features.bits & SMMU_FEAT_ATS,
		.ats_always = cfg->ats_always,
		.stalls = cfg->stalls && inst->features.bits & SMMU_FEAT_STALL,
		.rcu = inst->port->rcu,
		.ssid_bits = ssid_bits_of(cfg),
	};
	dev->ats_wanted = dev->has_ats;
	smmu_mutex_init(&dev->lock);
	error = smmu_streams_make(cfg, dev->ssid_bits, &dev->streams);
	if (error)
		return error;
	dev->streams->ats = dev->ats_wanted;
	error = settle_leftovers(inst, dev->streams);
	if (!error)
		error = settle_former(dev->streams);
	if (!error) {
		smmu_mutex_lock(&inst->lock);
		error = hook(dev, cfg);
		smmu_mutex_unlock(&inst->lock);
	}
	if (!error)
		begin_without_ats(dev);
	if (error) {
		smmu_streams_free(dev->streams);
		dev->streams = NULL;
		dev->instance = NULL;
	}
	return error;
}

/**
 * Detach and drop the device, on which @p pins walks of the caller's stand; with @p disabled its SMMU is. Its lock is held.
 */
static void drop(struct smmu_device *dev, uint32_t pins, bool disabled)
{
	struct smmu_streams *s = dev->streams;

	while (dev->instance) {
		if (disabled)
			smmu_device_drop_all(dev);
		else
			smmu_device_detach_all(dev);
		if (smmu_device_unhook(dev, pins))
			break;
		/* A walk stands here and wants our lock; it may drop the device, and it may be one that we have pre-empted. */
		smmu_mutex_unlock(&dev->lock);
		smmu_wait_pause(NULL, true);
		smmu_mutex_lock(&dev->lock);
	}
	if (dev->streams != s)
		return;
	smmu_device_unplug(dev);
	smmu_store(&dev->streams, NULL);
	/* Sweeps that name the streams may be about to cut them off, and to say so. */
	if (s->ats)
		smmu_rcu_synchronize(s->instance->port->rcu);
	s->name = NULL;
	/* One of those has cut off what was to be left as somebody else had written it, since we looked, and got no answer. */
	if (!disabled && smmu_load(&s->owner.cut) == SMMU_CUT_BEGUN)
		smmu_store(&s->unconfirmed, 1);
	if (!disabled)
		smmu_stand_ins_release(s);
	if (smmu_load(&s->unconfirmed))
		keep_leftover(s);
	else
		smmu_streams_free(s);
}

void smmu_device_fini(struct smmu_device *dev)
{
	smmu_mutex_lock(&dev->lock);
	if (dev->instance)
		drop(dev, 0, false);
	smmu_mutex_unlock(&dev->lock);
}

/** The next device of a walk, pinned, in place of @p dev (NULL: the first). */
static struct smmu_device *walk(struct smmu_instance *inst, struct smmu_device *dev)
{
	struct smmu_device *next;

	smmu_mutex_lock(&inst->lock);
	next = dev ? dev->next : inst->devices;
	if (dev)
		dev->pins--;
	if (next)
		next->pins++;
	smmu_mutex_unlock(&inst->lock);
	return next;
}

void smmu_instance_end_ats(struct smmu_instance *inst)
{
	struct smmu_device *dev = NULL;

	while ((dev = walk(inst, dev)))
		smmu_device_end_ats(dev);
}

void smmu_instance_end_kept(struct smmu_instance *inst)
{
	struct smmu_device *dev = NULL;

	while ((dev = walk(inst, dev)))
		smmu_device_end_kept(dev);
}

void smmu_instance_drop_devices(struct smmu_instance *inst, bool disabled)
{
	struct smmu_device *dev;

	while ((dev = walk(inst, NULL))) {
		smmu_mutex_lock(&dev->lock);
		drop(dev, 1, disabled);
		smmu_mutex_unlock(&dev->lock);
	}
}

void smmu_instance_ats(struct smmu_instance *inst, bool on)
{
	struct smmu_device *dev = NULL;

	while ((dev = walk(inst, dev)))
		smmu_device_ats(dev, on);
}

int smmu_instance_confirm_all(struct smmu_instance *inst)
{
	struct smmu_device *dev = NULL;
	int error = settle_leftovers(inst, NULL);

	while ((dev = walk(inst, dev)))
		error = smmu_first_error(error, smmu_device_confirm(dev));
	return error;
}

void smmu_instance_drop_leftovers(struct smmu_instance *inst)
{
	struct smmu_streams *s;

	while ((s = take_leftover(inst, NULL))) {
		smmu_streams_drop(s);
		/* Sweeps that still name the streams, and the instance. */
		smmu_rcu_synchronize(inst->port->rcu);
		smmu_streams_free(s);
	}
}

int smmu_instance_find_group(struct smmu_instance *inst, const uint32_t *streams, uint32_t n,
			     struct smmu_device **group)
{
	int error = -SMMU_ENOENT;

	*group = NULL;
	smmu_mutex_lock(&inst->lock);
	for (uint32_t i = 0; i < n; i++) {
		struct smmu_device *dev = smmu_strtab_owner(inst, streams[i]);

		if (!dev || dev == *group)
			continue;
		error = *group ? -SMMU_EEXIST : 0;
		*group = dev;
		if (error)
			break;
	}
	smmu_mutex_unlock(&inst->lock);
	return error;
}

bool smmu_device_quarantined(const struct smmu_device *dev)
{
	const struct smmu_streams *s = dev->streams;

	return s && smmu_streams_cut(s) && !smmu_load(&s->resting);
}

bool smmu_device_confirmed(const struct smmu_device *dev)
{
	return !dev->streams || !smmu_load(&dev->streams->unconfirmed);
}

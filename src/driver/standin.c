/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stand-ins and the devices that take their streams over (reserved.c); and how any device leaves its instance's list.
 */
#include "driver.h"

bool smmu_device_unhook(struct smmu_device *dev, uint32_t pins)
{
	struct smmu_instance *inst = dev->instance;
	bool ok;

	smmu_mutex_lock(&inst->lock);
	ok = dev->pins == pins;
	if (ok) {
		if (!dev->gave_way)
			smmu_strtab_own(inst, dev->streams, NULL);
		if (smmu_load(&dev->streams->kept))
			smmu_stand_ins_displace(inst, dev->streams, true);
		*dev->link = dev->next;
		if (dev->next)
			dev->next->link = dev->link;
		dev->instance = NULL;
	}
	smmu_mutex_unlock(&inst->lock);
	return ok;
}

void smmu_stand_ins_displace(struct smmu_instance *inst, struct smmu_streams *s, bool back)
{
	for (struct smmu_stand_in *p = inst->stand_ins; p; p = p->next) {
		struct smmu_streams *its = p->dev.streams;

		for (uint32_t i = 0; its && i < s->nr; i++) {
			if (its->id[0] != s->id[i] || p->taker != (back ? s : NULL))
				continue;
			p->taker = back ? NULL : s;
			p->dev.gave_way = !back;
			s->displaced = true;
			if (back)
				smmu_strtab_own(inst, its, &p->dev);
		}
	}
}

/** Take a stand-in of @p s off the list; NULL: none is left. */
static struct smmu_stand_in *take(struct smmu_instance *inst, const struct smmu_streams *s)
{
	struct smmu_stand_in **at, *p;

	smmu_mutex_lock(&inst->lock);
	at = &inst->stand_ins;
	while (*at && (*at)->taker != s)
		at = &(*at)->next;
	p = *at;
	if (p)
		*at = p->next;
	smmu_mutex_unlock(&inst->lock);
	return p;
}

/**
 * Drop a stand-in whose stream is another device's: no STE leads to what it was attached to. The caller has the lock of that
 * device, and maybe of others. No caller knows a stand-in: nobody else comes to its lock but a walk of the instance's devices,
 * which has no other device's.
 */
static void drop(struct smmu_device *dev)
{
	struct smmu_streams *s;

	smmu_mutex_lock_nested(&dev->lock, SMMU_DEPTH_STAND_IN);
	while (dev->instance && !smmu_device_unhook(dev, 0)) {
		/* A walk stands here and wants our lock. It may be one that we have pre-empted. */
		smmu_mutex_unlock(&dev->lock);
		smmu_wait_pause(NULL, true);
		smmu_mutex_lock_nested(&dev->lock, SMMU_DEPTH_STAND_IN);
	}
	s = dev->streams;
	if (s && dev->own) {
		smmu_domain_leave(s, dev->own);
		s->instance->port->ops->free(s->instance->port->ctx, dev->own, sizeof(*dev->own));
	}
	dev->own = NULL;
	dev->domain = NULL;
	dev->streams = NULL;
	if (s)
		smmu_streams_free(s);
	smmu_mutex_unlock(&dev->lock);
}

/** The next stand-in of @p s after @p p (NULL: the first). As long as the lock of the device is held, none of them goes. */
static struct smmu_stand_in *next_of(struct smmu_instance *inst, const struct smmu_streams *s,
				     struct smmu_stand_in *p)
{
	smmu_mutex_lock(&inst->lock);
	p = p ? p->next : inst->stand_ins;
	while (p && p->taker != s)
		p = p->next;
	smmu_mutex_unlock(&inst->lock);
	return p;
}

int smmu_stand_ins_follow(struct smmu_streams *s, const struct smmu_attachment *next)
{
	struct smmu_stand_in *p = NULL;
	int error = 0;

	while (!error && s->displaced && (p = next_of(s->instance, s, p))) {
		smmu_mutex_lock_nested(&p->dev.lock, SMMU_DEPTH_STAND_IN);
		if (p->dev.instance && p->dev.own)
			error = smmu_domain_follow(p->dev.streams, p->dev.own, next);
		smmu_mutex_unlock(&p->dev.lock);
	}
	return error;
}

void smmu_stand_ins_release(struct smmu_streams *s)
{
	const struct smmu_port *port = s->instance->port;
	struct smmu_stand_in *p;

	if (!s->displaced || smmu_load(&s->kept) || smmu_load(&s->unconfirmed))
		return;
	while ((p = take(s->instance, s))) {
		drop(&p->dev);
		port->ops->free(port->ctx, p, sizeof(*p));
	}
	s->displaced = false;
}

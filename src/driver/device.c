/* SPDX-License-Identifier: BSD-2-Clause */
/* A device: adding it, dropping it, writing its STEs, clearing its ATC. */
#include "driver.h"

/** The device on @p inst that has one of the streams, or NULL. The instance's lock is held. */
static struct smmu_device *owner_of(struct smmu_instance *inst,
				    const struct smmu_device_config *cfg)
{
	for (struct smmu_device *dev = inst->devices; dev; dev = dev->next)
		for (uint32_t i = 0; i < dev->nr_streams; i++)
			for (uint32_t j = 0; j < cfg->nr_streams; j++)
				if (dev->stream[i] == cfg->streams[j])
					return dev;
	return NULL;
}

/** Find the STEs of all streams and put the device on the list. The instance's lock is held. */
static int hook(struct smmu_device *dev, const struct smmu_device_config *cfg)
{
	struct smmu_instance *inst = dev->instance;
	int error;

	if (owner_of(inst, cfg))
		return -SMMU_EEXIST;
	for (uint32_t i = 0; i < cfg->nr_streams; i++) {
		dev->stream[i] = cfg->streams[i];
		error = smmu_strtab_ste(inst, cfg->streams[i], &dev->ste[i]);
		if (error)
			return error;
	}
	dev->next = inst->devices;
	inst->devices = dev;
	return 0;
}

static bool streams_ok(const struct smmu_device_config *cfg)
{
	if (!cfg->nr_streams || cfg->nr_streams > SMMU_DEVICE_STREAMS)
		return false;
	for (uint32_t i = 0; i < cfg->nr_streams; i++)
		for (uint32_t j = 0; j < i; j++)
			if (cfg->streams[i] == cfg->streams[j])
				return false;
	return true;
}

static uint8_t ssid_bits_of(const struct smmu_device_config *cfg)
{
	return (uint8_t)smmu_min64(cfg->ssid_bits, cfg->instance->features.ssid_bits);
}

void smmu_device_memory(const struct smmu_device_config *cfg, size_t *dma, size_t *plain)
{
	struct smmu_instance *inst = cfg->instance;

	smmu_cdtab_memory(inst, ssid_bits_of(cfg), dma, plain);
	smmu_mutex_lock(&inst->lock);
	*dma += smmu_strtab_missing(inst, cfg->streams, cfg->nr_streams);
	smmu_mutex_unlock(&inst->lock);
}

int smmu_device_init(struct smmu_device *dev, const struct smmu_device_config *cfg)
{
	struct smmu_instance *inst = cfg->instance;
	int error;

	if (!inst || !inst->up || !streams_ok(cfg) ||
	    (cfg->ats && (!cfg->ops || !cfg->ops->set_ats)))
		return -SMMU_EINVAL;
	*dev = (struct smmu_device){
		.instance = inst,
		.ops = cfg->ops,
		.ctx = cfg->ctx,
		.name = cfg->name,
		.nr_streams = cfg->nr_streams,
		.ats_wanted = cfg->ats && inst->features.bits & SMMU_FEAT_ATS,
		.ssid_bits = ssid_bits_of(cfg),
	};
	smmu_mutex_init(&dev->lock);
	smmu_spin_init(&dev->ste_lock);
	error = smmu_cdtab_init(dev);
	if (error)
		return error;
	smmu_mutex_lock(&inst->lock);
	error = hook(dev, cfg);
	smmu_mutex_unlock(&inst->lock);
	if (error)
		smmu_cdtab_fini(dev);
	return error;
}

/**
 * The table of CDs is about to go, and no STE leads to it any more: the SMMU forgets what it kept of it. Without substreams
 * that is left to the next STE of stage 1, which drops cached CDs before it counts: no pointer into the table is cached.
 */
static void forget_cds(struct smmu_device *dev)
{
	struct smmu_cmd cmd[SMMU_DEVICE_STREAMS];

	for (uint32_t i = 0; i < dev->nr_streams; i++)
		cmd[i] = smmu_cmd_cfgi_cd_all(dev->stream[i]);
	smmu_instance_issue(dev->instance, cmd, dev->nr_streams);
}

void smmu_device_fini(struct smmu_device *dev)
{
	struct smmu_instance *inst = dev->instance;
	struct smmu_device **p;

	if (!inst)
		return;
	smmu_mutex_lock(&dev->lock);
	smmu_device_detach_all(dev);
	if (dev->ssid_bits)
		forget_cds(dev);
	/* A sweep that names the device may be about to cut it off. */
	if (dev->ats_wanted)
		smmu_rcu_synchronize(inst->port->rcu);
	smmu_mutex_lock(&inst->lock);
	for (p = &inst->devices; *p != dev;)
		p = &(*p)->next;
	*p = dev->next;
	smmu_mutex_unlock(&inst->lock);
	smmu_cdtab_fini(dev);
	dev->instance = NULL;
	smmu_mutex_unlock(&dev->lock);
}

bool smmu_device_quarantined(const struct smmu_device *dev)
{
	return smmu_load(&dev->quarantined);
}

struct ste_sync {
	struct smmu_device *dev;
	bool drop_cds; /* CDs that were read for another domain have to go */
	bool was_s1;   /* the STEs that are replaced lead to CDs */
};

static int sync_ste(void *ctx)
{
	struct ste_sync *s = ctx;
	struct smmu_cmd cmd[2 * SMMU_DEVICE_STREAMS + 1];
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->dev->nr_streams; i++)
		cmd[n++] = smmu_cmd_cfgi_ste(s->dev->stream[i], true);
	/*
	 * CDs are fetched through the STE: the old ones are dropped once the old STE cannot bring them back. If it never
	 * led to any, that is the first time we come here, before the STE that does is stored.
	 */
	if (s->drop_cds) {
		if (s->was_s1)
			cmd[n++] = smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE);
		for (uint32_t i = 0; i < s->dev->nr_streams; i++)
			cmd[n++] = smmu_cmd_cfgi_cd_all(s->dev->stream[i]);
		s->drop_cds = false;
	}
	return smmu_instance_issue(s->dev->instance, cmd, n);
}

static bool leads_to_cds(const struct smmu_ste *ste)
{
	return smmu_field_get(SMMU_STE_W0_CONFIG, smmu_load(&ste->w[0])) == SMMU_STE_CONFIG_S1;
}

int smmu_device_write_ste(struct smmu_device *dev, bool ats, uint32_t vmid, bool new_cds)
{
	struct ste_sync s = {dev, new_cds, leads_to_cds(dev->ste[0])};
	struct smmu_entry_change change = {
		.port = dev->instance->port,
		.kind = &smmu_ste_kind,
		.n = dev->nr_streams,
		.sync = sync_ste,
		.ctx = &s,
		.lock = &dev->ste_lock,
		.frozen = &dev->quarantined,
	};
	struct smmu_ste ste;

	for (uint32_t i = 0; i < dev->nr_streams; i++)
		change.live[i] = dev->ste[i]->w;
	smmu_make_ste(dev, ats, vmid, &ste);
	dev->ste_ats = ats;
	return smmu_entry_change(&change, ste.w);
}

int smmu_device_clear_atc(struct smmu_device *dev, uint32_t ssid)
{
	struct smmu_cmd cmd[SMMU_DEVICE_STREAMS];
	int error;

	if (smmu_device_quarantined(dev)) {
		/* Whoever found out may still be cutting it off: what follows relies on that being done. */
		smmu_device_quarantine(dev);
		return -SMMU_EIO;
	}
	for (uint32_t i = 0; i < dev->nr_streams; i++)
		cmd[i] = smmu_cmd_atc_inv(dev->stream[i], ssid != 0, ssid, false, 0,
					  SMMU_CMD_ATC_INV_SIZE_ALL);
	error = smmu_cmdq_issue(&dev->instance->cmdq, cmd, dev->nr_streams, true);
	if (error == -SMMU_ETIMEDOUT) /* only this device was asked */
		smmu_device_quarantine(dev);
	return error ? -SMMU_EIO : 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making and breaking a machine, its counters, and the faults that are turned on and off.
 */
#include <stdlib.h>
#include <time.h>

#include "internal.h"

void smmu_model_config_default(struct smmu_model_config *c)
{
	*c = (struct smmu_model_config){
		.sid_bits = 16,
		.ssid_bits = 16,
		.s1 = true,
		.s2 = true,
		.two_level_st = true,
		.two_level_cd = true,
		.asid16 = true,
		.vmid16 = true,
		.range_inv = true,
		.msi = true,
		.coherent = true,
		.ats = true,
		.pri = true,
		.oas = 48,
		.gran4k = true,
		.gran16k = true,
		.gran64k = true,
		.cmdq_bits = 16,
		.eventq_bits = 12,
		.priq_bits = 12,
		.cmd_ns = 10,
		.sync_ns = 240,
		.tlbi_ns = 100,
		.atc_ns = 1000,
		.atc_timeout_ns = 1000000,
		.atc_slow_ns = 500000,
		.pause_ns = 3000000000,
		.ack_ns = 200,
		.jitter_percent = 20,
		.speed_percent = 100,
		.early_permille = 100,
		.evict_permille = 2,
		.prefetch_permille = 20,
		.split_permille = 300,
		.refill_permille = 500,
		.cache_invalid = true,
		.atc_ur = true,
		.contiguous = true,
		.tear_ns = 2000,
		.sync_every = 64,
		.version = 2,
		.stall_model = 1,
		.wired = true,
	};
}

static bool config_ok(const struct smmu_model_config *c)
{
	switch (c->oas) {
	case 32:
	case 36:
	case 40:
	case 42:
	case 44:
	case 48:
	case 52:
		break;
	default:
		return false;
	}
	return c->sid_bits <= 32 && c->ssid_bits <= 20 && (c->s1 || c->s2) && c->cmdq_bits <= 19 &&
	       c->eventq_bits <= 19 && c->priq_bits <= (c->pri ? 19 : 31) && c->version <= 3 &&
	       c->stall_model <= 2 && c->httu <= 2 && c->bbml <= 2 && c->speed_percent &&
	       c->jitter_percent <= 100 && (c->gran4k || c->gran16k || c->gran64k);
}

struct smmu_model *smmu_model_create(enum smmu_model_clock clock,
				     const struct smmu_model_config *configs, unsigned count,
				     const struct smmu_ram *ram,
				     const struct smmu_model_hooks *hooks, uint64_t seed)
{
	struct smmu_model *model;
	pthread_condattr_t attr;

	if (!count || count > SMMU_MODEL_MAX_INSTANCES)
		return NULL;
	for (unsigned i = 0; i < count; i++)
		if (!config_ok(&configs[i]))
			return NULL;
	model = calloc(1, sizeof(*model) + count * sizeof(model->in[0]));
	if (!model)
		return NULL;
	model->clock = clock;
	model->ram = *ram;
	model->count = count;
	if (hooks)
		model->hooks = *hooks;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	for (unsigned i = 0; i < count; i++) {
		struct instance *in = &model->in[i];

		in->model = model;
		in->index = i;
		in->cfg = configs[i];
		in->behind = *ram;
		in->late_at = in->fetch_at = in->restless_at = NEVER;
		in->bus = (struct smmu_bus){.ops = &model_bus_ops, .ctx = in};
		pthread_mutex_init(&in->lock, NULL);
		pthread_cond_init(&in->wake, &attr);
		/* Far apart for neighbouring seeds and instances, and never 0. */
		in->rng = (seed + 1) * 0x9e3779b97f4a7c15ULL ^ (i + 1) * 0xd1b54a32d192ed03ULL;
		in->rng = in->rng ? in->rng : 1;
		for (unsigned n = 0; n < 8; n++)
			model_rnd(in);
		model_tlb_init(&in->tlb);
		model_tlb_init(&in->walks);
		model_regs_reset(in);
	}
	for (model->leaves = 1; model->leaves < count; model->leaves *= 2)
		;
	for (unsigned i = 0; i < model->leaves; i++) {
		model->due[i] = model->next = NEVER;
		model->sooner[model->leaves + i] = (uint8_t)i;
	}
	for (unsigned n = model->leaves - 1; n; n--)
		model->sooner[n] = model->sooner[2 * n];
	pthread_condattr_destroy(&attr);
	return model;
}

void smmu_model_destroy(struct smmu_model *model)
{
	if (!model)
		return;
	for (unsigned i = 0; i < model->count; i++) {
		struct instance *in = &model->in[i];

		model_tlb_clear(&in->tlb);
		model_tlb_clear(&in->walks);
		model_cfg_clear(in);
		free(in->pending);
		while (in->devices) {
			struct smmu_model_device *dev = in->devices;

			in->devices = dev->next;
			model_tlb_clear(&dev->atc);
			free(dev);
		}
		pthread_cond_destroy(&in->wake);
		pthread_mutex_destroy(&in->lock);
	}
	free(model);
}

const struct smmu_bus *smmu_model_bus(struct smmu_model *model, unsigned i)
{
	return i < model->count ? &model->in[i].bus : NULL;
}

void smmu_model_reset(struct smmu_model *model, unsigned i)
{
	if (i >= model->count)
		return;
	model_enter(&model->in[i]);
	model_htt_show(&model->in[i]);
	model_stalls_disabled(&model->in[i]);
	model_regs_reset(&model->in[i]);
	model_leave(&model->in[i]);
}

void smmu_model_set_ram(struct smmu_model *model, unsigned i, const struct smmu_ram *ram)
{
	if (i >= model->count)
		return;
	model_enter(&model->in[i]);
	model->in[i].behind = *ram;
	model_leave(&model->in[i]);
}

void smmu_model_acknowledge(struct smmu_model *model, unsigned i, bool on)
{
	if (i >= model->count)
		return;
	model_enter(&model->in[i]);
	model->in[i].mute_acks = !on;
	model_leave(&model->in[i]);
}

void smmu_model_pause(struct smmu_model *model, unsigned i, uint64_t ns)
{
	if (i >= model->count)
		return;
	model_enter(&model->in[i]);
	model->in[i].paused_until = model->in[i].now + ns;
	model_leave(&model->in[i]);
}

void smmu_model_kill_queue(struct smmu_model *model, unsigned i, uint64_t nth, bool for_good)
{
	if (i >= model->count)
		return;
	model_enter(&model->in[i]);
	model_cmdq_kill(&model->in[i], nth, for_good);
	model_leave(&model->in[i]);
}

void smmu_model_fail_service(struct smmu_model *model, unsigned i)
{
	struct instance *in;

	if (i >= model->count)
		return;
	in = &model->in[i];
	model_enter(in);
	in->sfm = true;
	model_htt_show(in);
	model_cmdq_kill(in, 1, true);
	model_fetch_drop(in);
	model_gerror(in, GERROR_SFM);
	model_leave(in);
}

void smmu_model_vanish(struct smmu_model *model, unsigned i, bool on)
{
	if (i >= model->count)
		return;
	model_enter(&model->in[i]);
	model->in[i].gone = on;
	model_htt_show(&model->in[i]);
	model_leave(&model->in[i]);
}

void smmu_model_inject(struct smmu_model *model, enum smmu_model_fault fault, unsigned every)
{
	if ((unsigned)fault >= SMMU_FAULT_COUNT)
		return;
	for (unsigned i = 0; i < model->count; i++) {
		struct instance *in = &model->in[i];

		model_enter(in);
		in->inject_every[fault] = every;
		in->inject_left[fault] = every ? (unsigned)(1 + model_rnd(in) % every) : 0;
		model_leave(in);
	}
}

void smmu_model_counters(struct smmu_model *model, unsigned instance,
			 struct smmu_model_counters *out)
{
	struct instance *in;

	*out = (struct smmu_model_counters){0};
	if (instance >= model->count)
		return;
	in = &model->in[instance];
	model_enter(in);
	*out = in->count;
	out->tlb_entries = in->tlb.count;
	out->walk_entries = in->walks.count;
	out->cfg_entries = in->cfgs.count;
	model_leave(in);
}

uint64_t smmu_model_misuse_count(struct smmu_model *model, unsigned instance)
{
	struct smmu_model_counters c;

	smmu_model_counters(model, instance, &c);
	return c.misuses;
}

const char *smmu_model_misuse(struct smmu_model *model, unsigned instance, unsigned n)
{
	return n < MAX_MISUSE && n < smmu_model_misuse_count(model, instance)
		       ? model->in[instance].misuse[n]
		       : NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an SMMU does without being asked: it translates addresses that nobody accessed, fetches any configuration that is
 * reachable (3.21.3), and loses what it holds.
 */
#include "internal.h"

/** Translate as a prefetcher does: fill the caches, tell nobody. */
void model_speculate(struct instance *in, const struct recent *what)
{
	const struct smmu_dma dma = {
		.instance = in->index,
		.stream = what->stream,
		.ssid = what->ssid,
		.ssid_valid = what->ssid_valid,
		.iova = what->iova,
	};
	struct xlate x;

	model_begin(&x, &dma, ASK_PREFETCH, true, true);
	in->count.prefetches++;
	model_translate(in, &x);
}

/** Speculate @p n times on and around what was accessed lately. */
void model_speculate_some(struct instance *in, unsigned n)
{
	unsigned have = in->nrecent < RECENT ? in->nrecent : RECENT;

	while (have && n--) {
		struct recent what = in->recent[model_rnd(in) % have];

		switch (model_rnd(in) % 6) {
		case 0:
			what.iova += 0x1000;
			break;
		case 1:
			what.iova -= 0x1000;
			break;
		case 2:
			what.iova ^= 0x200000;
			break;
		case 3:
			what.stream ^= 1;
			break;
		default:
			break; /* the very same: after an invalidation the worst of all */
		}
		model_speculate(in, &what);
	}
}

/** A stream worth a look: of a device that is there, whether it ever did DMA or not, of a recent access, or any. */
static uint32_t some_stream(struct instance *in)
{
	unsigned have = in->nrecent < RECENT ? in->nrecent : RECENT;
	unsigned log2 = (unsigned)bits(in->r.strtab_cfg, 5, 0), what = model_rnd(in) % 8;
	struct smmu_model_device *dev = in->devices;

	if (what < 4 && dev) {
		for (uint64_t n = model_rnd(in) % in->ndevices; n && dev->next; n--)
			dev = dev->next;
		return dev->stream ^ (what == 3);
	}
	if (what < 7 && have)
		return in->recent[model_rnd(in) % have].stream;
	return (uint32_t)(model_rnd(in) & (pow2(log2 < 32 ? log2 : 32) - 1));
}

/** A substream of it: likely a small one, or one of a recent access. */
static uint32_t some_ssid(struct instance *in, const struct ste *ste)
{
	unsigned have = in->nrecent < RECENT ? in->nrecent : RECENT;
	uint32_t mask = (uint32_t)(pow2(ste->s1cdmax) - 1);

	switch (model_rnd(in) % 4) {
	case 0:
		return (uint32_t)model_rnd(in) & mask;
	case 1:
		return have ? in->recent[model_rnd(in) % have].ssid & mask : 0;
	default:
		return (uint32_t)model_rnd(in) % 8 & mask;
	}
}

/** Fetch a reachable STE, and mostly a CD of it: at once, or word by word over a while. */
void model_reach(struct instance *in)
{
	struct smmu_dma dma = {.instance = in->index};
	struct xlate x;
	uint64_t addr;
	uint32_t ssid;

	if (!(in->r.cr0.eff & CR0_SMMUEN) || in->gone)
		return;
	in->count.prefetches++;
	dma.stream = some_stream(in);
	model_begin(&x, &dma, ASK_PREFETCH, true, true);
	if (model_chance(in, in->cfg.tear_permille) &&
	    !model_cfg_find(in, CFG_STE, x.in.stream, 0)) {
		if (model_locate_ste(in, &x, &addr))
			model_fetch_begin(in, CFG_STE, x.in.stream, 0, addr);
		return;
	}
	/* What a valid STE does not lead to is not reachable. */
	if (!model_cfg_ste(in, &x) || !(x.ste.config & 1) || x.ste.config == STE_BYPASS ||
	    !(model_rnd(in) & 3))
		return;
	x.vmid = in->cfg.s2 ? x.ste.vmid : 0;
	ssid = some_ssid(in, &x.ste);
	x.in.ssid = ssid;
	x.in.ssid_valid = ssid != 0;
	if (model_chance(in, in->cfg.tear_permille) &&
	    !model_cfg_find(in, CFG_CD, x.in.stream, ssid)) {
		if (model_locate_cd(in, &x, ssid, &addr))
			model_fetch_begin(in, CFG_CD, x.in.stream, ssid, addr);
		return;
	}
	model_cfg_cd(in, &x, ssid);
}

/** The moment is as good as any other for all of that. */
void model_stir(struct instance *in)
{
	if (model_chance(in, in->cfg.evict_permille))
		model_tlb_evict(in);
	if (model_chance(in, in->cfg.cfg_evict_permille))
		model_cfg_evict(in);
	if (model_chance(in, in->cfg.reach_permille))
		model_reach(in);
	if (model_chance(in, in->cfg.prefetch_permille))
		model_speculate_some(in, 1);
}

#define RESTLESS_TURNS 16

static uint64_t restless_pause(struct instance *in)
{
	return in->now + 1 + model_rnd(in) % (2ULL * in->cfg.restless_ns);
}

/** Something is going on: be restless for a while. */
void model_wake(struct instance *in)
{
	if (!in->cfg.restless_ns)
		return;
	in->restless_left = RESTLESS_TURNS;
	if (in->restless_at == NEVER)
		in->restless_at = restless_pause(in);
}

void model_restless_due(struct instance *in)
{
	model_stir(in);
	in->restless_at = in->restless_left && --in->restless_left ? restless_pause(in) : NEVER;
}

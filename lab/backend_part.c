/* SPDX-License-Identifier: BSD-2-Clause */
/* What each SMMU of a run is: parts that differ from each other, and what a seed or the run's options make of them. */
#include "backend_part.h"

/* PCIe lets a device take so long. */
#define ATC_SLOW_NS 90000000000ull
/* Longer than the driver waits for anything. */
#define PAUSE_NS 150000000000ull

/* A machine of many parts: how SYNC completes, range commands, table shapes, id sizes and speed all differ. */
static void vary(struct smmu_model_config *c, unsigned i)
{
	c->msi = i % 2 == 0;
	c->range_inv = i % 3 != 1;
	c->two_level_st = i % 2 == 0;
	c->two_level_cd = i % 4 < 2;
	c->asid16 = i % 4 != 3;
	c->vmid16 = i % 5 != 4;
	c->speed_percent = 100 + 20 * (i % 4);
}

/*
 * Ids that nobody has any more leave their translations behind until they are handed out again, tens of thousands of which there
 * are. A TLB and a walk cache without a bound make a long run slower with each operation.
 */
#define TLB_MAX 4096

/* Nothing is cached or dropped by chance. */
static void calm(struct smmu_model_config *c)
{
	c->early_permille = 0;
	c->evict_permille = 0;
	c->prefetch_permille = 0;
	c->split_permille = 0;
	c->refill_permille = 0;
}

/* Structures are looked at all the time, and slowly. */
static void hurry(struct smmu_model_config *c)
{
	c->tear_permille = 900;
	c->tear_ns = 1000;
	c->reach_permille = 700;
	c->cfg_evict_permille = 300;
	c->restless_ns = 100;
	c->prefetch_permille = 900;
	c->evict_permille = 0;
}

void backend_model_part(struct smmu_model_config *c, const struct backend_model_config *cfg,
			unsigned i)
{
	smmu_model_config_default(c);
	c->sid_bits = cfg->sid_bits;
	c->ssid_bits = cfg->ssid_bits;
	c->coherent = cfg->coherent ? cfg->coherent[i] : true;
	if (cfg->exact && i + 1 == cfg->smmus && cfg->slow_percent)
		c->speed_percent = cfg->slow_percent;
	if (cfg->sync_ns)
		c->sync_ns = cfg->sync_ns;
	if (cfg->atc_ns)
		c->atc_ns = cfg->atc_ns;
	if (cfg->exact)
		c->jitter_percent = 0;
	else if (!cfg->calm) { /* all that the text leaves open, anew for each seed */
		smmu_model_coins(c, cfg->seed * SMMU_MODEL_MAX_INSTANCES + i);
		c->tlb_max = TLB_MAX;
	}
	if (!cfg->exact)
		vary(c, i);
	if (cfg->stalls && i % 2 == 0)
		c->stall_model = 0;
	if (cfg->calm)
		calm(c);
	if (cfg->lse2 || cfg->eight_only)
		c->lse2 = cfg->lse2;
	if (cfg->eight_only)
		hurry(c);
	if (cfg->dirty)
		c->httu = 2;
	if (cfg->tables) {
		c->conflict_permille = 1000;
		if (!c->bbml)
			c->bbml = 1 + i % 2;
	}
	c->strict = SMMU_STRICT_ALL;
	c->errata = cfg->errata ? cfg->errata[i] : 0;
	c->atc_timeout_ns = cfg->atc_timeout_ns;
	c->atc_slow_ns = ATC_SLOW_NS;
	c->pause_ns = PAUSE_NS;
	/* A linear table of more streams would take megabytes. */
	if (cfg->sid_bits > 12)
		c->two_level_st = true;
}

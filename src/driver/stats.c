/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the counters. They are counted where the thing happens; see SMMU_COUNT for what that costs. */
#include "driver.h"

void smmu_instance_get_stats(const struct smmu_instance *inst, struct smmu_instance_stats *stats)
{
	const struct smmu_instance_counts *c = &inst->counts;
	const struct smmu_cmdq_counts *q = &inst->cmdq.counts;
	uint64_t all;

	*stats = (struct smmu_instance_stats){
		.tlbi = smmu_counted(&c->tlbi),
		.atc_inv = smmu_counted(&c->atc_inv),
		.cfgi = smmu_counted(&c->cfgi),
		.waits = smmu_counted(&q->waits),
		.longest_wait_ns = smmu_counted(&q->longest_wait_ns),
		.retries = smmu_counted(&q->lost),
		.atc_timeouts = smmu_counted(&q->atc_timeouts),
		.cmdq_errors = smmu_counted(&q->errors),
		.given_up = smmu_counted(&q->given_up),
		.quarantines = smmu_counted(&c->quarantines),
		.errors = smmu_counted(&c->errors),
		.events_lost = smmu_counted(&inst->events_lost),
		.pri_overflows = smmu_counted(&inst->pri_overflows),
	};
	/* The queue counts positions; it hands them out before what fills them is counted, so read the sum last. */
	all = smmu_counted(&inst->cmdq.tail) & ~SMMU_CMDQ_SHUT;
	stats->sync = all - smmu_min64(all, stats->tlbi + stats->atc_inv + stats->cfgi);
}

void smmu_domain_get_stats(const struct smmu_domain *d, struct smmu_domain_stats *stats)
{
	*stats = (struct smmu_domain_stats){
		.sweeps = smmu_counted(&d->counts.sweeps),
		.entries = smmu_counted(&d->counts.entries),
		.failed = smmu_counted(&d->debt.failed),
	};
}

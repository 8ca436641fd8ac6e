/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands for a range. A TLBI with a range covers (NUM + 1) * 2^SCALE pages, NUM + 1 from 1 to 32 (IHI 0070 G.b,
 * 4.4.1.1); the fewest that cover n pages exactly are found by dynamic programming over all such terms. An ATC_INV covers
 * an aligned power of two of pages (4.5.1); a single span that covers a whole range, as Linux 7.2 sends it, reaches pages
 * beyond.
 */
#include <stdlib.h>

#include <smmuv3/inv.h>

#include "suite.h"

#define PAGES 4096u

/* best[n]: the fewest terms that make n. */
static uint16_t *fewest(void)
{
	uint16_t *best = malloc((PAGES + 1) * sizeof(*best));

	if (!best)
		return NULL;
	best[0] = 0;
	for (unsigned n = 1; n <= PAGES; n++) {
		best[n] = UINT16_MAX;
		for (unsigned scale = 0; 1u << scale <= n; scale++)
			for (unsigned num = 1; num <= 32 && num << scale <= n; num++)
				if (best[n - (num << scale)] + 1u < best[n])
					best[n] = (uint16_t)(best[n - (num << scale)] + 1u);
	}
	return best;
}

static unsigned planned(unsigned pages, bool range)
{
	struct smmu_tlbi_plan plan;
	struct smmu_gather g;

	smmu_gather_init(&g, 12);
	smmu_gather_leaves(&g, 0x100000000ull, 0x100000000ull + ((uint64_t)pages << 12) - 1, 12, 3);
	smmu_tlbi_plan_init(&plan, &g, range, UINT32_MAX);
	return plan.count;
}

void bench_commands(struct suite_table *t, const struct suite_options *o)
{
	uint16_t *best = fewest();
	uint64_t ours = 0, least = 0, each = 0, worst = 0;

	t->unit = "commands";
	t->title = "TLBI commands that cover n pages of 4K exactly";
	t->x = "pages";
	t->log_y = true;
	if (!best) {
		t->failed = true;
		return;
	}
	for (unsigned n = 1; n <= PAGES; n++) {
		unsigned k = planned(n, true);

		ours += k;
		least += best[n];
		each += planned(n, false);
		if ((uint64_t)k - best[n] > worst)
			worst = (uint64_t)k - best[n];
		if (n & (n - 1) && (n + 1) & n && n % 1000)
			continue;
		suite_param(suite_row(t, "sweep", k), "pages", n);
		suite_param(suite_row(t, "fewest", best[n]), "pages", n);
		suite_param(suite_row(t, "no ranges", planned(n, false)), "pages", n);
	}
	suite_param(suite_row(t, "sweep, all of 1 to 4096 together", (double)ours), "pages", PAGES);
	suite_param(suite_row(t, "fewest, all together", (double)least), "pages", PAGES);
	suite_param(suite_row(t, "no ranges, all together", (double)each), "pages", PAGES);
	suite_param(suite_row(t, "sweep, most above the fewest", (double)worst), "pages", PAGES);
	free(best);
}

/* Pages of the smallest aligned power of two that holds first … last. */
static uint64_t one_span(uint64_t first, uint64_t last)
{
	unsigned bits = 0;

	while (first >> bits != last >> bits)
		bits++;
	return 1ull << bits;
}

void bench_atc_spans(struct suite_table *t, const struct suite_options *o)
{
	static const unsigned pages[] = {1, 2, 3, 4, 7, 8, 16, 64, 512};

	t->unit = "pages";
	t->title = "pages beyond the range that an ATC drops, mean over all 512 places of the "
		   "range in 2M";
	t->x = "pages";
	for (unsigned i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		uint64_t spans = 0, reached = 0, single = 0, w1;

		for (unsigned at = 0; at < 512; at++) {
			struct smmu_atc_plan plan;

			smmu_atc_plan_init(&plan, (uint64_t)at << 12,
					   ((uint64_t)at + pages[i]) * 4096 - 1, 0);
			for (; smmu_atc_plan_next(&plan, &w1); spans++)
				reached += 1ull << (w1 & SMMU_CMD_ATC_INV_W1_SIZE);
			single += one_span(at, at + pages[i] - 1) - pages[i];
		}
		suite_param(suite_row(t, "sweep", (double)reached / 512 - pages[i]), "pages",
			    pages[i]);
		suite_param(suite_row(t, "one span", (double)single / 512), "pages", pages[i]);
		suite_param(suite_row(t, "sweep, commands", (double)spans / 512), "pages",
			    pages[i]);
	}
}

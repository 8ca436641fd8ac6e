/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the text leaves a choice, a seed decides, for each instance anew; and what it decided, in words.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

/** splitmix64. */
static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static bool coin(uint64_t *state)
{
	return next(state) >> 63;
}

/** Never, now and then, or often. */
static unsigned often(uint64_t *state, unsigned rare, unsigned frequent)
{
	switch (next(state) >> 62) {
	case 0:
		return 0;
	case 1:
		return frequent;
	default:
		return rare;
	}
}

void smmu_model_coins(struct smmu_model_config *c, uint64_t seed)
{
	uint64_t s = seed;

	/* The part. */
	c->range_inv = coin(&s);
	c->version = (unsigned)(next(&s) >> 62);
	if (!c->range_inv && c->version >= 2)
		c->version -= 2;
	c->msi = coin(&s);
	c->asid16 = coin(&s);
	c->vmid16 = coin(&s);
	c->two_level_cd = coin(&s);
	c->two_level_st = c->sid_bits >= 7 || coin(&s); /* 6.3.2, SIDSIZE */
	c->term_model = coin(&s);
	c->stall_model = coin(&s);
	c->hyp = coin(&s);
	c->btm = coin(&s);
	c->ats_rec_err = coin(&s);
	c->attr_types_ovr = coin(&s);
	c->attr_perms_ovr = coin(&s);
	c->xnx = coin(&s);
	c->gbpa_abort = coin(&s);
	/* What it does with its rights. */
	c->cache_invalid = coin(&s);
	c->lse2 = coin(&s);
	c->contiguous = coin(&s);
	c->check_reserved = coin(&s);
	c->oas_truncate = coin(&s);
	c->abort_async = coin(&s);
	c->garbage = coin(&s);
	c->cr_split = coin(&s);
	/* How often. */
	c->early_permille = often(&s, 100, 700);
	c->evict_permille = often(&s, 2, 100);
	c->cfg_evict_permille = often(&s, 10, 200);
	c->prefetch_permille = often(&s, 20, 300);
	c->reach_permille = often(&s, 20, 300);
	c->tear_permille = often(&s, 200, 800);
	c->split_permille = often(&s, 300, 1000);
	c->refill_permille = often(&s, 500, 1000);
	c->cmd_cache_permille = often(&s, 200, 1000);
	c->innocent_permille = often(&s, 100, 500);
	c->cons_batch = often(&s, 4, 32);
	c->event_late_ns = often(&s, 500, 20000);
	c->restless_ns = often(&s, 5000, 300);
	c->speed_percent = 50 + (unsigned)(next(&s) >> 56);
	c->httu = (unsigned)(next(&s) % 3);
	/* From v3.2 on there is more than nothing. */
	c->bbml = c->version >= 2 ? 1 + coin(&s) : 0;
	c->nw0_permille = often(&s, 100, 1000);
	c->mark_late_permille = often(&s, 300, 1000);
}

static void add(char *text, size_t size, const char *more)
{
	size_t used = strlen(text);

	if (used + 1 < size)
		snprintf(text + used, size - used, "%s%s", used ? " " : "", more);
}

static void add_flag(char *text, size_t size, bool on, const char *name)
{
	char part[48];

	snprintf(part, sizeof(part), "%s%s", on ? "" : "no-", name);
	add(text, size, part);
}

static void add_number(char *text, size_t size, const char *name, uint64_t value)
{
	char part[64];

	snprintf(part, sizeof(part), "%s=%" PRIu64, name, value);
	add(text, size, part);
}

char *smmu_model_describe(struct smmu_model *model, unsigned i, char *text, size_t size)
{
	const struct smmu_model_config *c;

	if (!size)
		return text;
	text[0] = 0;
	if (i >= model->count)
		return text;
	c = &model->in[i].cfg;

	const struct {
		const char *name;
		bool on;
	} flags[] = {
		{"coherent", c->coherent},
		{"ril", c->range_inv},
		{"msi", c->msi},
		{"asid16", c->asid16},
		{"vmid16", c->vmid16},
		{"2lvl-st", c->two_level_st},
		{"2lvl-cd", c->two_level_cd},
		{"ats", c->ats},
		{"pri", c->pri},
		{"hyp", c->hyp},
		{"btm", c->btm},
		{"term-model", c->term_model},
		{"ats-rec-err", c->ats_rec_err},
		{"attr-types-ovr", c->attr_types_ovr},
		{"attr-perms-ovr", c->attr_perms_ovr},
		{"xnx", c->xnx},
		{"ds", c->ds},
		{"gbpa-abort", c->gbpa_abort},
		{"wired", c->wired},
		{"cache-invalid", c->cache_invalid},
		{"atc-ur", c->atc_ur},
		{"lse2", c->lse2},
		{"contiguous", c->contiguous},
		{"check-reserved", c->check_reserved},
		{"oas-truncate", c->oas_truncate},
		{"abort-async", c->abort_async},
		{"garbage", c->garbage},
		{"cr-split", c->cr_split},
	};
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{"stall-model", c->stall_model},
		{"oas", c->oas},
		{"early", c->early_permille},
		{"evict", c->evict_permille},
		{"cfg-evict", c->cfg_evict_permille},
		{"prefetch", c->prefetch_permille},
		{"reach", c->reach_permille},
		{"tear", c->tear_permille},
		{"split", c->split_permille},
		{"refill", c->refill_permille},
		{"cmd-cache", c->cmd_cache_permille},
		{"innocent", c->innocent_permille},
		{"cons-batch", c->cons_batch},
		{"event-late", c->event_late_ns},
		{"httu", c->httu},
		{"bbml", c->bbml},
		{"conflict", c->conflict_permille},
		{"nw0", c->nw0_permille},
		{"mark-late", c->mark_late_permille},
		{"restless", c->restless_ns},
		{"speed", c->speed_percent},
		{"errata", c->errata},
	};
	char part[32];

	snprintf(part, sizeof(part), "v3.%u", c->version);
	add(text, size, part);
	for (unsigned n = 0; n < sizeof(flags) / sizeof(flags[0]); n++)
		add_flag(text, size, flags[n].on, flags[n].name);
	for (unsigned n = 0; n < sizeof(numbers) / sizeof(numbers[0]); n++)
		add_number(text, size, numbers[n].name, numbers[n].value);
	return text;
}

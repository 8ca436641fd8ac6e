/* SPDX-License-Identifier: BSD-2-Clause */
/* The watch on changes of STEs and CDs; and the domains that they lead to. */
#include "watch.h"

#define WORDS 8
#define VALUES 8
#define VIEWS 4096

struct watch {
	const struct rig_device *device;
	const uint64_t *entry;
	bool cd;
	uint64_t last[WORDS];             /**< what was stored last */
	uint64_t value[WORDS][VALUES][2]; /**< of each unit since the last wait */
	unsigned values[WORDS];
	uint64_t view[VIEWS][WORDS]; /**< what could be seen during the change */
	bool live_ats[VIEWS];        /**< with ATS on in the device: EATS counts */
	unsigned views;
	uint64_t old[WORDS];
	unsigned stores;
};

struct rig *watch_rig;
unsigned watch_unit = 1;
struct smmu_domain watch_domains[WHATS];

static struct watch watches[4];
static unsigned watched;
static unsigned lines_seen;
static bool told; /* a configuration command since the last CMD_SYNC */

static void used(const struct watch *w, const uint64_t *e, uint64_t *mask)
{
	if (w->cd)
		smmu_cd_used((const struct smmu_cd *)e, (struct smmu_cd *)mask);
	else
		smmu_ste_used((const struct smmu_ste *)e, (struct smmu_ste *)mask);
}

static bool acts_like(const struct watch *w, unsigned v, const uint64_t *e)
{
	const uint64_t *view = w->view[v];
	uint64_t mask[WORDS];

	used(w, e, mask);
	if (!w->cd && !w->live_ats[v])
		mask[1] &= ~SMMU_STE_W1_EATS;
	for (unsigned i = 0; i < WORDS; i++)
		if ((view[i] ^ e[i]) & mask[i])
			return false;
	return true;
}

static bool refuses(const struct watch *w, const uint64_t *view)
{
	if (w->cd)
		return !(view[0] & SMMU_CD_W0_V);
	return view[0] & SMMU_STE_W0_V &&
	       smmu_field_get(SMMU_STE_W0_CONFIG, view[0]) == SMMU_STE_CONFIG_ABORT;
}

static void add_value(struct watch *w, unsigned word)
{
	unsigned u = word / watch_unit;

	CHECK(w->values[u] < VALUES);
	for (unsigned i = 0; i < watch_unit; i++)
		w->value[u][w->values[u]][i] = w->last[u * watch_unit + i];
	w->values[u]++;
}

static void restart(struct watch *w)
{
	for (unsigned u = 0; u < WORDS / watch_unit; u++) {
		w->values[u] = 0;
		add_value(w, u * watch_unit);
	}
}

static void add_views(struct watch *w)
{
	unsigned at[WORDS] = {0}, u;

	for (;;) {
		CHECK(w->views < VIEWS);
		for (u = 0; u < WORDS / watch_unit; u++)
			memcpy(&w->view[w->views][u * watch_unit], w->value[u][at[u]],
			       watch_unit * sizeof(uint64_t));
		w->live_ats[w->views++] = w->device->ats;
		for (u = 0; u < WORDS / watch_unit && ++at[u] == w->values[u]; u++)
			at[u] = 0;
		if (u == WORDS / watch_unit)
			return;
	}
}

/** See whether the SMMU was waited for since: a configuration command, and a CMD_SYNC after it. */
static void catch_up(void)
{
	for (; lines_seen < watch_rig->lines; lines_seen++) {
		unsigned op = smmu_cmd_opcode(&watch_rig->log[lines_seen].cmd);

		told |= op == SMMU_CMD_CFGI_STE || op == SMMU_CMD_CFGI_CD;
		if (op != SMMU_CMD_SYNC || !told)
			continue;
		told = false;
		for (unsigned j = 0; j < watched; j++)
			restart(&watches[j]);
	}
}

/** An STE of stage 1 may be seen, so that the SMMU may look at CDs. */
static bool cds_reachable(void)
{
	for (unsigned k = 0; k < watched; k++)
		for (unsigned i = 0; !watches[k].cd && i < watches[k].values[0]; i++)
			if (smmu_field_get(SMMU_STE_W0_CONFIG, watches[k].value[0][i][0]) ==
			    SMMU_STE_CONFIG_S1)
				return true;
	return false;
}

static void stored(const void *p)
{
	const uint64_t *word = p;

	for (unsigned k = 0; k < watched; k++) {
		struct watch *w = &watches[k];
		unsigned i = (unsigned)(word - w->entry);

		if (word < w->entry || word >= w->entry + WORDS)
			continue;
		catch_up();
		w->stores++;
		w->last[i] = *word;
		if (rig_pair)
			continue; /* the other word was stored with it, and comes next */
		if (w->cd && !cds_reachable()) {
			restart(w);
			continue;
		}
		add_value(w, i);
		add_views(w);
	}
}

void watch(struct rig_device *d, const struct smmu_cd *cd)
{
	watched = 0;
	for (unsigned k = 0; k < d->nr; k++)
		watches[watched++].entry = d->dev.streams->ste[k]->w;
	if (cd) {
		watches[watched].entry = cd->w;
		watches[watched++].cd = true;
	}
	for (unsigned k = 0; k < watched; k++) {
		watches[k].device = d;
		watches[k].cd = cd && k == watched - 1;
		memcpy(watches[k].last, watches[k].entry, sizeof(watches[k].last));
		restart(&watches[k]);
	}
	told = false;
	rig_store_hook = stored;
}

void watch_change(void)
{
	catch_up();
	rig_log_reset(watch_rig);
	lines_seen = 0;
	for (unsigned k = 0; k < watched; k++) {
		struct watch *w = &watches[k];

		w->views = w->stores = 0;
		memcpy(w->old, w->entry, sizeof(w->old));
	}
	rig_store_hook = stored;
}

bool watch_check(void)
{
	bool hitless = true;

	for (unsigned k = 0; k < watched; k++) {
		struct watch *w = &watches[k];

		for (unsigned v = 0; v < w->views; v++) {
			if (acts_like(w, v, w->old) || acts_like(w, v, w->entry))
				continue;
			hitless = false;
			if (refuses(w, w->view[v]))
				continue;
			fail_msg("%s: view %016llx %016llx %016llx %016llx is neither",
				 w->cd ? "CD" : "STE", (unsigned long long)w->view[v][0],
				 (unsigned long long)w->view[v][1],
				 (unsigned long long)w->view[v][2],
				 (unsigned long long)w->view[v][3]);
		}
	}
	return hitless;
}

unsigned watch_config_syncs(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < watch_rig->lines; i++) {
		unsigned op = smmu_cmd_opcode(&watch_rig->log[i].cmd);

		if (op == SMMU_CMD_SYNC)
			n++;
		else if (op != SMMU_CMD_CFGI_STE && op != SMMU_CMD_CFGI_CD_ALL &&
			 op != SMMU_CMD_CFGI_CD)
			break;
	}
	return n;
}

void watch_make_domains(void)
{
	rig_domain(watch_rig, &watch_domains[ABORT], SMMU_DOMAIN_BLOCKED);
	rig_domain(watch_rig, &watch_domains[IDENTITY], SMMU_DOMAIN_IDENTITY);
	rig_domain(watch_rig, &watch_domains[S1A], SMMU_DOMAIN_STAGE1);
	rig_domain(watch_rig, &watch_domains[S1B], SMMU_DOMAIN_STAGE1);
	rig_domain(watch_rig, &watch_domains[S2A], SMMU_DOMAIN_STAGE2);
	rig_domain(watch_rig, &watch_domains[S2B], SMMU_DOMAIN_STAGE2);
	for (unsigned i = S1A; i < WHATS; i++)
		assert_int_equal(smmu_map(&watch_domains[i], 0x1000, watch_page(i), 0x1000,
					  SMMU_PROT_READ, 0),
				 0);
}

void watch_drop_domains(void)
{
	for (unsigned i = 0; i < WHATS; i++)
		assert_int_equal(smmu_domain_fini(&watch_domains[i]), 0);
}

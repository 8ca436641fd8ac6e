/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of STEs and CDs. After each store, every view that the SMMU may get of an entry - any mixture of values that
 * its words had since the last wait for the SMMU - has to act like the old entry, the new one, or one that refuses. And
 * how many waits a change costs.
 */
#include "rig.h"

static struct rig rig;

/* ---- the watch ---- */

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

static struct watch watches[4];
static unsigned watched;
static unsigned lines_seen;
static bool told;         /* a configuration command since the last CMD_SYNC */
static unsigned unit = 1; /* words that the SMMU reads in one piece */

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
	unsigned u = word / unit;

	CHECK(w->values[u] < VALUES);
	for (unsigned i = 0; i < unit; i++)
		w->value[u][w->values[u]][i] = w->last[u * unit + i];
	w->values[u]++;
}

static void restart(struct watch *w)
{
	for (unsigned u = 0; u < WORDS / unit; u++) {
		w->values[u] = 0;
		add_value(w, u * unit);
	}
}

static void add_views(struct watch *w)
{
	unsigned at[WORDS] = {0}, u;

	for (;;) {
		CHECK(w->views < VIEWS);
		for (u = 0; u < WORDS / unit; u++)
			memcpy(&w->view[w->views][u * unit], w->value[u][at[u]],
			       unit * sizeof(uint64_t));
		w->live_ats[w->views++] = w->device->ats;
		for (u = 0; u < WORDS / unit && ++at[u] == w->values[u]; u++)
			at[u] = 0;
		if (u == WORDS / unit)
			return;
	}
}

/** See whether the SMMU was waited for since: a configuration command, and a CMD_SYNC after it. */
static void catch_up(void)
{
	for (; lines_seen < rig.lines; lines_seen++) {
		unsigned op = smmu_cmd_opcode(&rig.log[lines_seen].cmd);

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

/**
 * Watch the STEs of @p d, and the CD at @p cd if not NULL, from here on: what a fetch may still see of before stays in
 * view from change to change, until the SMMU was waited for.
 */
static void watch(struct rig_device *d, const struct smmu_cd *cd)
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

/** A change begins: it is judged by what the entries are now and what they will be. */
static void change(void)
{
	catch_up();
	rig_log_reset(&rig);
	lines_seen = 0;
	for (unsigned k = 0; k < watched; k++) {
		struct watch *w = &watches[k];

		w->views = w->stores = 0;
		memcpy(w->old, w->entry, sizeof(w->old));
	}
	rig_store_hook = stored;
}

/** All views were old, new or refusing; true if none was refusing that is neither old nor new. */
static bool check_watch(void)
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

/* ---- changes of the whole stream ---- */

enum what { ABORT, IDENTITY, S1A, S1B, S2A, S2B, WHATS };

static struct smmu_domain domains[WHATS];

static void make_domains(void)
{
	rig_domain(&rig, &domains[ABORT], SMMU_DOMAIN_BLOCKED);
	rig_domain(&rig, &domains[IDENTITY], SMMU_DOMAIN_IDENTITY);
	rig_domain(&rig, &domains[S1A], SMMU_DOMAIN_STAGE1);
	rig_domain(&rig, &domains[S1B], SMMU_DOMAIN_STAGE1);
	rig_domain(&rig, &domains[S2A], SMMU_DOMAIN_STAGE2);
	rig_domain(&rig, &domains[S2B], SMMU_DOMAIN_STAGE2);
	for (unsigned i = S1A; i < WHATS; i++)
		assert_int_equal(smmu_map(&domains[i], 0x1000, 0x50000000 + i * 0x10000, 0x1000,
					  SMMU_PROT_READ, 0),
				 0);
}

static void drop_domains(void)
{
	for (unsigned i = 0; i < WHATS; i++)
		assert_int_equal(smmu_domain_fini(&domains[i]), 0);
}

static void check_reaches(struct rig_device *d, enum what what)
{
	for (unsigned k = 0; k < d->nr; k++) {
		uint64_t pa = 0;
		bool ok = rig_dma(d, k, -1, 0x40001000, &pa);

		assert_int_equal(ok, what == IDENTITY);
		ok = rig_dma(d, k, -1, 0x1000, &pa);
		if (what >= S1A) {
			assert_true(ok);
			assert_int_equal(pa, 0x50000000 + what * 0x10000);
		}
	}
}

/** CMD_SYNCs up to the first command that is not about configuration. */
static unsigned config_syncs(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < rig.lines; i++) {
		unsigned op = smmu_cmd_opcode(&rig.log[i].cmd);

		if (op == SMMU_CMD_SYNC)
			n++;
		else if (op != SMMU_CMD_CFGI_STE && op != SMMU_CMD_CFGI_CD_ALL &&
			 op != SMMU_CMD_CFGI_CD)
			break;
	}
	return n;
}

/*
 * What each change costs in CMD_SYNCs for a device that was only just added, and whether traffic of no kind is refused on
 * the way, without ATS and substreams: one for a change that is a single store; one more where fields have to be laid out
 * before the store that makes them count; one more where two used units differ and the way leads over a refusing entry
 * (S2VMID counts at stage 1 too). With single stores of 16 bytes, S2VMID and S2TTB are one unit.
 */
struct cost {
	unsigned syncs;
	bool breaks;
};
static const struct cost costs[2][WHATS][WHATS] = {
	{
		/* to:        ABORT   IDENT   S1A     S1B     S2A     S2B */
		[ABORT] = {{0, 0}, {2, 0}, {2, 0}, {2, 0}, {2, 0}, {2, 0}},
		[IDENTITY] = {{1, 0}, {0, 0}, {2, 0}, {2, 0}, {2, 0}, {2, 0}},
		[S1A] = {{1, 0}, {1, 0}, {0, 0}, {1, 0}, {3, 1}, {3, 1}},
		[S1B] = {{1, 0}, {1, 0}, {1, 0}, {0, 0}, {3, 1}, {3, 1}},
		[S2A] = {{1, 0}, {1, 0}, {3, 1}, {3, 1}, {0, 0}, {3, 1}},
		[S2B] = {{1, 0}, {1, 0}, {3, 1}, {3, 1}, {3, 1}, {0, 0}},
	},
	{
		[ABORT] = {{0, 0}, {1, 0}, {1, 0}, {1, 0}, {2, 0}, {2, 0}},
		[IDENTITY] = {{1, 0}, {0, 0}, {1, 0}, {1, 0}, {2, 0}, {2, 0}},
		[S1A] = {{1, 0}, {1, 0}, {0, 0}, {1, 0}, {3, 1}, {3, 1}},
		[S1B] = {{1, 0}, {1, 0}, {1, 0}, {0, 0}, {3, 1}, {3, 1}},
		[S2A] = {{1, 0}, {1, 0}, {3, 1}, {3, 1}, {0, 0}, {1, 0}},
		[S2B] = {{1, 0}, {1, 0}, {3, 1}, {3, 1}, {1, 0}, {0, 0}},
	},
};

/** Attach @p d to @p what, detach it for ABORT in every second round, and check what may have been seen. */
static bool change_to(struct rig_device *d, enum what what, bool detach)
{
	bool hitless;

	change();
	if (detach && what == ABORT)
		smmu_detach(&d->dev);
	else
		assert_int_equal(smmu_attach(&d->dev, &domains[what]), 0);
	hitless = check_watch();
	check_reaches(d, what);
	for (unsigned k = 1; k < d->nr; k++) {
		struct smmu_ste a = rig_ste(d, 0), b = rig_ste(d, k);

		assert_memory_equal(&a, &b, sizeof(a));
	}
	return hitless;
}

static void transitions(bool ats, unsigned nr, bool lse2)
{
	struct rig_device d;

	rig_open_up(&rig, 1);
	rig.port.flags = lse2 ? SMMU_PORT_LSE2 : 0;
	unit = lse2 ? 2 : 1;
	make_domains();
	for (unsigned from = 0; from < WHATS; from++)
		for (unsigned to = 0; to < WHATS; to++) {
			struct cost want = costs[lse2][from][to];
			bool hitless;

			rig_device(&rig, &d, 0, 8 * (from * WHATS + to), nr, ats, 0);
			watch(&d, NULL);
			change_to(&d, from, false);
			hitless = change_to(&d, to, from & 1);
			if (getenv("SMMU_TEST_PRINT"))
				printf("%u -> %u: %u %d  %s\n", from, to, config_syncs(), hitless,
				       rig_log(&rig));
			if (!ats && config_syncs() != want.syncs)
				fail_msg("%u -> %u takes %u CMD_SYNCs, not %u: %s", from, to,
					 config_syncs(), want.syncs, rig_log(&rig));
			assert_int_equal(hitless, !want.breaks);
			/* There and back again, which costs no more. */
			change_to(&d, from, true);
			change_to(&d, to, false);
			if (!ats)
				assert_true(config_syncs() <= want.syncs);
			rig_store_hook = NULL;
			smmu_device_fini(&d.dev);
		}
	drop_domains();
	rig_close(&rig);
	unit = 1;
}

static void test_transitions(void **state)
{
	transitions(false, 1, false);
	transitions(false, 1, true);
}

static void test_transitions_ats(void **state)
{
	transitions(true, 1, false);
	transitions(true, 1, true);
}

static void test_transitions_streams(void **state)
{
	transitions(false, 3, false);
	transitions(true, SMMU_DEVICE_STREAMS > 3 ? 3 : SMMU_DEVICE_STREAMS, true);
}

/** One device from anything to anything, a hundred times over: what a slow fetch has of before never shows. */
static void test_transitions_random(void **state)
{
	uint64_t random = 1;

	for (unsigned lse2 = 0; lse2 < 2; lse2++) {
		struct rig_device d;

		rig_open_up(&rig, 1);
		rig.port.flags = lse2 ? SMMU_PORT_LSE2 : 0;
		unit = lse2 ? 2 : 1;
		make_domains();
		rig_device(&rig, &d, 0, 5, 1, lse2, 0);
		watch(&d, NULL);
		for (unsigned i = 0; i < 100; i++) {
			random = random * 6364136223846793005ull + 1442695040888963407ull;
			change_to(&d, (random >> 33) % WHATS, i & 1);
		}
		rig_store_hook = NULL;
		smmu_device_fini(&d.dev);
		drop_domains();
		rig_close(&rig);
	}
	unit = 1;
}

/**
 * Without substreams the new CD is written where no STE points: nobody can have half of it. Held against the STE at
 * each store into the table.
 */
static struct rig_device *cd_device;
static unsigned cd_stores;

static void cd_stored(const void *p)
{
	const struct smmu_cdtab *t = &cd_device->dev.streams->cdtab;
	uint64_t bus = t->bus + (uint64_t)((const char *)p - (const char *)t->table);
	struct smmu_ste ste = rig_ste(cd_device, 0);

	if ((const char *)p < (const char *)t->table ||
	    (const char *)p >= (const char *)t->table + t->size)
		return;
	cd_stores++;
	CHECK(smmu_field_get(SMMU_STE_W0_CONFIG, ste.w[0]) != SMMU_STE_CONFIG_S1 ||
	      (ste.w[0] & SMMU_STE_W0_S1CONTEXTPTR) != (bus & ~63ull));
}

static void test_spare_cd(void **state)
{
	struct rig_device d;

	rig_open_up(&rig, 1);
	make_domains();
	rig_device(&rig, &d, 0, 5, 1, false, 0);
	cd_device = &d;
	rig_store_hook = cd_stored;
	for (unsigned i = 0; i < 7; i++) {
		assert_int_equal(smmu_attach(&d.dev, &domains[i % 3 ? S1A : S1B]), 0);
		check_reaches(&d, i % 3 ? S1A : S1B);
	}
	assert_true(cd_stores >= 4 * 8);
	rig_store_hook = NULL;
	smmu_device_fini(&d.dev);
	drop_domains();
	rig_close(&rig);
}

static const uint64_t ste_w2 = SMMU_STE_W2_S2VMID | SMMU_STE_W2_S2T0SZ | SMMU_STE_W2_S2SL0 |
			       SMMU_STE_W2_S2IR0 | SMMU_STE_W2_S2OR0 | SMMU_STE_W2_S2SH0 |
			       SMMU_STE_W2_S2TG | SMMU_STE_W2_S2PS | SMMU_STE_W2_S2AA64 |
			       SMMU_STE_W2_S2R;
static const uint64_t cd_w0 = SMMU_CD_W0_T0SZ | SMMU_CD_W0_TG0 | SMMU_CD_W0_IR0 | SMMU_CD_W0_OR0 |
			      SMMU_CD_W0_SH0 | SMMU_CD_W0_EPD1 | SMMU_CD_W0_V | SMMU_CD_W0_IPS |
			      SMMU_CD_W0_AA64 | SMMU_CD_W0_R | SMMU_CD_W0_A | SMMU_CD_W0_ASET |
			      SMMU_CD_W0_ASID;

/**
 * Fields that are not named are 0: those of features that are not used (TBI, HTTU, MEV, CONT, MPAM, permission indirection,
 * destructive reads, the VMID of stage 1 alone), and bits of no field.
 */
static void only_known(const struct smmu_ste *ste, uint64_t w2, uint64_t w3)
{
	const uint64_t known[8] = {
		SMMU_STE_W0_V | SMMU_STE_W0_CONFIG | SMMU_STE_W0_S1CONTEXTPTR,
		SMMU_STE_W1_EATS | SMMU_STE_W1_SHCFG | SMMU_STE_W1_S1DSS | SMMU_STE_W1_S1CIR |
			SMMU_STE_W1_S1COR | SMMU_STE_W1_S1CSH,
		w2,
		w3,
	};

	for (unsigned w = 0; w < 8; w++)
		assert_int_equal(ste->w[w] & ~known[w], 0);
}

/** What STE and CD say, field by field, against the table and the array. */
static void test_contents(void **state)
{
	for (unsigned coherent = 0; coherent < 2; coherent++)
		for (unsigned ats = 0; ats < 2; ats++) {
			struct smmu_model_config c = rig_config();
			struct smmu_domain_config cfg = {.non_coherent = !coherent};
			const struct smmu_pgtable_regs *r;
			struct smmu_domain s1, s2, identity;
			struct rig_device d;
			struct smmu_ste ste;
			struct smmu_cd cd;

			c.coherent = coherent;
			rig_open(&rig, &c, 1);
			rig_up(&rig, 0, 0);
			cfg.port = &rig.port;
			cfg.kind = SMMU_DOMAIN_STAGE1;
			assert_int_equal(smmu_domain_init(&s1, &cfg), 0);
			cfg.kind = SMMU_DOMAIN_STAGE2;
			assert_int_equal(smmu_domain_init(&s2, &cfg), 0);
			rig_domain(&rig, &identity, SMMU_DOMAIN_IDENTITY);
			rig_device(&rig, &d, 0, 5, 1, ats, 0);
#define FIELD(mask, word, want) assert_int_equal(smmu_field_get(mask, word), want)
			assert_int_equal(smmu_attach(&d.dev, &s1), 0);
			ste = rig_ste(&d, 0);
			FIELD(SMMU_STE_W0_V, ste.w[0], 1);
			FIELD(SMMU_STE_W0_CONFIG, ste.w[0], 5);
			FIELD(SMMU_STE_W0_S1CDMAX, ste.w[0], 0);
			FIELD(SMMU_STE_W1_EATS, ste.w[1], ats);
			FIELD(SMMU_STE_W1_SHCFG, ste.w[1], 1);
			FIELD(SMMU_STE_W1_S1CIR, ste.w[1], coherent);
			FIELD(SMMU_STE_W1_S1COR, ste.w[1], coherent);
			FIELD(SMMU_STE_W1_S1CSH, ste.w[1], coherent ? 3 : 2);
			FIELD(SMMU_STE_W1_STRW, ste.w[1], 0);
			only_known(&ste, 0, 0);
			cd = *(struct smmu_cd *)smmu_ram_at(
				&rig.ram, ste.w[0] & SMMU_STE_W0_S1CONTEXTPTR, sizeof(cd));
			r = &s1.table->regs;
			FIELD(SMMU_CD_W0_V, cd.w[0], 1);
			FIELD(SMMU_CD_W0_AA64, cd.w[0], 1);
			FIELD(SMMU_CD_W0_R, cd.w[0], 1);
			FIELD(SMMU_CD_W0_A, cd.w[0], 1);
			FIELD(SMMU_CD_W0_ASET, cd.w[0], 1);
			FIELD(SMMU_CD_W0_EPD1, cd.w[0], 1);
			FIELD(SMMU_CD_W0_T0SZ, cd.w[0], 64 - 48);
			FIELD(SMMU_CD_W0_TG0, cd.w[0], 0);
			FIELD(SMMU_CD_W0_IR0, cd.w[0], r->ir0);
			FIELD(SMMU_CD_W0_OR0, cd.w[0], r->or0);
			FIELD(SMMU_CD_W0_SH0, cd.w[0], r->sh0);
			FIELD(SMMU_CD_W0_IPS, cd.w[0], 5);
			FIELD(SMMU_CD_W0_ASID, cd.w[0], s1.inv->entry[0].id);
			assert_int_equal(cd.w[1], r->ttb);
			assert_int_equal(cd.w[2], 0);
			assert_int_equal(cd.w[3], r->mair);
			assert_int_equal(cd.w[0] & ~cd_w0, 0);
			for (unsigned w = 4; w < 8; w++)
				assert_int_equal(cd.w[w], 0);
			assert_int_equal(smmu_attach(&d.dev, &s2), 0);
			ste = rig_ste(&d, 0);
			r = &s2.table->regs;
			FIELD(SMMU_STE_W0_CONFIG, ste.w[0], 6);
			FIELD(SMMU_STE_W1_EATS, ste.w[1], ats);
			FIELD(SMMU_STE_W2_S2VMID, ste.w[2], s2.inv->entry[0].id);
			FIELD(SMMU_STE_W2_S2T0SZ, ste.w[2], r->t0sz);
			FIELD(SMMU_STE_W2_S2SL0, ste.w[2], r->sl0);
			FIELD(SMMU_STE_W2_S2IR0, ste.w[2], r->ir0);
			FIELD(SMMU_STE_W2_S2OR0, ste.w[2], r->or0);
			FIELD(SMMU_STE_W2_S2SH0, ste.w[2], r->sh0);
			FIELD(SMMU_STE_W2_S2TG, ste.w[2], 0);
			FIELD(SMMU_STE_W2_S2PS, ste.w[2], 5);
			FIELD(SMMU_STE_W2_S2AA64, ste.w[2], 1);
			FIELD(SMMU_STE_W2_S2R, ste.w[2], 1);
			assert_int_equal(ste.w[3], r->ttb);
			only_known(&ste, ste_w2, SMMU_STE_W3_S2TTB);
			assert_int_equal(smmu_attach(&d.dev, &identity), 0);
			ste = rig_ste(&d, 0);
			FIELD(SMMU_STE_W0_CONFIG, ste.w[0], 4);
			FIELD(SMMU_STE_W1_EATS, ste.w[1], 0);
			FIELD(SMMU_STE_W1_SHCFG, ste.w[1], 1);
			only_known(&ste, ste_w2, SMMU_STE_W3_S2TTB);
			smmu_device_fini(&d.dev);
			assert_int_equal(smmu_domain_fini(&s1), 0);
			assert_int_equal(smmu_domain_fini(&s2), 0);
			assert_int_equal(smmu_domain_fini(&identity), 0);
			rig_close(&rig);
		}
}

/* ---- substreams ---- */

static struct smmu_cd *cd_at(struct rig_device *d, uint32_t ssid)
{
	struct smmu_cdtab *t = &d->dev.streams->cdtab;

	if (!t->l2)
		return (struct smmu_cd *)t->table + ssid;
	return t->l2[ssid / 64] ? t->l2[ssid / 64] + ssid % 64 : NULL;
}

static void reach_ssid(struct rig_device *d, int32_t ssid, enum what what)
{
	uint64_t pa = 0;

	if (what == ABORT) {
		assert_false(rig_dma(d, 0, ssid, 0x1000, NULL));
		return;
	}
	assert_true(rig_dma(d, 0, ssid, 0x1000, &pa));
	assert_int_equal(pa, what == IDENTITY ? 0x1000 : 0x50000000 + what * 0x10000);
}

static void substreams(unsigned bits, bool two_level, bool ats)
{
	struct smmu_model_config c = rig_config();
	static const uint32_t ssids[] = {1, 5, 63, 64, 200};
	struct rig_device d;

	c.two_level_cd = two_level;
	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, 0);
	make_domains();
	rig_device(&rig, &d, 0, 5, 1, ats, bits);
	assert_int_equal(d.dev.streams->cdtab.l2 != NULL, two_level && bits > 10);
	assert_int_equal(smmu_attach_pasid(&d.dev, 0, &domains[S1A]), -SMMU_ERANGE);
	assert_int_equal(smmu_attach_pasid(&d.dev, 1u << bits, &domains[S1A]), -SMMU_ERANGE);
	assert_int_equal(smmu_attach_pasid(&d.dev, 1, &domains[S2A]), -SMMU_EOPNOTSUPP);
	assert_int_equal(smmu_attach_pasid(&d.dev, 1, &domains[IDENTITY]), -SMMU_EOPNOTSUPP);
	for (unsigned first = 0; first < 3; first++) {
		/* Untagged traffic is blocked, identity, or translated. */
		enum what untagged = first;

		if (untagged)
			assert_int_equal(smmu_attach(&d.dev, &domains[untagged]), 0);
		for (unsigned i = 0; i < SMMU_ARRAY_SIZE(ssids); i++) {
			uint32_t ssid = ssids[i];

			if (ssid >> bits)
				continue;
			watch(&d, cd_at(&d, ssid));
			change();
			assert_int_equal(smmu_attach_pasid(&d.dev, ssid, &domains[S1A]), 0);
			check_watch();
			reach_ssid(&d, (int32_t)ssid, S1A);
			if (untagged != ABORT)
				reach_ssid(&d, -1, untagged);
			watch(&d, cd_at(&d, ssid));
			change();
			assert_int_equal(smmu_attach_pasid(&d.dev, ssid, &domains[S1B]), 0);
			check_watch();
			reach_ssid(&d, (int32_t)ssid, S1B);
			assert_int_equal(smmu_attach_pasid(&d.dev, ssid, &domains[S1B]), 0);
		}
		assert_int_equal(smmu_attach(&d.dev, &domains[S2A]), -SMMU_EBUSY);
		/* Untagged traffic changes under the substreams. */
		for (unsigned to = ABORT; to <= S1B; to++) {
			watch(&d, cd_at(&d, 0));
			change();
			assert_int_equal(smmu_attach(&d.dev, &domains[to]), 0);
			check_watch();
			reach_ssid(&d, 1, S1B);
			if (to)
				reach_ssid(&d, -1, to);
			else
				assert_false(rig_dma(&d, 0, -1, 0x1000, NULL));
			/* Substream 0 is nobody's. */
			reach_ssid(&d, 0, ABORT);
		}
		watch(&d, cd_at(&d, 0));
		change();
		smmu_detach(&d.dev);
		check_watch();
		/* Its CD is where substream 0 would look now. */
		assert_int_equal(cd_at(&d, 0)->w[0], 0);
		reach_ssid(&d, 0, ABORT);
		assert_false(rig_dma(&d, 0, -1, 0x1000, NULL));
		if (untagged)
			assert_int_equal(smmu_attach(&d.dev, &domains[untagged]), 0);
		for (unsigned i = 0; i < SMMU_ARRAY_SIZE(ssids); i++) {
			uint32_t ssid = ssids[i];

			if (ssid >> bits)
				continue;
			watch(&d, cd_at(&d, ssid));
			change();
			smmu_detach_pasid(&d.dev, ssid);
			check_watch();
			reach_ssid(&d, (int32_t)ssid, ABORT);
			assert_int_equal(cd_at(&d, ssid)->w[0], 0);
			smmu_detach_pasid(&d.dev, ssid);
		}
		if (untagged != ABORT)
			reach_ssid(&d, -1, untagged);
		smmu_detach(&d.dev);
		assert_false(d.ats);
	}
	assert_int_equal(smmu_attach(&d.dev, &domains[S2A]), 0);
	reach_ssid(&d, -1, S2A);
	assert_int_equal(smmu_attach_pasid(&d.dev, 1, &domains[S1A]), -SMMU_EBUSY);
	smmu_device_fini(&d.dev);
	drop_domains();
	rig_close(&rig);
}

static void test_substreams(void **state)
{
	substreams(3, true, false);
	substreams(3, false, true);
	substreams(12, true, false);
	substreams(12, true, true);
	substreams(12, false, false);
}

/**
 * A device goes, its CD table is freed, and another takes its stream: nothing that the SMMU kept of the first one's table
 * may lead anywhere.
 */
static void test_table_of_before(void **state)
{
	/* Without substreams first: substream 0 of the next device must not find the CD of that one. */
	{
		struct rig_device d, e;

		rig_open_up(&rig, 1);
		make_domains();
		rig_device(&rig, &d, 0, 5, 1, false, 0);
		assert_int_equal(smmu_attach(&d.dev, &domains[S1A]), 0);
		reach_ssid(&d, -1, S1A);
		smmu_device_fini(&d.dev);
		rig_device(&rig, &e, 0, 5, 1, false, 4);
		assert_int_equal(smmu_attach_pasid(&e.dev, 1, &domains[S1B]), 0);
		reach_ssid(&e, 1, S1B);
		reach_ssid(&e, 0, ABORT);
		reach_ssid(&e, -1, ABORT);
		smmu_device_fini(&e.dev);
		drop_domains();
		rig_close(&rig);
	}
	for (unsigned bits = 9; bits <= 12; bits += 3) {
		struct rig_device d, e;
		struct smmu_cd cd, *left;

		rig_open_up(&rig, 1);
		make_domains();
		rig_device(&rig, &d, 0, 5, 1, false, bits);
		assert_int_equal(smmu_attach_pasid(&d.dev, 1, &domains[S1A]), 0);
		assert_int_equal(smmu_attach_pasid(&d.dev, 200, &domains[S1B]), 0);
		reach_ssid(&d, 1, S1A);
		reach_ssid(&d, 200, S1B);
		/* The SMMU looks at 200 again when it is detached, and keeps the way there. */
		smmu_detach_pasid(&d.dev, 200);
		reach_ssid(&d, 200, ABORT);
		cd = *cd_at(&d, 1);
		left = cd_at(&d, 201);
		smmu_device_fini(&d.dev);
		/* Its memory goes to somebody else, who writes what looks like a CD. */
		*left = cd;
		rig_device(&rig, &e, 0, 5, 1, false, bits);
		for (int32_t ssid = 1; ssid < 260; ssid++)
			reach_ssid(&e, ssid, ABORT);
		assert_int_equal(smmu_attach_pasid(&e.dev, 2, &domains[S1A]), 0);
		for (int32_t ssid = 1; ssid < 260; ssid++)
			reach_ssid(&e, ssid, ssid == 2 ? S1A : ABORT);
		assert_int_equal(smmu_attach_pasid(&e.dev, 200, &domains[S1A]), 0);
		reach_ssid(&e, 200, S1A);
		smmu_device_fini(&e.dev);
		drop_domains();
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_transitions),
		cmocka_unit_test(test_transitions_ats),
		cmocka_unit_test(test_transitions_streams),
		cmocka_unit_test(test_transitions_random),
		cmocka_unit_test(test_spare_cd),
		cmocka_unit_test(test_contents),
		cmocka_unit_test(test_substreams),
		cmocka_unit_test(test_table_of_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

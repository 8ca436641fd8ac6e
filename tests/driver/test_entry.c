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
#define VALUES 6
#define VIEWS 4096

struct watch {
	const uint64_t *entry;
	bool cd;
	uint64_t value[WORDS][VALUES]; /**< since the last wait */
	unsigned values[WORDS];
	uint64_t view[VIEWS][WORDS]; /**< what could be seen during the change */
	unsigned views;
	uint64_t old[WORDS];
	unsigned stores;
};

static struct watch watches[4];
static unsigned watched;
static unsigned lines_seen;

static void used(const struct watch *w, const uint64_t *e, uint64_t *mask)
{
	if (w->cd)
		smmu_cd_used((const struct smmu_cd *)e, (struct smmu_cd *)mask);
	else
		smmu_ste_used((const struct smmu_ste *)e, (struct smmu_ste *)mask);
}

static bool acts_like(const struct watch *w, const uint64_t *view, const uint64_t *e)
{
	uint64_t mask[WORDS];

	used(w, e, mask);
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

static void restart(struct watch *w)
{
	for (unsigned i = 0; i < WORDS; i++) {
		w->value[i][0] = w->entry[i];
		w->values[i] = 1;
	}
}

static void add_views(struct watch *w)
{
	unsigned at[WORDS] = {0}, i;

	for (;;) {
		CHECK(w->views < VIEWS);
		for (i = 0; i < WORDS; i++)
			w->view[w->views][i] = w->value[i][at[i]];
		w->views++;
		for (i = 0; i < WORDS && ++at[i] == w->values[i]; i++)
			at[i] = 0;
		if (i == WORDS)
			return;
	}
}

static void stored(const void *p)
{
	const uint64_t *word = p;

	for (unsigned k = 0; k < watched; k++) {
		struct watch *w = &watches[k];
		unsigned i = (unsigned)(word - w->entry);

		if (word < w->entry || word >= w->entry + WORDS)
			continue;
		w->stores++;
		/* A wait since: a configuration command and a CMD_SYNC after it. */
		for (bool cfgi = false; lines_seen < rig.lines; lines_seen++) {
			unsigned op = smmu_cmd_opcode(&rig.log[lines_seen].cmd);

			cfgi |= w->cd ? op == SMMU_CMD_CFGI_CD : op == SMMU_CMD_CFGI_STE;
			if (op == SMMU_CMD_SYNC && cfgi)
				for (unsigned j = 0; j < watched; j++) {
					uint64_t now = w->entry[i];

					(void)now;
					restart(&watches[j]);
				}
		}
		CHECK(w->values[i] < VALUES);
		w->value[i][w->values[i]++] = *word;
		add_views(w);
	}
}

/** Watch the STEs of @p d, and the CD at @p cd if not NULL. */
static void watch(struct rig_device *d, const struct smmu_cd *cd)
{
	watched = 0;
	for (unsigned k = 0; k < d->nr; k++)
		watches[watched++].entry = d->dev.ste[k]->w;
	if (cd) {
		watches[watched].entry = cd->w;
		watches[watched++].cd = true;
	}
	for (unsigned k = 0; k < watched; k++) {
		struct watch *w = &watches[k];

		w->cd = cd && k == watched - 1;
		w->views = w->stores = 0;
		memcpy(w->old, w->entry, sizeof(w->old));
		restart(w);
	}
	rig_log_reset(&rig);
	lines_seen = 0;
	rig_store_hook = stored;
}

/** All views were old, new or refusing; true if none was refusing that is neither old nor new. */
static bool check_watch(void)
{
	bool hitless = true;

	rig_store_hook = NULL;
	for (unsigned k = 0; k < watched; k++) {
		struct watch *w = &watches[k];

		for (unsigned v = 0; v < w->views; v++) {
			if (acts_like(w, w->view[v], w->old) || acts_like(w, w->view[v], w->entry))
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
 * What each change costs in CMD_SYNCs, without ATS and substreams. One for a change that is a single store; one more
 * where fields have to be laid out before the store that makes them count; one more where two used words differ and the
 * way leads over a refusing entry (S2VMID counts at stage 1 too). From stage 1 to stage 1 the second is for the CDs:
 * they are dropped once the STE that could bring them back is gone.
 */
static const unsigned costs[WHATS][WHATS] = {
	/*           ABORT IDENT S1A S1B S2A S2B */
	[ABORT] = {0, 2, 2, 2, 2, 2}, [IDENTITY] = {1, 0, 2, 2, 2, 2}, [S1A] = {1, 1, 0, 2, 3, 3},
	[S1B] = {1, 1, 2, 0, 3, 3},   [S2A] = {1, 1, 3, 3, 0, 3},      [S2B] = {1, 1, 3, 3, 3, 0},
};

static void transitions(bool ats, unsigned nr, bool print)
{
	struct rig_device d;

	rig_open_up(&rig, 1);
	make_domains();
	rig_device(&rig, &d, 0, 5, nr, ats, 0);
	for (unsigned from = 0; from < WHATS; from++)
		for (unsigned to = 0; to < WHATS; to++) {
			bool hitless;

			assert_int_equal(smmu_attach(&d.dev, &domains[from]), 0);
			check_reaches(&d, from);
			watch(&d, NULL);
			assert_int_equal(smmu_attach(&d.dev, &domains[to]), 0);
			hitless = check_watch();
			check_reaches(&d, to);
			if (print)
				printf("%u -> %u: %u  %s\n", from, to, config_syncs(),
				       rig_log(&rig));
			if (!ats && config_syncs() != costs[from][to])
				fail_msg("%u -> %u takes %u CMD_SYNCs, not %u: %s", from, to,
					 config_syncs(), costs[from][to], rig_log(&rig));
			/* From stage 1 to stage 1, nothing is refused at any time. */
			if ((from == S1A && to == S1B) || from == ABORT || to == ABORT)
				assert_true(hitless);
			/* Nothing of the old is left in the STE. */
			if (to == ABORT)
				for (unsigned k = 0; k < nr; k++) {
					struct smmu_ste ste = rig_ste(&d, k);

					assert_int_equal(ste.w[0], SMMU_STE_W0_V);
					for (unsigned i = 1; i < WORDS; i++)
						assert_int_equal(ste.w[i], 0);
				}
			for (unsigned k = 1; k < nr; k++) {
				struct smmu_ste a = rig_ste(&d, 0), b = rig_ste(&d, k);

				assert_memory_equal(&a, &b, sizeof(a));
			}
			assert_int_equal(smmu_attach(&d.dev, &domains[to]), 0);
		}
	/* Detached is blocked. */
	for (unsigned from = 0; from < WHATS; from++) {
		assert_int_equal(smmu_attach(&d.dev, &domains[from]), 0);
		watch(&d, NULL);
		smmu_detach(&d.dev);
		assert_true(check_watch());
		check_reaches(&d, ABORT);
		if (!ats)
			assert_int_equal(config_syncs(), costs[from][ABORT]);
	}
	smmu_device_fini(&d.dev);
	drop_domains();
	rig_close(&rig);
}

static void test_transitions(void **state)
{
	transitions(false, 1, getenv("SMMU_TEST_PRINT"));
}

static void test_transitions_ats(void **state)
{
	transitions(true, 1, getenv("SMMU_TEST_PRINT"));
}

static void test_transitions_streams(void **state)
{
	transitions(false, 3, false);
	transitions(true, SMMU_DEVICE_STREAMS > 3 ? 3 : SMMU_DEVICE_STREAMS, false);
}

/**
 * Without substreams the new CD is written where no STE points: nobody can have half of it. Held against the STE at
 * each store into the table.
 */
static struct rig_device *cd_device;
static unsigned cd_stores;

static void cd_stored(const void *p)
{
	const struct smmu_cdtab *t = &cd_device->dev.cdtab;
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
			assert_int_equal(smmu_attach(&d.dev, &identity), 0);
			ste = rig_ste(&d, 0);
			FIELD(SMMU_STE_W0_CONFIG, ste.w[0], 4);
			FIELD(SMMU_STE_W1_EATS, ste.w[1], 0);
			FIELD(SMMU_STE_W1_SHCFG, ste.w[1], 1);
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
	struct smmu_cdtab *t = &d->dev.cdtab;

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
	assert_int_equal(d.dev.cdtab.l2 != NULL, two_level && bits > 10);
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
			assert_int_equal(smmu_attach_pasid(&d.dev, ssid, &domains[S1A]), 0);
			check_watch();
			reach_ssid(&d, (int32_t)ssid, S1A);
			if (untagged != ABORT)
				reach_ssid(&d, -1, untagged);
			watch(&d, cd_at(&d, ssid));
			assert_int_equal(smmu_attach_pasid(&d.dev, ssid, &domains[S1B]), 0);
			check_watch();
			reach_ssid(&d, (int32_t)ssid, S1B);
			assert_int_equal(smmu_attach_pasid(&d.dev, ssid, &domains[S1B]), 0);
		}
		assert_int_equal(smmu_attach(&d.dev, &domains[S2A]), -SMMU_EBUSY);
		/* Untagged traffic changes under the substreams. */
		for (unsigned to = ABORT; to <= S1B; to++) {
			watch(&d, cd_at(&d, 0));
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
		cmocka_unit_test(test_spare_cd),
		cmocka_unit_test(test_contents),
		cmocka_unit_test(test_substreams),
		cmocka_unit_test(test_table_of_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

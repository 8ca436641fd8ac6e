/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs against a plain account of what each instance has to be told: every operation that is live and whose device was
 * not cut off, in its own commands; what must take effect first before a CMD_SYNC. However the queue takes them, whatever is
 * gone, and for any range.
 */
#include "inv_test.h"

#define SMMUS 3
#define OPS 48 /* of an instance */
#define LOG 16384

/** A queue that takes commands in pieces of random length. */
struct sink {
	struct smmu_inv_target target;
	struct smmu_cmd log[LOG];
	unsigned n, submits;
	uint64_t *rng; /**< NULL: all at once */
};

static struct sink sink[SMMUS];
static struct smmu_inv_owner owner[SMMUS][OPS];
static struct test_port tp;

static void (*counted)(void); /* a program was counted, and nothing of it written */

static int sink_submit(struct smmu_inv_target *t, struct smmu_inv_program *p,
		       struct smmu_cmdq_token *token)
{
	struct sink *s = smmu_container_of(t, struct sink, target);
	size_t left = smmu_inv_program_count(p);

	assert_true(left && s->n + left <= LOG);
	if (counted)
		counted();
	while (left) {
		size_t room = s->rng ? 1 + test_random(s->rng) % 6 : left;
		size_t n = smmu_inv_program_next(p, &s->log[s->n], room);

		assert_int_equal(n, room < left ? room : left);
		s->n += (unsigned)n;
		left -= n;
	}
	assert_int_equal(smmu_inv_program_next(p, &s->log[s->n], 1), 0);
	s->submits++;
	*token = (struct smmu_cmdq_token){.end = s->n};
	return 0;
}

static enum smmu_cmdq_status sink_done(struct smmu_inv_target *t,
				       const struct smmu_cmdq_token *token)
{
	return SMMU_CMDQ_DONE;
}

static int sink_quarantine(struct smmu_inv_target *t, struct smmu_inv_owner *who)
{
	fail();
	return 0;
}

static const struct smmu_inv_target_ops ops = {sink_submit, sink_done, sink_done, sink_quarantine};

static int setup(void **state)
{
	test_port_init(&tp);
	memset(sink, 0, sizeof(sink));
	memset(owner, 0, sizeof(owner));
	for (unsigned i = 0; i < SMMUS; i++)
		sink[i].target =
			(struct smmu_inv_target){.ops = &ops, .index = i, .flags = SMMU_INV_RANGE};
	return 0;
}

/** What instance @p s has to be told, by the order of the kinds, each a set. */
struct account {
	struct smmu_cmd cmd[3][LOG];
	unsigned n[3];
};
static struct account want, got;

static void put(struct account *a, unsigned order, uint64_t w0, uint64_t w1)
{
	assert_true(a->n[order] < LOG);
	a->cmd[order][a->n[order]++] = (struct smmu_cmd){{w0, w1}};
}

static void account_for(unsigned s, const struct smmu_inv_array *a, const struct smmu_gather *g)
{
	const struct smmu_inv_target *t = &sink[s].target;
	unsigned times = t->flags & SMMU_INV_TLBI_TWICE ? 2 : 1;

	memset(want.n, 0, sizeof(want.n));
	for (uint32_t i = 0; i < a->count; i++) {
		const struct smmu_inv *e = &a->entry[i];
		struct smmu_tlbi_plan tlbi;
		struct smmu_atc_plan atc;
		uint64_t w0, w1;

		if (e->index != s || !e->users)
			continue;
		if (g) {
			smmu_tlbi_plan_init(&tlbi, g, t->flags & SMMU_INV_RANGE, t->tlbi_max);
			smmu_atc_plan_init(&atc, g->start, g->last, t->atc_max);
		}
		switch (e->kind) {
		case SMMU_INV_ATS:
		case SMMU_INV_ATS_FULL:
			if (e->owner->cut)
				continue;
			if (!g || e->kind == SMMU_INV_ATS_FULL)
				put(&want, 2, e->whole, SMMU_CMD_ATC_INV_SIZE_ALL);
			else
				while (smmu_atc_plan_next(&atc, &w1))
					put(&want, 2, e->by_range, w1);
			break;
		case SMMU_INV_S2_VMID_S1_CLEAR:
			for (unsigned k = 0; k < times; k++)
				put(&want, 1, e->whole, 0);
			break;
		default:
			for (unsigned k = 0; k < times; k++) {
				struct smmu_tlbi_plan run = tlbi;

				if (!g || tlbi.whole)
					put(&want, 0, e->whole, 0);
				else
					while (smmu_tlbi_plan_next(&run, &w0, &w1))
						put(&want, 0, e->by_range | w0, w1);
			}
		}
	}
}

static int by_words(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct smmu_cmd));
}

/** Sort what the instance was told into kinds: each kind begins behind a CMD_SYNC, and none comes back. Returns the SYNCs. */
static unsigned take(const struct sink *s)
{
	unsigned at = 0, syncs = 0, since = 0;
	bool synced = true;

	memset(got.n, 0, sizeof(got.n));
	for (unsigned i = 0; i < s->n; i++) {
		unsigned op = smmu_cmd_opcode(&s->log[i]), order;

		if (op == SMMU_CMD_SYNC) {
			assert_int_equal(s->log[i].w[1], 0);
			syncs++;
			since++;
			synced = true;
			continue;
		}
		order = op == SMMU_CMD_ATC_INV ? 2 : op == SMMU_CMD_TLBI_NH_ALL ? 1 : 0;
		assert_true(order == at || (order > at && synced));
		at = order;
		synced = false;
		put(&got, order, s->log[i].w[0], s->log[i].w[1]);
	}
	return syncs;
}

static void compare(unsigned s, unsigned passed_over)
{
	unsigned syncs = take(&sink[s]), kinds = 0;

	for (unsigned k = 0; k < 3; k++) {
		kinds += want.n[k] != 0;
		qsort(want.cmd[k], want.n[k], sizeof(struct smmu_cmd), by_words);
		qsort(got.cmd[k], got.n[k], sizeof(struct smmu_cmd), by_words);
		assert_int_equal(got.n[k], want.n[k]);
		assert_memory_equal(got.cmd[k], want.cmd[k], got.n[k] * sizeof(struct smmu_cmd));
	}
	assert_int_equal(sink[s].submits, kinds != 0);
	/* Twice each of the first two kinds, where that is so; and one for each few that were passed over. */
	if (kinds) {
		unsigned times = sink[s].target.flags & SMMU_INV_TLBI_TWICE ? 2 : 1;
		unsigned segments =
			times * (want.n[0] != 0) + times * (want.n[1] != 0) + (want.n[2] != 0);

		assert_in_range(syncs, segments - 1, segments - 1 + times * passed_over / 4);
	}
}

static uint32_t some_kind(uint64_t *rng, unsigned shape)
{
	static const uint32_t kinds[][4] = {
		{SMMU_INV_S1_ASID, SMMU_INV_S1_ASID, SMMU_INV_S1_ASID, SMMU_INV_S1_ASID},
		{SMMU_INV_S1_ASID, SMMU_INV_ATS, SMMU_INV_ATS, SMMU_INV_ATS},
		{SMMU_INV_S2_VMID, SMMU_INV_S2_VMID_S1_CLEAR, SMMU_INV_ATS_FULL, SMMU_INV_ATS_FULL},
		{SMMU_INV_S2_VMID, SMMU_INV_S2_VMID_S1_CLEAR, SMMU_INV_ATS, SMMU_INV_ATS_FULL},
		{SMMU_INV_ATS, SMMU_INV_ATS, SMMU_INV_ATS, SMMU_INV_ATS},
	};

	return kinds[shape][test_random(rng) % 4];
}

static struct smmu_inv some_operation(uint64_t *rng, unsigned s, uint32_t kind)
{
	struct smmu_inv e;
	uint32_t id = 1 + (uint32_t)(test_random(rng) % OPS);

	switch (kind) {
	case SMMU_INV_S1_ASID:
		smmu_inv_make_asid(&e, &sink[s].target, id);
		break;
	case SMMU_INV_S2_VMID:
		smmu_inv_make_vmid(&e, &sink[s].target, id);
		break;
	case SMMU_INV_S2_VMID_S1_CLEAR:
		smmu_inv_make_s1_clear(&e, &sink[s].target, id);
		break;
	default:
		smmu_inv_make_ats(&e, &sink[s].target, id, -1, kind == SMMU_INV_ATS_FULL,
				  &owner[s][id / 3]);
	}
	return e;
}

/** The headers say of each instance what its operations are. */
static void check_groups(const struct smmu_inv_array *a)
{
	uint32_t at = 0;

	for (uint32_t k = 0; k < a->groups; k++) {
		const struct smmu_inv_group *g = &a->group[k];
		const struct smmu_inv_owner *first = NULL;
		bool by_range = false, full = false, several = false;

		assert_int_equal(g->first, at);
		assert_ptr_equal(g->word, &a->word[at]);
		for (; at < g->end; at++) {
			const struct smmu_inv *e = &a->entry[at];

			assert_ptr_equal(e->target, g->target);
			assert_int_equal(a->word[at], e->by_range);
			assert_int_equal(at >= g->clear, e->kind >= SMMU_INV_S2_VMID_S1_CLEAR);
			assert_int_equal(at >= g->ats, e->kind >= SMMU_INV_ATS);
			if (e->kind < SMMU_INV_ATS)
				continue;
			by_range |= e->kind == SMMU_INV_ATS;
			full |= e->kind == SMMU_INV_ATS_FULL;
			several |= first && first != e->owner;
			first = e->owner;
		}
		assert_int_equal(g->by_range, by_range);
		assert_int_equal(g->full, full);
		assert_int_equal(g->asked, several ? SMMU_INV_ASKED_SEVERAL
					   : first ? SMMU_INV_ASKED_ONE
						   : SMMU_INV_ASKED_NONE);
	}
	assert_int_equal(at, a->count);
}

static struct smmu_gather some_range(uint64_t *rng)
{
	uint64_t start = test_random(rng) % 4096 * 4096;
	unsigned pages = test_random(rng) % 2 ? 1 : 1 + (unsigned)(test_random(rng) % 40);
	struct smmu_gather g;

	if (test_random(rng) % 16 == 0)
		pages = 600;
	smmu_gather_range(&g, 12, start, start + pages * 4096ull - 1, test_random(rng) % 3 ? 12 : 0,
			  test_random(rng) % 2);
	/* With tables of their own, some may name a part of a granule. */
	if (test_random(rng) % 4 == 0)
		g.granule_shift = 16;
	return g;
}

static void test_random_programs(void **state)
{
	static const uint32_t flags[] = {SMMU_INV_RANGE, SMMU_INV_RANGE, 0,
					 SMMU_INV_RANGE | SMMU_INV_TLBI_TWICE};
	uint64_t rng = test_seed();

	for (unsigned round = 0; round < 3000; round++) {
		struct smmu_inv_array *a = NULL, *next;
		struct smmu_inv_debt debt = {0};
		struct smmu_gather g = some_range(&rng);
		const struct smmu_gather *range = test_random(&rng) % 8 ? &g : NULL;
		unsigned passed_over[SMMUS] = {0}, batches = 1 + (unsigned)(test_random(&rng) % 6);
		unsigned shape = (unsigned)(test_random(&rng) % 5);

		setup(NULL);
		for (unsigned s = 0; s < SMMUS; s++) {
			sink[s].target.flags = flags[test_random(&rng) % 4];
			sink[s].target.atc_max = test_random(&rng) % 4 == 0;
			sink[s].rng = test_random(&rng) % 2 ? &rng : NULL;
		}
		/* Some join, more join, some leave. */
		for (unsigned k = 0; k < batches; k++) {
			struct smmu_inv set[OPS];
			uint32_t n = (uint32_t)(test_random(&rng) % (k ? 4 : OPS / 4));

			for (uint32_t i = 0; i < n; i++)
				set[i] = some_operation(&rng, (unsigned)(test_random(&rng) % SMMUS),
							some_kind(&rng, shape));
			smmu_inv_sort(set, n);
			next = smmu_inv_merge(&tp.port, a, set, n);
			assert_non_null(next);
			smmu_inv_array_free(a);
			a = next;
			check_groups(a);
			for (uint32_t i = 0; round % 3 == 0 && i < n; i++)
				if (test_random(&rng) % (round % 2 ? 2 : 8) == 0)
					smmu_inv_unref(a, &set[i], 1);
		}
		for (unsigned s = 0; round % 4 == 1 && s < SMMUS; s++)
			for (unsigned i = 0; i < OPS; i++)
				if (test_random(&rng) % 5 == 0) {
					smmu_inv_cut_begin(&sink[s].target, &owner[s][i]);
					owner[s][i].cut = SMMU_CUT_DONE;
				}
		for (uint32_t i = 0; i < a->count; i++) {
			const struct smmu_inv *e = &a->entry[i];

			passed_over[e->index] += !e->users || (e->owner && e->owner->cut);
		}
		assert_int_equal(smmu_inv_sync(&tp.rcu, &a, &debt, range), 0);
		for (unsigned s = 0; s < SMMUS; s++) {
			account_for(s, a, range);
			compare(s, passed_over[s]);
		}
		smmu_inv_array_free(a);
	}
	assert_int_equal(tp.live, 0);
}

static void lift(void)
{
	smmu_inv_cut_lift(&sink[0].target, &owner[0][1]);
}

static bool asked(uint32_t id)
{
	bool yes = false;

	for (unsigned i = 0; i < sink[0].n; i++)
		yes |= smmu_cmd_opcode(&sink[0].log[i]) == SMMU_CMD_ATC_INV &&
		       smmu_field_get(SMMU_CMD_W0_SID, sink[0].log[i].w[0]) == id;
	return yes;
}

/** A device that is let back between count and commands is left out, and takes nobody's place; the next one asks it. */
static void test_let_back(void **state)
{
	struct smmu_gather g;

	smmu_gather_range(&g, 12, 0x1000, 0x1fff, 12, false);
	for (uint32_t from = 0; from < 8; from++) {
		struct smmu_inv_debt debt = {0};
		struct smmu_inv set[3];
		struct smmu_inv_array *a;

		setup(NULL);
		/* Also where the count comes round. */
		sink[0].target.era = from < 4 ? from : 0x3ffffff8u + from;
		for (uint32_t i = 0; i < 3; i++)
			smmu_inv_make_ats(&set[i], &sink[0].target, i, -1, false, &owner[0][i]);
		a = smmu_inv_merge(&tp.port, NULL, set, 3);
		assert_non_null(a);
		smmu_inv_cut_begin(&sink[0].target, &owner[0][1]);
		owner[0][1].cut = SMMU_CUT_DONE;
		counted = lift;
		assert_int_equal(smmu_inv_sync(&tp.rcu, &a, &debt, &g), 0);
		counted = NULL;
		assert_true(asked(0) && !asked(1) && asked(2));
		sink[0].n = 0;
		assert_int_equal(smmu_inv_sync(&tp.rcu, &a, &debt, &g), 0);
		assert_true(asked(0) && asked(1) && asked(2));
		smmu_inv_cut_end(&sink[0].target, &owner[0][1]);
		assert_int_equal(sink[0].target.cuts, 0);
		sink[0].n = 0;
		assert_int_equal(smmu_inv_sync(&tp.rcu, &a, &debt, &g), 0);
		assert_true(asked(0) && asked(1) && asked(2));
		smmu_inv_array_free(a);
	}
}

/* Nobody passes over many at a time with interrupts masked: a row of what is gone leaves CMD_SYNCs, one in four. */
static void test_passing_over(void **state)
{
	struct smmu_inv set[OPS], gone[OPS];
	struct smmu_inv_debt debt = {0};
	struct smmu_inv_array *a;
	struct smmu_gather g;

	for (uint32_t i = 0; i < OPS; i++)
		smmu_inv_make_ats(&set[i], &sink[0].target, i, -1, false, &owner[0][i]);
	a = smmu_inv_merge(&tp.port, NULL, set, OPS);
	memcpy(gone, &set[1], sizeof(gone) - sizeof(gone[0]));
	smmu_inv_unref(a, gone, OPS - 2);
	smmu_gather_range(&g, 12, 0x5000, 0x5fff, 12, false);
	assert_int_equal(smmu_inv_sync(&tp.rcu, &a, &debt, &g), 0);
	/* The first, 46 that are gone, and the last. */
	assert_int_equal(sink[0].n, 2 + (OPS - 2) / 4);
	assert_int_equal(smmu_cmd_opcode(&sink[0].log[0]), SMMU_CMD_ATC_INV);
	for (unsigned i = 1; i < sink[0].n - 1; i++)
		assert_int_equal(smmu_cmd_opcode(&sink[0].log[i]), SMMU_CMD_SYNC);
	assert_int_equal(sink[0].log[sink[0].n - 1].w[0], set[OPS - 1].by_range);
	smmu_inv_array_free(a);
}

/* What the sweep wants to know of a group, from however many merges. */
static void test_groups(void **state)
{
	struct smmu_inv_array *a = NULL, *next;
	struct smmu_inv e;

	smmu_inv_make_asid(&e, &sink[1].target, 5);
	a = smmu_inv_merge(&tp.port, NULL, &e, 1);
	assert_int_equal(a->groups, 1);
	assert_int_equal(a->group[0].asked, SMMU_INV_ASKED_NONE);
	for (uint32_t i = 0; i < 3; i++) {
		/* Streams 0 and 1 are one device's. */
		smmu_inv_make_ats(&e, &sink[1].target, i, -1, false, &owner[1][i / 2]);
		next = smmu_inv_merge(&tp.port, a, &e, 1);
		smmu_inv_array_free(a);
		a = next;
		assert_int_equal(a->group[0].asked,
				 i < 2 ? SMMU_INV_ASKED_ONE : SMMU_INV_ASKED_SEVERAL);
		assert_int_equal(a->group[0].commands, 3 + i);
	}
	/* The second device leaves: one is left. */
	smmu_inv_unref(a, &e, 1);
	next = smmu_inv_merge(&tp.port, a, NULL, 0);
	smmu_inv_array_free(a);
	a = next;
	assert_int_equal(a->group[0].asked, SMMU_INV_ASKED_ONE);
	assert_int_equal(a->count, 3);
	assert_false(smmu_inv_has_gone(a));
	assert_ptr_equal(a->group[0].target, &sink[1].target);
	smmu_inv_array_free(a);
}

/* Thousands of devices join as one change. */
static void test_batch(void **state)
{
	enum { N = 20000 };
	static struct smmu_inv set[N];
	uint64_t rng = test_seed();
	struct smmu_inv_array *a, *b;

	for (uint32_t i = 0; i < N; i++)
		smmu_inv_make_ats(&set[i], &sink[test_random(&rng) % SMMUS].target,
				  (uint32_t)(test_random(&rng) % (N / 2)), -1, false, &owner[0][0]);
	smmu_inv_sort(set, N);
	a = smmu_inv_merge(&tp.port, NULL, set, N / 2);
	tp.allocs = 0;
	b = smmu_inv_merge(&tp.port, a, &set[N / 2], N / 2);
	/* The operations, and what sweeps read of them. */
	assert_int_equal(tp.allocs, 2);
	smmu_inv_array_free(a);
	for (uint32_t i = 0, users = 0; i < b->count; i++) {
		assert_int_equal(b->word[i], b->entry[i].by_range);
		assert_true(!i || smmu_inv_compare(&b->entry[i - 1], &b->entry[i]) < 0);
		users += b->entry[i].users;
		assert_true(i + 1 < b->count || users == N);
	}
	smmu_inv_unref(b, set, N);
	assert_int_equal(b->gone, b->count);
	smmu_inv_array_free(b);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(test_random_programs), T(test_let_back), T(test_passing_over),
		T(test_groups),          T(test_batch),
	};

	return cmocka_run_group_tests_name("inv program", tests, NULL, NULL);
}

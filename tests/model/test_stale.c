/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each TLB holds on to what it may, and each invalidation takes what it must and nothing that it need not: one row a
 * command, for each kind of thing that is held.
 */
#include "rig.h"

#include <stdio.h>
#include <string.h>

#define OLD 0x800000000ULL
#define NEW 0x900000000ULL
#define PAGE 0x1234000ULL   /* a page */
#define BLOCK 0x40000000ULL /* a block of 2M */
#define IPA 0x2000000000ULL

/** What is held when the command comes. */
enum held {
	S1_PAGE,   /* stage 1, page; its descriptor is cleared */
	S1_GLOBAL, /* the same, global */
	S1_BLOCK,  /* stage 1, block */
	S1_PIECES, /* stage 1, block held in pieces, two of them */
	S1_TABLE,  /* a table pointer: the table is replaced */
	S1_CONT,   /* one entry for sixteen contiguous pages */
	S2_PAGE,   /* stage 2 */
	S2_TABLE,
	BOTH_S1,    /* nested; stage 1 is cleared */
	BOTH_S2,    /* nested; stage 2 is cleared */
	BOTH_BLOCK, /* nested; a block of stage 1 over pages of stage 2; stage 1 is cleared */
	EL2_PAGE,
};

#define VA(a)               \
	{                   \
		.addr = (a) \
	}
#define RANGE(a, n, s, ttl_, leaf_)                                                              \
	{                                                                                        \
		.addr = (a), .num = (n), .scale = (s), .tg = SMMU_CMD_TLBI_TG_4K, .ttl = (ttl_), \
		.leaf = (leaf_)                                                                  \
	}

struct row {
	enum held held;
	enum smmu_cmd_opcode op;
	uint16_t vmid, asid;
	struct smmu_cmd_range r;
	bool clean; /* nothing stale is left */
};

/* Stage 1 has VMID 3 and ASID 5, stage 2 VMID 3, EL2 ASID 5. */
static const struct row rows[] = {
	{S1_PAGE, SMMU_CMD_TLBI_NH_VA, 3, 5, VA(PAGE), true},
	{S1_PAGE, SMMU_CMD_TLBI_NH_VA, 3, 5, {.addr = PAGE, .leaf = true}, true},
	{S1_PAGE, SMMU_CMD_TLBI_NH_VA, 3, 6, VA(PAGE), false},
	{S1_PAGE, SMMU_CMD_TLBI_NH_VA, 4, 5, VA(PAGE), false},
	{S1_PAGE, SMMU_CMD_TLBI_NH_VA, 3, 5, VA(PAGE + 0x1000), false},
	{S1_PAGE, SMMU_CMD_TLBI_NH_VA, 3, 5, VA(PAGE - 0x1000), false},
	{S1_PAGE, SMMU_CMD_TLBI_NH_VAA, 3, 0, VA(PAGE), true},
	{S1_PAGE, SMMU_CMD_TLBI_NH_VAA, 4, 0, VA(PAGE), false},
	{S1_PAGE, SMMU_CMD_TLBI_NH_ASID, 3, 5, {0}, true},
	{S1_PAGE, SMMU_CMD_TLBI_NH_ASID, 3, 6, {0}, false},
	{S1_PAGE, SMMU_CMD_TLBI_NH_ASID, 4, 5, {0}, false},
	{S1_PAGE, SMMU_CMD_TLBI_NH_ALL, 3, 0, {0}, true},
	{S1_PAGE, SMMU_CMD_TLBI_NH_ALL, 4, 0, {0}, false},
	{S1_PAGE, SMMU_CMD_TLBI_S12_VMALL, 3, 0, {0}, true},
	{S1_PAGE, SMMU_CMD_TLBI_S12_VMALL, 4, 0, {0}, false},
	{S1_PAGE, SMMU_CMD_TLBI_S2_IPA, 3, 0, VA(PAGE), false},
	{S1_PAGE, SMMU_CMD_TLBI_NSNH_ALL, 0, 0, {0}, true},
	{S1_PAGE, SMMU_CMD_TLBI_EL2_ALL, 0, 0, {0}, false},
	{S1_PAGE, SMMU_CMD_TLBI_EL2_VA, 0, 5, VA(PAGE), false},
	/* Ranges: exact at both ends. */
	{S1_PAGE, SMMU_CMD_TLBI_NH_VA, 3, 5, RANGE(PAGE, 0, 0, 3, true), true},
	{S1_PAGE, SMMU_CMD_TLBI_NH_VA, 3, 5, RANGE(PAGE - 0x4000, 3, 0, 0, true), false},
	{S1_PAGE, SMMU_CMD_TLBI_NH_VA, 3, 5, RANGE(PAGE - 0x4000, 4, 0, 0, true), true},
	{S1_PAGE, SMMU_CMD_TLBI_NH_VA, 3, 5, RANGE(PAGE + 0x1000, 31, 3, 0, true), false},
	{S1_PAGE, SMMU_CMD_TLBI_NH_VA, 3, 5, RANGE(PAGE - 0x20000, 0, 5, 0, true), false},
	{S1_PAGE, SMMU_CMD_TLBI_NH_VA, 3, 5, RANGE(PAGE - 0x20000, 1, 5, 0, true), true},
	{S1_PAGE, SMMU_CMD_TLBI_NH_VA, 3, 5, RANGE(0, 31, 31, 0, false), true},
	/* Hints: the level and the granule of the leaf have to be right. */
	{S1_PAGE, SMMU_CMD_TLBI_NH_VA, 3, 5, RANGE(PAGE, 1, 0, 3, true), true},
	{S1_PAGE, SMMU_CMD_TLBI_NH_VA, 3, 5, RANGE(PAGE & ~0x1fffffULL, 0, 9, 2, true), false},
	{S1_PAGE,
	 SMMU_CMD_TLBI_NH_VA,
	 3,
	 5,
	 {.addr = PAGE, .tg = SMMU_CMD_TLBI_TG_16K, .ttl = 3},
	 false},
	{S1_PAGE,
	 SMMU_CMD_TLBI_NH_VA,
	 3,
	 5,
	 {.addr = PAGE, .tg = SMMU_CMD_TLBI_TG_64K, .ttl = 3},
	 false},
	/* Global entries belong to no ASID as a whole, and to each by address. */
	{S1_GLOBAL, SMMU_CMD_TLBI_NH_ASID, 3, 5, {0}, false},
	{S1_GLOBAL, SMMU_CMD_TLBI_NH_VA, 3, 77, VA(PAGE), true},
	{S1_GLOBAL, SMMU_CMD_TLBI_NH_VAA, 3, 0, VA(PAGE), true},
	{S1_GLOBAL, SMMU_CMD_TLBI_NH_ALL, 3, 0, {0}, true},
	/* Blocks: any address inside takes all of it. */
	{S1_BLOCK, SMMU_CMD_TLBI_NH_VA, 3, 5, VA(BLOCK), true},
	{S1_BLOCK, SMMU_CMD_TLBI_NH_VA, 3, 5, VA(BLOCK + 0x1ff000), true},
	{S1_BLOCK, SMMU_CMD_TLBI_NH_VA, 3, 5, VA(BLOCK + 0x200000), false},
	{S1_BLOCK, SMMU_CMD_TLBI_NH_VA, 3, 5, RANGE(BLOCK - 0x1000, 1, 0, 0, true), true},
	{S1_BLOCK, SMMU_CMD_TLBI_NH_VA, 3, 5, RANGE(BLOCK, 0, 9, 2, true), true},
	{S1_BLOCK, SMMU_CMD_TLBI_NH_VA, 3, 5, RANGE(BLOCK, 0, 9, 3, true), false},
	{S1_BLOCK, SMMU_CMD_TLBI_NH_VA, 3, 5, RANGE(BLOCK + 0x1000, 0, 0, 2, true), false},
	{S1_PIECES, SMMU_CMD_TLBI_NH_VA, 3, 5, VA(BLOCK + 0x155000), true},
	{S1_PIECES, SMMU_CMD_TLBI_NH_VA, 3, 5, RANGE(BLOCK, 0, 9, 2, true), true},
	{S1_PIECES, SMMU_CMD_TLBI_NH_VA, 3, 5, VA(BLOCK - 0x1000), false},
	{S1_CONT, SMMU_CMD_TLBI_NH_VA, 3, 5, VA((PAGE & ~0xffffULL) + 0xf000), true},
	{S1_CONT, SMMU_CMD_TLBI_NH_VA, 3, 5, VA((PAGE & ~0xffffULL) + 0x10000), false},
	/* Table pointers: not by a leaf invalidation, and only above the level that is named. */
	{S1_TABLE, SMMU_CMD_TLBI_NH_VA, 3, 5, {.addr = PAGE, .leaf = true}, false},
	{S1_TABLE, SMMU_CMD_TLBI_NH_VA, 3, 5, VA(PAGE), true},
	{S1_TABLE, SMMU_CMD_TLBI_NH_VA, 3, 6, VA(PAGE), false},
	{S1_TABLE, SMMU_CMD_TLBI_NH_VA, 3, 5, VA(PAGE & ~0x1fffffULL), true},
	{S1_TABLE, SMMU_CMD_TLBI_NH_VA, 3, 5, VA((PAGE & ~0x1fffffULL) + 0x200000), false},
	{S1_TABLE, SMMU_CMD_TLBI_NH_VA, 3, 5, RANGE(PAGE, 0, 0, 3, false), true},
	{S1_TABLE, SMMU_CMD_TLBI_NH_VA, 3, 5, RANGE(PAGE & ~0x1fffffULL, 0, 9, 2, false), false},
	{S1_TABLE, SMMU_CMD_TLBI_NH_VA, 3, 5, RANGE(PAGE & ~0x1fffffULL, 0, 9, 0, false), true},
	{S1_TABLE, SMMU_CMD_TLBI_NH_ASID, 3, 5, {0}, true},
	{S1_TABLE, SMMU_CMD_TLBI_NH_ALL, 3, 0, {0}, true},
	{S1_TABLE, SMMU_CMD_TLBI_S2_IPA, 3, 0, VA(PAGE), false},
	/* Stage 2. */
	{S2_PAGE, SMMU_CMD_TLBI_S2_IPA, 3, 0, VA(PAGE), true},
	{S2_PAGE, SMMU_CMD_TLBI_S2_IPA, 3, 0, {.addr = PAGE, .leaf = true}, true},
	{S2_PAGE, SMMU_CMD_TLBI_S2_IPA, 4, 0, VA(PAGE), false},
	{S2_PAGE, SMMU_CMD_TLBI_S2_IPA, 3, 0, VA(PAGE + 0x1000), false},
	{S2_PAGE, SMMU_CMD_TLBI_S2_IPA, 3, 0, RANGE(PAGE - 0x2000, 2, 0, 3, true), true},
	{S2_PAGE, SMMU_CMD_TLBI_S2_IPA, 3, 0, RANGE(PAGE - 0x2000, 1, 0, 3, true), false},
	{S2_PAGE, SMMU_CMD_TLBI_S12_VMALL, 3, 0, {0}, true},
	{S2_PAGE, SMMU_CMD_TLBI_S12_VMALL, 4, 0, {0}, false},
	{S2_PAGE, SMMU_CMD_TLBI_NH_ALL, 3, 0, {0}, false},
	{S2_PAGE, SMMU_CMD_TLBI_NH_VAA, 3, 0, VA(PAGE), false},
	{S2_PAGE, SMMU_CMD_TLBI_NSNH_ALL, 0, 0, {0}, true},
	{S2_TABLE, SMMU_CMD_TLBI_S2_IPA, 3, 0, {.addr = PAGE, .leaf = true}, false},
	{S2_TABLE, SMMU_CMD_TLBI_S2_IPA, 3, 0, VA(PAGE), true},
	{S2_TABLE, SMMU_CMD_TLBI_S12_VMALL, 3, 0, {0}, true},
	/* Both stages in one entry: known by its VA, and not by its IPA. */
	{BOTH_S1, SMMU_CMD_TLBI_NH_VA, 3, 5, VA(PAGE), true},
	{BOTH_S1, SMMU_CMD_TLBI_NH_VA, 3, 5, VA(IPA), false},
	{BOTH_S1, SMMU_CMD_TLBI_NH_VA, 0, 5, VA(PAGE), false},
	{BOTH_S1, SMMU_CMD_TLBI_NH_ALL, 3, 0, {0}, true},
	{BOTH_S1, SMMU_CMD_TLBI_S12_VMALL, 3, 0, {0}, true},
	{BOTH_S2, SMMU_CMD_TLBI_S2_IPA, 3, 0, VA(IPA), false},
	{BOTH_S2, SMMU_CMD_TLBI_NH_ALL, 3, 0, {0}, false}, /* the stage-2 entry is left */
	{BOTH_S2, SMMU_CMD_TLBI_S12_VMALL, 3, 0, {0}, true},
	{BOTH_S2, SMMU_CMD_TLBI_NSNH_ALL, 0, 0, {0}, true},
	{BOTH_BLOCK, SMMU_CMD_TLBI_NH_VA, 3, 5, VA(BLOCK + 0x155000), true},
	{BOTH_BLOCK, SMMU_CMD_TLBI_NH_VA, 3, 5, RANGE(BLOCK, 0, 9, 2, true), true},
	{BOTH_BLOCK, SMMU_CMD_TLBI_NH_VA, 3, 5, RANGE(BLOCK, 0, 9, 3, true), false},
	{BOTH_BLOCK, SMMU_CMD_TLBI_NH_VA, 3, 5, VA(BLOCK + 0x200000), false},
	/* EL2 is a world of its own. */
	{EL2_PAGE, SMMU_CMD_TLBI_EL2_VA, 0, 5, VA(PAGE), true},
	{EL2_PAGE, SMMU_CMD_TLBI_EL2_VA, 0, 6, VA(PAGE), false},
	{EL2_PAGE, SMMU_CMD_TLBI_EL2_VAA, 0, 0, VA(PAGE), true},
	{EL2_PAGE, SMMU_CMD_TLBI_EL2_ASID, 0, 5, {0}, true},
	{EL2_PAGE, SMMU_CMD_TLBI_EL2_ASID, 0, 6, {0}, false},
	{EL2_PAGE, SMMU_CMD_TLBI_EL2_ALL, 0, 0, {0}, true},
	{EL2_PAGE, SMMU_CMD_TLBI_NH_VA, 3, 5, VA(PAGE), false},
	{EL2_PAGE, SMMU_CMD_TLBI_NSNH_ALL, 0, 0, {0}, false},
};

/** A machine in which row's thing is held; *probes are the accesses that would find it. */
struct scene {
	struct rig rig;
	struct rig_table s1, s2;
	uint64_t probe[2];
	unsigned probes;
};

static void map_identity(struct rig *rig, struct rig_table *s2)
{
	for (uint64_t a = RIG_RAM_BASE; a < RIG_RAM_BASE + RIG_RAM_SIZE; a += 0x200000)
		rig_map(rig, s2, a, a, 2, 0);
}

/** Replace the leaf table of PAGE by one that maps the second probe somewhere else. */
static void replace_table(struct rig *rig, struct rig_table *t)
{
	rig_store(rig, rig_slot(rig, t, PAGE, 2), 0);
	rig_map(rig, t, PAGE + 0x1000, NEW + 0x1000, 3, RIG_NG);
}

static void set_scene(struct scene *s, enum held held)
{
	struct smmu_model_config c = rig_config();
	struct rig *rig = &s->rig;
	uint64_t w[8], cd;
	bool nested = held == BOTH_S1 || held == BOTH_S2 || held == BOTH_BLOCK;
	bool s2_only = held == S2_PAGE || held == S2_TABLE;

	c.hyp = true;
	c.split_permille = held == S1_PIECES ? 1000 : 0;
	rig_open(rig, &c, 2, SMMU_MODEL_VIRTUAL, NULL, held);
	/* E2H, before anything is enabled. */
	rig_up(rig, 0);
	rig_up(rig, 1);
	if (held == EL2_PAGE) {
		rig_write(rig, 0, SMMU_CR0, 0);
		rig_wait(rig, 0, SMMU_CR0ACK, UINT32_MAX, 0);
		rig_write(rig, 0, SMMU_CR2, SMMU_CR2_E2H);
		rig_write(rig, 0, SMMU_CR0, SMMU_CR0_SMMUEN | SMMU_CR0_CMDQEN);
		rig_wait(rig, 0, SMMU_CR0ACK, 1, 1);
	}
	s->s1 = rig_table(rig, 1, 12, 48);
	s->s2 = rig_table(rig, 2, 12, 40);
	cd = rig_cd(rig, 0, &s->s1, 5);
	if (nested) {
		map_identity(rig, &s->s2);
		rig_ste_nested(w, cd, &s->s2, 3);
	} else if (s2_only) {
		rig_ste_s2(w, &s->s2, 3);
	} else {
		rig_ste_s1(w, cd, 0, 3);
		if (held == EL2_PAGE)
			w[1] |= smmu_field_prep(SMMU_STE_W1_STRW, SMMU_STE_STRW_EL2);
	}
	rig_ste(rig, 0, 1, w);
	s->probe[0] = PAGE;
	s->probes = 1;

	switch (held) {
	case S1_PAGE:
	case S1_GLOBAL:
	case EL2_PAGE:
		rig_map(rig, &s->s1, PAGE, OLD, 3, held == S1_GLOBAL ? 0 : RIG_NG);
		rig_expect(rig, 0, 1, PAGE, OLD);
		rig_store(rig, rig_slot(rig, &s->s1, PAGE, 3), 0);
		break;
	case S1_BLOCK:
	case S1_PIECES:
		rig_map(rig, &s->s1, BLOCK, OLD, 2, RIG_NG);
		s->probe[0] = BLOCK + 0x3000;
		s->probe[1] = BLOCK + 0x180000;
		s->probes = 2;
		rig_expect(rig, 0, 1, s->probe[0], OLD + 0x3000);
		rig_expect(rig, 0, 1, s->probe[1], OLD + 0x180000);
		rig_store(rig, rig_slot(rig, &s->s1, BLOCK, 2), 0);
		break;
	case S1_CONT:
		for (uint64_t a = 0; a < 0x10000; a += 0x1000)
			rig_map(rig, &s->s1, (PAGE & ~0xffffULL) + a, OLD + a, 3,
				RIG_NG | RIG_CONT);
		rig_expect(rig, 0, 1, PAGE, OLD + (PAGE & 0xf000));
		for (uint64_t a = 0; a < 0x10000; a += 0x1000)
			rig_store(rig, rig_slot(rig, &s->s1, (PAGE & ~0xffffULL) + a, 3), 0);
		s->probe[0] = (PAGE & ~0xffffULL) + 0x1000; /* never accessed */
		break;
	case S1_TABLE:
	case S2_TABLE: {
		struct rig_table *t = held == S1_TABLE ? &s->s1 : &s->s2;

		rig_map(rig, t, PAGE, OLD, 3, RIG_NG);
		rig_map(rig, t, PAGE + 0x1000, OLD + 0x1000, 3, RIG_NG);
		rig_expect(rig, 0, 1, PAGE, OLD);
		replace_table(rig, t);
		s->probe[0] = PAGE + 0x1000;
		break;
	}
	case S2_PAGE:
		rig_map(rig, &s->s2, PAGE, OLD, 3, 0);
		rig_expect(rig, 0, 1, PAGE, OLD);
		rig_store(rig, rig_slot(rig, &s->s2, PAGE, 3), 0);
		break;
	case BOTH_S1:
	case BOTH_S2:
		rig_map(rig, &s->s2, IPA, OLD, 3, 0);
		rig_map(rig, &s->s1, PAGE, IPA, 3, RIG_NG);
		rig_expect(rig, 0, 1, PAGE, OLD);
		if (held == BOTH_S1)
			rig_store(rig, rig_slot(rig, &s->s1, PAGE, 3), 0);
		else
			rig_store(rig, rig_slot(rig, &s->s2, IPA, 3), 0);
		break;
	case BOTH_BLOCK:
		for (uint64_t a = 0; a < 0x200000; a += 0x1000)
			rig_map(rig, &s->s2, IPA + a, OLD + a, 3, 0);
		rig_map(rig, &s->s1, BLOCK, IPA, 2, RIG_NG);
		s->probe[0] = BLOCK + 0x3000;
		s->probe[1] = BLOCK + 0x180000;
		s->probes = 2;
		rig_expect(rig, 0, 1, s->probe[0], OLD + 0x3000);
		rig_expect(rig, 0, 1, s->probe[1], OLD + 0x180000);
		rig_store(rig, rig_slot(rig, &s->s1, BLOCK, 2), 0);
		break;
	}
}

/** How many of the probes still find what was held. @p touch: by an access, which fills caches, too. */
static unsigned stale(struct scene *s, bool touch)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->probes; i++) {
		struct smmu_dma dma = {.stream = 1, .iova = s->probe[i], .brief = true};
		struct smmu_dma_result seen = smmu_model_probe(s->rig.model, &dma);
		struct smmu_dma_result r = touch ? smmu_model_dma(s->rig.model, &dma) : seen;

		/* What memory says is asked for afterwards, and is the same. */
		assert_true(!seen.unasked && r.unasked == touch);
		smmu_model_account(s->rig.model, &r);
		assert_true(!r.unasked && seen.differs == r.differs && seen.truth_ok == r.truth_ok);
		assert_true(seen.ok == r.ok && seen.pa == r.pa && seen.held_by == r.held_by);
		if (r.differs) {
			assert_true(r.ok);
			assert_true(r.held_by == SMMU_HELD_TLB || r.held_by == SMMU_HELD_WALK);
			n++;
		}
	}
	return n;
}

static void test_tlbi(void **state)
{
	for (unsigned n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		const struct row *row = &rows[n];
		struct smmu_cmd cmd =
			smmu_cmd_tlbi_at(smmu_cmd_tlbi(row->op, row->vmid, row->asid), row->r);
		static struct scene s;
		unsigned left;

		memset(&s, 0, sizeof(s));
		set_scene(&s, row->held);
		assert_int_equal(stale(&s, false), s.probes);
		/* The other instance's queue takes nothing away here. */
		rig_cmd_sync(&s.rig, 1, cmd);
		assert_int_equal(stale(&s, false), s.probes);
		rig_cmd_sync(&s.rig, 0, cmd);
		left = stale(&s, true);
		if (left != (row->clean ? 0 : s.probes))
			fail_msg("row %u (held %d, %s): %u of %u probes are stale", n, row->held,
				 smmu_model_command_name(row->op), left, s.probes);
		rig_close(&s.rig);
	}
}

/** What a nesting parent has to do: S2_IPA alone and NH_ALL alone leave one each, both leave none. */
static void test_nesting_parent(void **state)
{
	static struct scene s;

	memset(&s, 0, sizeof(s));
	set_scene(&s, BOTH_S2);
	rig_cmd(&s.rig, 0, smmu_cmd_tlbi_s2_ipa(3, (struct smmu_cmd_range)VA(IPA)));
	rig_cmd_sync(&s.rig, 0, smmu_cmd_tlbi_nh_all(3));
	assert_int_equal(stale(&s, true), 0);
	rig_close(&s.rig);
}

/** A translation is shared by all streams with its tags, and by no other. */
static void test_sharing(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_dma_result r;
	struct rig rig;
	struct rig_table t;
	uint64_t w[8], cd5, cd6;

	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	t = rig_table(&rig, 1, 12, 48);
	cd5 = rig_cd(&rig, 0, &t, 5);
	cd6 = rig_cd(&rig, 0, &t, 6);
	rig_ste_s1(w, cd5, 0, 0);
	rig_ste(&rig, 0, 1, w);
	rig_ste(&rig, 0, 2, w);
	rig_ste_s1(w, cd6, 0, 0);
	rig_ste(&rig, 0, 3, w);
	rig_ste_s1(w, cd5, 0, 1);
	rig_ste(&rig, 0, 4, w);
	rig_map(&rig, &t, PAGE, OLD, 3, RIG_NG);
	rig_map(&rig, &t, PAGE + 0x1000, OLD, 3, 0);
	rig_expect(&rig, 0, 1, PAGE, OLD);
	rig_expect(&rig, 0, 1, PAGE + 0x1000, OLD);
	rig_store(&rig, rig_slot(&rig, &t, PAGE, 3), 0);
	rig_store(&rig, rig_slot(&rig, &t, PAGE + 0x1000, 3), 0);
	r = rig_dma(&rig, 0, 2, PAGE, false);
	assert_true(r.ok && r.held_by == SMMU_HELD_TLB && r.tag.asid == 5);
	rig_refused(&rig, 0, 3, PAGE, SMMU_F_TRANSLATION); /* another ASID … */
	rig_expect(&rig, 0, 3, PAGE + 0x1000, OLD);        /* … shares what is global */
	rig_refused(&rig, 0, 4, PAGE, SMMU_F_TRANSLATION); /* another VMID */
	rig_refused(&rig, 0, 4, PAGE + 0x1000, SMMU_F_TRANSLATION);
	/* Of several answers the oldest one counts. */
	rig_map(&rig, &t, PAGE, NEW, 3, 0);
	rig_expect(&rig, 0, 3, PAGE, NEW);
	rig_expect(&rig, 0, 1, PAGE, OLD);
	rig_close(&rig);
}

struct over {
	unsigned asked, needed;
};

static bool still_mapped(void *ctx, unsigned instance, const struct smmu_model_tag *tag,
			 uint64_t base, uint64_t size)
{
	struct over *o = ctx;

	o->asked++;
	if (base == PAGE)
		return false;
	o->needed++;
	return true;
}

/** Too much is legal and counted. */
static void test_over_invalidation(void **state)
{
	struct over o = {0};
	struct smmu_model_hooks hooks = {.ctx = &o, .still_mapped = still_mapped};
	struct smmu_model_config c = rig_config();
	struct smmu_model_counters count;
	struct rig rig;
	struct rig_table t;
	uint64_t w[8];

	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, &hooks, 1);
	rig_up(&rig, 0);
	t = rig_table(&rig, 1, 12, 48);
	rig_ste_s1(w, rig_cd(&rig, 0, &t, 5), 0, 0);
	rig_ste(&rig, 0, 1, w);
	for (uint64_t a = 0; a < 5; a++) {
		rig_map(&rig, &t, PAGE + a * 0x1000, OLD + a * 0x1000, 3, RIG_NG);
		rig_expect(&rig, 0, 1, PAGE + a * 0x1000, OLD + a * 0x1000);
	}
	rig_cmd_sync(&rig, 0, smmu_cmd_tlbi_nh_va(0, 5, (struct smmu_cmd_range)VA(PAGE)));
	smmu_model_counters(rig.model, 0, &count);
	assert_int_equal(count.dropped_tlb, 1);
	assert_int_equal(count.over, 0);
	assert_int_equal(count.tlb_entries, 4);
	rig_cmd_sync(&rig, 0, smmu_cmd_tlbi_nh_asid(0, 5));
	smmu_model_counters(rig.model, 0, &count);
	assert_int_equal(count.dropped_tlb, 5);
	assert_int_equal(count.over, 4);
	assert_int_equal(count.tlb_entries, 0);
	assert_int_equal(o.asked, 5);
	assert_int_equal(count.tlbi, 3);
	assert_int_equal(count.cfgi, 1);
	rig_close(&rig);
}

/** A small TLB forgets, which is no invalidation. */
static void test_capacity(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_model_counters count;
	struct rig rig;
	struct rig_table t;
	uint64_t w[8];

	c.tlb_max = 4;
	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	t = rig_table(&rig, 1, 12, 48);
	rig_ste_s1(w, rig_cd(&rig, 0, &t, 5), 0, 0);
	rig_ste(&rig, 0, 1, w);
	for (uint64_t a = 0; a < 50; a++) {
		rig_map(&rig, &t, PAGE + a * 0x200000, OLD + a * 0x1000, 3, RIG_NG);
		rig_expect(&rig, 0, 1, PAGE + a * 0x200000, OLD + a * 0x1000);
	}
	smmu_model_counters(rig.model, 0, &count);
	assert_int_equal(count.tlb_entries, 4);
	assert_int_equal(count.walk_entries, 4);
	assert_true(count.evictions >= 92);
	assert_int_equal(count.dropped_tlb, 0);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tlbi),     cmocka_unit_test(test_nesting_parent),
		cmocka_unit_test(test_sharing),  cmocka_unit_test(test_over_invalidation),
		cmocka_unit_test(test_capacity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

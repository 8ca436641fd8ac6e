/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware update of tables (IHI 0070 G.b, 3.13): what each state of a descriptor becomes by an access, held against
 * the rules as they are written here, apart from the model's.
 */
#include <stdlib.h>
#include <string.h>

#include "rig.h"

#define DATA 0x800000000ULL
#define IOVA 0x40003000ULL
#define BLOCK 0x40400000ULL
#define AF (1ULL << 10)
#define BIT7 (1ULL << 7) /* AP[2]: read only; S2AP[1]: may be written */
#define DBM (1ULL << 51)
#define CD_HD SMMU_CD_W0_HD
#define CD_HA SMMU_CD_W0_HA
#define AFFD1 SMMU_CD_W0_AFFD
#define AFFD2 (1ULL << 53)

static struct rig rig;
static struct rig_table t1, t2;
static uint64_t cd, slot1, slot2;

enum { WANT_HA = 1, WANT_HD = 2, WANT_AFFD = 4 };

static uint64_t s1_bits(unsigned want)
{
	return (want & WANT_HA ? CD_HA : 0) | (want & WANT_HD ? CD_HD : 0) |
	       (want & WANT_AFFD ? AFFD1 : 0);
}

static uint64_t s2_bits(unsigned want)
{
	return (want & WANT_HA ? SMMU_STE_W2_S2HA : 0) | (want & WANT_HD ? SMMU_STE_W2_S2HD : 0) |
	       (want & WANT_AFFD ? AFFD2 : 0);
}

/** Stream 1 with stage @p stage (3: both), whose flags are as @p want1 and @p want2 say. */
static void open_rig(unsigned stage, unsigned want1, unsigned want2,
		     const struct smmu_model_config *c)
{
	uint64_t w[8];

	rig_open(&rig, c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	t1 = rig_table(&rig, 1, 12, 39);
	t2 = rig_table(&rig, 2, 12, 40);
	cd = rig_cd(&rig, 0, &t1, 5);
	rig_store(&rig, cd, rig_load(&rig, cd) | s1_bits(want1));
	if (stage == 1)
		rig_ste_s1(w, cd, 0, 0);
	else if (stage == 2)
		rig_ste_s2(w, &t2, 9);
	else
		rig_ste_nested(w, cd, &t2, 9);
	if (stage != 1)
		w[2] |= s2_bits(want2);
	rig_ste(&rig, 0, 1, w);
	if (stage != 2) {
		rig_map(&rig, &t1, IOVA, DATA, 3, RIG_NG);
		slot1 = rig_slot(&rig, &t1, IOVA, 3);
	}
	if (stage == 2) {
		rig_map(&rig, &t2, IOVA, DATA, 3, 0);
		slot2 = rig_slot(&rig, &t2, IOVA, 3);
	} else if (stage == 3) {
		/* All memory one to one, in pages where tables are, and the output. */
		for (uint64_t a = RIG_RAM_BASE; a < RIG_RAM_BASE + RIG_RAM_SIZE / 4; a += 0x1000)
			rig_map(&rig, &t2, a, a, 3, 0);
		rig_map(&rig, &t2, DATA, DATA, 3, 0);
		slot2 = rig_slot(&rig, &t2, DATA, 3);
	}
}

static void close_rig(void)
{
	uint64_t w[4];

	while (rig_event(&rig, 0, w))
		;
	rig_close(&rig);
}

static struct smmu_model_config config(void)
{
	struct smmu_model_config c = rig_config();

	c.httu = 2;
	return c;
}

static void put(uint64_t slot, uint64_t set, uint64_t clear)
{
	rig_store(&rig, slot, (rig_load(&rig, slot) | set) & ~clear);
}

static void forget(void)
{
	rig_cmd_sync(&rig, 0, smmu_cmd_tlbi_nsnh_all());
}

static void expect_event(bool write, unsigned event)
{
	struct smmu_dma_result r = rig_dma(&rig, 0, 1, IOVA, write);

	assert_false(r.ok);
	assert_int_equal(r.event, event);
}

static void expect_lands_at(bool write, int line)
{
	struct smmu_dma_result r = rig_dma(&rig, 0, 1, IOVA, write);

	if (!r.ok || r.pa != DATA)
		fail_msg("line %d: event %#x, %#llx", line, r.event, (unsigned long long)r.pa);
}
#define expect_lands(write) expect_lands_at(write, __LINE__)

/** Every state of a descriptor, every setting, a read and a write. */
static void test_states(void **state)
{
	struct smmu_model_config c = config();

	for (unsigned n = 0; n < 2 * 8 * 16; n++) {
		unsigned stage = 1 + n / 128, want = n >> 4 & 7;
		bool af = n & 1, writable = n & 2, dbm = n & 4, write = n & 8;
		bool ha = want & WANT_HA, hd = ha && want & WANT_HD;
		bool affd = !ha && want & WANT_AFFD, clean = !writable && dbm && hd;
		uint64_t slot, before, after, wanted;
		struct smmu_dma_result r;
		unsigned event = 0;

		open_rig(stage, want, want, &c);
		slot = stage == 1 ? slot1 : slot2;
		put(slot, (af ? AF : 0) | (dbm ? DBM : 0) | (writable == (stage == 2) ? BIT7 : 0),
		    AF | BIT7 | DBM);
		put(slot, (af ? AF : 0) | (dbm ? DBM : 0) | (writable == (stage == 2) ? BIT7 : 0),
		    0);
		before = rig_load(&rig, slot);
		if (!af && !ha && !affd)
			event = SMMU_F_ACCESS;
		else if (write && !writable && !clean)
			event = SMMU_F_PERMISSION;
		for (unsigned again = 0; again < 3; again++) {
			r = rig_dma(&rig, 0, 1, IOVA, write);
			after = rig_load(&rig, slot);
			assert_int_equal(r.ok, !event);
			assert_int_equal(r.event, event);
			wanted = before;
			if (ha && event != SMMU_F_ACCESS)
				wanted |= AF;
			if (write && clean)
				wanted ^= BIT7;
			/* Where permission is lacking AF may be set or not. */
			if (event == SMMU_F_PERMISSION)
				wanted = (wanted & ~AF) | (after & (before | (ha ? AF : 0)) & AF);
			assert_int_equal(after, wanted);
		}
		/* What says what would become of it changes nothing. */
		rig_store(&rig, slot, before);
		forget();
		assert_int_equal(smmu_model_probe(rig.model, &(struct smmu_dma){.stream = 1,
										.iova = IOVA,
										.write = write})
					 .ok,
				 !event);
		assert_int_equal(rig_load(&rig, slot), before);
		close_rig();
	}
}

static void test_illegal(void **state)
{
	for (unsigned n = 0; n < 24; n++) {
		struct smmu_model_config c = rig_config();
		unsigned stage = 1 + n / 12, want = n & 3;
		bool legal;

		c.httu = n / 4 % 3;
		open_rig(stage, want, want, &c);
		legal = (!(want & WANT_HA) || c.httu) && (!(want & WANT_HD) || c.httu == 2);
		assert_int_equal(smmu_field_get(SMMU_IDR0_HTTU, rig_read(&rig, 0, SMMU_IDR0)),
				 c.httu);
		if (legal)
			expect_lands(true);
		else
			expect_event(true, stage == 1 ? SMMU_C_BAD_CD : SMMU_C_BAD_STE);
		close_rig();
	}
}

/** The TLB has @p clean, and memory by now @p other. */
static void cache_clean(uint64_t slot, uint64_t clean, uint64_t other)
{
	rig_store(&rig, slot, clean);
	forget();
	expect_lands(false);
	rig_store(&rig, slot, other);
	expect_lands(false);
}

/** What a TLB has as writable does not look at memory; what it has as clean does, and goes by what is there now. */
static void test_cached(void **state)
{
	struct smmu_model_config c = config();

	for (unsigned stage = 1; stage <= 2; stage++) {
		uint64_t clean, dirty, slot;

		open_rig(stage, 3, 3, &c);
		slot = stage == 1 ? slot1 : slot2;
		clean = (rig_load(&rig, slot) & ~BIT7) | DBM | (stage == 1 ? BIT7 : 0);
		dirty = clean ^ BIT7;
		rig_store(&rig, slot, clean);
		expect_lands(false);
		assert_int_equal(rig_load(&rig, slot), clean);
		expect_lands(true);
		assert_int_equal(rig_load(&rig, slot), dirty);
		/* Clean again, and no TLBI: the write is lost to who looks for it. */
		rig_store(&rig, slot, clean);
		expect_lands(true);
		assert_int_equal(rig_load(&rig, slot), clean);
		forget();
		expect_lands(true);
		assert_int_equal(rig_load(&rig, slot), dirty);
		/* An entry that is clean, and another descriptor by now. */
		cache_clean(slot, clean, clean & ~DBM);
		expect_event(true, SMMU_F_PERMISSION);
		assert_int_equal(rig_load(&rig, slot), clean & ~DBM);
		cache_clean(slot, clean, 0);
		expect_event(true, SMMU_F_TRANSLATION);
		assert_int_equal(rig_load(&rig, slot), 0);
		cache_clean(slot, clean, clean + 0x5000);
		assert_int_equal(rig_dma(&rig, 0, 1, IOVA, true).pa, DATA + 0x5000);
		assert_int_equal(rig_load(&rig, slot), dirty + 0x5000);
		close_rig();
	}
}

/** Both stages: a mark of stage 1 is a write to the page that its table is in. */
static void test_nested(void **state)
{
	struct smmu_model_config c = config();

	for (unsigned n = 0; n < 64; n++) {
		bool clean1 = n & 1, forbid1 = n & 2, clean2 = n & 4, forbid2 = n & 8;
		bool table_clean = n & 16, table_forbid = n & 32;
		uint64_t table, e[4], want1, want2, want_t;
		struct smmu_dma_result r;
		bool ok, marked1;

		open_rig(3, 3, 3, &c);
		table = rig_slot(&rig, &t2, slot1, 3);
		if (clean1 || forbid1)
			put(slot1, BIT7 | (forbid1 ? 0 : DBM), 0);
		if (clean2 || forbid2)
			put(slot2, forbid2 ? 0 : DBM, BIT7);
		if (table_clean || table_forbid)
			put(table, table_forbid ? 0 : DBM, BIT7);
		want1 = rig_load(&rig, slot1);
		want2 = rig_load(&rig, slot2);
		want_t = rig_load(&rig, table);
		/* A read changes nothing: all is accessed already. */
		expect_lands(false);
		assert_int_equal(rig_load(&rig, slot1), want1);
		assert_int_equal(rig_load(&rig, slot2), want2);
		assert_int_equal(rig_load(&rig, table), want_t);
		r = rig_dma(&rig, 0, 1, IOVA, true);
		marked1 = clean1 && !forbid1;
		ok = !forbid1 && !forbid2 && !(marked1 && table_forbid);
		assert_int_equal(r.ok, ok);
		if (!ok) {
			assert_int_equal(r.event, SMMU_F_PERMISSION);
			assert_true(rig_event(&rig, 0, e));
			assert_int_equal(!!(e[1] & SMMU_EVENT_W1_S2), !forbid1);
			if (!forbid1 && !forbid2) {
				assert_int_equal(smmu_field_get(SMMU_EVENT_W1_CLASS, e[1]),
						 SMMU_EVENT_CLASS_TT);
				assert_int_equal(e[1] >> 44 & 1, 0); /* TTRnW: a write */
			}
			/* Stage 1 forbids it: nothing of stage 2 is dirty for it. */
			if (forbid1)
				assert_int_equal(rig_load(&rig, slot2), want2);
			if (forbid2)
				assert_int_equal(rig_load(&rig, slot1), want1);
		} else {
			assert_int_equal(rig_load(&rig, slot1), want1 & ~(marked1 ? BIT7 : 0));
			assert_int_equal(rig_load(&rig, slot2), want2 | BIT7);
			assert_int_equal(rig_load(&rig, table), want_t | (marked1 ? BIT7 : 0));
		}
		/* From the TLB, which has what was found. */
		assert_int_equal(rig_dma(&rig, 0, 1, IOVA, true).ok, ok);
		close_rig();
	}
}

static void test_ats(void **state)
{
	for (unsigned nw0 = 0; nw0 <= 1000; nw0 += 1000) {
		struct smmu_model_config c = config();
		struct smmu_model_device *dev;
		uint64_t w[8], clean;

		c.nw0_permille = nw0;
		open_rig(1, 3, 3, &c);
		dev = smmu_model_device(rig.model, 0, 1, true);
		rig_ste_s1(w, cd, 0, 0);
		w[1] |= smmu_field_prep(SMMU_STE_W1_EATS, SMMU_STE_EATS_FULL);
		rig_ste(&rig, 0, 1, w);
		rig_cmd_sync(&rig, 0, smmu_cmd_cfgi_ste(1, true));
		smmu_model_ats_enable(dev, true);
		put(slot1, BIT7 | DBM, 0);
		clean = rig_load(&rig, slot1);
		/* A read asks for reading alone, or not. */
		expect_lands(false);
		assert_int_equal(rig_load(&rig, slot1), nw0 ? clean & ~BIT7 : clean);
		expect_lands(true);
		assert_int_equal(rig_load(&rig, slot1), clean & ~BIT7);
		/* The ATC may write now, whatever the TLB and memory say. */
		rig_store(&rig, slot1, clean);
		forget();
		expect_lands(true);
		assert_int_equal(rig_load(&rig, slot1), clean);
		rig_cmd_sync(&rig, 0, smmu_cmd_atc_inv(1, false, 0, false, 0, 52));
		expect_lands(true);
		assert_int_equal(rig_load(&rig, slot1), clean & ~BIT7);
		/* Nothing to write there: W is not granted, and nothing marked. */
		rig_store(&rig, slot1, clean & ~DBM);
		forget();
		rig_cmd_sync(&rig, 0, smmu_cmd_atc_inv(1, false, 0, false, 0, 52));
		expect_lands(false);
		assert_false(rig_dma(&rig, 0, 1, IOVA, true).ok);
		assert_int_equal(rig_load(&rig, slot1), clean & ~DBM);
		smmu_model_ats_enable(dev, false);
		close_rig();
	}
}

/** Who looks sees a mark late, but behind a CMD_SYNC; and a prefetch marks nothing. */
static void test_late(void **state)
{
	struct smmu_model_config c = config();
	struct smmu_dma ahead = {.stream = 1, .iova = IOVA, .write = true};
	uint64_t clean;

	c.mark_late_permille = 1000;
	open_rig(1, 3, 3, &c);
	put(slot1, BIT7 | DBM, 0);
	clean = rig_load(&rig, slot1);
	for (unsigned n = 0; n < 8; n++)
		smmu_model_prefetch(rig.model, &ahead);
	assert_int_equal(rig_load(&rig, slot1), clean);
	expect_lands(true);
	assert_int_equal(rig_load(&rig, slot1), clean);
	rig_sync(&rig, 0);
	assert_int_equal(rig_load(&rig, slot1), clean & ~BIT7);
	/* Taken away meanwhile: it does not come back. */
	rig_store(&rig, slot1, clean);
	forget();
	expect_lands(true);
	rig_store(&rig, slot1, 0);
	rig_sync(&rig, 0);
	assert_int_equal(rig_load(&rig, slot1), 0);
	close_rig();
}

/** That of a block is seen at once: a table in its place has to be marked for all pages that its entry lets writes pass to. */
static void test_block(void **state)
{
	struct smmu_model_config c = config();
	uint64_t slot;

	c.mark_late_permille = 1000;
	open_rig(1, 3, 3, &c);
	rig_map(&rig, &t1, BLOCK, RIG_RAM_BASE, 2, RIG_NG);
	slot = rig_slot(&rig, &t1, BLOCK, 2);
	put(slot, BIT7 | DBM, 0);
	assert_true(rig_dma(&rig, 0, 1, BLOCK + 0x5000, true).ok);
	assert_int_equal(rig_load(&rig, slot) & BIT7, 0);
	close_rig();
}

/** An Access flag that is not set is not cached; one that a prefetch may set is set in memory if it is cached. */
static void test_ahead(void **state)
{
	struct smmu_model_config c = config();
	struct smmu_dma ahead = {.stream = 1, .iova = IOVA};

	for (unsigned n = 0; n < 16; n++) {
		struct smmu_dma_result r;

		open_rig(1, 1, 0, &c);
		put(slot1, 0, AF);
		for (unsigned k = 0; k < n; k++)
			smmu_model_prefetch(rig.model, &ahead);
		r = smmu_model_probe(rig.model, &ahead);
		assert_true(r.ok);
		assert_int_equal(r.tlb_hit, !!(rig_load(&rig, slot1) & AF));
		expect_lands(false);
		assert_true(rig_load(&rig, slot1) & AF);
		close_rig();
	}
}

/** An update cannot be atomic for who does not snoop (5.4, IR0): the walk aborts. */
static void test_not_coherent(void **state)
{
	struct smmu_model_config c = config();
	struct smmu_ram behind;

	c.coherent = false;
	open_rig(1, 3, 0, &c);
	put(slot1, BIT7 | DBM, 0);
	behind = rig.ram;
	behind.va = malloc(RIG_RAM_SIZE);
	assert_non_null(behind.va);
	memcpy(behind.va, rig.ram.va, RIG_RAM_SIZE);
	smmu_model_set_ram(rig.model, 0, &behind);
	expect_lands(false);
	expect_event(true, SMMU_F_WALK_EABT);
	smmu_model_set_ram(rig.model, 0, &rig.ram);
	close_rig();
	free(behind.va);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),       cmocka_unit_test(test_illegal),
		cmocka_unit_test(test_cached),       cmocka_unit_test(test_nested),
		cmocka_unit_test(test_ats),          cmocka_unit_test(test_late),
		cmocka_unit_test(test_block),        cmocka_unit_test(test_ahead),
		cmocka_unit_test(test_not_coherent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parts that deviate from the text: each erratum shows without its workaround, and not with it.
 */
#include "rig.h"

#include <string.h>

#define PA 0x9000ULL
#define VA 0x1000ULL

struct scene {
	struct rig rig;
	struct rig_table t;
	uint64_t cd;
	struct smmu_model_device *dev;
};

/** Stream 1, ATS on if asked, maps VA to PA and has used it; then the page goes. */
static void open_scene(struct scene *s, unsigned errata, uint64_t seed, bool ats)
{
	struct smmu_model_config c = rig_config();
	uint64_t w[8];

	memset(s, 0, sizeof(*s));
	c.errata = errata;
	c.sync_every = 8;
	c.refill_permille = 1000;
	rig_open(&s->rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, seed);
	rig_up(&s->rig, 0);
	s->t = rig_table(&s->rig, 1, 12, 39);
	rig_map(&s->rig, &s->t, VA, PA, 3, RIG_NG);
	s->cd = rig_cd(&s->rig, 0, &s->t, 5);
	rig_ste_s1(w, s->cd, 0, 0);
	rig_ste(&s->rig, 0, 1, w);
	s->dev = smmu_model_device(s->rig.model, 0, 1, true);
	smmu_model_ats_enable(s->dev, ats);
	rig_expect(&s->rig, 0, 1, VA, PA);
	rig_store(&s->rig, rig_slot(&s->rig, &s->t, VA, 3), 0);
}

static bool stale(struct scene *s)
{
	return rig_dma(&s->rig, 0, 1, VA, false).ok;
}

/** One TLBI or CFGI may spare what it is meant for; the same again does not. */
static void test_twice(void **state)
{
	unsigned spared = 0, old = 0;

	for (unsigned seed = 0; seed < 40; seed++) {
		const struct smmu_cmd cmd =
			smmu_cmd_tlbi_nh_va(0, 5, (struct smmu_cmd_range){.addr = VA});
		struct smmu_dma dma = {.stream = 1, .iova = VA};
		struct scene s;

		open_scene(&s, SMMU_ERRATUM_TWICE, seed, false);
		rig_cmd_sync(&s.rig, 0, cmd);
		spared += smmu_model_probe(s.rig.model, &dma).ok;
		rig_cmd_sync(&s.rig, 0, cmd);
		assert_false(stale(&s));
		rig_store(&s.rig, s.cd, 0);
		rig_cmd_sync(&s.rig, 0, smmu_cmd_cfgi_cd(1, 0, true));
		old += smmu_model_probe(s.rig.model, &dma).event != SMMU_C_BAD_CD;
		rig_cmd_sync(&s.rig, 0, smmu_cmd_cfgi_cd(1, 0, true));
		rig_refused(&s.rig, 0, 1, VA, SMMU_C_BAD_CD);
		rig_close(&s.rig);
	}
	assert_true(spared > 8 && spared < 32);
	assert_true(old > 8 && old < 32);
}

/** TLBI, SYNC, ATC_INV, SYNC in one go: the ATC is filled again from the TLB. With a wait between it is not. */
static void test_split_atc(void **state)
{
	for (unsigned errata = 0; errata <= SMMU_ERRATUM_SPLIT_ATC;
	     errata += SMMU_ERRATUM_SPLIT_ATC) {
		for (unsigned wait = 0; wait < 2; wait++) {
			struct scene s;

			open_scene(&s, errata, 1, true);
			rig_cmd(&s.rig, 0, smmu_cmd_tlbi_nh_asid(0, 5));
			rig_cmd(&s.rig, 0, smmu_cmd_sync(0));
			if (wait)
				assert_true(smmu_model_settle(s.rig.model, 1000000));
			rig_cmd(&s.rig, 0, smmu_cmd_atc_inv(1, false, 0, false, 0, 52));
			rig_sync(&s.rig, 0);
			assert_int_equal(stale(&s), errata && !wait);
			rig_close(&s.rig);
		}
	}
}

/** Eight invalidations and a CMD_SYNC are fine, nine hang the queue. */
static void test_sync_every(void **state)
{
	for (unsigned n = 8; n < 10; n++) {
		struct scene s;

		open_scene(&s, SMMU_ERRATUM_SYNC_EVERY, 1, false);
		for (unsigned i = 0; i < n; i++)
			rig_cmd(&s.rig, 0, smmu_cmd_tlbi_nsnh_all());
		rig_cmd(&s.rig, 0, smmu_cmd_sync(0));
		assert_true(smmu_model_settle(s.rig.model, 1000000));
		assert_int_equal(rig_read(&s.rig, 0, SMMU_CMDQ_CONS) == s.rig.in[0].cmdq.index,
				 n == 8);
		assert_int_equal(rig_read(&s.rig, 0, SMMU_GERROR), 0);
		rig_close(&s.rig);
	}
}

/** The indexes of output queues are in page 0, and page 1 is nothing. */
static void test_no_page1(void **state)
{
	struct smmu_model_config c = rig_config();
	struct rig rig;

	c.errata = SMMU_ERRATUM_NO_PAGE1;
	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_write(&rig, 0, SMMU_EVENTQ_PROD - 0x10000, 5);
	assert_int_equal(rig_read(&rig, 0, SMMU_EVENTQ_PROD - 0x10000), 5);
	rig_write(&rig, 0, SMMU_PRIQ_CONS - 0x10000, 6);
	assert_int_equal(rig_read(&rig, 0, SMMU_PRIQ_CONS - 0x10000), 6);
	assert_int_equal(smmu_model_misuse_count(rig.model, 0), 0);
	assert_int_equal(rig_read(&rig, 0, SMMU_EVENTQ_PROD), 0);
	assert_int_equal(smmu_model_misuse_count(rig.model, 0), 1);
	rig_close_anyway(&rig);
}

/** Ranges take nothing, single addresses do; no MSI says that a CMD_SYNC is complete, CONS does. */
static void test_range_and_msi(void **state)
{
	struct smmu_cmd_range r = {.addr = VA, .num = 1, .tg = SMMU_CMD_TLBI_TG_4K};
	struct scene s;
	uint64_t word;

	open_scene(&s, SMMU_ERRATUM_RANGE | SMMU_ERRATUM_MSI, 1, false);
	rig_cmd_sync(&s.rig, 0, smmu_cmd_tlbi_nh_va(0, 5, r));
	assert_true(stale(&s));
	r = (struct smmu_cmd_range){.addr = VA};
	rig_cmd_sync(&s.rig, 0, smmu_cmd_tlbi_nh_va(0, 5, r));
	assert_false(stale(&s));
	word = rig_alloc(&s.rig, 64, 64);
	rig_cmd(&s.rig, 0, smmu_cmd_sync_msi(word, 7, 0, 0));
	assert_true(smmu_model_settle(s.rig.model, 1000000));
	assert_int_equal(rig_load(&s.rig, word), 0);
	assert_int_equal(rig_read(&s.rig, 0, SMMU_CMDQ_CONS), s.rig.in[0].cmdq.index);
	rig_close(&s.rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_twice),         cmocka_unit_test(test_split_atc),
		cmocka_unit_test(test_sync_every),    cmocka_unit_test(test_no_page1),
		cmocka_unit_test(test_range_and_msi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

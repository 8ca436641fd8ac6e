/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The caches of configuration hold on to what they may, and each CFGI takes what it must and nothing that it need not: one row a
 * command.
 */
#include "rig.h"

#define OLD 0x800000000ULL
#define NEW 0x900000000ULL
#define PAGE 0x1234000ULL

struct cfg_row {
	bool cd; /* the CD is changed, not the STE */
	struct smmu_cmd cmd;
	bool clean;
};

static void test_config(void **state)
{
	/* Stream 9 of 256, substream 3 of 1024. */
	const struct cfg_row cfg_rows[] = {
		{false, smmu_cmd_cfgi_ste(9, true), true},
		{false, smmu_cmd_cfgi_ste(9, false), true},
		{false, smmu_cmd_cfgi_ste(8, false), false},
		{false, smmu_cmd_cfgi_ste_range(9, 2), true}, /* 8 to 15 */
		{false, smmu_cmd_cfgi_ste_range(0, 2), false},
		{false, smmu_cmd_cfgi_ste_range(15, 2), true},
		{false, smmu_cmd_cfgi_all(), true},
		{false, smmu_cmd_cfgi_cd(9, 3, false), false},
		{false, smmu_cmd_cfgi_cd_all(9), false},
		{false, smmu_cmd_tlbi_nsnh_all(), false},
		{true, smmu_cmd_cfgi_cd(9, 3, true), true},
		{true, smmu_cmd_cfgi_cd(9, 3, false), true},
		{true, smmu_cmd_cfgi_cd(9, 2, false), false},
		{true, smmu_cmd_cfgi_cd(8, 3, false), false},
		{true, smmu_cmd_cfgi_cd_all(9), true},
		{true, smmu_cmd_cfgi_cd_all(8), false},
		{true, smmu_cmd_cfgi_ste(9, false), true}, /* 4.3.1: its CDs go with an STE */
		{true, smmu_cmd_cfgi_ste(9, true), true},
		{true, smmu_cmd_cfgi_ste(8, false), false},
		{true, smmu_cmd_cfgi_ste_range(8, 2), true}, /* 4.3.2 */
		{true, smmu_cmd_cfgi_ste_range(16, 2), false},
		{true, smmu_cmd_cfgi_all(), true},
		{true, smmu_cmd_tlbi_nsnh_all(), false},
	};

	for (unsigned n = 0; n < sizeof(cfg_rows) / sizeof(cfg_rows[0]); n++) {
		struct smmu_model_config c = rig_config();
		struct smmu_dma_result r;
		struct rig rig;
		struct rig_table old, new;
		uint64_t w[8], cds, l2;

		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, n);
		rig_up(&rig, 0);
		old = rig_table(&rig, 1, 12, 48);
		new = rig_table(&rig, 1, 12, 48);
		rig_map(&rig, &old, PAGE, OLD, 3, RIG_NG);
		rig_map(&rig, &new, PAGE, NEW, 3, RIG_NG);
		cds = rig_alloc(&rig, 4096, 4096);
		l2 = rig_alloc(&rig, 4096, 4096);
		rig_store(&rig, cds, l2 | SMMU_L1CD_V);
		rig_cd(&rig, l2 + 3 * 64, &old, 5);
		rig_ste_s1(w, cds, 10, 0);
		w[0] |= smmu_field_prep(SMMU_STE_W0_S1FMT, SMMU_STE_S1FMT_4K_L2);
		rig_ste(&rig, 0, 9, w);
		assert_true(rig_dma_ssid(&rig, 0, 9, 3, PAGE, false).pa == OLD);
		if (cfg_rows[n].cd)
			rig_cd(&rig, l2 + 3 * 64, &new, 6);
		else
			rig_ste(&rig, 0, 9, (const uint64_t[8]){SMMU_STE_W0_V});
		r = rig_dma_ssid(&rig, 0, 9, 3, PAGE, false);
		assert_true(r.pa == OLD && r.held_by == SMMU_HELD_CONFIG);
		assert_string_equal(smmu_model_missing(&r), "cfgi");
		rig_cmd_sync(&rig, 0, cfg_rows[n].cmd);
		r = rig_dma_ssid(&rig, 0, 9, 3, PAGE, false);
		if (r.differs == cfg_rows[n].clean)
			fail_msg("row %u: %s", n,
				 r.differs ? "still the old configuration" : "clean");
		rig_close(&rig);
	}
}

/** Invalid structures are held too, and so are the level-1 descriptors, unless the command reaches them. */
static void test_negative(void **state)
{
	struct smmu_model_config c = rig_config();
	struct rig rig;
	struct rig_table t;
	uint64_t w[8], l1, l2;

	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	t = rig_table(&rig, 1, 12, 48);
	rig_map(&rig, &t, PAGE, OLD, 3, RIG_NG);
	l1 = rig_alloc(&rig, 4096, 4096);
	l2 = rig_alloc(&rig, 4096, 4096);
	rig_ste_s1(w, l1, 10, 0);
	w[0] |= smmu_field_prep(SMMU_STE_W0_S1FMT, SMMU_STE_S1FMT_4K_L2);

	rig_refused(&rig, 0, 9, PAGE, SMMU_C_BAD_STE);
	rig_ste(&rig, 0, 9, w);
	rig_refused(&rig, 0, 9, PAGE, SMMU_C_BAD_STE);
	rig_cmd_sync(&rig, 0, smmu_cmd_cfgi_ste(9, true));
	assert_int_equal(rig_dma_ssid(&rig, 0, 9, 3, PAGE, false).event, SMMU_C_BAD_SUBSTREAMID);
	rig_cd(&rig, l2 + 3 * 64, &t, 5);
	rig_store(&rig, l1, l2 | SMMU_L1CD_V);
	assert_int_equal(rig_dma_ssid(&rig, 0, 9, 3, PAGE, false).event, SMMU_C_BAD_SUBSTREAMID);
	rig_cmd_sync(&rig, 0, smmu_cmd_cfgi_cd(9, 3, true));
	assert_int_equal(rig_dma_ssid(&rig, 0, 9, 3, PAGE, false).event, SMMU_C_BAD_SUBSTREAMID);
	rig_cmd_sync(&rig, 0, smmu_cmd_cfgi_cd(9, 70, false)); /* under another descriptor */
	assert_int_equal(rig_dma_ssid(&rig, 0, 9, 3, PAGE, false).event, SMMU_C_BAD_SUBSTREAMID);
	rig_cmd_sync(&rig, 0, smmu_cmd_cfgi_cd(9, 5, false)); /* under the same */
	assert_true(rig_dma_ssid(&rig, 0, 9, 3, PAGE, false).pa == OLD);
	/* An invalid CD under a valid descriptor. */
	assert_int_equal(rig_dma_ssid(&rig, 0, 9, 4, PAGE, false).event, SMMU_C_BAD_CD);
	rig_cd(&rig, l2 + 4 * 64, &t, 5);
	assert_int_equal(rig_dma_ssid(&rig, 0, 9, 4, PAGE, false).event, SMMU_C_BAD_CD);
	rig_cmd_sync(&rig, 0, smmu_cmd_cfgi_cd(9, 4, true));
	assert_true(rig_dma_ssid(&rig, 0, 9, 4, PAGE, false).pa == OLD);
	rig_close(&rig);

	/* The same machine without that right finds the new structures by itself. */
	c.cache_invalid = false;
	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	rig_refused(&rig, 0, 9, PAGE, SMMU_C_BAD_STE);
	w[0] = SMMU_STE_W0_V | smmu_field_prep(SMMU_STE_W0_CONFIG, SMMU_STE_CONFIG_BYPASS);
	rig_ste(&rig, 0, 9, w);
	rig_expect(&rig, 0, 9, PAGE, PAGE);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_negative),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

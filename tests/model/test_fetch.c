/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configuration that is fetched by half, unasked and by anybody's pointer, and lost again (3.21.3, 16.2).
 */
#include "rig.h"

#include <string.h>

#define SEEDS 60
#define OLD 0x800000000ULL
#define NEW 0x900000000ULL
#define PAGE 0x1234000ULL

static struct smmu_model_config restless(void)
{
	struct smmu_model_config c = rig_config();

	c.reach_permille = 1000;
	c.cfg_evict_permille = 500;
	c.tear_permille = 500;
	c.tear_ns = 1000;
	return c;
}

/** Let the SMMU do as it likes for a while. */
static void idle(struct rig *rig, unsigned n)
{
	while (n--) {
		smmu_model_speculate(rig->model, 0);
		smmu_model_advance(rig->model, smmu_model_now(rig->model) + 100);
	}
}

/**
 * ASID and TTB0 of a live CD change, word 0 and then word 1, with the SMMU busy in between. Old and new may be seen, and
 * half of each: unless the processor writes, and the SMMU reads, both at once.
 */
static void test_tearing(void **state)
{
	for (unsigned lse2 = 0; lse2 < 2; lse2++) {
		unsigned torn = 0, old_seen = 0, new_seen = 0;

		for (unsigned seed = 0; seed < SEEDS; seed++) {
			struct smmu_model_config c = restless();
			struct smmu_dma dma = {.stream = 1, .iova = PAGE};
			struct smmu_dma_result r;
			struct rig rig;
			struct rig_table old, new;
			uint64_t w[8], cd, other, next[2];

			c.lse2 = lse2;
			c.reach_permille = 0;
			rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, seed);
			rig_up(&rig, 0);
			old = rig_table(&rig, 1, 12, 48);
			new = rig_table(&rig, 1, 12, 39);
			rig_map(&rig, &old, PAGE, OLD, 3, RIG_NG);
			rig_map(&rig, &new, PAGE, NEW, 3, RIG_NG);
			cd = rig_cd(&rig, 0, &old, 5);
			other = rig_cd(&rig, 0, &new, 6);
			rig_ste_s1(w, cd, 0, 0);
			rig_ste(&rig, 0, 1, w);
			smmu_model_device(rig.model, 0, 1, false);
			next[0] = rig_load(&rig, other);
			next[1] = rig_load(&rig, other + 8);
			rig_close(&rig);

			/* Again with the same layout, and the SMMU awake. */
			c.reach_permille = 1000;
			rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, seed);
			rig_up(&rig, 0);
			old = rig_table(&rig, 1, 12, 48);
			new = rig_table(&rig, 1, 12, 39);
			rig_map(&rig, &old, PAGE, OLD, 3, RIG_NG);
			rig_map(&rig, &new, PAGE, NEW, 3, RIG_NG);
			cd = rig_cd(&rig, 0, &old, 5);
			smmu_model_device(rig.model, 0, 1, false);
			rig_ste(&rig, 0, 1, w);
			rig_cmd_sync(&rig, 0, smmu_cmd_cfgi_all());
			idle(&rig, 20);
			rig_store(&rig, cd, next[0]);
			if (!lse2)
				idle(&rig, 5);
			rig_store(&rig, cd + 8, next[1]);
			idle(&rig, 5);
			r = smmu_model_dma(rig.model, &dma);
			if (r.ok && r.pa == OLD)
				old_seen++;
			else if (r.ok && r.pa == NEW)
				new_seen++;
			else
				torn++;
			/* Told, it knows; whatever was under way. */
			rig_cmd(&rig, 0, smmu_cmd_cfgi_cd(1, 0, true));
			rig_cmd(&rig, 0, smmu_cmd_tlbi_nh_asid(0, 5));
			rig_cmd_sync(&rig, 0, smmu_cmd_tlbi_nh_asid(0, 6));
			rig_expect(&rig, 0, 1, PAGE, NEW);
			rig_close(&rig);
		}
		assert_true(old_seen && new_seen);
		if (lse2)
			assert_int_equal(torn, 0);
		else
			assert_true(torn > 3);
	}
}

/** A device that never did DMA, and a substream that nobody used: their configuration is held all the same. */
static void test_reach(void **state)
{
	unsigned ste_held = 0, cd_held = 0;

	for (unsigned seed = 0; seed < SEEDS; seed++) {
		struct smmu_model_config c = restless();
		struct smmu_dma dma = {.stream = 9, .ssid_valid = true, .ssid = 3, .iova = PAGE};
		struct smmu_dma_result r;
		struct rig rig;
		struct rig_table t;
		uint64_t w[8], cds;

		c.tear_permille = 0;
		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, seed);
		rig_up(&rig, 0);
		t = rig_table(&rig, 1, 12, 48);
		rig_map(&rig, &t, PAGE, OLD, 3, RIG_NG);
		cds = rig_alloc(&rig, 512, 512);
		smmu_model_device(rig.model, 0, 9, false);
		rig_ste_s1(w, cds, 3, 0);
		rig_ste(&rig, 0, 9, w);
		rig_cmd_sync(&rig, 0, smmu_cmd_cfgi_ste(9, true));
		idle(&rig, 30);
		/* An invalid CD may have been cached; after CFGI_CD the new one counts. */
		rig_cd(&rig, cds + 3 * 64, &t, 5);
		r = smmu_model_probe(rig.model, &dma);
		cd_held += !r.ok && r.event == SMMU_C_BAD_CD && r.held_by == SMMU_HELD_CONFIG;
		rig_cmd_sync(&rig, 0, smmu_cmd_cfgi_cd(9, 3, true));
		assert_true(smmu_model_probe(rig.model, &dma).ok);
		idle(&rig, 30);
		rig_ste(&rig, 0, 9, (const uint64_t[8]){SMMU_STE_W0_V});
		r = smmu_model_probe(rig.model, &dma);
		ste_held += r.ok && r.held_by == SMMU_HELD_CONFIG;
		rig_cmd_sync(&rig, 0, smmu_cmd_cfgi_ste(9, true));
		assert_false(smmu_model_probe(rig.model, &dma).ok);
		rig_close(&rig);
	}
	assert_true(ste_held > 10);
	assert_true(cd_held > 3);
}

/** Of itself, for a while after something went on: as time passes, not as it is asked. Then it rests. */
static void test_restless(void **state)
{
	unsigned held = 0;

	for (unsigned seed = 0; seed < SEEDS; seed++) {
		struct smmu_model_config c = restless();
		struct smmu_dma dma = {.stream = 9, .iova = PAGE};
		struct rig rig;
		struct rig_table t;
		uint64_t w[8];

		c.restless_ns = 200;
		c.tear_permille = 0;
		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, seed);
		rig_up(&rig, 0);
		t = rig_table(&rig, 1, 12, 48);
		rig_map(&rig, &t, PAGE, OLD, 3, RIG_NG);
		smmu_model_device(rig.model, 0, 9, false);
		rig_ste_s1(w, rig_cd(&rig, 0, &t, 5), 0, 0);
		rig_ste(&rig, 0, 9, w);
		rig_cmd_sync(&rig, 0, smmu_cmd_cfgi_ste(9, true));
		assert_true(smmu_model_settle(rig.model, 1000000));
		rig_ste(&rig, 0, 9, (const uint64_t[8]){SMMU_STE_W0_V});
		held += smmu_model_probe(rig.model, &dma).ok;
		rig_close(&rig);
	}
	assert_true(held > 10);
}

struct fence {
	uint64_t from, to;
	unsigned touched;
};

static bool outside(void *ctx, uint64_t bus, size_t len)
{
	struct fence *f = ctx;

	f->touched += bus >= f->from && bus < f->to;
	return true;
}

/** What no valid structure leads to is never read, and nothing is once SMMUEN is 0 or the way there was invalidated. */
static void test_unreachable(void **state)
{
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		struct fence f = {0};
		struct smmu_model_hooks hooks = {.ctx = &f, .live = outside};
		struct smmu_model_config c = restless();
		struct rig rig;
		struct rig_table t;
		uint64_t w[8], cds;
		uint32_t cr0;

		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, &hooks, seed);
		rig_up(&rig, 0);
		t = rig_table(&rig, 1, 12, 48);
		cds = rig_alloc(&rig, 4096, 4096);
		f.from = cds;
		f.to = cds + 4096;
		for (unsigned i = 0; i < 8; i++)
			rig_cd(&rig, cds + i * 64, &t, 5);
		smmu_model_device(rig.model, 0, 9, false);
		rig_ste_s1(w, cds, 3, 0);
		w[0] &= ~SMMU_STE_W0_V;
		rig_ste(&rig, 0, 9, w);
		idle(&rig, 30);
		assert_int_equal(f.touched, 0);
		w[0] |= SMMU_STE_W0_V;
		rig_ste(&rig, 0, 9, w);
		rig_cmd_sync(&rig, 0, smmu_cmd_cfgi_ste(9, true));
		idle(&rig, 30);
		assert_true(f.touched > 0);
		rig_ste(&rig, 0, 9, (const uint64_t[8]){SMMU_STE_W0_V});
		rig_cmd_sync(&rig, 0, smmu_cmd_cfgi_ste(9, true));
		f.touched = 0;
		idle(&rig, 30);
		assert_int_equal(f.touched, 0);
		rig_ste(&rig, 0, 9, w);
		rig_cmd_sync(&rig, 0, smmu_cmd_cfgi_ste(9, true));
		idle(&rig, 10);
		cr0 = rig_read(&rig, 0, SMMU_CR0) & ~SMMU_CR0_SMMUEN;
		rig_write(&rig, 0, SMMU_CR0, cr0);
		rig_wait(&rig, 0, SMMU_CR0ACK, UINT32_MAX, cr0);
		f.touched = 0;
		idle(&rig, 30);
		assert_int_equal(f.touched, 0);
		rig_close(&rig);
	}
}

/** Nothing need be held: without a word the new configuration may be in force. */
static void test_eviction(void **state)
{
	unsigned lost = 0;

	for (unsigned seed = 0; seed < SEEDS; seed++) {
		struct smmu_model_config c = restless();
		struct rig rig;
		struct rig_table old, new;
		uint64_t w[8], cd;

		c.reach_permille = 0;
		c.cfg_evict_permille = 300;
		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, seed);
		rig_up(&rig, 0);
		old = rig_table(&rig, 1, 12, 48);
		new = rig_table(&rig, 1, 12, 48);
		rig_map(&rig, &old, PAGE, OLD, 3, RIG_NG);
		rig_map(&rig, &new, PAGE, NEW, 3, RIG_NG);
		cd = rig_cd(&rig, 0, &old, 5);
		rig_ste_s1(w, cd, 0, 0);
		rig_ste(&rig, 0, 1, w);
		rig_expect(&rig, 0, 1, PAGE, OLD);
		rig_cd(&rig, cd, &new, 6);
		lost += rig_dma(&rig, 0, 1, PAGE, false).pa == NEW;
		rig_close(&rig);
	}
	assert_true(lost > 3 && lost < SEEDS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tearing),  cmocka_unit_test(test_reach),
		cmocka_unit_test(test_restless), cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_eviction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

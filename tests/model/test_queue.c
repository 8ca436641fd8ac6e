/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queues: wraps, fullness, completion of CMD_SYNC, command errors and how they are left, events, interrupts, time.
 */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

static void test_wrap(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_model_counters count;
	struct rig rig;

	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	/* rig_cmd() waits for room by CONS with its wrap bit; 32 fit. */
	for (unsigned n = 0; n < 1000; n++)
		rig_cmd(&rig, 0, smmu_cmd_tlbi_nsnh_all());
	rig_sync(&rig, 0);
	smmu_model_counters(rig.model, 0, &count);
	assert_int_equal(count.tlbi, 1001);
	assert_int_equal(rig_read(&rig, 0, SMMU_CMDQ_CONS), 1004 & 63);

	/* Exactly full is not empty. */
	for (unsigned n = 0; n < 32; n++) {
		struct rig_queue *q = &rig.in[0].cmdq;

		rig_store(&rig, q->base + ((q->index + n) & 31) * 16, SMMU_CMD_TLBI_NSNH_ALL);
		rig_store(&rig, q->base + ((q->index + n) & 31) * 16 + 8, 0);
	}
	rig.in[0].cmdq.index = (rig.in[0].cmdq.index + 32) & 63;
	rig_write(&rig, 0, SMMU_CMDQ_PROD, rig.in[0].cmdq.index);
	assert_true(smmu_model_settle(rig.model, 1000000));
	smmu_model_counters(rig.model, 0, &count);
	assert_int_equal(count.tlbi, 1033);
	rig_close(&rig);
}

struct seen {
	unsigned irqs[4], synced;
	uint64_t at[8];
	unsigned who[8];
};

static void on_irq(void *ctx, unsigned instance, enum smmu_model_irq irq)
{
	((struct seen *)ctx)->irqs[irq]++;
}

static void on_sync(void *ctx, unsigned instance, uint64_t now_ns)
{
	struct seen *seen = ctx;

	if (seen->synced < 8) {
		seen->at[seen->synced] = now_ns;
		seen->who[seen->synced] = instance;
	}
	seen->synced++;
}

static void test_sync(void **state)
{
	struct seen seen = {0};
	struct smmu_model_hooks hooks = {.ctx = &seen, .irq = on_irq, .synced = on_sync};
	struct smmu_model_config c = rig_config();
	struct rig rig;
	uint64_t word, start;

	c.sync_ns = 1000;
	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, &hooks, 1);
	rig_up(&rig, 0);
	word = rig_alloc(&rig, 64, 64);
	rig_store(&rig, word, 0x1111111122222222);
	start = smmu_model_now(rig.model);
	rig_cmd(&rig, 0, smmu_cmd_sync_msi(word + 4, 0xcafe, 3, 0xf));
	smmu_model_advance(rig.model, start + 900);
	assert_int_equal(rig_load(&rig, word), 0x1111111122222222);
	assert_int_equal(rig_read(&rig, 0, SMMU_CMDQ_CONS), (rig.in[0].cmdq.index - 1) & 63);
	smmu_model_advance(rig.model, start + 1100);
	assert_int_equal(rig_load(&rig, word), 0x0000cafe22222222);
	assert_int_equal(rig_read(&rig, 0, SMMU_CMDQ_CONS), rig.in[0].cmdq.index);
	assert_int_equal(seen.synced, 2);
	assert_int_equal(seen.irqs[SMMU_MODEL_IRQ_CMD_SYNC], 0);
	/* Wired, and an MSI that nobody takes. */
	rig_cmd(&rig, 0, smmu_cmd_sync(SMMU_CMD_SYNC_CS_IRQ));
	rig_cmd(&rig, 0, smmu_cmd_sync(SMMU_CMD_SYNC_CS_SEV));
	assert_true(smmu_model_settle(rig.model, 1000000));
	assert_int_equal(seen.irqs[SMMU_MODEL_IRQ_CMD_SYNC], 1);
	assert_int_equal(rig_read(&rig, 0, SMMU_GERROR), 0);
	rig_cmd(&rig, 0, smmu_cmd_sync_msi(0x1000, 1, 0, 0));
	assert_true(smmu_model_settle(rig.model, 1000000));
	assert_int_equal(rig_read(&rig, 0, SMMU_GERROR), SMMU_GERROR_MSI_CMDQ_ABT_ERR);
	assert_int_equal(rig_read(&rig, 0, SMMU_CMDQ_CONS), rig.in[0].cmdq.index);
	assert_int_equal(seen.irqs[SMMU_MODEL_IRQ_GERROR], 1);
	rig_write(&rig, 0, SMMU_GERRORN, SMMU_GERROR_MSI_CMDQ_ABT_ERR);
	rig_close(&rig);
}

/** The queue stands with @p error at the command before PROD - @p behind. */
static void expect_error(struct rig *rig, unsigned error, unsigned behind)
{
	uint32_t cons;

	assert_true(smmu_model_settle(rig->model, 100000000));
	cons = rig_read(rig, 0, SMMU_CMDQ_CONS);
	assert_int_equal(smmu_field_get(SMMU_CMDQ_CONS_ERR, cons), error);
	assert_int_equal(smmu_field_get(SMMU_CMDQ_CONS_RD, cons),
			 (rig->in[0].cmdq.index - behind) & 63);
	assert_int_equal((rig_read(rig, 0, SMMU_GERROR) ^ rig_read(rig, 0, SMMU_GERRORN)) & 1, 1);
}

static void acknowledge(struct rig *rig)
{
	rig_write(rig, 0, SMMU_GERRORN, rig_read(rig, 0, SMMU_GERROR));
}

static void test_illegal(void **state)
{
	const struct {
		struct smmu_cmd cmd;
		bool bare; /* legal as such, but the part is without the feature */
	} rows[] = {
		{{{0x00, 0}}, false},
		{{{0xff, 0}}, false},
		{{{SMMU_CMD_SYNC | 3 << 12, 0}}, false},
		{{{SMMU_CMD_CFGI_STE | SMMU_CMD_W0_SSEC, 0}}, false},
		{{{SMMU_CMD_ATC_INV, 53}}, false},
		{{{SMMU_CMD_PRI_RESP, 3 << 12}}, false},
		{{{SMMU_CMD_RESUME, 0}}, false},
		{{{SMMU_CMD_STALL_TERM, 0}}, false},
		{{{SMMU_CMD_TLBI_EL2_ALL, 0}}, false},
		/* a range of nothing but a granule */
		{{{SMMU_CMD_TLBI_NH_VA, 1 << 10}}, false},
		/* the same with TTL 1 of 16K, which says nothing (4.4.1.1) */
		{{{SMMU_CMD_TLBI_NH_VA, 2 << 10 | 1 << 8}}, false},
		{{{SMMU_CMD_TLBI_NH_ASID, 0}}, true},
		{{{SMMU_CMD_CFGI_CD, 0}}, true},
		{{{SMMU_CMD_ATC_INV, 0}}, true},
		{{{SMMU_CMD_PRI_RESP, 0}}, true},
	};

	for (unsigned n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		struct seen seen = {0};
		struct smmu_model_hooks hooks = {.ctx = &seen, .irq = on_irq};
		struct smmu_model_config c = rig_config();
		struct rig_queue *q;
		struct rig rig;

		c.s1 = !rows[n].bare;
		c.ats = c.pri = !rows[n].bare;
		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, &hooks, 1);
		rig_up(&rig, 0);
		q = &rig.in[0].cmdq;
		rig_cmd(&rig, 0, rows[n].cmd);
		rig_cmd(&rig, 0, smmu_cmd_sync(0));
		expect_error(&rig, SMMU_CERROR_ILL, 2);
		assert_int_equal(seen.irqs[SMMU_MODEL_IRQ_GERROR], 1);
		/* Acknowledged but not mended: the same again. */
		acknowledge(&rig);
		expect_error(&rig, SMMU_CERROR_ILL, 2);
		rig_store(&rig, q->base + ((q->index - 2) & 31) * 16, SMMU_CMD_TLBI_NSNH_ALL);
		rig_store(&rig, q->base + ((q->index - 2) & 31) * 16 + 8, 0);
		acknowledge(&rig);
		rig_wait(&rig, 0, SMMU_CMDQ_CONS, 63, q->index);
		rig_close(&rig);
	}
}

static void test_abort(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_model_counters count;
	struct rig rig;

	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	smmu_model_inject(rig.model, SMMU_FAULT_CMD_ABORT, 1);
	rig_cmd(&rig, 0, smmu_cmd_tlbi_nsnh_all());
	expect_error(&rig, SMMU_CERROR_ABT, 1);
	smmu_model_inject(rig.model, SMMU_FAULT_CMD_ABORT, 0);
	acknowledge(&rig);
	rig_sync(&rig, 0);
	smmu_model_counters(rig.model, 0, &count);
	assert_int_equal(count.injected[SMMU_FAULT_CMD_ABORT], 1);
	assert_int_equal(count.tlbi, 2);
	rig_close(&rig);
}

static void test_atc_timeout(void **state)
{
	/* Muted before; ATS off before; ATS off with the ATC_INV on its way; no such device. */
	for (unsigned n = 0; n < 4; n++) {
		struct smmu_model_config c = rig_config();
		struct smmu_model_device *dev, *good;
		struct rig rig;
		struct rig_table t;
		uint64_t w[8], start;

		c.atc_ns = 10000;
		c.atc_timeout_ns = 50000;
		c.atc_ur = false;
		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
		rig_up(&rig, 0);
		t = rig_table(&rig, 1, 12, 48);
		rig_ste_s1(w, rig_cd(&rig, 0, &t, 5), 0, 0);
		rig_ste(&rig, 0, 1, w);
		rig_ste(&rig, 0, 2, w);
		rig_map(&rig, &t, 0x1000, 0x9000, 3, RIG_NG);
		dev = smmu_model_device(rig.model, 0, 1, true);
		good = smmu_model_device(rig.model, 0, 2, true);
		smmu_model_ats_enable(dev, n != 1);
		smmu_model_ats_enable(good, true);
		rig_expect(&rig, 0, 1, 0x1000, 0x9000);
		rig_expect(&rig, 0, 2, 0x1000, 0x9000);
		smmu_model_atc_mute(dev, n == 0);
		rig_store(&rig, rig_slot(&rig, &t, 0x1000, 3), 0);
		rig_cmd_sync(&rig, 0, smmu_cmd_tlbi_nh_asid(0, 5));
		start = smmu_model_now(rig.model);
		rig_cmd(&rig, 0, smmu_cmd_atc_inv(n == 3 ? 99 : 1, false, 0, false, 0, 52));
		rig_cmd(&rig, 0, smmu_cmd_atc_inv(2, false, 0, false, 0, 52));
		rig_cmd(&rig, 0, smmu_cmd_sync(0));
		if (n == 2)
			smmu_model_ats_enable(dev, false);
		expect_error(&rig, SMMU_CERROR_ATC_INV_SYNC, 1);
		assert_true(smmu_model_now(rig.model) >= start + 50000);
		/* The other device has answered; who did not keeps what it has. */
		assert_int_equal(smmu_model_atc_count(good), 0);
		assert_int_equal(smmu_model_atc_count(dev), n == 0 || n == 3 ? 1 : 0);
		/* Acknowledged, the CMD_SYNC completes. */
		acknowledge(&rig);
		rig_wait(&rig, 0, SMMU_CMDQ_CONS, 63, rig.in[0].cmdq.index);
		assert_int_equal(rig_read(&rig, 0, SMMU_GERROR), rig_read(&rig, 0, SMMU_GERRORN));
		if (n == 0) {
			smmu_model_device_reset(dev);
			smmu_model_ats_enable(dev, true);
			rig_cmd_sync(&rig, 0, smmu_cmd_atc_inv(1, false, 0, false, 0, 52));
			rig_refused(&rig, 0, 1, 0x1000, SMMU_F_TRANSLATION);
		}
		rig_close(&rig);
	}
}

/** 3.9.1.5: a function whose ATS is off, or that is not there, says UR, which completes; the others' is done. */
static void test_atc_unsupported(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_model_device *dev;
	struct rig rig;

	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	dev = smmu_model_device(rig.model, 0, 1, true);
	rig_cmd(&rig, 0, smmu_cmd_atc_inv(1, false, 0, false, 0, 52));
	rig_cmd_sync(&rig, 0, smmu_cmd_atc_inv(99, false, 0, false, 0, 52));
	assert_int_equal(rig_read(&rig, 0, SMMU_GERROR), 0);
	/* Gone without a word is another matter. */
	smmu_model_device_kill(dev);
	rig_cmd(&rig, 0, smmu_cmd_atc_inv(1, false, 0, false, 0, 52));
	rig_cmd(&rig, 0, smmu_cmd_sync(0));
	expect_error(&rig, SMMU_CERROR_ATC_INV_SYNC, 1);
	acknowledge(&rig);
	rig_close(&rig);
}

static void test_events(void **state)
{
	struct seen seen = {0};
	struct smmu_model_hooks hooks = {.ctx = &seen, .irq = on_irq};
	struct smmu_model_config c = rig_config();
	struct smmu_model_counters count;
	struct rig rig;
	uint64_t w[4];

	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, &hooks, 1);
	rig_up(&rig, 0);
	/* One by one, past two wraps. */
	for (unsigned n = 0; n < 50; n++) {
		rig_refused(&rig, 0, n, 0x1000, SMMU_C_BAD_STE);
		rig_expect_event(&rig, 0, SMMU_C_BAD_STE, n);
	}
	assert_int_equal(seen.irqs[SMMU_MODEL_IRQ_EVENTQ], 50);
	/* Sixteen fit; an interrupt for the first; then one is lost, and is told until acknowledged. */
	for (unsigned n = 0; n < 16; n++)
		rig_refused(&rig, 0, n, 0x1000, SMMU_C_BAD_STE);
	assert_int_equal(seen.irqs[SMMU_MODEL_IRQ_EVENTQ], 51);
	assert_false(rig_read(&rig, 0, SMMU_EVENTQ_PROD) & SMMU_QUEUE_OVERFLOW);
	rig_refused(&rig, 0, 77, 0x1000, SMMU_C_BAD_STE);
	rig_refused(&rig, 0, 78, 0x1000, SMMU_C_BAD_STE);
	assert_true(rig_read(&rig, 0, SMMU_EVENTQ_PROD) & SMMU_QUEUE_OVERFLOW);
	for (unsigned n = 0; n < 16; n++)
		rig_expect_event(&rig, 0, SMMU_C_BAD_STE, n);
	assert_false(rig_event(&rig, 0, w));
	rig_refused(&rig, 0, 79, 0x1000, SMMU_C_BAD_STE);
	rig_expect_event(&rig, 0, SMMU_C_BAD_STE, 79);
	smmu_model_counters(rig.model, 0, &count);
	assert_int_equal(count.events_lost, 2);

	/* Flooded. */
	smmu_model_inject(rig.model, SMMU_FAULT_EVENT_OVERFLOW, 1);
	rig_sync(&rig, 0);
	smmu_model_inject(rig.model, SMMU_FAULT_EVENT_OVERFLOW, 0);
	for (unsigned n = 0; n < 16; n++) {
		assert_true(rig_event(&rig, 0, w));
		assert_int_equal(smmu_field_get(SMMU_EVENT_W0_TYPE, w[0]), SMMU_EVENT_IMPDEF_FIRST);
	}
	assert_false(rig_event(&rig, 0, w));
	rig_close(&rig);

	/* The queue is not memory. */
	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, &hooks, 1);
	rig_up(&rig, 0);
	rig_write(&rig, 0, SMMU_CR0, SMMU_CR0_SMMUEN | SMMU_CR0_CMDQEN);
	rig_wait(&rig, 0, SMMU_CR0ACK, SMMU_CR0_EVENTQEN, 0);
	rig_write64(&rig, 0, SMMU_EVENTQ_BASE, 0x1000 | 4);
	rig_write(&rig, 0, SMMU_CR0, SMMU_CR0_SMMUEN | SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN);
	rig_wait(&rig, 0, SMMU_CR0ACK, SMMU_CR0_EVENTQEN, SMMU_CR0_EVENTQEN);
	rig_refused(&rig, 0, 1, 0x1000, SMMU_C_BAD_STE);
	assert_int_equal(rig_read(&rig, 0, SMMU_GERROR), SMMU_GERROR_EVENTQ_ABT_ERR);
	assert_int_equal(rig_read(&rig, 0, SMMU_EVENTQ_PROD), 0);
	rig_close(&rig);
}

/** A run with everything on, told by its times and counts. */
static uint64_t digest(uint64_t seed)
{
	struct seen seen = {0};
	struct smmu_model_hooks hooks = {.ctx = &seen, .synced = on_sync};
	struct smmu_model_config c = rig_config();
	struct rig rig;
	struct rig_table t;
	struct smmu_model_device *dev;
	uint64_t w[8], d = 0;

	smmu_model_config_default(&c);
	c.sid_bits = RIG_STREAMS_LOG2;
	c.evict_permille = 100;
	rig_open(&rig, &c, 2, SMMU_MODEL_VIRTUAL, &hooks, seed);
	smmu_model_inject(rig.model, SMMU_FAULT_SLOW_SYNC, 3);
	smmu_model_inject(rig.model, SMMU_FAULT_PREFETCH_STORM, 3);
	t = rig_table(&rig, 1, 12, 48);
	for (unsigned i = 0; i < 2; i++) {
		rig_up(&rig, i);
		rig_ste_s1(w, rig_cd(&rig, 0, &t, 5), 0, 0);
		rig_ste(&rig, i, 1, w);
		dev = smmu_model_device(rig.model, i, 1, true);
		smmu_model_ats_enable(dev, true);
	}
	for (unsigned n = 0; n < 64; n++)
		rig_map(&rig, &t, n * 0x1000, 0x9000 + n * 0x1000, 3, RIG_NG);
	smmu_random_seed(&rig.random, 4711); /* the same workload under each seed */
	for (unsigned n = 0; n < 500; n++) {
		unsigned i = (unsigned)smmu_random_below(&rig.random, 2);
		uint64_t at = smmu_random_below(&rig.random, 64) * 0x1000;
		struct smmu_dma_result r = rig_dma(&rig, i, 1, at, false);

		d = d * 31 + r.pa + r.tlb_hit + r.walk_hit * 2 + r.atc_hit * 4 +
		    smmu_model_now(rig.model);
		if (n % 5 == 0) {
			rig_cmd_sync(&rig, i, smmu_cmd_tlbi_nh_asid(0, 5));
			rig_cmd_sync(&rig, i, smmu_cmd_atc_inv(1, false, 0, false, at, 0));
		}
	}
	rig_close(&rig);
	return d;
}

static void test_determinism(void **state)
{
	unsigned distinct = 0;

	for (uint64_t seed = 1; seed < 6; seed++) {
		uint64_t d = digest(seed);

		assert_int_equal(d, digest(seed));
		distinct += d != digest(seed + 100);
	}
	assert_int_equal(distinct, getenv("SMMU_TEST_SEED") ? 0 : 5);
}

static uint64_t outside_now(void *ctx)
{
	return *(uint64_t *)ctx;
}

/** Somebody else's clock, and instances of different speed. */
static void test_clock(void **state)
{
	uint64_t now = 5000;
	struct smmu_model_hooks hooks = {.ctx = &now, .now_ns = outside_now};
	struct smmu_model_config c[2] = {rig_config(), rig_config()};
	struct seen seen = {0};
	struct rig rig;

	rig_open(&rig, &c[0], 1, SMMU_MODEL_VIRTUAL, &hooks, 1);
	rig_write(&rig, 0, SMMU_CR0, SMMU_CR0_EVENTQEN);
	assert_int_equal(smmu_model_next_event(rig.model), 5200);
	rig.in[0].bus->ops->relax(rig.in[0].bus->ctx); /* not ours to move */
	assert_int_equal(smmu_model_next_event(rig.model), 5200);
	now = 5199;
	assert_int_equal(rig_read(&rig, 0, SMMU_CR0ACK), 0);
	now = 5200;
	assert_int_equal(rig_read(&rig, 0, SMMU_CR0ACK), SMMU_CR0_EVENTQEN);
	assert_int_equal(smmu_model_next_event(rig.model), UINT64_MAX);
	rig_close(&rig);

	hooks = (struct smmu_model_hooks){.ctx = &seen, .synced = on_sync};
	c[0].speed_percent = 300;
	rig_open(&rig, &c[0], 2, SMMU_MODEL_VIRTUAL, &hooks, 1);
	smmu_model_destroy(rig.model);
	rig.model = smmu_model_create(SMMU_MODEL_VIRTUAL, c, 2, &rig.ram, &hooks, 1);
	for (unsigned i = 0; i < 2; i++) {
		rig.in[i].bus = smmu_model_bus(rig.model, i);
		rig_up(&rig, i);
	}
	seen.synced = 0;
	rig_cmd(&rig, 0, smmu_cmd_sync(0));
	rig_cmd(&rig, 1, smmu_cmd_sync(0));
	assert_true(smmu_model_settle(rig.model, 1000000));
	assert_int_equal(seen.synced, 2);
	assert_int_equal(seen.who[0], 1);
	assert_int_equal(seen.who[1], 0);
	assert_int_equal(seen.at[1] - seen.at[0], 2 * (240 + 10));
	rig_close(&rig);
}

/** A reset loses registers, not caches. */
static void test_reset(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_model_counters count;
	struct rig rig;

	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	rig_refused(&rig, 0, 3, 0, SMMU_C_BAD_STE);
	smmu_model_reset(rig.model, 0);
	assert_int_equal(rig_read(&rig, 0, SMMU_CR0), 0);
	assert_int_equal(rig_read(&rig, 0, SMMU_CMDQ_PROD), 0);
	smmu_model_counters(rig.model, 0, &count);
	assert_int_equal(count.cfg_entries, 1);
	rig_up(&rig, 0);
	smmu_model_counters(rig.model, 0, &count);
	assert_int_equal(count.cfg_entries, 0);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrap),        cmocka_unit_test(test_sync),
		cmocka_unit_test(test_illegal),     cmocka_unit_test(test_abort),
		cmocka_unit_test(test_atc_timeout), cmocka_unit_test(test_atc_unsupported),
		cmocka_unit_test(test_events),      cmocka_unit_test(test_determinism),
		cmocka_unit_test(test_clock),       cmocka_unit_test(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

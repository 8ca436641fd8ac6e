/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware that is late, paused or dead, and commands that are read before their turn.
 */
#include "rig.h"

#include <string.h>

/** A CMD_SYNC, not waited for; true if it completes within @p ns. */
static bool sync_within(struct rig *rig, uint64_t ns)
{
	uint64_t end = smmu_model_now(rig->model) + ns;

	rig_cmd(rig, 0, smmu_cmd_sync(0));
	smmu_model_advance(rig->model, end);
	return (rig_read(rig, 0, SMMU_CMDQ_CONS) & 63) == rig->in[0].cmdq.index;
}

static void acknowledge(struct rig *rig)
{
	rig_write(rig, 0, SMMU_GERRORN, rig_read(rig, 0, SMMU_GERROR));
}

/** Nothing goes on in a pause but the accesses of devices; all of it afterwards. */
static void test_pause(void **state)
{
	struct smmu_model_config c = rig_config();
	struct rig rig;

	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	smmu_model_pause(rig.model, 0, 5000000000);
	rig_refused(&rig, 0, 3, 0x1000, SMMU_C_BAD_STE);
	rig_write(&rig, 0, SMMU_IRQ_CTRL, 0);
	assert_false(sync_within(&rig, 4900000000));
	assert_int_equal(rig_read(&rig, 0, SMMU_IRQ_CTRLACK), 7);
	smmu_model_advance(rig.model, smmu_model_now(rig.model) + 200000000);
	assert_int_equal(rig_read(&rig, 0, SMMU_CMDQ_CONS) & 63, rig.in[0].cmdq.index);
	assert_int_equal(rig_read(&rig, 0, SMMU_IRQ_CTRLACK), 0);

	/* The same by chance of a command. */
	smmu_model_inject(rig.model, SMMU_FAULT_PAUSE, 1);
	assert_false(sync_within(&rig, 2900000000));
	smmu_model_inject(rig.model, SMMU_FAULT_PAUSE, 0);
	assert_true(sync_within(&rig, 200000000));
	rig_close(&rig);
}

/** A queue that dies at its n-th command, for each n of a sequence; CMDQEN off and on revives it, or does not. */
static void test_queue_dead(void **state)
{
	for (unsigned n = 1; n <= 6; n++) {
		struct smmu_model_config c = rig_config();
		struct smmu_model_counters count;
		struct rig rig;
		uint32_t cr0;

		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, n);
		rig_up(&rig, 0);
		smmu_model_kill_queue(rig.model, 0, n, n == 6);
		for (unsigned i = 0; i < 5; i++)
			rig_cmd(&rig, 0, smmu_cmd_tlbi_nsnh_all());
		assert_false(sync_within(&rig, 10000000000));
		smmu_model_counters(rig.model, 0, &count);
		assert_int_equal(count.tlbi, 1 + n - 1);
		assert_int_equal(rig_read(&rig, 0, SMMU_GERROR), 0);
		cr0 = rig_read(&rig, 0, SMMU_CR0);
		rig_write(&rig, 0, SMMU_CR0, cr0 & ~SMMU_CR0_CMDQEN);
		rig_wait(&rig, 0, SMMU_CR0ACK, SMMU_CR0_CMDQEN, 0);
		rig_write(&rig, 0, SMMU_CMDQ_PROD, 0);
		rig_write(&rig, 0, SMMU_CMDQ_CONS, 0);
		rig.in[0].cmdq.index = 0;
		rig_write(&rig, 0, SMMU_CR0, cr0);
		rig_wait(&rig, 0, SMMU_CR0ACK, UINT32_MAX, cr0);
		assert_int_equal(sync_within(&rig, 1000000000), n != 6);
		if (n == 6) {
			smmu_model_kill_queue(rig.model, 0, 0, false);
			smmu_model_settle(rig.model, 1000000);
			assert_int_equal(rig_read(&rig, 0, SMMU_CMDQ_CONS), rig.in[0].cmdq.index);
		}
		rig_close(&rig);
	}
}

/** An ATC that answers after 40 s is waited for; one that needs longer than the limit is given up at the limit. */
static void test_slow_atc(void **state)
{
	for (unsigned n = 0; n < 2; n++) {
		struct smmu_model_config c = rig_config();
		struct smmu_model_device *dev;
		struct rig rig;
		uint64_t start;

		c.atc_timeout_ns = n ? 90000000000 : 1000000;
		c.atc_slow_ns = 80000000000;
		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
		rig_up(&rig, 0);
		dev = smmu_model_device(rig.model, 0, 1, true);
		smmu_model_ats_enable(dev, true);
		smmu_model_inject(rig.model, SMMU_FAULT_ATC_SLOW, 1);
		start = smmu_model_now(rig.model);
		rig_cmd(&rig, 0, smmu_cmd_atc_inv(1, false, 0, false, 0, 52));
		rig_cmd(&rig, 0, smmu_cmd_sync(0));
		assert_true(smmu_model_settle(rig.model, 100000000000));
		if (n) {
			assert_int_equal(rig_read(&rig, 0, SMMU_GERROR), 0);
			assert_true(smmu_model_now(rig.model) - start > 1000000000);
		} else {
			assert_int_equal(rig_read(&rig, 0, SMMU_GERROR), SMMU_GERROR_CMDQ_ERR);
			assert_in_range(smmu_model_now(rig.model) - start, 1000000, 1100000);
			assert_int_equal(smmu_field_get(SMMU_CMDQ_CONS_ERR,
							rig_read(&rig, 0, SMMU_CMDQ_CONS)),
					 SMMU_CERROR_ATC_INV_SYNC);
			acknowledge(&rig);
		}
		rig_close(&rig);
	}
}

/** 4.7.3: of the ATC_INVs before a CMD_SYNC that fails, those of others are not promised either. */
static void test_innocent(void **state)
{
	unsigned lost = 0;

	for (unsigned seed = 0; seed < 20; seed++) {
		struct smmu_model_config c = rig_config();
		struct smmu_model_device *dev[2];
		struct rig rig;
		struct rig_table t;
		uint64_t w[8];

		c.innocent_permille = 500;
		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, seed);
		rig_up(&rig, 0);
		t = rig_table(&rig, 1, 12, 48);
		rig_map(&rig, &t, 0x1000, 0x9000, 3, RIG_NG);
		rig_ste_s1(w, rig_cd(&rig, 0, &t, 5), 0, 0);
		for (unsigned i = 0; i < 2; i++) {
			rig_ste(&rig, 0, i, w);
			dev[i] = smmu_model_device(rig.model, 0, i, true);
			smmu_model_ats_enable(dev[i], true);
			rig_expect(&rig, 0, i, 0x1000, 0x9000);
		}
		smmu_model_atc_mute(dev[0], true);
		rig_cmd(&rig, 0, smmu_cmd_atc_inv(0, false, 0, false, 0, 52));
		smmu_model_advance(rig.model, smmu_model_now(rig.model) + 2000);
		rig_cmd(&rig, 0, smmu_cmd_atc_inv(1, false, 0, false, 0, 52));
		rig_cmd(&rig, 0, smmu_cmd_sync(0));
		assert_true(smmu_model_settle(rig.model, 100000000));
		assert_int_equal(rig_read(&rig, 0, SMMU_GERROR), SMMU_GERROR_CMDQ_ERR);
		acknowledge(&rig);
		rig_wait(&rig, 0, SMMU_CMDQ_CONS, 63, rig.in[0].cmdq.index);
		lost += smmu_model_atc_count(dev[1]) == 1;
		/* Asked again, it answers. */
		rig_cmd_sync(&rig, 0, smmu_cmd_atc_inv(1, false, 0, false, 0, 52));
		assert_int_equal(smmu_model_atc_count(dev[1]), 0);
		rig_close(&rig);
	}
	assert_true(lost > 3 && lost < 17);
}

/** Commands that PROD has passed are read at once, until an error or CMDQEN makes the SMMU forget them (3.21.2). */
static void test_cached_commands(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_model_counters count;
	struct rig rig;
	uint64_t slot;

	c.cmd_cache_permille = 1000;
	c.cmd_ns = 1000;
	c.sync_ns = 50000;
	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	slot = rig.in[0].cmdq.base + rig.in[0].cmdq.index * 16;
	rig_cmd(&rig, 0, smmu_cmd_tlbi_nsnh_all());
	rig_store(&rig, slot, SMMU_CMD_CFGI_STE); /* too late */
	rig_sync(&rig, 0);
	smmu_model_counters(rig.model, 0, &count);
	assert_int_equal(count.tlbi, 2);
	assert_int_equal(count.cfgi, 1);
	/* After an error it counts. */
	slot = rig.in[0].cmdq.base + rig.in[0].cmdq.index * 16;
	rig_cmd(&rig, 0, (struct smmu_cmd){{0xff, 0}});
	rig_cmd(&rig, 0, smmu_cmd_tlbi_nsnh_all());
	assert_true(smmu_model_settle(rig.model, 1000000));
	rig_store(&rig, slot, SMMU_CMD_CFGI_STE);
	rig_store(&rig, slot + 16, SMMU_CMD_CFGI_STE);
	acknowledge(&rig);
	rig_sync(&rig, 0);
	smmu_model_counters(rig.model, 0, &count);
	assert_int_equal(count.tlbi, 2);
	assert_int_equal(count.cfgi, 3);
	/* All slots, many times round, with a CMD_SYNC waiting while PROD moves. */
	for (unsigned n = 0; n < 500; n++) {
		rig_cmd(&rig, 0, n & 1 ? smmu_cmd_tlbi_nsnh_all() : smmu_cmd_cfgi_all());
		if (n % 6 == 0) {
			rig_cmd(&rig, 0, smmu_cmd_sync(0));
			assert_true(!smmu_model_settle(rig.model, 40000));
		}
	}
	rig_sync(&rig, 0);
	smmu_model_counters(rig.model, 0, &count);
	assert_int_equal(count.tlbi, 252);
	assert_int_equal(count.cfgi, 253);
	rig_close(&rig);
}

/** CONS lags behind, but not once the queue is empty, a CMD_SYNC complete or an error raised. */
static void test_lazy_cons(void **state)
{
	struct smmu_model_config c = rig_config();
	struct rig rig;
	unsigned jumps = 0;

	c.cons_batch = 8;
	c.cmd_ns = 1000;
	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	for (unsigned round = 0; round < 20; round++) {
		uint32_t cons = rig_read(&rig, 0, SMMU_CMDQ_CONS);

		for (unsigned n = 0; n < 20; n++)
			rig_cmd(&rig, 0, smmu_cmd_tlbi_nsnh_all());
		for (unsigned n = 0; n < 30; n++) {
			uint32_t now = rig_read(&rig, 0, SMMU_CMDQ_CONS);

			jumps += ((now - cons) & 63) > 1;
			cons = now;
			smmu_model_advance(rig.model, smmu_model_now(rig.model) + 1000);
		}
		assert_int_equal(rig_read(&rig, 0, SMMU_CMDQ_CONS), rig.in[0].cmdq.index);
	}
	assert_true(jumps > 20);
	rig_cmd(&rig, 0, smmu_cmd_sync(0));
	rig_cmd(&rig, 0, (struct smmu_cmd){{0xff, 0}});
	rig_cmd(&rig, 0, smmu_cmd_tlbi_nsnh_all());
	assert_true(smmu_model_settle(rig.model, 1000000));
	assert_int_equal(rig_read(&rig, 0, SMMU_CMDQ_CONS) & 63, (rig.in[0].cmdq.index - 2) & 63);
	/* 7.1: while the error is active, PROD may go back as far as CONS. */
	rig.in[0].cmdq.index = rig_read(&rig, 0, SMMU_CMDQ_CONS) & 63;
	rig_write(&rig, 0, SMMU_CMDQ_PROD, rig.in[0].cmdq.index);
	acknowledge(&rig);
	rig_sync(&rig, 0);
	rig_close(&rig);
}

/** The MSI of a CMD_SYNC is aborted: told in GERROR, and the CMD_SYNC is consumed all the same (4.7.3). */
static void test_msi_abort(void **state)
{
	struct smmu_model_config c = rig_config();
	struct rig rig;
	uint64_t word;

	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	word = rig_alloc(&rig, 64, 64);
	smmu_model_inject(rig.model, SMMU_FAULT_MSI_ABORT, 1);
	rig_cmd(&rig, 0, smmu_cmd_sync_msi(word, 7, 0, 0));
	assert_true(smmu_model_settle(rig.model, 1000000));
	assert_int_equal(rig_load(&rig, word), 0);
	assert_int_equal(rig_read(&rig, 0, SMMU_GERROR), SMMU_GERROR_MSI_CMDQ_ABT_ERR);
	assert_int_equal(rig_read(&rig, 0, SMMU_CMDQ_CONS), rig.in[0].cmdq.index);
	rig_close(&rig);
}

/** A record whose write is aborted: PROD stays before it, or moves over what is no record (7.2.2). */
static void test_event_abort(void **state)
{
	for (unsigned async = 0; async < 2; async++) {
		struct smmu_model_config c = rig_config();
		struct rig rig;

		c.abort_async = async;
		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
		rig_up(&rig, 0);
		rig_refused(&rig, 0, 1, 0x1000, SMMU_C_BAD_STE);
		smmu_model_inject(rig.model, SMMU_FAULT_EVENT_ABORT, 1);
		rig_refused(&rig, 0, 2, 0x1000, SMMU_C_BAD_STE);
		smmu_model_inject(rig.model, SMMU_FAULT_EVENT_ABORT, 0);
		assert_int_equal(rig_read(&rig, 0, SMMU_GERROR), SMMU_GERROR_EVENTQ_ABT_ERR);
		assert_int_equal(rig_read(&rig, 0, SMMU_EVENTQ_PROD), 1 + async);
		assert_int_equal(rig_load(&rig, rig.in[0].eventq.base + 32), 0);
		/* Nothing is written before that is acknowledged. */
		rig_refused(&rig, 0, 3, 0x1000, SMMU_C_BAD_STE);
		assert_int_equal(rig_read(&rig, 0, SMMU_EVENTQ_PROD), 1 + async);
		acknowledge(&rig);
		rig_refused(&rig, 0, 4, 0x1000, SMMU_C_BAD_STE);
		assert_int_equal(rig_read(&rig, 0, SMMU_EVENTQ_PROD), 2 + async);
		rig_close(&rig);
	}
}

/** Service failure mode ends with a reset and nothing less (12.3). */
static void test_service_failure(void **state)
{
	struct smmu_model_config c = rig_config();
	struct rig rig;

	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	smmu_model_fail_service(rig.model, 0);
	assert_int_equal(rig_read(&rig, 0, SMMU_GERROR), SMMU_GERROR_SFM_ERR);
	acknowledge(&rig);
	rig_refused(&rig, 0, 3, 0x1000, 0);
	assert_false(sync_within(&rig, 1000000000));
	smmu_model_reset(rig.model, 0);
	rig_up(&rig, 0);
	rig_refused(&rig, 0, 3, 0x1000, SMMU_C_BAD_STE);
	assert_true(sync_within(&rig, 1000000000));
	rig_close(&rig);
}

/** How a request of a device with ATS on is answered when its STE or CD changes under it (3.9.1.2). */
static void test_ats_answers(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_model_counters count;
	struct smmu_model_device *dev;
	struct rig rig;
	struct rig_table t;
	uint64_t w[8], cd;

	c.strict = SMMU_STRICT_ATS_ANSWER;
	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	t = rig_table(&rig, 1, 12, 48);
	rig_map(&rig, &t, 0x1000, 0x9000, 3, RIG_NG);
	cd = rig_cd(&rig, 0, &t, 5);
	rig_ste_s1(w, cd, 0, 0);
	rig_ste(&rig, 0, 1, w);
	dev = smmu_model_device(rig.model, 0, 1, true);
	smmu_model_ats_enable(dev, true);
	rig_refused(&rig, 0, 1, 0x5000, SMMU_F_TRANSLATION); /* R = W = 0: as it should be */
	assert_int_equal(smmu_model_misuse_count(rig.model, 0), 0);
	rig_store(&rig, cd, 0);
	rig_cmd_sync(&rig, 0, smmu_cmd_cfgi_cd(1, 0, true));
	rig_refused(&rig, 0, 1, 0x1000, SMMU_C_BAD_CD);
	rig_ste(&rig, 0, 1, (const uint64_t[8]){SMMU_STE_W0_V});
	rig_cmd_sync(&rig, 0, smmu_cmd_cfgi_ste(1, true));
	rig_refused(&rig, 0, 1, 0x1000, 0);
	smmu_model_counters(rig.model, 0, &count);
	assert_int_equal(count.ats_ca, 1);
	assert_int_equal(count.ats_ur, 1);
	assert_int_equal(count.misuses, 2);
	rig_close_anyway(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pause),           cmocka_unit_test(test_queue_dead),
		cmocka_unit_test(test_slow_atc),        cmocka_unit_test(test_innocent),
		cmocka_unit_test(test_cached_commands), cmocka_unit_test(test_lazy_cons),
		cmocka_unit_test(test_msi_abort),       cmocka_unit_test(test_event_abort),
		cmocka_unit_test(test_service_failure), cmocka_unit_test(test_ats_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

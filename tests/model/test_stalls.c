/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses that stall, where there is no room for their records, where those are lost, and where SMMUEN goes; and groups of page
 * requests.
 */
#include "rig.h"

#include <string.h>

#define PA 0x9000ULL
#define VA 0x1000ULL
#define RETRY (1ULL << 12)

static struct rig rig;
static struct rig_table t;

/** So many records have room. */
#define ROOM 16u

/** Stream 1 stalls, with VA mapped to PA. */
static void start(void)
{
	struct smmu_model_config c = rig_config();
	uint64_t ste[8], cd;

	c.stall_model = 2;
	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	t = rig_table(&rig, 1, 12, 39);
	rig_map(&rig, &t, VA, PA, 3, RIG_NG);
	cd = rig_cd(&rig, 0, &t, 5);
	rig_store(&rig, cd, rig_load(&rig, cd) | SMMU_CD_W0_S);
	rig_ste_s1(ste, cd, 0, 3);
	ste[1] &= ~(3ULL | 3ULL << 28);
	rig_ste(&rig, 0, 1, ste);
}

static uint16_t stall(uint64_t iova)
{
	struct smmu_dma dma = {.stream = 1, .iova = iova};
	struct smmu_dma_result r = smmu_model_dma(rig.model, &dma);

	assert_true(!r.ok && r.stalled);
	return r.stag;
}

static bool done(uint16_t stag, struct smmu_dma_result *r)
{
	return smmu_model_stall(rig.model, 0, stag, r);
}

static void resume(uint16_t stag, uint64_t how)
{
	rig_cmd_sync(&rig, 0, (struct smmu_cmd){{SMMU_CMD_RESUME | how | 1ULL << 32, stag}});
}

static uint64_t stray(void)
{
	struct smmu_model_counters c;

	smmu_model_counters(rig.model, 0, &c);
	return c.stray_answers;
}

/** No record of a stalled access is lost: it waits without, and is tried again when there is room. */
static void test_no_room(void **state)
{
	struct smmu_dma_result r;
	uint16_t tag[ROOM + 2];
	uint64_t w[4];

	start();
	for (unsigned i = 0; i < ROOM + 2; i++)
		tag[i] = stall(0x20000 + i * 0x1000);
	assert_int_equal(smmu_model_unanswered(rig.model, 0), ROOM + 2);
	assert_false(rig_read(&rig, 0, SMMU_EVENTQ_PROD) & (uint32_t)SMMU_QUEUE_OVERFLOW);
	/* Nobody knows the tag, and a guess does nothing. */
	resume(tag[ROOM], RETRY);
	assert_false(done(tag[ROOM], &r));
	assert_int_equal(stray(), 1);
	rig_map(&rig, &t, 0x20000 + ROOM * 0x1000, 0xb000, 3, RIG_NG);
	/* With the first that goes there is room: one has a page by now, the other gets a record. */
	for (unsigned i = 0; i < ROOM; i++) {
		assert_true(rig_event(&rig, 0, w));
		assert_int_equal(w[1] & 0xffff, tag[i]);
		resume(tag[i], 0);
	}
	assert_true(done(tag[ROOM], &r));
	assert_true(r.ok && r.retried);
	assert_int_equal(r.pa, 0xb000);
	assert_true(done(tag[ROOM + 1], &r));
	assert_true(!r.ok && r.stalled);
	assert_true(rig_event(&rig, 0, w));
	assert_int_equal(w[1] & 0xffff, r.stag);
	assert_int_equal(w[2], 0x20000 + (ROOM + 1) * 0x1000);
	resume(r.stag, 0);
	assert_int_equal(smmu_model_unanswered(rig.model, 0), 0);
	assert_int_equal(stray(), 1);
	resume(tag[0], 0);
	assert_int_equal(stray(), 2);
	rig_close(&rig);
}

/** A record whose write was aborted is lost: the access waits for CMD_STALL_TERM. */
static void test_lost(void **state)
{
	struct smmu_dma_result r;
	uint16_t tag;
	uint64_t w[4];

	start();
	smmu_model_inject(rig.model, SMMU_FAULT_EVENT_ABORT, 1);
	tag = stall(0x5000);
	smmu_model_inject(rig.model, SMMU_FAULT_EVENT_ABORT, 0);
	assert_true(rig_read(&rig, 0, SMMU_GERROR) & SMMU_GERROR_EVENTQ_ABT_ERR);
	/* While the error is active another one waits without a record. */
	stall(0x6000);
	assert_false(rig_event(&rig, 0, w));
	rig_write(&rig, 0, SMMU_GERRORN, rig_read(&rig, 0, SMMU_GERROR));
	assert_true(rig_event(&rig, 0, w));
	assert_int_equal(w[2], 0x6000);
	assert_false(done(tag, &r));
	assert_int_equal(smmu_model_unanswered(rig.model, 0), 2);
	rig_cmd_sync(&rig, 0, (struct smmu_cmd){{SMMU_CMD_STALL_TERM | 1ULL << 32, 0}});
	assert_int_equal(smmu_model_unanswered(rig.model, 0), 0);
	assert_true(done(tag, &r));
	assert_false(r.ok);
	rig_close(&rig);
}

/** When SMMUEN goes, all end, with a record or without, and their tags are used again. */
static void test_disabled(void **state)
{
	struct smmu_dma_result r;
	uint16_t tag[ROOM + 2];
	uint64_t w[4];

	start();
	for (unsigned i = 0; i < ROOM + 2; i++)
		tag[i] = stall(0x20000 + i * 0x1000);
	while (rig_event(&rig, 0, w))
		;
	rig_write(&rig, 0, SMMU_CR0, SMMU_CR0_EVENTQEN | SMMU_CR0_CMDQEN);
	rig_wait(&rig, 0, SMMU_CR0ACK, SMMU_CR0_SMMUEN, 0);
	assert_int_equal(smmu_model_unanswered(rig.model, 0), 0);
	for (unsigned i = 0; i < ROOM + 2; i++) {
		assert_true(done(tag[i], &r));
		assert_false(r.ok);
	}
	/* No answer is due. */
	assert_int_equal(stray(), 0);
	resume(tag[0], RETRY);
	assert_int_equal(stray(), 1);
	rig_write(&rig, 0, SMMU_CR0, SMMU_CR0_EVENTQEN | SMMU_CR0_CMDQEN | SMMU_CR0_SMMUEN);
	rig_wait(&rig, 0, SMMU_CR0ACK, SMMU_CR0_SMMUEN, SMMU_CR0_SMMUEN);
	assert_int_equal(stall(0x9000), tag[0]);
	resume(tag[0], 0);
	assert_int_equal(stray(), 1);
	assert_int_equal(smmu_model_unanswered(rig.model, 0), 0);
	rig_close(&rig);
}

/** A group of several requests is answered once, by its last; one that its device has forgotten is no more. */
static void test_groups(void **state)
{
	struct smmu_model_device *dev;

	start();
	dev = smmu_model_device(rig.model, 0, 1, true);
	assert_true(smmu_model_page_request_part(dev, false, 0, VA, false, 5));
	assert_int_equal(smmu_model_unanswered(rig.model, 0), 0);
	assert_true(smmu_model_page_request(dev, false, 0, VA + 0x1000, false, 5));
	assert_int_equal(smmu_model_unanswered(rig.model, 0), 1);
	rig_cmd_sync(&rig, 0, smmu_cmd_pri_resp(1, false, 0, 5, SMMU_CMD_PRI_RESP_SUCCESS));
	assert_int_equal(smmu_model_page_response(dev, 5), SMMU_CMD_PRI_RESP_SUCCESS);
	assert_int_equal(smmu_model_unanswered(rig.model, 0), 0);
	assert_int_equal(stray(), 0);
	rig_cmd_sync(&rig, 0, smmu_cmd_pri_resp(1, false, 0, 5, SMMU_CMD_PRI_RESP_SUCCESS));
	assert_int_equal(stray(), 1);
	assert_true(smmu_model_page_request(dev, false, 0, VA, false, 6));
	smmu_model_device_reset(dev);
	assert_int_equal(smmu_model_unanswered(rig.model, 0), 0);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_disabled),
		cmocka_unit_test(test_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An SMMU that is suspended while something waits for an answer. All that has stalled ends as SMMUEN goes, its tags are free, and devices
 * begin PRI anew (IHI 0070 G.b, 6.3.9.6), so an answer to what was before would go to something else.
 */
#include <smmuv3/fault.h>
#include <smmuv3/handover.h>

#include "rig.h"

static struct rig rig;
static struct rig_device d;
static struct smmu_domain domain;
static struct smmu_faults faults;
static struct smmu_instance *inst = &rig.smmu[0].inst;

/** How long records of events are on their way. */
static uint32_t event_late_ns;

/** A device that stalls, or (@p ats) one that asks for pages. */
static void start(bool ats)
{
	static uint32_t streams[] = {5};
	struct smmu_model_config c = rig_config();
	struct smmu_device_config cfg = {
		.instance = inst, .streams = streams, .nr_streams = 1, .stalls = true};

	c.stall_model = ats ? 1 : 0;
	c.pri = true;
	c.event_late_ns = event_late_ns;
	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, 0);
	rig_domain(&rig, &domain, SMMU_DOMAIN_STAGE1);
	if (ats) {
		rig_device(&rig, &d, 0, 5, 1, true, 0);
	} else {
		d = (struct rig_device){.rig = &rig, .nr = 1, .streams = {5}};
		assert_int_equal(smmu_device_init(&d.dev, &cfg), 0);
	}
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
	assert_int_equal(smmu_faults_init(&faults, inst, 8), 0);
}

static uint64_t stray(void)
{
	struct smmu_model_counters c;

	smmu_model_counters(rig.model, 0, &c);
	return c.stray_answers;
}

static void finish(void)
{
	assert_int_equal(stray(), 0);
	assert_int_equal(smmu_model_unanswered(rig.model, 0), 0);
	smmu_device_fini(&d.dev);
	smmu_faults_fini(&faults);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	rig_close(&rig);
}

static uint16_t stalls(uint64_t iova)
{
	struct smmu_dma dma = {.stream = 5, .iova = iova};
	struct smmu_dma_result r = smmu_model_dma(rig.model, &dma);

	assert_true(!r.ok && r.stalled);
	return r.stag;
}

static bool waits(uint16_t tag)
{
	struct smmu_dma_result r;

	return !smmu_model_stall(rig.model, 0, tag, &r);
}

/** With its power, or without; suspended with a word before, or brought back from the dead. */
static void outage(unsigned how)
{
	if (how < 2)
		assert_int_equal(smmu_instance_suspend(inst), 0);
	if (how % 2) {
		smmu_model_reset(rig.model, 0);
		mmio_check_former_owner(&rig.smmu[0].check, 0, 0);
	}
	assert_int_equal(smmu_model_unanswered(rig.model, 0), how == 2 ? 2 : 0);
	if (how == 0)
		assert_int_equal(faults.ended, 1);
	assert_int_equal(smmu_instance_revive(inst), 0);
}

/** What was handed out and what nobody has read: both end, and no answer comes for either. */
static void test_stalls(void **state)
{
	for (unsigned how = 0; how < 4; how++) {
		struct smmu_fault before, after;
		struct smmu_event event;
		uint16_t tag, unread;

		start(false);
		tag = stalls(0x1000);
		before = rig_next_stall(&rig, &faults);
		unread = stalls(0x2000);
		rig_log_reset(&rig);
		outage(how);
		assert_true(!waits(tag) && !waits(unread));
		assert_int_equal(faults.used, 0);
		assert_int_equal(smmu_instance_event(inst, &event), 0);
		/* The next has the tag of the first, and waits for an answer of its own. */
		assert_int_equal(stalls(0x3000), tag);
		assert_int_equal(smmu_fault_answer(&faults, &before, SMMU_FAULT_RETRY),
				 -SMMU_ENOENT);
		after = rig_next_stall(&rig, &faults);
		assert_int_equal(after.tag, tag);
		assert_int_equal(smmu_fault_answer(&faults, &before, SMMU_FAULT_RETRY),
				 -SMMU_ENOENT);
		assert_true(waits(tag));
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_RESUME), 0);
		assert_int_equal(smmu_fault_answer(&faults, &after, SMMU_FAULT_INVALID), 0);
		assert_false(waits(tag));
		/* Nothing was lost by it. */
		smmu_detach(&d.dev);
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_STALL_TERM), 0);
		finish();
	}
}

/** While it is suspended, an answer is none. */
static void test_answer_meanwhile(void **state)
{
	struct smmu_fault before;

	start(false);
	stalls(0x1000);
	before = rig_next_stall(&rig, &faults);
	assert_int_equal(smmu_instance_suspend(inst), 0);
	assert_int_equal(smmu_fault_answer(&faults, &before, SMMU_FAULT_RETRY), -SMMU_ENOENT);
	smmu_detach(&d.dev);
	assert_int_equal(smmu_instance_revive(inst), 0);
	assert_int_equal(smmu_fault_answer(&faults, &before, SMMU_FAULT_RETRY), -SMMU_ENOENT);
	finish();
}

/** An event that somebody has in hand meanwhile is one of before, too. */
static void test_in_hand(void **state)
{
	struct smmu_fault fault;
	struct smmu_event event;
	uint16_t tag;

	start(false);
	stalls(0x1000);
	assert_int_equal(smmu_instance_event(inst, &event), 1);
	assert_int_equal(smmu_instance_suspend(inst), 0);
	assert_int_equal(smmu_fault_stalled(&faults, &event, &fault), 0);
	assert_int_equal(smmu_instance_revive(inst), 0);
	tag = stalls(0x2000);
	assert_int_equal(tag, event.stag);
	rig_log_reset(&rig);
	assert_int_equal(smmu_fault_stalled(&faults, &event, &fault), 0);
	assert_int_equal(rig_log_count(&rig, SMMU_CMD_RESUME), 0);
	assert_true(waits(tag));
	fault = rig_next_stall(&rig, &faults);
	assert_int_equal(smmu_fault_answer(&faults, &fault, SMMU_FAULT_INVALID), 0);
	finish();
}

/** A page request group of before is not answered: its device has begun anew. */
static void test_requests(void **state)
{
	struct smmu_fault before, after;

	start(true);
	assert_true(smmu_model_page_request(d.hw[0], false, 0, 0x1000, false, 3));
	assert_true(smmu_model_page_request(d.hw[0], false, 0, 0x2000, false, 4));
	assert_int_equal(smmu_fault_request(&faults, &before), 1);
	rig_log_reset(&rig);
	assert_int_equal(smmu_instance_suspend(inst), 0);
	smmu_model_device_reset(d.hw[0]);
	assert_int_equal(smmu_fault_request(&faults, &after), 0);
	assert_int_equal(smmu_instance_revive(inst), 0);
	assert_int_equal(smmu_fault_request(&faults, &after), 0);
	assert_true(smmu_model_page_request(d.hw[0], false, 0, 0x5000, false, 3));
	assert_int_equal(smmu_fault_answer(&faults, &before, SMMU_FAULT_RETRY), -SMMU_ENOENT);
	assert_int_equal(smmu_model_page_response(d.hw[0], 3), -1);
	assert_int_equal(smmu_fault_request(&faults, &after), 1);
	assert_int_equal(after.addr, 0x5000);
	assert_int_equal(smmu_fault_answer(&faults, &after, SMMU_FAULT_RETRY), 0);
	assert_int_equal(smmu_model_page_response(d.hw[0], 3), 2);
	assert_int_equal(rig_log_count(&rig, SMMU_CMD_PRI_RESP), 1);
	finish();
}

/** An SMMU that is left with its tables goes on; what it holds of ours is ended by commands. */
static void test_left(void **state)
{
	uint16_t tag;

	event_late_ns = 20000;
	start(false);
	event_late_ns = 0;
	rig.smmu[0].check.queues_may_go = true;
	smmu_faults_fini(&faults);
	tag = stalls(0x1000);
	assert_int_equal(smmu_instance_hand_over(inst, SMMU_HAND_OVER_TABLES), 0);
	assert_false(waits(tag));
	assert_int_equal(smmu_model_unanswered(rig.model, 0), 0);
	assert_int_equal(smmu_instance_remove(inst), 0);
	smmu_device_fini(&d.dev);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	rig_close(&rig);
}

/* ---- all at the same time ---- */

static bool still, over;
static unsigned answered, handed;

/** Takes events and answers them, late. */
static void server(void *arg)
{
	struct smmu_event event;
	struct smmu_fault fault;

	while (!over) {
		sim_sleep(rig.sim, 1 + smmu_random_below(sim_random(rig.sim), 300));
		if (smmu_instance_event(inst, &event) != 1)
			continue;
		sim_sleep(rig.sim, smmu_random_below(sim_random(rig.sim), 400));
		if (smmu_fault_stalled(&faults, &event, &fault) != 1)
			continue;
		handed++;
		sim_sleep(rig.sim, smmu_random_below(sim_random(rig.sim), 900));
		answered += !smmu_fault_answer(&faults, &fault, SMMU_FAULT_INVALID);
	}
}

static void device(void *arg)
{
	while (!still) {
		struct smmu_dma dma = {.stream = 5, .iova = 0x1000};

		if (smmu_model_unanswered(rig.model, 0) < 12)
			smmu_model_dma(rig.model, &dma);
		sim_sleep(rig.sim, smmu_random_below(sim_random(rig.sim), 300));
	}
}

static void power(void *arg)
{
	for (unsigned i = 0; i < 4; i++) {
		sim_sleep(rig.sim, 1 + smmu_random_below(sim_random(rig.sim), 20000));
		assert_int_equal(smmu_instance_suspend(inst), 0);
		sim_sleep(rig.sim, smmu_random_below(sim_random(rig.sim), 500));
		assert_int_equal(smmu_instance_revive(inst), 0);
	}
	sim_sleep(rig.sim, 10000);
	still = true;
	while (smmu_model_unanswered(rig.model, 0))
		sim_sleep(rig.sim, 1000);
	over = true;
}

static void test_threads(void **state)
{
	unsigned most = 0;

	for (unsigned round = 0; round < 40; round++) {
		start(false);
		for (unsigned i = 0; i < round * 5; i++)
			smmu_random_next(sim_random(rig.sim));
		/* In some rounds who stands still does so for longer than an SMMU takes to go and come back. */
		sim_set_switching(rig.sim, 1, 2, round % 2 ? 3000 : 200000);
		still = over = false;
		answered = handed = 0;
		sim_spawn(rig.sim, server, NULL);
		sim_spawn(rig.sim, device, NULL);
		sim_spawn(rig.sim, power, NULL);
		assert_int_equal(sim_run(rig.sim), 0);
		assert_in_range(answered, 1, handed);
		most = handed > most ? handed : most;
		finish();
	}
	assert_true(most > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stalls),  cmocka_unit_test(test_answer_meanwhile),
		cmocka_unit_test(test_in_hand), cmocka_unit_test(test_requests),
		cmocka_unit_test(test_left),    cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests_name("outage", tests, NULL, NULL);
}

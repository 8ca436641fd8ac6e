/* SPDX-License-Identifier: BSD-2-Clause */
/* Stalled transactions and page requests: handed out, answered once, and ended with what they are attached to. */
#include <smmuv3/fault.h>
#include <smmuv3/reset.h>

#include "rig.h"

static struct rig rig;
static struct rig_device d;
static struct smmu_domain domain, other;
static struct smmu_faults faults;
static struct smmu_instance *inst = &rig.smmu[0].inst;

static void start(unsigned stall_model, bool ats, unsigned ssid_bits)
{
	static uint32_t streams[] = {5, 6, 7};
	struct smmu_model_config c = rig_config();
	struct smmu_device_config cfg = {
		.instance = inst, .streams = streams, .nr_streams = 3, .ssid_bits = ssid_bits};

	c.stall_model = stall_model;
	c.pri = true;
	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, 0);
	rig_domain(&rig, &domain, SMMU_DOMAIN_STAGE1);
	rig_domain(&rig, &other, SMMU_DOMAIN_STAGE1);
	if (ats) {
		rig_device(&rig, &d, 0, 5, 3, true, ssid_bits);
		return;
	}
	d = (struct rig_device){.rig = &rig, .nr = 3, .streams = {5, 6, 7}};
	cfg.stalls = true;
	assert_int_equal(smmu_device_init(&d.dev, &cfg), 0);
}

static void finish(void)
{
	smmu_device_fini(&d.dev);
	smmu_faults_fini(&faults);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	assert_int_equal(smmu_domain_fini(&other), 0);
	rig_close(&rig);
}

/** An access that stalls; its tag. */
static uint16_t stalls(unsigned k, int32_t ssid, uint64_t iova, bool write)
{
	struct smmu_dma dma = {.stream = d.streams[k],
			       .ssid_valid = ssid >= 0,
			       .ssid = ssid >= 0 ? (uint32_t)ssid : 0,
			       .iova = iova,
			       .write = write};
	struct smmu_dma_result r = smmu_model_dma(rig.model, &dma);

	assert_false(r.ok);
	assert_true(r.stalled);
	return r.stag;
}

static void expect_done(uint16_t stag, uint64_t pa)
{
	struct smmu_dma_result r;

	assert_true(smmu_model_stall(rig.model, 0, stag, &r));
	assert_int_equal(r.ok, pa != 0);
	if (pa)
		assert_int_equal(r.pa, pa);
}

static void expect_waiting(uint16_t stag)
{
	struct smmu_dma_result r;

	assert_false(smmu_model_stall(rig.model, 0, stag, &r));
}

/** All that is known, tried again once the page is there, or aborted; each once. */
static void test_stall(void **state)
{
	for (unsigned model = 0; model < 3; model += 2) {
		struct smmu_fault a, b, copy;
		uint16_t first, second;

		start(model, false, 4);
		assert_int_equal(smmu_faults_init(&faults, inst, 0), -SMMU_EINVAL);
		assert_int_equal(smmu_faults_init(&faults, inst, 4), 0);
		assert_int_equal(smmu_faults_init(&faults, inst, 4), -SMMU_EBUSY);
		assert_int_equal(smmu_attach(&d.dev, &domain), 0);
		assert_int_equal(smmu_attach_pasid(&d.dev, 3, &other), 0);
		first = stalls(0, -1, 0x1008, true);
		second = stalls(1, 3, 0x2010, false);
		a = rig_next_stall(&rig, &faults);
		b = rig_next_stall(&rig, &faults);
		assert_true(a.kind == SMMU_FAULT_STALL && a.type == SMMU_F_TRANSLATION);
		assert_true(a.sid == 5 && !a.ssv && a.addr == 0x1008 && a.write && !a.read);
		assert_true(a.tag == first && a.answer && !a.s2 && !a.exec);
		assert_true(b.sid == 6 && b.ssv && b.ssid == 3 && b.addr == 0x2010 && b.read);
		expect_waiting(first);
		expect_waiting(second);
		assert_int_equal(smmu_map(&domain, 0x1000, RIG_PA(1), 0x1000,
					  SMMU_PROT_READ | SMMU_PROT_WRITE, 0),
				 0);
		copy = a;
		assert_int_equal(smmu_fault_answer(&faults, &a, SMMU_FAULT_RETRY), 0);
		expect_done(first, RIG_PA(1) + 8);
		expect_waiting(second);
		assert_int_equal(smmu_fault_answer(&faults, &copy, SMMU_FAULT_INVALID),
				 -SMMU_ENOENT);
		assert_int_equal(smmu_fault_answer(&faults, &b, SMMU_FAULT_INVALID), 0);
		expect_done(second, 0);
		assert_int_equal(smmu_fault_answer(&faults, &b, SMMU_FAULT_RETRY), -SMMU_ENOENT);
		/* Tried again for nothing, it stalls again. */
		first = stalls(0, -1, 0x5000, false);
		a = rig_next_stall(&rig, &faults);
		assert_int_equal(smmu_fault_answer(&faults, &a, SMMU_FAULT_RETRY), 0);
		expect_done(first, 0);
		b = rig_next_stall(&rig, &faults);
		assert_int_equal(b.addr, 0x5000);
		assert_int_equal(smmu_fault_answer(&faults, &a, SMMU_FAULT_INVALID), -SMMU_ENOENT);
		expect_waiting(b.tag);
		/* No answer at all: it goes on waiting. */
		assert_int_equal(smmu_fault_answer(&faults, &b, SMMU_FAULT_FAILURE + 1),
				 -SMMU_EINVAL);
		expect_waiting(b.tag);
		assert_int_equal(smmu_fault_answer(&faults, &b, SMMU_FAULT_FAILURE), 0);
		expect_done(b.tag, 0);
		b.answer = false;
		assert_int_equal(smmu_fault_answer(&faults, &b, SMMU_FAULT_RETRY), -SMMU_EINVAL);
		finish();
	}
}

/** Stage 2 stalls where everything has to; elsewhere nothing does that did not ask for it. */
static void test_who_stalls(void **state)
{
	for (unsigned model = 0; model < 3; model++) {
		struct smmu_domain second;
		struct smmu_dma dma = {.stream = 5, .iova = 0x1000};
		struct smmu_fault f;

		start(model, false, 0);
		assert_int_equal(smmu_faults_init(&faults, inst, 4), 0);
		rig_domain(&rig, &second, SMMU_DOMAIN_STAGE2);
		assert_int_equal(smmu_attach(&d.dev, &domain), 0);
		assert_int_equal(smmu_model_dma(rig.model, &dma).stalled, model != 1);
		if (model != 1) {
			f = rig_next_stall(&rig, &faults);
			assert_int_equal(smmu_fault_answer(&faults, &f, SMMU_FAULT_INVALID), 0);
		}
		assert_int_equal(smmu_attach(&d.dev, &second), 0);
		assert_int_equal(smmu_model_dma(rig.model, &dma).stalled, model == 2);
		if (model == 2) {
			f = rig_next_stall(&rig, &faults);
			assert_true(f.s2);
			assert_int_equal(f.ipa, 0x1000);
			assert_int_equal(
				smmu_map(&second, 0x1000, RIG_PA(3), 0x1000, SMMU_PROT_READ, 0), 0);
			assert_int_equal(smmu_fault_answer(&faults, &f, SMMU_FAULT_RETRY), 0);
			expect_done(f.tag, RIG_PA(3));
		}
		smmu_detach(&d.dev);
		assert_int_equal(smmu_domain_fini(&second), 0);
		finish();
	}
}

/** Nobody answers: whoever takes the event ends it. There is no room: the same. */
static void test_nobody(void **state)
{
	struct smmu_fault a, b, c;
	struct smmu_event event;
	uint16_t tag;

	start(2, false, 0);
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
	tag = stalls(0, -1, 0x1000, false);
	expect_waiting(tag);
	assert_int_equal(smmu_instance_event(inst, &event), 1);
	expect_done(tag, 0);
	assert_int_equal(smmu_faults_init(&faults, inst, 2), 0);
	stalls(0, -1, 0x1000, false);
	stalls(0, -1, 0x2000, false);
	tag = stalls(0, -1, 0x3000, false);
	a = rig_next_stall(&rig, &faults);
	b = rig_next_stall(&rig, &faults);
	assert_int_equal(smmu_instance_event(inst, &event), 1);
	assert_int_equal(smmu_fault_stalled(&faults, &event, &c), 0);
	expect_done(tag, 0);
	expect_waiting(a.tag);
	assert_int_equal(smmu_fault_answer(&faults, &b, SMMU_FAULT_INVALID), 0);
	/* Its place is another's now. */
	tag = stalls(1, -1, 0x4000, false);
	c = rig_next_stall(&rig, &faults);
	assert_int_equal(c.place, b.place);
	assert_int_equal(smmu_fault_answer(&faults, &b, SMMU_FAULT_INVALID), -SMMU_ENOENT);
	expect_waiting(tag);
	/* And at the end all go. */
	smmu_faults_fini(&faults);
	expect_done(tag, 0);
	expect_done(a.tag, 0);
	event.stall = false;
	finish();
}

/** What is attached elsewhere, or nowhere, waits for nothing; what has nothing to do with that waits on. */
static void test_ends(void **state)
{
	for (unsigned how = 0; how < 7; how++) {
		struct smmu_fault own[2], sub;

		start(0, false, 4);
		assert_int_equal(smmu_faults_init(&faults, inst, 8), 0);
		assert_int_equal(smmu_attach(&d.dev, &domain), 0);
		assert_int_equal(smmu_attach_pasid(&d.dev, 3, &other), 0);
		stalls(0, -1, 0x1000, false);
		stalls(2, -1, 0x1000, false);
		stalls(1, 3, 0x1000, false);
		own[0] = rig_next_stall(&rig, &faults);
		own[1] = rig_next_stall(&rig, &faults);
		sub = rig_next_stall(&rig, &faults);
		if (how == 0)
			smmu_detach(&d.dev);
		else if (how == 1)
			assert_int_equal(smmu_attach(&d.dev, &other), 0);
		else if (how == 2)
			smmu_detach_pasid(&d.dev, 3);
		else if (how == 3)
			assert_int_equal(smmu_attach_pasid(&d.dev, 3, &domain), 0);
		else if (how == 4)
			assert_int_equal(smmu_device_reset_prepare(&d.dev), 0);
		else if (how == 5)
			smmu_device_gone(&d.dev);
		else
			smmu_device_fini(&d.dev);
		for (unsigned i = 0; i < 2; i++) {
			if (how == 2 || how == 3) {
				expect_waiting(own[i].tag);
				continue;
			}
			expect_done(own[i].tag, 0);
			assert_int_equal(smmu_fault_answer(&faults, &own[i], SMMU_FAULT_RETRY),
					 -SMMU_ENOENT);
		}
		if (how < 2)
			expect_waiting(sub.tag);
		else
			expect_done(sub.tag, 0);
		finish();
	}
}

/** Page requests: a group is kept together, answered by its last, ended at detach; what there is no room for is asked again. */
static void test_requests(void **state)
{
	static const int resp[] = {
		[SMMU_FAULT_RETRY] = 2, [SMMU_FAULT_INVALID] = 1, [SMMU_FAULT_FAILURE] = 0};
	struct smmu_fault f, g;

	start(1, true, 4);
	assert_int_equal(smmu_faults_init(&faults, inst, 2), 0);
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
	assert_int_equal(smmu_attach_pasid(&d.dev, 3, &other), 0);
	assert_int_equal(smmu_fault_request(&faults, &f), 0);
	for (unsigned a = 0; a < 3; a++) {
		assert_true(smmu_model_page_request(d.hw[1], true, 3, 0x7000, true, (uint16_t)a));
		assert_int_equal(smmu_fault_request(&faults, &f), 1);
		assert_true(f.kind == SMMU_FAULT_PAGE && f.sid == 6 && f.ssv && f.ssid == 3);
		assert_true(f.addr == 0x7000 && f.read && f.write && f.answer && f.tag == a);
		assert_int_equal(smmu_model_page_response(d.hw[1], (uint16_t)a), -1);
		assert_int_equal(smmu_fault_answer(&faults, &f, (enum smmu_fault_answer)a), 0);
		assert_int_equal(smmu_model_page_response(d.hw[1], (uint16_t)a), resp[a]);
		assert_int_equal(smmu_fault_answer(&faults, &f, SMMU_FAULT_RETRY), -SMMU_ENOENT);
	}
	/* One of the device, one of its substream, and one for which there is no room. */
	assert_true(smmu_model_page_request(d.hw[0], false, 0, 0x1000, false, 7));
	assert_true(smmu_model_page_request(d.hw[0], true, 3, 0x2000, false, 8));
	assert_true(smmu_model_page_request(d.hw[0], true, 3, 0x3000, false, 9));
	assert_int_equal(smmu_fault_request(&faults, &f), 1);
	assert_false(f.write);
	assert_int_equal(smmu_fault_request(&faults, &g), 1);
	assert_int_equal(smmu_fault_request(&faults, &g), 0);
	assert_int_equal(smmu_model_page_response(d.hw[0], 9), 2);
	assert_int_equal(faults.turned_away, 1);
	smmu_detach_pasid(&d.dev, 3);
	assert_int_equal(smmu_model_page_response(d.hw[0], 8), 1);
	assert_int_equal(smmu_model_page_response(d.hw[0], 7), -1);
	smmu_detach(&d.dev);
	assert_int_equal(smmu_model_page_response(d.hw[0], 7), 1);
	assert_int_equal(faults.ended, 2);
	assert_int_equal(smmu_fault_answer(&faults, &f, SMMU_FAULT_RETRY), -SMMU_ENOENT);
	finish();
}

/** An SMMU that goes leaves nothing waiting: neither what was handed out nor what nobody has read, nor what has no record. */
static void test_removed(void **state)
{
	for (unsigned full = 0; full < 2; full++) {
		struct smmu_model_config c = rig_config();
		unsigned n = full ? 40 : 12;
		static uint32_t streams[] = {5};
		struct smmu_device_config cfg = {
			.instance = inst, .streams = streams, .nr_streams = 1, .stalls = true};

		c.stall_model = 0;
		c.eventq_bits = full ? 4 : 10;
		c.event_late_ns = 20000;
		rig_open(&rig, &c, 1);
		rig_up(&rig, 0, 0);
		rig_domain(&rig, &domain, SMMU_DOMAIN_STAGE1);
		d = (struct rig_device){.rig = &rig, .nr = 1, .streams = {5}};
		assert_int_equal(smmu_device_init(&d.dev, &cfg), 0);
		assert_int_equal(smmu_attach(&d.dev, &domain), 0);
		for (unsigned i = 0; i < n; i++)
			stalls(0, -1, 0x100000 + i * 0x1000, false);
		assert_int_equal(smmu_model_unanswered(rig.model, 0), n);
		assert_int_equal(smmu_instance_remove(inst), 0);
		assert_int_equal(smmu_model_unanswered(rig.model, 0), 0);
		smmu_device_fini(&d.dev);
		assert_int_equal(smmu_domain_fini(&domain), 0);
		rig_close(&rig);
	}
}

/** What has stalled, and whose record was lost, ends with what it is attached to, or with a reset; nothing else is touched. */
static void test_lost(void **state)
{
	for (unsigned how = 0; how < 4; how++) {
		struct smmu_event event;
		uint16_t lost;

		start(0, false, 4);
		assert_int_equal(smmu_faults_init(&faults, inst, 4), 0);
		assert_int_equal(smmu_attach(&d.dev, &domain), 0);
		assert_int_equal(smmu_attach_pasid(&d.dev, 3, &other), 0);
		smmu_model_inject(rig.model, SMMU_FAULT_EVENT_ABORT, how != 3);
		lost = stalls(1, -1, 0x1000, false);
		smmu_model_inject(rig.model, SMMU_FAULT_EVENT_ABORT, 0);
		smmu_instance_gerror(inst);
		if (how != 3)
			assert_int_equal(smmu_instance_event(inst, &event), 0);
		rig_log_reset(&rig);
		/* As long as something is attached, new ones may stall. */
		if (how != 1) {
			smmu_detach(&d.dev);
			assert_int_equal(rig_log_count(&rig, SMMU_CMD_STALL_TERM), 0);
			expect_waiting(lost);
		}
		if (how == 0)
			smmu_detach_pasid(&d.dev, 3);
		else if (how == 1)
			assert_int_equal(smmu_device_reset_prepare(&d.dev), 0);
		else
			smmu_device_fini(&d.dev);
		if (how == 3) {
			/* It was not lost: whoever reads it answers it. */
			assert_int_equal(rig_log_count(&rig, SMMU_CMD_STALL_TERM), 0);
			expect_waiting(lost);
		} else {
			assert_int_equal(rig_log_count(&rig, SMMU_CMD_STALL_TERM), 3);
			expect_done(lost, 0);
		}
		finish();
	}
}

/* ---- answers at the same time ---- */

static struct smmu_fault shared;
static unsigned answered;

static void answer(void *arg)
{
	int error;

	sim_sleep(rig.sim, smmu_random_below(sim_random(rig.sim), 2000));
	error = smmu_fault_answer(&faults, &shared, SMMU_FAULT_RETRY);
	CHECK(error == 0 || error == -SMMU_ENOENT);
	answered += !error;
}

static void leave(void *arg)
{
	sim_sleep(rig.sim, smmu_random_below(sim_random(rig.sim), 2000));
	smmu_detach(&d.dev);
}

static void test_once(void **state)
{
	for (unsigned round = 0; round < 30; round++) {
		start(0, false, 0);
		assert_int_equal(smmu_faults_init(&faults, inst, 8), 0);
		assert_int_equal(smmu_attach(&d.dev, &domain), 0);
		stalls(0, -1, 0x1000, false);
		shared = rig_next_stall(&rig, &faults);
		for (unsigned i = 0; i < round * 5; i++)
			smmu_random_next(sim_random(rig.sim));
		sim_set_switching(rig.sim, 1, 2, 3000);
		rig_log_reset(&rig);
		answered = 0;
		for (unsigned i = 0; i < 3; i++)
			sim_spawn(rig.sim, answer, NULL);
		sim_spawn(rig.sim, leave, NULL);
		assert_int_equal(sim_run(rig.sim), 0);
		assert_in_range(answered, 0, 1);
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_RESUME), 1);
		assert_int_equal(faults.ended + answered, 1);
		finish();
	}
}

static bool taken_out;

/** Whoever leaves a read section after a fault was taken out is held up. */
static void hold_up(const void *p)
{
	if (p != &faults.used)
		return;
	taken_out = true;
	sim_set_cost(rig.sim, SIM_POINT_RCU, 50000000);
}

static void start_over(void *arg)
{
	uint16_t *tag = arg;

	while (!taken_out)
		sim_sleep(rig.sim, 100);
	sim_sleep(rig.sim, 10000);
	sim_set_cost(rig.sim, SIM_POINT_RCU, 2);
	CHECK(smmu_instance_suspend(inst) == 0);
	CHECK(smmu_instance_revive(inst) == 0);
	*tag = stalls(0, -1, 0x1000, false);
}

/** A suspend between the moment at which a fault is taken out to be answered and its answer: this is none to what has its tag next. */
static void test_answer_and_suspend(void **state)
{
	uint16_t before, tag = 1;

	start(0, false, 0);
	assert_int_equal(smmu_faults_init(&faults, inst, 8), 0);
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
	before = stalls(0, -1, 0x1000, false);
	shared = rig_next_stall(&rig, &faults);
	answered = 0;
	taken_out = false;
	rig_store_hook = hold_up;
	sim_spawn(rig.sim, answer, NULL);
	sim_spawn(rig.sim, start_over, &tag);
	assert_int_equal(sim_run(rig.sim), 0);
	rig_store_hook = NULL;
	assert_int_equal(answered, 1);
	assert_int_equal(tag, before);
	expect_waiting(tag);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stall),
		cmocka_unit_test(test_who_stalls),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_answer_and_suspend),
		cmocka_unit_test(test_removed),
		cmocka_unit_test(test_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

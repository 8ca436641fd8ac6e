/* SPDX-License-Identifier: BSD-2-Clause */
/* Page requests in groups, in more than the PRI queue holds, and without end. */
#define _GNU_SOURCE
#include <smmuv3/fault.h>
#include <smmuv3/reset.h>

#include "../../src/driver/driver.h"
#include "../queue/steps.h"
#include "guest.h"
#include "rig.h"

static struct rig rig;
static struct rig_device d[2];
static struct smmu_domain domain;
static struct smmu_faults faults;
static struct smmu_instance *inst = &rig.smmu[0].inst;
static struct smmu_fault fault;

/** Requests that the queue holds. */
#define QUEUE 8u

static void start(uint32_t room)
{
	struct smmu_model_config c = rig_config();

	c.pri = true;
	c.priq_bits = 3;
	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, 0);
	rig_domain(&rig, &domain, SMMU_DOMAIN_STAGE1);
	for (unsigned i = 0; i < 2; i++) {
		/* Streams whose numbers share a chain. */
		rig_device(&rig, &d[i], 0, 5 + i * 4 * room, 1, true, 4);
		assert_int_equal(smmu_attach(&d[i].dev, &domain), 0);
	}
	assert_int_equal(smmu_faults_init(&faults, inst, room), 0);
}

static void finish(void)
{
	for (unsigned i = 0; i < 2; i++)
		smmu_device_fini(&d[i].dev);
	smmu_faults_fini(&faults);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	rig_close(&rig);
}

/** @p n requests of a group, the last of them the last if @p whole. True: that was taken. */
static bool ask(unsigned i, uint16_t group, unsigned n, bool whole)
{
	bool ok = true;

	while (n--) {
		uint64_t page = 0x100000 + n * 0x1000;

		if (n || !whole)
			ok = smmu_model_page_request_part(d[i].hw[0], true, 3, page, false, group);
		else
			ok = smmu_model_page_request(d[i].hw[0], true, 3, page, true, group);
	}
	return ok;
}

static int told(unsigned i, uint16_t group)
{
	return smmu_model_page_response(d[i].hw[0], group);
}

/** The next request is of that group; @p last: the last of it. */
static void next(unsigned i, uint16_t group, bool last)
{
	assert_int_equal(smmu_fault_request(&faults, &fault), 1);
	assert_int_equal(fault.sid, d[i].streams[0]);
	assert_int_equal(fault.tag, group);
	assert_int_equal(fault.answer, last);
	assert_true(fault.ssv && fault.ssid == 3);
}

static void none(void)
{
	assert_int_equal(smmu_fault_request(&faults, &fault), 0);
}

/** Each request of a group is handed out, in order; one answer, to the last, is one to all. */
static void test_groups(void **state)
{
	struct smmu_fault first, last;

	start(4);
	assert_true(ask(0, 1, 3, true));
	assert_true(ask(1, 1, 1, false));
	assert_true(ask(0, 2, 1, true));
	assert_true(ask(1, 1, 1, true));
	next(0, 1, false);
	assert_int_equal(fault.addr, 0x102000);
	assert_true(fault.read && !fault.write);
	first = fault;
	next(0, 1, false);
	assert_int_equal(fault.addr, 0x101000);
	next(0, 1, true);
	assert_true(fault.addr == 0x100000 && fault.write);
	last = fault;
	/* Those of others may come between. */
	next(1, 1, false);
	next(0, 2, true);
	next(1, 1, true);
	none();
	assert_int_equal(faults.used, 3);
	assert_int_equal(smmu_fault_answer(&faults, &first, SMMU_FAULT_RETRY), -SMMU_EINVAL);
	assert_int_equal(told(0, 1), -1);
	rig_log_reset(&rig);
	assert_int_equal(smmu_fault_answer(&faults, &last, SMMU_FAULT_RETRY), 0);
	assert_int_equal(smmu_fault_answer(&faults, &last, SMMU_FAULT_RETRY), -SMMU_ENOENT);
	assert_int_equal(rig_log_count(&rig, SMMU_CMD_PRI_RESP), 1);
	assert_int_equal(told(0, 1), 2);
	assert_int_equal(told(1, 1), -1);
	assert_int_equal(told(0, 2), -1);
	finish();
	assert_int_equal(faults.ended, 2);
}

/** An overflow cuts groups; what is left of them is handed to nobody, and whole ones are. */
/** A device leaves a guest, by an STE of the guest or by the host: what it had asked for under any of the guest's substreams ends. */
static void test_of_a_guest(void **state)
{
	static struct smmu_domain nested[2];
	static struct guest_vm m;
	struct smmu_fault asked;
	struct smmu_ste to;

	start(4);
	guest_vm_up(&rig, &m, 40, true);
	to = guest_ste(&m.guest, true);
	to.w[0] |= smmu_field_prep(SMMU_STE_W0_S1CDMAX, 6);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(smmu_nested_init(&nested[i], &m.v, &to, NULL), 0);
	for (uint16_t i = 0; i < 3; i++) {
		assert_int_equal(smmu_attach(&m.d[0].dev, &nested[0]), 0);
		assert_true(smmu_model_page_request(m.d[0].hw[0], true, 3, 0x1000, false, i));
		assert_int_equal(smmu_fault_request(&faults, &asked), 1);
		assert_true(asked.answer && asked.ssv && asked.ssid == 3);
		if (i < 2)
			assert_int_equal(smmu_attach(&m.d[0].dev, i ? &m.nested : &nested[1]), 0);
		else
			smmu_detach(&m.d[0].dev);
		assert_int_equal(smmu_model_page_response(m.d[0].hw[0], i), 1);
		assert_int_equal(smmu_fault_answer(&faults, &asked, SMMU_FAULT_RETRY),
				 -SMMU_ENOENT);
	}
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(smmu_domain_fini(&nested[i]), 0);
	guest_vm_down(&m);
	finish();
	assert_int_equal(faults.ended, 3);
}

static void test_overflow(void **state)
{
	struct smmu_model_counters count;

	start(8);
	assert_true(ask(0, 1, 2, true));
	assert_true(ask(1, 2, 3, false));
	assert_true(ask(0, 3, 1, true));
	assert_true(ask(1, 4, 2, false));
	/* The queue is full: the SMMU answers the last of each itself, with success. */
	assert_false(ask(1, 2, 1, true));
	assert_int_equal(told(1, 2), 2);
	assert_false(ask(1, 4, 1, true));
	assert_false(ask(0, 5, 1, true));
	next(0, 1, false);
	/* As long as the overflow is not acknowledged, nothing is written. */
	assert_false(ask(0, 6, 1, true));
	next(0, 1, true);
	assert_int_equal(smmu_fault_answer(&faults, &fault, SMMU_FAULT_RETRY), 0);
	next(0, 3, true);
	assert_int_equal(smmu_fault_answer(&faults, &fault, SMMU_FAULT_INVALID), 0);
	none();
	assert_int_equal(inst->pri_overflows, 1);
	assert_int_equal(told(0, 1), 2);
	assert_int_equal(told(0, 3), 1);
	/* Their numbers are used again, for groups that have nothing to do with those. */
	assert_true(ask(1, 2, 2, true));
	next(1, 2, false);
	next(1, 2, true);
	assert_int_equal(smmu_fault_answer(&faults, &fault, SMMU_FAULT_RETRY), 0);
	none();
	smmu_model_counters(rig.model, 0, &count);
	assert_int_equal(count.stray_answers, 0);
	assert_int_equal(smmu_model_unanswered(rig.model, 0), 0);
	finish();
}

/** One stream has its share, and another has places beside it, whatever the first asks for. */
static void test_share(void **state)
{
	struct smmu_fault kept[2];

	start(4);
	smmu_faults_limit(&faults, 2);
	for (uint16_t g = 0; g < 4; g++)
		assert_true(ask(0, g, 1, true));
	assert_true(ask(1, 0, 1, true));
	assert_true(ask(1, 1, 1, true));
	next(0, 0, true);
	kept[0] = fault;
	next(0, 1, true);
	kept[1] = fault;
	/* What is beyond the share is refused: the device does not ask again. */
	next(1, 0, true);
	assert_int_equal(told(0, 2), 1);
	assert_int_equal(told(0, 3), 1);
	next(1, 1, true);
	none();
	assert_int_equal(faults.refused, 2);
	assert_int_equal(faults.turned_away, 0);
	/* What was answered counts no more. */
	assert_int_equal(smmu_fault_answer(&faults, &kept[1], SMMU_FAULT_RETRY), 0);
	assert_true(ask(0, 7, 1, true));
	assert_true(ask(0, 8, 1, true));
	next(0, 7, true);
	none();
	assert_int_equal(told(0, 8), 1);
	assert_int_equal(smmu_fault_answer(&faults, &kept[0], SMMU_FAULT_RETRY), 0);
	/* Nor when it was ended. */
	assert_int_equal(smmu_device_reset_prepare(&d[1].dev), 0);
	assert_int_equal(faults.used, 1);
	smmu_faults_limit(&faults, 0);
	for (uint16_t g = 10; g < 14; g++)
		assert_true(ask(0, g, 1, true));
	for (uint16_t g = 10; g < 13; g++)
		next(0, g, true);
	none();
	assert_int_equal(faults.turned_away, 1);
	assert_int_equal(told(0, 13), 2);
	finish();
}

/** Whoever takes requests is not held up by a device that asks without end. */
static void test_flood(void **state)
{
	unsigned calls = 0, asked = 0, rounds;

	start(1);
	assert_true(ask(1, 0, 1, true));
	next(1, 0, true);
	/* There is no room for any of them, and each that is answered with success is sent again. */
	for (uint16_t g = 0; g < QUEUE; g++)
		assert_true(ask(0, g, 1, true));
	for (rounds = 0; rounds < 5; rounds++) {
		int rc = smmu_fault_request(&faults, &fault);

		calls++;
		assert_int_equal(rc, -SMMU_EAGAIN);
		for (uint16_t g = 0; g < QUEUE; g++) {
			assert_int_equal(told(0, g), 2);
			asked += ask(0, g, 1, true);
		}
	}
	assert_int_equal(asked, 5 * QUEUE);
	assert_int_equal(faults.turned_away, calls * QUEUE);
	assert_int_equal(smmu_fault_request(&faults, &fault), -SMMU_EAGAIN);
	none();
	finish();
}

/* ---- how long the lock of what waits is held ---- */

#define MANY 4096u

/** Numbers of streams that share much, from below and from above. */
static uint32_t number(struct smmu_random *random, unsigned kind)
{
	uint32_t n = (uint32_t)smmu_random_below(random, 24);

	return kind == 0 ? n : kind == 1 ? n * MANY : kind == 2 ? 1u << n : ~n << 8;
}

/** As many places as were taken and not given back, whatever came and went. */
static void test_shares(void **state)
{
	static struct smmu_fault_share node[24];
	struct smmu_random random;

	smmu_random_seed(&random, 1);
	for (unsigned kind = 0; kind < 4; kind++) {
		struct smmu_fault_shares s;
		uint32_t held[24], n = 0;

		smmu_shares_init(&s, node, 24);
		for (unsigned round = 0; round < 20000; round++) {
			uint32_t sid = number(&random, kind), places = 0;

			for (uint32_t i = 0; i < n; i++)
				places += held[i] == sid;
			assert_int_equal(smmu_shares_of(&s, sid), places);
			if (n < 24 && smmu_random_chance(&random, 1, 2)) {
				smmu_shares_take(&s, sid);
				held[n++] = sid;
			} else if (n) {
				uint32_t i = (uint32_t)smmu_random_below(&random, n);

				smmu_shares_give(&s, held[i]);
				held[i] = held[--n];
			}
		}
		while (n)
			smmu_shares_give(&s, held[--n]);
		assert_int_equal(s.root, 0);
	}
}

#ifdef STEPS
/** An event that says that stream @p sid has stalled, with nothing behind it. */
static int stalled(uint32_t sid)
{
	const struct smmu_event event = {
		.type = SMMU_F_TRANSLATION, .stall = true, .sid = sid, .stag = (uint16_t)sid};

	return smmu_fault_stalled(&faults, &event, &fault);
}

/** Neither what waits, nor whose it is, makes it longer: all of one remainder, one after the other, or of many streams. */
static void test_short(void **state)
{
	uint64_t one = 0, most = 0;

	start(1);
	smmu_faults_fini(&faults);
	assert_int_equal(smmu_faults_init(&faults, inst, MANY), 0);
	smmu_faults_limit(&faults, MANY - 1);
	assert_int_equal(steps_init(), 0);
	for (uint32_t i = 0; i < MANY - 1; i++) {
		uint32_t sid = i % 3 ? i * MANY : i;
		uint64_t n = one;

		/* Each step costs a signal. */
		if (i % 128 == 0 || i + 1 == MANY - 1) {
			steps_begin();
			stalled(sid);
			n = steps_end();
		} else {
			stalled(sid);
		}
		assert_int_equal(fault.sid, sid);
		assert_true(fault.serial != 0);
		one = one ? one : n;
		most = smmu_max64(most, n);
	}
	print_message("instructions to let a fault wait: the first %llu, the longest %llu\n",
		      (unsigned long long)one, (unsigned long long)most);
	/* Two ways of 33 nodes, and nothing else. */
	assert_in_range(most, one, one + 2 * 33 * 12);
	/* Nothing of it is known to the SMMU. */
	faults.used = 0;
	finish();
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_of_a_guest), cmocka_unit_test(test_groups),
		cmocka_unit_test(test_overflow),   cmocka_unit_test(test_share),
		cmocka_unit_test(test_flood),      cmocka_unit_test(test_shares),
#ifdef STEPS
		cmocka_unit_test(test_short),
#endif
	};

	return cmocka_run_group_tests_name("requests", tests, NULL, NULL);
}

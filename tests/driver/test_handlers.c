/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt handlers: in every state of an instance, aborted queue writes, overflows of the PRI queue. */
#include "rig.h"

static struct rig rig;
static struct smmu_instance *const inst = &rig.smmu[0].inst;

static void serve_all(void)
{
	struct smmu_event event;
	struct smmu_pri pri;

	assert_int_equal(smmu_instance_gerror(inst), 0);
	assert_int_equal(smmu_instance_event(inst, &event), 0);
	assert_int_equal(smmu_instance_page_request(inst, &pri), 0);
}

static unsigned accesses;

static void count(struct rig_smmu *s, bool write, uint32_t offset)
{
	accesses++;
}

static uint32_t all_errors(struct rig_smmu *s, uint32_t offset, uint32_t value)
{
	return offset == SMMU_GERROR ? 0x3fd : value;
}

/** Zeroed, probed, with errors that firmware left, after a failed enable, removed, forgotten: no access, no crash. */
static void test_every_state(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_instance_config cfg;
	struct rig_device d;
	struct smmu_event event;

	rig_open(&rig, &c, 1);
	rig.on_access = count;
	accesses = 0;
	memset(inst, 0, sizeof(*inst));
	serve_all();
	assert_int_equal(accesses, 0);
	cfg = rig_instance_config(&rig, 0, 0);
	assert_int_equal(smmu_instance_probe(inst, &cfg), 0);
	accesses = 0;
	rig.smmu[0].patch_read = all_errors;
	serve_all();
	assert_int_equal(accesses, 0);
	rig.smmu[0].patch_read = NULL;
	smmu_heap_fail(&rig.heap, 3, 0);
	assert_int_equal(smmu_instance_enable(inst), -SMMU_ENOMEM);
	accesses = 0;
	serve_all();
	assert_int_equal(accesses, 0);
	assert_int_equal(smmu_instance_enable(inst), 0);
	serve_all();
	/* An event is left unread. */
	rig_device(&rig, &d, 0, 5, 1, false, 0);
	{
		struct smmu_dma dma = {.stream = 600};

		assert_false(smmu_model_dma(rig.model, &dma).ok);
	}
	assert_int_equal(smmu_instance_remove(inst), 0);
	accesses = 0;
	serve_all();
	assert_int_equal(accesses, 0);
	assert_int_equal(smmu_instance_enable(inst), 0);
	assert_int_equal(smmu_instance_event(inst, &event), 0);
	rig_close(&rig);
}

static void handler(void *arg)
{
	struct smmu_event event;
	struct smmu_pri pri;

	for (unsigned i = 0; i < 20; i++) {
		smmu_instance_gerror(inst);
		smmu_instance_event(inst, &event);
		smmu_instance_page_request(inst, &pri);
	}
}

static unsigned head_start; /* of the other one, in scheduling points */
static bool in_handler, dawdling, freed_under_handler;

static void remover(void *arg)
{
	for (unsigned i = 0; i < head_start; i++)
		sim_point();
	assert_int_equal(smmu_instance_remove(inst), 0);
}

static void remover_of_busy(void *arg)
{
	while (!dawdling)
		sim_point();
	assert_int_equal(smmu_instance_remove(inst), 0);
}

/** A handler on one processor while another removes the instance: no access to what was freed (the heap would tell). */
static void test_against_remove(void **state)
{
	for (head_start = 0; head_start < 60; head_start++) {
		struct smmu_model_config c = rig_config();
		struct smmu_dma dma = {.stream = 600};

		rig_open(&rig, &c, 1);
		rig_up(&rig, 0, 0);
		for (unsigned i = 0; i < 9; i++)
			assert_false(smmu_model_dma(rig.model, &dma).ok);
		sim_spawn(rig.sim, handler, NULL);
		sim_spawn(rig.sim, remover, NULL);
		assert_int_equal(sim_run(rig.sim), 0);
		rig_close(&rig);
	}
}

/** The handler loses its processor just before it looks at the queue, for longer than remove takes. */
static void dawdle(struct rig_smmu *s, bool write, uint32_t offset)
{
	if (!in_handler || offset != SMMU_EVENTQ_PROD)
		return;
	in_handler = false;
	dawdling = true;
	for (unsigned i = 0; i < 20000 && smmu_heap_live(&rig.heap); i++)
		sim_point();
	freed_under_handler = !smmu_heap_live(&rig.heap);
}

static void slow_handler(void *arg)
{
	struct smmu_event event;

	in_handler = true;
	smmu_instance_event(inst, &event);
	in_handler = false;
}

static void test_remove_waits(void **state)
{
	struct smmu_model_config c = rig_config();

	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, 0);
	rig.on_access = dawdle;
	in_handler = dawdling = freed_under_handler = false;
	sim_spawn(rig.sim, slow_handler, NULL);
	sim_spawn(rig.sim, remover_of_busy, NULL);
	assert_int_equal(sim_run(rig.sim), 0);
	assert_false(freed_under_handler);
	rig_close(&rig);
}

/* ---- a queue whose registers and records are ours to write ---- */

static uint32_t prod[2], cons[2]; /* EVENTQ, PRIQ */
static uint32_t gerror, gerrorn;
static unsigned acknowledged;
static unsigned strike; /* a command queue error comes just before the n-th look at GERROR */

static uint32_t queue_read(struct rig_smmu *s, uint32_t offset, uint32_t value)
{
	switch (offset) {
	case SMMU_EVENTQ_PROD:
		return prod[0];
	case SMMU_PRIQ_PROD:
		return prod[1];
	case SMMU_GERROR:
		if (strike && !--strike)
			gerror ^= (uint32_t)SMMU_GERROR_CMDQ_ERR;
		return gerror;
	case SMMU_GERRORN:
		return gerrorn;
	default:
		return value;
	}
}

static void queue_write(struct rig_smmu *s, uint32_t offset, uint64_t value)
{
	if (offset == SMMU_EVENTQ_CONS)
		cons[0] = (uint32_t)value;
	if (offset == SMMU_PRIQ_CONS)
		cons[1] = (uint32_t)value;
	if (offset == SMMU_GERRORN) {
		gerrorn = (uint32_t)value;
		acknowledged++;
	}
}

static void open_queues(void)
{
	struct smmu_model_config c = rig_config();
	struct smmu_instance_config cfg;

	c.strict = 0;
	rig_open(&rig, &c, 1);
	cfg = rig_instance_config(&rig, 0, 0);
	cfg.priq_log2 = 3;
	cfg.evtq_log2 = 3;
	assert_int_equal(smmu_instance_probe(inst, &cfg), 0);
	assert_int_equal(smmu_instance_enable(inst), 0);
	memset(prod, 0, sizeof(prod));
	memset(cons, 0, sizeof(cons));
	gerror = gerrorn = 0;
	acknowledged = 0;
	rig.smmu[0].patch_read = queue_read;
	rig.smmu[0].patch_write = queue_write;
}

static void close_queues(void)
{
	rig.smmu[0].patch_read = NULL;
	rig.smmu[0].patch_write = NULL;
	assert_int_equal(smmu_instance_remove(inst), 0);
	sim_rcu_drain(&rig.posix.rcu);
	assert_int_equal(smmu_heap_live(&rig.heap), 0);
	rig_abandon(&rig);
}

static void request(uint16_t group, uint32_t ssid, bool last)
{
	struct smmu_pri pri = {.sid = 5,
			       .ssid = ssid,
			       .ssv = ssid != 0,
			       .prgindex = group,
			       .addr = 0x1000,
			       .last = last,
			       .read = true};
	struct smmu_pri_record r;

	smmu_pri_encode(&pri, &r);
	memcpy(&inst->priq.ring[(prod[1] & 7) * 2], r.w, 16);
	prod[1] = (prod[1] & (uint32_t)SMMU_QUEUE_OVERFLOW) | ((prod[1] + 1) & 15);
}

static void expect(uint16_t group, bool last)
{
	struct smmu_pri pri;

	assert_int_equal(smmu_instance_page_request(inst, &pri), 1);
	assert_int_equal(pri.prgindex, group);
	assert_int_equal(pri.last, last);
}

static void expect_none(void)
{
	struct smmu_pri pri;

	assert_int_equal(smmu_instance_page_request(inst, &pri), 0);
	assert_int_equal((cons[1] ^ prod[1]) & ((uint32_t)SMMU_QUEUE_OVERFLOW | 15), 0);
}

/** Groups that an overflow has cut are dropped, whole ones are not, and it is acknowledged once, with the last record. */
static void test_pri_overflow(void **state)
{
	open_queues();
	/* Without an overflow a group may come in pieces. */
	request(1, 0, false);
	expect(1, false);
	expect_none();
	request(1, 0, true);
	expect(1, true);
	expect_none();
	assert_int_equal(inst->pri_overflows, 0);
	/* 2 is whole, 3 cut, 4 of two substreams of which one is whole. */
	request(2, 0, false);
	request(3, 0, false);
	request(4, 7, false);
	request(4, 8, false);
	request(2, 0, true);
	request(4, 8, true);
	request(3, 7, true);
	request(3, 0, false);
	prod[1] ^= (uint32_t)SMMU_QUEUE_OVERFLOW;
	expect(2, false);
	expect(4, false);
	expect(2, true);
	expect(4, true);
	assert_int_equal(cons[1] & SMMU_QUEUE_OVERFLOW, 0);
	assert_int_equal(inst->pri_overflows, 0);
	expect(3, true);
	expect_none();
	assert_int_equal(inst->pri_overflows, 1);
	/* The index is used again, for another group. */
	request(3, 0, true);
	expect(3, true);
	expect_none();
	/* The next overflow, with nothing in the queue but its last record. */
	request(5, 0, true);
	prod[1] ^= (uint32_t)SMMU_QUEUE_OVERFLOW;
	expect(5, true);
	assert_int_equal(inst->pri_overflows, 2);
	expect_none();
	close_queues();
}

static void event(uint32_t addr)
{
	uint64_t *slot = &inst->evtq.ring[(prod[0] & 7) * 4];

	slot[0] = 0x10 | 5ull << 32;
	slot[2] = addr;
	prod[0] = (prod[0] + 1) & 15;
}

static void expect_event(uint32_t addr)
{
	struct smmu_event e;

	assert_int_equal(smmu_instance_event(inst, &e), 1);
	assert_int_equal(e.addr, addr);
}

/**
 * After an abort what is in the queue counts for nothing (7.2.2), whether the event handler or that of global errors comes
 * first; what comes after the acknowledge does.
 */
static void test_aborted_events(void **state)
{
	struct smmu_event e;

	for (unsigned first = 0; first < 3; first++) {
		open_queues();
		event(0x1000);
		expect_event(0x1000);
		event(0x2000);
		event(0x3000);
		if (first == 2)
			expect_event(0x2000);
		event(0xdead000);
		gerror ^= (uint32_t)SMMU_GERROR_EVENTQ_ABT_ERR;
		if (first)
			assert_int_equal(smmu_instance_gerror(inst), SMMU_GERROR_EVENTQ_ABT_ERR);
		assert_int_equal(smmu_instance_event(inst, &e), 0);
		assert_int_equal(acknowledged, 1);
		assert_int_equal(cons[0] & 15, prod[0] & 15);
		assert_true(smmu_posix_logged(&rig.posix, "event queue write aborted"));
		event(0x4000);
		expect_event(0x4000);
		close_queues();
	}
}

/** A command queue error that comes between is not acknowledged with the others: the queue mends it first. */
static void test_error_between(void **state)
{
	open_queues();
	gerror ^= (uint32_t)SMMU_GERROR_EVENTQ_ABT_ERR;
	strike = 2;
	assert_int_equal(smmu_instance_gerror(inst), SMMU_GERROR_EVENTQ_ABT_ERR);
	assert_int_equal(gerror ^ gerrorn, SMMU_GERROR_CMDQ_ERR);
	gerror = gerrorn;
	close_queues();
}

static void test_aborted_requests(void **state)
{
	open_queues();
	request(1, 0, true);
	gerror ^= (uint32_t)SMMU_GERROR_PRIQ_ABT_ERR;
	expect_none();
	assert_int_equal(acknowledged, 1);
	request(2, 0, true);
	expect(2, true);
	close_queues();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_state),      cmocka_unit_test(test_against_remove),
		cmocka_unit_test(test_remove_waits),     cmocka_unit_test(test_pri_overflow),
		cmocka_unit_test(test_aborted_events),   cmocka_unit_test(test_error_between),
		cmocka_unit_test(test_aborted_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

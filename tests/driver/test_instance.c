/* SPDX-License-Identifier: BSD-2-Clause */
/* Bringing an SMMU up and taking it away: protocol, memory, failures, errors and events. */
#include "rig.h"

static struct rig rig;

static void expect_no_misuse(unsigned i)
{
	if (smmu_model_misuse_count(rig.model, i))
		fail_msg("%s", smmu_model_misuse(rig.model, i, 0));
}

/** All kinds of parts come up, go away and come up again, and take exactly the memory that was said. */
static void test_up_down(void **state)
{
	for (unsigned variant = 0; variant < 32; variant++) {
		struct smmu_model_config c = rig_config();
		struct smmu_instance_config cfg;
		struct smmu_instance *inst;
		size_t dma, plain;

		c.two_level_st = variant & 1;
		c.sid_bits = variant & 2 ? 6 : 12;
		c.pri = variant & 4;
		c.msi = variant & 8;
		c.coherent = variant & 16;
		c.asid16 = variant & 4;
		c.vmid16 = variant & 8;
		c.hyp = variant & 2;
		c.ats = variant & 1;
		rig_open(&rig, &c, 1);
		cfg = rig_instance_config(&rig, 0, 0);
		inst = &rig.smmu[0].inst;
		for (unsigned round = 0; round < 3; round++) {
			assert_int_equal(smmu_instance_probe(inst, &cfg), 0);
			smmu_instance_memory(inst, &dma, &plain);
			assert_int_equal(smmu_instance_enable(inst), 0);
			assert_int_equal(rig.heap.dma_bytes, dma);
			assert_int_equal(rig.heap.cpu_bytes, plain);
			assert_int_equal(smmu_instance_enable(inst), -SMMU_EBUSY);
			assert_int_equal(inst->cmdq.msi != NULL, c.msi && c.coherent);
			expect_no_misuse(0);
			smmu_instance_remove(inst);
			assert_int_equal(smmu_heap_live(&rig.heap), 0);
			smmu_instance_remove(inst);
		}
		rig_close(&rig);
	}
}

/** A device takes exactly the memory that was said, second-level tables that are there already not counted. */
static void test_device_memory(void **state)
{
	static const uint32_t streams[] = {0x101, 0x102, 0x305, 0x3ff};

	for (unsigned variant = 0; variant < 16; variant++) {
		struct smmu_model_config c = rig_config();
		struct smmu_device_config cfg = {.streams = streams, .nr_streams = 4};
		struct smmu_device dev;
		uint64_t dma_before, plain_before;
		size_t dma, plain;

		c.two_level_st = variant & 1;
		c.sid_bits = 12;
		c.ssid_bits = 14;
		cfg.ssid_bits = (uint8_t[]){0, 1, 10, 12}[variant / 4];
		rig_open(&rig, &c, 1);
		rig_up(&rig, 0, 0);
		cfg.instance = &rig.smmu[0].inst;
		for (unsigned round = 0; round < 2; round++) {
			smmu_device_memory(&cfg, &dma, &plain);
			dma_before = rig.heap.dma_bytes;
			plain_before = rig.heap.cpu_bytes;
			assert_int_equal(smmu_device_init(&dev, &cfg), 0);
			assert_int_equal(rig.heap.dma_bytes - dma_before, dma);
			assert_int_equal(rig.heap.cpu_bytes - plain_before, plain);
			/* Two tables of 256 STEs the first time only. */
			if (variant & 1 && !round)
				assert_true(dma >= 2 * 256 * 64);
			smmu_device_fini(&dev);
		}
		rig_close(&rig);
	}
}

/** The first commands: configuration and translations at once, waited for, before SMMUEN. */
static void test_first_commands(void **state)
{
	struct smmu_model_config c = rig_config();

	c.hyp = false;
	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, 0);
	assert_string_equal(rig_log(&rig), "CFGI_STE_RANGE TLBI_NSNH_ALL SYNC");
	rig_close(&rig);
	c.hyp = true;
	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, 0);
	assert_string_equal(rig_log(&rig), "CFGI_STE_RANGE TLBI_EL2_ALL TLBI_NSNH_ALL SYNC");
	rig_close(&rig);
	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, SMMU_QUIRK_TWICE);
	assert_string_equal(rig_log(&rig), "CFGI_STE_RANGE TLBI_EL2_ALL TLBI_NSNH_ALL SYNC "
					   "CFGI_STE_RANGE TLBI_EL2_ALL TLBI_NSNH_ALL SYNC");
	rig_close(&rig);
}

static void test_no_memory(void **state)
{
	struct smmu_model_config c = rig_config();

	for (unsigned nth = 1;; nth++) {
		struct smmu_instance_config cfg;
		int error;

		rig_open(&rig, &c, 1);
		cfg = rig_instance_config(&rig, 0, 0);
		assert_int_equal(smmu_instance_probe(&rig.smmu[0].inst, &cfg), 0);
		smmu_heap_fail(&rig.heap, nth, 0);
		error = smmu_instance_enable(&rig.smmu[0].inst);
		if (!error) {
			/* Two for the command queue, MSIs, events, PRI, stream table (2), ids (2). */
			assert_int_equal(nth, 10);
			smmu_heap_fail(&rig.heap, 0, 0);
			rig_close(&rig);
			return;
		}
		assert_int_equal(error, -SMMU_ENOMEM);
		assert_int_equal(smmu_heap_live(&rig.heap), 0);
		assert_int_equal(smmu_instance_enable(&rig.smmu[0].inst), 0);
		rig_close(&rig);
	}
}

/** Each register that is waited for stays as it is: a time-out, nothing kept, and traffic aborts. */
static void test_dead(void **state)
{
	static const uint32_t regs[] = {SMMU_CR0, SMMU_IRQ_CTRL, SMMU_CMDQ_PROD};
	struct smmu_model_config c = rig_config();

	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(regs); i++) {
		struct smmu_instance_config cfg;

		rig_open(&rig, &c, 1);
		cfg = rig_instance_config(&rig, 0, 0);
		assert_int_equal(smmu_instance_probe(&rig.smmu[0].inst, &cfg), 0);
		rig.smmu[0].deaf = regs[i] == SMMU_CMDQ_PROD ? 0 : regs[i];
		rig.smmu[0].frozen = regs[i] == SMMU_CMDQ_PROD;
		assert_int_equal(smmu_instance_enable(&rig.smmu[0].inst), -SMMU_ETIMEDOUT);
		assert_int_equal(smmu_heap_live(&rig.heap), 0);
		assert_true(rig.posix.logged[SMMU_LOG_ERROR] >= 1);
		assert_true(sim_now(rig.sim) >= 10000000);
		assert_true(sim_now(rig.sim) <= 60000000);
		assert_int_equal(rig.smmu[0].bus.ops->read32(&rig.smmu[0], SMMU_CR0), 0);
		assert_true(rig.smmu[0].bus.ops->read32(&rig.smmu[0], SMMU_GBPA) & SMMU_GBPA_ABORT);
		rig.smmu[0].deaf = 0;
		rig.smmu[0].frozen = false;
		assert_int_equal(smmu_instance_enable(&rig.smmu[0].inst), 0);
		rig_close(&rig);
	}
	/* It vanishes between probe and enable: GBPA.UPDATE and all else read as ones. */
	rig_open(&rig, &c, 1);
	{
		struct smmu_instance_config cfg = rig_instance_config(&rig, 0, 0);

		assert_int_equal(smmu_instance_probe(&rig.smmu[0].inst, &cfg), 0);
		rig.smmu[0].gone = true;
		assert_int_equal(smmu_instance_enable(&rig.smmu[0].inst), -SMMU_ETIMEDOUT);
		assert_int_equal(smmu_heap_live(&rig.heap), 0);
		assert_int_equal(smmu_instance_remove(&rig.smmu[0].inst), 0);
	}
	rig_close(&rig);
}

/** Taken away when it does not answer any more: its devices are gone; its memory is, once it is known to be off. */
static void test_remove_dead(void **state)
{
	struct rig_device d;
	struct smmu_domain domain;

	rig_open_up(&rig, 1);
	rig_domain(&rig, &domain, SMMU_DOMAIN_STAGE1);
	rig_device(&rig, &d, 0, 5, 1, true, 0);
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
	rig.smmu[0].gone = true;
	assert_int_equal(smmu_instance_remove(&rig.smmu[0].inst), -SMMU_ETIMEDOUT);
	assert_null(d.dev.instance);
	assert_false(d.ats);
	assert_true(smmu_heap_live(&rig.heap) > 0);
	rig.smmu[0].gone = false;
	smmu_model_reset(rig.model, 0);
	mmio_check_former_owner(&rig.smmu[0].check, 0, 0);
	smmu_instance_forget(&rig.smmu[0].inst);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	assert_int_equal(smmu_heap_live(&rig.heap), 0);
	assert_int_equal(smmu_attach(&d.dev, &domain), -SMMU_ENODEV);
	rig_close(&rig);
}

/** Every stream aborts until it is attached, in silence; and while the SMMU is off. */
static void test_aborts(void **state)
{
	for (unsigned two_level = 0; two_level < 2; two_level++) {
		struct smmu_model_config c = rig_config();
		struct smmu_instance *inst = &rig.smmu[0].inst;
		struct smmu_domain domain;
		struct smmu_event event;
		struct rig_device d;

		c.two_level_st = two_level;
		rig_open(&rig, &c, 1);
		rig_up(&rig, 0, 0);
		assert_true(rig.smmu[0].bus.ops->read32(&rig.smmu[0], SMMU_GBPA) & SMMU_GBPA_ABORT);
		/* A stream whose table was not made yet has an event; the SMMU may keep what it read. */
		assert_false(rig_access(&rig, 300));
		assert_int_equal(smmu_instance_event(inst, &event), two_level);
		rig_device(&rig, &d, 0, 300, 1, false, 0);
		/* Until somebody is attached the SMMU may go on seeing no table, which refuses as well. */
		assert_false(rig_access(&rig, 300));
		assert_int_equal(smmu_instance_event(inst, &event), two_level);
		rig_domain(&rig, &domain, SMMU_DOMAIN_IDENTITY);
		assert_int_equal(smmu_attach(&d.dev, &domain), 0);
		assert_true(rig_access(&rig, 300));
		/* Its neighbours are refused in a defined way. */
		for (uint32_t stream = 256; stream < 512; stream++) {
			assert_int_equal(rig_access(&rig, stream), stream == 300);
			assert_int_equal(smmu_instance_event(inst, &event), 0);
		}
		assert_false(rig_access(&rig, 299));
		assert_false(rig_access(&rig, 301));
		/* Beyond the table. */
		assert_false(rig_access(&rig, 512));
		assert_int_equal(smmu_instance_event(inst, &event), 1);
		assert_int_equal(event.sid, 512);
		smmu_instance_remove(inst);
		assert_false(rig_access(&rig, 300));
		assert_false(rig_access(&rig, 3));
		assert_int_equal(smmu_domain_fini(&domain), 0);
		rig_close(&rig);
	}
}

/** Events in order, an overflow told once, and page requests. */
static void test_events(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_instance_config cfg;
	struct smmu_instance *inst = &rig.smmu[0].inst;
	struct rig_device d;
	struct smmu_domain domain;
	struct smmu_event event;
	struct smmu_pri pri;

	rig_open(&rig, &c, 1);
	cfg = rig_instance_config(&rig, 0, 0);
	cfg.evtq_log2 = 2;
	assert_int_equal(smmu_instance_probe(inst, &cfg), 0);
	assert_int_equal(smmu_instance_enable(inst), 0);
	rig_domain(&rig, &domain, SMMU_DOMAIN_STAGE1);
	rig_device(&rig, &d, 0, 5, 1, true, 0);
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
	smmu_model_ats_enable(d.hw[0], false);
	for (unsigned i = 0; i < 4; i++)
		rig_refused(&d, i << 12);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(smmu_instance_event(inst, &event), 1);
		assert_int_equal(event.sid, 5);
		assert_int_equal(event.addr, i << 12);
	}
	assert_int_equal(smmu_instance_event(inst, &event), 0);
	for (unsigned i = 0; i < 7; i++)
		rig_refused(&d, i << 12);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(smmu_instance_event(inst, &event), 1);
	assert_int_equal(smmu_instance_event(inst, &event), 0);
	assert_true(smmu_posix_logged(&rig.posix, "event queue overflow"));
	assert_int_equal(rig.posix.logged[SMMU_LOG_WARN], 1);
	assert_int_equal(inst->events_lost, 1);
	/* Once more: counted, and not said again. */
	for (unsigned i = 0; i < 7; i++)
		rig_refused(&d, i << 12);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(smmu_instance_event(inst, &event), 1);
	assert_int_equal(smmu_instance_event(inst, &event), 0);
	assert_int_equal(rig.posix.logged[SMMU_LOG_WARN], 1);
	assert_int_equal(inst->events_lost, 2);
	rig_refused(&d, 0);
	assert_int_equal(smmu_instance_event(inst, &event), 1);
	/* A page request. */
	smmu_model_ats_enable(d.hw[0], true);
	assert_int_equal(smmu_instance_page_request(inst, &pri), 0);
	assert_true(smmu_model_page_request(d.hw[0], false, 0, 0x7000, true, 9));
	assert_int_equal(smmu_instance_page_request(inst, &pri), 1);
	assert_int_equal(pri.sid, 5);
	assert_int_equal(pri.addr, 0x7000);
	assert_int_equal(smmu_instance_page_request(inst, &pri), 0);
	smmu_device_fini(&d.dev);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	rig_close(&rig);
}

/* ---- GERROR: a bus of registers only ---- */

static uint32_t gerror, gerrorn;
static unsigned acks;

static uint32_t gerror_read(void *ctx, uint32_t offset)
{
	return offset == SMMU_GERROR ? gerror : offset == SMMU_GERRORN ? gerrorn : 0;
}

static void gerror_write(void *ctx, uint32_t offset, uint32_t value)
{
	if (offset != SMMU_GERRORN)
		return;
	/* Only what is active may be toggled. */
	CHECK(!((value ^ gerrorn) & ~(gerror ^ gerrorn)));
	gerrorn = value;
	acks++;
}

static const struct smmu_bus_ops *real_ops;
static struct smmu_bus_ops gerror_ops;

static void serve(void *arg)
{
	smmu_instance_gerror(&rig.smmu[0].inst);
}

static void test_gerror(void **state)
{
	struct smmu_instance *inst = &rig.smmu[0].inst;

	rig_open_up(&rig, 1);
	real_ops = rig.smmu[0].bus.ops;
	gerror_ops = *real_ops;
	gerror_ops.read32 = gerror_read;
	gerror_ops.write32 = gerror_write;
	rig.smmu[0].bus.ops = &gerror_ops;
	gerror = gerrorn = (uint32_t)SMMU_GERROR_PRIQ_ABT_ERR;
	assert_int_equal(smmu_instance_gerror(inst), 0);
	assert_int_equal(acks, 0);
	gerror ^= (uint32_t)SMMU_GERROR_EVENTQ_ABT_ERR;
	assert_int_equal(smmu_instance_gerror(inst), SMMU_GERROR_EVENTQ_ABT_ERR);
	assert_int_equal(gerror, gerrorn);
	assert_true(smmu_posix_logged(&rig.posix, "smmu0: global error: GERROR 0x4: event queue"));
	gerror ^= (uint32_t)SMMU_GERROR_SFM_ERR;
	assert_int_equal(smmu_instance_gerror(inst), SMMU_GERROR_SFM_ERR);
	assert_true(smmu_posix_logged(&rig.posix, "service failure"));
	/* Two handlers at once acknowledge once. */
	for (unsigned i = 0; i < 50; i++) {
		gerror ^= (uint32_t)SMMU_GERROR_EVENTQ_ABT_ERR;
		sim_spawn(rig.sim, serve, NULL);
		sim_spawn(rig.sim, serve, NULL);
		assert_int_equal(sim_run(rig.sim), 0);
		assert_int_equal(gerror, gerrorn);
	}
	rig.smmu[0].bus.ops = real_ops;
	rig_close(&rig);
}

static void test_find_device(void **state)
{
	struct rig_device a, b, c, d;

	rig_open_up(&rig, 1);
	rig_device(&rig, &a, 0, 5, 3, false, 0);
	rig_device(&rig, &b, 0, 100, 1, false, 0);
	rig_device(&rig, &c, 0, 255, 2, false, 0);
	assert_ptr_equal(smmu_instance_find_device(&rig.smmu[0].inst, 255), &c.dev);
	assert_ptr_equal(smmu_instance_find_device(&rig.smmu[0].inst, 256), &c.dev);
	assert_null(smmu_instance_find_device(&rig.smmu[0].inst, 257));
	assert_null(smmu_instance_find_device(&rig.smmu[0].inst, UINT32_MAX));
	/* A stream that is refused leaves those of its device to nobody. */
	assert_int_equal(rig_device_try(&rig, &d, 0, 4, 2, false, 0), -SMMU_EEXIST);
	assert_null(smmu_instance_find_device(&rig.smmu[0].inst, 4));
	/* One from the middle of the list, and its streams to another. */
	smmu_device_fini(&b.dev);
	rig_device(&rig, &b, 0, 99, 2, false, 0);
	assert_ptr_equal(smmu_instance_find_device(&rig.smmu[0].inst, 7), &a.dev);
	assert_ptr_equal(smmu_instance_find_device(&rig.smmu[0].inst, 100), &b.dev);
	assert_null(smmu_instance_find_device(&rig.smmu[0].inst, 8));
	smmu_device_fini(&a.dev);
	assert_null(smmu_instance_find_device(&rig.smmu[0].inst, 7));
	smmu_device_fini(&a.dev);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_up_down),       cmocka_unit_test(test_first_commands),
		cmocka_unit_test(test_device_memory), cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_dead),          cmocka_unit_test(test_remove_dead),
		cmocka_unit_test(test_aborts),        cmocka_unit_test(test_events),
		cmocka_unit_test(test_gerror),        cmocka_unit_test(test_find_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

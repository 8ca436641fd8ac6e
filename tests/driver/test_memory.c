/* SPDX-License-Identifier: BSD-2-Clause */
/* What an SMMU and the driver share: addresses that the SMMU can put out, memory that is not coherent, and how much of it. */
#include "rig.h"

#define MAP(d, page)                                                                        \
	assert_int_equal(smmu_map(d, (page) << 12, ((page) << 12) + (1ull << 32), 1u << 12, \
				  SMMU_PROT_READ | SMMU_PROT_WRITE, 0),                     \
			 0)

static struct rig rig;
static struct smmu_instance *const inst = &rig.smmu[0].inst;

/** Memory of 51 bits on an SMMU of 48: refused at each allocation, with both numbers; nothing is kept. */
static void test_reach_enable(void **state)
{
	static const char *const what[] = {"the command queue", "the command queue's MSIs",
					   "the event queue", "the PRI queue", "the stream table"};

	for (unsigned two_level = 0; two_level < 2; two_level++)
		for (unsigned n = 0;; n++) {
			struct smmu_model_config c = rig_config();
			struct smmu_instance_config cfg;
			int error;

			c.two_level_st = two_level;
			rig_open(&rig, &c, 1);
			cfg = rig_instance_config(&rig, 0, 0);
			assert_int_equal(smmu_instance_probe(inst, &cfg), 0);
			rig.high_alloc = n + 1;
			error = smmu_instance_enable(inst);
			if (n == SMMU_ARRAY_SIZE(what)) {
				assert_int_equal(error, 0);
				rig_close(&rig);
				break;
			}
			assert_int_equal(error, -SMMU_ERANGE);
			assert_int_equal(smmu_heap_live(&rig.heap), 0);
			assert_true(smmu_posix_logged(&rig.posix, what[n]));
			assert_true(smmu_posix_logged(&rig.posix, "bus address 0x4000040"));
			assert_true(smmu_posix_logged(&rig.posix, "48 bits (IDR5.OAS)"));
			assert_int_equal(smmu_instance_enable(inst), 0);
			rig_close(&rig);
		}
}

/** The same for what devices need: second-level tables, CD tables and their leaves. */
static void test_reach_device(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_domain domain;
	struct rig_device d;
	uint64_t live;

	c.ssid_bits = 12;
	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, 0);
	live = smmu_heap_live(&rig.heap);
	rig.high_alloc = 1;
	assert_int_equal(rig_device_try(&rig, &d, 0, 5, 1, false, 12), -SMMU_ERANGE);
	assert_true(smmu_posix_logged(&rig.posix, "context descriptors"));
	assert_int_equal(smmu_heap_live(&rig.heap), live);
	rig.high_alloc = 2;
	assert_int_equal(rig_device_try(&rig, &d, 0, 5, 1, false, 12), -SMMU_ERANGE);
	assert_true(smmu_posix_logged(&rig.posix, "second-level stream table"));
	assert_int_equal(smmu_heap_live(&rig.heap), live);
	rig_device(&rig, &d, 0, 5, 1, false, 12);
	rig_domain(&rig, &domain, SMMU_DOMAIN_STAGE1);
	rig.high_alloc = 1;
	assert_int_equal(smmu_attach_pasid(&d.dev, 700, &domain), -SMMU_ERANGE);
	assert_true(smmu_posix_logged(&rig.posix, "leaf of context descriptors"));
	assert_int_equal(smmu_attach_pasid(&d.dev, 700, &domain), 0);
	smmu_device_fini(&d.dev);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	rig_close(&rig);
}

/** The last byte counts, and the first address above is one too many. */
static void test_reach_edge(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_instance_config cfg;

	c.oas = 32;
	rig_open(&rig, &c, 1);
	cfg = rig_instance_config(&rig, 0, 0);
	assert_int_equal(smmu_instance_probe(inst, &cfg), 0);
	/* Its memory lies below 2^32. */
	assert_int_equal(smmu_instance_enable(inst), 0);
	assert_int_equal(smmu_instance_remove(inst), 0);
	/* A queue that begins below and ends above. */
	rig.high_alloc = 1;
	rig.high_bus = (1ull << 32) - 512;
	assert_int_equal(smmu_instance_enable(inst), -SMMU_ERANGE);
	assert_true(smmu_posix_logged(&rig.posix, "0xfffffe00"));
	cfg.event_msi.address = (1ull << 32) - 4;
	assert_int_equal(smmu_instance_probe(inst, &cfg), 0);
	cfg.event_msi.address = 1ull << 32;
	assert_int_equal(smmu_instance_probe(inst, &cfg), -SMMU_ERANGE);
	rig_close(&rig);
}

/** Without a size the event queue is as large as is customary, and smaller where memory is short; with one, exactly so large. */
static void test_event_queue_size(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_instance_config cfg;
	size_t dma, plain;

	c.eventq_bits = 19;
	rig_open(&rig, &c, 1);
	cfg = rig_instance_config(&rig, 0, 0);
	cfg.evtq_log2 = 0;
	for (unsigned fails = 0; fails < 9; fails++) {
		assert_int_equal(smmu_instance_probe(inst, &cfg), 0);
		smmu_instance_memory(inst, &dma, &plain);
		/* The third DMA allocation, after the command queue and its MSIs. */
		rig.fail_from = 3;
		rig.fail_count = fails;
		assert_int_equal(smmu_instance_enable(inst), fails < 9 ? 0 : -SMMU_ENOMEM);
		assert_int_equal(inst->evtq.log2size, 15 - fails);
		assert_true(rig.heap.dma_bytes <= dma);
		assert_int_equal(smmu_instance_remove(inst), 0);
	}
	rig.fail_from = 3;
	rig.fail_count = 9;
	assert_int_equal(smmu_instance_enable(inst), -SMMU_ENOMEM);
	assert_int_equal(smmu_heap_live(&rig.heap), 0);
	cfg.evtq_log2 = 12;
	assert_int_equal(smmu_instance_probe(inst, &cfg), 0);
	rig.fail_from = 3;
	rig.fail_count = 1;
	assert_int_equal(smmu_instance_enable(inst), -SMMU_ENOMEM);
	rig_close(&rig);
}

/**
 * An SMMU that sees only what was cleaned, over memory that was full of valid entries before: commands arrive, no stream
 * lands that nobody attached, events and page requests are read as they were written, substreams too.
 */
static void test_not_coherent(void **state)
{
	for (unsigned variant = 0; variant < 8; variant++) {
		struct smmu_model_config c = rig_config();
		struct smmu_domain_config dc = {
			.port = &rig.port, .kind = SMMU_DOMAIN_STAGE1, .non_coherent = true};
		struct smmu_domain domain, other;
		struct smmu_event event;
		struct smmu_pri pri;
		struct rig_device d;
		uint64_t pa;

		c.coherent = false;
		c.two_level_st = variant & 1;
		c.ssid_bits = variant & 2 ? 12 : 4;
		c.sid_bits = 12;
		rig_open(&rig, &c, 1);
		rig_not_coherent(&rig);
		rig_up(&rig, 0, 0);
		for (uint32_t i = 0; i < 4096; i += 37) {
			struct smmu_dma dma = {.stream = i, .iova = 0x1000};

			assert_false(smmu_model_dma(rig.model, &dma).ok);
			assert_int_equal(smmu_instance_event(inst, &event), c.two_level_st);
			if (c.two_level_st)
				assert_int_equal(event.sid, i);
		}
		rig_device(&rig, &d, 0, 5, 1, true, variant & 4 ? c.ssid_bits : 0);
		assert_int_equal(smmu_domain_init(&domain, &dc), 0);
		assert_int_equal(smmu_domain_init(&other, &dc), 0);
		MAP(&domain, 1ull);
		MAP(&other, 2ull);
		assert_int_equal(smmu_attach(&d.dev, &domain), 0);
		assert_true(rig_dma(&d, 0, -1, 0x1000, &pa));
		assert_int_equal(pa, 0x100001000ull);
		if (variant & 4) {
			for (int32_t s = 1; s < 1 << c.ssid_bits; s++)
				assert_false(rig_dma(&d, 0, s, 0x2000, NULL));
			assert_int_equal(smmu_attach_pasid(&d.dev, 3, &other), 0);
			assert_true(rig_dma(&d, 0, 3, 0x2000, &pa));
			assert_int_equal(pa, 0x100002000ull);
			for (int32_t s = 4; s < 1 << c.ssid_bits; s++)
				assert_false(rig_dma(&d, 0, s, 0x2000, NULL));
		}
		while (smmu_instance_event(inst, &event))
			;
		/* More than one lap of the event queue. */
		smmu_model_ats_enable(d.hw[0], false);
		for (uint32_t i = 0; i < 300; i += 3) {
			for (uint32_t k = i; k < i + 3; k++)
				assert_false(rig_dma(&d, 0, -1, 0x100000 + (k << 12), NULL));
			for (uint32_t k = i; k < i + 3; k++) {
				assert_int_equal(smmu_instance_event(inst, &event), 1);
				assert_int_equal(event.addr, 0x100000 + (k << 12));
			}
			assert_int_equal(smmu_instance_event(inst, &event), 0);
		}
		smmu_model_ats_enable(d.hw[0], true);
		for (uint16_t i = 0; i < 300; i++) {
			assert_true(smmu_model_page_request(d.hw[0], false, 0, 0x7000, true, i));
			assert_int_equal(smmu_instance_page_request(inst, &pri), 1);
			assert_int_equal(pri.prgindex, i);
		}
		assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
		assert_false(rig_dma(&d, 0, -1, 0x1000, NULL));
		smmu_device_fini(&d.dev);
		assert_int_equal(smmu_domain_fini(&domain), 0);
		assert_int_equal(smmu_domain_fini(&other), 0);
		rig_close(&rig);
	}
}

/** The same when a device is cut off: the STEs that refuse reach memory, of each stream. */
static void test_cut_off_not_coherent(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_domain_config dc = {
		.port = &rig.port, .kind = SMMU_DOMAIN_STAGE1, .non_coherent = true};
	struct smmu_domain domain;
	struct rig_device d;

	c.coherent = false;
	c.atc_timeout_ns = 100000;
	rig_open(&rig, &c, 1);
	rig_not_coherent(&rig);
	rig_up(&rig, 0, 0);
	rig_device(&rig, &d, 0, 5, 3, true, 0);
	assert_int_equal(smmu_domain_init(&domain, &dc), 0);
	MAP(&domain, 1ull);
	MAP(&domain, 2ull);
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
	for (unsigned k = 0; k < d.nr; k++) {
		assert_true(rig_dma(&d, k, -1, 0x1000, NULL));
		assert_true(rig_dma(&d, k, -1, 0x2000, NULL));
	}
	smmu_model_atc_mute(d.hw[1], true);
	assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
	assert_true(smmu_device_quarantined(&d.dev));
	for (unsigned k = 0; k < d.nr; k++) {
		assert_false(rig_dma(&d, k, -1, 0x1000, NULL));
		assert_false(rig_dma(&d, k, -1, 0x2000, NULL));
	}
	smmu_device_fini(&d.dev);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reach_enable), cmocka_unit_test(test_reach_device),
		cmocka_unit_test(test_reach_edge),   cmocka_unit_test(test_event_queue_size),
		cmocka_unit_test(test_not_coherent), cmocka_unit_test(test_cut_off_not_coherent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Probing: what the ID registers say, and what is refused with which words. */
#include "rig.h"

static uint32_t idr[6];
static struct smmu_ram ram;
static struct smmu_heap heap;
static struct smmu_posix posix;
static struct smmu_port port;

static uint32_t read32(void *ctx, uint32_t offset)
{
	if (offset == SMMU_IIDR)
		return 0;
	CHECK(offset < SMMU_IDR0 + 4 * 6);
	return idr[(offset - SMMU_IDR0) / 4];
}

static uint64_t read64(void *ctx, uint32_t offset)
{
	CHECK(!"a probe reads 32-bit registers");
	return 0;
}

static void write32(void *ctx, uint32_t offset, uint32_t value)
{
	CHECK(!"a probe writes nothing");
}

static void write64(void *ctx, uint32_t offset, uint64_t value)
{
	CHECK(!"a probe writes nothing");
}

static void relax(void *ctx)
{
}

static const struct smmu_bus_ops ops = {read32, read64, write32, write64, relax};
static const struct smmu_bus bus = {&ops, NULL};

/** A part that has everything, by the numbers of the specification. */
static void good(void)
{
	idr[0] = 1u << 0 | 1u << 1 | 2u << 2 | 1u << 4 | 1u << 9 | 1u << 10 | 1u << 12 | 1u << 13 |
		 1u << 14 | 1u << 16 | 1u << 18 | 1u << 19 | 2u << 21 | 1u << 27;
	idr[1] = 24 | 16 << 6 | 9 << 11 | 12 << 16 | 15 << 21;
	idr[3] = 1u << 10;
	idr[5] = 5 | 1u << 4 | 1u << 5 | 1u << 6;
	memset(&posix, 0, sizeof(posix));
	posix.heap = &heap;
	posix.stderr_level = -1;
	sim_port_init(&port, &posix);
}

static int probe(struct smmu_instance *inst, uint32_t quirks)
{
	struct smmu_instance_config cfg = {
		.port = &port, .mmio = {&bus}, .index = 7, .quirks = quirks};

	return smmu_instance_probe(inst, &cfg);
}

static void test_features(void **state)
{
	const uint32_t all = SMMU_FEAT_S1 | SMMU_FEAT_S2 | SMMU_FEAT_COHERENT |
			     SMMU_FEAT_2LVL_STRTAB | SMMU_FEAT_2LVL_CDTAB | SMMU_FEAT_RANGE |
			     SMMU_FEAT_ATS | SMMU_FEAT_PRI | SMMU_FEAT_MSI | SMMU_FEAT_SEV |
			     SMMU_FEAT_HYP | SMMU_FEAT_STALL | SMMU_FEAT_4K | SMMU_FEAT_16K |
			     SMMU_FEAT_64K | SMMU_FEAT_NESTED;
	static const struct {
		unsigned reg;
		uint32_t mask, gone;
	} bits[] = {
		{0, 1u << 0, SMMU_FEAT_S2 | SMMU_FEAT_NESTED},
		{0, 1u << 1, SMMU_FEAT_S1 | SMMU_FEAT_NESTED},
		{0, 1u << 4, SMMU_FEAT_COHERENT},
		{0, 1u << 9, SMMU_FEAT_HYP},
		{0, 1u << 10, SMMU_FEAT_ATS},
		{0, 1u << 13, SMMU_FEAT_MSI},
		{0, 1u << 14, SMMU_FEAT_SEV},
		{0, 1u << 16, SMMU_FEAT_PRI},
		{0, 1u << 19, SMMU_FEAT_2LVL_CDTAB},
		{0, 3u << 27, SMMU_FEAT_2LVL_STRTAB},
		{3, 1u << 10, SMMU_FEAT_RANGE},
		{5, 1u << 4, SMMU_FEAT_4K},
		{5, 1u << 5, SMMU_FEAT_16K},
		{5, 1u << 6, SMMU_FEAT_64K},
	};
	static const uint8_t oas[] = {32, 36, 40, 42, 44, 48, 52, 52};
	struct smmu_instance inst;

	good();
	assert_int_equal(probe(&inst, 0), 0);
	assert_int_equal(inst.features.bits, all);
	assert_int_equal(inst.features.sid_bits, 24);
	assert_int_equal(inst.features.ssid_bits, 16);
	assert_int_equal(inst.features.asid_bits, 16);
	assert_int_equal(inst.features.vmid_bits, 16);
	assert_int_equal(inst.features.cmdq_log2, 15);
	assert_int_equal(inst.features.evtq_log2, 12);
	assert_int_equal(inst.features.priq_log2, 9);
	/* Without PRI that field says nothing. */
	idr[0] &= ~(1u << 16);
	idr[1] |= 31u << 11;
	assert_int_equal(probe(&inst, 0), 0);
	assert_int_equal(inst.features.priq_log2, 0);
	good();
	assert_int_equal(probe(&inst, 0), 0);
	assert_int_equal(inst.cfg.cmdq_log2, 10);
	assert_int_equal(inst.cfg.evtq_log2, 12);
	assert_int_equal(inst.cfg.priq_log2, 7);
	assert_string_equal(inst.name, "smmu7");
	assert_int_equal(inst.cfg.timeout_ns, 1000000000);
	assert_int_equal(inst.target.flags, SMMU_INV_RANGE);
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(bits); i++) {
		good();
		idr[bits[i].reg] &= ~bits[i].mask;
		assert_int_equal(probe(&inst, 0), 0);
		assert_int_equal(inst.features.bits, all & ~bits[i].gone);
	}
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(oas); i++) {
		good();
		idr[5] = (idr[5] & ~7u) | i;
		assert_int_equal(probe(&inst, 0), 0);
		assert_int_equal(inst.features.oas, oas[i]);
	}
	good();
	idr[0] &= ~(1u << 12);
	assert_int_equal(probe(&inst, 0), 0);
	assert_int_equal(inst.features.asid_bits, 8);
	good();
	idr[0] &= ~(1u << 18);
	assert_int_equal(probe(&inst, 0), 0);
	assert_int_equal(inst.features.vmid_bits, 8);
	good();
	idr[0] |= 1u << 24;
	assert_int_equal(probe(&inst, 0), 0);
	assert_int_equal(inst.features.bits, all & ~SMMU_FEAT_STALL);
	/* TTF 3: AArch64 and AArch32; TTENDIAN 0 and 2: both, little. */
	good();
	idr[0] |= 3u << 2;
	assert_int_equal(probe(&inst, 0), 0);
	good();
	idr[0] &= ~(3u << 21);
	assert_int_equal(probe(&inst, 0), 0);
}

static void test_refusals(void **state)
{
	static const struct {
		unsigned reg;
		uint32_t clear, set;
		const char *says;
	} r[] = {
		{0, 3, 0, "IDR0.S1P"},
		{0, 3u << 2, 1u << 2, "IDR0.TTF"},
		{0, 3u << 2, 0, "IDR0.TTF"},
		{0, 3u << 21, 3u << 21, "IDR0.TTENDIAN"},
		{0, 3u << 24, 3u << 24, "IDR0.STALL_MODEL"},
		{0, 3u << 27, 2u << 27, "IDR0.ST_LEVEL"},
		{0, 3u << 27, 3u << 27, "IDR0.ST_LEVEL"},
		{0, ~0u, ~0u, "IDR0 reads as ones"},
		{1, 0x3f, 33, "IDR1.SIDSIZE"},
		{1, 0x1f << 6, 21 << 6, "IDR1.SSIDSIZE"},
		{1, 0x1f << 11, 20 << 11, "IDR1"},
		{1, 0x1f << 16, 20 << 16, "IDR1"},
		{1, 0x1f << 21, 20 << 21, "IDR1"},
		{1, 0x1f << 21, 0, "IDR1.CMDQS"},
		{1, 0, 1u << 30, "TABLES_PRESET"},
		{1, 0, 1u << 29, "QUEUES_PRESET"},
		{5, 7u << 4, 0, "IDR5"},
	};

	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(r); i++) {
		struct smmu_instance inst;

		good();
		idr[r[i].reg] = (idr[r[i].reg] & ~r[i].clear) | r[i].set;
		assert_int_equal(probe(&inst, 0), -SMMU_EOPNOTSUPP);
		if (!smmu_posix_logged(&posix, r[i].says) || !smmu_posix_logged(&posix, "smmu7: "))
			fail_msg("\"%s\" is not in \"%s\"", r[i].says, posix.log_ring[0]);
		assert_int_equal(posix.logged[SMMU_LOG_ERROR], 1);
		assert_int_equal(smmu_heap_live(&heap), 0);
	}
}

static void test_config(void **state)
{
	struct smmu_instance inst;
	struct smmu_instance_config cfg = {.mmio = {&bus}};

	good();
	assert_int_equal(smmu_instance_probe(&inst, &cfg), -SMMU_EINVAL);
	cfg.port = &port;
	cfg.index = 3;
	cfg.name = "gpu-smmu";
	cfg.cmdq_log2 = 19;
	cfg.evtq_log2 = 3;
	cfg.priq_log2 = 10;
	cfg.timeout_ns = 5;
	cfg.tlbi_max = 6;
	cfg.atc_max = 7;
	assert_int_equal(smmu_instance_probe(&inst, &cfg), 0);
	assert_string_equal(inst.name, "gpu-smmu");
	assert_int_equal(inst.cfg.cmdq_log2, 15);
	assert_int_equal(inst.cfg.evtq_log2, 3);
	assert_int_equal(inst.cfg.priq_log2, 9);
	assert_int_equal(inst.cfg.timeout_ns, 5);
	assert_int_equal(inst.target.tlbi_max, 6);
	assert_int_equal(inst.target.atc_max, 7);
	/* A small part. */
	idr[1] = 0 | 0 << 6 | 0 << 11 | 0 << 16 | 1 << 21;
	cfg.cmdq_log2 = 0;
	assert_int_equal(smmu_instance_probe(&inst, &cfg), 0);
	assert_int_equal(inst.cfg.cmdq_log2, 1);
	assert_int_equal(inst.cfg.evtq_log2, 0);
	/* Firmware knows better. */
	idr[0] &= ~(1u << 4);
	assert_int_equal(smmu_instance_probe(&inst, &cfg), 0);
	assert_false(inst.features.bits & SMMU_FEAT_COHERENT);
	cfg.coherent_override = true;
	assert_int_equal(smmu_instance_probe(&inst, &cfg), 0);
	assert_true(inst.features.bits & SMMU_FEAT_COHERENT);
}

static void test_quirks(void **state)
{
	static const struct {
		uint32_t quirk, gone, flags;
	} q[] = {
		{SMMU_QUIRK_NO_RANGE, SMMU_FEAT_RANGE, 0},
		{SMMU_QUIRK_NO_MSI, SMMU_FEAT_MSI, SMMU_INV_RANGE},
		{SMMU_QUIRK_NO_ATS, SMMU_FEAT_ATS, SMMU_INV_RANGE},
		{SMMU_QUIRK_SPLIT_ATC, 0, SMMU_INV_RANGE | SMMU_INV_SPLIT_ATC},
		{SMMU_QUIRK_TWICE, 0, SMMU_INV_RANGE | SMMU_INV_TLBI_TWICE},
	};
	struct smmu_instance plain, inst;

	good();
	assert_int_equal(probe(&plain, 0), 0);
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(q); i++) {
		assert_int_equal(probe(&inst, q[i].quirk), 0);
		assert_int_equal(inst.features.bits, plain.features.bits & ~q[i].gone);
		assert_int_equal(inst.target.flags, q[i].flags);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_quirks),
	};

	if (smmu_ram_create(&ram, SMMU_RAM_DEFAULT_BASE, 1 << 20) ||
	    smmu_heap_init(&heap, &ram, 0, 0))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a machine takes from a firmware table: memory that stays mapped and that the judge watches, the devices that use it,
 * ATS and PASIDs as the table says, and the errata of the parts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <smmuv3/pgtable.h>
#include <smmuv3/quirks.h>

#include "machine_table.h"

static struct smmu_topology_ids ids[2] = {{0, 0x1000}, {0, 0x1000}};
static struct smmu_topology_streams streams[2] = {{0, 0x1000, 0, 0}, {0, 0x1000, 1, 0}};
static struct smmu_topology_smmu smmus[2];
static struct smmu_topology_root roots[2];
static struct smmu_topology_reserved reserved[3];
static struct smmu_topology topology;
static struct lab_config o;
static struct machine_config cfg;
static struct machine *m;

/* Two SMMUs, one root complex each; two overlapping ranges for stream 0x777 of the second, one for stream 5 of the first. */
static int setup(void **state)
{
	unsigned i;

	for (i = 0; i < 2; i++) {
		smmus[i] = (struct smmu_topology_smmu){.index = i,
						       .base = 0x10000000 + i * 0x20000,
						       .size = 0x20000,
						       .coherent = true,
						       .ids = &ids[i],
						       .n_ids = 1,
						       .n_streams = 0x1000};
		roots[i] = (struct smmu_topology_root){.kind = SMMU_TOPOLOGY_ROOT_COMPLEX,
						       .ats = i == 1,
						       .has_pasid = true,
						       .pasid_bits = i ? 20 : 0,
						       .streams = &streams[i],
						       .n_streams = 1};
	}
	reserved[0] = (struct smmu_topology_reserved){
		.base = 0x90010000, .size = 0x20000, .smmu = 1, .stream = 0x777, .count = 1};
	reserved[1] = (struct smmu_topology_reserved){
		.base = 0x90021000, .size = 0x300000, .smmu = 1, .stream = 0x777, .count = 1};
	/* Where the load usually is. */
	reserved[2] = (struct smmu_topology_reserved){
		.base = 0x900000000, .size = 0x1000, .smmu = 0, .stream = 5, .count = 1};
	topology = (struct smmu_topology){.smmus = smmus,
					  .n_smmus = 2,
					  .roots = roots,
					  .n_roots = 2,
					  .reserved = reserved,
					  .n_reserved = 3};
	lab_config_default(&o);
	o.topology = &topology;
	o.devices = 3;
	cfg = (struct machine_config){.data_bytes = 8u << 20, .domains = 4, .quiet = true};
	m = malloc(sizeof(*m));
	return !m || machine_open(m, &o, &cfg);
}

static int teardown(void **state)
{
	struct report r = {0};

	machine_close(m, &r);
	free(m);
	return 0;
}

static struct machine_device *device_of(unsigned smmu, uint32_t stream)
{
	unsigned i;

	for (i = 0; i < m->devices; i++)
		if (m->device[i].smmu == smmu && m->device[i].stream[0] == stream)
			return &m->device[i];
	fail_msg("no device has stream 0x%x of smmu %u", stream, smmu);
	return NULL;
}

static void test_placed(void **state)
{
	unsigned i, k;

	assert_int_equal(m->devices, 6);
	device_of(0, 5);
	device_of(1, 0x777);
	for (i = 0; i < m->devices; i++) {
		assert_int_equal(m->device[i].ats, m->device[i].smmu == 1);
		if (!m->device[i].smmu)
			assert_int_equal(m->device[i].ssid_bits, 0);
		for (k = 0; k < i; k++)
			assert_false(m->device[i].smmu == m->device[k].smmu &&
				     m->device[i].stream[0] == m->device[k].stream[0]);
	}
	/* Every stream once, those with memory first. */
	for (i = 0; i < 0x1000; i++) {
		uint32_t stream;

		assert_int_equal(machine_pick_stream(m, 1, i, &stream), 0);
		assert_true(stream < 0x1000);
		if (!i)
			assert_int_equal(stream, 0x777);
	}
	assert_int_equal(machine_pick_stream(m, 1, 0x1000, &(uint32_t){0}), -1);
}

static void test_stays_mapped(void **state)
{
	static const uint64_t at[] = {0x90010000, 0x9002fff8, 0x90200000, 0x9032fff8, 0x900000008};
	struct machine_device *d = device_of(1, 0x777);
	struct dma_count count = {0};
	unsigned i, k;

	/* Merged, and apart from the load. */
	assert_int_equal(m->n_reserved, 2);
	assert_false(machine_is_reserved(m, m->window, 1ull << 36));
	for (i = 0; i < m->domains; i++) {
		assert_int_equal(machine_attach(d, i), 0);
		for (k = 0; k < sizeof(at) / sizeof(at[0]); k++)
			assert_true(machine_dma(m, &count, d, 0, 0, at[k], k & 1));
		assert_false(machine_dma(m, &count, d, 0, 0, 0x9000fff8, false));
		assert_false(machine_dma(m, &count, d, 0, 0, 0x90340000, false));
	}
	assert_int_equal(count.lost + count.stale, 0);
	assert_int_equal(m->violations, 0);
	/* Somebody takes it away: the judge sees it. */
	assert_int_equal(
		smmu_unmap(&m->domain[3].d, 0x90200000, 1u << m->domain[3].granule_shift, 0), 0);
	assert_false(machine_dma(m, &count, d, 0, 0, 0x90200000, false));
	assert_int_equal(count.lost, 1);
	assert_int_equal(m->violations, 1);
	m->violations = 0;
}

static void test_quirks(void **state)
{
	struct smmu_topology_smmu s = {.has_model = true};
	char tegra[] = "nvidia,tegra264-smmu arm,smmu-v3", plain[] = "arm,smmu-v3";

	assert_int_equal(machine_table_quirks(&s), 0);
	s.model = SMMU_TOPOLOGY_MODEL_CN99XX;
	assert_int_equal(machine_table_quirks(&s), SMMU_QUIRK_PAGE0_ONLY);
	s = (struct smmu_topology_smmu){.page0_only = true, .compatible = plain};
	assert_int_equal(machine_table_quirks(&s), SMMU_QUIRK_PAGE0_ONLY);
	s = (struct smmu_topology_smmu){.compatible = tegra};
	assert_int_equal(machine_table_quirks(&s), SMMU_QUIRK_TWICE);
	s.compatible = plain;
	assert_int_equal(machine_table_quirks(&s), 0);
}

/* A run brings the part up with its quirks. */
static void test_quirks_used(void **state)
{
	char tegra[] = "nvidia,tegra264-smmu arm,smmu-v3";

	teardown(state);
	setup(state);
	assert_false(m->smmu[1].cfg.quirks & SMMU_QUIRK_TWICE);
	teardown(state);
	smmus[1].compatible = tegra;
	m = malloc(sizeof(*m));
	assert_int_equal(machine_open(m, &o, &cfg), 0);
	assert_true(m->smmu[1].cfg.quirks & SMMU_QUIRK_TWICE);
	assert_false(m->smmu[0].cfg.quirks & SMMU_QUIRK_TWICE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_placed),
		cmocka_unit_test(test_stays_mapped),
		cmocka_unit_test(test_quirks),
		cmocka_unit_test(test_quirks_used),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

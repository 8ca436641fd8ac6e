/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Let the n-th allocation fail, for every n, in each call that allocates: the call says -SMMU_ENOMEM and everything is
 * as it was (arrays, reachable memory, memory in use), or it does without. Then it succeeds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <smmuv3/pgtable.h>

#include "machine.h"

#define IOVA 0x800000000ull
#define ENTRIES 64u

static struct machine *m;
static struct lab_config o;

/* What a call may not have changed. */
struct snapshot {
	struct smmu_inv entry[2][ENTRIES];
	uint32_t count[2];
	struct dma_count dma;
	uint64_t live;
};

static void take(struct snapshot *s)
{
	unsigned i, ssid;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < 2; i++) {
		const struct smmu_inv_array *a = m->domain[i].d.inv;
		uint32_t k;

		for (k = 0; a && k < a->count; k++) {
			if (a->entry[k].users)
				s->entry[i][s->count[i]++] = a->entry[k];
		}
	}
	/* The judge knows what each device must reach: page 0 of both domains, nothing else. */
	for (i = 0; i < m->devices; i++) {
		for (ssid = 0; ssid < (m->device[i].ssid_bits ? 3u : 1u); ssid++) {
			machine_dma(m, &s->dma, &m->device[i], 0, ssid, IOVA, true);
			machine_dma(m, &s->dma, &m->device[i], 0, ssid, IOVA + (1u << 21), false);
		}
	}
	s->live = smmu_heap_live(&m->heap);
}

static void same(const struct snapshot *a, const struct snapshot *b, bool memory)
{
	assert_memory_equal(a->count, b->count, sizeof(a->count));
	assert_memory_equal(a->entry, b->entry, sizeof(a->entry));
	assert_memory_equal(&a->dma, &b->dma, sizeof(a->dma));
	if (memory)
		assert_int_equal(a->live, b->live);
	assert_int_equal(m->violations, 0);
}

/*
 * @memory: after a failure not one block more may be in use. Where that is false the call may keep a table for the next
 * try, which the leak check at the end knows to be the domain's or the device's.
 */
static unsigned try_all(int (*call)(void), bool memory)
{
	struct snapshot before, after;
	unsigned n, failures = 0;
	int rc;

	for (n = 1; n < 200; n++) {
		take(&before);
		smmu_heap_fail(&m->heap, n, 0);
		rc = call();
		if (m->heap.fail.nth) {
			/* It did not come to the n-th: all have been tried. */
			smmu_heap_fail(&m->heap, 0, 0);
			assert_int_equal(rc, 0);
			assert_true(failures > 0);
			return failures;
		}
		smmu_heap_fail(&m->heap, 0, 0);
		if (!rc)
			return failures; /* it does without */
		assert_int_equal(rc, -SMMU_ENOMEM);
		failures++;
		take(&after);
		same(&before, &after, memory);
	}
	fail_msg("no end of allocations");
	return 0;
}

/* ---- the calls ---- */

static int call_map(void)
{
	uint64_t iova = IOVA + (4ull << 30), size = 3u << 20;
	int rc;

	oracle_map_begin(m->oracle, 0, iova, size, m->data + (2u << 20), ORACLE_READ);
	rc = smmu_map(&m->domain[0].d, iova, m->data + (2u << 20), size, SMMU_PROT_READ, 0);
	oracle_map_end(m->oracle, 0, iova, size, !rc);
	if (rc)
		machine_dma(m, &(struct dma_count){0}, &m->device[0], 0, 0, iova, false);
	return rc;
}

static int call_attach(void)
{
	return machine_attach(&m->device[0], 1);
}

static int call_attach_from_nothing(void)
{
	return machine_attach(&m->device[2], 1);
}

static int call_pasid(void)
{
	return machine_attach_pasid(&m->device[1], 1, 1);
}

static int call_domain(void)
{
	struct smmu_domain_config c = {.port = &m->port, .kind = SMMU_DOMAIN_STAGE1};
	struct smmu_domain d;
	int rc = smmu_domain_init(&d, &c);

	return rc ? rc : smmu_domain_fini(&d);
}

static int call_device(void)
{
	static const uint32_t stream = 7;
	struct smmu_device_config c = {
		.instance = &m->smmu[1].inst, .streams = &stream, .nr_streams = 1, .ssid_bits = 2};
	struct smmu_device d;
	int rc = smmu_device_init(&d, &c);

	if (!rc)
		smmu_device_fini(&d);
	return rc;
}

static int call_enable(void)
{
	return smmu_instance_enable(&m->smmu[1].inst);
}

/* ---- tests ---- */

static int setup(void **state)
{
	struct machine_config cfg = {
		.data_bytes = 8u << 20, .domains = 2, .one_granule = true, .quiet = true};
	unsigned d;

	lab_config_default(&o);
	o.devices = o.ats = 3;
	m = malloc(sizeof(*m));
	if (!m || machine_open(m, &o, &cfg))
		return -1;
	for (d = 0; d < 2; d++) {
		uint64_t pa = m->data + d * 4096;

		if (oracle_window(m->oracle, d, IOVA, 4u << 20) ||
		    oracle_window(m->oracle, d, IOVA + (4ull << 30), 4u << 20))
			return -1;
		machine_tag_pages(m, pa, 4096, machine_tag(d, IOVA), true);
		oracle_map_begin(m->oracle, d, IOVA, 4096, pa, ORACLE_READ | ORACLE_WRITE);
		if (smmu_map(&m->domain[d].d, IOVA, pa, 4096, SMMU_PROT_READ | SMMU_PROT_WRITE, 0))
			return -1;
		oracle_map_end(m->oracle, d, IOVA, 4096, true);
	}
	/* Devices 0, 1 and 2 are on the first SMMU; nobody uses domain 1 yet. */
	return machine_attach(&m->device[0], 0) || machine_attach(&m->device[1], 0) ||
	       machine_attach(&m->device[4], 0);
}

static int teardown(void **state)
{
	struct report r = {0};

	machine_close(m, &r);
	free(m);
	if (r.violations)
		print_message("%s\n", r.violation[0].text);
	return r.violations != 0;
}

static void test_map(void **state)
{
	assert_true(try_all(call_map, false) >= 2);
}

static void test_attach(void **state)
{
	assert_true(try_all(call_attach, false) >= 1);
	assert_true(try_all(call_attach_from_nothing, false) >= 1);
	assert_true(try_all(call_pasid, false) >= 2);
}

static void test_domain_and_device(void **state)
{
	assert_true(try_all(call_domain, true) >= 1);
	try_all(call_device, true);
}

static void test_enable(void **state)
{
	unsigned i;

	for (i = 0; i < m->devices; i++) {
		if (m->device[i].smmu != 1)
			continue;
		machine_attach(&m->device[i], ORACLE_BLOCKED);
		smmu_device_fini(&m->device[i].dev);
		m->device[i].present = 0;
	}
	smmu_instance_remove(&m->smmu[1].inst);
	/* By default it would make do with a smaller event queue. */
	m->smmu[1].cfg.evtq_log2 = 7;
	assert_int_equal(smmu_instance_probe(&m->smmu[1].inst, &m->smmu[1].cfg), 0);
	assert_true(try_all(call_enable, true) >= 4);
}

/* Detach needs no memory at all. */
static void test_detach(void **state)
{
	unsigned i;

	smmu_heap_fail(&m->heap, 0, 1);
	for (i = 0; i < m->devices; i++)
		machine_attach(&m->device[i], ORACLE_BLOCKED);
	smmu_heap_fail(&m->heap, 0, 0);
	assert_int_equal(m->violations, 0);
	/* What the array still lists is gone and in nobody's way. */
	assert_int_equal(machine_attach(&m->device[0], 1), 0);
	assert_int_equal(machine_attach(&m->device[1], 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_map, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attach, setup, teardown),
		cmocka_unit_test_setup_teardown(test_domain_and_device, setup, teardown),
		cmocka_unit_test_setup_teardown(test_enable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_detach, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Each kind of device, behind each instance, through stage 1, stage 2 and both: what is mapped is reached, the rest not. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "mini.h"

static struct qemu *machine;

#define IOVA 0x12345000ull
#define QUEUES_IOVA 0x20000000ull
#define PAGES 33u

/* A device's address space under test: stage 1, stage 2, or both with stage 2 moving all by a constant. */
struct view {
	struct mini *m;
	struct mini_space s1, s2;
	bool nested, only2;
};

#define IPA_OFFSET 0x1000000000ull

/* @p stages: 1, 2, or 3 for both. */
static struct view make_view(struct mini *m, unsigned stages)
{
	struct view v = {.m = m, .s1 = mini_space(m, 1, 5), .s2 = mini_space(m, 2, 6)};

	v.nested = stages == 3;
	v.only2 = stages == 2;
	return v;
}

static void map_all(struct view *v, uint64_t iova, uint64_t bus)
{
	if (v->only2) {
		mini_map(v->m, &v->s2, iova, bus, MINI_RW);
	} else if (v->nested) {
		mini_map(v->m, &v->s1, iova, bus + IPA_OFFSET, MINI_RW);
		mini_map(v->m, &v->s2, bus + IPA_OFFSET, bus, MINI_RW);
	} else {
		mini_map(v->m, &v->s1, iova, bus, MINI_RW);
	}
}

/* Nested: the walker reads the CD and stage 1's tables through stage 2, so they are mapped there, at themselves. */
static void map_tables(struct view *v, uint64_t first)
{
	uint64_t bus, end = v->m->next;

	for (bus = first; v->nested && bus < end; bus += MINI_PAGE)
		mini_map(v->m, &v->s2, bus, bus, MINI_RW);
}

static void check_event(struct mini_smmu *s, const struct qemu_device *d, uint64_t addr, bool read)
{
	struct smmu_event ev;

	assert_true(mini_event(s, &ev));
	assert_int_equal(ev.type, SMMU_F_TRANSLATION);
	assert_int_equal(ev.sid, d->stream);
	assert_int_equal(ev.addr & ~7ull, addr);
	assert_int_equal(ev.rnw, read);
	assert_int_equal(ev.fault_class, SMMU_EVENT_CLASS_IN);
}

static void check_writes(struct view *v, const struct qemu_device *d, const uint64_t *bus)
{
	struct mini_smmu *s = &v->m->smmu[d->smmu];
	struct qemu_dma dma = {.iova = IOVA, .len = 512, .write = true, .bus = bus[0], .block = 9};

	assert_int_equal(qemu_dma(v->m->q, d, &dma), 0);
	assert_true(dma.landed);
	assert_true(dma.data_ok);
	assert_int_equal(dma.events, 0);
	/* Data that landed elsewhere are told from data that landed here. */
	dma.bus = bus[1];
	assert_int_equal(qemu_dma(v->m->q, d, &dma), 0);
	assert_true(dma.landed);
	assert_false(dma.data_ok);

	dma = (struct qemu_dma){.iova = IOVA - MINI_PAGE, .len = 512, .write = true, .bus = bus[0]};
	assert_int_equal(qemu_dma(v->m->q, d, &dma), 0);
	assert_false(dma.landed);
	assert_false(dma.data_ok);
	assert_true(dma.events > 0);
	check_event(s, d, IOVA - MINI_PAGE, false);
	mini_no_events(s);
}

/* edu fetches from one page and gives back to another: the data made it both ways. */
static void check_edu(struct view *v, const struct qemu_device *d, const uint64_t *bus)
{
	struct mini_smmu *s = &v->m->smmu[d->smmu];
	struct qemu_dma dma = {.iova = IOVA + MINI_PAGE, .len = QEMU_EDU_MAX, .bus = bus[1]};
	unsigned i;

	for (i = 0; i < QEMU_EDU_MAX; i++)
		((uint8_t *)mini_at(v->m, bus[1]))[i] = (uint8_t)(i * 31 + d->stream);
	assert_int_equal(qemu_dma(v->m->q, d, &dma), 0);
	assert_true(dma.landed);
	memset(mini_at(v->m, bus[1]), 0, QEMU_EDU_MAX);
	dma = (struct qemu_dma){.iova = IOVA + 2 * MINI_PAGE,
				.len = QEMU_EDU_MAX,
				.bus = bus[2],
				.write = true,
				.loopback = true};
	assert_int_equal(qemu_dma(v->m->q, d, &dma), 0);
	assert_true(dma.data_ok);
	for (i = 0; i < QEMU_EDU_MAX; i++)
		assert_int_equal(((uint8_t *)mini_at(v->m, bus[2]))[i],
				 (uint8_t)(i * 31 + d->stream));

	dma = (struct qemu_dma){.iova = IOVA - MINI_PAGE, .len = 8, .bus = QEMU_BUS_UNKNOWN};
	assert_int_equal(qemu_dma(v->m->q, d, &dma), 0);
	assert_false(dma.landed);
	check_event(s, d, IOVA - MINI_PAGE, true);
	mini_no_events(s);
}

/* @p len bytes over pages that are not neighbours in memory, in both directions. */
static void check_blocks(struct view *v, const struct qemu_device *d, const uint64_t *bus,
			 unsigned off, unsigned len)
{
	struct qemu_dma dma = {
		.iova = IOVA + off, .len = len, .block = 100, .bus = QEMU_BUS_UNKNOWN};
	uint8_t *disk = qemu_nvme_disk(v->m->q, d) + 100 * QEMU_NVME_BLOCK;
	uint8_t *there[PAGES];
	unsigned i;

	for (i = 0; i < PAGES; i++)
		there[i] = mini_at(v->m, bus[i]);
	for (i = off; i < off + len; i++)
		there[i / MINI_PAGE][i % MINI_PAGE] = (uint8_t)(i * 13 + (i >> 12) + d->stream);
	memset(disk, 0, len);
	assert_int_equal(qemu_dma(v->m->q, d, &dma), 0);
	assert_true(dma.landed);
	for (i = off; i < off + len; i++)
		assert_int_equal(disk[i - off], (uint8_t)(i * 13 + (i >> 12) + d->stream));

	for (i = 0; i < PAGES; i++)
		memset(there[i], 0xee, MINI_PAGE);
	dma.write = true;
	assert_int_equal(qemu_dma(v->m->q, d, &dma), 0);
	assert_true(dma.landed);
	for (i = 0; i < PAGES * MINI_PAGE; i++)
		assert_int_equal(there[i / MINI_PAGE][i % MINI_PAGE],
				 i < off || i >= off + len ? 0xee : disk[i - off]);
}

/* One page, two (the second by its own pointer), and many (by a list). */
static void check_nvme(struct view *v, const struct qemu_device *d, const uint64_t *bus)
{
	check_blocks(v, d, bus, 0, MINI_PAGE);
	check_blocks(v, d, bus, 512, MINI_PAGE);
	check_blocks(v, d, bus, 512, QEMU_NVME_MAX);
}

static void translate(unsigned stages)
{
	struct mini m;
	struct view v;
	uint64_t bus[PAGES], first;
	const struct qemu_device *d;
	unsigned count, i, n, smmu;

	mini_up(&m, machine);
	first = m.next;
	v = make_view(&m, stages);
	for (i = 0; i < PAGES; i++)
		bus[PAGES - 1 - i] = mini_alloc(&m, 1);
	for (i = 0; i < PAGES; i++)
		map_all(&v, IOVA + i * MINI_PAGE, bus[i]);
	d = qemu_devices(machine, &count);
	for (n = 0; n < count; n++)
		for (i = 0; d[n].kind == QEMU_NVME && i < QEMU_NVME_QUEUES; i += MINI_PAGE)
			map_all(&v, QUEUES_IOVA + d[n].smmu * 0x100000ull + i,
				qemu_nvme_queues(machine, &d[n]) + i);
	map_tables(&v, first);
	for (n = 0; n < count; n++)
		mini_attach(&m.smmu[d[n].smmu], d[n].stream, v.only2 ? NULL : &v.s1,
			    v.only2 || v.nested ? &v.s2 : NULL);
	for (n = 0; n < count; n++) {
		if (d[n].kind == QEMU_NVME)
			assert_int_equal(qemu_nvme_start(machine, &d[n],
							 QUEUES_IOVA + d[n].smmu * 0x100000ull),
					 0);
		check_writes(&v, &d[n], bus);
		if (d[n].kind == QEMU_EDU)
			check_edu(&v, &d[n], bus);
		if (d[n].kind == QEMU_NVME)
			check_nvme(&v, &d[n], bus);
	}
	for (smmu = 0; smmu < 2; smmu++) {
		struct smmu_event ev;

		assert_false(mini_event(&m.smmu[smmu], &ev));
	}
}

static void test_stage1(void **state)
{
	translate(1);
}

static void test_stage2(void **state)
{
	translate(2);
}

static void test_nested(void **state)
{
	translate(3);
}

/* An NVMe controller whose queues are not mapped fails, says so, and can be started again. */
static void test_nvme_queues_unmapped(void **state)
{
	struct mini m;
	struct mini_space sp;
	const struct qemu_device *d = qemu_find(machine, 1, 0x907);
	struct qemu_dma dma = {.iova = IOVA, .len = 512, .write = true};
	unsigned i;

	assert_non_null(d);
	assert_int_equal(d->kind, QEMU_NVME);
	mini_up(&m, machine);
	sp = mini_space(&m, 2, 1);
	dma.bus = mini_alloc(&m, 1);
	mini_map(&m, &sp, IOVA, dma.bus, MINI_RW);
	mini_attach(&m.smmu[1], d->stream, NULL, &sp);
	assert_int_equal(qemu_nvme_start(machine, d, QUEUES_IOVA), -SMMU_EIO);
	assert_int_equal(qemu_dma(machine, d, &dma), -SMMU_EINVAL);
	mini_no_events(&m.smmu[1]);
	for (i = 0; i < QEMU_NVME_QUEUES; i += MINI_PAGE)
		mini_map(&m, &sp, QUEUES_IOVA + i, qemu_nvme_queues(machine, d) + i, MINI_RW);
	assert_int_equal(qemu_nvme_start(machine, d, QUEUES_IOVA), 0);
	assert_int_equal(qemu_dma(machine, d, &dma), 0);
	assert_true(dma.data_ok);
}

/* What a device cannot do is an error and not a wrong answer. */
static void test_limits(void **state)
{
	const struct qemu_device *testdev = qemu_find(machine, 0, 0x18);
	const struct qemu_device *edu = qemu_find(machine, 1, 0x901);
	struct qemu_dma dma = {.len = 4, .bus = QEMU_BUS_UNKNOWN};
	struct mini m;

	mini_up(&m, machine);
	assert_int_equal(testdev->kind, QEMU_TESTDEV);
	assert_int_equal(edu->kind, QEMU_EDU);
	assert_int_equal(qemu_dma(machine, testdev, &dma), -SMMU_EINVAL); /* it only writes */
	dma.write = true;
	dma.len = 0;
	assert_int_equal(qemu_dma(machine, testdev, &dma), -SMMU_EINVAL);
	dma.len = QEMU_EDU_MAX + 1;
	assert_int_equal(qemu_dma(machine, edu, &dma), -SMMU_EINVAL);
	dma.len = 8;
	dma.bus = 0x1000; /* not RAM */
	assert_int_equal(qemu_dma(machine, edu, &dma), -SMMU_EINVAL);
	dma.bus = QEMU_BUS_UNKNOWN;
	/* Without event records a refusal of edu would go unnoticed. */
	mini_write(&m.smmu[1], SMMU_CR0, SMMU_CR0_CMDQEN | SMMU_CR0_SMMUEN);
	assert_int_equal(qemu_dma(machine, edu, &dma), -SMMU_EINVAL);
	assert_null(qemu_find(machine, 0, 0x900));
	assert_null(qemu_error(machine));
}

static int set_up(void **state)
{
	machine = mini_open(&(struct qemu_config){.limit_s = 600});
	return 0;
}

static int tear_down(void **state)
{
	qemu_close(machine);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stage1), cmocka_unit_test(test_stage2),
		cmocka_unit_test(test_nested), cmocka_unit_test(test_nvme_queues_unmapped),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

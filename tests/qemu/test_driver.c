/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The library itself on QEMU's SMMUs, unmodified: one domain shared by both instances, of stage 1 and of stage 2. Every
 * DMA is judged by what the domain says at that moment: mapped pages are reached, unmapped ones refused at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <smmuv3/device.h>
#include <smmuv3/hw/cmd.h>
#include <smmuv3/hw/regs.h>

#include "mini.h"
#include "sim_port.h"
#include "random.h"

static struct qemu *machine;

#define DEVICES 4u /* testdevs: two behind each instance */
#define PAGES 32u
#define PAGE 4096ull
#define IOVA 0x80000000ull

struct rig {
	struct smmu_heap heap;
	struct smmu_posix posix;
	struct smmu_port port;
	struct smmu_instance smmu[2];
	struct smmu_device dev[DEVICES];
	const struct qemu_device *hw[DEVICES];
	struct smmu_domain domain[2];
	uint64_t pool; /* PAGES + 1 pages that DMA may reach; the last is never mapped */
};

static void rig_up(struct rig *r, enum smmu_domain_kind kind)
{
	struct smmu_domain_config dc = {.port = &r->port, .kind = kind, .ias = 40, .oas = 40};
	unsigned i, n = 0, count;
	const struct qemu_device *d = qemu_devices(machine, &count);

	memset(r, 0, sizeof(*r));
	assert_int_equal(smmu_heap_init(&r->heap, qemu_ram(machine), 0, 0), 0);
	r->posix.heap = &r->heap;
	r->posix.stderr_level = SMMU_LOG_ERROR;
	sim_port_init(&r->port, &r->posix);
	assert_non_null(smmu_heap_dma_alloc(&r->heap, (PAGES + 1) * PAGE, PAGE, &r->pool));
	for (i = 0; i < 2; i++) {
		struct smmu_instance_config c = {
			.port = &r->port, .mmio = {qemu_bus(machine, i)}, .index = i};

		assert_int_equal(smmu_instance_probe(&r->smmu[i], &c), 0);
		assert_int_equal(smmu_instance_enable(&r->smmu[i]), 0);
		assert_int_equal(smmu_domain_init(&r->domain[i], &dc), 0);
	}
	for (i = 0; i < count && n < DEVICES; i++) {
		struct smmu_device_config c = {
			.instance = &r->smmu[d[i].smmu], .streams = &d[i].stream, .nr_streams = 1};

		if (d[i].kind != QEMU_TESTDEV)
			continue;
		assert_int_equal(smmu_device_init(&r->dev[n], &c), 0);
		r->hw[n++] = &d[i];
	}
	assert_int_equal(n, DEVICES);
}

static void rig_down(struct rig *r)
{
	void *pool = smmu_ram_at(qemu_ram(machine), r->pool, 1);
	unsigned i;

	for (i = 0; i < DEVICES; i++)
		smmu_device_fini(&r->dev[i]);
	for (i = 0; i < 2; i++) {
		assert_int_equal(smmu_domain_fini(&r->domain[i]), 0);
		smmu_instance_remove(&r->smmu[i]);
	}
	smmu_heap_dma_free(&r->heap, pool, (PAGES + 1) * PAGE);
	assert_int_equal(smmu_heap_fini(&r->heap), 0);
	assert_null(qemu_error(machine));
}

static void drain_events(struct rig *r, unsigned smmu)
{
	struct smmu_event ev;

	while (smmu_instance_event(&r->smmu[smmu], &ev))
		;
}

/* DMA of device @p n to @p iova: reaches @p bus, or is refused if that is 0. */
static void judge(struct rig *r, unsigned n, uint64_t iova, uint64_t bus, const char *what)
{
	struct qemu_dma dma = {
		.iova = iova, .len = 4, .write = true, .bus = bus ? bus : r->pool + PAGES * PAGE};

	assert_int_equal(qemu_dma(machine, r->hw[n], &dma), 0);
	if (dma.landed != (bus != 0) || dma.data_ok != dma.landed)
		fail_msg("%s: device %u, iova %#llx: %s, expected %s", what, n,
			 (unsigned long long)iova,
			 dma.data_ok  ? "reached its page"
			 : dma.landed ? "reached another page"
				      : "refused",
			 bus ? "to reach it" : "a refusal");
}

static enum smmu_domain_kind kind_of(void **state)
{
	return (enum smmu_domain_kind)(uintptr_t)*state;
}

/* Map, unmap, attach and detach at random; every page of every device is known to lead somewhere or nowhere. */
static void test_random(void **state)
{
	uint64_t seed = mini_seed(), table[2][PAGES] = {{0}}, iova, landed = 0, refused = 0;
	int attached[DEVICES] = {-1, -1, -1, -1};
	struct smmu_random rng;
	struct rig r;
	unsigned step, i;

	smmu_random_seed(&rng, seed);
	rig_up(&r, kind_of(state));
	for (step = 0; step < 1500; step++) {
		unsigned dom = (unsigned)smmu_random_below(&rng, 2);
		unsigned page = (unsigned)smmu_random_below(&rng, PAGES), to;
		unsigned n = (unsigned)smmu_random_below(&rng, DEVICES);

		iova = IOVA + page * PAGE;
		switch (smmu_random_below(&rng, 10)) {
		case 0:
		case 1:
		case 2:
			if (table[dom][page])
				break;
			to = (unsigned)smmu_random_below(&rng, PAGES);
			assert_int_equal(smmu_map(&r.domain[dom], iova, r.pool + to * PAGE, PAGE,
						  SMMU_PROT_READ | SMMU_PROT_WRITE, 0),
					 0);
			table[dom][page] = r.pool + to * PAGE;
			break;
		case 3:
		case 4:
			if (!table[dom][page])
				break;
			assert_int_equal(smmu_unmap(&r.domain[dom], iova, PAGE, 0), 0);
			table[dom][page] = 0;
			/* At once, on every device that may have it in a cache of its SMMU. */
			for (i = 0; i < DEVICES; i++)
				if (attached[i] == (int)dom)
					judge(&r, i, iova, 0, "after its unmap");
			break;
		case 5:
			if (smmu_random_chance(&rng, 1, 3)) {
				smmu_detach(&r.dev[n]);
				attached[n] = -1;
			} else {
				assert_int_equal(smmu_attach(&r.dev[n], &r.domain[dom]), 0);
				attached[n] = (int)dom;
			}
			break;
		default:
			judge(&r, n, iova, attached[n] < 0 ? 0 : table[attached[n]][page], "DMA");
			*(attached[n] >= 0 && table[attached[n]][page] ? &landed : &refused) += 1;
			break;
		}
		if (step % 50 == 0) {
			drain_events(&r, 0);
			drain_events(&r, 1);
		}
	}
	assert_true(landed > 50);
	assert_true(refused > 50);
	rig_down(&r);
}

static void note(void *ctx, unsigned smmu, enum qemu_irq which)
{
	((unsigned *)ctx)[smmu] |= 1u << which;
}

/* A refused DMA comes up as an interrupt of its instance, and the driver takes the event. */
static void test_event(void **state)
{
	unsigned irqs[2], i;
	struct smmu_event ev;
	struct rig r;

	rig_up(&r, kind_of(state));
	for (i = 0; i < DEVICES; i++) {
		assert_int_equal(smmu_attach(&r.dev[i], &r.domain[0]), 0);
		memset(irqs, 0, sizeof(irqs));
		qemu_irq_dispatch(machine, note, irqs);
		memset(irqs, 0, sizeof(irqs));
		judge(&r, i, IOVA, 0, "nothing mapped");
		assert_true(qemu_irq_dispatch(machine, note, irqs));
		assert_int_equal(irqs[r.hw[i]->smmu], 1u << QEMU_IRQ_EVENTQ);
		assert_int_equal(irqs[!r.hw[i]->smmu], 0);
		assert_int_equal(smmu_instance_event(&r.smmu[r.hw[i]->smmu], &ev), 1);
		assert_int_equal(ev.type, SMMU_F_TRANSLATION);
		assert_int_equal(ev.sid, r.hw[i]->stream);
		assert_int_equal(ev.addr, IOVA);
		assert_int_equal(smmu_instance_event(&r.smmu[r.hw[i]->smmu], &ev), 0);
	}
	rig_down(&r);
}

int main(void)
{
	void *s1 = (void *)(uintptr_t)SMMU_DOMAIN_STAGE1,
	     *s2 = (void *)(uintptr_t)SMMU_DOMAIN_STAGE2;
	const struct CMUnitTest tests[] = {
		{"random_stage1", test_random, NULL, NULL, s1},
		{"random_stage2", test_random, NULL, NULL, s2},
		{"event_stage1", test_event, NULL, NULL, s1},
		{"event_stage2", test_event, NULL, NULL, s2},
	};
	int rc;

	machine = mini_open(&(struct qemu_config){
		.limit_s = 600, .testdevs = 2, .no_edu = true, .no_nvme = true});
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	qemu_close(machine);
	return rc;
}

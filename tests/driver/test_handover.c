/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Before and after the driver: streams that firmware has set going never fault while the SMMU is enabled and while their devices take
 * them over; and an SMMU is left aborting, passing, or with its tables.
 */
#include <smmuv3/handover.h>
#include <smmuv3/reset.h>

#include "../../src/driver/driver.h"

#include "landing.h"

#define PAGE(n) ((uint64_t)(n) << 12)
#define RW (SMMU_PROT_READ | SMMU_PROT_WRITE)
/* Where firmware's buffers lie, mapped one to one. */
#define BUFFER 0x60000000ull
#define SCREEN 7u
#define DISK 8u
#define NIC 300u

static struct rig rig;
static struct smmu_instance *const inst = &rig.smmu[0].inst;
static struct smmu_domain identity, s1, s2, other;

/* ---- DMA that has to land at each moment ---- */

static bool lands(uint32_t stream)
{
	const struct smmu_dma d = {.stream = stream, .iova = BUFFER};
	struct smmu_dma_result r = smmu_model_dma(rig.model, &d);

	return r.ok && r.pa == BUFFER;
}

/* ---- machine ---- */

static void domain(struct smmu_domain *d, enum smmu_domain_kind kind)
{
	rig_domain(&rig, d, kind);
	if (kind != SMMU_DOMAIN_IDENTITY)
		assert_int_equal(smmu_map(d, BUFFER, BUFFER, 0x10000, RW, 0), 0);
}

/** @p stalls: they may, and what is cached goes at any time, so that memory shows before anybody is told of it. */
static void open_with(uint32_t port_flags, bool stalls)
{
	struct smmu_model_config c = rig_config();
	struct smmu_instance_config cfg;

	c.gbpa_abort = false;
	if (stalls) {
		c.stall_model = 0;
		c.cfg_evict_permille = 1000;
	}
	rig_open(&rig, &c, 1);
	rig.port.flags |= port_flags;
	cfg = rig_instance_config(&rig, 0, 0);
	assert_int_equal(smmu_instance_probe(inst, &cfg), 0);
	domain(&identity, SMMU_DOMAIN_IDENTITY);
	domain(&s1, SMMU_DOMAIN_STAGE1);
	domain(&s2, SMMU_DOMAIN_STAGE2);
	domain(&other, SMMU_DOMAIN_STAGE1);
}

static const struct smmu_reserved *list(void)
{
	static struct smmu_reserved l[3];

	l[0] = (struct smmu_reserved){SCREEN, &identity};
	l[1] = (struct smmu_reserved){DISK, &s1};
	l[2] = (struct smmu_reserved){NIC, &s2};
	return l;
}

static void finish(void)
{
	landing_end(&rig);
	assert_int_equal(smmu_instance_remove(inst), 0);
	assert_int_equal(smmu_domain_fini(&identity), 0);
	assert_int_equal(smmu_domain_fini(&s1), 0);
	assert_int_equal(smmu_domain_fini(&s2), 0);
	assert_int_equal(smmu_domain_fini(&other), 0);
	rig_close(&rig);
}

/* ---- registers, past the driver ---- */

static void set_cr0(uint32_t value)
{
	rig.smmu[0].model->ops->write32(rig.smmu[0].model->ctx, SMMU_CR0, value);
	while (rig_reg(&rig, SMMU_CR0ACK) != value)
		smmu_relax(&inst->mmio);
}

/* ---- reserved streams ---- */

static void test_never_faults(void **state)
{
	struct rig_device two, nic;

	for (unsigned lse2 = 0; lse2 < 2; lse2++) {
		open_with(lse2 ? SMMU_PORT_LSE2 : 0, false);
		landing_watch(&rig, lands, SCREEN, DISK, NIC);
		assert_true(lands(20));
		assert_int_equal(smmu_instance_enable_reserved(inst, list(), 3), 0);
		assert_true(landing_looks > 20);
		assert_false(lands(20));
		assert_null(smmu_instance_find_device(inst, DISK));
		assert_int_equal(smmu_domain_fini(&s1), -SMMU_EBUSY);
		/* A device whose two streams were two reserved ones, and one from stage 2 to stage 1. */
		rig_device(&rig, &two, 0, SCREEN, 2, false, 0);
		rig_device(&rig, &nic, 0, NIC, 1, false, 4);
		assert_ptr_equal(smmu_instance_find_device(inst, DISK), &two.dev);
		assert_int_equal(smmu_attach(&two.dev, &other), 0);
		assert_int_equal(smmu_attach(&nic.dev, &other), 0);
		/* What the stand-ins had is free, and an unmap of it concerns nobody. */
		rig_log_reset(&rig);
		assert_int_equal(smmu_unmap(&s1, BUFFER, 0x10000, 0), 0);
		assert_int_equal(smmu_unmap(&s2, BUFFER, 0x10000, 0), 0);
		assert_string_equal(rig_log(&rig), "");
		landing_end(&rig);
		assert_int_equal(smmu_unmap(&other, BUFFER, 0x1000, 0), 0);
		rig_refused(&two, BUFFER);
		rig_refused(&nic, BUFFER);
		assert_true(rig_dma(&two, 1, -1, BUFFER + 0x1000, NULL));
		smmu_device_fini(&two.dev);
		assert_false(lands(SCREEN));
		rig_device(&rig, &two, 0, SCREEN, 2, false, 0);
		assert_false(lands(SCREEN));
		finish();
	}
}

/* ---- an unmap while the stream is led away ---- */

static struct smmu_domain *led_from;
static struct rig_device led, third;
static uint32_t led_id;
static unsigned led_unmaps;

/** After each store to its STE: the SMMU has all of the old domain in its caches, and then a page of that is unmapped. */
static void unmap_when_led(const void *p)
{
	const struct smmu_dma old = {.stream = led.streams[led.nr - 1], .iova = BUFFER + PAGE(1)};
	uint64_t at = (uint64_t)((const char *)p - (const char *)led.dev.streams->ste[led.nr - 1]);

	if (rig_pair || at >= sizeof(struct smmu_ste))
		return;
	rig_store_hook = NULL;
	smmu_heap_fail(&rig.heap, 0, 0);
	/* Whoever is attached to the old domain meanwhile has the VMID of that. */
	if (!led_unmaps++ && led_from == &s2) {
		assert_int_equal(smmu_attach(&third.dev, led_from), 0);
		assert_int_equal(third.dev.own->id, led_id);
		assert_true(lands(third.streams[0]));
	}
	smmu_model_dma(rig.model, &old);
	assert_int_equal(smmu_unmap(led_from, old.iova, PAGE(1), 0), 0);
	assert_false(smmu_model_dma(rig.model, &old).ok);
	assert_true(lands(led.streams[led.nr - 1]));
	assert_int_equal(smmu_map(led_from, old.iova, old.iova, PAGE(1), RW, 0), 0);
	rig_store_hook = unmap_when_led;
}

/**
 * From stage 2 to stage 1, and back, the old tables are for a while in use under the VMID of the new: an unmap by the old domain
 * takes what the TLB holds of them under that, too.
 */
static void test_unmap_while_led(void **state)
{
	struct smmu_domain to[2], *const from[2] = {&s2, &s1};
	const struct smmu_reserved reserved[] = {{DISK, &other}, {DISK + 1, &s1}, {NIC, &s2}};
	struct smmu_device *dev = &led.dev;
	unsigned nth;
	int error;

	for (unsigned n = 0; n < 8; n++) {
		unsigned stage2 = n & 1;

		open_with(n & 2 ? SMMU_PORT_LSE2 : 0, true);
		domain(&to[0], SMMU_DOMAIN_STAGE1);
		domain(&to[1], SMMU_DOMAIN_STAGE2);
		assert_int_equal(smmu_unmap(&to[stage2], BUFFER + PAGE(1), PAGE(1), 0), 0);
		assert_int_equal(smmu_instance_enable_reserved(inst, reserved, 3), 0);
		led_from = from[stage2];
		led_unmaps = 0;
		rig_device(&rig, &led, 0, stage2 ? DISK : NIC, 1 + stage2, false, 0);
		rig_device(&rig, &third, 0, 20, 1, false, 0);
		led_id = inst->stand_ins->dev.own->id;
		for (nth = 1;; nth++) {
			smmu_heap_fail(&rig.heap, nth, 0);
			rig_store_hook = unmap_when_led;
			error = n & 4 ? smmu_attach_many(&dev, 1, &to[stage2], NULL)
				      : smmu_attach(dev, &to[stage2]);
			rig_store_hook = NULL;
			if (!error)
				break;
			assert_int_equal(error, -SMMU_ENOMEM);
			assert_int_equal(led_unmaps, 0);
			assert_int_equal(to[stage2].users, 0);
			assert_true(lands(led.streams[led.nr - 1]));
			/* Another domain next time, with another id. */
			assert_int_equal(smmu_domain_fini(&to[stage2]), 0);
			domain(&to[stage2], stage2 ? SMMU_DOMAIN_STAGE2 : SMMU_DOMAIN_STAGE1);
			assert_int_equal(smmu_unmap(&to[stage2], BUFFER + PAGE(1), PAGE(1), 0), 0);
		}
		smmu_heap_fail(&rig.heap, 0, 0);
		assert_true(nth > 3 + stage2);
		assert_true(led_unmaps >= 2);
		smmu_device_fini(&third.dev);
		/* It does not follow any more, and has left nothing behind. */
		rig_log_reset(&rig);
		assert_int_equal(smmu_unmap(led_from, BUFFER, 0x10000, 0), 0);
		assert_string_equal(rig_log(&rig), "");
		smmu_device_fini(&led.dev);
		assert_int_equal(smmu_domain_fini(&to[0]), 0);
		assert_int_equal(smmu_domain_fini(&to[1]), 0);
		finish();
	}
}

/** Several, each with something less in the caches. */
static bool lands_often(uint32_t stream)
{
	for (unsigned i = 0; i < 8; i++) {
		smmu_model_speculate(rig.model, 0);
		smmu_model_speculate(rig.model, 0);
		if (!lands(stream))
			return false;
	}
	return true;
}

/** To a device whose accesses may stall, which the stand-in's never do: no CD that stalls meets an STE in which that is ILLEGAL. */
static void test_stalls_from_now_on(void **state)
{
	for (unsigned lse2 = 0; lse2 < 2; lse2++) {
		static uint32_t stream = DISK;
		const struct smmu_device_config cfg = {
			.instance = inst, .streams = &stream, .nr_streams = 1, .stalls = true};
		const struct smmu_dma away = {.stream = DISK, .iova = 0x1000};
		struct smmu_device disk;

		open_with(lse2 ? SMMU_PORT_LSE2 : 0, true);
		landing_watch(&rig, lands_often, DISK, 0, 0);
		assert_int_equal(smmu_instance_enable_reserved(inst, list(), 3), 0);
		assert_false(smmu_model_dma(rig.model, &away).stalled);
		assert_int_equal(smmu_device_init(&disk, &cfg), 0);
		assert_int_equal(smmu_attach(&disk, &other), 0);
		landing_end(&rig);
		assert_true(smmu_model_dma(rig.model, &away).stalled);
		smmu_device_fini(&disk);
		finish();
	}
}

static void on_access_blocked(struct rig_smmu *s, bool write, uint32_t offset)
{
	assert_false(lands(20));
	landing_looks++;
}

/** A former owner that has an SMMU enabled with a table of one STE, so that every other stream aborts; and a GBPA that passes. */
static void run_former_owner(struct smmu_cmd *queue, uint64_t bus)
{
	const struct smmu_bus *b = rig.smmu[0].model;

	b->ops->write32(b->ctx, SMMU_CR1, 0xd75);
	b->ops->write32(b->ctx, SMMU_CR2, 2);
	b->ops->write64(b->ctx, SMMU_CMDQ_BASE, bus | 3);
	b->ops->write32(b->ctx, SMMU_CMDQ_PROD, 0);
	b->ops->write32(b->ctx, SMMU_CMDQ_CONS, 0);
	b->ops->write64(b->ctx, SMMU_STRTAB_BASE, bus + 2048);
	b->ops->write32(b->ctx, SMMU_STRTAB_BASE_CFG, 0);
	set_cr0(SMMU_CR0_CMDQEN);
	queue[0] = smmu_cmd_cfgi_all();
	queue[1] = smmu_cmd_tlbi_nsnh_all();
	queue[2] = smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE);
	b->ops->write32(b->ctx, SMMU_CMDQ_PROD, 3);
	while (rig_reg(&rig, SMMU_CMDQ_CONS) != 3)
		smmu_relax(&inst->mmio);
	set_cr0(SMMU_CR0_CMDQEN | SMMU_CR0_SMMUEN);
	mmio_check_former_owner(&rig.smmu[0].check, SMMU_CR0_CMDQEN | SMMU_CR0_SMMUEN, 0);
	rig.smmu[0].check.queues_may_go = true;
}

/** Found enabled: nobody gets through while the registers are taken over. */
static void test_found_enabled(void **state)
{
	const struct smmu_port *port = &rig.port;
	uint64_t bus;
	void *old;

	open_with(0, false);
	old = port->ops->dma_alloc(port->ctx, 4096, 4096, 0, &bus);
	assert_non_null(old);
	run_former_owner(old, bus);
	landing_looks = 0;
	rig.on_access = on_access_blocked;
	assert_int_equal(smmu_instance_enable_reserved(inst, list(), 3), 0);
	landing_end(&rig);
	assert_true(landing_looks > 20);
	assert_true(lands(SCREEN) && lands(DISK) && lands(NIC));
	port->ops->dma_free(port->ctx, old, 4096);
	finish();
}

/** Whoever clears SMMUEN later: nothing passes then, though the GBPA of before passed. */
static void test_abort_when_off(void **state)
{
	uint32_t cr0;

	open_with(0, false);
	assert_int_equal(smmu_instance_enable_reserved(inst, list(), 3), 0);
	cr0 = rig_reg(&rig, SMMU_CR0);
	set_cr0(cr0 & ~(uint32_t)SMMU_CR0_SMMUEN);
	assert_false(lands(20));
	assert_false(lands(SCREEN));
	set_cr0(cr0);
	assert_true(lands(SCREEN));
	finish();
}

/** Unmaps of a reserved stream's domain reach the SMMU as long as its stand-in is there, and also while a device waits. */
static void test_unmap(void **state)
{
	struct rig_device disk;

	open_with(0, false);
	assert_int_equal(smmu_instance_enable_reserved(inst, list(), 3), 0);
	rig_device(&rig, &disk, 0, DISK, 1, false, 0);
	assert_true(lands(DISK));
	assert_int_equal(smmu_unmap(&s1, BUFFER, 0x1000, 0), 0);
	assert_false(lands(DISK));
	finish();
}

/** A device that goes before it was attached leaves the stream as it was; one that is detached lets it abort. */
static void test_not_attached(void **state)
{
	struct rig_device disk, again;

	open_with(0, false);
	assert_int_equal(smmu_instance_enable_reserved(inst, list(), 3), 0);
	landing_watch(&rig, lands, SCREEN, DISK, NIC);
	for (unsigned i = 0; i < 2; i++) {
		rig_device(&rig, &disk, 0, DISK, 1, false, 0);
		assert_int_equal(rig_device_try(&rig, &again, 0, DISK, 1, false, 0), -SMMU_EEXIST);
		smmu_device_fini(&disk.dev);
	}
	assert_int_equal(smmu_domain_fini(&s1), -SMMU_EBUSY);
	landing_watch(&rig, lands, SCREEN, NIC, 0);
	rig_device(&rig, &disk, 0, DISK, 1, false, 0);
	smmu_detach(&disk.dev);
	assert_false(lands(DISK));
	/* The stand-in, which had the stream again twice, has gone for good. */
	rig_expect_array(&rig, &s1, "");
	assert_int_equal(smmu_unmap(&s1, BUFFER, 0x10000, 0), 0);
	smmu_device_fini(&disk.dev);
	assert_false(lands(DISK));
	finish();
}

/**
 * A device that was cut off before it was attached, for a reset or as it is gone: nothing leads to the stand-in's domain any more, and
 * the stand-in has nothing to come back to.
 */
static void test_cut_off(void **state)
{
	struct rig_device dev[2];

	for (unsigned silent = 0; silent < 2; silent++) {
		open_with(0, false);
		assert_int_equal(smmu_instance_enable_reserved(inst, list(), 3), 0);
		rig_device(&rig, &dev[0], 0, DISK, 1, false, 0);
		rig_device(&rig, &dev[1], 0, NIC, 1, false, 0);
		assert_true(lands(DISK) && lands(NIC));
		rig.smmu[0].frozen = silent;
		assert_int_equal(smmu_device_reset_prepare(&dev[0].dev), silent ? -SMMU_EIO : 0);
		smmu_device_gone(&dev[1].dev);
		/* What the SMMU has not confirmed is not done. */
		assert_int_equal(lands(DISK) || lands(NIC), silent);
		assert_int_equal(smmu_domain_fini(&s1), silent ? -SMMU_EBUSY : 0);
		assert_int_equal(smmu_domain_fini(&s2), silent ? -SMMU_EBUSY : 0);
		smmu_device_fini(&dev[1].dev);
		rig.smmu[0].frozen = false;
		if (silent)
			assert_int_equal(smmu_instance_revive(inst), 0);
		assert_int_equal(smmu_domain_fini(&s1), 0);
		assert_int_equal(smmu_domain_fini(&s2), 0);
		assert_int_equal(smmu_device_reset_done(&dev[0].dev), 0);
		assert_false(lands(DISK) || lands(NIC));
		assert_int_equal(smmu_attach(&dev[0].dev, &other), 0);
		assert_true(lands(DISK));
		finish();
	}
}

/** The queue is not served at the first attach: nothing is given up before the SMMU has confirmed. */
static void test_not_confirmed(void **state)
{
	struct rig_device dev[2];

	open_with(0, false);
	assert_int_equal(smmu_instance_enable_reserved(inst, list(), 3), 0);
	assert_true(lands(DISK));
	for (unsigned gone = 0; gone < 2; gone++) {
		rig_device(&rig, &dev[gone], 0, gone ? NIC : DISK, 1, false, 0);
		rig.smmu[0].frozen = true;
		assert_int_equal(smmu_attach(&dev[gone].dev, &other), -SMMU_EIO);
		assert_int_equal(smmu_domain_fini(gone ? &s2 : &s1), -SMMU_EBUSY);
		if (gone)
			smmu_device_fini(&dev[gone].dev);
		rig.smmu[0].frozen = false;
		assert_int_equal(smmu_instance_revive(inst), 0);
		if (!gone)
			assert_int_equal(smmu_attach(&dev[gone].dev, &other), 0);
		assert_int_equal(lands(gone ? NIC : DISK), !gone);
	}
	assert_int_equal(smmu_domain_fini(&s1), 0);
	assert_int_equal(smmu_domain_fini(&s2), 0);
	finish();
}

/**
 * The same, and then the SMMU is removed and does not confirm that it is off. The STE aborts in memory, which the device that wanted
 * the stream saw to, and what the SMMU has cached of it leads to the stand-in's domain.
 */
static void test_not_confirmed_nor_off(void **state)
{
	struct rig_device disk;

	for (unsigned gone = 0; gone < 2; gone++) {
		open_with(0, false);
		assert_int_equal(smmu_instance_enable_reserved(inst, list(), 3), 0);
		assert_true(lands(DISK));
		rig_device(&rig, &disk, 0, DISK, 1, false, 0);
		rig.smmu[0].frozen = true;
		assert_int_equal(smmu_attach(&disk.dev, &other), -SMMU_EIO);
		if (gone)
			smmu_device_fini(&disk.dev);
		rig.smmu[0].deaf = SMMU_CR0;
		assert_int_equal(smmu_instance_remove(inst), -SMMU_ETIMEDOUT);
		assert_true(lands(DISK));
		assert_int_equal(smmu_domain_fini(&s1), -SMMU_EBUSY);
		assert_int_equal(smmu_unmap(&s1, BUFFER, 0x1000, 0), -SMMU_EIO);
		rig.smmu[0].deaf = 0;
		rig.smmu[0].frozen = false;
		finish();
	}
}

static void test_errors(void **state)
{
	struct smmu_reserved twice[2];
	unsigned n;

	open_with(0, false);
	twice[0] = twice[1] = list()[1];
	assert_int_equal(smmu_instance_enable_reserved(inst, twice, 2), -SMMU_EEXIST);
	assert_false(lands(DISK));
	assert_int_equal(smmu_domain_fini(&s1), 0);
	domain(&s1, SMMU_DOMAIN_STAGE1);
	twice[0].stream = 1 << 20;
	assert_int_equal(smmu_instance_enable_reserved(inst, twice, 1), -SMMU_ERANGE);
	twice[0].domain = NULL;
	assert_int_equal(smmu_instance_enable_reserved(inst, twice, 1), -SMMU_EINVAL);
	finish();
	/* It dies at each register write; and then it is there again. */
	for (n = 1;; n++) {
		int error;

		open_with(0, false);
		rig.smmu[0].die_after = n;
		error = smmu_instance_enable_reserved(inst, list(), 3);
		rig.smmu[0].die_after = 0;
		if (!error)
			break;
		assert_true(rig.smmu[0].gone);
		rig.smmu[0].gone = false;
		assert_int_equal(smmu_instance_remove(inst), 0);
		rig.smmu[0].gone = false;
		assert_int_equal(smmu_instance_enable_reserved(inst, list(), 3), 0);
		assert_true(lands(DISK) && lands(NIC) && lands(SCREEN));
		finish();
	}
	assert_true(n > 20);
	finish();
}

/* ---- leaving ---- */

/** In bypass: what an identity domain let pass passes at each moment, and what was blocked passes then. */
static void test_leave_in_bypass(void **state)
{
	struct rig_device disk, nic;

	open_with(0, false);
	rig.smmu[0].check.may_pass = true;
	assert_int_equal(smmu_instance_enable_reserved(inst, list(), 1), 0);
	rig_device(&rig, &disk, 0, DISK, 1, false, 0);
	assert_int_equal(smmu_attach(&disk.dev, &identity), 0);
	rig_device(&rig, &nic, 0, NIC, 1, true, 0);
	assert_int_equal(smmu_attach(&nic.dev, &other), 0);
	assert_true(nic.ats);
	landing_watch(&rig, lands, SCREEN, DISK, 0);
	assert_false(lands(20));
	assert_int_equal(smmu_instance_hand_over(inst, SMMU_HAND_OVER_BYPASS), 0);
	landing_look();
	landing_end(&rig);
	assert_true(lands(20));
	assert_false(nic.ats);
	assert_int_equal(rig_reg(&rig, SMMU_CR0ACK), 0);
	assert_int_equal(smmu_instance_hand_over(inst, SMMU_HAND_OVER_BYPASS), -SMMU_ENODEV);
	smmu_device_fini(&disk.dev);
	smmu_device_fini(&nic.dev);
	/* And the next owner can have it. */
	assert_int_equal(smmu_instance_enable(inst), 0);
	assert_false(lands(20));
	assert_int_equal(smmu_instance_hand_over(inst, SMMU_HAND_OVER_ABORT), 0);
	assert_false(lands(20));
	finish();
}

/** With its tables: traffic goes on, by what the domains map, and nobody is told of anything any more. */
static void test_leave_tables(void **state)
{
	struct rig_device disk;

	open_with(0, false);
	rig.smmu[0].check.queues_may_go = true;
	assert_int_equal(smmu_instance_enable_reserved(inst, list(), 3), 0);
	rig_device(&rig, &disk, 0, DISK, 1, false, 0);
	landing_watch(&rig, lands, SCREEN, DISK, NIC);
	assert_int_equal(smmu_attach(&disk.dev, &other), 0);
	assert_int_equal(smmu_instance_hand_over(inst, 99), -SMMU_EINVAL);
	assert_int_equal(smmu_instance_hand_over(inst, SMMU_HAND_OVER_TABLES), 0);
	landing_look();
	assert_int_equal(rig_reg(&rig, SMMU_CR0ACK), SMMU_CR0_SMMUEN | SMMU_CR0_ATSCHK);
	assert_int_equal(smmu_instance_gerror(inst), 0);
	landing_end(&rig);
	assert_int_equal(smmu_unmap(&other, BUFFER, 0x1000, 0), -SMMU_EIO);
	assert_int_equal(smmu_domain_fini(&other), -SMMU_EBUSY);
	assert_int_equal(smmu_instance_remove(inst), 0);
	assert_false(lands(DISK));
	smmu_device_fini(&disk.dev);
	finish();
}

/** An SMMU is taken away under its devices: their domain goes on behind the other one, and names the first no more. */
static void test_domain_goes_on(void **state)
{
	struct smmu_model_config c = rig_config();
	struct rig_device here, there;

	rig_open(&rig, &c, 2);
	rig_up(&rig, 0, 0);
	rig_up(&rig, 1, 0);
	domain(&s1, SMMU_DOMAIN_STAGE1);
	rig_device(&rig, &here, 0, 5, 2, true, 4);
	rig_device(&rig, &there, 1, 6, 1, true, 0);
	assert_int_equal(smmu_attach(&here.dev, &s1), 0);
	assert_int_equal(smmu_attach_pasid(&here.dev, 3, &s1), 0);
	assert_int_equal(smmu_attach(&there.dev, &s1), 0);
	rig_expect(&here, BUFFER, BUFFER);
	rig_expect(&there, BUFFER, BUFFER);
	assert_int_equal(smmu_instance_remove(inst), 0);
	rig_refused(&here, BUFFER);
	assert_int_equal(smmu_attach(&here.dev, &s1), -SMMU_ENODEV);
	rig_log_reset(&rig);
	assert_int_equal(smmu_unmap(&s1, BUFFER, 0x1000, 0), 0);
	assert_null(strstr(rig_log(&rig), "0:"));
	rig_refused(&there, BUFFER);
	rig_expect(&there, BUFFER + 0x1000, BUFFER + 0x1000);
	rig_up(&rig, 0, 0);
	smmu_device_fini(&here.dev);
	rig_device(&rig, &here, 0, 5, 2, true, 4);
	assert_int_equal(smmu_attach(&here.dev, &s1), 0);
	rig_refused(&here, BUFFER);
	rig_expect(&here, BUFFER + 0x1000, BUFFER + 0x1000);
	smmu_device_fini(&here.dev);
	smmu_device_fini(&there.dev);
	assert_int_equal(smmu_domain_fini(&s1), 0);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_never_faults),
		cmocka_unit_test(test_unmap_while_led),
		cmocka_unit_test(test_found_enabled),
		cmocka_unit_test(test_abort_when_off),
		cmocka_unit_test(test_unmap),
		cmocka_unit_test(test_not_attached),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_not_confirmed),
		cmocka_unit_test(test_not_confirmed_nor_off),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_leave_in_bypass),
		cmocka_unit_test(test_leave_tables),
		cmocka_unit_test(test_domain_goes_on),
		cmocka_unit_test(test_stalls_from_now_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

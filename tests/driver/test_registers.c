/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking registers over and letting go of them: the order of writes, former owners, registers that do not answer. The rig's
 * checker (mmio_check.c) holds each access to the protocol besides.
 */
#include "rig.h"

static struct rig rig;
static struct smmu_instance *const inst = &rig.smmu[0].inst;

static void set64(uint32_t offset, uint64_t value)
{
	rig.smmu[0].model->ops->write64(rig.smmu[0].model->ctx, offset, value);
}

/* ---- order ---- */

/** What enable and remove write, in order, on parts that have everything, and nothing. */
static void test_order(void **state)
{
	struct smmu_model_config c = rig_config();

	rig_open(&rig, &c, 1);
	rig_probe(&rig);
	assert_int_equal(smmu_instance_enable(inst), 0);
	assert_string_equal(
		rig.smmu[0].check.text,
		"GBPA=ABORT IRQ_CTRL=0 CR0=0 GERRORN CR1 CR2 STRTAB_BASE STRTAB_BASE_CFG "
		"CMDQ_BASE CMDQ_PROD CMDQ_CONS EVENTQ_BASE EVENTQ_PROD EVENTQ_CONS "
		"PRIQ_BASE PRIQ_PROD PRIQ_CONS "
		"GERROR_IRQ_CFG0 GERROR_IRQ_CFG1 GERROR_IRQ_CFG2 "
		"EVENTQ_IRQ_CFG0 EVENTQ_IRQ_CFG1 EVENTQ_IRQ_CFG2 "
		"PRIQ_IRQ_CFG0 PRIQ_IRQ_CFG1 PRIQ_IRQ_CFG2 IRQ_CTRL=GERROR|PRIQ|EVENTQ "
		"CR0=PRIQEN|EVENTQEN|CMDQEN|ATSCHK CR0=SMMUEN|PRIQEN|EVENTQEN|CMDQEN|ATSCHK");
	rig.smmu[0].check.at = 0;
	/* Somebody else has been at GBPA meanwhile: streams must not pass for that. */
	rig_set_reg(&rig, SMMU_GBPA, (uint32_t)SMMU_GBPA_UPDATE);
	rig_settle(&rig);
	assert_int_equal(smmu_instance_remove(inst), 0);
	assert_string_equal(rig.smmu[0].check.text,
			    "GBPA=ABORT CR0=PRIQEN|EVENTQEN|CMDQEN|ATSCHK IRQ_CTRL=0 CR0=0");
	assert_false(rig_access(&rig, 3));
	rig_close(&rig);

	c.pri = c.ats = c.msi = c.hyp = c.coherent = false;
	rig_open(&rig, &c, 1);
	rig_probe(&rig);
	assert_int_equal(smmu_instance_enable(inst), 0);
	assert_string_equal(
		rig.smmu[0].check.text,
		"GBPA=ABORT IRQ_CTRL=0 CR0=0 GERRORN CR1 CR2 STRTAB_BASE STRTAB_BASE_CFG "
		"CMDQ_BASE CMDQ_PROD CMDQ_CONS EVENTQ_BASE EVENTQ_PROD EVENTQ_CONS "
		"IRQ_CTRL=GERROR|EVENTQ CR0=EVENTQEN|CMDQEN CR0=SMMUEN|EVENTQEN|CMDQEN");
	rig_close(&rig);
}

/** What the registers hold: attributes by coherence, E2H off, foreign TLB maintenance off only where it exists. */
static void test_values(void **state)
{
	for (unsigned coherent = 0; coherent < 2; coherent++) {
		struct smmu_model_config c = rig_config();

		c.coherent = coherent;
		c.hyp = true;
		rig_open(&rig, &c, 1);
		rig_set_reg(&rig, SMMU_CR2, 1);
		rig_up(&rig, 0, 0);
		/* Write-back and inner shareable, or not cached and outer shareable. */
		assert_int_equal(rig_reg(&rig, SMMU_CR1), coherent ? 0xd75 : 0x820);
		assert_int_equal(rig_reg(&rig, SMMU_CR2), SMMU_CR2_RECINVSID);
		/* RA and WA go with the caches. */
		assert_int_equal(rig_reg(&rig, SMMU_CMDQ_BASE + 4) >> 30 & 1, coherent);
		assert_int_equal(rig_reg(&rig, SMMU_EVENTQ_BASE + 4) >> 30 & 1, coherent);
		assert_int_equal(rig_reg(&rig, SMMU_PRIQ_BASE + 4) >> 30 & 1, coherent);
		assert_int_equal(rig_reg(&rig, SMMU_STRTAB_BASE + 4) >> 30 & 1, 1);
		rig_close(&rig);
	}
}

static uint32_t with_btm(struct rig_smmu *s, uint32_t offset, uint32_t value)
{
	return offset == SMMU_IDR0 ? value | (uint32_t)SMMU_IDR0_BTM : value;
}

static uint32_t cr2;

static void note_cr2(struct rig_smmu *s, uint32_t offset, uint64_t value)
{
	if (offset == SMMU_CR2)
		cr2 = (uint32_t)value;
}

static void test_broadcast_off(void **state)
{
	struct smmu_model_config c = rig_config();

	c.strict = 0;
	rig_open(&rig, &c, 1);
	rig.smmu[0].patch_read = with_btm;
	rig.smmu[0].patch_write = note_cr2;
	rig.smmu[0].check.idr0 |= (uint32_t)SMMU_IDR0_BTM;
	rig_up(&rig, 0, 0);
	assert_int_equal(cr2, SMMU_CR2_RECINVSID | SMMU_CR2_PTM);
	rig_close(&rig);
}

/** ATSCHK is on wherever it exists: without it any device passes that says it has translated by itself. */
static void test_ats_is_checked(void **state)
{
	for (unsigned quirk = 0; quirk < 2; quirk++) {
		struct smmu_model_config c = rig_config();

		rig_open(&rig, &c, 1);
		rig_up(&rig, 0, quirk ? SMMU_QUIRK_NO_ATS : 0);
		assert_true(rig_reg(&rig, SMMU_CR0ACK) & SMMU_CR0_ATSCHK);
		rig_close(&rig);
	}
}

/* ---- a former owner ---- */

#define FORMER_STREAMS 512u

/** Somebody left the SMMU running: every stream passes, interrupts go to memory that is ours by now. */
static void former_owner(uint64_t *doorbell_bus)
{
	const uint32_t on =
		(uint32_t)(SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN | SMMU_CR0_PRIQEN | SMMU_CR0_SMMUEN);
	uint64_t table_bus, ring_bus;
	struct smmu_ste *table = smmu_heap_dma_alloc(&rig.heap, FORMER_STREAMS * 64,
						     FORMER_STREAMS * 64, &table_bus);
	struct smmu_cmd *ring = smmu_heap_dma_alloc(&rig.heap, 4096, 4096, &ring_bus);

	for (unsigned i = 0; i < FORMER_STREAMS; i++)
		table[i].w[0] =
			SMMU_STE_W0_V | smmu_field_prep(SMMU_STE_W0_CONFIG, SMMU_STE_CONFIG_BYPASS);
	CHECK(smmu_heap_dma_alloc(&rig.heap, 4096, 4096, doorbell_bus));
	ring[0] = smmu_cmd_cfgi_all();
	ring[1] = smmu_cmd_tlbi_nsnh_all();
	ring[2] = smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE);
	rig_set_reg(&rig, SMMU_CR1, 0xd75);
	rig_set_reg(&rig, SMMU_CR2, 3);
	set64(SMMU_STRTAB_BASE, table_bus);
	rig_set_reg(&rig, SMMU_STRTAB_BASE_CFG, 9);
	set64(SMMU_CMDQ_BASE, ring_bus | 4);
	rig_set_reg(&rig, SMMU_CMDQ_PROD, 0);
	rig_set_reg(&rig, SMMU_CMDQ_CONS, 0);
	set64(SMMU_EVENTQ_BASE, (ring_bus + 1024) | 4);
	rig_set_reg(&rig, SMMU_EVENTQ_PROD, 7);
	rig_set_reg(&rig, SMMU_EVENTQ_CONS, 7);
	set64(SMMU_PRIQ_BASE, (ring_bus + 2048) | 4);
	rig_set_reg(&rig, SMMU_PRIQ_PROD, 5);
	rig_set_reg(&rig, SMMU_PRIQ_CONS, 5);
	for (unsigned i = 0; i < 3; i++) {
		uint32_t cfg0 = (uint32_t[]){SMMU_GERROR_IRQ_CFG0, SMMU_EVENTQ_IRQ_CFG0,
					     SMMU_PRIQ_IRQ_CFG0}[i];

		set64(cfg0, *doorbell_bus);
		rig_set_reg(&rig, cfg0 + 8, 0x55);
		rig_set_reg(&rig, cfg0 + 12, 0xf);
	}
	rig_set_reg(&rig, SMMU_IRQ_CTRL, 7);
	rig_settle(&rig);
	rig_set_reg(&rig, SMMU_CR0, on & ~(uint32_t)SMMU_CR0_SMMUEN);
	rig_settle(&rig);
	rig_set_reg(&rig, SMMU_CMDQ_PROD, 3);
	rig_settle(&rig);
	rig_set_reg(&rig, SMMU_CR0, on);
	rig_settle(&rig);
	for (unsigned i = 0; i < FORMER_STREAMS; i += 5)
		CHECK(rig_access(&rig, i));
	mmio_check_former_owner(&rig.smmu[0].check, on, 7);
}

static bool disabled;
static unsigned landed;

/** From the moment on when the driver has seen SMMUEN as 0, no stream reaches memory. */
static void watch(struct rig_smmu *s, bool write, uint32_t offset)
{
	if (!disabled && !write && offset == SMMU_CR0ACK && !(s->check.cr0 & SMMU_CR0_SMMUEN) &&
	    !(s->check.cr0ack & SMMU_CR0_SMMUEN))
		disabled = true;
	if (!disabled)
		return;
	/* A stream of which the SMMU holds the old STE, and one of which it does not. */
	landed += rig_access(&rig, 5) + rig_access(&rig, 6);
}

/** A start over a live former owner, whose configuration the caches hold. Twice: from its state, and in mid-change. */
static void test_former_owner(void **state)
{
	for (unsigned pending = 0; pending < 2; pending++) {
		struct smmu_model_config c = rig_config();
		struct rig_device d;
		struct smmu_event event;
		uint64_t doorbell;

		c.garbage = true;
		c.cr_split = true;
		c.strict = 0;
		rig_open(&rig, &c, 1);
		former_owner(&doorbell);
		if (pending) {
			/* Its last write is not acknowledged yet. */
			rig.smmu[0].check.cr0ack = rig.smmu[0].check.cr0;
			rig_set_reg(&rig, SMMU_CR0, 0xd);
			rig.smmu[0].check.cr0 = 0xd;
		}
		disabled = false;
		landed = 0;
		rig.on_access = watch;
		rig_up(&rig, 0, 0);
		rig.on_access = NULL;
		assert_int_equal(landed, 0);
		for (uint32_t i = 0; i < FORMER_STREAMS; i++)
			assert_false(rig_access(&rig, i));
		while (smmu_instance_event(inst, &event))
			;
		/* Events of ours make no interrupt of its. */
		rig_device(&rig, &d, 0, 5, 1, false, 0);
		assert_false(rig_access(&rig, 600));
		rig_settle(&rig);
		assert_int_equal(smmu_instance_event(inst, &event), 1);
		assert_int_equal(*(uint32_t *)smmu_ram_at(&rig.ram, doorbell, 4), 0);
		/* What it had is not ours to free. */
		assert_int_equal(smmu_instance_remove(inst), 0);
		assert_int_equal(rig.heap.dma_blocks, 3);
		assert_int_equal(rig.smmu[0].check.problems, 0);
		sim_rcu_drain(&rig.posix.rcu);
		rig_abandon(&rig);
	}
}

/* ---- enhanced command queues of a former owner ---- */

#define PAGES 2u
#define QUEUES 4u
#define PAGE0 0x40000u
static uint32_t ecmdq[PAGES][QUEUES][2]; /* PROD, CONS */
static bool cr1_sticks;

static uint32_t ecmdq_read(struct rig_smmu *s, uint32_t offset, uint32_t value)
{
	uint32_t at = offset - PAGE0, q = at % 0x10000 / (0x10000 / QUEUES);

	if (offset == SMMU_IDR1)
		return value | (uint32_t)SMMU_IDR1_ECMDQ;
	if (offset == SMMU_IDR6)
		return 2u << 16 | 1u << 24;
	if (offset == SMMU_CR1 && cr1_sticks)
		return 0xd75;
	if (offset < PAGE0 || at / 0x10000 >= PAGES)
		return value;
	return ecmdq[at / 0x10000][q][(offset & 15) == SMMU_ECMDQ_CONS];
}

static uint64_t ecmdq_page(struct rig_smmu *s, uint32_t offset, uint64_t value)
{
	if (offset == 0x4000 || offset == 0x4020)
		return (PAGE0 + (offset - 0x4000) / 32 * 0x10000ull) | 3;
	return value;
}

static void ecmdq_write(struct rig_smmu *s, uint32_t offset, uint64_t value)
{
	uint32_t at = offset - PAGE0, q = at % 0x10000 / (0x10000 / QUEUES);

	if (offset < PAGE0)
		return;
	CHECK((offset & 15) == SMMU_ECMDQ_PROD);
	/* It may be written while EN and ENACK agree. */
	CHECK(!((ecmdq[at / 0x10000][q][0] ^ ecmdq[at / 0x10000][q][1]) & SMMU_ECMDQ_EN));
	ecmdq[at / 0x10000][q][0] = (uint32_t)value;
	ecmdq[at / 0x10000][q][1] = (ecmdq[at / 0x10000][q][1] & ~(uint32_t)SMMU_ECMDQ_EN) |
				    ((uint32_t)value & (uint32_t)SMMU_ECMDQ_EN);
}

static void test_ecmdq(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_instance_config cfg;

	for (unsigned reach = 0; reach < 2; reach++)
		for (unsigned on = 0; on < 2; on++) {
			rig_open(&rig, &c, 1);
			rig.smmu[0].patch_read = ecmdq_read;
			rig.smmu[0].patch_read64 = ecmdq_page;
			rig.smmu[0].patch_write = ecmdq_write;
			memset(ecmdq, 0, sizeof(ecmdq));
			ecmdq[0][3][0] = ecmdq[0][3][1] = on ? 0x80000011u : 0x11;
			ecmdq[1][0][0] = ecmdq[1][0][1] = on ? 0x80000007u : 0;
			cr1_sticks = on && !reach;
			cfg = rig_instance_config(&rig, 0, 0);
			cfg.mmio_size = reach ? 0x60000 : 0x50000;
			assert_int_equal(smmu_instance_probe(inst, &cfg), 0);
			if (on && !reach) {
				assert_int_equal(smmu_instance_enable(inst), -SMMU_EBUSY);
				assert_true(smmu_posix_logged(&rig.posix, "mmio_size"));
				assert_int_equal(smmu_heap_live(&rig.heap), 0);
			} else {
				assert_int_equal(smmu_instance_enable(inst), 0);
			}
			for (unsigned p = 0; reach && p < PAGES; p++)
				for (unsigned q = 0; q < QUEUES; q++)
					assert_false(ecmdq[p][q][0] & SMMU_ECMDQ_EN);
			/* Its error acknowledge and index stay. */
			if (reach)
				assert_int_equal(ecmdq[0][3][0], 0x11);
			cr1_sticks = false;
			rig_close(&rig);
		}
}

/* ---- messages ---- */

static void test_msi(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_instance_config cfg;
	struct smmu_event event;
	uint64_t doorbell;

	rig_open(&rig, &c, 1);
	CHECK(smmu_heap_dma_alloc(&rig.heap, 4096, 4096, &doorbell));
	cfg = rig_instance_config(&rig, 0, 0);
	cfg.event_msi =
		(struct smmu_msi){doorbell + 8, 0x1234, SMMU_MEMATTR_NORMAL_WB, SMMU_SH_ISH};
	cfg.gerror_msi = (struct smmu_msi){doorbell + 16, 7, SMMU_MEMATTR_DEVICE_NGNRE, 0};
	assert_int_equal(smmu_instance_probe(inst, &cfg), 0);
	assert_int_equal(smmu_instance_enable(inst), 0);
	assert_int_equal(rig_reg(&rig, SMMU_EVENTQ_IRQ_CFG0), (uint32_t)doorbell + 8);
	assert_int_equal(rig_reg(&rig, SMMU_EVENTQ_IRQ_CFG1), 0x1234);
	assert_int_equal(rig_reg(&rig, SMMU_EVENTQ_IRQ_CFG2), 0x3f);
	assert_int_equal(rig_reg(&rig, SMMU_GERROR_IRQ_CFG0), (uint32_t)doorbell + 16);
	assert_int_equal(rig_reg(&rig, SMMU_GERROR_IRQ_CFG1), 7);
	assert_int_equal(rig_reg(&rig, SMMU_GERROR_IRQ_CFG2), 1);
	assert_int_equal(rig_reg(&rig, SMMU_PRIQ_IRQ_CFG0), 0);
	assert_int_equal(rig_reg(&rig, SMMU_PRIQ_IRQ_CFG2), 0);
	assert_false(rig_access(&rig, 600));
	rig_settle(&rig);
	assert_int_equal(*(uint32_t *)smmu_ram_at(&rig.ram, doorbell + 8, 4), 0x1234);
	assert_int_equal(smmu_instance_event(inst, &event), 1);
	assert_int_equal(smmu_instance_remove(inst), 0);
	smmu_heap_dma_free(&rig.heap, smmu_ram_at(&rig.ram, doorbell, 1), 4096);
	rig_close(&rig);

	/* What no SMMU can write is refused, with the numbers; what is no address as well. */
	c.oas = 40;
	rig_open(&rig, &c, 1);
	cfg = rig_instance_config(&rig, 0, 0);
	cfg.pri_msi.address = 1ull << 40;
	assert_int_equal(smmu_instance_probe(inst, &cfg), -SMMU_ERANGE);
	assert_true(smmu_posix_logged(&rig.posix, "0x10000000000"));
	assert_true(smmu_posix_logged(&rig.posix, "40 bits (IDR5.OAS)"));
	cfg.pri_msi.address = 0x1002;
	assert_int_equal(smmu_instance_probe(inst, &cfg), -SMMU_EINVAL);
	cfg.pri_msi.address = (1ull << 40) - 4;
	assert_int_equal(smmu_instance_probe(inst, &cfg), 0);
	rig_close(&rig);
	c.msi = false;
	rig_open(&rig, &c, 1);
	cfg = rig_instance_config(&rig, 0, 0);
	cfg.gerror_msi.address = 0x1000;
	assert_int_equal(smmu_instance_probe(inst, &cfg), -SMMU_EOPNOTSUPP);
	assert_true(smmu_posix_logged(&rig.posix, "IDR0.MSI"));
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),         cmocka_unit_test(test_values),
		cmocka_unit_test(test_broadcast_off), cmocka_unit_test(test_ats_is_checked),
		cmocka_unit_test(test_former_owner),  cmocka_unit_test(test_ecmdq),
		cmocka_unit_test(test_msi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the SMMU itself does to memory: MSIs, records, whose memory it is, and what it sees of it.
 */
#include "rig.h"

#include <string.h>

/** The misuse @p text was noted. */
static void expect_misuse(struct rig *rig, const char *text)
{
	for (unsigned n = 0; n < smmu_model_misuse_count(rig->model, 0); n++) {
		const char *found = smmu_model_misuse(rig->model, 0, n);

		if (found && strstr(found, text))
			return;
	}
	fail_msg("no misuse \"%s\", but \"%s\"", text,
		 smmu_model_misuse_count(rig->model, 0) ? smmu_model_misuse(rig->model, 0, 0)
							: "(none)");
}

struct bell {
	uint64_t addr;
	uint32_t data;
	unsigned rung, irqs[4];
};

static bool on_msi(void *ctx, unsigned instance, uint64_t bus, uint32_t data)
{
	struct bell *bell = ctx;

	if (bus != 0x8000040)
		return false;
	bell->addr = bus;
	bell->data = data;
	bell->rung++;
	return true;
}

static void on_irq(void *ctx, unsigned instance, enum smmu_model_irq irq)
{
	((struct bell *)ctx)->irqs[irq]++;
}

static void msi_at(struct rig *rig, uint32_t cfg0, uint64_t addr, uint32_t data)
{
	rig_write(rig, 0, SMMU_IRQ_CTRL, 0);
	rig_wait(rig, 0, SMMU_IRQ_CTRLACK, UINT32_MAX, 0);
	rig_write64(rig, 0, cfg0, addr);
	rig_write(rig, 0, cfg0 + 8, data);
	rig_write(rig, 0, cfg0 + 12, 0);
	rig_write(rig, 0, SMMU_IRQ_CTRL, 7);
	rig_wait(rig, 0, SMMU_IRQ_CTRLACK, UINT32_MAX, 7);
}

/** MSIs of each source: to memory, to a doorbell, aborted; cut to OAS; and no others. */
static void test_msi(void **state)
{
	struct bell bell = {0};
	struct smmu_model_hooks hooks = {.ctx = &bell, .irq = on_irq, .msi = on_msi};
	struct smmu_model_config c = rig_config();
	struct smmu_model_device *dev;
	struct rig rig;
	uint64_t word;

	c.oas = 36;
	c.wired = false;
	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, &hooks, 1);
	rig_up(&rig, 0);
	dev = smmu_model_device(rig.model, 0, 3, true);
	word = rig_alloc(&rig, 64, 64);

	/* Address 0: none, and there are no wires. */
	rig_refused(&rig, 0, 3, 0x1000, SMMU_C_BAD_STE);
	rig_expect_event(&rig, 0, SMMU_C_BAD_STE, 3);
	assert_int_equal(bell.irqs[SMMU_MODEL_IRQ_EVENTQ], 0);

	msi_at(&rig, SMMU_EVENTQ_IRQ_CFG0, word + 4 + (1ULL << 40), 0x51);
	rig_refused(&rig, 0, 3, 0x1000, SMMU_C_BAD_STE);
	assert_int_equal(rig_load(&rig, word), 0x5100000000);
	assert_int_equal(bell.irqs[SMMU_MODEL_IRQ_EVENTQ], 1);
	rig_refused(&rig, 0, 3, 0x1000, SMMU_C_BAD_STE); /* not empty before: no other */
	assert_int_equal(bell.irqs[SMMU_MODEL_IRQ_EVENTQ], 1);
	rig_expect_event(&rig, 0, SMMU_C_BAD_STE, 3);
	rig_expect_event(&rig, 0, SMMU_C_BAD_STE, 3);

	msi_at(&rig, SMMU_PRIQ_IRQ_CFG0, 0x8000040, 0x52);
	assert_true(smmu_model_page_request(dev, false, 0, 0x1000, false, 1));
	assert_int_equal(bell.rung, 1);
	assert_int_equal(bell.data, 0x52);
	assert_int_equal(bell.irqs[SMMU_MODEL_IRQ_PRIQ], 1);

	/* Nobody there. */
	msi_at(&rig, SMMU_EVENTQ_IRQ_CFG0, 0x9000000, 0x53);
	msi_at(&rig, SMMU_GERROR_IRQ_CFG0, word + 8, 0x54);
	rig_refused(&rig, 0, 3, 0x1000, SMMU_C_BAD_STE);
	assert_int_equal(rig_read(&rig, 0, SMMU_GERROR), SMMU_GERROR_MSI_EVENTQ_ABT_ERR);
	assert_int_equal(bell.irqs[SMMU_MODEL_IRQ_EVENTQ], 1);
	assert_int_equal(rig_load(&rig, word + 8), 0x54);
	rig_write(&rig, 0, SMMU_GERRORN, SMMU_GERROR_MSI_EVENTQ_ABT_ERR);
	msi_at(&rig, SMMU_GERROR_IRQ_CFG0, 0x9000000, 0x55);
	rig_cmd(&rig, 0, smmu_cmd_sync_msi(0x1000, 1, 0, 0));
	assert_true(smmu_model_settle(rig.model, 1000000));
	assert_int_equal(rig_read(&rig, 0, SMMU_GERROR) ^ rig_read(&rig, 0, SMMU_GERRORN),
			 SMMU_GERROR_MSI_CMDQ_ABT_ERR | SMMU_GERROR_MSI_GERROR_ABT_ERR);
	rig_close(&rig);
}

static bool is_live(void *ctx, uint64_t bus, size_t len)
{
	return !*(uint64_t *)ctx || bus < *(uint64_t *)ctx || bus >= *(uint64_t *)ctx + 4096;
}

/** Each access of the SMMU itself asks whether the memory is anybody's. */
static void test_live(void **state)
{
	uint64_t freed = 0;
	struct smmu_model_hooks hooks = {.ctx = &freed, .live = is_live};
	struct smmu_model_config c = rig_config();
	struct rig rig;
	struct rig_table t;
	uint64_t w[8], cd;

	for (unsigned n = 0; n < 6; n++) {
		freed = 0;
		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, &hooks, 1);
		rig_up(&rig, 0);
		t = rig_table(&rig, 1, 12, 48);
		cd = rig_cd(&rig, rig_alloc(&rig, 4096, 4096), &t, 5);
		rig_ste_s1(w, cd, 0, 0);
		rig_ste(&rig, 0, 1, w);
		rig_map(&rig, &t, 0x1000, 0x9000, 3, RIG_NG);
		switch (n) {
		case 0:
			freed = rig.in[0].cmdq.base;
			rig_sync(&rig, 0);
			expect_misuse(&rig, "reads a command");
			break;
		case 1:
			freed = rig.in[0].eventq.base;
			rig_refused(&rig, 0, 2, 0, SMMU_C_BAD_STE);
			expect_misuse(&rig, "writes an event");
			break;
		case 2:
			freed = rig.in[0].strtab & ~4095ULL;
			rig_expect(&rig, 0, 1, 0x1000, 0x9000);
			expect_misuse(&rig, "reads an STE");
			break;
		case 3:
			freed = cd;
			rig_expect(&rig, 0, 1, 0x1000, 0x9000);
			expect_misuse(&rig, "reads a CD");
			break;
		case 4:
			freed = rig_slot(&rig, &t, 0x1000, 2) & ~4095ULL;
			rig_expect(&rig, 0, 1, 0x1000, 0x9000);
			expect_misuse(&rig, "reads a translation table");
			break;
		case 5:
			freed = rig_alloc(&rig, 4096, 4096);
			rig_cmd(&rig, 0, smmu_cmd_sync_msi(freed, 1, 0, 0));
			assert_true(smmu_model_settle(rig.model, 1000000));
			expect_misuse(&rig, "writes an MSI");
			break;
		}
		rig_close_anyway(&rig);
	}
}

/** Records come later than their accesses, in order, and all of them before a CMD_SYNC completes (4.7.3). */
static void test_late_events(void **state)
{
	unsigned late = 0;

	for (unsigned seed = 0; seed < 20; seed++) {
		struct smmu_model_config c = rig_config();
		struct rig rig;

		c.event_late_ns = 10000;
		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, seed);
		rig_up(&rig, 0);
		for (unsigned n = 0; n < 8; n++)
			rig_refused(&rig, 0, n, 0x1000, SMMU_C_BAD_STE);
		late += rig_read(&rig, 0, SMMU_EVENTQ_PROD) == 0;
		rig_sync(&rig, 0);
		assert_int_equal(rig_read(&rig, 0, SMMU_EVENTQ_PROD), 8);
		for (unsigned n = 0; n < 8; n++)
			rig_expect_event(&rig, 0, SMMU_C_BAD_STE, n);
		/* And by themselves in the end. */
		rig_refused(&rig, 0, 9, 0x1000, SMMU_C_BAD_STE);
		assert_true(smmu_model_settle(rig.model, 1000000));
		rig_expect_event(&rig, 0, SMMU_C_BAD_STE, 9);
		rig_close(&rig);
	}
	assert_true(late > 5);
}

/** A freed stream table, CD and page table are all taken for something, and lead to the canary. */
static void test_poison(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_dma_result r;
	struct rig rig;
	struct rig_table t;
	uint64_t w[8], line[8], canary;

	for (unsigned n = 0; n < 3; n++) {
		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
		rig_up(&rig, 0);
		canary = rig_alloc(&rig, 4096, 4096);
		smmu_model_canary(smmu_ram_at(&rig.ram, canary, 4096), canary);
		smmu_model_poison(line, canary);
		t = rig_table(&rig, 1, 12, 48);
		rig_map(&rig, &t, 0x1000, 0x9000, 3, RIG_NG);
		rig_ste_s1(w, rig_cd(&rig, 0, &t, 5), 0, 0);
		switch (n) {
		case 0:
			rig_ste(&rig, 0, 1, line);
			break;
		case 1:
			memcpy(smmu_ram_at(&rig.ram, w[0] & ~63ULL, 64), line, 64);
			rig_ste(&rig, 0, 1, w);
			break;
		case 2:
			rig_ste(&rig, 0, 1, w);
			/* The last table: entry 1 is the second word. */
			for (unsigned i = 0; i < 64; i++)
				memcpy(smmu_ram_at(&rig.ram,
						   (rig_slot(&rig, &t, 0x1000, 3) & ~4095ULL) +
							   i * 64,
						   64),
				       line, 64);
			break;
		}
		r = rig_dma(&rig, 0, 1, 0x1000, false);
		assert_true(r.ok);
		assert_int_equal(r.pa, n ? canary : 0x1000);
		rig_close(&rig);
	}
}

/** An instance that is not coherent sees memory of its own; what is missing then is a clean. */
static void not_coherent(unsigned n)
{
	static uint8_t behind[RIG_RAM_SIZE];
	struct smmu_model_config c = rig_config();
	struct smmu_ram ram = {.va = behind, .base = RIG_RAM_BASE, .size = RIG_RAM_SIZE};
	struct smmu_dma dma = {.stream = 1, .iova = 0x1000};
	struct smmu_dma_result r;
	struct rig rig;
	struct rig_table t;
	uint64_t w[8], cd, slot, mine, theirs;

	c.coherent = n > 0;
	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	t = rig_table(&rig, 1, 12, 48);
	cd = rig_cd(&rig, 0, &t, 5);
	if (n == 2)
		rig_store(&rig, cd, rig_load(&rig, cd) | 1 << 8 | 1 << 10 | 3 << 12);
	rig_ste_s1(w, cd, 0, 0);
	rig_ste(&rig, 0, 1, w);
	rig_map(&rig, &t, 0x1000, 0x9000, 3, RIG_NG);
	memcpy(behind, rig.ram.va, RIG_RAM_SIZE);
	slot = rig_slot(&rig, &t, 0x1000, 3);
	rig_store(&rig, slot, rig_load(&rig, slot) + 0x1000);
	smmu_model_set_ram(rig.model, 0, &ram);
	r = smmu_model_dma(rig.model, &dma);
	assert_true(r.ok && r.truth_pa == 0xa000);
	assert_int_equal(r.pa, n == 2 ? 0xa000 : 0x9000);
	assert_string_equal(smmu_model_missing(&r), n == 2 ? "none" : "clean");
	/* What it writes it writes there as well. */
	rig_refused(&rig, 0, 2, 0x1000, SMMU_C_BAD_STE);
	assert_int_equal(rig_read(&rig, 0, SMMU_EVENTQ_PROD), 1);
	mine = rig_load(&rig, rig.in[0].eventq.base);
	theirs = *(uint64_t *)(behind + (rig.in[0].eventq.base - RIG_RAM_BASE));
	assert_true(n ? mine && !theirs : !mine && theirs);
	rig_close(&rig);
}

/** The same for a part that is not, and one whose CD says that its tables are not; not for one that snoops. */
static void test_not_coherent(void **state)
{
	for (unsigned n = 0; n < 3; n++)
		not_coherent(n);
}

struct caller {
	struct rig rig;
	bool armed;
};

static bool call_back(void *ctx, uint64_t bus, size_t len)
{
	struct caller *c = ctx;

	if (c->armed) {
		c->armed = false;
		rig_read(&c->rig, 0, SMMU_IDR0);
	}
	return true;
}

/** A callback that runs inside a call must not call the model: with the virtual clock no lock keeps it out. */
static void test_call_back(void **state)
{
	struct caller caller = {.armed = false};
	struct smmu_model_hooks hooks = {.ctx = &caller, .live = call_back};
	struct smmu_model_config c = rig_config();

	rig_open(&caller.rig, &c, 1, SMMU_MODEL_VIRTUAL, &hooks, 1);
	rig_up(&caller.rig, 0);
	rig_sync(&caller.rig, 0);
	assert_int_equal(smmu_model_misuse_count(caller.rig.model, 0), 0);
	caller.armed = true;
	rig_refused(&caller.rig, 0, 2, 0, SMMU_C_BAD_STE);
	assert_false(caller.armed);
	expect_misuse(&caller.rig, "in the middle of another");
	rig_close_anyway(&caller.rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_msi),          cmocka_unit_test(test_live),
		cmocka_unit_test(test_late_events),  cmocka_unit_test(test_poison),
		cmocka_unit_test(test_not_coherent), cmocka_unit_test(test_call_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

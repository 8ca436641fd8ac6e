/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers between reset, write and acknowledgement.
 */
#include "rig.h"

#include <string.h>

#define SEEDS 40

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

/** All that 6.3 leaves UNKNOWN differs from seed to seed; what resets to 0 is 0. */
static void test_garbage(void **state)
{
	static const uint32_t unknown[] = {
		SMMU_CR1,
		SMMU_STRTAB_BASE,
		SMMU_STRTAB_BASE_CFG,
		SMMU_CMDQ_BASE,
		SMMU_CMDQ_PROD,
		SMMU_CMDQ_CONS,
		SMMU_EVENTQ_BASE,
		SMMU_EVENTQ_PROD,
		SMMU_EVENTQ_CONS,
		SMMU_PRIQ_BASE,
		SMMU_PRIQ_PROD,
		SMMU_PRIQ_CONS,
		SMMU_GERROR_IRQ_CFG0,
		SMMU_GERROR_IRQ_CFG1,
		SMMU_GERROR_IRQ_CFG2,
		SMMU_EVENTQ_IRQ_CFG0,
		SMMU_EVENTQ_IRQ_CFG1,
		SMMU_EVENTQ_IRQ_CFG2,
		SMMU_PRIQ_IRQ_CFG0,
		SMMU_PRIQ_IRQ_CFG1,
		SMMU_PRIQ_IRQ_CFG2,
	};
	static const uint32_t zero[] = {SMMU_CR0,  SMMU_CR0ACK, SMMU_IRQ_CTRL, SMMU_IRQ_CTRLACK,
					SMMU_GBPA, SMMU_GERROR, SMMU_GERRORN};
	uint32_t seen[sizeof(unknown) / 4][SEEDS];

	for (unsigned seed = 0; seed < SEEDS; seed++) {
		struct smmu_model_config c = rig_config();
		struct rig rig;

		c.garbage = true;
		c.strict = SMMU_STRICT_ALL;
		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, seed);
		for (unsigned i = 0; i < sizeof(unknown) / 4; i++)
			seen[i][seed] = rig_read(&rig, 0, unknown[i]);
		for (unsigned i = 0; i < sizeof(zero) / 4; i++)
			assert_int_equal(rig_read(&rig, 0, zero[i]), 0);
		/* A bring-up that owns every register does not notice. */
		rig_up(&rig, 0);
		rig_refused(&rig, 0, 3, 0x1234, SMMU_C_BAD_STE);
		rig_expect_event(&rig, 0, SMMU_C_BAD_STE, 3);
		rig_sync(&rig, 0);
		rig_close(&rig);
	}
	for (unsigned i = 0; i < sizeof(unknown) / 4; i++) {
		bool differ = false;

		for (unsigned seed = 1; seed < SEEDS; seed++)
			differ |= seen[i][seed] != seen[i][0];
		if (!differ)
			fail_msg("register %#x is %#x for every seed", unknown[i], seen[i][0]);
	}
}

/** A function over registers that nobody wrote is a misuse, one register at a time. */
static void test_unknown(void **state)
{
	static const struct {
		uint32_t cr0, irq, left_out;
		const char *text;
	} rows[] = {
		{SMMU_CR0_CMDQEN, 0, SMMU_CMDQ_BASE, "CMDQ enabled"},
		{SMMU_CR0_CMDQEN, 0, SMMU_CMDQ_PROD, "CMDQ enabled"},
		{SMMU_CR0_CMDQEN, 0, SMMU_CMDQ_CONS, "CMDQ enabled"},
		{SMMU_CR0_CMDQEN, 0, SMMU_CR1, "CR1.QUEUE"},
		{SMMU_CR0_EVENTQEN, 0, SMMU_EVENTQ_PROD, "EVENTQ enabled"},
		{SMMU_CR0_PRIQEN, 0, SMMU_PRIQ_CONS, "PRIQ enabled"},
		{SMMU_CR0_SMMUEN, 0, SMMU_CR1, "SMMUEN with"},
		{SMMU_CR0_SMMUEN, 0, SMMU_CR2, "SMMUEN with"},
		{SMMU_CR0_SMMUEN, 0, SMMU_STRTAB_BASE, "SMMUEN with"},
		{SMMU_CR0_SMMUEN, 0, SMMU_STRTAB_BASE_CFG, "SMMUEN with"},
		{0, 1, SMMU_GERROR_IRQ_CFG0, "GERROR interrupts"},
		{0, 4, SMMU_EVENTQ_IRQ_CFG0, "EVENTQ interrupts"},
		{0, 4, SMMU_EVENTQ_IRQ_CFG1, "EVENTQ interrupts"},
		{0, 4, SMMU_EVENTQ_IRQ_CFG2, "EVENTQ interrupts"},
		{0, 2, SMMU_PRIQ_IRQ_CFG2, "PRIQ interrupts"},
	};
	static const uint32_t all[] = {
		SMMU_CR1,
		SMMU_CR2,
		SMMU_STRTAB_BASE,
		SMMU_STRTAB_BASE_CFG,
		SMMU_CMDQ_BASE,
		SMMU_CMDQ_PROD,
		SMMU_CMDQ_CONS,
		SMMU_EVENTQ_BASE,
		SMMU_EVENTQ_PROD,
		SMMU_EVENTQ_CONS,
		SMMU_PRIQ_BASE,
		SMMU_PRIQ_PROD,
		SMMU_PRIQ_CONS,
		SMMU_GERROR_IRQ_CFG0,
		SMMU_EVENTQ_IRQ_CFG0,
		SMMU_EVENTQ_IRQ_CFG1,
		SMMU_EVENTQ_IRQ_CFG2,
		SMMU_PRIQ_IRQ_CFG0,
		SMMU_PRIQ_IRQ_CFG2,
	};

	for (unsigned n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		struct smmu_model_config c = rig_config();
		struct rig rig;

		c.strict = SMMU_STRICT_UNKNOWN;
		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, n);
		for (unsigned i = 0; i < sizeof(all) / 4; i++)
			if (all[i] != rows[n].left_out)
				rig_write(&rig, 0, all[i],
					  all[i] == SMMU_EVENTQ_IRQ_CFG0 ? 0x1000 : 0);
		if (rows[n].cr0) {
			rig_write(&rig, 0, SMMU_CR0, rows[n].cr0);
			rig_wait(&rig, 0, SMMU_CR0ACK, UINT32_MAX, rows[n].cr0);
		} else {
			rig_write(&rig, 0, SMMU_IRQ_CTRL, rows[n].irq);
			rig_wait(&rig, 0, SMMU_IRQ_CTRLACK, UINT32_MAX, rows[n].irq);
		}
		expect_misuse(&rig, rows[n].text);
		rig_close_anyway(&rig);
	}
}

/**
 * One write clears SMMUEN and ATSCHK: for some seeds a forged translated access passes in between, for none after
 * SMMUEN was acknowledged first; and GBPA is obeyed from some moment of its Update on.
 */
static void test_fields(void **state)
{
	unsigned split = 0, early = 0, late = 0;

	for (unsigned seed = 0; seed < 200; seed++) {
		struct smmu_model_config c = rig_config();
		struct rig rig;
		uint32_t first;
		bool seen[2] = {false, false};

		c.cr_split = true;
		c.ack_ns = 1000;
		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, seed);
		rig_up(&rig, 0);
		first = rig_read(&rig, 0, SMMU_CR0ACK);
		rig_write(&rig, 0, SMMU_CR0, SMMU_CR0_EVENTQEN | SMMU_CR0_CMDQEN);
		assert_int_equal(rig_read(&rig, 0, SMMU_CR0), SMMU_CR0_EVENTQEN | SMMU_CR0_CMDQEN);
		for (unsigned n = 0; n < 40; n++) {
			uint32_t ack = rig_read(&rig, 0, SMMU_CR0ACK);
			struct smmu_dma dma = {.stream = 3, .iova = 0x1000};

			/* Neither old nor new as a whole. */
			split += ack != first && ack != (SMMU_CR0_EVENTQEN | SMMU_CR0_CMDQEN);
			/* Off is seen by a transaction that passes. */
			seen[0] |= (ack & SMMU_CR0_SMMUEN) && smmu_model_probe(rig.model, &dma).ok;
			if (!(ack & SMMU_CR0_SMMUEN))
				assert_true(smmu_model_probe(rig.model, &dma).ok);
			smmu_model_advance(rig.model, smmu_model_now(rig.model) + 100);
		}
		assert_int_equal(rig_read(&rig, 0, SMMU_CR0ACK),
				 SMMU_CR0_EVENTQEN | SMMU_CR0_CMDQEN);
		early += seen[0];
		/* GBPA is read back as written at once. */
		rig_write(&rig, 0, SMMU_GBPA, (uint32_t)(SMMU_GBPA_UPDATE | SMMU_GBPA_ABORT));
		for (unsigned n = 0; n < 40; n++) {
			uint32_t gbpa = rig_read(&rig, 0, SMMU_GBPA);
			struct smmu_dma dma = {.stream = 3, .iova = 0x1000};
			bool ok = smmu_model_probe(rig.model, &dma).ok;

			assert_true(gbpa & SMMU_GBPA_ABORT);
			if (!(gbpa & (uint32_t)SMMU_GBPA_UPDATE))
				assert_false(ok);
			else
				seen[1] |= !ok;
			smmu_model_advance(rig.model, smmu_model_now(rig.model) + 100);
		}
		late += seen[1];
		rig_close(&rig);
	}
	assert_true(split > 100);
	assert_true(early > 20 && early < 200);
	assert_true(late > 20 && late < 200);
}

/** A field may not change again before it was acknowledged; others may. */
static void test_again(void **state)
{
	struct smmu_model_config c = rig_config();
	struct rig rig;

	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_write(&rig, 0, SMMU_CR0, SMMU_CR0_EVENTQEN);
	rig_write(&rig, 0, SMMU_CR0, SMMU_CR0_EVENTQEN | SMMU_CR0_CMDQEN);
	rig_wait(&rig, 0, SMMU_CR0ACK, UINT32_MAX, SMMU_CR0_EVENTQEN | SMMU_CR0_CMDQEN);
	assert_int_equal(smmu_model_misuse_count(rig.model, 0), 0);
	rig_write(&rig, 0, SMMU_CR0, SMMU_CR0_CMDQEN);
	rig_write(&rig, 0, SMMU_CR0, SMMU_CR0_EVENTQEN | SMMU_CR0_CMDQEN);
	expect_misuse(&rig, "CR0 bits 0x4 changed again");
	/* v3.2: the first value stays. */
	rig_wait(&rig, 0, SMMU_CR0ACK, UINT32_MAX, SMMU_CR0_CMDQEN);
	assert_int_equal(rig_read(&rig, 0, SMMU_CR0), SMMU_CR0_CMDQEN);
	rig_write(&rig, 0, SMMU_IRQ_CTRL, 1);
	rig_write(&rig, 0, SMMU_IRQ_CTRL, 0);
	expect_misuse(&rig, "IRQ_CTRL bits 0x1 changed again");
	rig_close_anyway(&rig);

	/* RES0 where the feature is missing. */
	c.ats = c.pri = false;
	c.strict = SMMU_STRICT_RES0;
	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_write(&rig, 0, SMMU_CR0, SMMU_CR0_ATSCHK | SMMU_CR0_PRIQEN);
	expect_misuse(&rig, "CR0 written with 0x12, which is RES0");
	assert_int_equal(rig_read(&rig, 0, SMMU_CR0), 0);
	rig_write(&rig, 0, SMMU_CR2, SMMU_CR2_PTM | SMMU_CR2_RECINVSID);
	expect_misuse(&rig, "CR2 written with 0x4, which is RES0");
	assert_int_equal(rig_read(&rig, 0, SMMU_CR2), SMMU_CR2_RECINVSID);
	rig_close_anyway(&rig);

	/* CR1: each half has guards of its own. */
	c = rig_config();
	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_write(&rig, 0, SMMU_CR1, 0x15);
	rig_write(&rig, 0, SMMU_CR0, SMMU_CR0_CMDQEN);
	rig_wait(&rig, 0, SMMU_CR0ACK, UINT32_MAX, SMMU_CR0_CMDQEN);
	rig_write(&rig, 0, SMMU_CR1, 0xd40);
	assert_int_equal(smmu_model_misuse_count(rig.model, 0), 1);
	expect_misuse(&rig, "CR1.QUEUE_*");
	assert_int_equal(rig_read(&rig, 0, SMMU_CR1), 0xd55);
	rig_write(&rig, 0, SMMU_CR1, 0xd55);
	assert_int_equal(smmu_model_misuse_count(rig.model, 0), 1);
	rig_close_anyway(&rig);
}

/** CMDQEN = 0 is acknowledged after a CMD_SYNC under way was consumed, and not before (6.3.9.3). */
static void test_stop_in_sync(void **state)
{
	struct smmu_model_config c = rig_config();
	struct rig rig;
	uint32_t cr0;

	c.sync_ns = 50000;
	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	rig_cmd(&rig, 0, smmu_cmd_sync(0));
	rig_cmd(&rig, 0, smmu_cmd_cfgi_all());
	smmu_model_advance(rig.model, smmu_model_now(rig.model) + 1000);
	cr0 = rig_read(&rig, 0, SMMU_CR0) & ~SMMU_CR0_CMDQEN;
	rig_write(&rig, 0, SMMU_CR0, cr0);
	smmu_model_advance(rig.model, smmu_model_now(rig.model) + 20000);
	assert_true(rig_read(&rig, 0, SMMU_CR0ACK) & SMMU_CR0_CMDQEN);
	rig_wait(&rig, 0, SMMU_CR0ACK, SMMU_CR0_CMDQEN, 0);
	assert_int_equal(rig_read(&rig, 0, SMMU_CMDQ_CONS), rig.in[0].cmdq.index - 1);
	rig_close(&rig);
}

/** Attributes that do not see the processors' caches, where the part says that it is coherent. */
static void test_attributes(void **state)
{
	struct smmu_model_config c = rig_config();
	struct rig rig;

	c.strict = SMMU_STRICT_ATTRIBUTES;
	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_write(&rig, 0, SMMU_CR1, 0xd40);
	rig_write(&rig, 0, SMMU_CR0, SMMU_CR0_CMDQEN);
	rig_wait(&rig, 0, SMMU_CR0ACK, UINT32_MAX, SMMU_CR0_CMDQEN);
	expect_misuse(&rig, "CR1.QUEUE_* is not cacheable");
	assert_int_equal(smmu_model_misuse_count(rig.model, 0), 1);
	rig_close_anyway(&rig);
}

/** Acknowledgements that never come, and an SMMU that is not there any more. */
static void test_dead(void **state)
{
	struct smmu_model_config c = rig_config();
	struct rig rig;

	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	rig_up(&rig, 0);
	smmu_model_acknowledge(rig.model, 0, false);
	rig_write(&rig, 0, SMMU_CR0, 0);
	rig_write(&rig, 0, SMMU_IRQ_CTRL, 0);
	smmu_model_advance(rig.model, smmu_model_now(rig.model) + 1000000000);
	assert_true(rig_read(&rig, 0, SMMU_CR0ACK) & SMMU_CR0_SMMUEN);
	assert_true(rig_read(&rig, 0, SMMU_IRQ_CTRLACK) & 1);
	rig_write(&rig, 0, SMMU_GBPA, (uint32_t)(SMMU_GBPA_UPDATE | SMMU_GBPA_ABORT));
	smmu_model_advance(rig.model, smmu_model_now(rig.model) + 1000000000);
	assert_true(rig_read(&rig, 0, SMMU_GBPA) & (uint32_t)SMMU_GBPA_UPDATE);
	smmu_model_vanish(rig.model, 0, true);
	assert_int_equal(rig_read(&rig, 0, SMMU_CR0ACK), UINT32_MAX);
	rig_refused(&rig, 0, 3, 0x1000, 0);
	smmu_model_vanish(rig.model, 0, false);
	assert_int_equal(rig_read(&rig, 0, SMMU_CR0), 0);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_garbage),      cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_fields),       cmocka_unit_test(test_again),
		cmocka_unit_test(test_stop_in_sync), cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

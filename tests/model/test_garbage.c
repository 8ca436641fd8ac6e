/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever a driver writes, the model goes on: random registers, tables, configurations and commands. Run under
 * the sanitizers this finds what the model takes on trust; without them, crashes and hangs.
 */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t first_seed(void)
{
	const char *given = getenv("SMMU_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);

	printf("SMMU_TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

/** A word that is often nearly right: a pointer into memory, few bits, all bits. */
static uint64_t word(struct rig *rig)
{
	struct smmu_random *r = &rig->random;
	uint64_t near = RIG_RAM_BASE + (smmu_random_below(r, 1 << 20) & ~63ULL);

	switch (smmu_random_below(r, 6)) {
	case 0:
		return 0;
	case 1:
		return smmu_random_next(r);
	case 2:
		return near | 3;
	case 3:
		return near | (smmu_random_next(r) & 0xfff) |
		       (smmu_random_next(r) & 0xfff0000000000000);
	case 4:
		return 1ULL << smmu_random_below(r, 64);
	default:
		return smmu_random_next(r) & smmu_random_next(r) & smmu_random_next(r);
	}
}

static struct smmu_model_config any_config(struct smmu_random *r)
{
	static const unsigned oas[] = {32, 36, 40, 42, 44, 48, 52};
	struct smmu_model_config c;

	smmu_model_config_default(&c);
	c.sid_bits = (unsigned)smmu_random_below(r, 33);
	c.ssid_bits = (unsigned)smmu_random_below(r, 21);
	c.s1 = smmu_random_chance(r, 7, 8);
	c.s2 = !c.s1 || smmu_random_chance(r, 3, 4);
	c.two_level_st = smmu_random_chance(r, 1, 2);
	c.two_level_cd = smmu_random_chance(r, 1, 2);
	c.asid16 = smmu_random_chance(r, 1, 2);
	c.vmid16 = smmu_random_chance(r, 1, 2);
	c.range_inv = smmu_random_chance(r, 1, 2);
	c.msi = smmu_random_chance(r, 1, 2);
	c.ats = smmu_random_chance(r, 3, 4);
	c.pri = smmu_random_chance(r, 1, 2);
	c.hyp = smmu_random_chance(r, 1, 2);
	c.oas = oas[smmu_random_below(r, 7)];
	c.va52 = smmu_random_chance(r, 1, 2);
	smmu_model_coins(&c, smmu_random_next(r));
	c.stall_model = (unsigned)smmu_random_below(r, 3);
	c.errata = (unsigned)smmu_random_below(r, 64);
	c.strict = SMMU_STRICT_ALL;
	c.cmdq_bits = (unsigned)smmu_random_below(r, 20);
	c.eventq_bits = (unsigned)smmu_random_below(r, 20);
	c.priq_bits = (unsigned)smmu_random_below(r, 20);
	c.cmd_ns = (uint32_t)smmu_random_below(r, 3);
	c.atc_timeout_ns = smmu_random_below(r, 10000);
	c.prefetch_permille = 200;
	c.refill_permille = 1000;
	c.early_permille = 500;
	return c;
}

static struct smmu_dma any_dma(struct rig *rig)
{
	struct smmu_random *r = &rig->random;

	return (struct smmu_dma){
		.stream = (uint32_t)(smmu_random_chance(r, 9, 10) ? smmu_random_below(r, 16)
								  : smmu_random_next(r)),
		.ssid_valid = smmu_random_chance(r, 1, 3),
		.ssid = (uint32_t)(smmu_random_chance(r, 9, 10) ? smmu_random_below(r, 8)
								: smmu_random_next(r)),
		.iova = smmu_random_chance(r, 1, 2) ? smmu_random_below(r, 1 << 24)
						    : smmu_random_next(r),
		.write = smmu_random_chance(r, 1, 2),
		.privileged = smmu_random_chance(r, 1, 4),
		.kind = (enum smmu_dma_kind)smmu_random_below(r, 3),
	};
}

static void access_some(struct rig *rig, unsigned n)
{
	char text[300], small[9];

	while (n--) {
		struct smmu_dma dma = any_dma(rig);
		struct smmu_dma_result seen = smmu_model_probe(rig->model, &dma);
		struct smmu_dma_result r = smmu_model_dma(rig->model, &dma);

		/* A probe tells what the access will meet, unless something was due in between. */
		(void)seen;
		smmu_model_explain(&r, text, sizeof(text));
		smmu_model_explain(&r, small, sizeof(small));
		assert_true(strlen(small) < sizeof(small));
		assert_non_null(smmu_model_missing(&r));
	}
}

/** A proper start, then everything in memory at random, the queue full of random commands. */
static void test_memory(void **state)
{
	uint64_t seed = first_seed();
	uint64_t ok = 0;

	for (unsigned round = 0; round < 60; round++) {
		struct smmu_model_counters count;
		struct smmu_model_config c;
		struct smmu_random r;
		struct rig rig;

		smmu_random_seed(&r, seed + round);
		c = any_config(&r);
		c.sid_bits = RIG_STREAMS_LOG2;
		if (c.cmdq_bits < 5)
			c.cmdq_bits = 5;
		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, seed + round);
		rig_up(&rig, 0);
		for (unsigned f = 0; f < SMMU_FAULT_COUNT; f++)
			smmu_model_inject(rig.model, (enum smmu_model_fault)f, 10);
		for (uint32_t s = 0; s < 16; s++) {
			struct smmu_model_device *dev = smmu_model_device(rig.model, 0, s, s & 1);

			smmu_model_ats_enable(dev, s & 2);
		}
		for (uint64_t at = 0; at < 1 << 20; at += 8)
			if (smmu_random_chance(&rig.random, 1, 2))
				rig_store(&rig, RIG_RAM_BASE + at, word(&rig));
		/* STEs that have something to do, over tables and CDs at random. */
		for (uint32_t s = 0; s < 16; s++) {
			uint64_t at = rig.in[0].strtab + s * 64;

			rig_store(&rig, at,
				  (word(&rig) & ~0xfULL) | 1 |
					  smmu_random_between(&rig.random, 4, 7) << 1);
			rig_store(&rig, at + 8, word(&rig));
			rig_store(&rig, at + 16,
				  (word(&rig) & ~(0xfffULL << 48)) | SMMU_STE_W2_S2AA64 |
					  smmu_random_below(&rig.random, 6) << 48);
			rig_store(&rig, at + 24,
				  RIG_RAM_BASE + smmu_random_below(&rig.random, 1 << 20));
		}
		for (unsigned n = 0; n < 200; n++) {
			struct rig_queue *q = &rig.in[0].cmdq;
			struct smmu_cmd cmd = {{word(&rig), word(&rig)}};

			/* Mostly an opcode that exists, for streams that exist. */
			if (smmu_random_chance(&rig.random, 9, 10))
				cmd.w[0] = (cmd.w[0] & ~0xf0000004ffULL & ~(0xfffULL << 52)) |
					   smmu_random_below(&rig.random, 0x48);
			rig_store(&rig, q->base + (q->index & 31) * 16, cmd.w[0]);
			rig_store(&rig, q->base + (q->index & 31) * 16 + 8, cmd.w[1]);
			q->index = (q->index + 1) & 63;
			rig_write(&rig, 0, SMMU_CMDQ_PROD, q->index);
			access_some(&rig, 5);
			assert_true(smmu_model_settle(rig.model, 1ULL << 40));
			rig_write(&rig, 0, SMMU_GERRORN, rig_read(&rig, 0, SMMU_GERROR));
			if (n % 16 == 0)
				rig_write(&rig, 0, SMMU_EVENTQ_CONS,
					  rig_read(&rig, 0, SMMU_EVENTQ_PROD));
		}
		smmu_model_counters(rig.model, 0, &count);
		ok += count.dmas - count.faults;
		rig_close_anyway(&rig);
	}
	assert_true(ok > 0); /* not all of it bounced off */
}

/** Registers at random, at any offset and time. */
static void test_registers(void **state)
{
	uint64_t seed = first_seed();

	for (unsigned round = 0; round < 60; round++) {
		struct smmu_model_config c;
		struct smmu_random r;
		struct rig rig;

		smmu_random_seed(&r, seed + round);
		c = any_config(&r);
		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, seed + round);
		smmu_model_device(rig.model, 0, 0, true);
		for (uint64_t at = 0; at < 1 << 16; at += 8)
			rig_store(&rig, RIG_RAM_BASE + at, word(&rig));
		for (unsigned n = 0; n < 1500; n++) {
			uint32_t offset = (uint32_t)smmu_random_below(&rig.random, 0xe8);

			if (smmu_random_chance(&rig.random, 1, 5))
				offset += 0x10000;
			if (smmu_random_chance(&rig.random, 1, 20))
				offset = (uint32_t)smmu_random_next(&rig.random);
			if (smmu_random_chance(&rig.random, 19, 20))
				offset &= ~3u;
			switch (smmu_random_below(&rig.random, 6)) {
			case 0:
				rig_read(&rig, 0, offset);
				break;
			case 1:
				rig.in[0].bus->ops->read64(rig.in[0].bus->ctx, offset);
				break;
			case 2:
				rig_write64(&rig, 0, offset, word(&rig));
				break;
			case 3:
				rig.in[0].bus->ops->relax(rig.in[0].bus->ctx);
				break;
			default:
				rig_write(&rig, 0, offset, (uint32_t)word(&rig));
				break;
			}
			access_some(&rig, 1);
			if (n % 100 == 0)
				smmu_model_settle(rig.model, 1 << 20);
			if (n % 500 == 0)
				smmu_model_reset(rig.model, 0);
		}
		assert_true(smmu_model_misuse_count(rig.model, 0) > 0);
		assert_non_null(smmu_model_misuse(rig.model, 0, 0));
		rig_close_anyway(&rig);
	}
}

/** All coins are tossed, a seed repeats them, and the model takes every outcome and can say it. */
static void test_coins(void **state)
{
	struct smmu_model_config first, all = {0};
	struct smmu_model_config none = {.msi = true, .check_reserved = true, .stall_model = ~0u};
	unsigned versions = 0;

	for (uint64_t seed = 0; seed < 200; seed++) {
		struct smmu_model_config c = rig_config(), again;
		char text[600];
		struct rig rig;

		/* With what lies between its members. */
		memcpy(&again, &c, sizeof(c));
		smmu_model_coins(&c, seed);
		smmu_model_coins(&again, seed);
		assert_memory_equal(&c, &again, sizeof(c));
		first = c;
		versions |= 1u << c.version;
		assert_true(c.range_inv || c.version < 2);
		assert_true(c.two_level_st); /* 8 bits of StreamID */
		all.msi |= c.msi;
		none.msi &= c.msi;
		all.check_reserved |= c.check_reserved;
		none.check_reserved &= c.check_reserved;
		all.stall_model |= c.stall_model;
		none.stall_model &= c.stall_model;
		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, seed);
		rig_up(&rig, 0);
		rig_sync(&rig, 0);
		smmu_model_describe(rig.model, 0, text, sizeof(text));
		assert_true(strlen(text) < sizeof(text) - 1);
		assert_non_null(strstr(text, c.msi ? " msi " : " no-msi "));
		assert_non_null(strstr(text, " errata=0"));
		smmu_model_describe(rig.model, 0, text, 9);
		assert_int_equal(strlen(text), 8);
		smmu_model_describe(rig.model, 7, text, 9);
		assert_int_equal(text[0], 0);
		rig_close(&rig);
	}
	assert_int_equal(versions, 15);
	assert_true(all.msi && !none.msi && all.check_reserved && !none.check_reserved);
	assert_int_equal(all.stall_model, 1);
	assert_int_equal(none.stall_model & 1, 0);
	assert_true(first.speed_percent >= 50);
}

static void test_arguments(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_model_counters count;
	struct smmu_dma dma = {.instance = 9};
	struct rig rig;

	rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
	assert_null(smmu_model_create(SMMU_MODEL_VIRTUAL, &c, 0, &rig.ram, NULL, 0));
	assert_null(smmu_model_create(SMMU_MODEL_VIRTUAL, &c, 65, &rig.ram, NULL, 0));
	c.oas = 41;
	assert_null(smmu_model_create(SMMU_MODEL_VIRTUAL, &c, 1, &rig.ram, NULL, 0));
	assert_null(smmu_model_bus(rig.model, 1));
	assert_null(smmu_model_device(rig.model, 1, 0, true));
	assert_null(smmu_model_device(rig.model, 0, 1u << RIG_STREAMS_LOG2, true));
	assert_false(smmu_model_dma(rig.model, &dma).ok);
	assert_false(smmu_model_probe(rig.model, &dma).ok);
	assert_false(smmu_model_truth(rig.model, &dma, NULL));
	smmu_model_counters(rig.model, 7, &count);
	assert_null(smmu_model_misuse(rig.model, 7, 0));
	assert_null(smmu_model_command_name(0xff));
	assert_string_equal(smmu_model_command_name(0x46), "CMD_SYNC");
	assert_int_equal(smmu_model_start(rig.model), -1);
	smmu_model_destroy(NULL);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_registers),
		cmocka_unit_test(test_coins),
		cmocka_unit_test(test_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

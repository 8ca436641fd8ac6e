/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Adoption. The former owner is written here by hand, by the text of IHI 0070 and of VMSAv8-64, not by the library. Its DMA is tried at each
 * register access and each store of the driver: what can be trusted goes on without one access lost, what is damaged aborts.
 */
#include <smmuv3/adopt.h>
#include <smmuv3/handover.h>

#include "../../src/driver/adopt_check.h"
#include "landing.h"

#define RW (SMMU_PROT_READ | SMMU_PROT_WRITE)
#define BUFFER 0x60000000ull
/* Memory that the former owner has nothing to do with. */
#define SECRET 0x68000000ull
#define S1 5u
#define S2 6u
#define PASSING 7u
#define ASID 77u
#define VMID 9u
#define STREAMS_LOG2 9u
#define BYTES 0x40000u

/* What lies where in the former owner's memory. */
enum {
	STRTAB = 0,      /* 512 STEs; or two of level 1 */
	LEVEL2 = 0x8000, /* 256 STEs, with two levels */
	CDS = 0x10000,
	TABLES1 = 0x11000, /* three levels */
	TABLES2 = 0x14000,
	CMDQ = 0x20000,
	EVENTQ = 0x21000
};

static struct rig rig;
static struct smmu_instance *const inst = &rig.smmu[0].inst;
static struct smmu_domain other;
static uint64_t *old;
static uint64_t old_bus;
static struct smmu_adopt_memory memory;
static const struct smmu_adopt_range secret = {SECRET, 0x1000000};
static struct smmu_adopt_config cfg;
static struct smmu_adopt_report report;

static uint64_t *word(uint64_t at)
{
	return &old[at / 8];
}

/* ---- DMA ---- */

static bool reaches(uint32_t stream, uint64_t iova, uint64_t *pa)
{
	const struct smmu_dma d = {.stream = stream, .iova = iova};
	struct smmu_dma_result r = smmu_model_dma(rig.model, &d);

	if (pa)
		*pa = r.pa;
	return r.ok;
}

static bool lands(uint32_t stream)
{
	uint64_t pa;

	return reaches(stream, BUFFER, &pa) && pa == BUFFER;
}

/* ---- the former owner ---- */

static uint64_t *ste(uint32_t stream, bool two)
{
	return word((two ? LEVEL2 : STRTAB) + stream * 64);
}

static void three_tables(uint64_t at, uint64_t leaf)
{
	*word(at + (BUFFER >> 30) * 8) = (old_bus + at + 0x1000) | 3;
	*word(at + 0x1000 + (BUFFER >> 21 & 511) * 8) = (old_bus + at + 0x2000) | 3;
	for (unsigned i = 0; i < 4; i++)
		*word(at + 0x2000 + i * 8) = (BUFFER + i * 0x1000) | leaf;
}

static uint64_t ips(void)
{
	return inst->idr5 & 7;
}

static void fill(bool two)
{
	uint64_t *w;

	memset(old, 0, BYTES);
	if (two)
		*word(STRTAB) = (old_bus + LEVEL2) | 9;
	/* Access flag, inner shareable, unprivileged reads and writes, not global; stage 2: both, write-back. */
	three_tables(TABLES1, 1 << 10 | 3 << 8 | 1 << 6 | 1 << 11 | 3);
	three_tables(TABLES2, 1 << 10 | 3 << 8 | 3 << 6 | 0xf << 2 | 3);
	w = word(CDS);
	w[0] = 25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 30 | 1ull << 31 | ips() << 32 | 1ull << 41 |
	       1ull << 45 | 1ull << 46 | 1ull << 47 | (uint64_t)ASID << 48;
	w[1] = old_bus + TABLES1;
	w[3] = 0xff;
	/* Its CDs are read as it likes: write-back, outer shareable. */
	w = ste(S1, two);
	w[0] = 1 | 5 << 1 | (old_bus + CDS);
	w[1] = 3 << 2 | 3 << 4 | 2 << 6 | 1ull << 44;
	w = ste(S2, two);
	w[0] = 1 | 6 << 1;
	w[1] = 1ull << 44;
	w[2] = VMID | 25ull << 32 | 1ull << 38 | 1ull << 40 | 1ull << 42 | 3ull << 44 |
	       ips() << 48 | 1ull << 51 | 1ull << 58;
	w[3] = old_bus + TABLES2;
	w = ste(PASSING, two);
	w[0] = 1 | 4 << 1;
	w[1] = 1ull << 44;
}

static void put(uint32_t offset, uint32_t value)
{
	rig.smmu[0].model->ops->write32(rig.smmu[0].model->ctx, offset, value);
}

static void put64(uint32_t offset, uint64_t value)
{
	rig.smmu[0].model->ops->write64(rig.smmu[0].model->ctx, offset, value);
}

static void wait_for(uint32_t offset, uint32_t value)
{
	const struct smmu_bus *b = rig.smmu[0].model;

	while (b->ops->read32(b->ctx, offset) != value)
		smmu_relax(&inst->mmio);
}

static void run_former_owner(bool two)
{
	const uint32_t on = 1 | 1 << 2 | 1 << 3 | 1 << 4;
	struct smmu_cmd *q = (struct smmu_cmd *)word(CMDQ);

	put(SMMU_CR1, 0xd75);
	put(SMMU_CR2, 2);
	put64(SMMU_STRTAB_BASE, old_bus + STRTAB);
	put(SMMU_STRTAB_BASE_CFG, STREAMS_LOG2 | (two ? 8 << 6 | 1 << 16 : 0));
	put64(SMMU_CMDQ_BASE, (old_bus + CMDQ) | 5);
	put(SMMU_CMDQ_PROD, 0);
	put(SMMU_CMDQ_CONS, 0);
	put64(SMMU_EVENTQ_BASE, (old_bus + EVENTQ) | 5);
	put(SMMU_EVENTQ_PROD, 0);
	put(SMMU_EVENTQ_CONS, 0);
	put(SMMU_CR0, 1 << 3 | 1 << 4);
	wait_for(SMMU_CR0ACK, 1 << 3 | 1 << 4);
	q[0] = smmu_cmd_cfgi_all();
	q[1] = smmu_cmd_tlbi_nsnh_all();
	q[2] = smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE);
	put(SMMU_CMDQ_PROD, 3);
	wait_for(SMMU_CMDQ_CONS, 3);
	put(SMMU_CR0, on);
	wait_for(SMMU_CR0ACK, on);
	mmio_check_former_owner(&rig.smmu[0].check, on, 0);
	rig.smmu[0].check.queues_may_go = true;
}

/** A machine whose SMMU is not running, with the former owner's tables in memory. */
static void open_with(bool two)
{
	struct smmu_model_config c = rig_config();
	struct smmu_instance_config ic;

	rig_open(&rig, &c, 1);
	old = rig.port.ops->dma_alloc(rig.port.ctx, BYTES, BYTES, 0, &old_bus);
	memory = (struct smmu_adopt_memory){old_bus, BYTES, old};
	cfg = (struct smmu_adopt_config){
		.memory = &memory, .nr_memory = 1, .keep_out = &secret, .nr_keep_out = 1};
	ic = rig_instance_config(&rig, 0, 0);
	assert_int_equal(smmu_instance_probe(inst, &ic), 0);
	rig_domain(&rig, &other, SMMU_DOMAIN_STAGE1);
	assert_int_equal(smmu_map(&other, BUFFER, BUFFER, 0x4000, RW, 0), 0);
	fill(two);
}

static void finish(void)
{
	landing_end(&rig);
	assert_int_equal(smmu_instance_remove(inst), 0);
	assert_int_equal(smmu_domain_fini(&other), 0);
	rig.port.ops->dma_free(rig.port.ctx, old, BYTES);
	rig_close(&rig);
}

/* ---- tests ---- */

static void test_nothing_lost(void **state)
{
	struct rig_device a, b;

	for (unsigned way = 0; way < 4; way++) {
		bool two = way & 1;

		open_with(two);
		run_former_owner(two);
		cfg.bypass = way & 2;
		landing_watch(&rig, lands, S1, S2, 0);
		landing_look();
		assert_true(lands(PASSING));
		assert_int_equal(smmu_instance_adopt(inst, &cfg, &report), 0);
		if (report.kept != (way & 2 ? 3 : 2))
			fail_msg("way %u: stream 0x%x: %s", way, report.first, report.first_why);
		assert_int_equal(report.refused, way & 2 ? 0 : 1);
		assert_int_equal(lands(PASSING), way >= 2);
		assert_false(lands(20));
		assert_true(landing_looks > 20);
		assert_null(smmu_instance_find_device(inst, S1));
		assert_true(inst->asids.bitmap[ASID / 64] & 1ull << ASID % 64);
		assert_true(inst->vmids.bitmap[VMID / 64] & 1ull << VMID % 64);
		rig_device(&rig, &a, 0, S1, 1, false, 0);
		rig_device(&rig, &b, 0, S2, 1, false, 4);
		assert_int_equal(smmu_attach(&a.dev, &other), 0);
		assert_int_equal(smmu_attach(&b.dev, &other), 0);
		assert_int_equal(smmu_instance_adopt_end(inst), 0);
		assert_int_equal(smmu_instance_adopt_end(inst), 0);
		assert_false(lands(PASSING));
		/* Nothing of the former owner's is left but the first level of the stream table. */
		memset(word(two ? LEVEL2 : CDS), 0xff, BYTES - (two ? LEVEL2 : CDS));
		landing_look();
		landing_end(&rig);
		assert_int_equal(smmu_unmap(&other, BUFFER, 0x1000, 0), 0);
		assert_false(lands(S1) || lands(S2));
		/* And it can be started over. */
		assert_int_equal(smmu_map(&other, BUFFER, BUFFER, 0x1000, RW, 0), 0);
		assert_int_equal(smmu_instance_revive(inst), 0);
		assert_true(lands(S1) && lands(S2));
		finish();
	}
}

/** Who is not taken over aborts at the end, also if its device was added. */
static void test_end(void **state)
{
	struct rig_device a, b;

	for (unsigned two = 0; two < 2; two++) {
		open_with(two);
		run_former_owner(two);
		assert_int_equal(smmu_instance_adopt(inst, &cfg, NULL), 0);
		rig_device(&rig, &a, 0, S1, 1, false, 0);
		smmu_device_fini(&a.dev);
		rig_device(&rig, &b, 0, S1, 2, false, 0);
		assert_true(lands(S1) && lands(S2));
		rig.smmu[0].frozen = true;
		assert_int_equal(smmu_instance_adopt_end(inst), -SMMU_EIO);
		rig.smmu[0].frozen = false;
		assert_int_equal(smmu_instance_revive(inst), 0);
		assert_int_equal(smmu_instance_adopt_end(inst), 0);
		assert_false(lands(S1) || lands(S2));
		assert_int_equal(smmu_attach(&b.dev, &other), 0);
		assert_true(lands(S1) && lands(S2));
		finish();
	}
}

/** Each damage of what stream S1 uses: it aborts, the other goes on. */
static const struct {
	uint64_t at, value;
	bool add_base; /* value is one of the former owner's memory */
} damage[] = {
	{CDS + 8, 0x70000000, false},  /* tables elsewhere */
	{CDS + 8, TABLES1 + 64, true}, /* not aligned */
	{CDS + 8, BYTES, true},        /* behind the memory */
	{CDS + 8, STRTAB, true},       /* in the stream table */
	{CDS, 25ull | 3 << 6 | 1ull << 31 | 1ull << 41 | 1ull << 46 | 1 << 30, false}, /* TG0 */
	{CDS, 25ull | 1ull << 31 | 1ull << 46 | 1 << 30, false},                       /* AArch32 */
	{TABLES1 + 8, 0x70000003, false},
	{TABLES1 + 8, SECRET | 0x401, false}, /* a block of 1 GiB over what is kept out */
	{TABLES1 + 0x2008, SECRET | 0x403, false},
	{TABLES1 + 0x2008, BUFFER | 0x401, false}, /* a block where there are none */
	{TABLES1 + 0x2008, STRTAB | 0x403, true},  /* DMA into the stream table */
};

static void test_damage(void **state)
{
	for (unsigned n = 0; n < sizeof(damage) / sizeof(damage[0]); n++) {
		open_with(n & 1);
		*word(damage[n].at) = damage[n].value + (damage[n].add_base ? old_bus : 0);
		run_former_owner(n & 1);
		/* What is in the STE's pointer to the stream table is level 2 there. */
		landing_watch(&rig, lands, S2, 0, 0);
		assert_int_equal(smmu_instance_adopt(inst, &cfg, &report), 0);
		if (report.kept != 1 || report.refused != 2 || report.first != S1)
			fail_msg("damage %u: %u kept, %u refused, the first 0x%x: %s", n,
				 report.kept, report.refused, report.first, report.first_why);
		assert_false(lands(S1));
		assert_false(reaches(S1, BUFFER + 0x1000, NULL));
		assert_true(lands(S2));
		finish();
	}
}

/** More tables than the caller wants looked at: they are not followed. */
static void test_bounded(void **state)
{
	open_with(false);
	/* Round and round: a legal table, but one of a hundred million descriptors if nobody counted. */
	for (unsigned i = 0; i < 512; i++)
		*word(TABLES1 + i * 8) = (old_bus + TABLES1) | 3;
	run_former_owner(false);
	assert_int_equal(smmu_instance_adopt(inst, &cfg, &report), 0);
	assert_int_equal(report.first, S1);
	assert_int_equal(report.kept, 0);
	finish();
	open_with(false);
	run_former_owner(false);
	cfg.tables = 4;
	assert_int_equal(smmu_instance_adopt(inst, &cfg, &report), 0);
	assert_int_equal(report.kept, 1);
	assert_true(lands(S1));
	assert_false(lands(S2));
	finish();
}

/** Damaged STEs and descriptors of them. */
static void test_damaged_stes(void **state)
{
	for (unsigned n = 0; n < 6; n++) {
		bool two = n >= 4;

		open_with(two);
		if (n == 0)
			ste(S1, two)[0] |= 31ull << 59; /* S1CDMax */
		if (n == 1)
			ste(S1, two)[0] = 1 | 5 << 1 | (old_bus + STRTAB + 0x7000);
		if (n == 2)
			ste(S1, two)[1] |= 1ull << 26; /* S1MPAM */
		if (n == 3)
			ste(S1, two)[0] = 1 | 7 << 1; /* nested over no stage 2 */
		if (n == 4)
			*word(STRTAB + 8) = 0x70000009;
		if (n == 5)
			*word(STRTAB + 8) = (old_bus + LEVEL2) | 31;
		run_former_owner(two);
		landing_watch(&rig, lands, S2, two ? S1 : 0, 0);
		assert_int_equal(smmu_instance_adopt(inst, &cfg, &report), 0);
		assert_int_equal(report.refused, 2);
		assert_int_equal(lands(S1), two);
		assert_false(lands(256 + S1));
		finish();
	}
}

/** An SMMU that cannot be adopted goes on as it was, and can be enabled. */
static void test_refused(void **state)
{
	for (unsigned n = 0; n < 5; n++) {
		open_with(n == 3);
		run_former_owner(n == 3);
		landing_watch(&rig, lands, S1, S2, 0);
		if (n == 0)
			memory.bus += 0x1000;
		if (n == 1)
			memory.size = 0x4000;
		if (n == 2)
			cfg.nr_memory = 0;
		if (n == 3)
			rig.fail_from = 1, rig.fail_count = 1000;
		if (n == 4) {
			landing_end(&rig);
			put(SMMU_CR0, 0);
			wait_for(SMMU_CR0ACK, 0);
			mmio_check_former_owner(&rig.smmu[0].check, 0, 0);
		}
		assert_int_equal(smmu_instance_adopt(inst, &cfg, &report), n < 2 ? -SMMU_EOPNOTSUPP
									   : n == 2 ? -SMMU_EINVAL
									   : n == 3 ? -SMMU_ENOMEM
										    : -SMMU_ENODEV);
		rig.fail_count = 0;
		if (n < 4)
			landing_look();
		landing_end(&rig);
		assert_int_equal(smmu_instance_enable(inst), 0);
		assert_int_equal(smmu_instance_adopt(inst, &cfg, &report),
				 n == 2 ? -SMMU_EINVAL : -SMMU_EBUSY);
		assert_false(lands(S1) || lands(S2) || lands(PASSING));
		finish();
	}
}

/** It dies at each register write. */
static void test_dies(void **state)
{
	unsigned n;

	for (n = 1;; n++) {
		int error;

		open_with(false);
		run_former_owner(false);
		rig.smmu[0].die_after = n;
		error = smmu_instance_adopt(inst, &cfg, &report);
		rig.smmu[0].die_after = 0;
		if (!error)
			break;
		assert_true(rig.smmu[0].gone);
		rig.smmu[0].gone = false;
		assert_int_equal(smmu_instance_remove(inst), 0);
		assert_int_equal(smmu_instance_enable(inst), 0);
		assert_false(lands(S1));
		finish();
	}
	assert_true(n > 10);
	finish();
}

/** What one instance of the library leaves with its tables, another adopts. */
static void test_own_tables(void **state)
{
	static struct smmu_instance next;
	struct rig_device a;
	struct smmu_instance_config ic;

	open_with(true);
	assert_int_equal(smmu_instance_enable(inst), 0);
	rig.smmu[0].check.queues_may_go = true;
	rig_device(&rig, &a, 0, S1, 1, false, 4);
	assert_int_equal(smmu_attach_pasid(&a.dev, 3, &other), 0);
	assert_int_equal(smmu_attach(&a.dev, &other), 0);
	landing_watch(&rig, lands, S1, 0, 0);
	assert_int_equal(smmu_instance_hand_over(inst, SMMU_HAND_OVER_TABLES), 0);
	ic = rig_instance_config(&rig, 0, 0);
	memory = (struct smmu_adopt_memory){rig.ram.base, rig.ram.size, rig.ram.va};
	assert_int_equal(smmu_instance_probe(&next, &ic), 0);
	assert_int_equal(smmu_instance_adopt(&next, &cfg, &report), 0);
	assert_int_equal(report.kept, 1);
	assert_int_equal(report.refused, 0);
	landing_look();
	landing_end(&rig);
	assert_int_equal(smmu_instance_remove(&next), 0);
	assert_false(lands(S1));
	finish();
}

/* ---- damage by chance ---- */

static uint64_t seed = 1;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/** A word of what is in use becomes another, a bit is turned, or it leads to somewhere in the memory. */
static void damage_some(void)
{
	static const uint64_t used[] = {STRTAB + S1 * 64, STRTAB + S2 * 64, CDS,
					TABLES1,          TABLES1 + 0x1000, TABLES1 + 0x2000,
					TABLES2,          TABLES2 + 0x1000, TABLES2 + 0x2000};

	for (unsigned n = 1 + rnd() % 4; n; n--) {
		uint64_t at = used[rnd() % 9], *w;

		w = word(at + (at <= CDS ? rnd() % 8 : rnd() % 512) * 8);
		if (rnd() % 3 == 0)
			w = word(at +
				 (at == TABLES1 || at == TABLES2 ? 8 : 0x1800 & -(at >> 12 & 1)));
		switch (rnd() % 4) {
		case 0:
			*w ^= 1ull << rnd() % 64;
			break;
		case 1:
			*w = rnd();
			break;
		case 2:
			*w = (old_bus + rnd() % BYTES) & ~(rnd() & 0xfff);
			break;
		default:
			*w = (old_bus + (rnd() % (BYTES >> 12) << 12)) | 3;
			break;
		}
	}
}

/** Nothing crashes, and nothing lasts: a hundred thousand tables, without an SMMU. */
static void test_checks(void **state)
{
	static struct smmu_adopt_check c;
	static uint64_t ids[2][1024];
	unsigned good = 0;

	open_with(false);
	for (unsigned n = 0; n < 100000; n++) {
		if (n % 8 == 0)
			fill(false);
		damage_some();
		c = (struct smmu_adopt_check){
			.cfg = &cfg,
			.id = {inst->idr0, inst->idr1, inst->idr3, inst->idr5},
			.strtab = {old_bus, 0x8000},
			.budget = 64,
			.asids = ids[0],
			.vmids = ids[1],
			.nr_asids = 1u << inst->features.asid_bits,
			.nr_vmids = 1u << inst->features.vmid_bits};
		for (uint32_t s = S1; s <= S2; s++) {
			struct smmu_ste e;

			memcpy(&e, ste(s, false), sizeof(e));
			good += smmu_adopt_passes(&e) && !smmu_adopt_ste(&c, &e);
		}
	}
	assert_true(good > 10000 && good < 190000);
	finish();
}

/** With an SMMU: whatever is kept leads nowhere that is kept out, and not into the stream table. */
static void test_random(void **state)
{
	for (unsigned n = 0; n < 150; n++) {
		open_with(false);
		damage_some();
		run_former_owner(false);
		assert_int_equal(smmu_instance_adopt(inst, &cfg, &report), 0);
		for (unsigned k = 0; k < 40; k++) {
			uint64_t pa, iova = k < 8 ? BUFFER + k * 0x1000
						  : rnd() & ((1ull << (20 + k % 20)) - 1);

			if (reaches(k & 1 ? S1 : S2, iova, &pa)) {
				assert_false(pa >= SECRET && pa < SECRET + secret.size);
				assert_false(pa >= old_bus && pa < old_bus + 0x8000);
			}
		}
		/* Its damage may be what the model calls misuse: that is the former owner's. */
		assert_int_equal(smmu_instance_remove(inst), 0);
		assert_int_equal(smmu_domain_fini(&other), 0);
		rig_abandon(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_lost), cmocka_unit_test(test_end),
		cmocka_unit_test(test_damage),       cmocka_unit_test(test_damaged_stes),
		cmocka_unit_test(test_refused),      cmocka_unit_test(test_dies),
		cmocka_unit_test(test_own_tables),   cmocka_unit_test(test_checks),
		cmocka_unit_test(test_random),       cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

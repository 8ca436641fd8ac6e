/* SPDX-License-Identifier: BSD-2-Clause */
/* Adoption of what is damaged: it aborts, and whatever is kept leads nowhere that is kept out. */
#include "../../src/driver/adopt_check.h"
#include "former.h"

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
		cmocka_unit_test(test_damage),       cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_damaged_stes), cmocka_unit_test(test_checks),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

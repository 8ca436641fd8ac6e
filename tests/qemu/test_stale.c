/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU caches for real: what is not invalidated still serves DMAs, what is invalidated does not. This is what makes it
 * a judge of the driver, so it is held down here case by case, and then at random against a simple account of what
 * its TLBs hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mini.h"
#include "random.h"

static struct qemu *machine;
static struct mini m;

#define A 0x18u  /* a testdev behind instance 0 … */
#define B 0x900u /* … and one behind instance 1 */
#define IOVA 0x40000000ull

struct dma_result {
	bool landed, here;
};

/* Let the testdev of @p smmu write to @p iova; `here`: it reached @p bus. */
static struct dma_result poke(unsigned smmu, uint64_t iova, uint64_t bus)
{
	struct qemu_dma dma = {.iova = iova, .len = 64, .write = true, .bus = bus};
	const struct qemu_device *d = qemu_find(machine, smmu, smmu ? B : A);

	assert_int_equal(qemu_dma(machine, d, &dma), 0);
	mini_no_events(&m.smmu[smmu]);
	return (struct dma_result){dma.landed, dma.data_ok};
}

#define assert_reaches(smmu, iova, bus) assert_true(poke(smmu, iova, bus).here)
#define assert_refused(smmu, iova, bus) assert_false(poke(smmu, iova, bus).landed)

static void cmd(unsigned smmu, struct smmu_cmd c)
{
	assert_int_equal(mini_cmd(&m.smmu[smmu], c), 0);
}

/* One domain over both instances: its page is mapped and in both TLBs. */
static uint64_t shared_page(struct mini_space *sp, unsigned stage)
{
	const struct mini_space *s1 = stage == 1 ? sp : NULL, *s2 = stage == 2 ? sp : NULL;
	uint64_t bus;

	mini_up(&m, machine);
	*sp = mini_space(&m, stage, 0x21);
	bus = mini_alloc(&m, 1);
	mini_map(&m, sp, IOVA, bus, MINI_RW);
	mini_attach(&m.smmu[0], A, s1, s2);
	mini_attach(&m.smmu[1], B, s1, s2);
	assert_reaches(0, IOVA, bus);
	assert_reaches(1, IOVA, bus);
	return bus;
}

static void unmap_needs_tlbi(unsigned stage)
{
	struct mini_space sp, other;
	uint64_t bus = shared_page(&sp, stage);
	unsigned n;

	mini_map(&m, &sp, IOVA, 0, MINI_NONE);
	assert_reaches(0, IOVA, bus);
	/* Another page, another id: of no use. */
	other = sp;
	other.id++;
	cmd(0, mini_tlbi(&sp, IOVA + MINI_PAGE));
	cmd(0, mini_tlbi(&other, IOVA));
	assert_reaches(0, IOVA, bus);
	/* To one instance: the other still has it. */
	cmd(0, mini_tlbi(&sp, IOVA));
	assert_refused(0, IOVA, bus);
	assert_reaches(1, IOVA, bus);
	cmd(1, mini_tlbi(&sp, IOVA));
	for (n = 0; n < 2; n++)
		assert_refused(n, IOVA, bus);
	/* That which was not there was not cached. */
	mini_map(&m, &sp, IOVA, bus, MINI_RW);
	for (n = 0; n < 2; n++)
		assert_reaches(n, IOVA, bus);
}

static void test_unmap_stage1(void **state)
{
	unmap_needs_tlbi(1);
}

static void test_unmap_stage2(void **state)
{
	unmap_needs_tlbi(2);
}

static void test_moved_page(void **state)
{
	struct mini_space sp;
	uint64_t bus = shared_page(&sp, 1), moved = mini_alloc(&m, 1);

	mini_map(&m, &sp, IOVA, moved, MINI_RW);
	assert_reaches(0, IOVA, bus);
	cmd(0, smmu_cmd_tlbi_nh_asid(0, sp.id));
	assert_reaches(0, IOVA, moved);
}

static void test_read_only(void **state)
{
	struct mini_space sp;
	uint64_t bus = shared_page(&sp, 1);

	mini_map(&m, &sp, IOVA, bus, MINI_RO);
	assert_reaches(0, IOVA, bus);
	cmd(0, mini_tlbi(&sp, IOVA));
	assert_refused(0, IOVA, bus);
}

/* Every TLBI that covers the entry drops it. */
static void test_all_kinds(void **state)
{
	struct mini_space sp;
	uint64_t bus = shared_page(&sp, 1);
	struct smmu_cmd_range page = {.addr = IOVA};
	struct smmu_cmd_range range = {
		.addr = IOVA - 4 * MINI_PAGE, .num = 7, .tg = SMMU_CMD_TLBI_TG_4K};
	struct smmu_cmd c[] = {
		smmu_cmd_tlbi_nh_va(0, sp.id, page),
		smmu_cmd_tlbi_nh_vaa(0, page),
		smmu_cmd_tlbi_nh_va(0, sp.id, range),
		smmu_cmd_tlbi_nh_asid(0, sp.id),
		smmu_cmd_tlbi_nh_all(0),
		smmu_cmd_tlbi_nsnh_all(),
	};
	size_t i;

	for (i = 0; i < SMMU_ARRAY_SIZE(c); i++) {
		mini_map(&m, &sp, IOVA, bus, MINI_RW);
		assert_reaches(0, IOVA, bus);
		mini_map(&m, &sp, IOVA, 0, MINI_NONE);
		assert_reaches(0, IOVA, bus);
		cmd(0, c[i]);
		assert_refused(0, IOVA, bus);
	}
}

/* Configuration is cached too: a new STE or CD needs its CFGI. */
static void test_configuration(void **state)
{
	struct mini_space sp, other;
	uint64_t bus = shared_page(&sp, 1), elsewhere = mini_alloc(&m, 1);

	other = mini_space(&m, 1, 0x22);
	mini_map(&m, &other, IOVA, elsewhere, MINI_RW);
	mini_ste(&m.smmu[0], A, &other, NULL);
	assert_reaches(0, IOVA, bus);
	cmd(0, smmu_cmd_cfgi_ste(A, true));
	cmd(0, smmu_cmd_cfgi_cd_all(A));
	assert_reaches(0, IOVA, elsewhere);

	/* The same STE, another CD in its place. */
	memcpy(mini_at(&m, other.cd), mini_at(&m, sp.cd), sizeof(struct smmu_cd));
	assert_reaches(0, IOVA, elsewhere);
	cmd(0, smmu_cmd_cfgi_cd(A, 0, true));
	assert_reaches(0, IOVA, bus);

	mini_ste(&m.smmu[0], A, NULL, NULL);
	assert_reaches(0, IOVA, bus);
	cmd(0, smmu_cmd_cfgi_ste(A, true));
	assert_refused(0, IOVA, bus);
}

/*
 * Random maps, moves, unmaps, TLBIs and DMAs on one domain over both instances, against an account of what each TLB
 * must hold: the first access fills it, only a TLBI empties it.
 */
#define PAGES 16u
#define STEPS 1500u

static void random_run(unsigned stage, uint64_t seed)
{
	struct smmu_random rng;
	struct mini_space sp;
	uint64_t bus[4], table[PAGES] = {0}, cached[2][PAGES] = {{0}};
	uint64_t stale = 0, fresh = 0, refused = 0;
	unsigned step, i;

	smmu_random_seed(&rng, seed);
	shared_page(&sp, stage);
	for (i = 0; i < 2; i++)
		cmd(i, smmu_cmd_tlbi_nsnh_all());
	mini_map(&m, &sp, IOVA, 0, MINI_NONE);
	for (i = 0; i < 4; i++)
		bus[i] = mini_alloc(&m, 1);
	for (step = 0; step < STEPS; step++) {
		unsigned page = (unsigned)smmu_random_below(&rng, PAGES);
		unsigned smmu = (unsigned)smmu_random_below(&rng, 2);
		uint64_t iova = IOVA + page * MINI_PAGE;
		uint64_t expected = cached[smmu][page] ? cached[smmu][page] : table[page];
		struct dma_result r;

		switch (smmu_random_below(&rng, 8)) {
		case 0:
		case 1:
			table[page] = bus[smmu_random_below(&rng, 4)];
			mini_map(&m, &sp, iova, table[page], MINI_RW);
			break;
		case 2:
			table[page] = 0;
			mini_map(&m, &sp, iova, 0, MINI_NONE);
			break;
		case 3:
			cmd(smmu, mini_tlbi(&sp, iova));
			cached[smmu][page] = 0;
			break;
		default:
			r = poke(smmu, iova, expected ? expected : bus[0]);
			if (r.landed != (expected != 0) || r.here != (expected != 0))
				fail_msg("stage %u, step %u, instance %u, page %u: landed %d, "
					 "expected %#llx, seed %llu",
					 stage, step, smmu, page, r.landed,
					 (unsigned long long)expected, (unsigned long long)seed);
			stale += expected && expected != table[page];
			fresh += expected && expected == table[page];
			refused += !expected;
			cached[smmu][page] = expected;
			break;
		}
	}
	/* All three answers must have been seen often, or this showed nothing. */
	assert_true(stale > STEPS / 50);
	assert_true(fresh > STEPS / 50);
	assert_true(refused > STEPS / 100);
}

static void test_random(void **state)
{
	uint64_t seed = mini_seed();

	random_run(1, seed);
	random_run(2, seed + 1);
}

static int set_up(void **state)
{
	machine = mini_open(&(struct qemu_config){.limit_s = 600, .testdevs = 1, .no_nvme = true});
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
		cmocka_unit_test(test_unmap_stage1), cmocka_unit_test(test_unmap_stage2),
		cmocka_unit_test(test_moved_page),   cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_all_kinds),    cmocka_unit_test(test_configuration),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands of guests, from their words to what the caches of SMMU and devices hold. */
#include "guest.h"
#include "rig.h"

static struct rig rig;

/** Of the block before. */
static uint64_t atc_ns;

static uint64_t sid(unsigned guest)
{
	return (uint64_t)guest << 32;
}

/** The guest writes @p n commands; @p count of them are done and @p stop comes next. */
static int writes(struct guest_vm *m, const struct smmu_cmd *guest, uint32_t n, uint32_t count,
		  enum smmu_guest_stop stop)
{
	struct smmu_cmd cmds[16];
	struct smmu_vsmmu_done done;
	int error;

	memcpy(cmds, guest, n * sizeof(*cmds));
	error = smmu_vsmmu_invalidate(&m->v, cmds, n, &done);
	assert_int_equal(done.count, count);
	assert_int_equal(done.stop, stop);
	atc_ns = done.atc_ns;
	return error;
}

/** One guest changes its table; what it invalidates is gone, and what another guest has stays. */
static void test_tlb(void **state)
{
	static const struct {
		struct smmu_cmd cmd;
		const char *log;
	} tries[] = {
		{{{0x30, 0}}, "TLBI_NH_ALL(1) SYNC"},
		{{{0x10 | 0x99ull << 32, 0}}, "TLBI_NH_ALL(1) SYNC"},
		{{{0x11 | 1ull << 48 | 2ull << 32, 0}}, "TLBI_NH_ASID(1) SYNC"},
		{{{0x12 | 1ull << 48 | 2ull << 32, 0x1001}}, "TLBI_NH_VA(1,1000*1) SYNC"},
		{{{0x13, 0x1000}}, "TLBI_NH_VAA SYNC"},
		{{{0x12 | 1ull << 48 | 3 << 12, 0x0000 | 1 << 10}},
		 "TLBI_NH_VA(1,0*4,tables) SYNC"},
	};
	struct guest_vm a, b;

	rig_open_up(&rig, 1);
	guest_vm_up(&rig, &a, 5, false);
	guest_vm_up(&rig, &b, 7, false);
	rig_expect(&b.d[0], 0x1000, RIG_PA(1));
	guest_map(&b.guest, 0x1000, GUEST_IPA(6));
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(tries); i++) {
		guest_map(&a.guest, 0x1000, GUEST_IPA(1));
		assert_int_equal(smmu_flush_all(&a.parent), 0);
		rig_expect(&a.d[0], 0x1000, RIG_PA(1));
		guest_map(&a.guest, 0x1000, GUEST_IPA(4));
		rig_expect(&a.d[0], 0x1000, RIG_PA(1)); /* stale, as the guest did not say */
		rig_log_reset(&rig);
		assert_int_equal(writes(&a, &tries[i].cmd, 1, 1, SMMU_GUEST_END), 0);
		assert_string_equal(rig_log(&rig), tries[i].log);
		rig_expect(&a.d[0], 0x1000, RIG_PA(4));
		/* The other guest has the same ASID and the same address. */
		rig_expect(&b.d[0], 0x1000, RIG_PA(1));
	}
	guest_vm_down(&a);
	rig_expect(&b.d[0], 0x1000, RIG_PA(1));
	guest_vm_down(&b);
	rig_close(&rig);
}

/** CDs and ATCs of the guest's own streams; others, and the real names, do nothing. */
static void test_streams(void **state)
{
	const struct smmu_cmd block[] = {
		{{sid(0x50) | 5, 1}},         {{sid(0x51) | 6, 0}}, {{sid(0x50) | 0x40, 52}},
		{{sid(0x51) | 0x40, 0x1000}}, {{0x46, 0}},
	};
	const struct smmu_cmd real = {{sid(5) | 0x40, 52}}, ste = {{sid(0x50) | 3, 1}};
	const struct smmu_cmd wrong[] = {{{0x30, 0}}, {{0x30, 0}}, {{0x20, 0}}, {{0x30, 0}}};
	struct guest_vm a;

	rig_open_up(&rig, 1);
	guest_vm_up(&rig, &a, 5, true);
	rig_expect(&a.d[0], 0x1000, RIG_PA(1));
	/* The guest gives its CD another ASID. */
	guest_cd(&a.guest, 0, 4);
	rig_log_reset(&rig);
	assert_int_equal(writes(&a, block, 5, 4, SMMU_GUEST_SYNC), 0);
	assert_string_equal(rig_log(&rig), "CFGI_CD(5+0) CFGI_CD_ALL(6) ATC_INV(5) "
					   "ATC_INV(6,1000/0) SYNC");
	assert_int_equal(smmu_model_atc_count(a.d[0].hw[0]), 0);
	/* So long did others wait for these ATCs. */
	assert_in_range(atc_ns, 300, 100000);
	rig_expect(&a.d[0], 0x1000, RIG_PA(1));
	rig_log_reset(&rig);
	assert_int_equal(writes(&a, &real, 1, 0, SMMU_GUEST_NOTHING), 0);
	assert_int_equal(writes(&a, &ste, 1, 0, SMMU_GUEST_YOURS), 0);
	assert_int_equal(rig.lines, 0);
	assert_int_equal(writes(&a, wrong, 4, 2, SMMU_GUEST_ILLEGAL), 0);
	assert_string_equal(rig_log(&rig), "TLBI_NH_ALL(1) TLBI_NH_ALL(1) SYNC");
	assert_int_equal(atc_ns, 0);
	guest_vm_down(&a);
	rig_close(&rig);
}

/**
 * A block of thousands is one submission: its commands are in order, and no CMD_SYNC of the guest's
 * is among them.
 */
static void test_long(void **state)
{
	enum { N = 3000 };
	static struct smmu_cmd cmds[N];
	struct smmu_vsmmu_done done;
	unsigned at = 0;
	struct guest_vm a;

	rig_open_up(&rig, 1);
	guest_vm_up(&rig, &a, 5, false);
	for (uint64_t i = 0; i < N; i++)
		cmds[i] = (struct smmu_cmd){{0x13, i << 12}};
	rig_log_reset(&rig);
	assert_int_equal(smmu_vsmmu_invalidate(&a.v, cmds, N, &done), 0);
	assert_int_equal(done.count, N);
	for (unsigned i = 0; i < rig.lines; i++)
		if (smmu_cmd_opcode(&rig.log[i].cmd) == SMMU_CMD_TLBI_NH_VAA)
			assert_int_equal(rig.log[i].cmd.w[1] >> 12, at++);
	assert_int_equal(at, N);
	/* None at all, and one that is refused at once, are no submission. */
	rig_log_reset(&rig);
	assert_int_equal(smmu_vsmmu_invalidate(&a.v, cmds, 0, &done), 0);
	cmds[0].w[0] = 0xff;
	assert_int_equal(smmu_vsmmu_invalidate(&a.v, cmds, N, &done), 0);
	assert_int_equal(done.count, 0);
	assert_non_null(done.why);
	assert_int_equal(rig.lines, 0);
	guest_vm_down(&a);
	rig_close(&rig);
}

/**
 * An ATC that does not answer: found, cut off, and never asked again; the rest of the block is
 * done.
 */
static void test_silent(void **state)
{
	const struct smmu_cmd block[] = {
		{{sid(0x50) | 0x40, 0x1000}},
		{{sid(0x51) | 0x40, 52}},
		{{0x30, 0}},
		{{sid(0x50) | 0x40, 0x2000}},
	};
	struct smmu_cmd cmds[4];
	struct smmu_vsmmu_done done;
	uint64_t before;
	struct guest_vm a, b;

	rig_open_up(&rig, 1);
	guest_vm_up(&rig, &a, 5, true);
	guest_vm_up(&rig, &b, 7, true);
	for (unsigned i = 0; i < 2; i++)
		rig_expect(&a.d[i], 0x1000, RIG_PA(1));
	rig_expect(&b.d[0], 0x1000, RIG_PA(1));
	guest_map(&a.guest, 0x1000, GUEST_IPA(4));
	smmu_model_atc_mute(a.d[0].hw[0], true);
	memcpy(cmds, block, sizeof(cmds));
	rig_log_reset(&rig);
	assert_int_equal(smmu_vsmmu_invalidate(&a.v, cmds, 4, &done), -SMMU_ETIMEDOUT);
	assert_int_equal(done.count, 4);
	assert_int_equal(done.cut, 1);
	assert_true(smmu_device_quarantined(&a.d[0].dev));
	assert_false(smmu_device_quarantined(&a.d[1].dev));
	rig_refused(&a.d[0], 0x1000);
	rig_expect(&a.d[1], 0x1000, RIG_PA(4));
	rig_expect(&b.d[0], 0x1000, RIG_PA(1));
	/* From now on it costs no time-out, neither this guest nor an unmap. */
	before = sim_now(rig.sim);
	memcpy(cmds, block, sizeof(cmds));
	rig_log_reset(&rig);
	assert_int_equal(smmu_vsmmu_invalidate(&a.v, cmds, 4, &done), 0);
	assert_string_equal(rig_log(&rig), "ATC_INV(6) TLBI_NH_ALL(1) SYNC");
	assert_int_equal(done.count, 4);
	assert_int_equal(smmu_unmap(&a.parent, GUEST_IPA(2), 0x1000, 0), 0);
	assert_true(sim_now(rig.sim) - before < 100000);
	guest_vm_down(&a);
	rig_expect(&b.d[0], 0x1000, RIG_PA(1));
	guest_vm_down(&b);
	rig_close(&rig);
}

/** All of them silent: each costs one time-out, and one more for all together. */
static void test_all_silent(void **state)
{
	const struct smmu_cmd block[] = {{{sid(0x50) | 0x40, 52}}, {{sid(0x51) | 0x40, 52}}};
	struct smmu_cmd cmds[2];
	struct smmu_vsmmu_done done;
	struct guest_vm a;

	rig_open_up(&rig, 1);
	guest_vm_up(&rig, &a, 5, true);
	for (unsigned i = 0; i < 2; i++)
		smmu_model_atc_mute(a.d[i].hw[0], true);
	memcpy(cmds, block, sizeof(cmds));
	rig_log_reset(&rig);
	assert_int_equal(smmu_vsmmu_invalidate(&a.v, cmds, 2, &done), -SMMU_ETIMEDOUT);
	assert_int_equal(done.cut, 2);
	assert_int_equal(rig_log_count(&rig, SMMU_CMD_ATC_INV), 4);
	guest_vm_down(&a);
	rig_close(&rig);
}

/** The queue is given up: nothing counts as done. */
static void test_dead(void **state)
{
	const struct smmu_cmd all = {{0x30, 0}};
	struct guest_vm a;

	rig_open_up(&rig, 1);
	guest_vm_up(&rig, &a, 5, false);
	smmu_model_kill_queue(rig.model, 0, 1, false);
	assert_int_equal(writes(&a, &all, 1, 0, SMMU_GUEST_END), -SMMU_EIO);
	assert_int_equal(smmu_instance_revive(&rig.smmu[0].inst), 0);
	assert_int_equal(writes(&a, &all, 1, 1, SMMU_GUEST_END), 0);
	guest_vm_down(&a);
	rig_close(&rig);
}

/** A command of the batch is not executed: all of it comes again. */
static void test_lost(void **state)
{
	const struct smmu_cmd all = {{0x30, 0}};
	struct guest_vm a;

	rig_open_up(&rig, 1);
	guest_vm_up(&rig, &a, 5, false);
	rig_expect(&a.d[0], 0x1000, RIG_PA(1));
	guest_map(&a.guest, 0x1000, GUEST_IPA(4));
	rig.smmu[0].corrupt = SMMU_CMD_TLBI_NH_ALL;
	rig.smmu[0].corruptions = 2;
	assert_int_equal(writes(&a, &all, 1, 1, SMMU_GUEST_END), 0);
	rig_expect(&a.d[0], 0x1000, RIG_PA(4));
	guest_vm_down(&a);
	rig_close(&rig);
}

/** Parts with errata: invalidations twice, but ATC_INVs once, and kinds that may not meet. */
static void test_quirks(void **state)
{
	const struct smmu_cmd block[] = {
		{{0x30, 0}}, {{0x13, 0x1000}}, {{sid(0x50) | 0x40, 52}}, {{sid(0x50) | 6, 0}}};
	struct smmu_model_config config = rig_config();
	struct guest_vm a;

	rig_open(&rig, &config, 1);
	rig_up(&rig, 0, SMMU_QUIRK_TWICE);
	guest_vm_up(&rig, &a, 5, true);
	rig_log_reset(&rig);
	assert_int_equal(writes(&a, block, 4, 4, SMMU_GUEST_END), 0);
	assert_string_equal(rig_log(&rig), "TLBI_NH_ALL(1) TLBI_NH_VAA SYNC TLBI_NH_ALL(1) "
					   "TLBI_NH_VAA SYNC ATC_INV(5) SYNC CFGI_CD_ALL(5) SYNC "
					   "CFGI_CD_ALL(5) SYNC");
	guest_vm_down(&a);
	rig_close(&rig);
	rig_open(&rig, &config, 1);
	rig_up(&rig, 0, SMMU_QUIRK_ONE_KIND);
	guest_vm_up(&rig, &a, 5, true);
	rig_log_reset(&rig);
	assert_int_equal(writes(&a, block, 4, 4, SMMU_GUEST_END), 0);
	assert_string_equal(rig_log(&rig), "TLBI_NH_ALL(1) SYNC TLBI_NH_VAA SYNC ATC_INV(5) SYNC "
					   "CFGI_CD_ALL(5) SYNC");
	guest_vm_down(&a);
	rig_close(&rig);
}

static uint64_t random_word(void)
{
	static uint64_t x = 1;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x * 0x2545f4914f6cdd1dull;
}

/** Any words at all: the queue never stops, and another guest never notices. */
static void test_random(void **state)
{
	struct smmu_model_config config = rig_config();
	struct smmu_model_counters before, after;
	struct guest_vm a, b;

	config.check_reserved = true;
	rig_open(&rig, &config, 1);
	rig_up(&rig, 0, 0);
	guest_vm_up(&rig, &a, 5, true);
	guest_vm_up(&rig, &b, 7, true);
	rig_expect(&b.d[0], 0x1000, RIG_PA(1));
	guest_map(&b.guest, 0x1000, GUEST_IPA(6));
	smmu_model_counters(rig.model, 0, &before);
	for (unsigned round = 0; round < 3000; round++) {
		static const uint8_t ops[] = {5, 6, 0x10, 0x11, 0x12, 0x13, 0x30, 0x40};
		struct smmu_cmd cmds[8];
		struct smmu_vsmmu_done done;

		for (unsigned i = 0; i < 8; i++) {
			uint64_t r = random_word(), op = ops[r & 7];
			bool stream = op < 0x10 || op == 0x40;

			cmds[i].w[0] =
				op | (stream ? sid(0x50 + (r >> 3 & 1)) : r & ~0xffffffffull);
			cmds[i].w[1] = op == 0x12 || op == 0x13 ? random_word() & ~0xffeull
				       : op == 0x40             ? random_word() & ~0xfc0ull
								: 0;
			/* Most are what a guest would write. */
			if (!(r >> 4 & 7))
				cmds[i].w[r >> 7 & 1] ^= 1ull << (r >> 8 & 63);
			if (!(r >> 14 & 63))
				cmds[i].w[0] = random_word();
		}
		assert_int_equal(smmu_vsmmu_invalidate(&a.v, cmds, 8, &done), 0);
		rig.lines = 0;
	}
	smmu_model_counters(rig.model, 0, &after);
	assert_int_equal(after.cerrors, before.cerrors);
	assert_true(after.tlbi > before.tlbi + 100 && after.atc_inv > before.atc_inv + 100 &&
		    after.cfgi > before.cfgi + 100);
	rig_expect(&b.d[0], 0x1000, RIG_PA(1));
	guest_vm_down(&a);
	guest_vm_down(&b);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tlb),        cmocka_unit_test(test_streams),
		cmocka_unit_test(test_long),       cmocka_unit_test(test_silent),
		cmocka_unit_test(test_all_silent), cmocka_unit_test(test_dead),
		cmocka_unit_test(test_lost),       cmocka_unit_test(test_quirks),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

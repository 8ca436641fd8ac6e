/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands of guests, from their words to what the caches of SMMU and devices hold. */
#include "guest.h"
#include "rig.h"

static struct rig rig;

/**
 * A guest with a parent of its own, a virtual SMMU on instance 0 and two devices that it knows as
 * streams 0x50 and 0x51.
 */
struct vm {
	struct smmu_domain parent, nested;
	struct guest guest;
	struct smmu_vsmmu v;
	struct rig_device d[2];
};

static void set_up(struct vm *m, uint32_t stream, bool ats)
{
	struct smmu_ste ste;

	rig_domain(&rig, &m->parent, SMMU_DOMAIN_STAGE2);
	guest_init(&m->guest, &rig, &m->parent);
	guest_vsmmu(&m->v, &rig, 0, &m->parent);
	guest_map(&m->guest, 0x1000, GUEST_IPA(1));
	guest_map(&m->guest, 0x2000, GUEST_IPA(2));
	ste = guest_ste(&m->guest, ats);
	assert_int_equal(smmu_nested_init(&m->nested, &m->v, &ste, NULL), 0);
	for (uint32_t i = 0; i < 2; i++) {
		const uint32_t name = 0x50 + i;

		rig_device(&rig, &m->d[i], 0, stream + i, 1, ats, 0);
		assert_int_equal(smmu_vsmmu_plug(&m->v, &m->d[i].dev, &name), 0);
		assert_int_equal(smmu_attach(&m->d[i].dev, &m->nested), 0);
	}
}

static void tear_down(struct vm *m)
{
	for (unsigned i = 0; i < 2; i++)
		smmu_device_fini(&m->d[i].dev);
	assert_int_equal(smmu_domain_fini(&m->nested), 0);
	assert_int_equal(smmu_vsmmu_fini(&m->v), 0);
	guest_fini(&m->guest);
	assert_int_equal(smmu_domain_fini(&m->parent), 0);
}

static uint64_t sid(unsigned guest)
{
	return (uint64_t)guest << 32;
}

/** The guest writes @p n commands; @p count of them are done and @p stop comes next. */
static int writes(struct vm *m, const struct smmu_cmd *guest, uint32_t n, uint32_t count,
		  enum smmu_guest_stop stop)
{
	struct smmu_cmd cmds[16];
	struct smmu_vsmmu_done done;
	int error;

	memcpy(cmds, guest, n * sizeof(*cmds));
	error = smmu_vsmmu_invalidate(&m->v, cmds, n, &done);
	assert_int_equal(done.count, count);
	assert_int_equal(done.stop, stop);
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
	struct vm a, b;

	rig_open_up(&rig, 1);
	set_up(&a, 5, false);
	set_up(&b, 7, false);
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
	tear_down(&a);
	rig_expect(&b.d[0], 0x1000, RIG_PA(1));
	tear_down(&b);
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
	struct vm a;

	rig_open_up(&rig, 1);
	set_up(&a, 5, true);
	rig_expect(&a.d[0], 0x1000, RIG_PA(1));
	/* The guest gives its CD another ASID. */
	guest_cd(&a.guest, 0, 4);
	rig_log_reset(&rig);
	assert_int_equal(writes(&a, block, 5, 4, SMMU_GUEST_SYNC), 0);
	assert_string_equal(rig_log(&rig), "CFGI_CD(5+0) CFGI_CD_ALL(6) ATC_INV(5) "
					   "ATC_INV(6,1000/0) SYNC");
	assert_int_equal(smmu_model_atc_count(a.d[0].hw[0]), 0);
	rig_expect(&a.d[0], 0x1000, RIG_PA(1));
	rig_log_reset(&rig);
	assert_int_equal(writes(&a, &real, 1, 0, SMMU_GUEST_NOTHING), 0);
	assert_int_equal(writes(&a, &ste, 1, 0, SMMU_GUEST_YOURS), 0);
	assert_int_equal(rig.lines, 0);
	assert_int_equal(writes(&a, wrong, 4, 2, SMMU_GUEST_ILLEGAL), 0);
	assert_string_equal(rig_log(&rig), "TLBI_NH_ALL(1) TLBI_NH_ALL(1) SYNC");
	tear_down(&a);
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
	struct vm a;

	rig_open_up(&rig, 1);
	set_up(&a, 5, false);
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
	tear_down(&a);
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
	struct vm a, b;

	rig_open_up(&rig, 1);
	set_up(&a, 5, true);
	set_up(&b, 7, true);
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
	tear_down(&a);
	rig_expect(&b.d[0], 0x1000, RIG_PA(1));
	tear_down(&b);
	rig_close(&rig);
}

/** All of them silent: each costs one time-out, and one more for all together. */
static void test_all_silent(void **state)
{
	const struct smmu_cmd block[] = {{{sid(0x50) | 0x40, 52}}, {{sid(0x51) | 0x40, 52}}};
	struct smmu_cmd cmds[2];
	struct smmu_vsmmu_done done;
	struct vm a;

	rig_open_up(&rig, 1);
	set_up(&a, 5, true);
	for (unsigned i = 0; i < 2; i++)
		smmu_model_atc_mute(a.d[i].hw[0], true);
	memcpy(cmds, block, sizeof(cmds));
	rig_log_reset(&rig);
	assert_int_equal(smmu_vsmmu_invalidate(&a.v, cmds, 2, &done), -SMMU_ETIMEDOUT);
	assert_int_equal(done.cut, 2);
	assert_int_equal(rig_log_count(&rig, SMMU_CMD_ATC_INV), 4);
	tear_down(&a);
	rig_close(&rig);
}

/** The queue is given up: nothing counts as done. */
static void test_dead(void **state)
{
	const struct smmu_cmd all = {{0x30, 0}};
	struct vm a;

	rig_open_up(&rig, 1);
	set_up(&a, 5, false);
	smmu_model_kill_queue(rig.model, 0, 1, false);
	assert_int_equal(writes(&a, &all, 1, 0, SMMU_GUEST_END), -SMMU_EIO);
	assert_int_equal(smmu_instance_revive(&rig.smmu[0].inst), 0);
	assert_int_equal(writes(&a, &all, 1, 1, SMMU_GUEST_END), 0);
	tear_down(&a);
	rig_close(&rig);
}

/** A command of the batch is not executed: all of it comes again. */
static void test_lost(void **state)
{
	const struct smmu_cmd all = {{0x30, 0}};
	struct vm a;

	rig_open_up(&rig, 1);
	set_up(&a, 5, false);
	rig_expect(&a.d[0], 0x1000, RIG_PA(1));
	guest_map(&a.guest, 0x1000, GUEST_IPA(4));
	rig.smmu[0].corrupt = SMMU_CMD_TLBI_NH_ALL;
	rig.smmu[0].corruptions = 2;
	assert_int_equal(writes(&a, &all, 1, 1, SMMU_GUEST_END), 0);
	rig_expect(&a.d[0], 0x1000, RIG_PA(4));
	tear_down(&a);
	rig_close(&rig);
}

/** Parts with errata: invalidations twice, but ATC_INVs once, and kinds that may not meet. */
static void test_quirks(void **state)
{
	const struct smmu_cmd block[] = {
		{{0x30, 0}}, {{0x13, 0x1000}}, {{sid(0x50) | 0x40, 52}}, {{sid(0x50) | 6, 0}}};
	struct smmu_model_config config = rig_config();
	struct vm a;

	rig_open(&rig, &config, 1);
	rig_up(&rig, 0, SMMU_QUIRK_TWICE);
	set_up(&a, 5, true);
	rig_log_reset(&rig);
	assert_int_equal(writes(&a, block, 4, 4, SMMU_GUEST_END), 0);
	assert_string_equal(rig_log(&rig), "TLBI_NH_ALL(1) TLBI_NH_VAA SYNC TLBI_NH_ALL(1) "
					   "TLBI_NH_VAA SYNC ATC_INV(5) SYNC CFGI_CD_ALL(5) SYNC "
					   "CFGI_CD_ALL(5) SYNC");
	tear_down(&a);
	rig_close(&rig);
	rig_open(&rig, &config, 1);
	rig_up(&rig, 0, SMMU_QUIRK_ONE_KIND);
	set_up(&a, 5, true);
	rig_log_reset(&rig);
	assert_int_equal(writes(&a, block, 4, 4, SMMU_GUEST_END), 0);
	assert_string_equal(rig_log(&rig), "TLBI_NH_ALL(1) SYNC TLBI_NH_VAA SYNC ATC_INV(5) SYNC "
					   "CFGI_CD_ALL(5) SYNC");
	tear_down(&a);
	rig_close(&rig);
}

static void *no_memory(void *ctx, size_t size)
{
	return NULL;
}

/** Names: what cannot be one, and that each is found among many and gone when it is taken back. */
static void test_names(void **state)
{
	enum { MANY = 40 };
	static struct rig_device d[MANY];
	struct rig_device two, other;
	struct smmu_domain parent;
	struct smmu_vsmmu v, w;
	struct smmu_vsmmu_done done;
	const uint32_t same[2] = {7, 7}, name[2] = {0x50, 0x7fffffff}, beyond[2] = {1, 0x200};

	rig_open_up(&rig, 2);
	rig_domain(&rig, &parent, SMMU_DOMAIN_STAGE2);
	guest_vsmmu(&v, &rig, 0, &parent);
	guest_vsmmu(&w, &rig, 0, &parent);
	rig_device(&rig, &two, 0, 200, 2, true, 0);
	rig_device(&rig, &other, 1, 1, 1, true, 0);
	assert_int_equal(smmu_vsmmu_plug(&v, &two.dev, same), -SMMU_EEXIST);
	assert_int_equal(smmu_vsmmu_plug(&v, &two.dev, beyond), -SMMU_ERANGE);
	assert_int_equal(smmu_vsmmu_plug(&v, &other.dev, name), -SMMU_EINVAL);
	smmu_vsmmu_unplug(&two.dev);
	for (uint32_t i = 0; i < MANY; i++) {
		const uint32_t his = (i * 37) % 512;

		rig_device(&rig, &d[i], 0, 1 + i, 1, true, 0);
		assert_int_equal(smmu_vsmmu_plug(&v, &d[i].dev, &his), 0);
		assert_int_equal(smmu_vsmmu_plug(&w, &d[i].dev, &his), -SMMU_EBUSY);
	}
	assert_int_equal(smmu_vsmmu_plug(&v, &two.dev, (const uint32_t[]){37, 2}), -SMMU_EEXIST);
	assert_int_equal(smmu_vsmmu_plug(&v, &two.dev, (const uint32_t[]){1, 2}), 0);
	assert_int_equal(smmu_vsmmu_fini(&v), -SMMU_EBUSY);
	/* Every third goes, with no memory for a smaller table. */
	for (uint32_t i = 0; i < MANY; i += 3) {
		void *(*const alloc)(void *ctx, size_t size) = rig.ops.alloc;

		rig.ops.alloc = no_memory;
		if (i % 2)
			smmu_vsmmu_unplug(&d[i].dev);
		else
			smmu_device_fini(&d[i].dev);
		rig.ops.alloc = alloc;
	}
	for (uint32_t i = 0; i < MANY; i++) {
		struct smmu_cmd cmd = {{sid((i * 37) % 512) | 6, 0}};

		assert_int_equal(smmu_vsmmu_invalidate(&v, &cmd, 1, &done), 0);
		assert_int_equal(done.count, i % 3 != 0);
		if (done.count)
			assert_int_equal(cmd.w[0] >> 32, 1 + i);
	}
	{
		struct smmu_cmd cmd = {{sid(2) | 6, 0}};

		assert_int_equal(smmu_vsmmu_invalidate(&v, &cmd, 1, &done), 0);
		assert_int_equal(cmd.w[0] >> 32, 201);
		/* The other virtual SMMU knows none of them. */
		cmd = (struct smmu_cmd){{sid(2) | 6, 0}};
		assert_int_equal(smmu_vsmmu_invalidate(&w, &cmd, 1, &done), 0);
		assert_int_equal(done.count, 0);
	}
	for (uint32_t i = 0; i < MANY; i++)
		smmu_device_fini(&d[i].dev);
	smmu_device_fini(&two.dev);
	smmu_device_fini(&other.dev);
	assert_int_equal(smmu_vsmmu_fini(&v), 0);
	assert_int_equal(smmu_vsmmu_fini(&w), 0);
	assert_int_equal(smmu_domain_fini(&parent), 0);
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
	struct vm a, b;

	config.check_reserved = true;
	rig_open(&rig, &config, 1);
	rig_up(&rig, 0, 0);
	set_up(&a, 5, true);
	set_up(&b, 7, true);
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
	tear_down(&a);
	tear_down(&b);
	rig_close(&rig);
}

static struct vm waits;
static bool submitted, thawed, unplugged;

static void do_invalidate(void *arg)
{
	struct smmu_cmd cmds[] = {{{0x30, 0}}, {{sid(0x50) | 0x40, 52}}};
	struct smmu_vsmmu_done done;

	submitted = true;
	CHECK(smmu_vsmmu_invalidate(&waits.v, cmds, 2, &done) == 0);
	CHECK(done.count == 2 && thawed);
}

static void do_unplug(void *arg)
{
	while (!submitted)
		sim_sleep(rig.sim, 100);
	sim_sleep(rig.sim, 1000);
	if (arg)
		smmu_device_fini(&waits.d[0].dev);
	else
		smmu_vsmmu_unplug(&waits.d[0].dev);
	CHECK(thawed);
	unplugged = true;
}

static void do_thaw(void *arg)
{
	sim_sleep(rig.sim, 300000);
	CHECK(!unplugged);
	thawed = true;
	rig_thaw(&rig, 0);
}

/** Unplugging a device, and its end, wait for the guest's commands that are under way. */
static void test_unplug_waits(void **state)
{
	for (uintptr_t fini = 0; fini < 2; fini++) {
		rig_open_up(&rig, 1);
		set_up(&waits, 5, !fini);
		smmu_detach(&waits.d[0].dev);
		submitted = thawed = unplugged = false;
		rig.smmu[0].frozen = true;
		sim_spawn(rig.sim, do_invalidate, NULL);
		sim_spawn(rig.sim, do_unplug, (void *)fini);
		sim_spawn(rig.sim, do_thaw, NULL);
		assert_int_equal(sim_run(rig.sim), 0);
		assert_true(unplugged);
		tear_down(&waits);
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tlb),        cmocka_unit_test(test_streams),
		cmocka_unit_test(test_long),       cmocka_unit_test(test_silent),
		cmocka_unit_test(test_all_silent), cmocka_unit_test(test_dead),
		cmocka_unit_test(test_lost),       cmocka_unit_test(test_quirks),
		cmocka_unit_test(test_names),      cmocka_unit_test(test_unplug_waits),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

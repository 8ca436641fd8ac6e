/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes of STEs under the watch, how many waits each costs, and the CD that no STE points to. */
#include "watch.h"

static struct rig rig;

static void check_reaches(struct rig_device *d, enum what what)
{
	for (unsigned k = 0; k < d->nr; k++) {
		uint64_t pa = 0;
		bool ok = rig_dma(d, k, -1, 0x40001000, &pa);

		assert_int_equal(ok, what == IDENTITY);
		ok = rig_dma(d, k, -1, 0x1000, &pa);
		if (what >= S1A) {
			assert_true(ok);
			assert_int_equal(pa, watch_page(what));
		}
	}
}

/*
 * What each change costs in CMD_SYNCs for a device that was only just added, and whether traffic of no kind is refused on
 * the way, without ATS and substreams: one for a change that is a single store; one more where fields have to be laid out
 * before the store that makes them count; one more where two used units differ and the way leads over a refusing entry
 * (S2VMID counts at stage 1 too). With single stores of 16 bytes, S2VMID and S2TTB are one unit.
 */
struct cost {
	unsigned syncs;
	bool breaks;
};
static const struct cost costs[2][WHATS][WHATS] = {
	{
		/* to:        ABORT   IDENT   S1A     S1B     S2A     S2B */
		[ABORT] = {{0, 0}, {1, 0}, {1, 0}, {1, 0}, {2, 0}, {2, 0}},
		[IDENTITY] = {{1, 0}, {0, 0}, {1, 0}, {1, 0}, {2, 0}, {2, 0}},
		[S1A] = {{1, 0}, {1, 0}, {0, 0}, {1, 0}, {3, 1}, {3, 1}},
		[S1B] = {{1, 0}, {1, 0}, {1, 0}, {0, 0}, {3, 1}, {3, 1}},
		[S2A] = {{1, 0}, {1, 0}, {3, 1}, {3, 1}, {0, 0}, {3, 1}},
		[S2B] = {{1, 0}, {1, 0}, {3, 1}, {3, 1}, {3, 1}, {0, 0}},
	},
	{
		[ABORT] = {{0, 0}, {1, 0}, {1, 0}, {1, 0}, {2, 0}, {2, 0}},
		[IDENTITY] = {{1, 0}, {0, 0}, {1, 0}, {1, 0}, {2, 0}, {2, 0}},
		[S1A] = {{1, 0}, {1, 0}, {0, 0}, {1, 0}, {3, 1}, {3, 1}},
		[S1B] = {{1, 0}, {1, 0}, {1, 0}, {0, 0}, {3, 1}, {3, 1}},
		[S2A] = {{1, 0}, {1, 0}, {3, 1}, {3, 1}, {0, 0}, {1, 0}},
		[S2B] = {{1, 0}, {1, 0}, {3, 1}, {3, 1}, {1, 0}, {0, 0}},
	},
};

/** Attach @p d to @p what, detach it for ABORT in every second round, and check what may have been seen. */
static bool change_to(struct rig_device *d, enum what what, bool detach)
{
	bool hitless;

	watch_change();
	if (detach && what == ABORT)
		smmu_detach(&d->dev);
	else
		assert_int_equal(smmu_attach(&d->dev, &watch_domains[what]), 0);
	hitless = watch_check();
	check_reaches(d, what);
	for (unsigned k = 1; k < d->nr; k++) {
		struct smmu_ste a = rig_ste(d, 0), b = rig_ste(d, k);

		assert_memory_equal(&a, &b, sizeof(a));
	}
	return hitless;
}

static void transitions(bool ats, unsigned nr, bool lse2)
{
	struct rig_device d;

	rig_open_up(&rig, 1);
	rig.port.flags = lse2 ? SMMU_PORT_LSE2 : 0;
	watch_unit = lse2 ? 2 : 1;
	watch_make_domains();
	for (unsigned from = 0; from < WHATS; from++)
		for (unsigned to = 0; to < WHATS; to++) {
			struct cost want = costs[lse2][from][to];
			bool hitless;

			rig_device(&rig, &d, 0, 8 * (from * WHATS + to), nr, ats, 0);
			watch(&d, NULL);
			change_to(&d, from, false);
			hitless = change_to(&d, to, from & 1);
			if (getenv("SMMU_TEST_PRINT"))
				printf("%u -> %u: %u %d  %s\n", from, to, watch_config_syncs(),
				       hitless, rig_log(&rig));
			if (!ats && watch_config_syncs() != want.syncs)
				fail_msg("%u -> %u takes %u CMD_SYNCs, not %u: %s", from, to,
					 watch_config_syncs(), want.syncs, rig_log(&rig));
			assert_int_equal(hitless, !want.breaks);
			/* There and back again, which costs no more. */
			change_to(&d, from, true);
			change_to(&d, to, false);
			if (!ats)
				assert_true(watch_config_syncs() <= want.syncs);
			rig_store_hook = NULL;
			smmu_device_fini(&d.dev);
		}
	watch_drop_domains();
	rig_close(&rig);
	watch_unit = 1;
}

static void test_transitions(void **state)
{
	transitions(false, 1, false);
	transitions(false, 1, true);
}

static void test_transitions_ats(void **state)
{
	transitions(true, 1, false);
	transitions(true, 1, true);
}

static void test_transitions_streams(void **state)
{
	transitions(false, 3, false);
	transitions(true, 3, true);
}

/** One device from anything to anything, a hundred times over: what a slow fetch has of before never shows. */
static void test_transitions_random(void **state)
{
	uint64_t random = 1;

	for (unsigned lse2 = 0; lse2 < 2; lse2++) {
		struct rig_device d;

		rig_open_up(&rig, 1);
		rig.port.flags = lse2 ? SMMU_PORT_LSE2 : 0;
		watch_unit = lse2 ? 2 : 1;
		watch_make_domains();
		rig_device(&rig, &d, 0, 5, 1, lse2, 0);
		watch(&d, NULL);
		for (unsigned i = 0; i < 100; i++) {
			random = random * 6364136223846793005ull + 1442695040888963407ull;
			change_to(&d, (random >> 33) % WHATS, i & 1);
		}
		rig_store_hook = NULL;
		smmu_device_fini(&d.dev);
		watch_drop_domains();
		rig_close(&rig);
	}
	watch_unit = 1;
}

/**
 * Without substreams the new CD is written where no STE points: nobody can have half of it. Held against the STE at
 * each store into the table.
 */
static struct rig_device *cd_device;
static unsigned cd_stores;

static void cd_stored(const void *p)
{
	const struct smmu_cdtab *t = &cd_device->dev.streams->cdtab;
	uint64_t bus = t->bus + (uint64_t)((const char *)p - (const char *)t->table);
	struct smmu_ste ste = rig_ste(cd_device, 0);

	if ((const char *)p < (const char *)t->table ||
	    (const char *)p >= (const char *)t->table + t->size)
		return;
	cd_stores++;
	CHECK(smmu_field_get(SMMU_STE_W0_CONFIG, ste.w[0]) != SMMU_STE_CONFIG_S1 ||
	      (ste.w[0] & SMMU_STE_W0_S1CONTEXTPTR) != (bus & ~63ull));
}

static void test_spare_cd(void **state)
{
	struct rig_device d;

	rig_open_up(&rig, 1);
	watch_make_domains();
	rig_device(&rig, &d, 0, 5, 1, false, 0);
	cd_device = &d;
	rig_store_hook = cd_stored;
	for (unsigned i = 0; i < 7; i++) {
		assert_int_equal(smmu_attach(&d.dev, &watch_domains[i % 3 ? S1A : S1B]), 0);
		check_reaches(&d, i % 3 ? S1A : S1B);
	}
	assert_true(cd_stores >= 4 * 8);
	rig_store_hook = NULL;
	smmu_device_fini(&d.dev);
	watch_drop_domains();
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_transitions),
		cmocka_unit_test(test_transitions_ats),
		cmocka_unit_test(test_transitions_streams),
		cmocka_unit_test(test_transitions_random),
		cmocka_unit_test(test_spare_cd),
	};

	watch_rig = &rig;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

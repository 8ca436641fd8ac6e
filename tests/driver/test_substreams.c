/* SPDX-License-Identifier: BSD-2-Clause */
/* Substreams under the watch, and tables of CDs that devices of before had. */
#include "watch.h"

static struct rig rig;

static struct smmu_cd *cd_at(struct rig_device *d, uint32_t ssid)
{
	struct smmu_cdtab *t = &d->dev.streams->cdtab;

	if (!t->l2)
		return (struct smmu_cd *)t->table + ssid;
	return t->l2[ssid / 64] ? t->l2[ssid / 64] + ssid % 64 : NULL;
}

/** Where traffic of stream @p k gets to. */
static void reach_stream(struct rig_device *d, unsigned k, int32_t ssid, enum what what)
{
	uint64_t pa = 0;

	if (what == ABORT) {
		assert_false(rig_dma(d, k, ssid, 0x1000, NULL));
		return;
	}
	assert_true(rig_dma(d, k, ssid, 0x1000, &pa));
	assert_int_equal(pa, what == IDENTITY ? 0x1000 : watch_page(what));
}

static void reach_ssid(struct rig_device *d, int32_t ssid, enum what what)
{
	reach_stream(d, 0, ssid, what);
}

static void substreams(unsigned bits, bool two_level, bool ats)
{
	struct smmu_model_config c = rig_config();
	static const uint32_t ssids[] = {1, 5, 63, 64, 200};
	struct rig_device d;

	c.two_level_cd = two_level;
	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, 0);
	watch_make_domains();
	rig_device(&rig, &d, 0, 5, 1, ats, bits);
	assert_int_equal(d.dev.streams->cdtab.l2 != NULL, two_level && bits > 10);
	assert_int_equal(smmu_attach_pasid(&d.dev, 0, &watch_domains[S1A]), -SMMU_ERANGE);
	assert_int_equal(smmu_attach_pasid(&d.dev, 1u << bits, &watch_domains[S1A]), -SMMU_ERANGE);
	assert_int_equal(smmu_attach_pasid(&d.dev, 1, &watch_domains[S2A]), -SMMU_EOPNOTSUPP);
	assert_int_equal(smmu_attach_pasid(&d.dev, 1, &watch_domains[IDENTITY]), -SMMU_EOPNOTSUPP);
	for (unsigned first = 0; first < 3; first++) {
		/* Untagged traffic is blocked, identity, or translated. */
		enum what untagged = first;

		if (untagged)
			assert_int_equal(smmu_attach(&d.dev, &watch_domains[untagged]), 0);
		for (unsigned i = 0; i < SMMU_ARRAY_SIZE(ssids); i++) {
			uint32_t ssid = ssids[i];

			if (ssid >> bits)
				continue;
			watch(&d, cd_at(&d, ssid));
			watch_change();
			assert_int_equal(smmu_attach_pasid(&d.dev, ssid, &watch_domains[S1A]), 0);
			watch_check();
			reach_ssid(&d, (int32_t)ssid, S1A);
			if (untagged != ABORT)
				reach_ssid(&d, -1, untagged);
			watch(&d, cd_at(&d, ssid));
			watch_change();
			assert_int_equal(smmu_attach_pasid(&d.dev, ssid, &watch_domains[S1B]), 0);
			watch_check();
			reach_ssid(&d, (int32_t)ssid, S1B);
			assert_int_equal(smmu_attach_pasid(&d.dev, ssid, &watch_domains[S1B]), 0);
		}
		assert_int_equal(smmu_attach(&d.dev, &watch_domains[S2A]), -SMMU_EBUSY);
		/* Untagged traffic changes under the substreams. */
		for (unsigned to = ABORT; to <= S1B; to++) {
			watch(&d, cd_at(&d, 0));
			watch_change();
			assert_int_equal(smmu_attach(&d.dev, &watch_domains[to]), 0);
			watch_check();
			reach_ssid(&d, 1, S1B);
			if (to)
				reach_ssid(&d, -1, to);
			else
				assert_false(rig_dma(&d, 0, -1, 0x1000, NULL));
			/* Substream 0 is nobody's. */
			reach_ssid(&d, 0, ABORT);
		}
		watch(&d, cd_at(&d, 0));
		watch_change();
		smmu_detach(&d.dev);
		watch_check();
		/* Its CD is where substream 0 would look now. */
		assert_int_equal(cd_at(&d, 0)->w[0], 0);
		reach_ssid(&d, 0, ABORT);
		assert_false(rig_dma(&d, 0, -1, 0x1000, NULL));
		if (untagged)
			assert_int_equal(smmu_attach(&d.dev, &watch_domains[untagged]), 0);
		for (unsigned i = 0; i < SMMU_ARRAY_SIZE(ssids); i++) {
			uint32_t ssid = ssids[i];

			if (ssid >> bits)
				continue;
			watch(&d, cd_at(&d, ssid));
			watch_change();
			smmu_detach_pasid(&d.dev, ssid);
			watch_check();
			reach_ssid(&d, (int32_t)ssid, ABORT);
			assert_int_equal(cd_at(&d, ssid)->w[0], 0);
			smmu_detach_pasid(&d.dev, ssid);
		}
		if (untagged != ABORT)
			reach_ssid(&d, -1, untagged);
		smmu_detach(&d.dev);
		assert_false(d.ats);
	}
	assert_int_equal(smmu_attach(&d.dev, &watch_domains[S2A]), 0);
	reach_ssid(&d, -1, S2A);
	assert_int_equal(smmu_attach_pasid(&d.dev, 1, &watch_domains[S1A]), -SMMU_EBUSY);
	smmu_device_fini(&d.dev);
	watch_drop_domains();
	rig_close(&rig);
}

static void test_substreams(void **state)
{
	substreams(3, true, false);
	substreams(3, false, true);
	substreams(12, true, false);
	substreams(12, true, true);
	substreams(12, false, false);
}

/**
 * A device goes, its CD table is freed, and another takes its stream: nothing that the SMMU kept of the first one's table
 * may lead anywhere.
 */
static void test_table_of_before(void **state)
{
	/* Without substreams first: substream 0 of the next device must not find the CD of that one. */
	{
		struct rig_device d, e;

		rig_open_up(&rig, 1);
		watch_make_domains();
		rig_device(&rig, &d, 0, 5, 1, false, 0);
		assert_int_equal(smmu_attach(&d.dev, &watch_domains[S1A]), 0);
		reach_ssid(&d, -1, S1A);
		smmu_device_fini(&d.dev);
		rig_device(&rig, &e, 0, 5, 1, false, 4);
		assert_int_equal(smmu_attach_pasid(&e.dev, 1, &watch_domains[S1B]), 0);
		reach_ssid(&e, 1, S1B);
		reach_ssid(&e, 0, ABORT);
		reach_ssid(&e, -1, ABORT);
		smmu_device_fini(&e.dev);
		watch_drop_domains();
		rig_close(&rig);
	}
	for (unsigned bits = 9; bits <= 12; bits += 3) {
		struct rig_device d, e;
		struct smmu_cd cd, *left;

		rig_open_up(&rig, 1);
		watch_make_domains();
		rig_device(&rig, &d, 0, 5, 1, false, bits);
		assert_int_equal(smmu_attach_pasid(&d.dev, 1, &watch_domains[S1A]), 0);
		assert_int_equal(smmu_attach_pasid(&d.dev, 200, &watch_domains[S1B]), 0);
		reach_ssid(&d, 1, S1A);
		reach_ssid(&d, 200, S1B);
		/* The SMMU looks at 200 again when it is detached, and keeps the way there. */
		smmu_detach_pasid(&d.dev, 200);
		reach_ssid(&d, 200, ABORT);
		cd = *cd_at(&d, 1);
		left = cd_at(&d, 201);
		smmu_device_fini(&d.dev);
		/* Its memory goes to somebody else, who writes what looks like a CD. */
		*left = cd;
		rig_device(&rig, &e, 0, 5, 1, false, bits);
		for (int32_t ssid = 1; ssid < 260; ssid++)
			reach_ssid(&e, ssid, ABORT);
		assert_int_equal(smmu_attach_pasid(&e.dev, 2, &watch_domains[S1A]), 0);
		for (int32_t ssid = 1; ssid < 260; ssid++)
			reach_ssid(&e, ssid, ssid == 2 ? S1A : ABORT);
		assert_int_equal(smmu_attach_pasid(&e.dev, 200, &watch_domains[S1A]), 0);
		reach_ssid(&e, 200, S1A);
		smmu_device_fini(&e.dev);
		watch_drop_domains();
		rig_close(&rig);
	}
}

/** A copy of a CD belongs to the stream that it was fetched for (4.3.3): each is told of every change. */
static void test_streams(void **state)
{
	static const enum what way[] = {S1A, S1B, ABORT, S1B, S1A, ABORT};

	for (unsigned ats = 0; ats < 2; ats++)
		for (unsigned lse2 = 0; lse2 < 2; lse2++) {
			struct rig_device d;

			rig_open_up(&rig, 1);
			rig.port.flags = lse2 ? SMMU_PORT_LSE2 : 0;
			watch_make_domains();
			rig_device(&rig, &d, 0, 8, 8, ats, 4);
			assert_int_equal(smmu_attach_pasid(&d.dev, 9, &watch_domains[S1A]), 0);
			for (unsigned i = 0; i < SMMU_ARRAY_SIZE(way); i++) {
				if (way[i] == ABORT) {
					smmu_detach_pasid(&d.dev, 3);
					smmu_detach(&d.dev);
				} else {
					struct smmu_domain *to = &watch_domains[way[i]];

					assert_int_equal(smmu_attach_pasid(&d.dev, 3, to), 0);
					assert_int_equal(smmu_attach(&d.dev, to), 0);
				}
				for (unsigned k = 0; k < 8; k++) {
					reach_stream(&d, k, 3, way[i]);
					reach_stream(&d, k, -1, way[i]);
					reach_stream(&d, k, 9, S1A);
				}
			}
			smmu_device_fini(&d.dev);
			watch_drop_domains();
			rig_close(&rig);
		}
}

/** The CD comes before the STE that leads to it, and costs no wait of its own. */
static void test_first_costs(void **state)
{
	for (unsigned two_level = 0; two_level < 2; two_level++) {
		struct smmu_model_config c = rig_config();
		struct rig_device d;

		c.two_level_cd = two_level;
		rig_open(&rig, &c, 1);
		rig_up(&rig, 0, 0);
		watch_make_domains();
		rig_device(&rig, &d, 0, 5, 1, true, 12);
		rig_log_reset(&rig);
		assert_int_equal(smmu_attach_pasid(&d.dev, 7, &watch_domains[S1A]), 0);
		assert_string_equal(rig_log(&rig), "CFGI_STE(5) SYNC CFGI_STE(5) SYNC ATS_ON(5)");
		reach_ssid(&d, 7, S1A);
		smmu_device_fini(&d.dev);
		watch_drop_domains();
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_substreams),
		cmocka_unit_test(test_table_of_before),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_first_costs),
	};

	watch_rig = &rig;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

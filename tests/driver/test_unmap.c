/* SPDX-License-Identifier: BSD-2-Clause */
/* Unmap: which commands go into the queues, in which order, and when what is waited for. */
#include "rig.h"

static struct rig rig;

#define PA 0x60000000ull
#define RW (SMMU_PROT_READ | SMMU_PROT_WRITE)

struct setup {
	struct rig_device d[RIG_SMMUS];
	struct smmu_domain domain;
	unsigned count;
};

/** A stage-@p stage domain with a device on each of @p count SMMUs. */
static void set_up(struct setup *s, unsigned count, unsigned stage, bool ats, uint32_t quirks)
{
	struct smmu_model_config c = rig_config();

	rig_open(&rig, &c, count);
	rig_domain(&rig, &s->domain, stage == 1 ? SMMU_DOMAIN_STAGE1 : SMMU_DOMAIN_STAGE2);
	s->count = count;
	for (unsigned i = 0; i < count; i++) {
		rig_up(&rig, i, quirks);
		rig_device(&rig, &s->d[i], i, 5, 1, ats, 0);
		assert_int_equal(smmu_attach(&s->d[i].dev, &s->domain), 0);
	}
	rig_log_reset(&rig);
}

static void tear_down(struct setup *s)
{
	for (unsigned i = 0; i < s->count; i++)
		smmu_device_fini(&s->d[i].dev);
	assert_int_equal(smmu_domain_fini(&s->domain), 0);
	rig_close(&rig);
}

static void map(struct setup *s, uint64_t iova, uint64_t size)
{
	assert_int_equal(smmu_map(&s->domain, iova, PA + iova, size, RW, 0), 0);
}

/** Unmap after every device has everything cached; nobody has anything after. The log is the unmap's. */
static const char *unmap(struct setup *s, uint64_t iova, uint64_t size)
{
	for (unsigned i = 0; i < s->count; i++) {
		rig_expect(&s->d[i], iova, PA + iova);
		rig_expect(&s->d[i], iova + size - 1, PA + iova + size - 1);
	}
	rig_log_reset(&rig);
	assert_int_equal(smmu_unmap(&s->domain, iova, size, 0), 0);
	for (unsigned i = 0; i < s->count; i++) {
		rig_refused(&s->d[i], iova);
		rig_refused(&s->d[i], iova + size - 1);
	}
	return rig_log(&rig);
}

static void test_programs(void **state)
{
	struct setup s;

	set_up(&s, 1, 1, false, 0);
	map(&s, 0x1000, 0x1000);
	assert_string_equal(unmap(&s, 0x1000, 0x1000), "TLBI_NH_VA(1,1000*1) SYNC");
	map(&s, 0x1000, 0x3000);
	assert_string_equal(unmap(&s, 0x1000, 0x3000), "TLBI_NH_VA(1,1000*3) SYNC");
	/* A block, and the entries below a table with the table itself. */
	map(&s, 0x40000000, 0x200000);
	assert_string_equal(unmap(&s, 0x40000000, 0x200000), "TLBI_NH_VA(1,40000000*512) SYNC");
	map(&s, 0x80000000, 0x1000);
	map(&s, 0x80001000, 0x1ff000);
	assert_string_equal(unmap(&s, 0x80000000, 0x200000),
			    "TLBI_NH_VA(1,80000000*512,tables) SYNC");
	tear_down(&s);

	set_up(&s, 1, 2, true, 0);
	map(&s, 0x1000, 0x3000);
	assert_string_equal(unmap(&s, 0x1000, 0x3000), "TLBI_S2_IPA(1,1000*3) SYNC "
						       "ATC_INV(5,1000/0) ATC_INV(5,2000/1) SYNC");
	/* Everything. */
	map(&s, 0x1000, 0x1000);
	rig_expect(&s.d[0], 0x1000, PA + 0x1000);
	rig_log_reset(&rig);
	assert_int_equal(smmu_flush_all(&s.domain), 0);
	assert_string_equal(rig_log(&rig), "TLBI_S12_VMALL(1) SYNC ATC_INV(5) SYNC");
	assert_int_equal(smmu_model_atc_count(s.d[0].hw[0]), 0);
	tear_down(&s);

	set_up(&s, 2, 1, true, 0);
	map(&s, 0x1000, 0x1000);
	assert_string_equal(unmap(&s, 0x1000, 0x1000),
			    "0:TLBI_NH_VA(1,1000*1) 0:SYNC 0:ATC_INV(5,1000/0) 0:SYNC "
			    "1:TLBI_NH_VA(1,1000*1) 1:SYNC 1:ATC_INV(5,1000/0) 1:SYNC");
	tear_down(&s);
}

static void test_quirks(void **state)
{
	struct setup s;

	set_up(&s, 1, 1, true, SMMU_QUIRK_NO_RANGE);
	map(&s, 0x1000, 0x3000);
	assert_string_equal(unmap(&s, 0x1000, 0x3000),
			    "TLBI_NH_VA(1,1000*1) TLBI_NH_VA(1,2000*1) TLBI_NH_VA(1,3000*1) SYNC "
			    "ATC_INV(5,1000/0) ATC_INV(5,2000/1) SYNC");
	map(&s, 0x40000000, 0x200000);
	assert_string_equal(unmap(&s, 0x40000000, 0x200000),
			    "TLBI_NH_VA(1,40000000*1) SYNC ATC_INV(5,40000000/9) SYNC");
	tear_down(&s);

	set_up(&s, 1, 1, true, SMMU_QUIRK_TWICE);
	map(&s, 0x1000, 0x1000);
	assert_string_equal(unmap(&s, 0x1000, 0x1000), "TLBI_NH_VA(1,1000*1) SYNC "
						       "TLBI_NH_VA(1,1000*1) SYNC "
						       "ATC_INV(5,1000/0) SYNC");
	/* Configuration and tags too, but not ATCs. */
	rig_log_reset(&rig);
	smmu_detach(&s.d[0].dev);
	assert_string_equal(rig_log(&rig),
			    "ATS_OFF(5) ATC_INV(5) SYNC CFGI_STE(5) SYNC CFGI_STE(5) SYNC");
	tear_down(&s);
}

/** The quirk of a wait in between: no ATC_INV is in the queue before the TLB's CMD_SYNC is complete. */
static void test_split(void **state)
{
	static const char tlb[] = "0:TLBI_NH_VA(1,1000*1) 0:SYNC 1:TLBI_NH_VA(1,1000*1) 1:SYNC";
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g;
	struct smmu_fence f;
	struct setup s;

	set_up(&s, 2, 1, true, SMMU_QUIRK_SPLIT_ATC);
	map(&s, 0x1000, 0x1000);
	assert_non_null(strstr(unmap(&s, 0x1000, 0x1000), "1:ATC_INV(5,1000/0) 1:SYNC"));
	for (unsigned polling = 0; polling < 2; polling++) {
		map(&s, 0x1000, 0x1000);
		rig_expect(&s.d[0], 0x1000, PA + 0x1000);
		rig_expect(&s.d[1], 0x1000, PA + 0x1000);
		rig.smmu[0].frozen = rig.smmu[1].frozen = true;
		smmu_gather_init(&g, 0);
		assert_int_equal(smmu_unmap_gather(&s.domain, 0x1000, 0x1000, 0, &g, &tables), 0);
		rig_log_reset(&rig);
		smmu_unmap_submit(&s.domain, &g, &f);
		for (unsigned i = 0; i < 5; i++) {
			assert_int_equal(smmu_fence_poll(&f), -SMMU_EAGAIN);
			sim_charge(rig.sim, 1000);
		}
		assert_string_equal(rig_log(&rig), tlb);
		rig_thaw(&rig, 0);
		rig_thaw(&rig, 1);
		if (polling)
			while (smmu_fence_poll(&f) == -SMMU_EAGAIN)
				sim_charge(rig.sim, 100);
		assert_int_equal(smmu_fence_wait(&f), 0);
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_ATC_INV), 2);
		rig_refused(&s.d[0], 0x1000);
		rig_refused(&s.d[1], 0x1000);
	}
	tear_down(&s);
	/* Nothing but a table walk is cut in two where there is no ATS. */
	set_up(&s, 1, 1, false, SMMU_QUIRK_SPLIT_ATC);
	map(&s, 0x1000, 0x1000);
	assert_string_equal(unmap(&s, 0x1000, 0x1000), "TLBI_NH_VA(1,1000*1) SYNC");
	tear_down(&s);
}

/** Too many commands for one id: the whole id. Too many spans for an ATC: fewer, wider ones. */
static void test_bounds(void **state)
{
	struct smmu_instance_config cfg;
	struct smmu_model_config c = rig_config();
	struct setup s = {.count = 1};

	rig_open(&rig, &c, 1);
	cfg = rig_instance_config(&rig, 0, SMMU_QUIRK_NO_RANGE);
	cfg.tlbi_max = 4;
	cfg.atc_max = 2;
	assert_int_equal(smmu_instance_probe(&rig.smmu[0].inst, &cfg), 0);
	assert_int_equal(smmu_instance_enable(&rig.smmu[0].inst), 0);
	rig_domain(&rig, &s.domain, SMMU_DOMAIN_STAGE1);
	rig_device(&rig, &s.d[0], 0, 5, 1, true, 0);
	assert_int_equal(smmu_attach(&s.d[0].dev, &s.domain), 0);
	map(&s, 0x1000, 0x4000);
	assert_string_equal(unmap(&s, 0x1000, 0x4000),
			    "TLBI_NH_VA(1,1000*1) TLBI_NH_VA(1,2000*1) TLBI_NH_VA(1,3000*1) "
			    "TLBI_NH_VA(1,4000*1) SYNC ATC_INV(5,0/2) ATC_INV(5,4000/1) SYNC");
	map(&s, 0x1000, 0x5000);
	assert_string_equal(unmap(&s, 0x1000, 0x5000),
			    "TLBI_NH_ASID(1) SYNC ATC_INV(5,0/2) ATC_INV(5,4000/1) SYNC");
	tear_down(&s);
}

/** An unmap that cannot be done sends nothing, and every translation is still there. */
static void test_refused(void **state)
{
	struct smmu_domain identity;
	struct setup s;

	set_up(&s, 1, 1, true, 0);
	rig_domain(&rig, &identity, SMMU_DOMAIN_IDENTITY);
	map(&s, 0x1000, 0x2000);
	map(&s, 0x40000000, 0x200000);
	rig_expect(&s.d[0], 0x1000, PA + 0x1000);
	rig_log_reset(&rig);
	assert_int_equal(smmu_unmap(&s.domain, 0x1000, 0x3000, 0), -SMMU_ENOENT);
	assert_int_equal(smmu_unmap(&s.domain, 0x1000, 0x800, 0), -SMMU_EINVAL);
	assert_int_equal(smmu_unmap(&s.domain, 0x40000000, 0x1000, 0), -SMMU_EINVAL);
	assert_true(smmu_unmap(&s.domain, 1ull << 50, 0x1000, 0) < 0);
	assert_int_equal(smmu_unmap(&identity, 0x1000, 0x1000, 0), -SMMU_EOPNOTSUPP);
	assert_int_equal(smmu_map(&identity, 0x1000, 0x1000, 0x1000, RW, 0), -SMMU_EOPNOTSUPP);
	assert_int_equal(smmu_flush_all(&identity), 0);
	assert_string_equal(rig_log(&rig), "");
	rig_expect(&s.d[0], 0x1000, PA + 0x1000);
	rig_expect(&s.d[0], 0x2000, PA + 0x2000);
	rig_expect(&s.d[0], 0x401ff000, PA + 0x401ff000);
	assert_int_equal(smmu_domain_fini(&identity), 0);
	tear_down(&s);
}

/** All instances are in flight before anything is waited for; the fence is done when the last one is. */
static void test_fence(void **state)
{
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g;
	struct smmu_fence f;
	struct setup s;
	uint64_t live;

	set_up(&s, 3, 2, true, 0);
	/* A table goes away: it is freed by the release, not before. */
	map(&s, 0x80000000, 0x1000);
	map(&s, 0x80001000, 0x1ff000);
	for (unsigned i = 0; i < 3; i++) {
		rig_expect(&s.d[i], 0x80000000, PA + 0x80000000);
		rig.smmu[i].frozen = true;
	}
	live = rig.heap.dma_bytes;
	smmu_gather_init(&g, 0);
	assert_int_equal(smmu_unmap_gather(&s.domain, 0x80000000, 0x200000, 0, &g, &tables), 0);
	rig_log_reset(&rig);
	smmu_unmap_submit(&s.domain, &g, &f);
	assert_int_equal(rig_log_count(&rig, SMMU_CMD_TLBI_S2_IPA), 3);
	assert_int_equal(rig_log_count(&rig, SMMU_CMD_ATC_INV), 3);
	assert_int_equal(rig_log_count(&rig, SMMU_CMD_SYNC), 6);
	for (unsigned i = 0; i < 3; i++) {
		for (unsigned n = 0; n < 10; n++) {
			assert_int_equal(smmu_fence_poll(&f), -SMMU_EAGAIN);
			sim_charge(rig.sim, 1000);
		}
		assert_int_equal(rig.heap.dma_bytes, live);
		rig_thaw(&rig, (i + 1) % 3);
	}
	while (smmu_fence_poll(&f) == -SMMU_EAGAIN)
		sim_charge(rig.sim, 10);
	assert_int_equal(smmu_fence_poll(&f), 0);
	assert_int_equal(smmu_fence_wait(&f), 0);
	assert_int_equal(rig.heap.dma_bytes, live);
	smmu_unmap_release(&s.domain, &tables);
	assert_int_equal(rig.heap.dma_bytes, live - 4096);
	tear_down(&s);
}

/** Two fences of one thread, finished in the other order. */
static void test_two_fences(void **state)
{
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g[2];
	struct smmu_fence f[2];
	struct setup s;

	set_up(&s, 2, 1, true, 0);
	map(&s, 0x1000, 0x2000);
	for (unsigned i = 0; i < 2; i++) {
		rig_expect(&s.d[i], 0x1000, PA + 0x1000);
		rig_expect(&s.d[i], 0x2000, PA + 0x2000);
		rig.smmu[i].frozen = true;
	}
	rig_log_reset(&rig);
	for (unsigned i = 0; i < 2; i++) {
		smmu_gather_init(&g[i], 0);
		assert_int_equal(
			smmu_unmap_gather(&s.domain, 0x1000 * (i + 1), 0x1000, 0, &g[i], &tables),
			0);
		smmu_unmap_submit(&s.domain, &g[i], &f[i]);
	}
	assert_int_equal(smmu_fence_poll(&f[1]), -SMMU_EAGAIN);
	assert_int_equal(smmu_fence_poll(&f[0]), -SMMU_EAGAIN);
	rig_thaw(&rig, 0);
	rig_thaw(&rig, 1);
	assert_int_equal(smmu_fence_wait(&f[1]), 0);
	assert_int_equal(smmu_fence_wait(&f[0]), 0);
	assert_int_equal(rig_log_count(&rig, SMMU_CMD_TLBI_NH_VA), 4);
	for (unsigned i = 0; i < 2; i++) {
		rig_refused(&s.d[i], 0x1000);
		rig_refused(&s.d[i], 0x2000);
	}
	tear_down(&s);
}

/** Many instances: all are told before any is waited for, and one that does not move holds nobody up. */
static void test_many(void **state)
{
	static struct setup s;
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g;
	struct smmu_fence f;

	set_up(&s, RIG_SMMUS, 1, false, 0);
	for (unsigned polling = 0; polling < 2; polling++) {
		map(&s, 0x1000, 0x1000);
		for (unsigned i = 0; i < RIG_SMMUS; i++)
			rig_expect(&s.d[i], 0x1000, PA + 0x1000);
		smmu_gather_init(&g, 0);
		assert_int_equal(smmu_unmap_gather(&s.domain, 0x1000, 0x1000, 0, &g, &tables), 0);
		rig_log_reset(&rig);
		rig.smmu[3].frozen = true;
		smmu_unmap_submit(&s.domain, &g, &f);
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_TLBI_NH_VA), RIG_SMMUS);
		for (unsigned n = 0; n < 10; n++) {
			assert_int_equal(smmu_fence_poll(&f), -SMMU_EAGAIN);
			sim_charge(rig.sim, 1000);
		}
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_TLBI_NH_VA), RIG_SMMUS);
		rig_thaw(&rig, 3);
		if (polling)
			while (smmu_fence_poll(&f) == -SMMU_EAGAIN)
				sim_charge(rig.sim, 10);
		assert_int_equal(smmu_fence_wait(&f), 0);
		assert_int_equal(rig_log_count(&rig, SMMU_CMD_TLBI_NH_VA), RIG_SMMUS);
		for (unsigned i = 0; i < RIG_SMMUS; i++)
			rig_refused(&s.d[i], 0x1000);
	}
	tear_down(&s);
}

/** N instances take the time of one, not of N. */
static void test_time(void **state)
{
	static struct setup s;

	for (unsigned ats = 0; ats < 2; ats++) {
		uint64_t took[2];

		for (unsigned many = 0; many < 2; many++) {
			uint64_t start;

			set_up(&s, many ? 16 : 1, 1, ats, 0);
			map(&s, 0x1000, 0x1000);
			start = sim_now(rig.sim);
			assert_int_equal(smmu_unmap(&s.domain, 0x1000, 0x1000, 0), 0);
			took[many] = sim_now(rig.sim) - start;
			tear_down(&s);
		}
		print_message("one SMMU %u ns, 16 SMMUs %u ns\n", (unsigned)took[0],
			      (unsigned)took[1]);
		/* The commands are written one instance after the other; the waits are shared. */
		assert_true(took[1] < took[0] * 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_programs),   cmocka_unit_test(test_quirks),
		cmocka_unit_test(test_split),      cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_refused),    cmocka_unit_test(test_fence),
		cmocka_unit_test(test_two_fences), cmocka_unit_test(test_many),
		cmocka_unit_test(test_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

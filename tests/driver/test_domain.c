/* SPDX-License-Identifier: BSD-2-Clause */
/* Making domains: what fits, what is refused, and what is harmless. And devices that come and go beside their SMMU. */
#include "rig.h"

static struct rig rig;

#define PA 0x60000000ull

/** SMMUs of different sizes: a domain that names them takes what all of them have. */
static void test_fits(void **state)
{
	static const struct {
		unsigned oas[2];
		bool no_4k, no_coherence;
	} cases[] = {
		{{40, 44}, false, false},
		{{48, 32}, false, false},
		{{44, 48}, true, false},
		{{48, 40}, false, true},
	};

	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(cases); i++)
		for (unsigned stage = 1; stage <= 2; stage++) {
			struct smmu_model_config c = rig_config();
			struct smmu_domain_config cfg = {.nr_instances = 2};
			const struct smmu_instance *both[2];
			struct smmu_domain domain;
			struct rig_device d[2];

			c.gran4k = !cases[i].no_4k;
			c.coherent = !cases[i].no_coherence;
			c.oas = cases[i].oas[0] < cases[i].oas[1] ? cases[i].oas[0]
								  : cases[i].oas[1];
			rig_open(&rig, &c, 2);
			for (unsigned s = 0; s < 2; s++) {
				rig_up(&rig, s, 0);
				both[s] = &rig.smmu[s].inst;
			}
			/* As if the other one had more. */
			rig.smmu[1].inst.features.oas = 48;
			cfg.port = &rig.port;
			cfg.kind = stage == 1 ? SMMU_DOMAIN_STAGE1 : SMMU_DOMAIN_STAGE2;
			cfg.instances = both;
			assert_int_equal(smmu_domain_init(&domain, &cfg), 0);
			assert_int_equal(domain.table->cfg.oas, c.oas);
			assert_int_equal(domain.table->cfg.granule_shift, cases[i].no_4k ? 14 : 12);
			for (unsigned s = 0; s < 2; s++) {
				rig_device_stu(&rig, &d[s], s, 5, cases[i].no_4k ? 14 : 12);
				assert_int_equal(smmu_attach(&d[s].dev, &domain), 0);
			}
			smmu_device_fini(&d[0].dev);
			smmu_device_fini(&d[1].dev);
			assert_int_equal(smmu_domain_fini(&domain), 0);
			rig_close(&rig);
		}
}

/** As above, with features by hand: whichever is named first, and what nobody has in common is refused. */
static void test_fits_all(void **state)
{
	static const struct {
		uint32_t bits[2];
		uint8_t oas[2];
		int granule; /* -1: none */
		bool coherent;
	} cases[] = {
		{{SMMU_FEAT_4K | SMMU_FEAT_16K, SMMU_FEAT_16K | SMMU_FEAT_64K},
		 {48, 44},
		 14,
		 false},
		{{SMMU_FEAT_4K, SMMU_FEAT_16K | SMMU_FEAT_64K}, {48, 44}, -1, false},
		{{SMMU_FEAT_4K | SMMU_FEAT_64K, SMMU_FEAT_64K}, {40, 36}, 16, false},
		{{SMMU_FEAT_4K | SMMU_FEAT_COHERENT, SMMU_FEAT_4K}, {44, 42}, 12, false},
		{{SMMU_FEAT_4K | SMMU_FEAT_COHERENT, SMMU_FEAT_4K | SMMU_FEAT_COHERENT},
		 {48, 32},
		 12,
		 true},
	};
	static struct smmu_instance smmu[2];

	rig_open_up(&rig, 1);
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(cases); i++)
		for (unsigned turn = 0; turn < 4; turn++) {
			const struct smmu_instance *both[2] = {&smmu[turn & 1], &smmu[!(turn & 1)]};
			struct smmu_domain_config cfg = {
				.port = &rig.port, .instances = both, .nr_instances = 2};
			unsigned stage = 1 + turn / 2;
			struct smmu_domain domain;

			for (unsigned s = 0; s < 2; s++) {
				smmu[s].features.bits = cases[i].bits[s];
				smmu[s].features.oas = cases[i].oas[s];
			}
			cfg.kind = stage == 1 ? SMMU_DOMAIN_STAGE1 : SMMU_DOMAIN_STAGE2;
			if (cases[i].granule < 0) {
				assert_int_equal(smmu_domain_init(&domain, &cfg), -SMMU_EOPNOTSUPP);
				continue;
			}
			assert_int_equal(smmu_domain_init(&domain, &cfg), 0);
			assert_int_equal(domain.table->cfg.granule_shift, cases[i].granule);
			assert_int_equal(domain.table->cfg.oas, cases[i].oas[1]);
			assert_int_equal(domain.table->cfg.ias, stage == 1 ? 48 : cases[i].oas[1]);
			assert_int_equal(domain.table->cfg.coherent, cases[i].coherent);
			assert_int_equal(domain.non_coherent, !cases[i].coherent);
			assert_int_equal(smmu_domain_fini(&domain), 0);
		}
	rig_close(&rig);
}

/** A table of the embedder's that is cleaned serves SMMUs that do not snoop; and it stays the embedder's. */
static void test_own_table(void **state)
{
	struct smmu_pgtable_config table = {
		.stage = 1, .granule_shift = 12, .ias = 48, .oas = 44, .coherent = false};
	struct smmu_model_config c = rig_config();
	struct smmu_domain_config cfg = {.kind = SMMU_DOMAIN_STAGE1};
	struct smmu_domain domain;
	struct smmu_pgtable own;
	struct rig_device d;

	c.coherent = false;
	rig_open(&rig, &c, 1);
	rig_not_coherent(&rig);
	rig_up(&rig, 0, 0);
	rig_device(&rig, &d, 0, 5, 1, false, 0);
	table.port = cfg.port = &rig.port;
	assert_int_equal(smmu_pgtable_init(&own, &table), 0);
	cfg.table = &own;
	for (unsigned said = 0; said < 2; said++) {
		cfg.non_coherent = said;
		assert_int_equal(smmu_domain_init(&domain, &cfg), 0);
		assert_int_equal(smmu_attach(&d.dev, &domain), 0);
		assert_int_equal(smmu_map(&domain, 0x1000, PA, 0x1000, SMMU_PROT_READ, 0), 0);
		rig_expect(&d, 0x1000, PA);
		assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
		rig_refused(&d, 0x1000);
		smmu_detach(&d.dev);
		assert_int_equal(smmu_domain_fini(&domain), 0);
	}
	smmu_pgtable_destroy(&own);
	smmu_device_fini(&d.dev);
	rig_close(&rig);
}

static void test_refused(void **state)
{
	struct smmu_rcu other_rcu = {0};
	struct smmu_port other;
	struct smmu_domain domain;
	struct smmu_pgtable own;
	struct smmu_pgtable_config table = {
		.stage = 1, .granule_shift = 12, .ias = 48, .oas = 44, .coherent = true};
	struct smmu_domain_config cfg = {.kind = SMMU_DOMAIN_STAGE1};
	struct rig_device d;

	rig_open_up(&rig, 1);
	table.port = &rig.port;
	rig_device(&rig, &d, 0, 5, 1, false, 0);
	/* What failed is nothing to finish. */
	assert_int_equal(smmu_domain_init(&domain, &cfg), -SMMU_EINVAL);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	cfg.port = &rig.port;
	cfg.ias = 60;
	assert_int_equal(smmu_domain_init(&domain, &cfg), -SMMU_EINVAL);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	assert_int_equal(smmu_map(&domain, 0x1000, PA, 0x1000, SMMU_PROT_READ, 0),
			 -SMMU_EOPNOTSUPP);
	cfg.ias = 0;
	smmu_heap_fail(&rig.heap, 1, 1);
	assert_int_equal(smmu_domain_init(&domain, &cfg), -SMMU_ENOMEM);
	smmu_heap_fail(&rig.heap, 0, 0);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	cfg.nr_instances = 1;
	assert_int_equal(smmu_domain_init(&domain, &cfg), -SMMU_EINVAL);
	cfg.nr_instances = 0;
	/* A table of one's own: of the right stage, cleaned where the domain says so, and of a size that a CD can say. */
	assert_int_equal(smmu_pgtable_init(&own, &table), 0);
	cfg.table = &own;
	cfg.kind = SMMU_DOMAIN_STAGE2;
	assert_int_equal(smmu_domain_init(&domain, &cfg), -SMMU_EINVAL);
	cfg.kind = SMMU_DOMAIN_STAGE1;
	cfg.non_coherent = true;
	assert_int_equal(smmu_domain_init(&domain, &cfg), -SMMU_EINVAL);
	cfg.non_coherent = false;
	assert_int_equal(smmu_domain_init(&domain, &cfg), 0);
	own.regs.t0sz = 12;
	assert_int_equal(smmu_attach(&d.dev, &domain), -SMMU_EOPNOTSUPP);
	assert_true(smmu_posix_logged(&rig.posix, "CD.T0SZ"));
	assert_int_equal(rig.posix.logged[SMMU_LOG_ERROR], 0);
	own.regs.t0sz = 16;
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
	smmu_detach(&d.dev);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	smmu_pgtable_destroy(&own);
	/* Read sections of its own: nobody could wait for its sweeps. */
	cfg.table = NULL;
	other = rig.port;
	other.rcu = &other_rcu;
	cfg.port = &other;
	assert_int_equal(smmu_domain_init(&domain, &cfg), 0);
	assert_int_equal(smmu_attach(&d.dev, &domain), -SMMU_EINVAL);
	assert_int_equal(domain.users, 0);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	smmu_device_fini(&d.dev);
	rig_close(&rig);
}

/* ---- a device is dropped while its SMMU is removed ---- */

static struct rig_device *racing;
static unsigned finished;

/** Two of the four, from the end or from the beginning. */
static void drop_devices(void *arg)
{
	for (size_t i = 0; i < 2; i++) {
		struct rig_device *d = arg ? &racing[3 - i] : &racing[i];

		smmu_device_fini(&d->dev);
		CHECK(!d->dev.instance);
		/* Its memory is somebody else's from here on. */
		memset(&d->dev, 0x5a, sizeof(d->dev));
		finished++;
	}
}

static void remove_instance(void *arg)
{
	sim_sleep(rig.sim, smmu_random_below(sim_random(rig.sim), 30000));
	CHECK(smmu_instance_remove(&rig.smmu[0].inst) == 0);
	finished++;
}

static void test_fini_against_remove(void **state)
{
	for (unsigned round = 0; round < 60; round++) {
		struct rig_device d[4];
		struct smmu_domain domain;

		rig_open_up(&rig, 1);
		sim_set_switching(rig.sim, 1, 3, 3000);
		for (unsigned i = 0; i < round * 7; i++)
			smmu_random_next(sim_random(rig.sim));
		rig_domain(&rig, &domain, SMMU_DOMAIN_STAGE1);
		for (unsigned i = 0; i < 4; i++) {
			rig_device(&rig, &d[i], 0, 5 + i, 1, i & 1, 0);
			assert_int_equal(smmu_attach(&d[i].dev, &domain), 0);
		}
		racing = d;
		finished = 0;
		sim_spawn(rig.sim, drop_devices, (void *)0);
		sim_spawn(rig.sim, drop_devices, (void *)1);
		sim_spawn(rig.sim, remove_instance, NULL);
		assert_int_equal(sim_run(rig.sim), 0);
		assert_int_equal(finished, 5);
		assert_int_equal(domain.users, 0);
		assert_int_equal(smmu_domain_fini(&domain), 0);
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fits),
		cmocka_unit_test(test_fits_all),
		cmocka_unit_test(test_own_table),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_fini_against_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

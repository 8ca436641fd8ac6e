/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the SMMU can reach is complete when it becomes so: looked at in each store that hooks something, in memory as the
 * SMMU sees it.
 */
#include "rig.h"

#include "../../src/driver/driver.h"

static struct rig rig;
static struct smmu_instance *const inst = &rig.smmu[0].inst;

/** Memory at @p bus as the SMMU sees it. */
static const void *seen(uint64_t bus, size_t size)
{
	return smmu_ram_at(rig.shadow.va ? &rig.shadow : &rig.ram, bus, size);
}

static void open_rig(bool coherent)
{
	struct smmu_model_config c = rig_config();

	c.coherent = coherent;
	c.ssid_bits = 12;
	rig_open(&rig, &c, 1);
	if (!coherent)
		rig_not_coherent(&rig);
	rig_up(&rig, 0, 0);
}

static unsigned hooked;

static void expect_aborts(const struct smmu_ste *ste, size_t n)
{
	for (size_t i = 0; i < n; i++)
		CHECK(ste[i].w[0] & SMMU_STE_W0_V &&
		      smmu_field_get(SMMU_STE_W0_CONFIG, ste[i].w[0]) == SMMU_STE_CONFIG_ABORT);
}

static void stream_table_stored(const void *p)
{
	const uint64_t *l1 = inst->strtab.l1, *desc = p;

	if (desc < l1 || desc >= l1 + inst->strtab.l1_count)
		return;
	CHECK(smmu_field_get(SMMU_L1STD_SPAN, *desc) == 9);
	expect_aborts(seen(*desc & SMMU_L1STD_L2PTR, 64 << 8), 1 << 8);
	hooked++;
}

/** A table of streams is full of STEs that abort before there is a way to it, and the SMMU forgets that there was none. */
static void test_stream_table(void **state)
{
	for (unsigned coherent = 0; coherent < 2; coherent++) {
		struct smmu_domain identity;
		struct smmu_event event;
		struct rig_device d;

		open_rig(coherent);
		rig_domain(&rig, &identity, SMMU_DOMAIN_IDENTITY);
		for (uint32_t sid = 300; sid < 302; sid++) {
			struct smmu_dma dma = {.stream = sid, .iova = 0x1000};

			/* The descriptor that is not valid is in the SMMU's cache from here on. */
			assert_false(smmu_model_dma(rig.model, &dma).ok);
			assert_int_equal(smmu_instance_event(inst, &event), 1);
		}
		hooked = 0;
		rig_store_hook = stream_table_stored;
		rig_device(&rig, &d, 0, 300, 2, false, 0);
		assert_int_equal(hooked, 1);
		rig_store_hook = NULL;
		/* Refused, with an event as long as the SMMU may have the descriptor of before. */
		rig_refused(&d, 0x1000);
		while (smmu_instance_event(inst, &event))
			;
		assert_int_equal(smmu_attach(&d.dev, &identity), 0);
		for (unsigned k = 0; k < 2; k++)
			assert_true(rig_dma(&d, k, -1, 0x1000, NULL));
		smmu_device_fini(&d.dev);
		assert_int_equal(smmu_domain_fini(&identity), 0);
		rig_close(&rig);
	}
}

static struct smmu_streams *cd_streams;
static uint32_t cd_ssid;

static void cd_table_stored(const void *p)
{
	const struct smmu_cdtab *t = &cd_streams->cdtab;
	const uint64_t *l1 = t->table, *desc = p, *w;

	if (desc < l1 || desc >= l1 + t->l1_count)
		return;
	/* What is not valid is not followed. */
	if (!(*desc & SMMU_L1CD_V))
		return;
	w = seen(*desc & SMMU_L1CD_L2PTR, 64 * sizeof(struct smmu_cd));
	for (unsigned i = 0; i < 64; i++)
		CHECK(i == cd_ssid % 64 || !(w[8 * i] & SMMU_CD_W0_V));
	/* The one that it is hooked for is whole. */
	w += 8 * (cd_ssid % 64);
	CHECK(w[0] & SMMU_CD_W0_V);
	CHECK(!memcmp(w, smmu_cdtab_cd(cd_streams, cd_ssid), sizeof(struct smmu_cd)));
	hooked++;
}

/** A leaf of CDs has the one that it is hooked for, and no other that is valid. */
static void test_cd_leaf(void **state)
{
	for (unsigned coherent = 0; coherent < 2; coherent++) {
		struct smmu_domain_config dc = {
			.port = &rig.port, .kind = SMMU_DOMAIN_STAGE1, .non_coherent = !coherent};
		struct smmu_domain domain;
		struct rig_device d;

		open_rig(coherent);
		assert_int_equal(smmu_domain_init(&domain, &dc), 0);
		assert_int_equal(smmu_map(&domain, 0x1000, RIG_PA(1), 0x1000, SMMU_PROT_READ, 0),
				 0);
		rig_device(&rig, &d, 0, 5, 1, false, 12);
		cd_streams = d.dev.streams;
		hooked = 0;
		rig_store_hook = cd_table_stored;
		for (uint32_t ssid = 1; ssid < 4096; ssid += 1365) {
			cd_ssid = ssid;
			assert_false(rig_dma(&d, 0, (int32_t)ssid, 0x1000, NULL));
			assert_int_equal(smmu_attach_pasid(&d.dev, ssid, &domain), 0);
			assert_true(rig_dma(&d, 0, (int32_t)ssid, 0x1000, NULL));
			assert_false(rig_dma(&d, 0, (int32_t)ssid + 1, 0x1000, NULL));
		}
		assert_int_equal(hooked, 3);
		rig_store_hook = NULL;
		smmu_device_fini(&d.dev);
		assert_int_equal(smmu_domain_fini(&domain), 0);
		rig_close(&rig);
	}
}

/** A linear stream table is one from the start. */
static void test_linear_table(void **state)
{
	for (unsigned coherent = 0; coherent < 2; coherent++) {
		struct smmu_model_config c = rig_config();

		c.two_level_st = false;
		c.sid_bits = 6;
		c.coherent = coherent;
		rig_open(&rig, &c, 1);
		if (!coherent)
			rig_not_coherent(&rig);
		rig_up(&rig, 0, 0);
		expect_aborts(seen(inst->strtab.l1_bus, 64 << 6), 1 << 6);
		rig_close(&rig);
	}
}

static unsigned cd_stores;

/** Of a CD that may still be fetched nothing changes but the word that makes it not valid. */
static void cd_stored(const void *p)
{
	const struct smmu_cdtab *t = &cd_streams->cdtab;
	const uint64_t *word = p, *first = t->table;

	if (word < first || word >= first + t->size / sizeof(*word))
		return;
	CHECK((word - first) % 8 == 0);
	CHECK(!(*word & SMMU_CD_W0_V));
	cd_stores++;
}

/**
 * The SMMU does not confirm that it has forgotten an STE: it may still fetch the CDs that this led to, word by word, when what
 * the device was attached to is taken out of them.
 */
static void test_cd_behind_cached_ste(void **state)
{
	for (unsigned pasid = 0; pasid < 2; pasid++) {
		struct smmu_domain domain, identity;
		struct rig_device d;

		open_rig(true);
		rig_domain_with_page(&rig, &domain, SMMU_DOMAIN_STAGE1, 1);
		rig_domain(&rig, &identity, SMMU_DOMAIN_IDENTITY);
		rig_device(&rig, &d, 0, 5, 1, false, 4);
		if (pasid)
			assert_int_equal(smmu_attach_pasid(&d.dev, 3, &domain), 0);
		else
			assert_int_equal(smmu_attach(&d.dev, &domain), 0);
		assert_true(rig_dma(&d, 0, pasid ? 3 : -1, 0x1000, NULL));
		rig.smmu[0].frozen = true;
		cd_streams = d.dev.streams;
		cd_stores = 0;
		rig_store_hook = cd_stored;
		if (pasid)
			smmu_detach_pasid(&d.dev, 3);
		else
			assert_int_equal(smmu_attach(&d.dev, &identity), -SMMU_EIO);
		rig_store_hook = NULL;
		assert_false(smmu_device_confirmed(&d.dev));
		assert_true(cd_stores > 0);
		smmu_device_fini(&d.dev);
		assert_int_equal(smmu_instance_remove(inst), 0);
		assert_int_equal(smmu_domain_fini(&domain), 0);
		assert_int_equal(smmu_domain_fini(&identity), 0);
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stream_table),
		cmocka_unit_test(test_cd_leaf),
		cmocka_unit_test(test_cd_behind_cached_ste),
		cmocka_unit_test(test_linear_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

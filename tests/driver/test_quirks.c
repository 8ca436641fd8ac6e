/* SPDX-License-Identifier: BSD-2-Clause */
/* Errata: which part has which, and what the driver does then. */
#include <smmuv3/quirks.h>

#include "rig.h"

static struct rig rig;
static struct smmu_instance *const inst = &rig.smmu[0].inst;

#define IIDR(product, variant, revision)                                                      \
	((uint32_t)(product) << 20 | (uint32_t)(variant) << 16 | (uint32_t)(revision) << 12 | \
	 0x43bu)

/** Each part by what tells it, and its neighbours that do not have the erratum. */
static void test_parts(void **state)
{
	static const struct {
		uint32_t iidr, model;
		const char *name;
		uint32_t quirks;
	} part[] = {
		{0, 0, NULL, 0},
		{IIDR(0x483, 0, 0), 0, NULL, SMMU_QUIRK_NO_SEV | SMMU_QUIRK_NO_NESTED},
		{IIDR(0x483, 0, 2), 0, NULL, SMMU_QUIRK_NO_SEV | SMMU_QUIRK_NO_NESTED},
		{IIDR(0x483, 0, 3), 0, NULL, SMMU_QUIRK_NO_NESTED},
		{IIDR(0x483, 1, 0), 0, NULL, SMMU_QUIRK_NO_NESTED},
		{IIDR(0x483, 2, 0), 0, NULL, 0},
		{IIDR(0x487, 0, 0), 0, NULL, SMMU_QUIRK_ONE_KIND | SMMU_QUIRK_NO_NESTED},
		{IIDR(0x487, 15, 15), 0, NULL, SMMU_QUIRK_ONE_KIND | SMMU_QUIRK_NO_NESTED},
		{IIDR(0x485, 0, 0), 0, NULL, 0},
		{IIDR(0x483, 0, 0) ^ 1, 0, NULL, 0},
		{0, 1, NULL, 0},
		{0, 2, NULL, SMMU_QUIRK_PAGE0_ONLY},
		{0, 3, NULL, 0},
		{0, 0, "arm,smmu-v3", 0},
		{0, 0, "hisilicon,broken-prefetch-cmd", 0},
		{0, 0, "cavium,cn9900-broken-page1-regspace", SMMU_QUIRK_PAGE0_ONLY},
		{0, 0, "cavium,cn9900-broken-page1-regspac", 0},
		{0, 0, "cavium,cn9900-broken-page1-regspaces", 0},
		{0, 0, "nvidia,tegra264-smmu", SMMU_QUIRK_TWICE},
		{0, 0, "nvidia,tegra241-smmu", 0},
		{0, 0, "", 0},
		{IIDR(0x487, 1, 0), 2, "nvidia,tegra264-smmu",
		 SMMU_QUIRK_ONE_KIND | SMMU_QUIRK_NO_NESTED | SMMU_QUIRK_PAGE0_ONLY |
			 SMMU_QUIRK_TWICE},
	};

	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(part); i++)
		assert_int_equal(smmu_quirks_from(part[i].iidr, part[i].model, part[i].name),
				 part[i].quirks);
}

static uint32_t iidr;

static uint32_t with_iidr(struct rig_smmu *s, uint32_t offset, uint32_t value)
{
	if (offset == SMMU_IIDR)
		return iidr;
	return offset == SMMU_IDR0 ? value | (uint32_t)SMMU_IDR0_SEV : value;
}

/** What IIDR tells is applied without the embedder, and takes features away. */
static void test_from_iidr(void **state)
{
	struct smmu_model_config c = rig_config();

	rig_open(&rig, &c, 1);
	rig.smmu[0].patch_read = with_iidr;
	iidr = 0;
	rig_up(&rig, 0, SMMU_QUIRK_NO_ATS);
	assert_true(inst->features.bits & SMMU_FEAT_SEV);
	assert_true(inst->features.bits & SMMU_FEAT_NESTED);
	assert_int_equal(inst->cfg.quirks, SMMU_QUIRK_NO_ATS);
	assert_int_equal(smmu_instance_remove(inst), 0);
	iidr = IIDR(0x483, 0, 1);
	rig_up(&rig, 0, SMMU_QUIRK_NO_ATS);
	assert_false(inst->features.bits & (SMMU_FEAT_SEV | SMMU_FEAT_NESTED));
	assert_int_equal(inst->cfg.quirks,
			 SMMU_QUIRK_NO_ATS | SMMU_QUIRK_NO_SEV | SMMU_QUIRK_NO_NESTED);
	rig_close(&rig);
}

/* ThunderX2: nothing answers on page 1, and page 0 has its registers. */
static uint32_t page0(uint32_t offset)
{
	CHECK(offset < SMMU_REGS_PAGE1);
	switch (offset) {
	case 0xa8:
	case 0xac:
	case 0xc8:
	case 0xcc:
		return offset + SMMU_REGS_PAGE1;
	default:
		return offset;
	}
}

static void test_page0_only(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_dma dma = {.stream = 600, .iova = 0x1000};
	struct smmu_event event;
	struct smmu_pri pri;
	struct smmu_domain domain;
	struct rig_device d;

	rig_open(&rig, &c, 1);
	rig.smmu[0].move = page0;
	rig_up(&rig, 0, smmu_quirks_from(0, SMMU_IORT_MODEL_CAVIUM_CN99XX, NULL));
	assert_false(smmu_model_dma(rig.model, &dma).ok);
	assert_int_equal(smmu_instance_event(inst, &event), 1);
	assert_int_equal(event.sid, 600);
	assert_int_equal(smmu_instance_event(inst, &event), 0);
	rig_domain(&rig, &domain, SMMU_DOMAIN_STAGE1);
	rig_device(&rig, &d, 0, 5, 1, true, 0);
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
	assert_true(smmu_model_page_request(d.hw[0], false, 0, 0x7000, true, 9));
	assert_int_equal(smmu_instance_page_request(inst, &pri), 1);
	assert_int_equal(smmu_instance_page_request(inst, &pri), 0);
	smmu_device_fini(&d.dev);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	rig_close(&rig);
}

/** Tegra264: CFGI and TLBI come twice, each time waited for; ATC_INV once. */
static void test_twice(void **state)
{
	struct smmu_domain domain;
	struct rig_device d;
	struct smmu_model_config c = rig_config();

	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, smmu_quirks_from(0, 0, "nvidia,tegra264-smmu"));
	rig_domain(&rig, &domain, SMMU_DOMAIN_STAGE1);
	assert_int_equal(smmu_map(&domain, 0x1000, 0x5000, 0x1000, SMMU_PROT_READ, 0), 0);
	rig_device(&rig, &d, 0, 5, 1, true, 0);
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
	rig_log_reset(&rig);
	assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
	assert_string_equal(rig_log(&rig), "TLBI_NH_VA(1,1000*1) SYNC TLBI_NH_VA(1,1000*1) SYNC "
					   "ATC_INV(5,1000/0) SYNC");
	rig_log_reset(&rig);
	smmu_detach(&d.dev);
	assert_int_equal(rig_log_count(&rig, SMMU_CMD_ATC_INV), 1);
	assert_int_equal(rig_log_count(&rig, SMMU_CMD_CFGI_STE) % 2, 0);
	smmu_device_fini(&d.dev);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	rig_close(&rig);
}

/** MMU-700: from enable to remove no two kinds of CFGI and TLBI without a CMD_SYNC in between. */
static void test_one_kind(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_domain domain[2];
	struct rig_device d;
	unsigned last = SMMU_CMD_SYNC;

	c.ssid_bits = 4;
	c.hyp = true;
	rig_open(&rig, &c, 1);
	rig.smmu[0].patch_read = with_iidr;
	iidr = IIDR(0x487, 0, 0);
	rig_up(&rig, 0, 0);
	assert_string_equal(rig_log(&rig),
			    "CFGI_STE_RANGE SYNC TLBI_EL2_ALL SYNC TLBI_NSNH_ALL SYNC");
	for (unsigned i = 0; i < 2; i++) {
		rig_domain(&rig, &domain[i], i ? SMMU_DOMAIN_STAGE2 : SMMU_DOMAIN_STAGE1);
		assert_int_equal(smmu_map(&domain[i], 0x1000, 0x5000, 0x1000, SMMU_PROT_READ, 0),
				 0);
	}
	for (unsigned ssid_bits = 0; ssid_bits < 5; ssid_bits += 4) {
		rig_device(&rig, &d, 0, 5, 2, true, ssid_bits);
		for (unsigned i = 0; i < 5; i++) {
			assert_int_equal(smmu_attach(&d.dev, &domain[i % 2]), 0);
			smmu_unmap(&domain[i % 2], 0x1000, 0x1000, 0);
		}
		smmu_detach(&d.dev);
		if (ssid_bits) {
			assert_int_equal(smmu_attach_pasid(&d.dev, 3, &domain[0]), 0);
			smmu_detach_pasid(&d.dev, 3);
		}
		smmu_device_fini(&d.dev);
	}
	for (unsigned i = 0; i < rig.lines; i++) {
		unsigned op = smmu_cmd_opcode(&rig.log[i].cmd);

		if (op >= RIG_ATS_ON)
			continue;
		assert_true(op == last || op == SMMU_CMD_SYNC || last == SMMU_CMD_SYNC);
		last = op;
	}
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(smmu_domain_fini(&domain[i]), 0);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),      cmocka_unit_test(test_from_iidr),
		cmocka_unit_test(test_page0_only), cmocka_unit_test(test_twice),
		cmocka_unit_test(test_one_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

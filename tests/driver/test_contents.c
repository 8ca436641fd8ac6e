/* SPDX-License-Identifier: BSD-2-Clause */
/* What STE and CD say, field by field. */
#include "watch.h"

static struct rig rig;

static const uint64_t ste_w2 = SMMU_STE_W2_S2VMID | SMMU_STE_W2_S2T0SZ | SMMU_STE_W2_S2SL0 |
			       SMMU_STE_W2_S2IR0 | SMMU_STE_W2_S2OR0 | SMMU_STE_W2_S2SH0 |
			       SMMU_STE_W2_S2TG | SMMU_STE_W2_S2PS | SMMU_STE_W2_S2AA64 |
			       SMMU_STE_W2_S2R;
static const uint64_t cd_w0 = SMMU_CD_W0_T0SZ | SMMU_CD_W0_TG0 | SMMU_CD_W0_IR0 | SMMU_CD_W0_OR0 |
			      SMMU_CD_W0_SH0 | SMMU_CD_W0_EPD1 | SMMU_CD_W0_V | SMMU_CD_W0_IPS |
			      SMMU_CD_W0_AA64 | SMMU_CD_W0_R | SMMU_CD_W0_A | SMMU_CD_W0_ASET |
			      SMMU_CD_W0_ASID;

/**
 * Fields that are not named are 0: those of features that are not used (TBI, HTTU, MEV, CONT, MPAM, permission indirection,
 * destructive reads, the VMID of stage 1 alone), and bits of no field.
 */
static void only_known(const struct smmu_ste *ste, uint64_t w2, uint64_t w3)
{
	const uint64_t known[8] = {
		SMMU_STE_W0_V | SMMU_STE_W0_CONFIG | SMMU_STE_W0_S1CONTEXTPTR,
		SMMU_STE_W1_EATS | SMMU_STE_W1_SHCFG | SMMU_STE_W1_S1DSS | SMMU_STE_W1_S1CIR |
			SMMU_STE_W1_S1COR | SMMU_STE_W1_S1CSH,
		w2,
		w3,
	};

	for (unsigned w = 0; w < 8; w++)
		assert_int_equal(ste->w[w] & ~known[w], 0);
}

/** What STE and CD say, field by field, against the table and the array. */
static void test_contents(void **state)
{
	for (unsigned coherent = 0; coherent < 2; coherent++)
		for (unsigned ats = 0; ats < 2; ats++) {
			struct smmu_model_config c = rig_config();
			struct smmu_domain_config cfg = {.non_coherent = !coherent};
			const struct smmu_pgtable_regs *r;
			struct smmu_domain s1, s2, identity;
			struct rig_device d;
			struct smmu_ste ste;
			struct smmu_cd cd;

			c.coherent = coherent;
			rig_open(&rig, &c, 1);
			rig_up(&rig, 0, 0);
			cfg.port = &rig.port;
			cfg.kind = SMMU_DOMAIN_STAGE1;
			assert_int_equal(smmu_domain_init(&s1, &cfg), 0);
			cfg.kind = SMMU_DOMAIN_STAGE2;
			assert_int_equal(smmu_domain_init(&s2, &cfg), 0);
			rig_domain(&rig, &identity, SMMU_DOMAIN_IDENTITY);
			rig_device(&rig, &d, 0, 5, 1, ats, 0);
#define FIELD(mask, word, want) assert_int_equal(smmu_field_get(mask, word), want)
			assert_int_equal(smmu_attach(&d.dev, &s1), 0);
			ste = rig_ste(&d, 0);
			FIELD(SMMU_STE_W0_V, ste.w[0], 1);
			FIELD(SMMU_STE_W0_CONFIG, ste.w[0], 5);
			FIELD(SMMU_STE_W0_S1CDMAX, ste.w[0], 0);
			FIELD(SMMU_STE_W1_EATS, ste.w[1], ats);
			FIELD(SMMU_STE_W1_SHCFG, ste.w[1], 1);
			FIELD(SMMU_STE_W1_S1CIR, ste.w[1], coherent);
			FIELD(SMMU_STE_W1_S1COR, ste.w[1], coherent);
			FIELD(SMMU_STE_W1_S1CSH, ste.w[1], coherent ? 3 : 2);
			FIELD(SMMU_STE_W1_STRW, ste.w[1], 0);
			only_known(&ste, 0, 0);
			cd = *(struct smmu_cd *)smmu_ram_at(
				&rig.ram, ste.w[0] & SMMU_STE_W0_S1CONTEXTPTR, sizeof(cd));
			r = &s1.table->regs;
			FIELD(SMMU_CD_W0_V, cd.w[0], 1);
			FIELD(SMMU_CD_W0_AA64, cd.w[0], 1);
			FIELD(SMMU_CD_W0_R, cd.w[0], 1);
			FIELD(SMMU_CD_W0_A, cd.w[0], 1);
			FIELD(SMMU_CD_W0_ASET, cd.w[0], 1);
			FIELD(SMMU_CD_W0_EPD1, cd.w[0], 1);
			FIELD(SMMU_CD_W0_T0SZ, cd.w[0], 64 - 48);
			FIELD(SMMU_CD_W0_TG0, cd.w[0], 0);
			FIELD(SMMU_CD_W0_IR0, cd.w[0], r->ir0);
			FIELD(SMMU_CD_W0_OR0, cd.w[0], r->or0);
			FIELD(SMMU_CD_W0_SH0, cd.w[0], r->sh0);
			FIELD(SMMU_CD_W0_IPS, cd.w[0], 5);
			FIELD(SMMU_CD_W0_ASID, cd.w[0], s1.inv->entry[0].id);
			assert_int_equal(cd.w[1], r->ttb);
			assert_int_equal(cd.w[2], 0);
			assert_int_equal(cd.w[3], r->mair);
			assert_int_equal(cd.w[0] & ~cd_w0, 0);
			for (unsigned w = 4; w < 8; w++)
				assert_int_equal(cd.w[w], 0);
			assert_int_equal(smmu_attach(&d.dev, &s2), 0);
			ste = rig_ste(&d, 0);
			r = &s2.table->regs;
			FIELD(SMMU_STE_W0_CONFIG, ste.w[0], 6);
			FIELD(SMMU_STE_W1_EATS, ste.w[1], ats);
			FIELD(SMMU_STE_W2_S2VMID, ste.w[2], s2.inv->entry[0].id);
			FIELD(SMMU_STE_W2_S2T0SZ, ste.w[2], r->t0sz);
			FIELD(SMMU_STE_W2_S2SL0, ste.w[2], r->sl0);
			FIELD(SMMU_STE_W2_S2IR0, ste.w[2], r->ir0);
			FIELD(SMMU_STE_W2_S2OR0, ste.w[2], r->or0);
			FIELD(SMMU_STE_W2_S2SH0, ste.w[2], r->sh0);
			FIELD(SMMU_STE_W2_S2TG, ste.w[2], 0);
			FIELD(SMMU_STE_W2_S2PS, ste.w[2], 5);
			FIELD(SMMU_STE_W2_S2AA64, ste.w[2], 1);
			FIELD(SMMU_STE_W2_S2R, ste.w[2], 1);
			assert_int_equal(ste.w[3], r->ttb);
			only_known(&ste, ste_w2, SMMU_STE_W3_S2TTB);
			assert_int_equal(smmu_attach(&d.dev, &identity), 0);
			ste = rig_ste(&d, 0);
			FIELD(SMMU_STE_W0_CONFIG, ste.w[0], 4);
			FIELD(SMMU_STE_W1_EATS, ste.w[1], 0);
			FIELD(SMMU_STE_W1_SHCFG, ste.w[1], 1);
			only_known(&ste, ste_w2, SMMU_STE_W3_S2TTB);
			/* Nothing attached: it aborts, without an event for each access. */
			smmu_detach(&d.dev);
			ste = rig_ste(&d, 0);
			FIELD(SMMU_STE_W0_V, ste.w[0], 1);
			FIELD(SMMU_STE_W0_CONFIG, ste.w[0], 0);
			FIELD(SMMU_STE_W1_EATS, ste.w[1], 0);
			smmu_device_fini(&d.dev);
			assert_int_equal(smmu_domain_fini(&s1), 0);
			assert_int_equal(smmu_domain_fini(&s2), 0);
			assert_int_equal(smmu_domain_fini(&identity), 0);
			rig_close(&rig);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contents),
	};

	watch_rig = &rig;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers that do not answer: what is kept then, until when, and how the SMMU comes back. */
#include "rig.h"

static struct rig rig;
static struct smmu_instance *const inst = &rig.smmu[0].inst;

/** One that does not confirm that it is disabled keeps all that it was told of, until it does. */
static void test_held(void **state)
{
	static const uint32_t regs[] = {SMMU_CR0, SMMU_IRQ_CTRL, SMMU_GBPA};

	for (unsigned way = 0; way < 9; way++) {
		struct smmu_model_config c = rig_config();
		struct smmu_event event;
		struct smmu_pri pri;
		uint64_t held;

		rig_open(&rig, &c, 1);
		rig_up(&rig, 0, 0);
		rig_set_reg(&rig, SMMU_GBPA, (uint32_t)SMMU_GBPA_UPDATE);
		rig_settle(&rig);
		held = smmu_heap_live(&rig.heap);
		if (way < 3)
			rig.smmu[0].deaf = regs[way];
		else
			smmu_model_acknowledge(rig.model, 0, false);
		assert_int_equal(smmu_instance_remove(inst), -SMMU_ETIMEDOUT);
		assert_int_equal(smmu_heap_live(&rig.heap), held);
		assert_true(smmu_posix_logged(&rig.posix, "stay allocated"));
		assert_false(rig_access(&rig, 3));
		/* Nothing happens to it, and nothing else can be done with it. */
		assert_int_equal(smmu_instance_gerror(inst), 0);
		assert_int_equal(smmu_instance_event(inst, &event), 0);
		assert_int_equal(smmu_instance_page_request(inst, &pri), 0);
		assert_int_equal(smmu_instance_remove(inst), -SMMU_ETIMEDOUT);
		assert_int_equal(smmu_instance_enable(inst), -SMMU_ETIMEDOUT);
		assert_int_equal(smmu_heap_live(&rig.heap), held);
		rig.smmu[0].deaf = 0;
		smmu_model_acknowledge(rig.model, 0, true);
		/* A change whose acknowledge was lost stays in transition until the SMMU is reset. */
		if (way >= 3) {
			smmu_model_reset(rig.model, 0);
			mmio_check_former_owner(&rig.smmu[0].check, 0, 0);
		}
		rig_settle(&rig);
		switch (way % 3) {
		case 0:
			assert_int_equal(smmu_instance_remove(inst), 0);
			assert_int_equal(smmu_heap_live(&rig.heap), 0);
			break;
		case 1:
			assert_int_equal(smmu_instance_enable(inst), 0);
			/* Nothing to forget. */
			smmu_instance_forget(inst);
			assert_int_equal(smmu_heap_live(&rig.heap), held);
			assert_int_equal(smmu_instance_remove(inst), 0);
			break;
		default:
			smmu_model_reset(rig.model, 0);
			mmio_check_former_owner(&rig.smmu[0].check, 0, 0);
			smmu_instance_forget(inst);
			assert_int_equal(smmu_heap_live(&rig.heap), 0);
			break;
		}
		assert_int_equal(smmu_instance_remove(inst), 0);
		smmu_instance_forget(inst);
		rig_close(&rig);
	}
}

/** It obeys commands and does not go off: its devices are taken away from it by commands. */
static void test_not_disabled(void **state)
{
	for (unsigned stage = 0; stage < 3; stage++) {
		static const enum smmu_domain_kind kinds[] = {
			SMMU_DOMAIN_STAGE1, SMMU_DOMAIN_STAGE2, SMMU_DOMAIN_IDENTITY};
		struct smmu_model_config c = rig_config();
		struct smmu_domain domain;
		struct rig_device d;

		rig_open(&rig, &c, 1);
		rig_up(&rig, 0, 0);
		rig_set_reg(&rig, SMMU_GBPA, (uint32_t)SMMU_GBPA_UPDATE);
		rig_settle(&rig);
		rig_domain(&rig, &domain, kinds[stage]);
		if (stage < 2)
			assert_int_equal(
				smmu_map(&domain, 0x1000, 0x60000000, 0x1000, SMMU_PROT_READ, 0),
				0);
		rig_device(&rig, &d, 0, 3, 1, true, 0);
		assert_int_equal(smmu_attach(&d.dev, &domain), 0);
		assert_true(rig_access(&rig, 3));
		smmu_model_acknowledge(rig.model, 0, false);
		assert_int_equal(smmu_instance_remove(inst), -SMMU_ETIMEDOUT);
		assert_false(d.ats);
		assert_false(rig_access(&rig, 3));
		smmu_model_acknowledge(rig.model, 0, true);
		smmu_model_reset(rig.model, 0);
		mmio_check_former_owner(&rig.smmu[0].check, 0, 0);
		rig_settle(&rig);
		assert_int_equal(smmu_instance_remove(inst), 0);
		smmu_device_fini(&d.dev);
		assert_int_equal(smmu_domain_fini(&domain), 0);
		rig_close(&rig);
	}
}

/** It never confirms one of the registers while it is enabled: an error, and it is enabled once it does. */
static void test_not_enabled(void **state)
{
	static const uint32_t regs[] = {SMMU_CR0, SMMU_IRQ_CTRL, SMMU_GBPA};

	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(regs); i++) {
		struct smmu_model_config c = rig_config();
		/* How many writes of CR0 arrive: the last of them is that of SMMUEN. */
		unsigned arrive = 0;

		do {
			int error;

			rig_open(&rig, &c, 1);
			rig_probe(&rig);
			rig.smmu[0].deaf = regs[i];
			rig.smmu[0].deaf_after = arrive++;
			error = smmu_instance_enable(inst);
			if (!error) {
				assert_int_equal(rig_reg(&rig, SMMU_CR0ACK) & SMMU_CR0_SMMUEN,
						 SMMU_CR0_SMMUEN);
				assert_true(arrive > 1);
				arrive = 0;
			} else {
				assert_int_equal(error, -SMMU_ETIMEDOUT);
				assert_false(inst->up);
			}
			rig.smmu[0].deaf = 0;
			rig_close(&rig);
		} while (arrive);
	}
}

/** It vanishes at each register write of enable, and of remove: an error, nothing that it knows of is freed. */
static void test_dies_at_each_write(void **state)
{
	for (unsigned remove = 0; remove < 2; remove++)
		for (unsigned n = 1;; n++) {
			struct smmu_model_config c = rig_config();
			int error;

			rig_open(&rig, &c, 1);
			rig_probe(&rig);
			if (remove)
				assert_int_equal(smmu_instance_enable(inst), 0);
			rig.smmu[0].die_after = n;
			error = remove ? smmu_instance_remove(inst) : smmu_instance_enable(inst);
			if (!error) {
				assert_false(rig.smmu[0].gone);
				rig.smmu[0].die_after = 0;
				rig_close(&rig);
				break;
			}
			assert_int_equal(error, -SMMU_ETIMEDOUT);
			assert_true(rig.smmu[0].gone);
			assert_false(inst->up);
			assert_false(rig_access(&rig, 3) && remove);
			if (rig_reg(&rig, SMMU_CR0))
				assert_true(smmu_heap_live(&rig.heap) != 0);
			/* It comes back as it was. */
			rig.smmu[0].gone = false;
			assert_int_equal(smmu_instance_enable(inst), 0);
			rig_close(&rig);
		}
}

static uint32_t *late_word, late_value;
static unsigned late_by;

/** The MSI of the last CMD_SYNC is on its way for so many register accesses after CMDQEN went off. */
static void late_msi(struct rig_smmu *s, bool write, uint32_t offset)
{
	if (!(s->check.cr0ack & SMMU_CR0_CMDQEN) && late_by && !--late_by)
		*late_word = late_value;
}

/** Clearing CMDQEN does not wait for the MSI of a CMD_SYNC: its memory stays until that was seen, or the time is long over. */
static void test_msi_on_its_way(void **state)
{
	for (unsigned late = 0; late < 2; late++) {
		struct smmu_model_config c = rig_config();
		struct smmu_cmdq *q = &inst->cmdq;
		uint32_t slot;

		rig_open(&rig, &c, 1);
		rig_up(&rig, 0, 0);
		/* The queue does not answer any more, so remove cannot ask it. */
		slot = (rig_reg(&rig, SMMU_CMDQ_CONS) - 1) & 63;
		late_word = &q->msi[slot];
		late_value = *late_word;
		assert_int_not_equal(late_value, 0);
		*late_word = 0;
		late_by = late ? 20 : 0;
		rig.smmu[0].frozen = true;
		rig.on_access = late_msi;
		assert_int_equal(smmu_instance_remove(inst), late ? 0 : -SMMU_ETIMEDOUT);
		assert_int_equal(smmu_heap_live(&rig.heap) == 0, late);
		rig.on_access = NULL;
		assert_int_equal(smmu_instance_remove(inst), 0);
		assert_int_equal(smmu_heap_live(&rig.heap), 0);
		rig_close(&rig);
	}
}

static uint32_t sfm;

static uint32_t in_sfm(struct rig_smmu *s, uint32_t offset, uint32_t value)
{
	return offset == SMMU_GERROR ? value ^ sfm : value;
}

/** In service failure mode no acknowledge helps (12.3): refused, and said why. */
static void test_service_failure(void **state)
{
	struct smmu_model_config c = rig_config();

	rig_open(&rig, &c, 1);
	rig.smmu[0].patch_read = in_sfm;
	sfm = (uint32_t)SMMU_GERROR_SFM_ERR;
	rig_probe(&rig);
	assert_int_equal(smmu_instance_enable(inst), -SMMU_EIO);
	assert_true(smmu_posix_logged(&rig.posix, "service failure mode"));
	assert_int_equal(smmu_heap_live(&rig.heap), 0);
	sfm = 0;
	assert_int_equal(smmu_instance_enable(inst), 0);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_held),           cmocka_unit_test(test_not_disabled),
		cmocka_unit_test(test_not_enabled),    cmocka_unit_test(test_dies_at_each_write),
		cmocka_unit_test(test_msi_on_its_way), cmocka_unit_test(test_service_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

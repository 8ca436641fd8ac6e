/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the SMMU looks for what a guest has written: in memory, and nowhere else. */
#include "guest.h"
#include "rig.h"

static struct rig rig;

/** Map the page at @p ipa of the parent anew, with @p prot, and let the guest have its CDs looked at again. */
static void map_as(struct guest_vm *m, uint64_t ipa, uint32_t prot)
{
	struct smmu_cmd cfgi = {{0x06 | 0x50ull << 32, 0}};
	struct smmu_vsmmu_done done;
	uint32_t before;
	uint64_t pa;

	assert_int_equal(smmu_iova_to_phys(&m->parent, ipa, &pa, &before), 0);
	assert_int_equal(smmu_unmap(&m->parent, ipa, 4096, 0), 0);
	assert_int_equal(smmu_map(&m->parent, ipa, pa, 4096, prot, 0), 0);
	assert_int_equal(smmu_vsmmu_invalidate(&m->v, &cfgi, 1, &done), 0);
	assert_int_equal(done.count, 1);
}

/** A guest that says that its CDs or its tables are where a device has its registers: the SMMU does not read there. */
static void test_registers(void **state)
{
	const uint32_t memory = SMMU_PROT_READ | SMMU_PROT_WRITE,
		       device = memory | SMMU_PROT_DEVICE;
	struct smmu_event event = {0};
	struct guest_vm m;

	rig_open_up(&rig, 1);
	guest_vm_up(&rig, &m, 5, false);
	/* The CDs, and tables of levels 1 to 3. */
	for (unsigned page = 0; page < 4; page++) {
		const uint64_t ipa = GUEST_CDS + page * 4096;

		rig_expect(&m.d[0], 0x1000, RIG_PA(1));
		map_as(&m, ipa, device);
		assert_false(rig_dma(&m.d[0], 0, -1, 0x1000, NULL));
		assert_int_equal(smmu_instance_event(&rig.smmu[0].inst, &event), 1);
		assert_int_equal(event.type, SMMU_F_PERMISSION);
		assert_true(event.s2);
		assert_int_equal(event.ipa, ipa);
		map_as(&m, ipa, memory);
	}
	/* DMA of its devices goes there. */
	map_as(&m, GUEST_IPA(2), device);
	rig_expect(&m.d[0], 0x2000, RIG_PA(2));
	guest_vm_down(&m);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registers),
	};

	return cmocka_run_group_tests_name("guest-walks", tests, NULL, NULL);
}

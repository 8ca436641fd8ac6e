/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's memory: CDs and a table of 39 bits, whose first 2 MiB are mapped page by page. */
#include "guest.h"

static void put(uint64_t *p, uint64_t value)
{
	__atomic_store_n(p, value, __ATOMIC_RELEASE);
}

void guest_init(struct guest *g, struct rig *rig, struct smmu_domain *parent)
{
	*g = (struct guest){.rig = rig, .parent = parent};
	for (unsigned i = 0; i < 4; i++) {
		uint64_t bus;

		g->page[i] = rig->port.ops->dma_alloc(rig->port.ctx, 4096, 4096, 0, &bus);
		assert_non_null(g->page[i]);
		assert_int_equal(smmu_map(parent, GUEST_CDS + i * 4096, bus, 4096,
					  SMMU_PROT_READ | SMMU_PROT_WRITE, 0),
				 0);
	}
	for (unsigned i = 0; i < GUEST_DATA_PAGES; i++)
		assert_int_equal(smmu_map(parent, GUEST_IPA(i), RIG_PA(i), 4096,
					  SMMU_PROT_READ | SMMU_PROT_WRITE, 0),
				 0);
	put(&g->page[1][0], (GUEST_CDS + 2 * 4096) | 3);
	put(&g->page[2][0], (GUEST_CDS + 3 * 4096) | 3);
	guest_cd(g, 0, 1);
}

void guest_fini(struct guest *g)
{
	uint32_t prot;
	uint64_t pa;

	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(smmu_unmap(g->parent, GUEST_CDS + i * 4096, 4096, 0), 0);
		g->rig->port.ops->dma_free(g->rig->port.ctx, g->page[i], 4096);
	}
	for (unsigned i = 0; i < GUEST_DATA_PAGES; i++)
		if (!smmu_iova_to_phys(g->parent, GUEST_IPA(i), &pa, &prot))
			assert_int_equal(smmu_unmap(g->parent, GUEST_IPA(i), 4096, 0), 0);
}

void guest_cd(struct guest *g, unsigned ssid, unsigned asid)
{
	uint64_t *cd = g->page[0] + 8 * ssid;

	put(&cd[1], GUEST_CDS + 4096);
	put(&cd[3], 0xff);
	put(&cd[0], 25 | 1 << 8 | 1 << 10 | 3 << 12 | 1u << 30 | 1u << 31 | 5ull << 32 |
			    1ull << 41 | 1ull << 45 | 1ull << 46 | 1ull << 47 |
			    (uint64_t)asid << 48);
}

void guest_map(struct guest *g, uint64_t va, uint64_t ipa)
{
	/* AF, inner shareable, for user and kernel, not global. */
	put(&g->page[3][va >> 12 & 511], ipa ? ipa | 1 << 11 | 1 << 10 | 3 << 8 | 1 << 6 | 3 : 0);
}

struct smmu_ste guest_ste(const struct guest *g, bool ats)
{
	(void)g;
	return (struct smmu_ste){
		{1 | 5 << 1 | GUEST_CDS, 1 << 2 | 1 << 4 | 3 << 6 | (uint64_t)ats << 28}};
}

struct smmu_id_regs guest_shown(struct rig *rig, unsigned i)
{
	const struct smmu_instance *inst = &rig->smmu[i].inst;
	const struct smmu_id_regs real = {inst->idr0, inst->idr1, inst->idr3, inst->idr5};
	struct smmu_id_regs shown;

	smmu_guest_ids(&real, &shown);
	return shown;
}

void guest_vsmmu(struct smmu_vsmmu *v, struct rig *rig, unsigned i, struct smmu_domain *parent)
{
	const struct smmu_vsmmu_config c = {
		.instance = &rig->smmu[i].inst, .parent = parent, .shown = guest_shown(rig, i)};

	assert_int_equal(smmu_vsmmu_init(v, &c), 0);
}

void guest_vm_up(struct rig *rig, struct guest_vm *m, uint32_t stream, bool ats)
{
	struct smmu_ste ste;

	rig_domain(rig, &m->parent, SMMU_DOMAIN_STAGE2);
	guest_init(&m->guest, rig, &m->parent);
	guest_vsmmu(&m->v, rig, 0, &m->parent);
	guest_map(&m->guest, 0x1000, GUEST_IPA(1));
	guest_map(&m->guest, 0x2000, GUEST_IPA(2));
	ste = guest_ste(&m->guest, ats);
	assert_int_equal(smmu_nested_init(&m->nested, &m->v, &ste, NULL), 0);
	for (uint32_t i = 0; i < 2; i++) {
		const uint32_t name = 0x50 + i;

		rig_device(rig, &m->d[i], 0, stream + i, 1, ats, 0);
		assert_int_equal(smmu_vsmmu_plug(&m->v, &m->d[i].dev, &name), 0);
		assert_int_equal(smmu_attach(&m->d[i].dev, &m->nested), 0);
	}
}

void guest_vm_down(struct guest_vm *m)
{
	for (unsigned i = 0; i < 2; i++)
		smmu_device_fini(&m->d[i].dev);
	assert_int_equal(smmu_domain_fini(&m->nested), 0);
	assert_int_equal(smmu_vsmmu_fini(&m->v), 0);
	guest_fini(&m->guest);
	assert_int_equal(smmu_domain_fini(&m->parent), 0);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guests that give their devices several CDs, in one table or in two levels, and change them under DMA with substreams. What has to
 * land follows from what the guest has written last and told by commands; the hypervisor does nothing but pass those on.
 */
#include "guest.h"
#include "rig.h"

#define VA 0x1000ull
/* More of the guest's memory: the first level of CDs, the second leaf of them, and the tables of another address space. */
#define MORE (GUEST_CDS + 0x10000)
#define L1 0
#define LEAF 1
#define TABLES 2
#define PAGES 5
#define ROUNDS 400

static struct rig rig;
static const uint32_t ssids[] = {0, 1, 2, 63, 64, 100};
#define SSIDS SMMU_ARRAY_SIZE(ssids)

struct vm {
	struct guest_vm m;
	struct smmu_domain nested;
	uint64_t *page[PAGES];
	bool two_levels;
	uint64_t dss;
	/* What each CD is: 0 invalid, 1 or 2 an address space. ASIDs are 1 and 2. */
	unsigned space[SSIDS];
};

static void put(uint64_t *p, uint64_t value)
{
	__atomic_store_n(p, value, __ATOMIC_RELEASE);
}

static uint64_t *cd_of(struct vm *v, uint32_t ssid)
{
	return ssid < 64 ? v->m.guest.page[0] + 8 * ssid : v->page[LEAF] + 8 * (ssid - 64);
}

static void write_cd(struct vm *v, unsigned i, unsigned space)
{
	uint64_t *cd = cd_of(v, ssids[i]);

	put(&cd[0], 0);
	put(&cd[1], space == 2 ? MORE + TABLES * 4096 : GUEST_CDS + 4096);
	put(&cd[3], 0xff);
	if (space)
		put(&cd[0], 25 | 1 << 8 | 1 << 10 | 3 << 12 | 1u << 30 | 1u << 31 | 5ull << 32 |
				    1ull << 41 | 1ull << 45 | 1ull << 46 | 1ull << 47 |
				    (uint64_t)space << 48);
	v->space[i] = space;
}

static bool is_there(const struct vm *v, unsigned i)
{
	return v->two_levels || ssids[i] < 64;
}

static void vm_up(struct vm *v, uint32_t stream, bool two_levels, uint64_t dss)
{
	const uint32_t rw = SMMU_PROT_READ | SMMU_PROT_WRITE;
	struct smmu_ste ste;
	uint64_t bus;

	*v = (struct vm){.two_levels = two_levels, .dss = dss};
	guest_vm_up(&rig, &v->m, stream, true);
	for (unsigned i = 0; i < PAGES; i++) {
		v->page[i] = rig.port.ops->dma_alloc(rig.port.ctx, 4096, 4096, 0, &bus);
		assert_non_null(v->page[i]);
		assert_int_equal(smmu_map(&v->m.parent, MORE + i * 4096, bus, 4096, rw, 0), 0);
	}
	put(&v->page[L1][0], GUEST_CDS | 1);
	put(&v->page[L1][1], (MORE + LEAF * 4096) | 1);
	put(&v->page[TABLES][0], (MORE + (TABLES + 1) * 4096) | 3);
	put(&v->page[TABLES + 1][0], (MORE + (TABLES + 2) * 4096) | 3);
	put(&v->page[TABLES + 2][VA >> 12], GUEST_IPA(5) | 1 << 11 | 1 << 10 | 3 << 8 | 1 << 6 | 3);
	ste = guest_ste(&v->m.guest, true);
	ste.w[0] = two_levels ? (ste.w[0] & ~GUEST_CDS) | (MORE + L1 * 4096) |
					smmu_field_prep(SMMU_STE_W0_S1FMT, SMMU_STE_S1FMT_4K_L2) |
					smmu_field_prep(SMMU_STE_W0_S1CDMAX, 7)
			      : ste.w[0] | smmu_field_prep(SMMU_STE_W0_S1CDMAX, 6);
	ste.w[1] |= dss;
	for (unsigned i = 0; i < SSIDS; i++)
		write_cd(v, i, 1 + i % 2);
	assert_int_equal(smmu_nested_init(&v->nested, &v->m.v, &ste, NULL), 0);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(smmu_attach(&v->m.d[i].dev, &v->nested), 0);
}

static void vm_down(struct vm *v)
{
	for (unsigned i = 0; i < 2; i++)
		smmu_detach(&v->m.d[i].dev);
	assert_int_equal(smmu_domain_fini(&v->nested), 0);
	for (unsigned i = 0; i < PAGES; i++) {
		assert_int_equal(smmu_unmap(&v->m.parent, MORE + i * 4096, 4096, 0), 0);
		rig.port.ops->dma_free(rig.port.ctx, v->page[i], 4096);
	}
	guest_vm_down(&v->m);
}

static void expect(struct vm *v, unsigned dev, int32_t ssid, uint64_t iova, uint64_t pa)
{
	uint64_t got = 0;
	bool ok = rig_dma(&v->m.d[dev], 0, ssid, iova, &got);

	assert_int_equal(ok, pa != 0);
	if (pa)
		assert_int_equal(got, pa);
}

static uint64_t page_of(unsigned space)
{
	return space ? RIG_PA(space == 2 ? 5 : 1) : 0;
}

/** An access of substream number @p i, or of none. */
static void look(struct vm *v, unsigned dev, unsigned i)
{
	bool ssid0 = v->dss == SMMU_STE_S1DSS_SSID0;

	if (i < SSIDS) {
		/* CD 0 is nobody's as a substream where traffic without one has it. */
		expect(v, dev, (int32_t)ssids[i], VA,
		       is_there(v, i) && !(ssid0 && !ssids[i]) ? page_of(v->space[i]) : 0);
		return;
	}
	expect(v, dev, -1, VA, ssid0 ? page_of(v->space[0]) : 0);
	expect(v, dev, -1, GUEST_IPA(3), v->dss == SMMU_STE_S1DSS_BYPASS ? RIG_PA(3) : 0);
}

/** All of it is done, but for a command that names what is not there. */
static void tell(struct vm *v, struct smmu_cmd *cmds, uint32_t n, bool stray)
{
	struct smmu_vsmmu_done done;

	assert_int_equal(smmu_vsmmu_invalidate(&v->m.v, cmds, n, &done), 0);
	assert_int_equal(done.count, stray ? n - 1 : n);
	assert_int_equal(done.stop, stray ? SMMU_GUEST_NOTHING : SMMU_GUEST_END);
}

static uint64_t random_below(uint64_t n)
{
	return smmu_random_below(sim_random(rig.sim), n);
}

/** The guest gives a substream another CD, or none, and says so in one of several ways. */
static void change(struct vm *v, unsigned i)
{
	uint64_t ssid = ssids[i];
	unsigned old = v->space[i], n = 0;
	bool all = random_below(2), stray = random_below(4) == 0;
	struct smmu_cmd cmds[8];

	write_cd(v, i, (unsigned)random_below(3));
	for (uint64_t sid = 0x50; sid < 0x52; sid++)
		cmds[n++] = (struct smmu_cmd){
			{(all ? 0x06 : 0x05 | ssid << 12) | sid << 32, all ? 0 : 1}};
	/* Another stream's, a substream that cannot be: neither is there. */
	if (stray)
		cmds[n++] = (struct smmu_cmd){
			{0x05 | (random_below(2) ? 5ull << 32 : 0x50ull << 32 | 1ull << 31), 1}};
	tell(v, cmds, n, stray);
	n = 0;
	if (old)
		cmds[n++] = (struct smmu_cmd){{0x11 | (uint64_t)old << 48, 0}};
	tell(v, cmds, n, false);
	n = 0;
	for (uint64_t sid = 0x50; sid < 0x52; sid++) {
		/* Of this substream alone, or with G of all; what has no substream is told apart. */
		cmds[n++] = (struct smmu_cmd){
			{0x40 | 1 << 11 | (all ? 1 << 9 : 0) | ssid << 12 | sid << 32, 52}};
		if (!ssid)
			cmds[n++] = (struct smmu_cmd){{0x40 | sid << 32, 52}};
	}
	tell(v, cmds, n, false);
}

static void test_random(void **state)
{
	static const uint64_t dss[] = {SMMU_STE_S1DSS_TERMINATE, SMMU_STE_S1DSS_BYPASS,
				       SMMU_STE_S1DSS_SSID0};

	for (unsigned kind = 0; kind < 6; kind++) {
		static struct vm a, b;

		rig_open_up(&rig, 1);
		vm_up(&a, 5, kind % 2, dss[kind / 2]);
		/* The same names, ASIDs and addresses. */
		vm_up(&b, 7, (kind + 1) % 2, dss[2 - kind / 2]);
		for (unsigned round = 0; round < ROUNDS; round++) {
			unsigned i = (unsigned)random_below(SSIDS);

			for (unsigned n = 0; n < 4; n++) {
				look(&a, (unsigned)random_below(2),
				     (unsigned)random_below(SSIDS + 1));
				look(&b, (unsigned)random_below(2),
				     (unsigned)random_below(SSIDS + 1));
			}
			change(&a, i);
			look(&a, 0, i);
			look(&a, 1, i);
			if (!i)
				look(&a, 0, SSIDS);
		}
		vm_down(&a);
		vm_down(&b);
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("guest-substreams", tests, NULL, NULL);
}

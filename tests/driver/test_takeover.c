/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a former owner's streams are tagged with, and how each is led from there to a domain of the library: nobody meets another's
 * translations on the way, whoever has the same ASID or VMID in another world.
 */
#include <smmuv3/sva.h>

#include "former.h"
#include "guest.h"

#define THIRD 7u
/* Where the tables of others lead. */
#define ELSEWHERE (BUFFER + 0x100000)

enum { CD2 = CDS + 0x40, TABLES3 = 0x17000, TABLES4 = 0x1a000 };

static const uint64_t leaf1 = 1 << 10 | 3 << 8 | 1 << 6 | 1 << 11 | 3,
		      leaf2 = 1 << 10 | 3 << 8 | 3 << 6 | 0xf << 2 | 3;

/** As three_tables, but from BUFFER to ELSEWHERE. */
static void tables_elsewhere(uint64_t at, uint64_t leaf)
{
	three_tables(at, leaf);
	for (unsigned i = 0; i < 4; i++)
		*word(at + 0x2000 + i * 8) = (ELSEWHERE + i * 0x1000) | leaf;
}

/** Stream @p stream is one of stage 1 as S1 is, under @p vmid, with @p cd. */
static void stage1(uint32_t stream, uint32_t cd, uint32_t vmid)
{
	memcpy(ste(stream, false), ste(S1, false), 64);
	ste(stream, false)[0] = 1 | 5 << 1 | (old_bus + cd);
	ste(stream, false)[2] = vmid;
}

/** One of stage 2 as S2 is, under @p vmid, by the tables at @p tables. */
static void stage2(uint32_t stream, uint32_t tables, uint32_t vmid)
{
	if (stream != S2)
		memcpy(ste(stream, false), ste(S2, false), 64);
	ste(stream, false)[2] = (ste(stream, false)[2] & ~0xffffull) | vmid;
	ste(stream, false)[3] = old_bus + tables;
}

static void in_el2(uint32_t stream)
{
	ste(stream, false)[1] |= smmu_field_prep(SMMU_STE_W1_STRW, SMMU_STE_STRW_EL2);
}

/** A second CD with the same ASID that leads elsewhere. */
static void second_cd(void)
{
	memcpy(word(CD2), word(CDS), 64);
	word(CD2)[1] = old_bus + TABLES3;
	tables_elsewhere(TABLES3, leaf1);
}

/** @p el2: EL2 with E2H or without. Without SMMU_PORT_LSE2. */
static void open_for(bool el2, bool e2h)
{
	hyp = el2;
	cr2 = (uint32_t)(SMMU_CR2_RECINVSID | (e2h ? SMMU_CR2_E2H : 0));
	open_with(false);
	rig.port.flags = 0;
}

static void adopt(uint32_t kept)
{
	assert_int_equal(smmu_instance_adopt(inst, &cfg, &report), 0);
	if (report.kept != kept)
		fail_msg("%u streams kept; 0x%x: %s", report.kept, report.first,
			 report.first_why ? report.first_why : "-");
}

/** Of a kernel in EL2 with E2H nothing is lost: its CDs mean the same in EL1. */
static void test_el2_host(void **state)
{
	struct rig_device a;

	for (unsigned vmid = 0; vmid < 2; vmid++) {
		open_for(true, true);
		in_el2(S1);
		ste(S1, false)[2] = vmid ? 0x4711 : 0;
		run_former_owner(false);
		landing_watch(&rig, lands, S1, S2, 0);
		adopt(2);
		rig_device(&rig, &a, 0, S1, 1, false, 0);
		assert_int_equal(smmu_attach(&a.dev, &other), 0);
		landing_look();
		landing_end(&rig);
		assert_int_equal(smmu_instance_adopt_end(inst), 0);
		assert_int_equal(smmu_unmap(&other, BUFFER, 0x1000, 0), 0);
		assert_false(lands(S1));
		finish();
	}
}

static bool tried(uint32_t stream)
{
	reaches(stream, BUFFER, NULL);
	return true;
}

/**
 * Without E2H half of its CDs is ignored, and means nothing in EL1: it passes through an entry that refuses without a word, and what was
 * there is not met again.
 */
static void test_el2_one_half(void **state)
{
	struct smmu_event event;
	struct rig_device a;

	open_for(true, false);
	in_el2(S1);
	word(CDS)[0] &= ~(1ull << 30 | 0xffffull << 48); /* EPD1 */
	word(CDS)[0] |= 0xfdull << 48;                   /* an ASID, which is ignored too */
	word(CDS)[2] = 0x7ull << 40;
	run_former_owner(false);
	landing_watch(&rig, lands, S1, S2, 0);
	adopt(2);
	/* Nobody has it, so a kernel may have it for its processes. */
	assert_int_equal(smmu_sva_reserve(inst, 0xf0, 0xff), 0);
	rig_device(&rig, &a, 0, S1, 1, false, 0);
	landing_end(&rig);
	landing_watch(&rig, tried, S1, 0, 0);
	assert_int_equal(smmu_attach(&a.dev, &other), 0);
	landing_end(&rig);
	assert_false(smmu_instance_event(inst, &event));
	assert_true(lands(S1));
	assert_int_equal(smmu_unmap(&other, BUFFER, 0x1000, 0), 0);
	assert_false(lands(S1));
	finish();
}

/** S1 at BUFFER, or refused for a moment; the third stays where it was. */
static bool apart(uint32_t stream)
{
	uint64_t pa;

	if (stream == THIRD)
		return reaches(stream, BUFFER, &pa) && pa == ELSEWHERE;
	return !reaches(stream, BUFFER, &pa) || pa == BUFFER;
}

/** One ASID under two VMIDs, or in EL1 and EL2, is two tables. */
static void test_one_asid_two_worlds(void **state)
{
	struct rig_device a;

	for (unsigned el2 = 0; el2 < 2; el2++) {
		open_for(el2, el2);
		second_cd();
		stage1(THIRD, CD2, 0);
		if (el2)
			in_el2(S1);
		else
			stage1(S1, CDS, 5);
		run_former_owner(false);
		landing_watch(&rig, apart, S1, THIRD, 0);
		adopt(3);
		rig_device(&rig, &a, 0, S1, 1, false, 0);
		assert_int_equal(smmu_attach(&a.dev, &other), 0);
		landing_look();
		landing_end(&rig);
		assert_true(lands(S1));
		finish();
	}
}

/** A stage 2 under VMID 0 is nobody else's. */
static void test_stage2_under_zero(void **state)
{
	struct rig_device a;

	open_for(false, false);
	tables_elsewhere(TABLES4, leaf2);
	stage2(THIRD, TABLES4, 0);
	run_former_owner(false);
	landing_watch(&rig, apart, S2, THIRD, 0);
	adopt(3);
	rig_device(&rig, &a, 0, S2, 1, false, 0);
	assert_int_equal(smmu_attach(&a.dev, &other), 0);
	landing_look();
	landing_end(&rig);
	assert_true(lands(S2));
	finish();
}

static unsigned looks;

/** Each time another page: by a stream of the former owner's first, then by one of ours, that has not been there yet. */
static bool ours_lands(uint32_t stream)
{
	uint64_t at, pa;

	looks += stream == S2;
	at = looks % 512 * 0x1000;
	return !reaches(stream, BUFFER + at, &pa) || stream == S2 || pa == BUFFER + at;
}

/** Who is in a domain of stage 2 already does not meet the tables of one that is led there. */
static void test_stage2_to_stage2(void **state)
{
	static struct smmu_domain d2;
	struct rig_device a, b;

	open_for(false, false);
	stage2(S2, TABLES4, VMID);
	tables_elsewhere(TABLES4, leaf2);
	for (unsigned i = 0; i < 512; i++)
		*word(TABLES4 + 0x2000 + i * 8) = (ELSEWHERE + i * 0x1000) | leaf2;
	rig_domain(&rig, &d2, SMMU_DOMAIN_STAGE2);
	for (unsigned i = 0; i < 512; i++)
		assert_int_equal(
			smmu_map(&d2, BUFFER + i * 0x1000, BUFFER + i * 0x1000, 0x1000, RW, 0), 0);
	run_former_owner(false);
	adopt(2);
	rig_device(&rig, &a, 0, S2, 1, false, 0);
	rig_device(&rig, &b, 0, 30, 1, false, 0);
	assert_int_equal(smmu_attach(&b.dev, &d2), 0);
	landing_watch(&rig, ours_lands, S2, 30, 0);
	assert_int_equal(smmu_attach(&a.dev, &d2), 0);
	landing_end(&rig);
	assert_true(looks > 4 && looks < 512);
	assert_true(lands(S2) && lands(30));
	assert_int_equal(smmu_instance_remove(inst), 0);
	assert_int_equal(smmu_domain_fini(&d2), 0);
	finish();
}

static bool mixed_lands(uint32_t stream)
{
	uint64_t pa;

	return reaches(stream, BUFFER, &pa) && (pa == BUFFER || (stream == S1 && pa == ELSEWHERE));
}

/** Two streams of one device by two tables of stage 2: the second does not meet what is left of the first. */
static void test_two_stage2(void **state)
{
	struct rig_device a;

	open_for(false, false);
	tables_elsewhere(TABLES4, leaf2);
	stage2(S1, TABLES4, VMID + 1);
	run_former_owner(false);
	landing_watch(&rig, mixed_lands, S1, S2, 0);
	adopt(2);
	rig_device(&rig, &a, 0, S1, 2, false, 0);
	assert_int_equal(smmu_attach(&a.dev, &other), 0);
	landing_look();
	landing_end(&rig);
	assert_true(lands(S1) && lands(S2));
	finish();
}

/** What SMMUs forget when they are started over is CR2 too: streams that are kept need their E2H. */
static void test_revived_while_kept(void **state)
{
	open_for(true, true);
	in_el2(S1);
	/* An upper half alone. */
	word(CDS)[0] |=
		1ull << 14 | 25ull << 16 | 2ull << 22 | 1ull << 24 | 1ull << 26 | 3ull << 28;
	word(CDS)[0] &= ~(1ull << 30);
	word(CDS)[2] = old_bus + TABLES1;
	run_former_owner(false);
	adopt(2);
	rig.smmu[0].check.e2h_stays = true;
	assert_true(reaches(S1, ~0ull << 39 | BUFFER, NULL));
	assert_false(lands(S1));
	assert_int_equal(smmu_instance_suspend(inst), 0);
	put(SMMU_CR2, 0);
	assert_int_equal(smmu_instance_revive(inst), 0);
	assert_true(reaches(S1, ~0ull << 39 | BUFFER, NULL));
	assert_int_equal(smmu_instance_adopt_end(inst), 0);
	rig.smmu[0].check.e2h_stays = false;
	assert_int_equal(smmu_instance_suspend(inst), 0);
	assert_int_equal(smmu_instance_revive(inst), 0);
	assert_false(smmu_mmio_read32(&inst->mmio, SMMU_CR2) & SMMU_CR2_E2H);
	finish();
}

/** A guest's ASIDs nobody knows: under VMID 0 they would be those of the library. */
static void test_guest_under_zero(void **state)
{
	for (unsigned vmid = 0; vmid < 2; vmid++) {
		open_for(false, false);
		stage2(S2, TABLES2, vmid);
		ste(S2, false)[0] = 1 | 7 << 1 | BUFFER;
		run_former_owner(false);
		adopt(1 + vmid);
		assert_int_equal(report.refused, 2 - vmid);
		finish();
	}
}

#define GUEST_VA 0x1000ull

/** It reaches nothing of the guest's. */
static bool stays_out(uint32_t stream)
{
	return !reaches(stream, GUEST_VA, NULL);
}

/** Accesses without a substream go by CD 0 of the former owner, and a guest's STE terminates them: they never go by its CD 0. */
static void test_guest_terminates(void **state)
{
	const struct smmu_dma with = {
		.stream = S1, .iova = GUEST_VA, .ssid_valid = true, .ssid = 1};
	const uint32_t name = 0x50;
	static struct smmu_domain parent, nested;
	static struct smmu_vsmmu v;
	struct rig_device a;
	struct guest guest;
	struct smmu_ste to;

	open_for(false, false);
	ste(S1, false)[0] |= smmu_field_prep(SMMU_STE_W0_S1CDMAX, 1);
	ste(S1, false)[1] |= SMMU_STE_S1DSS_SSID0;
	rig_domain(&rig, &parent, SMMU_DOMAIN_STAGE2);
	guest_init(&guest, &rig, &parent);
	guest_map(&guest, GUEST_VA, GUEST_IPA(1));
	guest_cd(&guest, 1, 1);
	run_former_owner(false);
	adopt(2);
	guest_vsmmu(&v, &rig, 0, &parent);
	to = guest_ste(&guest, false);
	to.w[0] |= smmu_field_prep(SMMU_STE_W0_S1CDMAX, 6);
	assert_int_equal(smmu_nested_init(&nested, &v, &to, NULL), 0);
	rig_device(&rig, &a, 0, S1, 1, false, 0);
	assert_int_equal(smmu_vsmmu_plug(&v, &a.dev, &name), 0);
	assert_true(lands(S1));
	landing_watch(&rig, stays_out, S1, 0, 0);
	assert_int_equal(smmu_attach(&a.dev, &nested), 0);
	landing_look();
	landing_end(&rig);
	assert_true(smmu_model_dma(rig.model, &with).ok);
	smmu_detach(&a.dev);
	smmu_vsmmu_unplug(&a.dev);
	assert_int_equal(smmu_domain_fini(&nested), 0);
	assert_int_equal(smmu_vsmmu_fini(&v), 0);
	guest_fini(&guest);
	assert_int_equal(smmu_domain_fini(&parent), 0);
	finish();
}

/** Streams that abort, each with what another owner left: they become alike. */
static void test_uneven_aborts(void **state)
{
	struct rig_device a;

	open_for(false, false);
	ste(20, false)[0] = 1;
	ste(20, false)[2] = 0;
	ste(21, false)[0] = 1;
	ste(21, false)[2] = VMID | 25ull << 32;
	run_former_owner(false);
	adopt(2);
	rig_device(&rig, &a, 0, 20, 2, false, 0);
	assert_int_equal(smmu_attach(&a.dev, &other), 0);
	assert_true(lands(20) && lands(21));
	assert_int_equal(ste(21, false)[2], ste(20, false)[2]);
	assert_int_equal(smmu_unmap(&other, BUFFER, 0x1000, 0), 0);
	assert_false(lands(20) || lands(21));
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_el2_host),
		cmocka_unit_test(test_el2_one_half),
		cmocka_unit_test(test_one_asid_two_worlds),
		cmocka_unit_test(test_stage2_under_zero),
		cmocka_unit_test(test_two_stage2),
		cmocka_unit_test(test_stage2_to_stage2),
		cmocka_unit_test(test_revived_while_kept),
		cmocka_unit_test(test_guest_under_zero),
		cmocka_unit_test(test_guest_terminates),
		cmocka_unit_test(test_uneven_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

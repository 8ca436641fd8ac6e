/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands: encoders against hand-made words and against random arguments read back by the specification's bit
 * numbers; smmu_cmd_check.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <smmuv3/hw/cmd.h>

#include "bits.h"
#include "testrand.h"

static void expect(struct smmu_cmd got, uint64_t w0, uint64_t w1)
{
	assert_int_equal(got.w[0], w0);
	assert_int_equal(got.w[1], w1);
	assert_int_equal(smmu_cmd_check(&got), 0);
}

/** Words put together by hand from the layouts in chapter 4. */
static void test_vectors(void **state)
{
	struct smmu_cmd_range r = {
		.addr = 0x7fff12345fff, .num = 3, .scale = 5, .tg = 1, .ttl = 3, .leaf = true};
	struct smmu_cmd_range one = {.addr = 0xffff800000001000};

	expect(smmu_cmd_prefetch_config(7, true, 0x12345), 0x0000000712345801, 0);
	expect(smmu_cmd_prefetch_addr(2, false, 9, 0x1fff, 4, 9), 0x0000000200000002, 0x1124);
	expect(smmu_cmd_cfgi_ste(0x1234, true), 0x0000123400000003, 1);
	expect(smmu_cmd_cfgi_ste(0xffffffff, false), 0xffffffff00000003, 0);
	expect(smmu_cmd_cfgi_ste_range(0x100, 7), 0x0000010000000004, 7);
	expect(smmu_cmd_cfgi_all(), 0x4, 0x1f);
	expect(smmu_cmd_cfgi_cd(5, 0x12345, false), 0x0000000512345005, 0);
	expect(smmu_cmd_cfgi_cd_all(6), 0x0000000600000006, 0);
	expect(smmu_cmd_cfgi_vms_pidm(0xabcd), 0x0000abcd00000007, 0);
	expect(smmu_cmd_tlbi_nh_all(9), 0x0000000900000010, 0);
	expect(smmu_cmd_tlbi_nh_asid(7, 0x55aa), 0x55aa000700000011, 0);
	expect(smmu_cmd_tlbi_nh_va(1, 2, r), 0x0002000100503012, 0x7fff12345701);
	expect(smmu_cmd_tlbi_nh_va(1, 2, one), 0x0002000100000012, 0xffff800000001000);
	expect(smmu_cmd_tlbi_nh_vaa(1, r), 0x0000000100503013, 0x7fff12345701);
	expect(smmu_cmd_tlbi_el2_all(), 0x20, 0);
	expect(smmu_cmd_tlbi_el2_asid(3), 0x0003000000000021, 0);
	expect(smmu_cmd_tlbi_el2_va(3, r), 0x0003000000503022, 0x7fff12345701);
	expect(smmu_cmd_tlbi_el2_vaa(r), 0x0000000000503023, 0x7fff12345701);
	expect(smmu_cmd_tlbi_s12_vmall(0xffff), 0x0000ffff00000028, 0);
	expect(smmu_cmd_tlbi_s2_ipa(0xffff, r), 0x0000ffff0050302a, 0x7fff12345701);
	expect(smmu_cmd_tlbi_s2_ipa(1, one), 0x000000010000002a, 0x00ff800000001000);
	expect(smmu_cmd_tlbi_nsnh_all(), 0x30, 0);
	expect(smmu_cmd_atc_inv(0x10008, true, 0xabcde, true, 0x200000, 9), 0x00010008abcdea40,
	       0x200009);
	expect(smmu_cmd_atc_inv(8, false, 0xabcde, false, 0, SMMU_CMD_ATC_INV_SIZE_ALL),
	       0x0000000800000040, 52);
	expect(smmu_cmd_pri_resp(9, true, 1, 0x1ff, SMMU_CMD_PRI_RESP_SUCCESS), 0x0000000900001841,
	       0x21ff);
	expect(smmu_cmd_dpti_all(), 0x70, 0);
	expect(smmu_cmd_resume(3, 0xbeef, true, false), 0x0000000300001044, 0xbeef);
	expect(smmu_cmd_resume(3, 0xbeef, false, true), 0x0000000300002044, 0xbeef);
	expect(smmu_cmd_stall_term(4), 0x0000000400000045, 0);
	expect(smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE), 0x46, 0);
	expect(smmu_cmd_sync(SMMU_CMD_SYNC_CS_SEV), 0x2046, 0);
	expect(smmu_cmd_sync_msi(0x800000040, 0xdeadbeef, 3, 0xf), 0xdeadbeef0fc01046, 0x800000040);
}

static struct smmu_cmd_range random_range(void)
{
	struct smmu_cmd_range r = {.addr = testrand() & ~0xfffULL, .leaf = testrand_bits(1)};

	r.tg = (uint8_t)testrand_bits(2);
	if (r.tg) {
		r.num = (uint8_t)testrand_bits(5);
		r.scale = (uint8_t)testrand_bits(5);
		r.ttl = (uint8_t)testrand_bits(2);
		if (!r.num && !r.scale && !r.ttl)
			r.ttl = 3;
	}
	return r;
}

/** Bits of a TLBI by address, by number; the ids were checked by the caller. */
static struct smmu_cmd_range read_range(const struct smmu_cmd *c)
{
	return (struct smmu_cmd_range){.addr = bits(c->w, 127, 76) << 12,
				       .num = (uint8_t)bits(c->w, 16, 12),
				       .scale = (uint8_t)bits(c->w, 25, 20),
				       .tg = (uint8_t)bits(c->w, 75, 74),
				       .ttl = (uint8_t)bits(c->w, 73, 72),
				       .leaf = bits(c->w, 64, 64)};
}

static void same(struct smmu_cmd a, struct smmu_cmd b)
{
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(smmu_cmd_check(&a), 0);
}

/** Encode, read back by bit number, encode what was read: the same command. */
static void test_round_trip(void **state)
{
	for (int i = 0; i < 20000; i++) {
		uint32_t sid = (uint32_t)testrand(), ssid = (uint32_t)testrand_bits(20);
		uint16_t vmid = (uint16_t)testrand(), asid = (uint16_t)testrand();
		uint64_t addr = testrand();
		bool flag = testrand_bits(1), other = testrand_bits(1);
		unsigned small = (unsigned)testrand_bits(5), resp = (unsigned)testrand() % 3;
		struct smmu_cmd_range r = random_range(), ipa = r;
		struct smmu_cmd c;

		c = smmu_cmd_prefetch_config(sid, true, ssid);
		same(c, smmu_cmd_prefetch_config((uint32_t)bits(c.w, 63, 32), bits(c.w, 11, 11),
						 (uint32_t)bits(c.w, 31, 12)));
		c = smmu_cmd_prefetch_addr(sid, true, ssid, addr, small, 31 - small);
		same(c, smmu_cmd_prefetch_addr(
				(uint32_t)bits(c.w, 63, 32), bits(c.w, 11, 11),
				(uint32_t)bits(c.w, 31, 12), bits(c.w, 127, 76) << 12,
				(unsigned)bits(c.w, 68, 64), (unsigned)bits(c.w, 73, 69)));
		assert_int_equal(bits(c.w, 63, 32), sid);
		assert_int_equal(bits(c.w, 31, 12), ssid);
		assert_int_equal(bits(c.w, 68, 64), small);
		c = smmu_cmd_cfgi_ste(sid, flag);
		same(c, smmu_cmd_cfgi_ste((uint32_t)bits(c.w, 63, 32), bits(c.w, 64, 64)));
		assert_int_equal(bits(c.w, 64, 64), flag);
		c = smmu_cmd_cfgi_ste_range(sid, small);
		same(c, smmu_cmd_cfgi_ste_range((uint32_t)bits(c.w, 63, 32),
						(unsigned)bits(c.w, 68, 64)));
		assert_int_equal(bits(c.w, 68, 64), small);
		c = smmu_cmd_cfgi_cd(sid, ssid, flag);
		same(c, smmu_cmd_cfgi_cd((uint32_t)bits(c.w, 63, 32), (uint32_t)bits(c.w, 31, 12),
					 bits(c.w, 64, 64)));
		assert_int_equal(bits(c.w, 31, 12), ssid);
		c = smmu_cmd_cfgi_cd_all(sid);
		same(c, smmu_cmd_cfgi_cd_all((uint32_t)bits(c.w, 63, 32)));
		c = smmu_cmd_cfgi_vms_pidm(vmid);
		same(c, smmu_cmd_cfgi_vms_pidm((uint16_t)bits(c.w, 47, 32)));

		c = smmu_cmd_tlbi_nh_all(vmid);
		same(c, smmu_cmd_tlbi_nh_all((uint16_t)bits(c.w, 47, 32)));
		c = smmu_cmd_tlbi_nh_asid(vmid, asid);
		assert_int_equal(bits(c.w, 47, 32), vmid);
		assert_int_equal(bits(c.w, 63, 48), asid);
		same(c, smmu_cmd_tlbi_nh_asid(vmid, asid));
		c = smmu_cmd_tlbi_nh_va(vmid, asid, r);
		same(c, smmu_cmd_tlbi_nh_va((uint16_t)bits(c.w, 47, 32),
					    (uint16_t)bits(c.w, 63, 48), read_range(&c)));
		assert_int_equal(bits(c.w, 127, 76) << 12, r.addr);
		assert_int_equal(bits(c.w, 16, 12), r.num);
		assert_int_equal(bits(c.w, 25, 20), r.scale);
		c = smmu_cmd_tlbi_nh_vaa(vmid, r);
		same(c, smmu_cmd_tlbi_nh_vaa((uint16_t)bits(c.w, 47, 32), read_range(&c)));
		c = smmu_cmd_tlbi_el2_asid(asid);
		same(c, smmu_cmd_tlbi_el2_asid((uint16_t)bits(c.w, 63, 48)));
		c = smmu_cmd_tlbi_el2_va(asid, r);
		same(c, smmu_cmd_tlbi_el2_va((uint16_t)bits(c.w, 63, 48), read_range(&c)));
		c = smmu_cmd_tlbi_el2_vaa(r);
		same(c, smmu_cmd_tlbi_el2_vaa(read_range(&c)));
		c = smmu_cmd_tlbi_s12_vmall(vmid);
		same(c, smmu_cmd_tlbi_s12_vmall((uint16_t)bits(c.w, 47, 32)));
		c = smmu_cmd_tlbi_s2_ipa(vmid, ipa);
		same(c, smmu_cmd_tlbi_s2_ipa((uint16_t)bits(c.w, 47, 32), read_range(&c)));
		assert_int_equal(bits(c.w, 127, 120), 0);
		assert_int_equal(bits(c.w, 119, 76) << 12, r.addr & 0x00fffffffffff000);

		c = smmu_cmd_atc_inv(sid, true, ssid, flag, addr, small);
		same(c, smmu_cmd_atc_inv((uint32_t)bits(c.w, 63, 32), bits(c.w, 11, 11),
					 (uint32_t)bits(c.w, 31, 12), bits(c.w, 9, 9),
					 bits(c.w, 127, 76) << 12, (unsigned)bits(c.w, 69, 64)));
		assert_int_equal(bits(c.w, 9, 9), flag);
		assert_int_equal(bits(c.w, 127, 76), addr >> 12);
		c = smmu_cmd_pri_resp(sid, flag, ssid, (unsigned)(addr & 0x1ff), resp);
		same(c, smmu_cmd_pri_resp((uint32_t)bits(c.w, 63, 32), bits(c.w, 11, 11),
					  (uint32_t)bits(c.w, 31, 12), (unsigned)bits(c.w, 72, 64),
					  (unsigned)bits(c.w, 77, 76)));
		assert_int_equal(bits(c.w, 77, 76), resp);
		c = smmu_cmd_resume(sid, asid, flag, other);
		same(c, smmu_cmd_resume((uint32_t)bits(c.w, 63, 32), (uint16_t)bits(c.w, 79, 64),
					bits(c.w, 12, 12), bits(c.w, 13, 13)));
		assert_int_equal(bits(c.w, 12, 12), flag);
		c = smmu_cmd_stall_term(sid);
		same(c, smmu_cmd_stall_term((uint32_t)bits(c.w, 63, 32)));
		c = smmu_cmd_sync_msi(addr & 0x00fffffffffffffc, sid, small & 3, small & 0xf);
		same(c,
		     smmu_cmd_sync_msi(bits(c.w, 119, 66) << 2, (uint32_t)bits(c.w, 63, 32),
				       (unsigned)bits(c.w, 23, 22), (unsigned)bits(c.w, 27, 24)));
		assert_int_equal(bits(c.w, 119, 66) << 2, addr & 0x00fffffffffffffc);
	}
}

static int check(uint64_t w0, uint64_t w1)
{
	return smmu_cmd_check(&(struct smmu_cmd){{w0, w1}});
}

static void test_check(void **state)
{
	static const uint8_t known[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x10, 0x11,
					0x12, 0x13, 0x20, 0x21, 0x22, 0x23, 0x28, 0x2a, 0x30,
					0x40, 0x41, 0x44, 0x45, 0x46, 0x70, 0x73};

	/* Every opcode of the Non-secure queue and no other. */
	for (unsigned op = 0; op < 256; op++) {
		bool is_known = memchr(known, (int)op, sizeof(known)) != NULL;

		assert_int_equal(check(op, 0), is_known ? 0 : -SMMU_EINVAL);
		assert_int_equal(smmu_cmd_name(op) != NULL, is_known);
	}
	assert_string_equal(smmu_cmd_name(0x12), "TLBI_NH_VA");

	/* SSec, and bits that belong to no field. */
	assert_int_equal(check(0x403, 0), -SMMU_EINVAL);
	assert_int_equal(check(0x03, 2), -SMMU_EINVAL);
	assert_int_equal(check(0x0001000000000010, 0), -SMMU_EINVAL);
	assert_int_equal(check(0x2a, 1ULL << 56), -SMMU_EINVAL);
	assert_int_equal(check(0x12, 1ULL << 56), 0);
	/* Reserved values. */
	assert_int_equal(check(0x3046, 0), -SMMU_EINVAL);
	assert_int_equal(check(0x41, 0x3000), -SMMU_EINVAL);
	assert_int_equal(check(0x40, 52), 0);
	assert_int_equal(check(0x40, 53), -SMMU_EINVAL);
	/* A range or level without a granule; a granule without either; the 128-bit level without a level. */
	assert_int_equal(check(0x1012, 0), -SMMU_EINVAL);
	assert_int_equal(check(0x100012, 0), -SMMU_EINVAL);
	assert_int_equal(check(0x12, 0x300), -SMMU_EINVAL);
	assert_int_equal(check(0x12, 0x400), -SMMU_EINVAL);
	assert_int_equal(check(0x12, 0x700), 0);
	assert_int_equal(check(0x1012, 0x400), 0);
	assert_int_equal(check(0x1012, 0x480), -SMMU_EINVAL);
	assert_int_equal(check(0x1012, 0x580), 0);

	assert_int_equal(smmu_cmd_tlbi_tg(12), 1);
	assert_int_equal(smmu_cmd_tlbi_tg(14), 2);
	assert_int_equal(smmu_cmd_tlbi_tg(16), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_check),
	};

	testrand_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

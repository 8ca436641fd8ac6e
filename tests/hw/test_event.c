/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event records and page requests: hand-made records, random round trips, and every record survives decoding.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <smmuv3/hw/event.h>
#include <smmuv3/hw/pri.h>

#include "bits.h"
#include "testrand.h"

static void expect_record(const struct smmu_event *ev, uint64_t w0, uint64_t w1, uint64_t w2,
			  uint64_t w3)
{
	const struct smmu_event_record expected = {{w0, w1, w2, w3}};
	struct smmu_event_record rec;
	struct smmu_event back;

	smmu_event_encode(ev, &rec);
	assert_memory_equal(&rec, &expected, sizeof(rec));
	smmu_event_decode(&expected, &back);
	assert_int_equal(back.type, ev->type);
	assert_int_equal(back.ssv, ev->ssv);
	assert_int_equal(back.rnw, ev->rnw);
	assert_int_equal(back.ind, ev->ind);
	assert_int_equal(back.pnu, ev->pnu);
	assert_int_equal(back.s2, ev->s2);
	assert_int_equal(back.nsipa, ev->nsipa);
	assert_int_equal(back.ttrnw, ev->ttrnw);
	assert_int_equal(back.stall, ev->stall);
	assert_int_equal(back.gpcf, ev->gpcf);
	assert_int_equal(back.fault_class, ev->fault_class);
	assert_int_equal(back.request, ev->request);
	assert_int_equal(back.span, ev->span);
	assert_int_equal(back.stag, ev->stag);
	assert_int_equal(back.impdef, ev->impdef);
	assert_int_equal(back.reason, ev->reason);
	assert_int_equal(back.sid, ev->sid);
	assert_int_equal(back.ssid, ev->ssid);
	assert_int_equal(back.addr, ev->addr);
	assert_int_equal(back.ipa, ev->ipa);
	assert_int_equal(back.fetch, ev->fetch);
}

/** Records put together by hand from the layouts in 7.3. */
static void test_vectors(void **state)
{
	expect_record(&(struct smmu_event){.type = SMMU_F_UUT,
					   .sid = 1,
					   .addr = 0x1001,
					   .rnw = true,
					   .reason = 0xabcd},
		      0x0000000100000001, 0x000000080000abcd, 0x1001, 0);
	expect_record(&(struct smmu_event){.type = SMMU_C_BAD_STREAMID, .sid = 0xffffffff},
		      0xffffffff00000002, 0, 0, 0);
	expect_record(&(struct smmu_event){.type = SMMU_F_STE_FETCH,
					   .sid = 2,
					   .fetch = 0x12345678,
					   .reason = 7,
					   .gpcf = true},
		      0x0000000200000003, 0x10007, 0, 0x12345678);
	expect_record(
		&(struct smmu_event){
			.type = SMMU_C_BAD_STE, .sid = 2, .ssv = true, .ssid = 0xfffff},
		0x00000002fffff804, 0, 0, 0);
	expect_record(
		&(struct smmu_event){.type = SMMU_F_BAD_ATS_TREQ,
				     .sid = 3,
				     .addr = 0x7000,
				     .span = 5,
				     .request = SMMU_EVENT_REQUEST_R | SMMU_EVENT_REQUEST_PRIV},
		0x0000000300000005, 0x90000005, 0x7000, 0);
	expect_record(&(struct smmu_event){.type = SMMU_F_STREAM_DISABLED, .sid = 4},
		      0x0000000400000006, 0, 0, 0);
	expect_record(
		&(struct smmu_event){
			.type = SMMU_F_TRANSL_FORBIDDEN, .sid = 4, .rnw = true, .addr = 0xdead0000},
		0x0000000400000007, 0x0000000800000000, 0xdead0000, 0);
	/* No SSV bit: the substream is always valid. */
	expect_record(
		&(struct smmu_event){
			.type = SMMU_C_BAD_SUBSTREAMID, .sid = 5, .ssv = true, .ssid = 0x12},
		0x0000000500012008, 0, 0, 0);
	expect_record(&(struct smmu_event){.type = SMMU_F_WALK_EABT,
					   .sid = 6,
					   .addr = 0x5000,
					   .fault_class = SMMU_EVENT_CLASS_TT,
					   .pnu = true,
					   .ind = true,
					   .rnw = true,
					   .reason = 1,
					   .fetch = 0xfffffffffffff8},
		      0x000000060000000b, 0x0000010e00000001, 0x5000, 0x00fffffffffffff8);
	expect_record(&(struct smmu_event){.type = SMMU_F_TRANSLATION,
					   .sid = 0x20,
					   .ssv = true,
					   .ssid = 7,
					   .addr = 0xffffff8000001234,
					   .rnw = true,
					   .pnu = true,
					   .stall = true,
					   .stag = 0x42,
					   .fault_class = SMMU_EVENT_CLASS_IN,
					   .s2 = true,
					   .ipa = 0x80001000},
		      0x0000002000007810, 0x0000028a80000042, 0xffffff8000001234, 0x80001000);
	expect_record(&(struct smmu_event){.type = SMMU_F_PERMISSION,
					   .sid = 0x20,
					   .s2 = true,
					   .fault_class = SMMU_EVENT_CLASS_TT,
					   .ttrnw = true,
					   .impdef = 0x8001,
					   .ipa = 0x1000},
		      0x0000002000000013, 0x8001118000000000, 0, 0x1000);
	expect_record(&(struct smmu_event){.type = SMMU_F_TLB_CONFLICT,
					   .sid = 1,
					   .s2 = true,
					   .nsipa = true,
					   .reason = 0xdeadbeef,
					   .ipa = 0x3000},
		      0x0000000100000020, 0x000000c0deadbeef, 0, 0x3000);
	expect_record(
		&(struct smmu_event){.type = SMMU_F_CFG_CONFLICT, .sid = 1, .reason = 0x80000000},
		0x0000000100000021, 0x80000000, 0, 0);
	expect_record(&(struct smmu_event){.type = SMMU_E_PAGE_REQUEST,
					   .sid = 1,
					   .addr = 0xabc000,
					   .span = 0xff,
					   .request = SMMU_EVENT_REQUEST_PR | SMMU_EVENT_REQUEST_X},
		      0x0000000100000024, 0x000ff08200000000, 0xabc000, 0);
	expect_record(&(struct smmu_event){.type = SMMU_F_VMS_FETCH, .sid = 1, .fetch = 8},
		      0x0000000100000025, 0, 0, 8);
}

static bool reserved_type(unsigned type)
{
	return smmu_event_name(type) == NULL;
}

/** Decoding reads only fields, and encoding writes all that was read: a second round changes nothing. */
static void test_round_trip(void **state)
{
	for (int i = 0; i < 200000; i++) {
		struct smmu_event_record rec, once, twice;
		struct smmu_event ev, again;
		unsigned type = (unsigned)testrand_bits(8);

		if (i % 4)
			type %= 0x26;
		memset(&ev, 0, sizeof(ev));
		memset(&again, 0, sizeof(again));
		for (unsigned w = 0; w < 4; w++)
			rec.w[w] = testrand();
		rec.w[0] = (rec.w[0] & ~0xffULL) | type;
		smmu_event_decode(&rec, &ev);
		smmu_event_encode(&ev, &once);
		smmu_event_decode(&once, &again);
		smmu_event_encode(&again, &twice);
		assert_memory_equal(&once, &twice, sizeof(once));
		assert_memory_equal(&ev, &again, sizeof(ev));
		assert_int_equal(ev.type, type);
		assert_int_equal(ev.sid, bits(rec.w, 63, 32));
		/* Nothing is made up. */
		for (unsigned w = 0; w < 4; w++)
			assert_int_equal(once.w[w] & ~rec.w[w], 0);
		if (reserved_type(type))
			assert_int_equal(smmu_event_members(type), 0);
		if (type >= SMMU_F_TRANSLATION && type <= SMMU_F_PERMISSION) {
			assert_int_equal(ev.addr, bits(rec.w, 191, 128));
			assert_int_equal(ev.ipa, bits(rec.w, 247, 204) << 12);
			assert_int_equal(ev.stag, bits(rec.w, 79, 64));
			assert_int_equal(ev.stall, bits(rec.w, 95, 95));
			assert_int_equal(ev.fault_class, bits(rec.w, 105, 104));
			assert_int_equal(ev.rnw, bits(rec.w, 99, 99));
			assert_int_equal(ev.ind, bits(rec.w, 98, 98));
			assert_int_equal(ev.pnu, bits(rec.w, 97, 97));
			assert_int_equal(ev.s2, bits(rec.w, 103, 103));
		}
	}
}

/** What is of a page and what is of a byte; and the bits of a record that are no field of its kind (7.3). */
static void test_addresses(void **state)
{
	static const struct {
		unsigned type;
		uint64_t addr;
	} t[] = {
		{SMMU_F_BAD_ATS_TREQ, 0xfedcba9876543000},
		{SMMU_E_PAGE_REQUEST, 0xfedcba9876543000},
		{SMMU_F_TRANSLATION, 0xfedcba9876543210},
		{SMMU_F_TRANSL_FORBIDDEN, 0xfedcba9876543210},
		{SMMU_C_BAD_STREAMID, 0},
		{SMMU_F_STREAM_DISABLED, 0},
	};

	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(t); i++) {
		const struct smmu_event_record rec = {{t[i].type, 0, 0xfedcba9876543210, 0}};
		struct smmu_event ev;

		smmu_event_decode(&rec, &ev);
		assert_true(ev.addr == t[i].addr);
	}
}

static void test_pri(void **state)
{
	const struct smmu_pri_record hand = {{0xf000000500000100, 0xabc003}};
	const struct smmu_pri_record stop = {{0xc000000500000100, 0}};
	struct smmu_pri pri, again;
	struct smmu_pri_record rec, once;

	smmu_pri_decode(&hand, &pri);
	assert_int_equal(pri.sid, 0x100);
	assert_true(pri.ssv);
	assert_int_equal(pri.ssid, 5);
	assert_true(pri.last && pri.read && pri.write);
	assert_false(pri.exec || pri.priv);
	assert_int_equal(pri.addr, 0xabc000);
	assert_int_equal(pri.prgindex, 3);
	assert_false(smmu_pri_is_stop(&pri));
	smmu_pri_encode(&pri, &rec);
	assert_memory_equal(&rec, &hand, sizeof(rec));
	smmu_pri_decode(&stop, &pri);
	assert_true(smmu_pri_is_stop(&pri));

	for (int i = 0; i < 100000; i++) {
		memset(&pri, 0, sizeof(pri));
		memset(&again, 0, sizeof(again));
		rec = (struct smmu_pri_record){{testrand(), testrand()}};
		smmu_pri_decode(&rec, &pri);
		smmu_pri_encode(&pri, &once);
		smmu_pri_decode(&once, &again);
		assert_memory_equal(&pri, &again, sizeof(pri));
		assert_int_equal(pri.sid, bits(rec.w, 31, 0));
		assert_int_equal(pri.priv, bits(rec.w, 58, 58));
		assert_int_equal(pri.exec, bits(rec.w, 59, 59));
		assert_int_equal(pri.read, bits(rec.w, 60, 60));
		assert_int_equal(pri.write, bits(rec.w, 61, 61));
		assert_int_equal(pri.last, bits(rec.w, 62, 62));
		assert_int_equal(pri.prgindex, bits(rec.w, 72, 64));
		assert_int_equal(pri.addr, bits(rec.w, 127, 76) << 12);
		if (pri.ssv)
			assert_int_equal(pri.ssid, bits(rec.w, 51, 32));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_pri),
		cmocka_unit_test(test_addresses),
	};

	testrand_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
